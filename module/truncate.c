// SPDX-License-Identifier: GPL-2.0
/*
 * Size and blocks: truncate, fallocate, punch
 *
 *	i_rwsem exclusive		against read(2), write(2), each other
 *	  invalidate_lock exclusive	against faults; no page is pinned
 *	    map_lock			detach blocks, inside dxl_map_cut()
 *	  wait for entries, remove them, unmap; then free the blocks
 */
#include "fs.h"
#include "layout.h"
#include "pcache.h"
#include "pwb.h"
#include "stats.h"
#include "window.h"

#include <linux/falloc.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/* Zero bytes within one block, if it has data. */
static int dxl_zero_bytes(struct inode *inode, loff_t pos, size_t len)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_run run;
	unsigned long pfn;
	void *kaddr;
	long got;
	int err, id;

	if (!len)
		return 0;
	if (dxl_pcache(inode))
		return dxl_pcache_zero(inode, pos, len);
	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_map_lookup(inode, pos >> PAGE_SHIFT, 1, &run);
	if (err || run.block == DXL_NO_BLOCK || run.unwritten)
		goto exit;
	got = dxl_media_map(media, run.block, 1, &kaddr, &pfn);
	if (got < 0) {
		err = got;
		goto exit;
	}
	dxl_media_zero(media, kaddr + offset_in_page(pos), len);
	dxl_media_fence(media);
exit:
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_zero_tail() - Zero what lies between EOF and the end of its block.
 * @inode: a file that is about to grow
 *
 * Mappings may have stored there: beyond EOF, so it was lost all the time.
 *
 * Context: i_rwsem exclusively. May sleep.
 * Return: 0 or -EIO.
 */
int dxl_zero_tail(struct inode *inode)
{
	loff_t size = i_size_read(inode);

	return dxl_zero_bytes(inode, size, -size & (PAGE_SIZE - 1));
}

/*
 * A PMD entry that reaches out of the range goes as a whole, and with it the
 * knowledge that the rest is dirty: flush it before. No fault can make it dirty
 * again, since the caller has invalidate_lock.
 */
static int dxl_flush_edges(struct inode *inode, pgoff_t first, pgoff_t last)
{
	loff_t pos;
	int err = 0;

	if (first & DXL_PMD_COLOUR) {
		pos = (loff_t)(first & ~DXL_PMD_COLOUR) << PAGE_SHIFT;
		err = dxl_writeback_range(inode, pos, pos + PMD_SIZE - 1);
	}
	if (!err && ((last + 1) & DXL_PMD_COLOUR)) {
		pos = (loff_t)(last & ~DXL_PMD_COLOUR) << PAGE_SHIFT;
		err = dxl_writeback_range(inode, pos, pos + PMD_SIZE - 1);
	}
	return err;
}

/*
 * The wait for entries was rescued: what they stand for was unmapped, but a
 * fault may find such an entry once more and map its block. So the blocks stay
 * in use until the next mount, which counts anew what is free. An entry that a
 * variant passes over (knob scan) is the bug itself, and its block goes.
 */
static void dxl_cut_lose(struct inode *inode, struct dxl_cut *cut)
{
	unsigned int i;

	for (i = 0; i < cut->nr; i++)
		dxl_map_lose_run(inode, cut->run[i].block, cut->run[i].nr);
	cut->nr = 0;
}

/* What was cut off the map loses entries and mappings, then it is free. */
static int dxl_cut_forget(struct inode *inode, pgoff_t first, pgoff_t last,
			  bool even_cows, struct dxl_cut *cut)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	int err;

	dxl_note(tree, DXL_EV_BLOCKS, first, 0, first, last - first + 1);
	dxl_window(DXL_WIN_TRUNCATE_AFTER_CUT, tree, first, 0,
		   DXL_ACCESS_WRITE);
	/*
	 * Page-cache mode: out of the cache, and unmapped, before the cut. But a
	 * large folio that could not be split stays, and writeback may have read
	 * the map before it was cut.
	 */
	if (dxl_pcache(inode)) {
		filemap_fdatawait_range_keep_errors(inode->i_mapping,
						    (loff_t)first << PAGE_SHIFT,
						    ((loff_t)(last + 1) << PAGE_SHIFT) - 1);
		dxl_folio_waits_over();
		err = 0;
	} else {
		err = dxl_inval_cut(inode, first, last, even_cows);
		if (dxl_varied())
			err = dxl_layout_late(inode, first, last) ?: err;
	}
	dxl_window(DXL_WIN_TRUNCATE_BEFORE_FREE, tree, first, 0,
		   DXL_ACCESS_WRITE);
	if (err)
		dxl_cut_lose(inode, cut);
	return err;
}

/*
 * Pages [first, last] lose blocks, entries and mappings, batch by batch. The caller
 * has flushed their edges.
 */
static int dxl_cut_range(struct inode *inode, pgoff_t first, pgoff_t last,
			 bool even_cows)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_cut *cut;
	pgoff_t next = first;
	int err, id;

	if (first > last)
		return 0;
	/* Small, and an unlinked file has nobody to tell of -ENOMEM. */
	cut = kmalloc(sizeof(*cut), GFP_NOFS | __GFP_NOFAIL);
	err = dxl_media_enter(media, &id);
	if (err)
		goto free;
	while (!err && next <= last) {
		pgoff_t from = next;

		cut->nr = 0;
		err = dxl_map_cut(inode, &next, last, cut);
		if (next > from)
			err = dxl_cut_forget(inode, from, min(next - 1, last),
					     even_cows, cut) ?: err;
		dxl_map_free_cut(inode, cut);
		cond_resched();
	}
	dxl_media_exit(id);
free:
	kfree(cut);
	return err;
}

