// SPDX-License-Identifier: GPL-2.0
/*
 * Removals and stores that break the rules of entry.h on purpose
 */
#include "entry_evict.h"
#include "entry_int.h"
#include "entry_variant.h"
#include "owner.h"

#include <linux/sched.h>

/**
 * dxl_entry_evict_clean() - Remove entries that nobody owns and that are clean.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 *
 * evict=clean: their mappings stay, as when page cache was dropped (C5). What
 * reaches out of the range stays as well.
 *
 * Context: Does not sleep for entries.
 * Return: Number of entries removed.
 */
unsigned long dxl_entry_evict_clean(struct dxl_tree *tree, pgoff_t first,
				    pgoff_t last)
{
	XA_STATE(xas, &tree->xa, first);
	unsigned long removed = 0;
	struct dxl_key key;
	pgoff_t next;
	void *entry;

	xas_lock(&xas);
	xas_for_each(&xas, entry, last) {
		key = dxl_entry_key(tree, entry, xas.xa_index);
		next = key.first + dxl_entry_pages(entry);
		if (!dxl_entry_is_locked(entry) &&
		    !xas_get_mark(&xas, DXL_MARK_DIRTY) &&
		    !xas_get_mark(&xas, DXL_MARK_TOWRITE) &&
		    key.first >= first && next - 1 <= last) {
			xas_store(&xas, NULL);
			if (dxl_watched())
				dxl_entry_removed(tree, entry, key.first);
			dxl_entry_wake(key, DXL_WAKE_ALL);
			removed++;
		}
		if (!need_resched())
			continue;
		xas_set(&xas, next);
		xas_unlock(&xas);
		cond_resched();
		xas_lock(&xas);
	}
	xas_unlock(&xas);
	return removed;
}

/* Unmap an entry while it is locked, then take it out. Drops xa_lock. */
static void dxl_entry_unmap_delete(struct dxl_tree *tree, struct xa_state *xas,
				   void *entry, struct dxl_key key)
	__must_hold(&tree->xa.xa_lock)
{
	struct dxl_hold hold;

	dxl_entry_lock(tree, xas, entry, key.first, &hold);
	xas_unlock(xas);
	tree->ops->unmap(tree, hold.first, dxl_entry_pages(entry));
	xas_lock(xas);
	xas_set(xas, hold.first);
	xas_store(xas, NULL);
	if (dxl_watched())
		dxl_entry_removed(tree, hold.entry, hold.first);
	dxl_entry_release(tree, &hold);
	dxl_entry_wake(key, DXL_WAKE_ALL);
}

/**
 * dxl_entry_delete_unmapped() - Unmap and remove the entries of a range.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 *
 * invalidate=per_entry: one after the other, each unmapped while it is locked.
 * Dirty ones stay.
 *
 * Context: May sleep for the owners of locked entries, one at a time.
 * Return: Number of entries removed; -EDEADLK after dxl_tree_rescue().
 */
long dxl_entry_delete_unmapped(struct dxl_tree *tree, pgoff_t first,
			       pgoff_t last)
{
	struct dxl_search search = { .wake = DXL_WIN_SCAN_AFTER_WAKE };
	XA_STATE(xas, &tree->xa, first);
	struct dxl_key key, slept;
	pgoff_t index = first;
	bool waited = false;
	long removed = 0;
	void *entry;
	int err = 0;

	might_lock(tree);
	xas_lock(&xas);
	while (index <= last) {
		xas_set(&xas, index);
		entry = xas_find(&xas, last);
		if (entry) {
			key = dxl_entry_key(tree, entry, xas.xa_index);
			if (dxl_entry_is_locked(entry)) {
				search.index = index;
				dxl_window(DXL_WIN_INVALIDATE_FOUND_LOCKED,
					   tree, xas.xa_index,
					   dxl_entry_order(entry),
					   DXL_ACCESS_NONE);
				err = dxl_entry_wait(tree, &xas, entry,
						     key.first, &search);
				if (err)
					break;
				waited = true;
				slept = key;
				continue;
			}
		}
		/* It may not have been for this one (rule 9). */
		if (waited)
			dxl_entry_put(slept);
		waited = false;
		if (!entry)
			break;
		index = key.first + dxl_entry_pages(entry);
		if (xas_get_mark(&xas, DXL_MARK_DIRTY) ||
		    xas_get_mark(&xas, DXL_MARK_TOWRITE))
			continue;
		dxl_entry_unmap_delete(tree, &xas, entry, key);
		removed++;
	}
	xas_unlock(&xas);
	dxl_hole_barrier(tree);
	return err ?: removed;
}

/**
 * dxl_entry_peek() - What stands at an index now.
 * @tree: the tree
 * @index: page index
 *
 * Context: Any context.
 * Return: An entry or NULL.
 */
void *dxl_entry_peek(struct dxl_tree *tree, pgoff_t index)
{
	return xa_load(&tree->xa, index);
}

/**
 * dxl_entry_force() - Store a value over a locked entry, whatever it is.
 * @tree: the tree
 * @hold: the caller's hold
 * @entry: of the same order, without LOCKED; not data
 *
 * map_order=blind. Its dirty marks go: they are for data.
 *
 * Context: Does not sleep. The caller owns the entry.
 */
void dxl_entry_force(struct dxl_tree *tree, struct dxl_hold *hold, void *entry)
{
	XA_STATE_ORDER(xas, &tree->xa, hold->first, dxl_entry_order(entry));
	void *new = xa_mk_value(xa_to_value(entry) | DXL_ENTRY_LOCKED);

	xas_lock(&xas);
	xas_store(&xas, new);
	__xa_clear_mark(&tree->xa, hold->first, DXL_MARK_DIRTY);
	__xa_clear_mark(&tree->xa, hold->first, DXL_MARK_TOWRITE);
	if (dxl_watched())
		dxl_owner_put(tree, hold->entry);
	hold->entry = new;
	xas_unlock(&xas);
}

/**
 * dxl_entry_store_orphan() - Store a PMD entry that is locked by nobody.
 * @tree: the tree
 * @index: of its first page
 * @entry: the value, without LOCKED
 *
 * colour=late. dxl_tree_rescue() ends such locks.
 *
 * Context: May sleep for memory.
 * Return: 0; -EEXIST if something else is there; -ENOMEM.
 */
int dxl_entry_store_orphan(struct dxl_tree *tree, pgoff_t index, void *entry)
{
	XA_STATE_ORDER(xas, &tree->xa, index, DXL_PMD_ORDER);
	void *new = xa_mk_value(xa_to_value(entry) | DXL_ENTRY_LOCKED);
	void *old;

	do {
		xas_lock(&xas);
		old = xas_find_conflict(&xas);
		if (old && (dxl_entry_is_locked(old) || !dxl_entry_is_pmd(old) ||
			    dxl_entry_is_data(old)))
			xas_set_err(&xas, -EEXIST);
		else
			xas_store(&xas, new);
		if (!xas_error(&xas))
			dxl_note(tree, DXL_EV_INSERT, index, DXL_PMD_ORDER,
				 index, xa_to_value(new));
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_NOFS));
	return xas_error(&xas);
}
