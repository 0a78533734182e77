// SPDX-License-Identifier: GPL-2.0
/*
 * Shrinking the block map: blocks leave it, empty nodes are freed
 *
 * A pointer is gone durably before what it led to is free. Data blocks become
 * free only when the caller says that nothing maps them; nodes at once, since
 * the caller excludes all readers of the map.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "map.h"

#include <linux/string.h>

/**
 * struct dxl_path - the nodes from the root down to the end of a walk
 * @index: the page that was looked for
 * @top: level of the root, 0: nothing there
 * @level: of the last node
 * @node: by level
 * @block: where these nodes are
 */
struct dxl_path {
	pgoff_t index;
	unsigned int top;
	unsigned int level;
	__le64 *node[DXL_MAP_MAX_LEVEL + 1];
	u64 block[DXL_MAP_MAX_LEVEL + 1];
};

static int dxl_map_path(struct inode *inode, pgoff_t index,
			struct dxl_path *path)
{
	struct dxl_walk walk;
	unsigned int level;
	u64 word;
	int err;

	/* Checks all that the way down relies on. */
	err = dxl_map_walk(inode, index, &walk);
	if (err)
		return err;
	path->index = index;
	path->top = walk.node ? dxl_root_level(DXL_I(inode)->root) : 0;
	path->level = walk.level;
	word = DXL_I(inode)->root;
	for (level = path->top; level && level >= walk.level; level--) {
		path->block[level] = dxl_word_block(word);
		path->node[level] = dxl_map_node(inode, word);
		word = dxl_node_read(path->node[level],
				     dxl_level_slot(index, level));
	}
	return 0;
}

static bool dxl_cut_add(struct dxl_cut *cut, u64 block, unsigned long nr)
{
	unsigned int last = cut->nr - 1;

	if (cut->nr && cut->run[last].block + cut->run[last].nr == block) {
		cut->run[last].nr += nr;
		return true;
	}
	if (cut->nr == DXL_CUT_MAX)
		return false;
	cut->run[cut->nr].block = block;
	cut->run[cut->nr].nr = nr;
	cut->nr++;
	return true;
}

/* Free the nodes at the end of a path that have become empty. */
static void dxl_cut_prune(struct inode *inode, const struct dxl_path *path)
{
	struct dxl_inode *di = DXL_I(inode);
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	unsigned int level;

	for (level = path->level; level <= path->top; level++) {
		u64 root = di->root;

		if (memchr_inv(path->node[level], 0, DXL_BLOCK_SIZE))
			return;
		if (level < path->top) {
			unsigned int slot = dxl_level_slot(path->index,
							   level + 1);

			/* The record may still have this node for the root. */
			if (dxl_slot_is_owed(inode, true) &&
			    dxl_slot_write(inode))
				return;
			dxl_media_store(&sbi->media,
					path->node[level + 1] + slot, 0);
			dxl_media_fence(&sbi->media);
		} else {
			WRITE_ONCE(di->root, 0);
			/* An empty root is good too, if it must stay. */
			if (dxl_slot_write(inode)) {
				WRITE_ONCE(di->root, root);
				/* A sync may have stored the empty one. */
				mark_inode_dirty(inode);
				return;
			}
		}
		dxl_balloc_free(sbi, path->block[level], 1);
		inode_sub_bytes(inode, DXL_BLOCK_SIZE);
	}
}

/*
 * Cut pages that the last node of a path stands for. Return: 0 when the end of
 * the node, the end of the range or a lower node is reached; 1 when @cut is
 * full; -ENOSPC.
 */
static int dxl_cut_node(struct inode *inode, const struct dxl_path *path,
			pgoff_t *next, pgoff_t last, struct dxl_cut *cut)
{
	struct dxl_media *media = dxl_media_of(inode);
	__le64 *node = path->node[path->level];
	unsigned long span = 1UL << dxl_level_shift(path->level);
	unsigned int slot = dxl_level_slot(path->index, path->level);
	bool removed = false;
	int ret = 0;

	for (; slot < DXL_MAP_WORDS && *next <= last; slot++) {
		u64 word = dxl_node_read(node, slot);
		pgoff_t end = *next | (span - 1);

		if (!dxl_word_ends(word, path->level))
			break;
		if (word & DXL_MAP_VALID) {
			if ((*next & (span - 1)) || end > last) {
				ret = dxl_map_split(inode, node + slot, 0, 0);
				break;
			}
			if (!dxl_cut_add(cut, dxl_word_block(word), span)) {
				ret = 1;
				break;
			}
			dxl_media_store(media, node + slot, 0);
			removed = true;
		}
		*next = end + 1;
	}
	if (removed) {
		/* Before anything that was cut off is free for others. */
		dxl_media_fence(media);
		dxl_cut_prune(inode, path);
	}
	return ret;
}

