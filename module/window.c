// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: names, crossings, what is armed
 */
#include "window.h"
#include "entry.h"
#include "trace.h"
#include "window_rule.h"

#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define DXL_RULES_MAX		32	/* of a session, at one window */

static const struct {
	const char *name;
	const char *meaning;
	const char *upstream;
	unsigned int flags;
} dxl_windows[] = {
#define DXL_WINDOW_ROW(window, name, flags, meaning, upstream)		\
	{ name, meaning, upstream, flags },
	DXL_WINDOW_TABLE(DXL_WINDOW_ROW)
#undef DXL_WINDOW_ROW
};

/* Rules by window; a crossing looks at them under RCU. */
static struct list_head dxl_armed[DXL_NR_WINDOWS] = {
#define DXL_WINDOW_LIST(window, name, flags, meaning, upstream)		\
	LIST_HEAD_INIT(dxl_armed[DXL_WIN_##window]),
	DXL_WINDOW_TABLE(DXL_WINDOW_LIST)
#undef DXL_WINDOW_LIST
};

static DEFINE_MUTEX(dxl_rules_lock);	/* against changes of dxl_armed */
static atomic64_t dxl_hits[DXL_NR_WINDOWS];

/**
 * dxl_window_name() - "path.point".
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_name(enum dxl_window window)
{
	return dxl_windows[window].name;
}

/**
 * dxl_window_meaning() - What is true there.
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_meaning(enum dxl_window window)
{
	return dxl_windows[window].meaning;
}

/**
 * dxl_window_upstream() - Where it is in the kernel's own code.
 * @window: the window
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_window_upstream(enum dxl_window window)
{
	return dxl_windows[window].upstream;
}

/**
 * dxl_window_flags() - What may be done there.
 * @window: the window
 *
 * Context: Any context.
 * Return: DXL_WIN_* bits.
 */
unsigned int dxl_window_flags(enum dxl_window window)
{
	return dxl_windows[window].flags;
}

/**
 * dxl_window_find() - The window of a name.
 * @name: "path.point"
 *
 * Context: Any context.
 * Return: enum dxl_window or -EINVAL.
 */
int dxl_window_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_windows); i++)
		if (!strcmp(name, dxl_windows[i].name))
			return i;
	return -EINVAL;
}

/**
 * dxl_window_hits() - How often a window was crossed while somebody watched.
 * @window: the window
 *
 * Context: Any context.
 * Return: The count, of all mounts, since the module was loaded.
 */
u64 dxl_window_hits(enum dxl_window window)
{
	return atomic64_read(&dxl_hits[window]);
}

/* The first rule of which a term acts. Under RCU. */
static struct dxl_rule *dxl_rule_pick(const struct dxl_hit *hit,
				      struct dxl_term **term)
{
	struct dxl_rule *rule;

	list_for_each_entry_rcu(rule, &dxl_armed[hit->window], list) {
		if (rule->lab ? rule->lab != hit->tree->lab :
				hit->tree->lab->stock)
			continue;
		*term = dxl_rule_decide(rule, hit);
		if (*term)
			return rule;
	}
	return NULL;
}

static void dxl_delay(long us)
{
	ktime_t expires = us * NSEC_PER_USEC;

	if (us <= DXL_DELAY_SPIN_US) {
		udelay(us);
		return;
	}
	set_current_state(TASK_KILLABLE);
	schedule_hrtimeout(&expires, HRTIMER_MODE_REL);
}

static int dxl_window_act(const struct dxl_hit *hit)
{
	enum dxl_action action = DXL_ACT_OFF;
	struct dxl_park park;
	struct dxl_rule *rule;
	struct dxl_term *term;
	long arg = 0;

	rcu_read_lock();
	rule = dxl_rule_pick(hit, &term);
	if (rule) {
		action = term->action;
		arg = term->arg;
		if (action == DXL_ACT_PARK)
			dxl_park_enter(&park, rule->session, hit);
	}
	rcu_read_unlock();

	switch (action) {
	case DXL_ACT_OFF:
		break;
	case DXL_ACT_TRACE:
		trace_window(hit->tree->dev, hit->tree->ino, hit->index,
			     hit->order, hit->window);
		break;
	case DXL_ACT_ERROR:
		return arg;
	case DXL_ACT_DELAY:
		dxl_delay(arg);
		break;
	case DXL_ACT_YIELD:
		schedule();
		break;
	case DXL_ACT_PARK:
		dxl_park_sleep(&park, hit, arg);
		break;
	case DXL_ACT_FALLBACK:
		return -EAGAIN;
	}
	/* What it would wait for may have no sound wake. */
	return dxl_window_flags(hit->window) & DXL_WIN_GIVES_UP &&
	       READ_ONCE(hit->tree->lab->varied) &&
	       dxl_rescued_since(hit->tree->lab, hit->rescues) ? -EDEADLK : 0;
}

