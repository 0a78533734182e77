// SPDX-License-Identifier: GPL-2.0
/*
 * Steps of the entry lock as they are while somebody watches, out of the way of
 * those that nobody watches; and the rescue of a tree
 */
#include "entry_int.h"
#include "entry_variant.h"
#include "oracle.h"
#include "owner.h"
#include "role.h"
#include "stats.h"

/**
 * dxl_note_entry() - Note what happened to an entry.
 * @tree: the tree
 * @type: the event
 * @entry: its value
 * @index: for which index
 *
 * Context: Called with xa_lock.
 */
void dxl_note_entry(struct dxl_tree *tree, enum dxl_event_type type,
		    const void *entry, pgoff_t index)
{
	dxl_note(tree, type, dxl_entry_first(entry, index),
		 dxl_entry_order(entry), index, xa_to_value(entry));
}

/**
 * dxl_entry_removed() - An entry is out of the tree, and its frames nobody's.
 * @tree: the tree
 * @entry: its value
 * @index: for which index
 *
 * Context: Called with xa_lock.
 */
void dxl_entry_removed(struct dxl_tree *tree, const void *entry, pgoff_t index)
{
	dxl_note_entry(tree, DXL_EV_REMOVE, entry, index);
	dxl_owner_put(tree, entry);
}

/**
 * dxl_entry_woken() - Count and note what a wake was worth.
 * @tree: the tree
 * @first: first index of the entry that the woken task slept for
 * @entry: what it found when it looked again
 *
 * Context: Called with xa_lock.
 */
void dxl_entry_woken(struct dxl_tree *tree, pgoff_t first, const void *entry)
{
	enum dxl_found found = DXL_FOUND_UNLOCKED;

	if (!entry)
		found = DXL_FOUND_GONE;
	else if (entry == DXL_STOP)
		found = DXL_FOUND_SMALLER;
	else if (dxl_entry_is_locked(entry))
		found = DXL_FOUND_LOCKED;
	dxl_stat_inc(found == DXL_FOUND_LOCKED ? DXL_STAT_WAKES_MISDIRECTED :
						 DXL_STAT_WAKES_USEFUL);
	dxl_note(tree, DXL_EV_AWAKE, first, 0, first, found);
}

/**
 * dxl_grab_looked() - A grab has looked, and will drop xa_lock.
 * @tree: the tree
 * @xas: its state
 * @grab: of the grab
 *
 * Without a node it comes back, and may have been woken alone: then the entry
 * that it is about to lock wakes the next, and nobody is lost yet.
 *
 * Context: Called with xa_lock.
 */
void dxl_grab_looked(struct dxl_tree *tree, const struct xa_state *xas,
		     struct dxl_grab *grab)
{
	if (xas_error(xas) == -ENOMEM) {
		tree->owed++;
		grab->owes = true;
	} else {
		dxl_oracle_tree(tree);
	}
}

/**
 * dxl_wait_enqueued() - A task is on the queue and about to drop xa_lock.
 * @waiter: its waiter
 *
 * Context: Called with xa_lock, and not running: must not sleep.
 */
void dxl_wait_enqueued(const struct dxl_waiter *waiter)
{
	struct dxl_tree *tree = waiter->key.tree;

	dxl_note(tree, DXL_EV_SLEEP, waiter->key.first, waiter->order,
		 waiter->index, waiter->first);
	dxl_role_asleep(waiter);
	dxl_window(DXL_WIN_GRAB_ENQUEUED, tree, waiter->index, waiter->order,
		   DXL_ACCESS_NONE);
	dxl_entry_judge(tree);
}

/**
 * dxl_wait_woken() - A waiter is being woken.
 * @waiter: it
 *
 * Context: In the wake function: lock of the wait queue.
 */
void dxl_wait_woken(const struct dxl_waiter *waiter)
{
	dxl_note(waiter->key.tree, DXL_EV_WOKEN, waiter->key.first,
		 waiter->order, waiter->index, waiter->task->pid);
	dxl_role_woken(waiter);
}

/**
 * dxl_wait_over() - The caller sleeps no more.
 * @waiter: what it slept for
 * @window: that it crosses now
 *
 * Context: May sleep; nothing is locked.
 */
void dxl_wait_over(const struct dxl_waiter *waiter, enum dxl_window window)
{
	dxl_role_awake(waiter);
	dxl_window(window, waiter->key.tree, waiter->index, waiter->order,
		   DXL_ACCESS_NONE);
}

/**
 * dxl_insert_fails() - A new entry is about to be stored: shall that fail?
 * @tree: the tree
 * @xas: gets the error
 * @index: page index
 * @order: of the entry
 *
 * -ENOMEM makes the caller allocate a node and start over, once: then it has
 * one.
 *
 * Context: Called with xa_lock.
 * Return: Whether an error was armed.
 */
