// SPDX-License-Identifier: GPL-2.0
/*
 * fallocate(2) under mappings: punch, zero, allocate behind the end.
 *
 *  1. A mapped, dirty file loses a range. Blocks that lie in it as a whole are
 *     free, also when they are a part of a 2 MiB extent; the edges are zeroed.
 *  2. The mapping shows zeroes there at once, and its old data elsewhere.
 *  3. Stores to the range allocate again, and are seen by everybody.
 *
 * Entries that survive a punch point to freed blocks: stores through them land
 * in whatever file gets these blocks next.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(3 * PMD)
#define SEED	9
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

FIXTURE(punch) {
	int fd;
	char *map;
	uint64_t free;
	struct dxl_stats before;
};

FIXTURE_VARIANT(punch) {
	size_t skew;
};

FIXTURE_VARIANT_ADD(punch, pte) { .skew = PAGE };
FIXTURE_VARIANT_ADD(punch, pmd) { .skew = 0 };

FIXTURE_SETUP(punch)
{
	unlink(DXL_MNT "/punch");
	self->free = free_blocks_at_first();
	self->fd = full_file("punch", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	store(self->map, load(self->map));
	store(self->map + PMD, load(self->map + PMD));
	load(self->map + 2 * PMD);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(punch)
{
	EXPECT_QUIESCENT();
	munmap(self->map, SIZE);
	close(self->fd);
	EXPECT_EQ(0, unlink(DXL_MNT "/punch"));
	EXPECT_EQ(self->free, free_blocks());
}

/* Zeroes in [from, to) only, by both ways to look. */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(punch) *self,
		  off_t from, off_t to)
{
	char *buf = malloc(SIZE);

	ASSERT_NE(NULL, buf);
	ASSERT_EQ((ssize_t)SIZE, pread(self->fd, buf, SIZE, 0));
	EXPECT_EQ(-1, differs(buf, 0, from, SEED));
	EXPECT_EQ(-1, nonzero(buf + from, to - from));
	EXPECT_EQ(-1, differs(buf + to, to, SIZE - to, SEED));
	EXPECT_EQ(0, memcmp(buf, self->map, SIZE));
	free(buf);
}

TEST_F(punch, whole_extents)
{
	ASSERT_EQ(0, fallocate(self->fd, PUNCH, PMD, PMD));
	EXPECT_EQ(2 * PMD_PAGES, data_blocks(self->fd));
	EXPECT_GROWN(LE, PMD_PAGES, &self->before, "blocks_freed");
	EXPECT_GROWN(LE, 1, &self->before, "entries_invalidated");
	check(_metadata, self, PMD, 2 * PMD);
	store(self->map + PMD + PAGE, 'n');
	EXPECT_EQ(-1, nonzero(self->map + PMD, PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PMD + PAGE + 1, PMD - PAGE - 1));
}

TEST_F(punch, part_of_an_extent)
{
	ASSERT_EQ(0, fallocate(self->fd, PUNCH, PMD + 100 * PAGE, 50 * PAGE));
	EXPECT_LE(SIZE / PAGE - 50, data_blocks(self->fd));
	EXPECT_GT(SIZE / PAGE, data_blocks(self->fd));
	check(_metadata, self, PMD + 100 * PAGE, PMD + 150 * PAGE);
	store(self->map + PMD, load(self->map + PMD));
	store(self->map + PMD + 149 * PAGE, 'n');
	EXPECT_EQ('n', load(self->map + PMD + 149 * PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PMD + 100 * PAGE, 49 * PAGE));
	EXPECT_EQ(-1, differs(self->map + PMD + 150 * PAGE, PMD + 150 * PAGE, PAGE, SEED));
}

TEST_F(punch, odd_edges)
{
	static const struct {
		off_t off, len;
	} cut[] = {
		{ 10, 20 }, { PAGE - 1, 2 }, { 3 * PAGE + 7, 5 * PAGE },
		{ PMD - 5, 2 * PMD + 1 }, { SIZE - 100, 100 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cut); i++) {
		ASSERT_EQ(0, fallocate(self->fd, PUNCH, cut[i].off, cut[i].len));
		check(_metadata, self, cut[i].off, cut[i].off + cut[i].len);
		write_pattern(self->fd, cut[i].off, cut[i].len, SEED);
		check(_metadata, self, SIZE, SIZE);
	}
}

TEST_F(punch, beyond_the_end)
{
	struct stat st;

	ASSERT_EQ(0, fallocate(self->fd, PUNCH, SIZE - PAGE, 10 * PMD));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	check(_metadata, self, SIZE - PAGE, SIZE);
	EXPECT_EQ(SIZE / PAGE - 1, data_blocks(self->fd));
}

TEST_F(punch, zero_range)
{
	struct stat st;

	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE, PMD - 10, PMD + 3 * PAGE));
	check(_metadata, self, PMD - 10, 2 * PMD + 3 * PAGE - 10);
	EXPECT_EQ(SIZE / PAGE, data_blocks(self->fd));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, SIZE, PAGE));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_ZERO_RANGE, SIZE, 2 * PAGE));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE + 2 * PAGE, st.st_size);
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
}

TEST_F(punch, keep_size)
{
	char page[PAGE];
	struct stat st;

	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_KEEP_SIZE, SIZE, PMD));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ(SIZE / PAGE + PMD_PAGES, data_blocks(self->fd));
	EXPECT_EQ(0, pread(self->fd, page, PAGE, SIZE));
	ASSERT_EQ(0, ftruncate(self->fd, SIZE + PMD));
	EXPECT_EQ(PAGE, pread(self->fd, page, PAGE, SIZE));
	EXPECT_EQ(-1, nonzero(page, PAGE));
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(SIZE / PAGE, data_blocks(self->fd));
}

/* Modes that are not offered, and senseless ranges, say so and do nothing. */
TEST_F(punch, refused)
{
	EXPECT_EQ(-1, fallocate(self->fd, FALLOC_FL_COLLAPSE_RANGE, 0, PMD));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, fallocate(self->fd, FALLOC_FL_INSERT_RANGE, 0, PMD));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, fallocate(self->fd, PUNCH, 0, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, fallocate(self->fd, 0, 0, 2LL << 40));
	EXPECT_EQ(EFBIG, errno);
	check(_metadata, self, SIZE, SIZE);
}

TEST_HARNESS_MAIN
