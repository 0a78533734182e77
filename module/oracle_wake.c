// SPDX-License-Identifier: GPL-2.0
/*
 * Lost wakeups and orphan locks: exact, from the lists of each tree
 *
 * A waiter is lost if and only if it is on the queue and nobody has woken it,
 * the entry that it found locked is locked no more, every wake that is owed for
 * a store or a removal was issued, no woken waiter of the tree is still to look,
 * and no change of the variant is about to wake all: nobody is left then who
 * would wake it but by chance.
 */
#include "verdict.h"
#include "entry.h"
#include "fs.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>

static pgoff_t dxl_first_of(const void *entry, pgoff_t index)
{
	return index & ~(dxl_entry_pages(entry) - 1);
}

/* Is the entry that a waiter found locked still locked? */
static bool dxl_wake_will_come(struct dxl_tree *tree,
			       const struct dxl_waiter *waiter)
{
	void *entry = xa_load(&tree->xa, waiter->first);

	return entry && dxl_entry_is_locked(entry) &&
	       dxl_entry_order(entry) == waiter->found &&
	       dxl_first_of(entry, waiter->first) == waiter->first;
}

/* Under xa_lock. A task that runs, whyever, looks again by itself. */
static bool dxl_waiter_lost(struct dxl_tree *tree,
			    const struct dxl_waiter *waiter)
{
	return !READ_ONCE(waiter->woken) && !waiter->aborted &&
	       !list_empty(&waiter->wq.entry) &&
	       !task_is_running(waiter->task) &&
	       !dxl_wake_will_come(tree, waiter);
}

/*
 * Has everybody who was to wake done so, and everybody who was woken looked? A
 * wake by new choices passes over who sleeps by old ones: dxl_variant_change()
 * wakes those, under xa_lock, before it is through.
 */
static bool dxl_tree_settled(const struct dxl_tree *tree)
{
	const struct dxl_waiter *waiter;

	/* The choices that the wake was by were read before: dxl_variant_change(). */
	smp_rmb();
	if (tree->owed || (tree->lab && READ_ONCE(tree->lab->changing)))
		return false;
	list_for_each_entry(waiter, &tree->waiters, list)
		if (READ_ONCE(waiter->woken) || waiter->requeued)
			return false;
	return true;
}

static void dxl_shoot_waiter(struct dxl_finding *finding,
			     const struct dxl_waiter *waiter)
{
	struct dxl_waiter_shot *shot;

	if (finding->nr_waiters++ >= DXL_SHOTS)
		return;
	shot = &finding->waiter[finding->nr_waiters - 1];
	dxl_who(shot->who, waiter->task, waiter->task->comm,
		waiter->task->pid);
	shot->ino = waiter->key.tree->ino;
	shot->key = waiter->key.first;
	shot->index = waiter->index;
	shot->order = waiter->order;
	shot->first = waiter->first;
	shot->found = waiter->found;
	shot->ms = jiffies_to_msecs(jiffies - waiter->since);
	shot->depth = dxl_role_stack(waiter->task, shot->stack);
}

static void dxl_shoot_holds(struct dxl_finding *finding,
			    const struct dxl_tree *tree)
{
	struct dxl_holder_shot *shot;
	const struct dxl_hold *hold;

	hlist_for_each_entry(hold, &tree->holds, list) {
		if (finding->nr_holders++ >= DXL_SHOTS)
			continue;
		shot = &finding->holder[finding->nr_holders - 1];
		dxl_who(shot->who, hold->task, hold->task->comm,
			hold->task->pid);
		shot->ino = tree->ino;
		shot->first = hold->first;
		shot->order = dxl_entry_order(hold->entry);
		shot->ms = jiffies_to_msecs(jiffies - hold->since);
	}
}

