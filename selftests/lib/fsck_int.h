/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The check from user space, inside: fsck.c has records and directories,
 * fsck_map.c the block maps and the reading of blocks.
 */
#ifndef FSCK_INT_H
#define FSCK_INT_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>

#include "../../module/ondisk.h"
#include "fsck.h"

struct fsck_ino {
	uint16_t mode;		/* 0: free */
	bool named;		/* a directory that was reached */
	uint32_t nlink;		/* as the record has it */
	uint32_t want;		/* as directories have it */
	uint32_t next;		/* in the queue of directories */
	uint64_t size;
	uint64_t root;
};

struct fsck {
	int fd;
	FILE *out;
	struct fsck_report *report;
	bool cannot;		/* a block could not be read */
	uint64_t nr_blocks;
	uint64_t nr_inodes;
	uint64_t data_block;
	struct fsck_ino *ino;
	uint32_t *user;		/* of each block: whose it is, 0: free */
	uint32_t queue;		/* last directory in it */
	struct dxl_intent intent;
	unsigned int intent_seen;
};

/* A walk over the map of one inode. */
struct fsck_map {
	struct fsck *f;
	uint32_t ino;
	bool mark;		/* its blocks are in use */
	uint64_t found;		/* pages below EOF that have blocks */
	bool tail;		/* data beyond EOF */
	/* Each page below EOF that has a block. */
	void (*page)(struct fsck_map *map, uint64_t index, uint64_t block, bool unwritten);
};

void fsck_walk(struct fsck_map *map);
/* NULL if it cannot be read: reported. Good until freed. */
void *fsck_read(struct fsck *f, uint64_t block);
uint32_t fsck_crc(const void *data, size_t len);

__attribute__((format(printf, 2, 3)))
void fsck_error(struct fsck *f, const char *fmt, ...);
__attribute__((format(printf, 2, 3)))
void fsck_repair(struct fsck *f, const char *fmt, ...);

static inline uint64_t fsck_pages(uint64_t size)
{
	return (size + DXL_BLOCK_SIZE - 1) / DXL_BLOCK_SIZE;
}

#endif
