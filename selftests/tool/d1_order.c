// SPDX-License-Identifier: GPL-2.0
/*
 * D1: a sync write-protects, flushes and takes the marks off. All six orders, and
 * the sound one without the entry lock: what is lost if a store, or another sync,
 * comes in either gap between the steps.
 */
#include "steps.h"
#include "stories_d.h"

#define AT	5

static const char references[] =
	"races.md D1; 9973c98ecfda (v4.5, marks never went), 4b4bb46d00b3 and a6abc2c0e77b\n"
	"(v4.10: flushed under the entry lock, then clean). The other orders never shipped.";

/* The window behind the Nth step of this variant's order, from 1. */
static const char *gap_window(const struct run *run, unsigned int nth)
{
	static const char knob[] = "flush_order=";
	const char *order = strstr(run_variant(run), knob);

	order = order ? order + strlen(knob) : "protect_flush_clean";
	while (--nth)
		order = strchr(order, '_') + 1;
	switch (*order) {
	case 'p':
		return "writeback.after_wrprotect";
	case 'f':
		return "writeback.after_flush";
	default:
		return "writeback.after_marks";
	}
}

static bool store(struct run *run, unsigned long value)
{
	return done(run, "storer",
		    DEED(STORE, .page = AT, .value = value + 4 * run_number(run)));
}

/* A store comes while a sync is between two steps. Is it there after the next sync? */
static void store_in_gap(struct run *run, unsigned int nth)
{
	STEP(store(run, 1));
	STEP(held_at(run, "syncer", gap_window(run, nth), DEED(FSYNC)));
	STEP(start(run, "storer",
		   DEED(STORE, .page = AT, .value = 2 + 4 * run_number(run))));
	STEP(still(run));
	STEP(release(run, "syncer"));
	STEP(still(run));
	STEP(done(run, "syncer", DEED(FSYNC)));
	CERTIFY(run, grown(run, "promised_pages"));
}

static void store_early(struct run *run)
{
	store_in_gap(run, 1);
}

static void store_late(struct run *run)
{
	store_in_gap(run, 2);
}

static const char *const windows[] = {
	"writeback.after_lock", "?writeback.after_wrprotect", "?writeback.after_flush",
	"?writeback.after_marks", NULL
};

#define LOST	CAUGHT, "broken-promise marked-clean"

static const struct expectation expect_early[] = {
	{ "flush_order=flush_protect_clean", LOST, "flushed, stored to, then marked clean" },
	{ "flush_order=flush_clean_protect", LOST, "likewise" },
	{ "flush_order=clean_flush_protect", PASSED, NULL, "the flush is still to come" },
	{ "flush_order=clean_protect_flush", PASSED, NULL, "likewise: caught by D1-second" },
	{ "flush_order=protect_clean_flush", PASSED, NULL,
	  "the store waits: caught by D1-second-late" },
	{ "sync_lock=none", CAUGHT, "unprotected-mapping -",
	  "the store comes by a fault in between, and its mark is taken off: the next is lost" },
	{ "sound", PASSED, NULL, "the store waits for the entry" },
	{}
};

const struct scenario d1_redirty = {
	.id = "D1",
	.name = "tag-clear-vs-redirty",
	.title = "a store between the first and the second step of a sync",
	.story = "A sync has three things to do with an entry: write-protect all its mappings, flush\n"
		 "it, take the marks off. If the flush comes before the protection, a store between\n"
		 "the two takes no fault, and is in no flush, and the entry is clean: no later sync\n"
		 "will find it. The entry has to be locked meanwhile, or a fault makes it writable\n"
		 "again, and loses its mark.",
	.interleaving =
		"storer                        syncer\n"
		"store: dirty\n"
		"                              fsync: flushes (too early)\n"
		"                                * behind the first step\n"
		"store: no fault\n"
		"                                protects, takes the marks off\n"
		"                              fsync: finds a clean entry, returns 0",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page, and again" },
		{ "syncer", MAP_NONE, NULL, "fsync(2), and again" },
	},
	.play = store_early,
	.expect = expect_early,
};

