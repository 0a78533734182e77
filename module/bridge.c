// SPDX-License-Identifier: GPL-2.0
/*
 * The bridge: which file, and what is crossed when a task comes to a hook
 *
 * There is one at a time: hooks are the whole kernel's. Tasks find it under RCU
 * and take a reference while they are in a wrapper that may sleep. The session
 * may go first; who is left then finishes, and the last one frees it.
 */
#include "bridge_int.h"

#include <linux/dax.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/writeback.h>

static DEFINE_MUTEX(dxl_bridge_lock);	/* against changes of dxl_bridge_now */
static struct dxl_bridge __rcu *dxl_bridge_now;

static void dxl_bridge_put(struct dxl_bridge *bridge)
{
	if (!refcount_dec_and_test(&bridge->users))
		return;
	/* Atomic hooks look without a reference. */
	synchronize_rcu();
	dxl_syncs_forget(bridge);
	dxl_tree_destroy(&bridge->tree);
	dxl_lab_exit(&bridge->lab);
	kfree(bridge->tally);
	fput(bridge->file);
	kfree(bridge);
}

/* The file that a call is about, as far as its arguments tell; only to compare. */
static const struct xarray *dxl_hook_file(const struct dxl_hook *hook,
					  const unsigned long *arg)
{
	switch (hook->key) {
	case DXL_KEY_XAS:
		return ((struct xa_state *)arg[0])->xa;
	case DXL_KEY_MAPPING:
		return &((struct address_space *)arg[0])->i_pages;
	case DXL_KEY_VMF:
		return &((struct vm_fault *)arg[0])->vma->vm_file->f_mapping->i_pages;
	case DXL_KEY_SYNC:
		break;
	}
	return NULL;
}

static bool dxl_hook_is_for(const struct dxl_hook *hook,
			    const unsigned long *arg,
			    const struct dxl_bridge *bridge)
{
	return hook->key == DXL_KEY_SYNC ||
	       dxl_hook_file(hook, arg) == &bridge->mapping->i_pages;
}

/* With a reference, or NULL: the call is about another file. */
static struct dxl_bridge *dxl_bridge_of(const struct dxl_hook *hook,
					const unsigned long *arg)
{
	struct dxl_bridge *bridge;

	rcu_read_lock();
	bridge = rcu_dereference(dxl_bridge_now);
	if (bridge && (!dxl_hook_is_for(hook, arg, bridge) ||
		       !refcount_inc_not_zero(&bridge->users)))
		bridge = NULL;
	rcu_read_unlock();
	return bridge;
}

/**
 * dxl_hook_index() - Where a task is in the file, for selectors and events.
 * @hook: where it comes to
 * @arg: arguments of the function
 *
 * Context: Any context.
 * Return: A page index; 0 if the arguments do not tell.
 */
pgoff_t dxl_hook_index(const struct dxl_hook *hook, const unsigned long *arg)
{
	switch (hook->key) {
	case DXL_KEY_XAS:
		return ((struct xa_state *)arg[0])->xa_index;
	case DXL_KEY_VMF:
		return ((struct vm_fault *)arg[0])->pgoff;
	default:
		return 0;
	}
}

static unsigned int dxl_hook_order(const struct dxl_hook *hook,
				   const unsigned long *arg)
{
	if (hook == &dxl_hooks[DXL_HOOK_GRAB])
		return arg[2];
	if (hook == &dxl_hooks[DXL_HOOK_PMD_FAULT])
		return DXL_PMD_ORDER;
	return 0;
}

static void dxl_hook_cross(struct dxl_bridge *bridge, int window, pgoff_t index,
			   unsigned int order)
{
	if (window != DXL_NO_WINDOW)
		dxl_window(window, &bridge->tree, index, order,
			   DXL_ACCESS_NONE);
}

/* What the function did to the entry, for listings. */
static void dxl_hook_note(struct dxl_bridge *bridge,
			  const struct dxl_hook *hook, pgoff_t index,
			  unsigned int order, unsigned long ret)
{
	if (hook == &dxl_hooks[DXL_HOOK_GRAB])
		dxl_note(&bridge->tree, DXL_EV_LOCK, index, order, index,
			 xa_to_value((void *)ret));
	else if (hook == &dxl_hooks[DXL_HOOK_UNLOCK])
		dxl_note(&bridge->tree, DXL_EV_STORE, index, order, index, 0);
}

