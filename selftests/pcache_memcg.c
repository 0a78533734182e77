// SPDX-License-Identifier: GPL-2.0
/*
 * The deadlock of 2018 with the kernel's own reclaim: a memory cgroup of the
 * legacy hierarchy is full, and a page fault in it charges a page table while it
 * holds a folio lock.
 *
 *  1. A reader in the cgroup makes folios 3 and 5 dirty, then faults on page 5 and
 *     is held with the folio locked. Now the limit of the cgroup becomes what it
 *     uses. A writer outside begins an fsync and is held with folio 3 in its bio.
 *  2. Bug (submit=block, pf_alloc=under_lock): both go on. The reader's charge
 *     enters reclaim, which waits for the writeback of folio 3: its stack says so.
 *     The writer waits for the lock of folio 5. The verdict names the cycle. A
 *     rescue submits the bio: reclaim goes on, and both end.
 *     Likewise with the kernel's flusher as the writer.
 *  3. Submit rule trylock: reclaim waits just the same, until the writer goes on,
 *     and all end by themselves.
 *  4. Allocation rules: with the table before the lock (sound), or not charged,
 *     nothing is reclaimed under the lock.
 *  5. The table with GFP_NOFS under the lock (Chinner): reclaim does not wait, so there
 *     is no deadlock; but there is nothing that it may reclaim. With the OOM killer
 *     on, the reader is killed for a page of 4 KiB. With it off, the fault fails,
 *     drops the folio lock, and is tried again once there is room.
 *  6. Each time: what was written is there, no bio and no page is lost, and no
 *     charge is left in the cgroup.
 *
 * Broken: no cycle where the bug is, a cycle where it is not, a reader that does
 * not stand in reclaim, charges that stay.
 *
 * daxlab-test: timeout=300 needs=module args="size=64M" oom=memcg
 */
#include <sys/mount.h>

#include "kmsg.h"
#include "session.h"
#include "verdict.h"

#define A	3
#define B	5
#define CGROUPS	"/tmp/memcg"
#define OURS	CGROUPS "/daxlab"
#define LOCKED		"pf.page_locked"
#define COLLECTED	"pwb.after_set_writeback"

FIXTURE(full) {
	int session;
	int fd;
	char *map;
	struct role writer, reader;
};

FIXTURE_SETUP(full)
{
	/* One CPU for all: what a cgroup has in stock lies with a CPU. */
	run_on(0, 0);
	if (mkdir(CGROUPS, 0700) && errno != EEXIST)
		abort();
	/* One that has none of the legacy hierarchy does not know that option. */
	if (mount("memcg", CGROUPS, "cgroup", 0, "memory")) {
		must(errno == EINVAL);
		SKIP_SETUP("no memory cgroups of the legacy hierarchy (CONFIG_MEMCG_V1)");
	}
	must(!mkdir(OURS, 0700));
}

static long number_in(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), OURS "/%s", name);
	return strtol(slurp(path), NULL, 10);
}

static bool limit_to(long bytes)
{
	int fd = open(OURS "/memory.limit_in_bytes", O_WRONLY | O_CLOEXEC);
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld", bytes);
	bool done;

	must(fd >= 0);
	done = write(fd, text, len) == len;
	close(fd);
	return done;
}

/* Once reclaim was entered there must be room: else the reader is killed for it. */
static void make_room(void)
{
	must(limit_to(64L << 20));
}

static void join_cgroup(void)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", getpid());
	put_text(OURS "/cgroup.procs", text);
}

/* The first deed makes folios, so that they are charged to the cgroup; the second faults. */
static void reader_deed(void *arg)
{
	FIXTURE_DATA(full) *self = arg;
	static int deeds;

	if (deeds++) {
		load(self->map + B * PAGE);
		return;
	}
	join_cgroup();
	must(pwrite(self->fd, "A", 1, A * PAGE) == 1);
	must(pwrite(self->fd, "B", 1, B * PAGE) == 1);
	/* So that the cgroup has something in stock (fill_cgroup()). */
	must(mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED);
}

static void writer_deed(void *arg)
{
	FIXTURE_DATA(full) *self = arg;

	must(!fsync(self->fd));
}

/*
 * What is left below the limit goes, without any reclaim: a limit below usage
 * first gives back what is in stock, which makes usage smaller; then the limit is
 * what is used.
 */
