/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests of the entry lock: a tree, workers that use it, and the moment when all
 * of them are done, parked or asleep. No test decides by time.
 */
#ifndef DXL_ENTRY_TEST_H
#define DXL_ENTRY_TEST_H

#include "../entry_int.h"
#include "../selftest.h"
#include "../stats.h"

#include <linux/completion.h>
#include <linux/sched.h>

#define DXL_TEST_WORKERS	6
#define DXL_TEST_HOLDS		8
#define DXL_TEST_TREES		16384
#define DXL_TEST_PFN		0x100000UL

struct dxl_test;

enum dxl_worker_state {
	DXL_WORKER_IDLE,
	DXL_WORKER_RUNNING,	/* or asleep for an entry */
	DXL_WORKER_PARKED,
};

/**
 * struct dxl_worker - a kthread that does one job after the other
 * @t: the test
 * @task: the kthread
 * @go: a job was given; NULL ends the worker
 * @gate: a parked worker may go on
 * @state: enum dxl_worker_state, published by the worker when it stops
 * @job: what to do; the rest are its arguments and results
 * @tree: on which tree
 * @first: first index, or the index
 * @last: last index
 * @order: of a grab
 * @keep_dirty: of a deletion
 * @tag: a sync tags before it collects
 * @park: park once with entries locked
 * @hold: the worker's holds
 * @ret: what the entry lock returned; of a sync, how many entries it cleaned
 * @entry: what a grab locked
 */
struct dxl_worker {
	struct dxl_test *t;
	struct task_struct *task;
	struct completion go;
	struct completion gate;
	enum dxl_worker_state state;
	void (*job)(struct dxl_worker *w);
	struct dxl_tree *tree;
	pgoff_t first;
	pgoff_t last;
	unsigned int order;
	bool keep_dirty;
	bool tag;
	bool park;
	struct dxl_hold hold[DXL_TEST_HOLDS];
	long ret;
	void *entry;
};

/**
 * struct dxl_test - what a case has to work with
 * @name: of the case
 * @task: who runs it
 * @tree: a fresh tree
 * @others: %DXL_TEST_TREES more, as different as their addresses
 * @other: one of them, fresh as well
 * @worker: the workers, idle when a case begins
 * @hold: holds of the test itself; those left locked are unlocked after a failure
 * @base: counters when the case began
 * @park_unmap: a worker that calls the unmap operation is parked in it
 * @alone: nobody else uses the tree, so that whoever is looked at does
 * @cleaning: whoever wakes has just cleaned the entry
 * @rescued: sleeps that dxl_tree_rescue() has ended
 * @lab: of trees that follow a variant
 * @over: a failure was found; loops that go on for ever end
 * @unmaps: calls of the unmap operation; the last one:
 * @unmap_first: its range
 * @unmap_nr: its range
 * @unmap_entry: what was in the tree at its beginning
 * @unmap_held: xa_lock was held
 * @bad_enqueue: somebody enqueued without xa_lock (rule 2)
 * @bad_wake: a wake came before the store (rule 3; if @alone or @cleaning)
 * @bad_wake_all: a wake-all came without xa_lock (rule 11)
 */
struct dxl_test {
	const char *name;
	struct task_struct *task;
	struct dxl_tree tree;
	struct dxl_tree *others;
	struct dxl_tree *other;
	struct dxl_worker worker[DXL_TEST_WORKERS];
	struct dxl_hold hold[DXL_TEST_HOLDS];
	u64 base[DXL_NR_STATS];
	bool park_unmap;
	bool alone;
	bool cleaning;
	bool over;
	unsigned int rescued;
	struct dxl_lab lab;
	unsigned int unmaps;
	pgoff_t unmap_first;
	unsigned long unmap_nr;
	void *unmap_entry;
	bool unmap_held;
	unsigned int bad_enqueue;
	unsigned int bad_wake;
	unsigned int bad_wake_all;
};

struct dxl_test_case {
	const char *name;
	int (*run)(struct dxl_test *t);
};

extern const struct dxl_test_case dxl_test_tree_cases[];
extern const struct dxl_test_case dxl_test_walk_cases[];
extern const struct dxl_test_case dxl_test_nomem_cases[];
extern const struct dxl_test_case dxl_test_wait_cases[];
extern const struct dxl_test_case dxl_test_order_cases[];
extern const struct dxl_test_case dxl_test_random_cases[];
extern const struct dxl_test_case dxl_test_variant_cases[];

/* entry_team.c */
int dxl_team_start(struct dxl_test *t);
void dxl_team_stop(struct dxl_test *t);
void dxl_team_rescue(struct dxl_test *t);
int dxl_test_settle(struct dxl_test *t);
void dxl_test_on_wait(void *data, dev_t dev, unsigned long ino,
		      unsigned long key, unsigned long index,
		      unsigned int order);
bool dxl_test_lock_is_free(struct dxl_tree *tree);
bool dxl_test_is_worker(struct dxl_test *t);
void dxl_worker_park(struct dxl_worker *w);
void dxl_worker_release(struct dxl_worker *w);
void dxl_worker_start(struct dxl_worker *w, void (*job)(struct dxl_worker *w));
void dxl_give_grab(struct dxl_worker *w, pgoff_t index, unsigned int order);
void dxl_give_delete(struct dxl_worker *w, pgoff_t first, pgoff_t last,
		     bool keep_dirty);
void dxl_give_sync(struct dxl_worker *w, pgoff_t first, pgoff_t last, bool tag);
extern const struct dxl_tree_ops dxl_test_tree_ops;

/* entry_probe.c */
int dxl_probe_start(struct dxl_test *t);
void dxl_probe_stop(struct dxl_test *t);

/* entry_run.c */
u64 dxl_test_count(struct dxl_test *t, enum dxl_stat stat);
int dxl_test_make(struct dxl_test *t, pgoff_t index, void *entry, bool dirty);
void dxl_test_tree_init(struct dxl_tree *tree, unsigned long ino);

/* entry_variant.c */
int dxl_test_vary(struct dxl_test *t, const char *choices);

static inline void *dxl_test_at(struct dxl_test *t, pgoff_t index)
{
	return xa_load(&t->tree.xa, index);
}

static inline bool dxl_test_dirty(struct dxl_test *t, pgoff_t index)
{
	return xa_get_mark(&t->tree.xa, index, DXL_MARK_DIRTY);
}

static inline bool dxl_test_towrite(struct dxl_test *t, pgoff_t index)
{
	return xa_get_mark(&t->tree.xa, index, DXL_MARK_TOWRITE);
}

static inline void *dxl_test_locked(void *entry)
{
	return xa_mk_value(xa_to_value(entry) | DXL_ENTRY_LOCKED);
}

/* The seven things that can be over an index, but for marks. */
static inline void *dxl_test_pte(void)
{
	return dxl_entry_make(DXL_TEST_PFN + 7, 0);
}

static inline void *dxl_test_pmd(void)
{
	return dxl_entry_make(DXL_TEST_PFN, DXL_ENTRY_PMD);
}

static inline void *dxl_test_zero(unsigned long flags)
{
	return dxl_entry_make(0, flags | DXL_ENTRY_ZERO);
}

static inline void *dxl_test_empty(unsigned long flags)
{
	return dxl_entry_make(0, flags | DXL_ENTRY_EMPTY);
}

#endif /* DXL_ENTRY_TEST_H */
