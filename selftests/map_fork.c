// SPDX-License-Identifier: GPL-2.0
/*
 * fork() with mappings of both kinds and both sizes.
 *
 *  1. A process maps a file shared and private, touches some of both, forks.
 *  2. Stores to the shared mapping are seen by both processes; stores to the
 *     private one by nobody else, from either side.
 *  3. Children exit with mappings in place, in any order, also after the file
 *     was unlinked and closed: its blocks are free when the last one is gone.
 *
 * Page tables of a DAX mapping are not copied at fork, but faulted in again. A
 * wrong mixture of PMDs and PTEs shows up here as "Bad rss-counter state" or
 * "non-zero pgtables_bytes" in the kernel log at exit.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(2 * PMD)
#define SEED	6
#define CHILDREN 6

FIXTURE(forks) {
	int fd;
	char *shared, *private;
	uint64_t free;
};

FIXTURE_VARIANT(forks) {
	size_t skew;
};

FIXTURE_VARIANT_ADD(forks, pte) { .skew = PAGE };
FIXTURE_VARIANT_ADD(forks, pmd) { .skew = 0 };

FIXTURE_SETUP(forks)
{
	self->fd = full_file("forks", SIZE, SEED);
	self->shared = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	self->private = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_PRIVATE);
}

FIXTURE_TEARDOWN(forks)
{
	EXPECT_QUIESCENT();
}

static int child(void *arg)
{
	FIXTURE_DATA(forks) *self = arg;

	if (load(self->private + PAGE) != 'p' || load(self->shared + 2 * PAGE) != 's')
		return 1;
	if (differs(self->private + PMD, PMD, PMD, SEED) >= 0)
		return 2;
	store(self->private + PAGE, 'c');
	store(self->private + PMD, 'c');
	store(self->shared + 3 * PAGE, 'c');
	store(self->shared + PMD + 3 * PAGE, 'c');
	return load(self->private + PAGE) == 'c' ? 0 : 3;
}

TEST_F(forks, both_kinds)
{
	store(self->private + PAGE, 'p');
	store(self->shared + 2 * PAGE, 's');
	load(self->private + PMD);

	ASSERT_EQ(0, in_child(child, self));
	EXPECT_EQ('p', load(self->private + PAGE));
	EXPECT_EQ('c', load(self->shared + 3 * PAGE));
	EXPECT_EQ('c', load(self->shared + PMD + 3 * PAGE));
	/* Shows the file, and there nobody stored at PMD. */
	EXPECT_EQ(-1, differs(self->private + PMD, PMD, PAGE, SEED));
	ASSERT_EQ(0, ftruncate(self->fd, 0));
	close(self->fd);
}

/* Each adds to a counter of its own page, under everybody else's feet. */
static int adder(FIXTURE_DATA(forks) *self, int nr)
{
	volatile unsigned int *sum = (unsigned int *)(self->shared + nr * PAGE);
	int i;

	*sum = 0;
	for (i = 0; i < 200; i++) {
		++*sum;
		if (i % 8 == nr && dont_need(self->shared, SIZE, dxl_page_cache()))
			return 1;
		if (i % 32 == nr && msync(self->shared, SIZE, MS_SYNC))
			return 2;
		store(self->private + nr * PAGE, i);
	}
	return *sum == 200 ? 0 : 3;
}

TEST_F(forks, many_children)
{
	unsigned int sum;
	int nr, status;
	pid_t pid;

	for (nr = 0; nr < CHILDREN; nr++) {
		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			_exit(adder(self, nr));
	}
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
	for (nr = 0; nr < CHILDREN; nr++) {
		ASSERT_EQ(sizeof(sum), pread(self->fd, &sum, sizeof(sum), nr * PAGE));
		EXPECT_EQ(200, sum);
	}
	close(self->fd);
}

/* The file lives as long as somebody maps it, however he ends. */
TEST_F(forks, unlinked)
{
	int ready[2], status;
	pid_t pid;
	char c;

	ASSERT_EQ(0, pipe(ready));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		must(write(ready[1], "", 1) == 1);
		for (;;)
			store_each(self->shared, SIZE, PAGE, 'k');
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_EQ(0, unlink(DXL_MNT "/forks"));
	self->free = free_blocks();
	ASSERT_EQ(0, munmap(self->shared, SIZE));
	ASSERT_EQ(0, munmap(self->private, SIZE));
	close(self->fd);
	EXPECT_EQ(self->free, free_blocks());
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_LE(self->free + SIZE / PAGE, free_blocks());
}

TEST_HARNESS_MAIN
