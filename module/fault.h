/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fault on its way: what fault.c and fault_variant.c share, and nobody else
 */
#ifndef DXL_FAULT_H
#define DXL_FAULT_H

#include "fs.h"
#include "window.h"

#include <linux/mm.h>

/**
 * struct dxl_fault_seen - what a fault found out before it had the entry
 * @run: what the block map had
 * @entry: what stood in the tree, or NULL
 */
struct dxl_fault_seen {
	struct dxl_run run;
	void *entry;
};

/**
 * struct dxl_fault - a fault on its way
 * @vmf: what the core gave
 * @inode: the file
 * @index: first page index that is to be mapped
 * @order: 0 or DXL_PMD_ORDER
 * @write: it shall be possible to store to the file
 * @txn: it has the transaction since before the grab; variants only
 * @unheld: the entry was lost between two halves; variants only
 * @seen: what the block map said before the grab; variants only, else NULL
 * @hold: the locked entry
 */
struct dxl_fault {
	struct vm_fault *vmf;
	struct inode *inode;
	pgoff_t index;
	unsigned int order;
	bool write;
	bool txn;
	bool unheld;
	struct dxl_fault_seen *seen;
	struct dxl_hold hold;
};

static inline struct dxl_tree *dxl_fault_tree(const struct dxl_fault *fault)
{
	return &DXL_I(fault->inode)->tree;
}

static inline unsigned int dxl_fault_choice(const struct dxl_fault *fault,
					    enum dxl_knob knob)
{
	return dxl_choice(&DXL_SB(fault->inode->i_sb)->lab, knob);
}

/* fault_variant.c: while somebody watches */
int dxl_fault_begins(const struct dxl_fault *fault);
void dxl_fault_tell_mapped(const struct dxl_fault *fault, unsigned long pfn,
			   vm_fault_t ret);
int dxl_fault_crossed(const struct dxl_fault *fault, enum dxl_window window);

/* A window of faults. Return: 0, or an error that is armed there. */
static __always_inline int dxl_fault_window(const struct dxl_fault *fault,
					    enum dxl_window window)
{
	if (!dxl_watched())
		return 0;
	return dxl_fault_crossed(fault, window);
}

/*
 * The core looked at the pmd before the entry was locked: meanwhile another
 * fault on the same PMD entry may have put a huge page where this one wants a
 * table, or the reverse (e2093926a098).
 */
static inline bool dxl_fault_pmd_changed(const struct dxl_fault *fault)
{
	pmd_t pmd = READ_ONCE(*fault->vmf->pmd);

	if (!fault->order)
		return dxl_pmd_is_huge(pmd);
	return !pmd_none(pmd) && !dxl_pmd_is_huge(pmd);
}

/* It failed, but holes have got blocks: zeroes must not stay mapped. */
static inline void dxl_fault_keeps_blocks(const struct dxl_fault *fault,
					  const struct dxl_run *run)
{
	if (run->changed)
		dxl_inval_mappings(fault->inode, fault->index,
				   fault->index + (1UL << fault->order) - 1);
}

/* What the block map has for all of the range; writes fill holes. */
static inline int dxl_fault_map_block(const struct dxl_fault *fault,
				      struct dxl_run *run)
{
	unsigned long nr = 1UL << fault->order;
	int err;

	err = dxl_map_lookup(fault->inode, fault->index, nr, run);
	if (err)
		return err;
	if (fault->write && (run->block == DXL_NO_BLOCK || run->unwritten)) {
		/* Part data, part hole: let PTEs do it, one by one. */
		err = dxl_map_alloc_whole(fault->inode, fault->index, nr, run);
		if (err)
			goto failed;
		dxl_note(dxl_fault_tree(fault), DXL_EV_BLOCKS, run->index,
			 fault->order, fault->index, run->nr);
	}
	if (run->nr < nr)
		return -ERANGE;
	err = dxl_fault_window(fault, DXL_WIN_FAULT_AFTER_IOMAP_BEGIN);
	if (likely(!err))
		return 0;
failed:
	dxl_fault_keeps_blocks(fault, run);
	return err;
}

/* fault.c */
vm_fault_t dxl_fault_error(const struct dxl_fault *fault, int err);
vm_fault_t dxl_fault_insert(const struct dxl_fault *fault, unsigned long pfn,
			    bool hole);
void *dxl_fault_zero_entry(unsigned int order);

/* fault_variant.c: what the choices of knobs do at the steps of a fault */
vm_fault_t dxl_fault_insert_varied(const struct dxl_fault *fault,
				   unsigned long pfn, bool hole);
int dxl_fault_grab_varied(struct dxl_fault *fault, struct dxl_fault_seen *seen);
vm_fault_t dxl_fault_hole_page(struct dxl_fault *fault);
void dxl_fault_collides(const struct dxl_fault *fault);
void dxl_fault_associate(const struct dxl_fault *fault);
int dxl_fault_map_varied(const struct dxl_fault *fault, struct dxl_run *run);
bool dxl_fault_misaligned(struct vm_fault *vmf);

/* fault_sync.c: MAP_SYNC, and knob sync_fault */
int dxl_fault_make_found(const struct dxl_fault *fault);
bool dxl_fault_is_halved(const struct dxl_fault *fault);
vm_fault_t dxl_fault_halves(struct dxl_fault *fault, void *entry);

#endif /* DXL_FAULT_H */
