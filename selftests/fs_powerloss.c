// SPDX-License-Identifier: GPL-2.0
/*
 * What power loss leaves of the device is what was flushed, and no more than
 * chance adds (module/bdev_image.h).
 *
 *  1. A store to a mapping: gone without a sync; there after each kind of sync;
 *     there without one if chance wants it, in whole lines and words.
 *  2. What write(2) has copied is not lost by the sync of another task.
 *  3. A cut is the moment that counts: what is flushed after it is lost.
 *  4. write bios: durable after a flush of the device, or with O_DSYNC.
 *  5. A device that drops flushes or fences loses what was promised: so the rest
 *     of this file can fail.
 *  6. What user space flushes is as durable as what it has told: whole lines, no
 *     others; a fence that a cut can come before; one that a device can lose alone.
 *  7. What a store through a mapping does to mtime: there after fsync, also if the
 *     flusher is about to write it and has marked it clean.
 *  8. Bad commands, and a device that is mounted, are refused.
 *
 * daxlab-test: timeout=120 needs=module args="size=4M media=on"
 */
#include "dax.h"
#include "power.h"
#include "session.h"

#include <pthread.h>

#define SIZE	(16 * PAGE)
#define OLD	1
#define NEW	2

FIXTURE(loss) {
	int fd;
	char *map;
};

/* A file whose content is durable, and mapped. */
FIXTURE_SETUP(loss)
{
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	self->fd = full_file("file", SIZE, OLD);
	ASSERT_EQ(0, fsync(self->fd));
	self->map = map_pte(self->fd, 0, SIZE);
}

static void let_go(FIXTURE_DATA(loss) *self)
{
	munmap(self->map, SIZE);
	close(self->fd);
	must(!dxl_umount());
}

FIXTURE_TEARDOWN(loss)
{
	EXPECT_EQ(0, power("drop=nothing"));
	EXPECT_EQ(0, dxl_umount());
}

/* Power fails, and comes back; the file after that. */
static void lose(FIXTURE_DATA(loss) *self, const char *choice, char *left)
{
	int fd;

	must(power_is_cut() || !power("cut=%s", choice));
	let_go(self);
	must(!power_loss(choice));
	must(!dxl_mount(NULL));
	fd = open(DXL_MNT "/file", O_RDONLY);
	must(fd >= 0 && pread(fd, left, SIZE, 0) == (ssize_t)SIZE);
	close(fd);
}

TEST_F(loss, unsynced_store)
{
	char left[SIZE];

	pattern(self->map, 0, SIZE, NEW);
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, OLD));
}

TEST_F(loss, unsynced_store_that_was_evicted)
{
	char left[SIZE];

	pattern(self->map, 0, SIZE, NEW);
	lose(self, "all", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

/* Each word is old or new; some lines are torn, some are not. */
TEST_F(loss, unsynced_store_by_chance)
{
	unsigned int i, new, lines[9] = {};
	char left[SIZE];

	pattern(self->map, 0, SIZE, NEW);
	lose(self, "7", left);
	for (i = 0, new = 0; i < SIZE; i += 8) {
		bool is_new = differs(left + i, i, 8, NEW) < 0;

		EXPECT_TRUE(is_new || differs(left + i, i, 8, OLD) < 0);
		new += is_new;
		if (i % 64 == 56) {
			lines[new]++;
			new = 0;
		}
	}
	EXPECT_LT(0, lines[0]);
	EXPECT_LT(0, lines[8]);
	EXPECT_LT(lines[0] + lines[8], SIZE / 64);
}

#define EXPECT_KEPT(sync) do {						\
	char left[SIZE];						\
									\
	pattern(self->map, 0, SIZE, NEW);				\
	ASSERT_EQ(0, sync);						\
	lose(self, "none", left);					\
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));			\
} while (0)

