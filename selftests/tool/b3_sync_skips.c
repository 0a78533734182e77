// SPDX-License-Identifier: GPL-2.0
/*
 * B3: syncs that pass entries which are locked (open in v7.3). Whether a promise
 * was broken, and which way, is the ledger's to say (module/ledger.h).
 */
#include "b3.h"
#include "steps.h"
#include "stories.h"

#define AT	5

const char b3_references[] =
	"races.md B3 and B3b: forced on stock 6.1 and 7.3 with ext4 and xfs, and B3 seen\n"
	"unforced; dax_writeback_one() since 0e40de0338d0 (v4.20), and since v4.10";

bool b3_store(struct run *run)
{
	return done(run, "storer", DEED(STORE, .page = AT, .value = 0xb3 + run_number(run)));
}

/* The ledger has looked: the store was owed. And of PMD stories that it was one. */
void b3_certify(struct run *run, bool pmd)
{
	CERTIFY(run, grown(run, "promised_pages"));
	CERTIFY(run, !pmd == !grown(run, "fault_pmd_mapped"));
}

/* A read fault of another process has the dirty entry locked. */
static void meets_fault(struct run *run, bool pmd)
{
	STEP(b3_store(run));
	STEP(held_at(run, "holder", "fault.after_grab", DEED(LOAD, .page = AT)));
	STEP(start(run, "syncer", DEED(FSYNC)));
	STEP(still(run));
	CERTIFY(run, crossed(run, "syncer", "writeback.found_locked"));
	/* wait_locked waits in the end, for nothing. */
	CERTIFY(run, is_idle(run, "syncer") ==
		     (skips_locked(run) && !variant_has(run, "towrite=wait_locked")));
	STEP(release(run, "holder"));
	STEP(still(run));
	b3_certify(run, pmd);
}

static void pte_meets_fault(struct run *run)
{
	meets_fault(run, false);
}

static void pmd_meets_fault(struct run *run)
{
	meets_fault(run, true);
}

static const char *const fault_windows[] = {
	"fault.after_grab", "writeback.found_locked", NULL
};

#define PASSES	CAUGHT, "broken-promise passed-while-locked"

/* A fault holds the entry: only the knob sync_scan can help. */
static const struct expectation expect_fault[] = {
	{ "sync_scan=positioned", PASSES, "open in v7.3" },
	{ "upstream-7.3", PASSES, NULL },
	{ POSITIONED("at_lock"), PASSES, "both, as in v7.3" },
	{ POSITIONED("at_protect"), PASSES, NULL },
	{ POSITIONED("wait_locked"), PASSES, "waits, but a fault flushes nothing" },
	{ POSITIONED("dirty_walk"), PASSES, NULL },
	{ POSITIONED("serialised"), PASSES, "a fault is no sync" },
	{ "sound", PASSED, NULL, "the sync sleeps until the fault is done" },
	{ "towrite=at_lock", PASSED, NULL, "B3 cured: caught by B3b" },
	{ "towrite=at_protect", PASSED, NULL, NULL },
	{ "towrite=wait_locked", PASSED, NULL, NULL },
	{ "towrite=dirty_walk", PASSED, NULL, NULL },
	{ "towrite=serialised", PASSED, NULL, NULL },
	{}
};

static const char fault_story[] =
	"The trap of B1 in writeback: an entry of the work list is locked, by a fault or by\n"
	"another sync. The sync asks for a conflict from where it stands, is told that there\n"
	"is none, and goes on. It returns 0: what was stored before it was called is not on\n"
	"the media.";

static const char fault_interleaving[] =
	"storer         holder                    syncer\n"
	"store: dirty\n"
	"               load: locks the entry\n"
	"                 * fault.after_grab\n"
	"                                         fsync: tags the entry\n"
	"                                           writeback.found_locked\n"
	"                                           passes it (bug), returns 0";

const struct scenario b3_writeback_skips_locked = {
	.id = "B3",
	.name = "writeback-skips-locked",
	.title = "fsync(2) returns although a dirty entry is locked and not flushed",
	.story = fault_story,
	.interleaving = fault_interleaving,
	.references = b3_references,
	.windows = fault_windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_PTES, NULL, "read fault on it: has the entry locked" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = pte_meets_fault,
	.expect = expect_fault,
};

