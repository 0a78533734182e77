// SPDX-License-Identifier: GPL-2.0
/*
 * Syncs of a stock file: what was dirty when each was called, and what of that
 * was flushed before it returned
 *
 * That is the one sound sign of a broken promise. How long a call took says
 * nothing (ext4 waits for handles that parked faults hold), nor does a TOWRITE
 * mark that it left (another sync may have set it), nor the DIRTY mark alone (up
 * to 6.1 and some later releases read faults set it too): whoever asks knows
 * what was stored to.
 *
 * A flush counts if it has completed since the call, whoever made it and whenever
 * it began: the entry is locked and write-protected then, so a store that was
 * complete before the call is in it. Between a flush and the end of the DIRTY mark
 * an entry looks dirty still: a sync remembers its last flush until the next.
 */
#include "bridge_int.h"

#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/xarray.h>

/* Entries as fs/dax.c has had them since v4.20, and as it has them in v7.3. */
#define DXL_STOCK_SHIFT		4
#define DXL_STOCK_LOCKED	1UL
#define DXL_STOCK_PMD		2UL
#define DXL_STOCK_NO_FRAME	12UL	/* zero page, empty */

static void dxl_sync_name(struct dxl_sync *sync)
{
	char role[DXL_ROLE_NAME];

	if (dxl_role_name_of(current, role))
		strscpy(sync->who, role, sizeof(sync->who));
	else
		snprintf(sync->who, sizeof(sync->who), "%s/%d", current->comm,
			 current->pid);
}

/*
 * Somebody has flushed it just now, and its mark does not show that yet: whoever
 * flushes keeps the entry locked until it does.
 */
static bool dxl_frame_is_new(struct dxl_bridge *bridge,
			     const struct dxl_frame *frame, unsigned long value)
	__must_hold(&bridge->lock)
{
	const struct dxl_sync *sync;

	if (!(value & DXL_STOCK_LOCKED))
		return false;
	list_for_each_entry(sync, &bridge->syncs, list)
		if (!sync->ended && sync->nr_pfns && sync->pfn <= frame->pfn &&
		    frame->pfn + BIT(frame->order) <= sync->pfn + sync->nr_pfns)
			return true;
	return false;
}

static void dxl_sync_frame(struct dxl_bridge *bridge, struct dxl_sync *sync,
			   pgoff_t index, unsigned long value)
	__must_hold(&bridge->lock)
{
	struct dxl_frame *frame = &sync->frame[sync->nr++];

	frame->order = value & DXL_STOCK_PMD ? DXL_PMD_ORDER : 0;
	frame->index = round_down(index, BIT(frame->order));
	frame->pfn = value >> DXL_STOCK_SHIFT;
	frame->flushed = dxl_frame_is_new(bridge, frame, value);
}

static void dxl_sync_look(struct dxl_bridge *bridge, struct dxl_sync *sync,
			  pgoff_t first, pgoff_t last)
{
	XA_STATE(xas, &bridge->mapping->i_pages, first);
	unsigned long value;
	void *entry;

	xas_lock_irq(&xas);
	spin_lock(&bridge->lock);
	xas_for_each_marked(&xas, entry, last, PAGECACHE_TAG_DIRTY) {
		if (!xa_is_value(entry))
			continue;
		value = xa_to_value(entry);
		if (value & DXL_STOCK_NO_FRAME)
			continue;
		sync->more = sync->nr == DXL_FRAMES_MAX;
		if (sync->more)
			break;
		dxl_sync_frame(bridge, sync, xas.xa_index, value);
	}
	if (bridge->nr_syncs < DXL_SYNCS_MAX) {
		bridge->nr_syncs++;
	} else {
		bridge->untold++;
		sync->forgotten = true;
	}
	list_add_tail(&sync->list, &bridge->syncs);
	spin_unlock(&bridge->lock);
	xas_unlock_irq(&xas);
}

/**
 * dxl_sync_begin() - The caller is about to sync.
 * @bridge: of the file
 * @first: page index from which
 * @last: and to which
 *
 * Context: May sleep, without going into the filesystem.
 * Return: For dxl_sync_end(); NULL: no memory, nothing will be known of it.
 */
struct dxl_sync *dxl_sync_begin(struct dxl_bridge *bridge, pgoff_t first,
				pgoff_t last)
{
	struct dxl_sync *sync = kzalloc(sizeof(*sync), GFP_NOFS | __GFP_NOWARN);

	if (!sync) {
		spin_lock_irq(&bridge->lock);
		bridge->untold++;
		spin_unlock_irq(&bridge->lock);
		return NULL;
	}
	sync->task = current;
	dxl_sync_name(sync);
	dxl_sync_look(bridge, sync, first, last);
	return sync;
}

/**
 * dxl_sync_flushed() - A flush has completed, of whatever.
 * @bridge: a bridge
 * @pfn: first frame
 * @nr: frames that were flushed as a whole
 *
 * Context: Process context.
 */
