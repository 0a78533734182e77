// SPDX-License-Identifier: GPL-2.0
/*
 * Growing the block map: holes become blocks, unwritten blocks become data
 *
 * Whatever a word is going to point to is filled, flushed and fenced before;
 * then one aligned 8-byte store makes it part of the map, for lockless readers
 * and for the next mount alike. What was not linked goes back to the free
 * blocks. Nodes are taken before data, so that the last block is of use too.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "map.h"
#include "compat.h"
#include "selftest.h"

#include <linux/mm.h>
#include <linux/sched.h>

/* Pages from which on a request or a file is taken to become large. */
#define DXL_LARGE_REQUEST	(DXL_CHUNK_BLOCKS / 4)
#define DXL_LARGE_SIZE		(DXL_CHUNK_BLOCKS << DXL_BLOCK_SHIFT)

/**
 * struct dxl_graft - nodes in the making: a chain, each points to the one before
 * @nr: how many
 * @block: where they are, lowest level first
 */
struct dxl_graft {
	unsigned int nr;
	u64 block[DXL_MAP_MAX_LEVEL];
};

static void dxl_graft_drop(struct dxl_sb *sbi, struct dxl_graft *graft)
{
	while (graft->nr)
		dxl_balloc_free(sbi, graft->block[--graft->nr], 1);
}

static int dxl_graft_get(struct dxl_sb *sbi, struct dxl_graft *graft,
			 unsigned int nr)
{
	int err;

	for (graft->nr = 0; graft->nr < nr; graft->nr++) {
		err = dxl_balloc_node(sbi, false, &graft->block[graft->nr]);
		if (err) {
			dxl_graft_drop(sbi, graft);
			return err;
		}
	}
	return 0;
}

/* Fill a new node: zeroes, and @nr words that point to adjacent blocks. */
static int dxl_node_fill(struct inode *inode, u64 block, unsigned int slot,
			 unsigned int nr, u64 word)
{
	struct dxl_media *media = dxl_media_of(inode);
	__le64 *node = dxl_media_addr(media, block);

	if (!node)
		return -EIO;
	if (nr < DXL_MAP_WORDS)
		dxl_media_copy(media, node, page_address(ZERO_PAGE(0)),
			       DXL_BLOCK_SIZE);
	dxl_media_store_run(media, node + slot, nr, word, DXL_BLOCK_SIZE);
	return 0;
}

/*
 * Make @nr words from @word on part of the map: at @walk, through the nodes of
 * @graft, of which the lowest holds the words.
 */
static int dxl_map_link(struct inode *inode, pgoff_t index,
			const struct dxl_walk *walk,
			const struct dxl_graft *graft, unsigned int nr,
			u64 word)
{
	struct dxl_media *media = dxl_media_of(inode);
	unsigned int level = walk->level - graft->nr;
	unsigned int i;
	int err;

	for (i = 0; i < graft->nr; i++, level++) {
		err = dxl_node_fill(inode, graft->block[i],
				    dxl_level_slot(index, level), nr, word);
		if (err)
			return err;
		word = dxl_word_make(graft->block[i], DXL_MAP_VALID);
		nr = 1;
	}
	dxl_media_fence(media);
	if (walk->node) {
		dxl_media_store_run(media,
				    walk->node + dxl_level_slot(index, level),
				    nr, word, DXL_BLOCK_SIZE);
		dxl_media_fence(media);
	} else {
		word |= (u64)(level - 1) << DXL_MAP_LEVEL_SHIFT;
		WRITE_ONCE(DXL_I(inode)->root, word);
	}
	inode_add_bytes(inode, (loff_t)graft->nr << DXL_BLOCK_SHIFT);
	return 0;
}

static unsigned int dxl_level_for(pgoff_t index)
{
	unsigned int level = 1;

	while (index >> (level * DXL_MAP_WORDS_SHIFT))
		level++;
	return level;
}

/*
 * Put nodes above the root until it covers a run. An empty map has no root;
 * then @walk tells dxl_map_link() to make one, high enough for the whole file
 * and for a HUGE word.
 */
