// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings in the hands of calls that look at pages, not at addresses.
 *
 *  1. A file is mapped by PTEs or PMDs, shared or private, and read.
 *  2. Each call that pins or examines pages gets it: O_DIRECT, vmsplice, futex,
 *     /proc/PID/mem, madvise, mbind, mlock, clear_refs, mremap, fork.
 *  3. Our memory has no dev_pagemap, so what must pin it fails (PMD: EFAULT, PTE:
 *     EEXIST), soon: GUP that faults and looks again for ever shows as SIGALRM here.
 *  4. The content of the mapping is that of the file after all of them.
 *
 * daxlab-test: timeout=120 needs=mount
 */
#include "dax.h"

#include <linux/futex.h>
#include <linux/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define SIZE	(2 * PMD)
#define SEED	9

FIXTURE(exotic) {
	int fd;
	char *map;
};

FIXTURE_VARIANT(exotic) {
	size_t skew;
	int flags;
};

FIXTURE_VARIANT_ADD(exotic, pte_shared) { .skew = PAGE, .flags = MAP_SHARED };
FIXTURE_VARIANT_ADD(exotic, pmd_shared) { .skew = 0, .flags = MAP_SHARED };
FIXTURE_VARIANT_ADD(exotic, pte_private) { .skew = PAGE, .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(exotic, pmd_private) { .skew = 0, .flags = MAP_PRIVATE };

FIXTURE_SETUP(exotic)
{
	struct dxl_stats before;

	self->fd = full_file("exotic", SIZE, SEED);
	self->map = map_skewed(self->fd, 0, SIZE, variant->skew, RW, variant->flags);
	dxl_stats(&before);
	load_each(self->map, SIZE, PAGE);
	EXPECT_GROWN(EQ, variant->skew ? SIZE / PAGE : 0, &before, "fault_pte_mapped");
	EXPECT_GROWN(EQ, variant->skew ? 0 : SIZE / PMD, &before, "fault_pmd_mapped");
	/* A call that never ends is a test that died of this. */
	alarm(20);
}

FIXTURE_TEARDOWN(exotic)
{
	alarm(0);
	EXPECT_EQ(-1, differs(self->map, 0, SIZE, SEED));
	munmap(self->map, SIZE);
	EXPECT_QUIESCENT();
	close(self->fd);
}

#define EXPECT_FAULTS(call) do {			\
	errno = 0;					\
	EXPECT_EQ(-1, (call));				\
	EXPECT_EQ(variant->skew ? EEXIST : EFAULT, errno);\
} while (0)

TEST_F(exotic, direct_io)
{
	int fd = open(DXL_DEV, O_RDONLY | O_DIRECT);

	ASSERT_LE(0, fd);
	/* A private mapping gets copies, which are ordinary pages. */
	if (variant->flags == MAP_SHARED)
		EXPECT_FAULTS(pread(fd, self->map, 2 * PAGE, 0));
	close(fd);
}

TEST_F(exotic, vmsplice)
{
	struct iovec vec = { self->map, 2 * PAGE };
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	EXPECT_FAULTS(vmsplice(pipes[1], &vec, 1, 0));
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(exotic, shared_futex)
{
	/* A private mapping gets a copy, which is an ordinary page. */
	if (variant->flags == MAP_SHARED) {
		EXPECT_FAULTS(syscall(SYS_futex, self->map + PAGE, FUTEX_WAKE, 1,
				      NULL, NULL, 0));
	}
}

TEST_F(exotic, proc_mem)
{
	int fd = open("/proc/self/mem", O_RDONLY);
	char buf[16];

	ASSERT_LE(0, fd);
	errno = 0;
	EXPECT_EQ(-1, pread(fd, buf, sizeof(buf), (off_t)(self->map + PAGE)));
	EXPECT_EQ(EIO, errno);
	close(fd);
}

TEST_F(exotic, process_vm)
{
	struct iovec far = { self->map, 16 };
	char buf[16];
	struct iovec near = { buf, 16 };

	errno = 0;
	EXPECT_EQ(-1, process_vm_readv(getpid(), &near, 1, &far, 1, 0));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(exotic, offline)
{
	EXPECT_FAULTS(madvise(self->map + PAGE, PAGE, MADV_SOFT_OFFLINE));
}

TEST_F(exotic, advice)
{
	static const int advice[] = { MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_HUGEPAGE,
				      MADV_WILLNEED };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++)
		EXPECT_EQ(0, madvise(self->map, SIZE, advice[i]));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_POPULATE_READ));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_POPULATE_WRITE));
	/* Without file pages in a huge page there is nothing to collapse. */
	EXPECT_EQ(-1, madvise(self->map, SIZE, MADV_COLLAPSE));
}

TEST_F(exotic, policy)
{
	unsigned long nodes = 1;
	void *pages[] = { self->map, self->map + PAGE };
	int node[] = { 0, 0 }, status[2];

	syscall(SYS_mbind, self->map, SIZE, 2, &nodes, 8, 3);
	syscall(SYS_move_pages, 0, 2, pages, node, status, 2);
	EXPECT_GT(0, status[0]);
	EXPECT_GT(0, status[1]);
}

TEST_F(exotic, lock_and_protect)
{
	EXPECT_EQ(0, mlock(self->map, SIZE));
	EXPECT_EQ(0, munlock(self->map, SIZE));
	EXPECT_EQ(0, mprotect(self->map, SIZE, PROT_NONE));
	EXPECT_EQ(0, mprotect(self->map + PAGE, PAGE, RW));
	EXPECT_EQ(-1, differs(self->map + PAGE, PAGE, PAGE, SEED));
	EXPECT_EQ(0, mprotect(self->map, SIZE, RW));
}

TEST_F(exotic, clear_refs)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(1, write(fd, "1", 1));
	EXPECT_EQ(1, write(fd, "4", 1));
	store(self->map, load(self->map));
	store(self->map + PMD, load(self->map + PMD));
	close(fd);
}

TEST_HARNESS_MAIN
