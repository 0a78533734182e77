// SPDX-License-Identifier: GPL-2.0
/*
 * What a submit rule of page-cache writeback costs: one rule, all patterns.
 * Pages of a file are made dirty, then sync_file_range() writes them back; of
 * that, time and processor (both guest instructions under QEMU's -icount),
 * bios, and how long folio locks were held, by the module's own counters. The
 * processor is that of the writer alone.
 *
 * "contended" is the sequential pattern while another process loads the pages of a
 * mapping of the file one by one, over and over: faults that look folios up and lock
 * them, as the writer does. It dirties nothing. Told of it as well: its faults per MiB
 * written, and the longest in us, which is how long it was kept waiting.
 *
 *	submitbench MEBIBYTES FILE DEBUGFS
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE		4096UL
#define BUCKETS		40

static const char *debugfs;
static char page[PAGE];

/* Who loads, beside the writer; shared. */
struct loads {
	pid_t pid;
	atomic_bool stop;
	atomic_ulong done;
	atomic_ullong longest_ns;	/* written by the child, but for the first 0 */
};

struct state {
	uint64_t ns, cpu_ns;
	unsigned long long bios, ended, pages, hold[BUCKETS];
};

static unsigned long long counter(const char *name)
{
	unsigned long long value;
	char path[256], key[64];
	FILE *file;

	snprintf(path, sizeof(path), "%s/stats", debugfs);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	while (fscanf(file, "%63s %llu", key, &value) == 2)
		if (!strcmp(key, name)) {
			fclose(file);
			return value;
		}
	errx(1, "%s has no %s", path, name);
}

static void holds(unsigned long long *hold)
{
	unsigned int bucket;
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/wait_hist", debugfs);
	file = fopen(path, "r");
	if (!file)
		err(1, "%s", path);
	fscanf(file, "%*[^\n]");
	for (bucket = 0; bucket < BUCKETS; bucket++)
		if (fscanf(file, "%*u %*u %*u %llu", &hold[bucket]) != 1)
			errx(1, "%s: no column of folios", path);
	fclose(file);
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void look(struct state *state)
{
	holds(state->hold);
	state->bios = counter("pwb_bios");
	state->ended = counter("pwb_bios_ended");
	state->pages = counter("pwb_pages");
	state->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	state->ns = clock_ns(CLOCK_MONOTONIC);
}

static void look_after(struct state *state)
{
	state->ns = clock_ns(CLOCK_MONOTONIC);
	state->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	state->bios = counter("pwb_bios");
	state->ended = counter("pwb_bios_ended");
	state->pages = counter("pwb_pages");
	holds(state->hold);
}

/* In file order all pages; at random, every page with a chance of one half. */
static unsigned long dirty(int fd, unsigned long nr, bool random)
{
	unsigned long i, done = 0;

	for (i = 0; i < nr; i++) {
		if (random && rand() % 2)
			continue;
		if (pwrite(fd, page, PAGE, i * PAGE) != (ssize_t)PAGE)
			err(1, "pwrite");
		done++;
	}
	return done;
}

static void load_pages(struct loads *loads, const volatile char *map, unsigned long nr)
{
	uint64_t before, took;
	unsigned long i;

	for (i = 0; i < nr && !atomic_load(&loads->stop); i++) {
		before = clock_ns(CLOCK_MONOTONIC);
		map[i * PAGE];
		took = clock_ns(CLOCK_MONOTONIC) - before;
		if (took > atomic_load(&loads->longest_ns))
			atomic_store(&loads->longest_ns, took);
		atomic_fetch_add(&loads->done, 1);
	}
}

/* A process of its own: what it unmaps is no business of the writer's processor. */
static struct loads *loads_begin(int fd, unsigned long nr)
{
	struct loads *loads = mmap(NULL, sizeof(*loads), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *map = mmap(NULL, nr * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	pid_t pid;

	if (loads == MAP_FAILED || map == MAP_FAILED)
		err(1, "mmap");
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		while (!atomic_load(&loads->stop)) {
			load_pages(loads, map, nr);
			if (madvise(map, nr * PAGE, MADV_DONTNEED))
				err(1, "madvise");
		}
		_exit(0);
	}
	loads->pid = pid;
	munmap(map, nr * PAGE);
	while (!atomic_load(&loads->done))
		sched_yield();
	atomic_store(&loads->longest_ns, 0);
	return loads;
}

static void loads_end(struct loads *loads)
{
	int status;

	atomic_store(&loads->stop, true);
	if (waitpid(loads->pid, &status, 0) != loads->pid)
		err(1, "waitpid");
	if (status)
		errx(1, "the loads have ended with wait status 0x%x", status);
	munmap(loads, sizeof(*loads));
}

static void measure(const char *pattern, int fd, unsigned long nr, bool random, bool contended)
{
	unsigned long pages = dirty(fd, nr, random);
	double mebibytes = pages * PAGE / 1048576.0;
	struct state before, after;
	const char *verdict = "ok";
	struct loads *loads = NULL;
	unsigned long faults = 0;
	uint64_t longest_ns = 0;
	unsigned int bucket;

	if (contended)
		loads = loads_begin(fd, nr);
	look(&before);
	if (contended)
		faults = atomic_load(&loads->done);
	if (sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			    SYNC_FILE_RANGE_WAIT_AFTER))
		err(1, "sync_file_range");
	look_after(&after);
	if (contended) {
		faults = atomic_load(&loads->done) - faults;
		longest_ns = atomic_load(&loads->longest_ns);
		loads_end(loads);
	}
	if (contended && !faults)
		verdict = "DOUBT: nothing was loaded meanwhile";
	if (after.pages - before.pages != pages)
		verdict = "DOUBT: other pages than were made dirty";
	if (after.bios - before.bios != after.ended - before.ended)
		verdict = "DOUBT: bios are under way";
	printf("%s_ns_per_mib %.0f %s\n", pattern, (after.ns - before.ns) / mebibytes, verdict);
	printf("%s_cpu_per_mib %.0f %s\n", pattern, (after.cpu_ns - before.cpu_ns) / mebibytes,
	       verdict);
	printf("%s_bios_per_mib %.3f %s\n", pattern, (after.bios - before.bios) / mebibytes,
	       verdict);
	printf("%s_mib_per_s %.1f %s\n", pattern, mebibytes / ((after.ns - before.ns) / 1e9),
	       verdict);
	if (contended) {
		printf("%s_faults_per_mib %.1f %s\n", pattern, faults / mebibytes, verdict);
		printf("%s_longest_fault_us %.0f %s\n", pattern, longest_ns / 1e3, verdict);
	}
	for (bucket = 0; bucket < BUCKETS; bucket++)
		if (after.hold[bucket] != before.hold[bucket])
			printf("%s_hold_%u %.6f %s\n", pattern, bucket,
			       (double)(after.hold[bucket] - before.hold[bucket]) / pages, verdict);
}

int main(int argc, char **argv)
{
	unsigned long nr;
	int fd;

	if (argc != 4)
		errx(2, "submitbench MEBIBYTES FILE DEBUGFS");
	nr = strtoul(argv[1], NULL, 10) * 1048576 / PAGE;
	debugfs = argv[3];
	memset(page, 0x5a, sizeof(page));
	srand(1);
	fd = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", argv[2]);
	/* Blocks and folios are there: what is measured allocates nothing. */
	dirty(fd, nr, false);
	if (fsync(fd))
		err(1, "fsync");
	measure("sequential", fd, nr, false, false);
	measure("random", fd, nr, true, false);
	measure("contended", fd, nr, false, true);
	close(fd);
	return 0;
}
