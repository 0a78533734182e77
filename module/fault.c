// SPDX-License-Identifier: GPL-2.0
/*
 * Page faults: entry lock, block map, entry, page table
 *
 *	sb_start_pagefault		writes through a shared mapping
 *	  invalidate_lock shared	against truncate and punch
 *	    entry lock			against faults, writeback, write(2)
 *	      map_lock			only where the map has to change
 *
 * The map is read under the entry lock: a write(2) that fills a hole changes
 * the map and then waits for that lock, so a fault that saw the hole is done,
 * and what it cached is invalidated (13e451fdc1af, 876f29460cbd).
 *
 * A write to a private mapping maps the page read-only here and faults again;
 * the core copies a frame without struct page by itself, under the page table
 * lock. A module cannot fill vmf->cow_page as fs/dax.c does: finish_fault() is
 * not exported.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fault.h"
#include "compat.h"
#include "compat_mm.h"
#include "fs_variant.h"
#include "ledger.h"
#include "role.h"
#include "stats.h"
#include "trace.h"
#include "window.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

/*
 * 2 MiB of zeroes for holes; the kernel's huge zero page is not exported. A
 * compound page, as all that plain huge PMDs map.
 */
static struct page *dxl_zero_chunk;

static vm_fault_t dxl_fault_fallback(enum dxl_stat why)
{
	dxl_stat_inc(DXL_STAT_FAULT_FALLBACK);
	dxl_stat_inc(why);
	return VM_FAULT_FALLBACK;
}

/**
 * dxl_fault_error() - The answer to a fault that failed.
 * @fault: the fault
 * @err: a negative errno
 *
 * A PMD fault is sent to the smaller size, which may do better, unless it was
 * rescued from a wait: PTEs would wait for the same.
 *
 * Context: Any context.
 * Return: What the core shall be told.
 */
vm_fault_t dxl_fault_error(const struct dxl_fault *fault, int err)
{
	if (fault->order && err != -EDEADLK)
		return dxl_fault_fallback(err == -ENOMEM ?
					  DXL_STAT_FAULT_FALLBACK_NOMEM :
					  DXL_STAT_FAULT_FALLBACK_BLOCK);
	return vmf_error(err);
}

/*
 * Colour and extent, before anything is locked: a PMD mapping must cover the
 * same pages as the PMD entry (fffa281b48a9).
 */
static bool dxl_fault_pmd_fits(struct vm_fault *vmf, bool write)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long start = vmf->address & PMD_MASK;

	if ((vmf->pgoff & DXL_PMD_COLOUR) !=
	    ((vmf->address >> PAGE_SHIFT) & DXL_PMD_COLOUR))
		return false;
	/* Copies are made page by page. */
	if (write && !(vma->vm_flags & VM_SHARED))
		return false;
	return start >= vma->vm_start && start + PMD_SIZE <= vma->vm_end;
}

/* Frame of the run, of the driver's memory as it is now. */
static int dxl_fault_frame(const struct dxl_fault *fault,
			   const struct dxl_run *run, unsigned long *pfn)
{
	long nr = 1L << fault->order;
	void *kaddr;
	long got;

	got = dxl_media_ask(dxl_media_of(fault->inode), run->block, nr, &kaddr,
			    pfn);
	if (got < 0)
		return got;
	if (got < nr || (*pfn & (nr - 1)))
		return -ERANGE;
	if (fault->order && !dxl_media_of(fault->inode)->counted)
		return -ERANGE;
	return 0;
}

/**
 * dxl_fault_zero_entry() - What the entry of a hole is.
 * @order: of the entry
 *
 * Context: Any context.
 * Return: A value.
 */
void *dxl_fault_zero_entry(unsigned int order)
{
	if (order)
		return dxl_entry_make(page_to_pfn(dxl_zero_chunk),
				      DXL_ENTRY_PMD | DXL_ENTRY_ZERO);
	return dxl_entry_make(0, DXL_ENTRY_ZERO);
}

