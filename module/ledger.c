// SPDX-License-Identifier: GPL-2.0
/*
 * The durability ledger: pages, stores, flushes, fences
 */
#include "ledger.h"
#include "entry.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * struct dxl_ledger_flush - what a flush of a page took, until its fence
 * @list: in dxl_ledger.flushes
 * @task: who flushes; only to compare
 * @key: of the page
 * @seq: when it began
 * @first: line
 * @nr: of lines
 * @stores: what a store of the kernel left, of which nobody was told yet
 * @data: the page; NULL: it was as on media then
 */
struct dxl_ledger_flush {
	struct list_head list;
	const struct task_struct *task;
	unsigned long key;
	u64 seq;
	unsigned int first;
	unsigned int nr;
	bool stores;
	void *data;
};

static void dxl_ledger_flush_free(struct dxl_ledger_flush *flush)
{
	list_del(&flush->list);
	free_page((unsigned long)flush->data);
	kfree(flush);
}

static void dxl_ledger_page_free(struct dxl_ledger *ledger, unsigned long key)
{
	struct dxl_ledger_page *page = xa_erase(&ledger->pages, key);

	if (!page)
		return;
	free_page((unsigned long)page->media);
	kfree(page);
	ledger->nr_pages--;
}

static void dxl_ledger_clear(struct dxl_ledger *ledger)
{
	struct dxl_ledger_flush *flush, *next;
	struct dxl_ledger_page *page;
	unsigned long key;

	xa_for_each(&ledger->pages, key, page) {
		dxl_ledger_page_free(ledger, key);
		cond_resched();
	}
	list_for_each_entry_safe(flush, next, &ledger->flushes, list)
		dxl_ledger_flush_free(flush);
	ledger->untold = 0;
}

/**
 * dxl_ledger_init() - The ledger of a new mount.
 * @ledger: zeroed
 *
 * Context: Any context.
 */
void dxl_ledger_init(struct dxl_ledger *ledger)
{
	mutex_init(&ledger->lock);
	xa_init(&ledger->pages);
	INIT_LIST_HEAD(&ledger->flushes);
	INIT_LIST_HEAD(&ledger->stores);
}

/**
 * dxl_ledger_exit() - The end of a mount.
 * @ledger: its ledger; nobody uses it any more
 *
 * Context: May sleep.
 */
void dxl_ledger_exit(struct dxl_ledger *ledger)
{
	dxl_ledger_clear(ledger);
}

/**
 * dxl_ledger_open() - May the ledger be used, and is it about now?
 * @ledger: the ledger
 *
 * What was noted before nobody watched for a while is void: stores and flushes
 * since then are not in it.
 *
 * Context: May sleep. The ledger's lock is held.
 * Return: Whether somebody watches.
 */
bool dxl_ledger_open(struct dxl_ledger *ledger)
{
	bool watched = dxl_watched();
	u64 round;

	/* Who watches again since has made another round. */
	smp_rmb();
	round = dxl_watch_round();
	if (ledger->round != round || !watched) {
		dxl_ledger_clear(ledger);
		ledger->round = round;
	}
	return watched;
}

static struct dxl_ledger_page *dxl_ledger_page_new(struct dxl_ledger *ledger,
						   unsigned long key)
{
	struct dxl_ledger_page *page;

	if (ledger->nr_pages == DXL_LEDGER_PAGES)
		goto untold;
	page = kzalloc(sizeof(*page), DXL_LAB_GFP);
	if (!page)
		goto untold;
	page->media = (void *)__get_free_page(DXL_LAB_GFP);
	if (!page->media || xa_err(xa_store(&ledger->pages, key, page,
					    DXL_LAB_GFP))) {
		free_page((unsigned long)page->media);
		kfree(page);
		goto untold;
	}
	ledger->nr_pages++;
	return page;

untold:
	ledger->untold++;
	return NULL;
}

