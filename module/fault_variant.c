// SPDX-License-Identifier: GPL-2.0
/*
 * Faults: what the choices of knobs do that are not sound (variant.h), and what
 * is told while somebody watches
 */
#include "fault.h"
#include "compat.h"
#include "entry_evict.h"
#include "entry_variant.h"
#include "fs_variant.h"
#include "owner.h"
#include "role.h"
#include "stats.h"

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>

/* The first frame of what holes are read from. */
static unsigned long dxl_fault_zeroes(void)
{
	return dxl_entry_pfn(dxl_fault_zero_entry(DXL_PMD_ORDER));
}

/**
 * dxl_fault_crossed() - A fault is at a window; use dxl_fault_window().
 * @fault: the fault
 * @window: which
 *
 * The windows of stores to a read-only PTE are crossed on top of those that
 * they share with other faults.
 *
 * Context: As the window's flags say.
 * Return: 0, or an error that is armed there.
 */
int dxl_fault_crossed(const struct dxl_fault *fault, enum dxl_window window)
{
	unsigned int flags = fault->vmf->flags;
	int err;

	err = dxl_window_crossed(window, dxl_fault_tree(fault), fault->index,
				 fault->order, flags & FAULT_FLAG_WRITE ?
				 DXL_ACCESS_WRITE : DXL_ACCESS_READ);
	if (!err && flags & FAULT_FLAG_MKWRITE) {
		if (window == DXL_WIN_FAULT_BEFORE_GRAB)
			err = dxl_fault_crossed(fault,
						DXL_WIN_MKWRITE_BEFORE_GRAB);
		else if (window == DXL_WIN_FAULT_AFTER_GRAB)
			err = dxl_fault_crossed(fault,
						DXL_WIN_MKWRITE_AFTER_LOCK);
	}
	/* Nothing is smaller than a PTE. */
	return err == -EAGAIN && !fault->order ? 0 : err;
}

/**
 * dxl_fault_begins() - A fault begins, while somebody watches.
 * @fault: the fault
 *
 * Context: May sleep. mmap_lock shared.
 * Return: As dxl_fault_crossed().
 */
int dxl_fault_begins(const struct dxl_fault *fault)
{
	dxl_role_fault(fault->vmf->vma->vm_mm);
	return dxl_fault_crossed(fault, DXL_WIN_FAULT_AFTER_CORE_PMD_CHECK);
}

/**
 * dxl_fault_tell_mapped() - The page table was written.
 * @fault: the fault
 * @pfn: what it points to
 * @ret: how that went
 *
 * Context: May sleep.
 */
void dxl_fault_tell_mapped(const struct dxl_fault *fault, unsigned long pfn,
			   vm_fault_t ret)
{
	if (ret == VM_FAULT_NOPAGE)
		dxl_note(dxl_fault_tree(fault), DXL_EV_MAP, fault->index,
			 fault->order, fault->index, pfn);
	dxl_fault_crossed(fault, DXL_WIN_FAULT_AFTER_MAP);
}

/*
 * What comes before the grab. txn=first: the transaction. map_order: the block
 * map is read before the entry is locked (C1, C2).
 */
static int dxl_fault_prepare(struct dxl_fault *fault,
			     struct dxl_fault_seen *seen)
{
	int err;

	if (fault->write &&
	    dxl_fault_choice(fault, DXL_KNOB_TXN) == DXL_TXN_FIRST) {
		err = dxl_txn_hold(fault->inode);
		if (err)
			return err;
		fault->txn = true;
	}
	if (dxl_fault_choice(fault, DXL_KNOB_MAP_ORDER)) {
		seen->entry = dxl_entry_peek(dxl_fault_tree(fault),
					     fault->index);
		err = dxl_fault_map_block(fault, &seen->run);
		if (err)
			return err;
		fault->seen = seen;
	}
	return 0;
}

/*
 * map_order=blind: without an entry lock, who stores last wins, and who finds
 * that another has stored meanwhile fails (C9). With the other choices an entry
 * that has its frame wins over what was seen: it is as old, since nothing takes
 * blocks away while invalidate_lock is held. Return: 0 or -EIO.
 */
