// SPDX-License-Identifier: GPL-2.0
/*
 * The workers of the entry lock's tests, and when they have come to rest
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/printk.h>
#include <linux/sched/task.h>
#include <linux/wait.h>

/* Longer than anything takes: who gets there has found a livelock. */
#define DXL_TEST_BOUND		(30 * HZ)

/* Something that dxl_test_settle() waits for may have happened. */
static DECLARE_WAIT_QUEUE_HEAD(dxl_test_stir);

static void dxl_worker_stop(struct dxl_worker *w, enum dxl_worker_state state)
{
	/* After all that the job did; pairs with dxl_worker_state(). */
	smp_store_release(&w->state, state);
	wake_up(&dxl_test_stir);
}

static enum dxl_worker_state dxl_worker_state(struct dxl_worker *w)
{
	/* Pairs with dxl_worker_stop(). */
	return smp_load_acquire(&w->state);
}

static int dxl_worker_main(void *arg)
{
	struct dxl_worker *w = arg;

	for (;;) {
		wait_for_completion(&w->go);
		if (!w->job)
			return 0;
		w->job(w);
		dxl_worker_stop(w, DXL_WORKER_IDLE);
	}
}

/**
 * dxl_worker_park() - A worker stops here until the test says go on.
 * @w: current
 *
 * Context: Kernel thread of a worker.
 */
void dxl_worker_park(struct dxl_worker *w)
{
	dxl_worker_stop(w, DXL_WORKER_PARKED);
	wait_for_completion(&w->gate);
}

/**
 * dxl_worker_release() - A worker that is parked goes on.
 * @w: it is
 *
 * Context: The test's task.
 */
void dxl_worker_release(struct dxl_worker *w)
{
	w->state = DXL_WORKER_RUNNING;
	complete(&w->gate);
}

/**
 * dxl_worker_start() - Give a worker something to do.
 * @w: idle
 * @job: runs in its thread, with what is in @w
 *
 * Context: The test's task.
 */
void dxl_worker_start(struct dxl_worker *w, void (*job)(struct dxl_worker *w))
{
	w->job = job;
	w->state = DXL_WORKER_RUNNING;
	complete(&w->go);
}

static void dxl_job_grab(struct dxl_worker *w)
{
	w->entry = NULL;
	w->ret = dxl_entry_grab(w->tree, w->first, w->order, w->hold);
	if (w->ret)
		return;
	w->entry = w->hold->entry;
	if (w->park)
		dxl_worker_park(w);
	dxl_entry_unlock(w->tree, w->hold);
}

static void dxl_job_delete(struct dxl_worker *w)
{
	w->ret = dxl_entry_delete_range(w->tree, w->first, w->last,
					w->keep_dirty);
}

static void dxl_job_sync(struct dxl_worker *w)
{
	int nr;

	w->ret = 0;
	if (w->tag)
		dxl_entry_tag(w->tree, w->first, w->last);
	/* What is never clean would be collected for ever. */
	while (!READ_ONCE(w->t->over) &&
	       (nr = dxl_entry_collect(w->tree, w->first, w->last, w->hold,
				       DXL_TEST_HOLDS)) > 0) {
		if (w->park)
			dxl_worker_park(w);
		w->park = false;
		dxl_entry_clean(w->tree, w->hold, nr);
		w->ret += nr;
		cond_resched();
	}
}

/**
 * dxl_give_grab() - A worker grabs an entry, and unlocks it.
 * @w: idle; @w->ret and @w->entry become the result
 * @index: in pages
 * @order: of the entry
 *
 * Context: The test's task.
 */
void dxl_give_grab(struct dxl_worker *w, pgoff_t index, unsigned int order)
{
	w->first = index;
	w->order = order;
	dxl_worker_start(w, dxl_job_grab);
}

/**
 * dxl_give_delete() - A worker deletes a range of entries.
 * @w: idle; @w->ret becomes the result
 * @first: page
 * @last: page, inclusive
 * @keep_dirty: leave those that are dirty
 *
 * Context: The test's task.
 */
