// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock, one task: delete, tag, collect, clean
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/printk.h>

#define DXL_TEST_END	ULONG_MAX

struct dxl_test_entry {
	pgoff_t first;
	void *entry;
	bool dirty;
};

static int make_all(struct dxl_test *t, const struct dxl_test_entry *e, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		DXL_TRY(dxl_test_make(t, e[i].first, e[i].entry, e[i].dirty));
	return 0;
}

/* Bits of @gone: entries that are not there any more; the others are intact. */
static int expect_gone(struct dxl_test *t, const struct dxl_test_entry *e,
		       int nr, unsigned long gone)
{
	int i;

	for (i = 0; i < nr; i++) {
		pgoff_t last = e[i].first + dxl_entry_pages(e[i].entry) - 1;
		void *want = gone & BIT(i) ? NULL : e[i].entry;

		DXL_EXPECT(dxl_test_at(t, e[i].first) == want);
		DXL_EXPECT(dxl_test_at(t, last) == want);
		DXL_EXPECT(dxl_test_dirty(t, e[i].first) ==
			   (want && e[i].dirty));
	}
	return 0;
}

static int walk_delete(struct dxl_test *t)
{
	const struct dxl_test_entry e[] = {
		{ 0, dxl_test_pte(), true },
		{ 5, dxl_test_zero(0), false },
		{ 63, dxl_test_empty(0), false },
		{ 511, dxl_test_pte(), false },
		{ 512, dxl_test_pmd(), true },
		{ 1024, dxl_test_zero(DXL_ENTRY_PMD), false },
		{ 1536, dxl_test_pte(), true },
		{ 4096, dxl_test_empty(DXL_ENTRY_PMD), false },
		{ DXL_TEST_END - 1023, dxl_test_pmd(), true },
		{ DXL_TEST_END - 1, dxl_test_pte(), true },
		{ DXL_TEST_END, dxl_test_pte(), false },
	};
	static const struct {
		pgoff_t first, last;
		bool keep_dirty;
		unsigned long gone;
	} step[] = {
		{ 0, 0, false, BIT(0) },
		{ 1, 4, false, 0 },
		{ 0, 5, false, BIT(0) | BIT(1) },
		{ 0, 5, true, BIT(1) },
		{ 6, 511, false, BIT(2) | BIT(3) },
		{ 511, 512, false, BIT(3) | BIT(4) },
		{ 511, 512, true, BIT(3) },
		/* A PMD entry goes whole, whichever part is in the range. */
		{ 612, 612, false, BIT(4) },
		{ 1023, 1023, false, BIT(4) },
		{ 1023, 1024, false, BIT(4) | BIT(5) },
		{ 1000, 1100, true, BIT(5) },
		{ 1535, 1536, true, BIT(5) },
		{ 1535, 1536, false, BIT(5) | BIT(6) },
		{ 1537, DXL_TEST_END, true, BIT(7) | BIT(10) },
		{ DXL_TEST_END, DXL_TEST_END, false, BIT(10) },
		{ DXL_TEST_END - 600, DXL_TEST_END, false,
		  BIT(8) | BIT(9) | BIT(10) },
		{ 0, DXL_TEST_END, true,
		  BIT(1) | BIT(2) | BIT(3) | BIT(5) | BIT(7) | BIT(10) },
		{ 0, DXL_TEST_END, false, BIT(11) - 1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(step); i++) {
		DXL_TRY(make_all(t, e, ARRAY_SIZE(e)));
		DXL_EXPECT(dxl_entry_delete_range(&t->tree, step[i].first,
						  step[i].last,
						  step[i].keep_dirty) ==
			   hweight_long(step[i].gone));
		DXL_TRY(expect_gone(t, e, ARRAY_SIZE(e), step[i].gone));
		xa_destroy(&t->tree.xa);
	}
	DXL_EXPECT(!dxl_entry_delete_range(&t->tree, 0, DXL_TEST_END, false));
	return 0;
}

/* Each mark alone keeps an entry: data in the cache, data in flight. */
static int walk_keep_dirty(struct dxl_test *t)
{
	void *entries[] = { dxl_test_pte(), dxl_test_pmd() };
	int i, marks;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		pgoff_t index = DXL_PMD_PAGES + (i ? 100 : 0);

		for (marks = 0; marks < 4; marks++) {
			DXL_TRY(dxl_test_make(t, DXL_PMD_PAGES, entries[i],
					      false));
			if (marks & 1)
				xa_set_mark(&t->tree.xa, DXL_PMD_PAGES,
					    DXL_MARK_DIRTY);
			if (marks & 2)
				xa_set_mark(&t->tree.xa, DXL_PMD_PAGES,
					    DXL_MARK_TOWRITE);
			DXL_EXPECT(dxl_entry_delete_range(&t->tree, index,
							  index, true) ==
				   !marks);
			DXL_EXPECT(dxl_test_at(t, index) ==
				   (marks ? entries[i] : NULL));
			DXL_EXPECT(dxl_entry_delete_range(&t->tree, index,
							  index, false) ==
				   !!marks);
			DXL_EXPECT(!dxl_test_at(t, DXL_PMD_PAGES));
		}
	}
	/* A mark does not outlive its entry. */
	DXL_TRY(dxl_test_make(t, DXL_PMD_PAGES, dxl_test_pmd(), false));
	DXL_EXPECT(!dxl_test_towrite(t, DXL_PMD_PAGES));
	return 0;
}

