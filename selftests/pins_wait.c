// SPDX-License-Identifier: GPL-2.0
/*
 * Truncate and punch against pages that somebody has pinned, on memory of which
 * each page tells so; here a pipe has them (vmsplice).
 *
 *  1. Truncate, then punch, of a page in a pipe: the call does not return, and the
 *     file is as it was; when the pipe is read the call ends, and the pipe had the
 *     old content.
 *  2. A signal ends the wait with EINTR: who truncates what is in a pipe of his own
 *     would wait for himself. Size and content are as before.
 *  3. Pages that stay need not be waited for.
 *  4. A rescue ends it with EIO, also if it comes between the scan and the wait.
 *  5. A deleted file does not wait: its block stays in use until the pipe is read.
 *     Until then our device takes no other mount; that of another driver (/dev/pmem0)
 *     does, and the next mount finds the block pinned and in no file, and keeps it.
 *  6. Long-term pins are refused, of PTEs and of PMDs: buffers of io_uring.
 *
 * A block that became free under its pin shows as a call that returns too early,
 * or as free blocks that are too many; a wakeup that is lost, as a call that never
 * returns; a rescue that is lost, as a role that is blocked after it.
 *
 * daxlab-test: timeout=180 needs=none vm="--backing memmap"
 */
#include "pmem.h"
#include "session.h"
#include "verdict.h"

#include <linux/io_uring.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define SIZE	(2 * PMD)
#define SEED	5

FIXTURE(pins) {
	int fd, pipes[2];
	char *map;
	uint64_t free_before;
};

static int pmem_load(void)
{
	const char *range = getenv("DAXLAB_RANGE");
	char args[128];

	if (!range)
		return -1;
	must(!pmem_driver("unbind"));
	snprintf(args, sizeof(args), "backing=pmem range=%s", range);
	return dxl_load(args) || dxl_mount("format");
}

/* README.md, "Known limits". */
static bool can_be_pinned(void)
{
	return !dxl_kernel_since(6, 17);
}

FIXTURE_SETUP(pins)
{
	if (!getenv("DAXLAB_RANGE"))
		SKIP_SETUP("no reserved range here: scripts/vm --backing memmap");
	if (!can_be_pinned())
		SKIP_SETUP("since Linux 6.17 nothing of a mapping on pmem can be pinned");
	ASSERT_EQ(0, pmem_load());
	self->free_before = free_blocks_at_first();
	self->fd = full_file("pinned", SIZE, SEED);
	self->map = map_pmd(self->fd, 0, SIZE);
	load_each(self->map, SIZE, PMD);
	must(!pipe(self->pipes));
}

FIXTURE_TEARDOWN(pins)
{
	close(self->pipes[0]);
	close(self->pipes[1]);
	munmap(self->map, SIZE);
	close(self->fd);
	dxl_umount();
	EXPECT_EQ(0, dxl_unload());
	EXPECT_EQ(0, pmem_driver("bind"));
}

static void pin(FIXTURE_DATA(pins) *self, size_t off)
{
	struct iovec vec = { self->map + off, PAGE };

	must(vmsplice(self->pipes[1], &vec, 1, 0) == (ssize_t)PAGE);
}

static ssize_t unpin(FIXTURE_DATA(pins) *self, size_t off)
{
	char page[PAGE];

	must(read(self->pipes[0], page, PAGE) == (ssize_t)PAGE);
	return differs(page, off, PAGE, SEED);
}

static void nothing(int sig __attribute__((unused)))
{
}

/* Cut in a process of its own: it ends with the errno of the call. */
static pid_t cut(int fd, off_t at, bool punch)
{
	struct sigaction action = { .sa_handler = nothing };
	pid_t pid = fork();

	if (pid)
		return pid;
	sigaction(SIGUSR1, &action, NULL);	/* without SA_RESTART */
	if (punch)
		_exit(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, PAGE) ?
		      errno : 0);
	_exit(ftruncate(fd, at) ? errno : 0);
}

/* It has begun to wait, and has not ended. False: it has. */
static bool is_waiting(pid_t pid, const struct dxl_stats *before)
{
	while (!dxl_grown(before, "layout_waits"))
		if (waitpid(pid, NULL, WNOHANG))
			return false;
	return !waitpid(pid, NULL, WNOHANG);
}

