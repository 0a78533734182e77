// SPDX-License-Identifier: GPL-2.0
/*
 * Variants of the queue: keys, wakes, puts; and what knobs of faults need here
 */
#include "entry_variant.h"
#include "stats.h"

#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>

static bool dxl_key_is_masked(const struct dxl_tree *tree)
{
	unsigned int choice = dxl_choice(tree->lab, DXL_KNOB_WAIT_KEY);

	return choice == DXL_WAIT_KEY_MASKED || choice == DXL_WAIT_KEY_MASKED_ALL;
}

/**
 * dxl_wait_varied() - A task is about to sleep.
 * @xas: state under whose lock the entry was seen locked
 * @waiter: its key changes (knob wait_key)
 * @entry: what was found locked
 * @search: what for
 *
 * Context: Called with xa_lock, drops it in canary late_enqueue.
 * Return: 0; -EDEADLK: a rescue came first.
 */
int dxl_wait_varied(struct xa_state *xas, struct dxl_waiter *waiter,
		    const void *entry, const struct dxl_search *search)
	__must_hold(&xas->xa->xa_lock)
{
	struct dxl_tree *tree = waiter->key.tree;
	int rescues;

	if (dxl_key_is_masked(tree))
		waiter->key.first &= ~DXL_PMD_COLOUR;
	else if (dxl_choice(tree->lab, DXL_KNOB_WAIT_KEY) ==
		 DXL_WAIT_KEY_SEARCHER &&
		 search->wake == DXL_WIN_GRAB_AFTER_WAKE)
		waiter->key.first = dxl_entry_first(entry, search->index);

	if (dxl_choice(tree->lab, DXL_KNOB_CANARY) != DXL_CANARY_LATE_ENQUEUE)
		return 0;
	rescues = atomic_read(&tree->lab->rescues);
	xas_unlock(xas);
	dxl_window(DXL_WIN_GRAB_GAP, tree, search->index, search->order,
		   DXL_ACCESS_NONE);
	/* Taken again, so that the event and the state are noted as ever. */
	xas_lock(xas);
	return dxl_rescued_since(tree->lab, rescues) ? -EDEADLK : 0;
}

/**
 * dxl_woken_varied() - A task has slept.
 * @waiter: its waiter, off the queue
 * @search: what for
 *
 * Context: Called with xa_lock.
 * Return: 0; -EINTR: it leaves, with the wake that was the next one's too.
 */
int dxl_woken_varied(const struct dxl_waiter *waiter,
		     const struct dxl_search *search)
{
	if (dxl_choice(waiter->key.tree->lab, DXL_KNOB_CANARY) ==
	    DXL_CANARY_LEAVE && waiter->woken &&
	    search->wake == DXL_WIN_GRAB_AFTER_WAKE &&
	    fatal_signal_pending(current))
		return -EINTR;
	return 0;
}

/**
 * dxl_wake_varied() - Whom a wake is for.
 * @key: of the entry; changed to what its waiters sleep on
 * @mode: as the caller wants it
 *
 * Context: Any context.
 * Return: The mode.
 */
enum dxl_wake_mode dxl_wake_varied(struct dxl_key *key, enum dxl_wake_mode mode)
{
	if (!dxl_key_is_masked(key->tree))
		return mode;
	key->first &= ~DXL_PMD_COLOUR;
	if (dxl_choice(key->tree->lab, DXL_KNOB_WAIT_KEY) ==
	    DXL_WAIT_KEY_MASKED_ALL)
		return DXL_WAKE_ALL;
	return mode;
}

/* Is this what stands for a hole page? */
static bool dxl_entry_is_hole(const struct dxl_tree *tree, const void *entry)
{
	return dxl_choice(tree->lab, DXL_KNOB_HOLE_PAGE) !=
	       DXL_HOLE_PAGE_ENTRY && entry && dxl_entry_is_zero(entry) &&
	       !dxl_entry_is_pmd(entry);
}

/**
 * dxl_unlock_mode() - Whom an unlock wakes.
 * @tree: the tree
 * @entry: the value
 *
 * From the unlock on, reads do not lock the entry of a hole page: who is woken
 * alone passes nothing on (knob hole_page).
 *
 * Context: Any context.
 * Return: The next, but for hole pages.
 */
