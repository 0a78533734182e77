// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback of page-cache files, held while something else happens beside it.
 *
 *  1. The variant changes while a call of writepages is under way: by each submit
 *     rule it began with it ends, with nothing left of its plug, and all is written.
 *  2. The session ends between a writer with a bio in hand and a fault that holds
 *     the next folio and waits for that bio: both end, with nobody in control.
 *  3. Reclaim waits for a folio of another file than that of the fault: the report
 *     names that other file.
 *  4. A role has waited for the writeback of a folio, and that is over; now it
 *     sleeps in the device, and somebody else has collected the folio again. The
 *     report does not say that it waits for it: not in fsync(2), not in
 *     writepages, not in a fault.
 *  5. A punch cannot split a dirty large folio, of which a writer has read the map
 *     meanwhile: the blocks are not free before that bio has come back. Else it
 *     would be written over what they are used for next.
 *
 * Broken: a task that oopses in its old plug or hangs, a wrong name in a report, a
 * wait that is over and told, a punch that ends while a bio for its blocks is
 * still to come.
 *
 * daxlab-test: timeout=240 needs=module args="size=64M"
 */
#include <poll.h>
#include <sched.h>

#include "folio.h"
#include "inject.h"
#include "session.h"
#include "verdict.h"

#define A	3
#define B	5
#define NR	8	/* pages of a file */
#define BIG	256	/* of one with large folios */
#define SEED	4
#define LOCKED		"pf.page_locked"
#define COLLECTED	"pwb.after_set_writeback"
#define HANG		"submit=block,pf_alloc=under_lock,reclaim=waits"

FIXTURE(beside) {
	int session;
	int a, b;
	char *map_a, *map_b;
	unsigned int large;	/* first page of a large folio of file a */
	struct role writer, other;
};

FIXTURE_SETUP(beside)
{
	inject_nothing();
}

/* Two files of NR pages in the cache, clean, with blocks. */
static void begin(FIXTURE_DATA(beside) *self, const char *variant)
{
	char options[256];

	snprintf(options, sizeof(options), "dax=never%s%s", *variant ? "," : "", variant);
	must(!dxl_mount_fresh(options));
	self->a = small_folios_file("a", NR, SEED);
	self->b = small_folios_file("b", NR, SEED);
	must(!fsync(self->a) && !fsync(self->b));
	self->map_a = map_pte(self->a, 0, NR * PAGE);
	self->map_b = map_pte(self->b, 0, NR * PAGE);
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
}

static void dirty(int fd, unsigned int page)
{
	write_pattern(fd, page * PAGE, PAGE, SEED + 1);
}

