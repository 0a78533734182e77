// SPDX-License-Identifier: GPL-2.0
/*
 * E1: pages that are pinned, against truncate and punch (2017-2018)
 */
#include <errno.h>

#include "steps.h"
#include "stories_e.h"

#define AT	5
#define NEXT	6

static const char references[] =
	"5fac7408d828 \"mm, fs, dax: handle layout changes to pinned dax mappings\", v4.18;\n"
	"430657b6be89 (ext4), d6dc57e251a4 (xfs); d2c997c0f145 \"fs, dax: use page->mapping to\n"
	"warn if truncate collides with a busy page\", v4.17; races.md E1";

/* Does the cutter of this variant wait for pins at all? */
static bool waits(const struct run *run)
{
	return !variant_has(run, "layout=none") && !variant_has(run, "layout=nowait") &&
	       !variant_is(run, "v4.12");
}

/* The cut has come to where the pin leads it: asleep for it, or through. */
static bool cut_meets_pin(struct run *run, struct deed cut)
{
	if (!start(run, "cutter", cut))
		return false;
	return waits(run) ? blocked(run, "cutter") : ended(run, "cutter");
}

/* How the cut has ended: as if there had been no pin, but for "nowait". */
static void cut_ended(struct run *run)
{
	int error = result_of(run, "cutter").error;

	if (run_held(run) && variant_has(run, "layout=nowait"))
		REQUIRE(run, error == EAGAIN);
	else
		REQUIRE(run, !error);
	CERTIFY(run, !waits(run) || grown(run, "layout_waits") >= 1);
}

static void direct(struct run *run, struct deed cut)
{
	STEP(done(run, "pinner", DEED(STORE, .page = AT, .value = 0xe1)));
	STEP(held_at(run, "pinner", "pin.held", DEED(DIRECT, .page = AT)));
	STEP(cut_meets_pin(run, cut));
	STEP(release(run, "pinner"));
	STEP(still(run));
}

static void direct_truncate(struct run *run)
{
	direct(run, DEED(TRUNCATE, .page = AT));
}

static void direct_punch(struct run *run)
{
	direct(run, DEED(PUNCH, .page = AT));
}

static const char *const windows_direct[] = { "pin.held", "truncate.after_break", NULL };
static const char *const windows_nowait[] = { "pin.held", "?truncate.after_break", NULL };

static const struct expectation expect_direct[] = {
	{ "layout=none", CAUGHT, "freed-pinned no-break", "before v4.18" },
	{ "v4.12", CAUGHT, "freed-pinned no-break", NULL },
	{ "upstream-6.1", PASSED, NULL, NULL },
	{ "layout=nowait", PASSED, NULL, "truncate fails with EAGAIN, and nothing is cut" },
	{ "busy_scan=entries", PASSED, NULL, "as fs/dax.c finds it" },
	{ "busy_scan=mapped", PASSED, NULL, "the file is mapped" },
	{ "sound", PASSED, NULL, "truncate sleeps until the pin is gone" },
	{}
};

#define STORY_DIRECT								\
	"A direct read has the pages of its buffer pinned, and the buffer is a mapping of a\n" \
	"file in DAX mode: the device will store right into the blocks of that file. If they\n" \
	"are cut off and given to another file meanwhile, it stores into that one. Unmapping\n" \
	"does not help, since the device needs no mapping. So who cuts unmaps, looks for\n" \
	"references that are not the page's own, and waits for their end."

