// SPDX-License-Identifier: GPL-2.0
/*
 * B6: a PMD entry is stored over PTE entries that the look-up did not see (2018)
 */
#include "steps.h"
#include "stories.h"

#define LOW	5	/* among the first 64: xas_load() sees a node there */
#define HIGH	200	/* beyond: it sees nothing */
#define GRABBED	"fault.after_grab"

static const char references[] =
	"0e40de0338d0 \"dax: Fix huge page faults\", 4.20-rc; Kara's remark of July 2019";

static const char story[] =
	"A huge fault looks up its 512 slots with a state of order 9. xas_load() descends to\n"
	"a node and looks at the first 64 of them only. A PTE entry at 200 is not seen: the\n"
	"fault stores a PMD entry of its own, and xas_store() replaces all 512 slots, without\n"
	"a word. The PTE entry is gone, with its dirty mark and its lock. The radix tree used\n"
	"to refuse that, with EEXIST.";

static void meet_locked(struct run *run, unsigned long at)
{
	STEP(held_at(run, "small", GRABBED, DEED(STORE, .page = at, .value = 0xb6)));
	STEP(start(run, "huge", DEED(LOAD, .page = 0)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "huge"));
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "fault_fallback_conflict") == 1);
	STEP(release(run, "small"));
	STEP(still(run));
}

static void meet_locked_high(struct run *run)
{
	meet_locked(run, HIGH);
}

static void meet_locked_low(struct run *run)
{
	meet_locked(run, LOW);
}

static const char *const windows[] = { "fault.after_grab", NULL };

static const struct expectation expect[] = {
	{ "lookup=load", CAUGHT, "orphan-lock swallowed", "4.20-rc" },
	{ "lookup=eexist", PASSED, NULL, "as the radix tree did" },
	{ "sound", PASSED, NULL, "the PMD fault sees a conflict" },
	{}
};

const struct scenario b6_pmd_insert_swallows_pte = {
	.id = "B6",
	.name = "pmd-insert-swallows-pte",
	.title = "a PMD entry is stored over a locked PTE entry",
	.story = story,
	.interleaving =
		"small                              huge\n"
		"store to page 200: PTE entry locked\n"
		"  * fault.after_grab\n"
		"                                   load page 0: sees nothing (bug)\n"
		"                                     stores a PMD entry over 0..511\n"
		"  unlocks: gone",
	.references = references,
	.windows = windows,
	.role = {
		{ "small", MAP_PTES, NULL, "stores to page 200" },
		{ "huge", MAP_PMDS, NULL, "loads page 0" },
	},
	.play = meet_locked_high,
	.expect = expect,
};

static const struct expectation expect_low[] = {
	{ "lookup=load", PASSED, NULL, "a node is seen: the fault falls back, by luck" },
	{ "lookup=eexist", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario b6_low = {
	.id = "B6-low",
	.name = "pmd-insert-sees-pte",
	.title = "control: the PTE entry is among the first 64",
	.story = "As B6, but the PTE entry is at page 5: xas_load() returns the node that it is in,\n"
		 "which is not nothing.",
	.interleaving =
		"small                              huge\n"
		"store to page 5: PTE entry locked\n"
		"  * fault.after_grab\n"
		"                                   load page 0: sees a node: PTE",
	.references = references,
	.windows = windows,
	.role = {
		{ "small", MAP_PTES, NULL, "stores to page 5" },
		{ "huge", MAP_PMDS, NULL, "loads page 0" },
	},
	.play = meet_locked_low,
	.expect = expect_low,
};

/* Nobody is in a fault: only a dirty mark stands in the way. */
static void meet_dirty(struct run *run)
{
	STEP(done(run, "small", DEED(STORE, .page = HIGH, .value = 0xb6)));
	STEP(done(run, "huge", DEED(LOAD, .page = 0)));
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "fault_fallback_conflict") == 1);
	STEP(done(run, "syncer", DEED(FSYNC)));
	if (!grown(run, "flushes"))
		caught(run, "unflushed store", "page %d was stored to, synced, and not flushed",
		       HIGH);
}

static const char *const no_windows[] = { NULL };

static const struct expectation expect_dirty[] = {
	{ "lookup=load", CAUGHT, "unflushed store", "4.20-rc; no race is needed" },
	{ "lookup=eexist", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario b6_dirty = {
	.id = "B6-dirty",
	.name = "pmd-insert-swallows-dirty",
	.title = "a PMD entry is stored over a dirty PTE entry, and its data is never flushed",
	.story = story,
	.interleaving =
		"small                huge                  syncer\n"
		"store to page 200\n"
		"                     load page 0: sees nothing (bug)\n"
		"                       stores a PMD entry over 0..511\n"
		"                                           fsync: nothing is dirty",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "small", MAP_PTES, NULL, "stores to page 200" },
		{ "huge", MAP_PMDS, NULL, "loads page 0" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = meet_dirty,
	.expect = expect_dirty,
};
