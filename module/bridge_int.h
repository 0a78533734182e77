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

/* Entries as fs/dax.c has had them since v4.20, and as it has them in v7.3. */
#define DXL_STOCK_SHIFT		4
#define DXL_STOCK_LOCKED	1UL
#define DXL_STOCK_PMD		2UL
#define DXL_STOCK_NO_FRAME	12UL	/* zero page, empty */

/* Of the value of an entry. */
static inline unsigned int dxl_stock_order(unsigned long value)
{
	return value & DXL_STOCK_PMD ? DXL_PMD_ORDER : 0;
}

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
	H(DELETE, "__dax_invalidate_entry", NULL, DXL_KEY_MAPPING, 0,	\
	  DXL_NO_WINDOW, DXL_NO_WINDOW)					\
	H(DELETE_RANGE, "dax_delete_mapping_range", NULL, DXL_KEY_MAPPING, 0, \
	  DXL_NO_WINDOW, DXL_NO_WINDOW)					\
	H(INVALIDATE, "invalidate_inode_pages2_range", NULL, DXL_KEY_MAPPING, 0, \
	  DXL_WIN_WRITE_BEFORE_INVALIDATE, DXL_WIN_WRITE_AFTER_INVALIDATE) \
	H(LAYOUT, "dax_layout_busy_page_range", NULL, DXL_KEY_MAPPING, 0, \
	  DXL_NO_WINDOW, DXL_WIN_LAYOUT_AFTER_SCAN)			\
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
 * @missing: what is to be said if it is not on
 * @address: of the function; 0: not in this kernel, or ftrace cannot have it
 * @withheld: the session wants a kernel without it
 */
struct dxl_hook {
	const char *symbol[2];
	enum dxl_hook_key key;
	unsigned int flags;
	int before;
	int after;
	void *wrapper;
	const char *missing;
	unsigned long address;
	bool withheld;
};

static inline bool dxl_hook_is_on(const struct dxl_hook *hook)
{
	return hook->address && !hook->withheld;
}

#define DXL_SYNCS_MAX		32	/* that are kept since mark */
#define DXL_FRAMES_MAX		16	/* of one sync that is kept */
#define DXL_FRAMES_SUMMED	4096	/* of one that is summed */

/* GONE: a truncate has taken its entry, so nothing is promised any more. */
enum dxl_frame_state { DXL_FRAME_UNFLUSHED, DXL_FRAME_FLUSHED, DXL_FRAME_GONE };

/**
 * struct dxl_frame - memory that was dirty when a sync was called
 * @index: first page index of its entry
 * @order: of the entry
 * @pfn: first frame
 * @state: what has become of it since; flushed: all of it, and completely
 */
struct dxl_frame {
	pgoff_t index;
	unsigned int order;
	unsigned long pfn;
	enum dxl_frame_state state;
};

/**
 * struct dxl_look - how the mappings of a frame have it
 * @writable: mappings through which it can be stored to without a fault
 * @readonly: others that have it
 */
struct dxl_look {
	unsigned int writable;
	unsigned int readonly;
};

/**
 * struct dxl_sync - a call of dax_writeback_mapping_range()
 * @list: in dxl_bridge.syncs
 * @task: who; only to compare until @ended, and it cannot exit before that
 * @who: its role, or "comm/pid"
 * @ended: the function has returned: what is flushed later does not count
 * @over: its task has left it
 * @forgotten: nobody will ask for it: it goes when it is over
 * @ret: what it returned
 * @pfn: of the last flush that it completed: the entry's marks may not show yet
 * @nr_pfns: likewise; 0: none
 * @passed: locked entries that it met, and was told that none is there
 * @begun_ns: when it was called, by dxl_record_clock()
 * @tagged_ns: when it had tagged, by dxl_record_clock(); 0: it has not
 * @young: entries left out of @frame: the fault that made them dirty still runs
 * @more: more was dirty when it was called than @frame has room for
 * @cursor: where in @frame a flush was found last
 * @room: of @frame
 * @nr: of @frame
 * @entry: value of the first unflushed one when the call returned
 * @dirty: its DIRTY mark then
 * @towrite: its TOWRITE mark then
 * @look: how it was mapped then
 * @frame: what was dirty, by index
 */
struct dxl_sync {
	struct list_head list;
	const struct task_struct *task;
	char who[TASK_COMM_LEN + 12];
	bool ended;
	bool over;
	bool forgotten;
	int ret;
	unsigned long pfn;
	unsigned long nr_pfns;
	unsigned int passed;
	u64 begun_ns;
	u64 tagged_ns;
	unsigned int young;
	bool more;
	unsigned int cursor;
	unsigned int room;
	unsigned int nr;
	unsigned long entry;
	bool dirty;
	bool towrite;
	struct dxl_look look;
	struct dxl_frame frame[];
};

