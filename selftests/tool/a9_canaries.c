// SPDX-License-Identifier: GPL-2.0
/*
 * A9: canaries: each breaks one rule of the queue, and the oracles must sing
 */
#include "steps.h"
#include "stories_a.h"

#define AT	1

static const char references[] = "never shipped; invariants of races.md, section 3";

static bool waits(struct run *run, const char *role, unsigned long page)
{
	return start(run, role, DEED(LOAD, .page = page)) && asleep(run, role);
}

static bool holds(struct run *run, const char *role, unsigned long page)
{
	return held_at(run, role, "fault.after_grab", DEED(LOAD, .page = page));
}

/* (a) Rule 2: enqueue before xa_lock is dropped. Without the canary, no gap. */
static void enqueue_in_the_gap(struct run *run)
{
	STEP(holds(run, "T1", AT));
	STEP(arm(run, "T2", "grab.gap"));
	STEP(start(run, "T2", DEED(LOAD, .page = AT)));
	STEP(still(run));
	STEP(release(run, "T1"));
	STEP(ended(run, "T1"));
	STEP(release(run, "T2"));
	STEP(still(run));
}

static const char *const windows_enqueue[] = { "fault.after_grab", "?grab.gap", NULL };

static const struct expectation expect_enqueue[] = {
	{ "canary=late_enqueue", CAUGHT, "lost-wakeup enqueued-too-late", NULL },
	{ "sound", PASSED, NULL, "there is no gap" },
	{}
};

const struct scenario a9_late_enqueue = {
	.id = "A9a",
	.name = "canary-late-enqueue",
	.title = "a waiter enqueues after it has dropped xa_lock",
	.story = "T2 sees the entry locked and drops xa_lock before it is on the queue. In the gap T1\n"
		 "unlocks, finds an empty queue, and wakes nobody. Then T2 goes to sleep.",
	.interleaving =
		"T1                      T2\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        entry 1 is locked; drops xa_lock\n"
		"                          * grab.gap\n"
		"unlocks, nobody waits\n"
		"                        on the queue; asleep for ever",
	.references = references,
	.windows = windows_enqueue,
	.role = {
		{ "T1", MAP_PTES, NULL, "loads page 1" },
		{ "T2", MAP_PTES, NULL, "loads page 1" },
	},
	.play = enqueue_in_the_gap,
	.expect = expect_enqueue,
};

/* (b) Rule 3: first the store, then the wake. */
static void wake_before_store(struct run *run)
{
	STEP(holds(run, "T1", AT));
	STEP(waits(run, "T2", AT));
	STEP(arm(run, "T1", "unlock.gap"));
	STEP(release(run, "T1"));
	/* The canary: T1 in the gap, T2 has looked too early and sleeps again. */
	STEP(still(run));
	STEP(release(run, "T1"));
	STEP(still(run));
}

static const char *const windows_wake[] = { "fault.after_grab", "?unlock.gap", NULL };

static const struct expectation expect_wake[] = {
	{ "canary=early_wake", CAUGHT, "lost-wakeup wake-before-store", NULL },
	{ "sound", PASSED, NULL, "there is no gap" },
	{}
};

const struct scenario a9_early_wake = {
	.id = "A9b",
	.name = "canary-early-wake",
	.title = "an unlock wakes before it stores",
	.story = "T1 wakes T2 and has not yet stored the unlocked value. T2 looks, sees the lock bit,\n"
		 "and sleeps again. Then the value comes.",
	.interleaving =
		"T1                      T2\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        sleeps on key 1\n"
		"wakes one\n"
		"  * unlock.gap\n"
		"                        still locked: sleeps on key 1\n"
		"stores the unlocked value\n"
		"                        asleep for ever",
	.references = references,
	.windows = windows_wake,
	.role = {
		{ "T1", MAP_PTES, NULL, "loads page 1" },
		{ "T2", MAP_PTES, NULL, "loads page 1" },
	},
	.play = wake_before_store,
	.expect = expect_wake,
};

/* (c) Rule 5: the wake function compares keys. H1 stays, as in A10. */
static void strangers_in_a_queue(struct run *run)
{
	STEP(holds(run, "H1", 1));
	STEP(holds(run, "H2", 2));
	STEP(waits(run, "W1", 1));
	STEP(waits(run, "W2", 2));
	STEP(release(run, "H2"));
	STEP(still(run));
	STEP(judged(run));
	CERTIFY(run, is_asleep(run, "W1") && is_idle(run, "W2"));
	STEP(release(run, "H1"));
	STEP(still(run));
}

static const char *const windows_stranger[] = { "fault.after_grab", "grab.enqueued", NULL };