TEST_F(loss, fsync) { EXPECT_KEPT(fsync(self->fd)); }
TEST_F(loss, fdatasync) { EXPECT_KEPT(fdatasync(self->fd)); }
TEST_F(loss, msync) { EXPECT_KEPT(msync(self->map, SIZE, MS_SYNC)); }
TEST_F(loss, syncfs) { EXPECT_KEPT(syncfs(self->fd)); }

static void *write_new(void *arg)
{
	write_pattern(*(int *)arg, 0, SIZE, NEW);
	return NULL;
}

/* The fence of the syncing task is not one of the task that has written. */
TEST_F(loss, write_of_another_task)
{
	char left[SIZE];
	pthread_t writer;

	ASSERT_EQ(0, pthread_create(&writer, NULL, write_new, &self->fd));
	ASSERT_EQ(0, pthread_join(writer, NULL));
	ASSERT_EQ(0, fsync(self->fd));
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

static void *sync_new(void *arg)
{
	pattern(arg, 0, SIZE, NEW);
	must(!msync(arg, SIZE, MS_SYNC));
	return NULL;
}

/* What was flushed first must not reach media last, by a fence that comes late. */
TEST_F(loss, late_fence_of_another_task)
{
	char left[SIZE];
	pthread_t syncer;

	ASSERT_EQ(0, power("drop=fence"));
	write_pattern(self->fd, 0, SIZE, OLD + NEW);
	ASSERT_EQ(0, power("drop=nothing"));
	ASSERT_EQ(0, pthread_create(&syncer, NULL, sync_new, self->map));
	ASSERT_EQ(0, pthread_join(syncer, NULL));
	write_pattern(self->fd, SIZE, PAGE, NEW);
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

#define EXPECT_MTIME(want) do {						\
	const struct timespec at = (want).st_mtim;			\
	char left[SIZE];						\
	struct stat st;							\
									\
	lose(self, "none", left);					\
	must(!stat(DXL_MNT "/file", &st));				\
	EXPECT_EQ(at.tv_sec, st.st_mtim.tv_sec);			\
	EXPECT_EQ(at.tv_nsec, st.st_mtim.tv_nsec);			\
} while (0)

static void *sync_mount(void *arg)
{
	must(!syncfs(*(int *)arg));
	return NULL;
}

/* A store has changed mtime; @action is armed where the record is written. */
static int arm_record(FIXTURE_DATA(loss) *self, const char *action, struct stat *want)
{
	const struct timespec old[2] = { { 1, 1 }, { 1, 1 } };

	must(!futimens(self->fd, old));
	store(self->map, NEW);
	must(!fstat(self->fd, want) && want->st_mtime != 1);
	return session_at_record(self->fd, action);
}

TEST_F(loss, mtime_beside_the_flusher)
{
	struct stat want;
	int session = arm_record(self, "1*park(60000)", &want);
	pthread_t syncer;
	bool parked;

	ASSERT_EQ(0, pthread_create(&syncer, NULL, sync_mount, &self->fd));
	parked = eventually(reports(session, " slot.before_store ms "));
	/* Else fsync would be parked. */
	if (parked) {
		EXPECT_EQ(0, fsync(self->fd));
		EXPECT_TRUE(reports(session, " slot.before_store ms "));
		must(!power("cut=none"));
	}
	close(session);
	ASSERT_EQ(0, pthread_join(syncer, NULL));
	ASSERT_TRUE(parked);
	EXPECT_MTIME(want);
}

/* syncfs goes over dirty inodes twice, and what has failed is dirty. */
TEST_F(loss, mtime_that_failed_once)
{
	struct stat want;
	int session = arm_record(self, "1*error(-5)", &want);

	EXPECT_EQ(0, syncfs(self->fd));
	EXPECT_TRUE(reports(session, " fired 1 rule "));
	close(session);
	EXPECT_MTIME(want);
}

/* It could not store it, and says so; as fsync does, once for each open file. */
TEST_F(loss, mtime_that_failed)
{
	struct stat want;
	int session = arm_record(self, "error(-5)", &want);

	EXPECT_EQ(-1, syncfs(self->fd));
	EXPECT_EQ(EIO, errno);
	close(session);
	EXPECT_EQ(-1, fsync(self->fd));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_MTIME(want);
}

TEST_F(loss, o_dsync)
{
	int fd = open(DXL_MNT "/file", O_RDWR | O_DSYNC);
	char left[SIZE];

	write_pattern(fd, 0, SIZE, NEW);
	close(fd);
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

/* The map is durable when MAP_SYNC lets a store through: it is not lost for it. */
TEST_F(loss, map_sync)
{
	int fd = hole_file("hole", SIZE);
	char *map = mmap(NULL, SIZE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	char left[SIZE];

	ASSERT_NE(MAP_FAILED, map);
	pattern(map, 0, SIZE, NEW);
	munmap(map, SIZE);
	close(fd);
	lose(self, "all", left);
	fd = open(DXL_MNT "/hole", O_RDONLY);
	ASSERT_EQ(SIZE, pread(fd, left, SIZE, 0));
	close(fd);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

/* The lines of bytes 100 to 5000, which are of two pages, and no other. */
TEST_F(loss, user_flush)
{
	unsigned long long fences = power_count("fences");
	char left[SIZE];

	pattern(self->map, 0, SIZE, NEW);
	ASSERT_EQ(0, power_flush(self->fd, self->map, 100, 4900));
	EXPECT_EQ(fences + 2, power_count("fences"));
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, 64, OLD));
	EXPECT_EQ(-1, differs(left + 64, 64, 5056 - 64, NEW));
	EXPECT_EQ(-1, differs(left + 5056, 5056, SIZE - 5056, OLD));
}

TEST_F(loss, cut_at_a_user_flush)
{
	char left[SIZE];

	ASSERT_EQ(0, power("cut=none,at=2"));
	pattern(self->map, 0, SIZE, NEW);
	ASSERT_EQ(0, power_flush(self->fd, self->map, 0, PAGE));
	EXPECT_FALSE(power_is_cut());
	ASSERT_EQ(0, power_flush(self->fd, self->map, PAGE, PAGE));
	EXPECT_TRUE(power_is_cut());
	ASSERT_EQ(0, power_flush(self->fd, self->map, 2 * PAGE, PAGE));
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, PAGE, NEW));
	EXPECT_EQ(-1, differs(left + PAGE, PAGE, SIZE - PAGE, OLD));
}

