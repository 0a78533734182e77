// SPDX-License-Identifier: GPL-2.0
/*
 * Record only: what the syncs of a file come to under a load, and how wide its
 * windows are
 *
 * Nobody is parked, no window is crossed, no event is logged: a wrapper reads the
 * clock and counts. A sync is *over an unflushed entry* if it returned 0, an entry
 * was DIRTY when it was called, and no flush of it had completed by then. An entry
 * that became dirty by a fault that still runs is left out: its store is not
 * complete, so nothing was promised. Up to 6.1, and in some later releases, read
 * faults set DIRTY too: so "over an unflushed entry" is an upper bound of broken
 * promises where pages are only read, and "of these writable" tells how many of
 * them had a mapping through which a store went on without a fault.
 */
#include "bridge_int.h"

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* W(WIDTH, name): from where to where. */
#define DXL_WIDTH_TABLE(W)						\
	W(FAULT, "fault_holds")	/* a fault has an entry locked */	\
	W(FLUSH, "sync_flushes") /* a sync flushes one, which it has locked longer */ \
	W(TAGGED, "sync_tagged") /* a sync has tagged, and not returned */ \
	W(SYNC, "sync_runs")	/* the whole call */

enum dxl_width {
#define DXL_WIDTH_ENUM(width, name) DXL_WIDTH_##width,
	DXL_WIDTH_TABLE(DXL_WIDTH_ENUM)
#undef DXL_WIDTH_ENUM
	DXL_NR_WIDTHS
};

#define DXL_WIDTH_BUCKETS	36	/* b: [2^(b-1), 2^b) ns; the last: all above */

static const char * const dxl_widths[] = {
#define DXL_WIDTH_NAME(width, name) name,
	DXL_WIDTH_TABLE(DXL_WIDTH_NAME)
#undef DXL_WIDTH_NAME
};

/**
 * struct dxl_visit - a fault that is in fs/dax.c, on its own stack
 * @list: in dxl_tally.visits
 * @task: who; only to compare
 * @index: of the entry that it has locked, or had
 * @since: dxl_record_clock() of then, while it has it; else 0
 * @clean: the entry was not DIRTY then: what it is to be dirty for is still to come
 */
struct dxl_visit {
	struct list_head list;
	const struct task_struct *task;
	pgoff_t index;
	u64 since;
	bool clean;
};

/**
 * struct dxl_tally - what syncs came to since "record"; under dxl_bridge.lock
 * @visits: struct dxl_visit
 * @calls: of hooked functions
 * @faults: of them, faults
 * @syncs: that returned 0
 * @failed: that did not
 * @over: over an unflushed entry
 * @passed: of these: they met a locked entry and passed it (B3)
 * @writable: of @over: such an entry was mapped writable when they returned
 * @cut: syncs with more entries than could be looked at
 * @dirty: entries that were dirty when a sync was called
 * @unflushed: of these
 * @gone: of these: a truncate took them
 * @young: left out
 * @met_passed: locked entries that syncs passed
 * @width: histograms
 */
struct dxl_tally {
	struct list_head visits;
	u64 calls;
	u64 faults;
	u64 syncs;
	u64 failed;
	u64 over;
	u64 passed;
	u64 writable;
	u64 cut;
	u64 dirty;
	u64 unflushed;
	u64 gone;
	u64 young;
	u64 met_passed;
	u64 width[DXL_NR_WIDTHS][DXL_WIDTH_BUCKETS];
};

/**
 * dxl_record_clock() - The clock of widths, in ns; never 0.
 *
 * Context: Any context.
 * Return: Nanoseconds since some time.
 */
u64 dxl_record_clock(void)
{
	return local_clock() ?: 1;
}

static void dxl_record_width(struct dxl_tally *tally, enum dxl_width width,
			     u64 since)
{
	s64 ns = dxl_record_clock() - since;
	unsigned int bucket = ns > 0 ? ilog2(ns) + 1 : 0;

	if (since)
		tally->width[width][min(bucket, DXL_WIDTH_BUCKETS - 1U)]++;
}

