// SPDX-License-Identifier: GPL-2.0
/*
 * Parked tasks: they sleep killably, for a bounded time, until released
 */
#include "window_rule.h"
#include "entry.h"

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/timekeeping.h>

static LIST_HEAD(dxl_parks);
static DEFINE_SPINLOCK(dxl_parks_lock);	/* the list, and .done of all */

/**
 * dxl_park_enter() - The caller is parked from now on.
 * @park: on its stack
 * @session: whose rule it is
 * @hit: where
 *
 * Who is rescued between window and list is not parked at all.
 *
 * Context: Under the RCU lock under which the rule was found: a session that
 * goes away waits for that, and then finds the task on the list.
 */
void dxl_park_enter(struct dxl_park *park, struct dxl_session *session,
		    const struct dxl_hit *hit)
{
	park->session = session;
	park->lab = hit->tree->lab;
	park->task = current;
	park->window = hit->window;
	park->since = ktime_get_ns();
	park->why = DXL_RESCUED;
	park->depth = stack_trace_save(park->stack, DXL_STACK_DEPTH, 2);

	dxl_note(hit->tree, DXL_EV_PARK, hit->index, hit->order, hit->index,
		 hit->window);
	spin_lock(&dxl_parks_lock);
	list_add_tail(&park->list, &dxl_parks);
	park->done = dxl_rescued_since(park->lab, hit->rescues);
	if (!park->done)
		dxl_role_parked(current, hit->window, park->stack, park->depth);
	spin_unlock(&dxl_parks_lock);
}

static void dxl_park_end(struct dxl_park *park, enum dxl_release why)
	__must_hold(&dxl_parks_lock)
{
	if (park->done)
		return;
	park->why = why;
	/* Before the task can run: nobody sees it run unseen. */
	dxl_role_unparked(park->task);
	WRITE_ONCE(park->done, true);
	wake_up_process(park->task);
}

static void dxl_park_leave(struct dxl_park *park)
{
	spin_lock(&dxl_parks_lock);
	list_del(&park->list);
	if (!park->done) {
		park->why = fatal_signal_pending(current) ? DXL_KILLED :
			    DXL_OVERDUE;
		if (park->why == DXL_OVERDUE && park->session)
			atomic_inc(&park->session->overdue);
		dxl_role_unparked(current);
	}
	spin_unlock(&dxl_parks_lock);
}

/**
 * dxl_park_sleep() - Sleep until released.
 * @park: after dxl_park_enter()
 * @hit: where
 * @ms: most
 *
 * Context: May sleep.
 */
void dxl_park_sleep(struct dxl_park *park, const struct dxl_hit *hit, long ms)
{
	long left = msecs_to_jiffies(ms);

	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (READ_ONCE(park->done) || !left ||
		    fatal_signal_pending(current))
			break;
		left = schedule_timeout(left);
	}
	__set_current_state(TASK_RUNNING);
	dxl_park_leave(park);
	dxl_note(hit->tree, DXL_EV_RELEASE, hit->index, hit->order, hit->index,
		 park->why);
}

/**
 * dxl_window_release() - Let parked tasks go.
 * @session: whose
 * @role: one of its roles, or NULL: all that its rules have parked
 *
 * Context: Process context, with the session's lock.
 */
void dxl_window_release(struct dxl_session *session,
			const struct dxl_role *role)
{
	struct dxl_park *park;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list)
		if (role ? park->task == role->task : park->session == session)
			dxl_park_end(park, DXL_RELEASED);
	spin_unlock(&dxl_parks_lock);
}

/**
 * dxl_window_rescue() - Let all go that are parked in a mount.
 * @lab: of the mount
 *
 * Context: Any process context.
 */
void dxl_window_rescue(struct dxl_lab *lab)
{
	struct dxl_park *park;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list)
		if (park->lab == lab)
			dxl_park_end(park, DXL_RESCUED);
	spin_unlock(&dxl_parks_lock);
}

/**
 * dxl_park_any() - Has a session somebody parked, or is he just leaving?
 * @session: the session
 *
 * Context: Process context.
 * Return: Whether it has.
 */
bool dxl_park_any(const struct dxl_session *session)
{
	const struct dxl_park *park;
	bool any = false;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list)
		any |= park->session == session;
	spin_unlock(&dxl_parks_lock);
	return any;
}

/**
 * dxl_park_orphan() - A session goes away: release what it has parked.
 * @session: has no rules any more, for an RCU grace period
 *
 * Context: Process context.
 */
void dxl_park_orphan(struct dxl_session *session)
{
	struct dxl_park *park;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list) {
		if (park->session != session)
			continue;
		dxl_park_end(park, DXL_RELEASED);
		park->session = NULL;
	}
	spin_unlock(&dxl_parks_lock);
}

/**
 * dxl_park_release() - Let tasks go by name, whoever parked them.
 * @window: where
 * @who: a pid or "all"
 *
 * Context: Process context.
 * Return: 0; -EINVAL: no such name; -ESRCH: that task is not parked there.
 */
int dxl_park_release(enum dxl_window window, const char *who)
{
	bool all = !strcmp(who, "all");
	struct dxl_park *park;
	int err = all ? 0 : -ESRCH;
	pid_t pid = 0;

	if (!all && (kstrtoint(who, 10, &pid) || pid <= 0))
		return -EINVAL;
	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list) {
		if (park->window != window || (!all && park->task->pid != pid))
			continue;
		dxl_park_end(park, DXL_RELEASED);
		err = 0;
	}
	spin_unlock(&dxl_parks_lock);
	return err;
}

static void dxl_park_show(struct seq_file *seq, const struct dxl_park *park,
			  const struct dxl_session *session)
{
	char name[DXL_ROLE_NAME];
	u64 ms = div_u64(ktime_get_ns() - park->since, NSEC_PER_MSEC);
	unsigned int i;

	if (session) {
		if (!dxl_role_name_of(park->task, name))
			snprintf(name, sizeof(name), "%d", park->task->pid);
		seq_printf(seq, "parked %s %s ms %llu\n", name,
			   dxl_window_name(park->window), ms);
		return;
	}
	seq_printf(seq, "%s/%d ms %llu\n", park->task->comm, park->task->pid,
		   ms);
	for (i = 0; i < park->depth; i++)
		seq_printf(seq, "  %pS\n", (void *)park->stack[i]);
}

/**
 * dxl_parked_show() - Who is parked.
 * @seq: where to
 * @session: for its report: those that it has parked; NULL: see @window
 * @window: those at this window, with stacks; -1: see @session
 *
 * Context: Process context.
 */
void dxl_parked_show(struct seq_file *seq, const struct dxl_session *session,
		     int window)
{
	const struct dxl_park *park;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list)
		if (session ? park->session == session :
			      (int)park->window == window)
			dxl_park_show(seq, park, session);
	spin_unlock(&dxl_parks_lock);
}

/**
 * dxl_window_occupied() - Is a task parked at a window?
 * @window: the window
 *
 * Context: Any context.
 * Return: Whether one is there, of any mount.
 */
bool dxl_window_occupied(unsigned int window)
{
	const struct dxl_park *park;
	bool found = false;

	spin_lock(&dxl_parks_lock);
	list_for_each_entry(park, &dxl_parks, list)
		found |= park->window == window && !park->done;
	spin_unlock(&dxl_parks_lock);
	return found;
}
