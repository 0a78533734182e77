// SPDX-License-Identifier: GPL-2.0
/*
 * The entry lock: grab, set, unlock (the rules are in entry.h)
 *
 * After fs/dax.c of today, whose protocol grew from "dax: New fault locking"
 * (ac401cc78242) to "dax: Wake up all waiters after invalidating dax entry"
 * (237388320def).
 *
 * Conventions: "xas" is fresh or reset whenever xa_lock was dropped; "entry" is
 * the value as it was read under xa_lock; "first" is the first index that an
 * entry stands for, "index" the one somebody asked for.
 */
#include "entry_int.h"
#include "entry_variant.h"
#include "owner.h"
#include "stats.h"
#include "trace.h"

/**
 * dxl_tree_init() - Make an empty tree.
 * @tree: the tree
 * @ops: what the entry lock asks of the owner
 * @lab: whose choices and log apply, or NULL
 * @dev: names the tree in traces and listings
 * @ino: likewise
 *
 * Context: Any context.
 */
void dxl_tree_init(struct dxl_tree *tree, const struct dxl_tree_ops *ops,
		   struct dxl_lab *lab, dev_t dev, unsigned long ino)
{
	static struct lock_class_key key;

	xa_init(&tree->xa);
	lockdep_init_map_wait(&tree->dep_map, "dxl_entry", &key, 0,
			      LD_WAIT_SLEEP);
	tree->ops = ops;
	tree->lab = lab;
	tree->dev = dev;
	tree->ino = ino;
	INIT_HLIST_HEAD(&tree->holds);
	INIT_LIST_HEAD(&tree->waiters);
	tree->owed = 0;
	tree->owned = 0;
}

/**
 * dxl_tree_destroy() - The end of a tree that nobody uses any more.
 * @tree: the tree
 *
 * Context: Any context. Nobody can find the tree, so no entry is locked.
 */
void dxl_tree_destroy(struct dxl_tree *tree)
{
	WARN_ON_ONCE(!hlist_empty(&tree->holds) || !list_empty(&tree->waiters));
	xa_destroy(&tree->xa);
}

/**
 * dxl_entry_stop() - End a grab that found no entry to lock.
 * @xas: gets the error; xas_nomem() then frees what a retry has left
 * @err: -EAGAIN: there is an entry of smaller order, whose index is not known
 *
 * Context: Called with xa_lock.
 * Return: DXL_STOP.
 */
void *dxl_entry_stop(struct xa_state *xas, int err)
	__must_hold(&xas->xa->xa_lock)
{
	if (err == -EAGAIN)
		dxl_stat_inc(DXL_STAT_CONFLICTS);
	xas_set_err(xas, err);
	return DXL_STOP;
}

/* An entry that a grab wants is locked. Return: 0 or why the grab ends. */
static noinline int dxl_grab_wait(struct dxl_tree *tree, struct xa_state *xas,
				  void *entry, unsigned int order)
	__must_hold(&tree->xa.xa_lock)
{
	const struct dxl_search search = {
		.index = xas->xa_index,
		.order = order,
		.wake = DXL_WIN_GRAB_AFTER_WAKE,
	};

	return dxl_entry_wait(tree, xas, entry,
			      dxl_entry_first(entry, search.index), &search);
}

/*
 * Find the entry over xas.xa_index and wait until it is unlocked. The caller
 * locks what is returned or calls dxl_entry_put().
 *
 * Return: NULL, an unlocked entry of @order or larger, or DXL_STOP.
 */
static void *dxl_entry_get_unlocked(struct dxl_tree *tree,
				    struct xa_state *xas, unsigned int order,
				    struct dxl_grab *grab)
	__must_hold(&tree->xa.xa_lock)
{
	void *entry, *slept = NULL;
	int err;

	for (;;) {
		/* Rules 15 and 16: fresh state, any entry in the range. */
		entry = xas_find_conflict(xas);
		if (!entry)
			break;
		if (dxl_entry_order(entry) < order) {
			dxl_note(tree, DXL_EV_CONFLICT, xas->xa_index, order,
				 xas->xa_index, 0);
			entry = dxl_entry_stop(xas, -EAGAIN);
			break;
		}
		if (!dxl_entry_is_locked(entry))
			break;
		if (slept)
			dxl_entry_woken(tree, dxl_entry_first(slept, xas->xa_index),
					entry);
		err = dxl_grab_wait(tree, xas, entry, order);
		if (err)
			return dxl_entry_stop(xas, err);
		slept = entry;
		grab->waited = true;
	}
	if (slept)
		dxl_entry_woken(tree, dxl_entry_first(slept, xas->xa_index),
				entry);
	return entry;
}

