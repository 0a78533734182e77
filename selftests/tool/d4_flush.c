// SPDX-License-Identifier: GPL-2.0
/*
 * D4: a part of an entry is flushed. D5: a dirty entry is removed.
 */
#include "steps.h"
#include "stories_d.h"

#define AT	5

static void store_and_sync(struct run *run, unsigned long page)
{
	STEP(done(run, "storer",
		  DEED(STORE, .page = page, .value = 1 + run_number(run))));
	STEP(done(run, "syncer", DEED(FSYNC)));
	REQUIRE(run, grown(run, "fault_pmd_mapped"));
	REQUIRE(run, grown(run, "promises") == 1 && grown(run, "promised_pages") == 1);
}

static void tail(struct run *run)
{
	store_and_sync(run, AT);
}

static void head(struct run *run)
{
	store_and_sync(run, 0);
}

static const char *const windows[] = { "writeback.after_flush", NULL };

static const struct expectation expect_d4[] = {
	{ "flush=first_page", CAUGHT, "broken-promise flushed-in-part", NULL },
	{ "flush=from_start", PASSED, NULL, "the sync began at page 0" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

static const char interleaving[] =
	"storer                        syncer\n"
	"store by a PMD, page 5\n"
	"                              fsync: flushes page 0 only (bug)\n"
	"                                marks off, returns 0";

const struct scenario d4_partial_flush = {
	.id = "D4",
	.name = "partial-cache-flush",
	.title = "a sync flushes the first page of a PMD entry",
	.story = "flush_cache_page() was called for a huge page as for a small one. Upstream that only\n"
		 "matters where caches have virtual aliases; here the flush to media is what is too\n"
		 "small. The ledger knows lines of 64 bytes, so it sees which were not flushed.",
	.interleaving = interleaving,
	.references = "races.md D4; e583b5c472bd \"dax: fix cache flush on PMD-mapped pages\" (v5.19)",
	.windows = windows,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores through a huge pmd" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = tail,
	.expect = expect_d4,
};

static const struct expectation expect_first[] = {
	{ "flush=first_page", PASSED, NULL, "that is what was stored to" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario d4_first = {
	.id = "D4-first",
	.name = "first-page-flush",
	.title = "control: the store is to the first page",
	.story = "As D4, but only page 0 was stored to.",
	.interleaving = interleaving,
	.references = "races.md D4",
	.windows = windows,
	.role = {
		{ "storer", MAP_PMDS, NULL, "stores through a huge pmd" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = head,
	.expect = expect_first,
};

/* A store meets a write(2) to the other half of a new block. */
static void store_in_write(struct run *run, unsigned long page)
{
	STEP(held_at(run, "writer", "write.before_invalidate", DEED(WRITE_HALF, .page = AT)));
	STEP(done(run, "storer",
		  DEED(STORE, .page = page, .value = 1 + run_number(run))));
	STEP(release(run, "writer"));
	STEP(ended(run, "writer"));
	STEP(done(run, "syncer", DEED(FSYNC)));
	/* Nobody is held: the write may have come first. */
	CERTIFY(run, grown(run, "promised_pages") == 1);
}

static void same_page(struct run *run)
{
	store_in_write(run, AT);
}

static void other_page(struct run *run)
{
	store_in_write(run, AT + 1);
}

static const char *const windows_d5[] = { "write.before_invalidate", NULL };

static const struct expectation expect_d5[] = {
	{ "invalidate=drop_dirty", CAUGHT, "broken-promise entry-dropped", NULL },
	{ "sound", PASSED, NULL, "the dirty entry stays" },
	{}
};

static const char interleaving_d5[] =
	"storer                        writer                     syncer\n"
	"                              write: second half of a page\n"
	"                                allocates its block\n"
	"                                * write.before_invalidate\n"
	"store to the first half: dirty\n"
	"                                removes the dirty entry (bug)\n"
	"                                copies\n"
	"                                                         fsync: nothing is dirty,\n"
	"                                                           returns 0";

const struct scenario d5_drops_dirty = {
	.id = "D5",
	.name = "invalidate-drops-dirty",
	.title = "the invalidation of write(2) removes a dirty entry",
	.story = "An entry that is DIRTY, or has TOWRITE, stands for data that is in caches only, or\n"
		 "on its way. invalidate_inode_pages2() deleted entries whatever their marks: a sync\n"
		 "found nothing to flush then, and what was stored to another part of the block was\n"
		 "lost.",
	.interleaving = interleaving_d5,
	.references = "races.md D5; fixed by c6dcf52c23d2 \"mm: Invalidate DAX radix tree entries only\n"
		      "if appropriate\" (v4.10)",
	.windows = windows_d5,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to the first half of a page" },
		{ "writer", MAP_NONE, NULL, "write(2) to its second half" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = same_page,
	.expect = expect_d5,
};

static const struct expectation expect_elsewhere[] = {
	{ "invalidate=drop_dirty", PASSED, NULL, "it is not in the range of the write" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario d5_elsewhere = {
	.id = "D5-elsewhere",
	.name = "invalidate-beside-dirty",
	.title = "control: the store is to another page",
	.story = "As D5, but the write does not reach the page that was stored to.",
	.interleaving = interleaving_d5,
	.references = "races.md D5",
	.windows = windows_d5,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to the next page" },
		{ "writer", MAP_NONE, NULL, "write(2)" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.play = other_page,
	.expect = expect_elsewhere,
};