static const pgoff_t sync_firsts[] = { 0, 5, 512, 1030, 4096 };

static int make_sync(struct dxl_test *t)
{
	const struct dxl_test_entry e[] = {
		{ 0, dxl_test_pte(), true },
		{ 4, dxl_test_pte(), false },
		{ 5, dxl_test_pte(), true },
		{ 6, dxl_test_zero(0), false },
		{ 512, dxl_test_pmd(), true },
		{ 1030, dxl_test_pte(), true },
		{ 1536, dxl_test_pmd(), false },
		{ 4096, dxl_test_pmd(), true },
	};

	return make_all(t, e, ARRAY_SIZE(e));
}

/* Locked, in order, and with both marks until they are clean (rule 23). */
static int expect_batch(struct dxl_test *t, unsigned int nr,
			const pgoff_t *firsts)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		DXL_EXPECT(t->hold[i].first == firsts[i]);
		DXL_EXPECT(dxl_entry_is_locked(dxl_test_at(t, firsts[i])));
		DXL_EXPECT(dxl_test_at(t, firsts[i]) == t->hold[i].entry);
		DXL_EXPECT(dxl_test_dirty(t, firsts[i]));
		DXL_EXPECT(dxl_test_towrite(t, firsts[i]));
	}
	dxl_entry_clean(&t->tree, t->hold, nr);
	for (i = 0; i < nr; i++) {
		DXL_EXPECT(dxl_entry_is_data(dxl_test_at(t, firsts[i])));
		DXL_EXPECT(!dxl_entry_is_locked(dxl_test_at(t, firsts[i])));
		DXL_EXPECT(!dxl_test_dirty(t, firsts[i]));
		DXL_EXPECT(!dxl_test_towrite(t, firsts[i]));
	}
	return 0;
}

/* One sync in batches of @max; entries from @from to @to are in its range. */
static int sync_range(struct dxl_test *t, pgoff_t first, pgoff_t last,
		      unsigned int max, unsigned int from, unsigned int to)
{
	unsigned int i, nr;

	DXL_TRY(make_sync(t));
	DXL_EXPECT(dxl_entry_tag(&t->tree, first, last) == to - from);
	for (i = 0; i < ARRAY_SIZE(sync_firsts); i++)
		DXL_EXPECT(dxl_test_towrite(t, sync_firsts[i]) ==
			   (i >= from && i < to));
	/* What becomes dirty now is the work of the next sync. */
	DXL_TRY(dxl_test_make(t, 4, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 1536, dxl_test_pmd(), true));
	while (from < to) {
		nr = dxl_entry_collect(&t->tree, first, last, t->hold, max);
		DXL_EXPECT(nr == min(max, to - from));
		DXL_TRY(expect_batch(t, nr, sync_firsts + from));
		from += nr;
	}
	DXL_EXPECT(!dxl_entry_collect(&t->tree, first, last, t->hold, max));
	for (i = to; i < ARRAY_SIZE(sync_firsts); i++)
		DXL_EXPECT(dxl_test_dirty(t, sync_firsts[i]));
	DXL_EXPECT(dxl_test_dirty(t, 4) && dxl_test_dirty(t, 1536));
	xa_destroy(&t->tree.xa);
	return 0;
}

static int walk_sync(struct dxl_test *t)
{
	unsigned int max;

	for (max = 1; max <= DXL_TEST_HOLDS; max++) {
		DXL_TRY(sync_range(t, 0, DXL_TEST_END, max, 0, 5));
		DXL_TRY(sync_range(t, 0, 4096, max, 0, 5));
		DXL_TRY(sync_range(t, 1, 511, max, 1, 2));
		/* From and to the middle of a PMD entry: all of it. */
		DXL_TRY(sync_range(t, 700, 1030, max, 2, 4));
		DXL_TRY(sync_range(t, 1023, 1023, max, 2, 3));
		DXL_TRY(sync_range(t, 1024, 4096 + 511, max, 3, 5));
		DXL_TRY(sync_range(t, 4097, DXL_TEST_END, max, 4, 5));
		DXL_TRY(sync_range(t, 6, 511, max, 2, 2));
		DXL_TRY(sync_range(t, 5000, DXL_TEST_END, max, 5, 5));
	}
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_WAITS));
	return 0;
}

