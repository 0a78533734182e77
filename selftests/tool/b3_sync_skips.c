// SPDX-License-Identifier: GPL-2.0
/*
 * B3, B3b: syncs that return before what they promise is flushed (open in v7.3)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define LOCKED	"writeback.after_lock"

static const char references[] =
	"races.md B3 and B3b: forced on stock 6.1 and 7.3 with ext4 and xfs, and B3 seen\n"
	"unforced; dax_writeback_one() since 0e40de0338d0 (v4.20), and since v4.10";

static bool store(struct run *run)
{
	return done(run, "storer", DEED(STORE, .page = AT, .value = 0xb3));
}

/*
 * A sync has returned. The store was complete when it was called, and nobody
 * else has flushed: the promise holds only if a flush was completed since.
 */
static void judge(struct run *run, const char *syncer)
{
	if (is_idle(run, syncer) && !result_of(run, syncer).error && !grown(run, "flushes"))
		caught(run, "unflushed store",
		       "%s returned 0, and page %d was not flushed since it was stored to",
		       syncer, AT);
}

/* A read fault of another process has the dirty entry locked. */
static void sync_meets_fault(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "holder", "fault.after_grab", DEED(LOAD, .page = AT)));
	STEP(start(run, "syncer", DEED(FSYNC)));
	STEP(still(run));
	CERTIFY(run, crossed(run, "syncer", "writeback.found_locked"));
	CERTIFY(run, is_idle(run, "syncer") ==
		!(variant_is(run, "sound") || variant_is(run, "towrite=at_lock")));
	judge(run, "syncer");
	STEP(release(run, "holder"));
	STEP(still(run));
}

static const char *const windows[] = {
	"fault.after_grab", "writeback.found_locked", NULL
};

static const struct expectation expect[] = {
	{ "sync_scan=positioned", CAUGHT, "unflushed store", "open in v7.3" },
	{ "upstream-7.3", CAUGHT, "unflushed store", NULL },
	{ "towrite=at_lock", PASSED, NULL, "a cure of this alone; B3b is still caught" },
	{ "sound", PASSED, NULL, "the sync sleeps until the fault is done" },
	{}
};

const struct scenario b3_writeback_skips_locked = {
	.id = "B3",
	.name = "writeback-skips-locked",
	.title = "fsync(2) returns although a dirty entry is locked and not flushed",
	.story = "The trap of B1 in writeback: an entry of the work list is locked, by a fault or by\n"
		 "another sync. The sync asks for a conflict from where it stands, is told that there\n"
		 "is none, and goes on. It returns 0: what was stored before it was called is not on\n"
		 "the media.",
	.interleaving =
		"storer         holder                    syncer\n"
		"store: dirty\n"
		"               load: locks the entry\n"
		"                 * fault.after_grab\n"
		"                                         fsync: tags the entry\n"
		"                                           writeback.found_locked\n"
		"                                           passes it (bug), returns 0",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_PTES, NULL, "read fault on it: has the entry locked" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = sync_meets_fault,
	.expect = expect,
};

/* The fault holds another page: the sync has nothing to wait for. */
static void sync_misses_fault(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "holder", "fault.after_grab", DEED(LOAD, .page = AT + 4)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	judge(run, "syncer");
	REQUIRE(run, grown(run, "flushes") == 1);
	STEP(release(run, "holder"));
	STEP(still(run));
}

static const struct expectation expect_elsewhere[] = {
	{ "sync_scan=positioned", PASSED, NULL, "what it promises is not locked" },
	{ "towrite=at_lock", PASSED, NULL, "there is one sync only" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

static const char *const windows_elsewhere[] = {
	"fault.after_grab", "writeback.after_lock", NULL
};

const struct scenario b3_elsewhere = {
	.id = "B3-elsewhere",
	.name = "writeback-locked-elsewhere",
	.title = "control: the locked entry is another page's",
	.story = "As B3, but the fault is on a page that was not stored to.",
	.interleaving =
		"storer         holder                    syncer\n"
		"store page 5\n"
		"               load page 9: locked\n"
		"                 * fault.after_grab\n"
		"                                         fsync: flushes page 5",
	.references = references,
	.windows = windows_elsewhere,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_PTES, NULL, "read fault on another page" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = sync_misses_fault,
	.expect = expect_elsewhere,
};

/* One sync has tagged; the other locks the entry and takes the tag away. */
static void sync_meets_sync(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "tagger", "writeback.after_tag", DEED(FSYNC)));
	STEP(held_at(run, "locker", LOCKED, DEED(FSYNC)));
	STEP(release(run, "tagger"));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "tagger") == !variant_is(run, "sound"));
	judge(run, "tagger");
	STEP(release(run, "locker"));
	STEP(still(run));
}

static const char *const windows_b[] = {
	"writeback.after_tag", "writeback.after_lock", NULL
};

static const struct expectation expect_b[] = {
	{ "towrite=at_lock", CAUGHT, "unflushed store", "open in v7.3; B3's cure does not help" },
	{ "sync_scan=positioned", CAUGHT, "unflushed store", "finds the tag, and passes the lock" },
	{ "upstream-7.3", CAUGHT, "unflushed store", NULL },
	{ "sound", PASSED, NULL, "the tag stays until the flush, so the sync finds it and waits" },
	{}
};

const struct scenario b3b_towrite_cleared_early = {
	.id = "B3b",
	.name = "towrite-cleared-early",
	.title = "fsync(2) returns because another sync has taken its work list",
	.story = "TOWRITE is a sync's work list. Upstream clears it when the entry is locked, before\n"
		 "the flush, and argues that another sync will find the entry locked and wait. But\n"
		 "that one looks for TOWRITE: it does not find the entry at all, and returns before\n"
		 "the first has flushed.",
	.interleaving =
		"storer         locker                    tagger\n"
		"store: dirty\n"
		"                                         fsync: DIRTY -> TOWRITE\n"
		"                                           * writeback.after_tag\n"
		"               fsync: locks the entry\n"
		"                 clears TOWRITE (bug)\n"
		"                 * writeback.after_lock\n"
		"                                           no TOWRITE: returns 0\n"
		"                 flushes",
	.references = references,
	.windows = windows_b,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "tagger", MAP_NONE, NULL, "fsync(2): has tagged the entry" },
		{ "locker", MAP_NONE, NULL, "fsync(2): has locked it" },
	},
	.play = sync_meets_sync,
	.expect = expect_b,
};
