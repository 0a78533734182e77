// SPDX-License-Identifier: GPL-2.0
/*
 * The bio path of /dev/daxlab0 keeps every byte where it belongs.
 *
 * The memory of the device comes in 2 MiB chunks that need not be adjacent,
 * and a bio may come in segments of any size from buffers of any alignment
 * above 511 bytes. So each test writes a pattern that depends on the position
 * and lets it lie across the end of a chunk; bytes around it must survive.
 *
 *   1. O_DIRECT from and to buffers at each multiple of 512 in a page
 *   2. discard and write-zeroes: the range reads as zeroes, nothing else does
 *   3. I/O that is not a whole number of blocks, or lies past the end
 *   4. buffered writes, fsync, seen by O_DIRECT
 *   5. each bio is counted once
 *
 * A broken device returns other bytes, and the place is printed. Runs for a
 * second or two.
 *
 * daxlab-test: args="size=32M"
 */
#include "daxlab.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "kselftest_harness.h"

#define BLOCK	DXL_PAGE
#define CHUNK	DXL_PMD
#define SPAN	(6 * CHUNK)	/* what the tests use of the device */

FIXTURE(bdev)
{
	int fd;			/* O_DIRECT */
	uint64_t size;
	unsigned char *buf;	/* SPAN and a page */
};

static void fill(unsigned char *buf, uint64_t pos, size_t len, uint64_t seed)
{
	size_t i;

	for (i = 0; i < len; i += 8) {
		uint64_t word = (pos + i + 1) * 0x9e3779b97f4a7c15ULL ^ seed;

		memcpy(buf + i, &word, 8);
	}
}

/* Position of the first wrong byte, or -1. */
static int64_t differs(const unsigned char *buf, uint64_t pos, size_t len,
		       uint64_t seed)
{
	size_t i;

	for (i = 0; i < len; i += 8) {
		uint64_t word = (pos + i + 1) * 0x9e3779b97f4a7c15ULL ^ seed;

		if (memcmp(buf + i, &word, 8))
			return pos + i;
	}
	return -1;
}

static int64_t not_zero(const unsigned char *buf, uint64_t pos, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (buf[i])
			return pos + i;
	return -1;
}

FIXTURE_SETUP(bdev)
{
	self->fd = open(DXL_DEV, O_RDWR | O_DIRECT);
	ASSERT_GE(self->fd, 0);
	ASSERT_EQ(0, ioctl(self->fd, BLKGETSIZE64, &self->size));
	ASSERT_GE(self->size, SPAN + CHUNK);
	self->buf = aligned_alloc(BLOCK, SPAN + BLOCK);
	ASSERT_NE(NULL, self->buf);

	fill(self->buf, 0, SPAN, 0);
	ASSERT_EQ(SPAN, pwrite(self->fd, self->buf, SPAN, 0));
	memset(self->buf, 0xaa, SPAN + BLOCK);
}

FIXTURE_TEARDOWN(bdev)
{
	free(self->buf);
	close(self->fd);
}

TEST_F(bdev, setup_is_read_back)
{
	ASSERT_EQ(SPAN, pread(self->fd, self->buf, SPAN, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, SPAN, 0));
}

TEST_F(bdev, buffers_at_each_multiple_of_512)
{
	/* Starts before the end of a chunk and ends after that of the next. */
	const uint64_t pos = CHUNK - 3 * BLOCK;
	const size_t len = CHUNK + 5 * BLOCK;
	size_t off;

	for (off = 0; off < BLOCK; off += 512) {
		unsigned char *out = self->buf + off;
		unsigned char *in = self->buf + (BLOCK - 512 - off);

		fill(out, pos, len, off);
		ASSERT_EQ(len, pwrite(self->fd, out, len, pos));
		memset(self->buf, 0xaa, SPAN + BLOCK);
		ASSERT_EQ(len, pread(self->fd, in, len, pos));
		EXPECT_EQ(-1, differs(in, pos, len, off));
	}
	ASSERT_EQ(SPAN, pread(self->fd, self->buf, SPAN, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, pos, 0));
	EXPECT_EQ(-1, differs(self->buf + pos + len, pos + len,
			      SPAN - pos - len, 0));
}

TEST_F(bdev, vectors_across_chunks)
{
	const uint64_t pos = 2 * CHUNK - 2 * BLOCK;
	struct iovec iov[4];
	int i;

	for (i = 0; i < 4; i++) {
		iov[i].iov_base = self->buf + (3 - i) * 16 * BLOCK + 512;
		iov[i].iov_len = (i + 1) * BLOCK;
		fill(iov[i].iov_base, pos + i * (i + 1) / 2 * BLOCK,
		     iov[i].iov_len, 7);
	}
	ASSERT_EQ(10 * BLOCK, pwritev(self->fd, iov, 4, pos));
	ASSERT_EQ(10 * BLOCK, pread(self->fd, self->buf, 10 * BLOCK, pos));
	EXPECT_EQ(-1, differs(self->buf, pos, 10 * BLOCK, 7));
}

FIXTURE(erase)
{
	int fd;
	unsigned char *buf;
};

FIXTURE_VARIANT(erase)
{
	unsigned long request;
};

FIXTURE_VARIANT_ADD(erase, discard)
{
	.request = BLKDISCARD,
};

FIXTURE_VARIANT_ADD(erase, zeroout)
{
	.request = BLKZEROOUT,
};