static int walk_sync_edges(struct dxl_test *t)
{
	static const pgoff_t firsts[] = { 0, DXL_TEST_END };

	/* Nothing, and nothing dirty. */
	DXL_EXPECT(!dxl_entry_tag(&t->tree, 0, DXL_TEST_END));
	DXL_EXPECT(!dxl_entry_collect(&t->tree, 0, DXL_TEST_END, t->hold, 1));
	DXL_TRY(dxl_test_make(t, 0, dxl_test_pte(), false));
	DXL_EXPECT(!dxl_entry_tag(&t->tree, 0, DXL_TEST_END));
	/* Alone at index 0, where the marks are those of the tree. */
	DXL_TRY(dxl_test_make(t, 0, dxl_test_pte(), true));
	DXL_EXPECT(!dxl_entry_tag(&t->tree, 1, DXL_TEST_END));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, 0) == 1);
	DXL_EXPECT(!dxl_entry_collect(&t->tree, 1, DXL_TEST_END, t->hold, 1));
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, 0, t->hold, 8) == 1);
	DXL_TRY(expect_batch(t, 1, firsts));
	/* The last index of all: no wrap. */
	DXL_TRY(dxl_test_make(t, DXL_TEST_END, dxl_test_pte(), true));
	DXL_TRY(dxl_test_make(t, 0, dxl_test_pte(), true));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, DXL_TEST_END) == 2);
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, DXL_TEST_END, t->hold, 8) ==
		   2);
	DXL_TRY(expect_batch(t, 2, firsts));
	DXL_EXPECT(!dxl_entry_collect(&t->tree, 0, DXL_TEST_END, t->hold, 8));
	return 0;
}

/* A locked entry ends a batch and is not skipped (B3); the tag stays. */
static int walk_sync_locked(struct dxl_test *t)
{
	static const pgoff_t tail[] = { 512, 1030, 4096 };

	DXL_TRY(make_sync(t));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, DXL_TEST_END) == 5);
	DXL_EXPECT(!dxl_entry_grab(&t->tree, 700, 0, t->hold + 7));
	DXL_EXPECT(t->hold[7].first == 512);
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, DXL_TEST_END, t->hold, 7) ==
		   2);
	DXL_TRY(expect_batch(t, 2, sync_firsts));
	DXL_EXPECT(dxl_test_towrite(t, 512));
	dxl_entry_unlock(&t->tree, t->hold + 7);
	DXL_EXPECT(dxl_test_towrite(t, 512) && dxl_test_dirty(t, 512));
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, DXL_TEST_END, t->hold, 7) ==
		   3);
	DXL_TRY(expect_batch(t, 3, tail));
	return 0;
}

/* B3b: both marks of what is being flushed; a new sync still finds it. */
static int walk_sync_twice(struct dxl_test *t)
{
	DXL_TRY(make_sync(t));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, DXL_TEST_END) == 5);
	DXL_EXPECT(dxl_entry_collect(&t->tree, 0, 5, t->hold, 8) == 2);
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, DXL_TEST_END) == 5);
	DXL_TRY(expect_batch(t, 2, sync_firsts));
	DXL_EXPECT(dxl_entry_tag(&t->tree, 0, DXL_TEST_END) == 3);
	return 0;
}

/*
 * A walk that gives way in the middle of its first entry, a PMD, goes on at the
 * next one: xas_pause() would pass that as well.
 */
static int walk_gives_way(struct dxl_test *t)
{
	static const pgoff_t firsts[] = { 0, 1, 63, 64, 100, 511 };
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(firsts); i++) {
		DXL_TRY(dxl_test_make(t, 0, dxl_test_pmd(), true));
		DXL_TRY(dxl_test_make(t, 512, dxl_test_pte(), true));
		DXL_TRY(dxl_test_make(t, 513, dxl_test_pte(), true));
		set_tsk_need_resched(current);
		DXL_EXPECT(dxl_entry_tag(&t->tree, firsts[i], 1000) == 3);
		set_tsk_need_resched(current);
		nr = dxl_entry_collect(&t->tree, firsts[i], 1000, t->hold, 8);
		DXL_EXPECT(nr == 3);
		dxl_entry_clean(&t->tree, t->hold, nr);
		set_tsk_need_resched(current);
		DXL_EXPECT(dxl_entry_delete_range(&t->tree, firsts[i], 1000,
						  true) == 3);
	}
	return 0;
}

const struct dxl_test_case dxl_test_walk_cases[] = {
	{ "delete: ranges of PTE and PMD entries", walk_delete },
	{ "delete: each mark keeps an entry", walk_keep_dirty },
	{ "sync: order, batches, ranges", walk_sync },
	{ "sync: first and last index", walk_sync_edges },
	{ "sync: a locked entry ends the batch", walk_sync_locked },
	{ "sync: both marks until clean", walk_sync_twice },
	{ "sync: gives way in the middle of a PMD", walk_gives_way },
	{ }
};
