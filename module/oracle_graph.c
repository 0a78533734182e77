// SPDX-License-Identifier: GPL-2.0
/*
 * The wait-for graph: tasks, what they wait for, who owns it
 *
 * Nodes are the roles of a session and whoever holds or waits for an entry;
 * edges are entry locks, frozen folios, the transaction, mmap_lock, i_rwsem,
 * invalidate_lock, folio locks, and writeback bits of folios in a bio that nobody has submitted,
 * which belong to the task that has the bio. It is built while the session is
 * still, so all edges are true at one time. A cycle is a deadlock; a chain that
 * ends at nobody tells whom a lost wakeup keeps waiting.
 */
#include "verdict.h"
#include "frozen.h"
#include "fs.h"
#include "pwb.h"
#include "session.h"

#include <linux/slab.h>

#define DXL_NODES		24
#define DXL_OWNERS		8

/**
 * struct dxl_node - a task
 * @task: which; only to compare
 * @who: its name
 * @on: what it waits for, or empty
 * @held: how its owner is said to have it, if not as @on says
 * @nr_owners: who has that; 0: nobody
 * @owner: these
 * @depth: entries of @stack
 * @stack: where it sleeps, if it is a role
 */
struct dxl_node {
	const struct task_struct *task;
	char who[DXL_WHO];
	char on[DXL_CHAIN_LINK];
	char held[DXL_CHAIN_LINK];
	unsigned int nr_owners;
	const struct task_struct *owner[DXL_OWNERS];
	unsigned int depth;
	unsigned long stack[DXL_STACK_DEPTH];
};

struct dxl_graph {
	struct dxl_oracle *oracle;
	unsigned int nr;
	struct dxl_node node[DXL_NODES];
};

static struct dxl_node *dxl_node_of(struct dxl_graph *graph,
				    const struct task_struct *task)
{
	unsigned int i;

	for (i = 0; i < graph->nr; i++)
		if (graph->node[i].task == task)
			return &graph->node[i];
	return NULL;
}

/* NULL: there are too many. */
static struct dxl_node *dxl_node_get(struct dxl_graph *graph,
				     const struct task_struct *task)
{
	struct dxl_node *node = dxl_node_of(graph, task);

	if (node || graph->nr == DXL_NODES)
		return node;
	node = &graph->node[graph->nr++];
	node->task = task;
	dxl_who(node->who, task, task->comm, task->pid);
	node->depth = dxl_role_stack(task, node->stack);
	return node;
}

static void dxl_node_owner(struct dxl_node *node,
			   const struct task_struct *task)
{
	if (task && node->nr_owners < DXL_OWNERS)
		node->owner[node->nr_owners++] = task;
}

/* Tasks live while they stand in the lists. Under s_inode_list_lock. */
static void dxl_graph_inode(struct inode *inode, void *arg)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct dxl_graph *graph = arg;
	const struct dxl_waiter *waiter;
	const struct dxl_hold *hold;
	struct dxl_node *node;

	xa_lock(&tree->xa);
	hlist_for_each_entry(hold, &tree->holds, list)
		dxl_node_get(graph, hold->task);
	list_for_each_entry(waiter, &tree->waiters, list) {
		/* On its way out, after a rescue. */
		if (waiter->aborted)
			continue;
		node = dxl_node_get(graph, waiter->task);
		if (!node)
			continue;
		scnprintf(node->on, sizeof(node->on), "entry 0x%lx",
			  waiter->first);
		hlist_for_each_entry(hold, &tree->holds, list)
			if (hold->first == waiter->first &&
			    dxl_entry_order(hold->entry) == waiter->found)
				dxl_node_owner(node, hold->task);
	}
	xa_unlock(&tree->xa);
}

/* mmap_lock: its writer, or the roles that are in a fault of that mm. */
static void dxl_graph_mmap(struct dxl_graph *graph, struct dxl_node *node,
			   const struct dxl_role *role)
{
	struct task_struct *task = role->task;
	const struct dxl_role *other;
	struct mm_struct *mm;

	task_lock(task);	/* keeps the mm */
	mm = task->mm;
	if (mm)
		dxl_node_owner(node, dxl_rwsem_writer(&mm->mmap_lock));
	task_unlock(task);
	if (!mm || node->nr_owners)
		return;
	list_for_each_entry(other, &graph->oracle->session->roles, list)
		if (other != role && READ_ONCE(other->fault_mm) == mm)
			dxl_node_owner(node, other->task);
}

struct dxl_sem_query {
	unsigned long ino;
	bool invalidate;
	const struct task_struct *writer;
};

static void dxl_sem_visit(struct inode *inode, void *arg)
{
	struct dxl_sem_query *query = arg;

	/* A new inode, which gets its number now, is locked by nobody. */
	if (data_race(inode->i_ino) == query->ino)
		query->writer = dxl_rwsem_writer(query->invalidate ?
						 &inode->i_data.invalidate_lock :
						 &inode->i_rwsem);
}

