/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Findings: what an oracle has seen, as a snapshot that outlives what it is
 * about; and verdicts, which are lists of them.
 */
#ifndef DXL_VERDICT_H
#define DXL_VERDICT_H

#include "oracle.h"
#include "role.h"

#include <linux/fs.h>
#include <linux/list.h>
#include <linux/types.h>

struct dxl_listing;
struct seq_file;

#define DXL_WHO			40	/* "reader/412": role or comm, and pid */
#define DXL_SENTENCE		320
#define DXL_NOTES		8
#define DXL_NOTE		200
#define DXL_SHOTS		8	/* waiters, holders; the rest is counted */
#define DXL_CHAIN		16
#define DXL_CHAIN_LINK		64
#define DXL_PROOF_EVENTS	40

/* A waiter as it was. */
struct dxl_waiter_shot {
	char who[DXL_WHO];
	char on[DXL_CHAIN_LINK];	/* what, if it is no entry; then no more */
	unsigned long ino;
	pgoff_t key;
	pgoff_t index;		/* searched */
	unsigned int order;	/* searched */
	pgoff_t first;		/* of the entry that it found locked */
	unsigned int found;	/* its order */
	u64 ms;
	unsigned int depth;
	unsigned long stack[DXL_STACK_DEPTH];
};

/* A hold as it was. */
struct dxl_holder_shot {
	char who[DXL_WHO];
	unsigned long ino;
	pgoff_t first;
	unsigned int order;
	u64 ms;
};

/**
 * struct dxl_finding - something that is wrong
 * @list: in a verdict
 * @kind: enum dxl_verdict_kind
 * @cause: enum dxl_cause
 * @damage: enum dxl_damage + 1; 0: none
 * @ns: ktime_get_ns() when it was decided
 * @tree: where; only to compare
 * @task: the first waiter; only to compare
 * @first: of the entry
 * @order: of the entry
 * @sentence: all in one
 * @nr_notes: notes kept
 * @note: evidence, one line each
 * @nr_waiters: waiters that belong to it; the first DXL_SHOTS are kept
 * @waiter: these
 * @nr_holders: likewise
 * @holder: likewise
 * @nr_links: links of @chain
 * @chain: who waits for what: task, resource, task, resource, ...
 * @nr_events: events kept
 * @event: those of the log that tell about it, oldest first
 */
struct dxl_finding {
	struct list_head list;
	enum dxl_verdict_kind kind;
	enum dxl_cause cause;
	unsigned int damage;
	u64 ns;
	const struct dxl_tree *tree;
	const struct task_struct *task;
	pgoff_t first;
	unsigned int order;
	char sentence[DXL_SENTENCE];
	unsigned int nr_notes;
	char note[DXL_NOTES][DXL_NOTE];
	unsigned int nr_waiters;
	struct dxl_waiter_shot waiter[DXL_SHOTS];
	unsigned int nr_holders;
	struct dxl_holder_shot holder[DXL_SHOTS];
	unsigned int nr_links;
	char chain[DXL_CHAIN][DXL_CHAIN_LINK];
	unsigned int nr_events;
	struct dxl_event event[DXL_PROOF_EVENTS];
};

/* A waiter that will never be woken, for the search of the cause. */
struct dxl_loss {
	const struct dxl_tree *tree;
	const struct task_struct *task;
	pgoff_t key;
	pgoff_t first;		/* of the entry that it found locked */
	unsigned int order;
};

/**
 * struct dxl_why - why a wakeup was lost
 * @cause: enum dxl_cause
 * @text: the end of the sentence
 * @note: why this cause and no other
 * @seen: the log has the end of the lock, so who ended it was watched, and
 *	dxl_tree.owed can be trusted
 */
struct dxl_why {
	enum dxl_cause cause;
	char text[DXL_NOTE];
	char note[DXL_NOTE];
	bool seen;
};

/* oracle_cause.c: pure, over a log whose lock the caller holds */
void dxl_cause_find(const struct dxl_log *log, const struct dxl_loss *loss,
		    struct dxl_why *why);
bool dxl_cause_concerns(const struct dxl_event *event,
			const struct dxl_loss *loss);
u64 dxl_log_oldest(const struct dxl_log *log);

/* finding.c */
struct dxl_finding *dxl_finding_new(struct list_head *list,
				    enum dxl_verdict_kind kind, gfp_t gfp);
__printf(2, 3) void dxl_finding_say(struct dxl_finding *finding,
				    const char *fmt, ...);
__printf(2, 3) void dxl_finding_note(struct dxl_finding *finding,
				     const char *fmt, ...);
__printf(2, 3) void dxl_finding_link(struct dxl_finding *finding,
				     const char *fmt, ...);
void dxl_finding_chain(const struct dxl_finding *finding, char *text,
		       size_t size);
void dxl_findings_free(struct list_head *list);
const char *dxl_verdict_name(enum dxl_verdict_kind kind);
const char *dxl_cause_name(enum dxl_cause cause);
const char *dxl_order_name(unsigned int order);
void dxl_who(char *who, const struct task_struct *task, const char *comm,
	     pid_t pid);

/* Oracles add to a list of findings; what could not be looked at, to @blind. */
struct dxl_oracle {
	struct dxl_lab *lab;
	struct dxl_session *session;	/* or NULL */
	struct list_head findings;
	unsigned int nr_blind;
	char blind[DXL_NOTES][DXL_NOTE];
};

__printf(2, 3) void dxl_oracle_blind(struct dxl_oracle *oracle,
				     const char *fmt, ...);
void dxl_oracle_wakes(struct dxl_oracle *oracle);	/* oracle_wake.c */
void dxl_oracle_flow(struct dxl_oracle *oracle, struct inode **inodes,
		     unsigned int nr);			/* oracle_flow.c */
void dxl_oracle_graph(struct dxl_oracle *oracle);	/* oracle_graph.c */
void dxl_oracle_frozen(struct dxl_oracle *oracle);	/* oracle_frozen.c */
void dxl_oracle_ledger(struct dxl_oracle *oracle);	/* oracle_ledger.c */
void dxl_oracle_pins(struct dxl_oracle *oracle);	/* oracle_pins.c */

/**
 * struct dxl_verdict - what the oracles have to say about a mount
 * @oracle: findings, and what could not be looked at; used up by the oracles
 * @mount: which
 * @quiet_ns: ktime_get_ns() of the last change of a role's state, 0: no session
 * @judged_ns: when lost wakeups and orphan locks had been decided
 * @listing: who did what, or NULL
 */
struct dxl_verdict {
	struct dxl_oracle oracle;
	char mount[sizeof_field(struct super_block, s_id)];
	u64 quiet_ns;
	u64 judged_ns;
	struct dxl_listing *listing;
};

/* verdict.c */
const char *dxl_finding_cause(const struct dxl_finding *finding);

/* All oracles over a mount that cannot go away; @session may be NULL */
struct dxl_verdict *dxl_verdict_run(struct dxl_lab *lab,
				    struct dxl_session *session, bool audit);

/* listing.c */
struct dxl_listing *dxl_listing_take(const struct dxl_session *session,
				     const struct list_head *findings);
void dxl_event_print(struct seq_file *seq, const struct dxl_event *event);

#endif /* DXL_VERDICT_H */
