// SPDX-License-Identifier: GPL-2.0
/*
 * Truncation under mappings.
 *
 *  1. A file is mapped beyond its end: loads and stores there die of SIGBUS,
 *     but the rest of the last page can be used, and reads as zeroes.
 *  2. The file shrinks: what is now beyond the end dies, its blocks are free.
 *  3. The file grows: everything beyond the old end reads as zeroes, also where
 *     old data was, or where somebody stored behind the end in the last page.
 *
 * A fault that missed the new size would map a block that belongs to somebody
 * else by then: foreign data, the worst of all outcomes.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define SEED	8

FIXTURE(cut) {
	int fd;
	char *map;
	uint64_t free;
	struct dxl_stats before;
};

FIXTURE_VARIANT(cut) {
	size_t skew;
};

FIXTURE_VARIANT_ADD(cut, pte) { .skew = PAGE };
FIXTURE_VARIANT_ADD(cut, pmd) { .skew = 0 };

FIXTURE_SETUP(cut)
{
	catch_bus();
	unlink(DXL_MNT "/cut");
	self->free = free_blocks_at_first();
	self->fd = full_file("cut", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE + PMD, variant->skew, RW, MAP_SHARED);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(cut)
{
	EXPECT_QUIESCENT();
	munmap(self->map, SIZE + PMD);
	close(self->fd);
	EXPECT_EQ(0, unlink(DXL_MNT "/cut"));
	EXPECT_EQ(self->free, free_blocks());
}

TEST_F(cut, beyond_the_end)
{
	load_each(self->map, SIZE, PAGE);
	EXPECT_TRUE(load_dies(self->map + SIZE));
	EXPECT_TRUE(store_dies(self->map + SIZE, 'x'));
	EXPECT_TRUE(load_dies(self->map + SIZE + PMD - 1));
	EXPECT_GROWN(LE, 3, &self->before, "fault_sigbus");
	ASSERT_EQ(0, ftruncate(self->fd, SIZE + 1));
	EXPECT_FALSE(store_dies(self->map + SIZE + PAGE - 1, 'x'));
	EXPECT_TRUE(load_dies(self->map + SIZE + PAGE));
}

TEST_F(cut, shrink_to_nothing)
{
	store_each(self->map, SIZE, PAGE, 'a');
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	EXPECT_EQ(0, data_blocks(self->fd));
	EXPECT_TRUE(load_dies(self->map));
	EXPECT_TRUE(store_dies(self->map + PMD, 'x'));
	EXPECT_TRUE(load_dies(self->map + SIZE - 1));
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(-1, nonzero(self->map, SIZE));
	EXPECT_EQ(0, data_blocks(self->fd));
	EXPECT_GROWN(LE, 1, &self->before, "invalidations");
}

/* In the middle of a page, and of what a PMD maps. */
TEST_F(cut, shrink_and_grow)
{
	static const off_t sizes[] = {
		PMD + 5 * PAGE + 100, PMD + PAGE, PMD, PMD - 1, 3 * PAGE + 1, 1,
	};
	unsigned int i;
	off_t page;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		store(self->map, load(self->map));
		store(self->map + sizes[i] - 1, load(self->map + sizes[i] - 1));
		ASSERT_EQ(0, ftruncate(self->fd, sizes[i]));
		page = (sizes[i] + PAGE - 1) & ~(PAGE - 1);
		EXPECT_TRUE(load_dies(self->map + page));
		EXPECT_EQ(page / PAGE, data_blocks(self->fd));
		EXPECT_EQ(-1, nonzero(self->map + sizes[i], page - sizes[i]));
		ASSERT_EQ(0, ftruncate(self->fd, SIZE));
		EXPECT_EQ(-1, differs(self->map, 0, sizes[i], SEED));
		EXPECT_EQ(-1, nonzero(self->map + sizes[i], SIZE - sizes[i]));
	}
}

/* Stores behind the end are lost when the file grows, whoever makes it grow. */
TEST_F(cut, tail_of_the_last_page)
{
	const off_t end = PMD + 7 * PAGE + 123;
	char *tail = self->map + end;
	char page[PAGE];

	ASSERT_EQ(0, ftruncate(self->fd, end));
	EXPECT_EQ(-1, nonzero(tail, PAGE - 123));
	memset(tail, 'x', PAGE - 123);
	EXPECT_EQ('x', load(tail));
	ASSERT_EQ(123, pread(self->fd, page, PAGE, end - 123));

	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(-1, nonzero(tail, SIZE - end));

	ASSERT_EQ(0, ftruncate(self->fd, end));
	memset(tail, 'x', PAGE - 123);
	ASSERT_EQ(1, pwrite(self->fd, "w", 1, end + 10 * PAGE));
	EXPECT_EQ(-1, nonzero(tail, 10 * PAGE));
	EXPECT_EQ('w', load(tail + 10 * PAGE));

	ASSERT_EQ(0, ftruncate(self->fd, end));
	memset(tail, 'x', PAGE - 123);
	ASSERT_EQ(0, fallocate(self->fd, 0, end + 10, PAGE));
	EXPECT_EQ(-1, nonzero(tail, PAGE + 10));
	EXPECT_EQ(-1, differs(self->map, 0, end, SEED));
}

/* Blocks that one file gives up are another's; the mapping must not know them. */
TEST_F(cut, blocks_change_hands)
{
	char *other_map;
	int other;

	store_each(self->map, SIZE, PAGE, 'a');
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	other = full_file("other", SIZE, SEED + 1);
	other_map = map_skewed(other, 0, SIZE, variant->skew, RW, MAP_SHARED);
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(-1, nonzero(self->map, SIZE));
	store_each(self->map, SIZE, PAGE, 'b');
	EXPECT_EQ(-1, differs(other_map, 0, SIZE, SEED + 1));
	munmap(other_map, SIZE);
	close(other);
	EXPECT_EQ(0, unlink(DXL_MNT "/other"));
}

TEST_HARNESS_MAIN