/**
 * dxl_bridge_record() - From now on syncs are summed.
 * @bridge: the bridge
 *
 * Context: May sleep.
 * Return: 0; -EBUSY: they are already; -ENOMEM.
 */
int dxl_bridge_record(struct dxl_bridge *bridge)
{
	struct dxl_tally *tally = kzalloc(sizeof(*tally), GFP_KERNEL);
	int err = 0;

	if (!tally)
		return -ENOMEM;
	INIT_LIST_HEAD(&tally->visits);
	spin_lock_irq(&bridge->lock);
	if (bridge->tally)
		err = -EBUSY;
	else
		WRITE_ONCE(bridge->tally, tally);
	spin_unlock_irq(&bridge->lock);
	if (err)
		kfree(tally);
	return err;
}

static struct dxl_visit *dxl_visit_mine(struct dxl_tally *tally)
{
	struct dxl_visit *visit;

	list_for_each_entry(visit, &tally->visits, list)
		if (visit->task == current)
			return visit;
	return NULL;
}

static unsigned long dxl_record_fault(struct dxl_bridge *bridge,
				      const struct dxl_hook *hook,
				      const unsigned long *arg)
{
	struct dxl_visit visit = { .task = current };
	unsigned long ret;

	spin_lock_irq(&bridge->lock);
	bridge->tally->calls++;
	bridge->tally->faults++;
	list_add(&visit.list, &bridge->tally->visits);
	spin_unlock_irq(&bridge->lock);
	ret = dxl_hook_call(hook, arg);
	spin_lock_irq(&bridge->lock);
	list_del(&visit.list);
	spin_unlock_irq(&bridge->lock);
	return ret;
}

/* The entry is locked: its marks are changed by none but its owner. */
static unsigned long dxl_record_grab(struct dxl_bridge *bridge,
				     const struct dxl_hook *hook,
				     const unsigned long *arg)
{
	struct xarray *pages = &bridge->mapping->i_pages;
	pgoff_t index = dxl_hook_index(hook, arg);
	unsigned long ret = dxl_hook_call(hook, arg);
	bool dirty = xa_get_mark(pages, index, PAGECACHE_TAG_DIRTY);
	struct dxl_visit *visit;

	spin_lock_irq(&bridge->lock);
	bridge->tally->calls++;
	visit = dxl_visit_mine(bridge->tally);
	if (visit && !xa_is_internal((void *)ret)) {
		visit->index = index;
		visit->clean = !dirty;
		visit->since = dxl_record_clock();
	}
	spin_unlock_irq(&bridge->lock);
	return ret;
}

static unsigned long dxl_record_unlock(struct dxl_bridge *bridge,
				       const struct dxl_hook *hook,
				       const unsigned long *arg)
{
	struct dxl_visit *visit;

	spin_lock_irq(&bridge->lock);
	bridge->tally->calls++;
	visit = dxl_visit_mine(bridge->tally);
	if (visit && visit->since) {
		dxl_record_width(bridge->tally, DXL_WIDTH_FAULT, visit->since);
		visit->since = 0;
	}
	spin_unlock_irq(&bridge->lock);
	return dxl_hook_call(hook, arg);
}

static unsigned long dxl_record_tag(struct dxl_bridge *bridge,
				    const struct dxl_hook *hook,
				    const unsigned long *arg)
{
	unsigned long ret = dxl_hook_call(hook, arg);
	struct dxl_sync *sync;

	spin_lock_irq(&bridge->lock);
	bridge->tally->calls++;
	sync = dxl_sync_mine(bridge);
	if (sync)
		sync->tagged_ns = dxl_record_clock();
	spin_unlock_irq(&bridge->lock);
	return ret;
}

static unsigned long dxl_record_flush(struct dxl_bridge *bridge,
				      const struct dxl_hook *hook,
				      const unsigned long *arg)
{
	u64 since = dxl_record_clock();
	unsigned long ret = dxl_hook_call(hook, arg);

	dxl_hook_flushed(bridge, arg);
	spin_lock_irq(&bridge->lock);
	bridge->tally->calls++;
	/* The function tells of no file: others of the kernel are flushed too. */
	if (dxl_sync_mine(bridge))
		dxl_record_width(bridge->tally, DXL_WIDTH_FLUSH, since);
	spin_unlock_irq(&bridge->lock);
	return ret;
}

