// SPDX-License-Identifier: GPL-2.0
/*
 * What the device is told to spoil is spoiled, nothing else is, and it hurts
 * nobody but the one who asked.
 *
 *  1. Bios: each operation fails with the errno asked for, in its blocks only,
 *     as often as asked for; what failed was not done. Chances are the same
 *     again for the same seed.
 *  2. A delay ends by a fatal signal, and by remove=.
 *  3. Bad media: reads fail, writes make it good.
 *  4. Our filesystem in DAX mode: read, write, PTE and PMD faults, fallocate,
 *     fsync, msync, mount; EIO or SIGBUS, and as before when the rule is gone.
 *  5. Short answers break PMDs into PTEs.
 *  6. A rule with a window acts while a task is parked there.
 *  7. Everything at once, by chance, under load: thousands of errors; afterwards
 *     all can be used.
 *
 * A broken path hangs, oopses, loses the error, or keeps it.
 *
 * daxlab-test: timeout=300 needs=module args="size=64M"
 */
#include <poll.h>
#include <time.h>

#include "inject.h"
#include "load.h"
#include "session.h"

#define SEED		3
#define ERRORS		10000ULL
#define MOST_SECONDS	100

FIXTURE(bios) {
	int fd;
	char *buf;
};

FIXTURE_SETUP(bios)
{
	inject_nothing();
	self->fd = open(DXL_DEV, O_RDWR | O_DIRECT | O_CLOEXEC);
	must(self->fd >= 0);
	self->buf = aligned_alloc(PAGE, 16 * PAGE);
	must(self->buf);
	pattern(self->buf, 0, 16 * PAGE, SEED);
	must(pwrite(self->fd, self->buf, 16 * PAGE, 0) == 16 * PAGE);
}

FIXTURE_TEARDOWN(bios)
{
	inject_nothing();
	close(self->fd);
	free(self->buf);
}

/* One block; 0 or errno. */
static int read_block(FIXTURE_DATA(bios) *self, uint64_t block)
{
	memset(self->buf, 0, PAGE);
	if (pread(self->fd, self->buf, PAGE, block * PAGE) != (ssize_t)PAGE)
		return errno;
	return differs(self->buf, block * PAGE, PAGE, SEED) < 0 ? 0 : EILSEQ;
}

static int write_block(FIXTURE_DATA(bios) *self, uint64_t block, unsigned int seed)
{
	pattern(self->buf, block * PAGE, PAGE, seed);
	return pwrite(self->fd, self->buf, PAGE, block * PAGE) == (ssize_t)PAGE ? 0 : errno;
}

TEST_F(bios, fail_in_their_blocks_only)
{
	ASSERT_EQ(0, inject("op=read,start=4,nr=2,error=EIO"));
	EXPECT_EQ(0, read_block(self, 3));
	EXPECT_EQ(EIO, read_block(self, 4));
	EXPECT_EQ(EIO, read_block(self, 5));
	EXPECT_EQ(0, read_block(self, 6));
	EXPECT_EQ(-1, pread(self->fd, self->buf, 16 * PAGE, 0));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, inject("remove=1"));
	EXPECT_EQ(0, read_block(self, 4));
}

TEST_F(bios, fail_after_and_that_often)
{
	unsigned long long before = injected("errors_read");

	ASSERT_EQ(0, inject("op=read,error=EIO,after=2,times=3"));
	EXPECT_EQ(0, read_block(self, 0));
	EXPECT_EQ(0, read_block(self, 1));
	EXPECT_EQ(EIO, read_block(self, 2));
	EXPECT_EQ(EIO, read_block(self, 2));
	EXPECT_EQ(EIO, read_block(self, 3));
	EXPECT_EQ(0, read_block(self, 2));
	EXPECT_EQ(3, injected("errors_read") - before);
}

