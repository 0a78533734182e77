// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings that move, grow, shrink, fall apart and change their rights.
 *
 *  1. mremap() moves a mapping to another colour: PMDs cannot move there, and
 *     must be faulted again as PTEs, and the other way round.
 *  2. munmap() or mprotect() of a part of what one PMD maps: the rest stays.
 *  3. Content is right at each step, and stores arrive in the file.
 *
 * The core splits a PMD of a DAX mapping by dropping it. A filesystem that
 * keeps state per mapping gets lost here.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(3 * PMD)
#define SEED	7

FIXTURE(moves) {
	int fd;
	char *area;		/* 2 MiB aligned room to move to */
	struct dxl_stats before;
};

FIXTURE_SETUP(moves)
{
	char *area;

	self->fd = full_file("moves", SIZE, SEED);
	area = mmap(NULL, 4 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	ASSERT_NE(MAP_FAILED, area);
	self->area = (char *)(((uintptr_t)area + PMD - 1) & ~(PMD - 1));
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(moves)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

#define GREW(n, name) EXPECT_GROWN(EQ, n, &self->before, name)

static char *move(char *from, size_t old, size_t new, char *to)
{
	return mremap(from, old, new, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

TEST_F(moves, same_colour)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	store_each(map, SIZE, PMD, 'a');
	ASSERT_EQ(self->area, move(map, SIZE, SIZE, self->area));
	map = self->area;
	EXPECT_EQ('a', load(map + PMD));
	store_each(map, SIZE, PMD, 'b');
	EXPECT_EQ(-1, differs(map + PMD + 1, PMD + 1, PMD - 1, SEED));
	GREW(0, "fault_pte_mapped");
	EXPECT_GROWN(LE, SIZE / PMD, &self->before, "fault_pmd_mapped");
}

TEST_F(moves, huge_to_small_and_back)
{
	char *map = map_pmd(self->fd, 0, SIZE);

	store(map + 1, 'a');
	GREW(1, "fault_pmd_mapped");
	ASSERT_EQ(self->area + PAGE, move(map, SIZE, SIZE, self->area + PAGE));
	map = self->area + PAGE;
	EXPECT_EQ('a', load(map + 1));
	store(map + 2, 'b');
	store(map + SIZE - 1, 'c');
	GREW(1, "fault_pmd_mapped");
	EXPECT_GROWN(LE, 2, &self->before, "fault_pte_mapped");

	ASSERT_EQ(self->area + 2 * SIZE, move(map, SIZE, SIZE, self->area + 2 * SIZE));
	map = self->area + 2 * SIZE;
	EXPECT_EQ('a', load(map + 1));
	EXPECT_EQ('b', load(map + 2));
	store(map + PMD, 'd');
	EXPECT_EQ('c', load(map + SIZE - 1));
	EXPECT_EQ(-1, differs(map + PMD + 1, PMD + 1, PMD - 1, SEED));
}

TEST_F(moves, grow_and_shrink)
{
	char *map = map_pmd(self->fd, 0, PMD), *to = self->area;

	store(map, 'a');
	ASSERT_EQ(to, move(map, PMD, SIZE, to));
	EXPECT_EQ('a', load(to));
	EXPECT_EQ(-1, differs(to + PMD, PMD, SIZE - PMD, SEED));
	ASSERT_EQ(to, mremap(to, SIZE, PMD + PAGE, 0));
	EXPECT_EQ(-1, differs(to + PMD, PMD, PAGE, SEED));
	store(to + PMD, 'b');
	ASSERT_EQ(to, mremap(to, PMD + PAGE, PAGE, 0));
	EXPECT_EQ('a', load(to));
	EXPECT_EQ(-1, differs(to + 1, 1, PAGE - 1, SEED));
}

TEST_F(moves, unmap_part)
{
	char *map = map_pmd(self->fd, 0, SIZE), byte;

	store_each(map, SIZE, PMD, 'a');
	ASSERT_EQ(0, munmap(map + PMD + 5 * PAGE, 7 * PAGE));
	EXPECT_EQ('a', load(map + PMD));
	EXPECT_EQ(-1, differs(map + PMD + PAGE, PMD + PAGE, 4 * PAGE, SEED));
	EXPECT_EQ(-1, differs(map + PMD + 12 * PAGE, PMD + 12 * PAGE, PMD - 12 * PAGE, SEED));
	store(map + PMD + 4 * PAGE, 'b');
	store(map + PMD + 12 * PAGE, 'c');
	ASSERT_EQ(1, pread(self->fd, &byte, 1, PMD + 12 * PAGE));
	EXPECT_EQ('c', byte);
	/* The hole in the middle, by itself, at its old place. */
	ASSERT_EQ(map + PMD + 5 * PAGE,
		  mmap(map + PMD + 5 * PAGE, 7 * PAGE, RW, MAP_SHARED | MAP_FIXED,
		       self->fd, PMD + 5 * PAGE));
	EXPECT_EQ(-1, differs(map + PMD + 5 * PAGE, PMD + 5 * PAGE, 7 * PAGE, SEED));
}

static void segv_handler(int sig)
{
	siglongjmp(bus_env, sig);
}

TEST_F(moves, protect_part)
{
	struct sigaction action = { .sa_handler = segv_handler };
	char *map = map_pmd(self->fd, 0, SIZE);

	ASSERT_EQ(0, sigaction(SIGSEGV, &action, NULL));
	store_each(map, SIZE, PMD, 'a');
	ASSERT_EQ(0, mprotect(map + 8 * PAGE, 8 * PAGE, PROT_READ));
	EXPECT_TRUE(store_dies(map + 9 * PAGE, 'x'));
	EXPECT_EQ(-1, differs(map + 8 * PAGE, 8 * PAGE, 8 * PAGE, SEED));
	store(map + 7 * PAGE, 'b');
	store(map + 16 * PAGE, 'c');
	ASSERT_EQ(0, mprotect(map + 8 * PAGE, 8 * PAGE, RW));
	store(map + 9 * PAGE, 'd');
	EXPECT_EQ('a', load(map));
	EXPECT_EQ('b', load(map + 7 * PAGE));
	EXPECT_EQ('c', load(map + 16 * PAGE));
	EXPECT_EQ('d', load(map + 9 * PAGE));

	ASSERT_EQ(0, mprotect(map, SIZE, PROT_NONE));
	EXPECT_TRUE(load_dies(map + PMD));
	ASSERT_EQ(0, mprotect(map, SIZE, PROT_READ));
	EXPECT_EQ('a', load(map + PMD));
	EXPECT_TRUE(store_dies(map + PMD, 'x'));
}

/* What was opened for reading can be mapped shared, but never stored to. */
TEST_F(moves, read_only_file)
{
	int fd = open(DXL_MNT "/moves", O_RDONLY);
	char *map;

	ASSERT_LE(0, fd);
	EXPECT_EQ(MAP_FAILED, mmap(NULL, PMD, RW, MAP_SHARED, fd, 0));
	EXPECT_EQ(EACCES, errno);
	map = map_skewed(fd, 0, SIZE, 0, PROT_READ, MAP_SHARED);
	EXPECT_EQ(-1, differs(map, 0, PMD, SEED));
	EXPECT_EQ(-1, mprotect(map, PMD, RW));
	EXPECT_EQ(EACCES, errno);
	close(fd);
}

TEST_HARNESS_MAIN
