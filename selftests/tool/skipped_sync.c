// SPDX-License-Identifier: GPL-2.0
/*
 * A sync that skips a page: seen from user space, with nothing forced.
 *
 * On a DAX file one thread stores to a page, syncs, and stores to it again. A sync
 * that has flushed a page has made its mappings read-only before, so the second
 * store must take a minor fault: one that takes none was not write-protected, and
 * so its page not flushed, though the sync returned 0. A second thread reads the
 * page through a mapping of its own and gives it back (MADV_DONTNEED), in a loop:
 * its faults lock the page's DAX entry for a moment, and dax_writeback_one() passes
 * locked entries. Controls: no second thread; a second thread on another page.
 *
 * It needs nothing but this file:
 *	cc -O2 -D_GNU_SOURCE -pthread -DSKIPPED_SYNC_ALONE -o skipped_sync skipped_sync.c
 *	mount -o dax=always /dev/pmem0 /mnt && ./skipped_sync /mnt/file
 */
#include "skipped_sync.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define PAGE_BYTES	4096UL
#define PAGES		16UL	/* too few for a huge page */
#define CONTENDED	5
#define ELSEWHERE	9

struct rival {
	char *page;
	atomic_bool over;
	atomic_ulong rounds;
};

static void *play_rival(void *arg)
{
	struct rival *rival = arg;

	while (!atomic_load(&rival->over)) {
		(void)*(volatile char *)rival->page;
		atomic_fetch_add(&rival->rounds, 1);
		if (madvise(rival->page, PAGE_BYTES, MADV_DONTNEED))
			break;
	}
	return NULL;
}

static long minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt;
}

static int one_sync(int fd, char *page, enum skipped_call call)
{
	switch (call) {
	case SKIPPED_FSYNC:
		return fsync(fd);
	case SKIPPED_FDATASYNC:
		return fdatasync(fd);
	case SKIPPED_MSYNC:
		return msync(page, PAGE_BYTES, MS_SYNC);
	}
	return 0;
}

static int store_and_sync(int fd, char *page, enum skipped_call call, unsigned long nr,
			  const volatile int *stop, struct skipped *skipped)
{
	volatile char *word = page;
	long before;

	/* What this thread touches for the first time is not to be counted. */
	minor_faults();
	for (; skipped->syncs < nr && !*stop; skipped->syncs++) {
		*word += 1;
		if (one_sync(fd, page, call))
			return -errno;
		before = minor_faults();
		*word += 1;
		skipped->missed += minor_faults() == before;
	}
	return 0;
}

int skipped_sync(int fd, enum skipped_call call, enum skipped_rival kind, unsigned long nr,
		 const volatile int *stop, struct skipped *skipped)
{
	struct rival rival = {};
	char *map, *other;
	pthread_t thread;
	int err = 0;

	*skipped = (struct skipped){};
	map = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	other = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	if (other == MAP_FAILED) {
		err = -errno;
		goto unmap;
	}
	rival.page = other + (kind == RIVAL_SAME ? CONTENDED : ELSEWHERE) * PAGE_BYTES;
	if (kind != RIVAL_NONE) {
		err = -pthread_create(&thread, NULL, play_rival, &rival);
		if (err)
			goto unmap_other;
	}
	/* From the start, or its rounds may all come after the last sync. */
	while (kind != RIVAL_NONE && !atomic_load(&rival.rounds) && !*stop)
		sched_yield();
	err = store_and_sync(fd, map + CONTENDED * PAGE_BYTES, call, nr, stop, skipped);
	if (kind != RIVAL_NONE) {
		atomic_store(&rival.over, true);
		pthread_join(thread, NULL);
		/* A control in which the rival did nothing shows nothing. */
		if (!err && !atomic_load(&rival.rounds))
			err = -EAGAIN;
	}
unmap_other:
	munmap(other, PAGES * PAGE_BYTES);
unmap:
	munmap(map, PAGES * PAGE_BYTES);
	return err;
}

#ifdef SKIPPED_SYNC_ALONE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	static const char *const names[] = {
		"nobody else", "another thread on page 9", "another thread on page 5",
	};
	static char zeroes[PAGES * PAGE_BYTES];
	const volatile int never = 0;
	struct skipped skipped;
	int fd, i, err;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE (which is made, on a DAX mount)\n", argv[0]);
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || pwrite(fd, zeroes, sizeof(zeroes), 0) != sizeof(zeroes) || fsync(fd)) {
		perror(argv[1]);
		return 1;
	}
	for (i = RIVAL_NONE; i <= RIVAL_SAME; i++) {
		err = skipped_sync(fd, SKIPPED_FSYNC, i, 20000, &never, &skipped);
		printf("%-26s %lu syncs, %lu missed%s%s\n", names[i], skipped.syncs,
		       skipped.missed, err ? ": " : "", err ? strerror(-err) : "");
	}
	unlink(argv[1]);
	return 0;
}
#endif
