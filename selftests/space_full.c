// SPDX-License-Identifier: GPL-2.0
/*
 * A filesystem without a free block.
 *
 *  1. One file takes all blocks. Holes of other files cannot be filled now:
 *     write(2) and fallocate say ENOSPC, a store through a mapping dies of SIGBUS.
 *  2. As long as single blocks are left, a PMD store falls back to PTEs and
 *     takes them one by one.
 *  3. What was there before still can be read, written, mapped and synced.
 *  4. Blocks come back: everything works again, and at the end as many blocks
 *     are free as at the start.
 *
 * A fault that fails must not leave its entry locked: the next access to the
 * page would hang for ever.
 *
 * daxlab-test: timeout=180 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define SEED	17
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

/*
 * Stores to @small pages and @large PMDs have taken their blocks, no more; in
 * page-cache mode each takes those of its folio.
 */
#define EXPECT_TAKEN(fd, small, large) do {				\
	uint64_t blocks = data_blocks(fd);				\
									\
	if (dxl_page_cache()) {						\
		EXPECT_LE((small) + (large), blocks);			\
	} else {							\
		EXPECT_EQ((small) + (large) * PMD_PAGES, blocks);	\
	}								\
} while (0)

FIXTURE(full) {
	uint64_t free;
	int old, fill, fd;
	off_t filled;
	struct dxl_stats before;
};

/* Allocate behind the end of the file until nothing is left. */
static off_t fill_up(int fd, off_t end)
{
	off_t step;

	for (step = 64 * PMD; step >= (off_t)PAGE; step /= 2)
		while (!fallocate(fd, 0, end, step))
			end += step;
	must(errno == ENOSPC);
	return end;
}

FIXTURE_SETUP(full)
{
	catch_bus();
	unlink(DXL_MNT "/old");
	unlink(DXL_MNT "/fill");
	unlink(DXL_MNT "/full");
	self->free = free_blocks_at_first();
	self->old = full_file("old", SIZE, SEED);
	self->fd = hole_file("full", SIZE);
	self->fill = hole_file("fill", 0);
	self->filled = fill_up(self->fill, 0);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(full)
{
	EXPECT_QUIESCENT();
	close(self->old);
	close(self->fill);
	close(self->fd);
	EXPECT_EQ(0, unlink(DXL_MNT "/old"));
	EXPECT_EQ(0, unlink(DXL_MNT "/fill"));
	EXPECT_EQ(0, unlink(DXL_MNT "/full"));
	EXPECT_EQ(self->free, free_blocks());
}

/* @nr blocks of the filling file become free. */
static void give_back(FIXTURE_DATA(full) *self, unsigned int nr)
{
	self->filled -= nr * PAGE;
	must(!fallocate(self->fill, PUNCH, self->filled, nr * PAGE));
}

TEST_F(full, write_and_fallocate)
{
	char *buf = malloc(SIZE);
	struct stat st;
	ssize_t got;

	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, 0));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, pwrite(self->fd, "x", 1, SIZE + PMD));
	EXPECT_EQ(ENOSPC, errno);
	EXPECT_EQ(-1, fallocate(self->fd, 0, SIZE, PAGE));
	EXPECT_EQ(ENOSPC, errno);
	ASSERT_EQ(0, fstat(self->fd, &st));
	EXPECT_EQ(SIZE, st.st_size);
	EXPECT_EQ(0, data_blocks(self->fd));

	/* A write that is longer than what is left is cut short. */
	give_back(self, 20);
	memset(buf, 'w', SIZE);
	got = pwrite(self->fd, buf, SIZE, 0);
	EXPECT_LE(10 * PAGE, got);
	EXPECT_GE(20 * PAGE, got);
	EXPECT_EQ(got / PAGE, data_blocks(self->fd));
	EXPECT_EQ(-1, pwrite(self->fd, buf, SIZE, got));
	EXPECT_EQ(ENOSPC, errno);
	ASSERT_EQ((ssize_t)SIZE, pread(self->fd, buf, SIZE, 0));
	EXPECT_EQ('w', buf[got - 1]);
	EXPECT_EQ(-1, nonzero(buf + got, SIZE - got));
	free(buf);
}

