// SPDX-License-Identifier: GPL-2.0
/*
 * The flow audit: block map -> entry -> page table, each against the one before,
 * and the owners of frames against the entries
 *
 * A page is judged while nothing about it can change: i_rwsem shared keeps out
 * write(2), truncate and punch; the page-table lock keeps the mapping, and inside
 * it xa_lock the entry. Faults change the map under a locked entry only, and
 * what a locked entry guards is not judged. So what is found is wrong, whoever
 * runs meanwhile. A file of which i_rwsem cannot be had at once is in the middle
 * of a change, and is passed over: the evidence says so.
 */
#include "verdict.h"
#include "fault.h"
#include "owner.h"

#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pagemap.h>
#include <linux/rbtree.h>
#include <linux/sched.h>
#include <linux/slab.h>

/* Examples of one kind of violation in one file, beside the first. */
#define DXL_FLOW_EXAMPLES	3

/**
 * struct dxl_audit - the audit of one file
 * @oracle: findings are added
 * @inode: the file; i_rwsem and media are held
 * @found: by kind; NULL: none yet
 * @count: violations by kind
 * @locked: pages that were not judged, since their entry is locked
 */
struct dxl_audit {
	struct dxl_oracle *oracle;
	struct inode *inode;
	struct dxl_finding *found[DXL_NR_VERDICTS];
	unsigned long count[DXL_NR_VERDICTS];
	unsigned long locked;
};

/* What a page should be, and is. */
struct dxl_page_state {
	pgoff_t index;
	void *entry;		/* NULL: none */
	unsigned long frame;	/* of the entry */
	bool dirty;		/* the entry's mark */
	bool written;		/* has a block that is written */
	bool known;		/* the map could be read */
	unsigned long block;	/* its frame, if @written */
};

static struct dxl_tree *dxl_audit_tree(const struct dxl_audit *audit)
{
	return &DXL_I(audit->inode)->tree;
}

/* Under spinlocks. The first violation of a kind makes the sentence. */
static __printf(4, 5) void dxl_audit_wrong(struct dxl_audit *audit,
					   enum dxl_verdict_kind kind,
					   const struct dxl_page_state *page,
					   const char *fmt, ...)
{
	struct dxl_finding *finding = audit->found[kind];
	char text[DXL_NOTE];
	va_list args;

	if (audit->count[kind]++ > DXL_FLOW_EXAMPLES)
		return;
	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (finding) {
		dxl_finding_note(finding, "also page 0x%lx: %s", page->index,
				 text);
		return;
	}
	finding = dxl_finding_new(&audit->oracle->findings, kind, GFP_ATOMIC);
	if (!finding)
		return;
	audit->found[kind] = finding;
	finding->tree = dxl_audit_tree(audit);
	finding->first = page->index;
	dxl_finding_say(finding, "%s: page 0x%lx of ino %lu: %s",
			dxl_verdict_name(kind), page->index,
			dxl_ino(audit->inode), text);
}

/* What the block map has for a page. Atomic. */
static void dxl_audit_block(const struct dxl_audit *audit,
			    struct dxl_page_state *page)
{
	struct dxl_run run;

	page->known = !dxl_map_lookup(audit->inode, page->index, 1, &run);
	page->written = page->known && run.block != DXL_NO_BLOCK &&
			!run.unwritten;
	if (page->written &&
	    !dxl_media_frame(dxl_media_of(audit->inode), run.block, &page->block))
		page->known = false;
}

static const char *dxl_audit_kind(const void *entry)
{
	if (!entry)
		return "no entry";
	if (dxl_entry_is_empty(entry))
		return "an EMPTY entry";
	if (dxl_entry_is_zero(entry))
		return "a ZERO entry";
	return "a data entry";
}

static bool dxl_is_zeroes(unsigned long frame)
{
	unsigned long huge = dxl_entry_pfn(dxl_fault_zero_entry(DXL_PMD_ORDER));

	return is_zero_pfn(frame) ||
	       (frame >= huge && frame < huge + DXL_PMD_PAGES);
}