/* Lost by drop=user alone, and with all fences; not with the flushes of the kernel. */
static void user_flush_dropped(struct __test_metadata *_metadata, FIXTURE_DATA(loss) *self,
			       const char *how, bool kept)
{
	char left[SIZE];

	ASSERT_EQ(0, power_write(POWER_DIR "/media", how));
	pattern(self->map, 0, PAGE, NEW);
	ASSERT_EQ(0, power_flush(self->fd, self->map, 0, PAGE));
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, PAGE, kept ? NEW : OLD));
}

TEST_F(loss, of_user_flush) { user_flush_dropped(_metadata, self, "drop=user", false); }
TEST_F(loss, of_its_fence) { user_flush_dropped(_metadata, self, "drop=fence", false); }
TEST_F(loss, not_of_it) { user_flush_dropped(_metadata, self, "drop=flush", true); }

TEST_F(loss, sync_after_the_cut)
{
	char left[SIZE];

	ASSERT_EQ(0, power("cut=none"));
	EXPECT_EQ(-EALREADY, power("cut=all"));
	pattern(self->map, 0, SIZE, NEW);
	ASSERT_EQ(0, fsync(self->fd));
	lose(self, "all", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, OLD));
}

/* Before the fence of the sync, which is the first that makes anything durable. */
TEST_F(loss, cut_at_a_fence)
{
	char left[SIZE];

	ASSERT_EQ(0, power("cut=none,at=1"));
	pattern(self->map, 0, SIZE, NEW);
	EXPECT_FALSE(power_is_cut());
	ASSERT_EQ(0, msync(self->map, SIZE, MS_SYNC));
	EXPECT_TRUE(power_is_cut());
	lose(self, "all", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, OLD));
}

