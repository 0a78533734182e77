// SPDX-License-Identifier: GPL-2.0
/*
 * Holes: read as zeroes through the shared zero page or zero PMD, allocated by
 * the first store.
 *
 *  1. A read fault in a hole maps zeroes and allocates nothing.
 *  2. A store to the same place must replace them, in this mapping and in every
 *     other, by a block that is zero but for the store.
 *  3. A PTE store into a range that a zero PMD covers must split the entry: a
 *     downgrade, which wakes all who sleep on the PMD.
 *
 * A kernel that keeps the zero page mapped elsewhere shows stale zeroes ("dax:
 * New fault locking", v4.7, was written against that); one that wakes too few
 * at the downgrade hangs.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include "dax.h"

#define SIZE	(4 * PMD)

FIXTURE(holes) {
	int fd;
	uint64_t free;
	struct dxl_stats before;
};

FIXTURE_SETUP(holes)
{
	self->fd = hole_file("holes", SIZE);
	self->free = free_blocks();
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(holes)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

#define GREW(n, name) EXPECT_GROWN(EQ, n, &self->before, name)

TEST_F(holes, pte_read_write_read)
{
	char *map = map_pte(self->fd, 0, SIZE), *other = map_pte(self->fd, 0, SIZE);
	char page[PAGE];

	load_each(map, 16 * PAGE, PAGE);
	load_each(other, 16 * PAGE, PAGE);
	GREW(32, "fault_pte_hole");
	GREW(0, "fault_pte_mapped");
	GREW(0, "blocks_allocated");
	EXPECT_EQ(0, data_blocks(self->fd));

	store(map + 3 * PAGE + 5, 'x');
	GREW(1, "fault_pte_mapped");
	EXPECT_EQ(1, data_blocks(self->fd));
	EXPECT_EQ('x', load(other + 3 * PAGE + 5));
	EXPECT_EQ(sizeof(page), pread(self->fd, page, sizeof(page), 3 * PAGE));
	EXPECT_EQ('x', page[5]);
	page[5] = 0;
	EXPECT_EQ(-1, nonzero(page, sizeof(page)));
	EXPECT_EQ(-1, nonzero(other, 3 * PAGE));
	EXPECT_EQ(-1, nonzero(map + 4 * PAGE, SIZE - 4 * PAGE));
}

TEST_F(holes, pmd_read_write_read)
{
	char *map = map_pmd(self->fd, 0, SIZE), *other = map_pmd(self->fd, 0, SIZE);

	load_each(map, SIZE, PAGE);
	load_each(other, SIZE, PAGE);
	GREW(2 * SIZE / PMD, "fault_pmd_hole");
	GREW(0, "fault_pte_read");
	GREW(0, "fault_pmd_mapped");
	EXPECT_EQ(0, data_blocks(self->fd));
	EXPECT_EQ(self->free, free_blocks());

	store(map + PMD + 7, 'x');
	GREW(1, "fault_pmd_write");
	GREW(1, "fault_pmd_mapped");
	GREW(0, "fault_fallback");
	EXPECT_EQ(PMD_PAGES, data_blocks(self->fd));
	EXPECT_EQ('x', load(other + PMD + 7));
	GREW(2, "fault_pmd_mapped");
	EXPECT_EQ(-1, nonzero(other, PMD + 7));
	EXPECT_EQ(-1, nonzero(map + PMD + 8, SIZE - PMD - 8));
}

/* A store through PTEs into a zero PMD that another mapping shows. */
TEST_F(holes, downgrade)
{
	char *huge = map_pmd(self->fd, 0, SIZE), *small = map_pte(self->fd, 0, SIZE);

	load_each(huge, SIZE, PMD);
	GREW(SIZE / PMD, "fault_pmd_hole");
	GREW(0, "downgrades");

	store(small + PMD + 9 * PAGE, 'd');
	GREW(1, "downgrades");
	GREW(1, "fault_pte_mapped");
	EXPECT_EQ(1, data_blocks(self->fd));
	EXPECT_EQ('d', load(huge + PMD + 9 * PAGE));
	EXPECT_EQ(-1, nonzero(huge, PMD + 9 * PAGE));
	EXPECT_EQ(-1, nonzero(huge + PMD + 9 * PAGE + 1, SIZE - PMD - 9 * PAGE - 1));
	EXPECT_EQ(-1, nonzero(small + PMD, 9 * PAGE));

	/* The whole range by hand: each page is a block, none of them shared. */
	store_each(small + 2 * PMD, PMD, PAGE, 'e');
	GREW(2, "downgrades");
	EXPECT_EQ(1 + PMD_PAGES, data_blocks(self->fd));
	load_each(huge + 2 * PMD, PMD, PAGE);
	EXPECT_EQ('e', load(huge + 3 * PMD - PAGE));
}

/* A read through PTEs of a range that a zero PMD covers needs no downgrade. */
TEST_F(holes, pte_read_under_zero_pmd)
{
	char *huge = map_pmd(self->fd, 0, SIZE), *small = map_pte(self->fd, 0, SIZE);

	load(huge);
	load_each(small, 16 * PAGE, PAGE);
	EXPECT_EQ(-1, nonzero(small, 16 * PAGE));
	EXPECT_EQ(0, data_blocks(self->fd));
	store(huge + 5 * PAGE, 'h');
	EXPECT_EQ('h', load(small + 5 * PAGE));
	EXPECT_EQ(-1, nonzero(small, 5 * PAGE));
}

/* Allocated and never written: zeroes, no new blocks at the store. */
TEST_F(holes, unwritten)
{
	char *huge = map_pmd(self->fd, 0, SIZE), *small = map_pte(self->fd, 0, SIZE);

	ASSERT_EQ(0, fallocate(self->fd, 0, 0, SIZE));
	EXPECT_EQ(SIZE / PAGE, data_blocks(self->fd));
	EXPECT_EQ(-1, nonzero(huge, PMD));
	EXPECT_EQ(-1, nonzero(small + PMD, 8 * PAGE));
	store(huge + 3, 'u');
	store(small + PMD + 3, 'v');
	EXPECT_EQ(SIZE / PAGE, data_blocks(self->fd));
	EXPECT_EQ('u', load(small + 3));
	EXPECT_EQ('v', load(huge + PMD + 3));
	EXPECT_EQ(-1, nonzero(huge + 4, PMD - 1));
	EXPECT_EQ(-1, nonzero(huge + PMD + 4, PMD - 4));
	GREW(0, "fault_fallback_block");
}

TEST_HARNESS_MAIN
