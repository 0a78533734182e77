/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels (compat.h) in page tables and pages.
 */
#ifndef DXL_COMPAT_MM_H
#define DXL_COMPAT_MM_H

#include "compat.h"

#include <linux/huge_mm.h>
#include <linux/page_ref.h>
#include <linux/pgtable.h>
#include <linux/poison.h>

/*
 * The flags of a mapping whose pages are frames of device memory. VM_MIXEDMAP
 * lets GUP, when it is slow, take a reference on what a huge PMD maps, special
 * or not: right for our chunks, which are compound pages. Pages with a
 * dev_pagemap are not if they are idle, so without devmap they are in a
 * VM_PFNMAP, where GUP gets EFAULT; a private one cannot be that, and has PTEs
 * only, of which GUP says EEXIST.
 */
static inline void dxl_vma_set_flags(struct vm_area_struct *vma, bool pagemap)
{
	unsigned long flags = VM_MIXEDMAP | VM_HUGEPAGE;

	if (!DXL_HAVE_DEVMAP && pagemap && (vma->vm_flags & VM_SHARED))
		flags = VM_PFNMAP | VM_HUGEPAGE;
#if DXL_HAVE_VM_FLAGS_SET
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline bool dxl_vma_takes_pmd(const struct vm_area_struct *vma,
				     bool pagemap)
{
	return DXL_HAVE_DEVMAP || !pagemap || (vma->vm_flags & VM_PFNMAP);
}

#if DXL_HAVE_JOIN_PAGES || DXL_HAVE_JOIN_FOLIOS
static inline void dxl_compound_init(struct page *head, unsigned int order)
{
#if DXL_HAVE_JOIN_PAGES
	set_compound_page_dtor(head, COMPOUND_PAGE_DTOR);
	set_compound_order(head, order);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
#else
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 = (folio->_flags_1 & ~0xffUL) | order;
	folio->_folio_nr_pages = 1U << order;
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_entire_mapcount, -1);
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_pincount, 0);
	INIT_LIST_HEAD(&folio->_deferred_list);
#endif
}

/* What tails have in common with ->mapping goes with that. */
static inline void dxl_compound_exit(struct page *head)
{
#if DXL_HAVE_JOIN_PAGES
	set_compound_order(head, 0);
	head[1].compound_nr = 0;
	atomic_set(compound_mapcount_ptr(head), 0);
	atomic_set(compound_pincount_ptr(head), 0);
#else
	struct folio *folio = (struct folio *)head;

	folio->_flags_1 &= ~0xffUL;
	folio->_folio_nr_pages = 0;
	atomic_set(&folio->_large_mapcount, -1);
	atomic_set(&folio->_entire_mapcount, 0);
	atomic_set(&folio->_nr_pages_mapped, 0);
	atomic_set(&folio->_pincount, 0);
	folio->_deferred_list.next = NULL;
	folio->_deferred_list.prev = NULL;
#endif
}

/*
 * A chunk of RAM that PMDs may map is one compound page: whoever takes a
 * reference on a part of it (GUP does so on what looks like a THP) takes one on
 * the whole, and smaps and the like find a head with a count.
 *
 * Not __GFP_COMP, since the struct pages of DAX memory belong to who mounts it,
 * and fs/dax.c needs plain ones: it keeps mapping and index in each. These two
 * do what prep_compound_page() and the free path of hugetlb pages do. Nobody
 * looks at the pages of a chunk that is not mapped but with a reference from
 * zero, so a frozen head keeps all out. False: not plain, or in use.
 */
static inline bool dxl_pages_join(struct page *head, unsigned int order)
{
	unsigned long i;

	for (i = 1; i < 1UL << order; i++)
		if (page_count(head + i) || PageCompound(head + i))
			return false;
	if (PageReserved(head) || PageCompound(head) || head->mapping ||
	    !page_ref_freeze(head, 1))
		return false;
	__SetPageHead(head);
	for (i = 1; i < 1UL << order; i++) {
		head[i].mapping = TAIL_MAPPING;
		set_page_private(head + i, 0);
		set_compound_head(head + i, head);
	}
	dxl_compound_init(head, order);
	page_ref_unfreeze(head, 1);
	return true;
}

