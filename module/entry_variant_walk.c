// SPDX-License-Identifier: GPL-2.0
/*
 * Variants of walks: what they do about locked entries, whom a removal wakes,
 * where they go on
 */
#include "entry_variant.h"

#include <linux/errno.h>

/* The entry that begins at @first, as it is now, or NULL. */
static void *dxl_walk_still_there(struct dxl_tree *tree, pgoff_t first)
	__must_hold(&tree->xa.xa_lock)
{
	XA_STATE(xas, &tree->xa, first);
	void *entry = xas_load(&xas);

	return entry && dxl_entry_first(entry, first) == first ? entry : NULL;
}

/**
 * dxl_walk_gone_varied() - A woken walk does not find what it slept for.
 * @walk: the walk
 *
 * It has a wake that others may need. The proposals of 2021 pass it on, but do
 * not know the size of what is gone (knob wake_removal).
 *
 * Context: Called with xa_lock.
 */
void dxl_walk_gone_varied(const struct dxl_walk *walk)
{
	struct dxl_tree *tree = walk->tree;
	struct dxl_key key = { .tree = tree, .first = walk->slept };
	unsigned int how = dxl_choice(tree->lab, DXL_KNOB_WAKE_REMOVAL);

	if (how == DXL_WAKE_REMOVAL_ALL ||
	    dxl_walk_still_there(tree, walk->slept)) {
		dxl_entry_put(key);
		return;
	}
	if (how == DXL_WAKE_REMOVAL_NEXT)
		return;
	key.first = walk->slept_at;
	dxl_entry_put(key);
	if (how == DXL_WAKE_REMOVAL_BOTH_KEYS) {
		key.first = walk->slept_at & ~DXL_PMD_COLOUR;
		dxl_entry_put(key);
	}
}

/**
 * dxl_removal_wake_varied() - A walk has removed an entry.
 * @key: of the entry
 * @index: where the walk found it
 *
 * Context: Called with xa_lock.
 */
void dxl_removal_wake_varied(struct dxl_key key, pgoff_t index)
{
	const struct dxl_lab *lab = key.tree->lab;

	/* What comes after it is nothing, of which the index is all one knows. */
	if (dxl_choice(lab, DXL_KNOB_CANARY) == DXL_CANARY_NEW_KEY)
		key.first = index;
	if (dxl_choice(lab, DXL_KNOB_WAKE_REMOVAL) == DXL_WAKE_REMOVAL_ALL)
		dxl_entry_wake(key, DXL_WAKE_ALL);
	else if (dxl_choice(lab, DXL_KNOB_PUT) == DXL_PUT_RIGHT)
		dxl_entry_wake(key, DXL_WAKE_NEXT);
}

/**
 * dxl_walk_next_varied() - Where a walk goes on (knob advance).
 * @walk: the walk; gets an error if it would go round for ever
 * @entry: what it has dealt with, or passed
 * @first: first index of @entry
 * @left: @entry is in the tree as it was
 *
 * What a walk does next depends on the index where it looks and on the entry
 * that it finds there: where both come back, so does all that followed.
 *
 * Context: Called with xa_lock.
 * Return: Whether it goes on.
 */
bool dxl_walk_next_varied(struct dxl_walk *walk, void *entry, pgoff_t first,
			  bool left)
{
	unsigned int how = dxl_choice(walk->tree->lab, DXL_KNOB_ADVANCE);
	pgoff_t end = first + dxl_entry_pages(entry) - 1;

	if (left && walk->passed.entry == entry &&
	    walk->passed.first == first && walk->passed.index == walk->index) {
		dxl_damage(walk->tree, DXL_DAMAGE_LOOP, first,
			   dxl_entry_order(entry));
		walk->err = -EDEADLK;
		return false;
	}
	walk->passed.entry = left ? entry : NULL;
	walk->passed.first = first;
	walk->passed.index = walk->index;
	if (how == DXL_ADVANCE_STUCK) {
		walk->index = walk->first;
		return true;
	}
	if (how == DXL_ADVANCE_ONE)
		end = first;
	if (end >= walk->last)
		return false;
	walk->index = end + 1;
	return true;
}

