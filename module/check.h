/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The check at mount, inside: the walk over the map of one inode.
 */
#ifndef DXL_CHECK_H
#define DXL_CHECK_H

#include "fs.h"

/* A word of the map that points to data. */
struct dxl_check_leaf {
	u64 index;		/* first page */
	u64 block;
	unsigned long nr;	/* 1, or 512 for HUGE */
	bool unwritten;
};

/**
 * struct dxl_check_map - a walk over one map
 * @sbi: the mount
 * @ino: whose map
 * @root: the root word
 * @size: of the file
 * @nr_pages: below EOF
 * @mark: mark the blocks as used, and fail if they are; without, the walk is
 *	bounded by the size of the device
 * @leaf: called for each leaf, or NULL
 * @private: for @leaf
 * @found: out: pages below EOF that have blocks
 * @tail: out: there is data wholly beyond EOF that is not zero
 * @steps: blocks seen
 */
struct dxl_check_map {
	struct dxl_sb *sbi;
	u32 ino;
	u64 root;
	u64 size;
	u64 nr_pages;
	bool mark;
	int (*leaf)(struct dxl_check_map *map, const struct dxl_check_leaf *leaf);
	void *private;
	u64 found;
	bool tail;
	u64 steps;
};

int dxl_check_map(struct dxl_check_map *map);

/* Says what is wrong with an inode, and is -EUCLEAN. */
#define dxl_check_damaged(sbi, ino, fmt, ...)				\
({									\
	dxl_err((sbi)->sb, "inode %u is damaged: " fmt, ino, ##__VA_ARGS__); \
	-EUCLEAN;							\
})

#endif /* DXL_CHECK_H */