static int dxl_shrink(struct inode *inode, loff_t size)
{
	pgoff_t first = DIV_ROUND_UP_ULL(size, PAGE_SIZE);
	int err;

	err = dxl_layout_lock(inode, first, DXL_LAST_PAGE + 1);
	if (err)
		return err;
	/* What must not fail once the size is the new one. */
	err = dxl_flush_edges(inode, first, DXL_LAST_PAGE);
	if (!err && dxl_pcache(inode))
		err = dxl_pcache_shrink(inode, size);
	if (err)
		goto unlock;
	if (!dxl_pcache(inode))
		i_size_write(inode, size);
	/*
	 * That is the size now, whatever fails: what lies beyond it goes, or would be
	 * seen when the file grows.
	 */
	err = dxl_slot_write(inode);
	if (!dxl_pcache(inode))
		err = dxl_zero_tail(inode) ?: err;
	err = dxl_cut_range(inode, first, DXL_LAST_PAGE, true) ?: err;
unlock:
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

static int dxl_grow(struct inode *inode, loff_t size)
{
	int err = dxl_zero_tail(inode);

	if (err)
		return err;
	i_size_write(inode, size);
	return dxl_slot_write(inode);
}

/**
 * dxl_set_size() - Truncate or extend.
 * @inode: a regular file, or an unlinked inode with blocks
 * @size: in bytes, checked against the limits by the caller
 *
 * Blocks beyond the new EOF are freed, also those that FALLOC_FL_KEEP_SIZE put
 * there, unless the file grows.
 *
 * Context: i_rwsem exclusively, or the inode is being evicted. May sleep.
 * Return: 0 or a negative errno.
 */
int dxl_set_size(struct inode *inode, loff_t size)
{
	if (size > i_size_read(inode))
		return dxl_grow(inode, size);
	return dxl_shrink(inode, size);
}

static int dxl_punch(struct inode *inode, loff_t start, loff_t end)
{
	pgoff_t first = DIV_ROUND_UP_ULL(start, PAGE_SIZE);
	pgoff_t behind = end >> PAGE_SHIFT;
	int err;

	err = dxl_layout_lock(inode, first, behind);
	if (err)
		return err;
	if (first > behind) {
		/* Within one block. */
		err = dxl_zero_bytes(inode, start, end - start);
		goto unlock;
	}
	err = dxl_zero_bytes(inode, start, -start & (PAGE_SIZE - 1));
	if (!err)
		err = dxl_zero_bytes(inode, end & PAGE_MASK,
				     offset_in_page(end));
	if (err || first == behind)
		goto unlock;
	if (dxl_pcache(inode))
		dxl_pcache_cut(inode, first, behind - 1);
	err = dxl_flush_edges(inode, first, behind - 1);
	if (!err)
		err = dxl_cut_range(inode, first, behind - 1, false);
unlock:
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}

/* Blocks that read as zeroes, for all of [start, end) that has none. */
static int dxl_reserve(struct inode *inode, loff_t start, loff_t end)
{
	struct dxl_media *media = dxl_media_of(inode);
	pgoff_t behind = DIV_ROUND_UP_ULL(end, PAGE_SIZE);
	pgoff_t index = start >> PAGE_SHIFT;
	struct dxl_run run;
	int err, id;

	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	while (!err && index < behind) {
		err = dxl_map_alloc(inode, index, behind - index, true, &run);
		if (!err)
			index = run.index + run.nr;
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	dxl_media_exit(id);
	return err;
}

static int dxl_fallocate_locked(struct inode *inode, int mode, loff_t start,
				loff_t end)
{
	loff_t size = i_size_read(inode);
	int err = 0;

	if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE))
		err = dxl_punch(inode, start, end);
	if (!err && !(mode & FALLOC_FL_PUNCH_HOLE))
		err = dxl_reserve(inode, start, end);
	if (!err && !(mode & FALLOC_FL_KEEP_SIZE) && end > size)
		err = dxl_grow(inode, end);
	return err;
}

/**
 * dxl_fallocate() - fallocate(2): allocate, keep-size, punch, zero range.
 * @file: open for writing
 * @mode: FALLOC_FL_*
 * @offset: in bytes
 * @len: in bytes
 *
 * Context: May sleep.
 * Return: 0; -EOPNOTSUPP for other modes; -ENOSPC, with the blocks found until
 * then kept; -EINTR likewise, after a fatal signal.
 */
long dxl_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	struct inode *inode = file_inode(file);
	loff_t end = offset + len;
	int err;

	if (!S_ISREG(inode->i_mode))
		return -EOPNOTSUPP;
	if (mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE |
		     FALLOC_FL_ZERO_RANGE))
		return -EOPNOTSUPP;
	inode_lock(inode);
	err = 0;
	if (!(mode & FALLOC_FL_KEEP_SIZE) && end > i_size_read(inode))
		err = inode_newsize_ok(inode, end);
	if (!err)
		err = file_modified(file);
	if (!err)
		err = dxl_fallocate_locked(inode, mode, offset, end);
	inode_unlock(inode);
	if (!err && (file->f_flags & O_DSYNC || IS_SYNC(inode)))
		err = vfs_fsync_range(file, offset, end - 1, 1);
	return err;
}

/**
 * dxl_truncate_all() - Free all blocks of an inode that has no name any more.
 * @inode: being evicted; a file, directory or symlink
 *
 * Context: May sleep.
 * Return: 0 or -EIO.
 */
int dxl_truncate_all(struct inode *inode)
{
	int err;

	filemap_invalidate_lock(inode->i_mapping);
	if (dxl_varied())
		dxl_layout_evict(inode);
	/* All of it goes: there are no edges. */
	err = dxl_cut_range(inode, 0, DXL_LAST_PAGE, true);
	filemap_invalidate_unlock(inode->i_mapping);
	return err;
}
