// SPDX-License-Identifier: GPL-2.0
/*
 * What is on the device after a sync, of a file in page-cache mode: a power cut
 * is a copy of the device, taken while the filesystem is mounted.
 *
 *  1. A file gets data by write(2) at its end and by a mapping. A copy of the
 *     device, mounted, does not have them: so what the others have came by the
 *     sync.
 *  2. The same, then fsync, fdatasync, msync, sync, syncfs, a write with O_SYNC,
 *     O_DSYNC or RWF_DSYNC, a freeze, a remount read-only: the copy has size and
 *     content. fsync has flushed the device.
 *
 * Data that a sync leaves in the cache, or a size that it leaves in the inode,
 * is missing in the copy.
 *
 * daxlab-test: timeout=180 args="ndev=2 size=8M"
 */
#include "dax.h"

#include <sys/mount.h>
#include <sys/uio.h>

#define COPY		"/mnt/daxlab-copy"
#define DEVICE		(8UL << 20)
#define OLD		(3 * PAGE + 100)	/* size at first */
#define NEW		(40 * PAGE + 77)	/* and in the end */

FIXTURE(durable) {
	int fd;
	char *map, *want;
	struct dxl_stats before;
};

FIXTURE_SETUP(durable)
{
	ASSERT_EQ(0, dxl_mount_fresh("dax=never"));
	self->want = calloc(1, NEW);
	self->fd = full_file("file", OLD, 5);
	pattern(self->want, 0, OLD, 5);
	ASSERT_EQ(0, fsync(self->fd));
	self->map = map_pte(self->fd, 0, 4 * PAGE);
	/* In the first page and in the last, of which a part is beyond EOF. */
	store(self->map + 9, 'm');
	store(self->map + 3 * PAGE + 9, 'm');
	self->want[9] = 'm';
	self->want[3 * PAGE + 9] = 'm';
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(durable)
{
	if (self->fd >= 0)
		close(self->fd);
	munmap(self->map, 4 * PAGE);
	EXPECT_EQ(0, dxl_umount());
}

/* The rest of the file, by write(2). */
static int append(FIXTURE_DATA(durable) *self, int fd, int flags)
{
	struct iovec iov = { .iov_base = self->want + OLD, .iov_len = NEW - OLD };

	pattern(self->want + OLD, OLD, NEW - OLD, 6);
	return pwritev2(fd, &iov, 1, OLD, flags) == NEW - OLD ? 0 : -1;
}

static void cut_power(void)
{
	int from = open("/dev/daxlab0", O_RDONLY | O_DIRECT);
	int to = open("/dev/daxlab1", O_WRONLY | O_DIRECT);
	char *buf = aligned_alloc(PAGE, DEVICE);

	must(from >= 0 && to >= 0 && buf);
	must(pread(from, buf, DEVICE, 0) == (ssize_t)DEVICE);
	must(pwrite(to, buf, DEVICE, 0) == (ssize_t)DEVICE);
	free(buf);
	close(from);
	close(to);
	must(!mkdir(COPY, 0755) || errno == EEXIST);
	must(!mount("/dev/daxlab1", COPY, "daxlab", 0, "dax=never"));
}

/* What of the file would be there: its size, and where it begins to differ. */
static off_t left(FIXTURE_DATA(durable) *self, off_t *size)
{
	char *buf = malloc(NEW + 1);
	off_t same = 0;
	int fd;

	cut_power();
	fd = open(COPY "/file", O_RDONLY);
	must(fd >= 0 && buf);
	*size = pread(fd, buf, NEW + 1, 0);
	while (same < *size && buf[same] == self->want[same])
		same++;
	close(fd);
	free(buf);
	must(!umount(COPY));
	return same;
}

#define EXPECT_LEFT() do {						\
	off_t size, same = left(self, &size);				\
									\
	EXPECT_EQ(NEW, size);						\
	EXPECT_EQ(size, same);						\
} while (0)

TEST_F(durable, not_yet)
{
	off_t size;

	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(9, left(self, &size));
	EXPECT_EQ(OLD, size);
}