/* A sync of the file asks for an entry that it has met locked, under xa_lock. */
static unsigned long dxl_pass_meeting(struct dxl_bridge *bridge,
				      const struct dxl_hook *hook,
				      const unsigned long *arg)
{
	struct xa_state *xas = (struct xa_state *)arg[0];
	pgoff_t index = xas->xa_index;
	unsigned long ret;

	if (!READ_ONCE(bridge->tally))
		dxl_hook_cross(bridge, hook->before, index, 0);
	dxl_cure_meeting(bridge, xas);
	ret = dxl_hook_call(hook, arg);
	dxl_sync_met(bridge, index, ret);
	return ret;
}

/*
 * A spinlock is held, so no reference is taken or given back, which may sleep. Who
 * is in a sync of the file has one.
 */
static unsigned long dxl_pass_atomic(const struct dxl_hook *hook,
				     const unsigned long *arg)
{
	struct dxl_bridge *bridge;
	pgoff_t index;

	rcu_read_lock();
	bridge = rcu_dereference(dxl_bridge_now);
	if (bridge && (!dxl_hook_is_for(hook, arg, bridge) ||
		       !dxl_sync_is_mine(bridge, &index)))
		bridge = NULL;
	rcu_read_unlock();
	return bridge ? dxl_pass_meeting(bridge, hook, arg) :
			dxl_hook_call(hook, arg);
}

static unsigned long dxl_pass_sync(struct dxl_bridge *bridge,
				   const struct dxl_hook *hook,
				   const unsigned long *arg)
{
	const struct writeback_control *wbc =
		(const struct writeback_control *)arg[2];
	struct dxl_sync *sync;
	unsigned long ret;

	/* Others make no promise, and return at once. */
	if (wbc->sync_mode != WB_SYNC_ALL)
		return dxl_hook_call(hook, arg);
	sync = dxl_sync_begin(bridge, wbc->range_start >> PAGE_SHIFT,
			      wbc->range_end >> PAGE_SHIFT);
	ret = dxl_hook_call(hook, arg);
	if (!(int)ret)
		dxl_cure_walked(bridge, wbc->range_start >> PAGE_SHIFT,
				wbc->range_end >> PAGE_SHIFT);
	dxl_sync_end(bridge, sync, ret);
	return ret;
}

/**
 * dxl_hook_flushed() - dax_flush() has returned.
 * @bridge: of a file that is maybe not the one that was flushed
 * @arg: its arguments: device, address, size
 *
 * Context: Process context.
 */
void dxl_hook_flushed(struct dxl_bridge *bridge, const unsigned long *arg)
{
	void *addr = (void *)arg[1];

	if (virt_addr_valid(addr) && PAGE_ALIGNED(addr))
		dxl_sync_flushed(bridge, PHYS_PFN(virt_to_phys(addr)),
				 arg[2] >> PAGE_SHIFT);
}

/* What has been taken out of the tree is promised no more. */
static void dxl_hook_deleted(struct dxl_bridge *bridge,
			     const struct dxl_hook *hook,
			     const unsigned long *arg, unsigned long ret)
{
	if (hook == &dxl_hooks[DXL_HOOK_DELETE] && (int)ret)
		dxl_sync_gone(bridge, arg[1], arg[1]);
	else if (hook == &dxl_hooks[DXL_HOOK_DELETE_RANGE])
		dxl_sync_gone(bridge, arg[1] >> PAGE_SHIFT,
			      arg[2] >> PAGE_SHIFT);
}

/* The page that a scan for pinned ones has found, or NULL. */
static void dxl_hook_scanned(struct dxl_bridge *bridge, unsigned long page)
{
	spin_lock_irq(&bridge->lock);
	bridge->scans++;
	bridge->idle += !page;
	spin_unlock_irq(&bridge->lock);
}

