// SPDX-License-Identifier: GPL-2.0
/*
 * Folios: who has the lock of one, or the bio that will end its writeback, and
 * which role waits for that
 *
 * Neither a folio's lock nor its writeback bit has an owner. Our own paths tell
 * what they lock, and a bio that nobody has submitted belongs to its collector.
 * Whoever else waits for a writeback, reclaim above all, is seen by a probe on
 * the kernel's tracepoint, with its stack.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "pwb.h"
#include "session.h"

#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

static DEFINE_MUTEX(dxl_probe_lock);	/* guards what follows */
static struct tracepoint *dxl_probe_point;
static unsigned int dxl_probe_users;
static bool dxl_probe_on;

/* Any task of the machine is about to wait for a writeback. */
static void dxl_probe_writeback(void *unused, struct folio *folio,
				struct address_space *mapping)
{
	if (dxl_role_id(current))
		dxl_role_waits(DXL_FOLIO_WRITEBACK, folio,
			       /* The swap cache has a mapping without a host. */
			       mapping && mapping->host ? mapping->host->i_ino : 0,
			       folio->index);
}

static void dxl_probe_find(struct tracepoint *point, void *unused)
{
	if (!strcmp(point->name, "folio_wait_writeback"))
		dxl_probe_point = point;
}

/**
 * dxl_folio_watch() - One more, or one less, who wants to know of waits.
 * @on: which
 *
 * Context: May sleep.
 */
void dxl_folio_watch(bool on)
{
	mutex_lock(&dxl_probe_lock);
	if (on && !dxl_probe_users++) {
		if (!dxl_probe_point)
			for_each_kernel_tracepoint(dxl_probe_find, NULL);
		dxl_probe_on = dxl_probe_point &&
			       !tracepoint_probe_register(dxl_probe_point,
							  dxl_probe_writeback,
							  NULL);
		if (!dxl_probe_on)
			pr_warn_once("no tracepoint folio_wait_writeback: waits of the kernel's own reclaim are not seen\n");
	} else if (!on && !--dxl_probe_users && dxl_probe_on) {
		tracepoint_probe_unregister(dxl_probe_point,
					    dxl_probe_writeback, NULL);
		tracepoint_synchronize_unregister();
		dxl_probe_on = false;
	}
	mutex_unlock(&dxl_probe_lock);
}

/**
 * dxl_folio_hold_begin() - The caller's locks on folios are known from now on.
 * @lab: of the mount
 * @hold: its own
 * @folio: that it has locked, or NULL
 *
 * Context: Any process context.
 */
void dxl_folio_hold_begin(struct dxl_lab *lab, struct dxl_folio_hold *hold,
			  const struct folio *folio)
{
	hold->folio = folio;
	hold->task = current;
	spin_lock(&lab->folio_lock);
	list_add_tail(&hold->list, &lab->folio_holds);
	spin_unlock(&lab->folio_lock);
}

/**
 * dxl_folio_hold_end() - Not any more: it has none, or is about to unlock it.
 * @lab: of the mount
 * @hold: as given to dxl_folio_hold_begin()
 *
 * Context: Any process context.
 */
void dxl_folio_hold_end(struct dxl_lab *lab, struct dxl_folio_hold *hold)
{
	spin_lock(&lab->folio_lock);
	list_del(&hold->list);
	spin_unlock(&lab->folio_lock);
}

/* Is a folio in the bio of a collector? Under folio_lock. */
static bool dxl_pwb_has(struct dxl_pwb *pwb, const struct folio *folio)
{
	struct folio_iter fi;
	bool found = false;

	spin_lock(&pwb->lock);
	if (pwb->bio)
		bio_for_each_folio_all(fi, pwb->bio)
			found |= fi.folio == folio;
	spin_unlock(&pwb->lock);
	return found;
}

/* Under folio_lock. */
static const struct task_struct *dxl_folio_locker(struct dxl_lab *lab,
						  const struct folio *folio)
{
	const struct dxl_folio_hold *hold;
	struct dxl_pwb *pwb;

	list_for_each_entry(hold, &lab->folio_holds, list)
		if (READ_ONCE(hold->folio) == folio)
			return hold->task;
	list_for_each_entry(pwb, &lab->pwbs, list)
		if (pwb->submit == DXL_SUBMIT_UNLOCK_LATE &&
		    dxl_pwb_has(pwb, folio))
			return pwb->hold.task;
	return NULL;
}