/*
 * i_rwsem or invalidate_lock: its writer, or (invalidate_lock) the roles that
 * are in a fault and have an entry of the file, or wait for one.
 */
static void dxl_graph_sem(struct dxl_graph *graph, struct dxl_node *node,
			  const struct dxl_role *role, unsigned long ino,
			  bool invalidate)
{
	struct dxl_sem_query query = {
		.ino = ino,
		.invalidate = invalidate,
	};
	const struct dxl_role *other;

	dxl_sb_visit_inodes(graph->oracle->lab->sb, dxl_sem_visit, &query);
	dxl_node_owner(node, query.writer);
	if (query.writer || !invalidate)
		return;
	list_for_each_entry(other, &graph->oracle->session->roles, list)
		if (other != role && READ_ONCE(other->fault_mm) &&
		    READ_ONCE(other->ino) == ino)
			dxl_node_owner(node, other->task);
}

static void dxl_graph_txn(struct dxl_graph *graph, struct dxl_node *node)
{
	struct dxl_txn *txn = &graph->oracle->lab->txn;

	spin_lock(&txn->lock);
	dxl_node_owner(node, txn->owner);
	spin_unlock(&txn->lock);
}

/* In the words of the thread of 2018. */
static void dxl_node_folio(struct dxl_node *node,
			   const struct dxl_folio_wait *wait)
{
	dxl_node_owner(node, wait->owner);
	if (wait->bit == DXL_FOLIO_LOCK) {
		scnprintf(node->on, sizeof(node->on), "the lock of folio %lu",
			  wait->index);
		strscpy(node->held, node->on, sizeof(node->held));
	} else {
		scnprintf(node->on, sizeof(node->on), "writeback of folio %lu",
			  wait->index);
		scnprintf(node->held, sizeof(node->held),
			  "unsubmitted bio with folio %lu under writeback",
			  wait->index);
	}
}

/* Tasks live while they collect. Under folio_lock. */
static void dxl_graph_collector(const struct task_struct *task,
				const struct dxl_folio_wait *wait, void *arg)
{
	struct dxl_node *node = dxl_node_get(arg, task);

	if (node && !node->on[0])
		dxl_node_folio(node, wait);
}

/* A role that sleeps for what is no entry. */
static void dxl_graph_role(struct dxl_graph *graph, const struct dxl_role *role)
{
	struct dxl_node *node = dxl_node_get(graph, role->task);
	struct dxl_folio_wait wait;
	unsigned long ino;

	if (!node || node->on[0])
		return;
	if (dxl_folio_wait_of(role, &wait)) {
		dxl_node_folio(node, &wait);
		return;
	}
	if (!dxl_role_blocked(role, node->on, sizeof(node->on)))
		return;
	if (!strcmp(node->on, "mmap_lock"))
		dxl_graph_mmap(graph, node, role);
	else if (!strcmp(node->on, "txn"))
		dxl_graph_txn(graph, node);
	else if (dxl_role_state(role) == DXL_ROLE_FROZEN)
		dxl_node_owner(node, dxl_freeze_owner(graph->oracle->lab,
						      role->task));
	else if (sscanf(node->on, "i_rwsem:%lu", &ino) == 1)
		dxl_graph_sem(graph, node, role, ino, false);
	else if (sscanf(node->on, "invalidate_lock:%lu", &ino) == 1)
		dxl_graph_sem(graph, node, role, ino, true);
}

static bool dxl_node_waits_for(const struct dxl_node *node,
			       const struct task_struct *task)
{
	unsigned int i;

	if (node->on[0])
		for (i = 0; i < node->nr_owners; i++)
			if (node->owner[i] == task)
				return true;
	return false;
}

/*
 * Find a way from @node back to @goal over owners; @path receives the nodes
 * after @node. Return: its length, 0: none. Bounded by @left.
 */
static unsigned int dxl_graph_path(struct dxl_graph *graph,
				   const struct dxl_node *node,
				   const struct dxl_node *goal,
				   const struct dxl_node **path,
				   unsigned int left)
{
	const struct dxl_node *next;
	unsigned int i, len;

	if (!left || !node->on[0])
		return 0;
	for (i = 0; i < node->nr_owners; i++) {
		next = dxl_node_of(graph, node->owner[i]);
		if (!next)
			continue;
		path[0] = next;
		if (next == goal)
			return 1;
		len = dxl_graph_path(graph, next, goal, path + 1, left - 1);
		if (len)
			return len + 1;
	}
	return 0;
}

#define DXL_PATH	6	/* tasks in one cycle; more are not looked for */

