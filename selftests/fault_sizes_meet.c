// SPDX-License-Identifier: GPL-2.0
/*
 * A PMD fault and a PTE fault on one place of one mapping, at once.
 *
 *  1. A private mapping of 2 MiB is made anew: no page tables.
 *  2. Thread A loads a page of it: a PMD fault.
 *  3. Thread B stores to another page: PMDs cannot be copied, so it falls back to
 *     PTEs, and the core has looked at the pmd before the handler is entered.
 *  4. Each must find out, with the entry locked, that the other was faster.
 *
 * "dax: fix race between colliding PMD & PTE entries" (v4.12): a table was put
 * over a huge page or the reverse. The kernel says "Bad rss-counter state" or
 * "non-zero pgtables_bytes" when the process exits, which fails this test, or
 * the file's data was taken for a page table.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "dax.h"

FIXTURE(sizes) {
	int fd;
	struct dxl_stats before;
};

FIXTURE_VARIANT(sizes) {
	bool hole;
};

FIXTURE_VARIANT_ADD(sizes, blocks) { .hole = false };
FIXTURE_VARIANT_ADD(sizes, hole) { .hole = true };

FIXTURE_SETUP(sizes)
{
	char *zeroes = calloc(1, PMD);

	/* Zeroes in any case: read as a page table, they are an empty one. */
	self->fd = hole_file("sizes", PMD);
	if (!variant->hole)
		must(pwrite(self->fd, zeroes, PMD, 0) == PMD);
	free(zeroes);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(sizes)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

/* Rounds that B may begin, and that it has done; ~0: it may end. */
static atomic_ulong begin, done;
static char *map;

static void *storer(void *unused)
{
	unsigned long round, last = 0;

	while ((round = atomic_load(&begin)) != ~0UL) {
		if (round == last) {
			sched_yield();
			continue;
		}
		store(map + 5 * PAGE, round);
		atomic_store(&done, last = round);
	}
	return unused;
}

TEST_F_TIMEOUT(sizes, one_is_faster, 60)
{
	time_t end = time(NULL) + 1 + seconds_to_run(12) / 2;
	unsigned long round;
	pthread_t thread;

	map = map_skewed(self->fd, 0, PMD, 0, RW, MAP_PRIVATE);
	/* A PTE entry of B, if that were first, would rule out PMDs for good. */
	if (!variant->hole)
		ASSERT_EQ(0, load(map + 3 * PAGE));
	atomic_store(&begin, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, storer, NULL));
	for (round = 1; time(NULL) < end; round++) {
		ASSERT_EQ(map, mmap(map, PMD, RW, MAP_PRIVATE | MAP_FIXED, self->fd, 0));
		/* The entries that B's fault has left would rule out PMDs. */
		if (variant->hole)
			must(!fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					0, PMD));
		atomic_store(&begin, round);
		ASSERT_EQ(0, load(map + 3 * PAGE));
		while (atomic_load(&done) != round)
			sched_yield();
		ASSERT_EQ((char)round, load(map + 5 * PAGE));
		ASSERT_EQ(0, load(map + 3 * PAGE));
	}
	atomic_store(&begin, ~0UL);
	pthread_join(thread, NULL);
	TH_LOG("%lu rounds, %llu retries", round - 1, dxl_grown(&self->before, "fault_retry"));
	EXPECT_LT(5, round);
	EXPECT_GROWN(LE, 1, &self->before,
		     variant->hole ? "fault_pmd_hole" : "fault_pmd_mapped");
	EXPECT_GROWN(LE, 1, &self->before, "fault_cow");
	/*
	 * Nothing of it is in the file, nor in the zeroes that holes share: an
	 * entry of a table that is stored under a huge page lands in its data.
	 */
	map = map_skewed(self->fd, 0, PMD, 0, PROT_READ, MAP_SHARED);
	EXPECT_EQ(-1, nonzero(map, PMD));
}

TEST_HARNESS_MAIN
