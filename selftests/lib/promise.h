/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Promises: files that are changed step by step, each step durable when it
 * returns, and what must be there after the power or the machine is gone: each
 * slot as after the last step that was promised or as after the one that was
 * begun, word by word where a step is data.
 */
#ifndef PROMISE_H
#define PROMISE_H

#include <pthread.h>

#include "dax.h"

#define SLOTS		8
#define STEPS		120	/* of a slot, at most: each a byte that is not 0 */
#define RECORD		104	/* bytes that are appended at once */
#define WORDS		(PAGE / sizeof(uint64_t))

struct worker;

/* A kind of load. A slot has had step 0 when it starts. */
struct kind {
	const char *file;
	int open_flags, map_flags;
	/* Step @n of a slot, promised when it returns. */
	void (*step)(struct worker *worker, unsigned int slot, uint64_t n);
	/* Is slot as after step @before or as after step @after? */
	bool (*holds)(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after);
};

struct worker {
	const struct kind *kind;
	pthread_t thread;
	char path[64];
	int fd;
	char *map;
	uint64_t begun[SLOTS], promised[SLOTS];
};

/* A page of one number. */
static inline void page_of(uint64_t *words, uint64_t n)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = n;
}

static inline void step_map(struct worker *worker, unsigned int slot, uint64_t n)
{
	page_of((uint64_t *)(worker->map + slot * PAGE), n);
	must(!msync(worker->map + slot * PAGE, PAGE, MS_SYNC));
}

static inline void step_map_all(struct worker *worker, unsigned int slot, uint64_t n)
{
	page_of((uint64_t *)(worker->map + slot * PAGE), n);
	must(!fsync(worker->fd));
}

static inline void step_write(struct worker *worker, unsigned int slot, uint64_t n)
{
	uint64_t words[WORDS];

	page_of(words, n);
	must(pwrite(worker->fd, words, PAGE, slot * PAGE) == (ssize_t)PAGE);
	must(!fdatasync(worker->fd));
}

/* Each second step makes a hole, which reads as zeroes. */
static inline void step_punch(struct worker *worker, unsigned int slot, uint64_t n)
{
	if (n & 1)
		step_write(worker, slot, n);
	else
		must(!fallocate(worker->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				slot * PAGE, PAGE));
}

static inline bool words_hold(struct worker *worker, unsigned int slot, uint64_t before,
			      uint64_t after)
{
	uint64_t words[WORDS];
	unsigned int i;

	must(pread(worker->fd, words, PAGE, slot * PAGE) == (ssize_t)PAGE);
	for (i = 0; i < WORDS; i++)
		if (words[i] != before && words[i] != after)
			return false;
	return true;
}

static inline bool punch_holds(struct worker *worker, unsigned int slot, uint64_t before,
			       uint64_t after)
{
	return words_hold(worker, slot, before & 1 ? before : 0, after & 1 ? after : 0);
}

/* Slot after slot in one file each: a number of whole records, each its own. */
static inline void slot_path(struct worker *worker, unsigned int slot, char *path,
			     size_t size)
{
	snprintf(path, size, "%s.%u", worker->path, slot);
}

static inline void step_append(struct worker *worker, unsigned int slot, uint64_t n)
{
	char path[80], record[RECORD];
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	memset(record, n, sizeof(record));
	must(fd >= 0 && write(fd, record, sizeof(record)) == (ssize_t)sizeof(record));
	close(fd);
}

static inline bool append_holds(struct worker *worker, unsigned int slot, uint64_t before,
				uint64_t after)
{
	char path[80], record[RECORD];
	uint64_t n = 0;
	ssize_t got;
	size_t i;
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return !before;
	while ((got = read(fd, record, sizeof(record))) == (ssize_t)sizeof(record)) {
		n++;
		for (i = 0; i < sizeof(record); i++)
			if (record[i] != (char)n)
				got = -1;
		if (got < 0)
			break;
	}
	close(fd);
	return !got && (n == before || n == after);
}

/* A new file of this number takes the place of the old one. */
static inline void step_replace(struct worker *worker, unsigned int slot, uint64_t n)
{
	char path[80], new[96];
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_RDWR | O_CREAT | O_EXCL, 0644);
	must(fd >= 0 && pwrite(fd, &n, sizeof(n), 0) == sizeof(n) && !fsync(fd));
	close(fd);
	must(!rename(new, path));
}

