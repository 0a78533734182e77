// SPDX-License-Identifier: GPL-2.0
/*
 * What a page fault and an msync cost: nanoseconds each, which are guest
 * instructions under QEMU's -icount. Every row proves what it measured: the
 * kernel's own count of the faults it took, and daxlab's counters if there.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define PTE_SIZE	4096UL
#define PMD_SIZE	(2UL << 20)
#define NR_STATS	128

static size_t file_size = 64UL << 20;
static const char *stats_path;		/* daxlab's counters, or NULL */

static struct stats {
	int nr;
	char name[NR_STATS][40];
	unsigned long long value[NR_STATS];
} before, after;

/* Not inline, and called twice a row: a place to hang a profiler on. */
static __attribute__((noinline)) uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static long faults(void)
{
	struct rusage ru;

	getrusage(RUSAGE_SELF, &ru);
	return ru.ru_minflt + ru.ru_majflt;
}

static void read_stats(struct stats *s)
{
	FILE *f;

	if (!stats_path)
		return;
	f = fopen(stats_path, "r");
	if (!f)
		err(1, "%s", stats_path);
	for (s->nr = 0; s->nr < NR_STATS; s->nr++)
		if (fscanf(f, "%39s %llu", s->name[s->nr], &s->value[s->nr]) != 2)
			break;
	fclose(f);
}

static long long stat_delta(const char *name)
{
	int i;

	for (i = 0; i < after.nr; i++)
		if (!strcmp(after.name[i], name))
			return after.value[i] - before.value[i];
	return -1;
}

/* What a row counts on, in faults of the process and in daxlab's counters. */
struct row {
	const char *name;
	bool faults;			/* one fault an operation, else none */
	const char *counter;		/* goes up by one an operation */
	const char *mapped;		/* so does this one, unless NULL */
};

static const struct row rows[] = {
	{ "pte_first_write", true, "fault_pte_write", "fault_pte_mapped" },
	{ "pte_read_fault", true, "fault_pte_read", "fault_pte_mapped" },
	{ "pte_write_after_read", true, "fault_pfn_mkwrite", NULL },
	{ "msync_page", false, "entries_written", NULL },
	{ "pte_write_fault", true, "fault_pte_write", "fault_pte_mapped" },
	{ "msync_call", false, "entries_written", NULL },
	{ "pmd_first_write", true, "fault_pmd_write", "fault_pmd_mapped" },
	{ "pmd_read_fault", true, "fault_pmd_read", "fault_pmd_mapped" },
	{ "pmd_write_fault", true, "fault_pmd_write", "fault_pmd_mapped" },
	{ "msync_pmd", false, "entries_written", NULL },
};

/*
 * The current measurement. A row is printed when it is over; "why" is the
 * first thing that was not as the row's name says.
 */
static struct {
	const struct row *row;
	long nr;
	uint64_t ns;
	char why[120];
} cur;

#define doubt(...) \
	do { \
		if (!cur.why[0]) \
			snprintf(cur.why, sizeof(cur.why), __VA_ARGS__); \
	} while (0)

static void begin(const char *name)
{
	const struct row *row = rows;

	while (strcmp(row->name, name))
		row++;
	cur.row = row;
	cur.why[0] = '\0';
}

static void check_counter(const char *name)
{
	long long delta;

	if (!stats_path || !name)
		return;
	delta = stat_delta(name);
	if (delta != cur.nr)
		doubt("%s: %lld, not %ld", name, delta, cur.nr);
}

/* One access in each @step, from @map on. */
static void touch(char *map, size_t step, bool write)
{
	volatile char *p = map, *end = map + file_size;

	if (write)
		for (; p < end; p += step)
			*p = 1;
	else
		for (; p < end; p += step)
			(void)*p;
}

static void timed(char *map, size_t step, bool write, bool sync)
{
	long count;

	cur.nr = file_size / step;
	read_stats(&before);
	count = faults();
	cur.ns = now();
	if (sync) {
		if (msync(map, file_size, MS_SYNC))
			err(1, "msync");
	} else {
		touch(map, step, write);
	}
	cur.ns = now() - cur.ns;
	count = faults() - count;
	read_stats(&after);

	if (count != (cur.row->faults ? cur.nr : 0))
		doubt("%ld faults for %ld accesses", count,
		      cur.row->faults ? cur.nr : 0);
	check_counter(cur.row->counter);
	check_counter(cur.row->mapped);
}

/* A call for each page, alone dirty: what a call costs beside its pages. */
static void timed_calls(char *map)
{
	uint64_t from;
	size_t at;

	cur.nr = file_size / PTE_SIZE;
	cur.ns = 0;
	read_stats(&before);
	for (at = 0; at < file_size; at += PTE_SIZE) {
		*(volatile char *)(map + at) = 1;
		from = now();
		if (msync(map + at, PTE_SIZE, MS_SYNC))
			err(1, "msync");
		cur.ns += now() - from;
	}
	read_stats(&after);
	check_counter(cur.row->counter);
}

/* The rest of the 2 MiB is mapped as well: it was one huge mapping. */
static void check_huge(char *map)
{
	long count = faults();

	touch(map + 300 * PTE_SIZE, PMD_SIZE, false);
	count = faults() - count;
	if (count)
		doubt("%ld of %ld not mapped by a PMD", count, cur.nr);
}

