// SPDX-License-Identifier: GPL-2.0
/*
 * As split.c, but order and entry are read without the lock, and not compared:
 * what the choices of the knob split do that are not sound (variant.h)
 *
 * What that does to the tree is done (it is ours), but for what would crash: a
 * split without nodes, and nodes full of copies that a store would take for empty
 * ones. These are noted as damage, and the add fails.
 */
#include "frozen.h"
#include "window.h"

/* A folio on its way into the tree. */
struct dxl_addition {
	struct dxl_cache *cache;
	struct folio *folio;
	unsigned int rule;
};

static void dxl_add_window(const struct dxl_addition *add,
			   enum dxl_window window)
{
	dxl_window(window, &add->cache->tree, add->folio->index,
		   folio_order(add->folio), DXL_ACCESS_NONE);
}

/* Read, and make nodes: nothing is locked. */
static void dxl_add_prepare(struct dxl_addition *add, struct xa_state *xas)
{
	struct xarray *xa = &add->cache->mapping.i_pages;
	unsigned int order = xa_get_order(xa, add->folio->index);

	dxl_add_window(add, DXL_WIN_ADD_AFTER_ORDER_READ);
	if (order)
		xas_split_alloc(xas, xa_load(xa, add->folio->index), order,
				GFP_KERNEL);
	dxl_add_window(add, DXL_WIN_ADD_AFTER_SPLIT_ALLOC);
	if (add->rule == DXL_SPLIT_RESET && !xas_error(xas))
		xas_reset(xas);
	dxl_add_window(add, DXL_WIN_ADD_BEFORE_LOCK);
}

/* Nodes that xas_split() takes, for an entry of @order that becomes pages. */
static unsigned int dxl_nodes_needed(unsigned int order)
{
	return order < XA_CHUNK_SHIFT ? 0 : 1U << (order % XA_CHUNK_SHIFT);
}

static unsigned int dxl_nodes_had(const struct xa_state *xas)
{
	const struct xa_node *node = xas->xa_alloc;
	unsigned int nr = 0;

	for (; node; node = rcu_dereference_raw(node->parent))
		nr++;
	return nr;
}

/*
 * Too few crash the split. If nothing is there any more, the store takes the
 * first for an empty one, and loses the others. What is left beside is freed.
 */
static bool dxl_add_fits(const struct dxl_addition *add,
			 const struct xa_state *xas, const void *old,
			 unsigned int order)
{
	unsigned int had = dxl_nodes_had(xas);
	enum dxl_damage damage = DXL_DAMAGE_SPLIT_NODES;

	if (had < dxl_nodes_needed(order))
		damage = DXL_DAMAGE_SPLIT_UNPREPARED;
	else if (old || had < 2)
		return true;
	dxl_damage(&add->cache->tree, damage, add->folio->index, 0);
	return false;
}

/* Wilcox: what is in them is decided now. Slots of order 0 only. */
static void dxl_add_fill(const struct xa_state *xas, void *entry)
{
	struct xa_node *node = xas->xa_alloc;
	unsigned int i;

	for (; node; node = rcu_dereference_raw(node->parent))
		for (i = 0; i < XA_CHUNK_SIZE; i++)
			RCU_INIT_POINTER(node->slots[i], entry);
}

/* Under the lock. */
static void dxl_add_store(struct dxl_addition *add, struct xa_state *xas)
{
	struct xarray *xa = &add->cache->mapping.i_pages;
	void *entry, *old = NULL;
	unsigned int order;

	xas_for_each_conflict(xas, entry) {
		old = entry;
		if (!xa_is_value(entry)) {
			xas_set_err(xas, -EEXIST);
			return;
		}
	}
	order = xa_get_order(xa, add->folio->index);
	if (!dxl_add_fits(add, xas, old, order)) {
		xas_set_err(xas, -EIO);
		return;
	}
	if (order) {
		if (add->rule == DXL_SPLIT_ALLOC_ONLY)
			dxl_add_fill(xas, old);
		xas_split(xas, old, order);
		xas_reset(xas);
	}
	xas_store(xas, add->folio);
	if (!xas_error(xas))
		dxl_split_stored(add->cache, add->folio);
}

/**
 * dxl_split_add_varied() - dxl_split_add() as a choice that is not sound has it.
 * @cache: the cache
 * @folio: new, of order 0; index and mapping are set
 * @rule: of the knob split
 *
 * Context: May sleep.
 * Return: 0; -EEXIST: a folio is there; -EIO: damage was prevented; -ENOMEM.
 */
int dxl_split_add_varied(struct dxl_cache *cache, struct folio *folio,
			 unsigned int rule)
{
	XA_STATE(xas, &cache->mapping.i_pages, folio->index);
	struct dxl_addition add = {
		.cache = cache,
		.folio = folio,
		.rule = rule,
	};

	dxl_add_prepare(&add, &xas);
	if (xas_error(&xas))
		return xas_error(&xas);
	do {
		xas_lock_irq(&xas);
		dxl_add_store(&add, &xas);
		xas_unlock_irq(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	return xas_error(&xas);
}
