// SPDX-License-Identifier: GPL-2.0
/*
 * F2, for a while: the count is frozen while its freezer sleeps (2022, 2024)
 */
#include "steps_f.h"
#include "stories_f.h"

#define HELD	"freeze.held"
#define LOOP	"livelock transient"

static const char references[] =
	"2024 thread: a split freezes the folio, then waits for the lruvec lock; Chinner,\n"
	"October 2022 (cond_resched() in the loop)";

static const char *const windows[] = { HELD, "?lookup.try_get_failed", NULL };

static void one_folio(struct run *run)
{
	STEP(empty_cache(run, "freezer"));
	STEP(done(run, "freezer", DEED(CACHE_ADD, .page = 0, .nr = HUGE_ORDER)));
}

static bool waits(const struct run *run)
{
	return !strstr(run_variant(run), "retry=");
}

/* The freezer is held; what the other does then goes on or waits, by the rule. */
static void meet(struct run *run, enum deed_kind freeze, struct deed deed)
{
	STEP(held_at(run, "freezer", HELD, DEED(freeze, .page = 0)));
	STEP(start(run, "reader", deed));
	if (waits(run))
		STEP(blocked(run, "reader"));
	STEP(judged(run));
	STEP(release(run, "freezer"));
	STEP(ended(run, "freezer"));
	STEP(ended(run, "reader"));
}

static void frozen(struct run *run)
{
	meet(run, CACHE_HOLD, DEED(CACHE_LOOK, .page = ELSEWHERE));
}

/* Whoever waits gets the folio once it is thawed. */
static void frozen_check(struct run *run)
{
	if (!run_held(run))
		return;
	if (variant_is(run, "retry=skip") && result_of(run, "reader").error == ENOENT)
		caught(run, "lost-page -", "page %d is in the cache, the reader is told that it is not",
		       ELSEWHERE);
	else
		REQUIRE(run, !result_of(run, "reader").error);
}

static const struct expectation expect_frozen[] = {
	{ "retry=spin", CAUGHT, LOOP, "upstream: RCU is held until the freezer ends" },
	{ "retry=bounce", CAUGHT, LOOP,
	  "helps if the freezer holds the tree lock, as the kernel's do for most of the time" },
	{ "retry=yield", PASSED, NULL, "costs a processor, but holds nobody up" },
	{ "retry=recheck", PASSED, NULL, "likewise" },
	{ "retry=skip", CAUGHT, "lost-page -", "a folio that lives, and may be dirty" },
	{ "sound", PASSED, NULL, "sleeps until it is thawed" },
	{}
};

const struct scenario f2_frozen = {
	.id = "F2-frozen",
	.name = "frozen-folio-livelock",
	.title = "lookups spin under RCU while the freezer sleeps",
	.story = "Freezing is meant to be short. If the freezer waits for something meanwhile, every\n"
		 "lookup of the folio spins inside rcu_read_lock() for as long, and what the freezer\n"
		 "waits for may need an RCU grace period, or the processor. All is well again once\n"
		 "it thaws: so nothing is found afterwards.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511\n"
		"  * freeze.held\n"
		"                                     look up 200: count 0, again ... (bug)\n"
		"thaws\n"
		"                                     gets it",
	.references = references,
	.windows = windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "freezes, is held, thaws" },
		{ "reader", MAP_NONE, NULL, "looks up page 200" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = frozen,
	.check = frozen_check,
	.expect = expect_frozen,
};

/* The folio is reclaimed in the end: the reader adds a page of its own. */
static void frozen_get(struct run *run)
{
	meet(run, CACHE_EVICT, DEED(CACHE_GET, .page = ELSEWHERE));
}

static void frozen_get_check(struct run *run)
{
	if (run_held(run) && !variant_is(run, "retry=skip"))
		REQUIRE(run, !result_of(run, "reader").error);
}

