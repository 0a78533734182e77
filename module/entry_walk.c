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
#include "entry_variant.h"
#include "stats.h"

#include <linux/sched.h>

/* Watched walks give way after each entry, so that the window can be armed. */
static __always_inline bool dxl_walk_tires(void)
{
	return need_resched() || dxl_watched();
}

/* A walk under xa_lock gives way here; the state is reset if it did. */
static void dxl_walk_breathe(struct dxl_tree *tree, struct xa_state *xas,
			     pgoff_t index)
{
	if (!dxl_walk_tires())
		return;
	xas_unlock(xas);
	xas_reset(xas);
	dxl_window(DXL_WIN_SCAN_BATCH_PAUSE, tree, index, 0, DXL_ACCESS_NONE);
	cond_resched();
	xas_lock(xas);
}

/**
 * dxl_walk_next() - The index after an entry.
 * @index: set to it
 * @entry: the entry
 * @first: its first index
 * @last: of the range
 *
 * Context: Any context.
 * Return: false at the end of the range or of all indices.
 */
bool dxl_walk_next(pgoff_t *index, const void *entry, pgoff_t first,
		   pgoff_t last)
{
	pgoff_t end = first + dxl_entry_pages(entry) - 1;

	if (end >= last)
		return false;
	*index = end + 1;
	return true;
}

/**
 * dxl_walk_wait() - Sleep for the entry that a walk has found.
 * @walk: the walk
 * @xas: stands on the entry; reset on return
 * @entry: the entry
 *
 * Context: Called with xa_lock, drops it to sleep, returns with it.
 */
void dxl_walk_wait(struct dxl_walk *walk, struct xa_state *xas, void *entry)
	__must_hold(&xas->xa->xa_lock)
{
	struct dxl_search search = {
		.index = walk->index,
		.wake = DXL_WIN_SCAN_AFTER_WAKE,
	};

	walk->waited = true;
	walk->slept = dxl_entry_first(entry, xas->xa_index);
	walk->slept_at = xas->xa_index;
	walk->err = dxl_entry_wait(walk->tree, xas, entry, walk->slept,
				   &search);
}

/*
 * Return: NULL: the walk looks again from its index, unless it has an error.
 * Variants: another entry, or DXL_STOP at the end of the range.
 */
static void *dxl_walk_blocked(struct dxl_walk *walk, struct xa_state *xas,
			      void *entry, enum dxl_window window)
	__must_hold(&xas->xa->xa_lock)
{
	dxl_window(DXL_WIN_SCAN_FOUND_LOCKED, walk->tree, xas->xa_index,
		   dxl_entry_order(entry), DXL_ACCESS_NONE);
	dxl_window(window, walk->tree, xas->xa_index, dxl_entry_order(entry),
		   DXL_ACCESS_NONE);
	if (dxl_varied())
		return dxl_scan_varied(walk, xas, entry, window);
	dxl_walk_wait(walk, xas, entry);
	return NULL;
}

/**
 * dxl_walk_woken() - A walk is awake again.
 * @walk: the walk
 * @entry: what it finds now
 * @index: where
 *
 * The wake came on the key of what it slept for: if that is clean or gone, or if
 * there is something before it now, the wake is for the next waiter (rule 9).
 *
 * Context: Called with xa_lock.
 */
void dxl_walk_woken(struct dxl_walk *walk, const void *entry, pgoff_t index)
	__must_hold(&walk->tree->xa.xa_lock)
{
	struct dxl_key slept = { .tree = walk->tree, .first = walk->slept };

	walk->waited = false;
	if (entry && dxl_entry_first(entry, index) == walk->slept) {
		dxl_entry_woken(walk->tree, walk->slept, entry);
		return;
	}
	dxl_entry_woken(walk->tree, walk->slept, NULL);
	if (dxl_varied())
		dxl_walk_gone_varied(walk);
	else
		dxl_entry_put(slept);
}

