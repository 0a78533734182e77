// SPDX-License-Identifier: GPL-2.0
/*
 * The pin ledger: a page that somebody pins is not freed, and so is never given to
 * another file
 *
 * The kernel counts references and does not say whose they are. What is known for
 * certain is that a page which nothing maps has more than its own. So the ledger
 * has what would have been freed in that state, the census what is free in it, and
 * the list of waiters who sleeps where no end of a pin will wake him.
 */
#include "verdict.h"
#include "compat_mm.h"
#include "layout.h"
#include "session.h"

#include <linux/mm.h>

static const char *dxl_pin_why(enum dxl_cause cause)
{
	switch (cause) {
	case DXL_CAUSE_NO_BREAK:
		return "nobody looked for pins";
	case DXL_CAUSE_EARLY_SCAN:
		return "it was pinned between the scan and the unmap";
	case DXL_CAUSE_NO_RESCAN:
		return "it was pinned during the wait for another, and not scanned again";
	case DXL_CAUSE_UNLOCKED:
		return "it was pinned between the break and invalidate_lock";
	case DXL_CAUSE_LATE_BREAK:
		return "its entry was deleted before the scan";
	case DXL_CAUSE_NO_ENTRY:
		return "it had no entry by which a scan could find it";
	case DXL_CAUSE_UNMAPPED:
		return "nobody mapped the file, so it was not scanned";
	case DXL_CAUSE_EVICTED:
		return "its inode left memory, and asked nobody";
	case DXL_CAUSE_TAIL:
		return "the references of a tail page were looked at, of which it has none";
	default:
		return "nobody knows why";
	}
}

/* Who holds pins and can be told: roles that are parked with them. */
static void dxl_pins_holders(struct dxl_oracle *oracle,
			     struct dxl_finding *finding)
{
	const struct dxl_role *role;
	char who[DXL_WHO];

	if (!oracle->session)
		return;
	list_for_each_entry(role, &oracle->session->roles, list) {
		if (dxl_role_state(role) != DXL_ROLE_PARKED ||
		    READ_ONCE(role->window) != DXL_WIN_PIN_HELD)
			continue;
		dxl_who(who, role->task, role->task->comm, role->task->pid);
		dxl_finding_note(finding, "%s is parked with the pages of a direct read or write pinned",
				 who);
	}
}

/* One finding for each cause: the first block makes the sentence. */
static void dxl_pins_tell_loss(struct dxl_oracle *oracle,
			       const struct dxl_pin_loss *loss)
{
	struct dxl_finding *finding;
	char who[DXL_WHO];

	list_for_each_entry(finding, &oracle->findings, list)
		if (finding->kind == DXL_VERDICT_PINNED &&
		    finding->cause == loss->cause) {
			dxl_finding_note(finding, "also block 0x%llx of ino %lu, %d references",
					 loss->block, loss->ino, loss->refs);
			return;
		}
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_PINNED,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = loss->cause;
	finding->first = loss->block;
	dxl_who(who, loss->task, loss->comm, loss->pid);
	dxl_finding_say(finding, "freed under a pin: block 0x%llx (frame 0x%lx) of ino %lu is pinned, %d references, and would have been freed by %s: %s",
			loss->block, loss->pfn, loss->ino, loss->refs, who,
			dxl_pin_why(loss->cause));
	dxl_finding_note(finding, "prevented: the block stays in use until the pin is gone");
	dxl_finding_note(finding, "now: %d references",
			 page_count(pfn_to_page(loss->pfn)) - 1);
	dxl_pins_holders(oracle, finding);
}

static void dxl_pins_losses(struct dxl_oracle *oracle)
{
	struct dxl_pins *pins = &oracle->lab->pins;
	struct dxl_pin_loss loss;
	unsigned int i, nr;

	spin_lock(&pins->lock);
	nr = min_t(unsigned int, pins->nr_losses, DXL_PIN_LOSSES);
	spin_unlock(&pins->lock);
	for (i = 0; i < nr; i++) {
		spin_lock(&pins->lock);
		loss = pins->loss[i];
		spin_unlock(&pins->lock);
		dxl_pins_tell_loss(oracle, &loss);
	}
}

/* A wait that no put will end. */
static void dxl_pins_waits(struct dxl_oracle *oracle)
{
	struct dxl_pins *pins = &oracle->lab->pins;
	const struct dxl_pin_wait *wait, *lost = NULL;
	struct dxl_waiter_shot shot = {};
	struct dxl_finding *finding;

	spin_lock(&pins->lock);
	list_for_each_entry(wait, &pins->waits, list) {
		if (lost || !dxl_pin_wait_is_lost(wait))
			continue;
		lost = wait;
		dxl_who(shot.who, wait->task, wait->task->comm,
			wait->task->pid);
		scnprintf(shot.on, sizeof(shot.on), "the pin of page 0x%lx",
			  wait->index);
		shot.ino = wait->ino;
		shot.first = wait->index;
		shot.depth = dxl_role_stack(wait->task, shot.stack);
	}
	spin_unlock(&pins->lock);
	if (!lost)
		return;
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_LOST_WAKEUP,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = DXL_CAUSE_PIN_VARIABLE;
	finding->first = shot.first;
	finding->waiter[finding->nr_waiters++] = shot;
	dxl_finding_say(finding, "lost wakeup: page 0x%lx of ino %lu is not pinned any more; waiter %s sleeps for that on a variable that no put of a page wakes",
			shot.first, shot.ino, shot.who);
	dxl_finding_link(finding, "%s", shot.who);
	dxl_finding_link(finding, "%s", shot.on);
	dxl_finding_link(finding, "nobody");
}

/* Is anything free that somebody has pinned? */
static void dxl_pins_census(struct dxl_oracle *oracle)
{
	struct dxl_sb *sbi = DXL_SB(oracle->lab->sb);
	struct dxl_finding *finding;
	u64 first, nr;

	nr = dxl_balloc_census(sbi, &first);
	if (!nr)
		return;
	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_PINNED,
				  GFP_KERNEL);
	if (!finding)
		return;
	finding->cause = DXL_CAUSE_FREE;
	finding->first = first;
	dxl_finding_say(finding, "freed under a pin: %llu free blocks are pinned, the first is 0x%llx",
			nr, first);
}

/**
 * dxl_oracle_pins() - Is a pinned page free, or would have been?
 * @oracle: findings are added
 *
 * Context: May sleep.
 */
void dxl_oracle_pins(struct dxl_oracle *oracle)
{
	struct dxl_sb *sbi = DXL_SB(oracle->lab->sb);
	int id;

	if (dxl_media_enter(&sbi->media, &id)) {
		dxl_oracle_blind(oracle, "pinned pages: the device is gone");
		return;
	}
	dxl_pins_losses(oracle);
	dxl_pins_waits(oracle);
	dxl_pins_census(oracle);
	dxl_media_exit(id);
}
