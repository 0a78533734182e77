// SPDX-License-Identifier: GPL-2.0
/*
 * Zombies and livelocks: what the slots of the cache hold, who is frozen for
 * good, and who looks it up for ever
 *
 * A lookup that spins has seen the same index, folio, count and mapping twice,
 * and finds them so now. It goes on until somebody changes one of them. If no
 * freezer is registered who could, that is never: the livelock is permanent, and
 * this is no matter of time. If there is one and the session is still, he does not
 * run: the livelock is as long as he pleases, and is told if the rule stays in
 * its RCU section meanwhile. A rule that leaves it and yields does no harm then.
 */
#include "verdict.h"
#include "frozen.h"

#include <linux/slab.h>

#define DXL_SPINS	8	/* told of one mount */

/* A spinning lookup as it was. */
struct dxl_spin_shot {
	const struct task_struct *task;
	char who[DXL_WHO];
	char by[DXL_WHO];	/* who froze it, or empty */
	bool left;		/* and is gone */
	unsigned long ino;
	pgoff_t index;
	unsigned long tries;
	unsigned int rule;
	pgoff_t folio_index;
	unsigned int folio_order;
	bool mapped;		/* has a mapping */
};

/* Under dxl_frozen.lock. */
static void dxl_spin_shoot(struct dxl_lab *lab, const struct dxl_spin *spin,
			   struct dxl_spin_shot *shot)
{
	const struct dxl_look *look = spin->look;
	const struct dxl_freeze *freeze = dxl_freeze_of(lab, look->folio);

	*shot = (struct dxl_spin_shot) {
		.task = spin->task,
		.ino = look->tree->ino,
		.index = look->index,
		.tries = READ_ONCE(spin->tries),
		.rule = spin->rule,
		.folio_index = READ_ONCE(look->folio->index),
		.folio_order = folio_order(look->folio),
		.mapped = READ_ONCE(spin->mapping),
	};
	dxl_who(shot->who, spin->task, spin->task->comm, spin->task->pid);
	if (!freeze)
		return;
	shot->left = freeze->left;
	dxl_who(shot->by, freeze->task, freeze->comm, freeze->pid);
}

static void dxl_spin_tell(struct dxl_oracle *oracle,
			  const struct dxl_spin_shot *shot)
{
	bool permanent = !shot->by[0] || shot->left;
	struct dxl_waiter_shot *waiter;
	struct dxl_finding *finding;

	if (!permanent && (!oracle->session || shot->rule > DXL_RETRY_BOUNCE))
		return;
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_LIVELOCK,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = permanent ? DXL_CAUSE_PERMANENT : DXL_CAUSE_TRANSIENT;
	finding->first = shot->index;
	dxl_finding_say(finding, "livelock: %s has looked up page 0x%lx of ino %lu %lu times and found the same: a folio of index 0x%lx order %u with %s mapping and count 0, %s%s%s",
			shot->who, shot->index, shot->ino, shot->tries,
			shot->folio_index, shot->folio_order,
			shot->mapped ? "a" : "no",
			permanent ? "which nobody will thaw" : "frozen by ",
			permanent ? "" : shot->by,
			permanent ? "" : ", which does not run, and no RCU grace period can end");
	if (shot->left)
		dxl_finding_note(finding, "it was frozen by %s, which is gone",
				 shot->by);
	dxl_finding_note(finding, "rule: %s",
			 dxl_choice_name(DXL_KNOB_RETRY, shot->rule));
	dxl_finding_link(finding, "%s", shot->who);
	dxl_finding_link(finding, "folio 0x%lx", shot->index);
	dxl_finding_link(finding, "%s", permanent ? "nobody" : shot->by);
	finding->nr_waiters = 1;
	waiter = &finding->waiter[0];
	strscpy(waiter->who, shot->who, sizeof(waiter->who));
	scnprintf(waiter->on, sizeof(waiter->on), "folio 0x%lx", shot->index);
	waiter->depth = dxl_role_stack(shot->task, waiter->stack);
}

static void dxl_oracle_spins(struct dxl_oracle *oracle)
{
	struct dxl_frozen *frozen = &oracle->lab->frozen;
	const struct dxl_spin *spin;
	struct dxl_spin_shot *shot;
	unsigned int nr = 0, i;

	shot = kcalloc(DXL_SPINS, sizeof(*shot), GFP_KERNEL);
	if (!shot) {
		dxl_oracle_blind(oracle, "lookups that spin: no memory");
		return;
	}
	spin_lock_irq(&frozen->lock);
	list_for_each_entry(spin, &frozen->spins, list)
		if (nr < DXL_SPINS && dxl_look_is_stuck(spin->look) &&
		    !dxl_look_is_rescued(spin->look))
			dxl_spin_shoot(oracle->lab, spin, &shot[nr++]);
	spin_unlock_irq(&frozen->lock);
	for (i = 0; i < nr; i++)
		dxl_spin_tell(oracle, &shot[i]);
	kfree(shot);
}

/* Slots of the cache that hold what does not live there. */
static void dxl_oracle_census(struct dxl_oracle *oracle)
{
	struct dxl_finding *finding;
	struct dxl_census census;

	dxl_cache_census(oracle->lab, &census);
	if (!census.dead && !census.strange)
		return;
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_ZOMBIE,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = DXL_CAUSE_STALE_COPY;
	finding->first = census.first;
	dxl_finding_say(finding, "zombie-folio: %lu slots of the cache, from 0x%lx, hold a folio of index 0x%lx order %u that was freed%s",
			census.dead + census.strange, census.first,
			census.folio_index, census.folio_order,
			census.strange ? " and is somebody else's now" : "");
	dxl_finding_note(finding, "census: %lu slots with a folio, %lu shadow entries, %lu dead, %lu somebody else's, %lu frozen",
			 census.slots, census.shadows, census.dead,
			 census.strange, census.frozen);
}

/* Folios that were frozen by somebody who is gone, in the cache or in files. */
static void dxl_oracle_left(struct dxl_oracle *oracle)
{
	struct dxl_frozen *frozen = &oracle->lab->frozen;
	const struct dxl_freeze *freeze;
	struct dxl_finding *finding;
	char who[DXL_WHO];
	unsigned int nr = 0;
	unsigned long ino = 0;
	pgoff_t index = 0;

	spin_lock_irq(&frozen->lock);
	list_for_each_entry(freeze, &frozen->freezes, list) {
		if (!freeze->left || freeze->over || nr++)
			continue;
		dxl_who(who, freeze->task, freeze->comm, freeze->pid);
		ino = freeze->tree->ino;
		index = freeze->index;
	}
	spin_unlock_irq(&frozen->lock);
	if (!nr)
		return;
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_ZOMBIE,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = DXL_CAUSE_FREEZER_LEFT;
	finding->first = index;
	dxl_finding_say(finding, "zombie-folio: page 0x%lx of ino %lu was frozen by %s, which has gone without thawing it (%u in all)",
			index, ino, who, nr);
}

/**
 * dxl_oracle_frozen() - Find zombies and livelocks.
 * @oracle: findings are added
 *
 * Context: May sleep.
 */
void dxl_oracle_frozen(struct dxl_oracle *oracle)
{
	dxl_oracle_spins(oracle);
	dxl_oracle_census(oracle);
	dxl_oracle_left(oracle);
}
