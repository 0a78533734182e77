// SPDX-License-Identifier: GPL-2.0
/*
 * Roles that sleep for locks which are not ours, and whether any role runs; words
 */
#include "session.h"
#include "bridge.h"
#include "frozen.h"
#include "fs.h"
#include "layout.h"
#include "pwb.h"

#include <linux/ctype.h>
#include <linux/sched/task.h>
#include <linux/string.h>

/* mmap_lock of the role's own mm. */
static bool dxl_blocked_on_mm(struct task_struct *task)
{
	bool waits;

	task_lock(task);	/* keeps the mm */
	waits = task->mm && dxl_rwsem_waits(&task->mm->mmap_lock, task);
	task_unlock(task);
	return waits;
}

/* i_rwsem, invalidate_lock or sync_sem of a file of the mount. */
static const char *dxl_blocked_on_inode(struct super_block *sb,
					const struct task_struct *task,
					unsigned long *ino)
{
	const char *name = NULL;
	struct inode *inode;

	/* Against inodes that come and go: these leave the list first. */
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list) {
		if (dxl_rwsem_waits(&inode->i_rwsem, task))
			name = "i_rwsem";
		else if (dxl_rwsem_waits(&inode->i_data.invalidate_lock, task))
			name = "invalidate_lock";
		else if (dxl_rwsem_waits(&DXL_I(inode)->sync_sem, task))
			name = "sync_sem";
		if (name) {
			*ino = inode->i_ino;
			break;
		}
	}
	spin_unlock(&sb->s_inode_list_lock);
	return name;
}

/**
 * dxl_role_blocked() - Does a role sleep for something that is no entry?
 * @role: says that it runs, or that it waits for one of the lab's own
 * @what: set to the name of the lock, if not NULL: "mmap_lock",
 *	"i_rwsem:INO", "invalidate_lock:INO", "sync_sem:INO", "txn",
 *	"freeze:INDEX", "pin:INO:INDEX"; or
 *	"folio:lock:INO:INDEX", "folio:writeback:INO:INDEX", with "folio_"
 *	if its owner is no role; of a bridge "entry:KEY", where the kernel's
 *	own waiters sleep
 * @size: of @what
 *
 * Context: Process context, with the session's lock.
 * Return: true if so.
 */
bool dxl_role_blocked(const struct dxl_role *role, char *what, size_t size)
{
	enum dxl_role_state state = dxl_role_state(role);
	struct dxl_lab *lab = role->session->lab;
	struct dxl_folio_wait wait;
	const char *lock = NULL;
	unsigned long ino = 0;
	pgoff_t index, key;

	if (state == DXL_ROLE_TXN) {
		if (what)
			strscpy(what, "txn", size);
		return true;
	}
	if (state == DXL_ROLE_FROZEN) {
		if (what)
			snprintf(what, size, "freeze:0x%lx",
				 READ_ONCE(role->index));
		return true;
	}
	if (state == DXL_ROLE_PIN) {
		if (!lab || !dxl_pin_awaited(lab, role->task, &ino, &index))
			return false;
		if (what)
			snprintf(what, size, "pin:%lu:%lu", ino, index);
		return true;
	}
	if (state != DXL_ROLE_RUNNING || task_is_running(role->task))
		return false;
	if (role->session->bridge &&
	    dxl_bridge_waits(role->session->bridge, role->task, &key)) {
		if (what)
			snprintf(what, size, "entry:0x%lx", key);
		return true;
	}
	if (dxl_folio_wait_of(role, &wait)) {
		if (what)
			snprintf(what, size, "folio%c%s:%lu:%lu",
				 dxl_role_id(wait.owner) ? ':' : '_',
				 wait.bit == DXL_FOLIO_LOCK ? "lock" : "writeback",
				 wait.ino, wait.index);
		return true;
	}
	if (dxl_blocked_on_mm(role->task))
		lock = "mmap_lock";
	else if (lab)
		lock = dxl_blocked_on_inode(lab->sb, role->task, &ino);
	if (!lock)
		return false;
	if (what && ino)
		snprintf(what, size, "%s:%lu", lock, ino);
	else if (what)
		strscpy(what, lock, size);
	return true;
}

/**
 * dxl_role_spins() - Does a role look up the same folio for ever?
 * @role: whatever it says
 *
 * Context: Process context, with the session's lock.
 * Return: true if it says so, and the folio is still frozen: else it is about to
 * see that.
 */
bool dxl_role_spins(const struct dxl_role *role)
{
	const struct dxl_session *session = role->session;

	return dxl_role_state(role) == DXL_ROLE_SPINNING && session->lab &&
	       dxl_spin_is_stuck(session->lab, role->task);
}

static bool dxl_role_runs(const struct dxl_role *role)
{
	if (dxl_role_state(role) == DXL_ROLE_SPINNING)
		return !dxl_role_spins(role);
	/* Who says PIN may be about to see that there is none any more. */
	return (dxl_role_state(role) == DXL_ROLE_RUNNING ||
		dxl_role_state(role) == DXL_ROLE_PIN) &&
	       !dxl_role_blocked(role, NULL, 0);
}

/**
 * dxl_session_still() - Does no role run?
 * @session: the session
 *
 * A role that lets another run says so for it, and only then anything about
 * itself. So if nothing was published during the look, what was seen was true
 * at one time.
 *
 * Context: Process context, with the session's lock.
 * Return: true: none runs, and none of them is about to.
 */
bool dxl_session_still(struct dxl_session *session)
{
	u64 changes = atomic64_read(&session->changes);
	struct dxl_role *role;

	smp_rmb();	/* pairs with dxl_role_tell() */
	list_for_each_entry(role, &session->roles, list)
		if (dxl_role_runs(role))
			return false;
	smp_rmb();	/* likewise */
	return changes == atomic64_read(&session->changes);
}

/**
 * dxl_roles_idle() - Is no deed under way?
 * @session: the session
 *
 * Context: Process context, with the session's lock.
 * Return: true: every role is between deeds, or dead.
 */
bool dxl_roles_idle(const struct dxl_session *session)
{
	const struct dxl_role *role;

	list_for_each_entry(role, &session->roles, list)
		if (dxl_role_state(role) != DXL_ROLE_IDLE &&
		    !READ_ONCE(role->task->exit_state))
			return false;
	return true;
}

/**
 * dxl_role_name_ok() - Is this a name for a role?
 * @name: as given
 *
 * Names are words, so that machines can read reports.
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_role_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len >= DXL_ROLE_NAME || !strcmp(name, "all"))
		return false;
	for (; *name; name++)
		if (!(isascii(*name) && isalnum(*name)) && *name != '_' && *name != '-')
			return false;
	return true;
}

static const char * const dxl_role_states[] = {
#define DXL_ROLE_STATE_NAME(state, name) name,
	DXL_ROLE_STATES(DXL_ROLE_STATE_NAME)
#undef DXL_ROLE_STATE_NAME
};

/**
 * dxl_role_state_name() - The word for a state.
 * @state: as published
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_role_state_name(enum dxl_role_state state)
{
	return dxl_role_states[state];
}
