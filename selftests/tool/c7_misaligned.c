// SPDX-License-Identifier: GPL-2.0
/*
 * C7: a misaligned PMD fault leaves an entry locked that nobody owns (2017)
 */
#include "steps.h"
#include "stories.h"

/*
 * File offset 0 is 1 MiB above a multiple of 2 MiB: the second PMD slot of the
 * mapping has the pages 256 to 767, of two entries.
 */
#define AT	600	/* its own entry is that of 512 to 1023 */

static const char *const no_windows[] = { NULL };

static void fault_and_follow(struct run *run)
{
	STEP(start(run, "reader", DEED(LOAD, .page = AT)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "reader"));
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "fault_fallback_align"));
	STEP(start(run, "later", DEED(LOAD, .page = AT + 1)));
	STEP(still(run));
	CERTIFY(run, variant_is(run, "sound") ? is_idle(run, "later") : is_asleep(run, "later"));
}

/* Colours agree: the late comparison finds nothing wrong, and rightly. */
static void aligned(struct run *run)
{
	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	CERTIFY(run, grown(run, "fault_pmd_hole") == 1);
	STEP(done(run, "later", DEED(LOAD, .page = AT + 1)));
}

static const char references[] =
	"fffa281b48a9 \"dax: fix deadlock due to misaligned PMD faults\", v4.13";

static const char story[] =
	"A mapping may put file offset 0 at an address that is not aligned as the offset is:\n"
	"another colour. A PMD fault there covers pages of two PMD entries. It locked the\n"
	"entry of the first page of the slot, found a hole, and stored the locked zero entry\n"
	"at the page that faulted: in another entry. It unlocked the first. The second stays\n"
	"locked, nobody owns it, and whoever comes later waits for ever: \"locked 1, wait n\".\n"
	"\n"
	"For blocks the alignment of the frame told; for holes nobody asked.";

static const struct expectation expect[] = {
	{ "colour=late", CAUGHT, "orphan-lock -", "bug of v4.12" },
	{ "v4.12", CAUGHT, "orphan-lock -", NULL },
	{ "sound", PASSED, NULL, "colours are compared first: PTEs" },
	{}
};

const struct scenario c7_misaligned = {
	.id = "C7",
	.name = "misaligned-pmd-orphan-lock",
	.title = "a PMD fault of another colour locks one entry and leaves another locked",
	.story = story,
	.interleaving =
		"reader (file offset 0 at 2M*n+1M)  later\n"
		"load page 600: PMD fault\n"
		"  locks the entry of page 256\n"
		"  hole: stores at page 600, locked\n"
		"  unlocks the entry of page 256\n"
		"                                   load page 601\n"
		"                                     waits for ever",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "reader", MAP_MISALIGNED, NULL, "loads a word of a hole" },
		{ "later", MAP_PMDS, NULL, "loads the next page" },
	},
	.play = fault_and_follow,
	.expect = expect,
};

static const struct expectation expect_aligned[] = {
	{ "colour=late", PASSED, NULL, "colour 0: the bug does not show" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c7_aligned = {
	.id = "C7-aligned",
	.name = "aligned-pmd",
	.title = "control: an aligned mapping has no other colour",
	.story = "As C7, with a mapping that is aligned as the file is.",
	.interleaving =
		"reader                             later\n"
		"load page 600: huge zeroes\n"
		"                                   load page 601",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "reader", MAP_PMDS, NULL, "loads a word of a hole" },
		{ "later", MAP_PMDS, NULL, "loads the next page" },
	},
	.play = aligned,
	.expect = expect_aligned,
};