/*
 * The entry of a page, and its block. Called with xa_lock. False: the entry is
 * locked, its owner is in the middle of a change.
 */
static bool dxl_audit_look(struct dxl_audit *audit, pgoff_t index,
			   struct dxl_page_state *page)
	__must_hold(&dxl_audit_tree(audit)->xa.xa_lock)
{
	struct dxl_tree *tree = dxl_audit_tree(audit);
	void *entry = xa_load(&tree->xa, index);

	*page = (struct dxl_page_state) { .index = index, .entry = entry };
	if (entry && dxl_entry_is_locked(entry)) {
		audit->locked++;
		return false;
	}
	if (entry && dxl_entry_is_data(entry))
		page->frame = dxl_entry_pfn(entry) +
			      (index & (dxl_entry_pages(entry) - 1));
	page->dirty = entry && xa_get_mark(&tree->xa, index, DXL_MARK_DIRTY);
	dxl_audit_block(audit, page);
	return true;
}

/* A page is mapped at @frame: by whom, and should it be? Under ptl. */
static void dxl_audit_mapping(struct dxl_audit *audit, pgoff_t index,
			      unsigned long frame, bool writable,
			      const char *size)
{
	struct dxl_tree *tree = dxl_audit_tree(audit);
	bool zeroes = dxl_is_zeroes(frame);
	struct dxl_page_state page;

	xa_lock(&tree->xa);
	if (!dxl_audit_look(audit, index, &page))
		goto out;
	if (zeroes && page.written)
		dxl_audit_wrong(audit, DXL_VERDICT_STALE, &page,
				"the page table (%s) has zeroes, the block map a written block; %s is there",
				size, dxl_audit_kind(page.entry));
	if (!page.entry || dxl_entry_is_empty(page.entry))
		dxl_audit_wrong(audit, DXL_VERDICT_UNTRACKED, &page,
				"mapped (%s, %s), and %s is there",
				size, zeroes ? "zeroes" : "a frame",
				dxl_audit_kind(page.entry));
	else if (!zeroes && dxl_entry_is_zero(page.entry))
		dxl_audit_wrong(audit, DXL_VERDICT_STALE, &page,
				"frame 0x%lx is mapped (%s), the entry stands for zeroes",
				frame, size);
	else if (!zeroes && frame != page.frame)
		dxl_audit_wrong(audit, DXL_VERDICT_STALE, &page,
				"frame 0x%lx is mapped (%s), the entry has 0x%lx",
				frame, size, page.frame);
	else if (zeroes && !dxl_entry_is_zero(page.entry) && !page.written)
		dxl_audit_wrong(audit, DXL_VERDICT_STALE, &page,
				"zeroes are mapped (%s), the entry has frame 0x%lx",
				size, page.frame);
	else if (!zeroes && writable && !page.dirty)
		dxl_audit_wrong(audit, DXL_VERDICT_UNPROTECTED, &page,
				"mapped writable (%s), and its entry (%s) is clean: no sync sees a store",
				size,
				dxl_order_name(dxl_entry_order(page.entry)));
out:
	xa_unlock(&tree->xa);
}

static void dxl_audit_pte(struct dxl_audit *audit, pgoff_t index, pte_t pte)
{
	if (pte_present(pte) && dxl_pte_is_frame(pte))
		dxl_audit_mapping(audit, index, pte_pfn(pte), pte_write(pte),
				  "PTE");
}

static void dxl_audit_table(struct dxl_audit *audit,
			    struct vm_area_struct *vma, pmd_t *pmd,
			    unsigned long addr, unsigned long end)
{
	spinlock_t *ptl;
	pte_t *start, *pte;

	if (!dxl_pte_map_lock(vma->vm_mm, pmd, addr, &start, &ptl))
		return;
	for (pte = start; addr < end; pte++, addr += PAGE_SIZE)
		dxl_audit_pte(audit, linear_page_index(vma, addr),
			      READ_ONCE(*pte));
	pte_unmap_unlock(start, ptl);
}

