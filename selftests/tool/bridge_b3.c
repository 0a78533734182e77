// SPDX-License-Identifier: GPL-2.0
/*
 * B3, B3b on stock kernels: syncs that return before what they promise is flushed
 *
 * The verdict is from flushes only: the page was dirty when the sync was called,
 * the store to it complete, the sync returned 0, and no flush of the page completed
 * before that (module/bridge_sync.c). A kernel that is right lets the sync wait for
 * whoever is parked, so he is released then; how long that took decides nothing.
 */
#include "bridge.h"
#include "steps.h"

#include <errno.h>
#include <stdio.h>

#define AT		5
#define ELSEWHERE	9
#define HELD		"fault.before_insert_entry"
#define FOUND		"writeback.found_locked"
#define TAGGED		"writeback.after_tag"
#define FLUSHING	"writeback.after_wrprotect"
/* Together less than a park may last. */
#define LOOK_MS		1000
#define LOOKS		15

static bool store(struct run *run)
{
	return done(run, "storer", DEED(STORE, .page = AT, .value = 0xb3));
}

/*
 * Until the sync has returned, or sleeps for an entry. Where this kernel does not tell
 * who sleeps there: until it stands still for some time, which decides nothing.
 */
static bool comes_to_rest(struct run *run, const char *syncer)
{
	int looks, err = -ETIME, found = 0;

	for (looks = 0; err == -ETIME && looks < LOOKS && found < 3; looks++) {
		err = control_say(run->session, "wait all still %u", LOOK_MS);
		run->report_fresh = false;
		found += crossed(run, syncer, FOUND) > 0;
	}
	if (err && err != -ETIME)
		inconclusive(run, "session: wait %s: %s", syncer, strerror(-err));
	if (!err && is_idle(run, syncer))
		bridge_evidence(run);
	return !run->why[0] && !interrupted;
}

/* "frame ROLE index 0x5 order 0 pfn 0x1234 flushed" */
static bool frame_of(struct run *run, const char *syncer, unsigned long page, bool *flushed)
{
	const char *line = run_report(run)->text ?: "";
	unsigned long index, pfn;
	unsigned int order;
	char name[32], state[16];

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		if (sscanf(line, "frame %31s index %lx order %u pfn %lx %15s", name, &index,
			   &order, &pfn, state) != 5 || strcmp(name, syncer) ||
		    index != (page & ~((1UL << order) - 1)))
			continue;
		*flushed = !strcmp(state, "flushed");
		return true;
	}
	return false;
}

static void judge(struct run *run, const char *syncer)
{
	struct result result = result_of(run, syncer);
	bool flushed;

	if (!result.ended || result.error) {
		inconclusive(run, "%s did not return 0", syncer);
		return;
	}
	if (!frame_of(run, syncer, AT, &flushed)) {
		inconclusive(run, "page %d was not dirty when %s was called", AT, syncer);
		return;
	}
	if (!flushed)
		caught(run, "unflushed store",
		       "%s returned 0, and no flush of page %d was completed since it was called",
		       syncer, AT);
}

/* A read fault of another process is parked with the page's entry locked. */
static void sync_meets_fault(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "holder", HELD, DEED(LOAD, .page = AT)));
	STEP(start(run, "syncer", DEED(FSYNC)));
	STEP(comes_to_rest(run, "syncer"));
	STEP(release(run, "holder"));
	STEP(still(run));
	judge(run, "syncer");
}

static void sync_misses_fault(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "holder", HELD, DEED(LOAD, .page = ELSEWHERE)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	STEP(release(run, "holder"));
	STEP(still(run));
	judge(run, "syncer");
}

static void sync_alone(struct run *run)
{
	STEP(store(run));
	STEP(done(run, "syncer", DEED(FSYNC)));
	judge(run, "syncer");
}

static const char *const windows[] = { HELD, FOUND, NULL };
static const char *const windows_elsewhere[] = { HELD, TAGGED, FLUSHING, NULL };
static const char *const windows_alone[] = { TAGGED, FLUSHING, NULL };

/* While the bug is in; bridge_play.c knows when that is. */
static const struct expectation skips_locked[] = {
	{ "stock", CAUGHT, "unflushed store", NULL },
	{ "reset", PASSED, NULL, "the sync finds the entry, and waits" },
	{ "reset_wait", PASSED, NULL, NULL },
	{}
};

