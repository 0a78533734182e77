// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock, with probes: order of store, enqueue and wake, and
 * what happens when a node of the tree cannot be allocated at once
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"
#include "../compat.h"
#include "../trace.h"

#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/printk.h>

/*
 * What is to happen to the allocations of one task: fail those of the bits in
 * @fail, and let an opponent act at number @act, which begins at 0.
 */
static struct {
	struct dxl_test *t;
	struct task_struct *task;
	unsigned long fail;
	unsigned int act;
	int (*opponent)(struct dxl_test *t);
	unsigned int nr;
	unsigned int freed;
	int err;
} dxl_alloc;

/* Not of the softirq that may interrupt the task and frees other nodes. */
static bool dxl_alloc_mine(void)
{
	return current == dxl_alloc.task && !in_serving_softirq();
}

/* Stands in for the allocator, returning to its caller. */
static noinline void *dxl_alloc_failed(void)
{
	return NULL;
}

static int dxl_probe_alloc(struct kprobe *kp, struct pt_regs *regs)
{
	unsigned int nr;

	if (!dxl_alloc_mine())
		return 0;
	nr = dxl_alloc.nr++;
	/* Allocations of the opponent are not probed: no recursion. */
	if (nr == dxl_alloc.act && dxl_alloc.opponent)
		dxl_alloc.err = dxl_alloc.opponent(dxl_alloc.t);
	if (nr >= BITS_PER_LONG || !(dxl_alloc.fail & BIT(nr)))
		return 0;
	instruction_pointer_set(regs, (unsigned long)dxl_alloc_failed);
	return 1;
}

static int dxl_probe_free(struct kprobe *kp, struct pt_regs *regs)
{
	if (dxl_alloc_mine())
		dxl_alloc.freed++;
	return 0;
}

static struct dxl_test *dxl_probed;

/* Rule 2: who goes on the queue still holds xa_lock. */
static int dxl_probe_enqueue(struct kprobe *kp, struct pt_regs *regs)
{
	struct dxl_test *t = dxl_probed;

	if (dxl_test_is_worker(t) && dxl_test_lock_is_free(&t->tree) &&
	    dxl_test_lock_is_free(t->other))
		t->bad_enqueue++;
	return 0;
}

/* Rules 3 and 11: a wake comes after the store, a wake-all under its lock. */
static void dxl_probe_wake(void *data, dev_t dev, unsigned long ino,
			   unsigned long first, bool all)
{
	struct dxl_test *t = data;
	void *entry;

	if (ino != t->tree.ino)
		return;
	if (all && dxl_test_lock_is_free(&t->tree))
		t->bad_wake_all++;
	entry = xa_load(&t->tree.xa, first);
	if (t->alone && entry && dxl_entry_is_locked(entry))
		t->bad_wake++;
	if (t->cleaning && (dxl_test_dirty(t, first) ||
			    dxl_test_towrite(t, first)))
		t->bad_wake++;
}

static struct kprobe dxl_kprobes[] = {
	{
		.symbol_name = DXL_NODE_ALLOCATOR,
		.pre_handler = dxl_probe_alloc,
	}, {
		.symbol_name = "radix_tree_node_rcu_free",
		.pre_handler = dxl_probe_free,
	}, {
		.symbol_name = "prepare_to_wait_exclusive",
		.pre_handler = dxl_probe_enqueue,
	},
};

/**
 * dxl_probe_start() - Set the probes.
 * @t: the test
 *
 * Context: May sleep.
 * Return: 0 or a negative errno; dxl_probe_stop() is due in any case.
 */
int dxl_probe_start(struct dxl_test *t)
{
	int i, err;

	err = register_trace_entry_wait(dxl_test_on_wait, t);
	if (err)
		return err;
	err = register_trace_entry_wake(dxl_probe_wake, t);
	if (err) {
		unregister_trace_entry_wait(dxl_test_on_wait, t);
		return err;
	}
	dxl_probed = t;
	for (i = 0; i < ARRAY_SIZE(dxl_kprobes); i++) {
		err = register_kprobe(dxl_kprobes + i);
		if (err) {
			pr_err("selftest: cannot probe %s: error %d\n",
			       dxl_kprobes[i].symbol_name, err);
			dxl_kprobes[i].addr = NULL;
			return err;
		}
	}
	return 0;
}

/**
 * dxl_probe_stop() - Remove the probes that were set.
 * @t: the test
 *
 * Context: May sleep.
 */
void dxl_probe_stop(struct dxl_test *t)
{
	int i;

	if (!dxl_probed)
		return;
	for (i = 0; i < ARRAY_SIZE(dxl_kprobes); i++)
		if (dxl_kprobes[i].addr)
			unregister_kprobe(dxl_kprobes + i);
	unregister_trace_entry_wait(dxl_test_on_wait, t);
	unregister_trace_entry_wake(dxl_probe_wake, t);
	tracepoint_synchronize_unregister();
	dxl_probed = NULL;
}

/* A grab by this task, of which some allocations go wrong. */
static int dxl_alloc_grab(struct dxl_test *t, pgoff_t index, unsigned int order,
			  unsigned long fail, int (*opponent)(struct dxl_test *t))
{
	int err;

	dxl_alloc.t = t;
	dxl_alloc.fail = fail;
	dxl_alloc.act = 1;
	dxl_alloc.opponent = opponent;
	dxl_alloc.nr = 0;
	dxl_alloc.freed = 0;
	dxl_alloc.err = 0;
	WRITE_ONCE(dxl_alloc.task, current);
	err = dxl_entry_grab(&t->tree, index, order, t->hold);
	WRITE_ONCE(dxl_alloc.task, NULL);
	return dxl_alloc.err ?: err;
}

