// SPDX-License-Identifier: GPL-2.0
/*
 * A hole that somebody has mapped, then filled by somebody else.
 *
 *  1. A reads the hole through a mapping: the zero page, or a zero PMD.
 *  2. B fills it, by write(2) or by a store, in the same process or another.
 *  3. A must see B's data through the mapping it had, and by read(2).
 *
 * "mm: fix data corruption due to stale mmap reads" and "dax: fix data
 * corruption when fault races with write" (v4.12): A kept reading zeroes for
 * ever, since write(2) allocated blocks and left the zero page mapped. This is
 * the form without a race, which xfstests generic/428 has too.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define SEED	3

FIXTURE(hole) {
	int fd;
	char *map;
	struct dxl_stats before;
};

FIXTURE_VARIANT(hole) {
	size_t skew;
	size_t step;		/* what one entry covers */
	const char *zero, *mapped;
};

FIXTURE_VARIANT_ADD(hole, pte) {
	.skew = PAGE, .step = PAGE,
	.zero = "fault_pte_hole", .mapped = "fault_pte_mapped",
};

FIXTURE_VARIANT_ADD(hole, pmd) {
	.skew = 0, .step = PMD,
	.zero = "fault_pmd_hole", .mapped = "fault_pmd_mapped",
};

FIXTURE_SETUP(hole)
{
	self->fd = hole_file("hole", SIZE);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	dxl_stats(&self->before);
	load_each(self->map, SIZE, variant->step);
	EXPECT_GROWN(EQ, SIZE / variant->step, &self->before, variant->zero);
}

FIXTURE_TEARDOWN(hole)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

TEST_F(hole, write_fills_one_page)
{
	write_pattern(self->fd, PMD + 5 * PAGE, PAGE, SEED);
	EXPECT_EQ(-1, differs(self->map + PMD + 5 * PAGE, PMD + 5 * PAGE, PAGE, SEED));
	EXPECT_EQ(-1, nonzero(self->map, PMD + 5 * PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PMD + 6 * PAGE, PMD - 6 * PAGE));
	EXPECT_GROWN(LE, 1, &self->before, "entries_invalidated");
}

TEST_F(hole, write_fills_all)
{
	write_pattern(self->fd, 0, SIZE, SEED);
	EXPECT_EQ(-1, differs(self->map, 0, SIZE, SEED));
	EXPECT_GROWN(EQ, SIZE / variant->step, &self->before, "entries_invalidated");
	EXPECT_GROWN(EQ, SIZE / variant->step, &self->before, variant->mapped);
}

TEST_F(hole, write_of_few_bytes)
{
	ASSERT_EQ(3, pwrite(self->fd, "abc", 3, 7 * PAGE - 1));
	EXPECT_EQ(0, memcmp(self->map + 7 * PAGE - 1, "abc", 3));
	EXPECT_EQ(-1, nonzero(self->map, 7 * PAGE - 1));
	EXPECT_EQ(-1, nonzero(self->map + 7 * PAGE + 2, SIZE - 7 * PAGE - 2));
}

/* The store comes through entries of the other size. */
TEST_F(hole, store_fills)
{
	char *other = map_skewed(self->fd, 0, SIZE, PAGE - variant->skew, RW, MAP_SHARED);
	char page[PAGE];

	store(other + 11 * PAGE, 's');
	store(other + PMD, 't');
	EXPECT_EQ('s', load(self->map + 11 * PAGE));
	EXPECT_EQ('t', load(self->map + PMD));
	EXPECT_EQ(PAGE, pread(self->fd, page, PAGE, 11 * PAGE));
	EXPECT_EQ('s', page[0]);
	EXPECT_EQ(-1, nonzero(page + 1, PAGE - 1));
	EXPECT_EQ(-1, nonzero(self->map, 11 * PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PMD + 1, PMD - 1));
}

static int child_writes(void *arg)
{
	int fd = *(int *)arg;

	write_pattern(fd, 3 * PAGE, 2 * PAGE, SEED);
	return 0;
}

TEST_F(hole, other_process_writes)
{
	ASSERT_EQ(0, in_child(child_writes, &self->fd));
	EXPECT_EQ(-1, differs(self->map + 3 * PAGE, 3 * PAGE, 2 * PAGE, SEED));
	EXPECT_EQ(-1, nonzero(self->map, 3 * PAGE));
	EXPECT_EQ(-1, nonzero(self->map + 5 * PAGE, SIZE - 5 * PAGE));
}

static int child_stores(void *arg)
{
	char *map = map_pte(*(int *)arg, 0, SIZE);

	if (nonzero(map, SIZE) >= 0)
		return 1;
	store(map + PMD + PAGE, 'c');
	return 0;
}

TEST_F(hole, other_process_stores)
{
	ASSERT_EQ(0, in_child(child_stores, &self->fd));
	EXPECT_EQ('c', load(self->map + PMD + PAGE));
	EXPECT_EQ(-1, nonzero(self->map, PMD + PAGE));
	EXPECT_EQ(-1, nonzero(self->map + PMD + PAGE + 1, PMD - PAGE - 1));
}

/* The child has the zero page mapped itself, by fork. */
static int child_sees(void *arg)
{
	char **map = arg;

	while (!load(*map + PAGE))
		;
	return load(*map + PAGE) == 'p' && nonzero(*map, PAGE) < 0 ? 0 : 1;
}

TEST_F(hole, parent_writes_under_child)
{
	pid_t pid = fork();
	int status;

	ASSERT_LE(0, pid);
	if (!pid)
		_exit(child_sees(&self->map));
	ASSERT_EQ(1, pwrite(self->fd, "p", 1, PAGE));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
