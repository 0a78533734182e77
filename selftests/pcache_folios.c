// SPDX-License-Identifier: GPL-2.0
/*
 * Files in page-cache mode, where folios and blocks do not fit each other.
 *
 *  1. Read a file in order, so that readahead makes large folios: /proc/kpageflags
 *     proves it. Then store, write, punch, zero and truncate within one folio; each
 *     time cache and device must have what a copy in memory has.
 *  2. The same with a file that has a hole at every other page, and with one of
 *     which no two blocks are adjacent: a folio of many runs, written whole.
 *  3. Faults on holes take no blocks until something is stored.
 *  4. What is stored behind EOF in the last page is never seen: not after the
 *     file grows, in any way, and not on the device.
 *  5. The cache and direct I/O see each other; requests that the device cannot
 *     do go through the cache.
 *  6. A huge page of a collapse (khugepaged) is a folio like others.
 *
 * daxlab-test: timeout=240 modes=pcache needs=mount args="size=64M"
 */
#include "folio.h"

#include <sys/mount.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define SIZE		(1UL << 20)
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO		(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)

static unsigned int count_large(const char *map, size_t len)
{
	unsigned int nr = 0;
	size_t i;

	for (i = 0; i < len; i += PAGE) {
		load(map + i);
		nr += is_large(map + i);
	}
	return nr;
}

FIXTURE(folios) {
	int fd;
	off_t size;
	char *copy, *map, *buf;
};

FIXTURE_VARIANT(folios) {
	int layout;
};

FIXTURE_VARIANT_ADD(folios, plain) { 0 };
FIXTURE_VARIANT_ADD(folios, holes) { 1 };
FIXTURE_VARIANT_ADD(folios, scattered) { 2 };
FIXTURE_VARIANT_ADD(folios, unwritten) { 3 };

/* Everything out of the cache, then in again by large folios. */
static void cache_anew(FIXTURE_DATA(folios) *self)
{
	off_t at;

	must(!fsync(self->fd));
	must(!munmap(self->map, SIZE));
	drop_caches();
	for (at = 0; at < self->size; at += 128 << 10)
		must(pread(self->fd, self->buf, 128 << 10, at) >= 0);
	self->map = map_pte(self->fd, 0, SIZE);
}

FIXTURE_SETUP(folios)
{
	int other;
	off_t at;

	self->copy = calloc(1, SIZE);
	self->buf = malloc(SIZE);
	self->size = SIZE;
	self->fd = hole_file("file", SIZE);
	other = hole_file("other", SIZE);
	self->map = map_pte(self->fd, 0, SIZE);
	if (variant->layout == 3)
		ASSERT_EQ(0, fallocate(self->fd, 0, 0, SIZE));
	for (at = 0; at < (off_t)SIZE; at += PAGE) {
		if ((variant->layout == 1 || variant->layout == 3) && at / PAGE % 2)
			continue;
		write_pattern(self->fd, at, PAGE, 1);
		pattern(self->copy + at, at, PAGE, 1);
		if (variant->layout == 2)
			write_pattern(other, at, PAGE, 2);
	}
	close(other);
	cache_anew(self);
	EXPECT_LT(SIZE / PAGE / 4, count_large(self->map, SIZE));
}

FIXTURE_TEARDOWN(folios)
{
	munmap(self->map, SIZE);
	close(self->fd);
}

static bool agrees(FIXTURE_DATA(folios) *self)
{
	struct stat st;

	return !fstat(self->fd, &st) && st.st_size == self->size &&
	       pread(self->fd, self->buf, SIZE, 0) == self->size &&
	       !memcmp(self->buf, self->copy, self->size) &&
	       !memcmp(self->map, self->copy, self->size);
}

/* In the cache, on the device, and again. */
#define EXPECT_AGREES() do {						\
	EXPECT_TRUE(agrees(self));					\
	cache_anew(self);						\
	EXPECT_TRUE(agrees(self));					\
} while (0)