/* The device has of a page what was stored last. */
static bool written(const char *name, unsigned int page, unsigned int seed)
{
	char path[64], buf[PAGE];
	int fd;

	snprintf(path, sizeof(path), DXL_MNT "/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0 && pread(fd, buf, PAGE, page * PAGE) == (ssize_t)PAGE);
	close(fd);
	return differs(buf, page * PAGE, PAGE, seed) < 0;
}

/* Files out of memory, then the mount: nothing holds it, nothing is lost. */
static void files_close(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self)
{
	EXPECT_EQ(0, fsync(self->a));
	EXPECT_EQ(0, fsync(self->b));
	EXPECT_EQ(dxl_stat("pwb_bios"), dxl_stat("pwb_bios_ended"));
	EXPECT_EQ(dxl_stat("pf_tables"), dxl_stat("pf_tables_freed"));
	must(!munmap(self->map_a, NR * PAGE) && !munmap(self->map_b, NR * PAGE));
	close(self->a);
	close(self->b);
	EXPECT_EQ(0, dxl_umount());
	must(!dxl_mount("dax=never"));
}

static void end(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self)
{
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	EXPECT_EQ(0, role_join(&self->writer));
	EXPECT_EQ(0, role_join(&self->other));
	EXPECT_EQ(0, close(self->session));
	files_close(_metadata, self);
}

FIXTURE_TEARDOWN(beside)
{
	inject_nothing();
	EXPECT_EQ(0, dxl_umount());
}

static void fsync_a(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	must(!fsync(self->a));
}

static void load_b_of_a(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	load(self->map_a + B * PAGE);
}

static void load_b_of_b(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	load(self->map_b + B * PAGE);
}

/* The role comes to the window and stays there. */
static void hold(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self,
		 struct role *role, const char *name, const char *window)
{
	ASSERT_EQ(0, say(self->session, "arm %s 1*park(60000){role=%s}", window, name));
	role_go(role);
	ASSERT_EQ(0, say(self->session, "wait %s parked:%s", name, window));
}

/* 1. What fsync(2) does after the change, and then all that may look at a plug. */
static void fsync_and_more(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;
	int i;

	fsync_a(self);
	for (i = 0; i < 8; i++) {
		dirty(self->b, i);
		must(!fsync(self->b));
		usleep(1000);
	}
}

static void change_under_way(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self,
			     const char *from, const char *to)
{
	char variant[64];

	snprintf(variant, sizeof(variant), "submit=%s", from);
	begin(self, variant);
	self->writer = role_start(self->session, "writer", fsync_and_more, self);
	self->other = role_start(self->session, "other", load_b_of_b, self);
	dirty(self->a, A);
	dirty(self->a, A + 1);
	dirty(self->a, B + 1);
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	put_text(SBID "/variant", to);
	ASSERT_EQ(0, say(self->session, "release writer"));
	end(_metadata, self);
	EXPECT_TRUE(written("a", A, SEED + 1));
	EXPECT_TRUE(written("a", A + 1, SEED + 1));
	EXPECT_TRUE(written("a", B + 1, SEED + 1));
	EXPECT_TRUE(written("b", 7, SEED + 1));
	must(!dxl_umount());
}

TEST_F_TIMEOUT(beside, variant_changes, 120)
{
	static const char *const rules[] = { "block", "per_folio", "unlock_late", "plug" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		TH_LOG("%s becomes sound, then another", rules[i]);
		change_under_way(_metadata, self, rules[i], "sound");
		change_under_way(_metadata, self, rules[i],
				 i ? "submit=block" : "submit=plug");
	}
	must(!dxl_mount("dax=never"));
}

/* 2. A process of its own opens the session, and goes when both roles are held. */
static void lose_control(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self)
{
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
	self->writer = role_start(self->session, "writer", fsync_a, self);
	self->other = role_start(self->session, "reader", load_b_of_a, self);
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	hold(_metadata, self, &self->other, "reader", LOCKED);
	_exit(0);
}

TEST_F_TIMEOUT(beside, session_ends, 60)
{
	int gone[2], status;
	struct pollfd over;
	pid_t opener;

	begin(self, HANG);
	close(self->session);
	dirty(self->a, A);
	dirty(self->a, B);
	must(!pipe(gone));
	opener = fork();
	must(opener >= 0);
	if (!opener)
		lose_control(_metadata, self);
	must(waitpid(opener, &status, 0) == opener);
	ASSERT_EQ(0, status);

	/* The roles have the other end, and nobody else: it closes with the last. */
	close(gone[1]);
	over = (struct pollfd) { .fd = gone[0] };
	EXPECT_EQ(1, poll(&over, 1, 40000 * slow_factor()));
	if (!over.revents)
		put_text(SBID "/rescue", "1");
	close(gone[0]);
	files_close(_metadata, self);
	EXPECT_TRUE(written("a", A, SEED + 1));
	EXPECT_TRUE(written("a", B, SEED + 1));
}

static unsigned long ino_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_ino;
}

TEST_F(beside, report_names_the_file)
{
	begin(self, HANG);
	self->writer = role_start(self->session, "writer", fsync_a, self);
	self->other = role_start(self->session, "reader", load_b_of_b, self);
	dirty(self->a, A);
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	role_go(&self->other);
	EXPECT_EQ(0, say(self->session, "wait reader blocked"));
	EXPECT_TRUE(told(self->session,
			 "role reader id 2 pid %d state blocked on folio:writeback:%lu:%u",
			 self->other.pid, ino_of(self->a), A));
	ASSERT_EQ(0, say(self->session, "release writer"));
	end(_metadata, self);
	EXPECT_TRUE(written("a", A, SEED + 1));
}

/* 4. The writer submits, and asks for no flush. */
static void write_a(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	dirty(self->a, A);
	must(!sync_file_range(self->a, 0, 0, SYNC_FILE_RANGE_WRITE));
}

static void wait_for_a(FIXTURE_DATA(beside) *self)
{
	must(!sync_file_range(self->a, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE));
}

static void wait_then_write_b(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	wait_for_a(self);
	must(!sync_file_range(self->b, 0, 0, SYNC_FILE_RANGE_WRITE));
}

static void wait_then_load_b(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	wait_for_a(self);
	load(self->map_b);
}

/*
 * The other waits for what the writer has, which is over then. The device keeps it
 * until the rule is gone (the bound of a delay is long), and the writer has the
 * folio again.
 */
static void stale_wait(struct __test_metadata *_metadata, FIXTURE_DATA(beside) *self,
		       const char *op, void (*deed)(void *arg))
{
	char count[64];
	unsigned long long before;

	snprintf(count, sizeof(count), "delays_%s", op);
	before = injected(count);
	self->writer = role_start(self->session, "writer", write_a, self);
	self->other = role_start(self->session, "other", deed, self);
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	role_go(&self->other);
	ASSERT_EQ(0, say(self->session, "wait other blocked"));
	EXPECT_TRUE(told(self->session,
			 "role other id 2 pid %d state blocked on folio:writeback:%lu:%u",
			 self->other.pid, ino_of(self->a), A));
	ASSERT_EQ(0, strcmp(op, "flush") ?
		     inject("op=%s,delay=10000000,start=%lu,nr=1", op, block_of(self->b, 0)) :
		     inject("op=flush,delay=10000000"));
	ASSERT_EQ(0, say(self->session, "release writer"));
	ASSERT_EQ(0, say(self->session, "wait writer idle"));
	while (injected(count) == before)
		sched_yield();
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	EXPECT_TRUE(eventually(sleeps_in(self->other.pid, "dxl_injected")));
	EXPECT_TRUE(told(self->session, "role other id 2 pid %d state running",
			 self->other.pid));
	must(!inject("remove=all"));
	ASSERT_EQ(0, say(self->session, "release writer"));
	end(_metadata, self);
	EXPECT_TRUE(written("a", A, SEED + 1));
}

