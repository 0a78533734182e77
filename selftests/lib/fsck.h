/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The check of a filesystem from user space, which only reads: what the tool
 * prints as `daxlab fsck`, and tests confirm by.
 *
 * It shares with the module what lies on media (module/ondisk.h), and no code.
 */
#ifndef FSCK_H
#define FSCK_H

#include <stdint.h>
#include <stdio.h>

/* As fsck(8) ends. */
enum { FSCK_CLEAN = 0, FSCK_ERRORS = 4, FSCK_CANNOT = 8 };

/**
 * struct fsck_report - what was found
 * @errors: damage that no power cut explains; the filesystem will not be mounted
 * @repairs: what a power cut leaves, and the next writable mount puts right
 * @torn: slots of inodes whose other slot counts
 * @inodes: in use and named
 * @blocks: used, of data and of maps
 * @first: the first error or repair, for tests
 */
struct fsck_report {
	unsigned int errors;
	unsigned int repairs;
	unsigned int torn;
	unsigned long inodes;
	unsigned long blocks;
	char first[160];
};

/*
 * Check @path, a device or a file, which should not be mounted. What is found is
 * printed to @out unless that is NULL. Returns the exit status.
 */
int fsck_check(const char *path, FILE *out, struct fsck_report *report);

#endif