TEST_F(bios, say_what_was_asked_for)
{
	static const struct {
		const char *name;
		int nr;
	} errors[] = {
		{ "EIO", EIO }, { "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC },
		{ "ENODATA", ENODATA }, { "ETIMEDOUT", ETIMEDOUT },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		ASSERT_EQ(0, inject("op=read,error=%s,times=1", errors[i].name));
		EXPECT_EQ(errors[i].nr, read_block(self, 1));
	}
}

TEST_F(bios, that_failed_did_nothing)
{
	uint64_t range[2] = { 0, 4 * PAGE };

	ASSERT_EQ(0, inject("op=write,error=EIO,start=2,nr=1"));
	ASSERT_EQ(0, inject("op=discard,error=EIO"));
	ASSERT_EQ(0, inject("op=flush,error=EIO"));
	EXPECT_EQ(EIO, write_block(self, 2, SEED + 1));
	EXPECT_EQ(-1, ioctl(self->fd, BLKDISCARD, range));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, fsync(self->fd));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, inject("remove=all"));
	EXPECT_EQ(0, read_block(self, 0));
	EXPECT_EQ(0, read_block(self, 2));
	EXPECT_EQ(0, fsync(self->fd));
	EXPECT_EQ(0, ioctl(self->fd, BLKDISCARD, range));
	EXPECT_EQ(EILSEQ, read_block(self, 2));
	EXPECT_EQ(0, write_block(self, 2, SEED));
	EXPECT_EQ(0, read_block(self, 2));
}

TEST_F(bios, chances_are_the_same_again)
{
	char first[201] = "", second[201] = "", other[201] = "";
	char *const runs[] = { first, second, other };
	int i, run;

	for (run = 0; run < 3; run++) {
		ASSERT_EQ(0, inject("remove=all"));
		ASSERT_EQ(0, inject("seed=%d", run / 2));
		ASSERT_EQ(0, inject("op=read,error=EIO,chance=25%%"));
		for (i = 0; i < 200; i++)
			runs[run][i] = read_block(self, i % 16) ? 'x' : '.';
	}
	TH_LOG("%s", first);
	EXPECT_STREQ(first, second);
	EXPECT_STRNE(first, other);
	for (run = i = 0; i < 200; i++)
		run += first[i] == 'x';
	EXPECT_LT(20, run);
	EXPECT_GT(90, run);
}

/* A process that reads a block of which the reading takes ten seconds. */
static pid_t slow_reader(FIXTURE_DATA(bios) *self)
{
	unsigned long long before = injected("delays_read");
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		_exit(read_block(self, 1));
	while (injected("delays_read") == before)
		sched_yield();
	return pid;
}

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec + at.tv_nsec * 1e-9;
}

