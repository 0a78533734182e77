// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock, one task: values, keys, grab, set, unlock
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/kernel.h>
#include <linux/printk.h>

#define DXL_TEST_TOP	BIT(28)		/* as many pages as a file may have */

static int tree_encoding(struct dxl_test *t)
{
	static const unsigned long pfns[] = {
		0, 1, 511, 512, 0x12345678, BIT(52) - 1, BIT(59) - 1,
	};
	unsigned long flags;
	int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++) {
		for (flags = 0; flags < BIT(DXL_ENTRY_FLAGS); flags++) {
			void *entry = dxl_entry_make(pfns[i], flags);
			bool pmd = flags & DXL_ENTRY_PMD;
			bool zero = flags & DXL_ENTRY_ZERO;
			bool empty = flags & DXL_ENTRY_EMPTY;

			DXL_EXPECT(xa_is_value(entry));
			DXL_EXPECT(dxl_entry_pfn(entry) == pfns[i]);
			DXL_EXPECT(dxl_entry_is_locked(entry) ==
				   !!(flags & DXL_ENTRY_LOCKED));
			DXL_EXPECT(dxl_entry_is_pmd(entry) == pmd);
			DXL_EXPECT(dxl_entry_is_zero(entry) == zero);
			DXL_EXPECT(dxl_entry_is_empty(entry) == empty);
			DXL_EXPECT(dxl_entry_is_data(entry) ==
				   (!zero && !empty));
			DXL_EXPECT(dxl_entry_order(entry) == (pmd ? 9 : 0));
			DXL_EXPECT(dxl_entry_pages(entry) == (pmd ? 512 : 1));
		}
	}
	return 0;
}

/* Rule 4: of the entry, whatever was looked for, and not of its state. */
static int tree_keys(struct dxl_test *t)
{
	static const unsigned long states[] = {
		0, DXL_ENTRY_LOCKED, DXL_ENTRY_ZERO, DXL_ENTRY_EMPTY,
	};
	pgoff_t base;
	int i;

	for (base = 0; base <= DXL_TEST_TOP; base += DXL_TEST_TOP / 2) {
		for (i = 0; i < ARRAY_SIZE(states); i++) {
			void *pmd = dxl_entry_make(7, DXL_ENTRY_PMD | states[i]);
			void *pte = dxl_entry_make(7, states[i]);
			pgoff_t colour;

			for (colour = 0; colour < DXL_PMD_PAGES; colour++) {
				struct dxl_key key;

				key = dxl_entry_key(&t->tree, pmd,
						    base + colour);
				DXL_EXPECT(key.tree == &t->tree);
				DXL_EXPECT(key.first == base);
				key = dxl_entry_key(&t->tree, pte,
						    base + colour);
				DXL_EXPECT(key.tree == &t->tree);
				DXL_EXPECT(key.first == base + colour);
			}
		}
	}
	return 0;
}

static int grab_new(struct dxl_test *t, pgoff_t index, unsigned int order)
{
	void *empty = dxl_test_empty(order ? DXL_ENTRY_PMD : 0);
	struct dxl_hold *hold = t->hold;
	pgoff_t end = index + (order ? DXL_PMD_PAGES : 1);
	pgoff_t i;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, index, order, hold));
	DXL_EXPECT(hold->entry == dxl_test_locked(empty));
	DXL_EXPECT(hold->first == index);
	DXL_EXPECT(hold->task == current);
	DXL_EXPECT(hlist_is_singular_node(&hold->list, &t->tree.holds));
	for (i = index; i < end; i++)
		DXL_EXPECT(dxl_test_at(t, i) == hold->entry);
	dxl_entry_unlock(&t->tree, hold);
	DXL_EXPECT(hlist_empty(&t->tree.holds));
	for (i = index; i < end; i++)
		DXL_EXPECT(dxl_test_at(t, i) == empty);
	DXL_EXPECT(!index || !dxl_test_at(t, index - 1));
	DXL_EXPECT(!dxl_test_at(t, end));
	return 0;
}

