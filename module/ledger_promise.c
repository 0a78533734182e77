// SPDX-License-Identifier: GPL-2.0
/*
 * What a sync call owes, and whether it has paid when it returns
 *
 * The look at what is owed is over before the sync looks at anything itself: what
 * is found was stored before, whatever is stored meanwhile.
 */
#include "ledger.h"
#include "entry.h"
#include "oracle.h"
#include "role.h"
#include "stats.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct dxl_debt - stores to a page that were on no media at the call
 * @list: in dxl_promise.debts
 * @key: of the page
 * @index: of the page
 * @seq: when it was found, by dxl_ledger.seq
 * @lines: which lines, a bit for each
 * @look: its entry, at the call
 * @data: the page as it was at the call
 */
struct dxl_debt {
	struct list_head list;
	unsigned long key;
	pgoff_t index;
	u64 seq;
	u64 lines;
	struct dxl_entry_look look;
	u8 *data;
};

static void dxl_entry_look_at(struct dxl_tree *tree, pgoff_t index,
			      struct dxl_entry_look *look)
{
	XA_STATE(xas, &tree->xa, index);
	void *entry;

	xas_lock(&xas);
	entry = xas_load(&xas);
	*look = (struct dxl_entry_look) {
		.there = entry && dxl_entry_is_data(entry),
	};
	if (entry) {
		look->locked = dxl_entry_is_locked(entry);
		look->dirty = xas_get_mark(&xas, DXL_MARK_DIRTY);
		look->towrite = xas_get_mark(&xas, DXL_MARK_TOWRITE);
		look->order = dxl_entry_order(entry);
		look->first = index & ~(dxl_entry_pages(entry) - 1);
	}
	xas_unlock(&xas);
}

static bool dxl_ledger_is_stored_to(const struct dxl_ledger *ledger,
				    unsigned long key)
{
	const struct dxl_storing *storing;

	list_for_each_entry(storing, &ledger->stores, list)
		if (storing->first >> PAGE_SHIFT <= key &&
		    key <= storing->last >> PAGE_SHIFT)
			return true;
	return false;
}

static u64 dxl_lines_differ(const void *a, const void *b)
{
	unsigned int line;
	u64 lines = 0;

	for (line = 0; line < DXL_PAGE_LINES; line++)
		if (memcmp(a + (line << DXL_LINE_SHIFT),
			   b + (line << DXL_LINE_SHIFT), BIT(DXL_LINE_SHIFT)))
			lines |= BIT_ULL(line);
	return lines;
}

/* Memory may change under our eyes: the copy is what counts. */
static void dxl_promise_owes(struct dxl_promise *promise, unsigned long key,
			     const struct dxl_ledger_page *page)
{
	struct dxl_debt *debt = kzalloc(sizeof(*debt), DXL_LAB_GFP);
	u64 told = ~dxl_ledger_unfenced(promise->ledger, key);

	if (debt)
		debt->data = (void *)__get_free_page(DXL_LAB_GFP);
	if (!debt || !debt->data) {
		promise->blind = true;
		kfree(debt);
		return;
	}
	memcpy(debt->data, dxl_ledger_addr(key), PAGE_SIZE);
	debt->key = key;
	debt->index = page->index;
	debt->lines = dxl_lines_differ(debt->data, page->media) & told;
	if (!debt->lines) {
		free_page((unsigned long)debt->data);
		kfree(debt);
		return;
	}
	debt->seq = promise->ledger->seq;
	dxl_entry_look_at(promise->tree, page->index, &debt->look);
	list_add_tail(&debt->list, &promise->debts);
	promise->nr++;
}

/**
 * dxl_promise_begin() - A sync was called: what does it owe?
 * @promise: filled in
 * @tree: of the file
 * @first: page index from which
 * @last: and to which, inclusive
 *
 * Context: May sleep, inside dxl_media_enter(). Nothing of the sync is done yet.
 */
void dxl_promise_begin(struct dxl_promise *promise, struct dxl_tree *tree,
		       pgoff_t first, pgoff_t last)
{
	struct dxl_ledger *ledger = &tree->lab->ledger;
	struct dxl_ledger_page *page;
	unsigned long key;

	*promise = (struct dxl_promise) {
		.ledger = ledger,
		.tree = tree,
		.first = first,
		.last = last,
	};
	INIT_LIST_HEAD(&promise->debts);
	mutex_lock(&ledger->lock);
	if (dxl_ledger_open(ledger)) {
		xa_for_each(&ledger->pages, key, page) {
			if (page->tree == tree && page->index >= first &&
			    page->index <= last &&
			    !dxl_ledger_is_stored_to(ledger, key) &&
			    /* User space may store to it. */
			    data_race(memcmp(dxl_ledger_addr(key), page->media,
					     PAGE_SIZE)))
				dxl_promise_owes(promise, key, page);
			cond_resched();
		}
	}
	mutex_unlock(&ledger->lock);
	dxl_note(tree, DXL_EV_SYNC, first, 0, first, promise->nr);
	dxl_stat_inc(DXL_STAT_PROMISES);
	dxl_stat_add(DXL_STAT_PROMISED_PAGES, promise->nr);
}