/* Copy the last events that tell about a loss, oldest first. */
static void dxl_shoot_events(struct dxl_finding *finding,
			     const struct dxl_log *log,
			     const struct dxl_loss *loss)
{
	u64 oldest = max(dxl_log_oldest(log), log->start);
	unsigned int nr = 0, i;
	u64 seq;

	for (seq = log->seq; seq > oldest && nr < DXL_PROOF_EVENTS; seq--)
		nr += dxl_cause_concerns(&log->event[(seq - 1) % DXL_LOG_EVENTS],
					 loss);
	finding->nr_events = nr;
	for (i = 0; i < nr; seq++)
		if (dxl_cause_concerns(&log->event[seq % DXL_LOG_EVENTS], loss))
			finding->event[i++] = log->event[seq % DXL_LOG_EVENTS];
}

/* The cause, and the events that show it. */
static void dxl_loss_explain(struct dxl_finding *finding, struct dxl_tree *tree,
			     const struct dxl_loss *loss, struct dxl_why *why)
{
	struct dxl_log *log = NULL;
	unsigned long flags;

	if (tree->lab) {
		/* Pairs with dxl_log_open(). */
		log = smp_load_acquire(&tree->lab->log);
	}
	if (!log) {
		why->cause = DXL_CAUSE_NONE;
		strscpy(why->text, "cause unknown: nobody watched",
			sizeof(why->text));
		why->note[0] = '\0';
		why->seen = false;
		return;
	}
	spin_lock_irqsave(&log->lock, flags);
	dxl_cause_find(log, loss, why);
	dxl_shoot_events(finding, log, loss);
	spin_unlock_irqrestore(&log->lock, flags);
}

/* Return: whether the log has the end of the lock (struct dxl_why). */
static bool dxl_loss_tell(struct dxl_finding *finding, struct dxl_tree *tree,
			  const struct dxl_waiter *waiter)
{
	const struct dxl_loss loss = {
		.tree = tree,
		.task = waiter->task,
		.key = waiter->key.first,
		.first = waiter->first,
		.order = waiter->found,
	};
	void *entry = xa_load(&tree->xa, waiter->first);
	const struct dxl_waiter *other;
	unsigned int waiting = 0;
	struct dxl_why why;

	dxl_shoot_waiter(finding, waiter);
	dxl_shoot_holds(finding, tree);
	dxl_loss_explain(finding, tree, &loss, &why);
	finding->cause = why.cause;
	list_for_each_entry(other, &tree->waiters, list)
		waiting++;

	dxl_finding_say(finding, "lost wakeup: entry 0x%lx (%s) of ino %lu is %s; waiter %s sleeps on key 0x%lx since %llu ms; %s",
			waiter->first, dxl_order_name(waiter->found), tree->ino,
			!entry ? "gone" :
			dxl_entry_order(entry) == waiter->found ? "unlocked" :
			"replaced by one of another size",
			finding->waiter[0].who, waiter->key.first,
			finding->waiter[0].ms, why.text);
	dxl_finding_note(finding, "locked entries: %u", finding->nr_holders);
	dxl_finding_note(finding, "wait entries: %u", waiting);
	if (why.note[0])
		dxl_finding_note(finding, "cause: %s", why.note);
	dxl_finding_link(finding, "%s", finding->waiter[0].who);
	dxl_finding_link(finding, "entry 0x%lx", waiter->first);
	dxl_finding_link(finding, "nobody");
	return why.seen;
}

static struct dxl_finding *dxl_finding_about(struct list_head *findings,
					     const struct dxl_tree *tree,
					     pgoff_t first, unsigned int order)
{
	struct dxl_finding *finding;

	list_for_each_entry(finding, findings, list)
		if (finding->tree == tree && finding->first == first &&
		    finding->order == order)
			return finding;
	return NULL;
}

/*
 * One finding per entry: further waiters join it. Under xa_lock. If others than
 * roles may run (not @still), one of them may have unlocked the entry by the
 * path that nobody watches, and be about to wake: then the log lacks that.
 */
static void dxl_loss_add(struct list_head *findings, struct dxl_tree *tree,
			 const struct dxl_waiter *waiter, bool still)
{
	struct dxl_finding *finding;

	finding = dxl_finding_about(findings, tree, waiter->first,
				    waiter->found);
	if (finding) {
		dxl_shoot_waiter(finding, waiter);
		return;
	}
	finding = dxl_finding_new(findings, DXL_VERDICT_LOST_WAKEUP,
				  GFP_ATOMIC);
	if (!finding)
		return;
	finding->tree = tree;
	finding->task = waiter->task;
	finding->first = waiter->first;
	finding->order = waiter->found;
	if (!dxl_loss_tell(finding, tree, waiter) && !still) {
		list_del(&finding->list);
		kfree(finding);
	}
}

