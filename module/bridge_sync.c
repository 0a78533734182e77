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
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/xarray.h>

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

	frame->order = dxl_stock_order(value);
	frame->index = round_down(index, BIT(frame->order));
	frame->pfn = value >> DXL_STOCK_SHIFT;
	frame->state = dxl_frame_is_new(bridge, frame, value) ?
		       DXL_FRAME_FLUSHED : DXL_FRAME_UNFLUSHED;
}

/* An entry of which a frame is dirty, or 0. */
static unsigned long dxl_sync_value(void *entry)
{
	unsigned long value = xa_is_value(entry) ? xa_to_value(entry) : 0;

	return value & DXL_STOCK_NO_FRAME ? 0 : value;
}

static void dxl_sync_keep(struct dxl_bridge *bridge, struct dxl_sync *sync)
	__must_hold(&bridge->lock)
{
	if (bridge->tally) {
		sync->forgotten = true;
	} else if (bridge->nr_syncs < DXL_SYNCS_MAX) {
		bridge->nr_syncs++;
	} else {
		bridge->untold++;
		sync->forgotten = true;
	}
	list_add_tail(&sync->list, &bridge->syncs);
}

static void dxl_sync_look(struct dxl_bridge *bridge, struct dxl_sync *sync,
			  pgoff_t first, pgoff_t last)
{
	XA_STATE(xas, &bridge->mapping->i_pages, first);
	unsigned long value, mask;
	void *entry;

	xas_lock_irq(&xas);
	spin_lock(&bridge->lock);
	xas_for_each_marked(&xas, entry, last, PAGECACHE_TAG_DIRTY) {
		value = dxl_sync_value(entry);
		if (!value)
			continue;
		mask = BIT(dxl_stock_order(value)) - 1;
		if (bridge->tally &&
		    dxl_record_is_young(bridge, xas.xa_index & ~mask,
					xas.xa_index | mask)) {
			sync->young++;
			continue;
		}
		sync->more = sync->nr == sync->room;
		if (sync->more)
			break;
		dxl_sync_frame(bridge, sync, xas.xa_index, value);
	}
	dxl_sync_keep(bridge, sync);
	spin_unlock(&bridge->lock);
	xas_unlock_irq(&xas);
}

/* How many frames to have room for; more may come meanwhile. */
static unsigned int dxl_sync_room(struct dxl_bridge *bridge, pgoff_t first,
				  pgoff_t last)
{
	XA_STATE(xas, &bridge->mapping->i_pages, first);
	unsigned int nr = 0;

	if (!READ_ONCE(bridge->tally))
		return DXL_FRAMES_MAX;
	xas_lock_irq(&xas);
	while (nr < DXL_FRAMES_SUMMED &&
	       xas_find_marked(&xas, last, PAGECACHE_TAG_DIRTY))
		nr++;
	xas_unlock_irq(&xas);
	return nr + nr / 4 + DXL_FRAMES_MAX;
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
	unsigned int room = dxl_sync_room(bridge, first, last);
	struct dxl_sync *sync;

	sync = kvmalloc(struct_size(sync, frame, room), DXL_LAB_GFP);
	if (!sync) {
		spin_lock_irq(&bridge->lock);
		bridge->untold++;
		spin_unlock_irq(&bridge->lock);
		return NULL;
	}
	*sync = (struct dxl_sync) {
		.task = current,
		.room = room,
		.begun_ns = dxl_record_clock(),
	};
	dxl_sync_name(sync);
	dxl_sync_look(bridge, sync, first, last);
	/* Where nobody will ask for it, nobody reads the log of it either. */
	if (!READ_ONCE(sync->forgotten))
		dxl_note(&bridge->tree, DXL_EV_SYNC, first, 0, first, sync->nr);
	return sync;
}

/*
 * The frame of a flush, if it was dirty when @sync was called. Syncs walk upwards,
 * so it is the next one in most cases. An entry is flushed as a whole: its first
 * frame tells which it is.
 */
