/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frozen folios: folios of a page cache of which the reference count is 0 while
 * a slot of the tree holds them, and lookups that meet them.
 *
 * FREEZING
 * - Who removes or splits a folio freezes its count, so that no lookup gets a
 *   reference. The kernel does so under the xa_lock of i_pages and ends it there.
 *   Our freezers drop the lock between, to be parked, and are registered instead
 *   (struct dxl_freeze). So under xa_lock a slot whose folio has count 0, and of
 *   which no live freezer is registered, is a *zombie*: nobody will thaw it.
 * - A freezer registers and ends under xa_lock, and so does a lookup look that
 *   is going to wait: none waits for what is over.
 * - A zombie in i_pages of a file would hang the kernel's own lookups, which know
 *   no way out; so a timer thaws what a file has frozen for DXL_GUARD_MS.
 * - Pages of the private cache (cache.c) are never given back while a slot of its
 *   tree, or nodes that are in the making, may hold them.
 *
 * Lock order: xa_lock of i_pages, dxl_frozen.lock.
 */
#ifndef DXL_FROZEN_H
#define DXL_FROZEN_H

#include "fs.h"

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

/* Well below the 21 s after which the kernel speaks of an RCU stall. */
#define DXL_GUARD_MS		8000

/**
 * struct dxl_freeze - a folio that somebody has frozen
 * @list: in dxl_frozen.freezes, until it is freed
 * @tree: names the file, for windows and the log
 * @mapping: in whose i_pages it is
 * @folio: the folio
 * @index: its first page
 * @refs: what its count was
 * @task: who; only to compare
 * @comm: of it
 * @pid: of it
 * @over: thawed, or out of the tree
 * @left: @task is gone and did neither: a zombie
 * @waiters: struct dxl_thaw_waiter
 * @guard: thaws it in time, if it is of a file
 */
struct dxl_freeze {
	struct list_head list;
	struct dxl_tree *tree;
	struct address_space *mapping;
	struct folio *folio;
	pgoff_t index;
	int refs;
	const struct task_struct *task;
	char comm[TASK_COMM_LEN];
	pid_t pid;
	bool over;
	bool left;
	struct list_head waiters;
	struct hrtimer guard;
};

/**
 * struct dxl_look - a lookup on its way
 * @tree: names the file
 * @mapping: in whose i_pages
 * @index: what is looked for
 * @folio: what is there and has count 0, or NULL; only to compare
 * @rescues: dxl_lab.rescues when it began
 */
struct dxl_look {
	struct dxl_tree *tree;
	struct address_space *mapping;
	pgoff_t index;
	struct folio *folio;
	int rescues;
};

/**
 * struct dxl_spin - a lookup that has come to the same folio twice
 * @list: in dxl_frozen.spins
 * @look: the lookup
 * @task: whose; only to compare
 * @rule: enum of the knob retry
 * @mapping: of the folio, when it was seen first
 * @tries: how often all was the same
 */
struct dxl_spin {
	struct list_head list;
	const struct dxl_look *look;
	const struct task_struct *task;
	unsigned int rule;
	const struct address_space *mapping;
	unsigned long tries;
};

/**
 * struct dxl_cache - a private page cache, one per mount: a mapping without file
 * @tree: its name
 * @mapping: its i_pages hold folios and shadow entries, of any order
 * @stranger: the mapping of what was freed and is in use elsewhere
 * @folios: all that were made and not freed, alive or dead, by folio.lru;
 *	guarded by xa_lock of @mapping
 * @nr_pages: pages in @folios
 * @seq: of the folio made last
 */
struct dxl_cache {
	struct dxl_tree tree;
	struct address_space mapping;
	struct address_space stranger;
	struct list_head folios;
	unsigned long nr_pages;
	unsigned long seq;
};

/* So many pages may be in it, those of dead folios included. */
#define DXL_CACHE_PAGES_MAX	(16UL << 10)

/* What a census of the cache has found. */
struct dxl_census {
	unsigned long slots;		/* with a folio */
	unsigned long shadows;
	unsigned long dead;		/* slots with a folio that is dead, */
	unsigned long strange;		/* somebody else's, */
	unsigned long frozen;		/* frozen by somebody who will end it, */
	unsigned long left;		/* or by somebody who is gone */
	pgoff_t first;			/* of the first bad slot */
	pgoff_t folio_index;		/* of what it holds */
	unsigned int folio_order;
};

