// SPDX-License-Identifier: GPL-2.0
/*
 * A10: one key for many locks: the price of the naive cure of A1
 */
#include "steps.h"
#include "stories_a.h"

static const char *const windows[] = { "fault.after_grab", "grab.enqueued", NULL };

static const char references[] =
	"the always-mask experiment of July 2019 (see A1); races.md A10";

static bool two_holders_two_waiters(struct run *run)
{
	return held_at(run, "H1", "fault.after_grab", DEED(LOAD, .page = 1)) &&
	       held_at(run, "H2", "fault.after_grab", DEED(LOAD, .page = 2)) &&
	       start(run, "W1", DEED(LOAD, .page = 1)) && asleep(run, "W1") &&
	       start(run, "W2", DEED(LOAD, .page = 2)) && asleep(run, "W2");
}

/* H1 does not move: what becomes of W2, whose page is free? */
static void one_holder_stays(struct run *run)
{
	STEP(two_holders_two_waiters(run));
	STEP(release(run, "H2"));
	STEP(still(run));
	STEP(judged(run));
	CERTIFY(run, is_asleep(run, "W1") && is_idle(run, "W2"));
	STEP(release(run, "H1"));
	STEP(still(run));
}

static void both_holders_go(struct run *run)
{
	STEP(two_holders_two_waiters(run));
	STEP(release(run, "H2"));
	STEP(still(run));
	STEP(release(run, "H1"));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "W1") && is_idle(run, "W2"));
}

static void all_loaded(struct run *run)
{
	static const char *const role[] = { "H1", "H2", "W1", "W2" };
	int i;

	for (i = 0; i < 4; i++)
		REQUIRE(run, is_idle(run, role[i]) && !result_of(run, role[i]).error);
}

static const struct expectation expect[] = {
	{ "naive-mask", CAUGHT, "lost-wakeup misdirected-wake", "survived weeks of testing" },
	{ "wait_key=masked", CAUGHT, "lost-wakeup misdirected-wake", NULL },
	{ "naive-mask-all", PASSED, NULL, "wake all: everybody looks again" },
	{ "wait_key=masked_all", PASSED, NULL, NULL },
	{ "v4.20", PASSED, NULL, "page faults have the key of their page" },
	{ "kara-any-order", PASSED, NULL, NULL },
	{ "bucket=one", PASSED, NULL, "one queue is not one key" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a10_misdirected = {
	.id = "A10",
	.name = "naive-mask-misdirected-wake",
	.title = "all pages of 2 MiB share a key: the wake goes to who waits for another page",
	.story = "The first cure tried for A1 was to mask every index: sleeper and waker agree then,\n"
		 "whatever the size of the entry. But now 512 locks have one key. H2 unlocks page 2\n"
		 "and wakes one: the first in the queue waits for page 1. It looks, page 1 is still\n"
		 "locked, it sleeps again, at the tail. The wake is spent. Page 2 is free, and its\n"
		 "waiter sleeps.\n"
		 "\n"
		 "If H1 unlocks some day, W2 is woken, by accident (A10-healed): so it survives\n"
		 "tests. If H1 cannot go on before W2 does, both are stuck.",
	.interleaving =
		"H1 (page 1)           H2 (page 2)           W1 (page 1)         W2 (page 2)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                      locks entry 2\n"
		"                        * fault.after_grab\n"
		"                                            sleeps on key 0\n"
		"                                                                sleeps on key 0\n"
		"                      unlocks, wakes one\n"
		"                                            entry 1 is locked\n"
		"                                            sleeps on key 0\n"
		"                                                                asleep,\n"
		"                                                                entry 2 unlocked",
	.references = references,
	.windows = windows,
	.role = {
		{ "H1", MAP_PTES, NULL, "loads page 1, and is held to the end" },
		{ "H2", MAP_PTES, NULL, "loads page 2" },
		{ "W1", MAP_PTES, NULL, "waits for page 1" },
		{ "W2", MAP_PTES, NULL, "waits for page 2" },
	},
	.play = one_holder_stays,
	.check = all_loaded,
	.expect = expect,
};

static const struct expectation expect_healed[] = {
	{ "naive-mask", CAUGHT, "lost-wakeup misdirected-wake",
	  "every unlock wakes one of the queue: it heals itself, but it was seen" },
	{ "naive-mask-all", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a10_healed = {
	.id = "A10-healed",
	.name = "naive-mask-healed",
	.title = "the same, healed: every holder unlocks in the end, and all tasks end",
	.story = "As A10, but H1 goes on as well, and its unlock wakes the first of the queue, who\n"
		 "is W2 by then. Tests that wait for the end of all tasks see a pause at most. The\n"
		 "oracles look at each step: for a time W2 slept for an entry that was free, and\n"
		 "nobody was on his way to wake it.",
	.interleaving =
		"H1 (page 1)           H2 (page 2)           W1 (page 1)         W2 (page 2)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                      locks entry 2\n"
		"                        * fault.after_grab\n"
		"                                            sleeps on key 0\n"
		"                                                                sleeps on key 0\n"
		"                      unlocks, wakes one\n"
		"                                            sleeps again\n"
		"unlocks, wakes one\n"
		"                                                                locks, unlocks\n"
		"                                            locks, unlocks",
	.references = references,
	.windows = windows,
	.role = {
		{ "H1", MAP_PTES, NULL, "loads page 1" },
		{ "H2", MAP_PTES, NULL, "loads page 2" },
		{ "W1", MAP_PTES, NULL, "waits for page 1" },
		{ "W2", MAP_PTES, NULL, "waits for page 2" },
	},
	.play = both_holders_go,
	.check = all_loaded,
	.expect = expect_healed,
};