static int dxl_fault_store_blind(struct dxl_fault *fault)
{
	const struct dxl_fault_seen *seen = fault->seen;
	struct dxl_hold *hold = &fault->hold;
	struct dxl_tree *tree = dxl_fault_tree(fault);

	if (!seen || dxl_fault_choice(fault, DXL_KNOB_MAP_ORDER) !=
		     DXL_MAP_ORDER_BLIND)
		return 0;
	if (fault->write && dxl_entry_is_zero(hold->entry) && !seen->entry) {
		dxl_damage(tree, DXL_DAMAGE_STORE_FAILED, hold->first,
			   fault->order);
		return -EIO;
	}
	/* Of another size it stays: a page cannot be stored over 512. */
	if ((seen->run.block == DXL_NO_BLOCK || seen->run.unwritten) &&
	    dxl_entry_is_data(hold->entry) &&
	    dxl_entry_order(hold->entry) == fault->order)
		dxl_entry_force(tree, hold,
				dxl_fault_zero_entry(fault->order));
	return 0;
}

/* The grab itself. Return: as dxl_fault_grab_varied(). */
static int dxl_fault_lock_varied(struct dxl_fault *fault)
{
	struct dxl_tree *tree = dxl_fault_tree(fault);
	int err;

	if (!fault->write && !fault->order &&
	    dxl_fault_choice(fault, DXL_KNOB_HOLE_PAGE))
		err = dxl_entry_grab_hole(tree, fault->index, &fault->hold);
	else
		err = dxl_entry_grab(tree, fault->index, fault->order,
				     &fault->hold);
	if (err)
		return err;
	err = dxl_fault_store_blind(fault);
	if (err)
		dxl_entry_unlock(tree, &fault->hold);
	return err;
}

/**
 * dxl_fault_grab_varied() - dxl_entry_grab() while some mount is not sound.
 * @fault: the fault
 * @seen: room for what it sees before
 *
 * Context: As dxl_entry_grab(). If it succeeds and fault->txn is set, the
 * caller gives the transaction back.
 * Return: As dxl_entry_grab(); 1: a hole page is there, for
 * dxl_fault_hole_page(); other errors.
 */
int dxl_fault_grab_varied(struct dxl_fault *fault, struct dxl_fault_seen *seen)
{
	int err;

	err = dxl_fault_prepare(fault, seen);
	/* What is no conflict must not look like one. */
	if (err == -EAGAIN)
		err = -ERANGE;
	if (!err)
		err = dxl_fault_lock_varied(fault);
	if (err && fault->txn)
		dxl_txn_drop(fault->inode);
	return err;
}

/*
 * The entry lock keeps page tables and huge pages apart, and variants break it:
 * two tasks may own what should be one entry, or none. So the last look at the
 * pmd and the store are one step while some mount is not sound.
 */
static DEFINE_MUTEX(dxl_tables_lock);

/**
 * dxl_fault_insert_varied() - dxl_fault_insert() while some mount is not sound.
 * @fault: the fault
 * @pfn: first frame
 * @hole: it has the zeroes that all holes share
 *
 * Context: May sleep.
 * Return: What the core shall be told; to fault again, if the pmd does not fit.
 */
vm_fault_t dxl_fault_insert_varied(const struct dxl_fault *fault,
				   unsigned long pfn, bool hole)
{
	vm_fault_t ret = fault->order ? 0 : VM_FAULT_NOPAGE;
	struct dxl_tree *tree = dxl_fault_tree(fault);
	pgoff_t first = fault->hold.first;
	pmd_t pmd;

	mutex_lock(&dxl_tables_lock);
	pmd = READ_ONCE(*fault->vmf->pmd);
	if (dxl_fault_pmd_changed(fault))
		dxl_damage(tree, fault->order ? DXL_DAMAGE_HUGE_OVER_TABLE :
						DXL_DAMAGE_PTE_UNDER_HUGE,
			   first, dxl_entry_order(fault->hold.entry));
	else if (fault->order && fault->write && dxl_pmd_is_huge(pmd) &&
		 pmd_pfn(pmd) != pfn)
		/* Stale: the library would warn. */
		tree->ops->unmap(tree, first, DXL_PMD_PAGES);
	else
		ret = dxl_fault_insert(fault, pfn, hole);
	mutex_unlock(&dxl_tables_lock);
	return ret;
}

