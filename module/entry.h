/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The entry lock: locked value entries in a private XArray per file.
 *
 * ENTRY
 *	An entry is a value: flags and a frame number (pfn).
 *	LOCKED	somebody owns it; PMD	it stands for 512 pages (order 9), else
 *	for one; ZERO	a hole, shared zero page; EMPTY	no frame: a place to lock.
 *	An entry without ZERO and EMPTY is a data entry. The marks DIRTY and
 *	TOWRITE exist on data entries only.
 *
 * RULES (numbers: invariants of the catalogue of races, kept in entry.c)
 *  1	LOCKED lives in the entry and changes only under the tree's xa_lock.
 *  2	A waiter enqueues before it drops the xa_lock under which it saw LOCKED.
 *  3	An unlocker stores the unlocked value under xa_lock and wakes after it,
 *	so whoever saw LOCKED is on the queue by then, and an unlocked test of
 *	the queue is safe.
 *  4	Waiter and waker compute the key (tree, first index) in dxl_entry_key()
 *	from the entry itself, never from the searcher's index or order.
 *  5	The hash picks the bucket; the wake function compares the whole key.
 *  7	The waker uses the entry that it had: after removal the tree cannot tell.
 *  8	Exclusive waiters are a baton chain: who is woken locks the entry and
 *	passes the baton at unlock, or
 *  9	passes it on at once with dxl_entry_put(), on the key it came on, or
 * 10	sees the entry gone or of another size: rule 11 has woken all.
 * 11	Who removes an entry or changes its size wakes all, in the same hold of
 *	xa_lock.
 * 13	A plain unlock wakes one.
 * 14	After a sleep nothing is known: look up again from a fresh state.
 * 15	xas_find_conflict() is called on a fresh state only.
 * 16	An order-9 lookup sees any entry in its range; look-up and store are in
 *	one hold of xa_lock.
 * 17	Tests in this order: NULL, value, order below the wanted one (conflict),
 *	LOCKED. A larger entry than wanted is locked as it is.
 * 18	Unlock stores the value that the owner has, where it was locked.
 * 20	Nobody waits for an entry while owning one: only dxl_entry_collect(),
 *	which never sleeps with a full hand, owns several.
 * 21	While an entry is locked only its owner replaces or removes it.
 * 23	DIRTY and TOWRITE are cleared together, after write-protect and flush,
 *	still under the entry lock; a sync waits for each locked entry that
 *	carries TOWRITE (upstream clears TOWRITE early and skips locked entries:
 *	B3b, B3).
 *
 * Lockdep, where the kernel has it, knows the entries of a tree as one lock: a
 * hold is taken with nobody waiting (a trylock, under xa_lock), and who may have
 * to wait says so before, without xa_lock (might_lock()). All trees are of one
 * class. Orders and colours are no subclasses: nobody waits for an entry while
 * owning another of whatever order, colour or tree (rule 20), so there is no
 * nesting that a subclass could name, and it would hide one that is a bug.
 *
 * Rule 12 (who may leave without lock or put waits non-exclusively) has nobody
 * to bind: waiters here hold a reference to the inode, and none leaves early.
 *
 * This file and entry.c know XArray and wait queues only.
 */
#ifndef DXL_ENTRY_H
#define DXL_ENTRY_H

#include "lab.h"

#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#define DXL_PMD_ORDER		9
#define DXL_PMD_PAGES		(1UL << DXL_PMD_ORDER)
#define DXL_PMD_COLOUR		(DXL_PMD_PAGES - 1)

#define DXL_ENTRY_LOCKED	(1UL << 0)
#define DXL_ENTRY_PMD		(1UL << 1)
#define DXL_ENTRY_ZERO		(1UL << 2)
#define DXL_ENTRY_EMPTY		(1UL << 3)
#define DXL_ENTRY_FLAGS		4	/* bits of flags below the frame */

#define DXL_MARK_DIRTY		XA_MARK_0
#define DXL_MARK_TOWRITE	XA_MARK_1

struct dxl_tree;

/**
 * struct dxl_tree_ops - what the entry lock asks of the owner of a tree
 * @unmap: Remove the page-table mappings of @nr pages from @first. Called
 *	without xa_lock, with the entry over these pages locked. May sleep.
 */
struct dxl_tree_ops {
	void (*unmap)(struct dxl_tree *tree, pgoff_t first, unsigned long nr);
};

/**
 * struct dxl_tree - the entries of one file
 * @xa: the entries; its xa_lock also guards @holds and @waiters
 * @ops: immutable after dxl_tree_init()
 * @dev: with @ino, the name of the tree in traces and listings
 * @ino: inode number
 * @holds: struct dxl_hold of each locked entry
 * @waiters: struct dxl_waiter of each sleeping task
 * @owed: wakes whose store is done and which are not issued, while watched
 * @owned: dxl_watch_round() in which its frames have owners (owner.h)
 * @lab: whose choices and log apply; NULL in tests of the entry lock alone
 * @dep_map: the entries, as lockdep knows them
 */
struct dxl_tree {
	struct xarray xa;
	const struct dxl_tree_ops *ops;
	struct dxl_lab *lab;
	dev_t dev;
	unsigned long ino;
	struct hlist_head holds;
	struct list_head waiters;
	unsigned int owed;
	u64 owned;
	struct lockdep_map dep_map;
};

