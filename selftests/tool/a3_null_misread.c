// SPDX-License-Identifier: GPL-2.0
/*
 * A3: nothing there, taken for a smaller entry (v5.3)
 */
#include "steps.h"
#include "stories_a.h"

static const char *const windows[] = { "fault.before_grab", NULL };

/* One huge fault in each half of an empty file: a hole, and an allocation. */
static void touch_two_ranges(struct run *run)
{
	STEP(done(run, "T1", DEED(LOAD, .page = 3)));
	STEP(done(run, "T1", DEED(STORE, .page = PMD_PAGES + 3, .value = 1)));
}

static void count_pmds(struct run *run)
{
	unsigned long long faults = grown(run, "fault_pmd_read") + grown(run, "fault_pmd_write");
	unsigned long long pmds = grown(run, "fault_pmd_hole") + grown(run, "fault_pmd_mapped");
	unsigned long long conflicts = grown(run, "conflicts");

	REQUIRE(run, result_of(run, "T1").error == 0);
	REQUIRE(run, faults >= 2);
	REQUIRE(run, grown(run, "fault_fallback_align") == 0);
	if (pmds != 2 && conflicts)
		caught(run, "no-huge-mapping null-is-conflict",
		       "%llu PMD faults in empty ranges made %llu PMD entries and met %llu conflicts",
		       faults, pmds, conflicts);
	else
		REQUIRE(run, pmds == 2);
}

static const struct expectation expect[] = {
	{ "order_rule=before_null", CAUGHT, "no-huge-mapping null-is-conflict", NULL },
	{ "v5.3-rc1", CAUGHT, "no-huge-mapping null-is-conflict", NULL },
	{ "v5.3", CAUGHT, "no-huge-mapping null-is-conflict", "the released kernel" },
	{ "v5.4", PASSED, NULL, "NULL is tested first" },
	{ "v4.20", PASSED, NULL, "no conflict existed" },
	{ "order_rule=any_order", PASSED, NULL, NULL },
	{ "order_rule=return_locked", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a3_null_misread = {
	.id = "A3",
	.name = "conflict-null-misread",
	.title = "every first PMD fault falls back: an empty range is taken for a conflict",
	.story = "No race: one task, one fault in an empty range. The cure of A1 tells a PMD fault\n"
		 "of smaller entries by comparing orders. It compared before it asked whether there\n"
		 "is an entry at all, and the order of nothing is 0, which is smaller than 9. Nothing\n"
		 "hangs and no data is wrong; there is never again a huge mapping. Only counters\n"
		 "tell: two PMD faults in two empty ranges must make two PMD entries.",
	.interleaving =
		"T1\n"
		"load page 3: PMD fault, nothing there\n"
		"  v5.3: order 0 < 9: conflict, a PTE\n"
		"store page 515: likewise",
	.references = "6370740e5f8e \"fs/dax: Fix pmd vs pte conflict detection\", v5.4-rc5;\n"
		      "fixes 23c84eb78375",
	.windows = windows,
	.role = {
		{ "T1", MAP_PMDS, NULL, "loads a hole, stores to another" },
	},
	.play = touch_two_ranges,
	.check = count_pmds,
	.expect = expect,
};