static int dxl_map_raise(struct inode *inode, const struct dxl_run *run,
			 struct dxl_walk *walk)
{
	struct dxl_inode *di = DXL_I(inode);
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	unsigned int level = dxl_level_for(run->index);
	loff_t size = dxl_size_now(inode);

	if (!walk->level) {
		if (size > 0)
			level = max(level,
				    dxl_level_for((size - 1) >> PAGE_SHIFT));
		if (run->nr == DXL_CHUNK_BLOCKS)
			level = max(level, 2U);
		walk->level = level + 1;
		return 0;
	}
	while (dxl_root_level(di->root) < level) {
		u64 word = di->root & ~DXL_MAP_LEVEL;
		u64 up = dxl_root_level(di->root) + 1;
		u64 block;
		int err;

		err = dxl_balloc_node(sbi, false, &block);
		if (err)
			return err;
		err = dxl_node_fill(inode, block, 0, 1, word);
		if (err) {
			dxl_balloc_free(sbi, block, 1);
			return err;
		}
		dxl_media_fence(&sbi->media);
		WRITE_ONCE(di->root,
			   dxl_word_make(block, DXL_MAP_VALID |
					 up << DXL_MAP_LEVEL_SHIFT));
		inode_add_bytes(inode, DXL_BLOCK_SIZE);
	}
	return dxl_map_walk(inode, run->index, walk);
}

/*
 * Zero blocks, durably. Of new blocks that cannot be used because of one that
 * turned bad, @bad keeps that one from being found again.
 */
static int dxl_zero_blocks(struct dxl_media *media, u64 block,
			   unsigned long nr, u64 *bad)
{
	while (nr) {
		unsigned long pfn;
		void *kaddr;
		long got;

		got = dxl_media_map(media, block, nr, &kaddr, &pfn);
		if (got < 0) {
			*bad = block;
			return -EIO;
		}
		dxl_media_zero(media, kaddr, got << DXL_BLOCK_SHIFT);
		block += got;
		nr -= got;
		cond_resched();
	}
	dxl_media_fence(media);
	return 0;
}

/* Where a page should go by the place of its neighbours in the leaf. */
static u64 dxl_map_goal(const struct dxl_walk *walk, pgoff_t index)
{
	unsigned int slot = dxl_level_slot(index, 1);
	unsigned int i;
	u64 word;

	if (!walk->node || walk->level != 1)
		return DXL_NO_BLOCK;
	for (i = slot; i-- > 0;) {
		word = dxl_node_read(walk->node, i);
		if (word & DXL_MAP_VALID)
			return dxl_word_block(word) + (slot - i);
	}
	for (i = slot + 1; i < DXL_MAP_WORDS; i++) {
		word = dxl_node_read(walk->node, i);
		if (word & DXL_MAP_VALID) {
			u64 block = dxl_word_block(word);

			return block >= i - slot ? block - (i - slot) :
						   DXL_NO_BLOCK;
		}
	}
	return DXL_NO_BLOCK;
}

/* Blocks for the first pages of a hole. Return: how many, or -ENOSPC. */
static int dxl_map_balloc(struct inode *inode, const struct dxl_walk *walk,
			  const struct dxl_run *run, u64 *block)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	u64 goal = dxl_map_goal(walk, run->index);
	int got;

	if (goal == DXL_NO_BLOCK &&
	    (run->index >= DXL_CHUNK_BLOCKS || run->nr >= DXL_LARGE_REQUEST ||
	     dxl_size_now(inode) >= DXL_LARGE_SIZE)) {
		got = dxl_balloc_aligned(sbi, dxl_level_slot(run->index, 1),
					 run->nr, block);
		if (got > 0)
			return got;
	}
	return dxl_balloc(sbi, goal, run->nr, block);
}

/* Nodes and blocks for the first pages of a hole, 512 blocks as one if @huge. */
static int dxl_map_take(struct inode *inode, const struct dxl_walk *walk,
			const struct dxl_run *run, bool huge,
			struct dxl_graft *graft, u64 *block)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	int got;

	got = dxl_graft_get(sbi, graft, walk->level - (huge ? 2 : 1));
	if (got)
		return got;
	if (huge)
		got = dxl_balloc_aligned(sbi, 0, DXL_CHUNK_BLOCKS, block);
	else
		got = dxl_map_balloc(inode, walk, run, block);
	if (got < 0)
		dxl_graft_drop(sbi, graft);
	return got;
}

