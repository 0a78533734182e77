// SPDX-License-Identifier: GPL-2.0
/*
 * E2, E3, E4: pages that are pinned, and that nobody can find (2025)
 */
#include <errno.h>

#include "steps.h"
#include "stories_e.h"

#define AT	5

static const char *const windows[] = { "?truncate.after_break", NULL };

/* Page 5 has a block, and a pipe has the page; loaded, not stored to, if @clean. */
static bool give_to_pipe(struct run *run, bool clean)
{
	struct deed store = DEED(STORE, .page = AT, .value = 0xe2);
	struct deed load = DEED(LOAD, .page = AT);

	return done(run, "piper", store) &&
	       (!clean || (done(run, "other", DEED(FSYNC)) && done(run, "piper", load))) &&
	       done(run, "piper", DEED(VMSPLICE, .page = AT));
}

static void cut_and_drain(struct run *run)
{
	REQUIRE(run, !result_of(run, "piper").error);
	STEP(start(run, "cutter", DEED(TRUNCATE, .page = AT)));
	STEP(still(run));
	STEP(done(run, "piper", DEED(DRAIN)));
	REQUIRE(run, result_of(run, "piper").value == 0xe2);
	STEP(still(run));
}

static void cut_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "cutter").error);
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "layout_waits") >= 1);
}

static void unmapped(struct run *run)
{
	STEP(give_to_pipe(run, false));
	STEP(done(run, "piper", DEED(MUNMAP)));
	cut_and_drain(run);
}

