/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Map words and walks: what map.c, map_change.c, map_cut.c and map_swap.c share,
 * and nobody else.
 */
#ifndef DXL_MAP_H
#define DXL_MAP_H

#include "fs.h"

/* Pages that a map of the highest level covers. */
#define DXL_MAP_PAGES	(1UL << (DXL_MAP_MAX_LEVEL * DXL_MAP_WORDS_SHIFT))

/**
 * struct dxl_walk - where a walk from the root ended
 * @node: the node with the last word; NULL: there is no root, or the index
 *	lies beyond what it covers
 * @level: of @node, 1: its words are pages; the level of the root if no @node
 * @word: does not point to a node: a hole, a block or 512 blocks
 */
struct dxl_walk {
	__le64 *node;
	unsigned int level;
	u64 word;
};

static inline u64 dxl_word_block(u64 word)
{
	return word >> DXL_BLOCK_SHIFT;
}

static inline u64 dxl_word_make(u64 block, u64 flags)
{
	return (block << DXL_BLOCK_SHIFT) | flags;
}

/* Does a word of a node of @level end a walk, or point to a lower node? */
static inline bool dxl_word_ends(u64 word, unsigned int level)
{
	return level == 1 || !(word & DXL_MAP_VALID) ||
	       (level == 2 && (word & DXL_MAP_HUGE));
}

static inline unsigned int dxl_root_level(u64 root)
{
	return (root & DXL_MAP_LEVEL) >> DXL_MAP_LEVEL_SHIFT;
}

/* log2 of the pages that a word of a node of @level stands for. */
static inline unsigned int dxl_level_shift(unsigned int level)
{
	return (level - 1) * DXL_MAP_WORDS_SHIFT;
}

static inline unsigned int dxl_level_slot(pgoff_t index, unsigned int level)
{
	return (index >> dxl_level_shift(level)) & (DXL_MAP_WORDS - 1);
}

static inline u64 dxl_node_read(const __le64 *node, unsigned int slot)
{
	return le64_to_cpu(READ_ONCE(node[slot]));
}

/* The node that a word points to, NULL if the word or the media is bad. */
static inline __le64 *dxl_map_node(struct inode *inode, u64 word)
{
	const struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	u64 block = dxl_word_block(word);

	if (unlikely(block >= sbi->nr_blocks))
		return NULL;
	return dxl_media_addr(&sbi->media, block);
}

int dxl_map_walk(struct inode *inode, pgoff_t index, struct dxl_walk *walk);
int dxl_map_split(struct inode *inode, __le64 *at, unsigned int slot,
		  unsigned int nr);

#endif /* DXL_MAP_H */