static void dxl_tree_losses(struct list_head *findings, struct dxl_tree *tree,
			    bool still)
{
	const struct dxl_waiter *waiter;

	if (list_empty(&tree->waiters) || !dxl_tree_settled(tree))
		return;
	list_for_each_entry(waiter, &tree->waiters, list)
		if (dxl_waiter_lost(tree, waiter))
			dxl_loss_add(findings, tree, waiter, still);
}

/**
 * dxl_oracle_tree() - Look for lost waiters, with nobody in control.
 * @tree: where something has just happened
 *
 * The first violation of a mount is kept until dxl_oracle_forget().
 *
 * Context: Under xa_lock.
 */
void dxl_oracle_tree(struct dxl_tree *tree)
{
	struct dxl_lab *lab = tree->lab;
	struct dxl_finding *finding;
	LIST_HEAD(findings);

	if (!lab || READ_ONCE(lab->caught))
		return;
	dxl_tree_losses(&findings, tree, false);
	finding = list_first_entry_or_null(&findings, struct dxl_finding, list);
	if (!finding)
		return;
	list_del(&finding->list);
	if (cmpxchg_release(&lab->caught, NULL, finding))
		kfree(finding);
	dxl_findings_free(&findings);
}

/**
 * dxl_oracle_forget() - Forget the violation that was kept.
 * @lab: of the mount
 *
 * Context: May sleep.
 */
void dxl_oracle_forget(struct dxl_lab *lab)
{
	mutex_lock(&lab->lock);
	kfree(xchg(&lab->caught, NULL));
	mutex_unlock(&lab->lock);
}

static const struct dxl_hold *dxl_hold_of(const struct dxl_tree *tree,
					  pgoff_t first)
{
	const struct dxl_hold *hold;

	hlist_for_each_entry(hold, &tree->holds, list)
		if (hold->first == first)
			return hold;
	return NULL;
}

static void dxl_orphan_tell(struct list_head *findings, struct dxl_tree *tree,
			    const void *entry, pgoff_t first)
{
	unsigned int order = dxl_entry_order(entry);
	const struct dxl_waiter *waiter;
	struct dxl_finding *finding;

	finding = dxl_finding_new(findings, DXL_VERDICT_ORPHAN_LOCK,
				  GFP_ATOMIC);
	if (!finding)
		return;
	finding->tree = tree;
	finding->first = first;
	finding->order = order;
	list_for_each_entry(waiter, &tree->waiters, list)
		if (waiter->first == first && waiter->found == order)
			dxl_shoot_waiter(finding, waiter);
	dxl_shoot_holds(finding, tree);
	dxl_finding_say(finding, "orphan lock: entry 0x%lx (%s) of ino %lu is locked and nobody holds it; %u waiters sleep for it",
			first, dxl_order_name(order), tree->ino,
			finding->nr_waiters);
	if (finding->nr_waiters) {
		finding->task = NULL;
		dxl_finding_link(finding, "%s", finding->waiter[0].who);
		dxl_finding_link(finding, "entry 0x%lx", first);
		dxl_finding_link(finding, "nobody");
	}
}

static void dxl_tree_orphans(struct list_head *findings, struct dxl_tree *tree)
{
	unsigned long index;
	pgoff_t first;
	void *entry;

	xa_for_each(&tree->xa, index, entry) {
		if (!dxl_entry_is_locked(entry))
			continue;
		first = dxl_first_of(entry, index);
		if (!dxl_hold_of(tree, first))
			dxl_orphan_tell(findings, tree, entry, first);
	}
}

/* Under s_inode_list_lock, so the inode stays. */
static void dxl_wakes_inode(struct inode *inode, void *arg)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct dxl_oracle *oracle = arg;

	xa_lock(&tree->xa);
	if (dxl_watched())
		dxl_tree_losses(&oracle->findings, tree, oracle->session);
	dxl_tree_orphans(&oracle->findings, tree);
	xa_unlock(&tree->xa);
}

