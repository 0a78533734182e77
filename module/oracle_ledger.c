// SPDX-License-Identifier: GPL-2.0
/*
 * Broken promises: syncs that returned 0 before what they owed was on media
 *
 * The ledger has judged where it happened (ledger.h); here it becomes words.
 */
#include "verdict.h"
#include "ledger.h"

#include <linux/slab.h>
#include <linux/string.h>

static const char * const dxl_broken_causes[] = {
	[DXL_CAUSE_PASSED] = "it passed the entry, which was locked",
	[DXL_CAUSE_TAKEN] = "another sync had taken the entry from its work list, and has not flushed it",
	[DXL_CAUSE_CLEAN] = "the entry was marked clean when it was called",
	[DXL_CAUSE_DROPPED] = "the entry was gone, and its mark with it",
	[DXL_CAUSE_PART] = "only a part of the entry was flushed",
};

static const char *dxl_look_text(const struct dxl_entry_look *look, char *text,
				 size_t size)
{
	if (!look->there)
		return "no entry with a frame";
	scnprintf(text, size, "0x%lx (%s), %s%s%s", look->first,
		  dxl_order_name(look->order),
		  look->locked ? "locked" : "unlocked",
		  look->dirty ? ", DIRTY" : ", clean",
		  look->towrite ? ", TOWRITE" : "");
	return text;
}

static void dxl_broken_tell(struct dxl_oracle *oracle,
			    const struct dxl_broken *broken)
{
	struct dxl_finding *finding;
	char who[DXL_WHO], text[64];

	finding = dxl_finding_new(&oracle->findings, DXL_VERDICT_BROKEN,
				  GFP_KERNEL);
	if (!finding)
		return;
	dxl_who(who, broken->task, broken->comm, broken->pid);
	finding->cause = broken->cause;
	finding->tree = broken->tree;
	finding->first = broken->seen.there ? broken->seen.first : broken->index;
	finding->order = broken->seen.order;
	dxl_finding_say(finding, "broken promise: sync by %s of ino %lu returned 0, and page 0x%lx was stored to before and not flushed since: %s",
			who, broken->ino, broken->index,
			dxl_broken_causes[broken->cause]);
	dxl_finding_note(finding, "byte 0x%x of the page: stored 0x%02x, media has 0x%02x; %u lines of 64 bytes, %lu pages in all",
			 broken->offset, broken->stored, broken->durable,
			 broken->lines, broken->pages);
	dxl_finding_note(finding, "entry at the call: %s",
			 dxl_look_text(&broken->seen, text, sizeof(text)));
	dxl_finding_note(finding, "entry at the return: %s",
			 dxl_look_text(&broken->now, text, sizeof(text)));
	if (broken->holder_pid) {
		dxl_who(who, broken->holder, broken->holder_comm,
			broken->holder_pid);
		dxl_finding_note(finding, "which %s had locked", who);
	}
}

/**
 * dxl_oracle_ledger() - Which syncs have broken their promise, since mark?
 * @oracle: findings are added
 *
 * Context: May sleep.
 */
void dxl_oracle_ledger(struct dxl_oracle *oracle)
{
	struct dxl_ledger *ledger = &oracle->lab->ledger;
	struct dxl_broken *broken;
	unsigned long nr, untold, i;

	broken = kcalloc(DXL_BROKEN_KEPT, sizeof(*broken), GFP_KERNEL);
	if (!broken) {
		dxl_oracle_blind(oracle, "promises of syncs: no memory");
		return;
	}
	mutex_lock(&ledger->lock);
	nr = ledger->nr_broken;
	untold = ledger->untold;
	memcpy(broken, ledger->broken, sizeof(ledger->broken));
	mutex_unlock(&ledger->lock);
	for (i = 0; i < min_t(unsigned long, nr, DXL_BROKEN_KEPT); i++)
		dxl_broken_tell(oracle, &broken[i]);
	if (nr > DXL_BROKEN_KEPT)
		dxl_oracle_blind(oracle, "%lu more broken promises: the first %u are told",
				 nr - DXL_BROKEN_KEPT, DXL_BROKEN_KEPT);
	if (untold)
		dxl_oracle_blind(oracle, "what syncs owe of %lu pages: no memory, or too many",
				 untold);
	kfree(broken);
}