/*
 * Put blocks into the hole @run, which lies under one word of level 2: at least
 * @min adjacent ones, or none.
 */
static int dxl_map_fill(struct inode *inode, unsigned long min, bool unwritten,
			struct dxl_run *run)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	u64 flags = DXL_MAP_VALID | (unwritten ? DXL_MAP_UNWRITTEN : 0);
	u64 block, bad = DXL_NO_BLOCK;
	struct dxl_graft graft;
	struct dxl_walk walk;
	int err, got = -ENOSPC;
	bool huge;

	err = dxl_map_walk(inode, run->index, &walk);
	if (!err && !walk.node)
		err = dxl_map_raise(inode, run, &walk);
	if (err)
		return err;

	huge = run->nr == DXL_CHUNK_BLOCKS && walk.level >= 2;
	if (huge)
		got = dxl_map_take(inode, &walk, run, true, &graft, &block);
	if (got == -ENOSPC) {
		huge = false;
		got = dxl_map_take(inode, &walk, run, false, &graft, &block);
	}
	if (got < 0)
		return got;
	if (got < min)
		err = -ERANGE;
	else if (!unwritten)
		err = dxl_zero_blocks(&sbi->media, block, got, &bad);
	if (!err)
		err = dxl_map_link(inode, run->index, &walk, &graft,
				   huge ? 1 : got,
				   dxl_word_make(block, flags |
						 (huge ? DXL_MAP_HUGE : 0)));
	if (err)
		goto err_blocks;
	inode_add_bytes(inode, (loff_t)got << DXL_BLOCK_SHIFT);
	run->nr = got;
	run->block = block;
	run->unwritten = unwritten;
	run->changed = true;
	return 0;

err_blocks:
	dxl_graft_drop(sbi, &graft);
	for (; got; got--, block++)
		if (block != bad)
			dxl_balloc_free(sbi, block, 1);
	return err;
}

/**
 * dxl_map_split() - Replace a HUGE word by a node of 512 words.
 * @inode: the file
 * @at: the word, in a node of level 2
 * @slot: first of the pages that are written from now on
 * @nr: number of these pages, 0: all stay as they are
 *
 * Context: Inside dxl_media_enter(), with @map_lock.
 * Return: 0, -EIO; -ENOSPC cannot happen on an image of ours, see
 * dxl_balloc_node().
 */
int dxl_map_split(struct inode *inode, __le64 *at, unsigned int slot,
		  unsigned int nr)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	u64 word = dxl_node_read(at, 0) & ~DXL_MAP_HUGE;
	__le64 *node;
	u64 block;
	int err;

	err = dxl_balloc_node(sbi, true, &block);
	if (err)
		return err;
	err = dxl_node_fill(inode, block, 0, DXL_MAP_WORDS, word);
	if (err) {
		dxl_balloc_free(sbi, block, 1);
		return err;
	}
	node = dxl_media_addr(&sbi->media, block);
	word = (word & ~DXL_MAP_UNWRITTEN) + ((u64)slot << DXL_BLOCK_SHIFT);
	if (nr)
		dxl_media_store_run(&sbi->media, node + slot, nr, word,
				    DXL_BLOCK_SIZE);
	dxl_media_fence(&sbi->media);
	dxl_media_store(&sbi->media, at, dxl_word_make(block, DXL_MAP_VALID));
	dxl_media_fence(&sbi->media);
	inode_add_bytes(inode, DXL_BLOCK_SIZE);
	return 0;
}