void dxl_sync_flushed(struct dxl_bridge *bridge, unsigned long pfn,
		      unsigned long nr)
{
	struct dxl_sync *sync;
	struct dxl_frame *frame;
	unsigned int i;

	spin_lock_irq(&bridge->lock);
	list_for_each_entry(sync, &bridge->syncs, list) {
		if (sync->ended)
			continue;
		if (sync->task == current) {
			sync->pfn = pfn;
			sync->nr_pfns = nr;
		}
		for (i = 0; i < sync->nr; i++) {
			frame = &sync->frame[i];
			if (pfn <= frame->pfn &&
			    frame->pfn + BIT(frame->order) <= pfn + nr)
				frame->flushed = true;
		}
	}
	spin_unlock_irq(&bridge->lock);
}

static const struct dxl_frame *dxl_sync_missed(const struct dxl_sync *sync)
{
	unsigned int i;

	for (i = 0; i < sync->nr; i++)
		if (!sync->frame[i].flushed)
			return &sync->frame[i];
	return NULL;
}

static void dxl_sync_free(struct dxl_sync *sync)
{
	list_del(&sync->list);
	kfree(sync);
}

/**
 * dxl_sync_end() - A sync returns.
 * @bridge: of the file
 * @sync: what dxl_sync_begin() gave, or NULL
 * @ret: what it returns
 *
 * Context: Process context.
 */
void dxl_sync_end(struct dxl_bridge *bridge, struct dxl_sync *sync, int ret)
{
	struct xarray *pages = &bridge->mapping->i_pages;
	const struct dxl_frame *missed;
	void *entry;

	if (!sync)
		return;
	spin_lock_irq(&bridge->lock);
	sync->ended = true;
	sync->ret = ret;
	missed = dxl_sync_missed(sync);
	if (missed) {
		/* Beside the verdict, and maybe changed by now. */
		entry = xa_load(pages, missed->index);
		sync->entry = xa_is_value(entry) ? xa_to_value(entry) : 0;
		sync->dirty = xa_get_mark(pages, missed->index,
					  PAGECACHE_TAG_DIRTY);
		sync->towrite = xa_get_mark(pages, missed->index,
					    PAGECACHE_TAG_TOWRITE);
	}
	if (sync->forgotten)
		dxl_sync_free(sync);
	spin_unlock_irq(&bridge->lock);
}

/**
 * dxl_sync_is_mine() - Is the caller in a sync of the file?
 * @bridge: of the file
 * @index: set to the first page that was dirty, if so
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_sync_is_mine(struct dxl_bridge *bridge, pgoff_t *index)
{
	const struct dxl_sync *sync;
	unsigned long flags;
	bool mine = false;

	spin_lock_irqsave(&bridge->lock, flags);
	list_for_each_entry(sync, &bridge->syncs, list) {
		if (sync->ended || sync->task != current)
			continue;
		mine = true;
		*index = sync->frame[0].index;
	}
	spin_unlock_irqrestore(&bridge->lock, flags);
	return mine;
}

/**
 * dxl_syncs_forget() - A new run begins, or the end is near.
 * @bridge: of the file
 *
 * Context: Process context.
 */
void dxl_syncs_forget(struct dxl_bridge *bridge)
{
	struct dxl_sync *sync, *next;

	spin_lock_irq(&bridge->lock);
	list_for_each_entry_safe(sync, next, &bridge->syncs, list) {
		sync->forgotten = true;
		if (sync->ended)
			dxl_sync_free(sync);
	}
	bridge->nr_syncs = 0;
	bridge->untold = 0;
	spin_unlock_irq(&bridge->lock);
}

static void dxl_sync_show(struct seq_file *seq, const struct dxl_sync *sync)
{
	const struct dxl_frame *missed = dxl_sync_missed(sync);
	unsigned int flushed = 0, i;

	for (i = 0; i < sync->nr; i++)
		flushed += sync->frame[i].flushed;
	seq_printf(seq, "sync %s %s ret %d dirty %u%s flushed %u",
		   sync->who, sync->ended ? "returned" : "runs", sync->ret,
		   sync->nr, sync->more ? "+" : "", flushed);
	if (missed && sync->ended)
		seq_printf(seq, " unflushed 0x%lx order %u pfn 0x%lx entry 0x%lx locked %s DIRTY %d TOWRITE %d",
			   missed->index, missed->order, missed->pfn,
			   sync->entry,
			   sync->entry & DXL_STOCK_LOCKED ? "yes" : "no",
			   sync->dirty, sync->towrite);
	seq_putc(seq, '\n');
	for (i = 0; i < sync->nr; i++)
		seq_printf(seq, "frame %s index 0x%lx order %u pfn 0x%lx %s\n",
			   sync->who, sync->frame[i].index,
			   sync->frame[i].order, sync->frame[i].pfn,
			   sync->frame[i].flushed ? "flushed" : "unflushed");
}

/**
 * dxl_syncs_show() - What syncs did since mark, a line for each and its frames.
 * @seq: where to
 * @bridge: of the file
 *
 * Context: Process context.
 */
void dxl_syncs_show(struct seq_file *seq, struct dxl_bridge *bridge)
{
	const struct dxl_sync *sync;

	spin_lock_irq(&bridge->lock);
	list_for_each_entry(sync, &bridge->syncs, list)
		if (!sync->forgotten)
			dxl_sync_show(seq, sync);
	if (bridge->untold)
		seq_printf(seq, "syncs_untold %u\n", bridge->untold);
	spin_unlock_irq(&bridge->lock);
}
