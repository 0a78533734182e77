// SPDX-License-Identifier: GPL-2.0
/*
 * Processes that are killed in the middle of a storm of faults and syncs.
 *
 *  1. Two processes of three threads each fault, sync, write, punch and drop
 *     mappings of one file, PTE and PMD.
 *  2. One is killed after a random number of operations, wherever it is, while
 *     the other goes on; then the other one.
 *  3. When both are gone nobody holds or waits for an entry. The file can be used
 *     at once, and each word in it is one that somebody wrote, or zero.
 *  4. After the last round all blocks come back.
 *
 * A task that died with an entry locked would leave it so for ever: the next
 * access to that page hangs.
 *
 * daxlab-test: timeout=240 needs=mount
 */
#include <pthread.h>
#include <sys/syscall.h>

#include "oracle.h"

#define ROUNDS	12
#define SIZE	(3 * PMD)
#define PAGE_WORDS (PAGE / 8)

static struct shared {
	atomic_ulong operations;
	atomic_uint gen;
} *shared;

static int fd;

static void touch_page(char *map, unsigned int page)
{
	unsigned int word = page * 7 % PAGE_WORDS;

	make_words(map + page * PAGE + word * 8, atomic_fetch_add(&shared->gen, 1) + 1, 0, page,
		   word, 1);
}

static void *store_and_drop(void *skew)
{
	char *map = map_skewed(fd, 0, SIZE, *(size_t *)skew, RW, MAP_SHARED);
	unsigned int seed = syscall(SYS_gettid), page;

	for (;; atomic_fetch_add(&shared->operations, 1)) {
		page = rand_r(&seed) % (SIZE / PAGE);
		touch_page(map, page);
		if (rand_r(&seed) % 4 == 0)
			must(!madvise(map, SIZE, MADV_DONTNEED));
		if (rand_r(&seed) % 4 == 0)
			must(!msync(map, SIZE, MS_SYNC));
	}
	return NULL;
}

static void *write_and_punch(void *unused)
{
	unsigned int seed = syscall(SYS_gettid), page, nr;
	uint64_t word;

	for (;; atomic_fetch_add(&shared->operations, 1)) {
		page = rand_r(&seed) % (SIZE / PAGE);
		word = word_of(atomic_fetch_add(&shared->gen, 1) + 1, 0, page, 0);
		must(pwrite(fd, &word, 8, page * PAGE) == 8);
		nr = 1 + rand_r(&seed) % PMD_PAGES;
		if (rand_r(&seed) % 4 == 0)
			must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					page * PAGE, nr * PAGE));
		if (rand_r(&seed) % 4 == 0)
			must(!fsync(fd));
	}
	return unused;
}

static pid_t storm(void)
{
	static size_t skew[] = { 0, PAGE };
	pthread_t thread;
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	must(!pthread_create(&thread, NULL, store_and_drop, &skew[0]));
	must(!pthread_create(&thread, NULL, store_and_drop, &skew[1]));
	write_and_punch(NULL);
	_exit(1);
}

static void let_work(unsigned long operations)
{
	unsigned long until = atomic_load(&shared->operations) + operations;

	while (atomic_load(&shared->operations) < until)
		sched_yield();
}

static int end(pid_t pid)
{
	int status;

	must(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* Nothing but words of their own place, of generations that exist. */
static bool sound(const char *map)
{
	unsigned int i;

	for (i = 0; i < SIZE / 8; i++) {
		uint64_t word = ((const uint64_t *)map)[i];

		if (word && (word_gen(word) > atomic_load(&shared->gen) ||
			     word != word_of(word_gen(word), 0, i / PAGE_WORDS, i % PAGE_WORDS)))
			return false;
	}
	return true;
}

FIXTURE(kill) {
	uint64_t free;
};

FIXTURE_SETUP(kill)
{
	self->free = free_blocks_at_first();
	shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	fd = hole_file("killed", SIZE);
}

FIXTURE_TEARDOWN(kill)
{
	EXPECT_QUIESCENT();
	close(fd);
	EXPECT_EQ(0, unlink(DXL_MNT "/killed"));
	EXPECT_EQ(self->free, free_blocks());
}

TEST_F_TIMEOUT(kill, in_a_storm, 200)
{
	unsigned int round, seed = 1;
	char *huge, *small;
	pid_t one, two;

	for (round = 0; round < ROUNDS; round++) {
		one = storm();
		two = storm();
		let_work(50 + rand_r(&seed) % 100);
		ASSERT_EQ(SIGKILL, end(round % 2 ? one : two));
		let_work(10 + rand_r(&seed) % 50);
		ASSERT_EQ(SIGKILL, end(round % 2 ? two : one));
		EXPECT_QUIESCENT();

		huge = map_pmd(fd, 0, SIZE);
		small = map_pte(fd, 0, SIZE);
		ASSERT_TRUE(sound(huge));
		ASSERT_EQ(0, memcmp(huge, small, SIZE));
		touch_page(small, rand_r(&seed) % (SIZE / PAGE));
		touch_page(huge, rand_r(&seed) % (SIZE / PAGE));
		ASSERT_EQ(0, memcmp(huge, small, SIZE));
		ASSERT_EQ(0, fsync(fd));
		munmap(huge, SIZE);
		munmap(small, SIZE);
		if (round % 3 == 2)
			ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					       0, SIZE));
	}
}

TEST_HARNESS_MAIN
