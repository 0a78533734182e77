// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback: collect dirty entries, write-protect, flush, clean
 *
 *	tag		DIRTY entries of the range become this sync's work list
 *	collect		lock a batch of them; wait for a locked one only with an
 *			empty hand, and for every one: fault or other sync
 *	protect		no store can come any more without a fault, which waits
 *	flush		what was stored is on the media
 *	clean		marks off, unlock, wake
 *
 * It goes over the range once. Behind it, what it had on its list is clean, and what
 * comes back there is of later stores, on the list of another sync: to go back for
 * that would have no end while others store and sync.
 *
 * What a sync promises: every store that was complete when it was called is on
 * the media when it returns. Such a store was made through an entry that is
 * DIRTY when tag looks, or whose flush it then waits for, since the marks go
 * only after the flush. fs/dax.c up to 7.3 skips locked entries and clears
 * TOWRITE before the flush, and breaks this promise both ways.
 */
#include "fs.h"
#include "fs_variant.h"
#include "ledger.h"
#include "stats.h"
#include "trace.h"
#include "window.h"

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

/* A batch lives on the stack of one function and never escapes. */
#define DXL_BATCH		24

/**
 * dxl_writeback_protect() - Take locked entries out of all page tables.
 * @inode: the file
 * @hold: the entries
 * @nr: how many
 *
 * Entries that follow each other share one walk over the page tables. Unmapped,
 * a page is write-protected: pfn_mkclean_range() is not exported.
 *
 * Context: May sleep. The caller owns the entries.
 */
void dxl_writeback_protect(struct inode *inode, const struct dxl_hold *hold,
			   unsigned int nr)
{
	unsigned int i = 0;

	while (i < nr) {
		pgoff_t first = hold[i].first;
		pgoff_t next = first;

		while (i < nr && hold[i].first == next)
			next += dxl_entry_pages(hold[i++].entry);
		dxl_note(&DXL_I(inode)->tree, DXL_EV_UNMAP, first, 0, first,
			 next - first);
		unmap_mapping_pages(inode->i_mapping, first, next - first,
				    false);
	}
	dxl_stat_add(DXL_STAT_WRITE_PROTECTS, nr);
}

/**
 * dxl_writeback_told() - Count and note completed flushes.
 * @inode: the file
 * @hold: the entries
 * @nr: how many
 *
 * Context: May sleep.
 */
void dxl_writeback_told(struct inode *inode, const struct dxl_hold *hold,
			unsigned int nr)
{
	unsigned int i;

	dxl_stat_add(DXL_STAT_FLUSHES, nr);
	for (i = 0; dxl_watched() && i < nr; i++)
		dxl_note(&DXL_I(inode)->tree, DXL_EV_FLUSHED, hold[i].first,
			 dxl_entry_order(hold[i].entry), hold[i].first, 0);
}

static void dxl_writeback_flush(struct inode *inode,
				const struct dxl_hold *hold, unsigned int nr)
{
	struct dxl_media *media = dxl_media_of(inode);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		unsigned long pfn = dxl_entry_pfn(hold[i].entry);

		dxl_media_flush(media, pfn_to_kaddr(pfn),
				dxl_entry_pages(hold[i].entry) << PAGE_SHIFT);
	}
	dxl_media_fence(media);
	dxl_writeback_told(inode, hold, nr);
}

/* Return: whether all of the work list was dealt with, as dxl_writeback_range(). */
static int dxl_writeback_list(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct dxl_hold hold[DXL_BATCH];
	unsigned long written = 0;
	pgoff_t next = first;
	int nr;

	dxl_stat_inc(DXL_STAT_WRITEBACKS);
	while ((nr = dxl_entry_collect(tree, next, last, hold, DXL_BATCH)) > 0) {
		next = hold[nr - 1].first + dxl_entry_pages(hold[nr - 1].entry);
		dxl_window(DXL_WIN_WRITEBACK_AFTER_LOCK, tree, hold->first,
			   dxl_entry_order(hold->entry), DXL_ACCESS_NONE);
		written += nr;
		if (dxl_varied()) {
			if (dxl_writeback_varied(inode, first, hold, nr))
				next = first;
			continue;
		}
		dxl_writeback_protect(inode, hold, nr);
		dxl_window(DXL_WIN_WRITEBACK_AFTER_WRPROTECT, tree, hold->first,
			   dxl_entry_order(hold->entry), DXL_ACCESS_NONE);
		dxl_writeback_flush(inode, hold, nr);
		dxl_window(DXL_WIN_WRITEBACK_AFTER_FLUSH, tree, hold->first,
			   dxl_entry_order(hold->entry), DXL_ACCESS_NONE);
		dxl_entry_clean(tree, hold, nr);
		cond_resched();
	}
	dxl_stat_add(DXL_STAT_ENTRIES_WRITTEN, written);
	trace_writeback(inode->i_sb->s_dev, inode->i_ino, first, last, written);
	return nr < 0 ? -EIO : 0;
}

