// SPDX-License-Identifier: GPL-2.0
/*
 * The model of crash.h: operations, what they promise, and the comparison
 */
#include "crash.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daxlab.h"
#include "power.h"

static const char * const paths[CRASH_NAMES] = {
	DXL_MNT "/a", DXL_MNT "/b", DXL_MNT "/d/c", DXL_MNT "/e", DXL_MNT "/s",
};

/* Size of what is in a file at first: one page and some. */
#define FIRST	6000
/* What is stored to the end of a file: of two pages, or of one. */
#define END	2400

/* How many pages have some of these bytes. */
static off_t pages(off_t size)
{
	return (size + DXL_PAGE - 1) / DXL_PAGE;
}

static struct crash_file *file_of(struct crash_state *state, enum crash_name name)
{
	return &state->file[state->name[name]];
}

static off_t size_of(const struct crash_state *state, enum crash_name name)
{
	return state->name[name] < 0 ? -1 : state->file[state->name[name]].size;
}

static void fill(struct crash_file *file, off_t from, off_t to, uint8_t value, bool known)
{
	for (; from < to; from++) {
		file->now[from] = value;
		file->may[from] = (known ? 0 : file->may[from]) | 1U << value;
	}
}

static void set_size(struct crash_file *file, off_t size)
{
	off_t old = file->size, page;

	file->size = size;
	for (page = pages(size); page < CRASH_PAGES; page++)
		file->block[page] = false;
	/* What is beyond the end is zero when it comes back. */
	fill(file, size < old ? size : old, CRASH_SIZE, 0, true);
}

static void put(struct crash_file *file, off_t from, off_t len, uint8_t value, bool done)
{
	off_t old = file->size, end = from + len;

	fill(file, from, end < old ? end : old, value, false);
	if (!done || end <= old)
		return;
	set_size(file, end);
	fill(file, old > from ? old : from, end, value, true);
}

static int open_at(enum crash_name name, int flags)
{
	return open(paths[name], flags | O_CLOEXEC, 0644);
}

static int finish(int fd, bool good)
{
	int err = good ? 0 : errno;

	if (fd >= 0)
		close(fd);
	return err;
}

static int write_at(enum crash_name name, int flags, off_t from, size_t len, uint8_t value)
{
	int fd = open_at(name, O_RDWR | flags);
	char buf[CRASH_SIZE];

	memset(buf, value, len);
	return finish(fd, fd >= 0 && pwrite(fd, buf, len, from) == (ssize_t)len);
}

static int sync_name(enum crash_name name)
{
	int fd = open_at(name, O_RDWR);

	return finish(fd, fd >= 0 && !fsync(fd));
}

