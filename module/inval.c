// SPDX-License-Identifier: GPL-2.0
/*
 * Invalidation: after the block map changed, the entries, then the page tables
 */
#include "fs.h"
#include "stats.h"
#include "trace.h"

#include <linux/mm.h>

static void dxl_inval_unmap(struct dxl_tree *tree, pgoff_t first,
			    unsigned long nr)
{
	struct dxl_inode *di = container_of(tree, struct dxl_inode, tree);

	unmap_mapping_pages(di->vfs_inode.i_mapping, first, nr, false);
}

const struct dxl_tree_ops dxl_inode_tree_ops = {
	.unmap = dxl_inval_unmap,
};

/* Removed PMD entries leave no mapping behind: widen to whole PMDs. */
static void dxl_inval_mappings(struct inode *inode, pgoff_t first, pgoff_t last,
			       bool even_cows)
{
	first &= ~DXL_PMD_COLOUR;
	last |= DXL_PMD_COLOUR;
	unmap_mapping_pages(inode->i_mapping, first, last - first + 1,
			    even_cows);
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
 * otherwise). Page tables come last, in one go: entries that are inserted
 * meanwhile are fresh already (cd656375f941).
 *
 * Context: May sleep for owners of entries; the caller owns none. i_rwsem.
 */
void dxl_inval_range(struct inode *inode, pgoff_t first, pgoff_t last)
{
	unsigned long nr;

	dxl_stat_inc(DXL_STAT_INVALIDATIONS);
	nr = dxl_entry_delete_range(&DXL_I(inode)->tree, first, last, true);
	dxl_stat_add(DXL_STAT_ENTRIES_INVALIDATED, nr);
	dxl_inval_mappings(inode, first, last, false);
	trace_invalidate(inode->i_sb->s_dev, inode->i_ino, first, last, nr);
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
 */
void dxl_inval_cut(struct inode *inode, pgoff_t first, pgoff_t last,
		   bool even_cows)
{
	unsigned long nr;

	dxl_stat_inc(DXL_STAT_INVALIDATIONS);
	nr = dxl_entry_delete_range(&DXL_I(inode)->tree, first, last, false);
	dxl_stat_add(DXL_STAT_ENTRIES_INVALIDATED, nr);
	dxl_inval_mappings(inode, first, last, false);
	if (even_cows)
		unmap_mapping_pages(inode->i_mapping, first, last - first + 1,
				    true);
	trace_invalidate(inode->i_sb->s_dev, inode->i_ino, first, last, nr);
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
	dxl_entry_delete_range(tree, 0, DXL_LAST_PAGE, false);
}
