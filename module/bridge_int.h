/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parts of the bridge, shared by bridge*.c only.
 */
#ifndef DXL_BRIDGE_INT_H
#define DXL_BRIDGE_INT_H

#include "bridge.h"
#include "entry.h"
#include "role.h"

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>

/* Where a function tells which file it is about. */
enum dxl_hook_key {
	DXL_KEY_XAS,		/* first argument: struct xa_state */
	DXL_KEY_MAPPING,	/* first argument: struct address_space */
	DXL_KEY_VMF,		/* first argument: struct vm_fault */
	DXL_KEY_SYNC,		/* it does not: the file that the task syncs */
};

#define DXL_HOOK_ATOMIC		1	/* i_pages is locked: no parking */
#define DXL_HOOK_IN_SYNC	2	/* crossed by tasks that sync only */
#define DXL_HOOK_NEEDED		4	/* no oracle without it */

#define DXL_NO_WINDOW		(-1)

/*
 * H(HOOK, symbol, other symbol, key, flags, window before, window after): the
 * functions of the kernel, as they are called from 6.1 on.
 */
#define DXL_HOOK_TABLE(H)						\
	H(PTE_FAULT, "dax_iomap_pte_fault", NULL, DXL_KEY_VMF, 0,	\
	  DXL_WIN_FAULT_AFTER_CORE_PMD_CHECK, DXL_NO_WINDOW)		\
	H(PMD_FAULT, "dax_iomap_pmd_fault", NULL, DXL_KEY_VMF, 0,	\
	  DXL_WIN_FAULT_AFTER_CORE_PMD_CHECK, DXL_NO_WINDOW)		\
	H(GRAB, "grab_mapping_entry", NULL, DXL_KEY_XAS, 0,		\
	  DXL_WIN_FAULT_BEFORE_GRAB, DXL_WIN_FAULT_AFTER_GRAB)		\
	H(INSERT, "dax_insert_entry", NULL, DXL_KEY_XAS, 0,		\
	  DXL_WIN_FAULT_BEFORE_INSERT_ENTRY, DXL_WIN_FAULT_AFTER_INSERT_ENTRY) \
	H(UNLOCK, "dax_unlock_entry", NULL, DXL_KEY_XAS, 0,		\
	  DXL_WIN_FAULT_BEFORE_UNLOCK, DXL_NO_WINDOW)			\
	H(UNLOCKED, "get_unlocked_entry", "get_next_unlocked_entry", DXL_KEY_XAS, \
	  DXL_HOOK_ATOMIC | DXL_HOOK_IN_SYNC,				\
	  DXL_WIN_WRITEBACK_FOUND_LOCKED, DXL_NO_WINDOW)		\
	H(TAG, "tag_pages_for_writeback", NULL, DXL_KEY_MAPPING, DXL_HOOK_IN_SYNC, \
	  DXL_NO_WINDOW, DXL_WIN_WRITEBACK_AFTER_TAG)			\
	H(FLUSH, "dax_flush", NULL, DXL_KEY_SYNC, DXL_HOOK_IN_SYNC | DXL_HOOK_NEEDED, \
	  DXL_WIN_WRITEBACK_AFTER_WRPROTECT, DXL_WIN_WRITEBACK_AFTER_FLUSH) \
	H(SYNC, "dax_writeback_mapping_range", NULL, DXL_KEY_MAPPING, DXL_HOOK_NEEDED, \
	  DXL_NO_WINDOW, DXL_NO_WINDOW)

enum dxl_hook_id {
#define DXL_HOOK_ENUM(hook, ...) DXL_HOOK_##hook,
	DXL_HOOK_TABLE(DXL_HOOK_ENUM)
#undef DXL_HOOK_ENUM
	DXL_NR_HOOKS
};

#define DXL_HOOK_ARGS		6

