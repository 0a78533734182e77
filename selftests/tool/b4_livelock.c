// SPDX-License-Identifier: GPL-2.0
/*
 * B4: walks that come to the same large entry again and again (2017-2019)
 */
#include "steps.h"
#include "stories.h"

#define SMALL	14	/* PTE entries before the PMD entry: a pagevec was 15 */

static const char *const no_windows[] = { NULL };

static const char references[] =
	"1eb643d02b21 (v4.12), d7782145e1ad (v4.19), \"mm: fix livelock caused by iterating\n"
	"multi order entry\" (2019, 4.9 to 4.19 only)";

/*
 * 14 PTE entries, then a PMD entry that survives the walk, since it is dirty.
 * The walk is that of a write which invalidates what it is going to write,
 * changed or not, as direct I/O does.
 */
static void walk_over_pmd(struct run *run)
{
	struct deed load = { .kind = LOAD, .page = PMD_PAGES - SMALL };

	for (; load.page < PMD_PAGES; load.page++)
		STEP(done(run, "small", load));
	STEP(done(run, "huge", DEED(STORE, .page = PMD_PAGES + 100, .value = 0xb4)));
	REQUIRE(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(done(run, "writer", DEED(WRITE, .page = PMD_PAGES - SMALL, .nr = SMALL + 8,
				      .value = 0xb5)));
	REQUIRE(run, grown(run, "invalidations"));
}

/* All are of one page: one index further is the next entry. */
static void walk_over_ptes(struct run *run)
{
	STEP(done(run, "small", DEED(STORE, .page = 1, .value = 0xb4)));
	STEP(done(run, "small", DEED(STORE, .page = 2, .value = 0xb4)));
	STEP(done(run, "writer", DEED(WRITE, .page = 0, .nr = 4, .value = 0xb5)));
	REQUIRE(run, grown(run, "invalidations") && !result_of(run, "writer").error);
}

static const struct expectation expect[] = {
	{ "invalidate=early,advance=one", CAUGHT, "livelock loop",
	  "d7782145e1ad, and its kin of 2019" },
	{ "invalidate=early,advance=stuck", CAUGHT, "livelock loop", "1eb643d02b21" },
	{ "invalidate=early", PASSED, NULL, "the same walk goes on behind the entry" },
	{ "sound", PASSED, NULL, "there is no such walk: only what changed is invalidated" },
	{}
};

const struct scenario b4_multi_order_livelock = {
	.id = "B4",
	.name = "multi-order-index-livelock",
	.title = "a walk goes one index further, and that is the same huge entry",
	.story = "A walk takes entries in batches and remembers where it was: the index of the last\n"
		 "one, plus one. If that is a PMD entry which survives, being dirty, one further lies\n"
		 "in the same entry, and the look-up returns it with its first index. For ever.\n"
		 "Truncation escapes, since it removes what it finds.",
	.interleaving =
		"small                huge                 writer\n"
		"14 PTE entries\n"
		"                     store: PMD entry, dirty\n"
		"                                          write over them: walk\n"
		"                                            removes 14, leaves the PMD entry\n"
		"                                            one further: the PMD entry (bug)\n"
		"                                            one further: the PMD entry",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "small", MAP_PTES, NULL, "loads 14 pages" },
		{ "huge", MAP_PMDS, NULL, "stores to the 2 MiB behind them" },
		{ "writer", MAP_NONE, NULL, "writes over all of them" },
	},
	.play = walk_over_pmd,
	.expect = expect,
};

static const struct expectation expect_ptes[] = {
	{ "invalidate=early,advance=one", PASSED, NULL,
	  "one further is right for entries of one page" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario b4_ptes = {
	.id = "B4-ptes",
	.name = "one-further-over-ptes",
	.title = "control: all entries are of one page",
	.story = "As B4, with PTE entries only, which survive as well.",
	.interleaving =
		"small                                     writer\n"
		"store pages 1 and 2\n"
		"                                          write over them: leaves both, ends",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "small", MAP_PTES, NULL, "stores to two pages" },
		{ "writer", MAP_NONE, NULL, "writes over all of them" },
	},
	.play = walk_over_ptes,
	.expect = expect_ptes,
};