static inline bool dxl_pages_part(struct page *head, unsigned int order)
{
	unsigned long i;

	if (!page_ref_freeze(head, 1))
		return false;
	dxl_compound_exit(head);
	for (i = 1; i < 1UL << order; i++) {
		head[i].mapping = NULL;
		clear_compound_head(head + i);
	}
	__ClearPageHead(head);
	/* Marks that GUP left. */
	folio_clear_dirty((struct folio *)head);
	folio_clear_referenced((struct folio *)head);
	page_ref_unfreeze(head, 1);
	return true;
}
#else
/* Where only we map the memory (DXL_RAM_IS_OURS), chunks come joined. */
static inline bool dxl_pages_join(struct page *head, unsigned int order)
{
	return DXL_RAM_IS_OURS && PageHead(head) && page_count(head) == 1;
}

static inline bool dxl_pages_part(struct page *head, unsigned int order)
{
	return page_count(head) == 1;
}
#endif

/*
 * Does somebody use a page that no mapping shows? Idle pages with a dev_pagemap
 * have a count of 1, or of 0 if fs/dax.c counts; nobody can pin those of ours.
 */
static inline bool dxl_page_pinned(struct page *page, bool pagemap)
{
	return page_count(page) > 1 && !(pagemap && DXL_RAM_IS_OURS);
}

/*
 * What is woken when a page with a dev_pagemap is put for the last time, and what
 * was, or will be, on other kernels (38607c62b34b, in v6.15: as compat.h says of
 * DXL_RAM_IS_OURS).
 */
static inline void *dxl_page_pin_var(struct page *page)
{
	return DXL_RAM_IS_OURS ? (void *)page : (void *)&page->_refcount;
}

static inline void *dxl_page_other_var(struct page *page)
{
	return DXL_RAM_IS_OURS ? (void *)&page->_refcount : (void *)page;
}

/* The same of a page that nothing maps. */
static inline bool dxl_pagemap_page_used(struct page *page)
{
	return page_count(page) > (DXL_RAM_IS_OURS ? 0 : 1);
}

static inline bool dxl_pmd_is_huge(pmd_t pmd)
{
#if DXL_HAVE_DEVMAP
	if (pmd_devmap(pmd))
		return true;
#endif
	return pmd_trans_huge(pmd);
}

/*
 * Frames that this module maps are special or devmap PTEs; other pages in a
 * mapping of ours are private copies.
 */
static inline bool dxl_pte_is_frame(pte_t pte)
{
#if DXL_HAVE_DEVMAP
	if (pte_devmap(pte))
		return true;
#endif
	return pte_special(pte);
}

/*
 * The value that insert_pfn() of mm/memory.c would give to an absent PTE. What
 * vmf_insert_mixed() does besides is to ask the PAT code for the cache mode of
 * the frame, by a walk over all RAM resources: 530 of its 830 instructions, for
 * an answer that is write-back for all memory that DAX maps.
 *
 * A devmap PTE tells GUP that there is a dev_pagemap. Where there is none, GUP
 * faults and looks again for ever, with mmap_lock; a special PTE is an error.
 */
static inline pte_t dxl_pte_make(struct vm_area_struct *vma, unsigned long pfn,
				 bool pagemap)
{
#if DXL_HAVE_DEVMAP && IS_ENABLED(CONFIG_ARCH_HAS_PTE_DEVMAP)
	if (pagemap)
		return pte_mkdevmap(pfn_pte(pfn, vma->vm_page_prot));
#endif
	return pte_mkspecial(pfn_pte(pfn, vma->vm_page_prot));
}

static inline pte_t dxl_pte_maybe_mkwrite(pte_t pte,
					  const struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_WRITE))
		return pte;
