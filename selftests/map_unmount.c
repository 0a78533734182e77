// SPDX-License-Identifier: GPL-2.0
/*
 * Unmount and remount under mappings.
 *
 *  1. A file is open, then only mapped, then only mapped by a child: umount(2)
 *     says EBUSY each time, and everything goes on working.
 *  2. The last mapping is gone: it unmounts. What was stored and never synced is
 *     there at the next mount.
 *  3. A mount that turns read-only refuses while somebody may store.
 *
 * daxlab-test: timeout=60 modes="dax pcache" needs=mount
 */
#include "dax.h"

#include <sys/mount.h>

#define SIZE	(2 * PMD)
#define SEED	19

FIXTURE(unmount) {
	int fd;
	char *huge, *small;
};

FIXTURE_SETUP(unmount)
{
	self->fd = full_file("unmount", SIZE, SEED);
	self->huge = map_pmd(self->fd, 0, SIZE);
	self->small = map_pte(self->fd, 0, SIZE);
}

FIXTURE_TEARDOWN(unmount)
{
	EXPECT_QUIESCENT();
}

#define EXPECT_BUSY() do {						\
	EXPECT_EQ(-1, dxl_umount());					\
	EXPECT_EQ(EBUSY, errno);					\
} while (0)

TEST_F(unmount, busy_then_not)
{
	int end[2], status;
	pid_t pid;
	char c;

	store(self->huge, 'h');
	store(self->small + PMD, 's');
	EXPECT_BUSY();
	close(self->fd);
	EXPECT_BUSY();
	store(self->huge + 1, 'h');

	ASSERT_EQ(0, pipe(end));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(end[1]);
		must(read(end[0], &c, 1) == 0);
		store(self->small + 2, 'c');
		_exit(load(self->huge) == 'h' ? 0 : 1);
	}
	ASSERT_EQ(0, munmap(self->huge, SIZE));
	ASSERT_EQ(0, munmap(self->small, SIZE));
	EXPECT_BUSY();
	close(end[0]);
	close(end[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);

	ASSERT_EQ(0, dxl_umount()) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, dxl_mount(NULL));
	self->fd = open(DXL_MNT "/unmount", O_RDWR);
	ASSERT_LE(0, self->fd);
	self->huge = map_pmd(self->fd, 0, SIZE);
	EXPECT_EQ(0, memcmp(self->huge, "hhc", 3));
	EXPECT_EQ(-1, differs(self->huge + 3, 3, PMD - 3, SEED));
	EXPECT_EQ('s', load(self->huge + PMD));
	EXPECT_EQ(-1, differs(self->huge + PMD + 1, PMD + 1, PMD - 1, SEED));
}

static int remount(unsigned long flags)
{
	return mount(DXL_DEV, DXL_MNT, "daxlab", MS_REMOUNT | flags, NULL);
}

TEST_F(unmount, read_only)
{
	int fd;

	store(self->huge, 'h');
	EXPECT_EQ(-1, remount(MS_RDONLY));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(0, munmap(self->huge, SIZE));
	ASSERT_EQ(0, munmap(self->small, SIZE));
	close(self->fd);
	ASSERT_EQ(0, remount(MS_RDONLY));
	EXPECT_EQ(-1, open(DXL_MNT "/unmount", O_RDWR));
	EXPECT_EQ(EROFS, errno);
	fd = open(DXL_MNT "/unmount", O_RDONLY);
	ASSERT_LE(0, fd);
	self->huge = map_skewed(fd, 0, SIZE, 0, PROT_READ, MAP_SHARED);
	EXPECT_EQ('h', load(self->huge));
	EXPECT_EQ(-1, differs(self->huge + 1, 1, SIZE - 1, SEED));
	ASSERT_EQ(0, munmap(self->huge, SIZE));
	close(fd);
	ASSERT_EQ(0, remount(0));
	fd = open(DXL_MNT "/unmount", O_RDWR);
	ASSERT_LE(0, fd);
	self->huge = map_pmd(fd, 0, SIZE);
	store(self->huge, 'w');
	EXPECT_EQ(0, fsync(fd));
}

TEST_HARNESS_MAIN
