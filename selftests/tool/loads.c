// SPDX-License-Identifier: GPL-2.0
/*
 * Loads; loads.h says what each function does.
 *
 * The threads of a load share nothing but the file: each has a mapping of its own, and
 * counts its operations. A load is over when its time is; what is counted are
 * operations, so the time decides nothing but how many there are.
 */
#include "loads.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE_BYTES	4096UL
#define MOST_WORKERS	8
#define LOG_PAGES	256UL		/* of the database: at the end of the file */

struct worker {
	int fd;
	unsigned int number;
	char *map;
	atomic_bool *over;
	unsigned long ops;
	int err;
};

typedef void (*work_fn)(struct worker *worker);

/* xorshift: each worker has a sequence of its own, the same in every run. */
static unsigned long roll(unsigned long *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void store(struct worker *worker, unsigned long page, unsigned long value)
{
	*(volatile unsigned long *)(worker->map + page * PAGE_BYTES) = value;
}

static bool works(struct worker *worker)
{
	return !atomic_load(worker->over) && !worker->err;
}

/* Many pages: 16 stores all over the file, then a sync, by turns of each kind. */
static void store_and_sync(struct worker *worker)
{
	unsigned long seed = worker->number + 1, page = 0;
	unsigned int i;
	int err;

	for (; works(worker); worker->ops++) {
		for (i = 0; i < 16; i++) {
			page = roll(&seed) % LOAD_PAGES;
			store(worker, page, worker->ops);
		}
		if (worker->ops % 2)
			err = fdatasync(worker->fd);
		else
			err = msync(worker->map + page * PAGE_BYTES, PAGE_BYTES, MS_SYNC);
		if (err)
			worker->err = errno;
	}
}

/* A log: page after page, each committed; the pages of the log are used again. */
static void commit(struct worker *worker)
{
	unsigned long at = LOAD_PAGES - LOG_PAGES;

	for (; works(worker); worker->ops++) {
		unsigned long page = at + worker->ops / 8 % LOG_PAGES;

		store(worker, page, worker->ops);
		if (msync(worker->map + page * PAGE_BYTES, PAGE_BYTES, MS_SYNC))
			worker->err = errno;
	}
}

/* A checkpoint: all that was stored, again and again. */
static void checkpoint(struct worker *worker)
{
	struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };

	for (; works(worker); worker->ops++) {
		if (fsync(worker->fd))
			worker->err = errno;
		nanosleep(&pause, NULL);
	}
}

/* Nine reads of pages to one update, and most of both on a tenth of them. */
static void query(struct worker *worker)
{
	unsigned long seed = worker->number + 1, pages = LOAD_PAGES - LOG_PAGES, page;

	for (; works(worker); worker->ops++) {
		page = roll(&seed) % (worker->ops % 4 ? pages / 10 : pages);
		if (worker->ops % 10)
			(void)*(volatile char *)(worker->map + page * PAGE_BYTES);
		else
			store(worker, page, worker->ops);
	}
}

struct task {
	pthread_t thread;
	struct worker worker;
	work_fn work;
};

static void *run_task(void *arg)
{
	struct task *task = arg;

	task->work(&task->worker);
	return NULL;
}

static double seconds_since(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - from->tv_sec + (now.tv_nsec - from->tv_nsec) / 1e9;
}

static void map_all(struct task *tasks, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		tasks[i].worker.map = mmap(NULL, LOAD_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
					   MAP_SHARED, tasks[i].worker.fd, 0);
		if (tasks[i].worker.map == MAP_FAILED)
			tasks[i].worker.err = errno;
	}
}