/*
 * Install a PTE. Where a page table is there, which is 511 times out of 512,
 * it is done here, as insert_pfn() does it under the same locks; see
 * dxl_pte_make() for the reason. Else the library allocates the table.
 */
static vm_fault_t dxl_fault_install(const struct dxl_fault *fault,
				    unsigned long pfn)
{
	bool pagemap = dxl_media_of(fault->inode)->pagemap;
	struct vm_fault *vmf = fault->vmf;
	struct vm_area_struct *vma = vmf->vma;
	bool write = fault->write;
	bool done = false;
	spinlock_t *ptl;
	pte_t *pte, val, was;

	if (pmd_none(READ_ONCE(*vmf->pmd)))
		return dxl_vmf_insert_pte(vmf, pfn, pagemap, write);
	if (!dxl_pte_map_lock(vma->vm_mm, vmf->pmd, vmf->address, &pte, &ptl))
		return VM_FAULT_NOPAGE;
	was = READ_ONCE(*pte);
	if (pte_none(was)) {
		val = dxl_pte_make(vma, pfn, pagemap);
		if (write)
			val = dxl_pte_maybe_mkwrite(pte_mkdirty(pte_mkyoung(val)),
						    vma);
		set_pte_at(vma->vm_mm, vmf->address, pte, val);
		update_mmu_cache(vma, vmf->address, pte);
		done = true;
	} else if (write && pte_present(was) && pte_pfn(was) == pfn) {
		done = dxl_pte_mkwrite(vma, vmf->address, pte);
	}
	pte_unmap_unlock(pte, ptl);
	if (done)
		return VM_FAULT_NOPAGE;
	return dxl_vmf_insert_pte(vmf, pfn, pagemap, write);
}

static __always_inline vm_fault_t
__dxl_fault_insert(const struct dxl_fault *fault, unsigned long pfn, bool hole)
{
	bool pagemap = !hole && dxl_media_of(fault->inode)->pagemap;

	if (fault->order)
		return dxl_vmf_insert_pmd(fault->vmf, pfn, pagemap,
					  !hole && fault->write);
	if (hole)
		return dxl_vmf_insert_zero(fault->vmf,
					   page_to_pfn(dxl_zero_chunk));
	return dxl_fault_install(fault, pfn);
}

/**
 * dxl_fault_insert() - Write the page table.
 * @fault: the fault
 * @pfn: first frame
 * @hole: it has the zeroes that all holes share
 *
 * Context: May sleep. The pmd cannot change its kind meanwhile.
 * Return: What the core shall be told.
 */
vm_fault_t dxl_fault_insert(const struct dxl_fault *fault, unsigned long pfn,
			    bool hole)
{
	return __dxl_fault_insert(fault, pfn, hole);
}

/* The page table gets what the entry stands for. */
static __always_inline vm_fault_t
dxl_fault_map(const struct dxl_fault *fault, unsigned long pfn, bool hole)
{
	vm_fault_t ret;

	dxl_fault_window(fault, DXL_WIN_FAULT_BEFORE_MAP);
	if (dxl_varied())
		ret = dxl_fault_insert_varied(fault, pfn, hole);
	else
		ret = __dxl_fault_insert(fault, pfn, hole);
	if (dxl_watched())
		dxl_fault_tell_mapped(fault, pfn, ret);
	return ret;
}

/* A hole reads as zeroes, from memory that all holes share. */
static vm_fault_t dxl_fault_load_hole(struct dxl_fault *fault)
{
	void *entry = dxl_fault_zero_entry(fault->order);

	dxl_fault_window(fault, DXL_WIN_FAULT_BEFORE_INSERT_ENTRY);
	dxl_entry_set(dxl_fault_tree(fault), &fault->hold, entry, false);
	dxl_fault_window(fault, DXL_WIN_FAULT_AFTER_INSERT_ENTRY);
	dxl_stat_inc(fault->order ? DXL_STAT_FAULT_PMD_HOLE :
				    DXL_STAT_FAULT_PTE_HOLE);
	return dxl_fault_map(fault, dxl_entry_pfn(entry), true);
}

