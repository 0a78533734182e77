// SPDX-License-Identifier: GPL-2.0
/*
 * Variants of the grab: what it sees, what it waits for, how it makes room; and
 * holds whose entry a variant has taken away
 *
 * With every choice sound, this does what entry.c does.
 */
#include "entry_variant.h"
#include "stats.h"

#include <linux/errno.h>

/* First index of the first entry in the range of a search. */
static pgoff_t dxl_range_first(struct dxl_tree *tree, pgoff_t index,
			       unsigned int order)
	__must_hold(&tree->xa.xa_lock)
{
	XA_STATE(xas, &tree->xa, index);

	xas_find(&xas, index + (1UL << order) - 1);
	return xas.xa_index;
}

/*
 * knob lookup. xas_load() with a PMD state does not go below the level of PMD
 * entries: it returns a node if the first 64 pages have a PTE entry, which was
 * taken for a conflict, and NULL if only others have one.
 */
static void *dxl_look_up(struct dxl_tree *tree, struct xa_state *xas)
	__must_hold(&tree->xa.xa_lock)
{
	void *entry;

	if (dxl_choice(tree->lab, DXL_KNOB_LOOKUP) == DXL_LOOKUP_FIND_CONFLICT)
		return xas_find_conflict(xas);
	entry = xas_load(xas);
	return xa_is_internal(entry) ? DXL_STOP : entry;
}

/*
 * A grab meets an entry of smaller order and tells a conflict. Which put it
 * makes before is what the proposals of 2019 differ in.
 */
static void *dxl_conflict_varied(struct dxl_tree *tree, struct xa_state *xas,
				 const struct dxl_search *search,
				 const void *entry, pgoff_t first,
				 const struct dxl_key *slept)
	__must_hold(&tree->xa.xa_lock)
{
	struct dxl_key key = { .tree = tree, .first = first };

	switch (dxl_choice(tree->lab, DXL_KNOB_ORDER_RULE)) {
	case DXL_ORDER_RULE_WAIT_OWN:
		/* As v4.20 did, whose only index was the searcher's. */
		key.first = search->index;
		dxl_entry_put(key);
		break;
	case DXL_ORDER_RULE_ANY_ORDER:
		dxl_entry_put(key);
		break;
	case DXL_ORDER_RULE_RETURN_LOCKED:
		if (entry && !dxl_entry_is_locked(entry))
			dxl_entry_put(key);
		break;
	default:
		if (slept->tree && dxl_choice(tree->lab, DXL_KNOB_WAKE_DOWNGRADE) ==
				   DXL_WAKE_DOWNGRADE_PASS_ON)
			dxl_entry_put(*slept);
	}
	dxl_note(tree, DXL_EV_CONFLICT, first, search->order, search->index, 0);
	return dxl_entry_stop(xas, -EAGAIN);
}

/* knob order_rule: shall the grab sleep for this locked entry? */
static bool dxl_waits_for(const struct dxl_tree *tree, const void *entry,
			  unsigned int order)
{
	unsigned int rule = dxl_choice(tree->lab, DXL_KNOB_ORDER_RULE);

	return dxl_entry_order(entry) >= order ||
	       rule == DXL_ORDER_RULE_WAIT_OWN ||
	       rule == DXL_ORDER_RULE_ANY_ORDER;
}

static void *dxl_get_varied(struct dxl_tree *tree, struct xa_state *xas,
			    unsigned int order, struct dxl_grab *grab)
	__must_hold(&tree->xa.xa_lock)
{
	unsigned int rule = dxl_choice(tree->lab, DXL_KNOB_ORDER_RULE);
	struct dxl_search search = {
		.index = xas->xa_index,
		.order = order,
		.wake = DXL_WIN_GRAB_AFTER_WAKE,
	};
	struct dxl_key slept = {};
	pgoff_t first;
	void *entry;
	int err;

	for (;;) {
		entry = dxl_look_up(tree, xas);
		if (!entry && !(order && rule == DXL_ORDER_RULE_BEFORE_NULL))
			break;
		first = search.index;
		if (!entry || entry == DXL_STOP)
			goto conflict;
		if (dxl_entry_order(entry) < order)
			first = dxl_range_first(tree, search.index, order);
		else
			first = dxl_entry_first(entry, search.index);
		if (!dxl_entry_is_locked(entry) ||
		    !dxl_waits_for(tree, entry, order)) {
			if (dxl_entry_order(entry) < order)
				goto conflict;
			break;
		}
		if (slept.tree) {
			dxl_entry_woken(tree, slept.first, entry);
			/* The wake came for another lock than this one. */
			if (rule == DXL_ORDER_RULE_ANY_ORDER &&
			    slept.first != first)
				dxl_entry_put(slept);
		}
		slept = dxl_entry_key(tree, entry, first);
		err = dxl_entry_wait(tree, xas, entry, first, &search);
		if (err)
			return dxl_entry_stop(xas, err);
		grab->waited = true;
	}
	if (slept.tree)
		dxl_entry_woken(tree, slept.first, entry);
	return entry;
conflict:
	if (slept.tree)
		dxl_entry_woken(tree, slept.first, DXL_STOP);
	return dxl_conflict_varied(tree, xas, &search,
				   entry == DXL_STOP ? NULL : entry, first,
				   &slept);
}