FIXTURE_SETUP(erase)
{
	self->fd = open(DXL_DEV, O_RDWR | O_DIRECT);
	ASSERT_GE(self->fd, 0);
	self->buf = aligned_alloc(BLOCK, SPAN);
	ASSERT_NE(NULL, self->buf);
	fill(self->buf, 0, SPAN, 0);
	ASSERT_EQ(SPAN, pwrite(self->fd, self->buf, SPAN, 0));
}

FIXTURE_TEARDOWN(erase)
{
	free(self->buf);
	close(self->fd);
}

TEST_F(erase, range_reads_as_zeroes)
{
	static const uint64_t ranges[][2] = {
		{ CHUNK - BLOCK, 2 * BLOCK },
		{ 2 * CHUNK, CHUNK },
		{ 3 * CHUNK + 5 * BLOCK, CHUNK + BLOCK },
	};
	uint64_t kept = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		ASSERT_EQ(0, ioctl(self->fd, variant->request, ranges[i]));

	ASSERT_EQ(SPAN, pread(self->fd, self->buf, SPAN, 0));
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		uint64_t pos = ranges[i][0], len = ranges[i][1];

		EXPECT_EQ(-1, not_zero(self->buf + pos, pos, len));
		EXPECT_EQ(-1, differs(self->buf + kept, kept, pos - kept, 0));
		kept = pos + len;
	}
	EXPECT_EQ(-1, differs(self->buf + kept, kept, SPAN - kept, 0));
}

TEST_F(erase, no_part_of_a_block)
{
	uint64_t range[2] = { BLOCK, BLOCK / 2 };

	EXPECT_EQ(-1, ioctl(self->fd, variant->request, range));
	EXPECT_EQ(EINVAL, errno);
	range[0] = 512;
	range[1] = BLOCK;
	EXPECT_EQ(-1, ioctl(self->fd, variant->request, range));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(SPAN, pread(self->fd, self->buf, SPAN, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, SPAN, 0));
}

TEST_F(bdev, no_part_of_a_block)
{
	EXPECT_EQ(-1, pwrite(self->fd, self->buf, 512, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pwrite(self->fd, self->buf, BLOCK, 512));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pread(self->fd, self->buf, BLOCK + 512, 0));
	EXPECT_EQ(EINVAL, errno);
	ASSERT_EQ(SPAN, pread(self->fd, self->buf, SPAN, 0));
	EXPECT_EQ(-1, differs(self->buf, 0, SPAN, 0));
}

TEST_F(bdev, nothing_past_the_end)
{
	EXPECT_EQ(-1, pwrite(self->fd, self->buf, BLOCK, self->size));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(0, pread(self->fd, self->buf, BLOCK, self->size));
	EXPECT_EQ(BLOCK, pwrite(self->fd, self->buf, 2 * BLOCK,
				self->size - BLOCK));
	EXPECT_EQ(BLOCK, pread(self->fd, self->buf, 2 * BLOCK,
			       self->size - BLOCK));
}

TEST_F(bdev, buffered_writes_reach_the_memory)
{
	const uint64_t pos = CHUNK - 1000;
	const size_t len = 100008;
	const uint64_t from = pos / BLOCK * BLOCK;
	int fd = open(DXL_DEV, O_RDWR);

	ASSERT_GE(fd, 0);
	fill(self->buf, pos, len, 9);
	ASSERT_EQ(len, pwrite(fd, self->buf, len, pos));
	ASSERT_EQ(0, fsync(fd));
	memset(self->buf, 0xaa, SPAN);
	ASSERT_EQ(CHUNK, pread(self->fd, self->buf, CHUNK, from));
	EXPECT_EQ(-1, differs(self->buf, from, pos - from, 0));
	EXPECT_EQ(-1, differs(self->buf + (pos - from), pos, len, 9));
	EXPECT_EQ(-1, differs(self->buf + (pos - from) + len, pos + len,
			      CHUNK - (pos - from) - len, 0));
	close(fd);
}

TEST_F(bdev, says_what_it_is)
{
	unsigned int alignment;
	int block;

	ASSERT_EQ(0, ioctl(self->fd, BLKSSZGET, &block));
	EXPECT_EQ(BLOCK, block);
	ASSERT_EQ(0, ioctl(self->fd, BLKPBSZGET, &block));
	EXPECT_EQ(BLOCK, block);
	ASSERT_EQ(0, ioctl(self->fd, BLKIOOPT, &block));
	EXPECT_EQ(CHUNK, block);
	ASSERT_EQ(0, ioctl(self->fd, BLKALIGNOFF, &alignment));
	EXPECT_EQ(0, alignment);
	EXPECT_EQ(0, self->size % CHUNK);
}

TEST_F(bdev, each_bio_is_counted_once)
{
	uint64_t range[2] = { 0, CHUNK };
	struct dxl_stats before;

	dxl_stats(&before);
	ASSERT_EQ(BLOCK, pwrite(self->fd, self->buf, BLOCK, 0));
	ASSERT_EQ(BLOCK, pwrite(self->fd, self->buf, BLOCK, CHUNK));
	ASSERT_EQ(BLOCK, pread(self->fd, self->buf, BLOCK, 0));
	ASSERT_EQ(0, fsync(self->fd));
	ASSERT_EQ(0, ioctl(self->fd, BLKDISCARD, range));
	ASSERT_EQ(0, ioctl(self->fd, BLKZEROOUT, range));
	EXPECT_EQ(1, dxl_grown(&before, "bio_reads"));
	EXPECT_EQ(2, dxl_grown(&before, "bio_writes"));
	EXPECT_EQ(1, dxl_grown(&before, "bio_flushes"));
	EXPECT_EQ(2, dxl_grown(&before, "bio_discards"));
}

TEST_HARNESS_MAIN
