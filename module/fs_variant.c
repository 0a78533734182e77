// SPDX-License-Identifier: GPL-2.0
/*
 * write(2) and its invalidation: what the choices of knobs do that are not sound
 * (variant.h); and how a mount gets other choices
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs_variant.h"
#include "entry_evict.h"
#include "frozen.h"
#include "window.h"

#include <linux/pagemap.h>
#include <linux/uio.h>

/**
 * dxl_txn_hold() - Take the transaction of a mount for an inode.
 * @inode: for whose blocks
 *
 * Context: May sleep, killably.
 * Return: 0; -EDEADLK after a rescue; -EINTR after a fatal signal.
 */
int dxl_txn_hold(struct inode *inode)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	int err;

	dxl_note(tree, DXL_EV_TXN, 0, 0, 0, 0);
	err = dxl_txn_begin(&DXL_SB(inode->i_sb)->lab);
	if (!err)
		dxl_note(tree, DXL_EV_TXN, 0, 0, 0, 1);
	return err;
}

/**
 * dxl_txn_drop() - Give it back.
 * @inode: as in dxl_txn_hold()
 *
 * Context: Does not sleep. The caller has it.
 */
void dxl_txn_drop(struct inode *inode)
{
	dxl_note(&DXL_I(inode)->tree, DXL_EV_TXN, 0, 0, 0, 2);
	dxl_txn_end(&DXL_SB(inode->i_sb)->lab);
}

/**
 * dxl_inval_varied() - dxl_inval_entries() while some mount is not sound.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Context: As dxl_inval_range().
 * Return: Number of entries removed.
 */
long dxl_inval_varied(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;

	switch (dxl_choice(tree->lab, DXL_KNOB_INVALIDATE)) {
	case DXL_INVALIDATE_SKIP_UNCOUNTED:
		/* Entries are not counted there: never is anything done. */
		if (!inode->i_mapping->nrpages)
			return 0;
		break;
	case DXL_INVALIDATE_UNMAP_FIRST:
		dxl_inval_mappings(inode, first, last);
		dxl_window(DXL_WIN_INVALIDATE_BEFORE_UNMAP, tree, first, 0,
			   DXL_ACCESS_WRITE);
		return dxl_entry_delete_range(tree, first, last, true);
	case DXL_INVALIDATE_PER_ENTRY:
		return dxl_entry_delete_unmapped(tree, first, last);
	case DXL_INVALIDATE_DROP_DIRTY:
		return dxl_inval_entries(inode, first, last, false);
	}
	return dxl_inval_entries(inode, first, last, true);
}

/* What of a write(2) knobs have changed: each is asked once. */
struct dxl_write_choices {
	unsigned int map_order;
	unsigned int txn;
	unsigned int invalidate;
};

/*
 * Blocks, and invalidation before or after. Return: 0 or a negative errno; the
 * transaction is held on return if it was on entry, unless txn=dropped.
 */
static int dxl_write_prepare(struct inode *inode, loff_t pos, size_t len,
			     struct dxl_run *run,
			     const struct dxl_write_choices *choice)
{
	bool excludes = choice->map_order == DXL_MAP_ORDER_RWSEM;
	int early = 0, err, late = 0;

	if (excludes)
		filemap_invalidate_lock(inode->i_mapping);
	if (choice->invalidate == DXL_INVALIDATE_EARLY)
		early = dxl_inval_range(inode, pos >> PAGE_SHIFT,
					(pos + len - 1) >> PAGE_SHIFT);
	err = dxl_write_blocks(inode, pos, len, run);
	if (choice->txn == DXL_TXN_DROPPED)
		dxl_txn_drop(inode);
	if (run->changed && choice->invalidate != DXL_INVALIDATE_EARLY &&
	    choice->invalidate != DXL_INVALIDATE_UNTOLD)
		late = dxl_inval_range(inode, run->index,
				       run->index + run->nr - 1);
	if (excludes)
		filemap_invalidate_unlock(inode->i_mapping);
	return early ?: err ?: late;
}

/**
 * dxl_write_varied() - One run of a write(2) while some mount is not sound.
 * @inode: the file
 * @pos: first byte
 * @len: bytes
 * @from: where from
 *
 * Context: As write(2): i_rwsem exclusively, inside dxl_media_enter().
 * Return: bytes copied, or a negative errno.
 */