static int tree_grab_new(struct dxl_test *t)
{
	static const pgoff_t index[] = {
		0, 1, 63, 64, 200, 511, 512, 4095, 4096, DXL_TEST_TOP - 1,
	};
	static const pgoff_t base[] = {
		0, 512, 8 * 4096, DXL_TEST_TOP - 512,
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		DXL_TRY(grab_new(t, index[i], 0));
		xa_destroy(&t->tree.xa);
	}
	for (i = 0; i < ARRAY_SIZE(base); i++) {
		DXL_TRY(grab_new(t, base[i], DXL_PMD_ORDER));
		xa_destroy(&t->tree.xa);
	}
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_GRABS_UNCONTENDED) ==
		   ARRAY_SIZE(index) + ARRAY_SIZE(base));
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_GRABS_CONTENDED));
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_WAKES_ISSUED));
	return 0;
}

/* An entry of the wanted order, or data of a larger one, is locked as it is. */
static int grab_as_is(struct dxl_test *t, pgoff_t first, void *entry,
		      bool dirty, pgoff_t index, unsigned int order)
{
	struct dxl_hold *hold = t->hold;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, index, order, hold));
	DXL_EXPECT(hold->entry == dxl_test_locked(entry));
	DXL_EXPECT(hold->first == first);
	DXL_EXPECT(dxl_test_at(t, index) == hold->entry);
	DXL_EXPECT(dxl_test_at(t, first + dxl_entry_pages(entry) - 1) ==
		   hold->entry);
	DXL_EXPECT(dxl_test_dirty(t, first) == dirty);
	dxl_entry_unlock(&t->tree, hold);
	DXL_EXPECT(dxl_test_at(t, index) == entry);
	DXL_EXPECT(dxl_test_at(t, first) == entry);
	DXL_EXPECT(dxl_test_dirty(t, first) == dirty);
	DXL_EXPECT(!dxl_test_towrite(t, first));
	return 0;
}

static const pgoff_t colours[] = { 0, 1, 63, 64, 200, 447, 448, 511 };

/*
 * Whatever a PTE entry holds, and wherever it is: a PMD grab backs off, whether
 * it is locked or not, and leaves it alone. xas_load() sees the first 64 slots
 * only, and xas_store() would replace it without a word.
 */
static int grab_over_pte(struct dxl_test *t, pgoff_t base, void *entry,
			 bool dirty)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(colours); i++) {
		pgoff_t index = base + colours[i];

		DXL_TRY(dxl_test_make(t, index, entry, dirty));
		DXL_TRY(grab_as_is(t, index, entry, dirty, index, 0));
		DXL_EXPECT(dxl_entry_grab(&t->tree, base, DXL_PMD_ORDER,
					  t->hold) == -EAGAIN);
		DXL_EXPECT(dxl_test_at(t, index) == entry);
		DXL_EXPECT(dxl_test_dirty(t, index) == dirty);

		DXL_EXPECT(!dxl_entry_grab(&t->tree, index, 0, t->hold));
		DXL_EXPECT(dxl_entry_grab(&t->tree, base, DXL_PMD_ORDER,
					  t->hold + 1) == -EAGAIN);
		DXL_EXPECT(dxl_test_at(t, index) == t->hold->entry);
		dxl_entry_unlock(&t->tree, t->hold);
		/* The neighbours' ranges are free. */
		DXL_EXPECT(!dxl_entry_grab(&t->tree, base + DXL_PMD_PAGES,
					   DXL_PMD_ORDER, t->hold));
		dxl_entry_unlock(&t->tree, t->hold);
		DXL_EXPECT(dxl_test_at(t, index) == entry);
		xa_destroy(&t->tree.xa);
	}
	return 0;
}

