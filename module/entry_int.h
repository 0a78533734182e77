/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps of the entry lock, shared by entry*.c only
 */
#ifndef DXL_ENTRY_INT_H
#define DXL_ENTRY_INT_H

#include "entry.h"

enum dxl_wake_mode {
	DXL_WAKE_NEXT,
	DXL_WAKE_ALL,
};

/* First index that an entry stands for; @index lies in it. */
static inline pgoff_t dxl_entry_first(const void *entry, pgoff_t index)
{
	return index & ~(dxl_entry_pages(entry) - 1);
}

/**
 * dxl_entry_key() - What waiters for an entry sleep on (rule 4).
 * @tree: the tree
 * @entry: the entry, or what it was before the waker changed it (rule 7)
 * @index: any index that it stands for
 *
 * The only function that makes a key: sleeper and waker agree because both
 * come here with the same entry.
 *
 * Context: Any context.
 * Return: The key.
 */
static inline struct dxl_key dxl_entry_key(struct dxl_tree *tree,
					   const void *entry, pgoff_t index)
{
	return (struct dxl_key) {
		.tree = tree,
		.first = dxl_entry_first(entry, index),
	};
}

/* entry_wait.c */
wait_queue_head_t *dxl_entry_queue(const struct dxl_key *key);
void dxl_entry_wake(struct dxl_key key, enum dxl_wake_mode mode);
void dxl_entry_put(struct dxl_key key);
void dxl_entry_wait(struct dxl_tree *tree, struct xa_state *xas,
		    struct dxl_key key, pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock);
void dxl_entry_woken(bool still_locked);

/* entry.c */
void dxl_entry_lock(struct dxl_tree *tree, struct xa_state *xas, void *entry,
		    pgoff_t index, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);
void dxl_hold_find(struct xa_state *xas, const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock);
void dxl_entry_release(struct dxl_tree *tree, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);
void dxl_entry_clear_lock(struct dxl_tree *tree, struct xa_state *xas,
			  struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);

#endif /* DXL_ENTRY_INT_H */