/**
 * dxl_writeback_pages() - dxl_writeback_range(), of pages.
 * @inode: a regular file
 * @first: page index
 * @last: page index, inclusive
 *
 * Context: As dxl_writeback_range().
 * Return: As dxl_writeback_range().
 */
int dxl_writeback_pages(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	int err, id;

	if (!dxl_entry_tag(tree, first, last))
		return 0;
	err = dxl_window(DXL_WIN_WRITEBACK_AFTER_TAG, tree, first, 0,
			 DXL_ACCESS_NONE);
	if (!err)
		err = dxl_media_enter(dxl_media_of(inode), &id);
	if (err)
		return err;
	err = dxl_writeback_list(inode, first, last);
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_writeback_range() - Make what was stored through mappings durable.
 * @inode: a regular file
 * @start: first byte
 * @end: last byte, inclusive
 *
 * An entry that reaches into the range is flushed whole.
 *
 * Context: May sleep for owners of entries; the caller owns none.
 * Return: 0; -EIO if the device is gone, or if a wait was rescued.
 */
int dxl_writeback_range(struct inode *inode, loff_t start, loff_t end)
{
	pgoff_t first = start >> PAGE_SHIFT;
	pgoff_t last = min_t(pgoff_t, end >> PAGE_SHIFT, DXL_LAST_PAGE);

	if (first > last)
		return 0;
	if (dxl_varied())
		return dxl_writeback_range_varied(inode, first, last);
	return dxl_writeback_pages(inode, first, last);
}

/* Return: whether it is known; of memory that is gone nothing is. */
static bool dxl_writeback_promises(struct dxl_promise *promise,
				   struct inode *inode, loff_t start,
				   loff_t end)
{
	int id;

	if (dxl_media_enter(dxl_media_of(inode), &id))
		return false;
	dxl_promise_begin(promise, &DXL_I(inode)->tree, start >> PAGE_SHIFT,
			  end >> PAGE_SHIFT);
	dxl_media_exit(id);
	return true;
}

/*
 * Whatever the sync mode: the VFS has cleared I_DIRTY_PAGES, so an entry that
 * were left dirty here would be found by no later sync of the mount. It is told
 * again of what an error has left.
 */
static int dxl_writepages(struct address_space *mapping,
			  struct writeback_control *wbc)
{
	loff_t start = wbc->range_cyclic ? 0 : wbc->range_start;
	loff_t end = wbc->range_cyclic ? LLONG_MAX : wbc->range_end;
	struct dxl_promise promise;
	bool promises;
	int err;

	promises = dxl_watched() && wbc->sync_mode == WB_SYNC_ALL &&
		   dxl_writeback_promises(&promise, mapping->host, start, end);
	err = dxl_writeback_range(mapping->host, start, end);
	if (promises)
		dxl_promise_end(&promise, err);
	mapping_set_error(mapping, err);
	if (err && (dxl_varied() || dxl_watched()))
		__mark_inode_dirty(mapping->host, I_DIRTY_PAGES);
	return err;
}

const struct address_space_operations dxl_aops = {
	.writepages	= dxl_writepages,
	.direct_IO	= noop_direct_IO,
	.dirty_folio	= noop_dirty_folio,
};

static int dxl_fsync_file(struct file *file, loff_t start, loff_t end,
			  int datasync)
{
	struct inode *inode = file_inode(file);
	int err, err2;

	err = dxl_writeback_range(inode, start, end);
	if (!err && dxl_slot_is_owed(inode, datasync))
		err = dxl_slot_sync(inode);
	if (!err)
		err = dxl_media_sync(dxl_media_of(inode));
	err2 = file_check_and_advance_wb_err(file);
	return err ?: err2;
}

/**
 * dxl_fsync() - fsync(2), fdatasync(2), msync(2), O_SYNC.
 * @file: a regular file
 * @start: first byte
 * @end: last byte, inclusive
 * @datasync: timestamps may wait
 *
 * Size, map and names are durable when the call that changed them returns, unless it
 * failed; only data stored through mappings, timestamps, records that could not be
 * stored and the device's own cache are left.
 *
 * Context: May sleep for owners of entries.
 * Return: 0 or a negative errno.
 */
int dxl_fsync(struct file *file, loff_t start, loff_t end, int datasync)
{
	struct inode *inode = file_inode(file);
	struct dxl_promise promise;
	int err;

	if (!dxl_watched() ||
	    !dxl_writeback_promises(&promise, inode, start, end))
		return dxl_fsync_file(file, start, end, datasync);
	err = dxl_fsync_file(file, start, end, datasync);
	dxl_promise_end(&promise, err);
	return err;
}
