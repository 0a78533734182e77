// SPDX-License-Identifier: GPL-2.0
/*
 * Full: of inodes, of blocks, of both. The call that does not fit says ENOSPC
 * and leaves nothing behind; what is removed is free again, to the last block.
 *
 *  1. fill a directory that holds all the rest, until nothing more fits
 *  2. everything that takes an inode or a block is refused, and statfs does not
 *     change by trying
 *  3. remove the directory: as much space as before, now and after a mount,
 *     where the free blocks are counted anew
 *
 * A broken module forgets an inode or a block on an error path: it shows as a
 * difference in step 2 or 3.
 *
 * daxlab-test: timeout=120 modes="dax pcache" args="size=8M"
 */
#include "daxlab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define ERR(call) ((call) < 0 ? errno : 0)
#define BLOCK	4096

struct space {
	unsigned long blocks, inodes;
};

static struct space space(void)
{
	struct statvfs st;

	if (statvfs(DXL_MNT, &st))
		abort();
	return (struct space) { st.f_bfree, st.f_ffree };
}

#define EXPECT_SPACE(want) do {						\
	struct space now_ = space();					\
									\
	EXPECT_EQ((want).blocks, now_.blocks);				\
	EXPECT_EQ((want).inodes, now_.inodes);				\
} while (0)

static int touch(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

	return fd < 0 ? fd : close(fd);
}

FIXTURE(full) {
	struct space before;
};

FIXTURE_SETUP(full)
{
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	ASSERT_EQ(0, chdir(DXL_MNT));
	/* The root keeps its first block. */
	ASSERT_EQ(0, touch("x"));
	ASSERT_EQ(0, unlink("x"));
	self->before = space();
	ASSERT_EQ(0, mkdir("d", 0755));
}

FIXTURE_TEARDOWN(full)
{
	EXPECT_EQ(0, rmdir("d"));
	EXPECT_SPACE(self->before);
	ASSERT_EQ(0, chdir("/"));
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_SPACE(self->before);
	EXPECT_EQ(0, dxl_umount());
}

static void empty(const char *prefix, int nr)
{
	char name[300];

	while (nr-- > 0) {
		snprintf(name, sizeof(name), "d/%s%d", prefix, nr);
		if (unlink(name))
			abort();
	}
}

TEST_F(full, of_inodes)
{
	struct space full;
	char name[32];
	int nr, err = 0;

	for (nr = 0; !err; nr++) {
		snprintf(name, sizeof(name), "d/%d", nr);
		err = ERR(touch(name));
	}
	nr--;
	EXPECT_EQ(ENOSPC, err);
	EXPECT_EQ(self->before.inodes - 1, nr);
	full = space();
	EXPECT_EQ(0, full.inodes);
	EXPECT_EQ(ENOSPC, ERR(touch("d/x")));
	EXPECT_EQ(ENOSPC, ERR(mkdir("d/x", 0755)));
	EXPECT_EQ(ENOSPC, ERR(symlink("x", "d/x")));
	EXPECT_EQ(ENOSPC, ERR(mknod("d/x", S_IFIFO | 0600, 0)));
	EXPECT_EQ(ENOSPC, ERR(open("d", O_TMPFILE | O_RDWR, 0600)));
	EXPECT_EQ(ENOSPC, ERR(renameat2(AT_FDCWD, "d/0", AT_FDCWD, "d/x", RENAME_WHITEOUT)));
	EXPECT_SPACE(full);

	/* What takes no inode works. */
	EXPECT_EQ(0, link("d/0", "d/x"));
	EXPECT_EQ(0, rename("d/x", "d/y"));
	EXPECT_EQ(0, unlink("d/y"));
	EXPECT_EQ(0, unlink("d/0"));
	EXPECT_EQ(0, touch("d/0"));
	empty("", nr);
}

/* Take all blocks, the last ones one by one. */
static int fill(void)
{
	static char buf[64 * BLOCK];
	size_t piece = sizeof(buf);
	int fd = open("d/0", O_RDWR | O_CREAT, 0644);
	ssize_t put;

	memset(buf, 1, sizeof(buf));
	while (piece) {
		put = write(fd, buf, piece);
		if (put < 0)
			piece = piece > BLOCK ? BLOCK : 0;
	}
	put = errno;
	close(fd);
	return put;
}

TEST_F(full, of_blocks)
{
	char name[300];
	struct space full;
	struct stat st;
	int fd, nr, err = 0;

	EXPECT_EQ(ENOSPC, fill());
	ASSERT_EQ(0, stat("d/0", &st));
	full = space();

	/* The directories still have room for some names, but not for ever. */
	for (nr = 1; !err; nr++) {
		snprintf(name, sizeof(name), "d/%d", nr);
		err = ERR(link("d/0", name));
	}
	nr--;
	EXPECT_EQ(ENOSPC, err);
	EXPECT_SPACE(full);
	EXPECT_EQ(ENOSPC, ERR(touch("d/x")));
	EXPECT_EQ(ENOSPC, ERR(mkdir("d/x", 0755)));
	EXPECT_EQ(ENOSPC, ERR(symlink("x", "d/x")));
	EXPECT_EQ(ENOSPC, ERR(symlink("x", "x")));
	EXPECT_EQ(ENOSPC, ERR(link("d/0", "d/x")));
	EXPECT_EQ(0, link("d/0", "x"));
	EXPECT_EQ(ENOSPC, ERR(rename("x", "d/x")));
	EXPECT_EQ(0, unlink("x"));
	EXPECT_SPACE(full);

	fd = open("d/0", O_RDWR);
	EXPECT_EQ(ENOSPC, ERR(fallocate(fd, 0, st.st_size, 1 << 20)));
	EXPECT_EQ(ENOSPC, ERR(pwrite(fd, name, 1, 1L << 39)));
	EXPECT_SPACE(full);
	/* Overwriting takes nothing; room beyond is made and kept. */
	EXPECT_EQ(1, pwrite(fd, name, 1, 0));
	EXPECT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 8 * BLOCK));
	EXPECT_EQ(1, pwrite(fd, name, 1, 0));
	close(fd);
	EXPECT_EQ(0, touch("d/x") | unlink("d/x"));
	EXPECT_EQ(0, mkdir("d/x", 0755) | touch("d/x/y"));
	EXPECT_EQ(0, unlink("d/x/y") | rmdir("d/x"));
	empty("", nr);
}

/* A file that is gone by name but open keeps its space until it is closed. */
TEST_F(full, of_the_nameless)
{
	int fd;

	EXPECT_EQ(ENOSPC, fill());
	fd = open("d/0", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, unlink("d/0"));
	EXPECT_EQ(ENOSPC, fill());
	EXPECT_EQ(0, unlink("d/0"));
	close(fd);
	fd = open("d/1", O_RDWR | O_CREAT, 0644);
	EXPECT_EQ(0, fallocate(fd, 0, 0, 4 << 20));
	close(fd);
	EXPECT_EQ(0, unlink("d/1"));
}

TEST_HARNESS_MAIN
