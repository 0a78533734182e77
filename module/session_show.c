// SPDX-License-Identifier: GPL-2.0
/*
 * The report of a session: one item per line, values without spaces unless
 * they are last
 */
#include "session.h"
#include "bridge.h"
#include "fs.h"

#include <linux/seq_file.h>

static void dxl_role_show(struct seq_file *seq, const struct dxl_role *role)
{
	enum dxl_role_state state = dxl_role_state(role);
	char what[48] = "";

	dxl_role_blocked(role, what, sizeof(what));
	seq_printf(seq, "role %s id %u pid %d state %s", role->name, role->id,
		   role->task->pid,
		   *what ? "blocked" : dxl_role_state_name(state));
	if (state == DXL_ROLE_PARKED)
		seq_printf(seq, " window %s", dxl_window_name(READ_ONCE(role->window)));
	if (state == DXL_ROLE_ASLEEP)
		seq_printf(seq, " ino %lu key 0x%lx index 0x%lx order %u",
			   READ_ONCE(role->ino), READ_ONCE(role->key),
			   READ_ONCE(role->index), READ_ONCE(role->order));
	if (state == DXL_ROLE_SPINNING)
		seq_printf(seq, " index 0x%lx", READ_ONCE(role->index));
	if (*what)
		seq_printf(seq, " on %s", what);
	if (READ_ONCE(role->fault_mm))
		seq_puts(seq, " mm held");
	seq_putc(seq, '\n');
}

static void dxl_role_show_stack(struct seq_file *seq,
				const struct dxl_role *role)
{
	enum dxl_role_state state = dxl_role_state(role);
	unsigned int depth, i;

	if (!READ_ONCE(role->bit) &&
	    (state == DXL_ROLE_IDLE || state == DXL_ROLE_RUNNING))
		return;
	/* If it runs by now, they may be of two stacks: for people. */
	depth = READ_ONCE(role->depth);
	for (i = 0; i < depth; i++)
		seq_printf(seq, "stack %s %pS\n", role->name,
			   (void *)READ_ONCE(role->stack[i]));
}

static void dxl_role_show_crossed(struct seq_file *seq,
				  const struct dxl_role *role)
{
	unsigned int i, nr;

	for (i = 0; i < DXL_NR_WINDOWS; i++) {
		nr = READ_ONCE(role->crossed[i]);
		if (nr)
			seq_printf(seq, "crossed %s %s %u\n", role->name,
				   dxl_window_name(i), nr);
	}
}

/* Windows in the order in which roles crossed them, as long as the log has them. */
static void dxl_order_show(struct seq_file *seq, struct dxl_session *session)
{
	struct dxl_lab *lab = dxl_session_log(session);
	const struct dxl_role *role;
	struct dxl_event event;
	struct dxl_log *log;
	u64 next = 0;

	/* Umount may have come after "listing". */
	if (!lab)
		return;
	/* Pairs with dxl_log_open(). */
	log = smp_load_acquire(&lab->log);
	while (log && dxl_log_next(log, &next, &event)) {
		if (event.type != DXL_EV_WINDOW)
			continue;
		list_for_each_entry(role, &session->roles, list)
			if (role->task == event.task && role->id == event.role)
				seq_printf(seq, "order %s %s\n", role->name,
					   dxl_window_name(event.arg));
	}
}

static void dxl_session_report(struct seq_file *seq,
			       struct dxl_session *session)
{
	struct dxl_role *role;

	seq_printf(seq, "session mount %s still %s overdue %d quiet_ns %llu\n",
		   session->lab ? session->lab->sb->s_id : "-",
		   dxl_session_still(session) ? "yes" : "no",
		   atomic_read(&session->overdue),
		   atomic64_read(&session->quiet_ns));
	list_for_each_entry(role, &session->roles, list) {
		dxl_role_show(seq, role);
		dxl_role_show_stack(seq, role);
		dxl_role_show_crossed(seq, role);
	}
	dxl_windows_show(seq, session);
	if (session->bridge)
		dxl_bridge_show(seq, session->bridge);
	else if (session->no_bridge)
		seq_printf(seq, "nobridge %s\n", session->no_bridge);
	if (session->listing) {
		seq_puts(seq, "listing\n");
		dxl_listing_print(seq, session->listing, "  ");
		dxl_order_show(seq, session);
	}
	if (session->verdict)
		dxl_verdict_show(seq, session->verdict);
}

/**
 * dxl_session_show() - Make the report.
 * @seq: its .private is the session
 * @unused: not used
 *
 * Context: May sleep.
 * Return: 0; -ESHUTDOWN: the session is over; -EINTR.
 */
int dxl_session_show(struct seq_file *seq, void *unused)
{
	struct dxl_session *session = seq->private;
	int err = -ESHUTDOWN;

	if (mutex_lock_interruptible(&session->lock))
		return -EINTR;
	WRITE_ONCE(session->seen, atomic64_read(&session->changes));
	dxl_roles_reap(session);
	if (!session->over) {
		dxl_session_report(seq, session);
		err = 0;
	}
	mutex_unlock(&session->lock);
	return err;
}