static void fill_cgroup(struct __test_metadata *_metadata)
{
	long usage = number_in("memory.usage_in_bytes");

	ASSERT_LT(0, usage);
	ASSERT_TRUE(limit_to(usage - PAGE));
	usage = number_in("memory.usage_in_bytes");
	ASSERT_TRUE(limit_to(usage));
	EXPECT_EQ(usage, number_in("memory.usage_in_bytes"));
	printf("# the cgroup is full: %ld bytes\n", usage);
}

static void begin(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self,
		  const char *variant)
{
	char options[256];

	snprintf(options, sizeof(options), "dax=never%s%s", *variant ? "," : "", variant);
	must(!dxl_mount_fresh(options));
	self->fd = hole_file("file", 8 * PAGE);
	self->map = map_pte(self->fd, 0, 8 * PAGE);
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
	make_room();
	self->writer = role_start(self->session, "writer", writer_deed, self);
	self->reader = role_start(self->session, "reader", reader_deed, self);

	role_go(&self->reader);
	ASSERT_EQ(0, say(self->session, "wait reader idle"));
	ASSERT_EQ(0, say(self->session, "arm " LOCKED " 1*park(60000){role=reader}"));
	role_go(&self->reader);
	ASSERT_EQ(0, say(self->session, "wait reader parked:" LOCKED));
	fill_cgroup(_metadata);
}

static void begin_both(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self,
		       const char *variant)
{
	begin(_metadata, self, variant);
	ASSERT_EQ(0, say(self->session, "arm " COLLECTED " 1*park(60000){role=writer}"));
	role_go(&self->writer);
	ASSERT_EQ(0, say(self->session, "wait writer parked:" COLLECTED));
	ASSERT_EQ(0, say(self->session, "release reader"));
}

static bool nothing_charged(void)
{
	put_text(OURS "/memory.force_empty", "0");
	return !number_in("memory.usage_in_bytes");
}

/* @reader: what has become of it, as a wait status */
static void end_with(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self, int reader)
{
	char a = 0, b = 0;

	EXPECT_EQ(reader, role_join(&self->reader));
	EXPECT_EQ(0, role_join(&self->writer));
	EXPECT_EQ(0, close(self->session));
	EXPECT_EQ(dxl_stat("pwb_bios"), dxl_stat("pwb_bios_ended"));
	EXPECT_EQ(dxl_stat("pf_tables"), dxl_stat("pf_tables_freed"));

	EXPECT_EQ(0, fsync(self->fd));
	munmap(self->map, 8 * PAGE);
	EXPECT_EQ(0, posix_fadvise(self->fd, 0, 0, POSIX_FADV_DONTNEED));
	EXPECT_EQ(1, pread(self->fd, &a, 1, A * PAGE));
	EXPECT_EQ(1, pread(self->fd, &b, 1, B * PAGE));
	EXPECT_EQ('A', a);
	EXPECT_EQ('B', b);
	close(self->fd);
	EXPECT_EQ(0, dxl_umount());
	/* Nodes of the page cache are freed a while after it. */
	EXPECT_TRUE(eventually(nothing_charged()));
}

static void end(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self)
{
	end_with(_metadata, self, 0);
}

/* The writer goes on, and nobody has waited for anybody in vain. */
static void passes(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self)
{
	make_room();
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	end(_metadata, self);
}

FIXTURE_TEARDOWN(full)
{
	rmdir(OURS);
	umount(CGROUPS);
	rmdir(CGROUPS);
}