static struct dxl_frame *dxl_sync_find(struct dxl_sync *sync,
				       unsigned long pfn)
{
	unsigned int i, at;

	for (i = 0; i < sync->nr; i++) {
		at = (sync->cursor + i) % sync->nr;
		if (sync->frame[at].pfn == pfn) {
			sync->cursor = at;
			return &sync->frame[at];
		}
	}
	return NULL;
}

static void dxl_sync_flush(struct dxl_bridge *bridge, struct dxl_sync *sync,
			   unsigned long pfn, unsigned long nr)
{
	struct dxl_frame *frame = dxl_sync_find(sync, pfn);

	if (sync->task == current) {
		sync->pfn = pfn;
		sync->nr_pfns = nr;
	}
	if (!frame || BIT(frame->order) > nr)
		return;
	frame->state = DXL_FRAME_FLUSHED;
	if (sync->task == current && !bridge->tally)
		dxl_note(&bridge->tree, DXL_EV_FLUSHED, frame->index,
			 frame->order, frame->index, pfn);
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

	spin_lock_irq(&bridge->lock);
	list_for_each_entry(sync, &bridge->syncs, list)
		if (!sync->ended)
			dxl_sync_flush(bridge, sync, pfn, nr);
	spin_unlock_irq(&bridge->lock);
}

/**
 * dxl_sync_gone() - Entries were taken out of the tree.
 * @bridge: of the file
 * @first: page index from which
 * @last: and to which
 *
 * Context: Process context.
 */
void dxl_sync_gone(struct dxl_bridge *bridge, pgoff_t first, pgoff_t last)
{
	struct dxl_frame *frame;
	struct dxl_sync *sync;

	spin_lock_irq(&bridge->lock);
	list_for_each_entry(sync, &bridge->syncs, list) {
		for (frame = sync->frame; !sync->ended &&
		     frame < sync->frame + sync->nr; frame++)
			if (frame->index <= last &&
			    first < frame->index + BIT(frame->order) &&
			    frame->state == DXL_FRAME_UNFLUSHED)
				frame->state = DXL_FRAME_GONE;
	}
	spin_unlock_irq(&bridge->lock);
}

/**
 * dxl_sync_missed() - The first frame that was not flushed.
 * @sync: a sync
 *
 * Context: With the bridge's lock, or by the sync's own task.
 * Return: It, or NULL.
 */
const struct dxl_frame *dxl_sync_missed(const struct dxl_sync *sync)
{
	unsigned int i;

	for (i = 0; i < sync->nr; i++)
		if (sync->frame[i].state == DXL_FRAME_UNFLUSHED)
			return &sync->frame[i];
	return NULL;
}

/*
 * Whoever takes entries out is told of when he has: until then they may be gone
 * and their frames look unflushed. Blocks are free for others only after that, so
 * another entry with the same frame is the same.
 */
static void dxl_sync_look_again(struct dxl_bridge *bridge,
				struct dxl_sync *sync)
	__must_hold(&bridge->lock)
{
	struct dxl_frame *frame;
	unsigned long value;

	for (frame = sync->frame; frame < sync->frame + sync->nr; frame++) {
		if (frame->state != DXL_FRAME_UNFLUSHED)
			continue;
		value = dxl_sync_value(xa_load(&bridge->mapping->i_pages,
					       frame->index));
		if (value >> DXL_STOCK_SHIFT != frame->pfn)
			frame->state = DXL_FRAME_GONE;
	}
}

/* Beside the verdict, and maybe changed by now. */
static void dxl_sync_evidence(struct dxl_bridge *bridge, struct dxl_sync *sync,
			      pgoff_t index)
{
	struct xarray *pages = &bridge->mapping->i_pages;
	void *entry = xa_load(pages, index);

	sync->entry = xa_is_value(entry) ? xa_to_value(entry) : 0;
	sync->dirty = xa_get_mark(pages, index, PAGECACHE_TAG_DIRTY);
	sync->towrite = xa_get_mark(pages, index, PAGECACHE_TAG_TOWRITE);
}

