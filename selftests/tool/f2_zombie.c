// SPDX-License-Identifier: GPL-2.0
/*
 * F2, for good: a slot holds a folio that nobody will thaw (2022)
 */
#include "steps_f.h"
#include "stories_f.h"

#define LOOP	"livelock permanent"
#define ZOMBIE	"zombie-folio stale-copy"
#define LEFT	"zombie-folio freezer-left"

static const char references[] =
	"\"mm: move xa forward when run across zombie page\" (October and November 2022);\n"
	"6758c1128ceb removed one source of such pages in 2024";

static const char *const split_windows[] = {
	"add.after_order_read", "add.after_split_alloc", "?lookup.try_get_failed", NULL
};

static void one_shadow(struct run *run)
{
	STEP(empty_cache(run, "other"));
	STEP(make_shadow(run, "other"));
}

/* F1 makes the zombie, the reader meets it. */
static void zombie(struct run *run)
{
	STEP(add_over_changes(run, "adder", "other"));
	STEP(start(run, "reader", DEED(CACHE_LOOK, .page = ELSEWHERE)));
	STEP(still(run));
}

/* What others are told when it is over: an error, and not that nothing is there. */
static void zombie_check(struct run *run)
{
	int error = result_of(run, "reader").error;

	CERTIFY(run, !variant_is(run, "split=stale") || error == EIO);
	CERTIFY(run, !variant_is(run, "sound") || error == ENOENT);
	if (run_held(run) && error == ENOENT && !variant_is(run, "sound") &&
	    !variant_is(run, "retry=spin"))
		caught(run, "hidden-zombie -",
		       "page %d has a zombie, the reader is told that nothing is there",
		       ELSEWHERE);
}

