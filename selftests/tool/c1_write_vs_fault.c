// SPDX-License-Identifier: GPL-2.0
/*
 * C1, C2: write(2) fills a hole that a read fault is looking at (2017)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define NEW	0x11c1
#define INSIDE	"fault.after_iomap_begin"

static const char *const windows[] = {
	"fault.after_iomap_begin", "?invalidate.found_locked", NULL
};

static const char story[] =
	"A read fault asks the block map, sees a hole and is about to cache it: a zero\n"
	"entry, a zero page in the page table. write(2) fills the hole, looks for what\n"
	"faults have cached, and returns. If the fault has not locked its entry yet,\n"
	"there is nothing to find and nothing to wait for: the zeroes come afterwards\n"
	"and stay. Loads see them for ever, read(2) sees the data.\n"
	"\n"
	"The entry lock around the look at the map is the whole cure: the write finds the\n"
	"locked empty entry and sleeps until the fault is done, then removes what it\n"
	"cached. write(2) itself takes no entry lock.";

static const char listing[] =
	"reader                             writer\n"
	"load: read fault\n"
	"  map says: hole\n"
	"  * fault.after_iomap_begin\n"
	"                                   write: allocates, the map has a block\n"
	"                                     invalidates: finds nothing (bug)\n"
	"                                       or sleeps: invalidate.found_locked\n"
	"                                     copies, returns (bug)\n"
	"  zero entry, zero page over data";

static const char references[] =
	"13e451fdc1af \"dax: fix data corruption when fault races with write\" and\n"
	"876f29460cbd \"dax: fix PMD data corruption when fault races with write\", v4.12;\n"
	"both fix 9f141d6ef625, v4.10";

/* Where the write must be while the fault is held: else the path was not taken. */
static bool writer_is_where_it_must_be(struct run *run)
{
	if (variant_has(run, "map_order=before") || variant_has(run, "map_order=twice") ||
	    variant_has(run, "invalidate=untold") || variant_is(run, "v4.11"))
		return is_idle(run, "writer");
	if (variant_has(run, "map_order=rwsem"))
		return !is_idle(run, "writer") && !is_asleep(run, "writer");
	return is_asleep(run, "writer") && (!variant_is(run, "sound") ||
	       crossed(run, "writer", "invalidate.found_locked"));
}

static void meet(struct run *run)
{
	STEP(held_at(run, "reader", INSIDE, DEED(LOAD, .page = AT)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, writer_is_where_it_must_be(run));
	STEP(release(run, "reader"));
	STEP(still(run));
}

/* Elsewhere in the file, or in another PMD: nobody is in anybody's way. */
static void miss(struct run *run)
{
	STEP(held_at(run, "reader", INSIDE, DEED(LOAD, .page = AT)));
	STEP(done(run, "writer",
		  DEED(WRITE, .page = AT + PMD_PAGES, .nr = 1, .value = NEW)));
	STEP(release(run, "reader"));
	STEP(still(run));
	REQUIRE(run, result_of(run, "reader").value == 0);
}

/* The user's eye: what was written is what the mapping shows. */
static void look(struct run *run)
{
	struct result seen;

	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	seen = result_of(run, "reader");
	if (seen.error || seen.value != NEW)
		caught(run, "stale-data user", "page %d of the mapping reads %#lx, not %#x",
		       AT, seen.value, NEW);
}

/*
 * Two mutants of the same class. "early": the write removes what is cached
 * first and changes the map afterwards, so a fault in between caches the hole.
 */
static void between(struct run *run)
{
	STEP(held_at(run, "writer", "write.after_invalidate",
		     DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	STEP(release(run, "writer"));
	STEP(still(run));
	CERTIFY(run, crossed(run, "writer", "write.after_invalidate"));
}

static const struct expectation expect_c1[] = {
	{ "map_order=before", CAUGHT, "stale-mapping -", "bug of v4.10" },
	{ "v4.11", CAUGHT, "stale-mapping -", NULL },
	{ "v4.12", PASSED, NULL, "cured" },
	{ "map_order=twice", CAUGHT, "stale-mapping -",
	  "invalidate before and after the copy, as direct I/O does: narrower only" },
	{ "map_order=rwsem", PASSED, NULL,
	  "write(2) excludes faults: sound, and the write waits for every fault" },
	{ "map_order=before,invalidate=per_entry", CAUGHT, "stale-mapping -",
	  "Zwisler's unmap under each entry's lock: there is no entry yet" },
	{ "invalidate=per_entry", PASSED, NULL, "the cure is the order in the fault" },
	{ "invalidate=untold", CAUGHT, "stale-mapping -",
	  "a filesystem that does not set IOMAP_F_NEW" },
	{ "sound", PASSED, NULL, "the write is seen asleep for the locked entry" },
	{}
};

const struct scenario c1_write_vs_read_fault = {
	.id = "C1",
	.name = "write-vs-read-fault",
	.title = "a read fault caches a hole that write(2) has filled (PTE)",
	.story = story,
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "reader", MAP_PTES, NULL, "loads a word of a hole" },
		{ "writer", MAP_NONE, NULL, "writes that page" },
	},
	.play = meet,
	.check = look,
	.expect = expect_c1,
};

const struct scenario c2_write_vs_pmd_fault = {
	.id = "C2",
	.name = "write-vs-pmd-fault",
	.title = "a huge read fault caches 2 MiB of hole, of which write(2) fills a page",
	.story = story,
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "reader", MAP_PMDS, NULL, "loads a word of a hole of 2 MiB" },
		{ "writer", MAP_NONE, NULL, "writes one page of it" },
	},
	.play = meet,
	.check = look,
	.expect = expect_c1,
};

static const struct expectation expect_elsewhere[] = {
	{ "map_order=before", PASSED, NULL, "another page: the bug does not show" },
	{ "map_order=twice", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "and nobody waits" },
	{}
};

const struct scenario c1_elsewhere = {
	.id = "C1-elsewhere",
	.name = "write-vs-read-fault-elsewhere",
	.title = "control: the write is to another page, so no variant of C1 shows",
	.story = "As C1, but the write goes to another page. The bug is there and cannot be seen;\n"
		 "the write never waits for the fault, whatever the variant.",
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "reader", MAP_PTES, NULL, "loads a word of a hole" },
		{ "writer", MAP_NONE, NULL, "writes a page in another PMD" },
	},
	.play = miss,
	.expect = expect_elsewhere,
};

static const char *const windows_early[] = { "write.after_invalidate", NULL };

static const struct expectation expect_early[] = {
	{ "invalidate=early", CAUGHT, "stale-mapping -", "lab mutant" },
	{ "sound", PASSED, NULL, "what the fault reads has changed already" },
	{}
};

const struct scenario c1_early = {
	.id = "C1-early",
	.name = "invalidate-before-allocation",
	.title = "write(2) invalidates before it changes the map (mutant)",
	.story = "The order of a write must be: block map, entries, page tables. This mutant\n"
		 "removes entries and mappings first. A fault that comes between, and does all\n"
		 "under the entry lock, still reads the old map and caches the hole.",
	.interleaving =
		"writer                             reader\n"
		"write: invalidates: nothing there\n"
		"  * write.after_invalidate\n"
		"                                   load: lock, map says: hole (mutant)\n"
		"                                     zero entry, zero page\n"
		"  allocates, copies, returns",
	.references = "invariant 22 of races.md",
	.windows = windows_early,
	.role = {
		{ "writer", MAP_NONE, NULL, "writes a page" },
		{ "reader", MAP_PTES, NULL, "loads it meanwhile" },
	},
	.play = between,
	.check = look,
	.expect = expect_early,
};
