// SPDX-License-Identifier: GPL-2.0
/*
 * Invalidation: after the block map changed, the entries, then the page tables
 */
#include "fs.h"
#include "fs_variant.h"
#include "ledger.h"
#include "stats.h"
#include "trace.h"
#include "window.h"

#include <linux/mm.h>

static void dxl_inval_unmap(struct dxl_tree *tree, pgoff_t first,
			    unsigned long nr)
{
	struct dxl_inode *di = container_of(tree, struct dxl_inode, tree);

	dxl_note(tree, DXL_EV_UNMAP, first, 0, first, nr);
	unmap_mapping_pages(di->vfs_inode.i_mapping, first, nr, false);
}

const struct dxl_tree_ops dxl_inode_tree_ops = {
	.unmap = dxl_inval_unmap,
};

/**
 * dxl_inval_mappings() - Remove the page-table mappings of a range.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Removed PMD entries leave no mapping behind: the range is widened to PMDs.
 *
 * Context: May sleep. Private copies stay.
 */
void dxl_inval_mappings(struct inode *inode, pgoff_t first, pgoff_t last)
{
	first &= ~DXL_PMD_COLOUR;
	last |= DXL_PMD_COLOUR;
	dxl_inval_unmap(&DXL_I(inode)->tree, first, last - first + 1);
}

/**
 * dxl_inval_entries() - Remove entries, then mappings of a range.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 * @keep_dirty: leave what is only in the cache
 *
 * Page tables come last, in one go: entries that are inserted meanwhile are
 * fresh already (cd656375f941).
 *
 * Context: May sleep for owners of entries; the caller owns none.
 * Return: Number of entries removed.
 */
long dxl_inval_entries(struct inode *inode, pgoff_t first, pgoff_t last,
		       bool keep_dirty)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	long nr;

	nr = dxl_entry_delete_range(tree, first, last, keep_dirty);
	dxl_window(DXL_WIN_INVALIDATE_BEFORE_UNMAP, tree, first, 0,
		   DXL_ACCESS_WRITE);
	dxl_inval_mappings(inode, first, last);
	return nr;
}

/* Counters and trace. Return: 0, or -EIO if the wait for entries was rescued. */
static int dxl_inval_done(struct inode *inode, pgoff_t first, pgoff_t last,
			  long nr)
{
	dxl_stat_inc(DXL_STAT_INVALIDATIONS);
	if (nr < 0)
		return -EIO;
	dxl_stat_add(DXL_STAT_ENTRIES_INVALIDATED, nr);
	trace_invalidate(inode->i_sb->s_dev, inode->i_ino, first, last, nr);
	return 0;
}

/**
 * dxl_inval_range() - Forget what faults cached of a range that write(2) filled.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * The block map has changed before. A fault that read the old map holds the
 * entry and is waited for; one that comes later reads the new map. Dirty
 * entries stay: they were made from the new map (c6dcf52c23d2 for what happens
 * otherwise).
 *
 * Context: May sleep for owners of entries; the caller owns none. i_rwsem.
 * Return: 0, or -EIO if the wait was rescued: what is mapped may be stale.
 */
int dxl_inval_range(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	long nr;

	dxl_window(DXL_WIN_WRITE_BEFORE_INVALIDATE, tree, first, 0,
		   DXL_ACCESS_WRITE);
	if (dxl_varied())
		nr = dxl_inval_varied(inode, first, last);
	else
		nr = dxl_inval_entries(inode, first, last, true);
	dxl_window(DXL_WIN_WRITE_AFTER_INVALIDATE, tree, first, 0,
		   DXL_ACCESS_WRITE);
	return dxl_inval_done(inode, first, last, nr);
}

/**
 * dxl_inval_cut() - Forget all of a range whose blocks were cut off the map.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 * @even_cows: private copies go as well (truncate, not punch)
 *
 * Context: As dxl_inval_range(), and invalidate_lock exclusively, so that no
 * fault comes in between. Dirty data of PMD entries that reach out of the range
 * was flushed by the caller.
 * Return: 0, or -EIO if the wait was rescued: nothing is mapped any more, but
 * entries are left.
 */
int dxl_inval_cut(struct inode *inode, pgoff_t first, pgoff_t last,
		  bool even_cows)
{
	long nr;

	if (dxl_watched())
		dxl_ledger_forget(&DXL_I(inode)->tree, first, last);
	nr = dxl_inval_entries(inode, first, last, false);
	if (even_cows)
		unmap_mapping_pages(inode->i_mapping, first, last - first + 1,
				    true);
	return dxl_inval_done(inode, first, last, nr);
}

/**
 * dxl_inval_forget() - Drop all entries of an inode that leaves memory.
 * @inode: nothing maps it any more
 *
 * Dirty entries are written first while the file has a name; the VFS did that
 * already, unless an error stopped it.
 *
 * Context: May sleep. Evict.
 */
void dxl_inval_forget(struct inode *inode)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;

	if (inode->i_nlink)
		dxl_writeback_range(inode, 0, LLONG_MAX);
	if (dxl_watched())
		dxl_ledger_forget(tree, 0, DXL_LAST_PAGE);
	dxl_entry_delete_range(tree, 0, DXL_LAST_PAGE, false);
}