static int nomem_retry(struct dxl_test *t)
{
	static const unsigned int orders[] = { 0, DXL_PMD_ORDER };
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		pgoff_t index = 0x8000 << 6 * i;

		DXL_EXPECT(!dxl_alloc_grab(t, index, orders[i], BIT(0), NULL));
		DXL_EXPECT(dxl_alloc.nr >= 2);
		DXL_EXPECT(dxl_test_at(t, index) == t->hold->entry);
		dxl_entry_unlock(&t->tree, t->hold);
		DXL_EXPECT(dxl_test_at(t, index) ==
			   dxl_test_empty(i ? DXL_ENTRY_PMD : 0));
	}
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_GRABS_UNCONTENDED) == 2);
	return 0;
}

static int nomem_failure(struct dxl_test *t)
{
	static const unsigned int orders[] = { 0, DXL_PMD_ORDER };
	/* Nothing at all, and nothing more after the first node. */
	static const unsigned long fails[] = { ~0UL, ~1UL };
	int i, j;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		pgoff_t index = 0x1000000;

		for (j = 0; j < ARRAY_SIZE(fails); j++) {
			DXL_EXPECT(dxl_alloc_grab(t, index, orders[i], fails[j],
						  NULL) == -ENOMEM);
			DXL_EXPECT(hlist_empty(&t->tree.holds));
			DXL_EXPECT(!dxl_test_at(t, index));
		}
		DXL_EXPECT(!dxl_test_count(t, DXL_STAT_GRABS_UNCONTENDED));
		DXL_EXPECT(!dxl_entry_grab(&t->tree, index, orders[i], t->hold));
		dxl_entry_unlock(&t->tree, t->hold);
		DXL_EXPECT(dxl_entry_delete_range(&t->tree, index, index,
						  false) == 1);
		t->base[DXL_STAT_GRABS_UNCONTENDED]++;
	}
	return 0;
}

static int opponent_pte(struct dxl_test *t)
{
	return dxl_test_make(t, 7, dxl_test_pte(), true);
}

/*
 * Downgrade, then no memory: the second round finds what another fault has put
 * there. A flag that outlived the first round made it erase that.
 */
static int nomem_downgrade(struct dxl_test *t)
{
	DXL_TRY(dxl_test_make(t, 0, dxl_test_zero(DXL_ENTRY_PMD), false));
	DXL_EXPECT(!dxl_alloc_grab(t, 7, 0, BIT(0), opponent_pte));
	DXL_EXPECT(dxl_alloc.nr == 2);
	DXL_EXPECT(t->unmaps == 1);
	DXL_EXPECT(t->hold->entry == dxl_test_locked(dxl_test_pte()));
	DXL_EXPECT(dxl_test_at(t, 7) == t->hold->entry);
	DXL_EXPECT(dxl_test_dirty(t, 7));
	dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(dxl_test_at(t, 7) == dxl_test_pte());
	return 0;
}

/* A8: the flag does outlive it; what the other fault has put there is erased. */
static int nomem_sticky(struct dxl_test *t)
{
	DXL_TRY(dxl_test_vary(t, "downgrade=sticky"));
	DXL_TRY(dxl_test_make(t, 0, dxl_test_zero(DXL_ENTRY_PMD), false));
	DXL_EXPECT(!dxl_alloc_grab(t, 7, 0, BIT(0), opponent_pte));
	DXL_EXPECT(t->hold->entry == dxl_test_locked(dxl_test_empty(0)));
	DXL_EXPECT(!dxl_test_dirty(t, 7));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* The node that the first round was given goes back if there is a conflict. */
static int nomem_conflict(struct dxl_test *t)
{
	DXL_EXPECT(dxl_alloc_grab(t, 0, DXL_PMD_ORDER, BIT(0), opponent_pte) ==
		   -EAGAIN);
	DXL_EXPECT(dxl_alloc.nr == 2);
	DXL_EXPECT(dxl_alloc.freed == 1);
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_CONFLICTS) == 1);
	DXL_EXPECT(dxl_test_at(t, 7) == dxl_test_pte());
	return 0;
}

/* A wake is counted once, however often the grab starts over. */
static int nomem_waited(struct dxl_test *t)
{
	struct dxl_worker *deleter = t->worker, *grabber = t->worker + 1;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, 70, 0, t->hold));
	dxl_give_delete(deleter, 70, 70, false);
	DXL_EXPECT(dxl_test_settle(t) == 1);
	dxl_give_grab(grabber, 70, 0);
	DXL_EXPECT(dxl_test_settle(t) == 2);
	dxl_alloc.fail = BIT(0);
	dxl_alloc.opponent = NULL;
	dxl_alloc.nr = 0;
	WRITE_ONCE(dxl_alloc.task, grabber->task);
	dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(dxl_test_settle(t) == 0);
	WRITE_ONCE(dxl_alloc.task, NULL);
	DXL_EXPECT(dxl_alloc.nr >= 2);
	DXL_EXPECT(deleter->ret == 1 && grabber->ret == 0);
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_WAKES_USEFUL) == 2);
	return 0;
}

const struct dxl_test_case dxl_test_nomem_cases[] = {
	{ "nomem: allocate and start over", nomem_retry },
	{ "nomem: give up and leave nothing behind", nomem_failure },
	{ "nomem: downgrade, then another fault", nomem_downgrade },
	{ "nomem: downgrade, and the flag sticks", nomem_sticky },
	{ "nomem: conflict in the second round", nomem_conflict },
	{ "nomem: after a wait", nomem_waited },
	{ }
};
