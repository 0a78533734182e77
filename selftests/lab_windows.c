// SPDX-License-Identifier: GPL-2.0
/*
 * Windows and sessions, on two mounts.
 *
 *  1. A rule parks the role that it names and nobody else; poll(2) and wait tell
 *     when, the report says where, with the stack; release lets it go on.
 *  2. A park ends by its bound, and that is counted; by a kill; by close.
 *  3. Counts, chances and selectors choose crossings; the same seed chooses the
 *     same ones.
 *  4. What cannot be done at a window is refused, and nothing has changed.
 *  5. Sessions of two mounts do not disturb each other. Umount unbinds, rmmod
 *     waits for the last close, a dead role leaves its name.
 *
 * A park that nobody ends hangs the test; a session that outlives its mount is
 * a use after free at the next crossing.
 *
 * daxlab-test: timeout=180 args="ndev=2 size=32M"
 */
#include "kmsg.h"
#include "session.h"

#include <sys/mount.h>
#include <time.h>

#define MNT2	"/mnt/daxlab-2"
#define PAGES	64
#define PARK	"fault.after_grab"
#define FOUR_OFF "off -> off -> off -> off -> "

FIXTURE(lab) {
	int session;
	int fd, fd2;
	char *map, *map2;
};

FIXTURE_SETUP(lab)
{
	must(!dxl_mount_fresh(NULL));
	must(!mkdir(MNT2, 0755) || errno == EEXIST);
	must(!mount("/dev/daxlab1", MNT2, "daxlab", 0, "format"));
	self->fd = hole_file("file", PMD);
	self->fd2 = open(MNT2 "/file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must(self->fd2 >= 0 && !ftruncate(self->fd2, PMD));
	self->map = map_pte(self->fd, 0, PMD);
	self->map2 = map_pte(self->fd2, 0, PMD);
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
}

FIXTURE_TEARDOWN(lab)
{
	if (self->session >= 0)
		close(self->session);
	if (self->map) {
		munmap(self->map, PMD);
		close(self->fd);
		EXPECT_EQ(0, dxl_umount());
	}
	munmap(self->map2, PMD);
	close(self->fd2);
	EXPECT_EQ(0, umount(MNT2));
	EXPECT_EQ(0, rmdir(MNT2));
}

static void store_deed(void *page)
{
	store(page, 's');
}

static bool readable(int session)
{
	struct pollfd poll_fd = { .fd = session, .events = POLLIN };

	return poll(&poll_fd, 1, 0) == 1 && poll_fd.revents & POLLIN;
}

TEST_F(lab, park_and_release)
{
	struct role a = role_start(self->session, "a", store_deed, self->map);
	struct role b = role_start(self->session, "b", store_deed, self->map + PAGE);
	char report[REPORT];

	ASSERT_EQ(0, say(self->session, "arm " PARK " 1*park(60000){role=a}"));
	EXPECT_TRUE(told(self->session,
			 "armed " PARK " hits 0 fired 0 rule 1*park(60000){role=a}\n"));
	EXPECT_FALSE(readable(self->session));
	role_go(&b);
	EXPECT_EQ(0, say(self->session, "wait b idle"));
	role_go(&a);
	EXPECT_EQ(0, say(self->session, "wait a parked:" PARK));
	EXPECT_EQ(0, say(self->session, "wait all still"));
	EXPECT_TRUE(readable(self->session));
	EXPECT_TRUE(told(self->session, "session mount daxlab0 still yes overdue 0 quiet_ns "));
	/* A state is seen a little before it is counted. */
	while (readable(self->session))
		text_of(self->session, report);
	EXPECT_TRUE(told(self->session, "role a id 1 pid %d state parked window " PARK, a.pid));
	EXPECT_TRUE(told(self->session, "role b id 2 pid %d state idle\n", b.pid));
	EXPECT_TRUE(told(self->session, "stack a dxl_"));
	EXPECT_TRUE(told(self->session, "parked a " PARK " ms "));
	EXPECT_TRUE(told(self->session, "armed " PARK " hits 2 fired 1 rule "));
	EXPECT_EQ(0, say(self->session, "release a"));
	EXPECT_EQ(0, say(self->session, "wait a idle"));
	EXPECT_EQ(-ESRCH, say(self->session, "wait a parked"));
	EXPECT_TRUE(told(self->session, "crossed a " PARK " 1\n"));
	EXPECT_EQ('s', load(self->map));
	EXPECT_EQ(0, say(self->session, "mark"));
	EXPECT_TRUE(told(self->session, "armed " PARK " hits 0 fired 0 rule "));
	EXPECT_EQ(0, role_join(&a));
	EXPECT_EQ(0, role_join(&b));
}

/* Two tasks parked by one rule go on together. */
TEST_F(lab, release_all)
{
	struct role a = role_start(self->session, "a", store_deed, self->map);
	struct role b = role_start(self->session, "b", store_deed, self->map + PAGE);

	ASSERT_EQ(0, say(self->session, "arm " PARK " park(60000)"));
	role_go(&a);
	role_go(&b);
	EXPECT_EQ(0, say(self->session, "wait all parked"));
	EXPECT_EQ(0, say(self->session, "release all"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, role_join(&a));
	EXPECT_EQ(0, role_join(&b));
}

TEST_F(lab, bound)
{
	struct role a = role_start(self->session, "a", store_deed, self->map);

	ASSERT_EQ(0, say(self->session, "arm " PARK " park(20)"));
	role_go(&a);
	EXPECT_EQ(0, say(self->session, "wait a idle"));
	EXPECT_TRUE(told(self->session, "session mount daxlab0 still yes overdue 1 "));
	EXPECT_EQ('s', load(self->map));
	EXPECT_EQ(0, role_join(&a));
}

TEST_F(lab, killed)
{
	struct role a = role_start(self->session, "a", store_deed, self->map);
	struct role b;

	ASSERT_EQ(0, say(self->session, "arm " PARK " park(60000){role=a}"));
	role_go(&a);
	EXPECT_EQ(0, say(self->session, "wait a parked"));
	EXPECT_EQ(0, kill(a.pid, SIGKILL));
	EXPECT_EQ(SIGKILL, role_join(&a));
	EXPECT_TRUE(told(self->session, "session mount daxlab0 still yes overdue 0 "));
	EXPECT_EQ(-ESRCH, say(self->session, "wait a idle"));

	/* The name is free; nothing of the dead one is left. */
	b = role_start(self->session, "a", store_deed, self->map);
	EXPECT_TRUE(told(self->session, "role a id 2 pid %d state idle\n", b.pid));
	EXPECT_EQ(0, role_join(&b));
}

/* The last close releases. The task that is parked does not have the file. */
TEST_F(lab, close_releases)
{
	char report[REPORT], c;
	int go[2], status;
	pid_t pid;

	must(!pipe(go));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		close(self->session);
		close(go[1]);
		must(read(go[0], &c, 1) == 1);
		store(self->map, 'c');
		_exit(load(self->map) != 'c');
	}
	ASSERT_EQ(0, say(self->session, "arm " PARK " park(60000){pid=%d}", pid));
	must(write(go[1], "g", 1) == 1);
	while (!strstr(text_of(self->session, report), "\nparked "))
		;
	EXPECT_TRUE(told(self->session, "parked %d " PARK " ms ", pid));
	close(self->session);
	self->session = -1;
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(go[0]);
	close(go[1]);
}

/* So does the exit of who opened it, though a role has the file still. */
TEST_F(lab, exit_releases)
{
	int opener, pids[2], status;
	struct role a;

	must(!pipe(pids));
	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	opener = fork();
	must(opener >= 0);
	if (!opener) {
		int session = session_open();

		must(!say(session, "bind daxlab0"));
		must(!say(session, "arm " PARK " park(60000){role=a}"));
		a = role_start(session, "a", store_deed, self->map);
		must(write(pids[1], &a.pid, sizeof(a.pid)) == sizeof(a.pid));
		role_go(&a);
		must(!say(session, "wait a parked"));
		_exit(0);
	}
	must(read(pids[0], &a.pid, sizeof(a.pid)) == sizeof(a.pid));
	ASSERT_EQ(opener, waitpid(opener, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(a.pid, waitpid(a.pid, &status, 0));
	EXPECT_EQ(0, status);
	close(pids[0]);
	close(pids[1]);
}

/* Sleeps for locks that are not ours are seen, and named. */
static void write_deed(void *fd)
{
	must(pwrite(*(int *)fd, "w", 1, 5 * PAGE) == 1);
}

static void punch_deed(void *fd)
{
	must(!fallocate(*(int *)fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 9 * PAGE, PAGE));
}

TEST_F(lab, blocked)
{
	struct role a = role_start(self->session, "a", store_deed, self->map);
	struct role p = role_start(self->session, "p", punch_deed, &self->fd);
	struct role w = role_start(self->session, "w", write_deed, &self->fd);
	struct stat st;

	must(!fstat(self->fd, &st));
	/* Once: the punch may unmap the page again before the store comes to it. */
	ASSERT_EQ(0, say(self->session, "arm " PARK " 1*park(60000){role=a}"));
	role_go(&a);
	EXPECT_EQ(0, say(self->session, "wait a parked"));
	role_go(&p);
	EXPECT_EQ(0, say(self->session, "wait p blocked"));
	EXPECT_TRUE(told(self->session, "role p id 2 pid %d state blocked on invalidate_lock:%lu\n",
			 p.pid, st.st_ino));
	role_go(&w);
	EXPECT_EQ(0, say(self->session, "wait w blocked"));
	EXPECT_TRUE(told(self->session, "role w id 3 pid %d state blocked on i_rwsem:%lu\n",
			 w.pid, st.st_ino));
	EXPECT_EQ(0, say(self->session, "wait all still"));
	EXPECT_EQ(-ETIME, say(self->session, "wait w idle 20"));
	EXPECT_EQ(0, say(self->session, "release a"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, role_join(&a));
	EXPECT_EQ(0, role_join(&p));
	EXPECT_EQ(0, role_join(&w));
}

TEST_F(lab, two_mounts)
{
	int other = session_open();
	struct role a, b;

	ASSERT_EQ(0, say(other, "bind daxlab1"));
	a = role_start(self->session, "a", store_deed, self->map);
	b = role_start(other, "a", store_deed, self->map2);
	ASSERT_EQ(0, say(self->session, "arm " PARK " park(60000)"));
	ASSERT_EQ(0, say(other, "arm fault.before_grab error(-EIO){index=7}"));
	role_go(&a);
	EXPECT_EQ(0, say(self->session, "wait a parked"));
	role_go(&b);
	EXPECT_EQ(0, say(other, "wait a idle"));
	EXPECT_TRUE(told(self->session, "armed " PARK " hits 1 fired 1 rule "));
	EXPECT_TRUE(told(other, "armed fault.before_grab hits 1 fired 0 rule "));
	EXPECT_EQ(0, say(other, "release all"));
	EXPECT_EQ(0, say(other, "disarm all"));
	close(other);
	EXPECT_TRUE(told(self->session, "role a id 1 pid %d state parked window " PARK, a.pid));
	EXPECT_EQ(-EBUSY, say(self->session, "bind daxlab1"));
	EXPECT_EQ(0, say(self->session, "release all"));
	EXPECT_EQ(0, say(self->session, "wait a idle"));
	EXPECT_EQ(0, role_join(&a));
	EXPECT_EQ(0, role_join(&b));
}

/* Bit i: the store to page i met the error. */
static unsigned long long errors_of(int session, char *map, unsigned long seed)
{
	unsigned long long met = 0;
	int i;

	must(!say(session, "seed %lu", seed));
	must(!say(session, "mark"));
	for (i = 0; i < PAGES; i++) {
		if (load_dies(map + i * PAGE))
			met |= 1ULL << i;
	}
	return met;
}

TEST_F(lab, seeds)
{
	unsigned long long first, again, other;

	catch_bus();
	ASSERT_EQ(0, say(self->session, "role reader"));
	ASSERT_EQ(0, say(self->session, "arm fault.before_grab 25.5%%error(-EIO)"));
	first = errors_of(self->session, self->map, 1);
	again = errors_of(self->session, self->map + PAGES * PAGE, 1);
	other = errors_of(self->session, self->map + 2 * PAGES * PAGE, 2);
	EXPECT_NE(0, first);
	EXPECT_EQ(first, again);
	EXPECT_NE(first, other);
	EXPECT_EQ(0, say(self->session, "unrole"));
}

TEST_F(lab, counts_and_selectors)
{
	static const struct {
		const char *rule;
		const char *met;	/* by loads of pages 0 to 3 and stores to pages 4 to 7 */
	} table[] = {
		{ "2*error(-EIO)", "xx......" },
		{ "2*off -> error(-EIO)", "..xxxxxx" },
		{ "1*off -> 2*error(-ENOSPC) -> 1*off -> error(-5)", ".xx.xxxx" },
		{ "error(-EIO){index=0x2-4}", "..xxx..." },
		{ "error(-EIO){rw=w}", "....xxxx" },
		{ "error(-EIO){rw=r,index=1}", ".x......" },
		{ "error(-EIO){order=9}", "........" },
		{ "error(-EIO){role=other}", "........" },
		{ "error(-EIO){role=me,order=0,index=6-100}", "......xx" },
		{ "0%error(-EIO)", "........" },
		{ "100%delay(1) -> error(-EIO)", "........" },
		{ "trace", "........" },
		{ "yield", "........" },
		{ "delay(2000){index=3}", "........" },
		{ "off", "........" },
	};
	unsigned int i, page;
	char met[9] = "";

	catch_bus();
	ASSERT_EQ(0, say(self->session, "role me"));
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		char *map = self->map;

		ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				       0, PMD));
		ASSERT_EQ(0, say(self->session, "arm fault.before_grab %s", table[i].rule));
		for (page = 0; page < 8; page++) {
			bool bus = page < 4 ? load_dies(map + page * PAGE) :
					      store_dies(map + page * PAGE, 'x');

			met[page] = bus ? 'x' : '.';
		}
		EXPECT_STREQ(table[i].met, met) {
			TH_LOG("rule %s", table[i].rule);
		}
		ASSERT_EQ(0, say(self->session, "disarm fault.before_grab"));
	}
}

TEST_F(lab, refusals)
{
	static const struct {
		int err;
		const char *command;
	} table[] = {
		{ EINVAL, "" },
		{ EINVAL, "armed" },
		{ EINVAL, "arm" },
		{ EINVAL, "arm fault.nowhere park" },
		{ EINVAL, "arm " PARK },
		{ EINVAL, "arm " PARK " hold" },
		{ EINVAL, "arm " PARK " park(0)" },
		{ EINVAL, "arm " PARK " park(60001)" },
		{ EINVAL, "arm " PARK " park(1" },
		{ EINVAL, "arm " PARK " park park" },
		{ EINVAL, "arm " PARK " park -> " },
		{ EINVAL, "arm " PARK " park->off" },
		{ EINVAL, "arm " PARK " 0*park" },
		{ EINVAL, "arm " PARK " 1*1*park" },
		{ EINVAL, "arm " PARK " 101%park" },
		{ EINVAL, "arm " PARK " 100.1%park" },
		{ EINVAL, "arm " PARK " 1.00001%park" },
		{ EINVAL, "arm " PARK " error" },
		{ EINVAL, "arm " PARK " error(EIO)" },
		{ EINVAL, "arm " PARK " error(-529)" },
		{ EINVAL, "arm " PARK " error(-EIOCBQUEUED)" },
		{ EINVAL, "arm " PARK " delay" },
		{ EINVAL, "arm " PARK " delay(1000001)" },
		{ EINVAL, "arm " PARK " park{}" },
		{ EINVAL, "arm " PARK " park{role=}" },
		{ EINVAL, "arm " PARK " park{role=a,role=b}" },
		{ EINVAL, "arm " PARK " park{role=sixteen-letters-}" },
		{ EINVAL, "arm " PARK " park{index=3-2}" },
		{ EINVAL, "arm " PARK " park{order=1}" },
		{ EINVAL, "arm " PARK " park{rw=rw}" },
		{ EINVAL, "arm " PARK " park{pid=-1}" },
		{ EINVAL, "arm " PARK " " FOUR_OFF FOUR_OFF "off" },
		/* What the place does not allow. */
		{ EINVAL, "arm invalidate.found_locked park" },
		{ EINVAL, "arm invalidate.found_locked trace -> 1*yield" },
		{ EINVAL, "arm invalidate.found_locked delay(1001)" },
		{ EINVAL, "arm fault.before_map error(-EIO)" },
		{ EINVAL, "arm write.after_iomap_begin fallback" },
		{ EINVAL, "disarm" },
		{ EINVAL, "disarm fault" },
		{ EINVAL, "bind" },
		{ ENODEV, "bind daxlab7" },
		{ EBUSY, "bind daxlab1" },
		{ EINVAL, "bind daxlab0 daxlab1" },
		{ EINVAL, "role" },
		{ EINVAL, "role all" },
		{ EINVAL, "role a/b" },
		{ EINVAL, "role sixteen-letters-" },
		{ EBUSY, "role other" },
		{ EEXIST, "role me" },
		{ EINVAL, "unrole me" },
		{ EINVAL, "end it" },
		{ EINVAL, "seed" },
		{ EINVAL, "seed one" },
		{ EINVAL, "seed 18446744073709551616" },
		{ EINVAL, "wait" },
		{ EINVAL, "wait me" },
		{ EINVAL, "wait me sitting" },
		{ EINVAL, "wait me idle:" PARK },
		{ EINVAL, "wait me parked:here" },
		{ EINVAL, "wait me idle 60001" },
		{ ESRCH, "wait you idle" },
		{ ESRCH, "wait me asleep" },
		{ EINVAL, "release" },
		{ ENOENT, "release you" },
		{ EINVAL, "mark it" },
		{ EINVAL, "mark\nmark" },
	};
	void *unreadable = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char before[REPORT], after[REPORT], line[256];
	int log = kmsg_open();
	unsigned int i, start = time(NULL);

	must(unreadable != MAP_FAILED);
	ASSERT_EQ(0, say(self->session, "role me"));
	ASSERT_EQ(0, say(self->session, "arm " PARK " 3*park{role=nobody}"));
	text_of(self->session, before);
	for (i = 0; i < ARRAY_SIZE(table); i++)
		EXPECT_EQ(-table[i].err, say(self->session, "%s", table[i].command)) {
			TH_LOG("command '%s'", table[i].command);
		}
	EXPECT_STREQ(before, text_of(self->session, after));
	EXPECT_EQ(-1, write(self->session, before, 513));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, write(self->session, "mark\0x", 6));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, write(self->session, unreadable, 4));
	EXPECT_EQ(EFAULT, errno);
	/* The log does not fill up: ten lines in five seconds. */
	i = kmsg_lines(log, line, sizeof(line));
	EXPECT_GT(i, 0);
	EXPECT_LT(i, ARRAY_SIZE(table));
	EXPECT_LE(i, 10 * ((time(NULL) - start + 1) / 5 + 2));
	close(log);
}