/* The entry has its frame: mark it dirty before a store becomes possible. */
static vm_fault_t dxl_fault_load_frame(struct dxl_fault *fault, void *entry)
{
	struct dxl_hold *hold = &fault->hold;
	unsigned long pfn;

	if (dxl_varied()) {
		dxl_fault_associate(fault);
		if (dxl_fault_is_halved(fault))
			return dxl_fault_halves(fault, entry);
	}
	if (fault->write || entry != hold->entry) {
		dxl_fault_window(fault, DXL_WIN_FAULT_BEFORE_INSERT_ENTRY);
		if (dxl_watched() && fault->write)
			dxl_ledger_dirty(dxl_fault_tree(fault), entry,
					 hold->first);
		dxl_entry_set(dxl_fault_tree(fault), hold, entry, fault->write);
		dxl_fault_window(fault, DXL_WIN_FAULT_AFTER_INSERT_ENTRY);
	}
	/*
	 * A sync of the whole mount finds inodes by this flag, clears it and
	 * then looks for DIRTY entries: so the flag comes after the mark.
	 */
	if (fault->write)
		__mark_inode_dirty(fault->inode, I_DIRTY_PAGES);

	dxl_stat_inc(fault->order ? DXL_STAT_FAULT_PMD_MAPPED :
				    DXL_STAT_FAULT_PTE_MAPPED);
	/* The frame comes from the entry, which may be larger than the fault. */
	pfn = dxl_entry_pfn(hold->entry) + (fault->index - hold->first);
	return dxl_fault_map(fault, pfn, false);
}

/* With the entry locked: block map, entry, page table, in this order. */
static vm_fault_t dxl_fault_locked(struct dxl_fault *fault)
{
	unsigned long flags = fault->order ? DXL_ENTRY_PMD : 0;
	struct dxl_run run;
	unsigned long pfn;
	int err;

	err = dxl_fault_window(fault, DXL_WIN_FAULT_AFTER_GRAB);
	if (err)
		return dxl_fault_error(fault, err);
	if (dxl_fault_pmd_changed(fault)) {
		dxl_stat_inc(DXL_STAT_FAULT_RETRY);
		if (dxl_varied())
			dxl_fault_collides(fault);
		return fault->order ? 0 : VM_FAULT_NOPAGE;
	}
	if (dxl_entry_is_data(fault->hold.entry)) {
		err = dxl_fault_make_found(fault);
		if (err)
			return dxl_fault_error(fault, err);
		return dxl_fault_load_frame(fault, fault->hold.entry);
	}

	if (dxl_varied())
		err = dxl_fault_map_varied(fault, &run);
	else
		err = dxl_fault_map_block(fault, &run);
	if (err)
		return dxl_fault_error(fault, err);
	if (run.block == DXL_NO_BLOCK || run.unwritten)
		return dxl_fault_load_hole(fault);
	err = dxl_fault_frame(fault, &run, &pfn);
	if (!err)
		err = dxl_fault_make_found(fault);
	if (err) {
		dxl_fault_keeps_blocks(fault, &run);
		return dxl_fault_error(fault, err);
	}
	return dxl_fault_load_frame(fault, dxl_entry_make(pfn, flags));
}

static noinline vm_fault_t dxl_fault_not_grabbed(struct dxl_fault *fault,
						 int err)
{
	if (err == -EAGAIN)
		return dxl_fault_fallback(DXL_STAT_FAULT_FALLBACK_CONFLICT);
	if (err > 0)
		return dxl_fault_hole_page(fault);
	return dxl_fault_error(fault, err);
}

