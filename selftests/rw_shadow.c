// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a file against a copy of it in memory.
 *
 *  1. Each round does one of: write(2), a store through a mapping, truncate up
 *     or down, punch, zero range, allocate, fsync, at odd offsets and lengths.
 *  2. The same is done to a buffer.
 *  3. read(2) of the surroundings and the size agree with the buffer after each
 *     round, all of the file every 50 rounds, through a mapping as well.
 *
 * What fsx does. The seed is fixed and printed by a failure with the round, so
 * each failure repeats.
 *
 * daxlab-test: timeout=240 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define LIMIT	(2 * PMD + PMD / 2)	/* of the file's size */
#define ROUNDS	1200

FIXTURE(shadow) {
	int fd;
	off_t size;
	char *copy, *map, *buf;
};

FIXTURE_VARIANT(shadow) {
	int flags;
	size_t skew;
	unsigned int seed;
};

FIXTURE_VARIANT_ADD(shadow, plain_pmd) { .skew = 0, .seed = 11 };
FIXTURE_VARIANT_ADD(shadow, plain_pte) { .skew = PAGE, .seed = 12 };
FIXTURE_VARIANT_ADD(shadow, direct) { .flags = O_DIRECT, .seed = 13 };
FIXTURE_VARIANT_ADD(shadow, dsync) { .flags = O_DSYNC, .skew = PAGE, .seed = 14 };

FIXTURE_SETUP(shadow)
{
	close(hole_file("shadow", 0));
	self->fd = open(DXL_MNT "/shadow", O_RDWR | variant->flags);
	ASSERT_LE(0, self->fd);
	self->copy = calloc(1, LIMIT);
	self->buf = malloc(LIMIT);
	self->map = map_skewed(self->fd, 0, LIMIT, variant->skew, RW, MAP_SHARED);
}

FIXTURE_TEARDOWN(shadow)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

/* [from, to) of the file agrees with the copy, and so does the size. */
static bool agrees(FIXTURE_DATA(shadow) *self, off_t from, off_t to, bool mapped)
{
	struct stat st;

	if (to > self->size)
		to = self->size;
	if (fstat(self->fd, &st) || st.st_size != self->size)
		return false;
	if (from >= to)
		return true;
	if (pread(self->fd, self->buf, to - from, from) != to - from)
		return false;
	if (memcmp(self->buf, self->copy + from, to - from))
		return false;
	return !mapped || !memcmp(self->map + from, self->copy + from, to - from);
}

static void grow(FIXTURE_DATA(shadow) *self, off_t end)
{
	if (end > self->size)
		self->size = end;
}

/* One operation; false if it did not do what it should. */
static bool operate(FIXTURE_DATA(shadow) *self, int what, off_t off, size_t len,
		    unsigned int round)
{
	int mode = 0;

	switch (what) {
	case 0 ... 3:
		pattern(self->copy + off, off, len, round);
		grow(self, off + len);
		return pwrite(self->fd, self->copy + off, len, off) == (ssize_t)len;
	case 4 ... 6:
		if (off + (off_t)len > self->size)
			return true;
		pattern(self->copy + off, off, len, round);
		memcpy(self->map + off, self->copy + off, len);
		return true;
	case 7:
		if (off < self->size)
			memset(self->copy + off, 0, self->size - off);
		self->size = off;
		return !ftruncate(self->fd, off);
	case 8:
		mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		memset(self->copy + off, 0, len);
		break;
	case 9:
		mode = FALLOC_FL_ZERO_RANGE | (round % 2 ? FALLOC_FL_KEEP_SIZE : 0);
		memset(self->copy + off, 0, len);
		break;
	case 10:
		mode = round % 2 ? FALLOC_FL_KEEP_SIZE : 0;
		break;
	default:
		return !(round % 2 ? fsync(self->fd) : msync(self->map, LIMIT, MS_SYNC));
	}
	if (!(mode & FALLOC_FL_KEEP_SIZE))
		grow(self, off + len);
	return !fallocate(self->fd, mode, off, len);
}

TEST_F_TIMEOUT(shadow, random_operations, 60)
{
	unsigned int round, seed = variant->seed;

	for (round = 0; round < ROUNDS; round++) {
		int what = rand_r(&seed) % 12;
		size_t len = 1 + rand_r(&seed) % (round % 10 ? 3 * PAGE : PMD);
		off_t off = rand_r(&seed) % (LIMIT - len);

		if (round % 3 == 0) {
			off &= ~(PAGE - 1);
			len = (len + PAGE - 1) & ~(PAGE - 1);
		}
		ASSERT_TRUE(operate(self, what, off, len, round))
			TH_LOG("round %u operation %d: %s", round, what, strerror(errno));
		ASSERT_TRUE(agrees(self, off > (off_t)PAGE ? off - PAGE : 0, off + len + PAGE,
				   true))
			TH_LOG("round %u operation %d at 0x%lx length 0x%zx size 0x%lx",
			       round, what, off, len, self->size);
		if (round % 50 == 49)
			ASSERT_TRUE(agrees(self, 0, self->size, round % 100 == 99))
				TH_LOG("round %u, size 0x%lx", round, self->size);
	}
}

TEST_HARNESS_MAIN