ssize_t dxl_write_varied(struct inode *inode, loff_t pos, size_t len,
			 struct iov_iter *from)
{
	const struct dxl_lab *lab = &DXL_SB(inode->i_sb)->lab;
	const struct dxl_write_choices choice = {
		.map_order = dxl_choice(lab, DXL_KNOB_MAP_ORDER),
		.txn = dxl_choice(lab, DXL_KNOB_TXN),
		.invalidate = dxl_choice(lab, DXL_KNOB_INVALIDATE),
	};
	unsigned int write_map = dxl_choice(lab, DXL_KNOB_WRITE_MAP);
	struct dxl_run run;
	ssize_t ret;

	if (write_map) {
		ret = dxl_write_cow(inode, pos, len, from, write_map);
		if (ret)
			return ret;
	}
	if (choice.txn) {
		ret = dxl_txn_hold(inode);
		if (ret)
			return ret == -EDEADLK ? -EIO : ret;
	}
	ret = dxl_write_prepare(inode, pos, len, &run, &choice);
	if (!ret)
		ret = dxl_write_copy(inode, &run, pos, len, from);
	/* Narrower, not closed: a fault may sleep over both. */
	if (ret > 0 && run.changed && choice.map_order == DXL_MAP_ORDER_TWICE)
		ret = dxl_inval_range(inode, run.index,
				      run.index + run.nr - 1) ?: ret;
	if (choice.txn && choice.txn != DXL_TXN_DROPPED)
		dxl_txn_drop(inode);
	return ret;
}

/* Is an entry of this mount locked, by whoever, or waited for? */
static bool dxl_tree_is_busy(struct dxl_tree *tree)
{
	unsigned long index;
	bool busy;
	void *entry;

	xa_lock(&tree->xa);
	busy = !hlist_empty(&tree->holds) || !list_empty(&tree->waiters);
	xa_for_each(&tree->xa, index, entry) {
		if (busy)
			break;
		busy = dxl_entry_is_locked(entry);
	}
	xa_unlock(&tree->xa);
	return busy;
}

static bool dxl_mount_is_busy(struct super_block *sb)
{
	struct inode *inode;
	bool busy = false;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		busy = dxl_tree_is_busy(&DXL_I(inode)->tree);
		if (busy)
			break;
	}
	spin_unlock(&sb->s_inode_list_lock);
	return busy || READ_ONCE(DXL_SB(sb)->lab.txn.owner) ||
	       dxl_frozen_is_busy(&DXL_SB(sb)->lab);
}

static void dxl_requeue_inode(struct inode *inode, void *arg)
{
	dxl_tree_requeue(&DXL_I(inode)->tree);
}

/* The choices of a mount, with what was changed from @from to @to. */
static struct dxl_variant dxl_variant_merge(const struct dxl_lab *lab,
					    const struct dxl_variant *from,
					    const struct dxl_variant *to)
{
	struct dxl_variant merged = lab->variant;
	unsigned int i;

	for (i = 0; i < DXL_NR_KNOBS; i++)
		if (from->choice[i] != to->choice[i])
			merged.choice[i] = to->choice[i];
	return merged;
}

/**
 * dxl_variant_change() - Let a mount take other choices.
 * @sb: the mount
 * @from: its choices when the caller looked
 * @to: what the caller made of them; what is the same stays as it is now
 *
 * Who locks or waits must end as it began. Nothing keeps faults away meanwhile:
 * who comes during the change may begin with either, and who then sleeps by the
 * old choices, where nobody would wake him by the new ones, looks again. The
 * static key stays on as long as somebody may own an entry by old choices.
 *
 * Context: May sleep.
 * Return: 0; -EBUSY, with a line in the log, while an entry is locked or waited
 * for, the transaction held, or a folio frozen.
 */
int dxl_variant_change(struct super_block *sb, const struct dxl_variant *from,
		       const struct dxl_variant *to)
{
	struct dxl_lab *lab = &DXL_SB(sb)->lab;
	struct dxl_variant merged;
	int err = 0;

	mutex_lock(&lab->lock);
	merged = dxl_variant_merge(lab, from, to);
	if (memcmp(&lab->variant, &merged, sizeof(merged))) {
		if (dxl_mount_is_busy(sb)) {
			err = -EBUSY;
		} else {
			WRITE_ONCE(lab->changing, true);
			/* Pairs with dxl_tree_settled(). */
			smp_wmb();
			dxl_lab_vary(lab, &merged);
			dxl_sb_visit_inodes(sb, dxl_requeue_inode, NULL);
			WRITE_ONCE(lab->changing, false);
		}
	}
	/* Grabs ask under xa_lock, where each tree was looked at since. */
	if (!err && lab->varied && !dxl_mount_is_busy(sb))
		dxl_lab_settle(lab);
	mutex_unlock(&lab->lock);
	if (err)
		dxl_err_ratelimited(sb, "variant: cannot change: an entry is locked or waited for");
	return err;
}
