// SPDX-License-Identifier: GPL-2.0
/*
 * A4 on a PMD entry: what comes after the removal has another key
 */
#include "steps.h"
#include "stories_a.h"

static const char *const windows_faults[] = {
	"fault.after_iomap_begin", "invalidate.found_locked", "grab.enqueued",
	"scan.after_wake", "invalidate.before_wake", NULL
};

static const char *const windows_syncs[] = {
	"writeback.after_lock", "invalidate.found_locked", "writeback.found_locked",
	"invalidate.before_wake", NULL
};

static const char references[] =
	"237388320def \"dax: Wake up all waiters after invalidating dax entry\", v5.13;\n"
	"review of Goyal's first version, 2021: NULL hides whether the key must be aligned";

/*
 * The holder has seen the hole, so its PMD fault ends with huge zeroes though
 * write(2) has a block by then, and never looks for another entry. It must be
 * home before the write takes the mapping away.
 */
static void write_and_two_faults(struct run *run)
{
	STEP(held_at(run, "holder", "fault.after_iomap_begin", DEED(LOAD, .page = 3)));
	STEP(start(run, "writer", DEED(WRITE, .page = 1, .nr = 1, .value = 2)));
	STEP(asleep(run, "writer"));
	STEP(start(run, "fault1", DEED(LOAD, .page = 5)));
	STEP(asleep(run, "fault1"));
	STEP(start(run, "fault2", DEED(LOAD, .page = 6)));
	STEP(asleep(run, "fault2"));
	STEP(arm(run, "writer", "scan.after_wake"));
	STEP(release(run, "holder"));
	STEP(parked(run, "writer", "scan.after_wake"));
	STEP(ended(run, "holder"));
	STEP(release(run, "writer"));
	STEP(still(run));
}

static void punch_and_two_syncs(struct run *run)
{
	STEP(done(run, "syncer", DEED(STORE, .page = 3, .value = 1)));
	CERTIFY(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(held_at(run, "syncer", "writeback.after_lock", DEED(FSYNC)));
	STEP(start(run, "puncher", DEED(PUNCH, .page = 0, .nr = PMD_PAGES)));
	STEP(asleep(run, "puncher"));
	STEP(start(run, "sync1", DEED(MSYNC, .page = 5, .nr = 1)));
	STEP(asleep(run, "sync1"));
	STEP(start(run, "sync2", DEED(MSYNC, .page = 6, .nr = 1)));
	STEP(asleep(run, "sync2"));
	STEP(release(run, "syncer"));
	STEP(still(run));
}

static void pmd_went(struct run *run)
{
	CERTIFY(run, grown(run, "entries_invalidated") == 1);
	CERTIFY(run, grown(run, "waits") >= 3);
}

static void no_downgrade(struct run *run)
{
	pmd_went(run);
	CERTIFY(run, grown(run, "fault_pmd_hole") == 1);
	CERTIFY(run, grown(run, "downgrades") == 0);
}

static const struct expectation expect_faults[] = {
	{ "wake_removal=next", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "v4.12", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "v5.4", CAUGHT, "lost-wakeup entry-replaced", "as it was for years" },
	{ "goyal-v1", CAUGHT, "lost-wakeup entry-replaced",
	  "put though the entry is gone: a fault never puts, it inserts" },
	{ "both-keys", CAUGHT, "lost-wakeup entry-replaced",
	  "likewise: waking both keys that it may have had helps if who is woken puts" },
	{ "v5.13", PASSED, NULL, "as merged" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a4_pmd = {
	.id = "A4-pmd",
	.name = "wake-one-after-invalidate-pmd",
	.title = "a PMD entry is removed: one invalidation and two page faults are enough",
	.story = "The entry is a PMD entry. write(2) to page 1 comes to remove it; page faults on\n"
		 "pages 5 and 6 wait for it too, all on its key, which is 0. The removal wakes one:\n"
		 "the fault on page 5 finds nothing and inserts the entry of page 5. Its unlock\n"
		 "wakes key 5. The fault on page 6 sleeps on key 0, the key of an entry that is gone\n"
		 "and whose size nobody can tell any more.",
	.interleaving =
		"holder (PMD fault)      writer (page 1)       fault1 (page 5)    fault2 (page 6)\n"
		"locks the PMD entry, sees a hole\n"
		"  * fault.after_iomap_begin\n"
		"                        sleeps on key 0\n"
		"                                              sleeps on key 0\n"
		"                                                                 sleeps on key 0\n"
		"unlocks, wakes one\n"
		"                          * scan.after_wake, until the holder is home\n"
		"                        removes the PMD entry\n"
		"                        wakes one (bug)\n"
		"                                              inserts entry 5\n"
		"                                              unlocks, wakes key 5\n"
		"                                                                 for ever",
	.references = references,
	.windows = windows_faults,
	.role = {
		{ "holder", MAP_PMDS, NULL, "loads page 3 of a hole of 2 MiB" },
		{ "writer", MAP_NONE, NULL, "writes page 1" },
		{ "fault1", MAP_PTES, NULL, "loads page 5" },
		{ "fault2", MAP_PTES, NULL, "loads page 6" },
	},
	.play = write_and_two_faults,
	.check = no_downgrade,
	.expect = expect_faults,
};

static const struct expectation expect_syncs[] = {
	{ "wake_removal=next", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "v4.12", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "goyal-v1", CAUGHT, "lost-wakeup entry-replaced",
	  "sync1 found the entry at page 5: it wakes key 5, not key 0" },
	{ "both-keys", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a4_pmd_syncs = {
	.id = "A4-pmd-syncs",
	.name = "wake-one-after-invalidate-pmd-syncs",
	.title = "as A4 on a PMD entry: waking the next on one's own index is not enough",
	.story = "The waiters of A4, but the entry is a PMD entry and the syncs are of pages in the\n"
		 "middle of it. Who finds nothing does not know what was there. Goyal's first version\n"
		 "wakes the next on the index where the entry was found, here that of a page, while\n"
		 "the third sleeps on the key of the PMD entry. The next proposal was to wake both\n"
		 "keys that the entry may have had, \"a little ugly\"; then the removal woke all.\n"
		 "\n"
		 "(Found at page 64 or above, a look-up by mark goes back to the head of the PMD\n"
		 "entry, and version 1 would do.)",
	.interleaving =
		"syncer (fsync)          puncher               sync1 (page 5)     sync2 (page 6)\n"
		"locks the PMD entry\n"
		"  * writeback.after_lock\n"
		"                        sleeps on key 0\n"
		"                                              sleeps on key 0\n"
		"                                                                 sleeps on key 0\n"
		"clean, unlocks, wakes one\n"
		"                        removes it\n"
		"                        wakes one (bug)\n"
		"                                              finds nothing\n"
		"                                              goyal-v1: wakes key 5\n"
		"                                                                 for ever",
	.references = references,
	.windows = windows_syncs,
	.role = {
		{ "syncer", MAP_PMDS, NULL, "stores to page 3, syncs" },
		{ "puncher", MAP_NONE, NULL, "punches the 2 MiB" },
		{ "sync1", MAP_PTES, NULL, "syncs page 5" },
		{ "sync2", MAP_PTES, NULL, "syncs page 6" },
	},
	.play = punch_and_two_syncs,
	.check = pmd_went,
	.expect = expect_syncs,
};