TEST_F(full, pte_store)
{
	char *map = map_pte(self->fd, 0, SIZE);
	unsigned int taken = 0;

	EXPECT_EQ(-1, nonzero(map, 8 * PAGE));
	EXPECT_TRUE(store_dies(map, 'x'));
	EXPECT_TRUE(store_dies(map + PMD, 'x'));
	EXPECT_GROWN(EQ, 2, &self->before, "fault_sigbus");
	EXPECT_EQ(-1, nonzero(map, SIZE));
	EXPECT_QUIESCENT();

	give_back(self, 20);
	while (taken < 20 && !store_dies(map + taken * PAGE, 'y'))
		taken++;
	EXPECT_LE(10, taken);
	EXPECT_TAKEN(self->fd, taken, 0);
	EXPECT_TRUE(taken == 20 || store_dies(map + taken * PAGE, 'y'));
	EXPECT_EQ('y', load(map + (taken - 1) * PAGE));
	EXPECT_EQ(-1, nonzero(map + taken * PAGE, SIZE - taken * PAGE));
	munmap(map, SIZE);
}

TEST_F(full, pmd_store)
{
	char *map = map_pmd(self->fd, 0, SIZE);
	unsigned int taken = 0;

	load(map);
	EXPECT_GROWN(EQ, 1, &self->before, "fault_pmd_hole");
	EXPECT_TRUE(store_dies(map, 'x'));
	EXPECT_TRUE(store_dies(map + PMD, 'x'));
	EXPECT_GROWN(LE, 1, &self->before, "fault_fallback_block");
	EXPECT_GROWN(EQ, 2, &self->before, "fault_sigbus");
	EXPECT_EQ(-1, nonzero(map, SIZE));

	give_back(self, 20);
	while (taken < 20 && !store_dies(map + taken * PAGE, 'y'))
		taken++;
	EXPECT_LE(10, taken);
	EXPECT_TAKEN(self->fd, taken, 0);
	EXPECT_GROWN(EQ, 0, &self->before, "fault_pmd_mapped");
	EXPECT_EQ('y', load(map + (taken - 1) * PAGE));

	/* Enough for a PMD again, in a range that no PTE has spoilt. */
	self->filled &= ~(PMD - 1);
	ASSERT_EQ(0, ftruncate(self->fill, self->filled - 2 * PMD));
	store(map + PMD, 'h');
	EXPECT_EQ('h', load(map + PMD));
	EXPECT_EQ(-1, nonzero(map + PMD + 1, PMD - 1));
	munmap(map, SIZE);
}

/* No block is needed for what exists. */
TEST_F(full, existing_blocks)
{
	char *huge = map_pmd(self->old, 0, SIZE), *small = map_pte(self->old, 0, SIZE);

	EXPECT_EQ(-1, differs(huge, 0, SIZE, SEED));
	store(huge, 'h');
	store(small + PMD, 's');
	ASSERT_EQ(1, pwrite(self->old, "w", 1, PAGE));
	EXPECT_EQ(0, fsync(self->old));
	EXPECT_EQ('h', load(small));
	EXPECT_EQ('s', load(huge + PMD));
	EXPECT_EQ('w', load(huge + PAGE));
	/* A punch may have to split a 2 MiB extent, and must not fail for it. */
	EXPECT_EQ(0, fallocate(self->old, PUNCH, PMD + 7 * PAGE, PAGE));
	EXPECT_EQ(-1, nonzero(huge + PMD + 7 * PAGE, PAGE));
	EXPECT_EQ(-1, differs(huge + PMD + 8 * PAGE, PMD + 8 * PAGE, PAGE, SEED));
	EXPECT_EQ(0, ftruncate(self->old, PMD + 5 * PAGE + 3));
	EXPECT_EQ(-1, differs(huge + PMD + 1, PMD + 1, PAGE, SEED));
	munmap(huge, SIZE);
	munmap(small, SIZE);
}

TEST_F(full, freed_blocks)
{
	char *map = map_pmd(self->fd, 0, SIZE);
	int round;

	for (round = 0; round < 3; round++) {
		EXPECT_TRUE(store_dies(map, 'x'));
		ASSERT_EQ(0, ftruncate(self->fill, 0));
		store_each(map, SIZE, PMD, 'y');
		/* Where a store has failed there are page tables already. */
		EXPECT_TAKEN(self->fd, 1, 1);
		EXPECT_EQ(0, msync(map, SIZE, MS_SYNC));
		ASSERT_EQ(0, fallocate(self->fd, PUNCH, 0, SIZE));
		EXPECT_EQ(-1, nonzero(map, SIZE));
		fill_up(self->fill, 0);
	}
	munmap(map, SIZE);
}

TEST_HARNESS_MAIN
