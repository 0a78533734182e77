// SPDX-License-Identifier: GPL-2.0
/*
 * E5, E6: what is read from a page, or taken for one (2025)
 */
#include "steps.h"
#include "stories_e.h"

#define AT	5
#define HOLE	3

static void give_to_pipe(struct run *run)
{
	STEP(done(run, "piper", DEED(STORE, .page = AT, .value = 0xe5)));
	STEP(done(run, "piper", DEED(VMSPLICE, .page = AT)));
	REQUIRE(run, !result_of(run, "piper").error);
}

/* Everybody agrees on the variable, or the waiter sleeps on when the pipe is empty. */
static void variable(struct run *run)
{
	give_to_pipe(run);
	STEP(start(run, "cutter", DEED(TRUNCATE, .page = AT)));
	STEP(blocked(run, "cutter"));
	STEP(done(run, "piper", DEED(DRAIN)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "cutter") == !variant_is(run, "pin_var=other"));
}

static const char *const windows_variable[] = { "layout.after_scan", NULL };

static const struct expectation expect_variable[] = {
	{ "pin_var=other", CAUGHT, "lost-wakeup pin-variable", "half of 38607c62b34b" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario e5_refcount_zero_based = {
	.id = "E5",
	.name = "refcount-zero-based",
	.title = "truncate sleeps on one variable, the last put wakes another",
	.story = "A waiter for a pin sleeps on the address of something that both sides know. It was\n"
		 "the counter of the page, woken when it fell from 2 to 1; since v6.15 it is the page,\n"
		 "woken when it is free, at 0. A waiter of the one kind and a put of the other do not\n"
		 "meet: the page is idle, and truncate sleeps. (That a scan finds the reference of a\n"
		 "fault which is about to map the page cannot happen here: faults take none, and\n"
		 "invalidate_lock keeps them out of the scan.)",
	.interleaving =
		"piper                               cutter\n"
		"vmsplice(2) of page 5: pinned\n"
		"                                    truncate(2): pinned, sleeps (bug: on\n"
		"                                      another variable)\n"
		"reads the pipe: wakes\n"
		"                                    asleep for ever",
	.references = "38607c62b34b \"fs/dax: properly refcount fs dax pages\", v6.15; races.md E5",
	.windows = windows_variable,
	.role = {
		{ "piper", MAP_PTES, NULL, "gives a page to a pipe, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = variable,
	.expect = expect_variable,
};

/* In a compound page references are those of the head. */
static void tail(struct run *run)
{
	give_to_pipe(run);
	STEP(done(run, "cutter", DEED(TRUNCATE, .page = 0)));
	STEP(done(run, "piper", DEED(DRAIN)));
	STEP(still(run));
}

/* The pipe has what was in the page when it got it. */
static void tail_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "cutter").error && result_of(run, "piper").value == 0xe5);
	REQUIRE(run, grown(run, "blocks_kept") == PMD_PAGES);
}

static const char *const windows_tail[] = { "truncate.before_free", NULL };

static const struct expectation expect_tail[] = {
	{ "busy_test=tail", CAUGHT, "freed-pinned tail-tested", "never shipped" },
	{ "layout=none", CAUGHT, "freed-pinned no-break", NULL },
	{ "sound", PASSED, NULL, "the chunk is kept until the pipe is read" },
	{}
};

const struct scenario e5_tail = {
	.id = "E5-tail",
	.name = "references-of-a-tail-page",
	.title = "who looks at the references of a tail page finds none",
	.story = "In a compound page all references are the head's, and a tail has a count of 0\n"
		 "whoever uses it. So the test for idle must go to the head first, and a waker must\n"
		 "wake for the head. Memory of the module is made of such pages, 2 MiB each, and one\n"
		 "pin holds all of them.",
	.interleaving =
		"piper                               cutter\n"
		"vmsplice(2) of page 5 of a PMD\n"
		"                                    truncate(2): its count is 0, idle (bug)\n"
		"reads the pipe",
	.references = "38607c62b34b \"fs/dax: properly refcount fs dax pages\", v6.15; races.md E5",
	.windows = windows_tail,
	.role = {
		{ "piper", MAP_PMDS, NULL, "gives a page to a pipe, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = CHUNKS,
	.play = tail,
	.check = tail_ended,
	.expect = expect_tail,
};

/* The range that is scanned has holes that were read, and a page that was stored to. */
static void kinds(struct run *run)
{
	STEP(done(run, "user", DEED(LOAD, .page = HOLE)));
	STEP(done(run, "user", DEED(STORE, .page = AT, .value = 0xe6)));
	STEP(done(run, "cutter", DEED(TRUNCATE, .page = 0)));
	REQUIRE(run, !result_of(run, "cutter").error && grown(run, "layout_breaks") == 1);
}

static const char *const windows_kinds[] = { "layout.after_scan", NULL };

static const struct expectation expect_kinds[] = {
	{ "busy_scan=untested", CAUGHT, "no-folio kind-untested", NULL },
	{ "v6.15", CAUGHT, "no-folio kind-untested", NULL },
	{ "busy_scan=entries", PASSED, NULL, "kind first, then frame" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario e6_zero_entry_as_folio = {
	.id = "E6",
	.name = "zero-or-empty-entry-as-folio",
	.title = "the frame of a ZERO entry is used as that of a page of the file",
	.story = "An EMPTY entry has frame 0, and a ZERO entry that of zeroes which all files share.\n"
		 "When fs/dax.c began to count, its helpers turned entries into folios before they\n"
		 "asked for the kind: a fault on a page 0 without a struct page, or shared zeroes that\n"
		 "belong to a file. The rule is the order of two lines.",
	.interleaving =
		"user                                cutter\n"
		"load: ZERO entry at 3\n"
		"store: data entry at 5\n"
		"                                    truncate(2): scans both, and takes the\n"
		"                                      frame of the first (bug)",
	.references =
		"98c183a4fccf, 3ad05dab9d27 \"fs/dax: check zero or empty entry before converting xarray\n"
		"entry\", v7.x; races.md E6",
	.windows = windows_kinds,
	.role = {
		{ "user", MAP_PTES, NULL, "loads from a hole, stores to another page" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = kinds,
	.expect = expect_kinds,
};