/**
 * struct dxl_hold - a locked entry, in the hands of its owner
 * @entry: value in the tree, with LOCKED; changed by its owner only
 * @first: first page index that the entry stands for
 * @list: in dxl_tree.holds, newest first, guarded by xa_lock
 * @node: where the entry is in the tree; stays right while it is locked, but
 *	for @first == 0 (dxl_hold_find())
 * @offset: likewise
 * @task: who locked it
 * @since: jiffies when it was locked
 * @clock: dxl_hist_clock() when it was locked
 */
struct dxl_hold {
	void *entry;
	pgoff_t first;
	struct hlist_node list;
	struct xa_node *node;
	unsigned int offset;
	struct task_struct *task;
	unsigned long since;
	u64 clock;
};

/* What a waiter sleeps on. */
struct dxl_key {
	struct dxl_tree *tree;
	pgoff_t first;
};

/**
 * struct dxl_waiter - a task asleep for an entry
 * @wq: on the queue of the bucket of @key
 * @key: computed from the entry that was found locked
 * @list: in dxl_tree.waiters, guarded by xa_lock
 * @task: who sleeps
 * @index: what it searched for
 * @order: what it searched for
 * @first: first index of the entry that it found locked
 * @found: order of that entry
 * @woken: by the wake function, and not yet running under xa_lock again
 * @aborted: by dxl_tree_rescue(), guarded by xa_lock
 * @requeued: by dxl_tree_requeue(), guarded by xa_lock: it looks again
 * @since: jiffies when it went to sleep
 */
struct dxl_waiter {
	struct wait_queue_entry wq;
	struct dxl_key key;
	struct list_head list;
	struct task_struct *task;
	pgoff_t index;
	unsigned int order;
	pgoff_t first;
	unsigned int found;
	bool woken;
	bool aborted;
	bool requeued;
	unsigned long since;
};

static inline void *dxl_entry_make(unsigned long pfn, unsigned long flags)
{
	return xa_mk_value(flags | (pfn << DXL_ENTRY_FLAGS));
}

static inline unsigned long dxl_entry_pfn(const void *entry)
{
	return xa_to_value(entry) >> DXL_ENTRY_FLAGS;
}

static inline bool dxl_entry_is_locked(const void *entry)
{
	return xa_to_value(entry) & DXL_ENTRY_LOCKED;
}

static inline bool dxl_entry_is_pmd(const void *entry)
{
	return xa_to_value(entry) & DXL_ENTRY_PMD;
}

static inline bool dxl_entry_is_zero(const void *entry)
{
	return xa_to_value(entry) & DXL_ENTRY_ZERO;
}

static inline bool dxl_entry_is_empty(const void *entry)
{
	return xa_to_value(entry) & DXL_ENTRY_EMPTY;
}

/* Only a data entry has a frame that may be used. */
static inline bool dxl_entry_is_data(const void *entry)
{
	return !(xa_to_value(entry) & (DXL_ENTRY_ZERO | DXL_ENTRY_EMPTY));
}

static inline unsigned int dxl_entry_order(const void *entry)
{
	return dxl_entry_is_pmd(entry) ? DXL_PMD_ORDER : 0;
}

static inline unsigned long dxl_entry_pages(const void *entry)
{
	return 1UL << dxl_entry_order(entry);
}

/**
 * dxl_tree_retire() - Nobody but the caller can find the tree any more.
 * @tree: the tree
 *
 * For lockdep: reclaim may evict a file, and so look for entries to wait for,
 * in a task that owns an entry of another file. There are none to wait for.
 *
 * Context: Any context.
 */
static inline void dxl_tree_retire(struct dxl_tree *tree)
{
	static struct lock_class_key key;

	lockdep_init_map_wait(&tree->dep_map, "dxl_entry (evicted)", &key, 0,
			      LD_WAIT_SLEEP);
}

int dxl_entry_init(void);
void dxl_entry_exit(void);

void dxl_tree_init(struct dxl_tree *tree, const struct dxl_tree_ops *ops,
		   struct dxl_lab *lab, dev_t dev, unsigned long ino);
void dxl_tree_destroy(struct dxl_tree *tree);

int dxl_entry_grab(struct dxl_tree *tree, pgoff_t index, unsigned int order,
		   struct dxl_hold *hold);
void dxl_entry_set(struct dxl_tree *tree, struct dxl_hold *hold, void *entry,
		   bool dirty);
void dxl_entry_unlock(struct dxl_tree *tree, struct dxl_hold *hold);

long dxl_entry_delete_range(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
			    bool keep_dirty);

unsigned long dxl_entry_tag(struct dxl_tree *tree, pgoff_t first, pgoff_t last);
int dxl_entry_collect(struct dxl_tree *tree, pgoff_t first, pgoff_t last,
		      struct dxl_hold *hold, unsigned int max);
void dxl_entry_clean(struct dxl_tree *tree, struct dxl_hold *hold,
		     unsigned int nr);

void dxl_tree_requeue(struct dxl_tree *tree);
void dxl_tree_rescue(struct dxl_tree *tree);

#endif /* DXL_ENTRY_H */
