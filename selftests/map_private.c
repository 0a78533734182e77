// SPDX-License-Identifier: GPL-2.0
/*
 * Private mappings: a store makes a copy of the page, the file never changes.
 *
 *  1. The page is read first, or not; it is data, a hole, or under a PMD entry.
 *  2. A store through the private mapping copies it: content around the store
 *     is that of the file at that time.
 *  3. The file, and whoever maps it shared, does not see the store. Pages that
 *     were not copied still show what happens to the file.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define SEED	5

FIXTURE(private) {
	int fd;
	char *map, *shared;
	bool hole;
	struct dxl_stats before;
};

FIXTURE_VARIANT(private) {
	size_t skew;
	bool hole;
};

FIXTURE_VARIANT_ADD(private, pte) { .skew = PAGE };
FIXTURE_VARIANT_ADD(private, pmd) { .skew = 0 };
FIXTURE_VARIANT_ADD(private, pte_hole) { .skew = PAGE, .hole = true };
FIXTURE_VARIANT_ADD(private, pmd_hole) { .skew = 0, .hole = true };

FIXTURE_SETUP(private)
{
	self->hole = variant->hole;
	self->fd = variant->hole ? hole_file("private", SIZE) : full_file("private", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_PRIVATE);
	self->shared = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(private)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

static bool intact(FIXTURE_DATA(private) *self, const char *map, off_t off, size_t len)
{
	if (self->hole)
		return nonzero(map + off, len) < 0;
	return differs(map + off, off, len, SEED) < 0;
}

/* The private mapping shows the stores at @at, all else is as in the file. */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(private) *self,
		  const size_t *at, unsigned int nr)
{
	char *buf = malloc(SIZE);
	size_t done = 0;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		EXPECT_EQ('p', load(self->map + at[i]));
		EXPECT_TRUE(intact(self, self->map, done, at[i] - done));
		done = at[i] + 1;
	}
	EXPECT_TRUE(intact(self, self->map, done, SIZE - done));
	EXPECT_TRUE(intact(self, self->shared, 0, SIZE));
	ASSERT_EQ((ssize_t)SIZE, pread(self->fd, buf, SIZE, 0));
	EXPECT_TRUE(intact(self, buf, 0, SIZE));
	EXPECT_EQ(self->hole ? 0 : SIZE / PAGE, data_blocks(self->fd));
	free(buf);
}

static const size_t places[] = { 5, 3 * PAGE, 2 * PMD - PAGE + 17 };

TEST_F(private, copy_without_read)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++)
		store(self->map + places[i], 'p');
	EXPECT_GROWN(EQ, ARRAY_SIZE(places), &self->before, "fault_cow");
	EXPECT_GROWN(EQ, 0, &self->before, "blocks_allocated");
	check(_metadata, self, places, ARRAY_SIZE(places));
}

/*
 * The page is there already, so the core may copy it by itself: no counter of
 * ours has to move.
 */
TEST_F(private, copy_after_read)
{
	unsigned int i;

	EXPECT_TRUE(intact(self, self->map, 0, SIZE));
	EXPECT_TRUE(intact(self, self->shared, 0, SIZE));
	for (i = 0; i < ARRAY_SIZE(places); i++)
		store(self->map + places[i], 'p');
	EXPECT_GROWN(EQ, 0, &self->before, "blocks_allocated");
	check(_metadata, self, places, ARRAY_SIZE(places));
}

/* Copies stay what they are; the rest follows the file. */
TEST_F(private, file_changes_later)
{
	load_each(self->map, SIZE, PAGE);
	store(self->map + PAGE, 'p');
	ASSERT_EQ(1, pwrite(self->fd, "f", 1, PAGE + 1));
	ASSERT_EQ(1, pwrite(self->fd, "f", 1, 9 * PAGE));
	store(self->shared + PMD, 's');
	EXPECT_EQ('p', load(self->map + PAGE));
	EXPECT_TRUE(intact(self, self->map, PAGE + 1, PAGE - 1));
	EXPECT_EQ('f', load(self->shared + PAGE + 1));
	EXPECT_EQ('f', load(self->map + 9 * PAGE));
	EXPECT_EQ('s', load(self->map + PMD));
}

/* A hole punched under a copy leaves it alone; a truncation takes it away. */
TEST_F(private, punch_and_truncate)
{
	catch_bus();
	store(self->map + PAGE, 'p');
	store(self->map + PMD + PAGE, 'p');
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PMD));
	EXPECT_EQ('p', load(self->map + PAGE));
	EXPECT_EQ(-1, nonzero(self->map + 2 * PAGE, 16 * PAGE));
	ASSERT_EQ(0, ftruncate(self->fd, PMD));
	EXPECT_TRUE(load_dies(self->map + PMD + PAGE));
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	EXPECT_EQ(-1, nonzero(self->map + PMD, PMD));
}

TEST_HARNESS_MAIN