/**
 * dxl_fault_hole_page() - hole_page: map zeroes, without an entry lock.
 * @fault: the fault
 *
 * Context: May sleep. Ends what dxl_entry_grab_hole() began.
 * Return: What the core shall be told.
 */
vm_fault_t dxl_fault_hole_page(struct dxl_fault *fault)
{
	vm_fault_t ret = VM_FAULT_NOPAGE;
	unsigned int nofs;

	/* Reclaim may evict inodes, and that waits for hole pages. */
	nofs = memalloc_nofs_save();
	mutex_lock(&dxl_tables_lock);
	if (!dxl_fault_pmd_changed(fault)) {
		dxl_stat_inc(DXL_STAT_FAULT_PTE_HOLE);
		ret = dxl_vmf_insert_zero(fault->vmf, dxl_fault_zeroes());
		dxl_note(dxl_fault_tree(fault), DXL_EV_MAP, fault->index, 0,
			 fault->index, 0);
	}
	mutex_unlock(&dxl_tables_lock);
	memalloc_nofs_restore(nofs);
	dxl_hole_mapped(dxl_fault_tree(fault));
	return ret;
}

/**
 * dxl_fault_map_varied() - dxl_fault_map_block() while some mount is not sound.
 * @fault: the fault
 * @run: receives what the map has, or had when the fault looked
 *
 * txn=kept, dropped: the handle is taken inside the entry lock (C3).
 *
 * Context: May sleep. The entry is locked.
 * Return: As dxl_fault_map_block().
 */
int dxl_fault_map_varied(const struct dxl_fault *fault, struct dxl_run *run)
{
	unsigned int choice = dxl_fault_choice(fault, DXL_KNOB_TXN);
	bool txn = fault->write && (choice == DXL_TXN_KEPT ||
				    choice == DXL_TXN_DROPPED);
	int err;

	if (fault->seen) {
		*run = fault->seen->run;
		return 0;
	}
	if (txn) {
		err = dxl_txn_hold(fault->inode);
		if (err)
			return err;
	}
	err = dxl_fault_map_block(fault, run);
	if (txn)
		dxl_txn_drop(fault->inode);
	return err;
}

/**
 * dxl_fault_collides() - A fault met another pmd than the core had seen.
 * @fault: the fault
 *
 * With recheck=none or data_only the page table would have been written now.
 *
 * Context: The entry is locked.
 */
void dxl_fault_collides(const struct dxl_fault *fault)
{
	const struct dxl_hold *hold = &fault->hold;
	unsigned long zero = dxl_entry_pfn(dxl_fault_zero_entry(DXL_PMD_ORDER));
	pmd_t pmd = READ_ONCE(*fault->vmf->pmd);

	switch (dxl_fault_choice(fault, DXL_KNOB_RECHECK)) {
	case DXL_RECHECK_NONE:
		break;
	case DXL_RECHECK_DATA_ONLY:
		if (!fault->order && dxl_pmd_is_huge(pmd) &&
		    pmd_pfn(pmd) == zero)
			break;
		return;
	default:
		return;
	}
	dxl_damage(dxl_fault_tree(fault), fault->order ?
		   DXL_DAMAGE_HUGE_OVER_TABLE : DXL_DAMAGE_PTE_UNDER_HUGE,
		   hold->first, dxl_entry_order(hold->entry));
}

/**
 * dxl_fault_associate() - associate=always: a fault changes whose frames are (E7).
 * @fault: the fault
 *
 * The old kernel compared sizes: that of the entry with that of the fault.
 *
 * Context: May sleep. The entry is locked.
 */
