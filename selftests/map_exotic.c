// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings in the hands of calls that look at pages, not at addresses.
 *
 *  1. A file is mapped by PTEs or PMDs, shared or private, and read.
 *  2. Each call that pins or examines pages gets it: O_DIRECT, vmsplice, futex,
 *     /proc/PID, madvise, mbind, move_pages, mlock, clear_refs, mremap, fork.
 *  3. Pages that PMDs map can be pinned, with the right content. PTEs show no
 *     pages, so what must pin them fails (EEXIST), soon: GUP that faults and looks
 *     again for ever shows as SIGALRM here.
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

#define EXPECT_FAILS(error, call) do {	\
	errno = 0;			\
	EXPECT_EQ(-1, (call));		\
	EXPECT_EQ(error, errno);	\
} while (0)

TEST_F(exotic, direct_io)
{
	int fd = open(DXL_DEV, O_RDONLY | O_DIRECT);
	char *at = self->map + PMD - PAGE, want[2 * PAGE];

	ASSERT_LE(0, fd);
	if (variant->skew) {
		/* A private mapping gets copies, which are ordinary pages. */
		if (variant->flags == MAP_SHARED)
			EXPECT_FAILS(EEXIST, pread(fd, at, 2 * PAGE, 0));
		close(fd);
		return;
	}
	/* The superblock goes from the device into the file, and is there by all ways. */
	EXPECT_EQ(2 * PAGE, pread(fd, at, 2 * PAGE, 0));
	close(fd);
	ASSERT_LE(0, fd = open(DXL_DEV, O_RDONLY));
	EXPECT_EQ(2 * PAGE, pread(fd, want, 2 * PAGE, 0));
	close(fd);
	EXPECT_EQ(0, memcmp(at, want, 2 * PAGE));
	if (variant->flags == MAP_SHARED) {
		EXPECT_EQ(0, fsync(self->fd));
		EXPECT_EQ(0, madvise(self->map, SIZE, MADV_DONTNEED));
		EXPECT_EQ(0, memcmp(at, want, 2 * PAGE));
	}
	pattern(at, PMD - PAGE, 2 * PAGE, SEED);
}

TEST_F(exotic, vmsplice)
{
	struct iovec vec = { self->map + PMD - PAGE, 2 * PAGE };
	char buf[2 * PAGE];
	int pipes[2];

	ASSERT_EQ(0, pipe(pipes));
	if (variant->skew) {
		EXPECT_FAILS(EEXIST, vmsplice(pipes[1], &vec, 1, 0));
	} else {
		EXPECT_EQ(2 * PAGE, vmsplice(pipes[1], &vec, 1, 0));
		EXPECT_EQ(2 * PAGE, read(pipes[0], buf, sizeof(buf)));
		EXPECT_EQ(-1, differs(buf, PMD - PAGE, sizeof(buf), SEED));
	}
	close(pipes[0]);
	close(pipes[1]);
}

TEST_F(exotic, shared_futex)
{
	/* A private mapping gets a copy, which is an ordinary page. */
	if (variant->flags == MAP_SHARED) {
		EXPECT_FAILS(variant->skew ? EEXIST : EFAULT,
			     syscall(SYS_futex, self->map + PAGE, FUTEX_WAKE, 1, NULL, NULL, 0));
	}
}

TEST_F(exotic, proc_mem)
{
	int fd = open("/proc/self/mem", O_RDONLY);
	char buf[16];

	ASSERT_LE(0, fd);
	if (variant->skew) {
		EXPECT_FAILS(EIO, pread(fd, buf, sizeof(buf), (off_t)(self->map + PAGE)));
	} else {
		EXPECT_EQ(sizeof(buf), pread(fd, buf, sizeof(buf), (off_t)(self->map + PAGE)));
		EXPECT_EQ(-1, differs(buf, PAGE, sizeof(buf), SEED));
	}
	close(fd);
}

