// SPDX-License-Identifier: GPL-2.0
/*
 * write(2) that gives a page another block, though nobody shares the one that it
 * has (knob write_map)
 *
 * The new block gets what is written, then the rest of the page from the old one;
 * the map is swapped; entries and mappings of the old block go; it is free. Upstream
 * invalidates first and swaps last; here it is as with any change of the map, so
 * that a fault which comes after the swap finds the new block.
 *
 * write_map=cow excludes faults meanwhile, as truncate does, and flushes: then no
 * entry is dirty, no page writable, and whatever was stored is in the old block. A
 * page that is pinned keeps its block: who has the pin may store to that yet. The
 * other choices do none of that, and differ in what they do about entries that are
 * dirty (C10).
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs_variant.h"
#include "entry_variant.h"
#include "ledger.h"
#include "window.h"

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

/**
 * struct dxl_cow - a page that gets another block
 * @inode: of which file
 * @index: which page
 * @old: the block that it has
 * @new: the block that it gets
 * @offset: of the first byte in it that was written
 * @len: bytes that were
 * @swapped: the map has the new block
 */
struct dxl_cow {
	struct inode *inode;
	pgoff_t index;
	u64 old;
	u64 new;
	size_t offset;
	size_t len;
	bool swapped;
};

/* What was not written comes from the old block. */
static int dxl_cow_fill(const struct dxl_cow *cow)
{
	struct dxl_media *media = dxl_media_of(cow->inode);
	size_t end = cow->offset + cow->len;
	void *from, *to;
	unsigned long pfn;
	long got;

	if (cow->len == PAGE_SIZE)
		return 0;
	got = dxl_media_map(media, cow->old, 1, &from, &pfn);
	if (got > 0)
		got = dxl_media_map(media, cow->new, 1, &to, &pfn);
	if (got < 0)
		return got;
	dxl_media_copy(media, to, from, cow->offset);
	dxl_media_copy(media, to + end, from + end, PAGE_SIZE - end);
	dxl_media_fence(media);
	return 0;
}

static int dxl_cow_swap(struct dxl_cow *cow)
{
	int err;

	err = dxl_cow_fill(cow);
	if (!err)
		err = dxl_map_swap(cow->inode, cow->index, cow->new);
	if (err)
		return err;
	cow->swapped = true;
	dxl_note(&DXL_I(cow->inode)->tree, DXL_EV_BLOCKS, cow->index, 0,
		 cow->index, 1);
	return 0;
}

/*
 * write_map=cow. An entry of 2 MiB goes as a whole, so all of it is flushed. -EBUSY:
 * the page is pinned; each mapping of 2 MiB counts as that, and none is left.
 */
static int dxl_cow_alone(struct dxl_cow *cow)
{
	loff_t pos = (loff_t)(cow->index & ~DXL_PMD_COLOUR) << PAGE_SHIFT;
	struct inode *inode = cow->inode;
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	dxl_inval_mappings(inode, cow->index, cow->index);
	err = -EBUSY;
	if (!dxl_media_pinned(dxl_media_of(inode), cow->old))
		err = dxl_writeback_range(inode, pos, pos + PMD_SIZE - 1);
	if (!err)
		err = dxl_cow_swap(cow);
	if (!err)
		err = dxl_inval_cut(inode, cow->index, cow->index, false);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

/* The other choices: faults go on, and may make entries dirty at any time. */
static int dxl_cow_beside(struct dxl_cow *cow, unsigned int how)
{
	struct dxl_tree *tree = &DXL_I(cow->inode)->tree;
	int err;

	err = dxl_cow_swap(cow);
	if (err)
		return err;
	if (dxl_watched())
		dxl_ledger_forget(tree, cow->index, cow->index);
	if (how != DXL_WRITE_MAP_COW_REFUSED)
		err = dxl_entry_clear_dirty(tree, cow->index, cow->index,
					    how == DXL_WRITE_MAP_COW_WAITS);
	return dxl_inval_range(cow->inode, cow->index, cow->index) ?: err;
}

/* Of two blocks one is free now, unless a fault may still map the old one. */
static void dxl_cow_end(const struct dxl_cow *cow, int err)
{
	if (!cow->swapped)
		dxl_balloc_free(DXL_SB(cow->inode->i_sb), cow->new, 1);
	else if (!err)
		dxl_map_free_run(cow->inode, cow->old, 1);
	else
		dxl_map_lose_run(cow->inode, cow->old, 1);
}

/* One that turned bad is not given back, else it would be found again and again. */
static int dxl_cow_take(struct dxl_cow *cow)
{
	struct dxl_sb *sbi = DXL_SB(cow->inode->i_sb);
	unsigned long pfn;
	void *addr;
	long got;

	got = dxl_balloc(sbi, DXL_NO_BLOCK, 1, &cow->new);
	if (got > 0)
		got = dxl_media_map(&sbi->media, cow->new, 1, &addr, &pfn);
	return min(got, 0L);
}

/**
 * dxl_write_cow() - Write to a page that has data, in another block.
 * @inode: the file
 * @pos: first byte
 * @len: bytes
 * @from: where from
 * @how: choice of write_map, which is not in_place
 *
 * Context: As dxl_write_varied().
 * Return: bytes copied, at most to the end of the page; 0: it has no data, or is
 * pinned, and is to be written in place; a negative errno.
 */
ssize_t dxl_write_cow(struct inode *inode, loff_t pos, size_t len,
		      struct iov_iter *from, unsigned int how)
{
	struct dxl_cow cow = {
		.inode = inode,
		.index = pos >> PAGE_SHIFT,
		.offset = offset_in_page(pos),
	};
	struct dxl_run run;
	ssize_t ret;
	int err;

	err = dxl_map_lookup(inode, cow.index, 1, &run);
	if (err || run.block == DXL_NO_BLOCK || run.unwritten)
		return err;
	cow.old = run.block;
	err = dxl_cow_take(&cow);
	if (err)
		return err;
	run.block = cow.new;
	ret = dxl_write_copy(inode, &run, pos,
			     min_t(size_t, len, PAGE_SIZE - cow.offset), from);
	err = min_t(ssize_t, ret, 0);
	if (ret > 0) {
		cow.len = ret;
		err = how == DXL_WRITE_MAP_COW ? dxl_cow_alone(&cow) :
						 dxl_cow_beside(&cow, how);
		if (err)
			iov_iter_revert(from, ret);
	}
	dxl_cow_end(&cow, err);
	return err == -EBUSY ? 0 : err ?: ret;
}
