// SPDX-License-Identifier: GPL-2.0
/*
 * C9: a read fault and a write fault on one hole: why there is an entry lock (2016)
 */
#include "steps.h"
#include "stories.h"

#define AT	5
#define NEW	0x99c9
#define LOOKED	"fault.after_iomap_begin"

static const char references[] =
	"ac401cc78242 \"dax: New fault locking\", v4.7";

static const char story[] =
	"Before v4.7 nothing serialised two faults on one page. A read fault and a write fault\n"
	"both see a hole. The write fault allocates a block; the read fault, which knows\n"
	"nothing of it, stores a hole page. Then the write fault finds its place taken: the\n"
	"process is killed with SIGBUS for a store that nothing stands against. Or, in the\n"
	"other order, the zeroes are stored over the data. The lock bit in the entry was\n"
	"made for this.";

/* Both have looked at the map; the reader stores first. */
static void reader_first(struct run *run)
{
	STEP(held_at(run, "reader", LOOKED, DEED(LOAD, .page = AT)));
	STEP(arm(run, "storer", LOOKED));
	STEP(start(run, "storer", DEED(STORE, .page = AT, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "storer") == !variant_has(run, "map_order=blind"));
	STEP(release(run, "reader"));
	STEP(still(run));
	STEP(release(run, "storer"));
	STEP(still(run));
}

/* The storer is done before the reader, which has seen the hole, goes on. */
static void storer_first(struct run *run)
{
	STEP(held_at(run, "reader", LOOKED, DEED(LOAD, .page = AT)));
	STEP(start(run, "storer", DEED(STORE, .page = AT, .value = NEW)));
	STEP(still(run));
	CERTIFY(run, is_asleep(run, "storer") == !variant_has(run, "map_order=blind"));
	STEP(release(run, "reader"));
	STEP(still(run));
}

static void look(struct run *run)
{
	struct result seen;

	STEP(done(run, "reader", DEED(LOAD, .page = AT)));
	seen = result_of(run, "reader");
	if (seen.error || seen.value != NEW)
		caught(run, "stale-data user", "page %d of the mapping reads %#lx, not %#x",
		       AT, seen.value, NEW);
}

static const char *const windows[] = {
	"fault.after_iomap_begin", "?grab.enqueued", NULL
};

static const struct expectation expect[] = {
	{ "map_order=blind", CAUGHT, "failed-store store-failed", "before v4.7" },
	{ "sound", PASSED, NULL, "the write fault sleeps for the reader's entry" },
	{}
};

const struct scenario c9_hole_vs_write_fault = {
	.id = "C9",
	.name = "hole-vs-write-fault",
	.title = "a store fails because a read fault has put a hole page in its place",
	.story = story,
	.interleaving =
		"storer                             reader\n"
		"                                   load: map says hole\n"
		"                                     * fault.after_iomap_begin\n"
		"store: map says hole\n"
		"  allocates\n"
		"  * fault.after_iomap_begin\n"
		"                                     stores the hole page, maps it\n"
		"  its place is taken: SIGBUS (bug)",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores a word to a hole" },
		{ "reader", MAP_PTES, NULL, "loads it" },
	},
	.play = reader_first,
	.check = look,
	.expect = expect,
};

static const struct expectation expect_over[] = {
	{ "map_order=blind", CAUGHT, "stale-mapping -", "before v4.7" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c9_over_data = {
	.id = "C9-over",
	.name = "hole-over-write-fault",
	.title = "a read fault stores its hole over what a write fault has made",
	.story = story,
	.interleaving =
		"storer                             reader\n"
		"                                   load: map says hole\n"
		"                                     * fault.after_iomap_begin\n"
		"store: allocates, entry, PTE\n"
		"                                     stores the hole page over it, maps it (bug)",
	.references = references,
	.windows = windows,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores a word to a hole" },
		{ "reader", MAP_PTES, NULL, "loads it" },
	},
	.play = storer_first,
	.check = look,
	.expect = expect_over,
};
