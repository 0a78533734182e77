// SPDX-License-Identifier: GPL-2.0
/*
 * Verdicts: all oracles over a mount, and what they found as text
 */
#include "verdict.h"
#include "fs.h"
#include "session.h"

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

/* Files of a mount, referenced. */
struct dxl_files {
	unsigned int nr;
	unsigned int max;
	struct inode **inode;
};

static void dxl_files_take(struct super_block *sb, struct dxl_files *files)
{
	struct inode *inode;

	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (!S_ISREG(inode->i_mode) || files->nr++ >= files->max)
			continue;
		/* Of one that is on its way out nothing is mapped. */
		if (!igrab(inode))
			inode = NULL;
		files->inode[files->nr - 1] = inode;
	}
	spin_unlock(&sb->s_inode_list_lock);
}

static void dxl_files_put(struct dxl_files *files)
{
	unsigned int i;

	for (i = 0; i < min(files->nr, files->max); i++)
		iput(files->inode[i]);
	kvfree(files->inode);
}

/* The audit may sleep, so it works on a list of its own. */
static void dxl_verdict_flow(struct dxl_oracle *oracle)
{
	struct dxl_files files = {};

	dxl_files_take(oracle->lab->sb, &files);
	files.max = files.nr;
	files.nr = 0;
	if (!files.max)
		return;
	files.inode = kvcalloc(files.max, sizeof(*files.inode), GFP_KERNEL);
	if (!files.inode) {
		dxl_oracle_blind(oracle, "page tables and entries: no memory");
		return;
	}
	dxl_files_take(oracle->lab->sb, &files);
	dxl_oracle_flow(oracle, files.inode, min(files.nr, files.max));
	dxl_files_put(&files);
}

/* What was seen with nobody in control comes first. Under lab->lock. */
static void dxl_verdict_caught(struct dxl_oracle *oracle,
			       const struct dxl_finding *caught)
{
	struct dxl_finding *finding = kmemdup(caught, sizeof(*caught), GFP_KERNEL);

	if (!finding) {
		dxl_oracle_blind(oracle, "the violation that was kept: no memory");
		return;
	}
	dxl_finding_note(finding, "seen where it happened, and kept since");
	list_add(&finding->list, &oracle->findings);
}

/* Is what was kept also there now? Then once is enough. */
static bool dxl_verdict_knows(const struct dxl_oracle *oracle,
			      const struct dxl_finding *caught)
{
	const struct dxl_finding *finding;

	list_for_each_entry(finding, &oracle->findings, list)
		if (finding->kind == caught->kind &&
		    finding->tree == caught->tree &&
		    finding->first == caught->first &&
		    finding->order == caught->order)
			return true;
	return false;
}

/**
 * dxl_verdict_run() - Ask all oracles about a mount.
 * @lab: of a mount that cannot go away
 * @session: bound to it, still and with its lock held; or NULL: then the
 *	wait-for graph is left out, which has no meaning while tasks run
 * @audit: also compare page tables, entries and block map
 *
 * Context: May sleep, but for nobody whose progress an oracle may deny.
 * Return: The verdict, or NULL: no memory.
 */
struct dxl_verdict *dxl_verdict_run(struct dxl_lab *lab,
				    struct dxl_session *session, bool audit)
{
	const struct dxl_finding *caught;
	struct dxl_verdict *verdict;
	struct dxl_oracle *oracle;

	verdict = kvzalloc(sizeof(*verdict), GFP_KERNEL);
	if (!verdict)
		return NULL;
	oracle = &verdict->oracle;
	oracle->lab = lab;
	oracle->session = session;
	INIT_LIST_HEAD(&oracle->findings);
	strscpy(verdict->mount, lab->sb->s_id, sizeof(verdict->mount));
	if (session)
		verdict->quiet_ns = atomic64_read(&session->quiet_ns);

	mutex_lock(&lab->lock);
	dxl_oracle_wakes(oracle);
	dxl_oracle_frozen(oracle);
	verdict->judged_ns = ktime_get_ns();
	dxl_oracle_pins(oracle);
	/* Pairs with dxl_oracle_tree(). */
	caught = smp_load_acquire(&lab->caught);
	if (caught && !dxl_verdict_knows(oracle, caught))
		dxl_verdict_caught(oracle, caught);
	mutex_unlock(&lab->lock);
	dxl_oracle_ledger(oracle);
	if (session) {
		dxl_oracle_graph(oracle);
		verdict->listing = dxl_listing_take(session, &oracle->findings);
	}
	if (audit)
		dxl_verdict_flow(oracle);
	oracle->lab = NULL;
	oracle->session = NULL;
	return verdict;
}

/**
 * dxl_verdict_ask() - Ask all oracles about the mount of a session.
 * @session: the session; its last verdict goes
 *
 * Context: May sleep. The session's lock is held.
 * Return: 0; -ENOTCONN: it is not bound; -EBUSY: it is not still; -ENOMEM.
 */
int dxl_verdict_ask(struct dxl_session *session)
{
	struct dxl_verdict *verdict;

	if (!session->lab)
		return -ENOTCONN;
	if (!dxl_session_still(session))
		return -EBUSY;
	verdict = dxl_verdict_run(session->lab, session, true);
	if (!verdict)
		return -ENOMEM;
	dxl_verdict_free(session->verdict);
	session->verdict = verdict;
	return 0;
}

/**
 * dxl_verdict_free() - Forget a verdict.
 * @verdict: the verdict, or NULL
 *
 * Context: May sleep.
 */