static const struct expectation expect_unmapped[] = {
	{ "busy_scan=mapped", CAUGHT, "freed-pinned thought-idle",
	  "v4.18 to v6.14; open in 6.1 and 6.12" },
	{ "upstream-6.1", CAUGHT, "freed-pinned thought-idle", NULL },
	{ "upstream-7.3", PASSED, NULL, "cured by cee91fa13a8e" },
	{ "busy_scan=entries", PASSED, NULL, "the cure alone" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario e2_unmapped_but_pinned = {
	.id = "E2",
	.name = "unmapped-but-pinned",
	.title = "a file that nobody maps is taken for idle, with a page in a pipe",
	.story = "The scan for pinned pages begins with a shortcut: if no task maps the file, there\n"
		 "is nothing to unmap, and, so it was thought, nothing that could be pinned. But a\n"
		 "pin outlives the mapping by which it was taken: a pipe, or a device, has the page\n"
		 "after munmap(2) and after the end of the process.",
	.interleaving =
		"piper                               cutter\n"
		"vmsplice(2) of page 5: pinned\n"
		"munmap(2)\n"
		"                                    truncate(2): not mapped, so idle (bug)\n"
		"                                      frees the block\n"
		"reads the pipe",
	.references =
		"cee91fa13a8e \"fs/dax: return unmapped busy pages from dax_layout_busy_page_range()\",\n"
		"v6.15; races.md E2",
	.windows = windows,
	.role = {
		{ "piper", MAP_PTES, NULL, "gives a page to a pipe, unmaps, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = unmapped,
	.check = cut_ended,
	.expect = expect_unmapped,
};

static void deleted(struct run *run)
{
	STEP(give_to_pipe(run, false));
	cut_and_drain(run);
}

static const struct expectation expect_deleted[] = {
	{ "layout=late", CAUGHT, "freed-pinned break-after-delete",
	  "whoever comes after the removal finds nothing" },
	{ "layout=late,busy_scan=entries", CAUGHT, "freed-pinned break-after-delete",
	  "as upstream had it" },
	{ "busy_scan=entries", PASSED, NULL, "the break, then the removal" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario e3_deleted_while_busy = {
	.id = "E3",
	.name = "deleted-while-busy",
	.title = "truncate removes the entry of a busy page, and then nobody finds the page",
	.story = "Entries are the memory of which pages a file has. Generic truncation removed them,\n"
		 "busy or not, and trusted that the filesystem had waited before. One that waited\n"
		 "later, or forgot to, had nothing left to look at: idle, said the scan. Since v6.15\n"
		 "the break itself removes entries, of pages that it has found idle, and what is left\n"
		 "for generic truncation is a warning.",
	.interleaving =
		"piper                               cutter\n"
		"vmsplice(2) of page 5: pinned\n"
		"                                    truncate(2): removes the entry\n"
		"                                      scan: no entry, idle (bug)\n"
		"                                      frees the block\n"
		"reads the pipe",
	.references =
		"bde708f1a65d \"fs/dax: always remove DAX page-cache entries when breaking layouts\", v6.15;\n"
		"races.md E3",
	.windows = windows,
	.role = {
		{ "piper", MAP_PTES, NULL, "gives a page to a pipe, reads the pipe" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = deleted,
	.check = cut_ended,
	.expect = expect_deleted,
};

/* Its clean entry is dropped; upstream an eviction of the inode does that. */
static void forgotten(struct run *run)
{
	STEP(give_to_pipe(run, true));
	STEP(done(run, "other", DEED(FADVISE)));
	cut_and_drain(run);
}

static const struct expectation expect_forgotten[] = {
	{ "evict=clean,busy_scan=entries", CAUGHT, "freed-pinned no-entry",
	  "the entry is all that a scan goes by" },
	{ "busy_scan=entries", PASSED, NULL, "the entry is there" },
	{ "sound", PASSED, NULL, "the block map is not forgotten" },
	{}
};

const struct scenario e4_forgotten_entry = {
	.id = "E4-entry",
	.name = "forgotten-entry-of-busy-page",
	.title = "an entry left memory before the pin did, and truncate goes by entries",
	.story = "What removes entries without a look at their pages (an eviction, until v6.15) makes\n"
		 "the next break blind. Here POSIX_FADV_DONTNEED does so, as in C5.",
	.interleaving =
		"piper               other               cutter\n"
		"vmsplice(2): pinned\n"
		"                    drops the entry\n"
		"                                        truncate(2): no entry, idle (bug)\n"
		"reads the pipe",
	.references = "0e2f80afcfa6 \"fs/dax: ensure all pages are idle prior to filesystem unmount\", v6.15;\n"
		      "races.md E4",
	.windows = windows,
	.role = {
		{ "piper", MAP_PTES, NULL, "gives a page to a pipe, reads the pipe" },
		{ "other", MAP_NONE, NULL, "fsync(2), posix_fadvise(2)" },
		{ "cutter", MAP_NONE, NULL, "truncate(2)" },
	},
	.memory = PINNABLE,
	.play = forgotten,
	.check = cut_ended,
	.expect = expect_forgotten,
};

/* The file has no name, and when it is closed its inode goes. */
static void evicted(struct run *run)
{
	STEP(done(run, "owner", DEED(ORPHAN, .value = 0xe4)));
	REQUIRE(run, !result_of(run, "owner").error);
	STEP(start(run, "owner", DEED(ORPHAN_END)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "owner") == !variant_is(run, "evict_pinned=wait"));
	STEP(done(run, "reader", DEED(DRAIN)));
	REQUIRE(run, result_of(run, "reader").value == 0xe4);
	STEP(still(run));
}

static void evicted_ended(struct run *run)
{
	REQUIRE(run, !result_of(run, "owner").error);
	CERTIFY(run, !variant_is(run, "sound") || grown(run, "blocks_kept") == 1);
	CERTIFY(run, !variant_is(run, "evict_pinned=wait") || grown(run, "layout_waits") == 1);
}

static const struct expectation expect_evicted[] = {
	{ "evict_pinned=free", CAUGHT, "freed-pinned evicted", "before v6.15" },
	{ "upstream-6.1", CAUGHT, "freed-pinned evicted", NULL },
	{ "evict_pinned=wait", PASSED, NULL, "upstream since v6.15: close(2) waits" },
	{ "sound", PASSED, NULL, "the block is nobody's, and in use until the pin is gone" },
	{}
};

static const char *const windows_evicted[] = { "truncate.before_free", NULL };

const struct scenario e4_evict_forgets_entries = {
	.id = "E4",
	.name = "evict-forgets-entries",
	.title = "the inode of a deleted file goes, with a page in a pipe",
	.story = "Unlinking and closing a file frees its blocks by eviction, which broke no layout:\n"
		 "there was no system call to fail, and nobody to send a signal to. Since v6.15 it\n"
		 "waits, without an end but that of the pin. Who closes the file may be the one who\n"
		 "would read the pipe next; so here the block stays in use instead, also over an\n"
		 "unmount.",
	.interleaving =
		"owner                               reader\n"
		"vmsplice(2) of its page: pinned\n"
		"unlink(2), munmap(2), close(2)\n"
		"  eviction: frees the block (bug)\n"
		"                                    reads the pipe",
	.references = "0e2f80afcfa6 \"fs/dax: ensure all pages are idle prior to filesystem unmount\", v6.15;\n"
		      "befd9a71d859 (fuse); races.md E4",
	.windows = windows_evicted,
	.role = {
		{ "owner", MAP_PTES, NULL, "gives a page of an unlinked file to a pipe, closes" },
		{ "reader", MAP_NONE, "owner", "reads the pipe" },
	},
	.memory = PINNABLE,
	.play = evicted,
	.check = evicted_ended,
	.expect = expect_evicted,
};
