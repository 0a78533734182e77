// SPDX-License-Identifier: GPL-2.0
/*
 * The private page cache of a mount: a real i_pages with folios and shadow
 * entries of any order, and no file
 *
 * Folios carry no data. One is alive while its mapping is that of the cache, and
 * then has a reference per page, as in the kernel. Evicted, it is dead: count 0,
 * no mapping, free for all that anybody knows. Its pages are kept until the cache
 * is swept, which is when nobody is in an operation.
 */
#include "frozen.h"
#include "stats.h"
#include "window.h"

#include <linux/sched/signal.h>
#include <linux/slab.h>

#define DXL_CACHE_INDEX_MAX	(1UL << 20)

static const struct dxl_tree_ops dxl_cache_tree_ops;	/* no entries, no mappings */

/* Inodes that reclaim evicts want the mutex that the caller has. */
static struct dxl_cache *dxl_cache_new(struct dxl_lab *lab)
{
	struct dxl_cache *cache = kzalloc(sizeof(*cache), GFP_NOFS);

	if (!cache)
		return NULL;
	dxl_tree_init(&cache->tree, &dxl_cache_tree_ops, lab, lab->sb->s_dev, 0);
	address_space_init_once(&cache->mapping);
	address_space_init_once(&cache->stranger);
	INIT_LIST_HEAD(&cache->folios);
	return cache;
}

/**
 * dxl_cache_enter() - An operation on the cache begins.
 * @lab: of the mount
 *
 * Context: May sleep.
 * Return: The cache; ERR_PTR: -ENOMEM; -ESHUTDOWN: the mount goes away.
 */
struct dxl_cache *dxl_cache_enter(struct dxl_lab *lab)
{
	struct dxl_frozen *frozen = &lab->frozen;
	struct dxl_cache *cache = ERR_PTR(-ESHUTDOWN);

	mutex_lock(&frozen->mutex);
	if (!frozen->closed) {
		cache = frozen->cache ?: dxl_cache_new(lab);
		/* The oracles take no lock to find it. */
		smp_store_release(&frozen->cache, cache);
		if (cache)
			frozen->users++;
		else
			cache = ERR_PTR(-ENOMEM);
	}
	mutex_unlock(&frozen->mutex);
	return cache;
}

/* Whatever its count is: nobody is in an operation, and the tree is empty. */
static void dxl_cache_give_back(struct dxl_cache *cache, struct folio *folio)
{
	list_del(&folio->lru);
	WRITE_ONCE(cache->nr_pages, cache->nr_pages - folio_nr_pages(folio));
	folio->mapping = NULL;
	folio->private = NULL;
	folio_set_count(folio, 1);
	folio_put(folio);
	dxl_stat_inc(DXL_STAT_CACHE_FOLIOS_FREED);
}

static void dxl_cache_empty(struct dxl_cache *cache)
{
	struct folio *folio, *next;

	xa_destroy(&cache->mapping.i_pages);
	list_for_each_entry_safe(folio, next, &cache->folios, lru)
		dxl_cache_give_back(cache, folio);
}

/**
 * dxl_cache_leave() - An operation ends.
 * @lab: of the mount
 *
 * Context: May sleep.
 */
void dxl_cache_leave(struct dxl_lab *lab)
{
	struct dxl_frozen *frozen = &lab->frozen;

	mutex_lock(&frozen->mutex);
	if (!--frozen->users && frozen->sweep) {
		WRITE_ONCE(frozen->sweep, false);
		dxl_cache_empty(frozen->cache);
	}
	mutex_unlock(&frozen->mutex);
}

/**
 * dxl_cache_sweep() - Empty the cache, now or when the last operation ends.
 * @lab: of the mount; freezers that left have been swept
 *
 * Context: May sleep, but for nobody who may hang.
 */