TEST_F(exotic, process_vm)
{
	struct iovec far = { self->map + PAGE, 16 };
	char buf[16];
	struct iovec near = { buf, 16 };

	if (variant->skew) {
		EXPECT_FAILS(EFAULT, process_vm_readv(getpid(), &near, 1, &far, 1, 0));
		return;
	}
	EXPECT_EQ(16, process_vm_readv(getpid(), &near, 1, &far, 1, 0));
	EXPECT_EQ(-1, differs(buf, PAGE, 16, SEED));
	if (variant->flags == MAP_PRIVATE)
		return;
	memset(buf, 0x5a, 16);
	EXPECT_EQ(16, process_vm_writev(getpid(), &near, 1, &far, 1, 0));
	EXPECT_EQ(16, pread(self->fd, buf, 16, PAGE));
	EXPECT_EQ(0x5a, buf[0] & buf[15]);
	pattern(self->map + PAGE, PAGE, 16, SEED);
}

TEST_F(exotic, offline)
{
	EXPECT_FAILS(variant->skew ? EEXIST : EIO,
		     madvise(self->map + PAGE, PAGE, MADV_SOFT_OFFLINE));
}

TEST_F(exotic, advice)
{
	static const int advice[] = { MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_HUGEPAGE,
				      MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(advice); i++)
		EXPECT_EQ(0, madvise(self->map, SIZE, advice[i]));
	/* The same for a part of a huge page. */
	EXPECT_EQ(0, madvise(self->map + PAGE, PAGE, MADV_COLD));
	EXPECT_EQ(0, madvise(self->map + PAGE, PAGE, MADV_PAGEOUT));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_DONTNEED));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_POPULATE_READ));
	EXPECT_EQ(0, madvise(self->map, SIZE, MADV_POPULATE_WRITE));
	/* Without file pages in a huge page there is nothing to collapse. */
	EXPECT_EQ(-1, madvise(self->map, SIZE, MADV_COLLAPSE));
}

/* PTEs are special: no walk finds pages there. PMDs are that since Linux 6.12. */
static bool shows_pages(bool ptes)
{
	return !ptes && !dxl_kernel_since(6, 12);
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
	/* And where are they? */
	EXPECT_EQ(0, syscall(SYS_move_pages, 0, 2, pages, NULL, status, 0));
	EXPECT_EQ(shows_pages(variant->skew), status[0] >= 0);
	EXPECT_EQ(shows_pages(variant->skew), status[1] >= 0);
}

/* All of a file of /proc/self, which walks over the mapping. */
static void read_proc(const char *name, char *buf, size_t size)
{
	char path[64];
	size_t len = 0;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/%s", name);
	must((fd = open(path, O_RDONLY)) >= 0);
	while ((got = read(fd, buf + len, size - 1 - len)) > 0)
		len += got;
	must(!got && len < size - 1);
	buf[len] = '\0';
	close(fd);
}

TEST_F(exotic, proc)
{
	static char buf[1 << 20];
	uint64_t word[2];
	char *at, start[32];
	int fd;

	snprintf(start, sizeof(start), "\n%lx-", (unsigned long)self->map);
	read_proc("smaps", buf, sizeof(buf));
	ASSERT_NE(NULL, at = strstr(buf, start));
	ASSERT_NE(NULL, at = strstr(at, "Rss:"));
	EXPECT_EQ(shows_pages(variant->skew) ? SIZE / 1024 : 0, strtoul(at + 4, NULL, 10));
	read_proc("smaps_rollup", buf, sizeof(buf));
	read_proc("numa_maps", buf, sizeof(buf));
	ASSERT_LE(0, fd = open("/proc/self/pagemap", O_RDONLY));
	EXPECT_EQ(sizeof(word), pread(fd, word, sizeof(word), (uintptr_t)self->map / PAGE * 8));
	EXPECT_EQ(3, word[0] >> 63 | (word[1] >> 63) << 1);
	if (!variant->skew)
		EXPECT_EQ(word[0] + 1, word[1]);
	close(fd);
}

static int child_reads(void *map)
{
	return differs(map, 0, SIZE, SEED) != -1;
}

TEST_F(exotic, fork_and_move)
{
	char *to = map_skewed(self->fd, 0, SIZE, variant->skew, PROT_READ, MAP_SHARED);

	EXPECT_EQ(0, in_child(child_reads, self->map));
	ASSERT_EQ(to, mremap(self->map, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	self->map = to;
	EXPECT_EQ(0, in_child(child_reads, self->map));
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
