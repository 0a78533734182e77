// SPDX-License-Identifier: GPL-2.0
/*
 * A1: sleeper and waker on different keys (v4.20 to v5.2; found in 2019)
 */
#include "steps.h"
#include "stories_a.h"

#define PTE_PAGE	1	/* T1's, of colour 1 */
#define PMD_PAGE	3	/* T2's, of the same 2 MiB */

static const char *const windows[] = { "fault.after_grab", "?grab.enqueued", NULL };

static const char references[] =
	"23c84eb78375 \"dax: Fix missed wakeup with PMD faults\", v5.3-rc1;\n"
	"fixes b15cd800682f \"dax: Convert page fault handlers to XArray\", v4.20;\n"
	"thread \"filesystem-dax: Disable PMD support\", June and July 2019";

static const char story[] =
	"A page fault owns the entry of page 1. A PMD fault wants all 512 pages, finds that\n"
	"entry, locked, and waits for it. But it asked for index 0, and since v4.20 that is\n"
	"what it sleeps on: the look-up returns the entry and leaves the index of the search\n"
	"where it was. The unlock of page 1 wakes key 1. Nobody sleeps there. The entry is\n"
	"free, and the sleeper never hears of it.\n"
	"\n"
	"It sleeps in a page fault, so it holds mmap_lock: the next mmap(2) of its process\n"
	"queues behind it for ever, and behind that whoever looks into /proc: ps, top.\n"
	"\n"
	"Two things look like cures and are none. That both keys fall into one wait queue does\n"
	"not help, as the wake function compares keys (bucket=one forces it; the hash alone\n"
	"never does it within 2 MiB). That page 0 is the one that is locked hides the bug,\n"
	"since both keys are 0 then: A1-colour0.";

static const char listing[] =
	"T1 (PTE fault, page 1)    T2 (PMD fault, pages 0..511)      T3 (same process as T2)\n"
	"locks entry 1\n"
	"  * fault.after_grab\n"
	"                          mmap_lock shared\n"
	"                          finds entry 1, locked\n"
	"                          v4.20: sleeps on key 0\n"
	"                          any_order: sleeps on key 1\n"
	"                          merged: conflict, does page 3\n"
	"                                                            mmap: wants mmap_lock\n"
	"unlocks, wakes key 1\n"
	"                          v4.20: asleep for ever            queued for ever";

/* What the proposals of 2019 differ in: does a PMD fault wait for a page? */
static bool waits_for_page(const struct run *run)
{
	static const char *const waiting[] = {
		"v4.20", "naive-mask", "naive-mask-all", "kara-any-order",
		"order_rule=wait_own", "order_rule=any_order", NULL
	};
	int i;

	for (i = 0; waiting[i]; i++)
		if (variant_has(run, waiting[i]))
			return true;
	return false;
}

static bool t2_is_where_it_must_be(struct run *run)
{
	if (waits_for_page(run))
		return is_asleep(run, "T2");
	return is_idle(run, "T2") && grown(run, "waits") == 0;
}

static void meet_at(struct run *run, unsigned long page)
{
	STEP(held_at(run, "T1", "fault.after_grab", DEED(STORE, .page = page, .value = 1)));
	STEP(start(run, "T2", DEED(STORE, .page = PMD_PAGE, .value = 2)));
	STEP(still(run));
	CERTIFY(run, t2_is_where_it_must_be(run));
	STEP(start(run, "T3", DEED(MMAP)));
	STEP(still(run));
	STEP(release(run, "T1"));
	STEP(still(run));
}

static void meet(struct run *run)
{
	meet_at(run, PTE_PAGE);
}

static void meet_at_colour_0(struct run *run)
{
	meet_at(run, 0);
}

/* Somebody comes by and unlocks page 0: a wake on the key that T2 sleeps on. */
static void meet_and_heal(struct run *run)
{
	meet_at(run, PTE_PAGE);
	STEP(start(run, "T4", DEED(LOAD, .page = 0)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "T2") && is_idle(run, "T3") && is_idle(run, "T4"));
}

/* In the end the PMD fault met a page entry, so T2 has its page by a PTE. */
static void fell_back(struct run *run)
{
	CERTIFY(run, grown(run, "fault_fallback_conflict") >= 1);
	CERTIFY(run, grown(run, "fault_pmd_mapped") == 0);
	REQUIRE(run, result_of(run, "T1").error == 0);
	REQUIRE(run, result_of(run, "T2").error == 0);
	REQUIRE(run, result_of(run, "T3").error == 0);
}