/* An unlocked entry goes out of the tree; @xas stands on it. */
static void dxl_walk_remove(struct dxl_walk *walk, struct xa_state *xas,
			    void *entry, struct dxl_key key)
	__must_hold(&xas->xa->xa_lock)
{
	unsigned int order = dxl_entry_order(entry);
	pgoff_t index = xas->xa_index;

	dxl_window(DXL_WIN_INVALIDATE_BEFORE_DELETE, walk->tree, index, order,
		   DXL_ACCESS_NONE);
	xas_store(xas, NULL);
	if (dxl_watched())
		dxl_entry_removed(walk->tree, entry, index);
	dxl_window(DXL_WIN_INVALIDATE_BEFORE_WAKE, walk->tree, index, order,
		   DXL_ACCESS_NONE);
	if (dxl_varied())
		dxl_removal_wake_varied(key, index);
	else
		dxl_entry_wake(key, DXL_WAKE_ALL);
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
 * Return: Number of entries removed. -EDEADLK: not all were, after
 * dxl_tree_rescue() or in a loop that a variant has made.
 */
long dxl_entry_delete_range(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
			    bool keep_dirty)
{
	struct dxl_walk walk = {
		.tree = tree,
		.first = first,
		.last = last,
		.index = first,
		.cuts = !keep_dirty,
	};
	XA_STATE(xas, &tree->xa, first);
	struct dxl_key key;
	bool woken, left;
	long deleted = 0;
	void *entry;

	might_lock(tree);
	xas_lock(&xas);
	for (;;) {
		xas_set(&xas, walk.index);
		entry = xas_find(&xas, last);
		woken = walk.waited;
		if (woken)
			dxl_walk_woken(&walk, entry, xas.xa_index);
		if (!entry)
			break;
		if (dxl_entry_is_locked(entry)) {
			entry = dxl_walk_blocked(&walk, &xas, entry,
						 DXL_WIN_INVALIDATE_FOUND_LOCKED);
			if (walk.err || entry == DXL_STOP)
				break;
			if (!entry)
				continue;
		}
		key = dxl_entry_key(tree, entry, xas.xa_index);
		left = keep_dirty && (xas_get_mark(&xas, DXL_MARK_DIRTY) ||
				      xas_get_mark(&xas, DXL_MARK_TOWRITE));
		if (!left) {
			dxl_walk_remove(&walk, &xas, entry, key);
			deleted++;
		} else if (woken) {
			dxl_entry_put(key);
		}
		if (dxl_varied() ?
		    !dxl_walk_next_varied(&walk, entry, key.first, left) :
		    !dxl_walk_next(&walk.index, entry, key.first, last))
			break;
		dxl_walk_breathe(tree, &xas, walk.index);
	}
	dxl_entry_judge(tree);
	xas_unlock(&xas);
	if (dxl_varied())
		dxl_hole_barrier(tree);
	return walk.err ?: deleted;
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
 * Return: Number of entries that have TOWRITE now; 0 if none is dirty.
 */
unsigned long dxl_entry_tag(struct dxl_tree *tree, pgoff_t first, pgoff_t last)
{
	XA_STATE(xas, &tree->xa, first);
	unsigned long tagged = 0;
	pgoff_t index;
	void *entry;

	if (dxl_sync_mark(tree) != DXL_MARK_TOWRITE) {
		xas_lock(&xas);
		tagged = xa_marked(&tree->xa, DXL_MARK_DIRTY);
		xas_unlock(&xas);
		return tagged;
	}
	xas_lock(&xas);
	xas_for_each_marked(&xas, entry, last, DXL_MARK_DIRTY) {
		xas_set_mark(&xas, DXL_MARK_TOWRITE);
		tagged++;
		if (!dxl_walk_tires())
			continue;
		/*
		 * Not xas_pause(): it goes on from xa_index, which may lie in
		 * the middle of a PMD entry, and passes the next entry as well.
		 */
		index = dxl_entry_first(entry, xas.xa_index);
		if (!dxl_walk_next(&index, entry, index, last))
			break;
		xas_set(&xas, index);
		dxl_walk_breathe(tree, &xas, index);
	}
	xas_unlock(&xas);
	return tagged;
}

/*
 * A sync has found a locked entry: wait until what stands at @index is not
 * locked. Return: 0: look again there; 1: the end of the range (variants);
 * -EDEADLK.
 */
static noinline int dxl_collect_blocked(struct dxl_tree *tree,
					struct xa_state *xas, pgoff_t first,
					pgoff_t last, pgoff_t *index,
					void *entry)
	__must_hold(&tree->xa.xa_lock)
{
	struct dxl_walk walk = {
		.tree = tree,
		.first = first,
		.last = last,
		.index = *index,
	};

	do {
		entry = dxl_walk_blocked(&walk, xas, entry,
					 DXL_WIN_WRITEBACK_FOUND_LOCKED);
		if (walk.err || entry == DXL_STOP)
			break;
		xas_set(xas, walk.index);
		entry = xas_find_marked(xas, last, dxl_sync_mark(tree));
		if (walk.waited)
			dxl_walk_woken(&walk, entry, xas->xa_index);
	} while (entry && dxl_entry_is_locked(entry));
	*index = walk.index;
	return entry == DXL_STOP ? 1 : walk.err;
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
 * Return: Number of holds made; 0 at the end of the range; -EDEADLK after
 * dxl_tree_rescue(), or in a loop that a variant has made.
 */
int dxl_entry_collect(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
		      struct dxl_hold *hold, unsigned int max)
{
	XA_STATE(xas, &tree->xa, first);
	pgoff_t index = first;
	unsigned int nr = 0;
	void *entry;
	int err = 0;

	might_lock(tree);
	xas_lock(&xas);
	while (nr < max) {
		xas_set(&xas, index);
		entry = xas_find_marked(&xas, last, dxl_sync_mark(tree));
		if (!entry)
			break;
		if (dxl_entry_is_locked(entry)) {
			if (nr && !dxl_sync_skips(tree))
				break;
			err = dxl_collect_blocked(tree, &xas, first, last,
						  &index, entry);
			if (err)
				break;
			continue;
		}
		dxl_entry_lock(tree, &xas, entry, xas.xa_index, hold + nr);
		if (dxl_towrite_goes(tree))
			xas_clear_mark(&xas, DXL_MARK_TOWRITE);
		if (!dxl_walk_next(&index, entry, hold[nr++].first, last))
			break;
		dxl_walk_breathe(tree, &xas, index);
	}
	dxl_entry_judge(tree);
	xas_unlock(&xas);
	return err < 0 && !nr ? err : nr;
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
		if (dxl_entry_clear_lock(tree, &xas, hold + i)) {
			xas_clear_mark(&xas, DXL_MARK_DIRTY);
			xas_clear_mark(&xas, DXL_MARK_TOWRITE);
		}
		if (dxl_watched())
			dxl_window(DXL_WIN_WRITEBACK_BEFORE_WAKE, tree,
				   hold[i].first,
				   dxl_entry_order(hold[i].entry),
				   DXL_ACCESS_NONE);
		dxl_entry_wake(dxl_entry_key(tree, hold[i].entry,
					     hold[i].first), DXL_WAKE_NEXT);
	}
	dxl_entry_judge(tree);
	xas_unlock(&xas);
}