/* True: it was huge, and was judged. */
static bool dxl_audit_huge(struct dxl_audit *audit, struct vm_area_struct *vma,
			   pmd_t *pmd, unsigned long addr, unsigned long end)
{
	unsigned long frame;
	spinlock_t *ptl;
	bool huge;
	pmd_t was;

	if (!dxl_pmd_is_huge(READ_ONCE(*pmd)))
		return false;
	ptl = pmd_lock(vma->vm_mm, pmd);
	was = READ_ONCE(*pmd);
	huge = dxl_pmd_is_huge(was);
	frame = pmd_pfn(was) + ((addr & ~PMD_MASK) >> PAGE_SHIFT);
	for (; huge && addr < end; addr += PAGE_SIZE, frame++)
		dxl_audit_mapping(audit, linear_page_index(vma, addr), frame,
				  pmd_write(was), "PMD");
	spin_unlock(ptl);
	return huge;
}

static void dxl_audit_pmd(struct dxl_audit *audit, struct vm_area_struct *vma,
			  unsigned long addr, unsigned long end)
{
	pmd_t *pmd = dxl_vma_pmd(vma, addr);

	if (!pmd || dxl_audit_huge(audit, vma, pmd, addr, end))
		return;
	/* A table stays one while i_mmap_rwsem keeps the area. */
	if (pmd_none(READ_ONCE(*pmd)) || pmd_bad(READ_ONCE(*pmd)))
		return;
	dxl_audit_table(audit, vma, pmd, addr, end);
}

/* Page tables of an area go only after it has left i_mmap. */
static void dxl_audit_area(struct dxl_audit *audit, struct vm_area_struct *vma)
{
	unsigned long addr, next;

	for (addr = vma->vm_start; addr < vma->vm_end; addr = next) {
		next = pmd_addr_end(addr, vma->vm_end);
		dxl_audit_pmd(audit, vma, addr, next);
		cond_resched();
	}
}

static void dxl_audit_areas(struct dxl_audit *audit)
{
	struct address_space *mapping = audit->inode->i_mapping;
	struct rb_node *node;

	i_mmap_lock_read(mapping);
	for (node = rb_first(&mapping->i_mmap.rb_root); node;
	     node = rb_next(node))
		dxl_audit_area(audit, rb_entry(node, struct vm_area_struct,
					       shared.rb));
	i_mmap_unlock_read(mapping);
}

/* The frame of a data entry against its owner. Called with xa_lock. */
static void dxl_audit_owner(struct dxl_audit *audit,
			    const struct dxl_page_state *page)
	__must_hold(&dxl_audit_tree(audit)->xa.xa_lock)
{
	struct dxl_tree *tree = dxl_audit_tree(audit);
	struct dxl_owner owner;

	if (!dxl_owner_of(tree, page->frame, &owner) ||
	    (owner.tree == tree && owner.index == page->index))
		return;
	if (owner.tree)
		dxl_audit_wrong(audit, DXL_VERDICT_UNOWNED, page,
				"its entry has frame 0x%lx, and a memory error would find page 0x%lx of %s file",
				page->frame, owner.index,
				owner.tree == tree ? "this" : "another");
	else if (owner.index != DXL_OWNER_NONE)
		dxl_audit_wrong(audit, DXL_VERDICT_UNOWNED, page,
				"its entry has frame 0x%lx, but a memory error would find no owner: a PTE fault at page 0x%lx put %lu and took 1",
				page->frame, owner.index,
				dxl_entry_pages(page->entry));
	else
		dxl_audit_wrong(audit, DXL_VERDICT_UNOWNED, page,
				"its entry has frame 0x%lx, but a memory error would find no owner",
				page->frame);
}

