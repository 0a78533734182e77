// SPDX-License-Identifier: GPL-2.0
/*
 * Lookup in a page cache, as filemap_get_entry() does it, but for what it does
 * about a folio of which no reference can be had
 *
 * The kernel looks again at once, in the same RCU section. That is right as long
 * as whoever froze the folio holds the tree lock and so cannot sleep. Here it may
 * be anybody, and nobody: the rules are choices of the knob retry.
 */
#include "frozen.h"
#include "stats.h"
#include "window.h"

#include <linux/uio.h>

/**
 * dxl_look_is_stuck() - Would a lookup find the same once more?
 * @look: which; its mapping cannot go away
 *
 * Context: Any context.
 * Return: true: the slot has the same folio, and its count is 0.
 */
bool dxl_look_is_stuck(const struct dxl_look *look)
{
	return xa_load(dxl_pages(look), look->index) == look->folio &&
	       !folio_ref_count(look->folio);
}

/* Sets look->folio if there is one that cannot be had. */
static struct folio *dxl_look_once(struct dxl_look *look)
{
	XA_STATE(xas, dxl_pages(look), look->index);
	struct folio *folio;

	look->folio = NULL;
	rcu_read_lock();
	do {
		xas_reset(&xas);
		folio = xas_load(&xas);
	} while (xas_retry(&xas, folio));
	if (!folio || xa_is_value(folio)) {
		folio = NULL;
		goto unlock;
	}
	dxl_window(DXL_WIN_LOOKUP_AFTER_LOAD, look->tree, look->index, 0,
		   DXL_ACCESS_NONE);
	if (folio_try_get(folio)) {
		if (folio == xas_reload(&xas))
			goto unlock;
		folio_put(folio);
	}
	look->folio = folio;
	folio = NULL;
unlock:
	rcu_read_unlock();
	return folio;
}

/* 0: look again; -ENOENT: say that nothing is there. */
static int dxl_look_failed(struct dxl_look *look)
{
	unsigned int rule = dxl_choice(look->tree->lab, DXL_KNOB_RETRY);

	if (!dxl_look_is_stuck(look))
		return 0;
	dxl_window(DXL_WIN_LOOKUP_TRY_GET_FAILED, look->tree, look->index, 0,
		   DXL_ACCESS_NONE);
	return rule ? dxl_lookup_varied(look, rule) : dxl_freeze_wait(look);
}

/*
 * A reference keeps a folio from being freed, and so whose it is: what it was
 * taken of may have been freed and given to somebody before.
 */
static bool dxl_look_is_foreign(const struct dxl_look *look,
				struct folio *folio)
{
	const struct address_space *mapping;
	bool foreign;

	xa_lock_irq(dxl_pages(look));
	mapping = READ_ONCE(folio->mapping);
	/* NULL: it was truncated meanwhile, callers know that. */
	foreign = mapping && mapping != look->mapping &&
		  xa_load(dxl_pages(look), look->index) == folio;
	xa_unlock_irq(dxl_pages(look));
	if (foreign)
		dxl_damage(look->tree, DXL_DAMAGE_FOREIGN, look->index, 0);
	return foreign;
}

/**
 * dxl_lookup() - The folio of a page, with a reference.
 * @tree: names the file; its lab has the rule
 * @mapping: whose i_pages
 * @index: the page
 *
 * Context: May sleep, killably.
 * Return: The folio; NULL: there is none, or a shadow entry; -EIO: there is one
 * that nobody will thaw or, while watched, somebody else's, or the wait was
 * rescued; -EINTR.
 */
struct folio *dxl_lookup(struct dxl_tree *tree, struct address_space *mapping,
			 pgoff_t index)
{
	struct dxl_look look = {
		.tree = tree,
		.mapping = mapping,
		.index = index,
		.rescues = atomic_read(&tree->lab->rescues),
	};
	struct folio *folio;
	int err;

	for (;;) {
		folio = dxl_look_once(&look);
		if (!look.folio)
			break;
		dxl_stat_inc(DXL_STAT_LOOKUP_RETRIES);
		err = dxl_look_failed(&look);
		if (err)
			return err == -ENOENT ? NULL :
						ERR_PTR(dxl_frozen_errno(err));
	}
	if (folio && dxl_watched() && dxl_look_is_foreign(&look, folio)) {
		folio_put(folio);
		return ERR_PTR(-EIO);
	}
	return folio;
}

/**
 * dxl_pcache_lookup() - The folio of a page of a file in page-cache mode.
 * @inode: the file
 * @index: the page
 *
 * Context: May sleep, killably.
 * Return: As dxl_lookup().
 */
struct folio *dxl_pcache_lookup(struct inode *inode, pgoff_t index)
{
	return dxl_lookup(&DXL_I(inode)->tree, inode->i_mapping, index);
}

/* Bytes of one folio to the user; 0: the kernel has to do it; or an errno. */
static ssize_t dxl_lookup_copy(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t pos = iocb->ki_pos, size;
	size_t copied = 0, offset, len;
	struct folio *folio;

	folio = dxl_pcache_lookup(inode, pos >> PAGE_SHIFT);
	if (IS_ERR_OR_NULL(folio))
		return PTR_ERR_OR_ZERO(folio);
	if (folio_test_uptodate(folio) &&
	    READ_ONCE(folio->mapping) == inode->i_mapping) {
		/* After the look at the folio: it has zeroes beyond. */
		size = dxl_size_now(inode);
		offset = offset_in_folio(folio, pos);
		len = min_t(size_t, folio_size(folio) - offset,
			    iov_iter_count(to));
		len = pos < size ? min_t(u64, len, size - pos) : 0;
		copied = copy_folio_to_iter(folio, offset, len, to);
		if (copied < len && !copied) {
			folio_put(folio);
			return -EFAULT;
		}
	}
	folio_put(folio);
	return copied;
}

/**
 * dxl_lookup_read() - Read what is in the page cache and up to date.
 * @iocb: of a file in page-cache mode; its position moves on
 * @to: where to
 *
 * Context: May sleep, killably.
 * Return: Bytes read, which may be fewer: what follows is for filemap_read(); or,
 * if none, a negative errno as of dxl_lookup().
 */
ssize_t dxl_lookup_read(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t done = 0, copied;

	while (iov_iter_count(to)) {
		copied = dxl_lookup_copy(iocb, to);
		if (copied < 0)
			return done ?: copied;
		if (!copied)
			break;
		iocb->ki_pos += copied;
		done += copied;
		cond_resched();
	}
	if (done)
		file_accessed(iocb->ki_filp);
	return done;
}