bool dxl_insert_fails(struct dxl_tree *tree, struct xa_state *xas,
		      pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock)
{
	int err = dxl_window(DXL_WIN_GRAB_BEFORE_STORE, tree, index, order,
			     DXL_ACCESS_NONE);

	if (!err || (err == -ENOMEM && xas->xa_alloc))
		return false;
	xas_set_err(xas, err);
	return true;
}

/**
 * dxl_entry_unlock_slowly() - dxl_entry_unlock(), watched or varied, or at 0.
 * @tree: the tree
 * @hold: the caller's hold; ends here
 *
 * Context: May sleep in its windows. The caller owns the entry.
 */
void dxl_entry_unlock_slowly(struct dxl_tree *tree, struct dxl_hold *hold)
{
	struct dxl_key key = dxl_entry_key(tree, hold->entry, hold->first);
	unsigned int order = dxl_entry_order(hold->entry);
	XA_STATE(xas, &tree->xa, hold->first);

	if (dxl_choice(tree->lab, DXL_KNOB_CANARY) == DXL_CANARY_EARLY_WAKE) {
		dxl_entry_wake(key, DXL_WAKE_NEXT);
		dxl_window(DXL_WIN_UNLOCK_GAP, tree, hold->first, order,
			   DXL_ACCESS_NONE);
		xas_lock(&xas);
		dxl_entry_clear_lock(tree, &xas, hold);
		dxl_entry_judge(tree);
		xas_unlock(&xas);
		return;
	}
	xas_lock(&xas);
	dxl_entry_clear_lock(tree, &xas, hold);
	tree->owed++;
	xas_unlock(&xas);
	dxl_window(DXL_WIN_UNLOCK_AFTER_STORE, tree, hold->first, order,
		   DXL_ACCESS_NONE);
	dxl_entry_wake(key, dxl_unlock_mode(tree, hold->entry));
	xas_lock(&xas);
	tree->owed--;
	dxl_entry_judge(tree);
	xas_unlock(&xas);
}

/**
 * dxl_tree_requeue() - Let every waiter of a tree look again.
 * @tree: the tree
 *
 * For a change of the variant: who looks again sleeps by the new choices.
 *
 * Context: Does not sleep; takes xa_lock.
 */
void dxl_tree_requeue(struct dxl_tree *tree)
{
	struct dxl_waiter *waiter;

	xa_lock(&tree->xa);
	list_for_each_entry(waiter, &tree->waiters, list) {
		/* Not as if woken: it stays on the queue, where a wake may meet it. */
		waiter->requeued = true;
		if (dxl_watched())
			dxl_wait_woken(waiter);
		wake_up_process(waiter->task);
	}
	xa_unlock(&tree->xa);
}

/* Is there somebody who will unlock the entry at @first? */
static bool dxl_entry_has_owner(struct dxl_tree *tree, pgoff_t first)
{
	struct dxl_hold *hold;

	hlist_for_each_entry(hold, &tree->holds, list)
		if (hold->first == first)
			return true;
	return false;
}

/**
 * dxl_tree_rescue() - End every wait for entries of a tree.
 * @tree: the tree
 *
 * Entries that are locked and that nobody owns are unlocked. Whoever sleeps for
 * an entry, rightly or in vain, is woken and gives up with -EDEADLK.
 *
 * Context: Does not sleep; takes xa_lock.
 */
void dxl_tree_rescue(struct dxl_tree *tree)
{
	XA_STATE(xas, &tree->xa, 0);
	struct dxl_waiter *waiter;
	void *entry;

	xas_lock(&xas);
	xas_for_each(&xas, entry, ULONG_MAX) {
		pgoff_t first = dxl_entry_first(entry, xas.xa_index);

		if (!dxl_entry_is_locked(entry) ||
		    dxl_entry_has_owner(tree, first))
			continue;
		dxl_entry_replace(&xas, dxl_entry_unlocked(entry));
		dxl_note(tree, DXL_EV_RESCUE, first, dxl_entry_order(entry),
			 first, 0);
		dxl_entry_wake(dxl_entry_key(tree, entry, first), DXL_WAKE_ALL);
	}
	list_for_each_entry(waiter, &tree->waiters, list) {
		waiter->aborted = true;
		dxl_note(tree, DXL_EV_RESCUE, waiter->key.first, waiter->order,
			 waiter->index, waiter->task->pid);
		if (dxl_watched())
			dxl_role_woken(waiter);
		wake_up_process(waiter->task);
	}
	xas_unlock(&xas);
}