/* All was dirty and is write-protected now: each write faults again. */
static void check_clean(char *map, size_t step)
{
	long count = faults();

	touch(map, step, true);
	count = faults() - count;
	if (count != cur.nr)
		doubt("%ld of %ld were made clean", count, cur.nr);
}

static void end(void)
{
	printf("%s %.1f %s\n", cur.row->name, (double)cur.ns / cur.nr,
	       cur.why[0] ? cur.why : "ok");
	fflush(stdout);
}

static char *map_file(int fd, bool huge)
{
	char *room, *map;

	/* A place that suits huge mappings, whatever the filesystem thinks. */
	room = mmap(NULL, file_size + PMD_SIZE, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		err(1, "mmap");
	munmap(room, file_size + PMD_SIZE);
	map = (char *)(((uintptr_t)room + PMD_SIZE - 1) & ~(PMD_SIZE - 1));
	map = mmap(map, file_size, PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
	if (map == MAP_FAILED)
		err(1, "mmap");
	madvise(map, file_size, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	madvise(map, file_size, MADV_RANDOM);
	return map;
}

static void unmap_file(char *map)
{
	munmap(map, file_size);
}

static void sync_file(int fd)
{
	if (fsync(fd))
		err(1, "fsync");
}

/* All blocks there and written, so that no row measures an allocation. */
static int make_file(const char *dir)
{
	static char zeroes[PMD_SIZE];
	char path[4096];
	size_t done;
	int fd;

	snprintf(path, sizeof(path), "%s/faultbench.XXXXXX", dir);
	fd = mkstemp(path);
	if (fd < 0)
		err(1, "%s", path);
	unlink(path);
	if (fallocate(fd, 0, 0, file_size))
		err(1, "%s: fallocate", path);
	for (done = 0; done < file_size; done += sizeof(zeroes))
		if (pwrite(fd, zeroes, sizeof(zeroes), done) != sizeof(zeroes))
			err(1, "%s: write", path);
	sync_file(fd);
	return fd;
}

/*
 * The first row finds a file that nobody mapped before. The others find one
 * that was mapped and cleaned, as most faults in a long run do.
 */
static void pte_rows(const char *dir)
{
	int fd = make_file(dir);
	char *map = map_file(fd, false);

	begin("pte_first_write");
	timed(map, PTE_SIZE, true, false);
	end();
	unmap_file(map);
	sync_file(fd);

	map = map_file(fd, false);
	begin("pte_read_fault");
	timed(map, PTE_SIZE, false, false);
	end();
	begin("pte_write_after_read");
	timed(map, PTE_SIZE, true, false);
	end();
	begin("msync_page");
	timed(map, PTE_SIZE, false, true);
	check_clean(map, PTE_SIZE);
	end();
	unmap_file(map);
	sync_file(fd);

	map = map_file(fd, false);
	begin("pte_write_fault");
	timed(map, PTE_SIZE, true, false);
	end();
	sync_file(fd);
	begin("msync_call");
	timed_calls(map);
	end();
	unmap_file(map);
	close(fd);
}

static void pmd_rows(const char *dir)
{
	int fd = make_file(dir);
	char *map = map_file(fd, true);

	begin("pmd_first_write");
	timed(map, PMD_SIZE, true, false);
	check_huge(map);
	end();
	unmap_file(map);
	sync_file(fd);

	map = map_file(fd, true);
	begin("pmd_read_fault");
	timed(map, PMD_SIZE, false, false);
	check_huge(map);
	end();
	unmap_file(map);

	map = map_file(fd, true);
	begin("pmd_write_fault");
	timed(map, PMD_SIZE, true, false);
	check_huge(map);
	end();
	begin("msync_pmd");
	timed(map, PMD_SIZE, false, true);
	check_clean(map, PMD_SIZE);
	check_huge(map);
	end();
	unmap_file(map);
	close(fd);
}

static void usage(void)
{
	fputs("usage: faultbench [-n PASSES] [-m MEBIBYTES] [-s STATS] DIR\n"
	      "Prints \"ROW NANOSECONDS ok|DOUBT\" for each row of each pass,\n"
	      "measured on files of its own in DIR. STATS: daxlab's counters.\n",
	      stderr);
	exit(2);
}

static long number(const char *s)
{
	char *rest;
	long n = strtol(s, &rest, 10);

	if (*rest || n < 1 || n > 4096)
		usage();
	return n;
}

int main(int argc, char **argv)
{
	long passes = 1;
	int opt;

	while ((opt = getopt(argc, argv, "n:m:s:")) != -1) {
		switch (opt) {
		case 'n':
			passes = number(optarg);
			break;
		case 'm':
			file_size = number(optarg) << 20;
			break;
		case 's':
			stats_path = optarg;
			break;
		default:
			usage();
		}
	}
	if (optind + 1 != argc || file_size % PMD_SIZE)
		usage();

	/* Else the first row would count faults of this program itself. */
	if (mlockall(MCL_CURRENT))
		err(1, "mlockall");
	while (passes--) {
		pte_rows(argv[optind]);
		pmd_rows(argv[optind]);
	}
	return 0;
}
