// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs that fs/dax.c had once: the same windows are held on the kernel of now, which
 * must pass. The file is a hole at the beginning of each run.
 *
 * Whoever sleeps in the kernel's own wait table when all others are at rest, and
 * nothing is held, will sleep for ever: that is what a lost wakeup comes to here. No
 * rescue ends it.
 */
#include "bridge.h"
#include "steps.h"

#include <errno.h>
#include <unistd.h>

#define HELD	"fault.before_insert_entry"
#define GRAB	"fault.before_grab"
#define INVAL	"write.before_invalidate"

static void make_hole(struct run *run)
{
	off_t size = (run->scenario->pages ?: 2 * PMD_PAGES) * PAGE;

	if (ftruncate(run_fd(run), 0) || ftruncate(run_fd(run), size))
		inconclusive(run, "no hole: %s", strerror(errno));
}

/* Nothing is held any more, and all are at rest. */
static void nobody_sleeps(struct run *run, const char *const *roles)
{
	for (; *roles; roles++)
		if (!is_idle(run, *roles))
			caught(run, "lost wakeup", "nothing is held, and %s sleeps for an entry",
			       *roles);
}

static void pmd_fault_meets_pte(struct run *run)
{
	static const char *const roles[] = { "pte", "pmd", NULL };

	STEP(held_at(run, "pte", HELD, DEED(LOAD, .page = 1)));
	STEP(start(run, "pmd", DEED(LOAD, .page = 0)));
	STEP(still(run));
	/* The PMD, and then a PTE, which nobody has locked. */
	REQUIRE(run, !is_idle(run, "pmd") || crossed(run, "pmd", GRAB) >= 2);
	STEP(release(run, "pte"));
	STEP(still(run));
	nobody_sleeps(run, roles);
}

static const char *const windows_faults[] = { GRAB, HELD, NULL };
static const char *const windows_write[] = { GRAB, HELD, INVAL, NULL };

static const struct expectation lost[] = { { "stock", CAUGHT, "lost wakeup", NULL }, {} };
static const struct expectation stale[] = { { "stock", CAUGHT, "stale mapping", NULL }, {} };

static const struct scenario a1 = {
	.id = "A1",
	.name = "missed-wakeup-pmd-key",
	.title = "a PMD fault meets the locked entry of a page, on another key",
	.windows = windows_faults,
	.role = {
		{ "pte", MAP_PTES, NULL, "read fault: has the entry of page 1 locked" },
		{ "pmd", MAP_PMDS, NULL, "PMD read fault on the range of that page" },
	},
	.pages = 2 * PMD_PAGES,
	.prepare = make_hole,
	.play = pmd_fault_meets_pte,
	.expect = lost,
};

const struct scenario *const bridge_a1[] = { &a1, NULL };

/* The writer takes the PMD entry out; of two faults, one makes an entry of its own. */
static void write_wakes_faults(struct run *run)
{
	static const char *const roles[] = { "pmd", "writer", "fault1", "fault2", NULL };

	STEP(held_at(run, "pmd", HELD, DEED(LOAD, .page = 0)));
	STEP(start(run, "writer", DEED(WRITE, .page = 7, .value = 0xa4)));
	STEP(blocked(run, "writer"));
	STEP(start(run, "fault1", DEED(LOAD, .page = 3)));
	STEP(blocked(run, "fault1"));
	STEP(start(run, "fault2", DEED(LOAD, .page = 4)));
	STEP(blocked(run, "fault2"));
	STEP(release(run, "pmd"));
	STEP(still(run));
	nobody_sleeps(run, roles);
}

static const struct scenario a4 = {
	.id = "A4",
	.name = "wake-one-after-invalidate",
	.title = "three wait for a PMD entry, the first of them takes it out",
	.windows = windows_write,
	.role = {
		{ "pmd", MAP_PMDS, NULL, "PMD read fault: has the entry locked" },
		{ "writer", MAP_NONE, NULL, "write(2) into the hole: will invalidate it" },
		{ "fault1", MAP_PTES, NULL, "read fault on another page" },
		{ "fault2", MAP_PTES, NULL, "likewise" },
	},
	.pages = 2 * PMD_PAGES,
	.prepare = make_hole,
	.play = write_wakes_faults,
	.expect = lost,
};

const struct scenario *const bridge_a4[] = { &a4, NULL };

#define WRITTEN	0xc1c1UL

/* A kernel that is right lets the write wait for the fault, which it must be seen to do. */
static void write_meets_fault(struct run *run)
{
	struct result result;

	STEP(held_at(run, "reader", HELD, DEED(LOAD, .page = 5)));
	STEP(start(run, "writer", DEED(WRITE, .page = 5, .value = WRITTEN)));
	STEP(still(run));
	STEP(release(run, "reader"));
	STEP(still(run));
	STEP(done(run, "reader", DEED(LOAD, .page = 5)));
	REQUIRE(run, is_idle(run, "writer") && !result_of(run, "writer").error);
	result = result_of(run, "reader");
	REQUIRE(run, result.ended && !result.error);
	if (result.value != WRITTEN)
		caught(run, "stale mapping", "write(2) has returned, and reader sees 0x%lx, not 0x%lx",
		       result.value, WRITTEN);
}

static const struct scenario c1 = {
	.id = "C1",
	.name = "write-vs-read-fault",
	.title = "write(2) fills a hole that a read fault has seen and is about to map",
	.windows = windows_write,
	.role = {
		{ "reader", MAP_PTES, NULL, "read fault: has seen the hole" },
		{ "writer", MAP_NONE, NULL, "write(2) to the same page" },
	},
	.pages = 2 * PMD_PAGES,
	.prepare = make_hole,
	.play = write_meets_fault,
	.expect = stale,
};

static const struct scenario c2 = {
	.id = "C2",
	.name = "write-vs-pmd-fault",
	.title = "write(2) fills a hole that a PMD read fault has seen and is about to map",
	.windows = windows_write,
	.role = {
		{ "reader", MAP_PMDS, NULL, "PMD read fault: has seen the hole" },
		{ "writer", MAP_NONE, NULL, "write(2) to a page of it" },
	},
	.pages = 2 * PMD_PAGES,
	.prepare = make_hole,
	.play = write_meets_fault,
	.expect = stale,
};

const struct scenario *const bridge_c1[] = { &c1, NULL }, *const bridge_c2[] = { &c2, NULL };
