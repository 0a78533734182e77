// SPDX-License-Identifier: GPL-2.0
/*
 * A folio of a file in page-cache mode is frozen for a while, and looked up by us
 * and by the kernel.
 *
 *  1. While POSIX_FADV_DONTNEED is held with the folio of a page frozen, a read of
 *     it sleeps (sound), or spins and is told as a livelock (retry=spin). Released,
 *     both end, and the data is right.
 *  2. The kernel's own lookup, by mincore(2), spins: it uses the processor, and
 *     does not end. Released, it ends.
 *  3. The freezer goes away on an error: the folio is a zombie. A read is told so
 *     (EIO); a rescue thaws it, and the data is there.
 *  4. Nobody releases the freezer, nobody rescues: the kernel's lookup is over all
 *     the same, since the guard thaws what is of a file.
 *  5. What is dirty, under writeback, or out of the cache already is not frozen:
 *     who ends the writeback takes a reference, and what is gone is not thawed.
 *
 * Broken: a lookup that ends while the folio is frozen, or never; wrong data; a
 * folio that is lost.
 *
 * daxlab-test: timeout=300 needs=module args="size=64M"
 */
#include <sched.h>
#include <sys/resource.h>

#include "session.h"
#include "verdict.h"

#define PAGES	64
#define SIZE	(PAGES * PAGE)
#define AT	5
#define SEED	7
#define HELD	"freeze.held"
#define TICKS	10	/* of system time, that a lookup must have used */

FIXTURE(frozen) {
	int session;
	int fd;
	struct role freezer, looker;
};

FIXTURE_SETUP(frozen)
{
}

FIXTURE_TEARDOWN(frozen)
{
	close(self->session);
	role_join(&self->freezer);
	role_join(&self->looker);
	close(self->fd);
	EXPECT_EQ(0, dxl_umount());
}

static void freezer_deed(void *arg)
{
	FIXTURE_DATA(frozen) *self = arg;

	int err = posix_fadvise(self->fd, AT * PAGE, PAGE, POSIX_FADV_DONTNEED);

	must(!err || err == EIO);
}

/* Ends with what it saw in its exit status, if it is wrong. */
static void read_deed(void *arg)
{
	FIXTURE_DATA(frozen) *self = arg;
	char page[PAGE];
	ssize_t got = pread(self->fd, page, PAGE, AT * PAGE);

	if (got < 0 && errno == EIO)
		return;
	must(got == (ssize_t)PAGE && differs(page, AT * PAGE, PAGE, SEED) < 0);
}

static void mincore_deed(void *arg)
{
	FIXTURE_DATA(frozen) *self = arg;
	unsigned char there;
	char *map;

	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, self->fd, AT * PAGE);
	must(map != MAP_FAILED && !mincore(map, PAGE, &there));
	must(!munmap(map, PAGE));
}

/*
 * Clean folios, of which nobody has a reference: what a CPU has put aside for the
 * LRU goes there when it has 15 more.
 */
static void frozen_start(FIXTURE_DATA(frozen) *self, const char *options,
			 void (*deed)(void *arg))
{
	run_on(0, 0);
	must(!dxl_mount_fresh(options));
	self->fd = small_folios_file("file", SIZE / PAGE, SEED);
	must(!fsync(self->fd));
	run_on(0, 1);
	must(!dxl_stats_reset());
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
	self->freezer = role_start(self->session, "freezer", freezer_deed, self);
	self->looker = role_start(self->session, "looker", deed, self);
}

/* The page is there before, so that only the kernel's or our lookup decides. */
static void freeze(FIXTURE_DATA(frozen) *self, struct __test_metadata *_metadata, unsigned int ms)
{
	ASSERT_EQ(0, say(self->session, "arm " HELD " 1*park(%u){role=freezer}", ms));
	role_go(&self->freezer);
	ASSERT_EQ(0, say(self->session, "wait freezer parked:" HELD));
}

static void thaw(FIXTURE_DATA(frozen) *self, struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, say(self->session, "release freezer"));
	ASSERT_EQ(0, say(self->session, "wait all idle"));
	ASSERT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none"));
	EXPECT_EQ(0, dxl_stat("freezes_guarded"));
}

