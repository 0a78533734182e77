// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback: what the choices of knobs do that are not sound (towrite, protect,
 * flush, flush_order, sync_lock)
 */
#include "fs.h"
#include "entry_variant.h"
#include "fs_variant.h"
#include "stats.h"
#include "window.h"

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/rwsem.h>

static void dxl_protect_varied(struct inode *inode, pgoff_t start,
			       const struct dxl_hold *hold, unsigned int nr)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	unsigned int how = dxl_choice(tree->lab, DXL_KNOB_PROTECT), i;

	if (how == DXL_PROTECT_ALL) {
		dxl_writeback_protect(inode, hold, nr);
		return;
	}
	for (i = 0; i < nr; i++) {
		unsigned long pages = dxl_entry_pages(hold[i].entry);
		pgoff_t at = hold[i].first;

		if (how == DXL_PROTECT_SKIP_HUGE && pages > 1)
			continue;
		if (how == DXL_PROTECT_RAW_HEAD && start > at &&
		    start < at + pages)
			at = start;
		dxl_note(tree, DXL_EV_UNMAP, at, 0, at, 1);
		/* Of a huge pmd it takes all. */
		unmap_mapping_pages(inode->i_mapping, at, 1, false);
		dxl_stat_inc(DXL_STAT_WRITE_PROTECTS);
	}
}

static void dxl_flush_varied(struct inode *inode, pgoff_t start,
			     const struct dxl_hold *hold, unsigned int nr)
{
	struct dxl_media *media = dxl_media_of(inode);
	unsigned int how = dxl_choice(DXL_I(inode)->tree.lab, DXL_KNOB_FLUSH), i;

	for (i = 0; i < nr; i++) {
		unsigned long pages = dxl_entry_pages(hold[i].entry), skip = 0;

		if (how == DXL_FLUSH_FIRST_PAGE)
			pages = 1;
		else if (how == DXL_FLUSH_FROM_START && start > hold[i].first &&
			 start < hold[i].first + pages)
			skip = start - hold[i].first;
		dxl_media_flush(media,
				pfn_to_kaddr(dxl_entry_pfn(hold[i].entry) + skip),
				(pages - skip) << PAGE_SHIFT);
	}
	dxl_media_fence(media);
	dxl_writeback_told(inode, hold, nr);
}

enum dxl_sync_step { DXL_STEP_PROTECT, DXL_STEP_FLUSH, DXL_STEP_CLEAN };

#define DXL_SYNC_STEPS	3

static const u8 dxl_sync_orders[DXL_NR_FLUSH_ORDER][DXL_SYNC_STEPS] = {
	[DXL_FLUSH_ORDER_PROTECT_FLUSH_CLEAN] = {
		DXL_STEP_PROTECT, DXL_STEP_FLUSH, DXL_STEP_CLEAN },
	[DXL_FLUSH_ORDER_PROTECT_CLEAN_FLUSH] = {
		DXL_STEP_PROTECT, DXL_STEP_CLEAN, DXL_STEP_FLUSH },
	[DXL_FLUSH_ORDER_CLEAN_PROTECT_FLUSH] = {
		DXL_STEP_CLEAN, DXL_STEP_PROTECT, DXL_STEP_FLUSH },
	[DXL_FLUSH_ORDER_FLUSH_PROTECT_CLEAN] = {
		DXL_STEP_FLUSH, DXL_STEP_PROTECT, DXL_STEP_CLEAN },
	[DXL_FLUSH_ORDER_FLUSH_CLEAN_PROTECT] = {
		DXL_STEP_FLUSH, DXL_STEP_CLEAN, DXL_STEP_PROTECT },
	[DXL_FLUSH_ORDER_CLEAN_FLUSH_PROTECT] = {
		DXL_STEP_CLEAN, DXL_STEP_FLUSH, DXL_STEP_PROTECT },
};

/* One step of a sync; @last: the next thing that happens is the unlock. */
static void dxl_sync_step(struct inode *inode, enum dxl_sync_step step,
			  pgoff_t start, const struct dxl_hold *hold,
			  unsigned int nr, bool last)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	enum dxl_window window;

	switch (step) {
	case DXL_STEP_PROTECT:
		dxl_protect_varied(inode, start, hold, nr);
		if (dxl_choice(tree->lab, DXL_KNOB_TOWRITE) ==
		    DXL_TOWRITE_AT_PROTECT)
			dxl_entry_unmark(tree, hold, nr, false);
		window = DXL_WIN_WRITEBACK_AFTER_WRPROTECT;
		break;
	case DXL_STEP_FLUSH:
		dxl_flush_varied(inode, start, hold, nr);
		window = DXL_WIN_WRITEBACK_AFTER_FLUSH;
		break;
	default:
		/* At the end they go with the lock. */
		if (last)
			return;
		dxl_entry_unmark(tree, hold, nr, true);
		window = DXL_WIN_WRITEBACK_AFTER_MARKS;
		break;
	}
	dxl_window(window, tree, hold->first, dxl_entry_order(hold->entry),
		   DXL_ACCESS_NONE);
}

/**
 * dxl_writeback_varied() - What follows the collection of a batch.
 * @inode: the file
 * @start: page index where the sync began
 * @hold: the batch; ends here
 * @nr: how many
 *
 * Context: May sleep, inside dxl_media_enter().
 * Return: Whether the sync looks at its whole range again.
 */
bool dxl_writeback_varied(struct inode *inode, pgoff_t start,
			  struct dxl_hold *hold, unsigned int nr)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	bool locked = dxl_choice(tree->lab, DXL_KNOB_SYNC_LOCK) ==
		      DXL_SYNC_LOCK_HELD;
	const u8 *order = dxl_sync_orders[dxl_choice(tree->lab,
						     DXL_KNOB_FLUSH_ORDER)];
	unsigned int i;

	for (i = 0; !locked && i < nr; i++)
		dxl_entry_unlock(tree, hold + i);
	for (i = 0; i < DXL_SYNC_STEPS; i++)
		dxl_sync_step(inode, order[i], start, hold, nr,
			      locked && i + 1 == DXL_SYNC_STEPS);
	if (locked)
		dxl_entry_clean(tree, hold, nr);
	cond_resched();
	/* What it has passed may be unlocked now; DIRTY alone would come back. */
	return dxl_sync_skips(tree) && dxl_sync_mark(tree) != DXL_MARK_DIRTY;
}

/**
 * dxl_writeback_range_varied() - dxl_writeback_range() (knob towrite).
 * @inode: the file
 * @first: page index
 * @last: page index, inclusive
 *
 * Context: As dxl_writeback_range().
 * Return: As dxl_writeback_range(); -EINTR after a fatal signal.
 */
int dxl_writeback_range_varied(struct inode *inode, pgoff_t first,
			       pgoff_t last)
{
	struct dxl_inode *di = DXL_I(inode);
	unsigned int how = dxl_choice(di->tree.lab, DXL_KNOB_TOWRITE);
	int err;

	if (how == DXL_TOWRITE_SERIALISED) {
		err = down_write_killable(&di->sync_sem);
		if (err)
			return err;
		err = dxl_writeback_pages(inode, first, last);
		up_write(&di->sync_sem);
		return err;
	}
	err = dxl_writeback_pages(inode, first, last);
	if (!err && how == DXL_TOWRITE_WAIT_LOCKED &&
	    dxl_entry_wait_dirty(&di->tree, first, last))
		err = -EIO;
	return err;
}
