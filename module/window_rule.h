/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be armed at a window, shared by window*.c only. The grammar is in
 * session.h.
 */
#ifndef DXL_WINDOW_RULE_H
#define DXL_WINDOW_RULE_H

#include "session.h"

#define DXL_RULE_TEXT		256
#define DXL_RULE_TERMS		8
#define DXL_DELAY_SPIN_US	1000	/* above it the task sleeps */
#define DXL_DELAY_US_MAX	1000000

enum dxl_action {
	DXL_ACT_OFF,
	DXL_ACT_TRACE,
	DXL_ACT_ERROR,
	DXL_ACT_DELAY,
	DXL_ACT_YIELD,
	DXL_ACT_PARK,
	DXL_ACT_FALLBACK,
};

/* Which selectors a term has. */
#define DXL_SEL_ROLE	1
#define DXL_SEL_PID	2
#define DXL_SEL_INO	4
#define DXL_SEL_INDEX	8
#define DXL_SEL_ORDER	16
#define DXL_SEL_RW	32

#define DXL_CHANCE_ALWAYS	1000000

/**
 * struct dxl_term - one term of a rule
 * @action: what to do
 * @arg: of @action: errno, microseconds or milliseconds
 * @counted: N* was given
 * @left: of these
 * @chance: in millionths
 * @selectors: DXL_SEL_*: which of the following must fit
 * @role: name of the task's role
 * @pid: of the task
 * @ino: of the tree
 * @first: with @last, pages that the crossing is about, in part at least
 * @last: see @first
 * @order: of the crossing
 * @access: likewise
 */
struct dxl_term {
	enum dxl_action action;
	long arg;
	bool counted;
	atomic_t left;
	u32 chance;
	unsigned int selectors;
	char role[DXL_ROLE_NAME];
	pid_t pid;
	unsigned long ino;
	pgoff_t first;
	pgoff_t last;
	unsigned int order;
	enum dxl_access access;
};

/**
 * struct dxl_rule - a rule that is armed at a window
 * @list: of the window, looked at under RCU
 * @rcu: frees it
 * @session: who armed it
 * @lab: the mount that it is for, only to compare; NULL: all
 * @window: where
 * @hits: crossings in that mount
 * @fired: of these, crossings at which a term acted
 * @nr: of @term
 * @term: in the order of @text
 * @text: as given
 */
struct dxl_rule {
	struct list_head list;
	struct rcu_head rcu;
	struct dxl_session *session;
	const struct dxl_lab *lab;
	enum dxl_window window;
	atomic64_t hits;
	atomic64_t fired;
	unsigned int nr;
	struct dxl_term term[DXL_RULE_TERMS];
	char text[DXL_RULE_TEXT];
};

/**
 * struct dxl_hit - a task at a window
 * @window: which
 * @tree: in whose paths
 * @index: as told by the path
 * @order: likewise
 * @access: likewise
 * @role: name of the task's role, all zero if it has none
 * @nth: how often this role was here; 0: no role
 * @rescues: dxl_lab.rescues when it came
 */
struct dxl_hit {
	enum dxl_window window;
	struct dxl_tree *tree;
	pgoff_t index;
	unsigned int order;
	enum dxl_access access;
	char role[DXL_ROLE_NAME];
	u32 nth;
	int rescues;
};

/**
 * struct dxl_park - a parked task, on its own stack
 * @list: of all, under the lock of window_park.c
 * @session: whose rule it was; NULL when that has gone
 * @lab: in which mount
 * @task: who; lives while it is on the list
 * @window: where
 * @since: ktime_get_ns()
 * @done: somebody ended it
 * @why: who
 * @stack: of @task
 * @depth: entries of @stack
 */
struct dxl_park {
	struct list_head list;
	struct dxl_session *session;
	struct dxl_lab *lab;
	struct task_struct *task;
	enum dxl_window window;
	u64 since;
	bool done;
	enum dxl_release why;
	unsigned long stack[DXL_STACK_DEPTH];
	unsigned int depth;
};

/* window_rule.c */
int dxl_rule_parse(struct dxl_rule *rule, const char **why);
struct dxl_term *dxl_rule_decide(struct dxl_rule *rule,
				 const struct dxl_hit *hit);

/* window_park.c */
void dxl_park_enter(struct dxl_park *park, struct dxl_session *session,
		    const struct dxl_hit *hit);
void dxl_park_sleep(struct dxl_park *park, const struct dxl_hit *hit, long ms);
int dxl_park_release(enum dxl_window window, const char *who);
void dxl_parked_show(struct seq_file *seq, const struct dxl_session *session,
		     int window);

/* window.c */
u64 dxl_window_hits(enum dxl_window window);
int dxl_window_set(struct dxl_session *session, enum dxl_window window,
		   const char *text);
bool dxl_window_armed(const struct dxl_session *session);
void dxl_armed_show(struct seq_file *seq, const struct dxl_session *session,
		    enum dxl_window window);

#endif /* DXL_WINDOW_RULE_H */
