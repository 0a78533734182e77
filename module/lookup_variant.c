// SPDX-License-Identifier: GPL-2.0
/*
 * Lookups that do not wait for who froze a folio: what the choices of the knob
 * retry do that are not sound (variant.h)
 *
 * A lookup that comes to the same index, folio, count and mapping for the second
 * time goes on to do so until somebody else changes one of them: it is registered
 * as spinning, and the oracle (oracle_frozen.c) looks who could. It ends by that,
 * by a rescue or a fatal signal. Rules that never leave RCU are made to, for a
 * moment, after each DXL_SPIN_BATCH tries: the machine has to go on.
 */
#include "frozen.h"
#include "role.h"
#include "stats.h"

#include <linux/sched/signal.h>

#define DXL_SPIN_BATCH	64

static void dxl_spin_begin(struct dxl_spin *spin)
{
	struct dxl_lab *lab = spin->look->tree->lab;
	struct dxl_frozen *frozen = &lab->frozen;

	spin_lock_irq(&frozen->lock);
	list_add_tail(&spin->list, &frozen->spins);
	if (!dxl_rescued_since(lab, spin->look->rescues))
		dxl_role_rests(DXL_ROLE_SPINNING, spin->look->index);
	spin_unlock_irq(&frozen->lock);
}

static void dxl_spin_end(struct dxl_spin *spin)
{
	struct dxl_frozen *frozen = &spin->look->tree->lab->frozen;

	if (list_empty(&spin->list))
		return;
	spin_lock_irq(&frozen->lock);
	list_del_init(&spin->list);
	dxl_role_granted(spin->task);
	spin_unlock_irq(&frozen->lock);
}

/* One more look, under RCU or not, as the rule has it: the same as before? */
static bool dxl_spin_try(struct dxl_spin *spin)
{
	const struct dxl_look *look = spin->look;
	const struct address_space *mapping;

	if (spin->rule == DXL_RETRY_BOUNCE) {
		xa_lock_irq(dxl_pages(look));
		xa_unlock_irq(dxl_pages(look));
	}
	if (!dxl_look_is_stuck(look))
		return false;
	mapping = READ_ONCE(look->folio->mapping);
	if (mapping != spin->mapping) {
		WRITE_ONCE(spin->mapping, mapping);
		WRITE_ONCE(spin->tries, 0);
	}
	WRITE_ONCE(spin->tries, spin->tries + 1);
	return true;
}

static bool dxl_spin_batch(struct dxl_spin *spin)
{
	bool yields = spin->rule != DXL_RETRY_SPIN &&
		      spin->rule != DXL_RETRY_BOUNCE;
	unsigned int left = yields ? 1 : DXL_SPIN_BATCH;
	bool same;

	rcu_read_lock();
	do {
		same = dxl_spin_try(spin);
		cpu_relax();
	} while (same && --left);
	rcu_read_unlock();
	cond_resched();
	return same;
}

/*
 * Does the folio itself say that it is not what the slot says? Nobody holds it:
 * the slot must be the same afterwards.
 */
static bool dxl_look_is_denied(const struct dxl_look *look)
{
	const struct folio *folio = look->folio;
	bool denied;

	denied = READ_ONCE(folio->mapping) != look->mapping ||
		 look->index - READ_ONCE(folio->index) >=
		 folio_nr_pages(look->folio);
	/* Order the looks at the folio before that at the slot. */
	smp_rmb();
	return denied && dxl_look_is_stuck(look);
}

/**
 * dxl_lookup_varied() - A lookup has met a frozen folio, and does not wait.
 * @look: the lookup
 * @rule: of the knob retry
 *
 * Context: May sleep.
 * Return: 0: the slot or the count has changed; -ENOENT: to be passed over; -EIO:
 * the folio is not what the slot says; -EDEADLK: rescued; -EINTR.
 */
int dxl_lookup_varied(struct dxl_look *look, unsigned int rule)
{
	struct dxl_spin spin = {
		.list = LIST_HEAD_INIT(spin.list),
		.look = look,
		.task = current,
		.rule = rule,
		.mapping = READ_ONCE(look->folio->mapping),
	};
	int err = 0;

	if (rule == DXL_RETRY_SKIP)
		return -ENOENT;
	while (!err && dxl_spin_batch(&spin)) {
		if (rule == DXL_RETRY_RECHECK && dxl_look_is_denied(look))
			err = dxl_zombie_met(look);
		else if (fatal_signal_pending(current))
			err = -EINTR;
		else if (dxl_look_is_rescued(look))
			err = -EDEADLK;
		else if (spin.tries > 1 && list_empty(&spin.list))
			dxl_spin_begin(&spin);
	}
	dxl_stat_add(DXL_STAT_LOOKUP_RETRIES, spin.tries);
	dxl_spin_end(&spin);
	return err;
}

/**
 * dxl_spin_is_stuck() - Is a task's lookup spinning, and still in vain?
 * @lab: of the mount
 * @task: the task
 *
 * Context: Any context.
 * Return: true if so; false also if it is about to see a change.
 */
bool dxl_spin_is_stuck(struct dxl_lab *lab, const struct task_struct *task)
{
	struct dxl_frozen *frozen = &lab->frozen;
	const struct dxl_spin *spin;
	unsigned long flags;
	bool stuck = false;

	spin_lock_irqsave(&frozen->lock, flags);
	list_for_each_entry(spin, &frozen->spins, list)
		if (spin->task == task)
			stuck = dxl_look_is_stuck(spin->look) &&
				!dxl_look_is_rescued(spin->look);
	spin_unlock_irqrestore(&frozen->lock, flags);
	return stuck;
}
