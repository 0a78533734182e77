/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Owners of frames: which page of which file a frame is. On a stock kernel
 * page->mapping and page->index tell that, and memory_failure() asks them.
 *
 * A frame is taken when an entry gets it and put when the entry goes, as
 * dax_associate_entry() and dax_disassociate_entry() do, in the same hold of
 * xa_lock: so under xa_lock a tree and the owners of its frames agree.
 *
 * Everything here is dead while nobody watches, and begins anew when somebody
 * does. A tree is followed from the first frame on that one of its entries gets
 * while watched; what its entries have by then counts as taken.
 */
#ifndef DXL_OWNER_H
#define DXL_OWNER_H

#include "lab.h"

struct dxl_tree;

#define DXL_OWNER_NONE		ULONG_MAX

/**
 * struct dxl_owner - whose a frame is
 * @tree: of which file, or NULL: nobody's; only to compare
 * @index: which page of it. Nobody's: the page of the fault that put it though
 *	its entry stayed, or DXL_OWNER_NONE
 */
struct dxl_owner {
	const struct dxl_tree *tree;
	pgoff_t index;
};

void dxl_owners_init(struct dxl_owners *owners);
void dxl_owners_exit(struct dxl_owners *owners);
void dxl_owner_ready(struct dxl_tree *tree, const void *entry);
void dxl_owner_take(struct dxl_tree *tree, const void *entry, pgoff_t first);
void dxl_owner_put(struct dxl_tree *tree, const void *entry);
void dxl_owner_mix(struct dxl_tree *tree, const void *entry, pgoff_t first,
		   pgoff_t index);
bool dxl_owner_of(const struct dxl_tree *tree, unsigned long frame,
		  struct dxl_owner *owner);

#endif /* DXL_OWNER_H */
