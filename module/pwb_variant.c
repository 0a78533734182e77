// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback of page-cache files: what the choices of "submit" and "wrap" do that
 * are not sound, or sound in another way (variant.h)
 */
#include "pwb.h"
#include "stats.h"

#include <linux/blkdev.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

static struct workqueue_struct *dxl_pwb_wq;

/*
 * A callback of the task's plug. Who is about to sleep is in no state to submit,
 * so a worker does.
 */
struct dxl_pwb_plug {
	struct blk_plug_cb cb;
	struct work_struct work;
	struct bio *bio;
};

static void dxl_pwb_work(struct work_struct *work)
{
	struct dxl_pwb_plug *plug = container_of(work, struct dxl_pwb_plug, work);

	submit_bio(plug->bio);
	kfree(plug);
}

static void dxl_pwb_unplug(struct blk_plug_cb *cb, bool from_schedule)
{
	struct dxl_pwb_plug *plug = container_of(cb, struct dxl_pwb_plug, cb);

	plug->bio = dxl_pwb_take(cb->data);
	if (plug->bio && from_schedule) {
		INIT_WORK(&plug->work, dxl_pwb_work);
		queue_work(dxl_pwb_wq, &plug->work);
		return;
	}
	if (plug->bio)
		submit_bio(plug->bio);
	kfree(plug);
}

static struct blk_plug_cb *dxl_pwb_plug(struct dxl_pwb *pwb)
{
	return blk_check_plugged(dxl_pwb_unplug, pwb,
				 sizeof(struct dxl_pwb_plug));
}

/**
 * dxl_pwb_begin_varied() - A call of writepages begins.
 * @pwb: whose
 *
 * Context: May sleep.
 */
void dxl_pwb_begin_varied(struct dxl_pwb *pwb)
{
	if (pwb->submit == DXL_SUBMIT_PLUG)
		blk_start_plug(&pwb->plug);
}

/**
 * dxl_pwb_end_varied() - It ends; nothing is collected any more.
 * @pwb: whose
 *
 * The plug may be the caller's own, and outlive us: no callback may stay.
 *
 * Context: May sleep.
 */
void dxl_pwb_end_varied(struct dxl_pwb *pwb)
{
	struct blk_plug_cb *cb;

	kfree(pwb->late);
	if (pwb->submit != DXL_SUBMIT_PLUG)
		return;
	cb = dxl_pwb_plug(pwb);
	if (cb) {
		list_del(&cb->list);
		kfree(container_of(cb, struct dxl_pwb_plug, cb));
	}
	blk_finish_plug(&pwb->plug);
}

/**
 * dxl_pwb_lock_varied() - Lock the next folio, maybe with a bio in hand.
 * @pwb: of the caller
 * @folio: which
 *
 * All these rules wait as the bug does; they differ in what is held then. One
 * bio per folio: nothing. Late unlock: folios that reclaim finds locked, and
 * passes over. Plug: nothing, once the task sleeps.
 *
 * Context: May sleep.
 */
void dxl_pwb_lock_varied(struct dxl_pwb *pwb, struct folio *folio)
{
	if (!folio_trylock(folio))
		dxl_pwb_wait_lock(pwb, folio);
}

/* Adjacent folios share a vector, so a bio may have any number of them. */
static bool dxl_pwb_late_room(struct dxl_pwb *pwb)
{
	unsigned int max = max(2 * pwb->max_late, 256U);
	u64 *late;

	if (pwb->nr_late < pwb->max_late)
		return true;
	/* Without memory for it the time is not counted. */
	late = krealloc_array(pwb->late, max, sizeof(*late),
			      GFP_NOFS | __GFP_NOWARN);
	if (!late)
		return false;
	pwb->late = late;
	pwb->max_late = max;
	return true;
}

/**
 * dxl_pwb_collected_varied() - A folio was added to the bio.
 * @pwb: of the caller, who has its lock
 *
 * Context: May sleep.
 */
void dxl_pwb_collected_varied(struct dxl_pwb *pwb)
{
	switch (pwb->submit) {
	case DXL_SUBMIT_PER_FOLIO:
		dxl_pwb_submit(pwb);
		break;
	case DXL_SUBMIT_UNLOCK_LATE:
		pwb->kept = true;
		if (dxl_pwb_late_room(pwb))
			pwb->late[pwb->nr_late++] = pwb->since;
		break;
	case DXL_SUBMIT_PLUG:
		if (!dxl_pwb_plug(pwb))
			dxl_pwb_submit(pwb);
		break;
	}
}

/**
 * dxl_pwb_unlock_late() - submit=unlock_late: a bio is about to be submitted.
 * @bio: of which all folios are locked
 *
 * Context: Any context.
 */
void dxl_pwb_unlock_late(struct bio *bio)
{
	struct folio_iter fi;

	bio_for_each_folio_all(fi, bio)
		folio_unlock(fi.folio);
}

/**
 * dxl_pwb_timed_varied() - submit=unlock_late: the folios of a bio are unlocked.
 * @pwb: of the caller
 *
 * If a rescue did that, they were before.
 *
 * Context: Any context.
 */
void dxl_pwb_timed_varied(struct dxl_pwb *pwb)
{
	unsigned int i;

	for (i = 0; i < pwb->nr_late; i++)
		dxl_hist_since(DXL_HIST_FOLIO, pwb->late[i]);
	pwb->nr_late = 0;
}

/**
 * dxl_pwb_wrap_varied() - A cyclic walk came to the end of the file.
 * @pwb: of the caller
 * @start: where it began
 * @next: where it has ended
 *
 * Context: May sleep.
 * Return: Where it ends now.
 */
pgoff_t dxl_pwb_wrap_varied(struct dxl_pwb *pwb, pgoff_t start, pgoff_t next)
{
	if (pwb->done || !start)
		return next;
	if (pwb->wrap == DXL_WRAP_SUBMITTED)
		dxl_pwb_submit(pwb);
	pwb->index = 0;
	pwb->end = start - 1;
	return dxl_pwb_pass(pwb);
}

/**
 * dxl_pwb_variant_init() - What the plug callback needs.
 *
 * Context: Module load.
 * Return: 0 or -ENOMEM.
 */
int __init dxl_pwb_variant_init(void)
{
	dxl_pwb_wq = alloc_workqueue("daxlab_pwb", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return dxl_pwb_wq ? 0 : -ENOMEM;
}

/**
 * dxl_pwb_variant_exit() - Undo dxl_pwb_variant_init().
 *
 * Context: Module unload: nothing is mounted.
 */
void dxl_pwb_variant_exit(void)
{
	destroy_workqueue(dxl_pwb_wq);
}
