// SPDX-License-Identifier: GPL-2.0
/*
 * Roles: the state that each task of a scenario publishes
 *
 * A role is found by its task, in any context, under RCU; only the task itself,
 * or who wakes it, writes its state.
 */
#include "role.h"
#include "entry.h"
#include "session.h"

#include <linux/hashtable.h>
#include <linux/ktime.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

static DEFINE_HASHTABLE(dxl_roles, 6);

static struct dxl_role *dxl_role_find(const struct task_struct *task)
{
	struct dxl_role *role;

	hash_for_each_possible_rcu(dxl_roles, role, node, (unsigned long)task)
		if (role->task == task)
			return role;
	return NULL;
}

/* Publish a state, and tell who waits for it. Under RCU. */
static void dxl_role_publish(struct dxl_role *role, enum dxl_role_state state)
{
	struct dxl_session *session = role->session;

	/* Who sees the state sees what belongs to it. */
	smp_store_release(&role->state, state);
	atomic64_set(&session->quiet_ns, ktime_get_ns());
	atomic64_inc(&session->changes);
	wake_up_all(&session->changed);
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
		role->tree = waiter->key.tree;
		role->ino = waiter->key.tree->ino;
		role->key = waiter->key.first;
		role->index = waiter->index;
		role->order = waiter->order;
		role->depth = stack_trace_save(role->stack, DXL_STACK_DEPTH, 1);
		dxl_role_publish(role, DXL_ROLE_ASLEEP);
	}
	rcu_read_unlock();
}

/**
 * dxl_role_woken() - A waiter is being woken.
 * @waiter: whose
 *
 * Context: In the wake function: wait queue lock.
 */
void dxl_role_woken(const struct dxl_waiter *waiter)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(waiter->task);
	if (role && READ_ONCE(role->state) == DXL_ROLE_ASLEEP)
		dxl_role_publish(role, DXL_ROLE_RUNNING);
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
	if (role)
		WRITE_ONCE(role->fault_mm, mm);
	rcu_read_unlock();
}

/**
 * dxl_role_txn() - The caller waits for the transaction, or does no more.
 * @waits: which
 *
 * Context: Process context.
 */
void dxl_role_txn(bool waits)
{
	struct dxl_role *role;

	rcu_read_lock();
	role = dxl_role_find(current);
	if (role)
		dxl_role_publish(role, waits ? DXL_ROLE_TXN : DXL_ROLE_RUNNING);
	rcu_read_unlock();
}
