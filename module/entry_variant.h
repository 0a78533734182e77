/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry lock in other ways: what the choices of knobs do at its steps
 *
 * Called only while some mount is varied (dxl_varied()), for any tree: each asks
 * the choices of its own mount.
 *
 * For the filesystem, hole_page other than "entry": a read fault of order 0
 * calls dxl_entry_grab_hole() instead of dxl_entry_grab(). 1 means that the hole
 * has its page already: map zeroes, call dxl_hole_mapped(), do not unlock. Whom
 * the unlock of a hole's entry wakes ("the swap") is this file's business.
 */
#ifndef DXL_ENTRY_VARIANT_H
#define DXL_ENTRY_VARIANT_H

#include "entry_int.h"

/* entry_variant.c: for the filesystem */
int dxl_entry_grab_hole(struct dxl_tree *tree, pgoff_t index,
			struct dxl_hold *hold);
void dxl_hole_mapped(struct dxl_tree *tree);

/* entry_variant.c: queue */
int dxl_wait_varied(struct xa_state *xas, struct dxl_waiter *waiter,
		    const void *entry, const struct dxl_search *search)
	__must_hold(&xas->xa->xa_lock);
int dxl_woken_varied(const struct dxl_waiter *waiter,
		     const struct dxl_search *search);
enum dxl_wake_mode dxl_wake_varied(struct dxl_key *key, enum dxl_wake_mode mode);
enum dxl_wake_mode dxl_unlock_mode(const struct dxl_tree *tree,
				   const void *entry);
bool dxl_put_wakes(const struct dxl_tree *tree);
void dxl_hole_barrier(const struct dxl_tree *tree);

/* entry_variant_grab.c */
void *dxl_find_varied(struct dxl_tree *tree, struct xa_state *xas,
		      unsigned int order, struct dxl_grab *grab)
	__must_hold(&tree->xa.xa_lock);
bool dxl_insert_varied(struct dxl_tree *tree, struct xa_state *xas,
		       pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock);
void dxl_hold_lost(struct dxl_tree *tree, struct xa_state *xas,
		   const struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);

/* entry_variant_walk.c */
void dxl_walk_gone_varied(const struct dxl_walk *walk);
void dxl_removal_wake_varied(struct dxl_key key, pgoff_t index);
bool dxl_walk_next_varied(struct dxl_walk *walk, void *entry, pgoff_t first,
			  bool left);
void *dxl_scan_varied(struct dxl_walk *walk, struct xa_state *xas, void *entry,
		      enum dxl_window window)
	__must_hold(&xas->xa->xa_lock);

int dxl_entry_wait_dirty(struct dxl_tree *tree, pgoff_t first, pgoff_t last);
int dxl_entry_clear_dirty(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
			  bool waits);
void dxl_entry_unmark(struct dxl_tree *tree, const struct dxl_hold *hold,
		      unsigned int nr, bool dirty);

/* knob towrite: by which mark does a sync find its entries? */
static __always_inline xa_mark_t dxl_sync_mark(const struct dxl_tree *tree)
{
	return dxl_choice(tree->lab, DXL_KNOB_TOWRITE) ==
	       DXL_TOWRITE_DIRTY_WALK ? DXL_MARK_DIRTY : DXL_MARK_TOWRITE;
}

/* knob towrite: does it go when the entry is locked? */
static __always_inline bool dxl_towrite_goes(const struct dxl_tree *tree)
{
	unsigned int how = dxl_choice(tree->lab, DXL_KNOB_TOWRITE);

	return how == DXL_TOWRITE_AT_LOCK || how == DXL_TOWRITE_WAIT_LOCKED ||
	       how == DXL_TOWRITE_SERIALISED;
}

/* knob sync_scan: does a sync pass locked entries, even with a full hand? */
static __always_inline bool dxl_sync_skips(const struct dxl_tree *tree)
{
	return dxl_choice(tree->lab, DXL_KNOB_SYNC_SCAN) ==
	       DXL_SYNC_SCAN_POSITIONED;
}

#endif /* DXL_ENTRY_VARIANT_H */