static inline struct xarray *dxl_pages(const struct dxl_look *look)
{
	return &look->mapping->i_pages;
}

/* Also who begins before the cache is swept. */
static inline bool dxl_look_is_rescued(const struct dxl_look *look)
{
	const struct dxl_lab *lab = look->tree->lab;

	return dxl_rescued_since(lab, look->rescues) ||
	       READ_ONCE(lab->frozen.sweep) || READ_ONCE(lab->frozen.closed);
}

/* A choice that ended a wait tells callers of the kernel's what they know. */
static inline int dxl_frozen_errno(int err)
{
	return err == -EDEADLK ? -EIO : err;
}

/* lookup.c */
struct folio *dxl_lookup(struct dxl_tree *tree, struct address_space *mapping,
			 pgoff_t index);
struct folio *dxl_pcache_lookup(struct inode *inode, pgoff_t index);
ssize_t dxl_lookup_read(struct kiocb *iocb, struct iov_iter *to);
bool dxl_look_is_stuck(const struct dxl_look *look);

/* lookup_variant.c */
int dxl_lookup_varied(struct dxl_look *look, unsigned int rule);
bool dxl_spin_is_stuck(struct dxl_lab *lab, const struct task_struct *task);

/* freeze.c */
struct dxl_freeze *dxl_freeze(struct dxl_tree *tree,
			      struct address_space *mapping,
			      struct folio *folio, int refs, int own);
bool dxl_freeze_end(struct dxl_freeze *freeze, bool thaw);
void dxl_freeze_free(struct dxl_freeze *freeze);
struct dxl_freeze *dxl_freeze_of(struct dxl_lab *lab, const struct folio *folio);
const struct task_struct *dxl_freeze_owner(struct dxl_lab *lab,
					   const struct task_struct *task);
int dxl_freeze_wait(const struct dxl_look *look);
int dxl_zombie_met(const struct dxl_look *look);
int dxl_freeze_fadvise(struct file *file, loff_t offset, loff_t len, int advice);
void dxl_freeze_sweep(struct dxl_lab *lab, const struct address_space *mapping);
bool dxl_frozen_is_busy(struct dxl_lab *lab);
void dxl_frozen_rescue(struct dxl_lab *lab);

/* split.c, split_variant.c: a folio into the tree, over shadow entries */
int dxl_split_add(struct dxl_cache *cache, struct folio *folio);
int dxl_split_add_varied(struct dxl_cache *cache, struct folio *folio,
			 unsigned int rule);
void dxl_split_stored(struct dxl_cache *cache, struct folio *folio);

/* split_freeze.c */
int dxl_cache_split(struct dxl_cache *cache, pgoff_t index);

/* cache.c: operations on the cache, each between enter and leave */
struct dxl_cache *dxl_cache_enter(struct dxl_lab *lab);
void dxl_cache_leave(struct dxl_lab *lab);
int dxl_cache_add(struct dxl_cache *cache, pgoff_t index, unsigned int order);
int dxl_cache_evict(struct dxl_cache *cache, pgoff_t index);
int dxl_cache_hold(struct dxl_cache *cache, pgoff_t index);
int dxl_cache_look(struct dxl_cache *cache, pgoff_t index);
int dxl_cache_get(struct dxl_cache *cache, pgoff_t index);
int dxl_cache_drop(struct dxl_cache *cache, pgoff_t first, pgoff_t last);
int dxl_cache_reuse(struct dxl_cache *cache, pgoff_t index);
struct folio *dxl_cache_folio(struct dxl_cache *cache, pgoff_t index,
			      unsigned int order);
void dxl_cache_folio_free(struct folio *folio);
struct folio *dxl_cache_living(struct dxl_cache *cache, pgoff_t index);
void dxl_cache_sweep(struct dxl_lab *lab);
bool dxl_cache_close(struct dxl_lab *lab);
void dxl_cache_free(struct dxl_lab *lab);
void dxl_cache_census(struct dxl_lab *lab, struct dxl_census *census);

/* cache_files.c */
void dxl_cache_files_mount(struct dxl_lab *lab);

#endif /* DXL_FROZEN_H */
