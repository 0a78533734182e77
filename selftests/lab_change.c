// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of the variant while faults are under way, and faults of one mm that
 * meet in a page table.
 *
 *  1. Processes fault, write and punch in one range, so that they sleep for each
 *     other's entries, while the mount goes from one sound protocol to another:
 *     other keys, other queues, other wakes. Most changes meet a locked entry and
 *     are refused, some are not. Nobody may sleep for ever, and no oracle may say
 *     anything.
 *  2. A PTE fault is parked before it maps, a PMD fault of another thread does not
 *     see its entry (lookup=load) and maps a huge page. The PTE may not be put
 *     under it: that is told as a collision, and the kernel stays as it is.
 *  3. The same with the sound lookup: the PMD fault falls back.
 *
 * Broken: a waiter that sleeps by the old choices is never woken; a static key
 * that goes off over entries that were swallowed is a use after free; a PTE that
 * is written into a huge pmd is "Bad page map", or worse.
 *
 * daxlab-test: timeout=240 needs=module args="size=64M"
 */
#include <pthread.h>
#include <time.h>

#include "session.h"
#include "verdict.h"

#define SIZE	(2 * PMD)
#define WORKERS	3
#define HOT	4	/* pages that are used: they shall meet */
#define FAR	100	/* a page that xas_load() of a PMD state does not see */

static const char * const sound_protocols[] = {
	"sound", "bucket=one", "wait_key=masked_all,order_rule=any_order",
	"order_rule=any_order", "lookup=eexist",
};

static void deed(int fd, char *pmds, char *ptes, unsigned int *seed)
{
	static const char buf[PAGE] = "change";
	size_t page = rand_r(seed) % HOT * 60;
	char *map = rand_r(seed) % 2 ? pmds : ptes;

	switch (rand_r(seed) % 8) {
	case 0 ... 1:
		store_dies(map + page * PAGE, 'r');
		break;
	case 2 ... 3:
		load_dies(map + page * PAGE);
		break;
	case 4:
		must(pwrite(fd, buf, PAGE, page * PAGE) == PAGE);
		break;
	case 5:
		must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SIZE));
		break;
	case 6:
		must(!fdatasync(fd));
		break;
	case 7:
		must(!madvise(map, SIZE, MADV_DONTNEED));
		break;
	}
}

/* Until told to stop; who hangs does not see it. */
static pid_t worker(int fd, char *pmds, char *ptes, unsigned int seed, volatile bool *stop)
{
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	catch_bus();
	while (!*stop)
		deed(fd, pmds, ptes, &seed);
	_exit(0);
}