TEST_F(lab, umount_unbinds)
{
	munmap(self->map, PMD);
	close(self->fd);
	self->map = NULL;
	ASSERT_EQ(0, say(self->session, "arm " PARK " park(60000)"));
	ASSERT_EQ(0, dxl_umount());
	EXPECT_TRUE(told(self->session, "session mount - still yes "));
	EXPECT_EQ(-ENODEV, say(self->session, "arm " PARK " park"));
	EXPECT_EQ(-ENODEV, say(self->session, "bind daxlab0"));

	/* The rule went with the mount: nobody parks at the next one. */
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	self->fd = hole_file("file", PMD);
	self->map = map_pte(self->fd, 0, PMD);
	store(self->map, 'n');
	EXPECT_EQ(0, say(self->session, "bind daxlab0"));
	EXPECT_EQ(0, say(self->session, "role me"));
	store(self->map + PAGE, 'n');
	EXPECT_TRUE(told(self->session, "crossed me " PARK " 1\n"));
}

/* An open session keeps the module, and nothing after it. */
TEST(rmmod)
{
	int session = session_open();

	EXPECT_EQ(-1, dxl_unload());
	EXPECT_EQ(EAGAIN, errno);
	close(session);
	ASSERT_EQ(0, dxl_unload());
	ASSERT_EQ(0, dxl_load("ndev=2 size=32M"));
}

TEST_HARNESS_MAIN
