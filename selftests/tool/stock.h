/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file on a stock filesystem, in DAX mode, to play on.
 */
#ifndef DAXLAB_STOCK_H
#define DAXLAB_STOCK_H

#include <limits.h>
#include <stdbool.h>

struct stock {
	char fs[16];		/* "ext4" */
	char dev[PATH_MAX];	/* what is mounted, or "" */
	char dir[PATH_MAX];	/* where */
	bool mounted;		/* by us */
	int fd;			/* the file: it has no name */
	const char *without;	/* a function of the kernel that is not to be hooked, or NULL */
};

/*
 * @mount: a directory on a filesystem that is mounted, or NULL: mount @dev, out of
 * sight, after a mkfs if it is blank or @format. Says why on stderr if it cannot;
 * stock_close() is right in any case.
 */
bool stock_open(struct stock *stock, const char *fs, const char *dev, const char *mount,
		bool format);
void stock_close(struct stock *stock);

/* A new file of @pages written and flushed pages in place of ->fd: 0 or -errno. */
int stock_fresh(struct stock *stock, unsigned long pages);

#endif
