/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The durability ledger: what was stored, what of that is on media, and what a
 * sync call owes (oracle O4).
 *
 * A page is in the ledger from the first time that it becomes possible to store
 * to it through a mapping, until its block leaves the file. Beside it is a copy of
 * what media has. It changes by completed flushes only, line by line: what was in
 * memory when the flush began, once the fence is past. No mark, no entry and no
 * page table is asked.
 *
 * When a sync is called, each line that differs from its copy is a debt: that was
 * stored before, and power loss would take it. The debt is paid by a completed
 * flush, of whomever, that began since; or if media has these very bytes, since a
 * flush that began before had them. A sync that returns 0 and has debts has broken
 * its promise, which is noted then and there.
 *
 * So this is exact: what is told was really stored, before the call, and was on no
 * media at the return. What is not seen: pages that were dirty before anybody
 * watched, until their next flush; stores of the kernel that are under way (their
 * caller was told nothing yet); pages beyond DXL_LEDGER_PAGES.
 *
 * Everything here is dead while nobody watches, and begins anew when somebody does.
 */
#ifndef DXL_LEDGER_H
#define DXL_LEDGER_H

#include "lab.h"

#include <linux/list.h>

struct dxl_tree;

#define DXL_LEDGER_PAGES	16384
#define DXL_LINE_SHIFT		6	/* what caches write back: 64 bytes */
#define DXL_PAGE_LINES		(PAGE_SIZE >> DXL_LINE_SHIFT)

/**
 * struct dxl_storing - stores of the kernel that are under way
 * @list: in dxl_ledger.stores
 * @first: address of the first byte
 * @last: and of the last
 */
struct dxl_storing {
	struct list_head list;
	unsigned long first;
	unsigned long last;
};

/**
 * struct dxl_promise - a sync call
 * @ledger: of its mount
 * @tree: of its file
 * @first: page index from which
 * @last: and to which
 * @debts: struct dxl_debt
 * @nr: of these
 * @blind: there was no memory for one
 */
struct dxl_promise {
	struct dxl_ledger *ledger;
	struct dxl_tree *tree;
	pgoff_t first;
	pgoff_t last;
	struct list_head debts;
	unsigned int nr;
	bool blind;
};

/* ledger.c: what is stored and flushed */
void dxl_ledger_init(struct dxl_ledger *ledger);
void dxl_ledger_exit(struct dxl_ledger *ledger);
bool dxl_ledger_open(struct dxl_ledger *ledger);
void dxl_ledger_dirty(struct dxl_tree *tree, const void *entry, pgoff_t first);
void dxl_ledger_forget(struct dxl_tree *tree, pgoff_t first, pgoff_t last);
void dxl_ledger_store(struct dxl_ledger *ledger, struct dxl_storing *storing,
		      const void *addr, size_t len);
void dxl_ledger_stored(struct dxl_ledger *ledger, struct dxl_storing *storing,
		       size_t len);
void dxl_ledger_flush(struct dxl_ledger *ledger, const void *addr, size_t len);
u64 dxl_ledger_unfenced(const struct dxl_ledger *ledger, unsigned long key);
void dxl_ledger_fence(struct dxl_ledger *ledger);

/* ledger_promise.c: what a sync owes */
void dxl_promise_begin(struct dxl_promise *promise, struct dxl_tree *tree,
		       pgoff_t first, pgoff_t last);
void dxl_promise_end(struct dxl_promise *promise, int ret);
void dxl_ledger_forgive(struct dxl_ledger *ledger);

/**
 * struct dxl_ledger_page - a page that can be stored to
 * @tree: of its file; only to compare
 * @index: where in that
 * @born: when it came into the ledger, by dxl_ledger.seq
 * @media: what media has of it
 * @seq: of each line: when the newest flush began that is in @media
 * @changed: of each line: when its bytes in @media changed last
 */
struct dxl_ledger_page {
	const struct dxl_tree *tree;
	pgoff_t index;
	u64 born;
	void *media;
	u64 seq[DXL_PAGE_LINES];
	u64 changed[DXL_PAGE_LINES];
};

/* The key of a page, and back. */
static inline unsigned long dxl_ledger_key(const void *addr)
{
	return (unsigned long)addr >> PAGE_SHIFT;
}

static inline void *dxl_ledger_addr(unsigned long key)
{
	return (void *)(key << PAGE_SHIFT);
}

#endif /* DXL_LEDGER_H */