/**
 * dxl_window_crossed() - A task is at a window; use dxl_window().
 * @window: which
 * @tree: in whose paths
 * @index: page index that the path is about
 * @order: its order
 * @access: read or write, where it is known
 *
 * Context: As the window's flags say.
 * Return: 0, or the error that a rule asks for; -EAGAIN: to fall back;
 * -EDEADLK: rescued on its way to a wait.
 */
int dxl_window_crossed(enum dxl_window window, struct dxl_tree *tree,
		       pgoff_t index, unsigned int order,
		       enum dxl_access access)
{
	struct dxl_hit hit = {
		.window = window,
		.tree = tree,
		.index = index,
		.order = order,
		.access = access,
		.rescues = tree->lab ? atomic_read(&tree->lab->rescues) : 0,
	};

	dxl_note(tree, DXL_EV_WINDOW, index, order, index, window);
	atomic64_inc(&dxl_hits[window]);
	hit.nth = dxl_role_crossed(window, hit.role);
	if (!tree->lab || list_empty(&dxl_armed[window]))
		return 0;
	return dxl_window_act(&hit);
}

static bool dxl_rule_meddles(const struct dxl_rule *rule)
{
	unsigned int i;

	for (i = 0; i < rule->nr; i++)
		if (rule->term[i].action == DXL_ACT_ERROR ||
		    rule->term[i].action == DXL_ACT_FALLBACK)
			return true;
	return false;
}

static struct dxl_rule *dxl_rule_new(struct dxl_session *session,
				     enum dxl_window window, const char *text)
{
	struct dxl_rule *rule;
	const char *why;
	int err;

	if (strlen(text) >= DXL_RULE_TEXT)
		return ERR_PTR(dxl_refuse(-E2BIG, text, "the rule is too long"));
	rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	if (!rule)
		return ERR_PTR(-ENOMEM);
	rule->session = session;
	rule->lab = dxl_session_log(session);
	rule->window = window;
	strscpy(rule->text, text, sizeof(rule->text));
	err = dxl_rule_parse(rule, &why);
	if (!err && session->bridge && dxl_rule_meddles(rule)) {
		err = -EOPNOTSUPP;
		why = "errors cannot be put into the kernel's own functions";
	}
	if (!err)
		return rule;
	kfree(rule);
	return ERR_PTR(dxl_refuse(err, text, why));
}

static void dxl_rule_remove(struct dxl_rule *rule)
{
	list_del_rcu(&rule->list);
	kfree_rcu(rule, rcu);
}

/**
 * dxl_window_arm() - Arm one more rule at a window.
 * @session: whose
 * @window: where
 * @text: the rule; if the session has the same there, that is made new
 *
 * Context: Process context, with the session's lock.
 * Return: 0; -EINVAL and -E2BIG, with a line in the log; -ENOSPC: too many at
 * this window; -ENOMEM. If not 0, nothing has changed.
 */
int dxl_window_arm(struct dxl_session *session, enum dxl_window window,
		   const char *text)
{
	struct dxl_rule *rule, *old = NULL, *new;
	unsigned int nr = 0;

	new = dxl_rule_new(session, window, text);
	if (IS_ERR(new))
		return PTR_ERR(new);
	mutex_lock(&dxl_rules_lock);
	list_for_each_entry(rule, &dxl_armed[window], list) {
		if (rule->session != session)
			continue;
		nr++;
		if (!strcmp(rule->text, text))
			old = rule;
	}
	if (old) {
		list_replace_rcu(&old->list, &new->list);
		kfree_rcu(old, rcu);
	} else if (nr < DXL_RULES_MAX) {
		list_add_tail_rcu(&new->list, &dxl_armed[window]);
	}
	mutex_unlock(&dxl_rules_lock);
	if (old || nr < DXL_RULES_MAX)
		return 0;
	kfree(new);
	return dxl_refuse(-ENOSPC, text, "too many rules at this window");
}