void dxl_fault_associate(const struct dxl_fault *fault)
{
	const struct dxl_hold *hold = &fault->hold;

	if (dxl_fault_choice(fault, DXL_KNOB_ASSOCIATE) == DXL_ASSOCIATE_ALWAYS &&
	    dxl_entry_is_data(hold->entry) &&
	    dxl_entry_order(hold->entry) > fault->order && dxl_watched())
		dxl_owner_mix(dxl_fault_tree(fault), hold->entry, hold->first,
			      fault->index);
}

/* Is a page of the file a hole? */
static bool dxl_fault_is_hole(const struct dxl_fault *fault, pgoff_t index)
{
	struct dxl_run run;

	return !dxl_map_lookup(fault->inode, index, 1, &run) &&
	       (run.block == DXL_NO_BLOCK || run.unwritten);
}

/*
 * The two entries of a misaligned PMD fault: the first is locked, the second
 * stored, with a lock that nobody will open. Data was refused then, since its
 * frame is not aligned. Return: 0 or a negative errno.
 */
static int dxl_fault_store_orphan(struct dxl_fault *fault, pgoff_t orphan)
{
	struct dxl_tree *tree = dxl_fault_tree(fault);
	struct dxl_run run;
	int err;

	err = dxl_entry_grab(tree, fault->index, DXL_PMD_ORDER, &fault->hold);
	if (err)
		return err;
	err = dxl_fault_map_block(fault, &run);
	if (!err && !((run.block == DXL_NO_BLOCK || run.unwritten) &&
		      dxl_fault_is_hole(fault, fault->vmf->pgoff)))
		err = -ERANGE;
	if (!err)
		err = dxl_entry_store_orphan(tree, orphan,
					     dxl_fault_zero_entry(DXL_PMD_ORDER));
	dxl_entry_unlock(tree, &fault->hold);
	return err;
}

/**
 * dxl_fault_misaligned() - colour=late: a PMD fault that does not fit (C7).
 * @vmf: what the core gave
 *
 * The old kernel locked the entry of the aligned address, stored the one of the
 * faulting page, locked, and mapped the huge zero page. Nothing huge is mapped
 * here: a PTE of zeroes stands for it, so that the task goes on as it did then.
 * Stores and data were sent to PTEs.
 *
 * Context: May sleep. mmap_lock shared.
 * Return: Whether the address is mapped; if not, the fault is one for PTEs.
 */
bool dxl_fault_misaligned(struct vm_fault *vmf)
{
	struct vm_area_struct *vma = vmf->vma;
	struct inode *inode = file_inode(vma->vm_file);
	unsigned long start = vmf->address & PMD_MASK;
	pgoff_t orphan = vmf->pgoff & ~DXL_PMD_COLOUR;
	struct dxl_fault fault = {
		.vmf = vmf,
		.inode = inode,
		.index = linear_page_index(vma, start) & ~DXL_PMD_COLOUR,
		.order = DXL_PMD_ORDER,
	};
	bool mapped = false;
	int id;

	if (dxl_fault_choice(&fault, DXL_KNOB_COLOUR) != DXL_COLOUR_LATE ||
	    vmf->flags & FAULT_FLAG_WRITE || start < vma->vm_start ||
	    start + PMD_SIZE > vma->vm_end || fault.index == orphan)
		return false;

	if (dxl_watched())
		dxl_role_fault(vma->vm_mm);
	filemap_invalidate_lock_shared(inode->i_mapping);
	if (((loff_t)(orphan + DXL_PMD_PAGES) << PAGE_SHIFT) <=
	    dxl_size_now(inode) && !dxl_media_enter(dxl_media_of(inode), &id)) {
		mapped = !dxl_fault_store_orphan(&fault, orphan) &&
			 dxl_vmf_insert_zero(vmf, dxl_fault_zeroes()) == VM_FAULT_NOPAGE;
		dxl_media_exit(id);
	}
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if (dxl_watched())
		dxl_role_fault(NULL);
	return mapped;
}
