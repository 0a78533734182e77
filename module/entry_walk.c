// SPDX-License-Identifier: GPL-2.0
/*
 * Walks over the entries of a range: delete, tag, collect, clean
 *
 * A walk goes by an index of its own and looks up anew after each sleep, from a
 * reset state and that index. Going on from the old position skips the entry
 * that was slept for (6be3e21d25ca), pausing reloads its neighbour
 * (dd59137bfe70).
 */
#include "entry_int.h"
#include "stats.h"

#include <linux/sched.h>

/* A walk under xa_lock gives way here; the state is reset if it did. */
static void dxl_walk_breathe(struct xa_state *xas)
{
	if (!need_resched())
		return;
	xas_unlock(xas);
	xas_reset(xas);
	cond_resched();
	xas_lock(xas);
}

/* Index after an entry; false at the end of the range or of all indices. */
static bool dxl_walk_next(pgoff_t *index, const void *entry, pgoff_t first,
			  pgoff_t last)
{
	pgoff_t end = first + dxl_entry_pages(entry) - 1;

	if (end >= last)
		return false;
	*index = end + 1;
	return true;
}

/*
 * Awake again; @entry at @index is what the walk finds now. The wake came on the
 * key @slept: if what was slept for is clean or gone, or if there is something
 * before it now, the wake is for the next waiter (rule 9).
 */
static void dxl_walk_woken(struct dxl_key slept, const void *entry,
			   pgoff_t index)
{
	bool found = entry && dxl_entry_first(entry, index) == slept.first;

	dxl_entry_woken(found && dxl_entry_is_locked(entry));
	if (!found)
		dxl_entry_put(slept);
}

/**
 * dxl_entry_delete_range() - Remove the entries of a range.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 * @keep_dirty: leave entries that have DIRTY or TOWRITE: data that is only in
 *	the cache, or in flight, would be forgotten (c6dcf52c23d2)
 *
 * A PMD entry that reaches into the range is removed whole. The page tables are
 * the caller's business, afterwards.
 *
 * Context: May sleep for the owners of locked entries, one at a time.
 * Return: Number of entries removed.
 */
unsigned long dxl_entry_delete_range(struct dxl_tree *tree, pgoff_t first,
				     pgoff_t last, bool keep_dirty)
{
	XA_STATE(xas, &tree->xa, first);
	unsigned long deleted = 0;
	pgoff_t index = first;
	struct dxl_key key, slept;
	bool waited = false;
	void *entry;

	xas_lock(&xas);
	for (;;) {
		xas_set(&xas, index);
		entry = xas_find(&xas, last);
		if (waited)
			dxl_walk_woken(slept, entry, xas.xa_index);
		if (!entry)
			break;
		key = dxl_entry_key(tree, entry, xas.xa_index);
		if (dxl_entry_is_locked(entry)) {
			dxl_entry_wait(tree, &xas, key, index, 0);
			waited = true;
			slept = key;
			continue;
		}
		if (keep_dirty && (xas_get_mark(&xas, DXL_MARK_DIRTY) ||
				   xas_get_mark(&xas, DXL_MARK_TOWRITE))) {
			if (waited)
				dxl_entry_put(key);
		} else {
			xas_store(&xas, NULL);
			dxl_entry_wake(key, DXL_WAKE_ALL);
			deleted++;
		}
		waited = false;
		if (!dxl_walk_next(&index, entry, key.first, last))
			break;
		dxl_walk_breathe(&xas);
	}
	xas_unlock(&xas);
	return deleted;
}

/**
 * dxl_entry_tag() - Make the dirty entries of a range the work list of a sync.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Later faults add DIRTY only, so that a sync ends even if stores do not.
 *
 * Context: Does not sleep for entries.
 * Return: Number of entries that have TOWRITE now.
 */
unsigned long dxl_entry_tag(struct dxl_tree *tree, pgoff_t first, pgoff_t last)
{
	XA_STATE(xas, &tree->xa, first);
	unsigned long tagged = 0;
	pgoff_t index;
	void *entry;

	xas_lock(&xas);
	xas_for_each_marked(&xas, entry, last, DXL_MARK_DIRTY) {
		xas_set_mark(&xas, DXL_MARK_TOWRITE);
		tagged++;
		if (!need_resched())
			continue;
		/*
		 * Not xas_pause(): it goes on from xa_index, which may lie in
		 * the middle of a PMD entry, and passes the next entry as well.
		 */
		index = dxl_entry_first(entry, xas.xa_index);
		if (!dxl_walk_next(&index, entry, index, last))
			break;
		xas_set(&xas, index);
		dxl_walk_breathe(&xas);
	}
	xas_unlock(&xas);
	return tagged;
}

/**
 * dxl_entry_collect() - Lock the next entries of a sync's work list.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 * @hold: room for the holds
 * @max: how many
 *
 * Takes unlocked entries with TOWRITE in index order. A locked one ends a batch
 * that is not empty, and is waited for otherwise, whoever owns it: what it
 * guards may be what this sync has promised (entry.h, rule 23). So 0 means that
 * no entry of the range has TOWRITE any more.
 *
 * Context: May sleep for one owner, with an empty hand (rule 20).
 * Return: Number of holds made; 0 at the end of the range.
 */
unsigned int dxl_entry_collect(struct dxl_tree *tree, pgoff_t first,
			       pgoff_t last, struct dxl_hold *hold,
			       unsigned int max)
{
	XA_STATE(xas, &tree->xa, first);
	struct dxl_key key, slept;
	bool waited = false;
	unsigned int nr = 0;
	pgoff_t index = first;
	void *entry;

	xas_lock(&xas);
	while (nr < max) {
		xas_set(&xas, index);
		entry = xas_find_marked(&xas, last, DXL_MARK_TOWRITE);
		if (waited)
			dxl_walk_woken(slept, entry, xas.xa_index);
		waited = false;
		if (!entry)
			break;
		key = dxl_entry_key(tree, entry, xas.xa_index);
		if (dxl_entry_is_locked(entry)) {
			if (nr)
				break;
			dxl_entry_wait(tree, &xas, key, index, 0);
			waited = true;
			slept = key;
			continue;
		}
		dxl_entry_lock(tree, &xas, entry, key.first, hold + nr);
		nr++;
		if (!dxl_walk_next(&index, entry, key.first, last))
			break;
		dxl_walk_breathe(&xas);
	}
	xas_unlock(&xas);
	return nr;
}

/**
 * dxl_entry_clean() - Unlock entries whose data is safe.
 * @tree: the tree
 * @hold: holds from dxl_entry_collect(); end here
 * @nr: how many
 *
 * The caller has write-protected and then flushed them all. DIRTY and TOWRITE
 * go together and only now: TOWRITE cleared before the flush hides the entry
 * from a concurrent sync, which then returns early (rule 23).
 *
 * Context: Does not sleep for entries.
 */
void dxl_entry_clean(struct dxl_tree *tree, struct dxl_hold *hold,
		     unsigned int nr)
{
	XA_STATE(xas, &tree->xa, 0);
	unsigned int i;

	xas_lock(&xas);
	for (i = 0; i < nr; i++) {
		dxl_entry_clear_lock(tree, &xas, hold + i);
		xas_clear_mark(&xas, DXL_MARK_DIRTY);
		xas_clear_mark(&xas, DXL_MARK_TOWRITE);
		dxl_entry_wake(dxl_entry_key(tree, hold[i].entry,
					     hold[i].first), DXL_WAKE_NEXT);
	}
	xas_unlock(&xas);
}
