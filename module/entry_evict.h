/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Removals and stores that break the rules of entry.h on purpose, for choices of
 * knobs of the filesystem
 */
#ifndef DXL_ENTRY_EVICT_H
#define DXL_ENTRY_EVICT_H

#include "entry.h"

unsigned long dxl_entry_evict_clean(struct dxl_tree *tree, pgoff_t first,
				    pgoff_t last);
long dxl_entry_delete_unmapped(struct dxl_tree *tree, pgoff_t first,
			       pgoff_t last);
void *dxl_entry_peek(struct dxl_tree *tree, pgoff_t index);
void dxl_entry_force(struct dxl_tree *tree, struct dxl_hold *hold, void *entry);
int dxl_entry_store_orphan(struct dxl_tree *tree, pgoff_t index, void *entry);

#endif /* DXL_ENTRY_EVICT_H */
