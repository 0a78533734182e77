// SPDX-License-Identifier: GPL-2.0
/*
 * The check at mount: the map of one inode, word by word, on a stack of nodes.
 *
 * Levels only go down, and with marking no block is met twice, so a walk ends
 * whatever the words are.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "check.h"

#include <linux/sched/signal.h>

#define DXL_MAX_PAGES	(DXL_MAX_SIZE >> DXL_BLOCK_SHIFT)
#define DXL_MAP_BITS	(DXL_MAP_VALID | DXL_MAP_UNWRITTEN | DXL_MAP_HUGE | \
			 DXL_MAP_BLOCK)

/* A node on the way down. */
struct dxl_check_node {
	const __le64 *words;
	u64 index;		/* first page that the node covers */
	unsigned int next;
};

/* Pages that a word of this level covers, log2. */
static unsigned int dxl_word_shift(unsigned int level)
{
	return (level - 1) * DXL_MAP_WORDS_SHIFT;
}

static int dxl_check_blocks(struct dxl_check_map *map, u64 block, u64 nr)
{
	struct dxl_sb *sbi = map->sbi;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	map->steps += nr;
	if (block < sbi->data_block || block >= sbi->nr_blocks ||
	    nr > sbi->nr_blocks - block)
		return dxl_check_damaged(sbi, map->ino, "block %llu is out of range",
					 block);
	if (map->steps > sbi->nr_blocks)
		return dxl_check_damaged(sbi, map->ino, "it maps more than there is");
	if (map->mark && dxl_balloc_mark(sbi, block, nr))
		return dxl_check_damaged(sbi, map->ino, "block %llu is used twice",
					 block);
	return 0;
}

/* Would growing the file bring up old data? */
static bool dxl_check_tail(const struct dxl_check_map *map,
			   const struct dxl_check_leaf *leaf)
{
	u64 skip = map->nr_pages > leaf->index ? map->nr_pages - leaf->index : 0;
	unsigned long i;

	if (leaf->unwritten)
		return false;
	for (i = skip; i < leaf->nr; i++) {
		const void *addr = dxl_media_addr(&map->sbi->media,
						  leaf->block + i);

		if (addr && memchr_inv(addr, 0, DXL_BLOCK_SIZE))
			return true;
	}
	return false;
}

static int dxl_check_leaf(struct dxl_check_map *map,
			  const struct dxl_check_leaf *leaf)
{
	int err;

	if (leaf->index + leaf->nr > DXL_MAX_PAGES)
		return dxl_check_damaged(map->sbi, map->ino, "page %llu is beyond any file",
					 leaf->index);
	err = dxl_check_blocks(map, leaf->block, leaf->nr);
	if (err)
		return err;
	if (leaf->index < map->nr_pages)
		map->found += min_t(u64, leaf->nr, map->nr_pages - leaf->index);
	map->tail = map->tail || dxl_check_tail(map, leaf);
	return map->leaf ? map->leaf(map, leaf) : 0;
}

static int dxl_check_push(struct dxl_check_map *map,
			  struct dxl_check_node *node, u64 block, u64 index)
{
	int err = dxl_check_blocks(map, block, 1);

	if (err)
		return err;
	node->words = dxl_media_addr(&map->sbi->media, block);
	node->index = index;
	node->next = 0;
	if (node->words)
		return 0;
	dxl_err(map->sbi->sb, "inode %u: bad media at block %llu", map->ino,
		block);
	return -EIO;
}

/* What a word says, if it can be of a node of this level. */
static int dxl_check_word(struct dxl_check_map *map, u64 word,
			  unsigned int level, struct dxl_check_leaf *leaf)
{
	leaf->block = (word & DXL_MAP_BLOCK) >> DXL_BLOCK_SHIFT;
	leaf->unwritten = word & DXL_MAP_UNWRITTEN;
	leaf->nr = 0;
	if (word & ~DXL_MAP_BITS || !(word & DXL_MAP_VALID))
		goto damaged;
	if (level == 1 && !(word & DXL_MAP_HUGE)) {
		leaf->nr = 1;
		return 0;
	}
	if (level == 2 && word & DXL_MAP_HUGE &&
	    IS_ALIGNED(leaf->block, DXL_CHUNK_BLOCKS)) {
		leaf->nr = DXL_CHUNK_BLOCKS;
		return 0;
	}
	if (level > 1 && !(word & (DXL_MAP_HUGE | DXL_MAP_UNWRITTEN)))
		return 0;
damaged:
	return dxl_check_damaged(map->sbi, map->ino, "bad map word %#llx of level %u",
				 word, level);
}

/**
 * dxl_check_map() - Walk the map of an inode.
 * @map: the walk
 *
 * Context: Process context, at mount, inside a media section.
 * Return: 0, or an error that has been reported: -EUCLEAN, -EIO; or -EINTR.
 */
int dxl_check_map(struct dxl_check_map *map)
{
	struct dxl_check_node stack[DXL_MAP_MAX_LEVEL + 1];
	unsigned int top, level;
	int err;

	if (!map->root)
		return 0;
	top = (map->root & DXL_MAP_LEVEL) >> DXL_MAP_LEVEL_SHIFT;
	if (map->root & ~(DXL_MAP_VALID | DXL_MAP_LEVEL | DXL_MAP_BLOCK) ||
	    !(map->root & DXL_MAP_VALID) || !top || top > DXL_MAP_MAX_LEVEL)
		return dxl_check_damaged(map->sbi, map->ino, "bad root word %#llx",
					 map->root);
	level = top;
	err = dxl_check_push(map, &stack[level],
			     (map->root & DXL_MAP_BLOCK) >> DXL_BLOCK_SHIFT, 0);
	while (!err && level <= top) {
		struct dxl_check_node *node = &stack[level];
		struct dxl_check_leaf leaf;
		u64 word;

		if (node->next == DXL_MAP_WORDS) {
			level++;
			continue;
		}
		leaf.index = node->index +
			     ((u64)node->next << dxl_word_shift(level));
		word = le64_to_cpu(READ_ONCE(node->words[node->next++]));
		if (!word)
			continue;
		err = dxl_check_word(map, word, level, &leaf);
		if (err)
			break;
		if (leaf.nr) {
			err = dxl_check_leaf(map, &leaf);
		} else {
			level--;
			err = dxl_check_push(map, &stack[level], leaf.block,
					     leaf.index);
		}
	}
	return err;
}
