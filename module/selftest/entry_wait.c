// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock, several tasks: who sleeps on what, who wakes whom
 *
 * Sleepers come one at a time, each only when the one before is asleep, since
 * the order on the queue decides. "Asleep for ever" is exact: everybody else has
 * come to rest, and nobody is left who could wake.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/printk.h>

#define ASLEEP(t, n)	DXL_EXPECT(dxl_test_settle(t) == (n))

/* N sleepers for one entry: each gets it, and one wake at a time is enough. */
static int baton(struct dxl_test *t, pgoff_t first, void *entry)
{
	u64 issued = dxl_test_count(t, DXL_STAT_WAKES_ISSUED);
	u64 contended = dxl_test_count(t, DXL_STAT_GRABS_CONTENDED);
	int i, round;

	t->alone = true;
	DXL_TRY(dxl_test_make(t, first, entry, false));
	for (round = 0; round < 3; round++) {
		DXL_EXPECT(!dxl_entry_grab(&t->tree, first, 0, t->hold));
		for (i = 0; i < DXL_TEST_WORKERS; i++) {
			dxl_give_grab(t->worker + i, first +
				      i % dxl_entry_pages(entry) * 97, 0);
			ASLEEP(t, i + 1);
		}
		dxl_entry_unlock(&t->tree, t->hold);
		ASLEEP(t, 0);
		for (i = 0; i < DXL_TEST_WORKERS; i++) {
			DXL_EXPECT(!t->worker[i].ret);
			DXL_EXPECT(t->worker[i].entry ==
				   dxl_test_locked(entry));
		}
	}
	issued = dxl_test_count(t, DXL_STAT_WAKES_ISSUED) - issued;
	contended = dxl_test_count(t, DXL_STAT_GRABS_CONTENDED) - contended;
	DXL_EXPECT(issued == 3 * DXL_TEST_WORKERS);
	DXL_EXPECT(contended == 3 * DXL_TEST_WORKERS);
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_WAKES_MISDIRECTED));
	return 0;
}

static int wait_baton(struct dxl_test *t)
{
	DXL_TRY(baton(t, 5, dxl_test_pte()));
	DXL_TRY(baton(t, 512, dxl_test_pmd()));
	xa_destroy(&t->tree.xa);
	DXL_TRY(baton(t, 0, dxl_test_pte()));
	return 0;
}

/* One wake, one task: the second sleeps until the first unlocks. */
static int wait_one_at_a_time(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	t->worker[0].park = true;
	dxl_give_grab(t->worker, 5, 0);
	ASLEEP(t, 1);
	dxl_give_grab(t->worker + 1, 5, 0);
	ASLEEP(t, 2);
	dxl_give_grab(t->worker + 2, 5, 0);
	ASLEEP(t, 3);
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 2);
	DXL_EXPECT(t->worker[0].state == DXL_WORKER_PARKED);
	dxl_worker_release(t->worker);
	ASLEEP(t, 0);
	return 0;
}

/* A1: a PTE entry is never waited for by a PMD grab, at whatever colour. */
static int wait_conflict(struct dxl_test *t)
{
	static const pgoff_t colours[] = { 1, 0, 63, 64, 200, 511 };
	int i;

	for (i = 0; i < ARRAY_SIZE(colours); i++) {
		DXL_EXPECT(!dxl_entry_grab(&t->tree, 512 + colours[i], 0,
					   t->hold));
		dxl_give_grab(t->worker, 512, DXL_PMD_ORDER);
		ASLEEP(t, 0);
		DXL_EXPECT(t->worker->ret == -EAGAIN);
		dxl_entry_unlock(&t->tree, t->hold);
		xa_destroy(&t->tree.xa);
	}
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_WAITS));
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_CONFLICTS) == i);
	return 0;
}

/* A10: entries of one PMD range are different locks. */
static int wait_neighbours(struct dxl_test *t)
{
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 1, 0, t->hold));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 2, 0, t->hold + 1));
	dxl_give_grab(t->worker, 1, 0);
	ASLEEP(t, 1);
	dxl_give_grab(t->worker + 1, 2, 0);
	ASLEEP(t, 2);
	dxl_entry_unlock(&t->tree, t->hold + 1);
	ASLEEP(t, 1);
	DXL_EXPECT(t->worker[1].state == DXL_WORKER_IDLE);
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 0);
	return 0;
}

static bool same_bucket(struct dxl_tree *tree, pgoff_t index,
			struct dxl_tree *other, pgoff_t other_index)
{
	struct dxl_key key = { .tree = tree, .first = index };
	struct dxl_key other_key = { .tree = other, .first = other_index };

	return dxl_entry_queue(&key) == dxl_entry_queue(&other_key);
}