const struct scenario e1_gup_pin_vs_truncate = {
	.id = "E1",
	.name = "gup-pin-vs-truncate",
	.title = "truncate frees a block into which a direct read is about to store",
	.story = STORY_DIRECT,
	.interleaving =
		"pinner                              cutter\n"
		"store: page 5 has a block\n"
		"direct read into page 5: pinned\n"
		"  * pin.held\n"
		"                                    truncate(2)\n"
		"                                      unmap, scan: pinned, wait\n"
		"                                      or: free the block (bug)\n"
		"the device stores",
	.references = references,
	.windows = windows_nowait,
	.role = {
		{ "pinner", MAP_PTES, NULL, "stores to a page, reads into it with O_DIRECT" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = direct_truncate,
	.check = cut_ended,
	.expect = expect_direct,
};

const struct scenario e1_punch = {
	.id = "E1-punch",
	.name = "gup-pin-vs-punch",
	.title = "the same with a hole that is punched",
	.story = STORY_DIRECT,
	.interleaving =
		"pinner                              cutter\n"
		"direct read into page 5: pinned\n"
		"  * pin.held\n"
		"                                    fallocate(2), punch of page 5",
	.references = references,
	.windows = windows_nowait,
	.role = {
		{ "pinner", MAP_PTES, NULL, "stores to a page, reads into it with O_DIRECT" },
		{ "cutter", MAP_NONE, NULL, "punches a hole" },
	},
	.memory = PINNABLE,
	.play = direct_punch,
	.check = cut_ended,
	.expect = expect_direct,
};

/* A pipe has the page until somebody reads it. */
static void spliced(struct run *run, struct deed cut)
{
	STEP(done(run, "pinner", DEED(STORE, .page = AT, .value = 0xe1)));
	STEP(done(run, "pinner", DEED(VMSPLICE, .page = AT)));
	REQUIRE(run, !result_of(run, "pinner").error);
	STEP(cut_meets_pin(run, cut));
	STEP(done(run, "pinner", DEED(DRAIN)));
	REQUIRE(run, result_of(run, "pinner").value == 0xe1);
	STEP(still(run));
}

static void spliced_truncate(struct run *run)
{
	spliced(run, DEED(TRUNCATE, .page = AT));
}

static void spliced_punch(struct run *run)
{
	spliced(run, DEED(PUNCH, .page = AT));
}

static const char *const windows_spliced[] = { "?truncate.after_break", NULL };

static const struct expectation expect_spliced[] = {
	{ "layout=none", CAUGHT, "freed-pinned no-break", "before v4.18" },
	{ "layout=nowait", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "truncate sleeps until the pipe is read" },
	{}
};

#define STORY_SPLICED								\
	"vmsplice(2) gives a page to a pipe, which has a reference until it is read: no\n" \
	"FOLL_LONGTERM, and no bound. So truncate of a DAX file waits for whoever reads that\n" \
	"pipe, and a signal is all that ends the wait. A block freed under the pipe would\n" \
	"show there with the content of another file."

const struct scenario e1_vmsplice = {
	.id = "E1-pipe",
	.name = "vmsplice-vs-truncate",
	.title = "truncate frees a block whose page is in a pipe",
	.story = STORY_SPLICED,
	.interleaving =
		"pinner                              cutter\n"
		"vmsplice(2) of page 5: pinned\n"
		"                                    truncate(2): waits, or frees it (bug)\n"
		"reads the pipe",
	.references = references,
	.windows = windows_spliced,
	.role = {
		{ "pinner", MAP_PTES, NULL, "gives a page to a pipe, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = spliced_truncate,
	.check = cut_ended,
	.expect = expect_spliced,
};

const struct scenario e1_pmd = {
	.id = "E1-pmd",
	.name = "vmsplice-vs-punch-pmd",
	.title = "one page of a huge mapping is in a pipe, and punched",
	.story = STORY_SPLICED,
	.interleaving =
		"pinner                              cutter\n"
		"vmsplice(2) of page 5 of a PMD\n"
		"                                    punch of page 5: waits, or frees it (bug)\n"
		"reads the pipe",
	.references = references,
	.windows = windows_spliced,
	.role = {
		{ "pinner", MAP_PMDS, NULL, "gives a page to a pipe, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "punches a hole" },
	},
	.memory = PINNABLE,
	.play = spliced_punch,
	.check = cut_ended,
	.expect = expect_spliced,
};

/* It is pinned after the scan, while it can still be found in a page table. */
static void scan_too_early(struct run *run)
{
	STEP(done(run, "pinner", DEED(STORE, .page = AT, .value = 0xe1)));
	STEP(held_at(run, "cutter", "layout.after_scan", DEED(TRUNCATE, .page = AT)));
	STEP(arm(run, "pinner", "pin.held"));
	STEP(start(run, "pinner", DEED(DIRECT, .page = AT)));
	STEP(still(run));
	CERTIFY(run, crossed(run, "pinner", "pin.held") == !variant_is(run, "sound"));
	STEP(release(run, "cutter"));
	STEP(ended(run, "cutter"));
	STEP(release(run, "pinner"));
	STEP(still(run));
}

/* The page was gone when the read came to it. */
static void scan_too_early_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "cutter").error);
	CERTIFY(run, result_of(run, "pinner").error == (variant_is(run, "sound") ? EFAULT : 0));
}

static const char *const windows_early[] = {
	"layout.after_scan", "truncate.after_break", "?pin.held", NULL
};

static const struct expectation expect_early[] = {
	{ "layout=scan_first", CAUGHT, "freed-pinned scan-before-unmap",
	  "the page is still mapped after it" },
	{ "layout=unlocked", CAUGHT, "freed-pinned break-unlocked", "a fault maps it again" },
	{ "sound", PASSED, NULL,
	  "the read faults, waits for the lock, and finds the file shorter" },
	{}
};

const struct scenario e1_early = {
	.id = "E1-early",
	.name = "pin-after-scan",
	.title = "a page is pinned between the scan and the cut",
	.story = "Who scans before he unmaps looks at pages that can still be found: get_user_pages()\n"
		 "takes a reference a moment later. Who unmaps and scans without invalidate_lock is\n"
		 "no better off, since a fault maps the page again. In the right order the one has\n"
		 "been seen, and the other has to wait: this is why the comment in\n"
		 "dax_layout_busy_page() is longer than its code.",
	.interleaving =
		"cutter                              pinner\n"
		"truncate(2): scan, nothing\n"
		"  * layout.after_scan\n"
		"                                    direct read: pinned\n"
		"                                      * pin.held\n"
		"unmap, free (bug)\n"
		"                                    the device stores",
	.references = references,
	.windows = windows_early,
	.role = {
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
		{ "pinner", MAP_PTES, NULL, "stores to a page, reads into it with O_DIRECT" },
	},
	.memory = PINNABLE,
	.play = scan_too_early,
	.check = scan_too_early_ended,
	.expect = expect_early,
};

/* While the cut waits for one page, a fault brings the next one back. */
static void no_rescan(struct run *run)
{
	STEP(done(run, "piper", DEED(STORE, .page = AT, .value = 0xe1)));
	STEP(done(run, "pinner", DEED(STORE, .page = NEXT, .value = 0xe1)));
	STEP(done(run, "piper", DEED(VMSPLICE, .page = AT)));
	STEP(start(run, "cutter", DEED(TRUNCATE, .page = AT)));
	STEP(blocked(run, "cutter"));
	STEP(held_at(run, "pinner", "pin.held", DEED(DIRECT, .page = NEXT)));
	STEP(done(run, "piper", DEED(DRAIN)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "cutter") == variant_is(run, "layout=no_rescan"));
	STEP(release(run, "pinner"));
	STEP(still(run));
}

static void no_rescan_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "cutter").error);
	CERTIFY(run, grown(run, "layout_waits") == (variant_is(run, "layout=no_rescan") ? 1 : 2));
}

