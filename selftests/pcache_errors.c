// SPDX-License-Identifier: GPL-2.0
/*
 * Errors of the device during writeback of page-cache files.
 *
 * Pages are made dirty by write(2) or by a mapping, and the device fails while
 * they are written. Then
 *
 *  1. fsync(2) says EIO once for each open file description that was there, or
 *     was opened before anybody had been told; so do msync(2),
 *     sync_file_range(2), and syncfs(2) for each of its own; close(2) never does
 *  2. the next sync succeeds, and what is stored again reaches the device
 *  3. a failed flush fails the sync that asked for it, and no other
 *  4. reads and loads that fail are EIO and SIGBUS, and succeed later
 *  5. whatever fails how often, all bios come back: nothing stays locked or under
 *     writeback; a sync that is killed while the device is late ends
 *  6. a direct write behind EOF that fails in its middle leaves nothing there to
 *     be seen once the file has grown; a truncate whose record could not be written
 *     is done by the next sync, and one that did nothing is not
 *
 * A broken writeback loses the error, tells it for ever, or hangs; the data of a
 * page that was stored again would be missing after a remount.
 *
 * daxlab-test: timeout=240 needs=module args="size=64M"
 */
#include <poll.h>
#include <sched.h>
#include <time.h>

#include "inject.h"
#include "load.h"
#include "session.h"

#define NR	64	/* pages of the file */

FIXTURE(errors) {
	int a, b;
	char *map;
};

FIXTURE_SETUP(errors)
{
	inject_nothing();
	must(!dxl_mount_fresh("dax=never"));
	self->a = full_file("file", NR * PAGE, 1);
	must(!fsync(self->a));
	self->b = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	must(self->b >= 0);
	self->map = mmap(NULL, NR * PAGE, RW, MAP_SHARED, self->b, 0);
	must(self->map != MAP_FAILED);
	catch_bus();
}

/* All that was collected has come back, and the file can be thrown away. */
FIXTURE_TEARDOWN(errors)
{
	inject_nothing();
	EXPECT_EQ(0, fsync(self->a));
	EXPECT_EQ(dxl_stat("pwb_bios"), dxl_stat("pwb_bios_ended"));
	must(!munmap(self->map, NR * PAGE));
	EXPECT_EQ(0, ftruncate(self->a, 0));
	EXPECT_EQ(0, close(self->a));
	EXPECT_EQ(0, close(self->b));
	EXPECT_EQ(0, unlink(DXL_MNT "/file"));
	EXPECT_EQ(0, dxl_umount());
}

static int sync_of(int fd)
{
	return fsync(fd) ? errno : 0;
}

/* Make the page dirty; the next write of its block fails. */
static void spoil(int fd, unsigned int page, unsigned int seed)
{
	write_pattern(fd, page * PAGE, PAGE, seed);
	must(!inject("op=write,error=EIO,start=%lu,nr=1,times=1", block_of(fd, page * PAGE)));
}

/* From the device: the cache is dropped by a mount. */
static ssize_t on_media(FIXTURE_DATA(errors) *self, unsigned int page, unsigned int seed)
{
	char buf[PAGE];

	must(!munmap(self->map, NR * PAGE) && !close(self->a) && !close(self->b));
	must(!dxl_umount() && !dxl_mount("dax=never"));
	self->a = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	self->b = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	must(self->a >= 0 && self->b >= 0);
	self->map = mmap(NULL, NR * PAGE, RW, MAP_SHARED, self->b, 0);
	must(self->map != MAP_FAILED && pread(self->a, buf, PAGE, page * PAGE) == (ssize_t)PAGE);
	return differs(buf, page * PAGE, PAGE, seed);
}

TEST_F(errors, fsync_tells_each_description_once)
{
	unsigned long long before = injected("errors_write");
	int shared = dup(self->a), late;

	spoil(self->a, 3, 2);
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(1, injected("errors_write") - before);
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(0, sync_of(shared));
	late = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	EXPECT_EQ(EIO, sync_of(self->b));
	EXPECT_EQ(0, sync_of(self->b));
	EXPECT_EQ(0, sync_of(late));
	close(shared);
	close(late);

	/* The page is clean now; what is stored again gets down. */
	write_pattern(self->a, 3 * PAGE, PAGE, 5);
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(0, sync_of(self->b));
	EXPECT_EQ(-1, on_media(self, 3, 5));
}

TEST_F(errors, who_opens_before_anybody_knows_is_told)
{
	int late;

	spoil(self->a, 1, 2);
	ASSERT_EQ(0, sync_file_range(self->a, 0, 0, SYNC_FILE_RANGE_WRITE));
	while (dxl_stat("pwb_bios") != dxl_stat("pwb_bios_ended"))
		sched_yield();
	late = open(DXL_MNT "/file", O_RDONLY | O_CLOEXEC);
	EXPECT_EQ(EIO, sync_of(late));
	EXPECT_EQ(0, sync_of(late));
	EXPECT_EQ(0, close(late));
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(EIO, sync_of(self->b));
	EXPECT_EQ(0, sync_of(self->b));
}