void dxl_verdict_free(struct dxl_verdict *verdict)
{
	if (!verdict)
		return;
	dxl_findings_free(&verdict->oracle.findings);
	dxl_listing_free(verdict->listing);
	kvfree(verdict);
}

/* Does somebody hang for ever, or would, so that only a rescue ends it? */
static bool dxl_findings_hang(const struct list_head *findings)
{
	const struct dxl_finding *finding;

	list_for_each_entry(finding, findings, list)
		if (finding->kind == DXL_VERDICT_LOST_WAKEUP ||
		    finding->kind == DXL_VERDICT_DEADLOCK ||
		    finding->kind == DXL_VERDICT_ZOMBIE ||
		    finding->cause == DXL_CAUSE_PERMANENT ||
		    (finding->kind == DXL_VERDICT_ORPHAN_LOCK &&
		     finding->nr_waiters))
			return true;
	return false;
}

/**
 * dxl_session_hangs() - Is it proven that somebody sleeps for ever?
 * @session: bound, with its lock held
 *
 * Context: May sleep, but for nobody who may hang.
 * Return: true if the oracles say so now; the last verdict may be history.
 */
bool dxl_session_hangs(struct dxl_session *session)
{
	struct dxl_oracle *oracle;
	bool hangs;

	oracle = kzalloc(sizeof(*oracle), GFP_KERNEL);
	if (!oracle)
		return false;
	oracle->lab = session->lab;
	INIT_LIST_HEAD(&oracle->findings);
	if (dxl_session_still(session))
		oracle->session = session;
	dxl_oracle_wakes(oracle);
	dxl_oracle_frozen(oracle);
	dxl_oracle_pins(oracle);
	if (oracle->session)
		dxl_oracle_graph(oracle);
	hangs = dxl_findings_hang(&oracle->findings);
	dxl_findings_free(&oracle->findings);
	kfree(oracle);
	return hangs;
}

/**
 * dxl_finding_cause() - The word for the cause of a finding.
 * @finding: the finding
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_finding_cause(const struct dxl_finding *finding)
{
	return finding->damage ? dxl_damage_name(finding->damage - 1) :
				 dxl_cause_name(finding->cause);
}

static void dxl_waiter_show(struct seq_file *seq,
			    const struct dxl_waiter_shot *shot)
{
	unsigned int i;

	if (shot->on[0])
		seq_printf(seq, "  waiter: %s on %s\n", shot->who, shot->on);
	else
		seq_printf(seq, "  waiter: %s on key 0x%lx of ino %lu since %llu ms, found entry 0x%lx (%s) locked, searching index 0x%lx order %u\n",
			   shot->who, shot->key, shot->ino, shot->ms,
			   shot->first, dxl_order_name(shot->found),
			   shot->index, shot->order);
	for (i = 0; i < shot->depth; i++)
		seq_printf(seq, "    %pS\n", (void *)shot->stack[i]);
}

static void dxl_finding_show(struct seq_file *seq,
			     const struct dxl_finding *finding)
{
	const struct dxl_holder_shot *holder = finding->holder;
	char chain[DXL_CHAIN * (DXL_CHAIN_LINK + 4)];
	unsigned int i;

	seq_printf(seq, "verdict %s %s %s\n", dxl_verdict_name(finding->kind),
		   dxl_finding_cause(finding), finding->sentence);
	for (i = 0; i < finding->nr_notes; i++)
		seq_printf(seq, "  %s\n", finding->note[i]);
	for (i = 0; i < min_t(unsigned int, finding->nr_waiters, DXL_SHOTS); i++)
		dxl_waiter_show(seq, &finding->waiter[i]);
	if (finding->nr_waiters > DXL_SHOTS)
		seq_printf(seq, "  and %u waiters more\n",
			   finding->nr_waiters - DXL_SHOTS);
	for (i = 0; i < min_t(unsigned int, finding->nr_holders, DXL_SHOTS);
	     i++, holder++)
		seq_printf(seq, "  holder: %s of entry 0x%lx (%s) of ino %lu since %llu ms\n",
			   holder->who, holder->first,
			   dxl_order_name(holder->order), holder->ino,
			   holder->ms);
	if (finding->nr_links) {
		dxl_finding_chain(finding, chain, sizeof(chain));
		seq_printf(seq, "  chain: %s\n", chain);
	}
	for (i = 0; i < finding->nr_events; i++) {
		seq_puts(seq, "  event ");
		dxl_event_print(seq, &finding->event[i]);
	}
}

/**
 * dxl_verdict_show() - Print a verdict: sentences, evidence, listing.
 * @seq: where
 * @verdict: the verdict
 *
 * Context: May sleep.
 */
void dxl_verdict_show(struct seq_file *seq, const struct dxl_verdict *verdict)
{
	const struct dxl_oracle *oracle = &verdict->oracle;
	const struct dxl_finding *finding;
	unsigned int i;

	if (list_empty(&oracle->findings))
		seq_puts(seq, "verdict none\n");
	list_for_each_entry(finding, &oracle->findings, list)
		dxl_finding_show(seq, finding);
	for (i = 0; i < oracle->nr_blind; i++)
		seq_printf(seq, "  not looked at: %s\n", oracle->blind[i]);
	if (verdict->quiet_ns)
		seq_printf(seq, "  latency: %llu ns from quiescence to verdict\n",
			   verdict->judged_ns - verdict->quiet_ns);
	if (verdict->listing && !list_empty(&oracle->findings))
		dxl_listing_print(seq, verdict->listing, "  ");
}