void dxl_cache_sweep(struct dxl_lab *lab)
{
	struct dxl_frozen *frozen = &lab->frozen;

	mutex_lock(&frozen->mutex);
	if (frozen->cache && frozen->users)
		WRITE_ONCE(frozen->sweep, true);
	else if (frozen->cache)
		dxl_cache_empty(frozen->cache);
	mutex_unlock(&frozen->mutex);
}

/**
 * dxl_cache_close() - Let nobody in any more.
 * @lab: of a mount that goes away
 *
 * Context: May sleep.
 * Return: true: somebody is in, and must be rescued.
 */
bool dxl_cache_close(struct dxl_lab *lab)
{
	bool used;

	mutex_lock(&lab->frozen.mutex);
	WRITE_ONCE(lab->frozen.closed, true);
	used = lab->frozen.users;
	mutex_unlock(&lab->frozen.mutex);
	return used;
}

/**
 * dxl_cache_free() - The end of the cache.
 * @lab: of a mount that nobody uses any more
 *
 * Context: May sleep.
 */
void dxl_cache_free(struct dxl_lab *lab)
{
	struct dxl_cache *cache = lab->frozen.cache;

	if (!cache)
		return;
	dxl_cache_empty(cache);
	dxl_tree_destroy(&cache->tree);
	kfree(cache);
	lab->frozen.cache = NULL;
}

/**
 * dxl_cache_folio() - Make a folio that is not in the tree yet.
 * @cache: the cache
 * @index: first page, a multiple of the size
 * @order: size
 *
 * Context: May sleep.
 * Return: The folio, which dxl_cache_folio_free() frees; or NULL.
 */
struct folio *dxl_cache_folio(struct dxl_cache *cache, pgoff_t index,
			      unsigned int order)
{
	struct folio *folio = folio_alloc(GFP_KERNEL | __GFP_NOWARN, order);

	if (!folio)
		return NULL;
	folio->mapping = &cache->mapping;
	folio->index = index;
	/* The cache's, in place of the one that it was born with. */
	folio_set_count(folio, folio_nr_pages(folio));
	return folio;
}

/**
 * dxl_cache_folio_free() - Free a folio that never came into the tree.
 * @folio: from dxl_cache_folio()
 *
 * Context: May sleep.
 */
void dxl_cache_folio_free(struct folio *folio)
{
	folio->mapping = NULL;
	folio_set_count(folio, 1);
	folio_put(folio);
}

/**
 * dxl_split_stored() - A folio is in the tree: its pages are the cache's.
 * @cache: the cache
 * @folio: the folio
 *
 * Context: Called with xa_lock.
 */
void dxl_split_stored(struct dxl_cache *cache, struct folio *folio)
{
	WRITE_ONCE(cache->seq, cache->seq + 1);
	folio->private = (void *)cache->seq;
	list_add_tail(&folio->lru, &cache->folios);
	WRITE_ONCE(cache->nr_pages, cache->nr_pages + folio_nr_pages(folio));
	dxl_stat_inc(DXL_STAT_CACHE_FOLIOS_MADE);
}

/**
 * dxl_cache_add() - A new folio comes in.
 * @cache: the cache
 * @index: first page, a multiple of the size
 * @order: size; not only pages with the sound rule alone
 *
 * Context: May sleep, in its windows.
 * Return: 0; -EEXIST: a folio is there; -EINVAL; -ENOSPC: the cache has enough;
 * -ENOMEM; -EIO: damage was prevented.
 */
int dxl_cache_add(struct dxl_cache *cache, pgoff_t index, unsigned int order)
{
	unsigned int rule = dxl_choice(cache->tree.lab, DXL_KNOB_SPLIT);
	struct folio *folio;
	int err;

	if (order > DXL_PMD_ORDER || index >= DXL_CACHE_INDEX_MAX ||
	    index & ((1UL << order) - 1))
		return -EINVAL;
	if (READ_ONCE(cache->nr_pages) + (1UL << order) > DXL_CACHE_PAGES_MAX)
		return -ENOSPC;
	folio = dxl_cache_folio(cache, index, order);
	if (!folio)
		return -ENOMEM;
	/* Old and new are of one size, or the new one is a page. */
	if (rule && !order)
		err = dxl_split_add_varied(cache, folio, rule);
	else
		err = dxl_split_add(cache, folio);
	if (err)
		dxl_cache_folio_free(folio);
	return err;
}