static int tree_grab_over_pte(struct dxl_test *t)
{
	pgoff_t base;
	int nr = 0;

	for (base = 0; base <= 3 * DXL_PMD_PAGES; base += 3 * DXL_PMD_PAGES) {
		DXL_TRY(grab_over_pte(t, base, dxl_test_empty(0), false));
		DXL_TRY(grab_over_pte(t, base, dxl_test_zero(0), false));
		DXL_TRY(grab_over_pte(t, base, dxl_test_pte(), false));
		DXL_TRY(grab_over_pte(t, base, dxl_test_pte(), true));
		nr += 4 * ARRAY_SIZE(colours);
	}
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_CONFLICTS) == 2 * nr);
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_WAITS));
	return 0;
}

static int tree_grab_over_pmd(struct dxl_test *t)
{
	pgoff_t base;
	int i, dirty;

	for (base = 0; base <= 3 * DXL_PMD_PAGES; base += 3 * DXL_PMD_PAGES) {
		for (dirty = 0; dirty < 2; dirty++) {
			DXL_TRY(dxl_test_make(t, base, dxl_test_pmd(), dirty));
			DXL_TRY(grab_as_is(t, base, dxl_test_pmd(), dirty,
					   base, DXL_PMD_ORDER));
			for (i = 0; i < ARRAY_SIZE(colours); i++)
				DXL_TRY(grab_as_is(t, base, dxl_test_pmd(),
						   dirty, base + colours[i],
						   0));
			xa_destroy(&t->tree.xa);
		}
	}
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_DOWNGRADES));
	DXL_EXPECT(!dxl_test_count(t, DXL_STAT_CONFLICTS));
	return 0;
}

/* A page of a PMD entry without a frame: the entry goes, mappings before it. */
static int downgrade(struct dxl_test *t, pgoff_t base, void *entry)
{
	unsigned int unmaps = dxl_entry_is_zero(entry);
	pgoff_t i, c;

	for (c = 0; c < ARRAY_SIZE(colours); c++) {
		pgoff_t index = base + colours[c];
		pgoff_t after = base + DXL_PMD_PAGES;

		DXL_TRY(dxl_test_make(t, base, entry, false));
		DXL_TRY(dxl_test_make(t, after, dxl_test_pte(), true));
		DXL_TRY(grab_as_is(t, base, entry, false, base, DXL_PMD_ORDER));
		t->unmaps = 0;
		DXL_EXPECT(!dxl_entry_grab(&t->tree, index, 0, t->hold));
		DXL_EXPECT(t->unmaps == unmaps);
		if (unmaps) {
			DXL_EXPECT(t->unmap_first == base);
			DXL_EXPECT(t->unmap_nr == DXL_PMD_PAGES);
			DXL_EXPECT(t->unmap_entry == dxl_test_locked(entry));
			DXL_EXPECT(!t->unmap_held);
		}
		DXL_EXPECT(t->hold->entry ==
			   dxl_test_locked(dxl_test_empty(0)));
		DXL_EXPECT(t->hold->first == index);
		DXL_EXPECT(hlist_is_singular_node(&t->hold->list,
						  &t->tree.holds));
		for (i = base; i < after; i++)
			DXL_EXPECT(dxl_test_at(t, i) ==
				   (i == index ? t->hold->entry : NULL));
		dxl_entry_unlock(&t->tree, t->hold);
		DXL_EXPECT(dxl_test_at(t, after) == dxl_test_pte());
		DXL_EXPECT(dxl_test_dirty(t, after));
		xa_destroy(&t->tree.xa);
	}
	DXL_EXPECT(dxl_test_count(t, DXL_STAT_DOWNGRADES) ==
		   ARRAY_SIZE(colours));
	t->base[DXL_STAT_DOWNGRADES] += ARRAY_SIZE(colours);
	return 0;
}