/**
 * dxl_record_pass() - A task has come to a hook, and syncs are summed.
 * @bridge: of the file
 * @hook: which, and neither atomic nor that of syncs
 * @arg: arguments of the function
 *
 * Context: As the function has it; may sleep.
 * Return: What the function returned.
 */
unsigned long dxl_record_pass(struct dxl_bridge *bridge,
			      const struct dxl_hook *hook,
			      const unsigned long *arg)
{
	switch (hook - dxl_hooks) {
	case DXL_HOOK_PTE_FAULT:
	case DXL_HOOK_PMD_FAULT:
		return dxl_record_fault(bridge, hook, arg);
	case DXL_HOOK_GRAB:
		return dxl_record_grab(bridge, hook, arg);
	case DXL_HOOK_UNLOCK:
		return dxl_record_unlock(bridge, hook, arg);
	case DXL_HOOK_TAG:
		return dxl_record_tag(bridge, hook, arg);
	case DXL_HOOK_FLUSH:
		return dxl_record_flush(bridge, hook, arg);
	default:
		return dxl_hook_call(hook, arg);
	}
}

/**
 * dxl_record_is_young() - Was an entry made dirty by a fault that still runs?
 * @bridge: of the file, which records
 * @first: page index of the entry
 * @last: of its last page
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_record_is_young(struct dxl_bridge *bridge, pgoff_t first,
			 pgoff_t last)
{
	const struct dxl_visit *visit;

	list_for_each_entry(visit, &bridge->tally->visits, list)
		if (visit->clean && visit->index >= first &&
		    visit->index <= last)
			return true;
	return false;
}

/**
 * dxl_record_sync() - A sync has returned.
 * @bridge: of the file, which records
 * @sync: the sync
 *
 * Context: Any context.
 */
void dxl_record_sync(struct dxl_bridge *bridge, const struct dxl_sync *sync)
{
	struct dxl_tally *tally = bridge->tally;
	unsigned int i, unflushed = 0;

	tally->calls++;
	tally->failed += !!sync->ret;
	if (sync->ret)
		return;
	for (i = 0; i < sync->nr; i++) {
		unflushed += sync->frame[i].state == DXL_FRAME_UNFLUSHED;
		tally->gone += sync->frame[i].state == DXL_FRAME_GONE;
	}
	tally->syncs++;
	tally->dirty += sync->nr;
	tally->young += sync->young;
	tally->cut += sync->more;
	tally->met_passed += sync->passed;
	tally->unflushed += unflushed;
	tally->over += !!unflushed;
	tally->passed += unflushed && sync->passed;
	tally->writable += unflushed && sync->look.writable;
	dxl_record_width(tally, DXL_WIDTH_TAGGED, sync->tagged_ns);
	dxl_record_width(tally, DXL_WIDTH_SYNC, sync->begun_ns);
}

/**
 * dxl_record_show() - Sums and widths.
 * @seq: where to
 * @bridge: the bridge
 *
 * Context: With the bridge's lock.
 */
void dxl_record_show(struct seq_file *seq, struct dxl_bridge *bridge)
{
	const struct dxl_tally *tally = bridge->tally;
	unsigned int width, bucket;

	if (!tally)
		return;
	seq_printf(seq, "record calls %llu faults %llu syncs %llu failed %llu over %llu passed %llu writable %llu cut %llu\n",
		   tally->calls, tally->faults, tally->syncs, tally->failed,
		   tally->over, tally->passed, tally->writable, tally->cut);
	seq_printf(seq, "entries dirty %llu unflushed %llu gone %llu young %llu met_passed %llu\n",
		   tally->dirty, tally->unflushed, tally->gone, tally->young,
		   tally->met_passed);
	for (width = 0; width < DXL_NR_WIDTHS; width++)
		for (bucket = 0; bucket < DXL_WIDTH_BUCKETS; bucket++)
			if (tally->width[width][bucket])
				seq_printf(seq, "width %s %u %llu\n",
					   dxl_widths[width], bucket,
					   tally->width[width][bucket]);
}