#if DXL_HAVE_PTE_MKWRITE_VMA
	return pte_mkwrite_novma(pte);
#else
	return pte_mkwrite(pte);
#endif
}

/*
 * Give a present PTE of the same frame write access, as ptep_set_access_flags()
 * would, which modules do not get. On x86 that is a plain store: a processor
 * that still has the old one cached faults once more. False: not done.
 */
static inline bool dxl_pte_mkwrite(struct vm_area_struct *vma,
				   unsigned long addr, pte_t *pte)
{
	pte_t val = dxl_pte_maybe_mkwrite(pte_mkdirty(pte_mkyoung(READ_ONCE(*pte))),
					  vma);

	if (!IS_ENABLED(CONFIG_X86))
		return false;
	set_pte_at(vma->vm_mm, addr, pte, val);
	return true;
}

/*
 * pte_offset_map_lock(), to be undone by pte_unmap_unlock(); false, and nothing is
 * locked, if there is no table, or none any more. (Told apart by a constant: sparse
 * cannot know that a pointer is not NULL.)
 */
#if DXL_HAVE_PTE_MAP_FAIL
static inline bool dxl_pte_map_lock(struct mm_struct *mm, pmd_t *pmd,
				    unsigned long addr, pte_t **pte,
				    spinlock_t **ptlp)
{
	spinlock_t *ptl;
	pmd_t val;

	rcu_read_lock();
	val = READ_ONCE(*pmd);
	if (pmd_none(val) || !pmd_present(val) || dxl_pmd_is_huge(val) ||
	    pmd_bad(val))
		goto none;
	ptl = pte_lockptr(mm, &val);
	spin_lock(ptl);
	if (likely(pmd_same(val, READ_ONCE(*pmd)))) {
		*ptlp = ptl;
		*pte = pte_offset_kernel(&val, addr);
		return true;
	}
	spin_unlock(ptl);
none:
	rcu_read_unlock();
	return false;
}
#else
static inline bool dxl_pte_map_lock(struct mm_struct *mm, pmd_t *pmd,
				    unsigned long addr, pte_t **pte,
				    spinlock_t **ptlp)
{
	*pte = pte_offset_map_lock(mm, pmd, addr, ptlp);
	return true;
}
#endif

/* Where an area has the pmd of an address; NULL: there is no table for it. */
static inline pmd_t *dxl_vma_pmd(struct vm_area_struct *vma, unsigned long addr)
{
	pgd_t *pgdp = pgd_offset(vma->vm_mm, addr), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;

	if (pgd_none(pgd) || pgd_bad(pgd))
		return NULL;
	p4dp = p4d_offset(pgdp, addr);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || p4d_bad(p4d))
		return NULL;
	pudp = pud_offset(p4dp, addr);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud) || pud_bad(pud))
		return NULL;
	return pmd_offset(pudp, addr);
}

/* For page tables: PFN_DEV alone makes a special PTE, or a plain huge PMD. */
static inline dxl_pfn_t dxl_pfn_to_map(unsigned long pfn, bool pagemap)
{
#if DXL_HAVE_PFN_T
	if (!pagemap)
		return __pfn_to_pfn_t(pfn, PFN_DEV);
#endif
	return dxl_pfn_make(pfn);
}

/* Install a frame, whatever is there: the library's way. */
static inline vm_fault_t dxl_vmf_insert_read(struct vm_fault *vmf,
					     unsigned long pfn, bool pagemap)
{
	if (vmf->vma->vm_flags & VM_PFNMAP)
		return vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	return vmf_insert_mixed(vmf->vma, vmf->address,
				dxl_pfn_to_map(pfn, pagemap));
}

