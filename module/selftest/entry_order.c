// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the entry lock: every queue of three sleepers for every kind of entry
 *
 * Which mix hangs a broken protocol is hard to guess (two deletions and a fault
 * on a PTE entry, one deletion and two faults on a PMD entry), so all are tried.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "entry_test.h"

#include <linux/kernel.h>
#include <linux/printk.h>

#define DXL_TEST_QUEUE	3
#define DXL_TEST_BASE	DXL_PMD_PAGES

/* What they sleep for, all at DXL_TEST_BASE. */
enum dxl_test_kind {
	KIND_PTE,		/* clean data */
	KIND_PTE_EMPTY,
	KIND_PTE_TAGGED,	/* dirty, tagged, locked by a fault */
	KIND_PTE_FLUSHED,	/* dirty, tagged, locked by a sync */
	KIND_PMD,
	KIND_PMD_EMPTY,
	KIND_PMD_ZERO,
	KIND_PMD_TAGGED,
	KIND_PMD_FLUSHED,
	NR_KINDS
};

enum dxl_test_role {
	ROLE_PTE_FAULT,
	ROLE_PMD_FAULT,
	ROLE_DELETE,
	ROLE_INVALIDATE,	/* keeps what is dirty */
	ROLE_SYNC,
	NR_ROLES
};

static const char *const kind_names[] = {
	"PTE", "empty PTE", "tagged PTE", "PTE in a sync", "PMD", "empty PMD",
	"zero PMD", "tagged PMD", "PMD in a sync",
};

static const char *const role_names[] = {
	"PTE fault", "PMD fault", "delete", "invalidate", "sync",
};

static bool kind_is_pmd(enum dxl_test_kind kind)
{
	return kind >= KIND_PMD;
}

static bool kind_is_flushed(enum dxl_test_kind kind)
{
	return kind == KIND_PTE_FLUSHED || kind == KIND_PMD_FLUSHED;
}

static bool kind_is_tagged(enum dxl_test_kind kind)
{
	return kind == KIND_PTE_TAGGED || kind == KIND_PMD_TAGGED ||
	       kind_is_flushed(kind);
}

static int make_kind(struct dxl_test *t, enum dxl_test_kind kind)
{
	bool tagged = kind_is_tagged(kind);
	void *entry = kind_is_pmd(kind) ? dxl_test_pmd() : dxl_test_pte();

	if (kind == KIND_PTE_EMPTY)
		entry = dxl_test_empty(0);
	else if (kind == KIND_PMD_EMPTY)
		entry = dxl_test_empty(DXL_ENTRY_PMD);
	else if (kind == KIND_PMD_ZERO)
		entry = dxl_test_zero(DXL_ENTRY_PMD);
	DXL_TRY(dxl_test_make(t, DXL_TEST_BASE, entry, tagged));
	if (tagged)
		DXL_EXPECT(dxl_entry_tag(&t->tree, DXL_TEST_BASE,
					 DXL_TEST_BASE) == 1);
	if (kind_is_flushed(kind))
		DXL_EXPECT(dxl_entry_collect(&t->tree, DXL_TEST_BASE,
					     DXL_TEST_BASE, t->hold, 1) == 1);
	else
		DXL_EXPECT(!dxl_entry_grab(&t->tree, DXL_TEST_BASE,
					   dxl_entry_order(entry), t->hold));
	return 0;
}

static bool role_sleeps(enum dxl_test_role role, enum dxl_test_kind kind)
{
	if (role == ROLE_PMD_FAULT)
		return kind_is_pmd(kind);
	return role != ROLE_SYNC || kind_is_tagged(kind);
}

static void give_role(struct dxl_worker *w, enum dxl_test_role role,
		      pgoff_t index)
{
	switch (role) {
	case ROLE_PTE_FAULT:
		dxl_give_grab(w, index, 0);
		break;
	case ROLE_PMD_FAULT:
		dxl_give_grab(w, DXL_TEST_BASE, DXL_PMD_ORDER);
		break;
	case ROLE_DELETE:
		dxl_give_delete(w, index, index + 600, false);
		break;
	case ROLE_INVALIDATE:
		dxl_give_delete(w, index, index, true);
		break;
	default:
		dxl_give_sync(w, DXL_TEST_BASE, index, false);
		break;
	}
}

/* @queue: the three roles, as digits of base NR_ROLES, first one lowest. */
static int one_queue(struct dxl_test *t, enum dxl_test_kind kind,
		     unsigned int queue)
{
	int i, asleep = 0;

	DXL_TRY(make_kind(t, kind));
	for (i = 0; i < DXL_TEST_QUEUE; i++, queue /= NR_ROLES) {
		enum dxl_test_role role = queue % NR_ROLES;
		pgoff_t colour = kind_is_pmd(kind) ? 200 * i : 0;

		give_role(t->worker + i, role, DXL_TEST_BASE + colour);
		asleep += role_sleeps(role, kind);
		DXL_EXPECT(dxl_test_settle(t) == asleep);
	}
	if (kind_is_flushed(kind))
		dxl_entry_clean(&t->tree, t->hold, 1);
	else
		dxl_entry_unlock(&t->tree, t->hold);
	DXL_EXPECT(dxl_test_settle(t) == 0);
	DXL_EXPECT(!xa_marked(&t->tree.xa, DXL_MARK_TOWRITE) ||
		   kind_is_tagged(kind));
	DXL_EXPECT(hlist_empty(&t->tree.holds));
	DXL_EXPECT(!t->bad_wake_all && !t->bad_enqueue);
	xa_destroy(&t->tree.xa);
	return 0;
}

static int all_queues(struct dxl_test *t)
{
	unsigned int queue, queues = NR_ROLES * NR_ROLES * NR_ROLES;
	enum dxl_test_kind kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		for (queue = 0; queue < queues; queue++) {
			int err = one_queue(t, kind, queue);

			if (err) {
				pr_err("selftest: %s: %s, %s, %s\n",
				       kind_names[kind],
				       role_names[queue % NR_ROLES],
				       role_names[queue / NR_ROLES % NR_ROLES],
				       role_names[queue / NR_ROLES / NR_ROLES]);
				return err;
			}
		}
	}
	return 0;
}

const struct dxl_test_case dxl_test_order_cases[] = {
	{ "order: all queues of three for all kinds of entries", all_queues },
	{ }
};