/**
 * dxl_window_set() - Arm one rule at a window in place of all others.
 * @session: whose
 * @window: where
 * @text: the rule
 *
 * Context: Process context, with the session's lock.
 * Return: As dxl_window_arm().
 */
int dxl_window_set(struct dxl_session *session, enum dxl_window window,
		   const char *text)
{
	struct dxl_rule *new = dxl_rule_new(session, window, text);

	if (IS_ERR(new))
		return PTR_ERR(new);
	dxl_window_disarm(session, window);
	mutex_lock(&dxl_rules_lock);
	list_add_tail_rcu(&new->list, &dxl_armed[window]);
	mutex_unlock(&dxl_rules_lock);
	return 0;
}

/**
 * dxl_window_disarm() - Disarm; who is parked stays parked.
 * @session: whose rules
 * @window: where; -1: everywhere
 *
 * Context: Process context, with the session's lock.
 */
void dxl_window_disarm(struct dxl_session *session, int window)
{
	struct dxl_rule *rule, *next;
	int i;

	mutex_lock(&dxl_rules_lock);
	for (i = 0; i < DXL_NR_WINDOWS; i++) {
		if (window >= 0 && i != window)
			continue;
		list_for_each_entry_safe(rule, next, &dxl_armed[i], list)
			if (rule->session == session)
				dxl_rule_remove(rule);
	}
	mutex_unlock(&dxl_rules_lock);
}

/**
 * dxl_windows_forget() - Count the hits of a session's rules from 0 again.
 * @session: whose rules
 *
 * Context: Process context, with the session's lock.
 */
void dxl_windows_forget(struct dxl_session *session)
{
	struct dxl_rule *rule;
	unsigned int i;

	mutex_lock(&dxl_rules_lock);
	for (i = 0; i < DXL_NR_WINDOWS; i++) {
		list_for_each_entry(rule, &dxl_armed[i], list) {
			if (rule->session != session)
				continue;
			atomic64_set(&rule->hits, 0);
			atomic64_set(&rule->fired, 0);
		}
	}
	mutex_unlock(&dxl_rules_lock);
}

/**
 * dxl_window_armed() - Has a session armed anything?
 * @session: which
 *
 * Context: Process context, with the session's lock.
 * Return: true if so.
 */
bool dxl_window_armed(const struct dxl_session *session)
{
	const struct dxl_rule *rule;
	bool armed = false;
	unsigned int i;

	mutex_lock(&dxl_rules_lock);
	for (i = 0; i < DXL_NR_WINDOWS; i++)
		list_for_each_entry(rule, &dxl_armed[i], list)
			armed |= rule->session == session;
	mutex_unlock(&dxl_rules_lock);
	return armed;
}

/**
 * dxl_armed_show() - The rules at a window.
 * @seq: where to
 * @session: whose; NULL: of all
 * @window: the window
 *
 * Context: Process context.
 */
void dxl_armed_show(struct seq_file *seq, const struct dxl_session *session,
		    enum dxl_window window)
{
	const struct dxl_rule *rule;

	mutex_lock(&dxl_rules_lock);
	list_for_each_entry(rule, &dxl_armed[window], list)
		if (!session || rule->session == session)
			seq_printf(seq, "armed %s hits %lld fired %lld rule %s\n",
				   dxl_windows[window].name,
				   atomic64_read(&rule->hits),
				   atomic64_read(&rule->fired), rule->text);
	mutex_unlock(&dxl_rules_lock);
}

/**
 * dxl_windows_show() - What a session has armed, and whom that has parked.
 * @seq: where to
 * @session: whose
 *
 * Context: Process context.
 */
void dxl_windows_show(struct seq_file *seq, const struct dxl_session *session)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_WINDOWS; i++)
		dxl_armed_show(seq, session, i);
	dxl_parked_show(seq, session, -1);
}
