// SPDX-License-Identifier: GPL-2.0
/*
 * Roles: the state that each task of a scenario publishes
 *
 * A role is found by its task, in any context, under RCU; only the task itself,
 * or who wakes it, writes its state. A role holds a reference to its task, so a
 * dead one is never mistaken for a new task at the same place.
 */
#include "role.h"
#include "entry.h"
#include "session.h"

#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/rculist.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stacktrace.h>
#include <linux/string.h>

static DEFINE_HASHTABLE(dxl_roles, 6);
static DEFINE_SPINLOCK(dxl_roles_lock);	/* against changes of the table */

static struct dxl_role *dxl_role_find(const struct task_struct *task)
{
	struct dxl_role *role;

	hash_for_each_possible_rcu(dxl_roles, role, node, (unsigned long)task)
		if (role->task == task)
			return role;
	return NULL;
}

static void dxl_role_tell(struct dxl_session *session)
{
	atomic64_set(&session->quiet_ns, ktime_get_ns());
	smp_mb__before_atomic();	/* pairs with dxl_session_still() */
	atomic64_inc(&session->changes);
	wake_up_all(&session->changed);
}

/* Publish a state, and tell who waits for it. Under RCU. */
static void dxl_role_publish(struct dxl_role *role, enum dxl_role_state state)
{
	WRITE_ONCE(role->bit, DXL_FOLIO_NONE);
	/* Who sees the state sees what belongs to it. */
	/* Pairs with dxl_role_state(). */
	smp_store_release(&role->state, state);
	dxl_role_tell(role->session);
}

/**
 * dxl_role_id() - The role of a task, for the log.
 * @task: the task
 *
 * Context: Any context.
 * Return: Its id in its session; 0: it has none.
 */
unsigned int dxl_role_id(const struct task_struct *task)
{
	struct dxl_role *role;
	unsigned int id = 0;

	rcu_read_lock();
	role = dxl_role_find(task);
	if (role)
		id = role->id;
	rcu_read_unlock();
	return id;
}

/**
 * dxl_role_name_of() - The name of a task's role.
 * @task: the task
 * @name: DXL_ROLE_NAME bytes; set if it has one
 *
 * Context: Any context.
 * Return: false: it has none.
 */
bool dxl_role_name_of(const struct task_struct *task, char *name)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(task);
	if (role)
		memcpy(name, role->name, DXL_ROLE_NAME);
	rcu_read_unlock();
	return role;
}

/**
 * dxl_role_stack() - Where the role of a task was parked or went to wait.
 * @task: the task
 * @stack: room for DXL_STACK_DEPTH addresses
 *
 * Context: Any context; the task sleeps.
 * Return: Addresses; 0: it has no role, or runs.
 */
unsigned int dxl_role_stack(const struct task_struct *task,
			    unsigned long *stack)
{
	enum dxl_role_state state;
	struct dxl_role *role;
	unsigned int depth = 0;

	rcu_read_lock();
	role = dxl_role_find(task);
	state = role ? dxl_role_state(role) : DXL_ROLE_IDLE;
	if (role && (state == DXL_ROLE_ASLEEP || state == DXL_ROLE_PARKED ||
		     state == DXL_ROLE_FROZEN || state == DXL_ROLE_PIN ||
		     state == DXL_ROLE_SPINNING || READ_ONCE(role->bit))) {
		depth = READ_ONCE(role->depth);
		/* If it runs by now, it may be of two stacks: for people. */
		data_race(memcpy(stack, role->stack, depth * sizeof(*stack)));
	}
	rcu_read_unlock();
	return depth;
}

/**
 * dxl_role_asleep() - The caller is on a wait queue and about to sleep.
 * @waiter: what for
 *
 * Context: Under xa_lock.
 */
void dxl_role_asleep(const struct dxl_waiter *waiter)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(current);
	if (role) {
		WRITE_ONCE(role->tree, waiter->key.tree);
		WRITE_ONCE(role->ino, waiter->key.tree->ino);
		WRITE_ONCE(role->key, waiter->key.first);
		WRITE_ONCE(role->index, waiter->index);
		WRITE_ONCE(role->order, waiter->order);
		role->depth = stack_trace_save(role->stack, DXL_STACK_DEPTH, 1);
		dxl_role_publish(role, DXL_ROLE_ASLEEP);
	}
	rcu_read_unlock();
}

/**
 * dxl_role_woken() - A waiter is being woken.
 * @waiter: whose
 *
 * Context: In the wake function: wait queue lock; or under xa_lock.
 */
void dxl_role_woken(const struct dxl_waiter *waiter)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(waiter->task);
	/* By a rescue, the task may run already, and be elsewhere. */
	if (role && cmpxchg_release(&role->state, DXL_ROLE_ASLEEP,
				    DXL_ROLE_RUNNING) == DXL_ROLE_ASLEEP)
		dxl_role_tell(role->session);
	rcu_read_unlock();
}

