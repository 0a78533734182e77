// SPDX-License-Identifier: GPL-2.0
/*
 * The ways to open a file, its end, and calls that move data inside the kernel.
 *
 *  1. O_APPEND writes at the end, whoever moved it; O_DIRECT is accepted and
 *     needs no alignment; O_DSYNC leaves nothing to flush.
 *  2. Reads stop at the end of file, reads beyond it return nothing.
 *  3. splice, sendfile and copy_file_range deliver the same bytes.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#include <sys/sendfile.h>

#define SIZE	(PMD + 3 * PAGE + 5)
#define SEED	16

FIXTURE(modes) {
	int fd;
	char *buf;
	struct dxl_stats before;
};

FIXTURE_SETUP(modes)
{
	self->fd = full_file("modes", SIZE, SEED);
	self->buf = malloc(2 * PMD);
	ASSERT_NE(NULL, self->buf);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(modes)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

static int open_as(int flags)
{
	int fd = open(DXL_MNT "/modes", flags);

	must(fd >= 0);
	return fd;
}

TEST_F(modes, end_of_file)
{
	EXPECT_EQ(SIZE, pread(self->fd, self->buf, 2 * PMD, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, SIZE, SEED));
	EXPECT_EQ(1, pread(self->fd, self->buf, 10, SIZE - 1));
	EXPECT_EQ(0, pread(self->fd, self->buf, 10, SIZE));
	EXPECT_EQ(0, pread(self->fd, self->buf, 10, SIZE + PMD));
	EXPECT_EQ(0, pread(self->fd, self->buf, 0, 0));
	EXPECT_EQ(0, pwrite(self->fd, self->buf, 0, SIZE + PMD));
	EXPECT_EQ(SIZE, lseek(self->fd, 0, SEEK_END));
	EXPECT_EQ(-1, pread(self->fd, self->buf, 1, -1));
	EXPECT_EQ(EINVAL, errno);
	/* The file position moves by what was done, and no further. */
	EXPECT_EQ(SIZE - 3, lseek(self->fd, -3, SEEK_END));
	EXPECT_EQ(3, read(self->fd, self->buf, 10));
	EXPECT_EQ(0, read(self->fd, self->buf, 10));
	EXPECT_EQ(2, write(self->fd, "ab", 2));
	EXPECT_EQ(SIZE + 2, lseek(self->fd, 0, SEEK_CUR));
}

TEST_F(modes, append)
{
	int one = open_as(O_RDWR | O_APPEND), two = open_as(O_WRONLY | O_APPEND);
	struct stat st;

	EXPECT_EQ(3, write(one, "one", 3));
	EXPECT_EQ(3, write(two, "two", 3));
	EXPECT_EQ(3, pwrite(one, "000", 3, 0));	/* Linux: at the end as well */
	ASSERT_EQ(0, fstat(one, &st));
	EXPECT_EQ(SIZE + 9, st.st_size);
	EXPECT_EQ(9, pread(one, self->buf, PAGE, SIZE));
	EXPECT_EQ(0, memcmp(self->buf, "onetwo000", 9));
	EXPECT_EQ(-1, pread(two, self->buf, 1, 0));
	EXPECT_EQ(EBADF, errno);
	ASSERT_EQ(SIZE, pread(one, self->buf, SIZE, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, SIZE, SEED));
}

TEST_F(modes, direct)
{
	int fd = open_as(O_RDWR | O_DIRECT);

	EXPECT_EQ(333, pread(fd, self->buf + 1, 333, 7));
	EXPECT_EQ(-1, differs(self->buf + 1, 7, 333, SEED));
	pattern(self->buf + 3, 4097, 5000, SEED + 1);
	EXPECT_EQ(5000, pwrite(fd, self->buf + 3, 5000, 4097));
	EXPECT_EQ(5000, pread(self->fd, self->buf, 5000, 4097));
	EXPECT_EQ(-1, differs(self->buf, 4097, 5000, SEED + 1));
}

/* Data of write(2) goes past the caches: a sync finds no entry to flush. */
TEST_F(modes, dsync)
{
	int fd = open_as(O_RDWR | O_DSYNC);

	EXPECT_EQ(5, pwrite(fd, "dsync", 5, 100));
	EXPECT_EQ(5, pwrite(self->fd, "plain", 5, 200));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_GROWN(EQ, 0, &self->before, "flushes");
	/* With a dirty mapping in the range, O_DSYNC is a promise for that too. */
	store(map_pte(self->fd, 0, PAGE) + 50, 'm');
	EXPECT_EQ(5, pwrite(fd, "dsync", 5, 100));
	EXPECT_GROWN(EQ, 1, &self->before, "flushes");
}

TEST_F(modes, splice)
{
	int ends[2], out = hole_file("spliced", 0);
	loff_t from = PMD - 10, to = 5;
	ssize_t in, moved;
	size_t done = 0;

	ASSERT_EQ(0, pipe(ends));
	while (done < 4 * PAGE) {
		in = splice(self->fd, &from, ends[1], NULL, 4 * PAGE - done, 0);
		if (in <= 0)
			break;
		for (; in > 0; in -= moved, done += moved) {
			moved = splice(ends[0], NULL, out, &to, in, 0);
			ASSERT_LT(0, moved);
		}
	}
	EXPECT_EQ(SIZE - (PMD - 10), done);
	ASSERT_EQ((ssize_t)done, pread(out, self->buf, 4 * PAGE, 5));
	EXPECT_EQ(-1, differs(self->buf, PMD - 10, done, SEED));
}

TEST_F(modes, sendfile)
{
	int out = hole_file("sent", 0);
	off_t from = 3;
	size_t done = 3;
	ssize_t sent;

	while ((sent = sendfile(out, self->fd, &from, SIZE)) > 0)
		done += sent;
	EXPECT_EQ(0, sent);
	EXPECT_EQ(SIZE, done);
	ASSERT_EQ(SIZE - 3, pread(out, self->buf, SIZE, 0));
	EXPECT_EQ(-1, differs(self->buf, 3, SIZE - 3, SEED));
}

TEST_F(modes, copy_file_range)
{
	int out = hole_file("copied", 0);
	loff_t from = PAGE + 1, to = 0;
	ssize_t got;

	while ((got = copy_file_range(self->fd, &from, out, &to, PMD, 0)) > 0)
		;
	EXPECT_EQ(0, got);
	EXPECT_EQ(SIZE, from);
	ASSERT_EQ(SIZE - PAGE - 1, pread(out, self->buf, SIZE, 0));
	EXPECT_EQ(-1, differs(self->buf, PAGE + 1, SIZE - PAGE - 1, SEED));
}

TEST_HARNESS_MAIN
