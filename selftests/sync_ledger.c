// SPDX-License-Identifier: GPL-2.0
/*
 * The durability ledger over free-running faults and syncs, in all pairs of the
 * knobs sync_scan and towrite (races.md B3, B3b).
 *
 * The oracles are on. Nothing is held:
 *
 *  1. A stores new values to pages through its mapping and syncs, again and again.
 *  2. B read-faults the same pages through a mapping of its own and drops it again,
 *     for ever: it has their entries locked now and then.
 *  3. C syncs, for ever: it takes what A is about to look for.
 *
 * The ledger knows of each sync what it owed when it was called, and whether a
 * flush of that was complete when it returned 0 (module/ledger.h). With a sound
 * choice of both knobs no promise may be broken. With sync_scan=positioned some
 * must be: this test can fail. towrite=at_lock and at_protect break some by chance,
 * too seldom to be asked for: what they did is told.
 *
 * Broken: a sync that misses an entry; a ledger that sees debts where there are none.
 * DAXLAB_SECONDS is how long each pair runs.
 *
 * daxlab-test: timeout=400 needs=mount
 */
#include "dax.h"
#include "verdict.h"

#include <time.h>

FIXTURE(ledger) {
	int fd;
	char *map;
	size_t size;
};

enum { KEEPS, BREAKS, MAY_BREAK };

FIXTURE_VARIANT(ledger) {
	const char *choices;
	size_t skew, step;
	unsigned int pages;
	int outcome;
};