static enum dxl_verdict_kind dxl_damage_kind(enum dxl_damage damage)
{
	switch (damage) {
	case DXL_DAMAGE_PTE_UNDER_HUGE:
	case DXL_DAMAGE_HUGE_OVER_TABLE:
		return DXL_VERDICT_COLLISION;
	case DXL_DAMAGE_SKIPPED:
		return DXL_VERDICT_SKIPPED;
	case DXL_DAMAGE_LOOP:
		return DXL_VERDICT_LIVELOCK;
	case DXL_DAMAGE_STALE_FRAME:
		return DXL_VERDICT_STALE;
	case DXL_DAMAGE_NO_FOLIO:
		return DXL_VERDICT_NO_FOLIO;
	case DXL_DAMAGE_FOREIGN:
		return DXL_VERDICT_FOREIGN;
	case DXL_DAMAGE_SPLIT_UNPREPARED:
	case DXL_DAMAGE_SPLIT_NODES:
		return DXL_VERDICT_SPLIT;
	case DXL_DAMAGE_STORE_FAILED:
		return DXL_VERDICT_FAILED;
	default:
		return DXL_VERDICT_ORPHAN_LOCK;
	}
}

/* The events of one damage since mark; the last of them is in the sentence. */
static void dxl_damage_shoot(struct dxl_finding *finding, struct dxl_lab *lab,
			     enum dxl_damage damage)
{
	/* Pairs with dxl_log_open(). */
	struct dxl_log *log = smp_load_acquire(&lab->log);
	const struct dxl_event *event;
	unsigned long flags;
	u64 seq;

	if (!log)
		return;
	spin_lock_irqsave(&log->lock, flags);
	for (seq = max(dxl_log_oldest(log), log->start); seq < log->seq; seq++) {
		event = &log->event[seq % DXL_LOG_EVENTS];
		if (event->type != DXL_EV_DAMAGE || event->arg != damage)
			continue;
		if (finding->nr_events == DXL_PROOF_EVENTS)
			break;
		finding->event[finding->nr_events++] = *event;
	}
	spin_unlock_irqrestore(&log->lock, flags);
}

static void dxl_damage_tell(struct dxl_oracle *oracle, enum dxl_damage damage,
			    int times)
{
	enum dxl_verdict_kind kind = dxl_damage_kind(damage);
	const struct dxl_event *event;
	struct dxl_finding *finding;
	char who[DXL_WHO];

	finding = dxl_finding_new(&oracle->findings, kind, GFP_KERNEL);
	if (!finding)
		return;
	finding->damage = damage + 1;
	dxl_damage_shoot(finding, oracle->lab, damage);
	if (!finding->nr_events) {
		dxl_finding_say(finding, "%s: %s (%d times; the log has no event of it)",
				dxl_verdict_name(kind),
				dxl_damage_sentence(damage), times);
		return;
	}
	event = &finding->event[0];
	dxl_who(who, event->task, event->comm, event->pid);
	dxl_finding_say(finding, "%s: %s: entry 0x%lx (%s) of ino %lu, by %s, %d times",
			dxl_verdict_name(kind), dxl_damage_sentence(damage),
			event->first, dxl_order_name(event->order), event->ino,
			who, times);
}

/**
 * dxl_oracle_wakes() - Lost wakeups, orphan locks, and damage that was prevented.
 * @oracle: findings are added
 *
 * Context: Process context. Exact at any time, quiescent or not.
 */
void dxl_oracle_wakes(struct dxl_oracle *oracle)
{
	unsigned int damage;
	int times;

	if (!dxl_watched())
		dxl_oracle_blind(oracle, "lost wakeups: nobody watches; open a session, or switch the oracles on");
	dxl_sb_visit_inodes(oracle->lab->sb, dxl_wakes_inode, oracle);
	for (damage = 0; damage < DXL_NR_DAMAGES; damage++) {
		times = atomic_read(&oracle->lab->damages[damage]);
		if (times)
			dxl_damage_tell(oracle, damage, times);
	}
}
