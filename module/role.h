/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Roles: the parts of tasks in a scenario, and the state that each publishes.
 *
 * A session is decided by published states, never by time: a role is asleep
 * from the moment when it is on the queue (under xa_lock) until somebody wakes
 * it (inside the wake function), so no role is ever about to run unseen.
 */
#ifndef DXL_ROLE_H
#define DXL_ROLE_H

#include "lab.h"
#include "window.h"

#include <linux/mm_types.h>

/*
 * R(STATE, name). BLOCKED is not published by the task: it runs for all that it
 * says, and stands on the wait list of an rwsem (mmap_lock, i_rwsem,
 * invalidate_lock) or of the transaction (dxl_role_blocked()). Nor is a wait for
 * a folio: the task says which one it is about to wait for, and is blocked as
 * long as it sleeps and the folio has an owner (dxl_folio_wait_of()).
 */
#define DXL_ROLE_STATES(R)						\
	R(IDLE, "idle")		/* between deeds */			\
	R(RUNNING, "running")						\
	R(PARKED, "parked")	/* at role.window */			\
	R(ASLEEP, "asleep")	/* for an entry, on role.key */		\
	R(TXN, "blocked")	/* for the transaction */		\
	R(FROZEN, "blocked")	/* on a frozen folio, until it is thawed */ \
	R(SPINNING, "spinning")	/* looks it up again and again */	\
	R(PIN, "blocked")	/* on a pinned page, until it is not; see layout.h */

enum dxl_role_state {
#define DXL_ROLE_ENUM(state, name) DXL_ROLE_##state,
	DXL_ROLE_STATES(DXL_ROLE_ENUM)
#undef DXL_ROLE_ENUM
};

#define DXL_ROLE_NAME		16
#define DXL_ROLE_DEED		32
#define DXL_STACK_DEPTH		24

/* What a role that says RUNNING is about to wait for, or has waited for. */
enum dxl_folio_bit { DXL_FOLIO_NONE, DXL_FOLIO_LOCK, DXL_FOLIO_WRITEBACK };

struct dxl_session;
struct folio;

/**
 * struct dxl_role - a task's part
 * @node: in the table by task
 * @list: in dxl_session.roles
 * @session: owner
 * @task: referenced
 * @name: given by the session
 * @id: 1, 2, ... in the session, for events and random decisions
 * @state: enum dxl_role_state; written by the task and its wakers
 * @window: where it is parked, or which it crossed last
 * @bit: what it waits for of @folio; until it publishes something else
 * @folio: only to compare
 * @tree: whose entry it waits for, or NULL; only to compare and to name
 * @ino: of @tree, or of the file of @folio
 * @key: first index of the key on which it sleeps
 * @index: what it searches for, or of @folio
 * @order: likewise
 * @fault_mm: whose mmap_lock it holds shared while it is in a fault, or NULL
 * @crossed: how often it crossed each window since dxl_log_mark()
 * @stack: its stack when it was parked or fell asleep, or was about to wait
 * @depth: entries of @stack
 * @deed: what it began last, in the words of the session
 * @rcu: frees it
 */
struct dxl_role {
	struct hlist_node node;
	struct list_head list;
	struct dxl_session *session;
	struct task_struct *task;
	char name[DXL_ROLE_NAME];
	u16 id;
	enum dxl_role_state state;
	enum dxl_window window;
	enum dxl_folio_bit bit;
	const struct folio *folio;
	const struct dxl_tree *tree;
	unsigned long ino;
	pgoff_t key;
	pgoff_t index;
	unsigned int order;
	struct mm_struct *fault_mm;
	u32 crossed[DXL_NR_WINDOWS];
	unsigned long stack[DXL_STACK_DEPTH];
	unsigned int depth;
	char deed[DXL_ROLE_DEED];
	struct rcu_head rcu;
};

/* The state that a role publishes, and all that went before it. */
static inline enum dxl_role_state dxl_role_state(const struct dxl_role *role)
{
	/* Pairs with dxl_role_publish(). */
	return smp_load_acquire(&role->state);
}

/*
 * Called where things happen, if somebody watches. Any context, but for the
 * fault pair.
 */
void dxl_role_asleep(const struct dxl_waiter *waiter);	/* on the queue, under xa_lock */
void dxl_role_woken(const struct dxl_waiter *waiter);	/* in the wake function */
void dxl_role_awake(const struct dxl_waiter *waiter);	/* runs again, whyever */
void dxl_role_fault(struct mm_struct *mm);		/* a fault begins; NULL: ends */
/* TXN, ...; not who knows that he was rescued */
void dxl_role_rests(enum dxl_role_state state, pgoff_t index);
void dxl_role_granted(const struct task_struct *task);	/* no more */
void dxl_role_waits(enum dxl_folio_bit bit, const struct folio *folio,
		    unsigned long ino, pgoff_t index);	/* NONE: no more */
unsigned int dxl_role_id(const struct task_struct *task);	/* 0: none */
bool dxl_role_name_ok(const char *name);
unsigned int dxl_role_stack(const struct task_struct *task,
			    unsigned long *stack);
bool dxl_role_name_of(const struct task_struct *task, char *name);
u32 dxl_role_crossed(enum dxl_window window, char *name);
void dxl_role_parked(const struct task_struct *task, enum dxl_window window,
		     const unsigned long *stack, unsigned int depth);
void dxl_role_unparked(const struct task_struct *task);

#endif /* DXL_ROLE_H */