TEST_F(folios, stores)
{
	off_t at;

	store(self->map + 5 * PAGE + 9, 'x');
	self->copy[5 * PAGE + 9] = 'x';
	EXPECT_AGREES();
	for (at = 3; at < (off_t)SIZE; at += 7 * PAGE) {
		store(self->map + at, 'y');
		self->copy[at] = 'y';
	}
	EXPECT_AGREES();
	for (at = 3; at < (off_t)SIZE; at += PAGE) {
		store(self->map + at, 'z');
		self->copy[at] = 'z';
	}
	EXPECT_AGREES();
}

TEST_F(folios, writes)
{
	static const struct { off_t at; size_t len; } w[] = {
		{ 10, 5 }, { 3 * PAGE, PAGE }, { 9 * PAGE - 3, 2 * PAGE },
		{ 100 * PAGE, 50 * PAGE + 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(w); i++) {
		write_pattern(self->fd, w[i].at, w[i].len, 9);
		pattern(self->copy + w[i].at, w[i].at, w[i].len, 9);
	}
	EXPECT_AGREES();
}

TEST_F(folios, punches)
{
	static const struct { off_t at; size_t len; } w[] = {
		{ 3 * PAGE, PAGE }, { 9 * PAGE - 3, 6 }, { 17 * PAGE + 1, 3 * PAGE },
		{ 31 * PAGE, 66 * PAGE }, { 120 * PAGE + 5, 20 },
	};
	unsigned int i, mode;

	for (mode = 0; mode < 2; mode++) {
		for (i = 0; i < ARRAY_SIZE(w); i++) {
			off_t at = w[i].at + mode * SIZE / 2;

			/* Dirty, with blocks all over. */
			store(self->map + at + w[i].len + PAGE, 'x');
			self->copy[at + w[i].len + PAGE] = 'x';
			ASSERT_EQ(0, fallocate(self->fd, mode ? ZERO : PUNCH, at, w[i].len));
			memset(self->copy + at, 0, w[i].len);
			EXPECT_EQ(0, memcmp(self->map, self->copy, SIZE));
			/* What was cut can be stored to again. */
			store(self->map + at, 'a' + i);
			self->copy[at] = 'a' + i;
		}
		EXPECT_AGREES();
	}
}

TEST_F(folios, truncates)
{
	static const off_t to[] = { SIZE - 1, SIZE / 2 + 5 * PAGE + 7, 77 * PAGE, 9 * PAGE + 1, 1 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(to); i++) {
		store(self->map + to[i] - 1, 'x');
		self->copy[to[i] - 1] = 'x';
		ASSERT_EQ(0, ftruncate(self->fd, to[i]));
		memset(self->copy + to[i], 0, SIZE - to[i]);
		self->size = to[i];
		EXPECT_AGREES();
		self->size = to[i] + 2 * PAGE < (off_t)SIZE ? to[i] + 2 * PAGE : (off_t)SIZE;
		ASSERT_EQ(0, ftruncate(self->fd, self->size));
		EXPECT_AGREES();
	}
}

TEST_F(folios, direct)
{
	int fd = open(DXL_MNT "/file", O_RDWR | O_DIRECT);
	char *buf = aligned_alloc(PAGE, SIZE);

	ASSERT_LE(0, fd);
	store(self->map + 5 * PAGE, 'x');
	self->copy[5 * PAGE] = 'x';
	EXPECT_EQ(SIZE, pread(fd, buf, SIZE, 0));
	EXPECT_EQ(0, memcmp(buf, self->copy, SIZE));
	memset(buf, 'd', 40 * PAGE);
	memset(self->copy + 11 * PAGE, 'd', 40 * PAGE);
	EXPECT_EQ(40 * PAGE, pwrite(fd, buf, 40 * PAGE, 11 * PAGE));
	EXPECT_TRUE(agrees(self));
	memset(self->copy + 60 * PAGE + 3, 'd', 5 * PAGE);
	EXPECT_EQ(5 * PAGE, pwrite(fd, buf, 5 * PAGE, 60 * PAGE + 3));
	EXPECT_EQ(5 * PAGE, pread(fd, buf + 1, 5 * PAGE, 60 * PAGE + 3));
	EXPECT_EQ(0, memcmp(buf + 1, self->copy + 60 * PAGE + 3, 5 * PAGE));
	EXPECT_AGREES();
	close(fd);
	free(buf);
}

TEST(faults_on_holes)
{
	int fd = hole_file("hole", SIZE);
	char *map = map_pte(fd, 0, SIZE);
	uint64_t blocks;

	load_each(map, SIZE, PAGE);
	EXPECT_EQ(0, data_blocks(fd));
	EXPECT_EQ(-1, nonzero(map, SIZE));
	EXPECT_EQ(SIZE, lseek(fd, 0, SEEK_DATA) < 0 && errno == ENXIO ? SIZE : 0);
	store(map + 7 * PAGE, 'x');
	blocks = data_blocks(fd);
	EXPECT_LE(1, blocks);
	EXPECT_GE(SIZE / PAGE, blocks);
	EXPECT_EQ(6 * PAGE, nonzero(map, SIZE) - PAGE);
	ASSERT_EQ(0, fallocate(fd, PUNCH, 0, SIZE));
	EXPECT_EQ(0, data_blocks(fd));
	EXPECT_EQ(-1, nonzero(map, SIZE));

	/* Unwritten blocks are a hole for lseek(2), whatever was read of them. */
	ASSERT_EQ(0, fallocate(fd, 0, 0, SIZE));
	load_each(map, SIZE, PAGE);
	EXPECT_EQ(-1, lseek(fd, 0, SEEK_DATA));
	EXPECT_EQ(ENXIO, errno);
	store(map + 3 * PAGE, 'x');
	EXPECT_GE(3 * PAGE, lseek(fd, 0, SEEK_DATA));
	munmap(map, SIZE);
	close(fd);
}

/* What the device has of the block at the start of a file. */
static void read_device(int fd, char *buf)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} list = { .map = { .fm_length = PAGE, .fm_extent_count = 1 } };
	int dev = open(DXL_DEV, O_RDONLY | O_DIRECT);

	must(dev >= 0 && !ioctl(fd, FS_IOC_FIEMAP, &list.map));
	must(list.map.fm_mapped_extents == 1);
	must(pread(dev, buf, PAGE, list.extent.fe_physical) == (ssize_t)PAGE);
	close(dev);
}