/*
 * The floor that scripts/bench measures (DAXLAB_FLOOR): a frame that is known is
 * mapped, and no entry locked or marked for it. So that build flushes nothing at a
 * sync, and a truncate must not meet a fault: it is good for nothing else.
 */
static bool dxl_fault_floor(const struct dxl_fault *fault, vm_fault_t *ret)
{
	void *entry = xa_load(&dxl_fault_tree(fault)->xa, fault->index);

	if (!entry || !dxl_entry_is_data(entry) ||
	    dxl_entry_order(entry) != fault->order ||
	    dxl_fault_pmd_changed(fault))
		return false;
	if (fault->write)
		__mark_inode_dirty(fault->inode, I_DIRTY_PAGES);
	dxl_stat_inc(fault->order ? DXL_STAT_FAULT_PMD_MAPPED :
				    DXL_STAT_FAULT_PTE_MAPPED);
	*ret = __dxl_fault_insert(fault, dxl_entry_pfn(entry), false);
	return true;
}

static vm_fault_t dxl_fault_grabbed(struct dxl_fault *fault)
{
	struct dxl_tree *tree = dxl_fault_tree(fault);
	struct dxl_fault_seen seen;
	vm_fault_t ret;
	int err;

	if (DXL_FLOOR && dxl_fault_floor(fault, &ret))
		return ret;
	err = dxl_fault_window(fault, DXL_WIN_FAULT_BEFORE_GRAB);
	if (err)
		return dxl_fault_error(fault, err);
	if (dxl_varied())
		err = dxl_fault_grab_varied(fault, &seen);
	else
		err = dxl_entry_grab(tree, fault->index, fault->order,
				     &fault->hold);
	if (err)
		return dxl_fault_not_grabbed(fault, err);
	ret = dxl_fault_locked(fault);
	dxl_fault_window(fault, DXL_WIN_FAULT_BEFORE_UNLOCK);
	if (likely(!fault->unheld))
		dxl_entry_unlock(tree, &fault->hold);
	if (unlikely(fault->txn))
		dxl_txn_drop(fault->inode);
	return ret;
}

/* Inside invalidate_lock, so the file becomes no shorter. */
static vm_fault_t dxl_fault_sized(struct dxl_fault *fault)
{
	pgoff_t end = DIV_ROUND_UP_ULL(dxl_size_now(fault->inode), PAGE_SIZE);
	struct dxl_media *media = dxl_media_of(fault->inode);
	vm_fault_t ret;
	int id;

	if (fault->vmf->pgoff >= end)
		return VM_FAULT_SIGBUS;
	if (fault->order && fault->index + DXL_PMD_PAGES > end)
		return dxl_fault_fallback(DXL_STAT_FAULT_FALLBACK_ALIGN);
	if (dxl_media_enter(media, &id))
		return VM_FAULT_SIGBUS;
	ret = dxl_fault_grabbed(fault);
	dxl_media_exit(id);
	return ret;
}

static vm_fault_t dxl_fault_any(struct vm_fault *vmf, unsigned int order)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool write = vmf->flags & FAULT_FLAG_WRITE;
	struct dxl_fault fault;
	vm_fault_t ret;

	/* Not the hold: the grab fills it, and to zero it costs. */
	fault.vmf = vmf;
	fault.inode = inode;
	fault.index = vmf->pgoff & ~((1UL << order) - 1);
	fault.order = order;
	fault.write = write && (vmf->vma->vm_flags & VM_SHARED);
	fault.txn = false;
	fault.unheld = false;
	fault.seen = NULL;

	if (dxl_watched()) {
		int err = dxl_fault_begins(&fault);

		if (err) {
			ret = dxl_fault_error(&fault, err);
			goto done;
		}
	}
	if (fault.write) {
		sb_start_pagefault(inode->i_sb);
		file_update_time(vmf->vma->vm_file);
	}
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = dxl_fault_sized(&fault);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	if (fault.write)
		sb_end_pagefault(inode->i_sb);
