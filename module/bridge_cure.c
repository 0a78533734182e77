// SPDX-License-Identifier: GPL-2.0
/*
 * Cures of a stock kernel's syncs, as far as wrappers can bring them in
 *
 * dax_writeback_one() gives get_unlocked_entry() a state that stands on the
 * locked entry, and is told what comes after it in the tree: nothing (races.md
 * B3). A wrapper can reset that state, which belongs to the caller, under the
 * xa_lock that it has: the function then begins at the index again, finds the
 * entry, and waits. That is what an xas_reset() in dax_writeback_one() would do.
 *
 * It does not help a sync that does not find the entry at all, because another has
 * taken its TOWRITE mark and not flushed yet (B3b). When TOWRITE is cleared cannot
 * be changed from a wrapper: that is done between two calls, under xa_lock. What
 * can be done is what a filesystem could do, too: after the walk, wait until every
 * entry of the range that is DIRTY and locked has been unlocked once. One that lost
 * its mark to another sync is flushed then.
 */
#include "bridge_int.h"

#include <linux/pagemap.h>
#include <linux/string.h>
#include <linux/xarray.h>

static const char * const dxl_cures[] = {
	[DXL_CURE_NONE] = "none",
	[DXL_CURE_RESET] = "reset",
	[DXL_CURE_RESET_WAIT] = "reset_wait",
};

/**
 * dxl_bridge_cure() - Choose a cure for syncs that are called from now on.
 * @bridge: the bridge
 * @name: of the cure
 *
 * Context: Process context.
 * Return: 0; -EINVAL: no such cure; -EOPNOTSUPP: it needs functions that this
 * kernel does not have.
 */
int dxl_bridge_cure(struct dxl_bridge *bridge, const char *name)
{
	int cure = match_string(dxl_cures, ARRAY_SIZE(dxl_cures), name);

	if (cure < 0)
		return -EINVAL;
	if (cure >= DXL_CURE_RESET && !dxl_hook_is_on(&dxl_hooks[DXL_HOOK_UNLOCKED]))
		return -EOPNOTSUPP;
	if (cure >= DXL_CURE_RESET_WAIT && !dxl_stock_can_wait())
		return -EOPNOTSUPP;
	/* Pairs with dxl_cure_walked(): the functions that it calls are known. */
	smp_store_release(&bridge->cure, cure);
	return 0;
}

/**
 * dxl_cure_meeting() - A sync has met a locked entry and is about to ask for it.
 * @bridge: of the file
 * @xas: what it asks with
 *
 * Context: With the xa_lock of i_pages.
 */
void dxl_cure_meeting(const struct dxl_bridge *bridge, struct xa_state *xas)
{
	if (READ_ONCE(bridge->cure) >= DXL_CURE_RESET)
		xas_reset(xas);
}

/**
 * dxl_cure_walked() - A sync has walked over its range, and is about to return 0.
 * @bridge: of the file
 * @first: page index from which
 * @last: and to which
 *
 * Context: May sleep.
 */
void dxl_cure_walked(const struct dxl_bridge *bridge, pgoff_t first,
		     pgoff_t last)
{
	XA_STATE(xas, &bridge->mapping->i_pages, first);
	XA_STATE(at, &bridge->mapping->i_pages, first);
	pgoff_t end;
	void *entry;

	/* Pairs with dxl_bridge_cure(). */
	if (smp_load_acquire(&bridge->cure) < DXL_CURE_RESET_WAIT)
		return;
	xas_lock_irq(&xas);
	xas_for_each_marked(&xas, entry, last, PAGECACHE_TAG_DIRTY) {
		if (!xa_is_value(entry) ||
		    !(xa_to_value(entry) & DXL_STOCK_LOCKED))
			continue;
		end = xas.xa_index |
		      (BIT(dxl_stock_order(xa_to_value(entry))) - 1);
		xas_set(&at, xas.xa_index);
		/*
		 * The lock is dropped while it waits. Not xas_pause(): that of 6.1
		 * goes on too far if it began in the middle of a PMD entry.
		 */
		xas_set(&xas, end + 1);
		entry = dxl_stock_get_unlocked(&at);
		dxl_stock_put_unlocked(&at, entry);
	}
	xas_unlock_irq(&xas);
}