/* Rule 5: strangers ahead on the queue do not take the wake. */
static int wait_collision(struct dxl_test *t)
{
	pgoff_t index = 1, same = 2;

	while (!same_bucket(&t->tree, index, &t->tree, same))
		same++;
	DXL_EXPECT(!dxl_entry_grab(&t->tree, index, 0, t->hold));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, same, 0, t->hold + 1));
	dxl_give_grab(t->worker, same, 0);
	ASLEEP(t, 1);
	dxl_give_delete(t->worker + 1, same, same, false);
	ASLEEP(t, 2);
	dxl_give_grab(t->worker + 2, index, 0);
	ASLEEP(t, 3);
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 2);
	DXL_EXPECT(t->worker[2].state == DXL_WORKER_IDLE);
	/* Nor are they woken by a wake-all that is not theirs. */
	DXL_EXPECT(dxl_entry_delete_range(&t->tree, index, index, false) == 1);
	ASLEEP(t, 2);
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_WAITS) == 3);
	dxl_entry_unlock(&t->tree, t->hold + 1);
	ASLEEP(t, 0);
	return 0;
}

/* The same index of another file, in the same bucket. */
static int wait_other_tree(struct dxl_test *t)
{
	pgoff_t index = 0;
	int i = 0;

	while (!same_bucket(&t->tree, index, t->others + i, index)) {
		if (++i < DXL_TEST_TREES)
			continue;
		/* With very many buckets there may be none. */
		if (++index == 16) {
			pr_info("selftest: no such tree, not tried\n");
			return 0;
		}
		i = 0;
	}
	t->other = t->others + i;
	dxl_test_tree_init(t->other, 2);
	t->worker[0].tree = t->other;
	DXL_EXPECT(!dxl_entry_grab(&t->tree, index, 0, t->hold));
	DXL_EXPECT(!dxl_entry_grab(t->other, index, 0, t->hold + 1));
	dxl_give_grab(t->worker, index, 0);
	ASLEEP(t, 1);
	dxl_give_grab(t->worker + 1, index, 0);
	ASLEEP(t, 2);
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 1);
	DXL_EXPECT(t->worker[1].state == DXL_WORKER_IDLE);
	dxl_entry_unlock(t->other, t->hold + 1);
	ASLEEP(t, 0);
	return 0;
}

/*
 * C8: a zero PMD entry is locked while its mappings are removed without xa_lock;
 * whoever comes waits, on the key of the PMD, and is woken when it is gone.
 */
static int wait_downgrade(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 512, dxl_test_zero(DXL_ENTRY_PMD), false));
	t->park_unmap = true;
	dxl_give_grab(w, 512 + 7, 0);
	ASLEEP(t, 0);
	DXL_EXPECT(w->state == DXL_WORKER_PARKED && t->unmaps == 1);
	DXL_EXPECT(dxl_test_at(t, 512 + 200) ==
		   dxl_test_locked(dxl_test_zero(DXL_ENTRY_PMD)));
	dxl_give_grab(w + 1, 512, DXL_PMD_ORDER);
	ASLEEP(t, 1);
	dxl_give_grab(w + 2, 512 + 8, 0);
	ASLEEP(t, 2);
	dxl_give_grab(w + 3, 512, DXL_PMD_ORDER);
	ASLEEP(t, 3);
	dxl_give_grab(w + 4, 512 + 7, 0);
	ASLEEP(t, 4);
	dxl_give_delete(w + 5, 1023, 1023, false);
	ASLEEP(t, 5);
	t->park_unmap = false;
	dxl_worker_release(w);
	ASLEEP(t, 0);
	DXL_EXPECT(t->unmaps == 1);
	DXL_EXPECT(w[0].entry == dxl_test_locked(dxl_test_empty(0)));
	DXL_EXPECT(w[1].ret == -EAGAIN && w[3].ret == -EAGAIN);
	DXL_EXPECT(w[2].entry == w[0].entry && w[4].entry == w[0].entry);
	DXL_EXPECT(w[5].ret == 0);
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_DOWNGRADES) == 1);
	return 0;
}

/* B3: a sync is not over while what it tagged is locked, be it by a fault. */
static int wait_sync_fault(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 6, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 512, dxl_test_pmd(), true));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 700, 0, t->hold + 1));
	dxl_give_sync(w, 0, ULONG_MAX, true);
	ASLEEP(t, 1);
	/* With an empty hand: what was not locked is not locked now. */
	DXL_EXPECT(!dxl_entry_is_locked(dxl_test_at(t, 6)));
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 1);
	DXL_EXPECT(!dxl_test_dirty(t, 5) && !dxl_test_dirty(t, 6));
	DXL_EXPECT(dxl_test_dirty(t, 512));
	dxl_entry_unlock(&t->tree, t->hold + 1);
	ASLEEP(t, 0);
	DXL_EXPECT(w->ret == 3);
	DXL_EXPECT(!xa_marked(&t->tree.xa, DXL_MARK_DIRTY));
	DXL_EXPECT(!xa_marked(&t->tree.xa, DXL_MARK_TOWRITE));
	return 0;
}