static int end_of(pid_t pid)
{
	int status;

	must(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static off_t size_of(int fd)
{
	struct stat stat;

	must(!fstat(fd, &stat));
	return stat.st_size;
}

TEST_F(pins, truncate_waits)
{
	struct dxl_stats before;
	pid_t pid;

	pin(self, PMD + 3 * PAGE);
	dxl_stats(&before);
	pid = cut(self->fd, PAGE, false);
	ASSERT_TRUE(is_waiting(pid, &before));
	EXPECT_EQ((off_t)SIZE, size_of(self->fd));
	EXPECT_EQ(-1, unpin(self, PMD + 3 * PAGE));
	EXPECT_EQ(0, end_of(pid));
	EXPECT_EQ((off_t)PAGE, size_of(self->fd));
	EXPECT_GROWN(EQ, 0, &before, "blocks_kept");
}

TEST_F(pins, punch_waits)
{
	struct dxl_stats before;
	pid_t pid;

	pin(self, 7 * PAGE);
	dxl_stats(&before);
	pid = cut(self->fd, 7 * PAGE, true);
	ASSERT_TRUE(is_waiting(pid, &before));
	/* invalidate_lock is dropped: faults go on, and see the file as it was. */
	EXPECT_EQ(-1, differs(self->map, 0, SIZE, SEED));
	EXPECT_EQ(-1, unpin(self, 7 * PAGE));
	EXPECT_EQ(0, end_of(pid));
	EXPECT_EQ(-1, nonzero(self->map + 7 * PAGE, PAGE));
	EXPECT_GROWN(EQ, 0, &before, "blocks_kept");
}

TEST_F(pins, a_signal_ends_it)
{
	struct dxl_stats before;
	pid_t pid;

	pin(self, 0);
	dxl_stats(&before);
	pid = cut(self->fd, 0, false);
	ASSERT_TRUE(is_waiting(pid, &before));
	must(!kill(pid, SIGUSR1));
	EXPECT_EQ(EINTR, end_of(pid));
	EXPECT_EQ((off_t)SIZE, size_of(self->fd));
	EXPECT_EQ(-1, differs(self->map, 0, SIZE, SEED));
	/* And SIGKILL does. */
	dxl_stats(&before);
	pid = cut(self->fd, 0, false);
	ASSERT_TRUE(is_waiting(pid, &before));
	must(!kill(pid, SIGKILL));
	must(waitpid(pid, NULL, 0) == pid);
	EXPECT_EQ(-1, unpin(self, 0));
}

TEST_F(pins, what_stays_is_not_waited_for)
{
	struct dxl_stats before;

	pin(self, 5 * PAGE);
	dxl_stats(&before);
	must(!ftruncate(self->fd, 6 * PAGE));
	EXPECT_GROWN(EQ, 0, &before, "layout_waits");
	EXPECT_GROWN(EQ, 1, &before, "layout_breaks");
	EXPECT_EQ(-1, unpin(self, 5 * PAGE));
}

TEST_F(pins, a_rescue_ends_it)
{
	struct dxl_stats before;
	pid_t pid;

	pin(self, 0);
	dxl_stats(&before);
	pid = cut(self->fd, 0, false);
	ASSERT_TRUE(is_waiting(pid, &before));
	put_text(DXL_DEBUGFS "/rescue", "1");
	EXPECT_EQ(EIO, end_of(pid));
	EXPECT_EQ((off_t)SIZE, size_of(self->fd));
	EXPECT_EQ(-1, unpin(self, 0));
}

static void truncate_rescued(void *arg)
{
	FIXTURE_DATA(pins) *self = arg;

	must(ftruncate(self->fd, 0) && errno == EIO);
}

TEST_F(pins, a_rescue_comes_before_it_sleeps)
{
	int session = session_at(self->fd, "layout.after_scan", "1*park(60000)");
	struct dxl_stats before;
	struct role role;

	role = role_start(session, "truncater", truncate_rescued, self);
	pin(self, 0);
	dxl_stats(&before);
	role_go(&role);
	ASSERT_EQ(0, say(session, "wait truncater parked:layout.after_scan"));
	put_text(DXL_DEBUGFS "/rescue", "1");
	EXPECT_EQ(0, say(session, "wait truncater still"));
	EXPECT_EQ(0, say(session, "wait truncater idle 0"));
	EXPECT_GROWN(EQ, 1, &before, "layout_waits");
	EXPECT_EQ((off_t)SIZE, size_of(self->fd));
	EXPECT_EQ(-1, unpin(self, 0));
	EXPECT_EQ(0, role_join(&role));
	close(session);
}

TEST_F(pins, deleted_and_unmounted)
{
	struct dxl_stats before;

	pin(self, PMD + 3 * PAGE);
	dxl_stats(&before);
	must(!munmap(self->map, SIZE));
	close(self->fd);
	must(!unlink(DXL_MNT "/pinned"));
	EXPECT_GROWN(EQ, 1, &before, "blocks_kept");
	EXPECT_EQ(self->free_before - 1, free_blocks());
	ASSERT_EQ(0, dxl_umount());
	errno = 0;
	EXPECT_EQ(-1, mount(DXL_DEV, DXL_MNT, "daxlab", 0, NULL));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, unpin(self, PMD + 3 * PAGE));
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(self->free_before, free_blocks());
	self->fd = full_file("pinned", SIZE, SEED);
	self->map = map_pmd(self->fd, 0, SIZE);
}

/* What io_uring says of a buffer there: 0 or an errno. */
static int register_buffer(void *at)
{
	struct io_uring_params params = {};
	struct iovec vec = { at, PAGE };
	int ring = syscall(SYS_io_uring_setup, 1, &params), err;

	must(ring >= 0);
	err = syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &vec, 1) ? errno : 0;
	close(ring);
	return err;
}