static int tree_downgrade(struct dxl_test *t)
{
	pgoff_t base;

	for (base = 0; base <= 3 * DXL_PMD_PAGES; base += 3 * DXL_PMD_PAGES) {
		DXL_TRY(downgrade(t, base, dxl_test_empty(DXL_ENTRY_PMD)));
		DXL_TRY(downgrade(t, base, dxl_test_zero(DXL_ENTRY_PMD)));
	}
	return 0;
}

/* One locked entry through all it may become. */
static int set(struct dxl_test *t, pgoff_t first, unsigned long flags)
{
	void *data = dxl_entry_make(DXL_TEST_PFN, flags);
	void *other = dxl_entry_make(2 * DXL_TEST_PFN, flags);
	unsigned int order = dxl_entry_order(data);
	struct dxl_hold *hold = t->hold;

	DXL_EXPECT(!dxl_entry_grab(&t->tree, first, order, hold));
	t->unmaps = 0;
	dxl_entry_set(&t->tree, hold, dxl_test_empty(flags), false);
	DXL_EXPECT(hold->entry == dxl_test_locked(dxl_test_empty(flags)));
	dxl_entry_set(&t->tree, hold, dxl_test_zero(flags), false);
	DXL_EXPECT(hold->entry == dxl_test_locked(dxl_test_zero(flags)));
	DXL_EXPECT(dxl_test_at(t, first) == hold->entry);
	dxl_entry_set(&t->tree, hold, dxl_test_zero(flags), false);
	DXL_EXPECT(!t->unmaps);
	dxl_entry_unlock(&t->tree, hold);
	DXL_EXPECT(dxl_test_at(t, first) == dxl_test_zero(flags));

	/* The zero page goes from page tables before data can be mapped. */
	DXL_EXPECT(!dxl_entry_grab(&t->tree, first, order, hold));
	dxl_entry_set(&t->tree, hold, data, false);
	DXL_EXPECT(t->unmaps == 1);
	DXL_EXPECT(t->unmap_first == first);
	DXL_EXPECT(t->unmap_nr == dxl_entry_pages(data));
	DXL_EXPECT(t->unmap_entry == dxl_test_locked(dxl_test_zero(flags)));
	DXL_EXPECT(!t->unmap_held);
	DXL_EXPECT(hold->entry == dxl_test_locked(data));
	DXL_EXPECT(dxl_test_at(t, first) == hold->entry);
	DXL_EXPECT(!dxl_test_dirty(t, first));

	/* Data stays what it is; only DIRTY comes. */
	dxl_entry_set(&t->tree, hold, other, false);
	DXL_EXPECT(!dxl_test_dirty(t, first));
	dxl_entry_set(&t->tree, hold, other, true);
	DXL_EXPECT(dxl_test_dirty(t, first));
	dxl_entry_set(&t->tree, hold, other, false);
	DXL_EXPECT(hold->entry == dxl_test_locked(data));
	DXL_EXPECT(dxl_test_at(t, first) == hold->entry);
	DXL_EXPECT(dxl_test_dirty(t, first));
	DXL_EXPECT(!dxl_test_towrite(t, first));
	DXL_EXPECT(t->unmaps == 1);
	dxl_entry_unlock(&t->tree, hold);
	DXL_EXPECT(dxl_test_at(t, first) == data);
	DXL_EXPECT(dxl_test_at(t, first + dxl_entry_pages(data) - 1) == data);
	DXL_EXPECT(dxl_test_dirty(t, first));
	return 0;
}

static int tree_set(struct dxl_test *t)
{
	/* With and without others around, and alone at index 0. */
	DXL_TRY(set(t, 0, 0));
	DXL_TRY(set(t, 3 * DXL_PMD_PAGES - 1, 0));
	DXL_TRY(set(t, DXL_PMD_PAGES, DXL_ENTRY_PMD));
	DXL_TRY(set(t, DXL_TEST_TOP - DXL_PMD_PAGES, DXL_ENTRY_PMD));
	xa_destroy(&t->tree.xa);
	DXL_TRY(set(t, 0, DXL_ENTRY_PMD));
	return 0;
}

