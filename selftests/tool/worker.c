// SPDX-License-Identifier: GPL-2.0
/*
 * The side of a task of the team; worker.h says what must be kept in mind.
 */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#define STACK_SIZE	(256UL << 10)
#define MOST_IOVECS	1024

/* The process: what its tasks have in common. */
static struct {
	struct team *team;
	int session, file;
	char *at;		/* where the file is mapped, or NULL */
	size_t length;
	int flags;
	int pipe[2];
	int orphan;		/* or -1 */
} own;

static __thread sigjmp_buf bus_env;
static __thread struct iovec iovec[MOST_IOVECS];
static __thread unsigned long buffer[PAGE / sizeof(long)];

static void on_bus(int sig)
{
	siglongjmp(bus_env, sig);
}

static unsigned long *mapped(unsigned long page)
{
	return (unsigned long *)(own.at + page * PAGE);
}

static void fill_buffer(unsigned long value)
{
	size_t i;

	for (i = 0; i < PAGE / sizeof(long); i++)
		buffer[i] = value;
}

static int half_write(const struct deed *deed)
{
	fill_buffer(deed->value);
	return pwrite(own.file, buffer, PAGE / 2, deed->page * PAGE + PAGE / 2) < 0 ? -errno : 0;
}

static int filled_write(const struct deed *deed)
{
	unsigned long nr = deed->nr ?: 1, i;

	if (nr > MOST_IOVECS)
		return -EINVAL;
	fill_buffer(deed->value);
	for (i = 0; i < nr; i++)
		iovec[i] = (struct iovec){ buffer, PAGE };
	return pwritev(own.file, iovec, nr, deed->page * PAGE) < 0 ? -errno : 0;
}

static int new_mapping(void)
{
	void *map = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return -errno;
	return munmap(map, PAGE) ? -errno : 0;
}

static int say(const char *command)
{
	return write(own.session, command, strlen(command)) < 0 ? -errno : 0;
}

static int flush(unsigned long nr)
{
	char command[64];

	snprintf(command, sizeof(command), "flush %d %lu", own.file, nr ?: 1UL << 20);
	return say(command);
}

static int splice_page(void *page)
{
	struct iovec vec = { page, PAGE };

	return vmsplice(own.pipe[1], &vec, 1, SPLICE_F_NONBLOCK) < 0 ? -errno : 0;
}

/* What was the first word in the pipe, or 0. */
static int drain(unsigned long *value)
{
	bool first = true;

	*value = 0;
	while (read(own.pipe[0], buffer, PAGE) > 0) {
		if (first)
			*value = buffer[0];
		first = false;
	}
	return errno == EAGAIN ? 0 : -errno;
}

/* The room stays, for the next mapping. */
static int unmap(void)
{
	return mmap(own.at, own.length, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) ==
	       MAP_FAILED ? -errno : 0;
}

/* A file that only this process has, and of it a page in the pipe. */
static int make_orphan(unsigned long value)
{
	volatile unsigned long *map;
	int err;

	own.orphan = openat(own.team->files.nursery, "orphan",
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (own.orphan < 0 || unlinkat(own.team->files.nursery, "orphan", 0) ||
	    ftruncate(own.orphan, PAGE))
		return -errno;
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, own.orphan, 0);
	if (map == MAP_FAILED)
		return -errno;
	*map = value;
	err = splice_page((void *)map);
	munmap((void *)map, PAGE);
	return err;
}

static int end_orphan(void)
{
	int fd = own.orphan;

	own.orphan = -1;
	return close(fd) ? -errno : 0;
}

static int see_frame(unsigned long page, unsigned long *word)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, word, sizeof(*word), (uintptr_t)mapped(page) / PAGE * sizeof(*word));
	if (got != sizeof(*word))
		err = got < 0 ? -errno : -EIO;
	close(fd);
	return err;
}

static int do_deed(const struct deed *deed, unsigned long *value)
{
	off_t at = deed->page * PAGE, length = (deed->nr ?: 1) * PAGE;

	switch (deed->kind) {
	case LOAD:
		*value = *(volatile unsigned long *)mapped(deed->page);
		return 0;
	case STORE:
		*(volatile unsigned long *)mapped(deed->page) = deed->value;
		return 0;
	case WRITE:
		return filled_write(deed);
	case WRITE_HALF:
		return half_write(deed);
	case WRITE_FROM_MAP:
		return pwrite(own.file, mapped(deed->from), PAGE, at) < 0 ? -errno : 0;
	case READ:
		return pread(own.file, value, sizeof(*value), at) < 0 ? -errno : 0;
	case FSYNC:
		return fsync(own.file) ? -errno : 0;
	case MSYNC:
		return msync(mapped(deed->page), length, MS_SYNC) ? -errno : 0;
	case PUNCH:
		return fallocate(own.file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at,
				 length) ? -errno : 0;
	case TRUNCATE:
		return ftruncate(own.file, at) ? -errno : 0;
	case FADVISE:
		return -posix_fadvise(own.file, 0, 0, POSIX_FADV_DONTNEED);
	case DONTNEED:
		return madvise(mapped(deed->page), length, MADV_DONTNEED) ? -errno : 0;
	case MMAP:
		return new_mapping();
	case FLUSH:
		return flush(deed->nr);
	case DIRECT:
		return pread(own.team->files.sink, mapped(deed->page), PAGE, 0) < 0 ? -errno : 0;
	case VMSPLICE:
		return splice_page(mapped(deed->page));
	case DRAIN:
		return drain(value);
	case MUNMAP:
		return unmap();
	case ORPHAN:
		return make_orphan(deed->value);
	case ORPHAN_END:
		return end_orphan();
	case FRAME:
		return see_frame(deed->page, value);
	default:
		return -EINVAL;
	}
}

