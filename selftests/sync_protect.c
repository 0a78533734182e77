// SPDX-License-Identifier: GPL-2.0
/*
 * What a sync does to mappings: flush exactly what is dirty, and protect it, so
 * that the next store is noticed.
 *
 *  1. Some pages of a mapped file are stored to. A sync flushes these, one
 *     flush an entry, and no others.
 *  2. The next store to each takes one fault, through every mapping that could
 *     store; then it needs no more faults until the next sync.
 *  3. A sync with nothing dirty flushes nothing.
 *
 * "dax: wrprotect pmd_t in dax_mapping_entry_mkclean" (v4.10) and "dax: fix
 * missing writeprotect the pte entry" (v5.19): one mapping stayed writable, its
 * stores were noticed by nobody, and no sync wrote them.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include "dax.h"

#define SIZE	(4 * PMD)
#define SEED	18

enum call { FSYNC, FDATASYNC, MSYNC, SYNCFS };

FIXTURE(protect) {
	int fd;
	char *map;
	struct dxl_stats before;
};

FIXTURE_VARIANT(protect) {
	size_t skew;
	size_t step;
	enum call call;
};

FIXTURE_VARIANT_ADD(protect, pte_fsync) { .skew = PAGE, .step = PAGE, .call = FSYNC };
FIXTURE_VARIANT_ADD(protect, pte_fdatasync) { .skew = PAGE, .step = PAGE, .call = FDATASYNC };
FIXTURE_VARIANT_ADD(protect, pte_msync) { .skew = PAGE, .step = PAGE, .call = MSYNC };
FIXTURE_VARIANT_ADD(protect, pte_syncfs) { .skew = PAGE, .step = PAGE, .call = SYNCFS };
FIXTURE_VARIANT_ADD(protect, pmd_fsync) { .step = PMD, .call = FSYNC };
FIXTURE_VARIANT_ADD(protect, pmd_fdatasync) { .step = PMD, .call = FDATASYNC };
FIXTURE_VARIANT_ADD(protect, pmd_msync) { .step = PMD, .call = MSYNC };
FIXTURE_VARIANT_ADD(protect, pmd_syncfs) { .step = PMD, .call = SYNCFS };

FIXTURE_SETUP(protect)
{
	self->fd = full_file("protect", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	must(!fsync(self->fd));
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(protect)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

#define GREW(n, name) EXPECT_GROWN(EQ, n, &self->before, name)

static int sync_by(enum call call, int fd, char *map)
{
	switch (call) {
	case FSYNC:
		return fsync(fd);
	case FDATASYNC:
		return fdatasync(fd);
	case MSYNC:
		return msync(map, SIZE, MS_SYNC);
	default:
		return syncfs(fd);
	}
}

TEST_F(protect, dirty_only)
{
	const unsigned int nr = 3;
	unsigned int i, round;

	for (round = 1; round <= 3; round++) {
		for (i = 0; i < nr; i++)
			EXPECT_EQ(1, store_faults(self->map + i * variant->step, round));
		for (i = 0; i < nr; i++)
			EXPECT_EQ(0, store_faults(self->map + i * variant->step + 1, round));
		ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
		GREW(round * nr, "flushes");
		GREW(round * nr, "entries_written");
		GREW(round * nr, "write_protects");
		GREW(round, "writebacks");
	}
	/* Loads are no reason to flush; nor is a second sync. */
	load_each(self->map, SIZE, variant->step);
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	GREW(3 * nr, "flushes");
	GREW(3, "writebacks");
	EXPECT_EQ(3, load(self->map + variant->step + 1));
	EXPECT_EQ(-1, differs(self->map + nr * variant->step, nr * variant->step,
			      SIZE - nr * variant->step, SEED));
}

