// SPDX-License-Identifier: GPL-2.0
/*
 * C8: the window in which a PMD entry of zeroes makes room for PTEs (audit of 2019)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define FAR	100	/* same 2 MiB */
#define LOCKED	"grab.downgrade_locked"

static const char references[] =
	"2019 thread of 23c84eb78375: is it safe to drop i_pages here? The code is that of\n"
	"642261ac995e (v4.10) on; none of these mutants was shipped";

/* The entry must be found locked by whoever comes while the tree is unlocked. */
static void owner_meets_downgrade(struct run *run)
{
	STEP(done(run, "huge", DEED(LOAD, .page = FAR)));
	REQUIRE(run, grown(run, "fault_pmd_hole") == 1);
	STEP(held_at(run, "small", LOCKED, DEED(LOAD, .page = AT)));
	STEP(arm(run, "huge", "fault.after_grab"));
	STEP(start(run, "huge", DEED(STORE, .page = FAR, .value = 0xc8)));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "huge") == variant_is(run, "sound"));
	STEP(release(run, "small"));
	STEP(still(run));
	STEP(release(run, "huge"));
	STEP(still(run));
}

static const char *const windows[] = {
	"grab.downgrade_locked", "fault.after_grab", "?grab.downgrade_removed", NULL
};

static const struct expectation expect[] = {
	{ "downgrade=unlocked", CAUGHT, "orphan-lock unlock-gone", "lab mutant" },
	{ "sound", PASSED, NULL, "the PMD fault sleeps, then meets a conflict" },
	{}
};

const struct scenario c8_downgrade_unlocked = {
	.id = "C8",
	.name = "zero-downgrade-window",
	.title = "a downgrade takes out an entry that somebody has locked meanwhile",
	.story = "A PTE fault meets 2 MiB of zeroes: it unmaps them, which may sleep, so the tree's\n"
		 "lock is dropped; then it removes the entry and puts in its own. In 2019 somebody\n"
		 "asked whether that is safe. It is while the entry is locked: everybody waits. Were\n"
		 "it not, a PMD store could lock it, and own an entry that is not there any more.",
	.interleaving =
		"small                              huge\n"
		"                                   load: huge zeroes\n"
		"load: PTE fault, drops the tree\n"
		"  * grab.downgrade_locked\n"
		"                                   store: locks the PMD entry (mutant)\n"
		"                                     * fault.after_grab\n"
		"  removes it, puts in its own\n"
		"                                     unlocks: gone",
	.references = references,
	.windows = windows,
	.role = {
		{ "huge", MAP_PMDS, NULL, "loads, then stores to 2 MiB of zeroes" },
		{ "small", MAP_PTES, NULL, "loads another page of it" },
	},
	.play = owner_meets_downgrade,
	.expect = expect,
};

/* Two PMD waiters on the entry that goes: a wake for one is lost at a conflict. */
static void waiters_meet_downgrade(struct run *run)
{
	STEP(done(run, "first", DEED(LOAD, .page = FAR)));
	REQUIRE(run, grown(run, "fault_pmd_hole") == 1);
	STEP(held_at(run, "small", LOCKED, DEED(LOAD, .page = AT)));
	STEP(start(run, "first", DEED(STORE, .page = FAR, .value = 1)));
	STEP(asleep(run, "first"));
	STEP(start(run, "second", DEED(STORE, .page = FAR + 1, .value = 2)));
	STEP(asleep(run, "second"));
	STEP(release(run, "small"));
	STEP(still(run));
	CERTIFY(run, crossed(run, "small", "grab.downgrade_removed"));
	CERTIFY(run, variant_is(run, "sound") || crossed(run, "small", "grab.downgrade_gap"));
}

static const char *const windows_wake[] = {
	"grab.downgrade_locked", "grab.enqueued", "grab.downgrade_removed",
	"?grab.downgrade_gap", NULL
};

static const struct expectation expect_wake[] = {
	{ "downgrade=late_wake", CAUGHT, "lost-wakeup entry-replaced", "lab mutant" },
	{ "sound", PASSED, NULL, "all are woken in the same hold of the tree's lock" },
	{}
};

const struct scenario c8_late_wake = {
	.id = "C8-wake",
	.name = "zero-downgrade-late-wake",
	.title = "a downgrade wakes one, after the entry has gone",
	.story = "Who waits for the PMD entry that goes must be woken, all of them: the one that is\n"
		 "woken meets the smaller entry, calls it a conflict, and wakes nobody.",
	.interleaving =
		"small                    first            second\n"
		"                         load: huge zeroes\n"
		"load: locks the entry\n"
		"  * grab.downgrade_locked\n"
		"                         store: asleep\n"
		"                                          store: asleep\n"
		"  removes it, puts in its own\n"
		"  wakes one (mutant)\n"
		"                         a conflict: PTE\n"
		"                                          asleep for ever",
	.references = references,
	.windows = windows_wake,
	.role = {
		{ "first", MAP_PMDS, NULL, "loads, then stores to 2 MiB of zeroes" },
		{ "second", MAP_PMDS, NULL, "stores as well" },
		{ "small", MAP_PTES, NULL, "loads another page of it" },
	},
	.play = waiters_meet_downgrade,
	.expect = expect_wake,
};

/* The zeroes must be gone from every mapping before a block comes under them. */
static void store_under_zeroes(struct run *run)
{
	STEP(done(run, "huge", DEED(LOAD, .page = FAR)));
	REQUIRE(run, grown(run, "fault_pmd_hole") == 1);
	STEP(done(run, "small", DEED(STORE, .page = AT, .value = 0xc8)));
	REQUIRE(run, grown(run, "downgrades") == 1);
}

static void look(struct run *run)
{
	STEP(done(run, "huge", DEED(LOAD, .page = AT)));
	if (result_of(run, "huge").value != 0xc8)
		caught(run, "stale-data user", "page %d reads %#lx through the huge mapping",
		       AT, result_of(run, "huge").value);
}

static const char *const windows_unmap[] = { "grab.downgrade_locked", NULL };

static const struct expectation expect_unmap[] = {
	{ "downgrade=skip_unmap", CAUGHT, "stale-mapping -", "lab mutant" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c8_skip_unmap = {
	.id = "C8-unmap",
	.name = "zero-downgrade-skip-unmap",
	.title = "a downgrade leaves 2 MiB of zeroes mapped, and a block comes under them",
	.story = "The entry of the zeroes goes, a PTE entry with data comes. If the zeroes are not\n"
		 "unmapped first, who has them mapped never sees the data. No race is needed.",
	.interleaving =
		"huge                               small\n"
		"load: huge zeroes\n"
		"                                   store: entry out, not unmapped (mutant)\n"
		"                                     allocates, PTE entry, PTE\n"
		"load: zeroes",
	.references = references,
	.windows = windows_unmap,
	.role = {
		{ "huge", MAP_PMDS, NULL, "loads 2 MiB of zeroes" },
		{ "small", MAP_PTES, NULL, "stores to a page of it" },
	},
	.play = store_under_zeroes,
	.check = look,
	.expect = expect_unmap,
};
