// SPDX-License-Identifier: GPL-2.0
/*
 * A5: an entry is swapped for one that nobody locks (v4.9)
 */
#include "steps.h"
#include "stories_a.h"

#define AT	1

static const char *const windows[] = { "fault.before_insert_entry", "grab.enqueued", NULL };

static const char references[] =
	"965d004af540 \"dax: fix deadlock with DAX 4k holes\", v4.10;\n"
	"91d25ba8a6b0 made holes entries like all others, v4.14";

static bool waits_behind(struct run *run, const char *role)
{
	return start(run, role, DEED(LOAD, .page = AT)) && asleep(run, role);
}

static void two_wait(struct run *run)
{
	STEP(held_at(run, "T0", "fault.before_insert_entry", DEED(LOAD, .page = AT)));
	STEP(waits_behind(run, "T1"));
	STEP(waits_behind(run, "T2"));
	STEP(release(run, "T0"));
	STEP(still(run));
}

static void one_waits(struct run *run)
{
	STEP(held_at(run, "T0", "fault.before_insert_entry", DEED(LOAD, .page = AT)));
	STEP(waits_behind(run, "T1"));
	STEP(release(run, "T0"));
	STEP(still(run));
}

static void all_read_zeroes(struct run *run)
{
	static const char *const role[] = { "T0", "T1" };
	int i;

	CERTIFY(run, grown(run, "fault_pte_hole") >= 2);
	for (i = 0; i < 2; i++) {
		REQUIRE(run, result_of(run, role[i]).error == 0);
		REQUIRE(run, result_of(run, role[i]).value == 0);
	}
}

static const struct expectation expect[] = {
	{ "hole_page=wake_one", CAUGHT, "lost-wakeup consumed-without-hand-off", NULL },
	{ "v4.9", CAUGHT, "lost-wakeup consumed-without-hand-off", "a kernel that had it" },
	{ "hole_page=wake_all", PASSED, NULL, "as fixed in v4.10" },
	{ "sound", PASSED, NULL, "a hole has an entry with a lock bit" },
	{}
};

const struct scenario a5_hole_page = {
	.id = "A5",
	.name = "hole-page-swap-wake-one",
	.title = "the locked entry becomes something with another lock, one waiter is woken",
	.story = "In 2016 a hole was read through a page of the page cache: the read fault locked an\n"
		 "empty entry, allocated the page, put it in the entry's place and woke one waiter.\n"
		 "A page has a lock of its own. The woken task found the page, used the page lock,\n"
		 "and had no reason to touch the queue of the entries, where the next one slept.\n"
		 "\n"
		 "Whoever changes the protocol behind an index must wake all that wait by the old.\n"
		 "The lab has no page cache: here the swap makes an entry that is mapped without\n"
		 "being locked, which is the same for the queue.",
	.interleaving =
		"T0 (read fault)         T1 (read fault)       T2 (read fault)\n"
		"locks the empty entry 1\n"
		"  * fault.before_insert_entry\n"
		"                        sleeps on key 1\n"
		"                                              sleeps on key 1\n"
		"swaps it, wakes one (bug)\n"
		"                        maps the hole, locks\n"
		"                        nothing, wakes nobody\n"
		"                                              asleep for ever",
	.references = references,
	.windows = windows,
	.role = {
		{ "T0", MAP_PTES, NULL, "loads page 1, a hole" },
		{ "T1", MAP_PTES, NULL, "loads it too" },
		{ "T2", MAP_PTES, NULL, "loads it too" },
	},
	.play = two_wait,
	.check = all_read_zeroes,
	.expect = expect,
};

static const struct expectation expect_one[] = {
	{ "hole_page=wake_one", PASSED, NULL, "the one wake has a taker" },
	{ "hole_page=wake_all", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a5_one_waits = {
	.id = "A5-one",
	.name = "hole-page-swap-one-waiter",
	.title = "control: a single waiter is woken, the bug of A5 does not show",
	.story = "As A5 with one waiter.",
	.interleaving =
		"T0 (read fault)         T1 (read fault)\n"
		"locks the empty entry 1\n"
		"  * fault.before_insert_entry\n"
		"                        sleeps on key 1\n"
		"swaps it, wakes one\n"
		"                        maps the hole",
	.references = references,
	.windows = windows,
	.role = {
		{ "T0", MAP_PTES, NULL, "loads page 1, a hole" },
		{ "T1", MAP_PTES, NULL, "loads it too" },
	},
	.play = one_waits,
	.check = all_read_zeroes,
	.expect = expect_one,
};