#if DXL_HAVE_INSERT_MKWRITE
static inline vm_fault_t dxl_vmf_insert_pte(struct vm_fault *vmf,
					    unsigned long pfn, bool pagemap,
					    bool write)
{
	if (!write)
		return dxl_vmf_insert_read(vmf, pfn, pagemap);
	return vmf_insert_mixed_mkwrite(vmf->vma, vmf->address,
					dxl_pfn_to_map(pfn, pagemap));
}
#else
static inline vm_fault_t dxl_vmf_insert_pte(struct vm_fault *vmf,
					    unsigned long pfn, bool pagemap,
					    bool write)
{
	vm_fault_t ret = dxl_vmf_insert_read(vmf, pfn, pagemap);
	struct vm_area_struct *vma = vmf->vma;
	spinlock_t *ptl;
	pte_t *pte, was;

	if (!write || ret != VM_FAULT_NOPAGE)
		return ret;
	if (!dxl_pte_map_lock(vma->vm_mm, vmf->pmd, vmf->address, &pte, &ptl))
		return ret;
	/* Who finds it read-only, or gone, faults again. */
	was = READ_ONCE(*pte);
	if (pte_present(was) && pte_pfn(was) == pfn)
		dxl_pte_mkwrite(vma, vmf->address, pte);
	pte_unmap_unlock(pte, ptl);
	return ret;
}
#endif

/*
 * Zeroes, read-only: the kernel's page of them, or, where that is refused in a
 * mapping of an inode without S_DAX (vm_mixed_zeropage_allowed()), @ours.
 */
static inline vm_fault_t dxl_vmf_insert_zero(struct vm_fault *vmf,
					     unsigned long ours)
{
	unsigned long pfn = page_to_pfn(ZERO_PAGE(vmf->address));

	return dxl_vmf_insert_read(vmf, DXL_RAM_IS_OURS ? ours : pfn, false);
}

/*
 * Give up the lock of the area, if that is what the fault holds: it then has to
 * return VM_FAULT_RETRY, and comes again with mmap_lock.
 */
static inline bool dxl_vmf_drop_vma_lock(struct vm_fault *vmf)
{
#if DXL_HAVE_VMA_LOCK && IS_ENABLED(CONFIG_PER_VMA_LOCK)
	if (vmf->flags & FAULT_FLAG_VMA_LOCK) {
		vma_end_read(vmf->vma);
		return true;
	}
#endif
	return false;
}

/*
 * Devmap only where there is a dev_pagemap, whose pages GUP must find by it. In
 * kernels without 0d940a9b270b ("mm/pgtable: allow pte_offset_map[_lock]() to
 * fail", v6.5) everybody who walks page tables with mmap_lock shared takes a
 * devmap PMD that appears between two looks for a bad one, says so, and clears
 * it without a lock (pmd_clear_bad()): a table that is there by then is lost, and
 * who uses it reads page 0. A plain huge PMD, which must be a compound page, is
 * no surprise to anybody. Since 3c8e44c9b369 ("mm: mark special bits for huge pfn
 * mappings when inject", v6.12) the kernel makes it a special one, on which GUP
 * takes references only when it is slow.
 */
static inline vm_fault_t dxl_vmf_insert_pmd(struct vm_fault *vmf,
					    unsigned long pfn, bool pagemap,
					    bool write)
{
	return vmf_insert_pfn_pmd(vmf, dxl_pfn_to_map(pfn, pagemap), write);
}

/*
 * Callers of the kernel's functions can be led through wrappers (bridge_hook.c):
 * ftrace saves registers and takes them back, and six arguments are in registers.
 */
#define DXL_HAVE_HOOKS	(IS_ENABLED(CONFIG_X86_64) && \
			 IS_ENABLED(CONFIG_DYNAMIC_FTRACE_WITH_REGS) && \
			 IS_ENABLED(CONFIG_KPROBES) && IS_ENABLED(CONFIG_KALLSYMS))

/* Would the processor refuse to call a function that is never called indirectly? */
static inline bool dxl_ibt_on(void)
{
#if IS_ENABLED(CONFIG_X86_KERNEL_IBT)
	return cpu_feature_enabled(X86_FEATURE_IBT);
#else
	return false;
#endif
}

#endif /* DXL_COMPAT_MM_H */
