/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What tests of mappings share on top of daxlab.h: content that tells where it
 * belongs, mappings that PMDs or only PTEs can serve, SIGBUS as a return value,
 * counters as proof of path. A helper that cannot do its work aborts, which
 * the harness reports.
 */
#ifndef DAX_H
#define DAX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daxlab.h"
#include "kselftest_harness.h"
#include "must.h"

#define PAGE	DXL_PAGE
#define PMD	DXL_PMD
#define PMD_PAGES (PMD / PAGE)
#define RW	(PROT_READ | PROT_WRITE)

/* A child that does not outlive its parent; 0 in it. */
static inline pid_t fork_bound(void)
{
	pid_t pid = fork();

	must(pid >= 0);
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static inline int hole_file(const char *name, off_t size)
{
	int fd = dxl_file_sparse(name, size);

	must(fd >= 0);
	return fd;
}

static inline int alloc_file(const char *name, off_t size)
{
	int fd = dxl_file_allocated(name, size);

	must(fd >= 0);
	return fd;
}

/* Each byte tells its offset, so that displaced data is seen. */
static inline void pattern(void *buf, off_t off, size_t len, unsigned int seed)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++, off++)
		p[i] = (off ^ (off >> 8) * 7 ^ (off >> 16) * 13) + seed;
}

/* Offset of the first byte that is not what pattern() wrote, or -1. */
static inline ssize_t differs(const void *buf, off_t off, size_t len,
			      unsigned int seed)
{
	const unsigned char *p = buf;
	unsigned char want;
	size_t i;

	for (i = 0; i < len; i++) {
		pattern(&want, off + i, 1, seed);
		if (p[i] != want)
			return i;
	}
	return -1;
}

static inline ssize_t nonzero(const void *buf, size_t len)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i])
			return i;
	return -1;
}

static inline void write_pattern(int fd, off_t off, size_t len,
				 unsigned int seed)
{
	char *buf = malloc(len);

	must(buf);
	pattern(buf, off, len, seed);
	must(pwrite(fd, buf, len, off) == (ssize_t)len);
	free(buf);
}

static inline int full_file(const char *name, off_t size, unsigned int seed)
{
	int fd = alloc_file(name, size);

	write_pattern(fd, 0, size, seed);
	return fd;
}

/* In folios of one page: since Linux 6.6 a larger write makes larger ones. */
static inline int small_folios_file(const char *name, unsigned int pages, unsigned int seed)
{
	int fd = alloc_file(name, pages * PAGE);
	unsigned int page;

	for (page = 0; page < pages; page++)
		write_pattern(fd, page * PAGE, PAGE, seed);
	return fd;
}

/*
 * A mapping whose address and file offset differ by @skew modulo 2 MiB: with 0
 * PMDs can map it, with PAGE only PTEs can.
 */
static inline char *map_skewed(int fd, off_t off, size_t len, size_t skew,
			       int prot, int flags)
{
	char *map = dxl_mmap(fd, off, len, prot, flags, (off + skew) % PMD);

	must(map != MAP_FAILED);
	return map;
}

static inline char *map_pmd(int fd, off_t off, size_t len)
{
	return map_skewed(fd, off, len, 0, RW, MAP_SHARED);
}

static inline char *map_pte(int fd, off_t off, size_t len)
{
	return map_skewed(fd, off, len, PAGE, RW, MAP_SHARED);
}

static inline char load(const char *p)
{
	return *(const volatile char *)p;
}

static inline void store(char *p, char c)
{
	*(volatile char *)p = c;
}

/* One access in each step of a mapping. */
static inline void load_each(const char *map, size_t len, size_t step)
{
	size_t i;

	for (i = 0; i < len; i += step)
		load(map + i);
}

static inline void store_each(char *map, size_t len, size_t step, char c)
{
	size_t i;

	for (i = 0; i < len; i += step)
		store(map + i, c);
}

static __thread sigjmp_buf bus_env;
/* Why: BUS_ADRERR, or BUS_MCEERR_AR. */
static __thread volatile int bus_code;

static inline void bus_handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	bus_code = info->si_code;
	siglongjmp(bus_env, sig);
}

static inline void catch_bus(void)
{
	struct sigaction action = { .sa_sigaction = bus_handler, .sa_flags = SA_SIGINFO };

	must(!sigaction(SIGBUS, &action, NULL));
}

/* The caller, and who is forked by it, use these processors only. */
static inline void run_on(unsigned int first, unsigned int last)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(first, &set);
	CPU_SET(last, &set);
	must(!sched_setaffinity(0, sizeof(set), &set));
}

/* True if the access died of SIGBUS; catch_bus() comes first. */
static inline bool load_dies(const char *p)
{
	if (sigsetjmp(bus_env, 1))
		return true;
	load(p);
	return false;
}

static inline bool store_dies(char *p, char c)
{
	if (sigsetjmp(bus_env, 1))
		return true;
	store(p, c);
	return false;
}

/*
 * Faults of this thread that needed no I/O: here, all of them. Not inlined, so that
 * it uses the same piece of the stack each time that somebody calls it.
 */
