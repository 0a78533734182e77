// SPDX-License-Identifier: GPL-2.0
/*
 * Layout breaks: what the choices of knobs do that are not sound (variant.h), and
 * what they would have freed
 */
#include "layout.h"
#include "compat_mm.h"
#include "oracle.h"
#include "stats.h"
#include "window.h"

#include <linux/mm.h>
#include <linux/pagemap.h>

static unsigned int dxl_layout_choice(const struct inode *inode,
				      enum dxl_knob knob)
{
	return dxl_choice(&DXL_SB(inode->i_sb)->lab, knob);
}

/**
 * dxl_layout_pinned_varied() - dxl_page_pinned() while some mount is not sound.
 * @lab: of the mount
 * @page: a page
 *
 * busy_test=tail: a tail has no references of its own.
 *
 * Context: Any context.
 * Return: Does the protocol find it pinned?
 */
bool dxl_layout_pinned_varied(const struct dxl_lab *lab, struct page *page)
{
	if (dxl_choice(lab, DXL_KNOB_BUSY_TEST) == DXL_BUSY_TEST_TAIL &&
	    page_ref_count(page) <= 1)
		return false;
	return dxl_page_pinned(page, true);
}

/* The pages of an entry that lie in a range. Under xa_lock. */
static void dxl_layout_scan_entry(struct inode *inode, void *entry,
				  pgoff_t at, pgoff_t first, pgoff_t last,
				  struct dxl_busy *busy)
{
	unsigned long nr = dxl_entry_pages(entry);
	pgoff_t start = at & ~(nr - 1), index;

	for (index = max(first, start);
	     index <= min(last, start + nr - 1) && !busy->page; index++) {
		unsigned long pfn = dxl_entry_pfn(entry) + (index - start);

		if (!pfn_valid(pfn) ||
		    !dxl_layout_pinned_varied(&DXL_SB(inode->i_sb)->lab,
					      pfn_to_page(pfn)))
			continue;
		busy->page = pfn_to_page(pfn);
		busy->index = index;
	}
}

/*
 * As fs/dax.c: what has an entry can be found. Faults are kept out; an entry that
 * writeback has locked has the frame that it will have. busy_scan=untested takes
 * the frame of an entry before it asks whether there is one: not here.
 */
static void dxl_layout_scan_entries(struct inode *inode, pgoff_t first,
				    pgoff_t last, struct dxl_busy *busy)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	XA_STATE(xas, &tree->xa, first);
	void *entry;

	busy->page = NULL;
	xas_lock(&xas);
	xas_for_each(&xas, entry, last) {
		if (dxl_entry_is_data(entry))
			dxl_layout_scan_entry(inode, entry, xas.xa_index, first,
					      last, busy);
		else if (dxl_layout_choice(inode, DXL_KNOB_BUSY_SCAN) ==
			 DXL_BUSY_SCAN_UNTESTED)
			dxl_damage(tree, DXL_DAMAGE_NO_FOLIO, xas.xa_index &
				   ~(dxl_entry_pages(entry) - 1),
				   dxl_entry_order(entry));
		if (busy->page)
			break;
	}
	xas_unlock(&xas);
}

static int dxl_layout_scan_varied(struct inode *inode, pgoff_t first,
				  pgoff_t last, struct dxl_busy *busy)
{
	int err = 0, id;

	switch (dxl_layout_choice(inode, DXL_KNOB_BUSY_SCAN)) {
	case DXL_BUSY_SCAN_MAP:
		err = dxl_layout_scan(inode, first, last, busy);
		break;
	case DXL_BUSY_SCAN_MAPPED:
		if (!mapping_mapped(inode->i_mapping)) {
			busy->page = NULL;
			break;
		}
		fallthrough;
	default:
		busy->page = NULL;
		err = dxl_media_enter(dxl_media_of(inode), &id);
		if (err)
			break;
		dxl_layout_scan_entries(inode, first, last, busy);
		dxl_media_exit(id);
	}
	dxl_layout_tell_scan(inode, first, busy);
	return err;
}

/* dxl_layout_break() with the steps in the order, and the number, of a choice. */
static int dxl_layout_break_varied(struct inode *inode, pgoff_t first,
				   pgoff_t last, unsigned int choice)
{
	struct dxl_busy busy = dxl_busy_begin(inode);
	int err;

	dxl_stat_inc(DXL_STAT_LAYOUT_BREAKS);
	for (;;) {
		if (choice != DXL_LAYOUT_SCAN_FIRST)
			dxl_layout_unmap(inode, first, last);
		err = dxl_layout_scan_varied(inode, first, last, &busy);
		if (choice == DXL_LAYOUT_SCAN_FIRST)
			dxl_layout_unmap(inode, first, last);
		if (err || !busy.page)
			return err;
		if (choice == DXL_LAYOUT_NOWAIT)
			return -EAGAIN;
		err = dxl_layout_wait(inode, &busy,
				      choice != DXL_LAYOUT_UNLOCKED);
		if (err || choice == DXL_LAYOUT_NO_RESCAN)
			return err;
	}
}

/**
 * dxl_layout_lock_varied() - dxl_layout_lock() while some mount is not sound.
 * @inode: the file, in memory of which pages can be waited for
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Context: As dxl_layout_lock().
 * Return: Likewise, but invalidate_lock is held in any case.
 */
