/* SPDX-License-Identifier: GPL-2.0 */
/*
 * On-media format: what lies in the device memory. Little endian, 4 KiB blocks.
 *
 *   block 0                superblock
 *   block 1                intent block: a redo list of 8-byte stores
 *   itable_block ...       inode table: one record of two slots per inode
 *   data_block ...         file data, directory data, symlinks, map nodes
 *
 * There is no allocation bitmap on media: mount walks the inodes, rebuilds the
 * bitmap and the link counts, and refuses the image if a pointer is out of
 * range or a block is used twice.
 *
 * Commit rule: whatever a pointer reaches is written and flushed before the
 * pointer is stored. A pointer is one aligned 8-byte store, which the hardware
 * does not tear; an inode is committed by the checksum of its newer slot.
 */
#ifndef DXL_ONDISK_H
#define DXL_ONDISK_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#endif
#include <linux/types.h>

#define DXL_MAGIC		0x013162616c786164ULL	/* "daxlab1\1" */
#define DXL_VERSION		1

#define DXL_BLOCK_SHIFT		12
#define DXL_BLOCK_SIZE		(1UL << DXL_BLOCK_SHIFT)
#define DXL_CHUNK_SHIFT		9	/* blocks in 2 MiB, log2 */
#define DXL_CHUNK_BLOCKS	(1UL << DXL_CHUNK_SHIFT)

#define DXL_SUPER_BLOCK		0
#define DXL_INTENT_BLOCK	1
#define DXL_ITABLE_BLOCK	2
#define DXL_MIN_BLOCKS		(2 * DXL_CHUNK_BLOCKS)	/* 4 MiB */
#define DXL_BLOCKS_PER_INODE	16

#define DXL_ROOT_INO		1	/* record 0 of the table stays unused */
#define DXL_MAX_SIZE		(1ULL << 40)	/* bytes in a file */
#define DXL_NAME_MAX		255

struct dxl_super {
	__le64	magic;
	__le32	version;
	__le32	features;		/* none defined: any bit set is foreign */
	__le64	nr_blocks;
	__le64	itable_block;
	__le64	nr_inodes;		/* records in the table, with record 0 */
	__le64	data_block;		/* first block after the table */
	__u8	uuid[16];
	__le64	format_time;		/* ns since the epoch */
	__u8	reserved[180];
	__le32	crc;			/* crc32c of all bytes before it */
};

/*
 * A map word points from a map node (or from the inode: the root) to a block.
 * Map nodes are one block of 512 words; a node of level 1 holds data blocks,
 * one of level n + 1 holds nodes of level n. At level 2, where a word covers
 * 2 MiB, HUGE says that it points to 512 adjacent data blocks, the first
 * aligned to 512, and not to a node. The root word carries the level of the
 * node it points to, so that pointer and level change in one store.
 */
#define DXL_MAP_VALID		0x001ULL
#define DXL_MAP_UNWRITTEN	0x002ULL	/* allocated, reads as zeroes */
#define DXL_MAP_HUGE		0x004ULL
#define DXL_MAP_LEVEL		0x700ULL	/* root only: 1..4 */
#define DXL_MAP_LEVEL_SHIFT	8
#define DXL_MAP_BLOCK		(~0xfffULL)	/* byte offset of the block */
#define DXL_MAP_WORDS		512
#define DXL_MAP_WORDS_SHIFT	9
#define DXL_MAP_MAX_LEVEL	4

/* One state of an inode. Two slots each: the valid one of higher seq counts. */
struct dxl_slot {
	__le64	seq;			/* 0: never written */
	__le32	ino;
	__le16	mode;			/* 0: the inode is free */
	__le16	pad;
	__le32	uid;
	__le32	gid;
	__le32	nlink;
	__le32	flags;			/* FS_*_FL of linux/fs.h */
	__le32	generation;
	__le32	rdev;			/* new_encode_dev() */
	__le64	size;
	__le64	root;			/* map word with level, or 0 */
	__le64	atime;			/* ns since the epoch, signed */
	__le64	mtime;
	__le64	ctime;
	__le64	btime;
	__u8	reserved[32];
	__le32	reserved2;
	__le32	crc;			/* crc32c of all bytes before it */
};

struct dxl_inode_record {
	struct dxl_slot slot[2];
};

/*
 * A directory is a file of these records; "." and ".." are not stored. An entry
 * exists if and only if "ino" is not 0: that word is stored last on insertion
 * and zeroed first on removal. The type is kept beside the number so that both
 * change in one store.
 */
struct dxl_dirent {
	__le64	ino;			/* number | DT_* type << 56; 0: free */
	__le32	crc;			/* crc32c from len to the end of the name */
	__u8	len;
	__u8	pad[3];
	__u8	name[256];
};

#define DXL_DIRENT_TYPE_SHIFT	56
#define DXL_DIRENT_INO		((1ULL << DXL_DIRENT_TYPE_SHIFT) - 1)
#define DXL_DIRENTS_PER_BLOCK	15	/* the last 16 bytes stay zero */

/*
 * The intent block makes several 8-byte stores atomic (rename). Stores are
 * listed first, then the header with its checksum commits them; mount carries
 * out a valid list again and clears it.
 */
struct dxl_intent_op {
	__le64	pos;			/* byte offset on the device */
	__le64	val;
};

#define DXL_INTENT_OPS		8

struct dxl_intent {
	__le32	nr;			/* 0: nothing to redo */
	__le32	crc;			/* crc32c of seq and op[0..nr) */
	__le64	seq;
	struct dxl_intent_op op[DXL_INTENT_OPS];
};

static_assert(sizeof(struct dxl_super) == 256);
static_assert(sizeof(struct dxl_slot) == 128);
static_assert(sizeof(struct dxl_dirent) == 272);
static_assert(sizeof(struct dxl_dirent) * DXL_DIRENTS_PER_BLOCK <= DXL_BLOCK_SIZE);

#endif /* DXL_ONDISK_H */
