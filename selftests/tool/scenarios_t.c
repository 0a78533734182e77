// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios that are no bugs: they show that the tool plays what it says.
 */
#include "catalog.h"

/*
 * T1: whoever finds an entry locked sleeps until its owner unlocks it. Ends
 * with a certificate: the second fault cannot have passed the first.
 */
static void park_and_release(struct run *run)
{
	STEP(arm(run, "first", "fault.after_grab"));
	STEP(start(run, "first", (struct deed){ STORE, .page = 3, .value = 1 }));
	STEP(parked(run, "first", "fault.after_grab"));
	STEP(start(run, "second", (struct deed){ STORE, .page = 3, .value = 2 }));
	STEP(asleep(run, "second"));
	STEP(release(run, "first"));
	STEP(ended(run, "first"));
	STEP(ended(run, "second"));
}

static void park_and_release_check(struct run *run)
{
	STEP(start(run, "first", (struct deed){ LOAD, .page = 3 }));
	STEP(ended(run, "first"));
	REQUIRE(run, result_of(run, "first").ended && !result_of(run, "first").error);
	REQUIRE(run, !run_held(run) || crossed(run, "second", "grab.after_wake"));
	if (!result_of(run, "first").value)
		caught(run, "lost-store -", "page 3 was stored to twice, and reads 0");
}

static const struct scenario t1 = {
	.id = "T1",
	.name = "park-and-release",
	.title = "one fault holds an entry, another one waits for it",
	.story = "No bug: the shortest play there is. Two processes store to the same page; the\n"
		 "first is held while it has locked the entry, so the second has to sleep until\n"
		 "the unlock wakes it. It must pass in every variant.",
	.interleaving = "first - store, page 3                second - store, page 3\n"
			"\n"
			"fault.after_grab: entry locked\n"
			"                                     finds it locked, sleeps on key 3\n"
			"unlock, wake key 3\n"
			"                                     grab.after_wake: looks again, maps\n",
	.references = "module/entry.h, rules 1 to 4",
	.windows = (const char *const []){ "fault.after_grab", "grab.after_wake", NULL },
	.role = {
		{ "first", MAP_PTES, NULL, "stores to page 3, and is held" },
		{ "second", MAP_PTES, NULL, "stores to page 3" },
	},
	.play = park_and_release,
	.check = park_and_release_check,
	.expect = (const struct expectation []){
		{ "wait_key=searcher", PASSED, NULL,
		  "the searcher's own index is the entry's, when both are of the same page" },
		{}
	},
};

const struct scenario *const scenarios_t[] = { &t1, NULL };
