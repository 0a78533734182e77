// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock: workers that run free, watched by arrays that know
 * who owns each page, what was stored to it last and what of that was flushed
 *
 * What a sync promises is checked for the first half of the pages, where nobody
 * deletes what is dirty.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/slab.h>

#define DXL_TEST_PAGES	(4 * DXL_PMD_PAGES)
#define DXL_TEST_KEPT	(DXL_TEST_PAGES / 2)
#define DXL_TEST_STEPS	10000
#define DXL_TEST_BATCH	5

/**
 * struct dxl_test_shadow - what is true of the pages
 * @owner: who has the entry over a page locked
 * @stored: number of the last store; changed by the owner
 * @flushed: number of the last store that was flushed; likewise
 * @clock: gives the numbers
 * @err: the first thing that went wrong: a line of this file
 */
static struct dxl_test_shadow {
	struct dxl_worker *owner[DXL_TEST_PAGES];
	u64 stored[DXL_TEST_PAGES];
	u64 flushed[DXL_TEST_PAGES];
	atomic64_t clock;
	atomic_t err;
} *shadow;

/* Who does not return an error says where it was, once. */
#define CHECK(cond)							\
	do {								\
		if (!(cond))						\
			atomic_cmpxchg(&shadow->err, 0, __LINE__);	\
	} while (0)

/* Few places, so that they meet: around PMD borders, slots and nodes. */
static pgoff_t random_index(struct rnd_state *rnd)
{
	static const pgoff_t colours[] = { 0, 1, 64, 511 };

	return prandom_u32_state(rnd) % 4 * DXL_PMD_PAGES +
	       colours[prandom_u32_state(rnd) % 4];
}

static void own(struct dxl_worker *w, const struct dxl_hold *hold)
{
	pgoff_t i, nr = dxl_entry_pages(hold->entry);

	for (i = hold->first; i < hold->first + nr; i++)
		CHECK(!cmpxchg(&shadow->owner[i], NULL, w));
}

static void disown(struct dxl_worker *w, const struct dxl_hold *hold)
{
	pgoff_t i, nr = dxl_entry_pages(hold->entry);

	for (i = hold->first; i < hold->first + nr; i++)
		CHECK(cmpxchg(&shadow->owner[i], w, NULL) == w);
}

static void random_grab(struct dxl_worker *w, struct rnd_state *rnd)
{
	pgoff_t index = random_index(rnd);
	unsigned int order = prandom_u32_state(rnd) % 2 ? DXL_PMD_ORDER : 0;
	u32 what = prandom_u32_state(rnd) % 4;
	unsigned long flags;
	int err;

	err = dxl_entry_grab(w->tree, index, order, w->hold);
	if (err) {
		CHECK(err == -EAGAIN && order);
		return;
	}
	own(w, w->hold);
	flags = dxl_entry_is_pmd(w->hold->entry) ? DXL_ENTRY_PMD : 0;
	CHECK(!order || flags);
	CHECK(dxl_entry_is_locked(w->hold->entry));
	CHECK(index - w->hold->first < dxl_entry_pages(w->hold->entry));
	if (what == 0 && !dxl_entry_is_data(w->hold->entry)) {
		dxl_entry_set(w->tree, w->hold, dxl_test_zero(flags), false);
	} else if (what > 1) {
		dxl_entry_set(w->tree, w->hold,
			      dxl_entry_make(w->hold->first, flags), what > 2);
		CHECK(dxl_entry_pfn(w->hold->entry) == w->hold->first);
		if (what > 2)
			WRITE_ONCE(shadow->stored[index],
				   atomic64_inc_return(&shadow->clock));
	}
	if (prandom_u32_state(rnd) % 4 == 0)
		cond_resched();
	CHECK(xa_load(&w->tree->xa, index) == w->hold->entry);
	disown(w, w->hold);
	dxl_entry_unlock(w->tree, w->hold);
}

