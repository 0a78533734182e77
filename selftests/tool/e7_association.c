// SPDX-License-Identifier: GPL-2.0
/*
 * E7: faults of two sizes, and whose a frame is (2019)
 */
#include "steps.h"
#include "stories_e.h"

#define AT	5
#define FAR	100	/* same 2 MiB */

static const char references[] =
	"1571c029a2ff \"dax: Fix xarray entry association for mixed mappings\", v5.2;\n"
	"d2c997c0f145 \"fs, dax: use page->mapping to warn if truncate collides with a busy page\",\n"
	"v4.16; races.md E7";

static const char *const no_windows[] = { NULL };

/* The PMD entry of one mapping serves the PTE fault of another: it stays. */
static void sizes_meet(struct run *run)
{
	STEP(done(run, "huge", DEED(STORE, .page = FAR, .value = 0xe7)));
	REQUIRE(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(done(run, "small", DEED(LOAD, .page = AT)));
	STEP(still(run));
	CERTIFY(run, grown(run, "fault_pte_mapped") == 1 && !grown(run, "downgrades"));
}

/* Whoever comes first: 2 MiB with one entry, or pages with theirs. */
static void loose_sizes(struct run *run)
{
	STEP(start(run, "huge", DEED(STORE, .page = FAR, .value = 0xe7)));
	STEP(start(run, "small", DEED(LOAD, .page = AT)));
	STEP(still(run));
}

static const struct expectation expect[] = {
	{ "associate=always", CAUGHT, "unowned-frame -", "bug of v4.16 to v5.1" },
	{ "v4.20", CAUGHT, "unowned-frame -", "a kernel that had it" },
	{ "v5.4", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "the entry is not swapped, nor are owners" },
	{}
};

const struct scenario e7_association_mixed_sizes = {
	.id = "E7",
	.name = "association-mixed-sizes",
	.title = "a PTE fault on a PMD entry leaves 511 frames that are nobody's",
	.story = "What a frame is a page of stands in the frame, for one purpose: a memory error must\n"
		 "find the file, and its users. A fault that gives an entry a frame writes it, who\n"
		 "removes the entry wipes it off. A fault of one page on an entry of 512 changes\n"
		 "nothing, for the frames are known. But the two sizes differed, so the old kernel put\n"
		 "all that the entry has, and took what the fault maps. No race is needed.",
	.interleaving =
		"huge                               small\n"
		"store: PMD entry, takes 512\n"
		"                                   load: PTE fault, finds that entry\n"
		"                                     puts 512, takes 1 (bug)",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "huge", MAP_PMDS, NULL, "stores to 2 MiB by a PMD fault" },
		{ "small", MAP_PTES, NULL, "loads another page of it" },
	},
	.play = sizes_meet,
	.loose = loose_sizes,
	.expect = expect,
};

/* Of one size all agree, whatever the order. */
static void same_size(struct run *run)
{
	STEP(done(run, "huge", DEED(STORE, .page = FAR, .value = 0xe7)));
	REQUIRE(run, grown(run, "fault_pmd_mapped") == 1);
	STEP(done(run, "second", DEED(LOAD, .page = AT)));
	STEP(still(run));
	CERTIFY(run, grown(run, "fault_pmd_mapped") == 2);
}

static const struct expectation expect_same[] = {
	{ "associate=always", PASSED, NULL, "sizes do not differ" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario e7_same_size = {
	.id = "E7-alone",
	.name = "association-one-size",
	.title = "control: both faults are PMD faults",
	.story = "As E7, but the second mapping is aligned as the first.",
	.interleaving =
		"huge                               second\n"
		"store: PMD entry, takes 512\n"
		"                                   load: PMD fault, finds that entry",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "huge", MAP_PMDS, NULL, "stores to 2 MiB by a PMD fault" },
		{ "second", MAP_PMDS, NULL, "loads another page of it" },
	},
	.play = same_size,
	.expect = expect_same,
};
