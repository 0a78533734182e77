// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock's variants: each choice loses what history says, and
 * no more; and of the rescue of who was lost
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"
#include "../entry_variant.h"

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/printk.h>

#define ASLEEP(t, n)	DXL_EXPECT(dxl_test_settle(t) == (n))

/**
 * dxl_test_vary() - Choose for the tree of the test.
 * @t: the test
 * @choices: as users write them; "sound": none
 *
 * Context: May sleep. Nobody sleeps or holds an entry.
 * Return: 0 or a negative errno.
 */
int dxl_test_vary(struct dxl_test *t, const char *choices)
{
	struct dxl_variant variant = {};

	DXL_EXPECT(!dxl_variant_parse(choices, &variant));
	dxl_lab_vary(&t->lab, &variant);
	dxl_lab_settle(&t->lab);
	dxl_log_mark(&t->lab);
	t->tree.lab = &t->lab;
	return 0;
}

static int damages(struct dxl_test *t, enum dxl_damage damage)
{
	return atomic_read(&t->lab.damages[damage]);
}

/* So many are asleep for ever; get them back. */
static int lost(struct dxl_test *t, int asleep)
{
	ASLEEP(t, asleep);
	dxl_tree_rescue(&t->tree);
	t->rescued += asleep;
	ASLEEP(t, 0);
	return 0;
}

static int grab_each(struct dxl_test *t, int first, int nr, pgoff_t index,
		     unsigned int order)
{
	int i;

	for (i = first; i < first + nr; i++) {
		dxl_give_grab(t->worker + i, index + (order ? 0 : i), order);
		ASLEEP(t, i + 1);
	}
	return 0;
}

static int delete_each(struct dxl_test *t, int nr, pgoff_t index, bool keep)
{
	int i;

	for (i = 0; i < nr; i++) {
		dxl_give_delete(t->worker + i, index, index, keep);
		ASLEEP(t, i + 1);
	}
	return 0;
}

/* A1: a PMD grab meets a locked PTE entry, here of colour 1. */
static int pmd_meets_pte(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 513, 0, t->hold));
	dxl_give_grab(t->worker, 512, DXL_PMD_ORDER);
	DXL_EXPECT(dxl_test_settle(t) >= 0);
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

static int pmd_meets_colour_0(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, 0, t->hold));
	dxl_give_grab(t->worker, 512, DXL_PMD_ORDER);
	DXL_EXPECT(dxl_test_settle(t) >= 0);
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* A1, with somebody behind who waits for the PTE entry as well. */
static int pmd_before_pte(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 513, 0, t->hold));
	dxl_give_grab(t->worker, 512, DXL_PMD_ORDER);
	DXL_EXPECT(dxl_test_settle(t) >= 0);
	dxl_give_grab(t->worker + 1, 513, 0);
	DXL_EXPECT(dxl_test_settle(t) >= 1);
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* A2: a deletion is woken first, and may not delete. */
static int refused_first(struct dxl_test *t)
{
	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	DXL_TRY(delete_each(t, 1, 5, true));
	dxl_give_grab(t->worker + 1, 5, 0);
	ASLEEP(t, 2);
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* A4: three deletions of a PTE entry; of a PMD entry, by an index within. */
static int three_delete_pte(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	DXL_TRY(delete_each(t, 3, 5, false));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

static int three_delete_pmd(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold));
	DXL_TRY(delete_each(t, 3, 700, false));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

static int delete_pmd_then_ptes(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold));
	DXL_TRY(delete_each(t, 1, 700, false));
	DXL_TRY(grab_each(t, 1, 2, 512, 0));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* A6: one page of an EMPTY PMD entry, then two PMD grabs; then mixed. */
static int downgrade_pmds(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold));
	DXL_TRY(grab_each(t, 0, 1, 515, 0));
	DXL_TRY(grab_each(t, 1, 2, 512, DXL_PMD_ORDER));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

static int downgrade_mixed(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold));
	DXL_TRY(grab_each(t, 0, 2, 515, 0));
	DXL_TRY(grab_each(t, 2, 2, 512, DXL_PMD_ORDER));
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

/* A10: the wake for index 2 goes to who waits for index 1. */
static int two_of_a_pmd(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 1, 0, t->hold));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 2, 0, t->hold + 1));
	dxl_give_grab(t->worker, 1, 0);
	ASLEEP(t, 1);
	dxl_give_grab(t->worker + 1, 2, 0);
	ASLEEP(t, 2);
	dxl_entry_unlock(&t->tree, t->hold + 1);
	return 0;
}

static void hole_job(struct dxl_worker *w)
{
	w->ret = dxl_entry_grab_hole(w->tree, w->first, w->hold);
	if (w->ret == 1)
		dxl_hole_mapped(w->tree);
	else if (!w->ret)
		dxl_entry_unlock(w->tree, w->hold);
}