static const struct expectation expect[] = {
	{ "v4.20", CAUGHT, "lost-wakeup key-mismatch", "the kernel that hung" },
	{ "wait_key=searcher,order_rule=wait_own", CAUGHT, "lost-wakeup key-mismatch",
	  "the two choices of v4.20 that make the bug" },
	{ "wait_key=searcher,order_rule=any_order", CAUGHT, "lost-wakeup key-mismatch",
	  "Kara's order without Kara's key" },
	{ "v4.20,bucket=one", CAUGHT, "lost-wakeup key-mismatch",
	  "both keys in one queue: the wake function tells them apart" },
	{ "naive-mask", PASSED, NULL,
	  "Williams: always mask the index. Survived testing; see A10" },
	{ "naive-mask-all", PASSED, NULL, "likewise, and wake all: a herd" },
	{ "order_rule=wait_own", PASSED, NULL,
	  "the right key cures this, not who waits behind: A1-behind" },
	{ "kara-any-order", PASSED, NULL,
	  "Kara: wait for entries of any order, on their own key" },
	{ "wilcox-return-locked", PASSED, NULL,
	  "Wilcox, 4 July 2019: return the locked entry, put knows" },
	{ "order_rule=conflict", PASSED, NULL, "as merged: never wait for a smaller entry" },
	{ "bucket=one", PASSED, NULL, "one queue for all keys" },
	{ "sound", PASSED, NULL, "nobody sleeps at all" },
	{}
};

const struct scenario a1_missed_wakeup = {
	.id = "A1",
	.name = "missed-wakeup-pmd-key",
	.title = "a PMD fault sleeps on its own index, the page's owner wakes another",
	.story = story,
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "T1", MAP_PTES, NULL, "stores to page 1 by a PTE fault" },
		{ "T2", MAP_PMDS, NULL, "stores to page 3 by a PMD fault" },
		{ "T3", MAP_NONE, "T2", "maps something, in T2's process" },
	},
	.play = meet,
	.check = fell_back,
	.expect = expect,
};

static const struct expectation expect_colour0[] = {
	{ "v4.20", PASSED, NULL, "the bug is there and cannot be seen" },
	{ "naive-mask", PASSED, NULL, NULL },
	{ "naive-mask-all", PASSED, NULL, NULL },
	{ "order_rule=wait_own", PASSED, NULL, NULL },
	{ "kara-any-order", PASSED, NULL, NULL },
	{ "wilcox-return-locked", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a1_colour0 = {
	.id = "A1-colour0",
	.name = "missed-wakeup-colour-0",
	.title = "control: at colour 0 both keys are the same, no variant of A1 shows",
	.story = "As A1, but T1 owns page 0. The index that the PMD fault asked for and the\n"
		 "index of the entry are the same, so even v4.20 wakes it. Reproducers whose\n"
		 "faults begin at a 2 MiB boundary never saw the bug.",
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "T1", MAP_PTES, NULL, "stores to page 0 by a PTE fault" },
		{ "T2", MAP_PMDS, NULL, "stores to page 3 by a PMD fault" },
		{ "T3", MAP_NONE, "T2", "maps something, in T2's process" },
	},
	.play = meet_at_colour_0,
	.check = fell_back,
	.expect = expect_colour0,
};

static const struct expectation expect_healed[] = {
	{ "v4.20", CAUGHT, "lost-wakeup key-mismatch", "lost, seen, and found by accident" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a1_healed = {
	.id = "A1-healed",
	.name = "missed-wakeup-healed",
	.title = "the same, healed: a fault on page 0 wakes the sleeper by accident",
	.story = "As A1, and then a fourth task faults on page 0. Its unlock wakes key 0, on\n"
		 "which T2 sleeps. All tasks end. On a busy file the hang of A1 is a stall that goes\n"
		 "away: so it was rare, and a test that waits for its tasks cannot see it. The\n"
		 "oracles can: they look at each step, and a waiter was lost at one of them.",
	.interleaving =
		"T1 (page 1)       T2 (pages 0..511)        T3 (process of T2)   T4 (page 0)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                  v4.20: sleeps on key 0\n"
		"                                           mmap: queued\n"
		"unlocks, wakes 1\n"
		"                                                                locks entry 0\n"
		"                                                                unlocks, wakes 0\n"
		"                  awake, conflict\n"
		"                                           goes on",
	.references = references,
	.windows = windows,
	.role = {
		{ "T1", MAP_PTES, NULL, "stores to page 1 by a PTE fault" },
		{ "T2", MAP_PMDS, NULL, "stores to page 3 by a PMD fault" },
		{ "T3", MAP_NONE, "T2", "maps something, in T2's process" },
		{ "T4", MAP_PTES, NULL, "loads page 0" },
	},
	.play = meet_and_heal,
	.check = fell_back,
	.expect = expect_healed,
};
