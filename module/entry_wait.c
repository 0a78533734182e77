// SPDX-License-Identifier: GPL-2.0
/*
 * Waiting for entries: the hashed wait queues, keys, wakes (rules in entry.h)
 *
 * Each step that history got wrong at least once is a function of its own.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_int.h"
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

/**
 * dxl_entry_queue() - The bucket of a key.
 * @key: the key
 *
 * Context: Any context.
 * Return: A queue; keys share it.
 */
wait_queue_head_t *dxl_entry_queue(const struct dxl_key *key)
{
	unsigned long hash = (unsigned long)key->tree ^ key->first;

	if (dxl_choice(key->tree->lab, DXL_KNOB_BUCKET) == DXL_BUCKET_ONE)
		return dxl_wait_table;
	/* hash_long() of 0 bits would shift by the width of the word. */
	return dxl_wait_table + (wait_bits ? hash_long(hash, wait_bits) : 0);
}

/* Rule 5: a stranger in the bucket must not burn the exclusive wake. */
static int dxl_entry_wake_fn(struct wait_queue_entry *wq, unsigned int mode,
			     int sync, void *arg)
{
	struct dxl_waiter *waiter = container_of(wq, struct dxl_waiter, wq);
	const struct dxl_key *key = arg;

	if (waiter->key.tree != key->tree || waiter->key.first != key->first)
		return 0;
	return autoremove_wake_function(wq, mode, sync, NULL);
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
	wait_queue_head_t *queue = dxl_entry_queue(&key);

	/* Who is not in the queue yet sees the store: rule 3. */
	if (!waitqueue_active(queue))
		return;
	dxl_stat_inc(DXL_STAT_WAKES_ISSUED);
	trace_entry_wake(key.tree->dev, key.tree->ino, key.first,
			 mode == DXL_WAKE_ALL);
	__wake_up(queue, TASK_NORMAL, mode == DXL_WAKE_ALL ? 0 : 1, &key);
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
	dxl_entry_wake(key, DXL_WAKE_NEXT);
}

/**
 * dxl_entry_wait() - Sleep until woken for a key (rules 2 and 14).
 * @tree: the tree
 * @xas: state under whose lock the entry was seen locked; reset on return
 * @key: of the entry that was seen locked
 * @index: what the caller looks for, for listings
 * @order: likewise
 *
 * Context: Called with xa_lock, drops it to sleep, returns with it. The entry
 * must be looked up again. The caller owns no entry (rule 20).
 */
void dxl_entry_wait(struct dxl_tree *tree, struct xa_state *xas,
		    struct dxl_key key, pgoff_t index, unsigned int order)
	__must_hold(&tree->xa.xa_lock)
{
	wait_queue_head_t *queue = dxl_entry_queue(&key);
	struct dxl_waiter waiter = {
		.key = key,
		.task = current,
		.index = index,
		.order = order,
		.since = jiffies,
	};
	u64 start = sched_clock();

	init_wait(&waiter.wq);
	waiter.wq.func = dxl_entry_wake_fn;
	dxl_stat_inc(DXL_STAT_WAITS);
	trace_entry_wait(tree->dev, tree->ino, key.first, index, order);

	list_add_tail(&waiter.list, &tree->waiters);
	prepare_to_wait_exclusive(queue, &waiter.wq, TASK_UNINTERRUPTIBLE);
	xas_unlock(xas);
	xas_reset(xas);
	schedule();
	finish_wait(queue, &waiter.wq);
	xas_lock(xas);
	list_del(&waiter.list);
	dxl_hist_add(DXL_HIST_WAIT, sched_clock() - start);
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
