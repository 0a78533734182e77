// SPDX-License-Identifier: GPL-2.0
/*
 * Which page-table entries a mapping gets, with counters as proof.
 *
 *  1. A file of 16 MiB has all its blocks, written. Its blocks are 2 MiB aligned.
 *  2. It is mapped where address and offset agree modulo 2 MiB: each access to
 *     a new range is one PMD fault and nothing else.
 *  3. It is mapped one page off, or with MADV_NOHUGEPAGE: each access to a new
 *     page is one PTE fault, and no PMD is ever mapped.
 *
 * The misaligned mapping once made a PMD fault lock one entry and unlock
 * another ("dax: fix deadlock due to misaligned PMD faults", v4.13): the next
 * access hung. And a wrong test for conflicts once let every PMD fault fall back
 * ("fs/dax: Fix pmd vs pte conflict detection", v5.4): it only was slow.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include "dax.h"

#define SIZE	(8 * PMD)
#define SEED	1

FIXTURE(orders) {
	int fd;
	struct dxl_stats before;
};

FIXTURE_SETUP(orders)
{
	self->fd = full_file("orders", SIZE, SEED);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(orders)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

#define GREW(n, name) EXPECT_GROWN(EQ, n, &self->before, name)

/* No fault of the other order, no way around. */
#define ONLY_PMD() do {							\
	GREW(0, "fault_pte_read");					\
	GREW(0, "fault_pte_write");					\
	GREW(0, "fault_pfn_mkwrite");					\
	GREW(0, "fault_pte_mapped");					\
	GREW(0, "fault_fallback");					\
} while (0)

TEST_F(orders, aligned_reads)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	load_each(map, SIZE, PAGE);
	GREW(SIZE / PMD, "fault_pmd_read");
	GREW(SIZE / PMD, "fault_pmd_mapped");
	GREW(0, "fault_pmd_write");
	ONLY_PMD();
	EXPECT_EQ(-1, differs(map, 0, SIZE, SEED));
}

TEST_F(orders, aligned_writes)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	store_each(map, SIZE, PAGE, 'w');
	GREW(SIZE / PMD, "fault_pmd_write");
	GREW(SIZE / PMD, "fault_pmd_mapped");
	GREW(0, "fault_pmd_read");
	ONLY_PMD();
	EXPECT_EQ('w', load(map + SIZE - PAGE));
	EXPECT_EQ(-1, differs(map + SIZE - PAGE + 1, SIZE - PAGE + 1, PAGE - 1, SEED));
}

TEST_F(orders, aligned_reads_then_writes)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	load_each(map, SIZE, PMD);
	store_each(map, SIZE, PMD, 'w');
	GREW(SIZE / PMD, "fault_pmd_read");
	GREW(SIZE / PMD, "fault_pmd_write");
	GREW(2 * SIZE / PMD, "fault_pmd_mapped");
	ONLY_PMD();
}

/* Part of a range is mapped by PTEs, since a PMD would reach beyond the VMA. */
TEST_F(orders, short_mapping)
{
	char *map = map_pmd(self->fd, PMD - 4 * PAGE, PMD + 8 * PAGE);

	load_each(map, PMD + 8 * PAGE, PAGE);
	GREW(1, "fault_pmd_mapped");
	EXPECT_GROWN(LE, 1, &self->before, "fault_fallback_align");
	GREW(8, "fault_pte_read");
	GREW(8, "fault_pte_mapped");
}

/* Read then write one range, write the next one: PTE faults, one a page. */
static void check_pte_only(struct __test_metadata *_metadata,
			   FIXTURE_DATA(orders) *self, char *map)
{
	load_each(map, PMD, PAGE);
	GREW(PMD_PAGES, "fault_pte_read");
	GREW(PMD_PAGES, "fault_pte_mapped");
	GREW(0, "fault_pfn_mkwrite");

	store_each(map, PMD, PAGE, 'r');
	GREW(PMD_PAGES, "fault_pfn_mkwrite");
	GREW(0, "fault_pte_write");

	store_each(map + PMD, PMD, PAGE, 'w');
	GREW(PMD_PAGES, "fault_pfn_mkwrite");
	GREW(PMD_PAGES, "fault_pte_write");
	GREW(3 * PMD_PAGES, "fault_pte_mapped");

	GREW(0, "fault_pmd_mapped");
	GREW(0, "fault_pmd_hole");
	EXPECT_EQ('r', load(map + PMD - PAGE));
	EXPECT_EQ('w', load(map + PMD));
	EXPECT_EQ(-1, differs(map + PMD + 1, PMD + 1, PAGE - 1, SEED));
	EXPECT_EQ(-1, differs(map + 2 * PMD, 2 * PMD, PMD, SEED));
}

TEST_F(orders, one_page_off)
{
	check_pte_only(_metadata, self, map_pte(self->fd, 0, SIZE));
	/* The core asks for a PMD first, and each time the colour says no. */
	EXPECT_EQ(dxl_grown(&self->before, "fault_fallback"),
		  dxl_grown(&self->before, "fault_fallback_align"));
	EXPECT_GROWN(LE, 1, &self->before, "fault_fallback_align");
}

TEST_F(orders, huge_pages_unwanted)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	ASSERT_EQ(0, madvise(map, SIZE, MADV_NOHUGEPAGE));
	check_pte_only(_metadata, self, map);
	GREW(0, "fault_pmd_read");
	GREW(0, "fault_pmd_write");
}

/* mmap() without a wish for an address: PMDs all the same. */
TEST_F(orders, kernel_picks_the_address)
{
	char *map = mmap(NULL, SIZE, RW, MAP_SHARED, self->fd, 0);

	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(0, (uintptr_t)map % PMD);
	load_each(map, SIZE, PMD);
	GREW(SIZE / PMD, "fault_pmd_mapped");
	ONLY_PMD();
}

TEST_HARNESS_MAIN
