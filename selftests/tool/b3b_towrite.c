// SPDX-License-Identifier: GPL-2.0
/*
 * B3b: a sync's work list is taken away before what is on it was flushed (open in
 * v7.3), and which cures of that are any good
 */
#include "b3.h"
#include "stories.h"

/* One sync has tagged; the other locks the entry and takes the tag away. */
static void meets(struct run *run, const char *window, bool pmd)
{
	bool alone = variant_has(run, "towrite=serialised");

	STEP(b3_store(run));
	STEP(held_at(run, "tagger", "writeback.after_tag", DEED(FSYNC)));
	if (alone) {
		STEP(start(run, "locker", DEED(FSYNC)));
		STEP(blocked(run, "locker"));
	} else {
		STEP(held_at(run, "locker", window, DEED(FSYNC)));
	}
	STEP(release(run, "tagger"));
	STEP(still(run));
	/* Who tagged sleeps until the other has flushed, or it is wrong. */
	CERTIFY(run, alone || is_idle(run, "tagger") != is_asleep(run, "tagger"));
	STEP(release(run, "locker"));
	STEP(still(run));
	b3_certify(run, pmd);
}

static void early(struct run *run)
{
	meets(run, "writeback.after_lock", false);
}

static void early_pmd(struct run *run)
{
	meets(run, "writeback.after_lock", true);
}

static void late(struct run *run)
{
	meets(run, "writeback.after_wrprotect", false);
}

static void late_pmd(struct run *run)
{
	meets(run, "writeback.after_wrprotect", true);
}

#define TAKEN	CAUGHT, "broken-promise taken-from-its-list"
#define SKIPS	CAUGHT, "broken-promise passed-while-locked"

/* What the two stories have in common: all but at_protect. */
#define EXPECT									\
	{ "towrite=at_lock", TAKEN, "open in v7.3; B3's cure does not help" },	\
	{ "sync_scan=positioned", SKIPS, "finds the tag, and passes the lock" }, \
	{ "upstream-7.3", TAKEN, NULL },					\
	{ POSITIONED("at_lock"), TAKEN, "both, as in v7.3" },			\
	{ POSITIONED("wait_locked"), PASSED, NULL, "waits for it in the end" },	\
	{ POSITIONED("dirty_walk"), SKIPS, "finds it, and passes the lock" },	\
	{ POSITIONED("serialised"), PASSED, NULL, "the other has not begun" },	\
	{ "sound", PASSED, NULL, "the tag stays until the flush: found, and waited for" }, \
	{ "towrite=wait_locked", PASSED, NULL, "finds nothing to do, and waits in the end" }, \
	{ "towrite=dirty_walk", PASSED, NULL, "the mark it looks for stays until the flush" }, \
	{ "towrite=serialised", PASSED, NULL, "the other has not begun" }

static const struct expectation expect_early[] = {
	EXPECT,
	{ "towrite=at_protect", PASSED, NULL, "here the tag is there still: caught by B3b-late" },
	{ POSITIONED("at_protect"), SKIPS, NULL },
	{}
};

static const struct expectation expect_late[] = {
	EXPECT,
	{ "towrite=at_protect", TAKEN, "no cure: narrower only" },
	{ POSITIONED("at_protect"), TAKEN, NULL },
	{}
};

static const char story[] =
	"TOWRITE is a sync's work list. Upstream clears it when the entry is locked, before\n"
	"the flush, and argues that another sync will find the entry locked and wait. But\n"
	"that one looks for TOWRITE: it does not find the entry at all, and returns before\n"
	"the first has flushed.";

static const char interleaving[] =
	"storer         locker                    tagger\n"
	"store: dirty\n"
	"                                         fsync: DIRTY -> TOWRITE\n"
	"                                           * writeback.after_tag\n"
	"               fsync: locks the entry\n"
	"                 clears TOWRITE (bug)\n"
	"                 * writeback.after_lock\n"
	"                                           no TOWRITE: returns 0\n"
	"                 flushes";

static const char *const windows_early[] = {
	"writeback.after_tag", "writeback.after_lock", NULL
};

const struct scenario b3b_towrite_cleared_early = {
	.id = "B3b",
	.name = "towrite-cleared-early",
	.title = "fsync(2) returns because another sync has taken its work list",
	.story = story,
	.interleaving = interleaving,
	.references = b3_references,
	.windows = windows_early,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "tagger", MAP_NONE, NULL, "fsync(2): has tagged the entry" },
		{ "locker", MAP_NONE, NULL, "fsync(2): has locked it" },
	},
	.play = early,
	.expect = expect_early,
};

const struct scenario b3b_pmd = {
	.id = "B3b-pmd",
	.name = "towrite-cleared-early-pmd",
	.title = "the same with a PMD entry",
	.story = story,
	.interleaving = interleaving,
	.references = b3_references,
	.windows = windows_early,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores to a page" },
		{ "tagger", MAP_NONE, NULL, "fsync(2): has tagged the PMD entry" },
		{ "locker", MAP_NONE, NULL, "fsync(2): has locked it" },
	},
	.play = early_pmd,
	.expect = expect_early,
};

static const char late_story[] =
	"As B3b, but the first has write-protected the entry as well. It catches who only\n"
	"moves the end of TOWRITE behind that: it must not go before the flush.";

static const char late_interleaving[] =
	"storer         locker                    tagger\n"
	"store: dirty\n"
	"                                         fsync: DIRTY -> TOWRITE\n"
	"                                           * writeback.after_tag\n"
	"               fsync: locks, protects\n"
	"                 clears TOWRITE (bug)\n"
	"                 * writeback.after_wrprotect\n"
	"                                           no TOWRITE: returns 0\n"
	"                 flushes";

static const char *const windows_late[] = {
	"writeback.after_tag", "writeback.after_wrprotect", NULL
};

const struct scenario b3b_late = {
	.id = "B3b-late",
	.name = "towrite-cleared-before-flush",
	.title = "likewise, between write-protect and flush",
	.story = late_story,
	.interleaving = late_interleaving,
	.references = b3_references,
	.windows = windows_late,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "tagger", MAP_NONE, NULL, "fsync(2): has tagged the entry" },
		{ "locker", MAP_NONE, NULL, "fsync(2): has locked and protected it" },
	},
	.play = late,
	.expect = expect_late,
};

const struct scenario b3b_late_pmd = {
	.id = "B3b-late-pmd",
	.name = "towrite-cleared-before-flush-pmd",
	.title = "the same with a PMD entry",
	.story = late_story,
	.interleaving = late_interleaving,
	.references = b3_references,
	.windows = windows_late,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores to a page" },
		{ "tagger", MAP_NONE, NULL, "fsync(2): has tagged the PMD entry" },
		{ "locker", MAP_NONE, NULL, "fsync(2): has locked and protected it" },
	},
	.play = late_pmd,
	.expect = expect_late,
};