/**
 * struct dxl_hook - a function of the kernel that callers enter by way of us
 * @symbol: its names
 * @key: enum dxl_hook_key
 * @flags: DXL_HOOK_*
 * @before: window that is crossed before it, or DXL_NO_WINDOW
 * @after: likewise after it
 * @wrapper: what callers enter
 * @address: of the function; 0: not in this kernel, or ftrace cannot have it
 */
struct dxl_hook {
	const char *symbol[2];
	enum dxl_hook_key key;
	unsigned int flags;
	int before;
	int after;
	void *wrapper;
	unsigned long address;
};

#define DXL_SYNCS_MAX		32	/* that are kept since mark */
#define DXL_FRAMES_MAX		16	/* of one sync */

/**
 * struct dxl_frame - memory that was dirty when a sync was called
 * @index: first page index of its entry
 * @order: of the entry
 * @pfn: first frame
 * @flushed: a flush of all of it has completed since
 */
struct dxl_frame {
	pgoff_t index;
	unsigned int order;
	unsigned long pfn;
	bool flushed;
};

/**
 * struct dxl_sync - a call of dax_writeback_mapping_range()
 * @list: in dxl_bridge.syncs
 * @task: who; only to compare, and only until @ended
 * @who: its role, or "comm/pid"
 * @ended: it has returned
 * @forgotten: nobody will ask for it: it goes when it has returned
 * @ret: what it returned
 * @pfn: of the last flush that it completed: the entry's marks may not show yet
 * @nr_pfns: likewise; 0: none
 * @more: more was dirty when it was called than @frame has room for
 * @nr: of @frame
 * @frame: what was dirty
 * @entry: value of the first unflushed one when the call returned
 * @dirty: its DIRTY mark then
 * @towrite: its TOWRITE mark then
 */
struct dxl_sync {
	struct list_head list;
	const struct task_struct *task;
	char who[TASK_COMM_LEN + 12];
	bool ended;
	bool forgotten;
	int ret;
	unsigned long pfn;
	unsigned long nr_pfns;
	bool more;
	unsigned int nr;
	struct dxl_frame frame[DXL_FRAMES_MAX];
	unsigned long entry;
	bool dirty;
	bool towrite;
};

/**
 * struct dxl_bridge - a file of a stock filesystem in a session
 * @users: the session, and tasks in wrappers
 * @file: keeps inode and mount
 * @mapping: of it
 * @lab: its log, and what rules compare
 * @tree: names the file in events; nothing is in it
 * @lock: guards what follows; irqs off, inside the xa_lock of i_pages
 * @syncs: struct dxl_sync of all that run, and of some that ended since mark
 * @nr_syncs: of the calls since mark that are kept
 * @untold: those that are not
 */
struct dxl_bridge {
	refcount_t users;
	struct file *file;
	struct address_space *mapping;
	struct dxl_lab lab;
	struct dxl_tree tree;
	spinlock_t lock;
	struct list_head syncs;
	unsigned int nr_syncs;
	unsigned int untold;
};

/* bridge_hook.c */
extern struct dxl_hook dxl_hooks[DXL_NR_HOOKS];
int dxl_hooks_install(const char **why);
void dxl_hooks_remove(void);
unsigned long dxl_hook_call(const struct dxl_hook *hook,
			    const unsigned long *arg);

/* bridge.c: what a wrapper does */
unsigned long dxl_bridge_pass(const struct dxl_hook *hook,
			      const unsigned long *arg);

/* bridge_sync.c */
struct dxl_sync *dxl_sync_begin(struct dxl_bridge *bridge, pgoff_t first,
				pgoff_t last);
void dxl_sync_flushed(struct dxl_bridge *bridge, unsigned long pfn,
		      unsigned long nr);
void dxl_sync_end(struct dxl_bridge *bridge, struct dxl_sync *sync, int ret);
bool dxl_sync_is_mine(struct dxl_bridge *bridge, pgoff_t *index);
void dxl_syncs_forget(struct dxl_bridge *bridge);
void dxl_syncs_show(struct seq_file *seq, struct dxl_bridge *bridge);

#endif /* DXL_BRIDGE_INT_H */