/* Take what is at @index out of the tree, whatever it is. */
static void dxl_take_out(struct dxl_tree *tree, struct xa_state *xas,
			 pgoff_t index)
	__must_hold(&tree->xa.xa_lock)
{
	void *old;

	xas_reset(xas);
	old = xas_store(xas, NULL);
	if (old && dxl_watched())
		dxl_entry_removed(tree, old, index);
	xas_reset(xas);
}

static void dxl_downgrade_wake(struct dxl_key key, pgoff_t index)
{
	const struct dxl_lab *lab = key.tree->lab;

	/* What comes after it is a PTE entry. */
	if (dxl_choice(lab, DXL_KNOB_CANARY) == DXL_CANARY_NEW_KEY)
		key.first = index;
	dxl_entry_wake(key, dxl_choice(lab, DXL_KNOB_WAKE_DOWNGRADE) ==
			    DXL_WAKE_DOWNGRADE_ALL ? DXL_WAKE_ALL :
						     DXL_WAKE_NEXT);
}

/*
 * knob downgrade. Return: whether the caller may store at @index, in this hold
 * of xa_lock; else it looks again.
 */
static bool dxl_downgrade_varied(struct dxl_tree *tree, struct xa_state *xas,
				 void *entry, pgoff_t index)
	__must_hold(&tree->xa.xa_lock)
{
	unsigned int how = dxl_choice(tree->lab, DXL_KNOB_DOWNGRADE);
	struct dxl_key key = dxl_entry_key(tree, entry, index);
	unsigned int order = dxl_entry_order(entry);
	bool there = true;
	struct dxl_hold hold;

	dxl_stat_inc(DXL_STAT_DOWNGRADES);
	if (how != DXL_DOWNGRADE_UNLOCKED)
		dxl_entry_lock(tree, xas, entry, index, &hold);
	if (dxl_entry_is_zero(entry)) {
		xas_unlock(xas);
		dxl_window(DXL_WIN_GRAB_DOWNGRADE_LOCKED, tree, index, order,
			   DXL_ACCESS_NONE);
		if (how != DXL_DOWNGRADE_SKIP_UNMAP)
			tree->ops->unmap(tree, key.first,
					 dxl_entry_pages(entry));
		xas_lock(xas);
	}
	if (how != DXL_DOWNGRADE_UNLOCKED) {
		there = dxl_hold_find(xas, &hold);
		if (!there)
			dxl_hold_lost(tree, xas, &hold);
		dxl_entry_release(tree, &hold);
		xas_set(xas, index);
	}
	if (!there)
		return false;
	dxl_take_out(tree, xas, index);
	dxl_window(DXL_WIN_GRAB_DOWNGRADE_REMOVED, tree, index, order,
		   DXL_ACCESS_NONE);
	if (how != DXL_DOWNGRADE_LATE_WAKE) {
		dxl_downgrade_wake(key, index);
		return true;
	}
	tree->owed++;
	xas_unlock(xas);
	dxl_window(DXL_WIN_GRAB_DOWNGRADE_GAP, tree, index, order,
		   DXL_ACCESS_NONE);
	xas_lock(xas);
	tree->owed--;
	dxl_entry_wake(key, DXL_WAKE_NEXT);
	return false;
}

/**
 * dxl_find_varied() - Find what a grab locks, or make room for its entry.
 * @tree: the tree
 * @xas: fresh, or after xas_nomem()
 * @order: of the grab
 * @grab: what it remembers
 *
 * Context: Called with xa_lock, which may be dropped in between.
 * Return: NULL: nothing is there; an unlocked entry; DXL_STOP.
 */
