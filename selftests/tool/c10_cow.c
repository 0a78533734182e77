// SPDX-License-Identifier: GPL-2.0
/*
 * C10: write(2) gives a page another block, and a dirty entry keeps the old (2022)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define FAR	100	/* same 2 MiB */
#define OLD	0x10c0
#define NEW	0x10c1
#define GAP	"write.before_invalidate"

static const char references[] =
	"f76b3a32879d \"fsdax: force clear dirty mark if CoW\", v6.3; fixes f80e1668888f\n"
	"\"fsdax: invalidate pages when CoW\"; races.md C10";

static bool copies(const struct run *run)
{
	return !variant_is(run, "sound");
}

/* Faults go on while the block is replaced. */
static bool beside(const struct run *run)
{
	return copies(run) && !variant_is(run, "write_map=cow");
}

/* Whoever asks, the page has what was written last. */
static void look(struct run *run)
{
	struct result seen;

	REQUIRE(run, !result_of(run, "writer").error);
	STEP(done(run, "storer", DEED(LOAD, .page = AT)));
	seen = result_of(run, "storer");
	/* Nobody is held: the store may have come last. */
	if (seen.error || (seen.value != NEW && (run_held(run) || seen.value != OLD)))
		caught(run, "stale-data user", "page %d of the mapping reads %#lx, not %#x",
		       AT, seen.value, NEW);
}

/* The entry is dirty, and nobody has it locked. */
static void over_dirty(struct run *run)
{
	STEP(done(run, "storer", DEED(STORE, .page = AT, .value = OLD)));
	STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, grown(run, "blocks_freed") == copies(run));
}

static const char *const windows[] = { "?" GAP, "write.copy_user", NULL };

static const struct expectation expect[] = {
	{ "write_map=cow_refused", CAUGHT, "stale-entry -", "f80e1668888f" },
	{ "write_map=cow_clears", PASSED, NULL, "nobody has it locked, nobody faults meanwhile" },
	{ "write_map=cow_waits", PASSED, NULL, NULL },
	{ "write_map=cow", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "the page keeps its block" },
	{}
};

const struct scenario c10_cow_dirty = {
	.id = "C10",
	.name = "cow-dirty-entry-survives",
	.title = "a page gets another block, and its dirty entry keeps the old one",
	.story = "Invalidation leaves dirty entries alone, for what they stand for is in caches only.\n"
		 "But a filesystem may write to a new block though nobody shares the old one. Then a\n"
		 "dirty entry stays behind: mappings find the old block by it, which is free by now,\n"
		 "and will be another file's. The first cure takes the marks off before. No race is\n"
		 "needed.",
	.interleaving =
		"storer                             writer\n"
		"store: entry of block B, dirty\n"
		"                                   write: new block, copies, swaps the map\n"
		"                                     the entry is dirty: it stays (bug)\n"
		"                                     frees B\n"
		"load: maps B",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page, loads from it" },
		{ "writer", MAP_NONE, NULL, "write(2) of that page" },
	},
	.play = over_dirty,
	.check = look,
	.expect = expect,
};

/* A fault has the entry locked, and is about to make it dirty. */
static void over_locked(struct run *run)
{
	STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = OLD)));
	STEP(held_at(run, "storer", "fault.before_insert_entry",
		     DEED(STORE, .page = AT, .value = OLD)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "writer") == !copies(run));
	CERTIFY(run, is_asleep(run, "writer") == beside(run));
	STEP(release(run, "storer"));
	STEP(still(run));
}

/* The store comes last, if it can, and what it stored to was the page then. */
static void both_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "storer").error && !result_of(run, "writer").error);
}

static const char *const windows_locked[] = {
	"?" GAP, "fault.before_insert_entry", NULL
};

static const struct expectation expect_locked[] = {
	{ "write_map=cow_clears", CAUGHT, "stale-entry -", "6.12" },
	{ "write_map=cow_refused", CAUGHT, "stale-entry -", NULL },
	{ "write_map=cow_waits", PASSED, NULL,
	  "7.3: the fault is waited for, then the mark comes off" },
	{ "write_map=cow", PASSED, NULL, "the write waits for the fault: invalidate_lock" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c10_locked = {
	.id = "C10-locked",
	.name = "cow-locked-entry-survives",
	.title = "the mark is taken off an entry whose owner is about to set it",
	.story = "Who takes marks off must wait for the entry. The walk of v6.3 asked for it where it\n"
		 "stood, as that of B1 does, and was told that nobody has it. So it took the mark off\n"
		 "an entry that a fault had locked, and the fault set it then. Invalidation, which\n"
		 "does wait, finds it dirty and leaves it.",
	.interleaving =
		"storer                             writer\n"
		"store: has the entry locked\n"
		"  * fault.before_insert_entry\n"
		"                                   write: new block, swaps the map\n"
		"                                     takes off what is not there (bug)\n"
		"                                     waits for the entry\n"
		"  dirty, maps B, unlocks\n"
		"                                     it is dirty: it stays",
	.references = references,
	.windows = windows_locked,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "writer", MAP_NONE, NULL, "write(2) of that page, twice" },
	},
	.play = over_locked,
	.check = both_ended,
	.expect = expect_locked,
};

