// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the search for causes: hand-made logs, one per cause, and logs that
 * lack what is needed. Included by oracle_cause.c.
 */
#include <linux/mm.h>
#include <linux/string.h>

/* Tasks are numbers here: nobody looks behind the pointers. */
enum { HOLDER = 100, LOSER, OTHER, THIRD };

#define TREE	((const struct dxl_tree *)0x1000)
#define FOREIGN	((const struct dxl_tree *)0x2000)
#define PMD	DXL_PMD_ORDER
#define WOKE(n)	((n) << 1)
#define ALL(n)	((n) << 1 | 1)

struct dxl_act {
	unsigned int type;
	pid_t pid;
	pgoff_t first;
	unsigned int order;
	unsigned long arg;
	const struct dxl_tree *tree;	/* NULL: TREE */
};

struct dxl_cause_case {
	const char *name;
	enum dxl_cause cause;
	struct dxl_loss loss;	/* .tree and .task are filled in */
	struct dxl_act act[12];	/* .pid == 0 ends */
};

#define LOSS(k, f, o)	{ .key = k, .first = f, .order = o }

static const struct dxl_cause_case dxl_cause_cases[] __initconst = {
	{ "2019: the searcher's index", DXL_CAUSE_KEY_MISMATCH, LOSS(0, 1, 0), {
		{ DXL_EV_INSERT, HOLDER, 1 },
		{ DXL_EV_SLEEP, LOSER, 0, PMD, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(0) },
	} },
	{ "a put that is none", DXL_CAUSE_NOT_HANDED_ON, LOSS(1, 1, 0), {
		{ DXL_EV_LOCK, HOLDER, 1 },
		{ DXL_EV_SLEEP, OTHER, 1, 0, 1 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WOKEN, HOLDER, 1, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
		{ DXL_EV_AWAKE, OTHER, 1, 0, DXL_FOUND_UNLOCKED },
	} },
	{ "the second of a chain keeps it", DXL_CAUSE_NOT_HANDED_ON, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, OTHER, 1, 0, 1 },
		{ DXL_EV_SLEEP, THIRD, 1, 0, 1 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WOKEN, HOLDER, 1, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
		{ DXL_EV_PUT, OTHER, 1 },
		{ DXL_EV_WOKEN, OTHER, 1, 0, THIRD },
		{ DXL_EV_WAKE, OTHER, 1, 0, WOKE(1) },
	} },
	{ "removal wakes one", DXL_CAUSE_REPLACED, LOSS(0, 0, PMD), {
		{ DXL_EV_SLEEP, OTHER, 0, 0, 0 },
		{ DXL_EV_SLEEP, LOSER, 0, 0, 0 },
		{ DXL_EV_REMOVE, HOLDER, 0, PMD },
		{ DXL_EV_WOKEN, HOLDER, 0, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 0, 0, WOKE(1) },
		{ DXL_EV_INSERT, OTHER, 3 },
		{ DXL_EV_STORE, OTHER, 3 },
		{ DXL_EV_WAKE, OTHER, 3, 0, WOKE(0) },
	} },
	{ "swallowed", DXL_CAUSE_REPLACED, LOSS(200, 200, 0), {
		{ DXL_EV_INSERT, HOLDER, 200 },
		{ DXL_EV_SLEEP, LOSER, 200, 0, 200 },
		{ DXL_EV_INSERT, OTHER, 0, PMD },
	} },
	{ "early wake, the loser sleeps again", DXL_CAUSE_WAKE_BEFORE_STORE, LOSS(1, 1, 0), {
		{ DXL_EV_LOCK, HOLDER, 1 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_WOKEN, HOLDER, 1, 0, LOSER },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
	} },
	{ "no wake", DXL_CAUSE_NO_WAKE, LOSS(1, 1, 0), {
		{ DXL_EV_LOCK, HOLDER, 1 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 7, 0, WOKE(1) },
	} },
	{ "one key, two locks", DXL_CAUSE_MISDIRECTED, LOSS(0, 2, 0), {
		{ DXL_EV_SLEEP, OTHER, 0, 0, 1 },
		{ DXL_EV_SLEEP, LOSER, 0, 0, 2 },
		{ DXL_EV_STORE, HOLDER, 2 },
		{ DXL_EV_WOKEN, HOLDER, 0, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 0, 0, WOKE(1) },
		{ DXL_EV_SLEEP, OTHER, 0, 0, 1 },
	} },
	{ "a stranger in the bucket", DXL_CAUSE_STRANGER, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, OTHER, 9, 0, 9 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WOKEN, HOLDER, 9, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
	} },
	{ "a stranger of another file", DXL_CAUSE_STRANGER, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, OTHER, 1, 0, 1, FOREIGN },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WOKEN, HOLDER, 1, 0, OTHER, FOREIGN },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
	} },
	{ "unlocked before it enqueued", DXL_CAUSE_LATE_ENQUEUE, LOSS(1, 1, 0), {
		{ DXL_EV_LOCK, HOLDER, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(0) },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
	} },
	{ "woken before it enqueued", DXL_CAUSE_LATE_ENQUEUE, LOSS(1, 1, 0), {
		{ DXL_EV_LOCK, HOLDER, 1 },
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(0) },
	} },
	{ "all were woken before it enqueued", DXL_CAUSE_LATE_ENQUEUE, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_REMOVE, HOLDER, 1 },
		{ DXL_EV_WOKEN, HOLDER, 1, 0, OTHER },
		{ DXL_EV_WAKE, HOLDER, 1, 0, ALL(1) },
	} },
	{ "removal wakes on the new key", DXL_CAUSE_STALE_KEY, LOSS(0, 0, PMD), {
		{ DXL_EV_SLEEP, LOSER, 0, 0, 0 },
		{ DXL_EV_REMOVE, HOLDER, 0, PMD },
		{ DXL_EV_WAKE, HOLDER, 5, 0, ALL(0) },
	} },
	{ "no sleep in the log", DXL_CAUSE_NONE, LOSS(1, 1, 0), {
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(0) },
	} },
	{ "no unlock in the log", DXL_CAUSE_NONE, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(0) },
	} },
	{ "whom the wake took is not told", DXL_CAUSE_NONE, LOSS(1, 1, 0), {
		{ DXL_EV_SLEEP, LOSER, 1, 0, 1 },
		{ DXL_EV_STORE, HOLDER, 1 },
		{ DXL_EV_WAKE, HOLDER, 1, 0, WOKE(1) },
	} },
};