#define PTE_VARIANT(name, text, is)						\
	FIXTURE_VARIANT_ADD(ledger, pte_##name)					\
	{ .choices = text, .skew = PAGE, .step = PAGE, .pages = 4, .outcome = is }
#define PMD_VARIANT(name, text, is)						\
	FIXTURE_VARIANT_ADD(ledger, pmd_##name)					\
	{ .choices = text, .step = PMD, .pages = 1, .outcome = is }

PTE_VARIANT(sound, "sound", KEEPS);
PTE_VARIANT(wait_locked, "sound,towrite=wait_locked", KEEPS);
PTE_VARIANT(dirty_walk, "sound,towrite=dirty_walk", KEEPS);
PTE_VARIANT(serialised, "sound,towrite=serialised", KEEPS);
PTE_VARIANT(at_lock, "sound,towrite=at_lock", MAY_BREAK);
PTE_VARIANT(at_protect, "sound,towrite=at_protect", MAY_BREAK);
PTE_VARIANT(positioned, "sound,sync_scan=positioned", BREAKS);
PTE_VARIANT(upstream, "upstream-7.3", BREAKS);
PMD_VARIANT(sound, "sound", KEEPS);
PMD_VARIANT(wait_locked, "sound,towrite=wait_locked", KEEPS);
PMD_VARIANT(dirty_walk, "sound,towrite=dirty_walk", KEEPS);
PMD_VARIANT(serialised, "sound,towrite=serialised", KEEPS);
PMD_VARIANT(at_lock, "sound,towrite=at_lock", MAY_BREAK);
PMD_VARIANT(at_protect, "sound,towrite=at_protect", MAY_BREAK);
PMD_VARIANT(positioned, "sound,sync_scan=positioned", BREAKS);
PMD_VARIANT(upstream, "upstream-7.3", BREAKS);

FIXTURE_SETUP(ledger)
{
	self->size = variant->pages * variant->step;
	self->fd = full_file("ledger", self->size, 1);
	put_text(SBID "/variant", variant->choices);
	put_text(DXL_DEBUGFS "/oracles", "1");
	put_text(DXL_DEBUGFS "/reset", "1");
	self->map = map_skewed(self->fd, 0, self->size, variant->skew, RW, MAP_SHARED);
}

FIXTURE_TEARDOWN(ledger)
{
	EXPECT_QUIESCENT();
	munmap(self->map, self->size);
	close(self->fd);
	put_text(SBID "/variant", "sound");
	put_text(DXL_DEBUGFS "/oracles", "0");
}

static pid_t fault_loop(FIXTURE_DATA(ledger) *self, const FIXTURE_VARIANT(ledger) *variant)
{
	pid_t pid = fork_bound();
	size_t i;
	char *map;

	if (pid)
		return pid;
	map = map_skewed(self->fd, 0, self->size, variant->skew, RW, MAP_SHARED);
	for (i = 0;; i++) {
		char *at = map + i % variant->pages * variant->step;

		load(at);
		must(!madvise(at, variant->step, MADV_DONTNEED));
	}
}

static pid_t sync_loop(FIXTURE_DATA(ledger) *self)
{
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	for (;;)
		must(!fdatasync(self->fd));
}

/* Of those that break promises, one has to be seen. */
static bool has_shown(int outcome, const struct dxl_stats *before)
{
	return outcome != BREAKS || dxl_grown(before, "promises_broken");
}

static bool is_over(const struct timespec *start, double seconds)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - start->tv_sec + (now.tv_nsec - start->tv_nsec) / 1e9 > seconds;
}

TEST_F_TIMEOUT(ledger, keeps_count, 300)
{
	double seconds = seconds_to_run(2);
	struct dxl_stats before;
	struct timespec start;
	unsigned long long owed, broken;
	unsigned long rounds;
	pid_t pid[2];
	unsigned int i;

	dxl_stats(&before);
	pid[0] = fault_loop(self, variant);
	pid[1] = sync_loop(self);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (rounds = 0;; rounds++) {
		if (is_over(&start, seconds) &&
		    (has_shown(variant->outcome, &before) || is_over(&start, 20)))
			break;
		for (i = 0; i < variant->pages; i++)
			store(self->map + i * variant->step + rounds % 64 * 64, rounds + i + 1);
		must(!fsync(self->fd));
	}
	for (i = 0; i < 2; i++) {
		must(!kill(pid[i], SIGKILL));
		must(waitpid(pid[i], NULL, 0) == pid[i]);
	}
	owed = dxl_grown(&before, "promised_pages");
	broken = dxl_grown(&before, "promises_broken");
	TH_LOG("%s: %lu rounds, %llu syncs, %llu pages owed, %llu promises broken, %llu waits",
	       variant->choices, rounds, dxl_grown(&before, "promises"), owed, broken,
	       dxl_grown(&before, "waits"));
	/* A's syncs and C's owed something, and met faults and each other. */
	EXPECT_LT(0, owed);
	EXPECT_LT(rounds + 1, dxl_grown(&before, "promises"));
	EXPECT_GROWN(LE, 1, &before, "waits");
	if (variant->outcome == KEEPS) {
		EXPECT_EQ(0, broken);
		EXPECT_TRUE(verdict_none());
	} else if (variant->outcome == BREAKS || broken) {
		EXPECT_LT(0, broken);
		EXPECT_TRUE(strstr(slurp(SBID "/verdict"), "verdict broken-promise "));
		EXPECT_TRUE(json_ok());
	}
}

/* A debt is what differs from media, to the last byte, and nothing else. */
TEST_F(ledger, sees_each_line)
{
	struct dxl_stats before;
	unsigned int i;

	for (i = 0; i < variant->pages; i++)
		store(self->map + i * variant->step, 1);
	must(!fsync(self->fd));
	dxl_stats(&before);
	must(!fsync(self->fd));
	EXPECT_GROWN(EQ, 0, &before, "promised_pages");
	/* The same value again: a fault, a flush, and nothing that was owed. */
	store(self->map, 1);
	must(!fsync(self->fd));
	EXPECT_GROWN(EQ, 0, &before, "promised_pages");
	store(self->map + PAGE - 1, 2);
	must(!fsync(self->fd));
	EXPECT_GROWN(EQ, 1, &before, "promised_pages");
	EXPECT_GROWN(EQ, 0, &before, "promises_broken");
	EXPECT_TRUE(verdict_none());
}

TEST_HARNESS_MAIN