/* A5: two reads sleep while the hole gets its page. */
static int hole_page(struct dxl_test *t)
{
	int i;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	for (i = 0; i < 2; i++) {
		t->worker[i].first = 5;
		dxl_worker_start(t->worker + i, hole_job);
		ASLEEP(t, i + 1);
	}
	dxl_entry_set(&t->tree, t->hold, dxl_test_zero(0), false);
	dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(dxl_test_settle(t) >= 0);
	/* All are woken without xa_lock: nothing is removed. */
	t->bad_wake_all = 0;
	return 0;
}

/* B2: a scan that sleeps for 5 goes on with 6, and 5 has another waiter. */
static int scan_then_grab(struct dxl_test *t)
{
	DXL_TRY(dxl_test_make(t, 6, dxl_test_pte(), false));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	dxl_give_delete(t->worker, 5, 6, false);
	DXL_EXPECT(dxl_test_settle(t) >= 0);
	dxl_give_grab(t->worker + 1, 5, 0);
	DXL_EXPECT(dxl_test_settle(t) >= 1);
	dxl_entry_unlock(&t->tree, t->hold);
	return 0;
}

static const struct {
	const char *choices;
	int (*play)(struct dxl_test *t);
	int lost;
} stories[] = {
	{ "wait_key=searcher,order_rule=wait_own", pmd_meets_pte, 1 },
	{ "wait_key=searcher,order_rule=wait_own,bucket=one", pmd_meets_pte, 1 },
	{ "wait_key=searcher,order_rule=wait_own", pmd_meets_colour_0, 0 },
	{ "wait_key=searcher", pmd_meets_pte, 0 },
	{ "wait_key=masked,order_rule=wait_own", pmd_meets_pte, 0 },
	{ "wait_key=masked,order_rule=wait_own", pmd_before_pte, 0 },
	{ "order_rule=wait_own", pmd_before_pte, 1 },
	{ "order_rule=any_order", pmd_before_pte, 0 },
	{ "order_rule=return_locked", pmd_before_pte, 0 },
	{ "bucket=one", pmd_before_pte, 0 },
	{ "put=inverted", refused_first, 1 },
	{ "baton=keep", refused_first, 1 },
	{ "bucket=one", refused_first, 0 },
	{ "wake_removal=next", three_delete_pte, 1 },
	{ "wake_removal=next_gone", three_delete_pte, 0 },
	{ "wake_removal=both_keys", three_delete_pte, 0 },
	{ "wake_removal=next_gone", three_delete_pmd, 1 },
	{ "wake_removal=both_keys", three_delete_pmd, 0 },
	{ "wake_removal=next", delete_pmd_then_ptes, 1 },
	{ "wake_removal=both_keys", delete_pmd_then_ptes, 1 },
	{ "bucket=one", delete_pmd_then_ptes, 0 },
	{ "canary=new_key", three_delete_pmd, 2 },
	{ "canary=new_key", three_delete_pte, 0 },
	{ "wake_downgrade=next", downgrade_pmds, 1 },
	{ "wake_downgrade=pass_on", downgrade_pmds, 0 },
	{ "wake_downgrade=pass_on", downgrade_mixed, 2 },
	{ "bucket=one", downgrade_mixed, 0 },
	{ "downgrade=late_wake", downgrade_pmds, 1 },
	{ "canary=new_key", downgrade_pmds, 2 },
	{ "wait_key=masked", two_of_a_pmd, 2 },
	{ "wait_key=masked_all", two_of_a_pmd, 1 },
	{ "canary=stranger,bucket=one", two_of_a_pmd, 2 },
	{ "bucket=one", two_of_a_pmd, 1 },
	{ "hole_page=wake_one", hole_page, 1 },
	{ "hole_page=wake_all", hole_page, 0 },
	{ "scan=pause", scan_then_grab, 1 },
	{ "scan=positioned", scan_then_grab, 0 },
	{ "bucket=one", scan_then_grab, 0 },
};

static int variant_stories(struct dxl_test *t)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(stories); i++) {
		DXL_TRY(dxl_test_vary(t, stories[i].choices));
		err = stories[i].play(t) ?: lost(t, stories[i].lost);
		if (err) {
			pr_err("selftest: variant %s, story %d\n",
			       stories[i].choices, i);
			return err;
		}
		/* What two_of_a_pmd() has held all the time. */
		if (!hlist_empty(&t->tree.holds))
			dxl_entry_unlock(&t->tree, t->hold);
		t->bad_wake_all = 0;
		xa_destroy(&t->tree.xa);
	}
	return 0;
}

