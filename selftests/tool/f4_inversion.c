// SPDX-License-Identifier: GPL-2.0
/*
 * F4: cyclic writeback that goes on at the start of the file (2018)
 */
#include "steps.h"
#include "stories_f.h"

#define COLLECTED	"pwb.after_set_writeback"

static const char *const windows[] = { COLLECTED, "pwb.before_lock_next", NULL };

/* The next cyclic writeback begins at page 2; pages 1 and 2 are dirty. */
static void begin_at_2(struct run *run)
{
	STEP(done(run, "flusher", DEED(WRITE, .page = 0, .nr = 2, .value = 1)));
	STEP(done(run, "flusher", DEED(FLUSH, .nr = 2)));
	STEP(done(run, "flusher", DEED(WRITE, .page = 1, .nr = 2, .value = 2)));
}

static void cross(struct run *run)
{
	STEP(held_at(run, "flusher", COLLECTED, DEED(FLUSH)));
	STEP(done(run, "first", DEED(WRITE, .page = 2, .value = 3)));
	STEP(held_at(run, "first", COLLECTED, DEED(FSYNC)));
	STEP(done(run, "second", DEED(WRITE, .page = 1, .value = 4)));
	STEP(start(run, "second", DEED(FSYNC)));
	STEP(still(run));
	STEP(release(run, "first"));
	STEP(still(run));
	STEP(release(run, "flusher"));
	STEP(still(run));
}

static const char story[] =
	"Cyclic writeback goes on where the last one has ended. Before v4.20 it went on at\n"
	"the start of the file when it came to the end, with the folios of the end still in\n"
	"its bio. So it took folio locks in descending order there, and others ascend: with\n"
	"two fsyncs, of which each waits for a writeback that another has not submitted, that\n"
	"is a cycle of three. No reclaim is in it, and no fault.";

static const char listing[] =
	"flusher - cyclic, from page 2   first - fsync            second - fsync\n"
	"\n"
	"folio 2: writeback, in its bio\n"
	"  * pwb.after_set_writeback\n"
	"                                (stores to page 2)\n"
	"                                folio 1: writeback,\n"
	"                                in its bio\n"
	"                                  * pwb.after_set_writeback\n"
	"                                                         (stores to page 1)\n"
	"                                                         locks folio 1, waits\n"
	"                                                         for its writeback\n"
	"                                locks folio 2, waits\n"
	"                                for its writeback\n"
	"goes on at page 0: wants the\n"
	"lock of folio 1";

static const struct expectation expect[] = {
	{ "submit=block,wrap=inside", CAUGHT, "deadlock -", "the bug, until v4.20" },
	{ "submit=block,wrap=submitted", PASSED, NULL,
	  "nothing is in hand where the order turns around" },
	{ "submit=block", PASSED, NULL, "64081362e8ff, merged: the next call begins at the start" },
	{ "wrap=inside", PASSED, NULL, "who submits before he waits may lock in any order" },
	{ "submit=per_folio,wrap=inside", PASSED, NULL, "nothing is ever in hand" },
	{ "submit=plug,wrap=inside", PASSED, NULL, "going to sleep submits" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario f4_range_cyclic_inversion = {
	.id = "F4",
	.name = "range-cyclic-inversion",
	.title = "writeback wraps to the start of the file with the end of it in its bio",
	.story = story,
	.interleaving = listing,
	.references = "64081362e8ff \"mm/page-writeback.c: fix range_cyclic writeback vs writepages\n"
		      "deadlock\", v4.20 (Dave Chinner)",
	.windows = windows,
	.pages = 4,
	.page_cache = true,
	.role = {
		{ "flusher", MAP_NONE, NULL, "cyclic writeback, from page 2 on" },
		{ "first", MAP_NONE, NULL, "stores to page 2, and syncs pages 1 and 2" },
		{ "second", MAP_NONE, NULL, "stores to page 1, and syncs it" },
	},
	.prepare = begin_at_2,
	.play = cross,
	.after = pwb_after,
	.expect = expect,
};