/* Play all of them; only what @counts do is counted. */
static double play_tasks(int fd, const work_fn *work, unsigned int nr, work_fn counts,
			 double seconds, const volatile int *stop)
{
	struct timespec from, tick = { .tv_nsec = 10 * 1000 * 1000 };
	struct task tasks[MOST_WORKERS] = {};
	unsigned long ops = 0;
	unsigned int i, begun;
	atomic_bool over = false;
	int err = 0;
	double took;

	for (i = 0; i < nr; i++) {
		tasks[i].worker = (struct worker){ .fd = fd, .number = i, .over = &over };
		tasks[i].work = work[i];
	}
	map_all(tasks, nr);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (begun = 0; begun < nr && !err; begun++)
		err = pthread_create(&tasks[begun].thread, NULL, run_task, &tasks[begun]);
	if (err)
		begun--;
	while (!err && !*stop && seconds_since(&from) < seconds)
		nanosleep(&tick, NULL);
	atomic_store(&over, true);
	for (i = 0; i < begun; i++)
		pthread_join(tasks[i].thread, NULL);
	took = seconds_since(&from);
	for (i = 0; i < nr; i++) {
		err = err ?: tasks[i].worker.err;
		ops += work[i] == counts ? tasks[i].worker.ops : 0;
		if (tasks[i].worker.map != MAP_FAILED)
			munmap(tasks[i].worker.map, LOAD_PAGES * PAGE_BYTES);
	}
	errno = err;
	return err ? -1 : ops / took;
}

static double play_threads(int fd, double seconds, const volatile int *stop)
{
	static const work_fn work[] = {
		store_and_sync, store_and_sync, store_and_sync, store_and_sync,
	};

	return play_tasks(fd, work, 4, store_and_sync, seconds, stop);
}

static double play_database(int fd, double seconds, const volatile int *stop)
{
	static const work_fn work[] = { commit, checkpoint, query, query };

	return play_tasks(fd, work, 4, commit, seconds, stop);
}

/* "write": what stands in its terse output, version 3, as IOPS of writes. */
static double fio_iops(FILE *out)
{
	double sum = -1;
	char line[4096];

	while (fgets(line, sizeof(line), out)) {
		char *rest = line, *word = NULL;
		int field;

		if (strncmp(line, "3;", 2))
			continue;
		for (field = 1; field <= 49 && rest; field++)
			word = strsep(&rest, ";");
		if (word && rest)
			sum = (sum < 0 ? 0 : sum) + atof(word);
	}
	return sum;
}

static double play_fio(int fd, double seconds, const volatile int *stop)
{
	char name[64], runtime[32], size[32];
	const char *const argv[] = {
		"fio", "--name=mmap", name, "--ioengine=mmap", "--rw=randrw", "--rwmixwrite=70",
		"--bs=4k", size, "--numjobs=3", "--thread", "--fsync=16", "--time_based",
		"--fallocate=none", "--invalidate=0", "--minimal", "--terse-version=3", runtime,
		NULL,
	};
	double iops = -1;
	int fds[2], status = -1;
	FILE *out;
	pid_t pid;

	(void)stop;	/* it has its end in its options, and gets the same signals */
	snprintf(name, sizeof(name), "--filename=/proc/%d/fd/%d", getpid(), fd);
	snprintf(runtime, sizeof(runtime), "--runtime=%dms", (int)(seconds * 1000));
	snprintf(size, sizeof(size), "--size=%lu", LOAD_PAGES * PAGE_BYTES);
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	out = fdopen(fds[0], "r");
	if (out) {
		iops = fio_iops(out);
		fclose(out);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status) && iops >= 0)
		return iops;
	errno = WIFEXITED(status) && WEXITSTATUS(status) == 127 ? ENOENT : EIO;
	return -1;
}

const struct load loads[] = {
	{ "threads", "4 threads store to 16 pages of 4096 each, then fdatasync or msync a page",
	  play_threads },
	{ "database", "a log committed by msync, a checkpoint by fsync, 2 threads that read and update",
	  play_database },
	{ "fio", "fio: ioengine=mmap rw=randrw, 70 % writes, 3 jobs on the file, fsync=16",
	  play_fio },
};

const unsigned int nr_loads = sizeof(loads) / sizeof(*loads);