/* Lines of a debt that no flush has paid. */
static u64 dxl_debt_left(struct dxl_ledger *ledger,
			 const struct dxl_debt *debt)
{
	const struct dxl_ledger_page *page = xa_load(&ledger->pages, debt->key);
	u64 left = 0, lines = debt->lines;
	unsigned int line, at;

	/* It has left the file meanwhile, or could not be followed. */
	if (!page || page->born > debt->seq)
		return 0;
	for (; lines; lines &= lines - 1) {
		line = __ffs64(lines);
		at = line << DXL_LINE_SHIFT;
		if (page->seq[line] <= debt->seq &&
		    memcmp(page->media + at, debt->data + at,
			   BIT(DXL_LINE_SHIFT)))
			left |= BIT_ULL(line);
	}
	return left;
}

/* Has anything of an entry been flushed since? */
static bool dxl_ledger_flushed_since(struct dxl_ledger *ledger,
				     const struct dxl_debt *debt)
{
	unsigned long first = debt->key - (debt->index - debt->look.first);
	const struct dxl_ledger_page *page;
	unsigned long key;

	xa_for_each_range(&ledger->pages, key, page, first,
			  first + BIT(debt->look.order) - 1)
		if (page->seq[0] > debt->seq)
			return true;
	return false;
}

static enum dxl_cause dxl_debt_cause(const struct dxl_promise *promise,
				     const struct dxl_debt *debt,
				     const struct dxl_entry_look *now)
{
	unsigned int towrite = dxl_choice(promise->tree->lab, DXL_KNOB_TOWRITE);

	if (!debt->look.there || !now->there)
		return DXL_CAUSE_DROPPED;
	if (!debt->look.dirty)
		return DXL_CAUSE_CLEAN;
	if (dxl_ledger_flushed_since(promise->ledger, debt))
		return DXL_CAUSE_PART;
	/* Without work lists it can only have passed it. */
	if (now->towrite || towrite == DXL_TOWRITE_DIRTY_WALK)
		return DXL_CAUSE_PASSED;
	return DXL_CAUSE_TAKEN;
}

/* Whoever has the entry locked now. */
static void dxl_broken_holder(struct dxl_tree *tree, struct dxl_broken *broken)
{
	const struct dxl_hold *hold;

	xa_lock(&tree->xa);
	hlist_for_each_entry(hold, &tree->holds, list) {
		if (hold->first != broken->now.first)
			continue;
		broken->holder = hold->task;
		broken->holder_pid = hold->task->pid;
		memcpy(broken->holder_comm, hold->task->comm, TASK_COMM_LEN);
	}
	xa_unlock(&tree->xa);
}

/* Keep what a broken promise was about, while it can be seen. */
static void dxl_promise_break(const struct dxl_promise *promise,
			      const struct dxl_debt *debt, u64 left)
{
	struct dxl_ledger *ledger = promise->ledger;
	const struct dxl_ledger_page *page = xa_load(&ledger->pages, debt->key);
	struct dxl_broken *broken;
	unsigned int at;

	if (ledger->nr_broken >= DXL_BROKEN_KEPT)
		return;
	broken = &ledger->broken[ledger->nr_broken];
	*broken = (struct dxl_broken) {
		.tree = promise->tree,
		.task = current,
		.pid = current->pid,
		.ino = promise->tree->ino,
		.index = debt->index,
		.lines = hweight64(left),
		.seen = debt->look,
	};
	memcpy(broken->comm, current->comm, TASK_COMM_LEN);
	at = __ffs64(left) << DXL_LINE_SHIFT;
	while (debt->data[at] == ((u8 *)page->media)[at])
		at++;
	broken->offset = at;
	broken->stored = debt->data[at];
	broken->durable = ((u8 *)page->media)[at];
	dxl_entry_look_at(promise->tree, debt->index, &broken->now);
	broken->cause = dxl_debt_cause(promise, debt, &broken->now);
	dxl_broken_holder(promise->tree, broken);
}

/**
 * dxl_promise_end() - The sync returns.
 * @promise: what it owed; nothing is left of it
 * @ret: what it returns: an error promises nothing
 *
 * Context: May sleep.
 */
void dxl_promise_end(struct dxl_promise *promise, int ret)
{
	struct dxl_ledger *ledger = promise->ledger;
	struct dxl_debt *debt, *next;
	pgoff_t missed = promise->first;
	unsigned long left = 0;
	u64 lines;

	mutex_lock(&ledger->lock);
	/* Debts of a round that is over are void: the ledger is empty then. */
	dxl_ledger_open(ledger);
	list_for_each_entry_safe(debt, next, &promise->debts, list) {
		lines = ret ? 0 : dxl_debt_left(ledger, debt);
		if (lines && !left++) {
			missed = debt->index;
			dxl_promise_break(promise, debt, lines);
		}
		free_page((unsigned long)debt->data);
		kfree(debt);
	}
	if (left && ledger->nr_broken < DXL_BROKEN_KEPT)
		ledger->broken[ledger->nr_broken].pages = left;
	ledger->nr_broken += !!left;
	ledger->untold += promise->blind;
	mutex_unlock(&ledger->lock);
	dxl_note(promise->tree, DXL_EV_SYNCED, missed, 0, missed,
		 ret ? ~0UL : left);
	if (left)
		dxl_stat_inc(DXL_STAT_PROMISES_BROKEN);
}

/**
 * dxl_ledger_forgive() - A new run begins: promises that were broken are forgotten.
 * @ledger: of the mount
 *
 * Context: May sleep.
 */
void dxl_ledger_forgive(struct dxl_ledger *ledger)
{
	mutex_lock(&ledger->lock);
	/* Gives memory back that nobody needs any more. */
	dxl_ledger_open(ledger);
	ledger->nr_broken = 0;
	ledger->untold = 0;
	mutex_unlock(&ledger->lock);
}
