// SPDX-License-Identifier: GPL-2.0
/*
 * B1, B2: walks that pass an entry because it is locked (2018, 2025)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define OLD	0xb1
#define LOCKED	"writeback.after_lock"

/*
 * Aligned to 2 MiB, so that punching has no edges to flush first: that flush
 * would wait for the entry, and hide the bug.
 */
#define CUT	DEED(PUNCH, .page = 0, .nr = PMD_PAGES)

static const char references[] =
	"6be3e21d25ca \"fs/dax: don't skip locked entries when scanning entries\", v6.15;\n"
	"dd59137bfe70 \"fs/dax: Fix 'don't skip locked entries ...'\", v6.16;\n"
	"the trap came with 0e40de0338d0, v4.20";

/* A page of the file must not show what was there before it was punched. */
static void look(struct run *run)
{
	STEP(done(run, "owner", DEED(LOAD, .page = AT)));
	if (result_of(run, "owner").value)
		caught(run, "freed-block user", "page %d reads %#lx after it was punched",
		       AT, result_of(run, "owner").value);
}

static bool sync_has_locked(struct run *run)
{
	return done(run, "owner", DEED(STORE, .page = AT, .value = OLD)) &&
	       held_at(run, "syncer", LOCKED, DEED(FSYNC));
}

static bool scan_skips(const struct run *run)
{
	return variant_has(run, "scan=positioned") || variant_is(run, "upstream-6.1");
}

static void skip(struct run *run)
{
	STEP(sync_has_locked(run));
	STEP(start(run, "cutter", CUT));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "cutter") == scan_skips(run));
	STEP(release(run, "syncer"));
	STEP(still(run));
}

static const char *const windows[] = {
	"writeback.after_lock", "scan.found_locked", NULL
};

static const struct expectation expect[] = {
	{ "scan=positioned", CAUGHT, "skipped-entry skipped", "bug of v4.20 to v6.14" },
	{ "upstream-6.1", CAUGHT, "skipped-entry skipped", NULL },
	{ "upstream-7.3", PASSED, NULL, "cured in v6.15 and v6.16" },
	{ "sound", PASSED, NULL, "the walk is seen asleep for the locked entry" },
	{}
};

const struct scenario b1_busy_scan_skips_locked = {
	.id = "B1",
	.name = "busy-scan-skips-locked",
	.title = "a punch passes an entry that a sync has locked, and frees its block",
	.story = "A walk that has been positioned on a locked entry asks for \"the entry that is in\n"
		 "conflict with my index\". From there that question looks at later slots only, and\n"
		 "the answer is none: the walk neither waits for the entry nor sees it. Upstream that\n"
		 "walk looks for pinned pages before blocks are freed. Here it is the one that removes\n"
		 "entries after blocks were cut off: the entry stays, over a block that is free, and\n"
		 "the next fault maps what may be another file's data by then.",
	.interleaving =
		"owner          syncer                    cutter\n"
		"store: dirty\n"
		"               fsync: locks the entry\n"
		"                 * writeback.after_lock\n"
		"                                         punch: blocks off the map\n"
		"                                           walk: scan.found_locked\n"
		"                                           passes it (bug); unmaps\n"
		"                                           frees the block\n"
		"               flushes, unlocks\n"
		"load: the freed block",
	.references = references,
	.windows = windows,
	.role = {
		{ "owner", MAP_PTES, NULL, "stores to a page" },
		{ "syncer", MAP_NONE, NULL, "fsync(2): has the entry locked" },
		{ "cutter", MAP_NONE, NULL, "punches the 2 MiB around it" },
	},
	.play = skip,
	.check = look,
	.expect = expect,
};

/* The neighbour is clean, so the sync does not lock it. */
static void reload(struct run *run)
{
	STEP(done(run, "owner", DEED(LOAD, .page = AT + 1)));
	STEP(sync_has_locked(run));
	STEP(start(run, "cutter", CUT));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "cutter"));
	STEP(release(run, "syncer"));
	STEP(still(run));
	CERTIFY(run, crossed(run, "cutter", "scan.after_wake"));
}

static const char *const windows_pause[] = {
	"writeback.after_lock", "scan.found_locked", "scan.after_wake", NULL
};

static const struct expectation expect_pause[] = {
	{ "scan=pause", CAUGHT, "skipped-entry skipped", "the first fix of B1, v6.15" },
	{ "v6.15", CAUGHT, "skipped-entry skipped", NULL },
	{ "sound", PASSED, NULL, "the walk looks its place up anew" },
	{}
};