/*
 * The tree grows and shrinks around a locked entry, up to its being the head of
 * the tree itself: it is set, marked and unlocked where it is.
 */
static int around(struct dxl_test *t, pgoff_t first, void *entry)
{
	pgoff_t beside = first ^ DXL_PMD_PAGES;
	int round;

	for (round = 0; round < 4; round++) {
		bool there = round & 1, later = round & 2;

		if (there) {
			DXL_TRY(dxl_test_make(t, beside, dxl_test_pte(), true));
			DXL_TRY(dxl_test_make(t, DXL_TEST_TOP - 1,
					      dxl_test_pte(), false));
		}
		DXL_EXPECT(!dxl_entry_grab(&t->tree, first,
					   dxl_entry_order(entry), t->hold));
		if (there)
			DXL_EXPECT(dxl_entry_delete_range(&t->tree, beside,
							  beside, false) == 1);
		if (there != later)
			DXL_EXPECT(dxl_entry_delete_range(&t->tree,
							  DXL_TEST_TOP - 1,
							  ULONG_MAX, false) ==
				   there);
		if (later) {
			DXL_TRY(dxl_test_make(t, beside, dxl_test_pte(), true));
			DXL_TRY(dxl_test_make(t, DXL_TEST_TOP - 1,
					      dxl_test_pte(), false));
		}
		dxl_entry_set(&t->tree, t->hold, entry, true);
		DXL_EXPECT(dxl_test_at(t, first) == dxl_test_locked(entry));
		DXL_EXPECT(dxl_test_dirty(t, first));
		dxl_entry_unlock(&t->tree, t->hold);
		DXL_EXPECT(dxl_test_at(t, first) == entry);
		DXL_EXPECT(dxl_test_dirty(t, first));
		DXL_EXPECT(dxl_test_dirty(t, beside) == later);

		/* The same under a sync. */
		DXL_EXPECT(dxl_entry_tag(&t->tree, first, first) == 1);
		DXL_EXPECT(dxl_entry_collect(&t->tree, first, first, t->hold,
					     1) == 1);
		if (later)
			DXL_EXPECT(dxl_entry_delete_range(&t->tree, beside,
							  beside, false) == 1);
		else
			DXL_TRY(dxl_test_make(t, beside, dxl_test_pte(), true));
		dxl_entry_clean(&t->tree, t->hold, 1);
		DXL_EXPECT(dxl_test_at(t, first) == entry);
		DXL_EXPECT(!dxl_test_dirty(t, first));
		DXL_EXPECT(!dxl_test_towrite(t, first));
		DXL_EXPECT(dxl_test_dirty(t, beside) == !later);
		xa_destroy(&t->tree.xa);
	}
	return 0;
}

static int tree_around(struct dxl_test *t)
{
	DXL_TRY(around(t, 0, dxl_test_pte()));
	DXL_TRY(around(t, 1, dxl_test_pte()));
	DXL_TRY(around(t, 63, dxl_test_pte()));
	DXL_TRY(around(t, 511, dxl_test_pte()));
	DXL_TRY(around(t, 512, dxl_test_pte()));
	DXL_TRY(around(t, 0, dxl_test_pmd()));
	DXL_TRY(around(t, 512, dxl_test_pmd()));
	return 0;
}

const struct dxl_test_case dxl_test_tree_cases[] = {
	{ "value: flags and frame", tree_encoding },
	{ "key: one per PMD, one per PTE", tree_keys },
	{ "grab: nothing there", tree_grab_new },
	{ "grab: over PTE entries", tree_grab_over_pte },
	{ "grab: over PMD data", tree_grab_over_pmd },
	{ "grab: over a PMD without a frame", tree_downgrade },
	{ "set: empty, zero, data, dirty", tree_set },
	{ "tree: grows and shrinks around a locked entry", tree_around },
	{ }
};
