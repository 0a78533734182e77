// SPDX-License-Identifier: GPL-2.0
/*
 * A1-behind: who waits for an entry that it will not lock must pass the wake on
 */
#include "steps.h"
#include "stories_a.h"

static const char *const windows[] = { "fault.after_grab", "grab.enqueued", NULL };

static void queue_behind_pmd_fault(struct run *run)
{
	STEP(held_at(run, "T1", "fault.after_grab", DEED(STORE, .page = 1, .value = 1)));
	STEP(start(run, "T2", DEED(STORE, .page = 3, .value = 2)));
	STEP(still(run));
	STEP(start(run, "T4", DEED(LOAD, .page = 1)));
	STEP(asleep(run, "T4"));
	STEP(release(run, "T1"));
	STEP(still(run));
}

static const struct expectation expect[] = {
	{ "order_rule=wait_own", CAUGHT, "lost-wakeup consumed-without-hand-off",
	  "the right key, but v4.20's put: on the index of the search" },
	{ "v4.20", CAUGHT, "lost-wakeup key-mismatch",
	  "T2, as in A1; T4 is woken, for T2 took no wake of its key" },
	{ "kara-any-order", PASSED, NULL, "the caller puts: one simple rule" },
	{ "naive-mask", PASSED, NULL,
	  "its put goes to the masked key, on which T4 sleeps too" },
	{ "naive-mask-all", PASSED, NULL, NULL },
	{ "wilcox-return-locked", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "only T4 sleeps" },
	{}
};

const struct scenario a1_behind = {
	.id = "A1-behind",
	.name = "missed-wakeup-behind-pmd-fault",
	.title = "a PMD fault waits for a page that it will not lock, somebody waits behind",
	.story = "Suppose the PMD fault of A1 sleeps on the right key. It is woken, sees that the\n"
		 "entry is smaller than it needs, and goes to do its page by a PTE. The unlock\n"
		 "woke one: it took the wake and has no use for it. If it does not wake the next,\n"
		 "who wants that very page, nobody will: the entry is free. v4.20 did, but on the\n"
		 "key of its own index.",
	.interleaving =
		"T1 (page 1)             T2 (PMD fault)                  T4 (page 1)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        wait_own: sleeps on key 1\n"
		"                                                        sleeps on key 1\n"
		"unlocks, wakes one: T2\n"
		"                        wait_own: wakes key 0\n"
		"                        any_order: wakes key 1\n"
		"                        conflict: does page 3\n"
		"                                                        wait_own: for ever",
	.references = "Kara's review, July 2019; 23c84eb78375",
	.windows = windows,
	.role = {
		{ "T1", MAP_PTES, NULL, "stores to page 1" },
		{ "T2", MAP_PMDS, NULL, "stores to page 3 by a PMD fault" },
		{ "T4", MAP_PTES, NULL, "loads page 1" },
	},
	.play = queue_behind_pmd_fault,
	.expect = expect,
};