static const struct expectation expect_late[] = {
	{ "flush_order=flush_clean_protect", LOST, NULL },
	{ "flush_order=clean_flush_protect", LOST, NULL },
	{ "sync_lock=none", LOST, "flushed, stored to by a fault, then marked clean" },
	{ "flush_order=flush_protect_clean", PASSED, NULL, "the store waits: caught by D1" },
	{ "flush_order=clean_protect_flush", PASSED, NULL, "likewise: caught by D1-second" },
	{ "flush_order=protect_clean_flush", PASSED, NULL, "likewise: caught by D1-second-late" },
	{ "sound", PASSED, NULL, "the store waits for the entry" },
	{}
};

const struct scenario d1_redirty_late = {
	.id = "D1-late",
	.name = "tag-clear-vs-redirty-late",
	.title = "a store between the second and the third step of a sync",
	.story = "As D1, in the other gap.",
	.interleaving =
		"storer                        syncer\n"
		"store: dirty\n"
		"                              fsync: flushes, takes the marks off\n"
		"                                * behind the second step\n"
		"store: no fault\n"
		"                                protects\n"
		"                              fsync: finds a clean entry, returns 0",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page, and again" },
		{ "syncer", MAP_NONE, NULL, "fsync(2), and again" },
	},
	.play = store_late,
	.expect = expect_late,
};

/* Another sync is called while the first is between two steps. */
static void sync_in_gap(struct run *run, unsigned int nth)
{
	STEP(store(run, 1));
	STEP(held_at(run, "syncer", gap_window(run, nth), DEED(FSYNC)));
	STEP(start(run, "second", DEED(FSYNC)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "second") != is_asleep(run, "second"));
	STEP(release(run, "syncer"));
	STEP(still(run));
	CERTIFY(run, grown(run, "promised_pages"));
}

static void sync_early(struct run *run)
{
	sync_in_gap(run, 1);
}

static void sync_late(struct run *run)
{
	sync_in_gap(run, 2);
}

static const struct expectation expect_second[] = {
	{ "flush_order=clean_protect_flush", LOST, "passes with a single sync" },
	{ "flush_order=clean_flush_protect", LOST, NULL },
	{ "flush_order=protect_clean_flush", PASSED, NULL,
	  "DIRTY still: caught by D1-second-late" },
	{ "flush_order=flush_protect_clean", PASSED, NULL, "flushed already: caught by D1" },
	{ "flush_order=flush_clean_protect", PASSED, NULL, "likewise" },
	{ "sync_lock=none", PASSED, NULL, "the second flushes as well" },
	{ "sound", PASSED, NULL, "the second waits for the first" },
	{}
};

static const char story_second[] =
	"As D1, but what comes in the gap is another sync. If the marks are off before the\n"
	"flush, it finds a clean entry, and returns while the first has not flushed. A single\n"
	"sync never shows that.";

const struct scenario d1_second = {
	.id = "D1-second",
	.name = "marks-off-before-flush",
	.title = "a second sync between the first and the second step of another",
	.story = story_second,
	.interleaving =
		"storer                   syncer                   second\n"
		"store: dirty\n"
		"                         fsync: marks off (bug)\n"
		"                           * behind the first step\n"
		"                                                  fsync: clean, returns 0\n"
		"                           protects, flushes",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
		{ "second", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = sync_early,
	.expect = expect_second,
};

static const struct expectation expect_second_late[] = {
	{ "flush_order=protect_clean_flush", LOST, "passes with a single sync" },
	{ "flush_order=clean_protect_flush", LOST, NULL },
	{ "flush_order=clean_flush_protect", PASSED, NULL, "flushed by now: caught by D1-second" },
	{ "flush_order=flush_protect_clean", PASSED, NULL, "likewise: caught by D1" },
	{ "flush_order=flush_clean_protect", PASSED, NULL, "likewise" },
	{ "sync_lock=none", PASSED, NULL, "the second flushes as well" },
	{ "sound", PASSED, NULL, "the second waits for the first" },
	{}
};

const struct scenario d1_second_late = {
	.id = "D1-second-late",
	.name = "marks-off-before-flush-late",
	.title = "a second sync between the second and the third step of another",
	.story = story_second,
	.interleaving =
		"storer                   syncer                   second\n"
		"store: dirty\n"
		"                         fsync: protects,\n"
		"                           marks off (bug)\n"
		"                           * behind the second step\n"
		"                                                  fsync: clean, returns 0\n"
		"                           flushes",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
		{ "second", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = sync_late,
	.expect = expect_second_late,
};