TEST_F(bios, delays_end)
{
	double start = now();
	int status;
	pid_t pid;

	ASSERT_EQ(0, inject("op=read,delay=10000000"));
	pid = slow_reader(self);
	must(!kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid);
	EXPECT_TRUE(WIFSIGNALED(status));
	pid = slow_reader(self);
	ASSERT_EQ(0, inject("remove=1"));
	must(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(0, status);
	EXPECT_GT(8, now() - start);
}

TEST_F(bios, bad_media_is_good_when_written)
{
	unsigned long long cleared = injected("cleared_write");
	char text[REPORT];

	ASSERT_EQ(0, inject("bad=2-5"));
	EXPECT_EQ(0, read_block(self, 1));
	EXPECT_EQ(EIO, read_block(self, 2));
	EXPECT_EQ(-1, pread(self->fd, self->buf, 16 * PAGE, 0));
	EXPECT_EQ(0, write_block(self, 3, SEED));
	EXPECT_EQ(0, read_block(self, 3));
	EXPECT_EQ(EIO, read_block(self, 4));
	EXPECT_STREQ("seed=0\nbad=2-2\nbad=4-5\n", injecting(text, REPORT));
	EXPECT_EQ(1, injected("cleared_write") - cleared);
	ASSERT_EQ(0, inject("good=4"));
	EXPECT_EQ(0, read_block(self, 4));
	ASSERT_EQ(0, inject("good=all"));
	EXPECT_EQ(0, read_block(self, 2));
}

FIXTURE(files) {
	int fd;
	char *pte, *pmd, page[PAGE];
	uint64_t first;
};

FIXTURE_SETUP(files)
{
	inject_nothing();
	must(!dxl_mount_fresh(NULL));
	self->fd = full_file("file", 2 * PMD, SEED);
	self->first = block_of(self->fd, 0);
	self->pmd = map_pmd(self->fd, 0, PMD);
	self->pte = map_pte(self->fd, PMD, PMD);
	catch_bus();
}

static void mount_file_again(FIXTURE_DATA(files) *self)
{
	must(!dxl_umount() && !dxl_mount(NULL));
	self->fd = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	must(self->fd >= 0);
	self->pmd = map_pmd(self->fd, 0, PMD);
	self->pte = map_pte(self->fd, PMD, PMD);
}

FIXTURE_TEARDOWN(files)
{
	inject_nothing();
	munmap(self->pmd, PMD);
	munmap(self->pte, PMD);
	close(self->fd);
	must(!dxl_umount());
}

TEST_F(files, read_and_write_fail)
{
	uint64_t block = block_of(self->fd, 5 * PAGE);

	ASSERT_EQ(0, inject("op=direct_access,start=%lu,nr=1,error=EIO", block));
	EXPECT_EQ(-1, pread(self->fd, self->page, PAGE, 5 * PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(-1, pwrite(self->fd, self->page, PAGE, 5 * PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, 6 * PAGE));
	EXPECT_EQ(-1, differs(self->page, 6 * PAGE, PAGE, SEED));
	ASSERT_EQ(0, inject("remove=all"));
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, 5 * PAGE));
	EXPECT_EQ(-1, differs(self->page, 5 * PAGE, PAGE, SEED));
}

TEST_F(files, faults_die)
{
	ASSERT_EQ(0, inject("op=direct_access,error=EIO"));
	EXPECT_TRUE(load_dies(self->pmd));
	EXPECT_TRUE(store_dies(self->pmd + PAGE, 1));
	EXPECT_TRUE(load_dies(self->pte));
	EXPECT_TRUE(store_dies(self->pte + PAGE, 1));
	EXPECT_EQ(0, entries("locked"));
	ASSERT_EQ(0, inject("remove=all"));
	EXPECT_FALSE(store_dies(self->pmd + PAGE, 1));
	EXPECT_FALSE(load_dies(self->pte));
	EXPECT_EQ(-1, differs(self->pte, PMD, PMD, SEED));
}

TEST_F(files, syncs_fail_once_each)
{
	store(self->pmd, load(self->pmd));
	store(self->pte, load(self->pte));
	ASSERT_EQ(0, inject("op=flush,error=EIO,times=2"));
	EXPECT_EQ(-1, fsync(self->fd));
	EXPECT_EQ(EIO, errno);
	store(self->pte, load(self->pte));
	EXPECT_EQ(-1, msync(self->pte, PMD, MS_SYNC));
	EXPECT_EQ(EIO, errno);
	store(self->pte, load(self->pte));
	EXPECT_EQ(0, msync(self->pte, PMD, MS_SYNC));
	EXPECT_EQ(0, fsync(self->fd));
}

TEST_F(files, new_blocks_cannot_be_had)
{
	int fd = hole_file("new", 4 * PAGE);
	char *map = map_pte(fd, 0, 4 * PAGE);

	ASSERT_EQ(0, inject("op=direct_access,error=EIO"));
	EXPECT_EQ(-1, pwrite(fd, self->page, PAGE, 0));
	EXPECT_EQ(EIO, errno);
	EXPECT_TRUE(store_dies(map, 1));
	ASSERT_EQ(0, inject("remove=all"));
	EXPECT_FALSE(store_dies(map, 1));
	EXPECT_EQ(-1, nonzero(map + PAGE, 3 * PAGE));
	munmap(map, 4 * PAGE);
	close(fd);
}

TEST_F(files, bad_media_dies_and_is_remembered)
{
	uint64_t block = block_of(self->fd, PMD + 7 * PAGE);
	unsigned long long before = injected("media_errors_direct_access");

	ASSERT_EQ(0, inject("bad=%lu", block));
	EXPECT_TRUE(load_dies(self->pte + 7 * PAGE));
	/* 1ea7ca1b0901 ("dax: enable dax fault handler to report VM_FAULT_HWPOISON") */
	EXPECT_EQ(dxl_kernel_since(6, 6) ? BUS_MCEERR_AR : BUS_ADRERR, bus_code);
	EXPECT_FALSE(load_dies(self->pte + 8 * PAGE));
	EXPECT_EQ(-1, pread(self->fd, self->page, PAGE, PMD + 7 * PAGE));
	EXPECT_EQ(EIO, errno);
	EXPECT_EQ(2, injected("media_errors_direct_access") - before);
	ASSERT_EQ(0, inject("good=%lu", block));
	EXPECT_FALSE(load_dies(self->pte + 7 * PAGE));
	EXPECT_EQ(-1, differs(self->pte, PMD, PMD, SEED));
}

TEST_F(files, short_answers_break_pmds)
{
	struct dxl_stats before;

	ASSERT_EQ(0, inject("op=direct_access,short=1"));
	dxl_stats(&before);
	load_each(self->pmd, PMD, PAGE);
	EXPECT_GROWN(EQ, 0, &before, "fault_pmd_mapped");
	EXPECT_TRIED(1, &before, "fault_fallback_block");
	EXPECT_GROWN(EQ, PMD_PAGES, &before, "fault_pte_mapped");
	EXPECT_EQ(-1, differs(self->pmd, 0, PMD, SEED));
	EXPECT_LT(0, injected("shorts_direct_access"));
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, PMD));
	ASSERT_EQ(0, inject("op=direct_access,short=3"));
	ASSERT_EQ(0, inject("remove=1"));
	write_pattern(self->fd, PMD, PMD, SEED + 1);
	EXPECT_EQ(-1, differs(self->pte, PMD, PMD, SEED + 1));
}

