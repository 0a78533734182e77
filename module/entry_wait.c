// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for entries: the hashed wait queues, keys, wakes (rules in entry.h)
 *
 * Each step that history got wrong at least once is a function of its own.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_int.h"
#include "entry_variant.h"
#include "stats.h"
#include "trace.h"

#include <linux/hash.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/slab.h>

#define DXL_WAIT_BITS_MAX	16

static unsigned int wait_bits = 12;
module_param(wait_bits, uint, 0444);
MODULE_PARM_DESC(wait_bits, "log2 of the wait queues for entries, 0..16 (default 12)");

static wait_queue_head_t *dxl_wait_table;

static __always_inline wait_queue_head_t *dxl_bucket(struct dxl_tree *tree,
						     pgoff_t first)
{
	unsigned long hash = (unsigned long)tree ^ first;

	/* hash_long() of 0 bits would shift by the width of the word. */
	return dxl_wait_table + (wait_bits ? hash_long(hash, wait_bits) : 0);
}

/**
 * dxl_entry_queue() - The bucket of a key.
 * @key: the key
 *
 * Context: Any context.
 * Return: A queue; keys share it.
 */
wait_queue_head_t *dxl_entry_queue(const struct dxl_key *key)
{
	if (dxl_choice(key->tree->lab, DXL_KNOB_BUCKET) == DXL_BUCKET_ONE)
		return dxl_wait_table;
	return dxl_bucket(key->tree, key->first);
}

/* What a waker tells the waiters in the bucket, and is told. */
struct dxl_wake {
	struct dxl_key key;
	unsigned long woken;
};

/*
 * Rule 5: a stranger in the bucket must not burn the exclusive wake. Who is off
 * the queue may be gone, with its stack: all is said before.
 */
static int dxl_entry_wake_fn(struct wait_queue_entry *wq, unsigned int mode,
			     int sync, void *arg)
{
	struct dxl_waiter *waiter = container_of(wq, struct dxl_waiter, wq);
	struct dxl_wake *wake = arg;

	if ((waiter->key.tree != wake->key.tree ||
	     waiter->key.first != wake->key.first) &&
	    dxl_choice(wake->key.tree->lab, DXL_KNOB_CANARY) !=
	    DXL_CANARY_STRANGER)
		return 0;
	WRITE_ONCE(waiter->woken, true);
	if (dxl_watched())
		dxl_wait_woken(waiter);
	if (autoremove_wake_function(wq, mode, sync, NULL)) {
		wake->woken++;
		return 1;
	}
	/* It runs already, and is still on the queue. */
	WRITE_ONCE(waiter->woken, false);
	return 0;
}

/* Somebody is in the bucket, or wants to know that nobody was. */
static noinline void dxl_entry_wake_bucket(struct dxl_key key,
					   enum dxl_wake_mode mode)
{
	struct dxl_wake wake = { .key = key };
	wait_queue_head_t *queue;

	if (dxl_varied())
		mode = dxl_wake_varied(&wake.key, mode);
	queue = dxl_entry_queue(&wake.key);
	/* Rule 3, as in dxl_entry_wake(). */
	if (waitqueue_active(queue)) {
		dxl_stat_inc(DXL_STAT_WAKES_ISSUED);
		trace_entry_wake(key.tree->dev, key.tree->ino, wake.key.first,
				 mode == DXL_WAKE_ALL);
		__wake_up(queue, TASK_NORMAL, mode == DXL_WAKE_ALL ? 0 : 1,
			  &wake);
	}
	dxl_note(key.tree, DXL_EV_WAKE, wake.key.first, 0, key.first,
		 wake.woken << 1 | (mode == DXL_WAKE_ALL));
}

/**
 * dxl_entry_wake() - Wake waiters of a key.
 * @key: whose waiters
 * @mode: the next one, or all
 *
 * Context: After the store that the waiters wait for; rule 3 makes the unlocked
 * look at the queue safe. With or without xa_lock. Does not sleep.
 */
void dxl_entry_wake(struct dxl_key key, enum dxl_wake_mode mode)
{
	if (dxl_watched() || dxl_varied() ||
	    /* Who is not in the queue yet sees the store: rule 3. */
	    waitqueue_active(dxl_bucket(key.tree, key.first)))
		dxl_entry_wake_bucket(key, mode);
}

