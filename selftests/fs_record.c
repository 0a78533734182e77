// SPDX-License-Identifier: GPL-2.0
/*
 * The record of an inode that could not be stored is not forgotten.
 *
 *  1. The media refuses it once: chmod, chown, futimens, chattr, truncate to more
 *     and to less answer EIO, and what they have changed in memory is seen. After
 *     fsync, syncfs or umount, a power cut takes nothing of it.
 *  2. The same for a size or a map without which data that fdatasync, msync or a
 *     flush through MAP_SYNC has promised would not be found; also if it is only
 *     about to be stored.
 *  3. A truncate whose record failed leaves nothing that a longer file would show,
 *     and frees nothing that the record still has. One that could not flush the
 *     edge of its cut has cut nothing, and the size is the old one.
 *  4. A store that failed for it leaves no zeroes mapped where a block is now.
 *  5. What is not stored keeps the filesystem from being frozen or read-only: it
 *     would be stored then.
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=module args="size=4M media=on"
 */
#include "dax.h"
#include "power.h"
#include "session.h"

#include <linux/fs.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#define SIZE	(16 * PAGE)
#define OLD	1
#define NEW	2
#define NAME	DXL_MNT "/file"
#define DIR	DXL_MNT "/dir"

/* All that was changed is durable. */
static void begin(int *fd)
{
	must(!dxl_mount_fresh(NULL) && !mkdir(DIR, 0755));
	*fd = full_file("file", SIZE, OLD);
	must(!fsync(*fd) && !syncfs(*fd));
}

static void disarm_fired(struct __test_metadata *_metadata, int session)
{
	EXPECT_TRUE(reports(session, " fired "));
	EXPECT_FALSE(reports(session, " fired 0 "));
	close(session);
}

/* Power fails while it is mounted, and comes back. */
static void lose_mounted(int fd)
{
	must(power_is_cut() || !power("cut=none"));
	must(!close(fd) && !dxl_umount());
	must(!power_loss("none") && !dxl_mount(NULL));
}

/* What stat(2) and lsattr tell. */
struct attributes {
	struct stat st;
	int flags;
};

static struct attributes attributes_of(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct attributes is;

	must(fd >= 0 && !fstat(fd, &is.st) && !ioctl(fd, FS_IOC_GETFLAGS, &is.flags));
	close(fd);
	return is;
}

static bool same(const struct attributes *a, const struct attributes *b)
{
	return a->st.st_mode == b->st.st_mode && a->st.st_uid == b->st.st_uid &&
	       a->st.st_gid == b->st.st_gid && a->st.st_size == b->st.st_size &&
	       a->st.st_mtim.tv_sec == b->st.st_mtim.tv_sec &&
	       a->st.st_mtim.tv_nsec == b->st.st_mtim.tv_nsec && a->flags == b->flags;
}

static int change_mode(int fd) { return fchmod(fd, 0600); }
static int change_owner(int fd) { return fchown(fd, 7, 8); }
static int make_longer(int fd) { return ftruncate(fd, SIZE + 100); }
static int make_shorter(int fd) { return ftruncate(fd, PAGE + 100); }

static int change_times(int fd)
{
	return futimens(fd, (const struct timespec[2]) { { 1, 2 }, { 3, 4 } });
}