TEST_F(frozen, read_waits)
{
	frozen_start(self, "dax=never", read_deed);
	freeze(self, _metadata, 60000);
	role_go(&self->looker);
	EXPECT_EQ(0, say(self->session, "wait looker blocked"));
	EXPECT_TRUE(told(self->session, "role looker id 2 pid %d state blocked on freeze:0x%x",
			 self->looker.pid, AT));
	thaw(self, _metadata);
}

TEST_F(frozen, read_spins)
{
	frozen_start(self, "dax=never,retry=spin", read_deed);
	freeze(self, _metadata, 60000);
	role_go(&self->looker);
	EXPECT_EQ(0, say(self->session, "wait looker spinning"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict livelock transient"));
	thaw(self, _metadata);
}

static unsigned long system_ticks(pid_t pid)
{
	unsigned long ticks = 0;
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = strrchr(slurp(path), ')');
	must(text && sscanf(text, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %lu",
			    &ticks) == 1);
	return ticks;
}

static bool runs_on(int session, pid_t pid)
{
	return told(session, "role looker id 2 pid %d state running", pid);
}

TEST_F(frozen, kernel_spins)
{
	unsigned long before;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "who spins in the kernel leaves no processor");
	frozen_start(self, "dax=never", mincore_deed);
	freeze(self, _metadata, 60000);
	before = system_ticks(self->looker.pid);
	role_go(&self->looker);
	/* The guard bounds this, and would be told by thaw(). */
	while (system_ticks(self->looker.pid) < before + TICKS)
		sched_yield();
	EXPECT_TRUE(runs_on(self->session, self->looker.pid));
	thaw(self, _metadata);
}

TEST_F(frozen, zombie)
{
	frozen_start(self, "dax=never", read_deed);
	ASSERT_EQ(0, say(self->session, "arm " HELD " 1*error(-5){role=freezer}"));
	role_go(&self->freezer);
	ASSERT_EQ(0, say(self->session, "wait freezer idle"));
	role_go(&self->looker);
	ASSERT_EQ(0, say(self->session, "wait looker idle"));
	EXPECT_EQ(1, dxl_stat("zombies_met"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict zombie-folio freezer-left"));
	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(1, dxl_stat("zombies_thawed"));
	read_deed(self);
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none"));
}

static void store_deed(void *arg)
{
	FIXTURE_DATA(frozen) *self = arg;

	write_pattern(self->fd, AT * PAGE, PAGE, SEED);
}

static void write_deed(void *arg)
{
	FIXTURE_DATA(frozen) *self = arg;

	store_deed(self);
	must(!sync_file_range(self->fd, 0, 0, SYNC_FILE_RANGE_WRITE));
}

/* Only then nobody has a reference but the cache and the freezer. */
static void freeze_fails(FIXTURE_DATA(frozen) *self, struct __test_metadata *_metadata)
{
	role_go(&self->freezer);
	ASSERT_EQ(0, say(self->session, "wait freezer idle"));
	EXPECT_EQ(0, dxl_stat("freezes"));
}

static void all_is_well(FIXTURE_DATA(frozen) *self, struct __test_metadata *_metadata)
{
	ASSERT_EQ(0, say(self->session, "wait all idle"));
	ASSERT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none"));
	EXPECT_EQ(0, fsync(self->fd));
}

TEST_F(frozen, not_while_dirty)
{
	frozen_start(self, "dax=never", store_deed);
	role_go(&self->looker);
	ASSERT_EQ(0, say(self->session, "wait looker idle"));
	freeze_fails(self, _metadata);
	all_is_well(self, _metadata);
	/* That page is new: it goes to the LRU when this processor has more for it. */
	run_on(0, 0);
	read_deed(self);
	write_pattern(self->fd, SIZE, SIZE, SEED);
	/* It was for that only: once clean, it is frozen. */
	role_go(&self->freezer);
	ASSERT_EQ(0, say(self->session, "wait freezer idle"));
	EXPECT_EQ(1, dxl_stat("freezes"));
}

TEST_F(frozen, not_under_writeback)
{
	frozen_start(self, "dax=never", write_deed);
	ASSERT_EQ(0, say(self->session, "arm pwb.before_submit 1*park(60000){role=looker}"));
	role_go(&self->looker);
	ASSERT_EQ(0, say(self->session, "wait looker parked:pwb.before_submit"));
	freeze_fails(self, _metadata);
	ASSERT_EQ(0, say(self->session, "release looker"));
	all_is_well(self, _metadata);
	read_deed(self);
}

TEST_F(frozen, not_once_removed)
{
	loff_t off = AT * PAGE;
	char page[PAGE];
	int pin[2];

	frozen_start(self, "dax=never", read_deed);
	/* The reference that the cache had is a pipe's now. */
	must(!pipe(pin) && splice(self->fd, &off, pin[1], NULL, PAGE, 0) == (ssize_t)PAGE);
	ASSERT_EQ(0, say(self->session, "arm freeze.before 1*park(60000){role=freezer}"));
	role_go(&self->freezer);
	ASSERT_EQ(0, say(self->session, "wait freezer parked:freeze.before"));
	must(!fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, AT * PAGE, PAGE));
	ASSERT_EQ(0, say(self->session, "release freezer"));
	ASSERT_EQ(0, say(self->session, "wait freezer idle"));
	EXPECT_EQ(0, dxl_stat("freezes"));
	all_is_well(self, _metadata);
	must(read(pin[0], page, PAGE) == (ssize_t)PAGE);
	EXPECT_EQ(-1, differs(page, AT * PAGE, PAGE, SEED));
	must(pread(self->fd, page, PAGE, AT * PAGE) == (ssize_t)PAGE);
	EXPECT_EQ(-1, nonzero(page, PAGE));
	close(pin[0]);
	close(pin[1]);
}

/* ksoftirqd of processor 1: a kernel thread of the boot, so its number is low. */
static pid_t ksoftirqd(void)
{
	char comm[32] = "";
	pid_t pid = 1;
	FILE *file;

	while (strcmp(comm, "ksoftirqd/1\n")) {
		char path[32];

		must(++pid < 1000);
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		file = fopen(path, "r");
		if (!file)
			continue;
		must(fgets(comm, sizeof(comm), file));
		fclose(file);
	}
	return pid;
}

/*
 * Where tasks take turns, softirqs are left to ksoftirqd; and once it is runnable
 * all wait for it, while it does not get the processor that the looker spins on.
 */
TEST_F_TIMEOUT(frozen, guard, 60)
{
	const struct sched_param none = {};
	const pid_t softirqs = ksoftirqd();
	pid_t busy[2];

	frozen_start(self, "dax=never", mincore_deed);
	freeze(self, _metadata, 60000);
	for (int i = 0; i < 2; i++) {
		busy[i] = fork_bound();
		must(busy[i] || !setpriority(PRIO_PROCESS, 0, -10));
		while (!busy[i])
			;
	}
	must(!sched_setscheduler(softirqs, SCHED_IDLE, &none));
	/* Not for longer where all is slow: the freezer is parked for a minute. */
	if (!within_seconds(10, task_state(softirqs) == 'R'))
		printf("# ksoftirqd does not wait for its processor, as it should here\n");
	role_go(&self->looker);
	EXPECT_TRUE(eventually(dxl_stat("freezes_guarded") == 1));
	must(!sched_setscheduler(softirqs, SCHED_OTHER, &none));
	for (int i = 0; i < 2; i++)
		must(!kill(busy[i], SIGKILL));
	ASSERT_EQ(0, say(self->session, "wait looker idle %u", slow_ms(30000)));
	ASSERT_EQ(0, say(self->session, "release freezer"));
	ASSERT_EQ(0, say(self->session, "wait freezer idle"));
	read_deed(self);
	for (int i = 0; i < 2; i++)
		must(waitpid(busy[i], NULL, 0) == busy[i]);
}

TEST_HARNESS_MAIN