/* As it is before the sync returns: later flushes do not count. */
static bool dxl_sync_judge(struct dxl_bridge *bridge, struct dxl_sync *sync,
			   int ret, struct dxl_frame *missed)
{
	const struct dxl_frame *frame;

	spin_lock_irq(&bridge->lock);
	dxl_sync_look_again(bridge, sync);
	sync->ended = true;
	sync->ret = ret;
	frame = dxl_sync_missed(sync);
	if (frame)
		*missed = *frame;
	spin_unlock_irq(&bridge->lock);
	return frame;
}

/**
 * dxl_sync_count() - How many frames of a sync are in a state.
 * @sync: the sync
 * @state: the state
 *
 * Context: With the bridge's lock, or by the sync's own task.
 * Return: The number.
 */
unsigned int dxl_sync_count(const struct dxl_sync *sync,
			    enum dxl_frame_state state)
{
	unsigned int i, nr = 0;

	for (i = 0; i < sync->nr; i++)
		nr += sync->frame[i].state == state;
	return nr;
}

/**
 * dxl_sync_end() - A sync returns.
 * @bridge: of the file
 * @sync: what dxl_sync_begin() gave, or NULL
 * @ret: what it returns
 *
 * Context: May sleep, as fs/dax.c does there.
 */
void dxl_sync_end(struct dxl_bridge *bridge, struct dxl_sync *sync, int ret)
{
	struct dxl_frame missed = {};
	bool misses, free;

	if (!sync)
		return;
	misses = dxl_sync_judge(bridge, sync, ret, &missed);
	if (misses) {
		dxl_sync_evidence(bridge, sync, missed.index);
		dxl_look_mapped(bridge, &missed, &sync->look);
	}
	spin_lock_irq(&bridge->lock);
	if (bridge->tally)
		dxl_record_sync(bridge, sync);
	else
		dxl_note(&bridge->tree, DXL_EV_SYNCED, missed.index,
			 missed.order, missed.index,
			 dxl_sync_count(sync, DXL_FRAME_UNFLUSHED));
	sync->over = true;
	free = sync->forgotten;
	if (free)
		list_del(&sync->list);
	spin_unlock_irq(&bridge->lock);
	if (free)
		kvfree(sync);
}

/**
 * dxl_sync_mine() - The sync of the file in which the caller is.
 * @bridge: of the file
 *
 * Context: Any context.
 * Return: It, or NULL.
 */
struct dxl_sync *dxl_sync_mine(struct dxl_bridge *bridge)
{
	struct dxl_sync *sync;

	list_for_each_entry(sync, &bridge->syncs, list)
		if (!sync->ended && sync->task == current)
			return sync;
	return NULL;
}

/**
 * dxl_sync_met() - The caller's sync has asked for a locked entry.
 * @bridge: of the file
 * @index: where
 * @found: it was given an entry: it has waited, if that was necessary
 *
 * Context: With the xa_lock of i_pages.
 */
void dxl_sync_met(struct dxl_bridge *bridge, pgoff_t index, bool found)
{
	struct dxl_sync *sync;
	unsigned long flags;

	spin_lock_irqsave(&bridge->lock, flags);
	sync = dxl_sync_mine(bridge);
	if (sync)
		sync->passed += !found;
	if (sync && !bridge->tally)
		dxl_note(&bridge->tree, DXL_EV_MET, index, 0, index, found);
	spin_unlock_irqrestore(&bridge->lock, flags);
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

	spin_lock_irqsave(&bridge->lock, flags);
	sync = dxl_sync_mine(bridge);
	if (sync && sync->nr)
		*index = sync->frame[0].index;
	spin_unlock_irqrestore(&bridge->lock, flags);
	return sync;
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
	LIST_HEAD(over);

	spin_lock_irq(&bridge->lock);
	list_for_each_entry_safe(sync, next, &bridge->syncs, list) {
		WRITE_ONCE(sync->forgotten, true);
		if (sync->over)
			list_move(&sync->list, &over);
	}
	bridge->nr_syncs = 0;
	bridge->untold = 0;
	spin_unlock_irq(&bridge->lock);
	list_for_each_entry_safe(sync, next, &over, list)
		kvfree(sync);
}