/* The search for a conflict begins behind the entry on which it stands: B1. */
static void *dxl_scan_positioned(struct dxl_walk *walk, struct xa_state *xas,
				 void *entry)
	__must_hold(&xas->xa->xa_lock)
{
	pgoff_t first = dxl_entry_first(entry, xas->xa_index);

	if (xas_find_conflict(xas)) {
		dxl_walk_wait(walk, xas, entry);
		return NULL;
	}
	/* What a sync passes may be waited for later: the ledger judges that. */
	if (walk->cuts)
		dxl_damage(walk->tree, DXL_DAMAGE_SKIPPED, first,
			   dxl_entry_order(entry));
	return dxl_walk_next_varied(walk, entry, first, true) ? NULL : DXL_STOP;
}

/* After the pause the state stands on the neighbour, which is loaded: B2. */
static void *dxl_scan_paused(struct dxl_walk *walk, struct xa_state *xas,
			     void *entry)
	__must_hold(&xas->xa->xa_lock)
{
	struct dxl_search search = { .wake = DXL_WIN_SCAN_AFTER_WAKE };

	while (entry && dxl_entry_is_locked(entry)) {
		pgoff_t index = xas->xa_index;
		pgoff_t first = dxl_entry_first(entry, index);
		unsigned int order = dxl_entry_order(entry);
		void *left;

		xas_pause(xas);
		search.index = index;
		walk->err = dxl_entry_wait(walk->tree, xas, entry, first,
					   &search);
		if (walk->err)
			return NULL;
		left = dxl_walk_still_there(walk->tree, first);
		dxl_entry_woken(walk->tree, first, left);
		if (left)
			dxl_damage(walk->tree, DXL_DAMAGE_SKIPPED, first,
				   order);
		if (xas->xa_index <= index || xas->xa_index > walk->last)
			return DXL_STOP;
		walk->index = xas->xa_index;
		entry = xas_load(xas);
	}
	return entry;
}

/**
 * dxl_scan_varied() - A walk met a locked entry (knobs scan, sync_scan).
 * @walk: the walk
 * @xas: stands on the entry
 * @entry: the entry
 * @window: tells invalidation from writeback
 *
 * Upstream looks for what is in the way of a cut with a scan of its own, which
 * is knob scan. Its invalidation for write(2) looks entries up one by one, from
 * fresh states, and never had that bug.
 *
 * Context: Called with xa_lock, may drop it to sleep, returns with it.
 * Return: NULL: the walk goes on at its index, unless it has an error; an
 * unlocked entry, on which @xas stands; DXL_STOP at the end of the range.
 */
void *dxl_scan_varied(struct dxl_walk *walk, struct xa_state *xas, void *entry,
		      enum dxl_window window)
	__must_hold(&xas->xa->xa_lock)
{
	const struct dxl_tree *tree = walk->tree;

	if (window == DXL_WIN_WRITEBACK_FOUND_LOCKED) {
		if (dxl_sync_skips(tree))
			return dxl_scan_positioned(walk, xas, entry);
	} else if (walk->cuts) {
		switch (dxl_choice(tree->lab, DXL_KNOB_SCAN)) {
		case DXL_SCAN_POSITIONED:
			return dxl_scan_positioned(walk, xas, entry);
		case DXL_SCAN_PAUSE:
			return dxl_scan_paused(walk, xas, entry);
		}
	}
	dxl_walk_wait(walk, xas, entry);
	return NULL;
}

/*
 * Wait for the DIRTY entries of a range; take the marks off all entries, which may
 * be about to get them, locked or not; or both.
 */
enum dxl_dirty_walk { DXL_DIRTY_WAIT, DXL_DIRTY_CLEAR, DXL_DIRTY_WAIT_CLEAR };

