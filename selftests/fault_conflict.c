// SPDX-License-Identifier: GPL-2.0
/*
 * Entries of both sizes in one 2 MiB range.
 *
 *  1. A PTE store leaves an entry of one page in the tree.
 *  2. A PMD fault on the range finds it: a conflict. It must fall back to PTEs
 *     at once and never wait for the smaller entry.
 *  3. The other way round, a PTE fault on a range with a PMD entry uses that.
 *
 * A PMD fault that slept for a smaller entry slept on the wrong key ("dax: Fix
 * missed wakeup with PMD faults", v5.3): the process hung in D state. One that
 * stored over it made a second owner of the page ("dax: fix race between
 * colliding PMD & PTE entries", v4.12): wrong counts of page tables at exit.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include "dax.h"

#define SIZE	(4 * PMD)
#define SEED	2

FIXTURE(conflict) {
	int fd;
	char *huge, *small;
	struct dxl_stats before;
};

FIXTURE_SETUP(conflict)
{
	self->fd = full_file("conflict", SIZE, SEED);
	self->huge = map_pmd(self->fd, 0, SIZE);
	self->small = map_pte(self->fd, 0, SIZE);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(conflict)
{
	EXPECT_QUIESCENT();
	EXPECT_EQ(-1, differs(self->huge + 3 * PMD, 3 * PMD, PMD, SEED));
	close(self->fd);
}

#define GREW(n, name) EXPECT_GROWN(EQ, n, &self->before, name)
#define TRIED(n) EXPECT_TRIED(n, &self->before, "fault_fallback_conflict")

/* At each colour, the first and the last among them. */
TEST_F(conflict, pte_then_pmd)
{
	static const size_t at[] = { 0, PAGE, PMD - PAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		store(self->small + i * PMD + at[i], 's');
		EXPECT_EQ('s', load(self->huge + i * PMD + at[i]));
		TRIED(i + 1);
	}
	GREW(0, "fault_pmd_mapped");
	GREW(0, "waits");
	store_each(self->huge, 3 * PMD, PAGE, 'h');
	GREW(0, "fault_pmd_mapped");
	EXPECT_EQ('h', load(self->small + 2 * PMD));
}

TEST_F(conflict, pte_under_pmd)
{
	store(self->huge, 'h');
	GREW(1, "fault_pmd_mapped");
	EXPECT_EQ('h', load(self->small));
	store_each(self->small, PMD, PAGE, 's');
	GREW(1 + PMD_PAGES, "fault_pte_mapped");
	GREW(0, "fault_fallback_conflict");
	EXPECT_EQ('s', load(self->huge + PMD - PAGE));
	EXPECT_EQ(-1, differs(self->huge + 1, 1, PAGE - 1, SEED));
}

/* The smaller entries gone, PMDs are possible again. */
TEST_F(conflict, pmd_after_punch)
{
	store(self->small + PAGE, 's');
	load(self->huge);
	TRIED(1);
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PMD));
	ASSERT_EQ(0, munmap(self->huge, PMD));
	ASSERT_EQ(self->huge, mmap(self->huge, PMD, RW, MAP_SHARED | MAP_FIXED, self->fd, 0));
	store(self->huge, 'h');
	TRIED(1);
	GREW(1, "fault_pmd_mapped");
	EXPECT_EQ('h', load(self->small));
	EXPECT_EQ(-1, nonzero(self->small + 1, PMD - 1));
}

TEST_HARNESS_MAIN