static const struct expectation expect_no_rescan[] = {
	{ "layout=no_rescan", CAUGHT, "freed-pinned no-rescan", "never shipped" },
	{ "busy_scan=entries", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "it scans again, and waits again" },
	{}
};

const struct scenario e1_no_rescan = {
	.id = "E1-rescan",
	.name = "pin-during-the-wait",
	.title = "another page is pinned while truncate waits for the first",
	.story = "Who has a pin may need a fault before he can let go, so the wait must drop\n"
		 "invalidate_lock. Then faults map what was unmapped, and pages that were idle are\n"
		 "pinned. What is known after the wait is one page; the others must be unmapped and\n"
		 "scanned again.",
	.interleaving =
		"cutter                   piper                    pinner\n"
		"                         page 5 is in a pipe\n"
		"truncate(2): unmap,\n"
		"  scan: 5 is pinned\n"
		"  drop the lock, wait\n"
		"                                                  direct read into page 6:\n"
		"                                                    fault, pinned\n"
		"                                                    * pin.held\n"
		"                         reads the pipe\n"
		"go on, free 5, 6 (bug)",
	.references = references,
	.windows = windows_direct,
	.role = {
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
		{ "piper", MAP_PTES, NULL, "gives a page to a pipe, reads the pipe" },
		{ "pinner", MAP_PTES, NULL, "reads into the next page with O_DIRECT" },
	},
	.memory = PINNABLE,
	.play = no_rescan,
	.check = no_rescan_ended,
	.expect = expect_no_rescan,
};