/**
 * dxl_hold_find_first() - dxl_hold_find() of the entry at index 0.
 * @xas: of the tree, at index 0
 * @hold: the caller's hold
 *
 * Context: Called with xa_lock.
 */
void dxl_hold_find_first(struct xa_state *xas, const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock)
{
	WARN_ON_ONCE(xas_load(xas) != hold->entry);
}

static void dxl_hold_start(struct dxl_tree *tree, const struct xa_state *xas,
			   struct dxl_hold *hold, void *entry, pgoff_t index)
	__must_hold(&tree->xa.xa_lock)
{
	hold->entry = entry;
	hold->first = dxl_entry_first(entry, index);
	hold->node = xas->xa_node;
	hold->offset = xas->xa_offset;
	hold->task = current;
	hold->since = jiffies;
	hold->clock = dxl_hist_clock();
	hlist_add_head(&hold->list, &tree->holds);
	lock_map_acquire_try(&tree->dep_map);
	trace_entry_lock(tree->dev, tree->ino, hold->first, xa_to_value(entry));
}

/**
 * dxl_entry_lock() - Lock an entry that was found unlocked (rule 1).
 * @tree: the tree
 * @xas: positioned by the look-up that found @entry
 * @entry: the value, unlocked
 * @index: an index that it stands for
 * @hold: becomes the caller's hold
 *
 * Context: Called with xa_lock.
 */
void dxl_entry_lock(struct dxl_tree *tree, struct xa_state *xas, void *entry,
		    pgoff_t index, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock)
{
	entry = xa_mk_value(xa_to_value(entry) | DXL_ENTRY_LOCKED);
	dxl_entry_replace(xas, entry);
	dxl_hold_start(tree, xas, hold, entry, index);
	if (dxl_watched())
		dxl_note_entry(tree, DXL_EV_LOCK, entry, index);
}

/* Insert a locked EMPTY entry where there is none; the tree may have to grow. */
static void dxl_entry_insert(struct dxl_tree *tree, struct xa_state *xas,
			     pgoff_t index, unsigned int order,
			     struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock)
{
	unsigned long flags = DXL_ENTRY_EMPTY | DXL_ENTRY_LOCKED;
	void *entry = dxl_entry_make(0, order ? flags | DXL_ENTRY_PMD : flags);

	if (dxl_varied() && !dxl_insert_varied(tree, xas, index, order))
		return;
	if (dxl_watched() && dxl_insert_fails(tree, xas, index, order))
		return;
	xas_store(xas, entry);
	if (xas_error(xas))
		return;
	dxl_hold_start(tree, xas, hold, entry, index);
	if (dxl_watched())
		dxl_note_entry(tree, DXL_EV_INSERT, entry, index);
}

/**
 * dxl_entry_release() - End a hold; the caller has stored what comes after it.
 * @tree: the tree
 * @hold: the caller's hold
 *
 * Context: Called with xa_lock.
 */
void dxl_entry_release(struct dxl_tree *tree, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock)
{
	hlist_del(&hold->list);
	lock_map_release(&tree->dep_map);
	dxl_hist_since(DXL_HIST_HOLD, hold->clock);
}

/*
 * A fault wants one page of a PMD entry that has no frame: take the entry out.
 * It is locked while xa_lock is dropped for the unmap, and removal and wake-all
 * happen in one hold of xa_lock (rule 11), the one in which the caller inserts
 * its own entry.
 */
