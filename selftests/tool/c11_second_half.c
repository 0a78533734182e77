// SPDX-License-Identifier: GPL-2.0
/*
 * C11: the second half of a MAP_SYNC fault (v4.15 on)
 */
#include "steps.h"
#include "stories.h"

#define AT	5

static bool halved(const struct run *run)
{
	return !variant_is(run, "sound");
}

/* Between the halves somebody takes the block away, if he can. */
static void between(struct run *run)
{
	if (halved(run))
		STEP(arm(run, "storer", "mkwrite.after_fault_unlock"));
	STEP(start(run, "storer", DEED(STORE, .page = AT, .value = 0xc11)));
	if (halved(run))
		STEP(parked(run, "storer", "mkwrite.after_fault_unlock"));
	else
		STEP(ended(run, "storer"));
	STEP(start(run, "puncher", DEED(PUNCH, .page = AT)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "puncher") == !variant_is(run, "sync_fault=kind"));
	STEP(release(run, "storer"));
	STEP(still(run));
}

static void both_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "storer").error && !result_of(run, "puncher").error);
}

static const char *const windows[] = {
	"?mkwrite.after_fault_unlock", "?mkwrite.after_fsync", "truncate.before_free", NULL
};

static const struct expectation expect[] = {
	{ "sync_fault=unchecked", CAUGHT, "stale-mapping stale-frame", "never shipped" },
	{ "sync_fault=dropped", PASSED, NULL,
	  "the kind of the entry tells, as long as it is gone" },
	{ "sync_fault=frame", PASSED, NULL, "the frame tells in any case" },
	{ "sync_fault=kind", PASSED, NULL, "upstream: the punch waits for both halves" },
	{ "sound", PASSED, NULL, "there is no second half" },
	{}
};

const struct scenario c11_second_half = {
	.id = "C11",
	.name = "sync-fault-second-half",
	.title = "a MAP_SYNC fault maps the frame of a block that was punched meanwhile",
	.story = "A store through a MAP_SYNC mapping must find its block durable. So the fault makes\n"
		 "the entry, unlocks it, calls fsync, locks it again and maps what it knew before.\n"
		 "What keeps the block meanwhile is invalidate_lock, held over both halves, and that\n"
		 "the entry is looked at again: its kind, not its frame. Who drops the lock relies on\n"
		 "the look, and who does neither maps a block that is free.",
	.interleaving =
		"storer                              puncher\n"
		"store: entry of block B, unlocked\n"
		"  * mkwrite.after_fault_unlock\n"
		"                                    punch: removes the entry, frees B\n"
		"locks the entry, maps B (bug)",
	.references =
		"71eab6dfd91e, caa51d26f85c \"dax: Implement dax_finish_sync_fault()\", v4.15;\n"
		"2f89dc12a25d, v4.10; races.md C11",
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "puncher", MAP_NONE, NULL, "punches it" },
	},
	.play = between,
	.check = both_ended,
	.expect = expect,
};

/* Between the halves the page gets another block, and an entry that has it. */
static void changed(struct run *run)
{
	bool halves = variant_has(run, "sync_fault=dropped") ||
		      variant_has(run, "sync_fault=frame") ||
		      variant_has(run, "sync_fault=kind");

	if (halves)
		STEP(held_at(run, "storer", "mkwrite.after_fault_unlock",
			     DEED(STORE, .page = AT, .value = 0xc11)));
	else
		STEP(done(run, "storer", DEED(STORE, .page = AT, .value = 0xc11)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = 0xc12)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "writer") == !variant_has(run, "sync_fault=kind"));
	STEP(start(run, "reader", DEED(LOAD, .page = AT)));
	STEP(still(run));
	STEP(release(run, "storer"));
	STEP(still(run));
}

static void all_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "storer").error);
	REQUIRE(run, !result_of(run, "writer").error);
	REQUIRE(run, !result_of(run, "reader").error);
}

static const char *const windows_frame[] = {
	"?mkwrite.after_fault_unlock", "write.copy_user", NULL
};

static const struct expectation expect_frame[] = {
	{ "sync_fault=dropped,write_map=cow", CAUGHT, "stale-mapping stale-frame",
	  "the kind is right, the frame another" },
	{ "sync_fault=frame,write_map=cow", PASSED, NULL, "the frame tells" },
	{ "sync_fault=kind,write_map=cow", PASSED, NULL,
	  "upstream: the write waits for both" },
	{ "write_map=cow", PASSED, NULL, "there is no second half" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c11_frame = {
	.id = "C11-frame",
	.name = "sync-fault-changed-frame",
	.title = "the entry is of the same kind as before, but has another frame",
	.story = "As C11, but the block is not punched: a write(2) puts another in its place, and a\n"
		 "load makes an entry for it. The second half finds an entry of the kind that it left,\n"
		 "and maps the frame that it knew.",
	.interleaving =
		"storer                           writer                  reader\n"
		"store: entry of B, unlocked\n"
		"  * mkwrite.after_fault_unlock\n"
		"                                 write: new block C,\n"
		"                                   entry out, frees B\n"
		"                                                         load: entry of C\n"
		"locks the entry, maps B (bug)",
	.references = "71eab6dfd91e, caa51d26f85c, v4.15; races.md C11, C10",
	.windows = windows_frame,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "writer", MAP_NONE, NULL, "write(2) of it" },
		{ "reader", MAP_PTES, NULL, "loads it" },
	},
	.play = changed,
	.check = all_ended,
	.expect = expect_frame,
};
