// SPDX-License-Identifier: GPL-2.0
/*
 * Stores through MAP_SYNC; and stores in two halves, as upstream's MAP_SYNC (knob
 * sync_fault): the entry, then what makes it durable with nothing locked, then the
 * page table
 *
 * Here a block is durable before the map points to it, and the map, but for its
 * root, before a fault reads it: nothing else is left to do between an entry and its
 * mapping. With this knob every store to a page goes the way of a MAP_SYNC fault
 * (C11).
 */
#include "fault.h"
#include "ledger.h"
#include "stats.h"

#include <linux/mm.h>
#include <linux/pagemap.h>

/**
 * dxl_fault_make_found() - Make durable what data stored through MAP_SYNC is found by.
 * @fault: the fault, with its entry locked and its block known
 *
 * Size and root of the map may have been seen before they are in the record.
 *
 * Context: May sleep; takes slot_lock.
 * Return: 0, also for any other fault; as dxl_slot_write().
 */
int dxl_fault_make_found(const struct dxl_fault *fault)
{
	if (!fault->write || !(fault->vmf->vma->vm_flags & VM_SYNC) ||
	    !dxl_slot_is_owed(fault->inode, true))
		return 0;
	return dxl_slot_write(fault->inode);
}

/**
 * dxl_fault_is_halved() - Does a fault go in two halves?
 * @fault: the fault, with its entry locked
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_fault_is_halved(const struct dxl_fault *fault)
{
	return fault->write && !fault->order &&
	       dxl_fault_choice(fault, DXL_KNOB_SYNC_FAULT);
}

/* Between the halves the fault has mmap_lock, and maybe invalidate_lock. */
static int dxl_fault_between(const struct dxl_fault *fault)
{
	struct address_space *mapping = fault->inode->i_mapping;
	bool drops = dxl_fault_choice(fault, DXL_KNOB_SYNC_FAULT) !=
		     DXL_SYNC_FAULT_KIND;
	int err;

	if (drops)
		filemap_invalidate_unlock_shared(mapping);
	dxl_fault_window(fault, DXL_WIN_MKWRITE_AFTER_FAULT_UNLOCK);
	err = dxl_media_sync(dxl_media_of(fault->inode));
	dxl_fault_window(fault, DXL_WIN_MKWRITE_AFTER_FSYNC);
	if (drops) {
		filemap_invalidate_lock_shared(mapping);
		/* All may have been unmapped meanwhile, for good (gone.c). */
		if (READ_ONCE(dxl_media_of(fault->inode)->gone))
			err = -EIO;
	}
	return err;
}

/* The entry is locked again. Is it what the first half has left there? */
static bool dxl_fault_half_fits(const struct dxl_fault *fault,
				unsigned long pfn)
{
	const struct dxl_hold *hold = &fault->hold;
	unsigned int choice = dxl_fault_choice(fault, DXL_KNOB_SYNC_FAULT);
	bool data = dxl_entry_is_data(hold->entry);

	if (data && dxl_entry_pfn(hold->entry) +
		    (fault->index - hold->first) == pfn)
		return true;
	/* The kind is right, or nobody asks for it: another's frame is mapped. */
	if (choice == DXL_SYNC_FAULT_UNCHECKED ||
	    (data && choice != DXL_SYNC_FAULT_FRAME))
		dxl_damage(dxl_fault_tree(fault), DXL_DAMAGE_STALE_FRAME,
			   hold->first, dxl_entry_order(hold->entry));
	return false;
}

/**
 * dxl_fault_halves() - The rest of a store to a page, in two halves.
 * @fault: the fault, with its entry locked; ->unheld is set if it is not on return
 * @entry: what it shall be
 *
 * Context: May sleep. mmap_lock and invalidate_lock shared; the latter may be
 * dropped meanwhile.
 * Return: What the core shall be told; to fault again, if the entry has changed.
 */
vm_fault_t dxl_fault_halves(struct dxl_fault *fault, void *entry)
{
	struct dxl_tree *tree = dxl_fault_tree(fault);
	struct dxl_hold *hold = &fault->hold;
	unsigned long pfn;
	vm_fault_t ret;
	int err, again;

	dxl_entry_set(tree, hold, entry, false);
	pfn = dxl_entry_pfn(hold->entry) + (fault->index - hold->first);
	dxl_entry_unlock(tree, hold);
	err = dxl_fault_between(fault);
	again = dxl_entry_grab(tree, fault->index, 0, hold);
	if (again) {
		fault->unheld = true;
		return dxl_fault_error(fault, again);
	}
	if (err)
		return dxl_fault_error(fault, err);
	if (!dxl_fault_half_fits(fault, pfn))
		return VM_FAULT_NOPAGE;
	/* A huge page may have come while nothing was locked. */
	if (dxl_fault_pmd_changed(fault)) {
		dxl_stat_inc(DXL_STAT_FAULT_RETRY);
		return VM_FAULT_NOPAGE;
	}
	if (dxl_watched())
		dxl_ledger_dirty(tree, hold->entry, hold->first);
	dxl_entry_set(tree, hold, hold->entry, true);
	__mark_inode_dirty(fault->inode, I_DIRTY_PAGES);
	dxl_stat_inc(DXL_STAT_FAULT_PTE_MAPPED);
	ret = dxl_fault_insert_varied(fault, pfn, false);
	if (dxl_watched())
		dxl_fault_tell_mapped(fault, pfn, ret);
	return ret;
}
