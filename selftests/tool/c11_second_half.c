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
