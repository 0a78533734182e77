// SPDX-License-Identifier: GPL-2.0
/*
 * Layout breaks: unmap, scan, wait, scan again (the rules: layout.h)
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "layout.h"
#include "compat_mm.h"
#include "role.h"
#include "stats.h"
#include "window.h"

#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

/* Most that a wait takes on a mount that is not sound, whatever its knobs do. */
#define DXL_PIN_MS	60000
/* How often a wait looks by itself. */
#define DXL_PIN_LOOK_MS	10

static struct dxl_lab *dxl_layout_lab(const struct inode *inode)
{
	return &DXL_SB(inode->i_sb)->lab;
}

static void dxl_layout_window(struct inode *inode, enum dxl_window window,
			      pgoff_t index)
{
	dxl_window(window, &DXL_I(inode)->tree, index, 0, DXL_ACCESS_WRITE);
}

/**
 * dxl_layout_unmap() - The first step of a break: nothing maps the range.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Context: May sleep.
 */
void dxl_layout_unmap(struct inode *inode, pgoff_t first, pgoff_t last)
{
	dxl_layout_window(inode, DXL_WIN_LAYOUT_BEFORE_UNMAP, first);
	dxl_inval_mappings(inode, first, last);
	dxl_layout_window(inode, DXL_WIN_LAYOUT_AFTER_UNMAP, first);
}

static bool dxl_layout_pinned(const struct inode *inode, struct page *page)
{
	if (dxl_varied())
		return dxl_layout_pinned_varied(dxl_layout_lab(inode), page);
	return dxl_page_pinned(page, true);
}

static void dxl_layout_scan_run(const struct inode *inode,
				const struct dxl_run *run,
				struct dxl_busy *busy)
{
	const struct dxl_media *media = dxl_media_of(inode);
	unsigned long i;

	for (i = 0; i < run->nr; i++) {
		struct page *page = dxl_media_page(media, run->block + i);

		if (!page || !dxl_layout_pinned(inode, page))
			continue;
		busy->page = page;
		busy->index = run->index + i;
		return;
	}
}

/**
 * dxl_layout_scan() - The second step: find a pinned page, by the block map.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 * @busy: receives the first that is pinned
 *
 * The map, and not the entries as in fs/dax.c: these know only what was mapped
 * since the inode came into memory.
 *
 * Context: May sleep; i_rwsem.
 * Return: 0 or -EIO.
 */
int dxl_layout_scan(struct inode *inode, pgoff_t first, pgoff_t last,
		    struct dxl_busy *busy)
{
	struct dxl_run run;
	int err, id;