static const struct expectation expect_get[] = {
	{ "retry=skip", CAUGHT, "livelock loop",
	  "nothing there, add: EEXIST, nothing there ... until the freezer ends" },
	{ "retry=spin", CAUGHT, LOOP, NULL },
	{ "retry=yield", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario f2_frozen_get = {
	.id = "F2-frozen-get",
	.name = "skipped-frozen-livelock",
	.title = "a lookup that skips a frozen folio makes its caller loop",
	.story = "As F2-frozen, but the folio is reclaimed, and the reader brings the page back. Who\n"
		 "skips is told that the page is not there and, adding it, that it is.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511\n"
		"  * freeze.held\n"
		"                                     look up 200: nothing; add: EEXIST (bug)\n"
		"a shadow entry takes its place\n"
		"                                     nothing; add: splits the shadow",
	.references = references,
	.windows = windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "reclaims the folio, held in between" },
		{ "reader", MAP_NONE, NULL, "reads page 200" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = frozen_get,
	.check = frozen_get_check,
	.expect = expect_get,
};

static void truncate(struct run *run)
{
	meet(run, CACHE_HOLD, DEED(CACHE_DROP, .page = 0, .nr = PMD_PAGES));
}

static const struct expectation expect_truncate[] = {
	{ "retry=skip", CAUGHT, "skipped-entry skipped",
	  "the folio outlives truncation: its data comes back when the file grows" },
	{ "retry=spin", CAUGHT, LOOP, NULL },
	{ "retry=yield", PASSED, NULL, NULL },
	{ "retry=recheck", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario f2_truncate = {
	.id = "F2-truncate",
	.name = "truncate-skips-frozen",
	.title = "truncation skips a folio that is frozen for a moment",
	.story = "Truncation walks the tree with the same lookups. What it skips stays: reclaim finds\n"
		 "the folio busy, thaws it, and it lives on beyond the end of the file.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511\n"
		"  * freeze.held\n"
		"                                     truncates: skips it (bug), ends\n"
		"thaws: it is still there",
	.references = references,
	.windows = windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "freezes, is held, thaws" },
		{ "reader", MAP_NONE, NULL, "truncates" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = truncate,
	.expect = expect_truncate,
};

/* As frozen(), but in the end the slot holds a page of its own. */
static void split(struct run *run)
{
	meet(run, CACHE_SPLIT, DEED(CACHE_LOOK, .page = ELSEWHERE));
}

const struct scenario f2_split = {
	.id = "F2-split",
	.name = "split-freezes",
	.title = "lookups spin under RCU while a split sleeps",
	.story = "A split freezes the large folio with the folio still in the tree, and then waits: in\n"
		 "2024 for the lruvec lock. Lookups spin meanwhile. Unlike a folio that is thawed,\n"
		 "this one is there no more when it is over: who waited must look at the slot anew,\n"
		 "where the page of that index is now.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511 to split it\n"
		"  * freeze.held\n"
		"                                     look up 200: count 0, again ... (bug)\n"
		"512 pages take its place\n"
		"                                     gets page 200",
	.references = references,
	.windows = windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "splits the folio, held in between" },
		{ "reader", MAP_NONE, NULL, "looks up page 200" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = split,
	.check = frozen_check,
	.expect = expect_frozen,
};

static void split_truncate(struct run *run)
{
	meet(run, CACHE_SPLIT, DEED(CACHE_DROP, .page = 0, .nr = PMD_PAGES));
}

/* Who waited has removed each page that came of it. */
static void split_truncate_check(struct run *run)
{
	if (run_held(run) && !variant_is(run, "retry=skip"))
		REQUIRE(run, !result_of(run, "reader").error);
}

const struct scenario f2_split_truncate = {
	.id = "F2-split-truncate",
	.name = "truncate-skips-split",
	.title = "truncation skips a folio that is being split",
	.story = "As F2-truncate: what truncation skips because a split has frozen it lives on, as\n"
		 "512 pages beyond the end of the file.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511 to split it\n"
		"  * freeze.held\n"
		"                                     truncates: skips it (bug), ends\n"
		"512 pages take its place",
	.references = references,
	.windows = windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "splits the folio, held in between" },
		{ "reader", MAP_NONE, NULL, "truncates" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = split_truncate,
	.check = split_truncate_check,
	.expect = expect_truncate,
};