/**
 * dxl_role_awake() - The caller sleeps no more, whoever woke it.
 * @waiter: what it slept for
 *
 * Context: Any context.
 */
void dxl_role_awake(const struct dxl_waiter *waiter)
{
	dxl_role_woken(waiter);
}

/**
 * dxl_role_fault() - The caller holds the mmap_lock of @mm shared, in a fault.
 * @mm: whose, or NULL: not any more
 *
 * Context: Process context.
 */
void dxl_role_fault(struct mm_struct *mm)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(current);
	/* What it waited for in an earlier deed was of another file, maybe. */
	if (role && mm)
		WRITE_ONCE(role->ino, 0);
	if (role)
		WRITE_ONCE(role->fault_mm, mm);
	rcu_read_unlock();
}

/**
 * dxl_role_rests() - The caller can do nothing before others do something.
 * @state: DXL_ROLE_TXN, DXL_ROLE_FROZEN, DXL_ROLE_SPINNING or DXL_ROLE_PIN
 * @index: page index that it looks for, or 0
 *
 * Context: Under the lock that dxl_role_granted() is called with.
 */
void dxl_role_rests(enum dxl_role_state state, pgoff_t index)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(current);
	if (role) {
		WRITE_ONCE(role->index, index);
		role->depth = stack_trace_save(role->stack, DXL_STACK_DEPTH, 1);
		dxl_role_publish(role, state);
	}
	rcu_read_unlock();
}

/**
 * dxl_role_granted() - What a task rests for is there, or not awaited any more.
 * @task: the task
 *
 * Context: Any context; the task still sleeps, or is the caller.
 */
void dxl_role_granted(const struct task_struct *task)
{
	struct dxl_role *role;
	enum dxl_role_state state;

	rcu_read_lock();
	role = dxl_role_find(task);
	state = role ? READ_ONCE(role->state) : DXL_ROLE_IDLE;
	if (state == DXL_ROLE_TXN || state == DXL_ROLE_FROZEN ||
	    state == DXL_ROLE_SPINNING || state == DXL_ROLE_PIN)
		dxl_role_publish(role, DXL_ROLE_RUNNING);
	rcu_read_unlock();
}

/**
 * dxl_role_waits() - The caller is about to wait for a folio, or does no more.
 * @bit: for its lock or the end of its writeback; DXL_FOLIO_NONE: no more
 * @folio: which
 * @ino: of its file
 * @index: of its first page
 *
 * Context: Process context.
 */
void dxl_role_waits(enum dxl_folio_bit bit, const struct folio *folio,
		    unsigned long ino, pgoff_t index)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(current);
	if (role && bit) {
		WRITE_ONCE(role->folio, folio);
		WRITE_ONCE(role->ino, ino);
		WRITE_ONCE(role->index, index);
		role->depth = stack_trace_save(role->stack, DXL_STACK_DEPTH, 1);
	}
	if (role) {
		/* Pairs with dxl_folio_wait_of(). What was awaited stays. */
		smp_store_release(&role->bit, bit);
		dxl_role_tell(role->session);
	}
	rcu_read_unlock();
}

/**
 * dxl_role_crossed() - The caller is at a window.
 * @window: which
 * @name: DXL_ROLE_NAME bytes; set to the name of its role, or all zero
 *
 * Context: Any context.
 * Return: how often its role was there since mark, this time included; 0: it
 * has no role.
 */
u32 dxl_role_crossed(enum dxl_window window, char *name)
{
	struct dxl_role *role;
	u32 nth = 0;

	memset(name, 0, DXL_ROLE_NAME);
	rcu_read_lock();
	role = dxl_role_find(current);
	if (role) {
		memcpy(name, role->name, DXL_ROLE_NAME);
		nth = READ_ONCE(role->crossed[window]) + 1;
		WRITE_ONCE(role->crossed[window], nth);
		WRITE_ONCE(role->window, window);
	}
	rcu_read_unlock();
	return nth;
}

/**
 * dxl_role_parked() - A task is parked, in every way but asleep.
 * @task: the caller
 * @window: where
 * @stack: its stack
 * @depth: entries of @stack
 *
 * Context: Under the lock that releases take, so that none is too early.
 */
void dxl_role_parked(const struct task_struct *task, enum dxl_window window,
		     const unsigned long *stack, unsigned int depth)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(task);
	if (role) {
		WRITE_ONCE(role->window, window);
		memcpy(role->stack, stack, depth * sizeof(*stack));
		role->depth = depth;
		dxl_role_publish(role, DXL_ROLE_PARKED);
	}
	rcu_read_unlock();
}

