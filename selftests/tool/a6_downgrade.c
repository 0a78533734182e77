// SPDX-License-Identifier: GPL-2.0
/*
 * A6: a downgrade that wakes one (never shipped)
 */
#include "steps.h"
#include "stories_a.h"

/* No two the same, none of colour 0: every page has a key of its own. */
#define P0_PAGE	3
#define C3_PAGE	5
#define P1_PAGE	7
#define P2_PAGE	9
#define F1_PAGE	11

static const char *const windows[] = {
	"fault.after_grab", "grab.enqueued", "grab.after_wake", "grab.downgrade_locked",
	"grab.downgrade_removed", NULL
};

static const char references[] =
	"ac401cc78242 \"dax: New fault locking\", v4.7, and ever since: wake all;\n"
	"why it may not be one: model of the queue, races.md A6";

static bool waits_behind(struct run *run, const char *role, unsigned long page)
{
	return start(run, role, DEED(LOAD, .page = page)) && asleep(run, role);
}

/* C3 is woken, but does not look before P0 is home with its huge page. */
static bool downgrade_alone(struct run *run)
{
	return arm(run, "C3", "grab.after_wake") && release(run, "P0") &&
	       parked(run, "C3", "grab.after_wake") && ended(run, "P0") &&
	       release(run, "C3") && still(run);
}

static void pmd_waiters(struct run *run)
{
	STEP(held_at(run, "P0", "fault.after_grab", DEED(LOAD, .page = P0_PAGE)));
	STEP(waits_behind(run, "C3", C3_PAGE));
	STEP(waits_behind(run, "P1", P1_PAGE));
	STEP(waits_behind(run, "P2", P2_PAGE));
	STEP(downgrade_alone(run));
}

static void mixed_waiters(struct run *run)
{
	STEP(held_at(run, "P0", "fault.after_grab", DEED(LOAD, .page = P0_PAGE)));
	STEP(waits_behind(run, "C3", C3_PAGE));
	STEP(waits_behind(run, "P1", P1_PAGE));
	STEP(waits_behind(run, "F1", F1_PAGE));
	STEP(waits_behind(run, "P2", P2_PAGE));
	STEP(downgrade_alone(run));
}

/* One downgrade, and the huge faults that waited were sent to PTEs. */
static void all_fell_back(struct run *run)
{
	CERTIFY(run, grown(run, "downgrades") == 1);
	CERTIFY(run, grown(run, "fault_pmd_hole") == 1);
	CERTIFY(run, grown(run, "fault_fallback_conflict") == 2);
}

static const struct expectation expect_pmd[] = {
	{ "wake_downgrade=next", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "wake_downgrade=pass_on", PASSED, NULL,
	  "who meets the conflict wakes the next: enough here; see A6-mixed" },
	/* Every kernel woke all; but v4.20 may lose P1 and P2 after that, by A1. */
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a6_pmd = {
	.id = "A6",
	.name = "downgrade-wake-next",
	.title = "a PMD entry makes room for a page, one PMD fault is woken and sees a conflict",
	.story = "A hole of 2 MiB has a PMD entry. A page fault takes it apart: it locks it, unmaps,\n"
		 "removes it, and inserts an entry for its page. The tasks that wait are PMD faults.\n"
		 "If only one is woken, it finds a smaller entry, a conflict, and goes to do its page\n"
		 "by a PTE. For a conflict nobody puts: there is no entry that it could have had. The\n"
		 "other PMD fault sleeps on, for an entry that is gone.\n"
		 "\n"
		 "Upstream always woke all here, and this is why.",
	.interleaving =
		"P0 (PMD fault)       C3 (page 5)             P1 (PMD fault)      P2 (PMD fault)\n"
		"locks the PMD entry\n"
		"  * fault.after_grab\n"
		"                     sleeps on key 0\n"
		"                                             sleeps on key 0\n"
		"                                                                 sleeps on key 0\n"
		"unlocks, wakes one\n"
		"                       * grab.after_wake, until P0 is home\n"
		"                     locks, unmaps, removes\n"
		"                     wakes one (bug)\n"
		"                     inserts entry 5\n"
		"                                             conflict: page 7\n"
		"                                             wakes nobody\n"
		"                                                                 asleep for ever",
	.references = references,
	.windows = windows,
	.role = {
		{ "P0", MAP_PMDS, NULL, "loads page 3 of a hole" },
		{ "C3", MAP_PTES, NULL, "loads page 5" },
		{ "P1", MAP_PMDS, NULL, "loads page 7" },
		{ "P2", MAP_PMDS, NULL, "loads page 9" },
	},
	.play = pmd_waiters,
	.check = all_fell_back,
	.expect = expect_pmd,
};

static const struct expectation expect_mixed[] = {
	{ "wake_downgrade=pass_on", CAUGHT, "lost-wakeup entry-replaced",
	  "the page fault that takes the wake has no conflict, but another key" },
	{ "wake_downgrade=next", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "sound", PASSED, NULL, "wake all: nobody has to hand anything on" },
	{}
};

const struct scenario a6_mixed = {
	.id = "A6-mixed",
	.name = "downgrade-wake-next-mixed",
	.title = "likewise with a page fault among the waiters: passing on at conflicts fails",
	.story = "The cure that suggests itself for A6: who meets a conflict wakes the next. P1 does,\n"
		 "and the next is F1, a page fault. It sees no conflict: nothing lies at its page. It\n"
		 "inserts an entry and locks it, and when it unlocks it wakes the key of page 11. It\n"
		 "came on key 0, and P2 is still there. A wake can be handed on only on the key it\n"
		 "came on; if the lock changes its identity, all must be woken.",
	.interleaving =
		"P0 (PMD)    C3 (page 5)       P1 (PMD)            F1 (page 11)       P2 (PMD)\n"
		"locks PMD\n"
		"  * fault.after_grab\n"
		"            sleeps on key 0\n"
		"                              sleeps on key 0\n"
		"                                                  sleeps on key 0\n"
		"                                                                     sleeps on key 0\n"
		"unlocks\n"
		"            removes the PMD\n"
		"            wakes one: P1\n"
		"                              conflict\n"
		"                              wakes one: F1\n"
		"                                                  inserts entry 11\n"
		"                                                  unlocks, wakes 11\n"
		"                                                                     for ever",
	.references = references,
	.windows = windows,
	.role = {
		{ "P0", MAP_PMDS, NULL, "loads page 3 of a hole" },
		{ "C3", MAP_PTES, NULL, "loads page 5" },
		{ "P1", MAP_PMDS, NULL, "loads page 7" },
		{ "F1", MAP_PTES, NULL, "loads page 11" },
		{ "P2", MAP_PMDS, NULL, "loads page 9" },
	},
	.play = mixed_waiters,
	.check = all_fell_back,
	.expect = expect_mixed,
};
