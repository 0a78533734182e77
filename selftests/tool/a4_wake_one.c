// SPDX-License-Identifier: GPL-2.0
/*
 * A4: a removal that wakes one, on a page's entry (v4.10 to v5.12; found in 2021)
 */
#include "steps.h"
#include "stories_a.h"

#define AT	1

static const char *const windows_syncs[] = {
	"writeback.after_lock", "invalidate.found_locked", "invalidate.before_wake",
	"writeback.found_locked", NULL
};

static const char *const windows_faults[] = {
	"fault.after_iomap_begin", "invalidate.found_locked", "grab.enqueued",
	"invalidate.before_wake", NULL
};

static const char references[] =
	"237388320def \"dax: Wake up all waiters after invalidating dax entry\", v5.13;\n"
	"the wake of one came with c6dcf52c23d2, v4.10; Goyal's first version, 2021";

/* A dirty page entry, locked by a sync that is held before it protects. */
static bool sync_is_held(struct run *run)
{
	return done(run, "syncer", DEED(STORE, .page = AT, .value = 1)) &&
	       held_at(run, "syncer", "writeback.after_lock", DEED(FSYNC));
}

/* A punch of whole PMDs has no edges to flush: its first wait is for the entry. */
static bool punch_waits(struct run *run)
{
	return start(run, "puncher", DEED(PUNCH, .page = 0, .nr = PMD_PAGES)) &&
	       asleep(run, "puncher");
}

static bool sync_waits(struct run *run, const char *role)
{
	return start(run, role, DEED(MSYNC, .page = AT, .nr = 1)) && asleep(run, role);
}

static void three(struct run *run)
{
	STEP(sync_is_held(run));
	STEP(punch_waits(run));
	STEP(sync_waits(run, "sync1"));
	STEP(sync_waits(run, "sync2"));
	STEP(release(run, "syncer"));
	STEP(still(run));
}

static void two(struct run *run)
{
	STEP(sync_is_held(run));
	STEP(punch_waits(run));
	STEP(sync_waits(run, "sync1"));
	STEP(release(run, "syncer"));
	STEP(still(run));
}

static void one_and_two_faults(struct run *run)
{
	STEP(held_at(run, "holder", "fault.after_iomap_begin", DEED(LOAD, .page = AT)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = 2)));
	STEP(asleep(run, "writer"));
	STEP(start(run, "fault1", DEED(LOAD, .page = AT)));
	STEP(asleep(run, "fault1"));
	STEP(start(run, "fault2", DEED(LOAD, .page = AT)));
	STEP(asleep(run, "fault2"));
	STEP(release(run, "holder"));
	STEP(still(run));
}

/* The entry went while they waited, and nobody but the syncer flushed it. */
static void syncs_found_nothing(struct run *run)
{
	CERTIFY(run, grown(run, "entries_invalidated") == 1);
	CERTIFY(run, grown(run, "entries_written") == 1);
}

static void entry_went(struct run *run)
{
	CERTIFY(run, grown(run, "entries_invalidated") >= 1);
	CERTIFY(run, grown(run, "waits") >= 3);
}

static const struct expectation expect_three[] = {
	{ "wake_removal=next", CAUGHT, "lost-wakeup entry-replaced", NULL },
	{ "v4.12", CAUGHT, "lost-wakeup entry-replaced", "a kernel that had it" },
	{ "goyal-v1", PASSED, NULL,
	  "put though the entry is gone: enough for page entries; see A4-pmd" },
	{ "both-keys", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "removal wakes all" },
	{}
};