static void dxl_entry_downgrade(struct dxl_tree *tree, struct xa_state *xas,
				void *entry, pgoff_t index)
	__must_hold(&tree->xa.xa_lock)
{
	struct dxl_key key = dxl_entry_key(tree, entry, index);
	struct dxl_hold hold;
	void *old;

	dxl_stat_inc(DXL_STAT_DOWNGRADES);
	dxl_entry_lock(tree, xas, entry, index, &hold);
	if (dxl_entry_is_zero(entry)) {
		xas_unlock(xas);
		dxl_window(DXL_WIN_GRAB_DOWNGRADE_LOCKED, tree, index,
			   DXL_PMD_ORDER, DXL_ACCESS_NONE);
		tree->ops->unmap(tree, hold.first, DXL_PMD_PAGES);
		xas_lock(xas);
	}
	/* A fresh state: it was stale, and removal goes by its own look-up. */
	xas_reset(xas);
	old = xas_store(xas, NULL);
	WARN_ON_ONCE(old != hold.entry);
	dxl_entry_release(tree, &hold);
	if (dxl_watched())
		dxl_entry_removed(tree, hold.entry, index);
	dxl_window(DXL_WIN_GRAB_DOWNGRADE_REMOVED, tree, index, DXL_PMD_ORDER,
		   DXL_ACCESS_NONE);
	dxl_entry_wake(key, DXL_WAKE_ALL);
	xas_reset(xas);
}

/* After xas_nomem(): it has a node, and the grab starts over. */
static bool dxl_entry_again(struct dxl_tree *tree, struct xa_state *xas,
			    pgoff_t index, unsigned int order,
			    struct dxl_grab *grab)
{
	bool again = xas_nomem(xas, GFP_NOFS);

	if (!again && !xas_error(xas))
		return false;
	if (again)
		dxl_window(DXL_WIN_GRAB_NOMEM_RETRY, tree, index, order,
			   DXL_ACCESS_NONE);
	if (grab->owes) {
		xa_lock(&tree->xa);
		tree->owed--;
		xa_unlock(&tree->xa);
		grab->owes = false;
	}
	return again;
}

/**
 * dxl_entry_grab() - Lock the entry over an index; insert one if there is none.
 * @tree: the tree
 * @index: page index
 * @order: 0, or DXL_PMD_ORDER with an aligned @index
 * @hold: becomes the caller's hold
 *
 * What is locked is of @order, or larger: a PMD data entry is shared by page
 * faults. A PMD entry without a frame is taken out for an order-0 grab. A new
 * entry is EMPTY.
 *
 * Context: May sleep, uninterruptibly, for the owner of the entry. The caller
 * owns no other entry of any tree.
 * Return: 0; -EAGAIN if an entry of smaller order lies in the range (it is not
 * waited for: 23c84eb78375); -ENOMEM; -EDEADLK after dxl_tree_rescue(); -EINTR
 * after a fatal signal (variant canary=leave only); what a window was armed with.
 */
int dxl_entry_grab(struct dxl_tree *tree, pgoff_t index, unsigned int order,
		   struct dxl_hold *hold)
{
	XA_STATE_ORDER(xas, &tree->xa, index, order);
	struct dxl_grab grab;
	void *entry;

	might_lock(tree);
	grab.waited = false;
	grab.downgraded = false;
	grab.owes = false;
	do {
		xas_lock(&xas);
		if (dxl_varied()) {
			entry = dxl_find_varied(tree, &xas, order, &grab);
		} else {
			entry = dxl_entry_get_unlocked(tree, &xas, order,
						       &grab);
			if (entry && entry != DXL_STOP &&
			    !dxl_entry_is_data(entry) &&
			    dxl_entry_order(entry) > order) {
				dxl_entry_downgrade(tree, &xas, entry, index);
				entry = NULL;
			}
		}
		if (!entry)
			dxl_entry_insert(tree, &xas, index, order, hold);
		else if (entry != DXL_STOP)
			dxl_entry_lock(tree, &xas, entry, index, hold);
		if (dxl_watched())
			dxl_grab_looked(tree, &xas, &grab);
		xas_unlock(&xas);
	} while (dxl_entry_again(tree, &xas, index, order, &grab));

