/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The steps of the entry lock, shared by entry*.c only
 */
#ifndef DXL_ENTRY_INT_H
#define DXL_ENTRY_INT_H

#include "entry.h"
#include "oracle.h"
#include "window.h"

enum dxl_wake_mode {
	DXL_WAKE_NEXT,
	DXL_WAKE_ALL,
};

/* No entry: the state has the error, -EAGAIN for a conflict (rule 17). */
#define DXL_STOP		XA_RETRY_ENTRY

/**
 * struct dxl_search - what a task wants that may have to sleep
 * @index: page index
 * @order: of the search
 * @wake: window that is crossed after a wake; tells grabs from walks
 */
struct dxl_search {
	pgoff_t index;
	unsigned int order;
	enum dxl_window wake;
};

/**
 * struct dxl_grab - what a grab remembers while it starts over
 * @waited: it has slept
 * @downgraded: it has taken out a PMD entry (variants)
 * @owes: it counts in dxl_tree.owed
 */
struct dxl_grab {
	bool waited;
	bool downgraded;
	bool owes;
};

/**
 * struct dxl_walk - where a walk over a range is
 * @tree: the tree
 * @first: of the range
 * @last: of the range, inclusive
 * @index: where it looks next
 * @slept: first index of the entry that it slept for
 * @slept_at: where it found that entry
 * @cuts: it looks what stands before blocks are freed (knob scan)
 * @waited: it slept, and has not looked yet
 * @err: why it ends early
 * @passed: variants: index, first and value of what it left in the tree last
 */
struct dxl_walk {
	struct dxl_tree *tree;
	pgoff_t first;
	pgoff_t last;
	pgoff_t index;
	pgoff_t slept;
	pgoff_t slept_at;
	bool cuts;
	bool waited;
	int err;
	struct {
		pgoff_t index;
		pgoff_t first;
		void *entry;
	} passed;
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

/* The value without LOCKED. */
static inline void *dxl_entry_unlocked(const void *entry)
{
	return xa_mk_value(xa_to_value(entry) & ~DXL_ENTRY_LOCKED);
}

/*
 * Put a value where @xas stands, in place of one of the same size. No count,
 * mark or sibling of the tree changes, so xas_store() would only walk again:
 * it costs 130 instructions for a PTE entry and 450 for a PMD entry.
 */
static inline void dxl_entry_replace(struct xa_state *xas, void *entry)
	__must_hold(&xas->xa->xa_lock)
{
	if (xas->xa_node)
		rcu_assign_pointer(xas->xa_node->slots[xas->xa_offset], entry);
	else
		rcu_assign_pointer(xas->xa->xa_head, entry);
}

/* entry_wait.c */
wait_queue_head_t *dxl_entry_queue(const struct dxl_key *key);
void dxl_entry_wake(struct dxl_key key, enum dxl_wake_mode mode);
void dxl_entry_put(struct dxl_key key);
int dxl_entry_wait(struct dxl_tree *tree, struct xa_state *xas, void *entry,
		   pgoff_t first, const struct dxl_search *search)
	__must_hold(&tree->xa.xa_lock);

/* entry.c */
void *dxl_entry_stop(struct xa_state *xas, int err)
	__must_hold(&xas->xa->xa_lock);
void dxl_entry_lock(struct dxl_tree *tree, struct xa_state *xas, void *entry,
		    pgoff_t index, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);
void dxl_hold_find_first(struct xa_state *xas, const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock);
void dxl_entry_release(struct dxl_tree *tree, struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);
bool dxl_entry_clear_lock(struct dxl_tree *tree, struct xa_state *xas,
			  struct dxl_hold *hold)
	__must_hold(&tree->xa.xa_lock);

/* entry_walk.c */
bool dxl_walk_next(pgoff_t *index, const void *entry, pgoff_t first,
		   pgoff_t last);
void dxl_walk_woken(struct dxl_walk *walk, const void *entry, pgoff_t index)
	__must_hold(&walk->tree->xa.xa_lock);
void dxl_walk_wait(struct dxl_walk *walk, struct xa_state *xas, void *entry)
	__must_hold(&xas->xa->xa_lock);

/* A wakeup may be lost now, if one ever is. */
static __always_inline void dxl_entry_judge(struct dxl_tree *tree)
	__must_hold(&tree->xa.xa_lock)
{
	if (dxl_watched())
		dxl_oracle_tree(tree);
}

/* entry_variant_grab.c */
bool dxl_hold_find_varied(struct xa_state *xas, const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock);

/**
 * dxl_hold_find() - Position a state on a locked entry.
 * @xas: any state of the tree
 * @hold: the caller's hold
 *
 * A node with a locked entry is neither freed nor moved while the tree around
 * it grows and shrinks, with one exception: the entry at index 0, when it is
 * left alone, moves from its node to the head of the tree.
 *
 * Context: Called with xa_lock.
 * Return: Whether the entry is there; always, but for variants.
 */
static __always_inline bool dxl_hold_find(struct xa_state *xas,
					  const struct dxl_hold *hold)
	__must_hold(&xas->xa->xa_lock)
{
	xas_set(xas, hold->first);
	if (dxl_varied())
		return dxl_hold_find_varied(xas, hold);
	if (hold->first) {
		xas->xa_node = hold->node;
		xas->xa_offset = hold->offset;
	} else {
		dxl_hold_find_first(xas, hold);
	}
	return true;
}

/* entry_watch.c: the same steps while somebody watches, or variants */
void dxl_note_entry(struct dxl_tree *tree, enum dxl_event_type type,
		    const void *entry, pgoff_t index);
void dxl_entry_removed(struct dxl_tree *tree, const void *entry, pgoff_t index);
void dxl_entry_woken(struct dxl_tree *tree, pgoff_t first, const void *entry);
void dxl_entry_unlock_slowly(struct dxl_tree *tree, struct dxl_hold *hold);
void dxl_grab_looked(struct dxl_tree *tree, const struct xa_state *xas,
		     struct dxl_grab *grab);
void dxl_wait_enqueued(const struct dxl_waiter *waiter);
void dxl_wait_woken(const struct dxl_waiter *waiter);
void dxl_wait_over(const struct dxl_waiter *waiter, enum dxl_window window);
bool dxl_insert_fails(struct dxl_tree *tree, struct xa_state *xas,
		      pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock);

#endif /* DXL_ENTRY_INT_H */