TEST_F(beside, wait_is_over_in_fsync)
{
	begin(self, "");
	stale_wait(_metadata, self, "flush", fsync_a);
}

TEST_F(beside, wait_is_over_in_writepages)
{
	begin(self, "");
	dirty(self->b, 0);
	stale_wait(_metadata, self, "write", wait_then_write_b);
}

TEST_F(beside, wait_is_over_in_a_fault)
{
	begin(self, "");
	must(!posix_fadvise(self->b, 0, 0, POSIX_FADV_DONTNEED));
	stale_wait(_metadata, self, "read", wait_then_load_b);
}

/* 5. The large folio, and all behind it. */
static void write_large(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;

	must(!sync_file_range(self->a, self->large * PAGE, PAGE, SYNC_FILE_RANGE_WRITE));
}

static void punch_all_but_first(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;
	off_t first = (self->large + 1) * PAGE;

	must(!fallocate(self->a, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first,
			BIG * PAGE - first));
}

static void load_last(void *arg)
{
	FIXTURE_DATA(beside) *self = arg;
	char *map = map_pte(self->a, 0, BIG * PAGE);

	load(map + (BIG - 1) * PAGE);
	munmap(map, BIG * PAGE);
}

/* First page of the first large folio, or BIG. */
static unsigned int first_large(int fd)
{
	char *map = map_pte(fd, 0, BIG * PAGE);
	unsigned int page;

	load_each(map, BIG * PAGE, PAGE);
	for (page = 0; page + 1 < BIG; page++)
		if (is_large(map + page * PAGE) && !is_tail(map + page * PAGE))
			break;
	if (page + 1 == BIG || !is_tail(map + (page + 1) * PAGE))
		page = BIG;
	munmap(map, BIG * PAGE);
	return page;
}

/* A large write makes them since Linux 6.6; readahead, as it goes on, before. */
static unsigned int find_large(int fd)
{
	unsigned int page = first_large(fd), at;
	char buf[32 * PAGE];

	if (page == BIG) {
		drop_caches();
		for (at = 0; at < BIG; at += 32)
			must(pread(fd, buf, sizeof(buf), at * PAGE) == (ssize_t)sizeof(buf));
		page = first_large(fd);
	}
	must(page < BIG / 2);
	return page;
}

TEST_F(beside, punch_waits_for_what_cannot_be_split)
{
	struct role puncher;
	loff_t off;
	int pin[2];

	begin(self, "");
	write_pattern(self->a, 0, BIG * PAGE, SEED);
	must(!fsync(self->a));
	self->large = find_large(self->a);
	/* A pipe has the page too, so nobody splits its folio. */
	dirty(self->a, self->large);
	off = self->large * PAGE;
	must(!pipe(pin) && splice(self->a, &off, pin[1], NULL, PAGE, 0) == (ssize_t)PAGE);
	self->writer = role_start(self->session, "writer", write_large, self);
	self->other = role_start(self->session, "reader", load_last, self);
	puncher = role_start(self->session, "puncher", punch_all_but_first, self);

	/* The punch is past the large folio, and waits for the last. */
	hold(_metadata, self, &self->other, "reader", LOCKED);
	role_go(&puncher);
	ASSERT_TRUE(eventually(sleeps_in(puncher.pid, "truncate_inode_pages_range")));
	hold(_metadata, self, &self->writer, "writer", COLLECTED);
	/* Its page may be gone before it has loaded from it: then it waits for the punch. */
	ASSERT_EQ(0, say(self->session, "release reader"));
	EXPECT_EQ(0, say(self->session, "wait puncher blocked"));
	EXPECT_TRUE(told(self->session,
			 "role puncher id 3 pid %d state blocked on folio:writeback:%lu:%u",
			 puncher.pid, ino_of(self->a), self->large));
	ASSERT_EQ(0, say(self->session, "release writer"));
	ASSERT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, role_join(&puncher));
	end(_metadata, self);
	close(pin[0]);
	close(pin[1]);
	EXPECT_TRUE(written("a", self->large, SEED + 1));
	EXPECT_FALSE(written("a", self->large + 1, SEED));
}

TEST_HARNESS_MAIN