static void __init dxl_act_log(struct dxl_log *log, const struct dxl_act *act)
{
	log->event[log->seq % DXL_LOG_EVENTS] = (struct dxl_event) {
		.seq = log->seq,
		.tree = act->tree ?: TREE,
		.task = (struct task_struct *)(unsigned long)act->pid,
		.pid = act->pid,
		.comm = "test",
		.type = act->type,
		.order = act->order,
		.first = act->first,
		.index = act->first,
		.arg = act->arg,
	};
	log->seq++;
}

static void __init dxl_cause_seek(struct dxl_log *log,
				  const struct dxl_cause_case *c,
				  struct dxl_why *why)
{
	struct dxl_loss loss = c->loss;

	loss.tree = TREE;
	loss.task = (struct task_struct *)(unsigned long)LOSER;
	dxl_cause_find(log, &loss, why);
}

/* In an empty log, at the end of a full one, and after all of it has gone. */
static int __init dxl_cause_test(struct dxl_log *log,
				 const struct dxl_cause_case *c)
{
	static const struct dxl_act idle = { DXL_EV_MAP, THIRD, 400 };
	const struct dxl_act *act;
	struct dxl_why why;
	unsigned int i;

	for (act = c->act; act->pid; act++)
		dxl_act_log(log, act);
	dxl_cause_seek(log, c, &why);
	if (why.cause != c->cause)
		pr_err("selftest: %s: %s: %s\n", c->name,
		       dxl_cause_name(why.cause), why.text);
	DXL_EXPECT(why.cause == c->cause);
	DXL_EXPECT(why.text[0]);
	DXL_EXPECT(why.seen || why.cause == DXL_CAUSE_NONE);

	for (i = 0; i < DXL_LOG_EVENTS; i++)
		dxl_act_log(log, &idle);
	dxl_cause_seek(log, c, &why);
	DXL_EXPECT(why.cause == DXL_CAUSE_NONE);
	DXL_EXPECT(!why.seen);
	DXL_EXPECT(strstr(why.text, "unknown"));
	return 0;
}

/**
 * dxl_selftest_oracle() - Test what an oracle says of a stale read.
 *
 * Context: Module load.
 * Return: 0 or a negative errno.
 */
int __init dxl_selftest_oracle(void)
{
	struct dxl_log *log = kvzalloc(sizeof(*log), GFP_KERNEL);
	unsigned int i;
	int err = 0;

	if (!log)
		return -ENOMEM;
	for (i = 0; !err && i < ARRAY_SIZE(dxl_cause_cases); i++)
		err = dxl_cause_test(log, &dxl_cause_cases[i]);
	kvfree(log);
	pr_info("selftest oracle: %s\n", err ? "FAIL" : "pass");
	return err;
}