static int store_at(enum crash_name name, off_t from, size_t len, uint8_t value, bool sync)
{
	int fd = open_at(name, O_RDWR);
	char *map;
	bool good;

	if (fd < 0)
		return errno;
	map = mmap(NULL, CRASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return finish(fd, false);
	memset(map + from, value, len);
	good = !sync || !msync(map, CRASH_SIZE, MS_SYNC);
	munmap(map, CRASH_SIZE);
	return finish(fd, good);
}

/* The end of a is of blocks, of a hole, or unwritten. */
static int write_end(int flags, uint8_t value)
{
	struct stat st;

	if (stat(paths[A], &st))
		return errno;
	return write_at(A, flags, st.st_size - END, END, value);
}

/* The same through MAP_SYNC. */
static int store_end(uint8_t value, bool flush)
{
	int fd = open_at(A, O_RDWR);
	struct stat st;
	char *map;
	bool good;

	if (fd < 0 || fstat(fd, &st))
		return finish(fd, false);
	map = mmap(NULL, CRASH_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	if (map == MAP_FAILED)
		return finish(fd, false);
	memset(map + st.st_size - END, value, END);
	good = !flush || !power_flush(fd, map, st.st_size - END, END);
	munmap(map, CRASH_SIZE);
	return finish(fd, good);
}

static void stored_end(struct crash_file *file, uint8_t value, bool durable, bool done)
{
	off_t from = file->size - END, page;

	fill(file, from, file->size, value, durable && done);
	for (page = from / DXL_PAGE; done && page < pages(file->size); page++)
		file->block[page] = true;
}

/* Each operation: when it fits, what is done, what that promises. */
#define PROMISE(id, fits_if, call, effect)						\
static bool fits_##id(const struct crash_state *s) { return fits_if; }		\
static int run_##id(uint8_t value) { (void)value; return call; }		\
static void model_##id(struct crash_state *s, uint8_t value, bool done)		\
{ (void)s; (void)value; (void)done; effect; }

#define ERR(call) ((call) < 0 ? errno : 0)
#define HAS(which) (s->name[which] >= 0)

static int create(enum crash_name name)
{
	int fd = open_at(name, O_RDWR | O_CREAT | O_EXCL);

	return finish(fd, fd >= 0);
}

/* What names promise: nothing before it is done. */
static void add(struct crash_state *s, enum crash_name name, bool done)
{
	struct crash_file *file = &s->file[s->nr_files];

	if (!done)
		return;
	set_size(file, 0);
	s->name[name] = s->nr_files++;
}

static void name_as(struct crash_state *s, enum crash_name name, int file, bool done)
{
	if (done)
		s->name[name] = file;
}

static void move(struct crash_state *s, enum crash_name from, enum crash_name to, bool done)
{
	/* Names of one file: nothing happens. */
	if (!done || s->name[from] == s->name[to])
		return;
	s->name[to] = s->name[from];
	s->name[from] = -1;
}

static void swap(struct crash_state *s, enum crash_name from, enum crash_name to, bool done)
{
	int file = s->name[to];

	if (!done)
		return;
	s->name[to] = s->name[from];
	s->name[from] = file;
}

static void cut_to(struct crash_state *s, enum crash_name name, off_t size, bool done)
{
	if (done)
		set_size(file_of(s, name), size);
}

static int exchange(enum crash_name from, enum crash_name to)
{
	return ERR(renameat2(AT_FDCWD, paths[from], AT_FDCWD, paths[to], RENAME_EXCHANGE));
}

static void *other_task(void *arg)
{
	uint8_t *value = arg;

	*value = write_at(A, 0, 200, 4000, *value);
	return NULL;
}

/* The write of a task that never syncs. */
static int write_by_other(uint8_t value)
{
	pthread_t thread;

	must(!pthread_create(&thread, NULL, other_task, &value));
	must(!pthread_join(thread, NULL));
	return value;
}

static int change(enum crash_name name, int mode, off_t from, off_t len)
{
	int fd = open_at(name, O_RDWR);

	return finish(fd, fd >= 0 && !fallocate(fd, mode, from, len));
}

/* While it runs some pages are holes, and others are not. */
static void zero(struct crash_file *file, off_t from, off_t to, bool done)
{
	off_t page;

	for (page = pages(from); page < to / (off_t)DXL_PAGE; page++)
		file->block[page] = false;
	fill(file, from, to < file->size ? to : file->size, 0, done);
}

PROMISE(create, !HAS(B), create(B), add(s, B, done))
PROMISE(overwrite, size_of(s, A) >= 5000, write_at(A, 0, 96, 4904, value),
	put(file_of(s, A), 96, 4904, value, done))
PROMISE(append, HAS(A) && size_of(s, A) + 3000 <= CRASH_SIZE, write_at(A, O_APPEND, 0, 3000, value),
	put(file_of(s, A), size_of(s, A), 3000, value, done))
PROMISE(shrink, size_of(s, A) > 1000, ERR(truncate(paths[A], 1000)), cut_to(s, A, 1000, done))
PROMISE(grow, HAS(A) && size_of(s, A) < 9000, ERR(truncate(paths[A], 9000)),
	cut_to(s, A, 9000, done))
PROMISE(rename_ab, HAS(A), ERR(rename(paths[A], paths[B])), move(s, A, B, done))
PROMISE(rename_ba, HAS(B), ERR(rename(paths[B], paths[A])), move(s, B, A, done))
PROMISE(rename_ac, HAS(A), ERR(rename(paths[A], paths[C])), move(s, A, C, done))
PROMISE(exchange, HAS(A) && HAS(B), exchange(A, B), swap(s, A, B, done))
PROMISE(link, HAS(A) && !HAS(B), ERR(link(paths[A], paths[B])), name_as(s, B, s->name[A], done))
PROMISE(unlink_a, HAS(A), ERR(unlink(paths[A])), name_as(s, A, -1, done))
PROMISE(unlink_b, HAS(B), ERR(unlink(paths[B])), name_as(s, B, -1, done))
PROMISE(sync_a, HAS(A), sync_name(A), )
PROMISE(sync_b, HAS(B), sync_name(B), )
PROMISE(store, size_of(s, A) >= 5800, store_at(A, 4000, 1800, value, false),
	put(file_of(s, A), 4000, 1800, value, done))
PROMISE(store_sync, size_of(s, A) >= 900, store_at(A, 8, 800, value, true),
	put(file_of(s, A), 8, 800, value, done))
PROMISE(punch, size_of(s, A) > 1000,
	change(A, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1000, 7192),
	zero(file_of(s, A), 1000, 8192, done))
PROMISE(reserve, HAS(A) && size_of(s, A) < CRASH_SIZE, change(A, 0, 0, CRASH_SIZE),
	cut_to(s, A, CRASH_SIZE, done))
PROMISE(write_sync, HAS(A) && size_of(s, A) >= 5000, write_at(A, O_DSYNC, 5000, 2000, value),
	put(file_of(s, A), 5000, 2000, value, done))
PROMISE(write_o_sync, size_of(s, A) >= END, write_end(O_SYNC, value),
	stored_end(file_of(s, A), value, true, done))
PROMISE(map_sync, size_of(s, A) >= END, store_end(value, false),
	stored_end(file_of(s, A), value, false, done))
PROMISE(map_sync_flush, size_of(s, A) >= END, store_end(value, true),
	stored_end(file_of(s, A), value, true, done))
PROMISE(write_b, HAS(B), write_at(B, 0, 0, 5000, value), put(file_of(s, B), 0, 5000, value, done))
PROMISE(write_other, size_of(s, A) >= 4200, write_by_other(value),
	put(file_of(s, A), 200, 4000, value, done))
PROMISE(mkdir, !HAS(DIR_E), ERR(mkdir(paths[DIR_E], 0755)), name_as(s, DIR_E, CRASH_FILES, done))
PROMISE(rmdir, HAS(DIR_E), ERR(rmdir(paths[DIR_E])), name_as(s, DIR_E, -1, done))
PROMISE(symlink, !HAS(LINK_S), ERR(symlink("target", paths[LINK_S])),
	name_as(s, LINK_S, CRASH_FILES, done))

#define ROW_KIND(id, text, name, from, to, kind) \
	{ text, fits_##id, run_##id, model_##id, name, from, to, kind }
#define ROW(id, text, name) ROW_KIND(id, text, name, 0, CRASH_SIZE, CRASH_ORDINARY)
#define ROW_LAZY(id, text) ROW_KIND(id, text, -1, 0, 0, CRASH_LAZY)
#define ROW_AT_ONCE(id, text) ROW_KIND(id, text, -1, 0, 0, CRASH_AT_ONCE)

const struct crash_op crash_ops[] = {
	ROW(create, "create b", -1), ROW_LAZY(overwrite, "overwrite a"),
	ROW(append, "append a", -1), ROW(shrink, "shrink a", -1), ROW(grow, "grow a", -1),
	ROW(rename_ab, "rename a b", -1), ROW(rename_ba, "rename b a", -1),
	ROW(rename_ac, "rename a d/c", -1), ROW(exchange, "exchange a b", -1),
	ROW(link, "link a b", -1), ROW(unlink_a, "unlink a", -1), ROW(unlink_b, "unlink b", -1),
	ROW(sync_a, "fsync a", A), ROW(sync_b, "fsync b", B), ROW_LAZY(store, "store to a"),
	ROW(store_sync, "store to a, msync", A), ROW(punch, "punch a", -1),
	ROW(reserve, "fallocate a", -1),
	ROW_KIND(write_sync, "write a O_DSYNC", A, 5000, 7000, CRASH_AT_ONCE),
	ROW_AT_ONCE(write_o_sync, "write a O_SYNC"),
	ROW_AT_ONCE(map_sync, "store to a MAP_SYNC"),
	ROW_AT_ONCE(map_sync_flush, "store to a MAP_SYNC, flush"),
	ROW(write_b, "write b", -1), ROW_LAZY(write_other, "another task writes a"),
	ROW(mkdir, "mkdir e", -1), ROW(rmdir, "rmdir e", -1), ROW(symlink, "symlink s", -1),
};

const unsigned int crash_nr_ops = sizeof(crash_ops) / sizeof(*crash_ops);

void crash_begin(struct crash_state *state)
{
	enum crash_name name;

	must(!dxl_mount_fresh(NULL));
	must(!mkdir(DXL_MNT "/d", 0755) && !create(A));
	must(!write_at(A, 0, 0, FIRST, 1) && !sync_name(A));
	for (name = 0; name < CRASH_NAMES; name++)
		state->name[name] = -1;
	state->nr_files = 0;
	add(state, A, true);
	put(file_of(state, A), 0, FIRST, 1, true);
}

void crash_during(const struct crash_state *before, const struct crash_op *op, uint8_t value,
		  struct crash_state *begun, struct crash_state *ended)
{
	*begun = *before;
	*ended = *before;
	op->model(begun, value, false);
	op->model(ended, value, true);
}

void crash_after(struct crash_state *state, const struct crash_op *op, uint8_t value)
{
	struct crash_file *file;
	off_t i;

	op->model(state, value, true);
	if (op->syncs < 0)
		return;
	file = file_of(state, op->syncs);
	for (i = op->from; i < op->to && i < file->size; i++)
		file->may[i] = 1U << file->now[i];
}

static bool file_is(const struct crash_file *file, const char *path, char *why, size_t size)
{
	static uint8_t left[CRASH_SIZE + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : pread(fd, left, sizeof(left), 0), i;
	struct fiemap_extent extent;
	int page, lost = -1;

	for (page = 0; fd >= 0 && page < CRASH_PAGES; page++)
		if (file->block[page] && (!dxl_extent(fd, page * DXL_PAGE, &extent) ||
					  extent.fe_flags & FIEMAP_EXTENT_UNWRITTEN))
			lost = page;
	if (fd >= 0)
		close(fd);
	if (got != file->size) {
		snprintf(why, size, "%s has %zd bytes, not %lld", path, got, (long long)file->size);
		return false;
	}
	for (i = 0; i < got; i++) {
		if (left[i] < CRASH_VALUES && file->may[i] & 1U << left[i])
			continue;
		snprintf(why, size, "%s byte %zd is %u, which is none of %#x", path, i, left[i],
			 file->may[i]);
		return false;
	}
	if (lost < 0)
		return true;
	snprintf(why, size, "%s page %d is a hole", path, lost);
	return false;
}

static int names_in(const char *path)
{
	DIR *dir = opendir(path);
	int nr = 0;

	while (dir && readdir(dir))
		nr++;
	if (dir)
		closedir(dir);
	return nr - 2;
}

bool crash_is(const struct crash_state *state, char *why, size_t size)
{
	int names = 1, links, other, name;
	struct stat st, st2;

	for (name = 0; name < CRASH_NAMES; name++) {
		bool there = !lstat(paths[name], &st), expected = state->name[name] >= 0;

		if (there != expected) {
			snprintf(why, size, "%s is %sthere", paths[name], there ? "" : "not ");
			return false;
		}
		names += there && name != C;
		if (!there || state->name[name] == CRASH_FILES)
			continue;
		for (other = 0, links = 0; other < CRASH_NAMES; other++) {
			if (state->name[other] != state->name[name])
				continue;
			links++;
			if (lstat(paths[other], &st2) || st2.st_ino != st.st_ino) {
				snprintf(why, size, "%s and %s are two files", paths[name],
					 paths[other]);
				return false;
			}
		}
		if (st.st_nlink != (nlink_t)links) {
			snprintf(why, size, "%s has %lu links, not %d", paths[name],
				 (unsigned long)st.st_nlink, links);
			return false;
		}
		if (!file_is(&state->file[state->name[name]], paths[name], why, size))
			return false;
	}
	if (names_in(DXL_MNT) == names)
		return true;
	snprintf(why, size, "%d names, not %d", names_in(DXL_MNT), names);
	return false;
}