/**
 * dxl_map_cut() - Detach blocks from the map.
 * @inode: the file
 * @next: first page to look at; receives the page to go on with, beyond @last
 *	when all is done
 * @last: last page, below ULONG_MAX
 * @cut: receives blocks, as long as there is room; the caller removes entries
 *	and mappings of these pages, then calls dxl_map_free_cut()
 *
 * The change is durable on return.
 *
 * Context: May sleep; i_rwsem and invalidate_lock exclusively, or the inode is
 * being evicted. Inside dxl_media_enter(). Takes map_lock, and slot_lock inside.
 * Return: 0; -EIO or -ENOSPC if nothing was detached in this call.
 */
int dxl_map_cut(struct inode *inode, pgoff_t *next, pgoff_t last,
		struct dxl_cut *cut)
{
	struct dxl_inode *di = DXL_I(inode);
	struct dxl_path path;
	int ret = 0;

	/* Against fallocate() and faults in the part of the file that stays. */
	mutex_lock(&di->map_lock);
	while (!ret && *next <= last) {
		ret = dxl_map_path(inode, *next, &path);
		if (ret)
			break;
		if (!path.top) {
			*next = last + 1;
			break;
		}
		ret = dxl_cut_node(inode, &path, next, last, cut);
	}
	mutex_unlock(&di->map_lock);
	return cut->nr ? 0 : min(ret, 0);
}

/*
 * Pages that somebody has pinned (O_DIRECT, vmsplice) outlive their mappings,
 * and must not become another file's. Truncate and punch have waited for them
 * where one can (layout.h); an eviction does not wait, and in our own memory nobody
 * tells when a pin is gone. Such blocks stay in use until somebody needs them and
 * finds that they are not pinned any more. In our own memory one pin holds its
 * whole chunk.
 */
static void dxl_cut_free_unpinned(struct inode *inode, u64 block,
				  unsigned long nr)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	u64 end = block + nr, first = block;

	for (; block < end; block++) {
		if (!dxl_media_pinned(&sbi->media, block))
			continue;
		if (dxl_watched() || dxl_varied())
			dxl_layout_keeps(inode, block);
		dxl_balloc_keep(sbi, block);
		if (first < block)
			dxl_balloc_free(sbi, first, block - first);
		first = block + 1;
	}
	if (first < end)
		dxl_balloc_free(sbi, first, end - first);
}

/**
 * dxl_map_free_run() - Free adjacent blocks that have left the map.
 * @inode: the file
 * @block: first of them
 * @nr: how many
 *
 * Context: Any process context; nothing maps the blocks any more.
 */
void dxl_map_free_run(struct inode *inode, u64 block, unsigned long nr)
{
	dxl_cut_free_unpinned(inode, block, nr);
	inode_sub_bytes(inode, (loff_t)nr << DXL_BLOCK_SHIFT);
}

/**
 * dxl_map_lose_run() - Do not free them: something may still map them.
 * @inode: the file
 * @block: first of them
 * @nr: how many
 *
 * They stay in use until the next mount, which counts anew what is free.
 *
 * Context: Any context.
 */
void dxl_map_lose_run(struct inode *inode, u64 block, unsigned long nr)
{
	dxl_info_ratelimited(inode->i_sb,
			     "inode %lu: %lu blocks from %llu may be in use: not free until the next mount",
			     dxl_ino(inode), nr, block);
	inode_sub_bytes(inode, (loff_t)nr << DXL_BLOCK_SHIFT);
}

/**
 * dxl_map_free_cut() - Free what dxl_map_cut() detached.
 * @inode: the file
 * @cut: emptied
 *
 * Context: Any process context; nothing maps the blocks any more.
 */
void dxl_map_free_cut(struct inode *inode, struct dxl_cut *cut)
{
	unsigned int i;

	dxl_balloc_reap(DXL_SB(inode->i_sb));
	for (i = 0; i < cut->nr; i++)
		dxl_map_free_run(inode, cut->run[i].block, cut->run[i].nr);
	cut->nr = 0;
}