static const struct expectation loses_list[] = {
	{ "stock", CAUGHT, "unflushed store", NULL },
	{ "reset", CAUGHT, "unflushed store", "it does not find the entry at all" },
	{ "reset_wait", PASSED, NULL, "it waits for who has the entry" },
	{}
};

static const struct expectation control[] = { { "stock", PASSED, NULL, NULL }, {} };

#define FAULT_ROLES							\
	.role = {							\
		{ "storer", MAP_PTES, NULL, "stores to a page" },	\
		{ "holder", MAP_PTES, NULL, "read fault: has an entry locked" }, \
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },		\
	},								\
	.pages = 16

static const struct scenario b3 = {
	.id = "B3",
	.name = "writeback-skips-locked",
	.title = "fsync(2) returns although a dirty entry is locked and not flushed",
	.windows = windows,
	FAULT_ROLES,
	.play = sync_meets_fault,
	.expect = skips_locked,
};

static const struct scenario b3_elsewhere = {
	.id = "B3-elsewhere",
	.name = "writeback-locked-elsewhere",
	.title = "control: the locked entry is another page's",
	.windows = windows_elsewhere,
	FAULT_ROLES,
	.play = sync_misses_fault,
	.expect = control,
};

static const struct scenario b3_alone = {
	.id = "B3-alone",
	.name = "writeback-alone",
	.title = "control: nobody is parked",
	.windows = windows_alone,
	FAULT_ROLES,
	.play = sync_alone,
	.expect = control,
};

const struct scenario *const bridge_b3[] = { &b3, &b3_elsewhere, &b3_alone, NULL };

/* One sync has tagged; the other locks the entry, takes the tag away, and flushes later. */
static void sync_meets_sync(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "tagger", TAGGED, DEED(FSYNC)));
	STEP(held_at(run, "locker", FLUSHING, DEED(FSYNC)));
	STEP(release(run, "tagger"));
	STEP(comes_to_rest(run, "tagger"));
	STEP(release(run, "locker"));
	STEP(still(run));
	judge(run, "tagger");
}

/* Each syncs a page of its own. */
static void sync_misses_sync(struct run *run)
{
	STEP(store(run));
	STEP(done(run, "storer", DEED(STORE, .page = ELSEWHERE, .value = 0xb3)));
	STEP(held_at(run, "tagger", TAGGED, DEED(MSYNC, .page = AT)));
	STEP(held_at(run, "locker", FLUSHING, DEED(MSYNC, .page = ELSEWHERE)));
	STEP(release(run, "tagger"));
	STEP(ended(run, "tagger"));
	STEP(release(run, "locker"));
	STEP(still(run));
	judge(run, "tagger");
}

/* The other sync comes when the first has returned. */
static void sync_after_sync(struct run *run)
{
	STEP(store(run));
	STEP(held_at(run, "tagger", TAGGED, DEED(FSYNC)));
	STEP(release(run, "tagger"));
	STEP(ended(run, "tagger"));
	STEP(done(run, "locker", DEED(FSYNC)));
	judge(run, "tagger");
}

#define SYNC_ROLES							\
	.role = {							\
		{ "storer", MAP_PTES, NULL, "stores to a page" },	\
		{ "tagger", MAP_PTES, NULL, "a sync that has tagged the entry" }, \
		{ "locker", MAP_PTES, NULL, "a sync that has locked it" }, \
	},								\
	.pages = 16

static const struct scenario b3b = {
	.id = "B3b",
	.name = "towrite-cleared-early",
	.title = "fsync(2) returns because another sync has taken its work list",
	.windows = windows_alone,
	SYNC_ROLES,
	.play = sync_meets_sync,
	.expect = loses_list,
};

static const struct scenario b3b_elsewhere = {
	.id = "B3b-elsewhere",
	.name = "towrite-elsewhere",
	.title = "control: the other sync is of another page",
	.windows = windows_alone,
	SYNC_ROLES,
	.play = sync_misses_sync,
	.expect = control,
};

static const struct scenario b3b_alone = {
	.id = "B3b-alone",
	.name = "towrite-alone",
	.title = "control: the other sync comes later",
	.windows = windows_alone,
	SYNC_ROLES,
	.play = sync_after_sync,
	.expect = control,
};

const struct scenario *const bridge_b3b[] = { &b3b, &b3b_elsewhere, &b3b_alone, NULL };