/* B3 and B3b: nor while another sync has it, tagged before or after. */
static int wait_sync_sync(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;
	int tag;

	for (tag = 0; tag < 2; tag++) {
		DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
		DXL_TRY(dxl_test_make(t, 512, dxl_test_pmd(), true));
		DXL_EXPECT(dxl_entry_tag(&t->tree, 0, 1023) == 2);
		DXL_EXPECT(dxl_entry_collect(&t->tree, 0, 1023, t->hold, 8) ==
			   2);
		dxl_give_sync(w, 0, 1023, tag);
		ASLEEP(t, 1);
		dxl_give_sync(w + 1, 600, 1023, tag);
		ASLEEP(t, 2);
		dxl_give_grab(w + 2, 5, 0);
		ASLEEP(t, 3);
		dxl_give_grab(w + 3, 700, 0);
		ASLEEP(t, 4);
		/* The second entry before the first. */
		t->cleaning = true;
		dxl_entry_clean(&t->tree, t->hold + 1, 1);
		ASLEEP(t, 2);
		DXL_EXPECT(w[0].state != DXL_WORKER_IDLE);
		dxl_entry_clean(&t->tree, t->hold, 1);
		ASLEEP(t, 0);
		t->cleaning = false;
		DXL_EXPECT(w[0].ret == 0 && w[1].ret == 0);
	}
	return 0;
}

/* A sync that parks with entries locked is itself what others wait for. */
static int wait_sync_parked(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 0, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	w[0].park = true;
	dxl_give_sync(w, 0, 511, true);
	ASLEEP(t, 0);
	dxl_give_sync(w + 1, 0, 511, true);
	ASLEEP(t, 1);
	dxl_give_delete(w + 2, 0, 511, true);
	ASLEEP(t, 2);
	dxl_give_grab(w + 3, 5, 0);
	ASLEEP(t, 3);
	dxl_worker_release(w);
	ASLEEP(t, 0);
	DXL_EXPECT(w[0].ret == 2 && w[1].ret == 0);
	DXL_EXPECT(w[2].ret == 2);
	return 0;
}

/*
 * A walk sleeps for one entry, and when it is woken there is another one before
 * it: the wake that it came with belongs to the next sleeper for the first.
 */
static int inserted_before(struct dxl_test *t, bool sync, bool locked)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 5, dxl_test_pte(), true));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 5, 5) == 1);
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 5, 0, t->hold));
	if (sync)
		dxl_give_sync(w, 0, 511, false);
	else
		dxl_give_delete(w, 0, 511, true);
	ASLEEP(t, 1);
	dxl_give_grab(w + 1, 5, 0);
	ASLEEP(t, 2);
	DXL_TRY(dxl_test_make(t, 3, dxl_test_pte(), true));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 3, 3) == 1);
	if (locked)
		DXL_EXPECT(!dxl_entry_grab(&t->tree, 3, 0, t->hold + 1));
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, locked);
	DXL_EXPECT(w[1].state == DXL_WORKER_IDLE);
	if (locked)
		dxl_entry_unlock(&t->tree, t->hold + 1);
	ASLEEP(t, 0);
	DXL_EXPECT(w[0].ret == (sync ? 2 : 0));
	xa_destroy(&t->tree.xa);
	return 0;
}

static int wait_inserted_before(struct dxl_test *t)
{
	DXL_TRY(inserted_before(t, false, false));
	DXL_TRY(inserted_before(t, false, true));
	DXL_TRY(inserted_before(t, true, false));
	DXL_TRY(inserted_before(t, true, true));
	return 0;
}

/* A deletion waits in the middle of its range and deletes what it waited for. */
static int wait_delete(struct dxl_test *t)
{
	struct dxl_worker *w = t->worker;

	DXL_TRY(dxl_test_make(t, 500, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 512, dxl_test_pmd(), true));
	DXL_TRY(dxl_test_make(t, 1024, dxl_test_pte(), false));
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 600, 0, t->hold));
	dxl_give_delete(w, 400, 2000, false);
	ASLEEP(t, 1);
	DXL_EXPECT(!dxl_test_at(t, 500));
	DXL_EXPECT(dxl_test_at(t, 512) == t->hold->entry);
	DXL_EXPECT(dxl_test_at(t, 1024) == dxl_test_pte());
	dxl_entry_unlock(&t->tree, t->hold);
	ASLEEP(t, 0);
	DXL_EXPECT(w->ret == 3);
	DXL_EXPECT(xa_empty(&t->tree.xa));
	return 0;
}

const struct dxl_test_case dxl_test_wait_cases[] = {
	{ "wait: each sleeper gets the entry", wait_baton },
	{ "wait: one wake, one task", wait_one_at_a_time },
	{ "wait: not for a PTE entry with a PMD grab", wait_conflict },
	{ "wait: neighbours are different locks", wait_neighbours },
	{ "wait: strangers in the bucket", wait_collision },
	{ "wait: another tree in the bucket", wait_other_tree },
	{ "wait: for a downgrade", wait_downgrade },
	{ "wait: a sync for faults", wait_sync_fault },
	{ "wait: a sync for another sync", wait_sync_sync },
	{ "wait: others for a sync", wait_sync_parked },
	{ "wait: an entry inserted before", wait_inserted_before },
	{ "wait: a deletion in the middle", wait_delete },
	{ }
};