void dxl_give_delete(struct dxl_worker *w, pgoff_t first, pgoff_t last,
		     bool keep_dirty)
{
	w->first = first;
	w->last = last;
	w->keep_dirty = keep_dirty;
	dxl_worker_start(w, dxl_job_delete);
}

/**
 * dxl_give_sync() - A worker cleans a range of entries, as a sync does.
 * @w: idle; @w->ret becomes how many
 * @first: page
 * @last: page, inclusive
 * @tag: those that are dirty first
 *
 * Context: The test's task.
 */
void dxl_give_sync(struct dxl_worker *w, pgoff_t first, pgoff_t last, bool tag)
{
	w->first = first;
	w->last = last;
	w->tag = tag;
	dxl_worker_start(w, dxl_job_sync);
}

/* A task on a queue sleeps, or is about to, until somebody wakes or rescues it. */
static int dxl_tree_asleep(struct dxl_tree *tree)
{
	struct dxl_waiter *waiter;
	int asleep = 0;

	xa_lock(&tree->xa);
	list_for_each_entry(waiter, &tree->waiters, list)
		asleep += !waiter->aborted &&
			  !list_empty_careful(&waiter->wq.entry);
	xa_unlock(&tree->xa);
	return asleep;
}

static int dxl_team_running(struct dxl_test *t)
{
	int i, running = 0;

	for (i = 0; i < DXL_TEST_WORKERS; i++)
		running += dxl_worker_state(t->worker + i) ==
			   DXL_WORKER_RUNNING;
	return running;
}

static bool dxl_team_settled(struct dxl_test *t, int *asleep)
{
	*asleep = dxl_team_running(t);
	return *asleep == dxl_tree_asleep(&t->tree) + dxl_tree_asleep(t->other);
}

/**
 * dxl_test_settle() - Wait until each worker is idle, parked or asleep.
 * @t: the test; its caller is the only one who gives jobs and opens gates
 *
 * Exact: who was seen to have stopped has sent its wakes before, and a task
 * that is on a queue after that can only be woken by one that is not, of which
 * there is none if the numbers are equal.
 *
 * Context: May sleep.
 * Return: How many are asleep; -ETIMEDOUT is inconclusive, so a failure.
 */
int dxl_test_settle(struct dxl_test *t)
{
	int asleep;

	if (!wait_event_timeout(dxl_test_stir, dxl_team_settled(t, &asleep),
				DXL_TEST_BOUND)) {
		pr_err("selftest: inconclusive, workers do not settle\n");
		return -ETIMEDOUT;
	}
	return asleep;
}

/**
 * dxl_test_on_wait() - A probe: a task is about to sleep for an entry.
 * @data: struct dxl_test
 * @dev: of the tree
 * @ino: of the tree
 * @key: of the queue
 * @index: in pages, of the entry
 * @order: of the entry
 *
 * Context: Under xa_lock: whoever looks again takes that lock, and finds the task
 * on its queue.
 */
void dxl_test_on_wait(void *data, dev_t dev, unsigned long ino,
		      unsigned long key, unsigned long index,
		      unsigned int order)
{
	struct dxl_test *t = data;

	/* A test that blocks itself cannot tell afterwards. */
	if (current == t->task)
		pr_err("selftest entry %s: FAIL, asleep for ever\n", t->name);
	wake_up(&dxl_test_stir);
}

static void dxl_tree_unlock_mine(struct dxl_tree *tree)
{
	struct dxl_hold *hold, *mine;

	do {
		mine = NULL;
		xa_lock(&tree->xa);
		hlist_for_each_entry(hold, &tree->holds, list)
			if (hold->task == current)
				mine = hold;
		xa_unlock(&tree->xa);
		if (mine)
			dxl_entry_unlock(tree, mine);
	} while (mine);
}