TEST_F(errors, sync_file_range_tells_it_for_fsync)
{
	const unsigned int all = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				 SYNC_FILE_RANGE_WAIT_AFTER;

	spoil(self->a, 1, 2);
	EXPECT_EQ(-1, sync_file_range(self->a, 0, 0, all));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, sync_file_range(self->a, 0, 0, all));
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(EIO, sync_of(self->b));
}

TEST_F(errors, msync_tells_it_for_the_file_it_maps)
{
	store(self->map + 7 * PAGE, 42);
	must(!inject("op=write,error=EIO,start=%lu,nr=1,times=1", block_of(self->a, 7 * PAGE)));
	EXPECT_EQ(-1, msync(self->map, NR * PAGE, MS_SYNC));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, msync(self->map, NR * PAGE, MS_SYNC));
	EXPECT_EQ(0, sync_of(self->b));
	EXPECT_EQ(EIO, sync_of(self->a));
	store(self->map + 7 * PAGE, load(self->map + 6 * PAGE));
	write_pattern(self->a, 7 * PAGE, PAGE, 9);
	EXPECT_EQ(0, msync(self->map, NR * PAGE, MS_SYNC));
	EXPECT_EQ(-1, on_media(self, 7, 9));
}

TEST_F(errors, syncfs_tells_it_too)
{
	spoil(self->a, 1, 2);
	EXPECT_EQ(-1, syncfs(self->a));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(0, syncfs(self->a));
	EXPECT_EQ(-1, syncfs(self->b));
	EXPECT_EQ(0, syncfs(self->b));
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(EIO, sync_of(self->b));
}

TEST_F(errors, close_tells_nobody_and_nothing_is_lost_for_others)
{
	int other = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);

	spoil(other, 1, 2);
	EXPECT_EQ(0, close(other));
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(EIO, sync_of(self->b));
}