static unsigned long dxl_pass(struct dxl_bridge *bridge,
			      const struct dxl_hook *hook,
			      const unsigned long *arg)
{
	pgoff_t index = dxl_hook_index(hook, arg);
	unsigned int order = dxl_hook_order(hook, arg);
	bool crosses = !(hook->flags & DXL_HOOK_IN_SYNC) ||
		       dxl_sync_is_mine(bridge, &index);
	unsigned long ret;

	if (crosses)
		dxl_hook_cross(bridge, hook->before, index, order);
	ret = dxl_hook_call(hook, arg);
	if (hook == &dxl_hooks[DXL_HOOK_FLUSH])
		dxl_hook_flushed(bridge, arg);
	if (hook == &dxl_hooks[DXL_HOOK_LAYOUT])
		dxl_hook_scanned(bridge, ret);
	/* No entry was grabbed: ret tells the fault what it shall return. */
	if (hook == &dxl_hooks[DXL_HOOK_GRAB] && xa_is_internal((void *)ret))
		crosses = false;
	if (crosses) {
		dxl_hook_note(bridge, hook, index, order, ret);
		dxl_hook_cross(bridge, hook->after, index, order);
	}
	return ret;
}

/**
 * dxl_bridge_pass() - A task has come to a hook.
 * @hook: which
 * @arg: arguments of the function
 *
 * Context: As the function has it.
 * Return: What the function returned.
 */
unsigned long dxl_bridge_pass(const struct dxl_hook *hook,
			      const unsigned long *arg)
{
	struct dxl_bridge *bridge;
	unsigned long ret;

	if (hook->flags & DXL_HOOK_ATOMIC)
		return dxl_pass_atomic(hook, arg);
	bridge = dxl_bridge_of(hook, arg);
	if (!bridge)
		return dxl_hook_call(hook, arg);
	if (hook == &dxl_hooks[DXL_HOOK_SYNC])
		ret = dxl_pass_sync(bridge, hook, arg);
	else if (READ_ONCE(bridge->tally))
		ret = dxl_record_pass(bridge, hook, arg);
	else
		ret = dxl_pass(bridge, hook, arg);
	dxl_hook_deleted(bridge, hook, arg, ret);
	dxl_bridge_put(bridge);
	return ret;
}

static struct dxl_bridge *dxl_bridge_new(struct file *file)
{
	struct dxl_bridge *bridge = kzalloc(sizeof(*bridge), GFP_KERNEL);
	struct inode *inode = file_inode(file);

	if (!bridge)
		return NULL;
	refcount_set(&bridge->users, 1);
	bridge->file = file;
	bridge->mapping = inode->i_mapping;
	spin_lock_init(&bridge->lock);
	INIT_LIST_HEAD(&bridge->syncs);
	dxl_lab_init(&bridge->lab, inode->i_sb);
	bridge->lab.stock = true;
	dxl_tree_init(&bridge->tree, NULL, &bridge->lab, inode->i_sb->s_dev,
		      inode->i_ino);
	if (!dxl_log_open(&bridge->lab))
		return bridge;
	kfree(bridge);
	return NULL;
}

static int dxl_bridge_start(struct dxl_bridge *bridge, const char *without,
			    const char **why)
{
	int err;

	mutex_lock(&dxl_bridge_lock);
	*why = "there is another bridge";
	err = -EBUSY;
	if (!rcu_access_pointer(dxl_bridge_now))
		err = dxl_hooks_install(without, why);
	if (!err)
		rcu_assign_pointer(dxl_bridge_now, bridge);
	mutex_unlock(&dxl_bridge_lock);
	return err;
}

/* A file that fs/dax.c serves. */
static bool dxl_bridge_fits(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISREG(inode->i_mode) && IS_DAX(inode) &&
	       strcmp(inode->i_sb->s_type->name, "daxlab");
}

/**
 * dxl_bridge_open() - Build the bridge to a file.
 * @fd: its descriptor
 * @without: a function that is not to be hooked, or NULL
 * @why: set to the reason if it cannot be
 *
 * Context: May sleep.
 * Return: A bridge or an ERR_PTR().
 */