/**
 * dxl_entry_put() - Pass on a wake that the caller has no use for (rule 9).
 * @key: the key on which the caller was, or may have been, woken
 *
 * Who waited and does not lock the entry must put. Spurious puts are harmless,
 * missing ones hang (61c30c98ef17).
 *
 * Context: As dxl_entry_wake().
 */
void dxl_entry_put(struct dxl_key key)
{
	dxl_note(key.tree, DXL_EV_PUT, key.first, 0, key.first, 0);
	if (!dxl_varied() || dxl_put_wakes(key.tree))
		dxl_entry_wake(key, DXL_WAKE_NEXT);
}

/**
 * dxl_entry_wait() - Sleep until woken for an entry (rules 2 and 14).
 * @tree: the tree
 * @xas: state under whose lock the entry was seen locked; reset on return
 * @entry: the entry that was seen locked
 * @first: first index that it stands for
 * @search: what the caller looks for
 *
 * Context: Called with xa_lock, drops it to sleep, returns with it. The entry
 * must be looked up again. The caller owns no entry (rule 20).
 * Return: 0; -EDEADLK: dxl_tree_rescue() has ended the wait, and the caller goes
 * without a put; -EINTR, in a variant only.
 */
int dxl_entry_wait(struct dxl_tree *tree, struct xa_state *xas, void *entry,
		   pgoff_t first, const struct dxl_search *search)
	__must_hold(&tree->xa.xa_lock)
{
	struct dxl_waiter waiter = {
		.key = dxl_entry_key(tree, entry, first),
		.task = current,
		.index = search->index,
		.order = search->order,
		.first = first,
		.found = dxl_entry_order(entry),
		.since = jiffies,
	};
	wait_queue_head_t *queue;
	u64 start = sched_clock();
	int err = 0;

	if (dxl_varied()) {
		err = dxl_wait_varied(xas, &waiter, entry, search);
		if (err)
			return err;
	}
	queue = dxl_entry_queue(&waiter.key);
	init_wait(&waiter.wq);
	waiter.wq.func = dxl_entry_wake_fn;
	dxl_stat_inc(DXL_STAT_WAITS);
	trace_entry_wait(tree->dev, tree->ino, waiter.key.first, search->index,
			 search->order);

	list_add_tail(&waiter.list, &tree->waiters);
	prepare_to_wait_exclusive(queue, &waiter.wq, TASK_UNINTERRUPTIBLE);
	if (dxl_watched())
		dxl_wait_enqueued(&waiter);
	xas_unlock(xas);
	xas_reset(xas);
	schedule();
	finish_wait(queue, &waiter.wq);
	if (dxl_watched())
		dxl_wait_over(&waiter, search->wake);
	xas_lock(xas);
	list_del(&waiter.list);
	if (waiter.aborted) {
		err = -EDEADLK;
		/* Others may have come to sleep since the rescue. */
		if (waiter.woken)
			dxl_entry_wake(waiter.key, DXL_WAKE_NEXT);
	} else if (dxl_varied()) {
		err = dxl_woken_varied(&waiter, search);
	}
	dxl_hist_add(DXL_HIST_WAIT, sched_clock() - start);
	return err;
}

/**
 * dxl_entry_init() - Make the wait queues.
 *
 * Context: May sleep.
 * Return: 0; -EINVAL for a bad wait_bits; -ENOMEM.
 */
int dxl_entry_init(void)
{
	unsigned long i;

	if (wait_bits > DXL_WAIT_BITS_MAX) {
		pr_err("wait_bits=%u: must be 0..%u\n", wait_bits,
		       DXL_WAIT_BITS_MAX);
		return -EINVAL;
	}
	dxl_wait_table = kvmalloc_array(1UL << wait_bits,
					sizeof(*dxl_wait_table), GFP_KERNEL);
	if (!dxl_wait_table)
		return -ENOMEM;
	for (i = 0; i < 1UL << wait_bits; i++)
		init_waitqueue_head(dxl_wait_table + i);
	return 0;
}

/**
 * dxl_entry_exit() - Free the wait queues; no tree exists any more.
 *
 * Context: May sleep.
 */
void dxl_entry_exit(void)
{
	kvfree(dxl_wait_table);
}
