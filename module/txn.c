// SPDX-License-Identifier: GPL-2.0
/*
 * The metadata transaction of a mount, for the knob txn only: one handle, which
 * its owner may take again
 *
 * It is handed over from task to task, and who gets it is published as running
 * by who gives it: so no role that can go on is ever seen as blocked.
 */
#include "lab.h"
#include "role.h"

#include <linux/sched/signal.h>

/**
 * dxl_txn_begin() - Take the handle; wait while another task has it.
 * @lab: of the mount
 *
 * Context: May sleep, killably.
 * Return: 0; -EDEADLK if a rescue ended the wait; -EINTR if a fatal signal did.
 */
int dxl_txn_begin(struct dxl_lab *lab)
{
	struct dxl_txn_waiter waiter = { .task = current };
	int rescues = atomic_read(&lab->rescues);
	struct dxl_txn *txn = &lab->txn;
	int err;

	spin_lock(&txn->lock);
	if (!txn->owner || txn->owner == current) {
		WRITE_ONCE(txn->owner, current);
		txn->depth++;
		spin_unlock(&txn->lock);
		return 0;
	}
	list_add_tail(&waiter.list, &txn->waiters);
	if (dxl_watched() && !dxl_rescued_since(lab, rescues))
		dxl_role_rests(DXL_ROLE_TXN, 0);
	spin_unlock(&txn->lock);

	err = wait_event_killable(txn->queue, READ_ONCE(waiter.granted) ||
				  dxl_rescued_since(lab, rescues));

	spin_lock(&txn->lock);
	if (waiter.granted) {
		err = 0;
	} else {
		list_del(&waiter.list);
		err = err ? -EINTR : -EDEADLK;
	}
	if (dxl_watched())
		dxl_role_granted(current);
	spin_unlock(&txn->lock);
	return err;
}

/**
 * dxl_txn_rescue() - End every wait for the handle.
 * @lab: of the mount, whose count of rescues has changed
 *
 * Context: Does not sleep.
 */
void dxl_txn_rescue(struct dxl_lab *lab)
{
	struct dxl_txn *txn = &lab->txn;
	struct dxl_txn_waiter *waiter;

	spin_lock(&txn->lock);
	if (dxl_watched())
		list_for_each_entry(waiter, &txn->waiters, list)
			dxl_role_granted(waiter->task);
	spin_unlock(&txn->lock);
	wake_up_all(&txn->queue);
}

/**
 * dxl_txn_end() - Give the handle back, or to the task that waits longest.
 * @lab: of the mount
 *
 * Context: Does not sleep. The caller has the handle.
 */
void dxl_txn_end(struct dxl_lab *lab)
{
	struct dxl_txn *txn = &lab->txn;
	struct dxl_txn_waiter *next;

	spin_lock(&txn->lock);
	if (--txn->depth) {
		spin_unlock(&txn->lock);
		return;
	}
	next = list_first_entry_or_null(&txn->waiters, struct dxl_txn_waiter,
					list);
	WRITE_ONCE(txn->owner, next ? next->task : NULL);
	if (next) {
		txn->depth = 1;
		list_del(&next->list);
		if (dxl_watched())
			dxl_role_granted(next->task);
		WRITE_ONCE(next->granted, true);
	}
	spin_unlock(&txn->lock);
	wake_up_all(&txn->queue);
}