static int change(const char *choices)
{
	static const char sound[] = "sound";
	int fd = open(SBID "/variant", O_WRONLY | O_CLOEXEC);
	char text[128];
	int err = 0;

	must(fd >= 0);
	/* A profile sets all, so both at one time. */
	snprintf(text, sizeof(text), "%s,%s", sound, choices);
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

FIXTURE(change) {
	int fd;
	char *pmds, *ptes;
};

FIXTURE_SETUP(change)
{
	must(!dxl_mount_fresh(NULL));
	self->fd = hole_file("file", SIZE);
	self->pmds = map_pmd(self->fd, 0, SIZE);
	self->ptes = map_pte(self->fd, 0, SIZE);
}

FIXTURE_TEARDOWN(change)
{
	munmap(self->pmds, SIZE);
	munmap(self->ptes, SIZE);
	close(self->fd);
	EXPECT_EQ(0, dxl_umount());
}

TEST_F_TIMEOUT(change, under_load, 120)
{
	time_t end = time(NULL) + (time_t)seconds_to_run(10);
	unsigned int changed = 0, refused = 0, i;
	struct dxl_stats before;
	pid_t pid[WORKERS];
	volatile bool *stop;
	int status, err;

	stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(stop != MAP_FAILED);
	put_text(DXL_DEBUGFS "/oracles", "1");
	dxl_stats(&before);
	for (i = 0; i < WORKERS; i++)
		pid[i] = worker(self->fd, self->pmds, self->ptes, i + 1, stop);
	for (i = 0; time(NULL) < end || changed < 10; i++) {
		err = change(sound_protocols[i % ARRAY_SIZE(sound_protocols)]);
		ASSERT_TRUE(!err || err == -EBUSY);
		changed += !err;
		refused += !!err;
	}
	*stop = true;
	for (i = 0; i < WORKERS; i++) {
		must(waitpid(pid[i], &status, 0) == pid[i]);
		EXPECT_EQ(0, status);
	}
	TH_LOG("%u changes, %u refused, %llu waits", changed, refused,
	       dxl_grown(&before, "waits"));
	EXPECT_GROWN(LE, 1, &before, "waits");
	EXPECT_TRUE(verdict_none());
	EXPECT_QUIESCENT();
	EXPECT_EQ(0, change("sound"));
	put_text(DXL_DEBUGFS "/oracles", "0");
	munmap((void *)stop, PAGE);
}

/* Two threads of one process: the small role, then the huge one. */
struct threads {
	int session;
	char *map;
	int go[2];
};

static void *load_huge(void *arg)
{
	struct threads *threads = arg;
	char c;

	must(!say(threads->session, "role huge"));
	must(write(threads->go[1], "r", 1) == 1);
	must(read(threads->go[1], &c, 1) == 1);
	must(!say(threads->session, "begin"));
	must(write(threads->go[1], "b", 1) == 1);
	load(threads->map);
	say(threads->session, "end");
	return NULL;
}

static void load_far(void *arg)
{
	struct threads *threads = arg;
	pthread_t thread;

	must(!pthread_create(&thread, NULL, load_huge, threads));
	load(threads->map + FAR * PAGE);
	pthread_join(thread, NULL);
}

static void meet(struct __test_metadata *_metadata, FIXTURE_DATA(change) *self,
		 int session, const char *choices)
{
	struct threads threads = { .session = session, .map = self->pmds };
	struct role small;
	char c;

	ASSERT_EQ(0, change(choices));
	ASSERT_EQ(0, say(session, "bind daxlab0"));
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, threads.go));
	small = role_start(session, "small", load_far, &threads);
	ASSERT_EQ(0, say(session, "arm fault.before_grab fallback{role=small,order=9}"));
	ASSERT_EQ(0, say(session, "arm fault.before_map 1*park(60000){role=small,order=0}"));
	ASSERT_EQ(0, say(session, "mark"));
	role_go(&small);
	must(read(threads.go[0], &c, 1) == 1);
	ASSERT_EQ(0, say(session, "wait small parked:fault.before_map"));
	must(write(threads.go[0], "g", 1) == 1 && read(threads.go[0], &c, 1) == 1);
	ASSERT_EQ(0, say(session, "wait all still"));
	ASSERT_EQ(0, say(session, "release small"));
	ASSERT_EQ(0, say(session, "wait all idle"));
	EXPECT_EQ(0, say(session, "verdict"));
	EXPECT_EQ(0, role_join(&small));
	close(threads.go[0]);
	close(threads.go[1]);
}

TEST_F(change, pte_meets_huge_pmd)
{
	int session = session_open();
	struct dxl_stats before;

	dxl_stats(&before);
	meet(_metadata, self, session, "lookup=load");
	EXPECT_GROWN(EQ, 1, &before, "fault_pmd_hole");
	EXPECT_TRUE(told(session, "verdict collision "));
	close(session);
	EXPECT_QUIESCENT();
}

TEST_F(change, sound_lookup_falls_back)
{
	int session = session_open();
	struct dxl_stats before;

	dxl_stats(&before);
	meet(_metadata, self, session, "sound");
	EXPECT_GROWN(EQ, 0, &before, "fault_pmd_hole");
	EXPECT_GROWN(EQ, 1, &before, "fault_fallback_conflict");
	EXPECT_TRUE(told(session, "verdict none\n"));
	close(session);
	EXPECT_QUIESCENT();
}

TEST_HARNESS_MAIN
