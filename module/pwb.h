/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Writeback of page-cache files with a private bio: the path of 2018.
 *
 * A call of writepages walks tagged folios in ascending order. Each is locked,
 * cleaned, set under writeback and put in the call's bio; then it is unlocked.
 * So folios wait for the end of a writeback that nobody has submitted, and
 * whoever may keep their collector from submitting it must not wait for them.
 *
 * RULES
 * 1. Who waits for anything that may be held across an allocation that enters
 *    the filesystem (a folio lock, a writeback bit) submits his bio before.
 * 2. Folio locks are taken in ascending order: a call never wraps to the start
 *    of the file with a bio in hand.
 * 3. A fault allocates nothing that may enter the filesystem under a folio lock.
 * 4. map_lock is inside folio locks. Nobody allocates memory or waits for folios
 *    under it, so rule 1 does not ask for a submission.
 * 5. dxl_pwb.bio changes under dxl_pwb.lock: a rescue may submit it at any
 *    time on behalf of a collector that is stuck.
 * Knobs "submit", "wrap" and "pf_alloc" break 1, 2 and 3.
 *
 * Who dirties a folio gives its blocks first. What the map does not have of a
 * dirty folio are zeroes that nobody stored: they are not written. Nor are blocks
 * of a folio that are not up to date: of these the file knows better.
 *
 * LOCKING: folio lock, dxl_lab.folio_lock, dxl_pwb.lock.
 */
#ifndef DXL_PWB_H
#define DXL_PWB_H

#include "fs.h"
#include "role.h"

#include <linux/bio.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

/**
 * struct dxl_folio_hold - a folio lock that somebody has
 * @list: in dxl_lab.folio_holds
 * @folio: which, or NULL: none now; only to compare
 * @task: who
 */
struct dxl_folio_hold {
	struct list_head list;
	const struct folio *folio;
	const struct task_struct *task;
};

/**
 * struct dxl_pwb - a call of writepages
 * @list: in dxl_lab.pwbs
 * @inode: the file
 * @wbc: what to write
 * @submit: choice of the knob, for all of the call
 * @wrap: likewise
 * @rescues: dxl_lab.pwb_rescues when it began
 * @hold: the folio that it is at
 * @wants: the folio for whose lock it waits, or NULL; only to compare
 * @wants_index: of its first page
 * @lock: guards @bio; no interrupt takes it
 * @bio: collected and not submitted, or NULL
 * @first: index of its first folio
 * @kept: submit=unlock_late: the folio that it is at is in @bio, so stays locked
 * @since: when the lock of that folio was taken, if such times are counted
 * @late: submit=unlock_late: the same, of each folio in @bio, or NULL
 * @nr_late: of these
 * @max_late: room for them
 * @plug: submit=plug
 * @index: where the walk goes on
 * @end: last page of the walk
 * @tag: what it looks for
 * @err: the first error
 * @done: it ends here, though there is more
 */
struct dxl_pwb {
	struct list_head list;
	struct inode *inode;
	struct writeback_control *wbc;
	unsigned int submit;
	unsigned int wrap;
	int rescues;
	struct dxl_folio_hold hold;
	const struct folio *wants;
	pgoff_t wants_index;
	spinlock_t lock;
	struct bio *bio;
	pgoff_t first;
	bool kept;
	u64 since;
	u64 *late;
	unsigned int nr_late;
	unsigned int max_late;
	struct blk_plug plug;
	pgoff_t index;
	pgoff_t end;
	xa_mark_t tag;
	int err;
	bool done;
};

/* pwb.c */
int dxl_pwb_writepages(struct address_space *mapping,
		       struct writeback_control *wbc);
int dxl_pwb_flush(struct inode *inode, long nr);
void dxl_pwb_rescue(struct dxl_lab *lab);
struct bio *dxl_pwb_take(struct dxl_pwb *pwb);
void dxl_pwb_submit(struct dxl_pwb *pwb);
void dxl_pwb_wait_lock(struct dxl_pwb *pwb, struct folio *folio);
pgoff_t dxl_pwb_pass(struct dxl_pwb *pwb);

/* pwb_variant.c: the same steps while some mount is not sound */
int dxl_pwb_variant_init(void);
void dxl_pwb_variant_exit(void);
void dxl_pwb_begin_varied(struct dxl_pwb *pwb);
void dxl_pwb_end_varied(struct dxl_pwb *pwb);
void dxl_pwb_lock_varied(struct dxl_pwb *pwb, struct folio *folio);
void dxl_pwb_collected_varied(struct dxl_pwb *pwb);
void dxl_pwb_unlock_late(struct bio *bio);
void dxl_pwb_timed_varied(struct dxl_pwb *pwb);
pgoff_t dxl_pwb_wrap_varied(struct dxl_pwb *pwb, pgoff_t start, pgoff_t next);

/* pcache_fault.c */
vm_fault_t dxl_pcache_fault(struct vm_fault *vmf);
vm_fault_t dxl_pcache_map_pages(struct vm_fault *vmf, pgoff_t first,
				pgoff_t last);

/* folio_watch.c: who has which folio, who waits for it */

/**
 * struct dxl_folio_wait - a wait for a folio that somebody has
 * @bit: for what of it
 * @owner: who has the lock, or the bio that ends the writeback; only to compare
 * @ino: of the file
 * @index: of its first page
 */
struct dxl_folio_wait {
	enum dxl_folio_bit bit;
	const struct task_struct *owner;
	unsigned long ino;
	pgoff_t index;
};

/* The caller waits for no folio any more, nor does the kernel for it. */
static inline void dxl_folio_waits_over(void)
{
	if (dxl_watched())
		dxl_role_waits(DXL_FOLIO_NONE, NULL, 0, 0);
}

void dxl_folio_hold_begin(struct dxl_lab *lab, struct dxl_folio_hold *hold,
			  const struct folio *folio);
void dxl_folio_hold_end(struct dxl_lab *lab, struct dxl_folio_hold *hold);
struct folio *dxl_folio_uncommitted(struct dxl_lab *lab);
void dxl_folio_wait_writeback(struct folio *folio);
bool dxl_folio_wait_of(const struct dxl_role *role, struct dxl_folio_wait *wait);
void dxl_folio_collectors(struct dxl_lab *lab,
			  void (*fn)(const struct task_struct *task,
				     const struct dxl_folio_wait *wait, void *arg),
			  void *arg);

#endif /* DXL_PWB_H */