static int change_flags(int fd)
{
	int flags = FS_NODUMP_FL;

	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

FIXTURE(record) {
	int fd;
	const char *path;
	struct attributes want;
};

FIXTURE_VARIANT(record) {
	int (*change)(int fd);
	bool of_dir;
};

FIXTURE_VARIANT_ADD(record, mode) { .change = change_mode };
FIXTURE_VARIANT_ADD(record, mode_of_dir) { .change = change_mode, .of_dir = true };
FIXTURE_VARIANT_ADD(record, owner) { .change = change_owner };
FIXTURE_VARIANT_ADD(record, times) { .change = change_times };
FIXTURE_VARIANT_ADD(record, times_of_dir) { .change = change_times, .of_dir = true };
FIXTURE_VARIANT_ADD(record, flags) { .change = change_flags };
FIXTURE_VARIANT_ADD(record, longer) { .change = make_longer };
FIXTURE_VARIANT_ADD(record, shorter) { .change = make_shorter };

/* The media refuses to store what has been changed. */
FIXTURE_SETUP(record)
{
	struct attributes before;
	int session;

	begin(&self->fd);
	self->path = NAME;
	if (variant->of_dir) {
		close(self->fd);
		self->path = DIR;
		self->fd = open(DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ASSERT_LE(0, self->fd);
	}
	before = attributes_of(self->path);
	session = session_at_record(self->fd, "1*error(-5)");
	EXPECT_EQ(-1, variant->change(self->fd));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	self->want = attributes_of(self->path);
	EXPECT_FALSE(same(&before, &self->want));
}

FIXTURE_TEARDOWN(record)
{
	struct attributes is = attributes_of(self->path);

	EXPECT_TRUE(same(&is, &self->want));
	EXPECT_EQ(0, dxl_umount());
}

TEST_F(record, fsync)
{
	EXPECT_EQ(0, fsync(self->fd));
	lose_mounted(self->fd);
}

TEST_F(record, syncfs)
{
	EXPECT_EQ(0, syncfs(self->fd));
	lose_mounted(self->fd);
}

TEST_F(record, umount)
{
	must(!close(self->fd) && !dxl_umount());
	must(!power("cut=none") && !power_loss("none") && !dxl_mount(NULL));
}

FIXTURE(data) {
	int fd;
};

FIXTURE_SETUP(data)
{
	begin(&self->fd);
	catch_bus();
}

FIXTURE_TEARDOWN(data)
{
	if (self->fd >= 0)
		close(self->fd);
	EXPECT_EQ(0, dxl_umount());
}

/* The power is cut, and comes back: @len bytes from @off on are @gen. */
static void expect_kept(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self,
			off_t off, size_t len, unsigned int gen)
{
	char left[SIZE] = {};

	lose_mounted(self->fd);
	self->fd = open(NAME, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ((ssize_t)len, pread(self->fd, left, len, off));
	EXPECT_EQ(-1, differs(left, off, len, gen));
}

TEST_F(data, behind_a_size_that_failed)
{
	int session = session_at_record(self->fd, "1*error(-5)");

	EXPECT_EQ(-1, ftruncate(self->fd, SIZE + PAGE));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	write_pattern(self->fd, SIZE, PAGE, NEW);
	ASSERT_EQ(0, fdatasync(self->fd));
	expect_kept(_metadata, self, SIZE, PAGE, NEW);
}

/* The second write(2) finds blocks and size, so it has nothing to store. */
TEST_F(data, written_again)
{
	char buf[PAGE];
	int session;

	if (dxl_page_cache())
		SKIP(return, "in page-cache mode a sync stores the size, not write(2)");
	pattern(buf, SIZE, PAGE, NEW);
	ASSERT_EQ(0, fallocate(self->fd, FALLOC_FL_KEEP_SIZE, SIZE, PAGE));
	ASSERT_EQ(0, syncfs(self->fd));
	session = session_at_record(self->fd, "1*error(-5)");
	EXPECT_EQ(-1, pwrite(self->fd, buf, PAGE, SIZE));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	ASSERT_EQ(PAGE, pwrite(self->fd, buf, PAGE, SIZE));
	ASSERT_EQ(0, fdatasync(self->fd));
	expect_kept(_metadata, self, SIZE, PAGE, NEW);
}

/* The map of the file begins with a block that its record does not have. */
static char *store_again(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self, int flags)
{
	int session;
	char *map;

	must(!ftruncate(self->fd, 0) && !ftruncate(self->fd, SIZE) && !syncfs(self->fd));
	map = mmap(NULL, SIZE, RW, flags, self->fd, 0);
	must(map != MAP_FAILED);
	session = session_at_record(self->fd, "1*error(-5)");
	EXPECT_TRUE(store_dies(map, NEW));
	disarm_fired(_metadata, session);
	pattern(map, 0, PAGE, NEW);
	return map;
}

TEST_F(data, stored_again)
{
	char *map;

	if (dxl_page_cache())
		SKIP(return, "in page-cache mode writeback allocates blocks, not a fault");
	map = store_again(_metadata, self, MAP_SHARED);
	EXPECT_EQ(0, msync(map, SIZE, MS_SYNC));
	must(!munmap(map, SIZE));
	expect_kept(_metadata, self, 0, PAGE, NEW);
}

TEST_F(data, stored_again_through_map_sync)
{
	char *map;

	if (dxl_page_cache())
		SKIP(return, "there is no MAP_SYNC in page-cache mode");
	map = store_again(_metadata, self, MAP_SHARED_VALIDATE | MAP_SYNC);
	EXPECT_EQ(0, power_flush(self->fd, map, 0, PAGE));
	must(!munmap(map, SIZE));
	expect_kept(_metadata, self, 0, PAGE, NEW);
}

TEST_F(data, cut_off_by_a_truncate_that_failed)
{
	int session = session_at_record(self->fd, "1*error(-5)");
	char buf[SIZE];

	EXPECT_EQ(-1, ftruncate(self->fd, PAGE));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
	ASSERT_EQ(SIZE, pread(self->fd, buf, SIZE, 0));
	EXPECT_EQ(-1, differs(buf, 0, PAGE, OLD));
	EXPECT_EQ(-1, nonzero(buf + PAGE, SIZE - PAGE));
}

/* What may fail comes before the new size. */
TEST_F(data, edge_that_was_not_flushed)
{
	char buf[SIZE], *map;
	int session;

	if (dxl_page_cache())
		SKIP(return, "in page-cache mode a truncate flushes nothing");
	map = mmap(NULL, SIZE, RW, MAP_SHARED, self->fd, 0);
	must(map != MAP_FAILED);
	pattern(map, 0, PAGE, NEW);
	session = session_at(self->fd, "writeback.after_tag", "1*error(-5)");
	EXPECT_EQ(-1, ftruncate(self->fd, PAGE));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	must(!munmap(map, SIZE));
	ASSERT_EQ(SIZE, pread(self->fd, buf, SIZE, 0));
	EXPECT_EQ(-1, differs(buf, 0, PAGE, NEW));
	EXPECT_EQ(-1, differs(buf + PAGE, PAGE, SIZE - PAGE, OLD));
}

/* The old root is below a new one that was not stored, and is cut off there. */
TEST_F(data, root_that_is_still_in_the_record)
{
	int session = session_at_record(self->fd, "error(-5)");
	int other = open(DXL_MNT "/other", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	char buf[PAGE];

	memset(buf, 0xff, PAGE);
	EXPECT_TRUE(pwrite(self->fd, buf, PAGE, PMD) < 0 || fsync(self->fd) < 0);
	EXPECT_EQ(-1, ftruncate(self->fd, 0));
	ASSERT_LE(0, other);
	while (write(other, buf, PAGE) == PAGE)
		;
	EXPECT_EQ(ENOSPC, errno);
	fsync(other);
	close(other);
	must(!power("cut=none"));
	disarm_fired(_metadata, session);
	/* What is in use twice is refused by the mount. */
	lose_mounted(self->fd);
	self->fd = -1;
}

static void *make_longer_parked(void *arg)
{
	must(!ftruncate(*(int *)arg, SIZE + PAGE));
	return NULL;
}

/* Somebody sees the new size, and its record is about to be stored. */
static void size_on_its_way(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self, int flags)
{
	struct fiemap_extent extent;
	pthread_t grower;
	bool parked;
	int session;
	char *map;

	must(!fallocate(self->fd, FALLOC_FL_KEEP_SIZE, SIZE, PAGE) && !syncfs(self->fd));
	/* While it is parked, nobody is told where the blocks are. */
	must(dxl_extent(self->fd, SIZE, &extent));
	map = mmap(NULL, SIZE + PAGE, RW, flags, self->fd, 0);
	must(map != MAP_FAILED);
	session = session_at_record(self->fd, "1*park(60000)");
	must(!pthread_create(&grower, NULL, make_longer_parked, &self->fd));
	parked = eventually(reports(session, " slot.before_store ms "));
	if (parked) {
		pattern(map + SIZE, SIZE, PAGE, NEW);
		EXPECT_EQ(0, flags & MAP_SYNC ? power_flush_in(&extent, map, SIZE, PAGE) :
						msync(map, SIZE + PAGE, MS_SYNC));
		EXPECT_TRUE(reports(session, " slot.before_store ms "));
		must(!power("cut=none"));
	}
	close(session);
	must(!pthread_join(grower, NULL) && !munmap(map, SIZE + PAGE));
	ASSERT_TRUE(parked);
	expect_kept(_metadata, self, SIZE, PAGE, NEW);
}

TEST_F(data, size_on_its_way)
{
	size_on_its_way(_metadata, self, MAP_SHARED);
}

TEST_F(data, size_on_its_way_and_map_sync)
{
	if (dxl_page_cache())
		SKIP(return, "there is no MAP_SYNC in page-cache mode");
	size_on_its_way(_metadata, self, MAP_SHARED_VALIDATE | MAP_SYNC);
}

/* A hole is mapped at @page, a store to it dies, and write(2) finds a block there. */
static void no_stale_zeroes(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self,
			    off_t page, off_t new_size)
{
	char buf[PAGE], *map, *at;
	int session;

	must(!syncfs(self->fd));
	map = mmap(NULL, 2 * SIZE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, self->fd, 0);
	must(map != MAP_FAILED);
	at = map + page * PAGE;
	ASSERT_EQ(0, load(at));
	session = session_at_record(self->fd, "error(-5)");
	if (new_size)
		EXPECT_EQ(-1, ftruncate(self->fd, new_size));
	EXPECT_TRUE(store_dies(at, NEW));
	disarm_fired(_metadata, session);
	pattern(buf, page * PAGE, PAGE, NEW);
	ASSERT_EQ((ssize_t)PAGE, pwrite(self->fd, buf, PAGE, page * PAGE));
	EXPECT_EQ(-1, differs(at, page * PAGE, PAGE, NEW));
	must(!munmap(map, 2 * SIZE));
}

TEST_F(data, no_stale_zeroes_for_want_of_a_size)
{
	if (dxl_page_cache())
		SKIP(return, "there is no MAP_SYNC in page-cache mode");
	must(!ftruncate(self->fd, 2 * SIZE));
	no_stale_zeroes(_metadata, self, 20, 2 * SIZE + PAGE);
}

TEST_F(data, no_stale_zeroes_for_want_of_a_root)
{
	if (dxl_page_cache())
		SKIP(return, "in page-cache mode writeback allocates blocks, not a fault");
	must(!ftruncate(self->fd, 0) && !ftruncate(self->fd, 2 * SIZE));
	no_stale_zeroes(_metadata, self, 0, 0);
}

/* @fd is of the mount, and open for reading only. */
static int freeze(int fd) { return ioctl(fd, FIFREEZE, 0); }

static int make_read_only(int fd)
{
	(void)fd;
	return mount(DXL_DEV, DXL_MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL);
}

/* What cannot be stored now would be stored when nothing may be written. */
static void waits_for_the_record(struct __test_metadata *_metadata, FIXTURE_DATA(data) *self,
				 int (*stop)(int fd))
{
	struct stat before, after;
	int session;

	close(self->fd);
	self->fd = open(NAME, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	session = session_at_record(self->fd, "error(-5)");
	EXPECT_EQ(-1, chmod(NAME, 0600));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, stop(self->fd));
	EXPECT_EQ(EIO, errno);
	disarm_fired(_metadata, session);
	must(!fstat(self->fd, &before));
	EXPECT_EQ(0, stop(self->fd));
	must(!power("cut=none"));
	if (stop == freeze)
		must(!ioctl(self->fd, FITHAW, 0));
	lose_mounted(self->fd);
	self->fd = open(NAME, O_RDONLY | O_CLOEXEC);
	must(!fstat(self->fd, &after));
	EXPECT_EQ(0600, after.st_mode & 07777);
	EXPECT_EQ(before.st_mode, after.st_mode);
}

TEST_F(data, freeze_waits) { waits_for_the_record(_metadata, self, freeze); }
TEST_F(data, read_only_waits) { waits_for_the_record(_metadata, self, make_read_only); }

TEST_HARNESS_MAIN
