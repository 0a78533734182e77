// SPDX-License-Identifier: GPL-2.0
/*
 * Read faults that meet a write(2) which fills the hole they look at.
 *
 *  1. A punches a hole and writes a number into it, again and again.
 *  2. B and C, other processes, make their mapping anew and load the number.
 *  3. A fault that saw the hole has to be done, and its zero page gone, before
 *     write(2) returns: whoever loads later must see that number or a later one.
 *
 * "dax: fix data corruption when fault races with write" and its PMD half
 * (v4.12): the zero page came after write(2) had looked for it, and stayed. So
 * each load is made twice: the second one through the mapping of the first.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

#include "dax.h"

#define READERS	2
#define AT	(3 * PAGE + 64)	/* of the number */

struct shared {
	atomic_ulong begun, done;	/* rounds of A */
	atomic_bool stop;
	atomic_ulong loads, wrong;
	unsigned long saw, least, most;	/* of the first wrong load */
};

FIXTURE(meets) {
	int fd;
	struct shared *shared;
	struct dxl_stats before;
};

FIXTURE_VARIANT(meets) {
	size_t skew, len;		/* what is punched */
	const char *zero;
};

FIXTURE_VARIANT_ADD(meets, pte) { .skew = PAGE, .len = 8 * PAGE, .zero = "fault_pte_hole" };
FIXTURE_VARIANT_ADD(meets, pmd) { .skew = 0, .len = PMD, .zero = "fault_pmd_hole" };

FIXTURE_SETUP(meets)
{
	self->fd = hole_file("meets", PMD);
	self->shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->shared);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(meets)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

static void look(struct shared *shared, const char *map)
{
	unsigned long least = atomic_load(&shared->done);
	unsigned long saw = *(const volatile unsigned long *)(map + AT);
	unsigned long most = atomic_load(&shared->begun);

	atomic_fetch_add(&shared->loads, 1);
	/* Zero is the number before the first round, and right while one is under way. */
	if ((saw >= least && saw <= most) || (!saw && least < most))
		return;
	if (!atomic_fetch_add(&shared->wrong, 1)) {
		shared->saw = saw;
		shared->least = least;
		shared->most = most;
	}
}

static void reader(int fd, struct shared *shared, size_t skew)
{
	char *map = map_skewed(fd, 0, PMD, skew, RW, MAP_SHARED);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!atomic_load(&shared->stop)) {
		/* Without page tables, so that a PMD is possible. */
		must(mmap(map, PMD, RW, MAP_SHARED | MAP_FIXED, fd, 0) == map);
		look(shared, map);
		look(shared, map);
	}
	_exit(0);
}

TEST_F_TIMEOUT(meets, number_is_seen, 60)
{
	struct shared *shared = self->shared;
	time_t end = time(NULL) + 1 + seconds_to_run(16) / 2;
	unsigned long round;
	int i, status;

	for (i = 0; i < READERS; i++)
		if (!fork())
			reader(self->fd, shared, variant->skew);
	for (round = 1; time(NULL) < end && !atomic_load(&shared->wrong); round++) {
		atomic_store(&shared->begun, round);
		must(!fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
				variant->len));
		must(pwrite(self->fd, &round, sizeof(round), AT) == sizeof(round));
		atomic_store(&shared->done, round);
	}
	atomic_store(&shared->stop, true);
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
	TH_LOG("%lu rounds, %lu loads, %llu zeroes mapped", round - 1, shared->loads,
	       dxl_grown(&self->before, variant->zero));
	EXPECT_EQ(0, shared->wrong)
		TH_LOG("saw %lu when rounds %lu to %lu were possible", shared->saw,
		       shared->least, shared->most);
	EXPECT_GROWN(LE, 1, &self->before, variant->zero);
	EXPECT_GROWN(LE, 1, &self->before, "entries_invalidated");
}

TEST_HARNESS_MAIN