static void broken(struct __test_metadata *_metadata, FIXTURE_DATA(loss) *self, const char *how)
{
	unsigned long long before = power_count("dropped");
	char left[SIZE];

	ASSERT_EQ(0, power_write(POWER_DIR "/media", how));
	pattern(self->map, 0, SIZE, NEW);
	ASSERT_EQ(0, fdatasync(self->fd));
	lose(self, "none", left);
	EXPECT_LT(before, power_count("dropped"));
	EXPECT_EQ(0, differs(left, 0, SIZE, NEW));
}

TEST_F(loss, of_dropped_flushes) { broken(_metadata, self, "drop=flush"); }
TEST_F(loss, of_dropped_fences) { broken(_metadata, self, "drop=fence"); }

TEST_F(loss, refused_while_mounted)
{
	char left[SIZE];

	EXPECT_EQ(-EBUSY, power_loss("none"));
	pattern(self->map, 0, SIZE, NEW);
	ASSERT_EQ(0, fsync(self->fd));
	lose(self, "none", left);
	EXPECT_EQ(-1, differs(left, 0, SIZE, NEW));
}

TEST(bad_words)
{
	static const char * const bad[] = {
		"", "\n", "cut", "cut=", "cut=some", "cut=-1", "cut=none,", "cut=none,at=",
		"cut=none,at=0", "cut=none,at=x", "cut=all,at=1,at=2", "drop=", "drop=all",
		"drop=fence,every=0", "drop=fence,at=1", "none", "cut=none\ncut=all",
		"flush=", "flush=0", "flush=0,len=", "flush=0,len=0", "flush=x,len=64",
		"flush=0,nr=64", "flush=4194304,len=1", "flush=64,len=4194241",
		"flush=18446744073709551615,len=1", "flush=64,len=18446744073709551615",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		EXPECT_EQ(-EINVAL, power_write(POWER_DIR "/media", bad[i])) TH_LOG("word %u", i);
	EXPECT_EQ(-EINVAL, power_loss("some"));
	EXPECT_EQ(-E2BIG, power("cut=%080d", 1));
	EXPECT_FALSE(power_is_cut());
}

/* A sector as a bio left it, after the loss. */
static void bio_loss(struct __test_metadata *_metadata, int flags, bool flush, bool kept)
{
	int fd = open(DXL_DEV, O_RDWR | O_DIRECT | flags);
	char *buf = aligned_alloc(PAGE, PAGE);

	ASSERT_LE(0, fd);
	memset(buf, OLD, PAGE);
	ASSERT_EQ(PAGE, pwrite(fd, buf, PAGE, 2 * PAGE));
	ASSERT_EQ(0, fsync(fd));
	memset(buf, NEW, PAGE);
	ASSERT_EQ(PAGE, pwrite(fd, buf, PAGE, 2 * PAGE));
	if (flush)
		ASSERT_EQ(0, fsync(fd));
	ASSERT_EQ(0, power_loss("none"));
	ASSERT_EQ(PAGE, pread(fd, buf, PAGE, 2 * PAGE));
	EXPECT_EQ(kept ? NEW : OLD, buf[77]);
	free(buf);
	close(fd);
}

TEST(bio_that_nobody_flushed) { bio_loss(_metadata, 0, false, false); }
TEST(bio_flushed) { bio_loss(_metadata, 0, true, true); }
TEST(bio_o_dsync) { bio_loss(_metadata, O_DSYNC, false, true); }

TEST_HARNESS_MAIN