/* Zero the unwritten @run, which lies under one word of level 2; it is data. */
static int dxl_map_convert(struct inode *inode, struct dxl_run *run)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_walk walk;
	unsigned int nr;
	__le64 *at;
	u64 bad;
	int err;

	err = dxl_map_walk(inode, run->index, &walk);
	if (!err)
		err = dxl_zero_blocks(media, run->block, run->nr, &bad);
	if (err)
		return err;

	at = walk.node + dxl_level_slot(run->index, walk.level);
	if (walk.level == 2 && run->nr < DXL_CHUNK_BLOCKS) {
		err = dxl_map_split(inode, at, dxl_level_slot(run->index, 1),
				    run->nr);
		if (err)
			return err;
	} else {
		nr = walk.level == 2 ? 1 : run->nr;
		dxl_media_store_run(media, at, nr,
				    walk.word & ~DXL_MAP_UNWRITTEN,
				    DXL_BLOCK_SIZE);
		dxl_media_fence(media);
	}
	run->unwritten = false;
	run->changed = true;
	return 0;
}

static int __dxl_map_alloc(struct inode *inode, pgoff_t index,
			   unsigned long min, unsigned long max,
			   bool unwritten, struct dxl_run *run)
{
	unsigned long near = DXL_CHUNK_BLOCKS - dxl_level_slot(index, 1);
	int err;

	lockdep_assert_held(&DXL_I(inode)->map_lock);
	err = dxl_map_lookup(inode, index, min(max, near), run);
	if (err)
		return err;
	if (run->nr < min)
		return -ERANGE;
	if (run->block == DXL_NO_BLOCK)
		return dxl_map_fill(inode, min, unwritten, run);
	if (run->unwritten && !unwritten)
		return dxl_map_convert(inode, run);
	return max > near ? dxl_map_lookup(inode, index, max, run) : 0;
}

static int dxl_map_change(struct inode *inode, pgoff_t index,
			  unsigned long min, unsigned long max, bool unwritten,
			  struct dxl_run *run)
{
	struct dxl_inode *di = DXL_I(inode);
	u64 root;
	int err;

	if (index >= DXL_MAX_SIZE >> DXL_BLOCK_SHIFT)
		return -EFBIG;

	/* Against other faults and writers, and dxl_map_cut(). */
	mutex_lock(&di->map_lock);
	root = di->root;
	err = __dxl_map_alloc(inode, index, min, max, unwritten, run);
	if (root != di->root)
		err = dxl_slot_write(inode) ?: err;
	mutex_unlock(&di->map_lock);
	return err;
}

/**
 * dxl_map_alloc() - Give blocks to the first of some pages that are in one state.
 * @inode: the file
 * @index: first page
 * @max: pages, at least 1
 * @unwritten: the caller will not write now (fallocate): holes become unwritten
 *	blocks, and what has blocks stays. Else (write) holes and unwritten
 *	blocks become data blocks that hold durable zeroes.
 * @run: receives the pages that have blocks now, adjacent on the device; they
 *	are 1 to @max. @changed: they had none, or unwritten ones.
 *
 * The change is durable on return. Aligned pages get aligned blocks if there
 * are any, and 512 whole ones a HUGE word.
 *
 * Context: May sleep; takes map_lock, and slot_lock inside. A section of
 * dxl_media_enter() and i_rwsem or invalidate_lock as for dxl_map_lookup().
 * Return: 0; -ENOSPC, -EFBIG, or -EIO, in which case nothing is changed, except
 * that a root that could not be written to the slot stays.
 */
int dxl_map_alloc(struct inode *inode, pgoff_t index, unsigned long max,
		  bool unwritten, struct dxl_run *run)
{
	return dxl_map_change(inode, index, 1, max, unwritten, run);
}

/**
 * dxl_map_alloc_whole() - Give data blocks to pages, to all of them or to none.
 * @inode: the file
 * @index: first page, aligned to @nr
 * @nr: 1 or 512: what a write fault maps
 * @run: receives all @nr pages, adjacent on the device
 *
 * A fault owns the entry over these pages. Were it to allocate some of them and
 * then to give up, nobody would know that mappings of the others' zeroes are
 * stale.
 *
 * Context: As dxl_map_alloc().
 * Return: As dxl_map_alloc(); -ERANGE if not all pages are in one state, or
 * there are not enough adjacent blocks.
 */
int dxl_map_alloc_whole(struct inode *inode, pgoff_t index, unsigned long nr,
			struct dxl_run *run)
{
	return dxl_map_change(inode, index, nr, nr, false, run);
}

#ifdef DAXLAB_DEBUG
#include "selftest/map.c"
#include "selftest/crash.c"
#endif