static const struct expectation expect_stranger[] = {
	{ "canary=stranger,bucket=one", CAUGHT, "lost-wakeup burnt-on-a-stranger", NULL },
	{ "canary=stranger", PASSED, NULL, "two keys of one PMD range never share a queue" },
	{ "bucket=one", PASSED, NULL, "they share it, and are told apart" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a9_stranger = {
	.id = "A9c",
	.name = "canary-stranger",
	.title = "the wake function takes a waiter of another key",
	.story = "The hash picks the queue only: waiters of other keys, even of other files, sleep in\n"
		 "it. A wake of one that is spent on one of them is lost for who should have had it.\n"
		 "W1 waits for page 1, which stays locked; the unlock of page 2 finds W1 first.\n"
		 "bucket=one forces the collision.",
	.interleaving =
		"H1 (page 1)           H2 (page 2)           W1 (page 1)         W2 (page 2)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                      locks entry 2\n"
		"                        * fault.after_grab\n"
		"                                            sleeps on key 1\n"
		"                                                                sleeps on key 2\n"
		"                      unlocks, wakes key 2\n"
		"                        takes W1 for its own\n"
		"                                            entry 1 is locked\n"
		"                                                                asleep for ever",
	.references = references,
	.windows = windows_stranger,
	.role = {
		{ "H1", MAP_PTES, NULL, "loads page 1, and is held to the end" },
		{ "H2", MAP_PTES, NULL, "loads page 2" },
		{ "W1", MAP_PTES, NULL, "waits for page 1" },
		{ "W2", MAP_PTES, NULL, "waits for page 2" },
	},
	.play = strangers_in_a_queue,
	.expect = expect_stranger,
};

/* (d) Rule 12: who may leave without lock or put must not take the one wake. */
static void die_in_the_queue(struct run *run)
{
	STEP(holds(run, "T1", AT));
	STEP(waits(run, "T2", AT));
	STEP(waits(run, "T3", AT));
	STEP(kill_role(run, "T2"));
	STEP(release(run, "T1"));
	STEP(still(run));
}

static const char *const windows_leave[] = { "fault.after_grab", "grab.enqueued", NULL };

static const struct expectation expect_leave[] = {
	{ "canary=leave", CAUGHT, "lost-wakeup consumed-without-hand-off", NULL },
	{ "sound", PASSED, NULL, "the killed task locks, unlocks, wakes, and dies then" },
	{}
};

const struct scenario a9_leave = {
	.id = "A9d",
	.name = "canary-leave",
	.title = "a woken waiter that was killed leaves without a put",
	.story = "T2 is killed while it sleeps for the entry. The wake of one goes to it; it sees the\n"
		 "fatal signal, and leaves. T3 waits behind. This is why nobody in the queue can be\n"
		 "interrupted, and why dax_lock_page(), which may have to leave, waits\n"
		 "non-exclusively (25bbe21bf427, d8a706414af4).",
	.interleaving =
		"T1                      T2                      T3\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        sleeps on key 1\n"
		"                                                sleeps on key 1\n"
		"                        SIGKILL\n"
		"unlocks, wakes one\n"
		"                        leaves\n"
		"                                                asleep for ever",
	.references = references,
	.windows = windows_leave,
	.role = {
		{ "T1", MAP_PTES, NULL, "loads page 1" },
		{ "T2", MAP_PTES, NULL, "loads page 1, and is killed" },
		{ "T3", MAP_PTES, NULL, "loads page 1" },
	},
	.play = die_in_the_queue,
	.expect = expect_leave,
};

/* (e) Rules 4 and 7: the key of a wake is that of the entry that was there. */
static void wake_the_new_key(struct run *run)
{
	STEP(holds(run, "P0", 3));
	STEP(waits(run, "C3", 5));
	STEP(waits(run, "P1", 7));
	STEP(arm(run, "C3", "grab.after_wake"));
	STEP(release(run, "P0"));
	STEP(parked(run, "C3", "grab.after_wake"));
	STEP(ended(run, "P0"));
	STEP(release(run, "C3"));
	STEP(still(run));
}

static const char *const windows_key[] = {
	"fault.after_grab", "grab.after_wake", "grab.downgrade_removed", NULL
};

static const struct expectation expect_key[] = {
	{ "canary=new_key", CAUGHT, "lost-wakeup wake-on-the-new-key", NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a9_new_key = {
	.id = "A9e",
	.name = "canary-new-key",
	.title = "a removal wakes the key of what comes after the entry",
	.story = "C3 takes the PMD entry of a hole apart to insert the entry of page 5. It wakes all,\n"
		 "but on the key of page 5. P1 sleeps on that of the PMD entry.",
	.interleaving =
		"P0 (PMD fault)       C3 (page 5)             P1 (PMD fault)\n"
		"locks the PMD entry\n"
		"  * fault.after_grab\n"
		"                     sleeps on key 0\n"
		"                                             sleeps on key 0\n"
		"unlocks, wakes one\n"
		"                       * grab.after_wake, until P0 is home\n"
		"                     removes the PMD entry\n"
		"                     wakes all on key 5 (canary)\n"
		"                     inserts entry 5\n"
		"                                             asleep for ever",
	.references = references,
	.windows = windows_key,
	.role = {
		{ "P0", MAP_PMDS, NULL, "loads page 3 of a hole" },
		{ "C3", MAP_PTES, NULL, "loads page 5" },
		{ "P1", MAP_PMDS, NULL, "loads page 7" },
	},
	.play = wake_the_new_key,
	.expect = expect_key,
};
