// SPDX-License-Identifier: GPL-2.0
/*
 * Files that are mostly hole, up to the largest offset there is: 1 TiB.
 *
 *  1. Bytes are written at powers of two, the last one right below 1 TiB.
 *  2. They are read again, with zeroes around; holes take no blocks.
 *  3. SEEK_DATA, SEEK_HOLE and fiemap tell data from holes.
 *  4. Beyond 1 TiB each call says EFBIG; a write across it is cut short.
 *
 * Each power of two makes the tree of the block map one level higher sooner or
 * later. A wrong shift shows as data at a second place, or not at all.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define MAX	(1L << 40)

FIXTURE(sparse) {
	int fd;
	uint64_t free;
};

FIXTURE_SETUP(sparse)
{
	unlink(DXL_MNT "/sparse");
	self->free = free_blocks_at_first();
	self->fd = hole_file("sparse", 0);
}

FIXTURE_TEARDOWN(sparse)
{
	EXPECT_QUIESCENT();
	close(self->fd);
	EXPECT_EQ(0, unlink(DXL_MNT "/sparse"));
	EXPECT_EQ(self->free, free_blocks());
}

static bool reads(int fd, off_t off, const char *want, size_t len)
{
	char buf[64];

	return pread(fd, buf, len, off) == (ssize_t)len && !memcmp(buf, want, len);
}

TEST_F(sparse, powers_of_two)
{
	struct stat st;
	unsigned int i;

	for (i = 13; i <= 40; i++)
		ASSERT_EQ(1, pwrite(self->fd, "0123456789" + i % 10, 1, (1L << i) - 1));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(MAX, st.st_size);
	EXPECT_EQ(28, data_blocks(self->fd));
	for (i = 13; i <= 40; i++) {
		EXPECT_TRUE(reads(self->fd, (1L << i) - 1, "0123456789" + i % 10, 1));
		EXPECT_TRUE(reads(self->fd, (1L << i) - 33, "\0\0\0\0\0\0\0\0\0\0", 10));
		if (i < 40)
			EXPECT_TRUE(reads(self->fd, 1L << i, "\0\0\0\0\0\0\0\0\0\0", 10));
	}
	/* From the top down, half of them. */
	ASSERT_EQ(0, ftruncate(self->fd, 1L << 26));
	EXPECT_EQ(14, data_blocks(self->fd));
	EXPECT_TRUE(reads(self->fd, (1L << 26) - 1, "6", 1));
	ASSERT_EQ(0, ftruncate(self->fd, MAX));
	EXPECT_TRUE(reads(self->fd, (1L << 27) - 1, "", 1));
	EXPECT_TRUE(reads(self->fd, MAX - 1, "", 1));
}

TEST_F(sparse, mapped_at_the_end)
{
	char *huge, *small;

	ASSERT_EQ(0, ftruncate(self->fd, MAX));
	huge = map_pmd(self->fd, MAX - PMD, PMD);
	small = map_pte(self->fd, MAX - 2 * PMD, 2 * PMD);
	EXPECT_EQ(-1, nonzero(huge, PMD));
	store(huge + PMD - 1, 'z');
	EXPECT_EQ('z', load(small + 2 * PMD - 1));
	store(small, 'y');
	EXPECT_TRUE(reads(self->fd, MAX - 1, "z", 1));
	EXPECT_TRUE(reads(self->fd, MAX - 2 * PMD, "y", 1));
	EXPECT_EQ(0, msync(huge, PMD, MS_SYNC));
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			       MAX - PAGE, PAGE));
	EXPECT_EQ(0, load(huge + PMD - 1));
	munmap(huge, PMD);
	munmap(small, 2 * PMD);
}

TEST_F(sparse, too_big)
{
	char page[PAGE] = "x";
	struct stat st;

	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, MAX));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, MAX + PMD));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, ftruncate(self->fd, MAX + 1));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, fallocate(self->fd, 0, MAX - PAGE, 2 * PAGE));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(-1, fallocate(self->fd, FALLOC_FL_KEEP_SIZE, MAX, PAGE));
	EXPECT_EQ(EFBIG, errno);
	EXPECT_EQ(0, pread(self->fd, page, PAGE, MAX));
	EXPECT_EQ(0, pread(self->fd, page, PAGE, MAX + PMD));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(0, st.st_size);
	EXPECT_EQ(0, data_blocks(self->fd));
	EXPECT_EQ(100, pwrite(self->fd, page, PAGE, MAX - 100));
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(MAX, st.st_size);
}

TEST_F(sparse, seek)
{
	static const off_t data[] = { 0, 5 * PAGE, PMD - PAGE, 3 * PMD, 1L << 36 };
	unsigned int i;
	char *map;
	off_t end;

	ASSERT_EQ(0, ftruncate(self->fd, (1L << 36) + 10 * PAGE));
	EXPECT_EQ(-1, lseek(self->fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(7, lseek(self->fd, 7, SEEK_HOLE));
	for (i = 0; i < ARRAY_SIZE(data); i++)
		ASSERT_EQ(2, pwrite(self->fd, "dd", 2, data[i] + 1));
	for (i = 0; i < ARRAY_SIZE(data); i++) {
		end = data[i] + PAGE;
		EXPECT_EQ(data[i] + 1, lseek(self->fd, data[i] + 1, SEEK_DATA));
		EXPECT_EQ(end, lseek(self->fd, data[i], SEEK_HOLE));
		EXPECT_EQ(end, lseek(self->fd, end, SEEK_HOLE));
		if (i + 1 < ARRAY_SIZE(data))
			EXPECT_EQ(data[i + 1], lseek(self->fd, end, SEEK_DATA));
	}
	EXPECT_EQ(-1, lseek(self->fd, end, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(-1, lseek(self->fd, end + 9 * PAGE, SEEK_HOLE));
	EXPECT_EQ(ENXIO, errno);
	EXPECT_EQ(ARRAY_SIZE(data), data_blocks(self->fd));
	/* What a mapping allocates is data as well. */
	map = map_pte(self->fd, PMD, PMD);
	store(map + 9 * PAGE, 'm');
	EXPECT_EQ(PMD + 9 * PAGE, lseek(self->fd, PMD, SEEK_DATA));
	munmap(map, PMD);
}

TEST_F(sparse, fiemap)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extent[8];
	} list = { .map = { .fm_length = FIEMAP_MAX_OFFSET, .fm_extent_count = 8 } };
	const struct fiemap_extent *extent = list.extent;

	ASSERT_EQ(0, fallocate(self->fd, 0, 0, 2 * PMD));
	ASSERT_EQ(1, pwrite(self->fd, "x", 1, PMD));
	ASSERT_EQ(1, pwrite(self->fd, "x", 1, 1L << 39));
	ASSERT_EQ(0, ioctl(self->fd, FS_IOC_FIEMAP, &list.map));
	ASSERT_LE(3, list.map.fm_mapped_extents);
	EXPECT_EQ(0, extent[0].fe_logical);
	EXPECT_NE(0, extent[0].fe_flags & FIEMAP_EXTENT_UNWRITTEN);
	extent += list.map.fm_mapped_extents - 1;
	EXPECT_EQ(1UL << 39, extent->fe_logical);
	EXPECT_EQ(PAGE, extent->fe_length);
	EXPECT_EQ(FIEMAP_EXTENT_LAST, extent->fe_flags);
	EXPECT_EQ(2 * PMD_PAGES + 1, data_blocks(self->fd));
}

TEST_HARNESS_MAIN