static const struct expectation expect_zombie[] = {
	{ "split=stale,retry=spin", CAUGHT, LOOP, "upstream, then and now" },
	{ "split=stale,retry=bounce", CAUGHT, LOOP,
	  "Wilcox: nobody holds the lock who could end it; hung after 650 runs in 2022" },
	{ "split=stale,retry=yield", CAUGHT, LOOP, "Chinner: it lets others run, and never ends" },
	{ "split=stale,retry=skip", CAUGHT, ZOMBIE,
	  "the RFC: it ends, told that nothing is there; the corruption is hidden (F2-get)" },
	{ "split=stale,retry=recheck", CAUGHT, ZOMBIE,
	  "it ends with EIO, since a freed folio has lost its mapping" },
	{ "split=stale", CAUGHT, ZOMBIE, "it ends with EIO: nobody there could thaw it" },
	{ "retry=spin", PASSED, NULL, "no zombie, no livelock: 6758c1128ceb alone" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario f2_zombie = {
	.id = "F2",
	.name = "zombie-folio-livelock",
	.title = "a lookup meets a folio whose count is 0, and tries again for ever",
	.story = "A lookup takes a reference without a lock: it loads the folio, raises its count\n"
		 "unless that is 0, and looks whether the slot has changed. A count of 0 means that\n"
		 "somebody is removing the folio and will be done soon, so it tries again, inside\n"
		 "rcu_read_lock(). If the slot holds a folio that was freed long ago (F1), soon is\n"
		 "never: a processor is lost, then RCU, then the machine. All retry rules of the\n"
		 "thread treat the symptom: what ends the lookup leaves the zombie where it is.",
	.interleaving =
		"adder, other                         reader\n"
		"F1: slots 0 to 511 but 100 say F,\n"
		"  and F is freed\n"
		"                                     look up 200: F, count 0\n"
		"                                       try again: F, count 0\n"
		"                                       try again: F, count 0 (bug)",
	.references = references,
	.windows = split_windows,
	.role = {
		{ "adder", MAP_NONE, NULL, "adds a page at 100" },
		{ "other", MAP_NONE, NULL, "adds a huge folio at 0, and reclaims it" },
		{ "reader", MAP_NONE, NULL, "looks up page 200" },
	},
	.pages = 1,
	.prepare = one_shadow,
	.play = zombie,
	.check = zombie_check,
	.expect = expect_zombie,
};

/* The freed folio is given to somebody else while the reader spins. */
static void reborn(struct run *run)
{
	STEP(add_over_changes(run, "adder", "other"));
	STEP(start(run, "reader", DEED(CACHE_LOOK, .page = ELSEWHERE)));
	STEP(still(run));
	STEP(done(run, "other", DEED(CACHE_REUSE, .page = ELSEWHERE)));
	STEP(still(run));
}

static const struct expectation expect_reborn[] = {
	{ "split=stale,retry=yield", CAUGHT, "foreign-folio foreign",
	  "it ends, with somebody else's folio: truncate waits for its lock, removal is a BUG" },
	{ "split=stale,retry=spin", CAUGHT, "foreign-folio foreign", NULL },
	{ "split=stale,retry=bounce", CAUGHT, "foreign-folio foreign", NULL },
	{ "split=stale,retry=recheck", CAUGHT, ZOMBIE, "it had ended with EIO" },
	{ "split=stale", CAUGHT, ZOMBIE, "it had ended with EIO" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario f2_reborn = {
	.id = "F2-reborn",
	.name = "zombie-folio-reborn",
	.title = "a lookup that waits for a freed folio gets it, as somebody else's",
	.story = "The pages of a freed folio do not stay free. When they are allocated again the count\n"
		 "is 1, and the lookup that has tried for so long gets its reference; the slot has\n"
		 "not changed either. What it returns is a page of another file. With cond_resched()\n"
		 "in the loop (2022) this is where it went: truncate hung for the lock of a strange\n"
		 "page, and __remove_mapping() met one that nobody had locked.",
	.interleaving =
		"adder, other                         reader\n"
		"F1: slots say F, F is freed\n"
		"                                     look up 200: F, count 0, again ...\n"
		"F is allocated: count 1\n"
		"                                     count 1, the slot says F: got it (bug)",
	.references = references,
	.windows = split_windows,
	.role = {
		{ "adder", MAP_NONE, NULL, "adds a page at 100" },
		{ "other", MAP_NONE, NULL, "adds a huge folio, reclaims it, gets its pages" },
		{ "reader", MAP_NONE, NULL, "looks up page 200" },
	},
	.pages = 1,
	.prepare = one_shadow,
	.play = reborn,
	.expect = expect_reborn,
};

static const char *const left_windows[] = { "freeze.held", "?lookup.try_get_failed", NULL };

static void one_folio(struct run *run)
{
	STEP(empty_cache(run, "freezer"));
	STEP(done(run, "freezer", DEED(CACHE_ADD, .page = 0, .nr = HUGE_ORDER)));
}

static void left_with(struct run *run, enum deed_kind kind)
{
	STEP(arm_rule(run, "freeze.held", "1*error(-5){role=freezer}"));
	STEP(done(run, "freezer", DEED(CACHE_HOLD, .page = 0)));
	STEP(start(run, "reader", DEED(kind, .page = ELSEWHERE)));
	STEP(still(run));
}

static void left(struct run *run)
{
	left_with(run, CACHE_LOOK);
}

static void left_get(struct run *run)
{
	left_with(run, CACHE_GET);
}

static const struct expectation expect_left[] = {
	{ "retry=spin", CAUGHT, LOOP, NULL },
	{ "retry=bounce", CAUGHT, LOOP, NULL },
	{ "retry=yield", CAUGHT, LOOP, NULL },
	{ "retry=recheck", CAUGHT, LOOP, "mapping and index are right: it looks alive" },
	{ "retry=skip", CAUGHT, LEFT, "it ends: nothing there" },
	{ "sound", CAUGHT, LEFT, "it ends with EIO: he who froze it is known to be gone" },
	{}
};

const struct scenario f2_left = {
	.id = "F2-left",
	.name = "freezer-left",
	.title = "a folio was frozen in place by somebody who is gone",
	.story = "Not every zombie comes from F1: here a folio is frozen, and who did so goes away\n"
		 "on an error path. Its mapping and index are right, only the count is not, so a\n"
		 "lookup that compares these learns nothing. Only who knows the freezers can tell.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511\n"
		"  * freeze.held: error, leaves\n"
		"                                     look up 200: count 0, again ... (bug)",
	.references = references,
	.windows = left_windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "freezes, and leaves" },
		{ "reader", MAP_NONE, NULL, "looks up page 200" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = left,
	.expect = expect_left,
};

static const struct expectation expect_left_get[] = {
	{ "retry=skip", CAUGHT, "livelock loop",
	  "nothing is there, so a page is added; something is there, so it is looked up ..." },
	{ "retry=yield", CAUGHT, LOOP, NULL },
	{ "sound", CAUGHT, LEFT, "it ends with EIO" },
	{}
};

const struct scenario f2_left_get = {
	.id = "F2-get",
	.name = "skipped-zombie-livelock",
	.title = "a lookup that skips the zombie moves the livelock into its caller",
	.story = "The RFC let lookups pass over a folio that they could not get. But who reads adds\n"
		 "the page that is not there, and is told that it is. Then he looks it up again.",
	.interleaving =
		"freezer                              reader\n"
		"freezes folio 0..511, leaves\n"
		"                                     look up 200: nothing (skipped)\n"
		"                                     add 200: EEXIST\n"
		"                                     look up 200: nothing (bug)",
	.references = references,
	.windows = left_windows,
	.role = {
		{ "freezer", MAP_NONE, NULL, "freezes, and leaves" },
		{ "reader", MAP_NONE, NULL, "reads page 200" },
	},
	.pages = 1,
	.prepare = one_folio,
	.play = left_get,
	.expect = expect_left_get,
};