struct dxl_bridge *dxl_bridge_open(unsigned int fd, const char *without,
				   const char **why)
{
	struct dxl_bridge *bridge;
	struct file *file = fget(fd);
	int err = -EINVAL;

	*why = "no file in DAX mode of a filesystem of the kernel";
	if (!file)
		return ERR_PTR(-EBADF);
	if (!dxl_bridge_fits(file))
		goto err_file;
	*why = "no memory";
	err = -ENOMEM;
	bridge = dxl_bridge_new(file);
	if (!bridge)
		goto err_file;
	err = dxl_bridge_start(bridge, without, why);
	if (!err)
		return bridge;
	dxl_bridge_put(bridge);
	return ERR_PTR(err);

err_file:
	fput(file);
	return ERR_PTR(err);
}

/**
 * dxl_bridge_close() - Nobody comes to the bridge any more.
 * @bridge: the bridge, or NULL
 *
 * Context: May sleep; nothing is armed there, nobody parked.
 */
void dxl_bridge_close(struct dxl_bridge *bridge)
{
	if (!bridge)
		return;
	mutex_lock(&dxl_bridge_lock);
	RCU_INIT_POINTER(dxl_bridge_now, NULL);
	dxl_hooks_remove();
	mutex_unlock(&dxl_bridge_lock);
	dxl_bridge_put(bridge);
}

/**
 * dxl_bridge_lab() - The lab of a bridge.
 * @bridge: the bridge
 *
 * Context: Any context.
 * Return: It; it belongs to no mount of ours.
 */
struct dxl_lab *dxl_bridge_lab(struct dxl_bridge *bridge)
{
	return &bridge->lab;
}

/**
 * dxl_bridge_refuses() - Why no rule can be armed at a window.
 * @window: the window
 *
 * Context: May sleep; there is a bridge.
 * Return: The reason, or NULL.
 */
const char *dxl_bridge_refuses(enum dxl_window window)
{
	const struct dxl_hook *hook;
	const char *why = "no function of fs/dax.c can be hooked there";

	for (hook = dxl_hooks; hook < dxl_hooks + DXL_NR_HOOKS; hook++) {
		if (hook->before != (int)window && hook->after != (int)window)
			continue;
		if (dxl_hook_is_on(hook))
			return NULL;
		why = hook->missing;
	}
	return why;
}

/**
 * dxl_bridge_mark() - A new run begins.
 * @bridge: the bridge
 *
 * Context: May sleep.
 */
void dxl_bridge_mark(struct dxl_bridge *bridge)
{
	dxl_syncs_forget(bridge);
	spin_lock_irq(&bridge->lock);
	bridge->scans = 0;
	bridge->idle = 0;
	spin_unlock_irq(&bridge->lock);
	dxl_log_mark(&bridge->lab);
}

static const char *dxl_hook_window(int window)
{
	return window == DXL_NO_WINDOW ? "-" : dxl_window_name(window);
}

/**
 * dxl_bridge_show() - The file, the hooks, what syncs did.
 * @seq: where to
 * @bridge: the bridge
 *
 * Context: May sleep.
 */
void dxl_bridge_show(struct seq_file *seq, struct dxl_bridge *bridge)
{
	const struct super_block *sb = file_inode(bridge->file)->i_sb;
	const struct dxl_hook *hook;
	unsigned int scans, idle;

	seq_printf(seq, "bridge %s fs %s ino %lu\n", sb->s_id, sb->s_type->name,
		   bridge->tree.ino);
	for (hook = dxl_hooks; hook < dxl_hooks + DXL_NR_HOOKS; hook++)
		seq_printf(seq, "hook %s %s before %s after %s\n",
			   hook->symbol[0],
			   dxl_hook_is_on(hook) ? "on" : "missing",
			   dxl_hook_window(hook->before),
			   dxl_hook_window(hook->after));
	spin_lock_irq(&bridge->lock);
	scans = bridge->scans;
	idle = bridge->idle;
	spin_unlock_irq(&bridge->lock);
	seq_printf(seq, "scans %u idle %u\n", scans, idle);
	dxl_syncs_show(seq, bridge);
	dxl_waiters_show(seq, bridge);
}