const struct scenario b3_pmd = {
	.id = "B3-pmd",
	.name = "writeback-skips-locked-pmd",
	.title = "the same with a PMD entry",
	.story = fault_story,
	.interleaving = fault_interleaving,
	.references = b3_references,
	.windows = fault_windows,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores to a page" },
		{ "holder", MAP_PMDS, NULL, "read fault on it: has the PMD entry locked" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = pmd_meets_fault,
	.expect = expect_fault,
};

/* Another sync has the dirty entry locked, and has not flushed it. */
static void meets_sync(struct run *run, bool pmd)
{
	STEP(b3_store(run));
	STEP(held_at(run, "holder", "writeback.after_lock", DEED(FSYNC)));
	STEP(start(run, "syncer", DEED(FSYNC)));
	STEP(still(run));
	CERTIFY(run, is_idle(run, "syncer") ==
		     (skips_locked(run) && !variant_has(run, "towrite=wait_locked") &&
		      !variant_has(run, "towrite=serialised")));
	STEP(release(run, "holder"));
	STEP(still(run));
	b3_certify(run, pmd);
}

static void pte_meets_sync(struct run *run)
{
	meets_sync(run, false);
}

static void pmd_meets_sync(struct run *run)
{
	meets_sync(run, true);
}

static const char *const sync_windows[] = {
	"writeback.after_lock", "?writeback.found_locked", NULL
};

static const struct expectation expect_sync[] = {
	{ "sync_scan=positioned", PASSES, "open in v7.3" },
	{ "upstream-7.3", PASSES, "the second has tagged it anew" },
	{ POSITIONED("at_lock"), PASSES, "both, as in v7.3" },
	{ POSITIONED("at_protect"), PASSES, NULL },
	{ POSITIONED("wait_locked"), PASSED, NULL, "passes it, and waits for it in the end" },
	{ POSITIONED("dirty_walk"), PASSES, NULL },
	{ POSITIONED("serialised"), PASSED, NULL, "no other sync has anything locked" },
	{ "sound", PASSED, NULL, "the sync sleeps until the other is done" },
	{ "towrite=at_lock", PASSED, NULL, "B3 cured: caught by B3b" },
	{ "towrite=at_protect", PASSED, NULL, NULL },
	{ "towrite=wait_locked", PASSED, NULL, NULL },
	{ "towrite=dirty_walk", PASSED, NULL, NULL },
	{ "towrite=serialised", PASSED, NULL, NULL },
	{}
};

static const char sync_story[] =
	"As B3, but it is another sync that has the entry locked and has not flushed it yet.\n"
	"The second one finds the entry dirty and tags it, and then passes it.";

static const char sync_interleaving[] =
	"storer         holder                    syncer\n"
	"store: dirty\n"
	"               fsync: locks the entry\n"
	"                 * writeback.after_lock\n"
	"                                         fsync: tags the entry\n"
	"                                           writeback.found_locked\n"
	"                                           passes it (bug), returns 0\n"
	"                 flushes";

const struct scenario b3_sync = {
	.id = "B3-sync",
	.name = "writeback-skips-locked-by-sync",
	.title = "fsync(2) returns although another has the entry locked and not flushed",
	.story = sync_story,
	.interleaving = sync_interleaving,
	.references = b3_references,
	.windows = sync_windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_NONE, NULL, "fsync(2): has the entry locked" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = pte_meets_sync,
	.expect = expect_sync,
};

const struct scenario b3_sync_pmd = {
	.id = "B3-sync-pmd",
	.name = "writeback-skips-locked-by-sync-pmd",
	.title = "the same with a PMD entry",
	.story = sync_story,
	.interleaving = sync_interleaving,
	.references = b3_references,
	.windows = sync_windows,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores to a page" },
		{ "holder", MAP_NONE, NULL, "fsync(2): has the PMD entry locked" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = pmd_meets_sync,
	.expect = expect_sync,
};

/* The fault holds another page: the sync has nothing to wait for. */
static void misses_fault(struct run *run)
{
	STEP(b3_store(run));
	STEP(held_at(run, "holder", "fault.after_grab", DEED(LOAD, .page = AT + 4)));
	STEP(done(run, "syncer", DEED(FSYNC)));
	REQUIRE(run, grown(run, "flushes") == 1);
	STEP(release(run, "holder"));
	STEP(still(run));
	b3_certify(run, false);
}

static const struct expectation expect_elsewhere[] = {
	{ "sync_scan=positioned", PASSED, NULL, "what it promises is not locked" },
	{ "towrite=at_lock", PASSED, NULL, "there is one sync only" },
	{ POSITIONED("at_lock"), PASSED, NULL, NULL },
	{ "towrite=at_protect", PASSED, NULL, NULL },
	{ "towrite=wait_locked", PASSED, NULL, NULL },
	{ "towrite=dirty_walk", PASSED, NULL, NULL },
	{ "towrite=serialised", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, NULL },
	{}
};

static const char *const windows_elsewhere[] = {
	"fault.after_grab", "writeback.after_lock", NULL
};

const struct scenario b3_elsewhere = {
	.id = "B3-elsewhere",
	.name = "writeback-locked-elsewhere",
	.title = "control: the locked entry is another page's",
	.story = "As B3, but the fault is on a page that was not stored to.",
	.interleaving =
		"storer         holder                    syncer\n"
		"store page 5\n"
		"               load page 9: locked\n"
		"                 * fault.after_grab\n"
		"                                         fsync: flushes page 5",
	.references = b3_references,
	.windows = windows_elsewhere,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_PTES, NULL, "read fault on another page" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = misses_fault,
	.expect = expect_elsewhere,
};
