/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the C tests share: the module, a fresh filesystem, files and mappings
 * on it, and its counters. Everything returns -1 with errno set on failure
 * unless it says otherwise.
 */
#ifndef DAXLAB_SELFTEST_H
#define DAXLAB_SELFTEST_H

#include <linux/fiemap.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define DXL_DEV		"/dev/daxlab0"
#define DXL_MNT		"/mnt/daxlab"
#define DXL_DEBUGFS	"/sys/kernel/debug/daxlab"

#define DXL_PAGE	4096UL
#define DXL_PMD		(2UL << 20)

/* The linker puts the second in place of alarm(), which is the first then. */
unsigned int __real_alarm(unsigned int seconds);
unsigned int __wrap_alarm(unsigned int seconds);

/* The runner names the module's file; it loads it too, with needs=module. */
int dxl_load(const char *params);
int dxl_unload(void);

/* Is this kernel, by its name, that version or a newer one? */
bool dxl_kernel_since(unsigned int major, unsigned int minor);

/* Does the runner want the files in page-cache mode ("modes" in tests.sh)? */
bool dxl_page_cache(void);

/* Mount DXL_DEV on DXL_MNT, its files in the mode of the run. */
int dxl_mount(const char *options);

/* Format DXL_DEV, mount it on DXL_MNT. @options adds to "format", may be NULL. */
int dxl_mount_fresh(const char *options);
int dxl_umount(void);

/* Open a new file of @size bytes on DXL_MNT: a hole, or allocated blocks. */
int dxl_file_sparse(const char *name, off_t size);
int dxl_file_allocated(const char *name, off_t size);

/* The extent that has a page of a file. Returns false if it is a hole. */
bool dxl_extent(int fd, off_t page, struct fiemap_extent *extent);

/*
 * Map @length of @fd at an address that is @skew bytes past a multiple of
 * 2 MiB. A skew of 0 and a 2 MiB-aligned offset allow huge mappings; a skew of
 * one page rules them out. MAP_FAILED on failure.
 */
void *dxl_mmap(int fd, off_t offset, size_t length, int prot, int flags, size_t skew);

/* A counter of DXL_DEBUGFS/stats. Ends the process if there is none of that name. */
unsigned long long dxl_stat(const char *name);

/* All counters at one time, and how much one has grown since. */
struct dxl_stats {
	char text[8192];
};

void dxl_stats(struct dxl_stats *stats);
unsigned long long dxl_grown(const struct dxl_stats *since, const char *name);

/* Set all counters to zero. */
int dxl_stats_reset(void);

/* Write a line to the kernel log, to find one's place there. */
void dxl_log(const char *text);

#endif