static void dxl_ledger_add(struct dxl_ledger *ledger, struct dxl_tree *tree,
			   pgoff_t index, void *addr)
{
	unsigned long key = dxl_ledger_key(addr);
	struct dxl_ledger_page *page = xa_load(&ledger->pages, key);
	unsigned int line;

	if (page && page->tree == tree && page->index == index)
		return;
	if (!page)
		page = dxl_ledger_page_new(ledger, key);
	if (!page)
		return;
	page->tree = tree;
	page->index = index;
	page->born = ++ledger->seq;
	memcpy(page->media, addr, PAGE_SIZE);
	for (line = 0; line < DXL_PAGE_LINES; line++) {
		page->seq[line] = page->born;
		page->changed[line] = page->born;
	}
}

/**
 * dxl_ledger_dirty() - It becomes possible to store to an entry.
 * @tree: of which file
 * @entry: its value, with a frame
 * @first: its first index
 *
 * What it holds now counts as durable, unless the ledger knows better.
 *
 * Context: May sleep. The caller owns the entry, and maps it afterwards.
 */
void dxl_ledger_dirty(struct dxl_tree *tree, const void *entry, pgoff_t first)
{
	struct dxl_ledger *ledger = &tree->lab->ledger;
	void *addr = pfn_to_kaddr(dxl_entry_pfn(entry));
	unsigned long nr = dxl_entry_pages(entry), i;

	mutex_lock(&ledger->lock);
	if (dxl_ledger_open(ledger))
		for (i = 0; i < nr; i++)
			dxl_ledger_add(ledger, tree, first + i,
				       addr + i * PAGE_SIZE);
	mutex_unlock(&ledger->lock);
}

/**
 * dxl_ledger_forget() - A range of a file is cut: nothing is promised of it.
 * @tree: of the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Context: May sleep. No fault can make its pages dirty again.
 */
void dxl_ledger_forget(struct dxl_tree *tree, pgoff_t first, pgoff_t last)
{
	struct dxl_ledger *ledger = &tree->lab->ledger;
	struct dxl_ledger_page *page;
	unsigned long key;

	mutex_lock(&ledger->lock);
	if (dxl_ledger_open(ledger))
		xa_for_each(&ledger->pages, key, page)
			if (page->tree == tree && page->index >= first &&
			    page->index <= last)
				dxl_ledger_page_free(ledger, key);
	mutex_unlock(&ledger->lock);
}

/* Nothing is known of a page any more. */
static void dxl_ledger_lose(struct dxl_ledger *ledger, unsigned long key)
{
	dxl_ledger_page_free(ledger, key);
	ledger->untold++;
}

/* What a flush takes of one page. */
static void dxl_ledger_take(struct dxl_ledger *ledger, unsigned long key,
			    unsigned int first, unsigned int nr, u64 seq,
			    bool stores)
{
	struct dxl_ledger_page *page = xa_load(&ledger->pages, key);
	struct dxl_ledger_flush *flush;
	const void *addr = dxl_ledger_addr(key);

	if (!page)
		return;
	flush = kzalloc(sizeof(*flush), DXL_LAB_GFP);
	if (!flush) {
		dxl_ledger_lose(ledger, key);
		return;
	}
	flush->task = current;
	flush->key = key;
	flush->seq = seq;
	flush->first = first;
	flush->nr = nr;
	flush->stores = stores;
	list_add_tail(&flush->list, &ledger->flushes);
	/* User space may store to it: the copy is what counts. */
	if (!data_race(memcmp(addr, page->media, PAGE_SIZE)))
		return;
	flush->data = (void *)__get_free_page(DXL_LAB_GFP);
	if (flush->data) {
		memcpy(flush->data, addr, PAGE_SIZE);
	} else {
		dxl_ledger_flush_free(flush);
		dxl_ledger_lose(ledger, key);
	}
}

static void dxl_ledger_take_all(struct dxl_ledger *ledger, unsigned long addr,
				unsigned long end, bool stores)
{
	u64 seq = ++ledger->seq;
	unsigned long next;

	for (; addr < end; addr = next) {
		next = min(end, (addr | ~PAGE_MASK) + 1);
		dxl_ledger_take(ledger, addr >> PAGE_SHIFT,
				offset_in_page(addr) >> DXL_LINE_SHIFT,
				((next - 1) >> DXL_LINE_SHIFT) -
				(addr >> DXL_LINE_SHIFT) + 1, seq, stores);
	}
}