/* Marks are off, the entry is still there: another store finds it. */
static void in_gap(struct run *run)
{
	STEP(done(run, "storer", DEED(STORE, .page = AT, .value = OLD)));
	if (beside(run)) {
		STEP(held_at(run, "writer", GAP,
			     DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
		STEP(done(run, "late", DEED(STORE, .page = AT, .value = OLD)));
		STEP(release(run, "writer"));
	} else {
		STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
		STEP(done(run, "late", DEED(STORE, .page = AT, .value = OLD)));
	}
	STEP(still(run));
}

static void late_seen(struct run *run)
{
	REQUIRE(run, !result_of(run, "writer").error && !result_of(run, "late").error);
}

static const char *const windows_gap[] = { "?" GAP, "fault.before_map", NULL };

static const struct expectation expect_gap[] = {
	{ "write_map=cow_waits", CAUGHT, "stale-entry -",
	  "7.3: nothing keeps faults away in between" },
	{ "write_map=cow_clears", CAUGHT, "stale-entry -", "6.12" },
	{ "write_map=cow_refused", CAUGHT, "stale-entry -", NULL },
	{ "write_map=cow", PASSED, NULL, "faults are excluded" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c10_gap = {
	.id = "C10-gap",
	.name = "cow-clear-invalidate-gap",
	.title = "a store makes the entry dirty again before it is removed",
	.story = "Marks first, then entries: two walks, and in between the entry can be found. A store\n"
		 "through another mapping needs no more than that, and makes it dirty. What closes the\n"
		 "gap is to keep faults out of it.",
	.interleaving =
		"storer             writer                        late\n"
		"store: B, dirty\n"
		"                   write: new block, swaps\n"
		"                     the map, takes marks off\n"
		"                     * write.before_invalidate\n"
		"                                                 store: finds the entry of B,\n"
		"                                                   makes it dirty, maps B\n"
		"                     it is dirty: it stays",
	.references = references,
	.windows = windows_gap,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "writer", MAP_NONE, NULL, "write(2) of that page" },
		{ "late", MAP_PTES, NULL, "stores to it through a mapping of its own" },
	},
	.play = in_gap,
	.check = late_seen,
	.expect = expect_gap,
};

/* The mark of 2 MiB goes for the sake of one page. */
static void pmd(struct run *run)
{
	STEP(done(run, "storer", DEED(STORE, .page = FAR, .value = 1 + run_number(run))));
	REQUIRE(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	REQUIRE(run, grown(run, "promises") == 1);
}

static const char *const windows_pmd[] = { "?" GAP, NULL };

static const struct expectation expect_pmd[] = {
	{ "write_map=cow_waits", CAUGHT, "broken-promise entry-dropped", NULL },
	{ "write_map=cow_clears", CAUGHT, "broken-promise entry-dropped", NULL },
	{ "write_map=cow_refused", CAUGHT, "stale-entry -", "the entry stays, and is flushed" },
	{ "write_map=cow", PASSED, NULL, "flushed before" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c10_pmd = {
	.id = "C10-pmd",
	.name = "cow-clears-the-mark-of-a-pmd",
	.title = "one page gets another block, and 511 lose their dirty mark",
	.story = "A PMD entry has one mark. If it is taken off because one page is replaced, and the\n"
		 "entry is removed, nobody knows any more that the others are in caches only: a sync\n"
		 "finds nothing to flush, and returns.",
	.interleaving =
		"storer                  writer                  syncer\n"
		"store to page 100 by a\n"
		"  PMD: dirty\n"
		"                        write to page 5: mark\n"
		"                          off (bug), entry out\n"
		"                                                fsync: nothing is dirty",
	.references = references,
	.windows = windows_pmd,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores through a huge pmd" },
		{ "writer", MAP_NONE, NULL, "write(2) of another page of it" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = pmd,
	.expect = expect_pmd,
};