/* B6: a PMD entry over a locked PTE entry, and what its owner finds. */
static int variant_lookup(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_vary(t, "lookup=load"));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 200, 0, t->hold));
	dxl_give_grab(w, 0, DXL_PMD_ORDER);
	ASLEEP(t, 0);
	DXL_EXPECT(!w->ret && dxl_entry_is_pmd(dxl_test_at(t, 200)));
	DXL_EXPECT(damages(t, DXL_DAMAGE_SWALLOWED) == 1);
	dxl_entry_set(&t->tree, t->hold, dxl_test_pte(), true);
	dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(damages(t, DXL_DAMAGE_STORE_FAILED) == 1);
	DXL_EXPECT(damages(t, DXL_DAMAGE_UNLOCK_FOREIGN) == 1);
	DXL_EXPECT(dxl_test_at(t, 200) == dxl_test_empty(DXL_ENTRY_PMD));
	xa_destroy(&t->tree.xa);

	/* One of the first 64 is seen. */
	DXL_TRY(dxl_test_make(t, 63, dxl_test_pte(), false));
	DXL_EXPECT(dxl_entry_grab(&t->tree, 0, DXL_PMD_ORDER, t->hold) ==
		   -EAGAIN);
	DXL_TRY(dxl_test_vary(t, "lookup=eexist"));
	DXL_TRY(dxl_test_make(t, 512 + 200, dxl_test_pte(), false));
	DXL_EXPECT(dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold) ==
		   -EAGAIN);
	DXL_TRY(dxl_test_vary(t, "order_rule=before_null"));
	DXL_EXPECT(dxl_entry_grab(&t->tree, 1024, DXL_PMD_ORDER, t->hold) ==
		   -EAGAIN);
	return 0;
}

/* C8 */
static int variant_downgrade(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_vary(t, "downgrade=skip_unmap"));
	DXL_TRY(dxl_test_make(t, 512, dxl_test_zero(DXL_ENTRY_PMD), false));
	DXL_TRY(dxl_test_make(t, 515, dxl_test_pte(), false));
	DXL_EXPECT(!t->unmaps);
	xa_destroy(&t->tree.xa);

	DXL_TRY(dxl_test_vary(t, "downgrade=unlocked"));
	DXL_TRY(dxl_test_make(t, 512, dxl_test_zero(DXL_ENTRY_PMD), false));
	t->park_unmap = true;
	dxl_give_grab(w, 515, 0);
	ASLEEP(t, 0);
	/* Whoever comes now does not wait, and loses its entry. */
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 512, DXL_PMD_ORDER, t->hold));
	t->park_unmap = false;
	dxl_worker_release(w);
	ASLEEP(t, 0);
	dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(damages(t, DXL_DAMAGE_UNLOCK_GONE) == 1);
	DXL_EXPECT(dxl_test_at(t, 515) == dxl_test_empty(0));
	return 0;
}

/* B1, B3, B3b, B4: what walks pass, and where they go round. */
static int variant_walks(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;
	void *pmd = dxl_test_pmd();

	DXL_TRY(dxl_test_vary(t, "scan=positioned,sync_scan=positioned"));
	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 6, dxl_test_pte(), true));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	dxl_give_sync(w, 0, 511, true);
	ASLEEP(t, 0);
	DXL_EXPECT(w->ret == 1 && dxl_test_towrite(t, 5));
	DXL_EXPECT(!damages(t, DXL_DAMAGE_SKIPPED));
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, 0, 511, false) == 1);
	DXL_EXPECT(damages(t, DXL_DAMAGE_SKIPPED) == 1);
	dxl_entry_unlock(&t->tree, t->hold);

	DXL_TRY(dxl_test_vary(t, "towrite=at_lock"));
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, 511, t->hold, 1) == 1);
	dxl_give_sync(w, 0, 511, false);
	ASLEEP(t, 0);
	DXL_EXPECT(w->ret == 0 && dxl_test_dirty(t, 5));
	dxl_entry_clean(&t->tree, t->hold, 1);

	DXL_TRY(dxl_test_vary(t, "advance=one"));
	DXL_TRY(dxl_test_make(t, 512, pmd, true));
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, 0, 1023, true) == -EDEADLK);
	DXL_EXPECT(damages(t, DXL_DAMAGE_LOOP) == 1);
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, 0, 1023, false) == 1);
	DXL_TRY(dxl_test_vary(t, "advance=stuck"));
	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, 0, 511, true) == -EDEADLK);
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, 0, 511, false) == 1);
	return 0;
}

/* Who sleeps is sent away, who owns goes on, what nobody owns is unlocked. */
static int variant_rescue(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 5, 5) == 1);
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	dxl_give_grab(w, 5, 0);
	ASLEEP(t, 1);
	dxl_give_delete(w + 1, 0, 511, false);
	ASLEEP(t, 2);
	dxl_give_sync(w + 2, 0, 511, false);
	DXL_TRY(lost(t, 3));
	DXL_EXPECT(w[0].ret == -EDEADLK && w[1].ret == -EDEADLK);
	DXL_EXPECT(dxl_test_at(t, 5) == t->hold->entry);

	/* The owner is gone, for lockdep as well. */
	hlist_del_init(&t->hold->list);
	lock_map_release(&t->tree.dep_map);
	dxl_give_grab(w, 5, 0);
	DXL_TRY(lost(t, 1));
	DXL_EXPECT(dxl_test_at(t, 5) == dxl_test_pte());
	DXL_EXPECT(dxl_test_dirty(t, 5));
	return 0;
}

const struct dxl_test_case dxl_test_variant_cases[] = {
	{ "rescue: who sleeps, what nobody owns", variant_rescue },
	{ "variants: who is lost", variant_stories },
	{ "variants: a PMD entry over PTE entries", variant_lookup },
	{ "variants: downgrade", variant_downgrade },
	{ "variants: walks", variant_walks },
	{ }
};
