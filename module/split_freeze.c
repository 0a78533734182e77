// SPDX-License-Identifier: GPL-2.0
/*
 * A large folio of the cache becomes pages: as split_huge_page_to_list(), which
 * freezes the folio while the tree still has it
 *
 * Two differences. The kernel holds the tree lock until it is done, and waits for
 * the lruvec lock under it; ours drops it, to be parked. And the kernel cuts the
 * folio's own pages apart, which modules cannot: new ones take its place, and it
 * is dead.
 */
#include "frozen.h"

static void dxl_pages_free(struct list_head *pages)
{
	struct folio *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		dxl_cache_folio_free(page);
	}
}

/* A page for each of the folio's, in order. */
static int dxl_pages_alloc(struct dxl_cache *cache, const struct folio *folio,
			   unsigned long nr, struct list_head *pages)
{
	struct folio *page;
	unsigned long i;

	if (READ_ONCE(cache->nr_pages) + nr > DXL_CACHE_PAGES_MAX)
		return -ENOSPC;
	for (i = 0; i < nr; i++) {
		page = dxl_cache_folio(cache, folio->index + i, 0);
		if (!page)
			return -ENOMEM;
		list_add_tail(&page->lru, pages);
		cond_resched();
	}
	return 0;
}

/* Under the lock: nodes are there for it, so that no store needs memory. */
static void dxl_split_to(struct xa_state *xas, struct dxl_cache *cache,
			 struct folio *folio, struct list_head *pages)
{
	struct folio *page, *next;

	xas_split(xas, folio, folio_order(folio));
	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		xas_set(xas, page->index);
		xas_store(xas, page);
		dxl_split_stored(cache, page);
		/* As old as the folio: who passes it over has missed it. */
		page->private = folio->private;
	}
	folio->mapping = NULL;
}

/* Nodes and pages are there. */
static int dxl_split_frozen(struct xa_state *xas, struct dxl_cache *cache,
			    struct folio *folio, struct list_head *pages)
{
	struct dxl_freeze *freeze;
	bool there;

	freeze = dxl_freeze(&cache->tree, &cache->mapping, folio,
			    folio_nr_pages(folio), 0);
	if (IS_ERR(freeze))
		return PTR_ERR(freeze);
	xas_lock_irq(xas);
	xas_reset(xas);
	/* Variants of the knob "split" damage slots. */
	there = xas_load(xas) == folio &&
		xas_get_order(xas) == folio_order(folio);
	if (there)
		dxl_split_to(xas, cache, folio, pages);
	dxl_freeze_end(freeze, !there);
	xas_unlock_irq(xas);
	dxl_freeze_free(freeze);
	return there ? 0 : -EIO;
}

/**
 * dxl_cache_split() - Split a large folio into pages.
 * @cache: the cache
 * @index: of one of its pages
 *
 * Context: May sleep, at freeze.held.
 * Return: 0; -ENOENT: there is none; -EINVAL: it is a page; -ENOSPC: the cache has
 * enough; -EBUSY; -ENOMEM; -EIO: it was left frozen, or its slots were damaged.
 */
int dxl_cache_split(struct dxl_cache *cache, pgoff_t index)
{
	struct folio *folio;
	LIST_HEAD(pages);
	int err;

	xa_lock_irq(&cache->mapping.i_pages);
	folio = dxl_cache_living(cache, index);
	xa_unlock_irq(&cache->mapping.i_pages);
	if (!folio)
		return -ENOENT;
	if (!folio_order(folio))
		return -EINVAL;

	XA_STATE(xas, &cache->mapping.i_pages, folio->index);

	err = dxl_pages_alloc(cache, folio, folio_nr_pages(folio), &pages);
	if (!err) {
		xas_split_alloc(&xas, folio, folio_order(folio), GFP_KERNEL);
		err = xas_error(&xas);
	}
	if (!err) {
		err = dxl_split_frozen(&xas, cache, folio, &pages);
		/* Frees nodes that were not needed; that is all it does, without -ENOMEM. */
		xas_nomem(&xas, 0);
	}
	dxl_pages_free(&pages);
	return err;
}
