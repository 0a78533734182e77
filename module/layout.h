/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Layout breaks: before blocks of a file go, nobody has their pages pinned.
 *
 * RULES
 *  1	invalidate_lock first, exclusively: no fault maps a page again.
 *  2	Unmap, then scan. Who took a reference before that is seen. Who comes
 *	after it finds no mapping, and his fault waits for invalidate_lock.
 *  3	The wait drops invalidate_lock (i_rwsem stays): who has the pin may need
 *	a fault before he can let go. So nothing is known after it: from 2 again.
 *  4	From the last scan until the blocks are free invalidate_lock is held.
 *  5	Waiter and waker use one variable: what the last put of a page wakes. Not
 *	every put does, so a waiter looks by itself as well.
 *  6	Any signal ends the wait, and nothing was changed then. Who truncates a
 *	page that he has pinned himself waits for himself.
 *  7	A rescue ends the wait also if it comes before it, in the same break: who
 *	is counted as waiting, or parked on the way there, is not overlooked.
 *  8	What is pinned all the same when its block would become free is kept in
 *	use until it is not (dxl_balloc_keep()).
 *
 * Only a page with a dev_pagemap tells its last put, so only there one can wait.
 * In our own memory rule 8 is all there is, and it is enough: PTEs there cannot be
 * pinned, and a pin of a PMD keeps its chunk.
 */
#ifndef DXL_LAYOUT_H
#define DXL_LAYOUT_H

#include "fs.h"

/**
 * struct dxl_busy - a page of a file that somebody has pinned
 * @page: NULL: there is none
 * @index: of the page in the file
 * @rescues: dxl_lab.rescues when the break began
 */
struct dxl_busy {
	struct page *page;
	pgoff_t index;
	int rescues;
};

/**
 * struct dxl_pin_wait - a task that waits until a page is not pinned any more
 * @list: in dxl_pins.waits
 * @task: who
 * @page: which page
 * @var: the variable that it sleeps on
 * @ino: of the file
 * @index: of the page in the file
 * @rescues: as in struct dxl_busy
 */
struct dxl_pin_wait {
	struct list_head list;
	struct task_struct *task;
	struct page *page;
	void *var;
	unsigned long ino;
	pgoff_t index;
	int rescues;
};

/* A break begins. */
static inline struct dxl_busy dxl_busy_begin(const struct inode *inode)
{
	const struct dxl_lab *lab = &DXL_SB(inode->i_sb)->lab;

	return (struct dxl_busy){ .rescues = atomic_read(&lab->rescues) };
}

/* layout.c */
int dxl_layout_lock(struct inode *inode, pgoff_t first, pgoff_t behind);
int dxl_layout_break(struct inode *inode, pgoff_t first, pgoff_t last);
void dxl_layout_unmap(struct inode *inode, pgoff_t first, pgoff_t last);
int dxl_layout_scan(struct inode *inode, pgoff_t first, pgoff_t last,
		    struct dxl_busy *busy);
int dxl_layout_wait(struct inode *inode, const struct dxl_busy *busy,
		    bool locked);
void dxl_layout_tell_scan(struct inode *inode, pgoff_t first,
			  const struct dxl_busy *busy);
bool dxl_pin_awaited(struct dxl_lab *lab, const struct task_struct *task,
		     unsigned long *ino, pgoff_t *index);
bool dxl_pin_wait_is_lost(const struct dxl_pin_wait *wait);
void dxl_pins_rescue(struct dxl_lab *lab);

/* layout_variant.c */
int dxl_layout_lock_varied(struct inode *inode, pgoff_t first, pgoff_t last);
bool dxl_layout_pinned_varied(const struct dxl_lab *lab, struct page *page);
int dxl_layout_late(struct inode *inode, pgoff_t first, pgoff_t last);
void dxl_layout_evict(struct inode *inode);

#endif /* DXL_LAYOUT_H */
