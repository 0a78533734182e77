// SPDX-License-Identifier: GPL-2.0
/*
 * Huge mappings that come while others take them away.
 *
 *  1. Threads that share a mapping load and store, so that PMDs are mapped again
 *     and again: frames of the file, and zeroes after a punch.
 *  2. Others drop all of the mapping or 16 pages of it (MADV_DONTNEED, which
 *     holds mmap_lock shared), look at it page by page (smaps, mincore), and
 *     once in a while map anew.
 *  3. Processes sync (so that mappings go, from outside) and punch.
 *  4. Each byte has either what is stored there always, or zero.
 *
 * A walk over page tables that finds a PMD where there was none a moment before
 * must not take it for garbage: Linux 6.1 does so with devmap PMDs, says "bad
 * pmd", and clears it without a lock, which in the end makes page 0 a page table.
 * The runner looks for both in the log. So this runs on our own memory only.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "dax.h"

#define RANGES	2
#define SIZE	(RANGES * PMD)
#define PUNCH	(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)

static int fd;
static char *map;
static atomic_bool stop;
static atomic_ulong wrong;

static char byte_of(size_t page)
{
	return 1 + page % 100;
}

static void *touch(void *arg)
{
	unsigned int seed = (uintptr_t)arg;

	while (!atomic_load(&stop)) {
		size_t page = rand_r(&seed) % (SIZE / PAGE);
		char c;

		if (rand_r(&seed) % 2) {
			store(map + page * PAGE, byte_of(page));
			continue;
		}
		c = load(map + page * PAGE);
		if (c && c != byte_of(page))
			atomic_fetch_add(&wrong, 1);
	}
	return NULL;
}

static void *drop(void *arg)
{
	size_t len = (uintptr_t)arg;

	while (!atomic_load(&stop))
		must(!dont_need(map, len, dxl_page_cache()));
	return NULL;
}

static void *look(void *arg)
{
	unsigned char in_core[SIZE / PAGE];
	size_t len = (uintptr_t)arg;
	char buf[65536];
	int smaps;

	while (!atomic_load(&stop)) {
		must(!mincore(map, len, in_core));
		smaps = open("/proc/self/smaps", O_RDONLY);
		must(smaps >= 0);
		while (read(smaps, buf, sizeof(buf)) > 0)
			;
		close(smaps);
	}
	return NULL;
}

static void *anew(void *arg)
{
	struct timespec bit = { .tv_nsec = 2000000 };
	size_t len = (uintptr_t)arg;

	while (!atomic_load(&stop)) {
		nanosleep(&bit, NULL);
		must(mmap(map, len, RW, MAP_SHARED | MAP_FIXED, fd, 0) == map);
	}
	return NULL;
}

/* A process that does the same thing until it is killed. */
static pid_t meanwhile(bool punch)
{
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	for (;;)
		must(punch ? !fallocate(fd, PUNCH, PMD, PMD) : !fsync(fd));
}

FIXTURE(zap) {
};

FIXTURE_SETUP(zap)
{
}

FIXTURE_TEARDOWN(zap)
{
}

TEST_F_TIMEOUT(zap, meets_huge_fault, 120)
{
	static const struct {
		void *(*fn)(void *arg);
		uintptr_t arg;
	} role[] = {
		{ touch, 1 }, { touch, 2 }, { drop, SIZE }, { drop, PMD }, { drop, 16 * PAGE },
		{ look, SIZE }, { anew, SIZE },
	};
	pthread_t thread[ARRAY_SIZE(role)];
	struct dxl_stats before;
	pid_t pid[2];
	unsigned int i;
	time_t end;

	fd = full_file("zap", SIZE, 0);
	must(!fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, SIZE));
	map = map_pmd(fd, 0, SIZE);
	dxl_stats(&before);
	end = time(NULL) + seconds_to_run(25);
	for (i = 0; i < 2; i++)
		pid[i] = meanwhile(i);
	for (i = 0; i < ARRAY_SIZE(role); i++)
		must(!pthread_create(&thread[i], NULL, role[i].fn, (void *)role[i].arg));
	while (time(NULL) < end)
		must(!nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL));
	atomic_store(&stop, true);
	for (i = 0; i < ARRAY_SIZE(role); i++)
		must(!pthread_join(thread[i], NULL));
	for (i = 0; i < 2; i++) {
		must(!kill(pid[i], SIGKILL));
		must(waitpid(pid[i], NULL, 0) == pid[i]);
	}
	EXPECT_EQ(0, wrong);
	EXPECT_GROWN(LT, 10, &before, "fault_pmd_mapped");
	EXPECT_GROWN(NE, 0, &before, "fault_pmd_hole");
	EXPECT_GROWN(NE, 0, &before, "write_protects");
	EXPECT_QUIESCENT();
	TH_LOG("%llu huge faults mapped, %llu holes", dxl_grown(&before, "fault_pmd_mapped"),
	       dxl_grown(&before, "fault_pmd_hole"));
	must(!munmap(map, SIZE));
	close(fd);
}

TEST_HARNESS_MAIN