TEST_F(durable, fsync)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_GROWN(LT, 0, &self->before, "bio_flushes");
	EXPECT_LEFT();
}

TEST_F(durable, fdatasync)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(0, fdatasync(self->fd));
	EXPECT_LEFT();
}

TEST_F(durable, fsync_of_another_open_file)
{
	int other = open(DXL_MNT "/file", O_RDONLY);

	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(0, fsync(other));
	close(other);
	EXPECT_LEFT();
}

/* Its range has no page that was written: the size comes all the same. */
TEST_F(durable, msync)
{
	off_t size;

	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(0, msync(self->map, 4 * PAGE, MS_SYNC));
	EXPECT_LE(4 * PAGE, left(self, &size));
	EXPECT_EQ(NEW, size);
}

TEST_F(durable, sync)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	sync();
	EXPECT_LEFT();
}

TEST_F(durable, syncfs)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_LEFT();
}

TEST_F(durable, freeze)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	ASSERT_EQ(0, ioctl(self->fd, FIFREEZE, 0));
	EXPECT_LEFT();
	EXPECT_EQ(0, ioctl(self->fd, FITHAW, 0));
}

TEST_F(durable, remount)
{
	ASSERT_EQ(0, append(self, self->fd, 0));
	close(self->fd);
	self->fd = -1;
	munmap(self->map, 4 * PAGE);
	ASSERT_EQ(0, mount(NULL, DXL_MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_LEFT();
	self->map = NULL;
}

static int append_with(FIXTURE_DATA(durable) *self, int open_flags, int flags)
{
	int fd = open(DXL_MNT "/file", O_RDWR | open_flags);
	int err;

	must(fd >= 0);
	/* What the mapping stored is nobody's business. */
	must(!fdatasync(fd));
	err = append(self, fd, flags);
	close(fd);
	return err;
}

TEST_F(durable, o_sync)
{
	EXPECT_EQ(0, append_with(self, O_SYNC, 0));
	EXPECT_LEFT();
}

TEST_F(durable, o_dsync)
{
	EXPECT_EQ(0, append_with(self, O_DSYNC, 0));
	EXPECT_LEFT();
}

TEST_F(durable, rwf_dsync)
{
	EXPECT_EQ(0, append_with(self, 0, RWF_DSYNC));
	EXPECT_LEFT();
}

TEST_F(durable, sync_flag)
{
	int flags = FS_SYNC_FL;

	ASSERT_EQ(0, ioctl(self->fd, FS_IOC_SETFLAGS, &flags));
	EXPECT_EQ(0, append_with(self, 0, 0));
	EXPECT_LEFT();
}

/* Past the cache; the rest of a page that is no whole block goes through it. */
TEST_F(durable, direct)
{
	int fd = open(DXL_MNT "/file", O_RDWR | O_DIRECT | O_DSYNC);
	char *buf = aligned_alloc(PAGE, 36 * PAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fdatasync(fd));
	pattern(self->want + OLD, OLD, NEW - OLD, 6);
	memcpy(buf, self->want + 4 * PAGE, 36 * PAGE);
	EXPECT_EQ(4 * PAGE - OLD, pwrite(fd, self->want + OLD, 4 * PAGE - OLD, OLD));
	EXPECT_EQ(36 * PAGE, pwrite(fd, buf, 36 * PAGE, 4 * PAGE));
	EXPECT_EQ(77, pwrite(fd, self->want + 40 * PAGE, 77, 40 * PAGE));
	close(fd);
	free(buf);
	EXPECT_LEFT();
}

/* A truncate is durable by itself, and what it cuts off does not come back. */
TEST_F(durable, truncate)
{
	off_t size;

	ASSERT_EQ(0, append(self, self->fd, 0));
	ASSERT_EQ(0, ftruncate(self->fd, PAGE + 10));
	ASSERT_EQ(0, ftruncate(self->fd, NEW));
	memset(self->want + PAGE + 10, 0, NEW - PAGE - 10);
	EXPECT_LE(9, left(self, &size));
	EXPECT_EQ(NEW, size);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_LEFT();
}

TEST_HARNESS_MAIN