/**
 * dxl_role_unparked() - A parked task will run, or does.
 * @task: which
 *
 * Context: As dxl_role_parked().
 */
void dxl_role_unparked(const struct task_struct *task)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(task);
	if (role && READ_ONCE(role->state) == DXL_ROLE_PARKED)
		dxl_role_publish(role, DXL_ROLE_RUNNING);
	rcu_read_unlock();
}

static void dxl_role_free(struct rcu_head *rcu)
{
	struct dxl_role *role = container_of(rcu, struct dxl_role, rcu);

	put_task_struct(role->task);
	kfree(role);
}

static void dxl_role_remove(struct dxl_role *role)
{
	struct dxl_session *session = role->session;

	spin_lock(&dxl_roles_lock);
	hash_del_rcu(&role->node);
	spin_unlock(&dxl_roles_lock);
	list_del_rcu(&role->list);
	call_rcu(&role->rcu, dxl_role_free);
	atomic64_inc(&session->changes);
	wake_up_all(&session->changed);
}

/**
 * dxl_role_add() - The caller plays a role from now on.
 * @session: in which
 * @name: shorter than DXL_ROLE_NAME
 *
 * Context: Process context, with the session's lock.
 * Return: 0; -EEXIST: a live task has this name; -EBUSY: the caller has a role
 * already, in whichever session; -ENOSPC: no ids are left; -ENOMEM.
 */
int dxl_role_add(struct dxl_session *session, const char *name)
{
	struct dxl_role *role;
	int err = 0;

	dxl_roles_reap(session);
	if (dxl_role_named(session, name))
		return -EEXIST;
	if (session->nr_roles == U16_MAX)
		return -ENOSPC;
	role = kzalloc(sizeof(*role), GFP_KERNEL);
	if (!role)
		return -ENOMEM;
	role->session = session;
	role->task = current;
	strscpy(role->name, name, sizeof(role->name));

	spin_lock(&dxl_roles_lock);
	if (dxl_role_find(current)) {
		err = -EBUSY;
	} else {
		role->id = ++session->nr_roles;
		get_task_struct(current);
		list_add_tail_rcu(&role->list, &session->roles);
		hash_add_rcu(dxl_roles, &role->node, (unsigned long)current);
	}
	spin_unlock(&dxl_roles_lock);
	if (err)
		kfree(role);
	return err;
}

/**
 * dxl_role_drop() - The caller plays its role no more.
 * @session: in which it plays
 *
 * Context: Process context, with the session's lock.
 * Return: 0 or -ENOENT: it has no role in this session.
 */
int dxl_role_drop(struct dxl_session *session)
{
	struct dxl_role *role = dxl_role_mine(session);

	if (!role)
		return -ENOENT;
	dxl_role_remove(role);
	return 0;
}

/**
 * dxl_roles_reap() - Forget roles of tasks that are dead.
 * @session: whose
 *
 * Context: Process context, with the session's lock.
 */
void dxl_roles_reap(struct dxl_session *session)
{
	struct dxl_role *role, *next;

	list_for_each_entry_safe(role, next, &session->roles, list)
		if (READ_ONCE(role->task->exit_state))
			dxl_role_remove(role);
}

/**
 * dxl_roles_clear() - Forget all roles.
 * @session: whose; wakers may look at it for an RCU grace period more
 *
 * Context: Process context, with the session's lock.
 */
void dxl_roles_clear(struct dxl_session *session)
{
	struct dxl_role *role, *next;

	list_for_each_entry_safe(role, next, &session->roles, list)
		dxl_role_remove(role);
}

/**
 * dxl_role_mine() - The role of the caller.
 * @session: in which
 *
 * Context: Process context, with the session's lock.
 * Return: The role or NULL.
 */
struct dxl_role *dxl_role_mine(struct dxl_session *session)
{
	struct dxl_role *role;

	list_for_each_entry(role, &session->roles, list)
		if (role->task == current)
			return role;
	return NULL;
}

/**
 * dxl_role_named() - The role of a name.
 * @session: in which
 * @name: its name
 *
 * Context: Process context, with the session's lock.
 * Return: The role or NULL.
 */
struct dxl_role *dxl_role_named(struct dxl_session *session, const char *name)
{
	struct dxl_role *role;

	list_for_each_entry(role, &session->roles, list)
		if (!strcmp(role->name, name))
			return role;
	return NULL;
}

/**
 * dxl_role_begin() - A role's deed begins or ends.
 * @role: of the caller
 * @begins: which
 *
 * Context: Process context, with the session's lock.
 */
void dxl_role_begin(struct dxl_role *role, bool begins)
{
	dxl_role_publish(role, begins ? DXL_ROLE_RUNNING : DXL_ROLE_IDLE);
}