static inline bool replace_holds(struct worker *worker, unsigned int slot, uint64_t before,
				 uint64_t after)
{
	uint64_t n = 0;
	char path[80];
	ssize_t got;
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return !before;
	got = read(fd, &n, sizeof(n));
	close(fd);
	return got == sizeof(n) && (n == before || n == after);
}

/* MAP_SYNC: who stores flushes by himself, as only the machine sees. */
static inline void step_map_sync(struct worker *worker, unsigned int slot, uint64_t n)
{
	char *page = worker->map + slot * PAGE;
	unsigned int i;

	if (!(n & 1)) {
		step_punch(worker, slot, n);
		return;
	}
	page_of((uint64_t *)page, n);
	for (i = 0; i < PAGE; i += 64)
		__builtin_ia32_clflush(page + i);
	__builtin_ia32_sfence();
}

/* O_SYNC: written and durable in one call. */
static inline void step_o_sync(struct worker *worker, unsigned int slot, uint64_t n)
{
	uint64_t words[WORDS];

	page_of(words, n);
	must(pwrite(worker->fd, words, PAGE, slot * PAGE) == (ssize_t)PAGE);
}

static const struct kind kinds[] = {
	{ .file = "map", .step = step_map, .holds = words_hold },
	{ .file = "map_all", .step = step_map_all, .holds = words_hold },
	{ .file = "write", .step = step_write, .holds = words_hold },
	{ .file = "punch", .step = step_punch, .holds = punch_holds },
	{ .file = "append", .step = step_append, .holds = append_holds },
	{ .file = "replace", .step = step_replace, .holds = replace_holds },
	{ .file = "o_sync", .open_flags = O_SYNC, .step = step_o_sync, .holds = words_hold },
	{ .file = "map_sync", .map_flags = MAP_SYNC, .step = step_map_sync, .holds = punch_holds },
};

#define KINDS		ARRAY_SIZE(kinds)
#define KINDS_MODELLED	(KINDS - 1)	/* the last flushes without telling the image */

static struct worker workers[KINDS];

static inline void worker_name(struct worker *worker, const char *dir)
{
	worker->kind = &kinds[worker - workers];
	snprintf(worker->path, sizeof(worker->path), "%s/%s", dir, worker->kind->file);
}

/* New files in @dir, none of whose slots has had a step, durable. */
static inline void worker_open(struct worker *worker, const char *dir)
{
	memset(worker, 0, sizeof(*worker));
	worker_name(worker, dir);
	worker->fd = open(worker->path, O_RDWR | O_CREAT | worker->kind->open_flags, 0644);
	must(worker->fd >= 0);
	must(!ftruncate(worker->fd, SLOTS * PAGE) && !fsync(worker->fd));
	worker->map = map_skewed(worker->fd, 0, SLOTS * PAGE, PAGE, RW,
				 MAP_SHARED_VALIDATE | worker->kind->map_flags);
}

static inline void worker_close(struct worker *worker)
{
	munmap(worker->map, SLOTS * PAGE);
	close(worker->fd);
}

/* How many slots of the first @nr kinds are not as promised. */
static inline unsigned int broken_promises(unsigned int nr, char *why, size_t size)
{
	unsigned int i, slot, broken = 0;

	for (i = 0; i < nr; i++) {
		struct worker *worker = &workers[i];

		worker->fd = open(worker->path, O_RDWR);
		for (slot = 0; slot < SLOTS && worker->fd >= 0; slot++) {
			if (worker->kind->holds(worker, slot, worker->promised[slot],
						worker->begun[slot]))
				continue;
			if (!broken++)
				snprintf(why, size, "%s slot %u: promised %llu, begun %llu",
					 worker->kind->file, slot,
					 (unsigned long long)worker->promised[slot],
					 (unsigned long long)worker->begun[slot]);
		}
		if (worker->fd < 0 && !broken++)
			snprintf(why, size, "%s is not there", worker->path);
		if (worker->fd >= 0)
			close(worker->fd);
	}
	return broken;
}

#endif
