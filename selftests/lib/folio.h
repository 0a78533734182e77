/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folios of the page cache, as /proc shows them.
 */
#ifndef FOLIO_H
#define FOLIO_H

#include "dax.h"

/* Out of the cache with all that is clean. */
static inline void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	must(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
}

static inline uint64_t read_word(const char *path, off_t index)
{
	int fd = open(path, O_RDONLY);
	uint64_t word;

	must(fd >= 0 && pread(fd, &word, 8, index * 8) == 8);
	close(fd);
	return word;
}

/* Flags of the page at @p, which is mapped: 15 is KPF_COMPOUND_HEAD, 16 _TAIL. */
static inline uint64_t page_flags(const char *p)
{
	uint64_t entry = read_word("/proc/self/pagemap", (uintptr_t)p / PAGE);

	must(entry >> 63);
	return read_word("/proc/kpageflags", entry & ((1ULL << 55) - 1));
}

/* Is it a part of a large folio, and of which part? */
static inline bool is_large(const char *p)
{
	return page_flags(p) & (3 << 15);
}

static inline bool is_tail(const char *p)
{
	return page_flags(p) & (1 << 16);
}

#endif
