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
 * 3. map_lock is inside folio locks. Nobody allocates memory or waits for folios
 *    under it, so rule 1 does not ask for a submission.
 * 4. dxl_pwb.bio changes under dxl_pwb.lock: a rescue may submit it at any
 *    time on behalf of a collector that is stuck.
 *
 * Who dirties a folio gives its blocks first. What the map does not have of a
 * dirty folio are zeroes that nobody stored: they are not written.
 */
#ifndef DXL_PWB_H
#define DXL_PWB_H

#include "fs.h"

#include <linux/bio.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

/**
 * struct dxl_pwb - a call of writepages
 * @list: in dxl_lab.pwbs
 * @inode: the file
 * @wbc: what to write
 * @task: who writes
 * @lock: guards @bio; no interrupt takes it
 * @bio: collected and not submitted, or NULL
 * @first: index of its first folio
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
	struct task_struct *task;
	spinlock_t lock;
	struct bio *bio;
	pgoff_t first;
	pgoff_t index;
	pgoff_t end;
	xa_mark_t tag;
	int err;
	bool done;
};

int dxl_pwb_writepages(struct address_space *mapping,
		       struct writeback_control *wbc);
void dxl_pwb_rescue(struct dxl_lab *lab);

#endif /* DXL_PWB_H */