/**
 * dxl_cache_living() - The folio of a slot, if it is alive, there, and the cache's.
 * @cache: the cache
 * @index: of one of its pages
 *
 * Context: Called with xa_lock.
 * Return: The folio without a reference, or NULL.
 */
struct folio *dxl_cache_living(struct dxl_cache *cache, pgoff_t index)
{
	struct folio *folio = xa_load(&cache->mapping.i_pages, index);

	if (!folio || xa_is_value(folio) || folio->mapping != &cache->mapping ||
	    index - folio->index >= folio_nr_pages(folio))
		return NULL;
	return folio;
}

/*
 * Freeze, be held, then replace by a shadow entry or nothing, and die; or thaw.
 * Somebody else may have removed it before: pages are kept, so that is seen.
 */
static int dxl_cache_freeze(struct dxl_cache *cache, struct folio *folio,
			    int own, bool remove, void *shadow)
{
	XA_STATE_ORDER(xas, &cache->mapping.i_pages, folio->index,
		       folio_order(folio));
	struct dxl_freeze *freeze;

	freeze = dxl_freeze(&cache->tree, &cache->mapping, folio,
			    folio_nr_pages(folio), own);
	if (IS_ERR(freeze))
		return PTR_ERR(freeze);
	xas_lock_irq(&xas);
	if (remove) {
		/* Replaces what is there: needs no memory. */
		xas_store(&xas, shadow);
		folio->mapping = NULL;
	}
	dxl_freeze_end(freeze, !remove);
	xas_unlock_irq(&xas);
	dxl_freeze_free(freeze);
	return 0;
}

static int dxl_cache_freeze_at(struct dxl_cache *cache, pgoff_t index,
			       bool remove)
{
	struct folio *folio;

	xa_lock_irq(&cache->mapping.i_pages);
	folio = dxl_cache_living(cache, index);
	xa_unlock_irq(&cache->mapping.i_pages);
	if (!folio)
		return -ENOENT;
	return dxl_cache_freeze(cache, folio, 0, remove,
				xa_mk_value((unsigned long)folio->private));
}

/**
 * dxl_cache_evict() - Reclaim a folio: a shadow entry takes its place.
 * @cache: the cache
 * @index: of one of its pages
 *
 * Context: May sleep, at freeze.held.
 * Return: 0; -ENOENT: there is none; -EBUSY; -ENOMEM; -EIO: it was left frozen.
 */
int dxl_cache_evict(struct dxl_cache *cache, pgoff_t index)
{
	return dxl_cache_freeze_at(cache, index, true);
}

/**
 * dxl_cache_hold() - Freeze a folio, and thaw it: reclaim that changed its mind.
 * @cache: the cache
 * @index: of one of its pages
 *
 * Context: May sleep, at freeze.held.
 * Return: As dxl_cache_evict().
 */
int dxl_cache_hold(struct dxl_cache *cache, pgoff_t index)
{
	return dxl_cache_freeze_at(cache, index, false);
}

/**
 * dxl_cache_look() - Look a page up, and let it go.
 * @cache: the cache
 * @index: the page
 *
 * Context: May sleep, killably.
 * Return: 0; -ENOENT: nothing is there; or as dxl_lookup().
 */
int dxl_cache_look(struct dxl_cache *cache, pgoff_t index)
{
	struct folio *folio = dxl_lookup(&cache->tree, &cache->mapping, index);

	if (IS_ERR(folio))
		return PTR_ERR(folio);
	if (!folio)
		return -ENOENT;
	folio_put(folio);
	return 0;
}