/* A page is mapped by a PTE here and under a PMD there. */
TEST_F(protect, all_mappings)
{
	char *small = map_pte(self->fd, 0, SIZE), *huge = map_pmd(self->fd, 0, SIZE);
	char *window = map_skewed(self->fd, PMD + PAGE, PAGE, 0, RW, MAP_SHARED);
	unsigned int round;

	for (round = 1; round <= 3; round++) {
		EXPECT_EQ(1, store_faults(self->map + PMD + PAGE, 'a'));
		EXPECT_EQ(1, store_faults(small + PMD + PAGE, 'b'));
		EXPECT_EQ(1, store_faults(huge + PMD + PAGE, 'c'));
		EXPECT_EQ(1, store_faults(window, 'd'));
		ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
		GREW(round, "flushes");
	}
	EXPECT_EQ('d', load(huge + PMD + PAGE));
}

/* The entry is of one size, stores come through the other. */
TEST_F(protect, other_size)
{
	char *other = map_skewed(self->fd, 0, SIZE, PAGE - variant->skew, RW, MAP_SHARED);

	EXPECT_EQ(1, store_faults(self->map + 5 * PAGE, 'a'));
	EXPECT_EQ(1, store_faults(other + 5 * PAGE, 'b'));
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	GREW(1, "flushes");
	EXPECT_EQ(1, store_faults(other + 5 * PAGE, 'c'));
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	GREW(2, "flushes");
	EXPECT_EQ(1, store_faults(other + 5 * PAGE, 'd'));
	EXPECT_EQ('d', load(self->map + 5 * PAGE));
}

static int child_stores(void *map)
{
	return store_faults(map, 'c') == 1 ? 0 : 1;
}

/* What a process stored before it exited is dirty all the same. */
TEST_F(protect, process_is_gone)
{
	ASSERT_EQ(0, in_child(child_stores, self->map));
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	GREW(1, "flushes");
	EXPECT_EQ('c', load(self->map));
	store(self->map, 'p');
	ASSERT_EQ(0, munmap(self->map, SIZE));
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	ASSERT_EQ(0, sync_by(variant->call, self->fd, self->map));
	GREW(2, "flushes");
}

FIXTURE(ranges) {
	int fd;
	char *map;
	struct dxl_stats before;
};

FIXTURE_SETUP(ranges)
{
	self->fd = full_file("ranges", SIZE, SEED);
	self->map = map_pte(self->fd, 0, SIZE);
	must(!fsync(self->fd));
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(ranges)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

/* msync() of a part flushes and protects that part. */
TEST_F(ranges, part)
{
	store_each(self->map, 64 * PAGE, PAGE, 'a');
	ASSERT_EQ(0, msync(self->map + 8 * PAGE, 4 * PAGE, MS_SYNC));
	GREW(4, "flushes");
	EXPECT_EQ(0, store_faults(self->map + 7 * PAGE, 'b'));
	EXPECT_EQ(1, store_faults(self->map + 8 * PAGE, 'b'));
	EXPECT_EQ(1, store_faults(self->map + 11 * PAGE, 'b'));
	EXPECT_EQ(0, store_faults(self->map + 12 * PAGE, 'b'));
	ASSERT_EQ(0, fsync(self->fd));
	GREW(4 + 60 + 2, "flushes");
}

/* A part of what a PMD entry covers: the entry is flushed as a whole. */
TEST_F(ranges, part_of_pmd)
{
	char *huge = map_pmd(self->fd, 0, SIZE);

	store(huge, 'a');
	store(huge + PMD, 'a');
	ASSERT_EQ(0, msync(huge + 100 * PAGE, PAGE, MS_SYNC));
	GREW(1, "flushes");
	EXPECT_EQ(1, store_faults(huge, 'b'));
	EXPECT_EQ(0, store_faults(huge + PMD, 'b'));
}

/*
 * Calls that promise nothing: MS_ASYNC, and sync_file_range(), which starts
 * writing pages of the page cache, of which there are none.
 */
TEST_F(ranges, no_promise)
{
	store(self->map, 'a');
	ASSERT_EQ(0, msync(self->map, SIZE, MS_ASYNC));
	ASSERT_EQ(0, sync_file_range(self->fd, 0, SIZE, SYNC_FILE_RANGE_WAIT_BEFORE |
				     SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
	EXPECT_EQ(-1, sync_file_range(self->fd, 0, SIZE, 0x80));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, fsync(self->fd));
	GREW(1, "flushes");
}

TEST_HARNESS_MAIN