enum dxl_wake_mode dxl_unlock_mode(const struct dxl_tree *tree,
				   const void *entry)
{
	if (dxl_entry_is_hole(tree, entry) &&
	    dxl_choice(tree->lab, DXL_KNOB_HOLE_PAGE) == DXL_HOLE_PAGE_WAKE_ALL)
		return DXL_WAKE_ALL;
	return DXL_WAKE_NEXT;
}

/**
 * dxl_put_wakes() - Does a put wake the next (knobs put, baton)?
 * @tree: the tree
 *
 * The inverted put of v5.3-rc1 woke for conflicts, for which grabs do not call
 * it, and for nothing else.
 *
 * Context: Any context.
 * Return: Whether it does.
 */
bool dxl_put_wakes(const struct dxl_tree *tree)
{
	return dxl_choice(tree->lab, DXL_KNOB_PUT) == DXL_PUT_RIGHT &&
	       dxl_choice(tree->lab, DXL_KNOB_BATON) == DXL_BATON_PUT;
}

/*
 * Stands for the page lock of hole pages: held shared from the look at the entry
 * until zeroes are mapped. Innermost but for the page tables.
 */
static DECLARE_RWSEM(dxl_hole_rwsem);

/**
 * dxl_hole_barrier() - Wait until reads that saw a hole page have mapped it.
 * @tree: the tree
 *
 * The entry was locked or removed before, so that later reads do not see it.
 *
 * Context: May sleep.
 */
void dxl_hole_barrier(const struct dxl_tree *tree)
{
	if (dxl_choice(tree->lab, DXL_KNOB_HOLE_PAGE) == DXL_HOLE_PAGE_ENTRY)
		return;
	down_write(&dxl_hole_rwsem);
	up_write(&dxl_hole_rwsem);
}

/**
 * dxl_hole_mapped() - The zeroes of a hole page are mapped.
 * @tree: the tree
 *
 * Context: Process context, after dxl_entry_grab_hole() returned 1.
 */
void dxl_hole_mapped(struct dxl_tree *tree)
{
	up_read(&dxl_hole_rwsem);
}

/* The caller may map zeroes now, if the hole page is still there. */
static bool dxl_hole_enter(struct dxl_tree *tree, pgoff_t index)
{
	void *entry;

	down_read(&dxl_hole_rwsem);
	entry = xa_load(&tree->xa, index);
	if (dxl_entry_is_hole(tree, entry) && !dxl_entry_is_locked(entry))
		return true;
	up_read(&dxl_hole_rwsem);
	return false;
}

/* A wake came for the PTE entry over @index, or for the PMD entry. */
static void dxl_hole_pass_on(struct dxl_tree *tree, pgoff_t index)
{
	struct dxl_key key = { .tree = tree, .first = index };

	dxl_entry_wake(key, DXL_WAKE_NEXT);
	key.first &= ~DXL_PMD_COLOUR;
	dxl_entry_wake(key, DXL_WAKE_NEXT);
}

/**
 * dxl_entry_grab_hole() - Grab for a read fault of order 0 (knob hole_page).
 * @tree: the tree
 * @index: page index
 * @hold: becomes the caller's hold, if an entry is locked
 *
 * A task that is woken and finds the hole page uses the lock of the page, and
 * leaves the queue of entries alone: that is the bug of 965d004af540, unless all
 * have been woken.
 *
 * Context: As dxl_entry_grab().
 * Return: 1: there is a hole page: map zeroes, then dxl_hole_mapped(); else as
 * dxl_entry_grab().
 */
int dxl_entry_grab_hole(struct dxl_tree *tree, pgoff_t index,
			struct dxl_hold *hold)
{
	void *entry;

	do {
		XA_STATE(xas, &tree->xa, index);
		struct dxl_grab grab = {};

		xas_lock(&xas);
		entry = dxl_find_varied(tree, &xas, 0, &grab);
		/* It is locked by a second look: the wake goes on. */
		if (grab.waited && entry != DXL_STOP &&
		    !dxl_entry_is_hole(tree, entry))
			dxl_hole_pass_on(tree, index);
		xas_unlock(&xas);
		if (entry == DXL_STOP)
			return xas_error(&xas);
		if (!dxl_entry_is_hole(tree, entry))
			return dxl_entry_grab(tree, index, 0, hold);
	} while (!dxl_hole_enter(tree, index));
	return 1;
}