/**
 * dxl_cache_get() - Look a page up, and make it if it is not there: a read.
 * @cache: the cache
 * @index: the page
 *
 * Context: May sleep, killably.
 * Return: 0; -EIO also if the page was not there and there, twice in one state;
 * else as dxl_cache_look() and dxl_cache_add().
 */
int dxl_cache_get(struct dxl_cache *cache, pgoff_t index)
{
	const void *before = NULL, *slot;
	int err;

	for (;;) {
		err = dxl_cache_look(cache, index);
		if (err != -ENOENT)
			return err;
		err = dxl_cache_add(cache, index, 0);
		if (err != -EEXIST)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
		slot = xa_load(&cache->mapping.i_pages, index);
		if (slot && slot == before) {
			dxl_damage(&cache->tree, DXL_DAMAGE_LOOP, index, 0);
			return -EIO;
		}
		before = slot;
		cond_resched();
	}
}

/* Did a folio survive that was there when the walk began? Shadows go. */
static void dxl_cache_drop_rest(struct dxl_cache *cache, pgoff_t first,
				pgoff_t last, unsigned long seq)
{
	XA_STATE(xas, &cache->mapping.i_pages, first);
	struct folio *folio;

	xas_lock_irq(&xas);
	xas_for_each(&xas, folio, last) {
		if (xa_is_value(folio))
			xas_store(&xas, NULL);
		else if ((unsigned long)folio->private <= seq)
			dxl_damage(&cache->tree, DXL_DAMAGE_SKIPPED,
				   folio->index, folio_order(folio));
	}
	xas_unlock_irq(&xas);
}

/**
 * dxl_cache_drop() - Truncate: remove folios and shadow entries.
 * @cache: the cache
 * @first: first page
 * @last: last page, inclusive
 *
 * Context: May sleep, killably.
 * Return: 0; -EINVAL; -EDEADLK: rescued from a folio that somebody keeps; or as
 * dxl_lookup() when it got stuck.
 */
int dxl_cache_drop(struct dxl_cache *cache, pgoff_t first, pgoff_t last)
{
	unsigned long seq = READ_ONCE(cache->seq), index = first;
	int rescues = atomic_read(&cache->tree.lab->rescues);
	struct folio *folio;
	int err = 0;

	if (first > last || last >= DXL_CACHE_INDEX_MAX)
		return -EINVAL;
	while (!err && index <= last &&
	       xa_find(&cache->mapping.i_pages, &index, last, XA_PRESENT)) {
		folio = dxl_lookup(&cache->tree, &cache->mapping, index);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		if (fatal_signal_pending(current))
			err = -EINTR;
		if (folio && !err)
			err = dxl_cache_freeze(cache, folio, 1, true, NULL);
		if (folio && (err == -EBUSY || err == -ENOMEM || err == -EINTR))
			folio_put(folio);
		/* Others look at it, or froze it first: look again. */
		if (err == -EBUSY)
			err = dxl_rescued_since(cache->tree.lab, rescues) ?
			      -EDEADLK : 0;
		else
			index++;
		cond_resched();
	}
	if (!err)
		dxl_cache_drop_rest(cache, first, last, seq);
	return err;
}

/**
 * dxl_cache_reuse() - Somebody gets the pages of a dead folio, and its lookups.
 * @cache: the cache
 * @index: of a slot that still has it
 *
 * Context: Process context.
 * Return: 0; -ENOENT: nothing dead is there.
 */
int dxl_cache_reuse(struct dxl_cache *cache, pgoff_t index)
{
	struct folio *folio;
	int err = -ENOENT;

	xa_lock_irq(&cache->mapping.i_pages);
	folio = xa_load(&cache->mapping.i_pages, index);
	if (folio && !xa_is_value(folio) && !folio->mapping &&
	    !folio_ref_count(folio)) {
		folio->mapping = &cache->stranger;
		folio_set_count(folio, 1);
		err = 0;
	}
	xa_unlock_irq(&cache->mapping.i_pages);
	return err;
}
