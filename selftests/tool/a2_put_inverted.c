// SPDX-License-Identifier: GPL-2.0
/*
 * A2: a put that wakes nobody (v5.3-rc1)
 */
#include "steps.h"
#include "stories_a.h"

#define AT	1

static const char *const windows[] = { "fault.after_grab", "invalidate.found_locked", NULL };
static const char *const windows_lockers[] = { "fault.after_grab", "grab.enqueued", NULL };

static const char references[] =
	"61c30c98ef17 \"dax: Fix missed wakeup in put_unlocked_entry()\", v5.3-rc3;\n"
	"fixes 23c84eb78375 as it was merged";

static void writer_goes_first(struct run *run)
{
	STEP(held_at(run, "holder", "fault.after_grab", DEED(STORE, .page = AT, .value = 1)));
	STEP(start(run, "second", DEED(WRITE, .page = AT, .nr = 1, .value = 2)));
	STEP(asleep(run, "second"));
	STEP(start(run, "third", DEED(LOAD, .page = AT)));
	STEP(asleep(run, "third"));
	STEP(release(run, "holder"));
	STEP(still(run));
}

static void fault_goes_first(struct run *run)
{
	STEP(held_at(run, "holder", "fault.after_grab", DEED(STORE, .page = AT, .value = 1)));
	STEP(start(run, "second", DEED(LOAD, .page = AT)));
	STEP(asleep(run, "second"));
	STEP(start(run, "third", DEED(LOAD, .page = AT)));
	STEP(asleep(run, "third"));
	STEP(release(run, "holder"));
	STEP(still(run));
}

/*
 * The dirty entry stood: the write looked at it and left it alone. It has taken
 * the mapping away, so the holder may have to fault and wait once more.
 */
static void entry_was_kept(struct run *run)
{
	CERTIFY(run, grown(run, "invalidations") == 1);
	CERTIFY(run, grown(run, "entries_invalidated") == 0);
	CERTIFY(run, grown(run, "waits") >= 2);
}

static void both_waited(struct run *run)
{
	CERTIFY(run, grown(run, "waits") == 2);
	CERTIFY(run, grown(run, "grabs_contended") == 2);
}

static const struct expectation expect[] = {
	{ "put=inverted", CAUGHT, "lost-wakeup consumed-without-hand-off",
	  "a review remark, fixed in one tree and lost in another" },
	{ "v5.3-rc1", CAUGHT, "lost-wakeup consumed-without-hand-off", "as released" },
	{ "baton=keep", CAUGHT, "lost-wakeup consumed-without-hand-off",
	  "the general form: whoever was woken and does not lock keeps the wake" },
	{ "v5.4", PASSED, NULL, "put again" },
	{ "v4.20", PASSED, NULL, "not yet broken" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a2_put_inverted = {
	.id = "A2",
	.name = "put-unlocked-inverted",
	.title = "a woken task that does not lock wakes nobody",
	.story = "A fault owns a page's entry; two tasks wait. The first is a write(2) that comes\n"
		 "to remove what faults have cached: it is woken, sees an entry that is dirty, so\n"
		 "made from the new block map, and leaves it. It never locks. The wake that it took\n"
		 "was the only one, and it must pass it on: that is what a put is for.\n"
		 "\n"
		 "As merged into v5.3-rc1 the put tested the wrong way round and woke for conflicts\n"
		 "only, for which nobody waits. A performance robot saw stalls.",
	.interleaving =
		"holder (fault)          second (write(2))               third (fault)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        sleeps on key 1\n"
		"                                                        sleeps on key 1\n"
		"makes it dirty\n"
		"unlocks, wakes one\n"
		"                        dirty: leaves it\n"
		"                        put: wakes nobody (bug)\n"
		"                                                        asleep, entry unlocked",
	.references = references,
	.windows = windows,
	.role = {
		{ "holder", MAP_PTES, NULL, "stores to page 1" },
		{ "second", MAP_NONE, NULL, "writes page 1" },
		{ "third", MAP_PTES, NULL, "loads page 1" },
	},
	.play = writer_goes_first,
	.check = entry_was_kept,
	.expect = expect,
};

static const struct expectation expect_lockers[] = {
	{ "put=inverted", PASSED, NULL, "who locks the entry wakes the next when it unlocks" },
	{ "baton=keep", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a2_lockers = {
	.id = "A2-lockers",
	.name = "put-not-needed",
	.title = "control: waiters that lock never put, the bug of A2 does not show",
	.story = "As A2, with a fault in place of the write: each woken task locks the entry and\n"
		 "passes the wake on when it unlocks. Any number of faults runs through.",
	.interleaving =
		"holder (fault)          second (fault)                  third (fault)\n"
		"locks entry 1\n"
		"  * fault.after_grab\n"
		"                        sleeps on key 1\n"
		"                                                        sleeps on key 1\n"
		"unlocks, wakes one\n"
		"                        locks, unlocks, wakes one\n"
		"                                                        locks, unlocks",
	.references = references,
	.windows = windows_lockers,
	.role = {
		{ "holder", MAP_PTES, NULL, "stores to page 1" },
		{ "second", MAP_PTES, NULL, "loads page 1" },
		{ "third", MAP_PTES, NULL, "loads page 1" },
	},
	.play = fault_goes_first,
	.check = both_waited,
	.expect = expect_lockers,
};
