// SPDX-License-Identifier: GPL-2.0
/*
 * A folio comes into the tree of the cache, over shadow entries that may be
 * larger: as __filemap_add_folio() has done it since 6758c1128ceb
 *
 * Nodes for a split cannot be had under the lock, and are filled with copies of
 * the entry when they are made. So they are good for this entry of this order
 * only, and both are compared again under the lock.
 */
#include "frozen.h"
#include "window.h"

/* Nodes that were made for a split, and the entry for which. */
struct dxl_prepared {
	void *entry;
	int order;		/* 0: none were made */
};

/* The entry in the way, which is the only one if it is larger; or NULL. */
static void *dxl_split_conflict(struct xa_state *xas, int *order)
{
	void *entry, *old = NULL;

	*order = -1;
	xas_for_each_conflict(xas, entry) {
		old = entry;
		if (!xa_is_value(entry)) {
			xas_set_err(xas, -EEXIST);
			break;
		}
		if (*order < 0)
			*order = xas_get_order(xas);
	}
	return old;
}

/*
 * Under the lock. Return: the order of @old, if nodes must be made for it first;
 * 0: done, or an error in @xas.
 */
static int dxl_split_store(struct xa_state *xas, struct dxl_cache *cache,
			   struct folio *folio, struct dxl_prepared *prepared)
{
	int order;
	void *old = dxl_split_conflict(xas, &order);

	if (xas_error(xas))
		return 0;
	if (prepared->order &&
	    (old != prepared->entry || order != prepared->order)) {
		/* Frees them; that is all it does, without -ENOMEM. */
		xas_nomem(xas, 0);
		prepared->order = 0;
	}
	if (old && order > 0 && order > (int)folio_order(folio)) {
		if (!prepared->order) {
			prepared->entry = old;
			return order;
		}
		xas_split(xas, old, order);
		xas_reset(xas);
	}
	xas_store(xas, folio);
	if (!xas_error(xas))
		dxl_split_stored(cache, folio);
	return 0;
}

/**
 * dxl_split_add() - Add a folio, over shadow entries of any order.
 * @cache: the cache
 * @folio: new; index and mapping are set
 *
 * Context: May sleep.
 * Return: 0; -EEXIST: a folio is there; -ENOMEM.
 */
int dxl_split_add(struct dxl_cache *cache, struct folio *folio)
{
	XA_STATE_ORDER(xas, &cache->mapping.i_pages, folio->index,
		       folio_order(folio));
	unsigned int size = folio_order(folio);
	struct dxl_prepared prepared = {};
	int order;

	do {
		dxl_window(DXL_WIN_ADD_BEFORE_LOCK, &cache->tree, folio->index,
			   size, DXL_ACCESS_NONE);
		xas_lock_irq(&xas);
		order = dxl_split_store(&xas, cache, folio, &prepared);
		xas_unlock_irq(&xas);
		if (!order)
			continue;
		dxl_window(DXL_WIN_ADD_AFTER_ORDER_READ, &cache->tree,
			   folio->index, size, DXL_ACCESS_NONE);
		xas_split_alloc(&xas, prepared.entry, order, GFP_KERNEL);
		if (xas_error(&xas))
			break;
		prepared.order = order;
		xas_reset(&xas);
		dxl_window(DXL_WIN_ADD_AFTER_SPLIT_ALLOC, &cache->tree,
			   folio->index, size, DXL_ACCESS_NONE);
	} while (order || xas_nomem(&xas, GFP_KERNEL));
	return xas_error(&xas);
}
