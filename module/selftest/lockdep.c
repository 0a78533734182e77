// SPDX-License-Identifier: GPL-2.0
/*
 * Breaches of the lock order, on request: does lockdep know the entry lock?
 *
 * Each makes exactly one report, after which lockdep is off until the next boot.
 * None of them can hang: nobody else uses the tree.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "../entry.h"
#include "../selftest.h"

#include <linux/errno.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/string.h>

static char *lockdep_breach;
module_param(lockdep_breach, charp, 0444);
MODULE_PARM_DESC(lockdep_breach, "what to make lockdep report at load, once per boot: inversion, walk, sync, nested, user");

static DEFINE_MUTEX(dxl_breach_mutex);
static struct dxl_tree dxl_breach_tree;
static struct dxl_hold dxl_breach_hold[2];

static void dxl_breach_unmap(struct dxl_tree *tree, pgoff_t first,
			     unsigned long nr)
{
}

static const struct dxl_tree_ops dxl_breach_ops = {
	.unmap = dxl_breach_unmap,
};

/* The first half of all inversions: the mutex inside the entry lock. */
static int dxl_breach_entry_first(struct dxl_tree *tree)
{
	void *entry = dxl_entry_make(1, 0);

	DXL_EXPECT(!dxl_entry_grab(tree, 5, 0, dxl_breach_hold));
	dxl_entry_set(tree, dxl_breach_hold, entry, true);
	mutex_lock(&dxl_breach_mutex);
	mutex_unlock(&dxl_breach_mutex);
	dxl_entry_unlock(tree, dxl_breach_hold);
	return 0;
}

static int dxl_breach_inversion(struct dxl_tree *tree)
{
	DXL_TRY(dxl_breach_entry_first(tree));
	mutex_lock(&dxl_breach_mutex);
	DXL_EXPECT(!dxl_entry_grab(tree, 600, 0, dxl_breach_hold));
	dxl_entry_unlock(tree, dxl_breach_hold);
	mutex_unlock(&dxl_breach_mutex);
	return 0;
}

/* Entries that are not locked: that it might have to wait is enough. */
static int dxl_breach_walk(struct dxl_tree *tree)
{
	DXL_TRY(dxl_breach_entry_first(tree));
	mutex_lock(&dxl_breach_mutex);
	DXL_EXPECT(dxl_entry_delete_range(tree, 0, ULONG_MAX, false) == 1);
	mutex_unlock(&dxl_breach_mutex);
	return 0;
}

static int dxl_breach_sync(struct dxl_tree *tree)
{
	DXL_TRY(dxl_breach_entry_first(tree));
	DXL_EXPECT(dxl_entry_tag(tree, 0, ULONG_MAX) == 1);
	mutex_lock(&dxl_breach_mutex);
	DXL_EXPECT(dxl_entry_collect(tree, 0, ULONG_MAX, dxl_breach_hold, 2) == 1);
	dxl_entry_clean(tree, dxl_breach_hold, 1);
	mutex_unlock(&dxl_breach_mutex);
	return 0;
}

/* Rule 20. Neither order nor colour makes it right. */
static int dxl_breach_nested(struct dxl_tree *tree)
{
	DXL_EXPECT(!dxl_entry_grab(tree, 5, 0, dxl_breach_hold));
	DXL_EXPECT(!dxl_entry_grab(tree, DXL_PMD_PAGES, DXL_PMD_ORDER,
				   dxl_breach_hold + 1));
	dxl_entry_unlock(tree, dxl_breach_hold + 1);
	dxl_entry_unlock(tree, dxl_breach_hold);
	return 0;
}

/* The task leaves the kernel with an entry locked; the machine is done for. */
static int dxl_breach_user(struct dxl_tree *tree)
{
	DXL_EXPECT(!dxl_entry_grab(tree, 5, 0, dxl_breach_hold));
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct dxl_tree *tree);
} dxl_breaches[] = {
	{ "inversion", dxl_breach_inversion },
	{ "walk", dxl_breach_walk },
	{ "sync", dxl_breach_sync },
	{ "nested", dxl_breach_nested },
	{ "user", dxl_breach_user },
};

static int dxl_breach_run(struct dxl_tree *tree)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_breaches); i++)
		if (!strcmp(lockdep_breach, dxl_breaches[i].name))
			return dxl_breaches[i].run(tree);
	pr_err("lockdep_breach=%s: no such breach\n", lockdep_breach);
	return -EINVAL;
}

/**
 * dxl_selftest_breach() - Do what the parameter lockdep_breach asks for.
 * @err: receives 0 or a negative errno, if it does
 *
 * Context: Module load, before dxl_entry_init().
 * Return: Whether it asks for anything; there are no other tests then.
 */
bool __init dxl_selftest_breach(int *err)
{
	if (!lockdep_breach)
		return false;
	*err = dxl_entry_init();
	if (*err)
		return true;
	dxl_tree_init(&dxl_breach_tree, &dxl_breach_ops, NULL, 0, 0);
	*err = dxl_breach_run(&dxl_breach_tree);
	dxl_entry_exit();
	return true;
}
