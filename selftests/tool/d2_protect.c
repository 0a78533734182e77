// SPDX-License-Identifier: GPL-2.0
/*
 * D2, D3, B5: a sync takes the mark off an entry and leaves a mapping of it
 * writable. The next store takes no fault, and no sync will know of it. All of them
 * are sequential: nothing has to be held.
 */
#include "steps.h"
#include "stories_d.h"

#define MIDDLE	100

static struct deed store_to(struct run *run, unsigned long page, unsigned long value)
{
	return DEED(STORE, .page = page, .value = value + 4 * run_number(run));
}

/* Stored, synced, stored again, synced again; the PMD entry is the owner's. */
static void store_twice(struct run *run, const char *owner, const char *role, unsigned long page)
{
	STEP(done(run, owner, store_to(run, 0, 1)));
	STEP(done(run, role, store_to(run, page, 1)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	STEP(done(run, role, store_to(run, page, 2)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	/* Owed each time, whatever was owed beside. */
	REQUIRE(run, grown(run, "promises") == 2 && grown(run, "promised_pages") >= 2);
}

static void pmd(struct run *run)
{
	store_twice(run, "storer", "storer", 0);
	REQUIRE(run, grown(run, "fault_pmd_mapped"));
}

static void ptes(struct run *run)
{
	store_twice(run, "storer", "storer", 0);
	REQUIRE(run, !grown(run, "fault_pmd_mapped"));
}

static const char *const windows[] = { "writeback.after_wrprotect", NULL };

#define LOST	CAUGHT, "broken-promise marked-clean"

static const struct expectation expect_d2[] = {
	{ "protect=skip_huge", LOST, NULL },
	{ "protect=head", PASSED, NULL, "a huge pmd is the mapping of its first page" },
	{ "protect=raw_head", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "the second store takes a fault" },
	{}
};

static const char interleaving_d2[] =
	"storer                        syncer\n"
	"store: dirty, writable\n"
	"                              fsync: flushes, marks off\n"
	"                                the huge pmd stays writable (bug)\n"
	"store: no fault\n"
	"                              fsync: finds a clean entry, returns 0";

const struct scenario d2_pmd_not_wrprotected = {
	.id = "D2",
	.name = "pmd-not-wrprotected",
	.title = "a sync cleans a PMD entry and leaves the huge pmd writable",
	.story = "dax_mapping_entry_mkclean() looked for PTEs only. A huge pmd stayed writable after\n"
		 "a sync: the next store took no fault, the entry stayed clean, and no later sync\n"
		 "flushed it.",
	.interleaving = interleaving_d2,
	.references = "races.md D2; 4b4bb46d00b3 (v4.10-rc1), fixed by f729c8c9b24f\n"
		      "\"dax: wrprotect pmd_t in dax_mapping_entry_mkclean\"",
	.windows = windows,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores, and again" },
		{ "syncer", MAP_NONE, NULL, "fsync(2), and again" },
	},
	.play = pmd,
	.expect = expect_d2,
};

static const struct expectation expect_ptes[] = {
	{ "protect=skip_huge", PASSED, NULL, "PTE entries are protected" },
	{ "protect=head", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario d2_ptes = {
	.id = "D2-ptes",
	.name = "pte-is-wrprotected",
	.title = "control: with PTE entries nothing is lost",
	.story = "As D2, through a mapping that has PTEs only.",
	.interleaving = interleaving_d2,
	.references = "races.md D2",
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores, and again" },
		{ "syncer", MAP_NONE, NULL, "fsync(2), and again" },
	},
	.play = ptes,
	.expect = expect_ptes,
};

static void tail(struct run *run)
{
	store_twice(run, "owner", "neighbour", 1);
	REQUIRE(run, grown(run, "fault_pmd_mapped"));
}

static void head(struct run *run)
{
	store_twice(run, "owner", "neighbour", 0);
	REQUIRE(run, grown(run, "fault_pmd_mapped"));
}

static const struct expectation expect_d3[] = {
	{ "protect=head", LOST, NULL },
	{ "protect=raw_head", LOST, "the sync began at the first page" },
	{ "protect=skip_huge", LOST, "nothing of a PMD entry is protected" },
	{ "v5.13", LOST, NULL },
	{ "sound", PASSED, NULL, "the second store takes a fault" },
	{}
};

static const char interleaving_d3[] =
	"owner            neighbour                    syncer\n"
	"store by a PMD: dirty\n"
	"                 store by a PTE of page 1\n"
	"                                              fsync: flushes, marks off\n"
	"                                                page 1 stays writable (bug)\n"
	"                 store: no fault\n"
	"                                              fsync: clean, returns 0";

#define ROLES_D3								\
	{ "owner", MAP_PMDS, NULL, "stores through a huge pmd" },		\
	{ "neighbour", MAP_PTES, NULL, "stores through a PTE of the same PMD entry" }, \
	{ "syncer", MAP_NONE, NULL, "fsync(2), and again" }

const struct scenario d3_pte_in_pmd = {
	.id = "D3",
	.name = "pte-in-pmd-not-wrprotected",
	.title = "a sync cleans a PMD entry and leaves PTEs of its other pages writable",
	.story = "Another process can have small mappings of what is a PMD entry. The walk over the\n"
		 "page tables looked up the entry's first page only, and missed them.",
	.interleaving = interleaving_d3,
	.references = "races.md D3; fixed by 06083a0921fd \"dax: fix missing writeprotect the pte\n"
		      "entry\" (v5.19)",
	.windows = windows,
	.role = { ROLES_D3 },
	.play = tail,
	.expect = expect_d3,
};

static const struct expectation expect_head[] = {
	{ "protect=head", PASSED, NULL, "it is the first page" },
	{ "v5.13", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario d3_head = {
	.id = "D3-head",
	.name = "head-pte-is-wrprotected",
	.title = "control: the small mapping is of the first page",
	.story = "As D3, but the neighbour stores to page 0, which the walk does find.",
	.interleaving = interleaving_d3,
	.references = "races.md D3",
	.windows = windows,
	.role = { ROLES_D3 },
	.play = head,
	.expect = expect_head,
};

/* The first sync is about a page in the middle; it cleans the whole entry. */
static void partial(struct run *run, unsigned long from)
{
	STEP(done(run, "owner", store_to(run, MIDDLE, 1)));
	STEP(done(run, "neighbour", store_to(run, 0, 1)));
	STEP(done(run, "syncer", DEED(MSYNC, .page = from, .nr = 1)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	STEP(done(run, "neighbour", store_to(run, 0, 2)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	REQUIRE(run, grown(run, "promises") == 3 && grown(run, "promised_pages") >= 2);
	REQUIRE(run, grown(run, "fault_pmd_mapped"));
}

static void from_middle(struct run *run)
{
	partial(run, MIDDLE);
}

static void from_start(struct run *run)
{
	partial(run, 0);
}

static const struct expectation expect_b5[] = {
	{ "protect=raw_head", LOST, "page 0 stays writable" },
	{ "flush=from_start", LOST, "page 0 is not flushed, and marked clean" },
	{ "v4.20", LOST, NULL },
	{ "protect=head", PASSED, NULL, "page 0 is what it does protect" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

static const char interleaving_b5[] =
	"owner            neighbour                    syncer\n"
	"store by a PMD, page 100\n"
	"                 store by a PTE, page 0\n"
	"                                              msync of page 100: marks off\n"
	"                                                protects from there (bug)\n"
	"                                              fsync: clean, returns 0\n"
	"                 store: no fault\n"
	"                                              fsync: clean, returns 0";

#define ROLES_B5								\
	{ "owner", MAP_PMDS, NULL, "stores through a huge pmd" },		\
	{ "neighbour", MAP_PTES, NULL, "stores to page 0 through a PTE" },	\
	{ "syncer", MAP_PTES, NULL, "msync(2) of a page in the middle, then fsync(2), twice" }

const struct scenario b5_partial_pmd = {
	.id = "B5",
	.name = "partial-pmd-flush",
	.title = "a sync that begins in the middle of a PMD entry deals with the rest of it",
	.story = "XArray walks do not go back to the first index of a PMD entry, as radix tree walks\n"
		 "did. So writeback of a range that began in the middle looked for mappings of the\n"
		 "page there, and cleaned the whole entry. What was flushed was right, in v4.20: the\n"
		 "choice flush=from_start is what would be if it were not.",
	.interleaving = interleaving_b5,
	.references = "races.md B5; 9fc747f68d49 (v4.20), fixed by e4b3448bc346 \"dax: Flush partial\n"
		      "PMDs correctly\" (v5.1)",
	.windows = windows,
	.role = { ROLES_B5 },
	.play = from_middle,
	.expect = expect_b5,
};

static const struct expectation expect_whole[] = {
	{ "protect=raw_head", PASSED, NULL, NULL },
	{ "flush=from_start", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario b5_whole = {
	.id = "B5-whole",
	.name = "whole-pmd-flush",
	.title = "control: the sync begins at the first page",
	.story = "As B5, but the first msync(2) is of page 0.",
	.interleaving = interleaving_b5,
	.references = "races.md B5",
	.windows = windows,
	.role = { ROLES_B5 },
	.play = from_start,
	.expect = expect_whole,
};