TEST_F(full, bug)
{
	char *text, want[128];

	begin_both(_metadata, self, "submit=block,pf_alloc=under_lock");
	EXPECT_EQ(0, say(self->session, "wait reader blocked"));
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait writer blocked"));
	EXPECT_EQ(0, say(self->session, "wait all still"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	text = malloc(REPORT);
	must(text);
	text_of(self->session, text);
	show(strstr(text, "\nverdict ") ?: text);
	snprintf(want, sizeof(want),
		 "verdict deadlock - deadlock: writer/%d holds unsubmitted bio with folio 3 under writeback, waits for the lock of folio 5; ",
		 self->writer.pid);
	EXPECT_TRUE(told(self->session, "%s", want));
	snprintf(want, sizeof(want),
		 "reader/%d holds the lock of folio 5, waits for writeback of folio 3\n",
		 self->reader.pid);
	EXPECT_NE(NULL, strstr(text, want));
	/* In the kernel's own reclaim of that cgroup, under our fault. */
	EXPECT_NE(NULL, strstr(text, " shrink_"));
	EXPECT_NE(NULL, strstr(text, " try_to_free_mem_cgroup_pages"));
	EXPECT_NE(NULL, strstr(text, " dxl_pcache_fault"));
	EXPECT_EQ(NULL, strstr(text, "dxl_table_reclaim"));
	free(text);

	make_room();
	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	end(_metadata, self);
}

/* The kernel's flusher is the writer, as on the machines of the reporter. */
TEST_F(full, flusher)
{
	char *text = malloc(REPORT);
	pid_t syncer;
	int status;

	must(text);
	begin(_metadata, self, "submit=block,pf_alloc=under_lock");
	ASSERT_EQ(0, say(self->session, "arm " COLLECTED " 1*park(60000)"));
	syncer = fork();
	must(syncer >= 0);
	if (!syncer)
		_exit(syncfs(self->fd) ? 1 : 0);
	ASSERT_TRUE(eventually(strstr(text_of(self->session, text), " " COLLECTED " ms ")));
	ASSERT_EQ(0, say(self->session, "release reader"));
	EXPECT_EQ(0, say(self->session, "wait reader blocked"));
	EXPECT_EQ(0, say(self->session, "release all"));
	/* It has no state that we could wait for. */
	EXPECT_TRUE(eventually(!say(self->session, "verdict") &&
			       strstr(text_of(self->session, text), "\nverdict deadlock - ")));
	show(strstr(text, "\nverdict ") ?: text);
	EXPECT_NE(NULL, strstr(text, "deadlock: kworker/"));
	EXPECT_NE(NULL, strstr(text, " holds unsubmitted bio with folio 3 under writeback, "));
	EXPECT_NE(NULL, strstr(text, ", waits for the lock of folio 5; reader/"));
	EXPECT_NE(NULL, strstr(text, " shrink_"));
	free(text);

	make_room();
	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	must(waitpid(syncer, &status, 0) == syncer);
	EXPECT_EQ(0, status);
	end(_metadata, self);
}

/* Reclaim waits under the folio lock, but the writer does not wait with a bio. */
TEST_F(full, trylock)
{
	begin_both(_metadata, self, "pf_alloc=under_lock");
	EXPECT_EQ(0, say(self->session, "wait reader blocked"));
	EXPECT_TRUE(told(self->session, "stack reader shrink_"));
	passes(_metadata, self);
}

/* Nothing is allocated under the lock that reclaim would have to find. */
static void table_that_passes(struct __test_metadata *_metadata, FIXTURE_DATA(full) *self,
			      const char *variant)
{
	begin_both(_metadata, self, variant);
	EXPECT_EQ(0, say(self->session, "wait reader idle"));
	passes(_metadata, self);
}

TEST_F(full, prealloc)
{
	table_that_passes(_metadata, self, "submit=block");
}

TEST_F(full, uncharged)
{
	table_that_passes(_metadata, self, "submit=block,pf_alloc=uncharged");
}

#define NOFS	"submit=block,pf_alloc=nofs"

static bool has_killed(void)
{
	return strstr(slurp(OURS "/memory.oom_control"), "oom_kill 1\n");
}

/*
 * The only task of the cgroup. The writer meets no lock of it: it unlocked the
 * folio, or the core did, when the allocation failed.
 */
TEST_F(full, nofs_is_killed)
{
	int log = kmsg_open();

	must(log >= 0);
	begin_both(_metadata, self, NOFS);
	ASSERT_TRUE(eventually(has_killed()));
	/* For what we allocate under the lock, after reclaim that found nothing. */
	EXPECT_TRUE(kmsg_goes_on_to(log, " invoked oom-killer: gfp_mask="));
	EXPECT_TRUE(kmsg_goes_on_to(log, " mem_cgroup_out_of_memory"));
	EXPECT_TRUE(kmsg_goes_on_to(log, " dxl_table_alloc"));
	close(log);
	EXPECT_EQ(1, dxl_stat("pwb_bios") - dxl_stat("pwb_bios_ended"));
	make_room();
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait writer idle"));
	end_with(_metadata, self, SIGKILL);
}

TEST_F(full, nofs_waits_for_room_without_the_lock)
{
	put_text(OURS "/memory.oom_control", "1");
	begin_both(_metadata, self, NOFS);
	EXPECT_TRUE(eventually(sleeps_in(self->reader.pid, "mem_cgroup_oom_synchronize")));
	/* For the lock of folio 5: it is open. */
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait writer idle"));
	EXPECT_FALSE(has_killed());
	make_room();
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	end(_metadata, self);
}

TEST_HARNESS_MAIN
