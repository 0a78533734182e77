// SPDX-License-Identifier: GPL-2.0
/*
 * What a sync call promises, while faults and other syncs want the same entries.
 *
 *  1. A stores to a page through its mapping: the entry is dirty.
 *  2. Another process, B, has the entry locked: it read-faults or write-faults
 *     the page through a mapping of its own and drops it again, or it syncs as
 *     well, for ever.
 *  3. A syncs. When the call returns, a flush that began after A's store must
 *     be complete, whoever did it.
 *
 * fs/dax.c up to 7.3 skips entries that are locked, and clears the mark that a
 * second sync looks for before the flush: 35 to 40 % of the syncs of this
 * program return without a flush on ext4 and xfs with dax=always.
 *
 * Two proofs, both of the instance and not of a statistic:
 *  - A's next store takes a fault. Only write-protection by a sync removes A's
 *    page-table entry, so no fault means that no sync saw the store: MISSED.
 *  - The counter of completed flushes. A is the only one who makes entries dirty
 *    (not with writers), each once a store, by a fault that waits for a flush in
 *    flight. So when all was clean before, at least as many flushes as pages must
 *    be complete at A's return, and fewer are a miss. More faults than pages
 *    (a sync between fault and store) need one flush each: if there are fewer,
 *    nothing can be concluded, and the round counts as UNCLEAR.
 * A flush that ends after A's return but before the counter is read would hide a
 * miss of the second kind: what takes long to flush (2 MiB, many pages) sees it.
 *
 * Controls: without a sync every round must be MISSED, with B elsewhere none.
 *
 * daxlab-test: timeout=240 needs=mount
 */
#include <time.h>

#include "dax.h"

#define SIZE	(8 * PMD)
#define SEED	20
#define MANY	48		/* PTE entries: two batches of a sync */

enum { READER = 1, WRITER = 2, SYNCER = 4, ELSEWHERE = 8 };

FIXTURE(promise) {
	int fd, stats;
	char *map;
	unsigned int pages;
	unsigned long rounds, missed, unflushed, unclear;
};

FIXTURE_VARIANT(promise) {
	size_t skew, step;
	unsigned int pages;
	int others;
};