/* Who will submit the writeback, or is on the way to collect it. Under folio_lock. */
static const struct task_struct *dxl_folio_collector(struct dxl_lab *lab,
						     const struct folio *folio)
{
	struct dxl_pwb *pwb;

	list_for_each_entry(pwb, &lab->pwbs, list)
		if (dxl_pwb_has(pwb, folio))
			return pwb->hold.task;
	return NULL;
}

/**
 * dxl_folio_wait_of() - Does a role sleep for a folio that somebody has?
 * @role: says that it runs
 * @wait: what for, if so
 *
 * A writeback that was submitted ends by itself, and a lock of which nobody
 * knows is the kernel's own, and soon open: who waits for these is about to run.
 *
 * Context: Process context, with the session's lock.
 * Return: true if so.
 */
bool dxl_folio_wait_of(const struct dxl_role *role, struct dxl_folio_wait *wait)
{
	struct dxl_lab *lab = role->session->lab;
	const struct folio *folio;

	/* Pairs with dxl_role_waits(). */
	wait->bit = smp_load_acquire(&role->bit);
	if (!wait->bit || !lab || !dxl_task_sleeps(role->task))
		return false;
	folio = READ_ONCE(role->folio);
	wait->ino = READ_ONCE(role->ino);
	wait->index = READ_ONCE(role->index);
	spin_lock(&lab->folio_lock);
	wait->owner = wait->bit == DXL_FOLIO_LOCK ?
		      dxl_folio_locker(lab, folio) :
		      dxl_folio_collector(lab, folio);
	spin_unlock(&lab->folio_lock);
	return wait->owner;
}

/**
 * dxl_folio_collectors() - Look at calls of writepages that wait for a lock.
 * @lab: of the mount
 * @fn: called for each that sleeps for a folio whose owner is known; must not sleep
 * @arg: handed to @fn
 *
 * The kernel's flusher, above all, which is nobody's role.
 *
 * Context: Any process context.
 */
void dxl_folio_collectors(struct dxl_lab *lab,
			  void (*fn)(const struct task_struct *task,
				     const struct dxl_folio_wait *wait, void *arg),
			  void *arg)
{
	struct dxl_folio_wait wait = { .bit = DXL_FOLIO_LOCK };
	const struct folio *wants;
	struct dxl_pwb *pwb;

	spin_lock(&lab->folio_lock);
	list_for_each_entry(pwb, &lab->pwbs, list) {
		/* Pairs with dxl_pwb_wait_lock(). */
		wants = smp_load_acquire(&pwb->wants);
		if (!wants || !dxl_task_sleeps(pwb->hold.task))
			continue;
		wait.owner = dxl_folio_locker(lab, wants);
		wait.ino = pwb->inode->i_ino;
		wait.index = READ_ONCE(pwb->wants_index);
		if (wait.owner)
			fn(pwb->hold.task, &wait, arg);
	}
	spin_unlock(&lab->folio_lock);
}

/**
 * dxl_folio_uncommitted() - A folio whose writeback nobody has submitted.
 * @lab: of the mount
 *
 * As reclaim would find it: what is locked is passed over.
 *
 * Context: Any process context.
 * Return: The folio with a reference, or NULL.
 */
struct folio *dxl_folio_uncommitted(struct dxl_lab *lab)
{
	struct folio *found = NULL;
	struct folio_iter fi;
	struct dxl_pwb *pwb;

	spin_lock(&lab->folio_lock);
	list_for_each_entry(pwb, &lab->pwbs, list) {
		spin_lock(&pwb->lock);
		if (pwb->bio && pwb->hold.task != current)
			bio_for_each_folio_all(fi, pwb->bio)
				if (!found && !folio_test_locked(fi.folio))
					found = fi.folio;
		if (found)
			folio_get(found);
		spin_unlock(&pwb->lock);
		if (found)
			break;
	}
	spin_unlock(&lab->folio_lock);
	return found;
}

static void dxl_folio_tell_wait(struct folio *folio)
{
	struct address_space *mapping;

	/* Inodes are freed after a grace period. */
	rcu_read_lock();
	mapping = READ_ONCE(folio->mapping);
	dxl_role_waits(DXL_FOLIO_WRITEBACK, folio,
		       mapping ? mapping->host->i_ino : 0, folio->index);
	rcu_read_unlock();
}

/**
 * dxl_folio_wait_writeback() - Wait for the end of a writeback, and say so.
 * @folio: of a file of ours, with a reference
 *
 * Context: May sleep.
 */
void dxl_folio_wait_writeback(struct folio *folio)
{
	if (dxl_watched())
		dxl_folio_tell_wait(folio);
	folio_wait_writeback(folio);
	dxl_folio_waits_over();
}