TEST_F(pins, long_term_is_refused)
{
	char *ptes = map_pte(self->fd, 0, SIZE);
	char *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	load(ptes);
	EXPECT_EQ(0, register_buffer(own));
	EXPECT_EQ(EOPNOTSUPP, register_buffer(ptes));
	EXPECT_EQ(EOPNOTSUPP, register_buffer(self->map));
	must(!munmap(own, PAGE));
	must(!munmap(ptes, SIZE));
}

static uint64_t free_on(const char *dir)
{
	struct statvfs st;

	must(!statvfs(dir, &st));
	return st.f_bfree;
}

/* A file of one page that nobody can find any more, but a pipe. */
static void lost_page(const char *path, int pipe)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
	struct iovec vec = { .iov_len = PAGE };

	must(fd >= 0 && !ftruncate(fd, PAGE));
	vec.iov_base = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(vec.iov_base != MAP_FAILED);
	memset(vec.iov_base, 0x5a, PAGE);
	must(vmsplice(pipe, &vec, 1, 0) == (ssize_t)PAGE);
	must(!munmap(vec.iov_base, PAGE) && !close(fd) && !unlink(path));
}

TEST(next_mount_keeps_it)
{
	const char *dir = "/mnt/pmem", *file = "/mnt/pmem/lost";
	uint64_t free_before;
	char page[PAGE];
	int pipes[2];

	if (!getenv("DAXLAB_RANGE"))
		SKIP(return, "no reserved range here: scripts/vm --backing memmap");
	if (!can_be_pinned())
		SKIP(return, "since Linux 6.17 nothing of a mapping on pmem can be pinned");
	must(!pipe(pipes));
	must(!mkdir(dir, 0700) || errno == EEXIST);
	ASSERT_EQ(0, dxl_load("size=16M"));
	must(!mount(PMEM, dir, "daxlab", 0, "format"));
	close(open(file, O_RDWR | O_CREAT, 0600));
	must(!unlink(file));
	free_before = free_on(dir);
	lost_page(file, pipes[1]);
	EXPECT_EQ(free_before - 1, free_on(dir));
	must(!umount(dir));
	must(!mount(PMEM, dir, "daxlab", 0, NULL));
	EXPECT_EQ(free_before - 1, free_on(dir));
	must(read(pipes[0], page, PAGE) == (ssize_t)PAGE);
	EXPECT_EQ(0x5a, page[PAGE - 1]);
	EXPECT_EQ(free_before, free_on(dir));
	must(!umount(dir));
	EXPECT_EQ(0, dxl_unload());
}

TEST_HARNESS_MAIN