static __attribute__((noinline, unused)) long minor_faults(void)
{
	struct rusage usage;

	must(!getrusage(RUSAGE_THREAD, &usage));
	return usage.ru_minflt;
}

/*
 * Faults that one store takes. After a fork the first look faults itself, on a
 * page of the stack that parent and child share.
 */
static inline long store_faults(char *p, char c)
{
	long before;

	minor_faults();
	before = minor_faults();

	store(p, c);
	return minor_faults() - before;
}

/* Blocks with data or reserved for it; st_blocks has those of the map too. */
static inline uint64_t data_blocks(int fd)
{
	static struct {
		struct fiemap map;
		struct fiemap_extent extent[2048];
	} list;
	uint64_t sum = 0;
	unsigned int i;

	memset(&list.map, 0, sizeof(list.map));
	list.map.fm_length = FIEMAP_MAX_OFFSET;
	list.map.fm_extent_count = ARRAY_SIZE(list.extent);
	must(!ioctl(fd, FS_IOC_FIEMAP, &list.map));
	must(list.map.fm_mapped_extents < ARRAY_SIZE(list.extent));
	for (i = 0; i < list.map.fm_mapped_extents; i++)
		sum += list.extent[i].fe_length / PAGE;
	return sum;
}

static inline uint64_t free_blocks(void)
{
	struct statvfs st;

	must(!statvfs(DXL_MNT, &st));
	return st.f_bfree * st.f_frsize / PAGE;
}

/* The same before a test makes files: the directory has room for them. */
static inline uint64_t free_blocks_at_first(void)
{
	close(hole_file("first", 0));
	must(!unlink(DXL_MNT "/first"));
	return free_blocks();
}

/*
 * Proof of path: by how much a counter has grown since @before. In page-cache
 * mode those of faults and entries may not move.
 */
#define EXPECT_GROWN(op, n, before, name) do {				\
	if (dxl_page_cache() && strncmp(name, "blocks_", 7)) {		\
		EXPECT_EQ(0, dxl_grown(before, name))			\
			TH_LOG("counter %s", name);			\
	} else {							\
		EXPECT_##op((unsigned long long)(n), dxl_grown(before, name)) \
			TH_LOG("counter %s", name);			\
	}								\
} while (0)

/*
 * As often as somebody fell back from a PMD. Since Linux 6.7 most faults begin
 * with the lock of their area only, and begin again with mmap_lock for a PTE.
 */
#define EXPECT_TRIED(n, before, name) do {				\
	EXPECT_GROWN(LE, n, before, name);				\
	EXPECT_GROWN(GE, (n) * (dxl_kernel_since(6, 7) ? 2 : 1), before, name); \
} while (0)

/*
 * MADV_DONTNEED of a mapping, of @page_cache or of our files with DAX. If it covers
 * all of a PTE table, Linux takes the table away since 6.14 (CONFIG_PT_RECLAIM), and
 * zap_pte_range() does so before it has flushed the TLB and told the folios of PTEs
 * that were dirty. Who looks for what maps such a folio sees nothing until then, and
 * goes on: "Bad page cache", or a WARN of folio_split_or_unmap() (README.md, known
 * limits). It takes no table away for half of it.
 */
static inline int dont_need(char *at, size_t len, bool page_cache)
{
	size_t step = page_cache && dxl_kernel_since(6, 14) ? PMD / 2 : len, off;
	int ret = 0;

	for (off = 0; !ret && off < len; off += step)
		ret = madvise(at + off, len - off < step ? len - off : step, MADV_DONTNEED);
	return ret;
}

/*
 * SKIP() for a FIXTURE_SETUP: kselftest_harness.h of 6.1 would run the test all
 * the same. 255 is what it ends with there.
 */
#define SKIP_SETUP(...)	SKIP(_exit(255), __VA_ARGS__)

/* From the head of the list of entries; @kind: "locked" or "wait". */
static inline long entries(const char *kind)
{
	FILE *list = fopen(DXL_DEBUGFS "/entries", "re");
	char line[256], format[64];
	long nr = -1;

	must(list);
	snprintf(format, sizeof(format), "%s entries: %%ld", kind);
	while (nr < 0 && fgets(line, sizeof(line), list))
		sscanf(line, format, &nr);
	fclose(list);
	must(nr >= 0);
	return nr;
}

/* Nobody holds an entry and nobody waits for one. */
#define EXPECT_QUIESCENT() do {						\
	EXPECT_EQ(0, entries("locked"));				\
	EXPECT_EQ(0, entries("wait"));					\
} while (0)

/* Run @fn in a child: what it returned, or 128 + the signal that ended it. */
static inline int in_child(int (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int status;

	must(pid >= 0);
	if (!pid)
		_exit(fn(arg));
	must(waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* How long a test runs that has no end of its own; DAXLAB_SECONDS overrides. */
static inline double seconds_to_run(double usual)
{
	const char *text = getenv("DAXLAB_SECONDS");

	return text && *text ? atof(text) : usual;
}

#endif /* DAX_H */