static void random_delete(struct dxl_worker *w, struct rnd_state *rnd)
{
	pgoff_t first = random_index(rnd);
	pgoff_t last = first + prandom_u32_state(rnd) % DXL_PMD_PAGES;
	bool keep_dirty = first < DXL_TEST_KEPT;

	if (keep_dirty && last >= DXL_TEST_KEPT)
		last = DXL_TEST_KEPT - 1;
	dxl_entry_delete_range(w->tree, first, last, keep_dirty);
}

static void flush(const struct dxl_hold *hold)
{
	pgoff_t i, nr = dxl_entry_pages(hold->entry);

	for (i = hold->first; i < hold->first + nr; i++)
		WRITE_ONCE(shadow->flushed[i], READ_ONCE(shadow->stored[i]));
}

static void random_sync(struct dxl_worker *w, struct rnd_state *rnd,
			u64 *promised)
{
	pgoff_t i, first = random_index(rnd);
	pgoff_t last = first + prandom_u32_state(rnd) % DXL_TEST_PAGES;
	int n, nr;

	for (i = first; i <= last && i < DXL_TEST_KEPT; i++)
		promised[i] = READ_ONCE(shadow->stored[i]);
	/* Pairs with the xa_lock that is taken between DIRTY and the store. */
	smp_mb();
	dxl_entry_tag(w->tree, first, last);
	while (!READ_ONCE(w->t->over) &&
	       (nr = dxl_entry_collect(w->tree, first, last, w->hold,
				       DXL_TEST_BATCH)) > 0) {
		for (n = 0; n < nr; n++) {
			CHECK(dxl_entry_is_data(w->hold[n].entry));
			own(w, w->hold + n);
			flush(w->hold + n);
			disown(w, w->hold + n);
		}
		dxl_entry_clean(w->tree, w->hold, nr);
	}
	for (i = first; i <= last && i < DXL_TEST_KEPT; i++)
		CHECK(READ_ONCE(shadow->flushed[i]) >= promised[i]);
	cond_resched();
}

static void dxl_job_random(struct dxl_worker *w)
{
	u64 *promised = kcalloc(DXL_TEST_KEPT, sizeof(*promised), GFP_KERNEL);
	struct rnd_state rnd;
	int i;

	CHECK(promised);
	if (!promised)
		return;
	prandom_seed_state(&rnd, 2019 + (w - w->t->worker));
	for (i = 0; i < DXL_TEST_STEPS && !atomic_read(&shadow->err); i++) {
		u32 what = prandom_u32_state(&rnd) % 16;

		if (what < 10)
			random_grab(w, &rnd);
		else if (what < 14)
			random_delete(w, &rnd);
		else
			random_sync(w, &rnd, promised);
	}
	kfree(promised);
}

static int run_free(struct dxl_test *t)
{
	int i;

	for (i = 0; i < 4; i++)
		dxl_worker_start(t->worker + i, dxl_job_random);
	DXL_EXPECT(dxl_test_settle(t) == 0);
	if (atomic_read(&shadow->err)) {
		pr_err("selftest: line %d of entry_random.c\n",
		       atomic_read(&shadow->err));
		return -EINVAL;
	}
	/* They met: else nothing was tried. */
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_GRABS_CONTENDED));
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_CONFLICTS));
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_DOWNGRADES));
	for (i = 0; i < DXL_TEST_PAGES; i++)
		DXL_EXPECT(!shadow->owner[i]);
	return 0;
}

static int random_free(struct dxl_test *t)
{
	int err;

	shadow = kvzalloc(sizeof(*shadow), GFP_KERNEL);
	if (!shadow)
		return -ENOMEM;
	err = run_free(t);
	if (err)
		dxl_team_rescue(t);
	kvfree(shadow);
	return err;
}

const struct dxl_test_case dxl_test_random_cases[] = {
	{ "random: four workers, free", random_free },
	{ }
};