/* Whoever sleeps looks up again, whether it was to be woken or not. */
static void dxl_tree_kick(struct dxl_tree *tree)
{
	struct dxl_waiter *waiter;

	xa_lock(&tree->xa);
	list_for_each_entry(waiter, &tree->waiters, list)
		wake_up_process(waiter->task);
	xa_unlock(&tree->xa);
}

/**
 * dxl_team_rescue() - After a failure: get all workers back.
 * @t: the test
 *
 * Their stacks and their code go away with the module, so this waits for as
 * long as it takes.
 *
 * Context: May sleep. Whoever made holds in @t calls.
 */
void dxl_team_rescue(struct dxl_test *t)
{
	int i;

	t->park_unmap = false;
	WRITE_ONCE(t->over, true);
	dxl_tree_unlock_mine(&t->tree);
	dxl_tree_unlock_mine(t->other);
	for (i = 0; i < DXL_TEST_WORKERS; i++) {
		struct dxl_worker *w = t->worker + i;

		w->park = false;
		while (dxl_worker_state(w) != DXL_WORKER_IDLE) {
			if (dxl_worker_state(w) == DXL_WORKER_PARKED)
				dxl_worker_release(w);
			dxl_tree_kick(&t->tree);
			dxl_tree_kick(t->other);
			usleep_range(1000, 2000);
		}
	}
}

/**
 * dxl_test_lock_is_free() - Does nobody hold xa_lock, the caller included?
 * @tree: the tree
 *
 * Context: Any context.
 * Return: Whether it could be taken.
 */
bool dxl_test_lock_is_free(struct dxl_tree *tree)
{
	int locked = xa_trylock(&tree->xa);

	if (locked)
		xa_unlock(&tree->xa);
	return locked;
}

/**
 * dxl_test_is_worker() - Is this one of the workers?
 * @t: the test
 *
 * Context: Any context.
 * Return: Whether current is.
 */
bool dxl_test_is_worker(struct dxl_test *t)
{
	int i;

	for (i = 0; i < DXL_TEST_WORKERS; i++)
		if (t->worker[i].task == current)
			return true;
	return false;
}

static void dxl_test_unmap(struct dxl_tree *tree, pgoff_t first,
			   unsigned long nr)
{
	struct dxl_test *t = container_of(tree, struct dxl_test, tree);
	int i;

	t->unmaps++;
	t->unmap_first = first;
	t->unmap_nr = nr;
	t->unmap_entry = xa_load(&tree->xa, first);
	t->unmap_held = !dxl_test_lock_is_free(tree);
	if (!t->park_unmap)
		return;
	for (i = 0; i < DXL_TEST_WORKERS; i++)
		if (t->worker[i].task == current)
			dxl_worker_park(t->worker + i);
}

const struct dxl_tree_ops dxl_test_tree_ops = {
	.unmap = dxl_test_unmap,
};

/**
 * dxl_team_stop() - End the workers; all of them are idle.
 * @t: the test
 *
 * Context: May sleep.
 */
void dxl_team_stop(struct dxl_test *t)
{
	int i;

	for (i = 0; i < DXL_TEST_WORKERS; i++) {
		struct dxl_worker *w = t->worker + i;

		if (!w->task)
			continue;
		w->job = NULL;
		complete(&w->go);
		kthread_stop(w->task);
		put_task_struct(w->task);
	}
}

/**
 * dxl_team_start() - Make the workers.
 * @t: the test
 *
 * Context: May sleep.
 * Return: 0 or a negative errno; dxl_team_stop() is due in any case.
 */
int dxl_team_start(struct dxl_test *t)
{
	int i;

	for (i = 0; i < DXL_TEST_WORKERS; i++) {
		struct dxl_worker *w = t->worker + i;
		struct task_struct *task;

		w->t = t;
		init_completion(&w->go);
		init_completion(&w->gate);
		task = kthread_create(dxl_worker_main, w, "dxl_test/%d", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		w->task = get_task_struct(task);
		wake_up_process(task);
	}
	return 0;
}
