// SPDX-License-Identifier: GPL-2.0
/*
 * Hooks: callers of a function of the kernel enter a wrapper of ours instead
 *
 * An ftrace handler must not sleep, but it may change where the task goes on
 * (FTRACE_OPS_FL_IPMODIFY, as live patches do): to the wrapper, with the
 * function's own arguments and return address. Its call of the function comes
 * to the same handler, which lets it through because it comes from this module.
 * So the wrapper must not end in a jump to the function: this file is compiled
 * without tail calls.
 *
 * The handler takes a reference to the module for the wrapper: as long as a task
 * is in one the module does not go.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bridge_int.h"
#include "compat_mm.h"

#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>

typedef unsigned long (*dxl_stock_fn)(unsigned long a0, unsigned long a1,
				      unsigned long a2, unsigned long a3,
				      unsigned long a4, unsigned long a5);

/* Integer arguments and results only: that is true of all in the table. */
#define DXL_HOOK_WRAPPER(hook, ...)					\
static unsigned long dxl_enter_##hook(unsigned long a0, unsigned long a1, \
				      unsigned long a2, unsigned long a3, \
				      unsigned long a4, unsigned long a5) \
{									\
	const unsigned long arg[DXL_HOOK_ARGS] = { a0, a1, a2, a3, a4, a5 }; \
	unsigned long ret;						\
									\
	ret = dxl_bridge_pass(&dxl_hooks[DXL_HOOK_##hook], arg);	\
	module_put(THIS_MODULE);					\
	return ret;							\
}

DXL_HOOK_TABLE(DXL_HOOK_WRAPPER)

struct dxl_hook dxl_hooks[DXL_NR_HOOKS] = {
#define DXL_HOOK_ROW(hook, one, other, key_, flags_, before_, after_)	\
	[DXL_HOOK_##hook] = {						\
		.symbol = { one, other },				\
		.key = key_,						\
		.flags = flags_,					\
		.before = before_,					\
		.after = after_,					\
		.wrapper = dxl_enter_##hook,				\
		.missing = one "() is not in this kernel, or ftrace cannot have it", \
	},
	DXL_HOOK_TABLE(DXL_HOOK_ROW)
};

/**
 * dxl_hook_call() - Call the function itself.
 * @hook: of which
 * @arg: its arguments
 *
 * Context: As the function has it.
 * Return: What it returns.
 */
unsigned long dxl_hook_call(const struct dxl_hook *hook,
			    const unsigned long *arg)
{
	dxl_stock_fn fn = (dxl_stock_fn)hook->address;

	return fn(arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

typedef void *(*dxl_get_fn)(struct xa_state *xas, unsigned int order);
typedef void (*dxl_wake_fn)(struct xa_state *xas, void *entry, int mode);

#define DXL_STOCK_WAKE_NEXT	1	/* enum dax_wake_mode */

static dxl_wake_fn dxl_stock_wake;

/**
 * dxl_stock_get_unlocked() - Wait until the entry at an index is unlocked.
 * @xas: its index; it stands nowhere
 *
 * Context: With the xa_lock of i_pages, which is dropped and taken again.
 * Return: The entry, or NULL: it has gone. dxl_stock_put_unlocked() is to follow.
 */
void *dxl_stock_get_unlocked(struct xa_state *xas)
{
	dxl_get_fn get = (dxl_get_fn)dxl_hooks[DXL_HOOK_UNLOCKED].address;

	return get(xas, 0);
}

/**
 * dxl_stock_put_unlocked() - The caller does not lock what it has waited for.
 * @xas: as it is after dxl_stock_get_unlocked()
 * @entry: what that returned
 *
 * Context: With the xa_lock of i_pages.
 */
void dxl_stock_put_unlocked(struct xa_state *xas, void *entry)
{
	if (entry)
		dxl_stock_wake(xas, entry, DXL_STOCK_WAKE_NEXT);
}

#if DXL_HAVE_HOOKS
/**
 * dxl_stock_can_wait() - Does this kernel have the functions for the two above?
 *
 * Context: May sleep; the hooks are installed.
 * Return: true if so.
 */
bool dxl_stock_can_wait(void)
{
	if (!dxl_stock_wake)
		dxl_stock_wake = (dxl_wake_fn)dxl_symbol("dax_wake_entry");
	return dxl_stock_wake &&
	       dxl_hook_is_on(&dxl_hooks[DXL_HOOK_UNLOCKED]);
}

/* What may come before the call that ftrace patches, in kernels built for IBT. */
#define DXL_ENDBR_SIZE	4

static void notrace dxl_hook_handler(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops,
				     struct ftrace_regs *fregs)
{
	struct pt_regs *regs = ftrace_get_regs(fregs);
	unsigned int i;

	if (!regs || within_module(parent_ip, THIS_MODULE))
		return;
	for (i = 0; i < DXL_NR_HOOKS; i++)
		if (ip - dxl_hooks[i].address <= DXL_ENDBR_SIZE)
			break;
	if (i < DXL_NR_HOOKS && try_module_get(THIS_MODULE))
		regs->ip = (unsigned long)dxl_hooks[i].wrapper;
}

static struct ftrace_ops dxl_hook_ops = {
	.func	= dxl_hook_handler,
	/* PERMANENT: not while ftrace is off, which would hide all. */
	.flags	= FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY |
		  FTRACE_OPS_FL_PERMANENT,
};

/**
 * dxl_symbol() - Where a symbol of the kernel is.
 * @name: of a function, or of data
 *
 * Modules cannot ask for that; where a probe would be, they can.
 *
 * Context: May sleep, the first time: when the hooks are installed.
 * Return: Its address; 0: this kernel has none of that name.
 */
unsigned long dxl_symbol(const char *name)
{
	static unsigned long (*lookup)(const char *name);
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };

	if (!lookup && !register_kprobe(&probe)) {
		lookup = (void *)probe.addr;
		unregister_kprobe(&probe);
	}
	return lookup ? lookup(name) : 0;
}

static void dxl_hook_find(struct dxl_hook *hook)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hook->symbol) && !hook->address; i++) {
		if (!hook->symbol[i])
			break;
		hook->address = dxl_symbol(hook->symbol[i]);
		if (hook->address &&
		    ftrace_set_filter_ip(&dxl_hook_ops, hook->address, 0, 0))
			hook->address = 0;
	}
}