TEST_F(files, mounts_fail)
{
	munmap(self->pmd, PMD);
	munmap(self->pte, PMD);
	close(self->fd);
	must(!dxl_umount());

	ASSERT_EQ(0, inject("op=direct_access,start=0,nr=1,error=EIO"));
	EXPECT_EQ(-1, dxl_mount(NULL));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, inject("remove=all"));
	/* Bad blocks without metadata on them: the rest can be used. */
	ASSERT_EQ(0, inject("bad=%lu", self->first + 3));
	ASSERT_EQ(0, dxl_mount(NULL));
	self->fd = open(DXL_MNT "/file", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->fd);
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, 2 * PAGE));
	EXPECT_EQ(-1, differs(self->page, 2 * PAGE, PAGE, SEED));
	EXPECT_EQ(-1, pread(self->fd, self->page, PAGE, 3 * PAGE));
	EXPECT_EQ(EIO, errno);
	close(self->fd);
	inject_nothing();
	mount_file_again(self);
	EXPECT_EQ(-1, differs(self->pmd, 0, PMD, SEED));
}

static void load_it(void *map)
{
	load(map);
}

TEST_F(files, a_window_opens_the_rule)
{
	int session = session_open();
	struct role role = role_start(session, "parked", load_it, self->pte);

	ASSERT_EQ(0, inject("op=direct_access,error=EIO,window=fault.after_grab"));
	ASSERT_EQ(0, say(session, "bind daxlab0"));
	ASSERT_EQ(0, say(session, "arm fault.after_grab 1*park(20000){role=parked}"));
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, 0));
	role_go(&role);
	ASSERT_EQ(0, say(session, "wait parked parked:fault.after_grab %u",
			 slow_ms(20000)));
	EXPECT_EQ(-1, pread(self->fd, self->page, PAGE, 0));
	EXPECT_EQ(EIO, errno);
	ASSERT_EQ(0, say(session, "release all"));
	EXPECT_EQ(0, role_join(&role));
	EXPECT_EQ(PAGE, pread(self->fd, self->page, PAGE, 0));
	close(session);
}

TEST_F_TIMEOUT(files, thousands_of_errors_under_load, 2 * MOST_SECONDS)
{
	struct load load = { .fd = self->fd, .pmd = self->pmd, .pte = self->pte };
	unsigned long long before = injected("errors_"), errors = 0;
	double start = now();

	ASSERT_EQ(0, inject("op=direct_access,error=EIO,chance=60%%"));
	ASSERT_EQ(0, inject("op=direct_access,short=1,chance=50%%"));
	ASSERT_EQ(0, inject("op=flush,error=EIO,chance=60%%"));
	load_begin(&load);
	while (now() - start < MOST_SECONDS * slow_factor() && errors < ERRORS) {
		poll(NULL, 0, 100);
		errors = injected("errors_") - before;
	}
	load_end(&load);
	TH_LOG("%llu errors in %.0f s", errors, now() - start);
	EXPECT_LE(ERRORS, errors);

	inject_nothing();
	EXPECT_EQ(0, entries("locked"));
	EXPECT_EQ(0, entries("wait"));
	write_pattern(self->fd, 0, 2 * PMD, SEED);
	EXPECT_EQ(-1, differs(self->pmd, 0, PMD, SEED));
	EXPECT_EQ(0, fsync(self->fd));
	munmap(self->pmd, PMD);
	munmap(self->pte, PMD);
	close(self->fd);
	mount_file_again(self);
	EXPECT_EQ(-1, differs(self->pmd, 0, PMD, SEED));
	EXPECT_EQ(-1, differs(self->pte, PMD, PMD, SEED));
}

TEST_HARNESS_MAIN
