// SPDX-License-Identifier: GPL-2.0
/*
 * MAP_SYNC: a store that can be flushed by the process itself is durable, since
 * the file's metadata is so before the page is mapped.
 *
 *  1. mmap() with MAP_SHARED_VALIDATE and MAP_SYNC is either refused with
 *     EOPNOTSUPP, or accepted: then 2. and 3. hold.
 *  2. Stores to holes allocate, through PTEs and PMDs, and are seen by read(2).
 *  3. Without any sync, blocks and data are there after the next mount.
 *  4. Flags that nobody knows are refused with MAP_SHARED_VALIDATE only.
 *
 * daxlab-test: timeout=60 needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define UNKNOWN	(1 << 21)

FIXTURE(map_sync) {
	int fd;
	char *map;
};

FIXTURE_SETUP(map_sync)
{
	self->fd = hole_file("map_sync", SIZE);
	self->map = mmap(NULL, SIZE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, self->fd, 0);
	if (self->map == MAP_FAILED)
		ASSERT_EQ(EOPNOTSUPP, errno);
}

FIXTURE_TEARDOWN(map_sync)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

TEST_F(map_sync, stores_survive_a_mount)
{
	struct dxl_stats before;
	char byte;

	if (self->map == MAP_FAILED)
		SKIP(return, "MAP_SYNC is refused with EOPNOTSUPP, as it may be");
	dxl_stats(&before);
	store(self->map + 5, 'a');
	EXPECT_GROWN(EQ, 1, &before, "fault_pmd_mapped");
	ASSERT_EQ(0, madvise(self->map + PMD, PMD, MADV_NOHUGEPAGE));
	load(self->map + PMD);
	store(self->map + PMD, 'b');
	EXPECT_GROWN(EQ, 1, &before, "fault_pte_mapped");
	EXPECT_EQ(PMD_PAGES + 1, data_blocks(self->fd));
	ASSERT_EQ(1, pread(self->fd, &byte, 1, 5));
	EXPECT_EQ('a', byte);

	ASSERT_EQ(0, munmap(self->map, SIZE));
	close(self->fd);
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_mount(NULL));
	self->fd = open(DXL_MNT "/map_sync", O_RDWR);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(PMD_PAGES + 1, data_blocks(self->fd));
	self->map = map_pmd(self->fd, 0, SIZE);
	EXPECT_EQ('a', load(self->map + 5));
	EXPECT_EQ('b', load(self->map + PMD));
	EXPECT_EQ(-1, nonzero(self->map + 6, PMD - 6));
	ASSERT_EQ(0, munmap(self->map, SIZE));
}

TEST_F(map_sync, unknown_flags)
{
	char *map;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_SHARED_VALIDATE | UNKNOWN,
				   self->fd, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	map = mmap(NULL, SIZE, RW, MAP_SHARED | UNKNOWN, self->fd, 0);
	EXPECT_NE(MAP_FAILED, map);
}

TEST_HARNESS_MAIN
