// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions: from the open of a control file to its end
 *
 * LOCKING: dxl_sessions_lock, then dxl_session.lock, then dxl_mounts_lock.
 * Umount unbinds: it takes the lock of each session, so who has that may use
 * the mount.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "session.h"
#include "bridge.h"
#include "debugfs.h"

#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/poll.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#define DXL_COMMAND_SIZE	512

static LIST_HEAD(dxl_sessions);
static DEFINE_MUTEX(dxl_sessions_lock);	/* guards the list */

/**
 * dxl_refuse() - Say why something that a user wrote is refused.
 * @err: what to return
 * @text: what he wrote
 * @why: the reason
 *
 * Context: Any context. One rate-limited line, for all bad input together.
 * Return: @err.
 */
int dxl_refuse(int err, const char *text, const char *why)
{
	pr_err_ratelimited("'%*pE': %s\n", (int)min(strlen(text), 60UL), text,
			   why);
	return err;
}

/**
 * dxl_session_init() - Make a session that is bound to nothing.
 * @session: zeroed
 *
 * Context: Any context.
 */
void dxl_session_init(struct dxl_session *session)
{
	INIT_LIST_HEAD(&session->list);
	mutex_init(&session->lock);
	INIT_LIST_HEAD(&session->roles);
	init_waitqueue_head(&session->changed);
	atomic64_set(&session->quiet_ns, ktime_get_ns());
}

/**
 * dxl_session_log() - Where the events of a session are.
 * @session: the session
 *
 * Context: With the session's lock.
 * Return: The lab of its mount or of its bridge, or NULL: bound to nothing.
 */
struct dxl_lab *dxl_session_log(const struct dxl_session *session)
{
	return session->bridge ? dxl_bridge_lab(session->bridge) : session->lab;
}

static int dxl_control_open(struct inode *inode, struct file *file)
{
	struct dxl_session *session = kzalloc(sizeof(*session), GFP_KERNEL);
	int err;

	if (!session)
		return -ENOMEM;
	dxl_session_init(session);
	err = single_open_size(file, dxl_session_show, session, SZ_32K);
	if (err) {
		kfree(session);
		return err;
	}
	session->opener = get_pid(task_tgid(current));
	/* One task may wait in write() while others write. */
	file->f_mode &= ~FMODE_ATOMIC_POS;
	dxl_watch_get();
	mutex_lock(&dxl_sessions_lock);
	list_add_tail(&session->list, &dxl_sessions);
	mutex_unlock(&dxl_sessions_lock);
	return 0;
}

static struct dxl_session *dxl_session_of(const struct file *file)
{
	struct seq_file *seq = file->private_data;

	return seq->private;
}

/* Nothing that the session made has an effect on the mount any more. */
static void dxl_session_leave(struct dxl_session *session)
	__must_hold(&session->lock)
{
	dxl_window_disarm(session, -1);
	if (session->lab && dxl_session_hangs(session))
		dxl_rescue(session->lab);
	/* Who saw a rule is parked now, or never will be. */
	synchronize_rcu();
	/* Who goes on may make others hang with nobody in control, or himself. */
	if (session->lab && READ_ONCE(session->lab->varied) &&
	    (dxl_park_any(session) || !dxl_roles_idle(session)))
		dxl_rescue(session->lab);
	dxl_park_orphan(session);
	/* So may who has a bio in hand, and has no role. */
	if (session->lab)
		dxl_rescue_bios(session->lab);
	session->lab = NULL;
	dxl_bridge_close(session->bridge);
	session->bridge = NULL;
}

static void dxl_session_end(struct dxl_session *session)
{
	mutex_lock(&session->lock);
	if (!session->over) {
		dxl_session_leave(session);
		dxl_roles_clear(session);
		WRITE_ONCE(session->over, true);
	}
	mutex_unlock(&session->lock);
	wake_up_all(&session->changed);
}

/**
 * dxl_session_unbind() - A mount goes away: no session is bound to it any more.
 * @lab: of the mount; nobody can find it any more
 *
 * Context: May sleep.
 */
void dxl_session_unbind(struct dxl_lab *lab)
{
	struct dxl_session *session;

	mutex_lock(&dxl_sessions_lock);
	list_for_each_entry(session, &dxl_sessions, list) {
		mutex_lock(&session->lock);
		if (session->lab == lab)
			dxl_session_leave(session);
		mutex_unlock(&session->lock);
	}
	mutex_unlock(&dxl_sessions_lock);
}

/* Called by each close; the end is that of the process that opened it. */
static int dxl_control_flush(struct file *file, fl_owner_t id)
{
	struct dxl_session *session = dxl_session_of(file);

	if (current->flags & PF_EXITING &&
	    task_tgid(current) == session->opener)
		dxl_session_end(session);
	return 0;
}

static int dxl_control_release(struct inode *inode, struct file *file)
{
	struct dxl_session *session = dxl_session_of(file);

	dxl_session_end(session);
	mutex_lock(&dxl_sessions_lock);
	list_del(&session->list);
	mutex_unlock(&dxl_sessions_lock);
	dxl_verdict_free(session->verdict);
	dxl_listing_free(session->listing);
	/* Wakers may still look at its roles. */
	synchronize_rcu();
	dxl_watch_put();
	put_pid(session->opener);
	kfree(session);
	return single_release(inode, file);
}

static ssize_t dxl_control_write(struct file *file, const char __user *buf,
				 size_t len, loff_t *pos)
{
	struct dxl_session *session = dxl_session_of(file);
	char *line = dxl_debugfs_line(buf, len, DXL_COMMAND_SIZE);
	int err;

	if (IS_ERR(line))
		return PTR_ERR(line);
	if (strchr(line, '\n'))
		err = dxl_refuse(-EINVAL, line, "one line for each write");
	else
		err = dxl_session_command(session, line);
	kfree(line);
	return err ?: len;
}

static __poll_t dxl_control_poll(struct file *file, poll_table *wait)
{
	struct dxl_session *session = dxl_session_of(file);

	poll_wait(file, &session->changed, wait);
	if (READ_ONCE(session->over))
		return EPOLLHUP;
	return atomic64_read(&session->changes) == READ_ONCE(session->seen) ?
		EPOLLOUT : EPOLLIN | EPOLLRDNORM | EPOLLOUT;
}

const struct file_operations dxl_control_fops = {
	.owner		= THIS_MODULE,
	.open		= dxl_control_open,
	.flush		= dxl_control_flush,
	.release	= dxl_control_release,
	.read		= seq_read,
	.write		= dxl_control_write,
	.poll		= dxl_control_poll,
	.llseek		= seq_lseek,
};
