// SPDX-License-Identifier: GPL-2.0
/*
 * The log of a mount: what happened, in order; and its lab, made and unmade
 */
#include "lab.h"
#include "entry.h"
#include "frozen.h"
#include "ledger.h"
#include "oracle.h"
#include "owner.h"
#include "role.h"
#include "verdict.h"

#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

DXL_KEY_DEFINE(dxl_watched_key);

static DEFINE_MUTEX(dxl_watch_lock);
static u64 dxl_watch_rounds;

static const char * const dxl_event_names[] = {
#define DXL_EVENT_NAME(event, name) name,
	DXL_EVENT_TABLE(DXL_EVENT_NAME)
#undef DXL_EVENT_NAME
};

static const struct {
	const char *name;
	const char *sentence;
} dxl_damage_names[] = {
#define DXL_DAMAGE_NAME(damage, name, sentence) { name, sentence },
	DXL_DAMAGE_TABLE(DXL_DAMAGE_NAME)
#undef DXL_DAMAGE_NAME
};

/**
 * dxl_watch_get() - One more reason to watch.
 *
 * Context: May sleep.
 */
void dxl_watch_get(void)
{
	mutex_lock(&dxl_watch_lock);
	if (!dxl_key_used(dxl_watched_key))
		WRITE_ONCE(dxl_watch_rounds, dxl_watch_rounds + 1);
	dxl_key_get(dxl_watched_key);
	mutex_unlock(&dxl_watch_lock);
	dxl_folio_watch(true);
}

/**
 * dxl_watch_put() - One less.
 *
 * Context: May sleep.
 */
void dxl_watch_put(void)
{
	dxl_folio_watch(false);
	mutex_lock(&dxl_watch_lock);
	dxl_key_put(dxl_watched_key);
	mutex_unlock(&dxl_watch_lock);
}

/**
 * dxl_watch_round() - How often has watching begun?
 *
 * Context: Any context.
 * Return: The number; between equal ones nothing was missed.
 */
u64 dxl_watch_round(void)
{
	return READ_ONCE(dxl_watch_rounds);
}

/**
 * dxl_event_name() - The word for an event.
 * @type: enum dxl_event_type
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_event_name(unsigned int type)
{
	return dxl_event_names[type];
}

/**
 * dxl_damage_name() - The word for a damage.
 * @damage: enum dxl_damage
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_damage_name(unsigned int damage)
{
	return dxl_damage_names[damage].name;
}

/**
 * dxl_damage_sentence() - What a damage is.
 * @damage: enum dxl_damage
 *
 * Context: Any context.
 * Return: A string, without a full stop.
 */
const char *dxl_damage_sentence(unsigned int damage)
{
	return dxl_damage_names[damage].sentence;
}

/**
 * dxl_lab_init() - The lab of a new mount.
 * @lab: zeroed
 * @sb: whose
 *
 * Context: Any context.
 */
void dxl_lab_init(struct dxl_lab *lab, struct super_block *sb)
{
	lab->sb = sb;
	mutex_init(&lab->lock);
	spin_lock_init(&lab->txn.lock);
	INIT_LIST_HEAD(&lab->txn.waiters);
	init_waitqueue_head(&lab->txn.queue);
	spin_lock_init(&lab->folio_lock);
	spin_lock_init(&lab->frozen.lock);
	INIT_LIST_HEAD(&lab->frozen.freezes);
	INIT_LIST_HEAD(&lab->frozen.spins);
	mutex_init(&lab->frozen.mutex);
	dxl_ledger_init(&lab->ledger);
	dxl_owners_init(&lab->owners);
	spin_lock_init(&lab->pins.lock);
	INIT_LIST_HEAD(&lab->pins.waits);
	INIT_LIST_HEAD(&lab->pwbs);
	INIT_LIST_HEAD(&lab->folio_holds);
}

/**
 * dxl_lab_variant() - The choices of a mount as they are now, all of one moment.
 * @lab: the lab
 *
 * Context: May sleep.
 * Return: The choices.
 */
struct dxl_variant dxl_lab_variant(struct dxl_lab *lab)
{
	struct dxl_variant variant;

	mutex_lock(&lab->lock);
	variant = lab->variant;
	mutex_unlock(&lab->lock);
	return variant;
}

/**
 * dxl_lab_vary() - Change the choices of a mount.
 * @lab: the lab
 * @to: new choices
 *
 * Context: May sleep. The caller serialises changes of one mount.
 */
void dxl_lab_vary(struct dxl_lab *lab, const struct dxl_variant *to)
{
	if (!lab->varied && !dxl_variant_is_sound(to)) {
		WRITE_ONCE(lab->varied, true);
		dxl_key_get(dxl_varied_key);
	}
	dxl_variant_set(&lab->variant, to);
}

/**
 * dxl_lab_settle() - Nobody acts by other choices than those of now.
 * @lab: the lab
 *
 * Context: May sleep. The caller serialises changes of one mount.
 */
void dxl_lab_settle(struct dxl_lab *lab)
{
	if (lab->varied && dxl_variant_is_sound(&lab->variant)) {
		WRITE_ONCE(lab->varied, false);
		dxl_key_put(dxl_varied_key);
	}
}

