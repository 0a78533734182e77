// SPDX-License-Identifier: GPL-2.0
/*
 * C4: zeroes that stay mapped after write(2) (2017)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define NEW	0x44c4
#define BEFORE_MAP	"fault.before_map"
#define BETWEEN		"invalidate.before_unmap"

static void look(struct run *run)
{
	struct result seen;

	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	seen = result_of(run, "reader");
	if (seen.error || seen.value != NEW)
		caught(run, "stale-data user", "page %d of the mapping reads %#lx, not %#x",
		       AT, seen.value, NEW);
}

/* generic/428: no race at all. */
static void in_turn(struct run *run)
{
	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	REQUIRE(run, result_of(run, "reader").value == 0);
	REQUIRE(run, grown(run, "fault_pmd_hole") == 1);
	STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
}

/* The same, but the page was never mapped: there is nothing stale. */
static void unmapped(struct run *run)
{
	STEP(done(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
}

static const char *const no_windows[] = { NULL };

static const char references[] =
	"cd656375f941 \"mm: fix data corruption due to stale mmap reads\", v4.12; generic/428";

static const struct expectation expect[] = {
	{ "invalidate=skip_uncounted", CAUGHT, "stale-mapping -", "bug of v4.11" },
	{ "v4.11", CAUGHT, "stale-mapping -", NULL },
	{ "v4.12", PASSED, NULL, "cured" },
	{ "invalidate=per_entry", PASSED, NULL, "Zwisler v1: right here, one rmap walk per entry" },
	{ "invalidate=unmap_first", PASSED, NULL, "without a race the order does not matter" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c4_stale_zero_after_write = {
	.id = "C4",
	.name = "stale-zero-after-write",
	.title = "write(2) leaves 2 MiB of zeroes mapped over its data",
	.story = "A load maps 2 MiB of zeroes over a hole. write(2) fills a page of it and would\n"
		 "invalidate, but asks first whether any page-cache page is there: entries were not\n"
		 "counted, the answer is no, and nothing is unmapped. The mapping reads zeroes for\n"
		 "ever. No race is needed.",
	.interleaving =
		"reader                             writer\n"
		"load: huge zero page\n"
		"                                   write: allocates\n"
		"                                     no page counted: nothing is invalidated (bug)\n"
		"load: zeroes",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "reader", MAP_PMDS, NULL, "loads, before and after" },
		{ "writer", MAP_NONE, NULL, "writes a page between" },
	},
	.play = in_turn,
	.check = look,
	.expect = expect,
};

static const struct expectation expect_unmapped[] = {
	{ "invalidate=skip_uncounted", PASSED, NULL, "nothing was cached before the write" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c4_unmapped = {
	.id = "C4-unmapped",
	.name = "stale-zero-after-write-unmapped",
	.title = "control: nobody has looked at the hole before write(2)",
	.story = "As C4, but the first load comes after the write: there is nothing to forget.",
	.interleaving =
		"writer                             reader\n"
		"write: allocates\n"
		"                                   load: the data",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "reader", MAP_PMDS, NULL, "loads" },
		{ "writer", MAP_NONE, NULL, "writes a page" },
	},
	.play = unmapped,
	.check = look,
	.expect = expect_unmapped,
};

/*
 * The order matters when a fault is under way: what it maps after the unmap of
 * the range is not unmapped by anybody.
 */
static void overtake(struct run *run)
{
	STEP(held_at(run, "reader", BEFORE_MAP, DEED(LOAD, .page = AT)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "writer"));
	STEP(release(run, "reader"));
	STEP(still(run));
}

static const char *const windows_race[] = {
	"fault.before_map", "?invalidate.found_locked", NULL
};

static const struct expectation expect_race[] = {
	{ "invalidate=unmap_first", CAUGHT, "stale-mapping -", "the other order" },
	{ "invalidate=per_entry", PASSED, NULL, "Zwisler v1: unmapped under the entry's lock" },
	{ "sound", PASSED, NULL, "entries first, then one unmap: catches what came meanwhile" },
	{}
};

const struct scenario c4_unmap_first = {
	.id = "C4-race",
	.name = "unmap-before-delete",
	.title = "write(2) unmaps before it removes entries, and a fault maps in between",
	.story = "A fault has its entry locked and is about to map the zero page. A write that\n"
		 "unmaps the range first finds nothing to unmap; then it waits for the entry, the\n"
		 "fault maps and unlocks, and the write removes the entry. The zeroes stay mapped,\n"
		 "and nobody knows of them any more.",
	.interleaving =
		"reader                             writer\n"
		"load: entry locked, map says hole\n"
		"  * fault.before_map\n"
		"                                   write: allocates\n"
		"                                     unmaps: nothing mapped (mutant)\n"
		"                                     waits for the entry\n"
		"  maps zeroes, unlocks\n"
		"                                     removes the entry",
	.references = references,
	.windows = windows_race,
	.role = {
		{ "reader", MAP_PMDS, NULL, "loads a word of a hole" },
		{ "writer", MAP_NONE, NULL, "writes that page" },
	},
	.play = overtake,
	.check = look,
	.expect = expect_race,
};

/* A fault between the two halves of the invalidation. */
static void in_the_gap(struct run *run)
{
	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	STEP(held_at(run, "writer", BETWEEN,
		     DEED(WRITE, .page = AT, .nr = 1, .value = NEW)));
	STEP(done(run, "late", DEED(LOAD, .page = AT)));
	STEP(release(run, "writer"));
	STEP(still(run));
	CERTIFY(run, crossed(run, "writer", BETWEEN));
}

static const char *const windows_gap[] = { "invalidate.before_unmap", NULL };

static const struct expectation expect_gap[] = {
	{ "invalidate=unmap_first", CAUGHT, "untracked-mapping -",
	  "the fresh entry goes, its mapping stays" },
	{ "sound", PASSED, NULL, "the fresh mapping goes, its entry stays" },
	{}
};

const struct scenario c4_gap = {
	.id = "C4-gap",
	.name = "fault-between-unmap-and-delete",
	.title = "a fault comes between the two halves of an invalidation",
	.story = "Entries first, then page tables: what a fault inserts in between is fresh, and\n"
		 "losing its mapping costs another fault. The other way round the fault's mapping is\n"
		 "not unmapped any more but its entry is removed: a mapping that no fsync can find.",
	.interleaving =
		"reader      writer                        late\n"
		"load: zeroes\n"
		"            write: allocates\n"
		"              unmaps (mutant), or removes entries\n"
		"              * invalidate.before_unmap\n"
		"                                          load: entry, mapping\n"
		"              removes entries (mutant), or unmaps",
	.references = references,
	.windows = windows_gap,
	.role = {
		{ "reader", MAP_PTES, NULL, "loads a word of a hole" },
		{ "writer", MAP_NONE, NULL, "writes that page" },
		{ "late", MAP_PTES, NULL, "loads it in the gap" },
	},
	.play = in_the_gap,
	.expect = expect_gap,
};