	busy->page = NULL;
	err = dxl_media_enter(dxl_media_of(inode), &id);
	if (err)
		return err;
	while (first <= last && !busy->page) {
		err = dxl_map_lookup(inode, first, last - first + 1, &run);
		if (err)
			break;
		if (run.block != DXL_NO_BLOCK)
			dxl_layout_scan_run(inode, &run, busy);
		first = run.index + run.nr;
		cond_resched();
	}
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_layout_tell_scan() - A scan has ended.
 * @inode: the file
 * @first: where it began
 * @busy: what it found
 *
 * Context: May sleep.
 */
void dxl_layout_tell_scan(struct inode *inode, pgoff_t first,
			  const struct dxl_busy *busy)
{
	dxl_note(&DXL_I(inode)->tree, DXL_EV_SCAN, first, 0, first,
		 busy->page ? busy->index : -1UL);
	dxl_layout_window(inode, DXL_WIN_LAYOUT_AFTER_SCAN, first);
}

static void dxl_pin_wait_begin(struct dxl_lab *lab, struct dxl_pin_wait *wait)
{
	spin_lock(&lab->pins.lock);
	list_add_tail(&wait->list, &lab->pins.waits);
	/* As long as the page is pinned, whoever looks at the role finds. */
	if (dxl_watched() && !dxl_rescued_since(lab, wait->rescues))
		dxl_role_rests(DXL_ROLE_PIN, wait->index);
	spin_unlock(&lab->pins.lock);
}

static void dxl_pin_wait_end(struct dxl_lab *lab, struct dxl_pin_wait *wait)
{
	spin_lock(&lab->pins.lock);
	list_del(&wait->list);
	if (dxl_watched())
		dxl_role_granted(current);
	spin_unlock(&lab->pins.lock);
}

/*
 * Not all puts wake: __bio_release_pages() of 6.1.y, which was made to drop
 * references of folios (folio_put_refs()), passes by put_devmap_managed_page(). So
 * this looks at the page now and then as well; ext4 and xfs sleep on there until a
 * signal comes.
 */
static int dxl_pin_sleep(struct dxl_lab *lab, const struct dxl_pin_wait *wait)
{
	struct dxl_media *media = &DXL_SB(lab->sb)->media;
	wait_queue_head_t *queue = __var_waitqueue(wait->var);
	bool looks = wait->var == dxl_page_pin_var(wait->page);
	unsigned long end = jiffies + msecs_to_jiffies(DXL_PIN_MS);
	struct wait_bit_queue_entry wbq;
	bool pinned;
	int err, id;

	init_wait_var_entry(&wbq, wait->var, 0);
	for (;;) {
		err = prepare_to_wait_event(queue, &wbq.wq_entry,
					    TASK_INTERRUPTIBLE);
		/* The driver, and struct page with it, may go while this sleeps. */
		if (dxl_media_enter(media, &id)) {
			err = -EIO;
			break;
		}
		pinned = dxl_page_pinned(wait->page, true);
		dxl_media_exit(id);
		if (!pinned) {
			err = 0;
			break;
		}
		if ((READ_ONCE(lab->varied) && time_after(jiffies, end)) ||
		    dxl_rescued_since(lab, wait->rescues))
			err = -EIO;
		if (err)
			break;
		schedule_timeout(msecs_to_jiffies(looks ? DXL_PIN_LOOK_MS :
							  DXL_PIN_MS));
	}
	finish_wait(queue, &wbq.wq_entry);
	return err;
}

/**
 * dxl_layout_wait() - The third step: wait until a page is not pinned any more.
 * @inode: the file
 * @busy: the page
 * @locked: the caller has invalidate_lock, which is dropped meanwhile
 *
 * Context: May sleep, interruptibly; i_rwsem.
 * Return: 0; -ERESTARTSYS after a signal; -EIO after a rescue since the break
 * began, or if the knobs of the mount have made the wait too long.
 */
int dxl_layout_wait(struct inode *inode, const struct dxl_busy *busy,
		    bool locked)
{
	struct dxl_lab *lab = dxl_layout_lab(inode);
	struct dxl_pin_wait wait = {
		.task = current,
		.page = busy->page,
		.var = dxl_page_pin_var(busy->page),
		.ino = dxl_ino(inode),
		.index = busy->index,
		.rescues = busy->rescues,
	};
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	int err;

	if (dxl_choice(lab, DXL_KNOB_PIN_VAR) == DXL_PIN_VAR_OTHER)
		wait.var = dxl_page_other_var(busy->page);
	dxl_stat_inc(DXL_STAT_LAYOUT_WAITS);
	dxl_note(tree, DXL_EV_PIN, busy->index, 0, busy->index, DXL_PIN_WAITS);
	if (locked)
		filemap_invalidate_unlock(inode->i_mapping);
	dxl_pin_wait_begin(lab, &wait);
	err = dxl_pin_sleep(lab, &wait);
	dxl_pin_wait_end(lab, &wait);
	dxl_note(tree, DXL_EV_PIN, busy->index, 0, busy->index,
		 err ? DXL_PIN_GIVES_UP : DXL_PIN_GONE);
	dxl_layout_window(inode, DXL_WIN_LAYOUT_AFTER_WAIT, busy->index);
	if (locked)
		filemap_invalidate_lock(inode->i_mapping);
	return err;
}

/**
 * dxl_layout_break() - Wait until nobody has a page of a range pinned.
 * @inode: the file
 * @first: first page index
 * @last: last page index, inclusive
 *
 * Context: May sleep, interruptibly; i_rwsem and invalidate_lock, both
 * exclusively. The latter may have been dropped on return.
 * Return: 0; as dxl_layout_scan() and dxl_layout_wait().
 */
int dxl_layout_break(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct dxl_busy busy = dxl_busy_begin(inode);
	int err;

	dxl_stat_inc(DXL_STAT_LAYOUT_BREAKS);
	do {
		dxl_layout_unmap(inode, first, last);
		err = dxl_layout_scan(inode, first, last, &busy);
		dxl_layout_tell_scan(inode, first, &busy);
		if (err || !busy.page)
			return err;
		err = dxl_layout_wait(inode, &busy, true);
	} while (!err);
	return err;
}

/**
 * dxl_layout_lock() - Take invalidate_lock, with nobody pinning a range.
 * @inode: the file
 * @first: first page index whose block will go
 * @behind: index after the last; not above @first: none
 *
 * What cannot be waited for is kept when its block would become free.
 *
 * Context: May sleep, interruptibly; i_rwsem exclusively.
 * Return: 0, with invalidate_lock held exclusively; else as dxl_layout_break(),
 * or -EAGAIN (variants), without it.
 */
int dxl_layout_lock(struct inode *inode, pgoff_t first, pgoff_t behind)
{
	bool waits = dxl_media_of(inode)->pagemap && dxl_inode_dax(inode) &&
		     first < behind;
	int err = 0;

	if (waits && dxl_varied()) {
		err = dxl_layout_lock_varied(inode, first, behind - 1);
	} else {
		filemap_invalidate_lock(inode->i_mapping);
		if (waits)
			err = dxl_layout_break(inode, first, behind - 1);
	}
	if (err)
		filemap_invalidate_unlock(inode->i_mapping);
	else
		dxl_layout_window(inode, DXL_WIN_TRUNCATE_AFTER_BREAK, first);
	return err;
}

/**
 * dxl_pin_wait_is_lost() - Will nobody wake this waiter?
 * @wait: in the list of its mount
 *
 * Its page is idle, and it sleeps on what no put wakes (knob pin_var).
 *
 * Context: Under dxl_pins.lock.
 * Return: true if so.
 */
bool dxl_pin_wait_is_lost(const struct dxl_pin_wait *wait)
{
	return wait->var != dxl_page_pin_var(wait->page) &&
	       !dxl_page_pinned(wait->page, true);
}

/**
 * dxl_pin_awaited() - Does a task that says so sleep for a pin?
 * @lab: of the mount
 * @task: its role has the state DXL_ROLE_PIN
 * @ino: set to the file of the page
 * @index: set to its index there
 *
 * Context: Any process context.
 * Return: true if so; false: the page is idle, and the task about to see it.
 */
bool dxl_pin_awaited(struct dxl_lab *lab, const struct task_struct *task,
		     unsigned long *ino, pgoff_t *index)
{
	const struct dxl_pin_wait *wait;
	bool found = false;
	int id;

	if (dxl_media_enter(&DXL_SB(lab->sb)->media, &id))
		return false;
	spin_lock(&lab->pins.lock);
	list_for_each_entry(wait, &lab->pins.waits, list) {
		if (wait->task != task)
			continue;
		*ino = wait->ino;
		*index = wait->index;
		found = dxl_page_pinned(wait->page, true) ||
			dxl_pin_wait_is_lost(wait);
	}
	spin_unlock(&lab->pins.lock);
	dxl_media_exit(id);
	return found;
}

/**
 * dxl_pins_rescue() - End every wait for a pin.
 * @lab: of the mount, whose count of rescues has changed
 *
 * Context: Does not sleep.
 */
void dxl_pins_rescue(struct dxl_lab *lab)
{
	const struct dxl_pin_wait *wait;

	spin_lock(&lab->pins.lock);
	list_for_each_entry(wait, &lab->pins.waits, list) {
		if (dxl_watched())
			dxl_role_granted(wait->task);
		wake_up_var(wait->var);
	}
	spin_unlock(&lab->pins.lock);
}
