// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs SBID/cache: operations on the private page cache, as system calls
 * would begin them; and its census
 */
#include "debugfs.h"
#include "frozen.h"
#include "session.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define DXL_WRITE_MAX	64

/* Does the folio of a slot live there? Called with xa_lock. */
static void dxl_census_slot(struct dxl_lab *lab, struct dxl_census *census,
			    pgoff_t index, const struct folio *folio)
{
	const struct dxl_cache *cache = lab->frozen.cache;
	const struct dxl_freeze *freeze;

	census->slots++;
	freeze = dxl_freeze_of(lab, folio);
	if (freeze && !freeze->left) {
		census->frozen++;
		return;
	}
	if (freeze)
		census->left++;
	else if (folio->mapping == &cache->stranger)
		census->strange++;
	else if (folio->mapping != &cache->mapping || !folio_ref_count(folio) ||
		 index - folio->index >= folio_nr_pages((struct folio *)folio))
		census->dead++;
	else
		return;
	if (census->dead + census->strange + census->left > 1)
		return;
	census->first = index;
	census->folio_index = folio->index;
	census->folio_order = folio_order((struct folio *)folio);
}

/**
 * dxl_cache_census() - Count what the slots of the cache hold.
 * @lab: of the mount
 * @census: filled in
 *
 * Context: Any context.
 */
void dxl_cache_census(struct dxl_lab *lab, struct dxl_census *census)
{
	/* Pairs with dxl_cache_enter(). */
	struct dxl_cache *cache = smp_load_acquire(&lab->frozen.cache);
	unsigned long flags;
	void *entry;

	*census = (struct dxl_census) {};
	if (!cache)
		return;

	XA_STATE(xas, &cache->mapping.i_pages, 0);

	xas_lock_irqsave(&xas, flags);
	spin_lock(&lab->frozen.lock);
	xas_for_each(&xas, entry, ULONG_MAX) {
		if (xa_is_value(entry))
			census->shadows++;
		else
			dxl_census_slot(lab, census, xas.xa_index, entry);
	}
	spin_unlock(&lab->frozen.lock);
	xas_unlock_irqrestore(&xas, flags);
}

static int cache_show(struct seq_file *seq, void *unused)
{
	struct dxl_lab *lab = seq->private;
	struct dxl_census census;

	dxl_cache_census(lab, &census);
	seq_printf(seq, "slots %lu\nshadows %lu\nfrozen %lu\ndead %lu\nstrange %lu\nleft %lu\n",
		   census.slots, census.shadows, census.frozen, census.dead,
		   census.strange, census.left);
	mutex_lock(&lab->frozen.mutex);
	seq_printf(seq, "pages %lu\nusers %u\n",
		   lab->frozen.cache ? READ_ONCE(lab->frozen.cache->nr_pages) : 0,
		   lab->frozen.users);
	mutex_unlock(&lab->frozen.mutex);
	return 0;
}

static int cache_open(struct inode *inode, struct file *file)
{
	int err = single_open(file, cache_show, inode->i_private);

	/* Who is parked in a write must not keep others out who share the file. */
	if (!err)
		file->f_mode &= ~FMODE_ATOMIC_POS;
	return err;
}

enum dxl_cache_op {
	DXL_CACHE_ADD, DXL_CACHE_DROP, DXL_CACHE_EVICT, DXL_CACHE_HOLD,
	DXL_CACHE_LOOK, DXL_CACHE_GET, DXL_CACHE_REUSE, DXL_CACHE_SPLIT,
};

static const struct {
	const char *name;
	int numbers;
} dxl_cache_ops[] = {
	[DXL_CACHE_ADD] = { "add", 2 },
	[DXL_CACHE_DROP] = { "drop", 2 },
	[DXL_CACHE_EVICT] = { "evict", 1 },
	[DXL_CACHE_HOLD] = { "hold", 1 },
	[DXL_CACHE_LOOK] = { "look", 1 },
	[DXL_CACHE_GET] = { "get", 1 },
	[DXL_CACHE_REUSE] = { "reuse", 1 },
	[DXL_CACHE_SPLIT] = { "split", 1 },
};

static int dxl_cache_do(struct dxl_cache *cache, enum dxl_cache_op op,
			unsigned long first, unsigned long second)
{
	switch (op) {
	case DXL_CACHE_ADD:
		return second > DXL_PMD_ORDER ? -EINVAL :
		       dxl_cache_add(cache, first, second);
	case DXL_CACHE_DROP:
		return dxl_cache_drop(cache, first, second);
	case DXL_CACHE_EVICT:
		return dxl_cache_evict(cache, first);
	case DXL_CACHE_HOLD:
		return dxl_cache_hold(cache, first);
	case DXL_CACHE_LOOK:
		return dxl_cache_look(cache, first);
	case DXL_CACHE_GET:
		return dxl_cache_get(cache, first);
	case DXL_CACHE_REUSE:
		return dxl_cache_reuse(cache, first);
	case DXL_CACHE_SPLIT:
		return dxl_cache_split(cache, first);
	}
	return -EINVAL;
}

static int dxl_cache_command(struct dxl_lab *lab, const char *text)
{
	unsigned long first = 0, second = 0;
	struct dxl_cache *cache;
	char name[8], more;
	unsigned int op;
	int n, err;

	if (!strcmp(text, "reset")) {
		dxl_cache_sweep(lab);
		return 0;
	}
	n = sscanf(text, "%7s %lu %lu %c", name, &first, &second, &more);
	for (op = 0; op < ARRAY_SIZE(dxl_cache_ops); op++)
		if (n == dxl_cache_ops[op].numbers + 1 &&
		    !strcmp(name, dxl_cache_ops[op].name))
			break;
	if (op == ARRAY_SIZE(dxl_cache_ops))
		return dxl_refuse(-EINVAL, text,
				  "wants add INDEX ORDER, drop FIRST LAST, or evict, hold, split, look, get or reuse INDEX, or reset");
	cache = dxl_cache_enter(lab);
	if (IS_ERR(cache))
		return PTR_ERR(cache);
	err = dxl_cache_do(cache, op, first, second);
	dxl_cache_leave(lab);
	return err;
}

static ssize_t cache_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	struct dxl_lab *lab = file_inode(file)->i_private;
	char *text = dxl_debugfs_line(buf, len, DXL_WRITE_MAX);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = dxl_cache_command(lab, text);
	kfree(text);
	return err ?: len;
}

static const struct file_operations cache_fops = {
	.owner		= THIS_MODULE,
	.open		= cache_open,
	.read		= seq_read,
	.write		= cache_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * dxl_cache_files_mount() - Make the file.
 * @lab: of the mount
 *
 * Context: May sleep.
 */
void dxl_cache_files_mount(struct dxl_lab *lab)
{
	debugfs_create_file("cache", 0600, lab->dir, lab, &cache_fops);
}