FIXTURE(eof) {
};

FIXTURE_VARIANT(eof) {
	int way;
};

FIXTURE_VARIANT_ADD(eof, truncate) { 0 };
FIXTURE_VARIANT_ADD(eof, write_behind) { 1 };
FIXTURE_VARIANT_ADD(eof, append) { 2 };
FIXTURE_VARIANT_ADD(eof, allocate) { 3 };
FIXTURE_VARIANT_ADD(eof, direct) { 4 };
FIXTURE_VARIANT_ADD(eof, remount) { 5 };

FIXTURE_SETUP(eof)
{
}

FIXTURE_TEARDOWN(eof)
{
}

TEST_F(eof, stores_behind)
{
	char *buf = aligned_alloc(PAGE, 2 * PAGE);
	int fd = full_file("eof", 100, 3);
	char *map = map_pte(fd, 0, PAGE);

	store(map + 200, 'x');
	store(map + PAGE - 1, 'x');
	ASSERT_EQ(0, msync(map, PAGE, MS_SYNC));
	read_device(fd, buf);
	EXPECT_EQ(-1, differs(buf, 0, 100, 3));
	EXPECT_EQ(-1, nonzero(buf + 100, PAGE - 100));
	EXPECT_EQ(100, pread(fd, buf, 2 * PAGE, 0));

	/* Again, and not written. */
	store(map + 200, 'x');
	store(map + PAGE - 1, 'x');
	switch (variant->way) {
	case 0:
		ASSERT_EQ(0, ftruncate(fd, PAGE));
		break;
	case 1:
		ASSERT_EQ(1, pwrite(fd, "y", 1, PAGE + 5));
		break;
	case 2:
		ASSERT_EQ(1, pwrite(fd, "", 1, 100));
		EXPECT_EQ(101, lseek(fd, 0, SEEK_END));
		ASSERT_EQ(0, ftruncate(fd, PAGE));
		break;
	case 3:
		ASSERT_EQ(0, fallocate(fd, 0, 0, 2 * PAGE));
		break;
	case 4:
		close(fd);
		fd = open(DXL_MNT "/eof", O_RDWR | O_DIRECT);
		ASSERT_EQ(PAGE, pwrite(fd, buf, PAGE, PAGE));
		break;
	case 5:
		munmap(map, PAGE);
		close(fd);
		ASSERT_EQ(0, dxl_umount());
		ASSERT_EQ(0, dxl_mount(NULL));
		fd = open(DXL_MNT "/eof", O_RDWR);
		map = map_pte(fd, 0, PAGE);
		ASSERT_EQ(0, ftruncate(fd, PAGE));
	}
	EXPECT_EQ(-1, differs(map, 0, 100, 3));
	EXPECT_EQ(-1, nonzero(map + 100, PAGE - 100));
	EXPECT_LE(PAGE, pread(fd, buf, 2 * PAGE, 0));
	EXPECT_EQ(-1, nonzero(buf + 100, PAGE - 100));
	EXPECT_EQ(0, fsync(fd));
	read_device(fd, buf);
	EXPECT_EQ(-1, nonzero(buf + 100, PAGE - 100));
	munmap(map, PAGE);
	close(fd);
	free(buf);
}

