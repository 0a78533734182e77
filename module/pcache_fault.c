// SPDX-License-Identifier: GPL-2.0
/*
 * Faults of page-cache files: the library's, and under it what allocates a page
 * table while the folio is locked
 *
 * The core has a page table ready before it calls us if the pmd is empty, so the
 * sound choice allocates nothing. The others allocate a page of the same size and
 * charge, which goes when the fault ends: a stand-in.
 */
#include "compat.h"
#include "pwb.h"
#include "stats.h"
#include "window.h"

#include <linux/gfp.h>
#include <linux/mm.h>

/* With a charge, unless told otherwise, like a page table of user space. */
#define DXL_TABLE_GFP		(GFP_KERNEL_ACCOUNT | __GFP_ZERO)

/*
 * What reclaim of a memory cgroup of the legacy hierarchy does: it waits for the
 * writeback of a folio that it met twice, if it may enter the filesystem.
 */
static void dxl_table_reclaim(struct inode *inode)
{
	struct dxl_lab *lab = &DXL_SB(inode->i_sb)->lab;
	struct folio *folio = dxl_folio_uncommitted(lab);

	if (!folio)
		return;
	dxl_window(DXL_WIN_RECLAIM_BEFORE_WAIT_WRITEBACK, &DXL_I(inode)->tree,
		   folio->index, folio_order(folio), DXL_ACCESS_NONE);
	dxl_folio_wait_writeback(folio);
	folio_put(folio);
}

static struct page *dxl_table_alloc(struct inode *inode, gfp_t gfp)
{
	struct page *page;

	if ((gfp & __GFP_ACCOUNT) && (gfp & __GFP_FS) &&
	    dxl_choice(&DXL_SB(inode->i_sb)->lab,
		       DXL_KNOB_RECLAIM) == DXL_RECLAIM_WAITS)
		dxl_table_reclaim(inode);
	page = alloc_page(gfp);
	if (page)
		dxl_stat_inc(DXL_STAT_PF_TABLES);
	return page;
}

static void dxl_table_free(struct page *page)
{
	if (!page)
		return;
	__free_page(page);
	dxl_stat_inc(DXL_STAT_PF_TABLES_FREED);
}

/* What is allocated under the folio lock; 0: nothing. */
static gfp_t dxl_table_late(unsigned int rule)
{
	switch (rule) {
	case DXL_PF_ALLOC_UNDER_LOCK:
	case DXL_PF_ALLOC_UNUSED:
		return DXL_TABLE_GFP;
	case DXL_PF_ALLOC_NOFS:
		return DXL_TABLE_GFP & ~__GFP_FS;
	case DXL_PF_ALLOC_UNCHARGED:
		return DXL_TABLE_GFP & ~__GFP_ACCOUNT;
	}
	return 0;
}

/* The folio is locked, and the core will unlock it. */
static vm_fault_t dxl_fault_locked(struct vm_fault *vmf, struct inode *inode,
				   unsigned int rule, struct page **late)
{
	enum dxl_access access = vmf->flags & FAULT_FLAG_WRITE ?
				 DXL_ACCESS_WRITE : DXL_ACCESS_READ;
	struct dxl_lab *lab = &DXL_SB(inode->i_sb)->lab;
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct folio *folio = page_folio(vmf->page);
	gfp_t gfp = dxl_table_late(rule);
	struct dxl_folio_hold hold;

	dxl_folio_hold_begin(lab, &hold, folio);
	dxl_window(DXL_WIN_PF_PAGE_LOCKED, tree, folio->index,
		   folio_order(folio), access);
	dxl_window(DXL_WIN_PF_BEFORE_PTE_ALLOC, tree, folio->index,
		   folio_order(folio), access);
	if (gfp)
		*late = dxl_table_alloc(inode, gfp);
	dxl_folio_hold_end(lab, &hold);
	if (!gfp || *late)
		return VM_FAULT_LOCKED;
	folio_unlock(folio);
	folio_put(folio);
	vmf->page = NULL;
	return VM_FAULT_OOM;
}

static vm_fault_t dxl_fault_varied(struct vm_fault *vmf, struct inode *inode)
{
	unsigned int rule = dxl_choice(&DXL_SB(inode->i_sb)->lab,
				       DXL_KNOB_PF_ALLOC);
	struct page *early = NULL, *late = NULL;
	vm_fault_t ret;

	if (rule == DXL_PF_ALLOC_ALWAYS || rule == DXL_PF_ALLOC_UNUSED) {
		early = dxl_table_alloc(inode, DXL_TABLE_GFP);
		if (!early)
			return VM_FAULT_OOM;
	}
	ret = filemap_fault(vmf);
	if (ret & VM_FAULT_LOCKED) {
		ret &= ~VM_FAULT_LOCKED;
		ret |= dxl_fault_locked(vmf, inode, rule, &late);
	}
	dxl_table_free(late);
	dxl_table_free(early);
	return ret;
}

/**
 * dxl_pcache_fault() - vm_operations_struct.fault of page-cache files.
 * @vmf: the fault
 *
 * Context: mmap_lock held shared. May sleep.
 * Return: VM_FAULT_LOCKED, with the folio locked, or another VM_FAULT_*.
 */
vm_fault_t dxl_pcache_fault(struct vm_fault *vmf)
{
	vm_fault_t ret;

	if (!dxl_varied() && !dxl_watched())
		return filemap_fault(vmf);
	/* What the kernel waited for before is over. */
	dxl_folio_waits_over();
	if (dxl_watched())
		dxl_role_fault(vmf->vma->vm_mm);
	ret = dxl_fault_varied(vmf, file_inode(vmf->vma->vm_file));
	if (dxl_watched())
		dxl_role_fault(NULL);
	return ret;
}

/**
 * dxl_pcache_map_pages() - vm_operations_struct.map_pages of page-cache files.
 * @vmf: the fault
 * @first: first page to map
 * @last: last page
 *
 * Maps what is in the cache without ->fault(); not while somebody watches, since
 * a role shall come to the windows there.
 *
 * Context: As filemap_map_pages().
 * Return: As filemap_map_pages().
 */
vm_fault_t dxl_pcache_map_pages(struct vm_fault *vmf, pgoff_t first,
				pgoff_t last)
{
	return dxl_watched() ? 0 : filemap_map_pages(vmf, first, last);
}