/**
 * dxl_ledger_flush() - A flush is about to begin.
 * @ledger: of the mount
 * @addr: address on the media
 * @len: bytes
 *
 * What is in memory now will be on media after the next fence of this task. What
 * is stored during the flush may be in it or not: it does not count.
 *
 * Context: May sleep.
 */
void dxl_ledger_flush(struct dxl_ledger *ledger, const void *addr, size_t len)
{
	mutex_lock(&ledger->lock);
	if (dxl_ledger_open(ledger))
		dxl_ledger_take_all(ledger, (unsigned long)addr,
				    (unsigned long)addr + len, false);
	mutex_unlock(&ledger->lock);
}

/**
 * dxl_ledger_store() - The kernel is about to store around the cache.
 * @ledger: of the mount
 * @storing: for dxl_ledger_stored()
 * @addr: address on the media
 * @len: bytes
 *
 * Context: May sleep.
 */
void dxl_ledger_store(struct dxl_ledger *ledger, struct dxl_storing *storing,
		      const void *addr, size_t len)
{
	storing->first = (unsigned long)addr;
	storing->last = (unsigned long)addr + len - 1;
	mutex_lock(&ledger->lock);
	list_add(&storing->list, &ledger->stores);
	mutex_unlock(&ledger->lock);
}

/**
 * dxl_ledger_stored() - It has: on media after the next fence of this task.
 * @ledger: of the mount
 * @storing: of dxl_ledger_store()
 * @len: bytes that it did store
 *
 * Context: May sleep.
 */
void dxl_ledger_stored(struct dxl_ledger *ledger, struct dxl_storing *storing,
		       size_t len)
{
	mutex_lock(&ledger->lock);
	list_del(&storing->list);
	if (dxl_ledger_open(ledger))
		dxl_ledger_take_all(ledger, storing->first,
				    storing->first + len, true);
	mutex_unlock(&ledger->lock);
}

/**
 * dxl_ledger_unfenced() - Lines of a page that the kernel has stored to, and whose
 * fence is still to come.
 * @ledger: of the mount
 * @key: of the page
 *
 * The caller of that store was told nothing yet.
 *
 * Context: The ledger's lock is held.
 * Return: A bit for each.
 */
u64 dxl_ledger_unfenced(const struct dxl_ledger *ledger, unsigned long key)
{
	const struct dxl_ledger_flush *flush;
	u64 lines = 0;

	list_for_each_entry(flush, &ledger->flushes, list)
		if (flush->stores && flush->key == key)
			lines |= GENMASK_ULL(flush->first + flush->nr - 1,
					     flush->first);
	return lines;
}

/* Of lines that two flushes took, media has what the later one took. */
static void dxl_ledger_complete(struct dxl_ledger *ledger,
				const struct dxl_ledger_flush *flush)
{
	struct dxl_ledger_page *page = xa_load(&ledger->pages, flush->key);
	unsigned int line, end = flush->first + flush->nr, at;

	if (!page)
		return;
	for (line = flush->first; line < end; line++) {
		if (page->seq[line] >= flush->seq)
			continue;
		if (!flush->data && page->changed[line] > flush->seq) {
			/* What was as on media then is not, and was not kept. */
			dxl_ledger_lose(ledger, flush->key);
			return;
		}
		page->seq[line] = flush->seq;
		if (!flush->data)
			continue;
		at = line << DXL_LINE_SHIFT;
		memcpy(page->media + at, flush->data + at, BIT(DXL_LINE_SHIFT));
		page->changed[line] = ++ledger->seq;
	}
}

/**
 * dxl_ledger_fence() - What this task has flushed is on media.
 * @ledger: of the mount
 *
 * Context: May sleep.
 */
void dxl_ledger_fence(struct dxl_ledger *ledger)
{
	struct dxl_ledger_flush *flush, *next;

	mutex_lock(&ledger->lock);
	dxl_ledger_open(ledger);
	list_for_each_entry_safe(flush, next, &ledger->flushes, list) {
		if (flush->task != current)
			continue;
		dxl_ledger_complete(ledger, flush);
		dxl_ledger_flush_free(flush);
	}
	mutex_unlock(&ledger->lock);
}