const struct scenario a4_three = {
	.id = "A4",
	.name = "wake-one-after-invalidate",
	.title = "an entry is removed, one waiter is woken, finds nothing, and wakes nobody",
	.story = "An entry is locked and three tasks wait for it. The first is there to remove it:\n"
		 "it is woken, removes it, and wakes the next. The next finds nothing: there is no\n"
		 "entry to lock, so none to unlock, and nobody to wake the third, who sleeps for an\n"
		 "entry that does not exist. On virtiofs a \"make -j\" with a small DAX window hung.\n"
		 "\n"
		 "It needs two waiters in front that do not lock what they find. Upstream these were\n"
		 "three invalidations. Here two invalidations of one file exclude each other before\n"
		 "they come to the entry (i_rwsem), so the second and the third are syncs, which\n"
		 "wait for an entry of their work list and do not lock it if it is gone when they\n"
		 "wake. The removal is a punch, as only that takes dirty entries. It excludes\n"
		 "faults, so the holder is a sync as well, and the mix of two invalidations and a\n"
		 "fault does not exist here for page entries; a fault as the third would sleep as\n"
		 "the sync does, since nobody ever asks who the third is.",
	.interleaving =
		"syncer (fsync)            puncher                sync1 (msync)      sync2 (msync)\n"
		"locks entry 1\n"
		"  * writeback.after_lock\n"
		"                          sleeps on key 1\n"
		"                                                 sleeps on key 1\n"
		"                                                                    sleeps on key 1\n"
		"clean, unlocks, wakes one\n"
		"                          removes entry 1\n"
		"                          wakes one (bug)\n"
		"                                                 finds nothing\n"
		"                                                 wakes nobody (bug)\n"
		"                                                                    for ever",
	.references = references,
	.windows = windows_syncs,
	.role = {
		{ "syncer", MAP_PTES, NULL, "stores to page 1 and syncs it" },
		{ "puncher", MAP_NONE, NULL, "punches the first 2 MiB" },
		{ "sync1", MAP_PTES, NULL, "syncs page 1" },
		{ "sync2", MAP_PTES, NULL, "syncs page 1" },
	},
	.play = three,
	.check = syncs_found_nothing,
	.expect = expect_three,
};

static const struct expectation expect_two[] = {
	{ "wake_removal=next", PASSED, NULL, "too few waiters: the one wake has a taker" },
	{ "goyal-v1", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a4_two = {
	.id = "A4-two",
	.name = "wake-one-two-waiters",
	.title = "control: two waiters that do not lock, the bug of A4 does not show",
	.story = "As A4 without the third: the removal wakes the second, and nobody is left. A\n"
		 "test with two invalidating tasks cannot find this bug.",
	.interleaving =
		"syncer (fsync)            puncher                sync1 (msync)\n"
		"locks entry 1\n"
		"  * writeback.after_lock\n"
		"                          sleeps on key 1\n"
		"                                                 sleeps on key 1\n"
		"clean, unlocks, wakes one\n"
		"                          removes entry 1\n"
		"                          wakes one (bug)\n"
		"                                                 finds nothing",
	.references = references,
	.windows = windows_syncs,
	.role = {
		{ "syncer", MAP_PTES, NULL, "stores to page 1 and syncs it" },
		{ "puncher", MAP_NONE, NULL, "punches the first 2 MiB" },
		{ "sync1", MAP_PTES, NULL, "syncs page 1" },
	},
	.play = two,
	.check = syncs_found_nothing,
	.expect = expect_two,
};

static const struct expectation expect_faults[] = {
	{ "wake_removal=next", PASSED, NULL,
	  "the woken fault makes an entry of the same key, and its unlock wakes the next" },
	{ "goyal-v1", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a4_faults = {
	.id = "A4-faults",
	.name = "wake-one-faults-behind",
	.title = "control: one invalidation and two faults on a page entry never hang",
	.story = "As A4, with faults behind the removal: the first of them finds nothing, inserts\n"
		 "an entry of its own and locks it. It stands for the same page, so its key is the\n"
		 "one on which the third sleeps, and its unlock wakes it. The chain is whole again.\n"
		 "With a PMD entry it is not: A4-pmd.",
	.interleaving =
		"holder (fault)          writer                 fault1             fault2\n"
		"locks entry 1\n"
		"  * fault.after_iomap_begin\n"
		"                        sleeps on key 1\n"
		"                                               sleeps on key 1\n"
		"                                                                  sleeps on key 1\n"
		"unlocks, wakes one\n"
		"                        removes entry 1\n"
		"                        wakes one (bug)\n"
		"                                               inserts entry 1\n"
		"                                               unlocks, wakes one\n"
		"                                                                  locks, unlocks",
	.references = references,
	.windows = windows_faults,
	.role = {
		{ "holder", MAP_PTES, NULL, "loads page 1, a hole" },
		{ "writer", MAP_NONE, NULL, "writes page 1" },
		{ "fault1", MAP_PTES, NULL, "loads page 1" },
		{ "fault2", MAP_PTES, NULL, "loads page 1" },
	},
	.play = one_and_two_faults,
	.check = entry_went,
	.expect = expect_faults,
};
