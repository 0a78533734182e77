// SPDX-License-Identifier: GPL-2.0
/*
 * Reading the block map: page of a file -> block of the device
 *
 * Readers take no lock, see fs.h. The image was checked at mount, so a word
 * that leads out of the device means that the memory was overwritten.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "map.h"

#include <linux/iomap.h>
#include <linux/sched.h>

/* Nodes that one look-up may visit: 1 GiB of single pages. */
#define DXL_RUN_NODES		512

static noinline void dxl_map_bad(struct inode *inode, u64 word)
{
	dxl_err_ratelimited(inode->i_sb, "inode %lu: bad map word %#llx",
			    dxl_ino(inode), word);
}

static __always_inline int __dxl_map_walk(struct inode *inode, pgoff_t index,
					  struct dxl_walk *walk)
{
	u64 word = READ_ONCE(DXL_I(inode)->root);
	unsigned int level = dxl_root_level(word);

	if (unlikely(level > DXL_MAP_MAX_LEVEL))
		goto bad;
	if (!level || index >> (level * DXL_MAP_WORDS_SHIFT)) {
		walk->node = NULL;
		walk->level = level;
		walk->word = 0;
		return 0;
	}
	for (;; level--) {
		__le64 *node = dxl_map_node(inode, word);

		if (unlikely(!node))
			goto bad;
		word = dxl_node_read(node, dxl_level_slot(index, level));
		if (dxl_word_ends(word, level)) {
			walk->node = node;
			walk->level = level;
			walk->word = word;
			return 0;
		}
	}

bad:
	dxl_map_bad(inode, word);
	return -EIO;
}

/**
 * dxl_map_walk() - Go from the root to the word that stands for a page.
 * @inode: the file
 * @index: the page
 * @walk: receives the place
 *
 * Context: Inside dxl_media_enter().
 * Return: 0 or -EIO.
 */
int dxl_map_walk(struct inode *inode, pgoff_t index, struct dxl_walk *walk)
{
	return __dxl_map_walk(inode, index, walk);
}

/* What a page is that lies @offset pages into the range of a word. */
static inline u64 dxl_word_at(u64 word, pgoff_t offset)
{
	if (!(word & DXL_MAP_VALID))
		return DXL_NO_BLOCK;
	return dxl_word_block(word) + offset;
}

static inline bool dxl_word_follows(u64 word, pgoff_t offset,
				    const struct dxl_run *run)
{
	u64 block = dxl_word_at(word, offset);

	if (block == DXL_NO_BLOCK || run->block == DXL_NO_BLOCK)
		return block == run->block;
	return block == run->block + run->nr &&
	       run->unwritten == !!(word & DXL_MAP_UNWRITTEN);
}

/*
 * Add to a run what follows in the node of @walk, which stands at the end of
 * the run. False: there the run ends.
 */
static inline bool dxl_run_extend(struct dxl_run *run,
				  const struct dxl_walk *walk,
				  unsigned long max)
{
	u64 word = walk->word;
	unsigned long span, offset;
	unsigned int slot;

	if (!walk->node) {
		if (run->block != DXL_NO_BLOCK)
			return false;
		run->nr = max;
		return true;
	}
	span = 1UL << dxl_level_shift(walk->level);
	offset = (run->index + run->nr) & (span - 1);
	slot = dxl_level_slot(run->index + run->nr, walk->level);
	for (;;) {
		if (!dxl_word_follows(word, offset, run))
			return false;
		run->nr += span - offset;
		if (run->nr >= max || ++slot == DXL_MAP_WORDS)
			return true;
		offset = 0;
		word = dxl_node_read(walk->node, slot);
		if (!dxl_word_ends(word, walk->level))
			return true;
	}
}

/* More than one word: go on as long as words are adjacent. */
static noinline void dxl_run_scan(struct inode *inode, struct dxl_run *run,
				  unsigned long max)
{
	struct dxl_walk walk;
	unsigned int nodes;

	for (nodes = 0; run->nr < max && nodes < DXL_RUN_NODES; nodes++) {
		if (dxl_map_walk(inode, run->index + run->nr, &walk) ||
		    !dxl_run_extend(run, &walk, max))
			break;
	}
	run->nr = min(run->nr, max);
}