/* Return: 0; -EDEADLK after dxl_tree_rescue(). */
static int dxl_walk_dirty(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
			  enum dxl_dirty_walk what)
{
	enum dxl_window found = what == DXL_DIRTY_WAIT ?
				DXL_WIN_WRITEBACK_FOUND_LOCKED :
				DXL_WIN_INVALIDATE_FOUND_LOCKED;
	struct dxl_walk walk = {
		.tree = tree,
		.first = first,
		.last = last,
		.index = first,
	};
	XA_STATE(xas, &tree->xa, first);
	void *entry;
	bool woken;

	might_lock(tree);
	xas_lock(&xas);
	for (;;) {
		xas_set(&xas, walk.index);
		if (what == DXL_DIRTY_WAIT)
			entry = xas_find_marked(&xas, last, DXL_MARK_DIRTY);
		else
			entry = xas_find(&xas, last);
		woken = walk.waited;
		if (woken)
			dxl_walk_woken(&walk, entry, xas.xa_index);
		if (!entry)
			break;
		first = dxl_entry_first(entry, xas.xa_index);
		if (dxl_entry_is_locked(entry) && what != DXL_DIRTY_CLEAR) {
			dxl_window(found, tree, xas.xa_index,
				   dxl_entry_order(entry), DXL_ACCESS_NONE);
			dxl_walk_wait(&walk, &xas, entry);
			if (walk.err)
				break;
			continue;
		}
		if (what != DXL_DIRTY_WAIT) {
			xas_clear_mark(&xas, DXL_MARK_DIRTY);
			xas_clear_mark(&xas, DXL_MARK_TOWRITE);
		}
		if (woken && first == walk.slept)
			dxl_entry_put(dxl_entry_key(tree, entry, first));
		if (!dxl_walk_next(&walk.index, entry, first, last))
			break;
	}
	dxl_entry_judge(tree);
	xas_unlock(&xas);
	return walk.err;
}

/**
 * dxl_entry_wait_dirty() - Wait until no DIRTY entry of a range is locked.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Each is looked at until it is found unlocked, once. Whoever had it locked has
 * flushed it then if he was a sync; he has not if he was a fault.
 *
 * Context: May sleep for owners of entries, one at a time; the caller owns none.
 * Return: 0; -EDEADLK after dxl_tree_rescue().
 */
int dxl_entry_wait_dirty(struct dxl_tree *tree, pgoff_t first, pgoff_t last)
{
	return dxl_walk_dirty(tree, first, last, DXL_DIRTY_WAIT);
}

/**
 * dxl_entry_clear_dirty() - Take the marks off the entries of a range.
 * @tree: the tree
 * @first: first page index
 * @last: last page index, inclusive
 * @waits: of a locked one once it is unlocked; else at once
 *
 * For a caller who is about to remove them, and their blocks (C10).
 *
 * Context: As dxl_entry_wait_dirty().
 * Return: As dxl_entry_wait_dirty().
 */
int dxl_entry_clear_dirty(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
			  bool waits)
{
	return dxl_walk_dirty(tree, first, last, waits ? DXL_DIRTY_WAIT_CLEAR :
							 DXL_DIRTY_CLEAR);
}

/**
 * dxl_entry_unmark() - Take marks off entries, locked or not.
 * @tree: the tree
 * @hold: what their values were
 * @nr: how many
 * @dirty: DIRTY goes as well as TOWRITE
 *
 * Context: Does not sleep for entries.
 */
void dxl_entry_unmark(struct dxl_tree *tree, const struct dxl_hold *hold,
		      unsigned int nr, bool dirty)
{
	XA_STATE(xas, &tree->xa, 0);
	unsigned int i;
	void *entry;

	xas_lock(&xas);
	for (i = 0; i < nr; i++) {
		xas_set(&xas, hold[i].first);
		entry = xas_load(&xas);
		if (!entry || dxl_entry_unlocked(entry) !=
			      dxl_entry_unlocked(hold[i].entry))
			continue;
		if (dirty)
			xas_clear_mark(&xas, DXL_MARK_DIRTY);
		xas_clear_mark(&xas, DXL_MARK_TOWRITE);
	}
	xas_unlock(&xas);
}
