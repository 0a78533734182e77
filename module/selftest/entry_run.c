// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the tests of the entry lock; what must be true after each of them
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/slab.h>

/**
 * dxl_test_count() - How far a counter has moved in this case.
 * @t: the test
 * @stat: the counter
 *
 * Context: Any context.
 * Return: Events since the case began.
 */
u64 dxl_test_count(struct dxl_test *t, enum dxl_stat stat)
{
	return dxl_stat_read(stat) - t->base[stat];
}

/**
 * dxl_test_make() - Put an unlocked entry into the tree.
 * @t: the test
 * @index: its first index
 * @entry: its value; nothing lies in its range, or an entry of its size
 * @dirty: whether it has DIRTY
 *
 * Context: May sleep.
 * Return: 0 or -EINVAL.
 */
int dxl_test_make(struct dxl_test *t, pgoff_t index, void *entry, bool dirty)
{
	struct dxl_hold hold;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, index, dxl_entry_order(entry),
				   &hold));
	dxl_entry_set(&t->tree, &hold, entry, dirty);
	dxl_entry_unlock(&t->tree, &hold);
	DXL_EXPECT(dxl_test_at(t, index) == entry);
	DXL_EXPECT(dxl_test_dirty(t, index) == dirty);
	return 0;
}

/**
 * dxl_test_tree_init() - Make an empty tree for a case.
 * @tree: the tree
 * @ino: its name
 *
 * The cases lock entries while they own others, where they know that nobody
 * makes them wait. Lockdep would rightly object (rule 20), so it may not look at
 * these trees; that it knows the lock is proved in lockdep.c.
 *
 * Context: Any context.
 */
void dxl_test_tree_init(struct dxl_tree *tree, unsigned long ino)
{
	dxl_tree_init(tree, &dxl_test_tree_ops, NULL, 0, ino);
	lockdep_set_novalidate_class(tree);
}

static int dxl_tree_is_quiet(struct dxl_tree *tree)
{
	unsigned long index;
	void *entry;

	DXL_EXPECT(hlist_empty(&tree->holds));
	DXL_EXPECT(list_empty(&tree->waiters));
	xa_for_each(&tree->xa, index, entry) {
		DXL_EXPECT(xa_is_value(entry));
		DXL_EXPECT(!dxl_entry_is_locked(entry));
	}
	xa_for_each_marked(&tree->xa, index, entry, DXL_MARK_DIRTY)
		DXL_EXPECT(dxl_entry_is_data(entry));
	xa_for_each_marked(&tree->xa, index, entry, DXL_MARK_TOWRITE)
		DXL_EXPECT(dxl_entry_is_data(entry));
	return 0;
}

static int dxl_test_invariants(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_test_settle(t));
	DXL_EXPECT(!t->bad_enqueue);
	DXL_EXPECT(!t->bad_wake);
	DXL_EXPECT(!t->bad_wake_all);
	/* Each sleep ended by one wake, and each was counted once. */
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_WAITS) ==
		   dxl_test_count(t, DXL_STAT_WAKES_USEFUL) +
		   dxl_test_count(t, DXL_STAT_WAKES_MISDIRECTED) + t->rescued);
	DXL_TRY(dxl_tree_is_quiet(&t->tree));
	DXL_TRY(dxl_tree_is_quiet(t->other));
	return 0;
}

static int dxl_test_one(struct dxl_test *t, const struct dxl_test_case *c)
{
	enum dxl_stat stat;
	int i, err;

	t->name = c->name;
	t->task = current;
	dxl_test_tree_init(&t->tree, 1);
	t->other = t->others;
	dxl_test_tree_init(t->other, 2);
	for (stat = 0; stat < DXL_NR_STATS; stat++)
		t->base[stat] = dxl_stat_read(stat);
	for (i = 0; i < DXL_TEST_WORKERS; i++) {
		t->worker[i].tree = &t->tree;
		t->worker[i].park = false;
	}
	t->park_unmap = false;
	t->alone = false;
	t->cleaning = false;
	t->over = false;
	t->rescued = 0;
	t->unmaps = 0;
	t->bad_enqueue = 0;
	t->bad_wake = 0;
	t->bad_wake_all = 0;

	err = c->run(t);
	if (!err)
		err = dxl_test_invariants(t);
	pr_info("selftest entry %s: %s\n", c->name, err ? "FAIL" : "pass");
	if (err)
		dxl_team_rescue(t);
	dxl_test_vary(t, "sound");
	dxl_tree_destroy(&t->tree);
	dxl_tree_destroy(t->other);
	return err;
}

static int dxl_test_all(struct dxl_test *t)
{
	static const struct dxl_test_case *const files[] = {
		dxl_test_tree_cases,
		dxl_test_walk_cases,
		dxl_test_nomem_cases,
		dxl_test_wait_cases,
		dxl_test_order_cases,
		dxl_test_random_cases,
		dxl_test_variant_cases,
	};
	const struct dxl_test_case *c;
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(files); i++)
		for (c = files[i]; c->name; c++)
			err = dxl_test_one(t, c) ?: err;
	return err;
}

/**
 * dxl_selftest_entry() - Test the entry lock; nobody uses it yet.
 *
 * Context: Module load, before dxl_entry_init().
 * Return: 0 or a negative errno.
 */
int __init dxl_selftest_entry(void)
{
	struct dxl_test *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return -ENOMEM;
	t->others = kvcalloc(DXL_TEST_TREES, sizeof(*t->others), GFP_KERNEL);
	err = t->others ? dxl_entry_init() : -ENOMEM;
	if (err)
		goto out;
	dxl_lab_init(&t->lab, NULL);
	err = dxl_team_start(t);
	if (!err)
		err = dxl_probe_start(t);
	if (!err)
		err = dxl_test_all(t);
	dxl_probe_stop(t);
	dxl_team_stop(t);
	dxl_entry_exit();
out:
	kvfree(t->others);
	kfree(t);
	return err;
}