/**
 * dxl_map_lookup() - Find what the pages from an index on are.
 * @inode: the file
 * @index: first page
 * @max: pages of interest, at least 1
 * @run: receives pages in one state, adjacent on the device, up to @max.
 *	Shorter than it could be if the map is very fragmented into nodes.
 *
 * Context: Inside dxl_media_enter(), and i_rwsem or invalidate_lock held at
 * least shared, or @map_lock, so that no node is freed.
 * Return: 0 or -EIO.
 */
int dxl_map_lookup(struct inode *inode, pgoff_t index, unsigned long max,
		   struct dxl_run *run)
{
	unsigned long span, offset;
	struct dxl_walk walk;
	int err;

	err = __dxl_map_walk(inode, index, &walk);
	if (unlikely(err))
		return err;

	run->index = index;
	run->nr = max;
	run->changed = false;
	run->unwritten = walk.word & DXL_MAP_UNWRITTEN;
	span = walk.node ? 1UL << dxl_level_shift(walk.level) : DXL_MAP_PAGES;
	offset = index & (span - 1);
	run->block = dxl_word_at(walk.word, offset);
	if (span - offset < max) {
		run->nr = span - offset;
		dxl_run_scan(inode, run, max);
	}

	if (unlikely(run->block != DXL_NO_BLOCK &&
		     run->block + run->nr > DXL_SB(inode->i_sb)->nr_blocks)) {
		dxl_map_bad(inode, walk.word);
		return -EIO;
	}
	return 0;
}

/* Blocks under a node, with the node; depth is bounded by @level. */
static u64 dxl_node_count(struct inode *inode, u64 word, unsigned int level)
{
	const __le64 *node = dxl_map_node(inode, word);
	unsigned int slot;
	u64 sum = 1;

	if (!node)
		return 1;
	cond_resched();
	for (slot = 0; slot < DXL_MAP_WORDS; slot++) {
		word = dxl_node_read(node, slot);
		if (!(word & DXL_MAP_VALID))
			continue;
		if (!dxl_word_ends(word, level))
			sum += dxl_node_count(inode, word, level - 1);
		else
			sum += 1UL << dxl_level_shift(level);
	}
	return sum;
}

/**
 * dxl_map_count() - Count the blocks of a file, for i_blocks.
 * @inode: the file, not yet visible to others
 *
 * Context: May sleep.
 * Return: data blocks and map nodes; 0 if the device is gone.
 */
u64 dxl_map_count(struct inode *inode)
{
	u64 root = DXL_I(inode)->root;
	unsigned int level = dxl_root_level(root);
	u64 sum = 0;
	int id;

	if (!level || level > DXL_MAP_MAX_LEVEL)
		return 0;
	if (dxl_media_enter(dxl_media_of(inode), &id))
		return 0;
	sum = dxl_node_count(inode, root, level);
	dxl_media_exit(id);
	return sum;
}

/**
 * dxl_iomap_set() - Tell iomap what a run is.
 * @inode: the file
 * @run: found or allocated
 * @iomap: filled in
 *
 * Context: Any context.
 */
void dxl_iomap_set(struct inode *inode, const struct dxl_run *run,
		   struct iomap *iomap)
{
	struct dxl_media *media = dxl_media_of(inode);

	iomap->bdev = media->bdev;
	iomap->dax_dev = media->dax;
	iomap->offset = (loff_t)run->index << PAGE_SHIFT;
	iomap->length = (u64)run->nr << PAGE_SHIFT;
	if (run->block == DXL_NO_BLOCK) {
		iomap->type = IOMAP_HOLE;
		iomap->addr = IOMAP_NULL_ADDR;
	} else {
		iomap->type = run->unwritten ? IOMAP_UNWRITTEN : IOMAP_MAPPED;
		iomap->addr = run->block << DXL_BLOCK_SHIFT;
	}
}

static int dxl_iomap_begin(struct inode *inode, loff_t pos, loff_t length,
			   unsigned int flags, struct iomap *iomap,
			   struct iomap *srcmap)
{
	struct dxl_media *media = dxl_media_of(inode);
	pgoff_t first = pos >> PAGE_SHIFT;
	pgoff_t last = (pos + length - 1) >> PAGE_SHIFT;
	struct dxl_run run;
	int err, id;

	if (!(flags & IOMAP_REPORT))
		return -EOPNOTSUPP;
	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_map_lookup(inode, first, last - first + 1, &run);
	dxl_media_exit(id);
	if (!err)
		dxl_iomap_set(inode, &run, iomap);
	return err;
}

const struct iomap_ops dxl_iomap_ops = {
	.iomap_begin = dxl_iomap_begin,
};