TEST_F(errors, synchronous_writes_fail)
{
	int fd = open(DXL_MNT "/file", O_RDWR | O_SYNC | O_CLOEXEC);
	char buf[PAGE];

	must(!inject("op=write,error=EIO,times=1"));
	pattern(buf, 0, PAGE, 3);
	EXPECT_EQ(-1, pwrite(fd, buf, PAGE, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(PAGE, pwrite(fd, buf, PAGE, 0));
	EXPECT_EQ(0, close(fd));
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(-1, on_media(self, 0, 3));
}

TEST_F(errors, flushes_fail_alone)
{
	write_pattern(self->a, 0, PAGE, 4);
	must(!inject("op=flush,error=EIO,times=1"));
	EXPECT_EQ(EIO, sync_of(self->a));
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(0, sync_of(self->b));
	EXPECT_EQ(-1, on_media(self, 0, 4));
}

TEST_F(errors, reads_and_loads_fail_and_succeed_later)
{
	uint64_t block = block_of(self->a, 5 * PAGE);
	char buf[PAGE];

	EXPECT_EQ(-1, on_media(self, 4, 1));
	must(!posix_fadvise(self->a, 0, 0, POSIX_FADV_DONTNEED));
	must(!inject("op=read,error=EIO,start=%lu,nr=1", block));
	EXPECT_EQ(-1, pread(self->a, buf, PAGE, 5 * PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(load_dies(self->map + 5 * PAGE));
	EXPECT_TRUE(store_dies(self->map + 5 * PAGE, 1));
	must(!inject("remove=all"));
	EXPECT_FALSE(load_dies(self->map + 5 * PAGE));
	EXPECT_EQ(-1, differs(self->map, 0, NR * PAGE, 1));
}

TEST_F(errors, a_sync_that_is_killed_ends)
{
	unsigned long long before = injected("delays_write");
	int status;
	pid_t pid;

	write_pattern(self->a, 0, NR * PAGE, 6);
	must(!inject("op=write,delay=10000000,times=1"));
	pid = fork();
	must(pid >= 0);
	if (!pid)
		_exit(sync_of(self->a));
	while (injected("delays_write") == before)
		sched_yield();
	must(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	EXPECT_EQ(0, sync_of(self->b));
	EXPECT_EQ(-1, on_media(self, NR - 1, 6));
}

TEST_F(errors, direct_write_that_fails_leaves_nothing_behind_eof)
{
	int fd = full_file("direct", PAGE, 1), other = hole_file("other", 0);
	char *buf = aligned_alloc(PAGE, 8 * PAGE);
	int direct = open(DXL_MNT "/direct", O_RDWR | O_DIRECT | O_CLOEXEC);
	struct stat st;
	off_t at;

	must(buf && direct >= 0 && !fsync(fd));
	/* No two of its blocks are neighbours: each is a bio. */
	for (at = PAGE; at < 8 * (off_t)PAGE; at += PAGE)
		must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, at, PAGE) &&
		     !fallocate(other, 0, at, PAGE));
	ASSERT_NE(block_of(fd, 4 * PAGE) + 1, block_of(fd, 5 * PAGE));
	must(!inject("op=write,error=EIO,start=%lu,nr=1", block_of(fd, 5 * PAGE)));
	memset(buf, 'd', 8 * PAGE);
	EXPECT_EQ(-1, pwrite(direct, buf, 7 * PAGE, PAGE));
	EXPECT_EQ(EIO, errno);
	must(!fstat(fd, &st));
	EXPECT_EQ(PAGE, st.st_size);

	inject_nothing();
	ASSERT_EQ(0, ftruncate(fd, 8 * PAGE));
	ASSERT_EQ(8 * PAGE, pread(fd, buf, 8 * PAGE, 0));
	EXPECT_EQ(-1, differs(buf, 0, PAGE, 1));
	EXPECT_EQ(-1, nonzero(buf + PAGE, 7 * PAGE));
	close(fd);
	close(direct);
	close(other);
	free(buf);
	EXPECT_EQ(0, unlink(DXL_MNT "/direct"));
	EXPECT_EQ(0, unlink(DXL_MNT "/other"));
}

static off_t size_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_size;
}

/* The cache has the new size, and what was cut is gone from it. */
TEST_F(errors, truncate_whose_record_fails_is_done_by_the_next_sync)
{
	const off_t size = 10 * PAGE + 7;
	int session;

	/* The mapping has changed times: else a sync would have those to write. */
	must(!fsync(self->a));
	session = session_at_record(self->a, "1*error(-5)");
	EXPECT_EQ(-1, ftruncate(self->a, size));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(size, size_of(self->a));
	close(session);
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(-1, on_media(self, 9, 1));
	EXPECT_EQ(size, size_of(self->a));
	EXPECT_TRUE(load_dies(self->map + 11 * PAGE));
}

/* The tail of the new last page cannot be read, so nothing is done. */
TEST_F(errors, truncate_that_cannot_begin_changes_nothing)
{
	must(!posix_fadvise(self->a, 0, 0, POSIX_FADV_DONTNEED));
	must(!inject("op=read,error=EIO,start=%lu,nr=1", block_of(self->a, 10 * PAGE)));
	EXPECT_EQ(-1, ftruncate(self->a, 10 * PAGE + 7));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(NR * PAGE, size_of(self->a));
	inject_nothing();
	EXPECT_EQ(0, sync_of(self->a));
	EXPECT_EQ(-1, on_media(self, NR - 1, 1));
	EXPECT_EQ(NR * PAGE, size_of(self->a));
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec * 1e-9;
}

/* More than half of all bios fail. */
TEST_F_TIMEOUT(errors, thousands_under_load, 200)
{
	unsigned long long before = injected("errors_"), errors = 0;
	struct load load = { .page_cache = true };
	double start = now();

	load_map(&load, full_file("load", LOAD_SIZE, 1));
	must(!inject("op=write,error=EIO,chance=60%%"));
	must(!inject("op=read,error=EIO,chance=30%%"));
	must(!inject("op=flush,error=EIO,chance=30%%"));
	load_begin(&load);
	while (now() - start < seconds_to_run(15)) {
		poll(NULL, 0, 100);
		errors = injected("errors_") - before;
	}
	load_end(&load);
	TH_LOG("%llu errors in %.0f s", errors, now() - start);
	EXPECT_LT(100, errors);

	inject_nothing();
	fsync(load.fd);
	write_pattern(load.fd, 0, LOAD_SIZE, 8);
	EXPECT_EQ(0, sync_of(load.fd));
	load_unmap(&load);
	must(!munmap(self->map, NR * PAGE) && !close(self->a) && !close(self->b));
	must(!dxl_umount() && !dxl_mount("dax=never"));
	load_map(&load, open(DXL_MNT "/load", O_RDWR | O_CLOEXEC));
	EXPECT_EQ(-1, differs(load.pmd, 0, PMD, 8));
	EXPECT_EQ(-1, differs(load.pte, PMD, PMD, 8));
	load_unmap(&load);
	self->a = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	self->b = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	self->map = mmap(NULL, NR * PAGE, RW, MAP_SHARED, self->b, 0);
	must(self->map != MAP_FAILED);
}

TEST_HARNESS_MAIN