done:
	if (dxl_watched())
		dxl_role_fault(NULL);
	if (unlikely(ret & (VM_FAULT_SIGBUS | VM_FAULT_HWPOISON | VM_FAULT_OOM)))
		dxl_stat_inc(ret & VM_FAULT_OOM ? DXL_STAT_FAULT_OOM :
						  DXL_STAT_FAULT_SIGBUS);
	if (write && !fault.write && !(ret & VM_FAULT_ERROR))
		dxl_stat_inc(DXL_STAT_FAULT_COW);
	trace_fault(inode->i_sb->s_dev, inode->i_ino, fault.index, order, write,
		    (__force unsigned int)ret);
	return ret;
}

/*
 * While somebody watches, faults hold mmap_lock, as they did when the races were
 * found: who waits for a fault and who waits for that lock are parts of one story.
 */
static inline bool dxl_fault_wants_mmap_lock(struct vm_fault *vmf)
{
	return dxl_watched() && dxl_vmf_drop_vma_lock(vmf);
}

static vm_fault_t dxl_fault(struct vm_fault *vmf)
{
	if (dxl_fault_wants_mmap_lock(vmf))
		return VM_FAULT_RETRY;
	dxl_stat_inc(vmf->flags & FAULT_FLAG_WRITE ? DXL_STAT_FAULT_PTE_WRITE :
						     DXL_STAT_FAULT_PTE_READ);
	return dxl_fault_any(vmf, 0);
}

static vm_fault_t dxl_huge_fault(struct vm_fault *vmf, dxl_fault_size_t size)
{
	struct inode *inode = file_inode(vmf->vma->vm_file);
	bool write = vmf->flags & FAULT_FLAG_WRITE;

	if (!dxl_fault_size_is_pmd(size))
		return VM_FAULT_FALLBACK;
	if (dxl_fault_wants_mmap_lock(vmf))
		return VM_FAULT_RETRY;
	dxl_stat_inc(write ? DXL_STAT_FAULT_PMD_WRITE :
			     DXL_STAT_FAULT_PMD_READ);
	if (!dxl_vma_takes_pmd(vmf->vma, dxl_media_of(inode)->pagemap))
		return dxl_fault_fallback(DXL_STAT_FAULT_FALLBACK_BLOCK);
	if (!dxl_fault_pmd_fits(vmf, write)) {
		if (dxl_varied() && dxl_fault_misaligned(vmf))
			return VM_FAULT_NOPAGE;
		return dxl_fault_fallback(DXL_STAT_FAULT_FALLBACK_ALIGN);
	}
	return dxl_fault_any(vmf, DXL_PMD_ORDER);
}

/* A store to a page that is mapped read-only: a write fault like any other. */
static vm_fault_t dxl_pfn_mkwrite(struct vm_fault *vmf)
{
	if (dxl_fault_wants_mmap_lock(vmf))
		return VM_FAULT_RETRY;
	dxl_stat_inc(DXL_STAT_FAULT_PFN_MKWRITE);
	return dxl_fault_any(vmf, 0);
}

const struct vm_operations_struct dxl_vm_ops = {
	.fault		= dxl_fault,
	.huge_fault	= dxl_huge_fault,
	.pfn_mkwrite	= dxl_pfn_mkwrite,
};

/**
 * dxl_fault_init() - Allocate the zeroes that huge holes are read from.
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int dxl_fault_init(void)
{
	dxl_zero_chunk = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN |
				     __GFP_COMP, DXL_PMD_ORDER);
	if (!dxl_zero_chunk) {
		pr_err("no 2 MiB of contiguous memory for the huge zero page\n");
		return -ENOMEM;
	}
	return 0;
}

/**
 * dxl_fault_exit() - Free them; nothing is mapped any more.
 *
 * Context: May sleep.
 */
void dxl_fault_exit(void)
{
	__free_pages(dxl_zero_chunk, DXL_PMD_ORDER);
}