#define PTE_VARIANT(name, nr, who) \
	FIXTURE_VARIANT_ADD(promise, pte_##name) \
	{ .skew = PAGE, .step = PAGE, .pages = nr, .others = who }
#define PMD_VARIANT(name, nr, who) \
	FIXTURE_VARIANT_ADD(promise, pmd_##name) \
	{ .step = PMD, .pages = nr, .others = who }

PTE_VARIANT(reader, 1, READER);
PTE_VARIANT(writer, 1, WRITER);
PTE_VARIANT(syncer, 1, SYNCER);
PTE_VARIANT(all, 1, READER | WRITER | SYNCER);
PTE_VARIANT(many_reader, MANY, READER);
PTE_VARIANT(many_syncer, MANY, SYNCER);
PTE_VARIANT(many_all, MANY, READER | WRITER | SYNCER);
PTE_VARIANT(elsewhere, 1, READER | ELSEWHERE);
PMD_VARIANT(reader, 1, READER);
PMD_VARIANT(writer, 1, WRITER);
PMD_VARIANT(syncer, 1, SYNCER);
PMD_VARIANT(many_syncer, 4, SYNCER);
PMD_VARIANT(many_all, 4, READER | WRITER | SYNCER);

/* B, a process of its own: what it does to its page tables costs A nothing. */
static void fault_loop(int fd, const FIXTURE_VARIANT(promise) *variant, bool store_too)
{
	char *map = map_skewed(fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	size_t first = variant->others & ELSEWHERE ? variant->pages : 0, i;

	for (i = 0;; i++) {
		char *at = map + (first + i % variant->pages) * variant->step;

		if (store_too)
			store(at + 64, i);
		else
			load(at);
		must(!madvise(at, variant->step, MADV_DONTNEED));
	}
}

static void sync_loop(int fd, const FIXTURE_VARIANT(promise) *variant)
{
	char *map = map_skewed(fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	size_t i;

	for (i = 0;; i++)
		must(i % 2 ? !fdatasync(fd) : !msync(map, SIZE, MS_SYNC));
}

static pid_t start_other(int fd, const FIXTURE_VARIANT(promise) *variant, int who)
{
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	if (who == SYNCER)
		sync_loop(fd, variant);
	fault_loop(fd, variant, who == WRITER);
	_exit(1);
}

FIXTURE_SETUP(promise)
{
	self->fd = full_file("promise", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, MAP_SHARED);
	self->stats = open(DXL_DEBUGFS "/stats", O_RDONLY);
	ASSERT_LE(0, self->stats);
	must(!fsync(self->fd));
}

FIXTURE_TEARDOWN(promise)
{
	EXPECT_QUIESCENT();
	close(self->stats);
	close(self->fd);
}

/* The counter of completed flushes, as fast as can be. */
static unsigned long flushes(FIXTURE_DATA(promise) *self)
{
	static char text[8192];
	ssize_t len = pread(self->stats, text, sizeof(text) - 1, 0);
	char *line;

	must(len > 0);
	text[len] = '\0';
	line = strstr(text, "\nflushes ");
	must(line);
	return strtoul(line + 9, NULL, 10);
}

static void sync_one_way(FIXTURE_DATA(promise) *self, unsigned long round)
{
	switch (round % 3) {
	case 0:
		must(!msync(self->map, SIZE, MS_SYNC));
		break;
	case 1:
		must(!fdatasync(self->fd));
		break;
	default:
		must(!fsync(self->fd));
	}
}

/* Stores, sync, and what can be told of them, for a time. */
static void run(FIXTURE_DATA(promise) *self, const FIXTURE_VARIANT(promise) *variant,
		double seconds, bool sync)
{
	unsigned long flushed = flushes(self), now;
	struct timespec start, end;
	unsigned int i;
	long faults;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		long sum = 0;

		for (i = 0; i < variant->pages; i++) {
			faults = store_faults(self->map + i * variant->step, self->rounds);
			if (!faults && self->rounds)
				self->missed++;
			sum += faults;
		}
		if (sync)
			sync_one_way(self, self->rounds);
		now = flushes(self);
		if (now - flushed < variant->pages)
			self->unflushed++;
		else if (now - flushed < (unsigned long)sum)
			self->unclear++;
		flushed = now;
		self->rounds++;
		clock_gettime(CLOCK_MONOTONIC, &end);
	} while (end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9 < seconds);
}

TEST_F_TIMEOUT(promise, keeps, 60)
{
	pid_t other[3];
	unsigned int i, nr = 0;
	int who;

	for (who = READER; who <= SYNCER; who <<= 1)
		if (variant->others & who)
			other[nr++] = start_other(self->fd, variant, who);
	run(self, variant, seconds_to_run(26) / 13, true);
	for (i = 0; i < nr; i++) {
		must(!kill(other[i], SIGKILL));
		must(waitpid(other[i], NULL, 0) == other[i]);
	}
	TH_LOG("%lu syncs of %u, %lu missed, %lu unflushed, %lu unclear", self->rounds,
	       variant->pages, self->missed, self->unflushed, self->unclear);
	EXPECT_LT(10, self->rounds);
	EXPECT_EQ(0, self->missed);
	/* With a writer, flushes of its stores are counted as well. */
	EXPECT_EQ(0, self->unflushed);
	EXPECT_LE(self->unclear, self->rounds / 4);
}

/* The proofs can fail: nobody syncs, each round is a miss by both. */
TEST_F(promise, can_be_seen_broken)
{
	run(self, variant, 0.05, false);
	EXPECT_EQ((self->rounds - 1) * variant->pages, self->missed);
	EXPECT_EQ(self->rounds, self->unflushed);
}

TEST_HARNESS_MAIN
