// SPDX-License-Identifier: GPL-2.0
/*
 * C6: a PTE fault and a PMD fault collide in one page table (2017)
 */
#include <stdlib.h>
#include <unistd.h>

#include "steps.h"
#include "stories.h"

#define STORED	5	/* page that is copied on write */
#define LOADED	100	/* page of the same 2 MiB that is read */
#define LOOKED	"fault.after_core_pmd_check"

static const char references[] =
	"e2093926a098 \"dax: fix race between colliding PMD & PTE entries\" and d0f0931de936\n"
	"\"mm: avoid spurious 'bad pmd' warning messages\", v4.12; generic/437";

static const char story[] =
	"A private mapping reads through huge pages and stores through small ones: a store\n"
	"makes a copy of one page. Two threads of one process fault on the same 2 MiB. Both\n"
	"find the slot of the page middle directory empty, one comes back with a huge page,\n"
	"the other with a page table. The entry is no help: a PMD entry with data is shared\n"
	"by both, it serialises the entry and not the slot.\n"
	"\n"
	"The cure is to look at the slot again under the entry lock.";

/* The first 2 MiB become data, in one piece, so that PMD entries are possible. */
static void fill(struct run *run)
{
	char *data = calloc(1, PMD);
	bool written;

	REQUIRE(run, data);
	memset(data, 0x6c, PMD);
	written = pwrite(run_fd(run), data, PMD, 0) == (ssize_t)PMD;
	free(data);
	REQUIRE(run, written);
}

/* Both went on in the end, with what the file has and what was stored. */
static void look(struct run *run)
{
	REQUIRE(run, is_idle(run, "storer") && is_idle(run, "loader"));
	STEP(done(run, "storer", DEED(LOAD, .page = STORED)));
	if (result_of(run, "storer").value != 0xc6)
		caught(run, "lost-store user", "the private copy reads %#lx",
		       result_of(run, "storer").value);
}

static void pte_under_huge(struct run *run)
{
	STEP(arm_order(run, "storer", LOOKED, 0));
	STEP(start(run, "storer", DEED(STORE, .page = STORED, .value = 0xc6)));
	STEP(parked(run, "storer", LOOKED));
	STEP(done(run, "loader", DEED(LOAD, .page = LOADED)));
	CERTIFY(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(release(run, "storer"));
	STEP(still(run));
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "fault_retry"));
}

static const char *const windows[] = { "fault.after_core_pmd_check", NULL };

static const struct expectation expect[] = {
	{ "recheck=none", CAUGHT, "collision pte-under-huge", "bug of v4.11" },
	{ "v4.11", CAUGHT, "collision pte-under-huge", NULL },
	{ "v4.12", PASSED, NULL, "cured" },
	{ "recheck=data_only", PASSED, NULL, "v2 of the fix sees huge pages of data" },
	{ "sound", PASSED, NULL, "the PTE fault sees the huge page and is made again" },
	{}
};

const struct scenario c6_colliding = {
	.id = "C6",
	.name = "colliding-pmd-pte",
	.title = "a PTE is about to be installed where a huge page has come meanwhile",
	.story = story,
	.interleaving =
		"storer (same process)              loader\n"
		"store: too small for a PMD\n"
		"  slot empty: PTE fault\n"
		"  * fault.after_core_pmd_check\n"
		"                                   load: PMD entry, huge page\n"
		"  locks the PMD entry, no recheck\n"
		"  PTE under a huge page (bug)",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PRIVATE_PMDS, NULL, "stores to a page: a private copy" },
		{ "loader", MAP_PRIVATE_PMDS, "storer", "loads another page of the 2 MiB" },
	},
	.prepare = fill,
	.play = pte_under_huge,
	.check = look,
	.expect = expect,
};

/* Another process has made the PMD entry, so the PTE fault shares it. */
static void huge_over_table(struct run *run)
{
	STEP(done(run, "other", DEED(LOAD, .page = LOADED)));
	CERTIFY(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(arm_order(run, "loader", LOOKED, 9));
	STEP(start(run, "loader", DEED(LOAD, .page = LOADED)));
	STEP(parked(run, "loader", LOOKED));
	STEP(done(run, "storer", DEED(STORE, .page = STORED, .value = 0xc6)));
	CERTIFY(run, grown(run, "fault_cow"));
	STEP(release(run, "loader"));
	STEP(still(run));
	CERTIFY(run, variant_has(run, "recheck=none") || grown(run, "fault_retry"));
}

static const struct expectation expect_race2[] = {
	{ "recheck=none", CAUGHT, "collision huge-over-table", "bug of v4.11" },
	{ "recheck=data_only", PASSED, NULL, "a page table is no huge page of any kind" },
	{ "sound", PASSED, NULL, "the PMD fault sees the table and is made again" },
	{}
};

const struct scenario c6_race2 = {
	.id = "C6-race2",
	.name = "colliding-pte-pmd",
	.title = "a huge page is about to be installed where a page table has come meanwhile",
	.story = story,
	.interleaving =
		"storer (same process)              loader\n"
		"                                   load: slot empty: PMD fault\n"
		"                                     * fault.after_core_pmd_check\n"
		"store: shares the PMD entry\n"
		"  page table, PTE\n"
		"                                     locks the PMD entry, no recheck\n"
		"                                     huge page over the table (bug)",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PRIVATE_PMDS, NULL, "stores to a page: a private copy" },
		{ "loader", MAP_PRIVATE_PMDS, "storer", "loads another page of the 2 MiB" },
		{ "other", MAP_PMDS, NULL, "another process: has made the PMD entry" },
	},
	.prepare = fill,
	.play = huge_over_table,
	.check = look,
	.expect = expect_race2,
};