/* All of it is built in: it stays where it is. */
static bool dxl_hooks_found;

static void dxl_hooks_find(void)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_HOOKS && !dxl_hooks_found; i++)
		dxl_hook_find(&dxl_hooks[i]);
	dxl_hooks_found = true;
}

/* Callers of a function come to its wrapper, or do not. The hooks are not installed. */
static int dxl_hook_withhold(struct dxl_hook *hook, bool withheld)
{
	int err = 0;

	if (hook->address && hook->withheld != withheld)
		err = ftrace_set_filter_ip(&dxl_hook_ops, hook->address,
					   withheld, 0);
	if (!err)
		hook->withheld = withheld;
	return err;
}

static void dxl_hooks_restore(void)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_HOOKS; i++)
		if (dxl_hook_withhold(&dxl_hooks[i], false))
			pr_err("%s() is hooked no more\n", dxl_hooks[i].symbol[0]);
}

static int dxl_hooks_without(const char *name)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_HOOKS; i++)
		if (!strcmp(dxl_hooks[i].symbol[0], name))
			return dxl_hook_withhold(&dxl_hooks[i], true);
	return -EINVAL;
}

static int dxl_hooks_register(const char **why)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_HOOKS; i++) {
		*why = dxl_hooks[i].missing;
		if (dxl_hooks[i].flags & DXL_HOOK_NEEDED &&
		    !dxl_hook_is_on(&dxl_hooks[i]))
			return -EOPNOTSUPP;
	}
	*why = "ftrace cannot have the functions of fs/dax.c (a live patch has?)";
	return register_ftrace_function(&dxl_hook_ops);
}

/**
 * dxl_hooks_install() - From now on callers come to the wrappers.
 * @without: a function of the table, as if this kernel had none; or NULL
 * @why: set to the reason if not
 *
 * Context: May sleep; the caller has the only bridge.
 * Return: 0 or a negative errno; -EOPNOTSUPP: this kernel cannot.
 */
int dxl_hooks_install(const char *without, const char **why)
{
	int err;

	*why = "indirect calls are checked: boot with ibt=off";
	if (dxl_ibt_on())
		return -EOPNOTSUPP;
	dxl_hooks_find();
	*why = "no function of that name is hooked";
	err = without ? dxl_hooks_without(without) : 0;
	if (!err)
		err = dxl_hooks_register(why);
	if (err)
		dxl_hooks_restore();
	return err;
}

/**
 * dxl_hooks_remove() - Nobody comes to a wrapper any more; some may be there.
 *
 * Context: May sleep; after dxl_hooks_install().
 */
void dxl_hooks_remove(void)
{
	int err = unregister_ftrace_function(&dxl_hook_ops);

	if (err)
		pr_err("hooks cannot be removed: %d\n", err);
	else
		dxl_hooks_restore();
}

/**
 * dxl_bridge_exit() - Nobody executes a wrapper.
 *
 * Context: May sleep; the module goes, nobody has a reference to it.
 */
void dxl_bridge_exit(void)
{
	if (!dxl_hooks_found)
		return;
	/* Not before: the hooks would have a filter that is gone. */
	ftrace_free_filter(&dxl_hook_ops);
	/* The last instructions of a wrapper come after its reference has gone. */
	synchronize_rcu_tasks();
}
#else
unsigned long dxl_symbol(const char *name)
{
	return 0;
}

bool dxl_stock_can_wait(void)
{
	return false;
}

int dxl_hooks_install(const char *without, const char **why)
{
	*why = "needs ftrace with registers, on x86-64";
	return -EOPNOTSUPP;
}

void dxl_hooks_remove(void)
{
}

void dxl_bridge_exit(void)
{
}
#endif
