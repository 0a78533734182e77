/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A fault on its way: what fault.c and fault_variant.c share, and nobody else
 */
#ifndef DXL_FAULT_H
#define DXL_FAULT_H

#include "fs.h"
#include "window.h"

#include <linux/mm.h>

struct dxl_fault_seen;

/**
 * struct dxl_fault - a fault on its way
 * @vmf: what the core gave
 * @inode: the file
 * @index: first page index that is to be mapped
 * @order: 0 or DXL_PMD_ORDER
 * @write: it shall be possible to store to the file
 * @seen: what the block map said before the grab; variants only, else NULL
 * @hold: the locked entry
 */
struct dxl_fault {
	struct vm_fault *vmf;
	struct inode *inode;
	pgoff_t index;
	unsigned int order;
	bool write;
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

/* fault_variant.c */
int dxl_fault_crossed(const struct dxl_fault *fault, enum dxl_window window);

/* A window of faults. Return: 0, or an error that is armed there. */
static __always_inline int dxl_fault_window(const struct dxl_fault *fault,
					    enum dxl_window window)
{
	if (!dxl_watched())
		return 0;
	return dxl_fault_crossed(fault, window);
}

/* fault.c: the steps */
vm_fault_t dxl_fault_error(const struct dxl_fault *fault, int err);
int dxl_fault_map_block(const struct dxl_fault *fault, struct dxl_run *run);
vm_fault_t dxl_fault_load_run(struct dxl_fault *fault,
			      const struct dxl_run *run);
vm_fault_t dxl_fault_load_frame(struct dxl_fault *fault, void *entry);
vm_fault_t dxl_fault_grabbed(struct dxl_fault *fault);
void *dxl_fault_zero_entry(unsigned int order);

/* fault_variant.c: what the choices of knobs do at them */
vm_fault_t dxl_fault_varied(struct dxl_fault *fault);
vm_fault_t dxl_fault_locked_seen(struct dxl_fault *fault);
int dxl_fault_map_varied(const struct dxl_fault *fault, struct dxl_run *run);
void dxl_fault_collides(const struct dxl_fault *fault);
bool dxl_fault_misaligned(struct vm_fault *vmf);

#endif /* DXL_FAULT_H */