static void dxl_cycle_shoot(struct dxl_finding *finding,
			    const struct dxl_node *node)
{
	struct dxl_waiter_shot *shot;

	dxl_finding_link(finding, "%s", node->who);
	dxl_finding_link(finding, "%s", node->on);
	if (finding->nr_waiters++ >= DXL_SHOTS)
		return;
	shot = &finding->waiter[finding->nr_waiters - 1];
	strscpy(shot->who, node->who, sizeof(shot->who));
	strscpy(shot->on, node->on, sizeof(shot->on));
	shot->depth = node->depth;
	memcpy(shot->stack, node->stack, sizeof(shot->stack));
}

/* A cycle in which somebody waits for a folio: who has what, and waits for what. */
static bool dxl_cycle_folios(struct dxl_finding *finding,
			     const struct dxl_node *node,
			     const struct dxl_node **path, unsigned int len)
{
	const struct dxl_node *from = path[len - 1 ? len - 2 : 0];
	char text[DXL_SENTENCE];
	bool folios = false;
	unsigned int i;
	size_t at = 0;

	/* The last of the path is the first node again. */
	for (i = 0; i < len; i++) {
		at += scnprintf(text + at, sizeof(text) - at,
				"%s%s holds %s, waits for %s", i ? "; " : "",
				node->who,
				from->held[0] ? from->held : from->on,
				node->on);
		folios |= node->held[0];
		from = node;
		node = path[i];
	}
	if (folios)
		dxl_finding_say(finding, "deadlock: %s", text);
	return folios;
}

static void dxl_cycle_tell(struct dxl_graph *graph, struct dxl_node *node,
			   const struct dxl_node **path, unsigned int len)
{
	struct dxl_finding *finding;
	char text[DXL_SENTENCE];
	unsigned int i;

	finding = dxl_finding_new(&graph->oracle->findings,
				  DXL_VERDICT_DEADLOCK, GFP_KERNEL);
	if (!finding)
		return;
	finding->task = node->task;
	dxl_cycle_shoot(finding, node);
	for (i = 0; i + 1 < len; i++)
		dxl_cycle_shoot(finding, path[i]);
	dxl_finding_link(finding, "%s", node->who);
	if (dxl_cycle_folios(finding, node, path, len))
		return;
	dxl_finding_chain(finding, text, sizeof(text));
	dxl_finding_say(finding, "deadlock: %s", text);
}

/* A cycle is told once: by the first of its nodes, and then its waits are cut. */
static void dxl_graph_cycles(struct dxl_graph *graph)
{
	const struct dxl_node *path[DXL_PATH];
	unsigned int i, len;

	for (i = 0; i < graph->nr; i++) {
		len = dxl_graph_path(graph, &graph->node[i], &graph->node[i],
				     path, DXL_PATH);
		if (!len)
			continue;
		dxl_cycle_tell(graph, &graph->node[i], path, len);
		graph->node[i].nr_owners = 0;
	}
}

/* Who waits, directly or not, for the first waiter of a finding? */
static void dxl_graph_chain(struct dxl_graph *graph,
			    struct dxl_finding *finding)
{
	const struct dxl_node *back[DXL_PATH];
	const struct task_struct *task = finding->task;
	const struct dxl_node *node;
	unsigned int len = 0, i;

	node = dxl_node_of(graph, task);
	/* A loss that was kept, and healed since: the chain is that of then. */
	if (!node || !node->on[0])
		return;
	back[len++] = node;
	for (i = 0; i < graph->nr && len < DXL_PATH; i++) {
		if (!dxl_node_waits_for(&graph->node[i], task))
			continue;
		back[len++] = &graph->node[i];
		task = graph->node[i].task;
		i = -1;		/* who waits for that one? */
	}
	finding->nr_links = 0;
	while (len--) {
		dxl_finding_link(finding, "%s", back[len]->who);
		dxl_finding_link(finding, "%s", back[len]->on);
	}
	dxl_finding_link(finding, "nobody");
}

/**
 * dxl_oracle_graph() - Find cycles, and whom lost wakeups keep waiting.
 * @oracle: of a still session; findings are added and completed
 *
 * Context: Process context, with the session's lock.
 */
void dxl_oracle_graph(struct dxl_oracle *oracle)
{
	struct dxl_finding *finding;
	const struct dxl_role *role;
	struct dxl_graph *graph;

	graph = kzalloc(sizeof(*graph), GFP_KERNEL);
	if (!graph) {
		dxl_oracle_blind(oracle, "who waits for whom: no memory");
		return;
	}
	graph->oracle = oracle;
	dxl_sb_visit_inodes(oracle->lab->sb, dxl_graph_inode, graph);
	/* First: once they sleep, nobody but a role can wake them. */
	dxl_folio_collectors(oracle->lab, dxl_graph_collector, graph);
	list_for_each_entry(role, &oracle->session->roles, list)
		dxl_graph_role(graph, role);
	list_for_each_entry(finding, &oracle->findings, list)
		if (finding->task)
			dxl_graph_chain(graph, finding);
	dxl_graph_cycles(graph);
	kfree(graph);
}