int dxl_layout_lock_varied(struct inode *inode, pgoff_t first, pgoff_t last)
{
	unsigned int choice = dxl_layout_choice(inode, DXL_KNOB_LAYOUT);
	int err = 0;

	if (choice == DXL_LAYOUT_UNLOCKED)
		err = dxl_layout_break_varied(inode, first, last, choice);
	filemap_invalidate_lock(inode->i_mapping);
	switch (choice) {
	case DXL_LAYOUT_NONE:
	case DXL_LAYOUT_LATE:
	case DXL_LAYOUT_UNLOCKED:
		return err;
	}
	return dxl_layout_break_varied(inode, first, last, choice);
}

/**
 * dxl_layout_late() - layout=late: a break after the entries were deleted.
 * @inode: the file
 * @first: first page index of what was cut
 * @last: last page index, inclusive
 *
 * Nobody is found any more, so nobody is waited for.
 *
 * Context: As dxl_layout_break().
 * Return: Likewise; 0 with other choices.
 */
int dxl_layout_late(struct inode *inode, pgoff_t first, pgoff_t last)
{
	if (dxl_layout_choice(inode, DXL_KNOB_LAYOUT) != DXL_LAYOUT_LATE ||
	    !dxl_media_of(inode)->pagemap || !dxl_inode_dax(inode))
		return 0;
	return dxl_layout_break_varied(inode, first, last, DXL_LAYOUT_LATE);
}

static bool dxl_layout_is_evicted(struct inode *inode)
{
	return dxl_inode_state(inode) & I_FREEING;
}

/**
 * dxl_layout_evict() - evict_pinned=wait: a deleted file waits for pins.
 * @inode: being evicted
 *
 * If the wait is given up, what is pinned is kept.
 *
 * Context: May sleep, interruptibly; invalidate_lock exclusively.
 */
void dxl_layout_evict(struct inode *inode)
{
	if (dxl_layout_choice(inode, DXL_KNOB_EVICT_PINNED) ==
	    DXL_EVICT_PINNED_WAIT && dxl_media_of(inode)->pagemap &&
	    S_ISREG(inode->i_mode) && dxl_inode_dax(inode))
		dxl_layout_break(inode, 0, DXL_LAST_PAGE);
}

/* Why the protocol would free a block that is pinned; DXL_CAUSE_NONE: it would not. */
static enum dxl_cause dxl_layout_cause(struct inode *inode, struct page *page)
{
	static const enum dxl_cause of_layout[DXL_NR_LAYOUT] = {
		[DXL_LAYOUT_NONE] = DXL_CAUSE_NO_BREAK,
		[DXL_LAYOUT_SCAN_FIRST] = DXL_CAUSE_EARLY_SCAN,
		[DXL_LAYOUT_NO_RESCAN] = DXL_CAUSE_NO_RESCAN,
		[DXL_LAYOUT_UNLOCKED] = DXL_CAUSE_UNLOCKED,
		[DXL_LAYOUT_LATE] = DXL_CAUSE_LATE_BREAK,
	};
	unsigned int layout = dxl_layout_choice(inode, DXL_KNOB_LAYOUT);
	unsigned int scan = dxl_layout_choice(inode, DXL_KNOB_BUSY_SCAN);

	if (dxl_layout_is_evicted(inode))
		return dxl_layout_choice(inode, DXL_KNOB_EVICT_PINNED) ==
		       DXL_EVICT_PINNED_FREE ? DXL_CAUSE_EVICTED :
					       DXL_CAUSE_NONE;
	if (layout == DXL_LAYOUT_NONE)
		return DXL_CAUSE_NO_BREAK;
	if (dxl_layout_choice(inode, DXL_KNOB_BUSY_TEST) == DXL_BUSY_TEST_TAIL &&
	    PageTail(page))
		return DXL_CAUSE_TAIL;
	/* Without a dev_pagemap nothing was scanned: the look now is the break. */
	if (!dxl_media_of(inode)->pagemap)
		return DXL_CAUSE_NONE;
	if (of_layout[layout])
		return of_layout[layout];
	if (scan == DXL_BUSY_SCAN_MAP)
		return DXL_CAUSE_NONE;
	return scan == DXL_BUSY_SCAN_MAPPED &&
	       !mapping_mapped(inode->i_mapping) ? DXL_CAUSE_UNMAPPED :
						   DXL_CAUSE_NO_ENTRY;
}

static void dxl_layout_loss(struct inode *inode, u64 block, struct page *page,
			    enum dxl_cause cause)
{
	struct dxl_pins *pins = &DXL_SB(inode->i_sb)->lab.pins;
	struct dxl_pin_loss *loss;

	spin_lock(&pins->lock);
	if (pins->nr_losses++ < DXL_PIN_LOSSES) {
		loss = &pins->loss[pins->nr_losses - 1];
		loss->ino = dxl_ino(inode);
		loss->block = block;
		loss->pfn = page_to_pfn(page);
		loss->refs = page_count(page) - 1;
		loss->cause = cause;
		loss->task = current;
		loss->pid = current->pid;
		memcpy(loss->comm, current->comm, sizeof(loss->comm));
	}
	spin_unlock(&pins->lock);
}

/**
 * dxl_layout_keeps() - A block that would become free is pinned, and is kept.
 * @inode: the file that it was cut from
 * @block: the block
 *
 * Enters it in the ledger if the protocol of the mount would have freed it.
 *
 * Context: Any process context.
 */
void dxl_layout_keeps(struct inode *inode, u64 block)
{
	struct page *page = dxl_media_page(dxl_media_of(inode), block);
	enum dxl_cause cause = dxl_layout_cause(inode, page);

	if (cause)
		dxl_layout_loss(inode, block, page, cause);
	dxl_note(&DXL_I(inode)->tree, DXL_EV_PIN, block, 0, block,
		 cause ? DXL_PIN_FREES : DXL_PIN_KEEPS);
}