TEST(collapse)
{
	int fd, writer = full_file("huge", 2 * PMD, 4);
	char *map, *buf = malloc(2 * PMD);

	ASSERT_EQ(0, fsync(writer));
	close(writer);
	fd = open(DXL_MNT "/huge", O_RDONLY);
	map = map_skewed(fd, 0, 2 * PMD, 0, PROT_READ | PROT_EXEC, MAP_PRIVATE);
	load_each(map, 2 * PMD, PAGE);
	if (madvise(map, PMD, MADV_COLLAPSE))
		TH_LOG("no collapse: %s", strerror(errno));
	EXPECT_EQ(-1, differs(map, 0, 2 * PMD, 4));
	writer = open(DXL_MNT "/huge", O_RDWR);
	write_pattern(writer, 5 * PAGE + 1, PAGE, 5);
	EXPECT_EQ(-1, differs(map, 0, 5 * PAGE + 1, 4));
	EXPECT_EQ(-1, differs(map + 5 * PAGE + 1, 5 * PAGE + 1, PAGE, 5));
	ASSERT_EQ(0, fallocate(writer, PUNCH, 9 * PAGE, PAGE));
	EXPECT_EQ(-1, nonzero(map + 9 * PAGE, PAGE));
	ASSERT_EQ(0, ftruncate(writer, PMD / 2));
	ASSERT_EQ(0, fsync(writer));
	drop_caches();
	EXPECT_EQ(PMD / 2, pread(fd, buf, 2 * PMD, 0));
	EXPECT_EQ(-1, differs(buf + 10 * PAGE, 10 * PAGE, PMD / 2 - 10 * PAGE, 4));
	EXPECT_EQ(-1, nonzero(buf + 9 * PAGE, PAGE));
	munmap(map, 2 * PMD);
	free(buf);
	close(writer);
	close(fd);
}

TEST_HARNESS_MAIN