struct dxl_tally;

/**
 * struct dxl_bridge - a file of a stock filesystem in a session
 * @users: the session, and tasks in wrappers
 * @file: keeps inode and mount
 * @mapping: of it
 * @lab: its log, and what rules compare
 * @tree: names the file in events; nothing is in it
 * @cure: enum dxl_cure, see bridge_cure.c
 * @tally: what syncs came to, or NULL: they are kept one by one; guarded by @lock
 * @lock: guards what follows; irqs off, inside the xa_lock of i_pages
 * @syncs: struct dxl_sync of all that run, and of some that ended since mark
 * @nr_syncs: of the calls since mark that are kept
 * @untold: those that are not
 * @scans: for pinned pages, since mark
 * @idle: of these: none was found
 */
struct dxl_bridge {
	refcount_t users;
	struct file *file;
	struct address_space *mapping;
	struct dxl_lab lab;
	struct dxl_tree tree;
	unsigned int cure;
	struct dxl_tally *tally;
	spinlock_t lock;
	struct list_head syncs;
	unsigned int nr_syncs;
	unsigned int untold;
	unsigned int scans;
	unsigned int idle;
};

/* bridge_hook.c */
extern struct dxl_hook dxl_hooks[DXL_NR_HOOKS];
int dxl_hooks_install(const char *without, const char **why);
void dxl_hooks_remove(void);
unsigned long dxl_hook_call(const struct dxl_hook *hook,
			    const unsigned long *arg);
unsigned long dxl_symbol(const char *name);	/* 0: not in this kernel */
void *dxl_stock_get_unlocked(struct xa_state *xas);
void dxl_stock_put_unlocked(struct xa_state *xas, void *entry);
bool dxl_stock_can_wait(void);

/* bridge.c: what a wrapper does */
unsigned long dxl_bridge_pass(const struct dxl_hook *hook,
			      const unsigned long *arg);
pgoff_t dxl_hook_index(const struct dxl_hook *hook, const unsigned long *arg);
void dxl_hook_flushed(struct dxl_bridge *bridge, const unsigned long *arg);

/* bridge_sync.c */
struct dxl_sync *dxl_sync_begin(struct dxl_bridge *bridge, pgoff_t first,
				pgoff_t last);
void dxl_sync_flushed(struct dxl_bridge *bridge, unsigned long pfn,
		      unsigned long nr);
void dxl_sync_gone(struct dxl_bridge *bridge, pgoff_t first, pgoff_t last);
void dxl_sync_end(struct dxl_bridge *bridge, struct dxl_sync *sync, int ret);
struct dxl_sync *dxl_sync_mine(struct dxl_bridge *bridge)
	__must_hold(&bridge->lock);
bool dxl_sync_is_mine(struct dxl_bridge *bridge, pgoff_t *index);
void dxl_sync_met(struct dxl_bridge *bridge, pgoff_t index, bool found);
const struct dxl_frame *dxl_sync_missed(const struct dxl_sync *sync);
unsigned int dxl_sync_count(const struct dxl_sync *sync,
			    enum dxl_frame_state state);
void dxl_syncs_forget(struct dxl_bridge *bridge);

/* bridge_look.c: evidence */
void dxl_syncs_show(struct seq_file *seq, struct dxl_bridge *bridge);
void dxl_look_mapped(const struct dxl_bridge *bridge,
		     const struct dxl_frame *frame, struct dxl_look *look);
void dxl_waiters_show(struct seq_file *seq, const struct dxl_bridge *bridge);

/* bridge_cure.c */
enum dxl_cure { DXL_CURE_NONE, DXL_CURE_RESET, DXL_CURE_RESET_WAIT };
void dxl_cure_meeting(const struct dxl_bridge *bridge, struct xa_state *xas);
void dxl_cure_walked(const struct dxl_bridge *bridge, pgoff_t first,
		     pgoff_t last);

/* bridge_record.c; what is summed */
unsigned long dxl_record_pass(struct dxl_bridge *bridge,
			      const struct dxl_hook *hook,
			      const unsigned long *arg);
bool dxl_record_is_young(struct dxl_bridge *bridge, pgoff_t first, pgoff_t last)
	__must_hold(&bridge->lock);
u64 dxl_record_clock(void);
void dxl_record_sync(struct dxl_bridge *bridge, const struct dxl_sync *sync)
	__must_hold(&bridge->lock);
void dxl_record_show(struct seq_file *seq, struct dxl_bridge *bridge);

#endif /* DXL_BRIDGE_INT_H */