/*
 * The huge page is the one of zeroes, and its entry is gone already: write(2) is
 * between the removal of entries and the unmap. A PTE fault with the zero entry
 * still there would take that out, and the zeroes with it.
 */
static void pte_under_zeroes(struct run *run)
{
	STEP(arm_order(run, "storer", LOOKED, 0));
	STEP(start(run, "storer", DEED(STORE, .page = STORED, .value = 0xc6)));
	STEP(parked(run, "storer", LOOKED));
	STEP(done(run, "loader", DEED(LOAD, .page = LOADED)));
	CERTIFY(run, grown(run, "fault_pmd_hole") == 1);
	STEP(held_at(run, "writer", "invalidate.before_unmap",
		     DEED(WRITE, .page = LOADED + 1, .nr = 1, .value = 0xc7)));
	STEP(release(run, "storer"));
	STEP(still(run));
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "fault_retry"));
	STEP(release(run, "writer"));
	STEP(still(run));
}

static const char *const windows_zero[] = {
	"fault.after_core_pmd_check", "invalidate.before_unmap", NULL
};

static const struct expectation expect_zero[] = {
	{ "recheck=data_only", CAUGHT, "collision pte-under-huge",
	  "v2 of the fix: missed the huge zero page" },
	{ "recheck=none", CAUGHT, "collision pte-under-huge", "bug of v4.11" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c6_zero = {
	.id = "C6-zero",
	.name = "colliding-zero-pmd-pte",
	.title = "a PTE is about to be installed where 2 MiB of zeroes are mapped",
	.story = "Version 2 of the fix of C6 asked whether the slot has a huge page of device memory.\n"
		 "The huge page of zeroes is none. Mostly a PTE fault takes the zero entry out and the\n"
		 "zeroes with it, so that nothing can collide; but while write(2) has removed the entry\n"
		 "and not yet unmapped the range, a fault that looked at the slot earlier finds no entry,\n"
		 "makes its own, and installs its PTE under the zeroes.",
	.interleaving =
		"storer (same process)     loader                writer\n"
		"store: slot empty\n"
		"  * fault.after_core_pmd_check\n"
		"                          load: hole: huge zeroes\n"
		"                                                write: allocates\n"
		"                                                  removes the zero entry\n"
		"                                                  * invalidate.before_unmap\n"
		"  locks an entry of its own\n"
		"  PTE under a huge page (v2)\n"
		"                                                  unmaps",
	.references = references,
	.windows = windows_zero,
	.role = {
		{ "storer", MAP_PRIVATE_PMDS, NULL, "stores to a page: a private copy" },
		{ "loader", MAP_PRIVATE_PMDS, "storer", "loads another page of the 2 MiB" },
		{ "writer", MAP_NONE, NULL, "writes a third page" },
	},
	.play = pte_under_zeroes,
	.check = look,
	.expect = expect_zero,
};

/* One thread at a time: the slot is what the core has seen. */
static void in_turn(struct run *run)
{
	STEP(done(run, "loader", DEED(LOAD, .page = LOADED)));
	STEP(done(run, "storer", DEED(STORE, .page = STORED, .value = 0xc6)));
	STEP(done(run, "loader", DEED(LOAD, .page = LOADED)));
}

static const struct expectation expect_in_turn[] = {
	{ "recheck=none", PASSED, NULL, "nothing comes between look and installation" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c6_in_turn = {
	.id = "C6-in-turn",
	.name = "colliding-pmd-pte-in-turn",
	.title = "control: the two faults come one after the other",
	.story = "As C6, without the race: the core sees the huge page, splits it, and faults again.",
	.interleaving =
		"storer (same process)              loader\n"
		"                                   load: huge page\n"
		"store: huge page is split, PTE",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PRIVATE_PMDS, NULL, "stores to a page: a private copy" },
		{ "loader", MAP_PRIVATE_PMDS, "storer", "loads another page of the 2 MiB" },
	},
	.prepare = fill,
	.play = in_turn,
	.check = look,
	.expect = expect_in_turn,
};
