/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Syncs that return and have not write-protected what was stored before them.
 */
#ifndef DAXLAB_SKIPPED_SYNC_H
#define DAXLAB_SKIPPED_SYNC_H

#include <stdbool.h>

enum skipped_call { SKIPPED_FSYNC, SKIPPED_FDATASYNC, SKIPPED_MSYNC };
enum skipped_rival { RIVAL_NONE, RIVAL_ELSEWHERE, RIVAL_SAME };

struct skipped {
	unsigned long syncs;	/* that returned 0 */
	unsigned long missed;	/* of these: the next store took no fault */
};

/*
 * @nr syncs of a file in DAX mode, whose first 16 pages are written: 0 or -errno,
 * with what was counted until then. *stop ends it early.
 */
int skipped_sync(int fd, enum skipped_call call, enum skipped_rival rival, unsigned long nr,
		 const volatile int *stop, struct skipped *skipped);

#endif