void *dxl_find_varied(struct dxl_tree *tree, struct xa_state *xas,
		      unsigned int order, struct dxl_grab *grab)
	__must_hold(&tree->xa.xa_lock)
{
	bool sticky = grab->downgraded &&
		      dxl_choice(tree->lab, DXL_KNOB_DOWNGRADE) ==
		      DXL_DOWNGRADE_STICKY;
	pgoff_t index = xas->xa_index;
	void *entry;

	for (;;) {
		entry = dxl_get_varied(tree, xas, order, grab);
		if (!entry || entry == DXL_STOP)
			return entry;
		if (!sticky && (dxl_entry_is_data(entry) ||
				dxl_entry_order(entry) <= order))
			return entry;
		sticky = false;
		grab->downgraded = true;
		if (dxl_downgrade_varied(tree, xas, entry, index))
			return NULL;
	}
}

/* A PMD entry is about to be stored over what is there. */
static void dxl_swallow(struct dxl_tree *tree, pgoff_t index, pgoff_t last)
	__must_hold(&tree->xa.xa_lock)
{
	XA_STATE(xas, &tree->xa, index);
	bool told = false;
	void *entry;

	xas_for_each(&xas, entry, last) {
		if (!told)
			dxl_damage(tree, DXL_DAMAGE_SWALLOWED, xas.xa_index, 0);
		told = true;
		if (dxl_entry_is_locked(entry))
			dxl_note(tree, DXL_EV_REMOVE, xas.xa_index, 0, index,
				 xa_to_value(entry));
	}
}

/**
 * dxl_insert_varied() - A new entry is about to be stored (knob lookup).
 * @tree: the tree
 * @xas: the grab's state; gets the error
 * @index: page index
 * @order: of the entry
 *
 * Context: Called with xa_lock.
 * Return: Whether to store it.
 */
bool dxl_insert_varied(struct dxl_tree *tree, struct xa_state *xas,
		       pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock)
{
	pgoff_t last = index + (1UL << order) - 1;
	XA_STATE(probe, &tree->xa, index);

	switch (dxl_choice(tree->lab, DXL_KNOB_LOOKUP)) {
	case DXL_LOOKUP_LOAD:
		dxl_swallow(tree, index, last);
		xas_reset(xas);
		return true;
	case DXL_LOOKUP_EEXIST:
		if (xas_find(&probe, last)) {
			dxl_note(tree, DXL_EV_CONFLICT, probe.xa_index, order,
				 index, 0);
			dxl_entry_stop(xas, -EAGAIN);
			return false;
		}
		xas_reset(xas);
		return true;
	default:
		return true;
	}
}

/* The hold that was made last at the same place owns the entry there. */
static bool dxl_hold_is_last(const struct dxl_tree *tree,
			     const struct dxl_hold *hold)
{
	struct dxl_hold *other;

	hlist_for_each_entry(other, &tree->holds, list)
		if (other->first == hold->first)
			return other == hold;
	return false;
}

/**
 * dxl_hold_find_varied() - dxl_hold_find(), trusting nobody.
 * @xas: of the tree, at hold->first
 * @hold: the caller's hold
 *
 * A variant may have removed the entry, stored over it, or freed its node.
 *
 * Context: Called with xa_lock.
 * Return: Whether the entry is there, as the owner left it.
 */
bool dxl_hold_find_varied(struct xa_state *xas, const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock)
{
	struct dxl_tree *tree = container_of(xas->xa, struct dxl_tree, xa);

	return xas_load(xas) == hold->entry && dxl_hold_is_last(tree, hold);
}

/**
 * dxl_hold_lost() - Note what an unlock found instead of its entry.
 * @tree: the tree
 * @xas: at hold->first; nowhere on return, where marks cannot be changed
 * @hold: the caller's hold
 *
 * Context: Called with xa_lock.
 */
void dxl_hold_lost(struct dxl_tree *tree, struct xa_state *xas,
		   const struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock)
{
	enum dxl_damage damage = DXL_DAMAGE_UNLOCK_FOREIGN;
	void *entry = xas_load(xas);

	if (!entry)
		damage = DXL_DAMAGE_UNLOCK_GONE;
	else if (entry == dxl_entry_unlocked(hold->entry))
		damage = DXL_DAMAGE_UNLOCK_CLEAR;
	dxl_damage(tree, damage, hold->first, dxl_entry_order(hold->entry));
	xas_reset(xas);
}