/* An entry against the block map. Called with xa_lock. */
static void dxl_audit_entry(struct dxl_audit *audit, pgoff_t index)
	__must_hold(&dxl_audit_tree(audit)->xa.xa_lock)
{
	struct dxl_page_state page;

	if (!dxl_audit_look(audit, index, &page) || !page.known ||
	    !page.entry || dxl_entry_is_empty(page.entry))
		return;
	if (dxl_entry_is_data(page.entry))
		dxl_audit_owner(audit, &page);
	if (dxl_entry_is_zero(page.entry)) {
		if (page.written)
			dxl_audit_wrong(audit, DXL_VERDICT_STALE_ENTRY, &page,
					"the entry (%s) stands for zeroes, the block map has a written block",
					dxl_order_name(dxl_entry_order(page.entry)));
	} else if (!page.written) {
		dxl_audit_wrong(audit, DXL_VERDICT_STALE_ENTRY, &page,
				"the entry (%s) has frame 0x%lx, the block map no written block",
				dxl_order_name(dxl_entry_order(page.entry)),
				page.frame);
	} else if (page.frame != page.block) {
		dxl_audit_wrong(audit, DXL_VERDICT_STALE_ENTRY, &page,
				"the entry (%s) has frame 0x%lx, the block map 0x%lx",
				dxl_order_name(dxl_entry_order(page.entry)),
				page.frame, page.block);
	}
}

static void dxl_audit_entries(struct dxl_audit *audit)
{
	struct dxl_tree *tree = dxl_audit_tree(audit);
	unsigned long first = 0, i, nr;
	void *entry;

	xa_lock(&tree->xa);
	/* Found anew each time: xa_lock is dropped now and then. */
	while ((entry = xa_find(&tree->xa, &first, ULONG_MAX, XA_PRESENT))) {
		nr = dxl_entry_pages(entry);
		first &= ~(nr - 1);
		for (i = 0; i < nr; i++)
			dxl_audit_entry(audit, first + i);
		first += nr;
		if (!first)
			break;
		cond_resched_lock(&tree->xa.xa_lock);
	}
	xa_unlock(&tree->xa);
}

static void dxl_audit_sum(struct dxl_audit *audit)
{
	unsigned int kind;

	for (kind = 0; kind < DXL_NR_VERDICTS; kind++)
		if (audit->found[kind])
			dxl_finding_note(audit->found[kind], "pages: %lu",
					 audit->count[kind]);
	if (audit->locked)
		dxl_oracle_blind(audit->oracle, "%lu pages of ino %lu: their entries are locked",
				 audit->locked, dxl_ino(audit->inode));
}

static void dxl_audit_inode(struct dxl_oracle *oracle, struct inode *inode)
{
	struct dxl_audit audit = { .oracle = oracle, .inode = inode };
	int id;

	if (!S_ISREG(inode->i_mode) || !dxl_inode_dax(inode) ||
	    /* A hint: who stores an entry now is not judged. */
	    (data_race(xa_empty(&DXL_I(inode)->tree.xa)) && !mapping_mapped(inode->i_mapping)))
		return;
	if (!inode_trylock_shared(inode)) {
		dxl_oracle_blind(oracle, "page tables, entries and map of ino %lu: somebody changes the file (i_rwsem)",
				 dxl_ino(inode));
		return;
	}
	if (dxl_media_enter(dxl_media_of(inode), &id)) {
		dxl_oracle_blind(oracle, "ino %lu: the device is gone",
				 dxl_ino(inode));
	} else {
		dxl_audit_areas(&audit);
		dxl_audit_entries(&audit);
		dxl_audit_sum(&audit);
		dxl_media_exit(id);
	}
	inode_unlock_shared(inode);
}

/**
 * dxl_oracle_flow() - Does what faults cached agree with the block map?
 * @oracle: findings are added
 * @inodes: files of the mount, referenced
 * @nr: how many
 *
 * Context: May sleep, but not for who holds i_rwsem or an entry.
 */
void dxl_oracle_flow(struct dxl_oracle *oracle, struct inode **inodes,
		     unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		dxl_audit_inode(oracle, inodes[i]);
}