/**
 * dxl_lab_exit() - The end of a mount; nobody uses it any more.
 * @lab: the lab
 *
 * Context: May sleep.
 */
void dxl_lab_exit(struct dxl_lab *lab)
{
	const struct dxl_variant sound = {};

	dxl_lab_vary(lab, &sound);
	dxl_lab_settle(lab);
	dxl_oracle_forget(lab);
	dxl_cache_free(lab);
	dxl_ledger_exit(&lab->ledger);
	dxl_owners_exit(&lab->owners);
	kvfree(lab->log);
}

/**
 * dxl_log_open() - Let a mount have a log, from now on.
 * @lab: the lab
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int dxl_log_open(struct dxl_lab *lab)
{
	struct dxl_log *log;
	int err = 0;

	mutex_lock(&lab->lock);
	if (!lab->log) {
		log = kvzalloc(sizeof(*log), GFP_KERNEL);
		if (log) {
			spin_lock_init(&log->lock);
			/* Readers take no lock to find it. */
			smp_store_release(&lab->log, log);
		} else {
			err = -ENOMEM;
		}
	}
	mutex_unlock(&lab->lock);
	return err;
}

/**
 * dxl_log_mark() - A new run begins: what was before does not count.
 * @lab: the lab
 *
 * Context: May sleep.
 */
void dxl_log_mark(struct dxl_lab *lab)
{
	/* Pairs with dxl_log_open(). */
	struct dxl_log *log = smp_load_acquire(&lab->log);
	unsigned long flags;
	unsigned int i;

	for (i = 0; i < DXL_NR_DAMAGES; i++)
		atomic_set(&lab->damages[i], 0);
	spin_lock(&lab->pins.lock);
	lab->pins.nr_losses = 0;
	spin_unlock(&lab->pins.lock);
	dxl_oracle_forget(lab);
	dxl_ledger_forgive(&lab->ledger);
	if (!log)
		return;
	spin_lock_irqsave(&log->lock, flags);
	log->start = log->seq;
	spin_unlock_irqrestore(&log->lock, flags);
}

static void dxl_log_write(struct dxl_lab *lab, const struct dxl_event *from)
{
	struct dxl_log *log;
	struct dxl_event *event;
	unsigned long flags;

	if (!lab)
		return;
	/* Pairs with dxl_log_open(). */
	log = smp_load_acquire(&lab->log);
	if (!log)
		return;
	spin_lock_irqsave(&log->lock, flags);
	event = &log->event[log->seq % DXL_LOG_EVENTS];
	*event = *from;
	event->seq = log->seq++;
	event->ns = ktime_get_ns();
	event->task = current;
	event->pid = current->pid;
	event->role = dxl_role_id(current);
	memcpy(event->comm, current->comm, sizeof(event->comm));
	spin_unlock_irqrestore(&log->lock, flags);
}

/**
 * dxl_log_add() - Note an event; use dxl_note().
 * @tree: where it happened
 * @type: what
 * @first: see DXL_EVENT_TABLE
 * @order: likewise
 * @index: likewise
 * @arg: likewise
 *
 * Context: Any context.
 */
void dxl_log_add(const struct dxl_tree *tree, enum dxl_event_type type,
		 pgoff_t first, unsigned int order, pgoff_t index,
		 unsigned long arg)
{
	const struct dxl_event event = {
		.tree = tree,
		.type = type,
		.order = order,
		.ino = tree->ino,
		.first = first,
		.index = index,
		.arg = arg,
	};

	dxl_log_write(tree->lab, &event);
}

/**
 * dxl_log_lab() - Note an event that is about no file.
 * @lab: where it happened
 * @type: what
 *
 * Context: Any context.
 */
void dxl_log_lab(struct dxl_lab *lab, enum dxl_event_type type)
{
	const struct dxl_event event = { .type = type };

	dxl_log_write(lab, &event);
}

/**
 * dxl_damage() - Note harm that was prevented.
 * @tree: where
 * @damage: which
 * @first: first index of the entry
 * @order: its order
 *
 * Context: Any context.
 */
void dxl_damage(const struct dxl_tree *tree, enum dxl_damage damage,
		pgoff_t first, unsigned int order)
{
	if (!tree->lab)
		return;
	atomic_inc(&tree->lab->damages[damage]);
	dxl_note(tree, DXL_EV_DAMAGE, first, order, first, damage);
}

/**
 * dxl_log_next() - Copy the next event out of a log, which goes on meanwhile.
 * @log: the log
 * @seq: of the first event that is wanted; the one after it then
 * @event: where to
 *
 * Context: Any context.
 * Return: false: there is none.
 */
bool dxl_log_next(struct dxl_log *log, u64 *seq, struct dxl_event *event)
{
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&log->lock, flags);
	*seq = max3(*seq, dxl_log_oldest(log), log->start);
	found = *seq < log->seq;
	if (found)
		*event = log->event[(*seq)++ % DXL_LOG_EVENTS];
	spin_unlock_irqrestore(&log->lock, flags);
	return found;
}
