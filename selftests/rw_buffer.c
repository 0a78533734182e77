// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) and write(2) with buffers that fault in the middle of the copy.
 *
 *  1. The buffer is a mapping of the same file, not touched before: the copy
 *     takes page faults, reads and writes, PTE and PMD, on the very file, and
 *     the very page, that is being written.
 *  2. The buffer ends in unmapped memory: as much as could be copied counts,
 *     and it is EFAULT if that is nothing.
 *  3. Vectors of odd pieces.
 *
 * A filesystem that holds a lock over the copy that its faults want too hangs
 * here (the reason for 9f141d6ef625, "dax: Call ->iomap_begin without entry lock
 * during dax fault"). This one may hold i_rwsem only.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#include <sys/uio.h>

#define SIZE	(4 * PMD)
#define SEED	15

FIXTURE(buffer) {
	int fd;
	char *map;
	struct dxl_stats before;
};

FIXTURE_VARIANT(buffer) {
	size_t skew;
	const char *mapped;
};

FIXTURE_VARIANT_ADD(buffer, pte) { .skew = PAGE, .mapped = "fault_pte_mapped" };
FIXTURE_VARIANT_ADD(buffer, pmd) { .skew = 0, .mapped = "fault_pmd_mapped" };

FIXTURE_SETUP(buffer)
{
	self->fd = hole_file("buffer", SIZE);
	write_pattern(self->fd, 0, 2 * PMD, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(buffer)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

TEST_F(buffer, write_from_own_mapping)
{
	/* Data to a hole, within the range that the fault maps and beyond it. */
	ASSERT_EQ(PMD, pwrite(self->fd, self->map, PMD, 2 * PMD));
	EXPECT_EQ(0, memcmp(self->map, self->map + 2 * PMD, PMD));
	EXPECT_EQ(-1, differs(self->map + 2 * PMD, 0, PMD, SEED));
	EXPECT_GROWN(LE, 2, &self->before, variant->mapped);
	/* A hole to data. */
	ASSERT_EQ(3 * PAGE, pwrite(self->fd, self->map + 3 * PMD, 3 * PAGE, PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PAGE, 3 * PAGE));
	EXPECT_EQ(-1, differs(self->map + 4 * PAGE, 4 * PAGE, PAGE, SEED));
}

TEST_F(buffer, write_to_itself)
{
	/* The page that is read is the one that is written, at the same offset. */
	ASSERT_EQ(SIZE, pwrite(self->fd, self->map, SIZE, 0));
	EXPECT_EQ(-1, differs(self->map, 0, 2 * PMD, SEED));
	EXPECT_EQ(-1, nonzero(self->map + 2 * PMD, 2 * PMD));
	EXPECT_EQ(SIZE / PAGE, data_blocks(self->fd));
}

TEST_F(buffer, write_hole_to_itself_then_look)
{
	ASSERT_EQ(5, pwrite(self->fd, self->map + 3 * PMD + 10, 5, 3 * PMD + 20));
	EXPECT_EQ(1, data_blocks(self->fd) - 2 * PMD_PAGES);
	ASSERT_EQ(1, pwrite(self->fd, "x", 1, 3 * PMD + 30));
	EXPECT_EQ('x', load(self->map + 3 * PMD + 30));
}

TEST_F(buffer, read_to_own_mapping)
{
	/* Into data, into a hole: then the copy makes write faults that allocate. */
	ASSERT_EQ(PMD, pread(self->fd, self->map + PMD, PMD, 0));
	EXPECT_EQ(-1, differs(self->map + PMD, 0, PMD, SEED));
	ASSERT_EQ(PMD, pread(self->fd, self->map + 2 * PMD, PMD, 0));
	EXPECT_EQ(-1, differs(self->map + 2 * PMD, 0, PMD, SEED));
	EXPECT_EQ(3 * PMD_PAGES, data_blocks(self->fd));
	/* A page into itself. */
	ASSERT_EQ(PAGE, pread(self->fd, self->map, PAGE, 0));
	EXPECT_EQ(-1, differs(self->map, 0, PMD, SEED));
}

/* Two pages of anonymous memory, the second one not accessible. */
static char *bad_buffer(void)
{
	char *buf = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	must(buf != MAP_FAILED);
	must(!mprotect(buf + PAGE, PAGE, PROT_NONE));
	return buf;
}

TEST_F(buffer, bad)
{
	char *buf = bad_buffer(), page[PAGE];
	struct stat st;
	ssize_t got;

	EXPECT_EQ(-1, pread(self->fd, buf + PAGE, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pread(self->fd, buf + PAGE, PAGE, SIZE - PAGE));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pwrite(self->fd, buf + PAGE, PAGE, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, pwrite(self->fd, buf + PAGE, PAGE, SIZE));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ(-1, differs(self->map, 0, PAGE, SEED));

	got = pread(self->fd, buf + PAGE - 100, 200, 0);
	EXPECT_LE(1, got);
	EXPECT_GE(100, got);
	EXPECT_EQ(-1, differs(buf + PAGE - 100, 0, got, SEED));

	memset(buf, 'b', PAGE);
	got = pwrite(self->fd, buf + PAGE - 100, 200, SIZE);
	EXPECT_LE(1, got);
	EXPECT_GE(100, got);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE + got, st.st_size);
	ASSERT_EQ(got, pread(self->fd, page, PAGE, SIZE));
	EXPECT_EQ(0, memcmp(page, buf, got));
	/* What was allocated and not written shows nothing but zeroes. */
	ASSERT_EQ(0, ftruncate(self->fd, SIZE + PAGE));
	ASSERT_EQ(PAGE - got, pread(self->fd, page, PAGE, SIZE + got));
	EXPECT_EQ(-1, nonzero(page, PAGE - got));
}

TEST_F(buffer, vectors)
{
	char *data = malloc(3 * PAGE), *bad = bad_buffer();
	struct iovec iov[] = {
		{ data, 1 }, { data + 1, 0 }, { data + 1, PAGE }, { data + 1 + PAGE, 77 },
		{ data + PAGE + 78, 2 * PAGE - 78 },
	};
	struct iovec part[] = { { data, 50 }, { bad + PAGE, 50 } };

	pattern(data, 0, 3 * PAGE, SEED + 1);
	ASSERT_EQ(3 * PAGE, pwritev(self->fd, iov, ARRAY_SIZE(iov), 2 * PMD - PAGE - 5));
	EXPECT_EQ(0, memcmp(self->map + 2 * PMD - PAGE - 5, data, 3 * PAGE));
	EXPECT_EQ(-1, differs(self->map, 0, 2 * PMD - PAGE - 5, SEED));
	EXPECT_EQ(-1, nonzero(self->map + 2 * PMD + 2 * PAGE - 5, PAGE));
	memset(data, 0, 3 * PAGE);
	ASSERT_EQ(3 * PAGE, preadv(self->fd, iov, ARRAY_SIZE(iov), 2 * PMD - PAGE - 5));
	EXPECT_EQ(-1, differs(data, 0, 3 * PAGE, SEED + 1));
	EXPECT_EQ(50, preadv(self->fd, part, 2, 0));
	EXPECT_EQ(50, pwritev(self->fd, part, 2, 0));
	EXPECT_EQ(-1, differs(self->map, 0, PAGE, SEED));
}

TEST_HARNESS_MAIN