/* What "begin" says is what the cache is told. */
static int on_cache(const char *begin)
{
	const char *command = begin + strlen("begin cache ");

	return write(own.team->files.cache, command, strlen(command)) < 0 ? -errno : 0;
}

static int bounded_deed(struct slot *slot)
{
	if (sigsetjmp(bus_env, 1))
		return -EFAULT;
	if (slot->deed.kind >= CACHE_ADD)
		return on_cache(slot->begin);
	return do_deed(&slot->deed, &slot->value);
}

static int join(const struct role_spec *spec)
{
	char command[64] = "role ";

	strncat(command, spec->name, sizeof(command) - strlen(command) - 1);
	return say(command);
}

static int map_again(void)
{
	unsigned long value;

	/* Of an earlier run that was not played to its end. */
	drain(&value);
	if (!own.length)
		return 0;
	return mmap(own.at, own.length, PROT_READ | PROT_WRITE, own.flags | MAP_FIXED, own.file,
		    0) == MAP_FAILED ? -errno : 0;
}

static void carry_out(struct slot *slot, const struct role_spec *spec, unsigned int given)
{
	slot->error = 0;
	slot->session_error = 0;
	switch (slot->order) {
	case ORDER_JOIN:
		slot->session_error = -join(spec);
		break;
	case ORDER_MAP:
		slot->error = -map_again();
		break;
	case ORDER_DEED:
		slot->session_error = -say(slot->begin);
		counter_set(&slot->begun, given);
		if (slot->session_error)
			break;
		slot->error = -bounded_deed(slot);
		slot->session_error = -say("end");
		break;
	case ORDER_LEAVE:
		_exit(0);
	}
}

static void *serve(void *number)
{
	unsigned int role = (uintptr_t)number, given, done;
	struct slot *slot = &own.team->slot[role];

	prctl(PR_SET_NAME, own.team->scenario->role[role].name);
	for (done = 0;; done = given) {
		while ((given = atomic_load(&slot->given)) == done)
			counter_wait(&slot->given, done, 0);
		carry_out(slot, &own.team->scenario->role[role], given);
		counter_set(&slot->done, given);
	}
	return NULL;
}

/* Room for the mapping, at an address with the colour that was asked for. */
static int reserve(enum mapping kind, size_t length)
{
	static const size_t skew[] = {
		[MAP_PTES] = PAGE, [MAP_MISALIGNED] = PMD / 2, [MAP_PRIVATE_PMDS] = 0,
	};
	char *area;

	if (kind == MAP_NONE)
		return 0;
	/* A page table that others share would outlive the mapping. */
	own.length = (length + PMD - 1) & ~(PMD - 1);
	area = mmap(NULL, own.length + 3 * PMD, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;
	own.at = (char *)(((uintptr_t)area + PMD - 1) & ~(PMD - 1)) + PMD + skew[kind];
	own.flags = kind == MAP_PRIVATE_PMDS ? MAP_PRIVATE : MAP_SHARED;
	return 0;
}

static int start_sharer(unsigned int role)
{
	pthread_attr_t attr;
	pthread_t thread;
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (stack == MAP_FAILED)
		return -errno;
	pthread_attr_init(&attr);
	pthread_attr_setstack(&attr, stack, STACK_SIZE);
	return -pthread_create(&thread, &attr, serve, (void *)(uintptr_t)role);
}

/*
 * khugepaged writes the mmap_lock of whose memory it makes huge, and stands there
 * in line between a role that holds it and one that wants it.
 */
static void keep_khugepaged_away(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2)
			madvise((void *)from, to - from, MADV_NOHUGEPAGE);
	if (maps)
		fclose(maps);
}

/* Have the pages of a stack that is deep enough for anything here. */
static void __attribute__((noinline)) touch_stack(void)
{
	volatile char deep[64 << 10];
	size_t i;

	for (i = 0; i < sizeof(deep); i += PAGE)
		deep[i] = 0;
}

void worker_main(struct team *team, unsigned int role, int session)
{
	const struct scenario *s = team->scenario;
	struct sigaction bus = { .sa_handler = on_bus };
	pid_t parent = getppid();
	unsigned int i;
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* ^C is the tool's: it lets us go in order. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	sigaction(SIGBUS, &bus, NULL);

	own.team = team;
	own.session = session;
	own.file = team->files.file;
	own.orphan = -1;
	touch_stack();
	if (pipe2(own.pipe, O_NONBLOCK))
		_exit(errno);
	err = reserve(s->role[role].map, (s->pages ?: 2 * PMD_PAGES) * PAGE);
	for (i = 0; i < team->nr && !err; i++)
		if (s->role[i].shares && !strcmp(s->role[i].shares, s->role[role].name))
			err = start_sharer(i);
	keep_khugepaged_away();
	if (!err && mlockall(MCL_CURRENT))
		err = -errno;
	if (err)
		_exit(-err);
	serve((void *)(uintptr_t)role);
	_exit(0);
}