const struct scenario b2_scan_pause_reloads_next = {
	.id = "B2",
	.name = "scan-pause-reloads-next",
	.title = "a punch waits for a locked entry, and goes on with its neighbour",
	.story = "The first fix of B1 waits, but calls xas_pause() before it sleeps: that moves the\n"
		 "walk past the entry, as a pause is meant for entries that are done. Awake, it reloads\n"
		 "what is there now: the neighbour. The entry that it waited for is never removed.",
	.interleaving =
		"owner          syncer                    cutter\n"
		"store page 5, load page 6\n"
		"               fsync: locks entry 5\n"
		"                 * writeback.after_lock\n"
		"                                         punch: blocks off the map\n"
		"                                           walk: scan.found_locked\n"
		"                                           pauses: stands at 6; asleep\n"
		"               flushes, unlocks, wakes\n"
		"                                           scan.after_wake: loads 6, removes it\n"
		"load page 5: the freed block",
	.references = references,
	.windows = windows_pause,
	.role = {
		{ "owner", MAP_PTES, NULL, "stores to a page, has loaded the next" },
		{ "syncer", MAP_NONE, NULL, "fsync(2): has the first entry locked" },
		{ "cutter", MAP_NONE, NULL, "punches the 2 MiB around them" },
	},
	.play = reload,
	.check = look,
	.expect = expect_pause,
};

/* The sync is over before the walk begins. */
static void in_turn(struct run *run)
{
	STEP(done(run, "owner", DEED(LOAD, .page = AT + 1)));
	STEP(done(run, "owner", DEED(STORE, .page = AT, .value = OLD)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	STEP(done(run, "cutter", CUT));
	REQUIRE(run, grown(run, "entries_invalidated") == 2);
}

static const struct expectation expect_in_turn[] = {
	{ "scan=positioned", PASSED, NULL, "nothing is locked: the bug does not show" },
	{ "scan=pause", PASSED, NULL, "nobody sleeps" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

static const char *const windows_in_turn[] = { "writeback.after_lock", NULL };

const struct scenario b1_in_turn = {
	.id = "B1-in-turn",
	.name = "scan-unlocked",
	.title = "control: no entry is locked when the punch comes",
	.story = "As B1 and B2, but the sync has ended. The walk removes both entries.",
	.interleaving =
		"owner          syncer                    cutter\n"
		"store page 5, load page 6\n"
		"               fsync\n"
		"                                         punch: removes both entries",
	.references = references,
	.windows = windows_in_turn,
	.role = {
		{ "owner", MAP_PTES, NULL, "stores to a page, has loaded the next" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
		{ "cutter", MAP_NONE, NULL, "punches the 2 MiB around them" },
	},
	.play = in_turn,
	.check = look,
	.expect = expect_in_turn,
};

/* The walk of write(2): upstream looks entries up one by one there, from the top. */
static void wait_for_write(struct run *run)
{
	STEP(held_at(run, "owner", "fault.after_iomap_begin", DEED(LOAD, .page = AT)));
	STEP(start(run, "writer", DEED(WRITE, .page = AT, .nr = 1, .value = OLD)));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "writer"));
	STEP(release(run, "owner"));
	STEP(still(run));
}

static const char *const windows_write[] = {
	"fault.after_iomap_begin", "scan.found_locked", "invalidate.found_locked", NULL
};

static const struct expectation expect_write[] = {
	{ "scan=positioned", PASSED, NULL, "v4.20 to v6.14 had the bug in the scan of cuts only" },
	{ "scan=pause", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario b1_write = {
	.id = "B1-write",
	.name = "invalidation-waits",
	.title = "control: write(2) waits for the entry of a fault, whatever scans do",
	.story = "What C1 takes for granted is that the invalidation waits for a locked entry. The\n"
		 "bugs of B1 and B2 were in the scan that goes before blocks are freed; the walk of\n"
		 "write(2) looks each entry up anew and never had them.",
	.interleaving =
		"owner                              writer\n"
		"load: entry locked, map says hole\n"
		"  * fault.after_iomap_begin\n"
		"                                   write: allocates\n"
		"                                     walk: scan.found_locked, asleep\n"
		"  zero entry, zero page; unlocks\n"
		"                                     removes both, copies",
	.references = references,
	.windows = windows_write,
	.role = {
		{ "owner", MAP_PTES, NULL, "loads a word of a hole" },
		{ "writer", MAP_NONE, NULL, "writes that page" },
	},
	.play = wait_for_write,
	.expect = expect_write,
};
