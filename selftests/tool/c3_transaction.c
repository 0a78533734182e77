// SPDX-License-Identifier: GPL-2.0
/*
 * C3: entry lock and filesystem transaction in two orders (2016)
 */
#include "steps.h"
#include "stories.h"

#define TO	3	/* page that is written */
#define FROM	7	/* page of the mapping that it is copied from */
#define HAS_BLOCKS	"write.after_iomap_begin"

static const char *const windows[] = {
	"write.after_iomap_begin", "fault.after_grab", "?grab.enqueued", NULL
};

/* What is the fault doing while the write has its blocks, and maybe its handle? */
static bool storer_is_where_it_must_be(struct run *run)
{
	if (variant_has(run, "txn=kept") || variant_has(run, "txn=dropped"))
		return !is_idle(run, "storer") && crossed(run, "storer", "fault.after_grab");
	if (variant_has(run, "txn=first"))
		return !is_idle(run, "storer") && !crossed(run, "storer", "fault.after_grab");
	return is_idle(run, "storer");
}

static void cross(struct run *run)
{
	STEP(held_at(run, "writer", HAS_BLOCKS, DEED(WRITE_FROM_MAP, .page = TO, .from = FROM)));
	STEP(start(run, "storer", DEED(STORE, .page = FROM, .value = 0x5709)));
	STEP(still(run));
	CERTIFY(run, storer_is_where_it_must_be(run));
	STEP(release(run, "writer"));
	STEP(still(run));
}

/* Memory of the same file, but not the page that the fault holds. */
static void apart(struct run *run)
{
	STEP(held_at(run, "writer", HAS_BLOCKS,
		     DEED(WRITE_FROM_MAP, .page = TO, .from = FROM + 1)));
	STEP(start(run, "storer", DEED(STORE, .page = FROM, .value = 0x5709)));
	STEP(still(run));
	CERTIFY(run, storer_is_where_it_must_be(run));
	STEP(release(run, "writer"));
	STEP(still(run));
}

static const char story[] =
	"A filesystem may hold something for all of a write(2), from the allocation of\n"
	"blocks to the end of the copy: a journal handle, say. The copy may fault on the\n"
	"user's buffer, and if that is a mapping of the same file, the fault wants an\n"
	"entry lock inside the handle. A write fault has its entry locked and then wants\n"
	"a handle to allocate a block. Each waits for the other; lockdep sees neither.\n"
	"\n"
	"The first answer was to read the map outside the entry lock (9f141d6ef625),\n"
	"which cost C1. The one that stayed: the handle is taken before the entry lock.";

static const char listing[] =
	"writer (buffer: mapping of the file)    storer\n"
	"write: handle, block for page 3\n"
	"  * write.after_iomap_begin\n"
	"                                        store to page 7: fault\n"
	"                                          locks entry 7\n"
	"                                          wants the handle: blocked\n"
	"  copies from page 7: fault\n"
	"    wants entry 7: asleep";

static const char references[] =
	"9f141d6ef625 \"dax: Call ->iomap_begin without entry lock during dax fault\", v4.10;\n"
	"fb26a1cbed8c \"ext4: return to starting transaction in ext4_dax_huge_fault()\", v4.12";

static const struct expectation expect[] = {
	{ "txn=kept", CAUGHT, "deadlock -", "the ABBA of 2016" },
	{ "txn=dropped", PASSED, NULL, "the handle ends when the blocks are there" },
	{ "txn=first", PASSED, NULL, "a write fault takes its handle first: ext4 today" },
	{ "sound", PASSED, NULL, "there is no handle: each change of the map is one store" },
	{}
};

const struct scenario c3_entry_lock_vs_transaction = {
	.id = "C3",
	.name = "entry-lock-vs-transaction",
	.title = "write(2) holds a transaction and faults, a fault holds an entry and wants one",
	.story = story,
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "writer", MAP_PTES, NULL, "writes a page from its mapping of the file" },
		{ "storer", MAP_PTES, NULL, "stores to the page that is copied from" },
	},
	.play = cross,
	.expect = expect,
};

static const struct expectation expect_apart[] = {
	{ "txn=kept", PASSED, NULL, "no cycle: the copy needs another entry" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c3_apart = {
	.id = "C3-apart",
	.name = "entry-lock-vs-transaction-apart",
	.title = "control: the buffer is another page than the one that is stored to",
	.story = "As C3, but the write copies from a page that nobody has locked. The fault waits\n"
		 "for the handle, with its entry locked, and the write ends and gives it: waiting is\n"
		 "no deadlock, and the oracle must know the difference.",
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.role = {
		{ "writer", MAP_PTES, NULL, "writes a page from its mapping of the file" },
		{ "storer", MAP_PTES, NULL, "stores to another page" },
	},
	.play = apart,
	.expect = expect_apart,
};