	if (xas_error(&xas))
		return xas_error(&xas);
	dxl_stat_inc(grab.waited ? DXL_STAT_GRABS_CONTENDED :
				   DXL_STAT_GRABS_UNCONTENDED);
	return 0;
}

/**
 * dxl_entry_set() - Give a locked entry what it stands for.
 * @tree: the tree
 * @hold: the caller's hold
 * @entry: new value, without LOCKED, of the order of the locked one
 * @dirty: also set DIRTY: somebody is about to be able to store to it
 *
 * A data entry stays what it is, whatever @entry says: only its mark changes.
 * Where data replaces a shared zero page, mappings of that page are removed
 * before.
 *
 * Context: May sleep. The caller owns the entry.
 */
void dxl_entry_set(struct dxl_tree *tree, struct dxl_hold *hold, void *entry,
		   bool dirty)
{
	XA_STATE(xas, &tree->xa, hold->first);
	void *new = xa_mk_value(xa_to_value(entry) | DXL_ENTRY_LOCKED);

	lockdep_assert_held(tree);
	if (dxl_entry_is_data(hold->entry)) {
		if (!dirty)
			return;
		new = hold->entry;
	} else if (dxl_entry_is_zero(hold->entry) && !dxl_entry_is_zero(entry)) {
		if (dxl_varied())
			dxl_hole_barrier(tree);
		tree->ops->unmap(tree, hold->first,
				 dxl_entry_pages(hold->entry));
	}

	if (dxl_watched() && new != hold->entry)
		dxl_owner_ready(tree, new);
	xas_lock(&xas);
	if (dxl_hold_find(&xas, hold)) {
		dxl_entry_replace(&xas, new);
		if (dxl_watched() && new != hold->entry)
			dxl_owner_take(tree, new, hold->first);
		if (dirty)
			xas_set_mark(&xas, DXL_MARK_DIRTY);
	} else {
		dxl_damage(tree, DXL_DAMAGE_STORE_FAILED, hold->first,
			   dxl_entry_order(hold->entry));
	}
	hold->entry = new;
	xas_unlock(&xas);
}

/**
 * dxl_entry_clear_lock() - Unlock an entry, without the wake (rule 18).
 * @tree: the tree
 * @xas: any state of the tree; stands on the entry on return, for marks
 * @hold: the caller's hold; ends here
 *
 * Context: Called with xa_lock. The wake must follow.
 * Return: Whether the entry was there; always, but for variants.
 */
bool dxl_entry_clear_lock(struct dxl_tree *tree, struct xa_state *xas,
			  struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock)
{
	bool there = dxl_hold_find(xas, hold);

	if (there) {
		dxl_entry_replace(xas, dxl_entry_unlocked(hold->entry));
		if (dxl_watched())
			dxl_note_entry(tree, DXL_EV_STORE,
				       dxl_entry_unlocked(hold->entry),
				       hold->first);
	} else {
		dxl_hold_lost(tree, xas, hold);
	}
	dxl_entry_release(tree, hold);
	return there;
}

/**
 * dxl_entry_unlock() - Unlock an entry and pass the baton.
 * @tree: the tree
 * @hold: the caller's hold; ends here
 *
 * Context: Does not sleep, but may be parked in a window. The caller owns the
 * entry.
 */
void dxl_entry_unlock(struct dxl_tree *tree, struct dxl_hold *hold)
{
	void *entry = dxl_entry_unlocked(hold->entry);

	/* Of the entry at index 0 one has to look where it is. */
	if (dxl_watched() || dxl_varied() || unlikely(!hold->first)) {
		dxl_entry_unlock_slowly(tree, hold);
		return;
	}
	xa_lock(&tree->xa);
	/* As dxl_entry_clear_lock() does, with less to carry. */
	rcu_assign_pointer(hold->node->slots[hold->offset], entry);
	dxl_entry_release(tree, hold);
	/* In the same hold, so that whoever begins to watch sees both. */
	dxl_entry_wake(dxl_entry_key(tree, entry, hold->first), DXL_WAKE_NEXT);
	xa_unlock(&tree->xa);
}
