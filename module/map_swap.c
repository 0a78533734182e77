// SPDX-License-Identifier: GPL-2.0
/*
 * A page of the block map gets another block (knob write_map)
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "map.h"

/* The word of one page, which has a block; a HUGE word is split. */
static int dxl_map_word(struct inode *inode, pgoff_t index, __le64 **word)
{
	struct dxl_walk walk;
	int err;

	err = dxl_map_walk(inode, index, &walk);
	if (!err && walk.level > 1) {
		err = dxl_map_split(inode, walk.node +
				    dxl_level_slot(index, walk.level), 0, 0);
		if (!err)
			err = dxl_map_walk(inode, index, &walk);
	}
	if (!err)
		*word = walk.node + dxl_level_slot(index, 1);
	return err;
}

/**
 * dxl_map_swap() - Let the map have another block for a page.
 * @inode: the file
 * @index: the page; it has a block that is written
 * @block: which it shall have: in nobody's use, and what it holds is durable
 *
 * The change is durable on return. The old block is the caller's to free, once
 * nothing maps it.
 *
 * Context: May sleep; i_rwsem exclusively, inside dxl_media_enter(). Takes
 * map_lock.
 * Return: 0; -EIO or -ENOSPC, with nothing changed.
 */
int dxl_map_swap(struct inode *inode, pgoff_t index, u64 block)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_inode *di = DXL_I(inode);
	__le64 *word;
	int err;

	mutex_lock(&di->map_lock);
	err = dxl_map_word(inode, index, &word);
	if (!err) {
		dxl_media_store(media, word,
				dxl_word_make(block, DXL_MAP_VALID));
		dxl_media_fence(media);
		inode_add_bytes(inode, DXL_BLOCK_SIZE);
	}
	mutex_unlock(&di->map_lock);
	return err;
}
