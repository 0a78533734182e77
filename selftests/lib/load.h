/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Threads that use a file in every way while the device below fails: each error
 * must be EIO, each access that dies must die of SIGBUS, and nothing may hang.
 */
#ifndef LOAD_H
#define LOAD_H

#include <pthread.h>
#include <stdatomic.h>

#include "dax.h"

#define LOAD_SIZE	(2 * PMD)
#define LOAD_THREADS	3

/* A file of LOAD_SIZE; PMDs may map its first half, only PTEs its second one. */
struct load {
	int fd;
	bool page_cache;	/* it is not a file with DAX of ours */
	char *pmd, *pte;
	atomic_bool over;
	pthread_t thread[LOAD_THREADS];
};

static inline void load_map(struct load *load, int fd)
{
	load->fd = fd;
	load->pmd = map_pmd(fd, 0, PMD);
	load->pte = map_pte(fd, PMD, PMD);
}

static inline void load_unmap(struct load *load)
{
	munmap(load->pmd, PMD);
	munmap(load->pte, PMD);
	close(load->fd);
}

static inline void load_step(struct load *load, unsigned int what, off_t off)
{
	char *at = off < (off_t)PMD ? load->pmd + off : load->pte + off - PMD;
	char buf[PAGE] = {};
	ssize_t ret = 0;

	switch (what) {
	case 0 ... 3:
		ret = pread(load->fd, buf, PAGE, off);
		break;
	case 4 ... 7:
		ret = pwrite(load->fd, buf, PAGE, off);
		break;
	case 8:
		ret = fsync(load->fd);
		break;
	case 9:
		ret = msync(at, PAGE, MS_SYNC);
		break;
	case 10:
		ret = dont_need(load->pmd, PMD, load->page_cache) ?:
		      dont_need(load->pte, PMD, load->page_cache);
		/* A mapping on pmem is a VM_PFNMAP there, which refuses it. */
		if (ret && errno == EINVAL && dxl_kernel_since(6, 17))
			ret = 0;
		break;
	case 11:
		ret = fallocate(load->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, PAGE);
		break;
	case 12 ... 13:
		load_dies(at);
		break;
	default:
		store_dies(at, 1);
	}
	/* That is what fs/dax.c makes of a recovering write that fails. */
	must(ret >= 0 || errno == EIO || (what < 8 && errno == EFAULT));
}

static inline void *load_thread(void *arg)
{
	struct load *load = arg;
	unsigned int seed = gettid();

	while (!atomic_load(&load->over)) {
		unsigned int what = rand_r(&seed) % 16;

		load_step(load, what, rand_r(&seed) % (LOAD_SIZE / PAGE) * PAGE);
	}
	return NULL;
}

static inline void load_begin(struct load *load)
{
	int i;

	atomic_store(&load->over, false);
	for (i = 0; i < LOAD_THREADS; i++)
		must(!pthread_create(&load->thread[i], NULL, load_thread, load));
}

static inline void load_end(struct load *load)
{
	int i;

	atomic_store(&load->over, true);
	for (i = 0; i < LOAD_THREADS; i++)
		must(!pthread_join(load->thread[i], NULL));
}

#endif
