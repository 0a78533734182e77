// SPDX-License-Identifier: GPL-2.0
/*
 * F1: nodes for the split of a shadow entry are made for what was there before
 * (2021 to 2024)
 */
#include "steps_f.h"
#include "stories_f.h"

static const char references[] =
	"6b24ca4a1a8d (v5.17), fixed by 6758c1128ceb \"mm/filemap: optimize filemap folio\n"
	"adding\" (v6.10, 6.6.y, 6.1.y); the 2024 thread on lost data with large folios";

static void one_shadow(struct run *run)
{
	STEP(empty_cache(run, "other"));
	STEP(make_shadow(run, "other"));
}

static void stale_copy(struct run *run)
{
	STEP(add_over_changes(run, "adder", "other"));
	REQUIRE(run, !run_held(run) || !result_of(run, "adder").error);
}

static const char *const split_windows[] = {
	"add.after_order_read", "add.after_split_alloc", NULL
};

static const struct expectation expect_stale[] = {
	{ "split=stale", CAUGHT, "zombie-folio stale-copy",
	  "v5.17..v6.9: 511 of 512 slots hold what was freed" },
	{ "split=reset", CAUGHT, "zombie-folio stale-copy",
	  "the first idea; Axboe's test still failed: the nodes are full already" },
	{ "split=alloc_only", PASSED, NULL, "Wilcox: the copies are made under the lock" },
	{ "sound", PASSED, NULL, "the entry is another: what was prepared is thrown away" },
	{}
};

const struct scenario f1_stale_copy = {
	.id = "F1",
	.name = "xarray-split-stale-copy",
	.title = "a split fills 511 slots with a folio that was freed meanwhile",
	.story = "Where a large folio was reclaimed, one shadow entry of order 9 remains. A page that\n"
		 "comes into that range splits it, which takes 8 nodes; these cannot be allocated\n"
		 "under the lock, so they are made before and filled with copies of the entry. If\n"
		 "that was not the shadow, but a folio which came for a moment, then the check\n"
		 "under the lock sees a shadow again, is content, and wires nodes that are full of\n"
		 "pointers to a freed folio. Files read foreign data, or lookups hang (F2).",
	.interleaving =
		"adder - page 100                     other\n"
		"order of the shadow S1 is 9\n"
		"  * add.after_order_read\n"
		"                                     S1 is replaced by folio F, order 9\n"
		"8 nodes, full of copies of F\n"
		"  * add.after_split_alloc\n"
		"                                     F is reclaimed: shadow S2; F is freed\n"
		"lock: a shadow, fine\n"
		"split: 511 slots say F (bug)",
	.references = references,
	.windows = split_windows,
	.role = {
		{ "adder", MAP_NONE, NULL, "adds a page at 100" },
		{ "other", MAP_NONE, NULL, "adds a huge folio at 0, and reclaims it" },
	},
	.pages = 1,
	.prepare = one_shadow,
	.play = stale_copy,
	.expect = expect_stale,
};

/* Nothing is there when the order is read; under the lock there is a shadow. */
static void nothing(struct run *run)
{
	STEP(empty_cache(run, "other"));
}

static void order_grew(struct run *run)
{
	STEP(held_at(run, "adder", "add.before_lock", DEED(CACHE_ADD, .page = AT)));
	STEP(make_shadow(run, "other"));
	STEP(release(run, "adder"));
	STEP(ended(run, "adder"));
}

static const char *const lock_windows[] = { "add.before_lock", NULL };

static const struct expectation expect_grew[] = {
	{ "split=stale", CAUGHT, "broken-split unprepared",
	  "xas_split() takes the first of 8 nodes that are not there" },
	{ "split=reset", CAUGHT, "broken-split unprepared", NULL },
	{ "split=alloc_only", CAUGHT, "broken-split unprepared",
	  "there is nothing to fill: only a look at the order under the lock helps" },
	{ "sound", PASSED, NULL, "the order is read under the lock, then nodes are made" },
	{}
};

const struct scenario f1_order_grew = {
	.id = "F1-grew",
	.name = "xarray-split-unprepared",
	.title = "the entry grew before the lock: a split without nodes",
	.story = "As F1, but when the order is read nothing is there, so nothing is prepared. Before\n"
		 "the lock is taken a large folio comes and goes, and leaves a shadow of order 9.\n"
		 "It is split with nodes that do not exist: a NULL dereference, which is noted here\n"
		 "and not done.",
	.interleaving =
		"adder - page 100                     other\n"
		"nothing there: order 0\n"
		"  * add.before_lock\n"
		"                                     folio F of order 9, reclaimed: shadow S\n"
		"lock: a shadow of order 9\n"
		"split: no node (bug)",
	.references = references,
	.windows = lock_windows,
	.role = {
		{ "adder", MAP_NONE, NULL, "adds a page at 100" },
		{ "other", MAP_NONE, NULL, "adds a huge folio at 0, and reclaims it" },
	},
	.pages = 1,
	.prepare = nothing,
	.play = order_grew,
	.expect = expect_grew,
};

static void order_gone(struct run *run)
{
	STEP(held_at(run, "adder", "add.after_split_alloc", DEED(CACHE_ADD, .page = AT)));
	STEP(done(run, "other", DEED(CACHE_DROP, .page = 0, .nr = PMD_PAGES)));
	STEP(release(run, "adder"));
	STEP(ended(run, "adder"));
}

static const char *const alloc_windows[] = { "add.after_split_alloc", NULL };

static const struct expectation expect_gone[] = {
	{ "split=stale", CAUGHT, "broken-split wrong-nodes",
	  "a full node becomes the node of one page, 7 are lost" },
	{ "split=reset", CAUGHT, "broken-split wrong-nodes", NULL },
	{ "split=alloc_only", CAUGHT, "broken-split wrong-nodes", "7 nodes are lost" },
	{ "sound", PASSED, NULL, "nothing is there: what was prepared is thrown away" },
	{}
};

const struct scenario f1_order_gone = {
	.id = "F1-gone",
	.name = "xarray-split-wrong-nodes",
	.title = "the entry is gone before the lock: full nodes are taken for empty ones",
	.story = "As F1, but the shadow is truncated after 8 nodes were made for its split. There is\n"
		 "nothing to split; the store needs one node, and the state has one: it is full of\n"
		 "copies of the old entry, and counts one. The other seven are forgotten.",
	.interleaving =
		"adder - page 100                     other\n"
		"order of the shadow S1 is 9\n"
		"8 nodes, full of copies of S1\n"
		"  * add.after_split_alloc\n"
		"                                     truncate: S1 is removed\n"
		"lock: nothing there\n"
		"store: takes a full node (bug)",
	.references = references,
	.windows = alloc_windows,
	.role = {
		{ "adder", MAP_NONE, NULL, "adds a page at 100" },
		{ "other", MAP_NONE, NULL, "truncates" },
	},
	.pages = 1,
	.prepare = one_shadow,
	.play = order_gone,
	.expect = expect_gone,
};
