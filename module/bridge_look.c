// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence: how mappings have a frame, and who sleeps for entries of the file; and
 * what of syncs is told
 *
 * The kernel's wait table has no owner that could be asked, so it is read where
 * it is. Whoever sleeps there has the kernel's own wake function, and only what
 * has that is looked into: so no other wait queue is taken for it.
 */
#include "bridge_int.h"
#include "compat_mm.h"
#include "verdict.h"

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/seq_file.h>
#include <linux/wait.h>

/* As in fs/dax.c since v4.20. */
#define DXL_STOCK_QUEUES	4096

struct dxl_stock_waiter {
	wait_queue_entry_t wait;
	struct xarray *xa;
	pgoff_t key;
};

static void dxl_look_table(struct vm_area_struct *vma, pmd_t *pmd,
			   unsigned long addr, unsigned long pfn,
			   struct dxl_look *look)
{
	spinlock_t *ptl;
	pte_t *pte, was;

	if (!dxl_pte_map_lock(vma->vm_mm, pmd, addr, &pte, &ptl))
		return;
	was = READ_ONCE(*pte);
	if (pte_present(was) && pte_pfn(was) == pfn) {
		look->writable += !!pte_write(was);
		look->readonly += !pte_write(was);
	}
	pte_unmap_unlock(pte, ptl);
}

/* Return: true: a huge pmd was there. */
static bool dxl_look_huge(struct vm_area_struct *vma, pmd_t *pmd,
			  unsigned long addr, unsigned long pfn,
			  struct dxl_look *look)
{
	spinlock_t *ptl;
	pmd_t was;
	bool huge;

	if (!dxl_pmd_is_huge(READ_ONCE(*pmd)))
		return false;
	ptl = pmd_lock(vma->vm_mm, pmd);
	was = READ_ONCE(*pmd);
	huge = dxl_pmd_is_huge(was);
	if (huge && pmd_pfn(was) + ((addr & ~PMD_MASK) >> PAGE_SHIFT) == pfn) {
		look->writable += !!pmd_write(was);
		look->readonly += !pmd_write(was);
	}
	spin_unlock(ptl);
	return huge;
}

static void dxl_look_address(struct vm_area_struct *vma, unsigned long addr,
			     unsigned long pfn, struct dxl_look *look)
{
	pmd_t *pmd = dxl_vma_pmd(vma, addr);

	if (!pmd || dxl_look_huge(vma, pmd, addr, pfn, look))
		return;
	if (pmd_none(READ_ONCE(*pmd)) || pmd_bad(READ_ONCE(*pmd)))
		return;
	dxl_look_table(vma, pmd, addr, pfn, look);
}

/**
 * dxl_look_mapped() - Who has the first page of a frame mapped, and how?
 * @bridge: of the file
 * @frame: the frame
 * @look: what is found
 *
 * Context: May sleep, as fs/dax.c does there: takes i_mmap_rwsem.
 */
void dxl_look_mapped(const struct dxl_bridge *bridge,
		     const struct dxl_frame *frame, struct dxl_look *look)
{
	struct address_space *mapping = bridge->mapping;
	struct vm_area_struct *vma;
	struct rb_node *node;
	unsigned long addr;

	*look = (struct dxl_look) {};
	i_mmap_lock_read(mapping);
	for (node = rb_first(&mapping->i_mmap.rb_root); node;
	     node = rb_next(node)) {
		vma = rb_entry(node, struct vm_area_struct, shared.rb);
		if (frame->index < vma->vm_pgoff ||
		    frame->index >= vma->vm_pgoff + vma_pages(vma))
			continue;
		addr = vma->vm_start +
		       ((frame->index - vma->vm_pgoff) << PAGE_SHIFT);
		dxl_look_address(vma, addr, frame->pfn, look);
	}
	i_mmap_unlock_read(mapping);
}

static const struct {
	const char *table;
	const char *wake;
} dxl_stock_names = { "wait_table", "wake_exceptional_entry_func" };

/* Return: NULL: this kernel does not tell where they are. */
static wait_queue_head_t *dxl_stock_queues(wait_queue_func_t *wake)
{
	static wait_queue_head_t *queues;
	static wait_queue_func_t func;

	if (!func) {
		queues = (void *)dxl_symbol(dxl_stock_names.table);
		func = (void *)dxl_symbol(dxl_stock_names.wake);
	}
	*wake = func;
	return func ? queues : NULL;
}

typedef bool (*dxl_waiter_fn)(const struct dxl_stock_waiter *waiter, void *arg);

/* Call @fn for each waiter of the file until it says true, under the queue's lock. */
static bool dxl_waiters_visit(const struct dxl_bridge *bridge,
			      dxl_waiter_fn fn, void *arg)
{
	const struct dxl_stock_waiter *waiter;
	wait_queue_head_t *queue, *queues;
	wait_queue_func_t wake;
	unsigned long flags;
	bool found = false;
	unsigned int i;

	queues = dxl_stock_queues(&wake);
	for (i = 0; queues && i < DXL_STOCK_QUEUES && !found; i++) {
		queue = &queues[i];
		/* No barrier: who is missed now is seen at the next look. */
		if (!waitqueue_active(queue))
			continue;
		spin_lock_irqsave(&queue->lock, flags);
		list_for_each_entry(waiter, &queue->head, wait.entry) {
			if (waiter->wait.func != wake ||
			    waiter->xa != &bridge->mapping->i_pages)
				continue;
			found = fn(waiter, arg);
			if (found)
				break;
		}
		spin_unlock_irqrestore(&queue->lock, flags);
	}
	return found;
}

struct dxl_waits {
	const struct task_struct *task;
	pgoff_t key;
};

static bool dxl_waiter_is(const struct dxl_stock_waiter *waiter, void *arg)
{
	struct dxl_waits *waits = arg;

	if (waiter->wait.private != waits->task)
		return false;
	waits->key = waiter->key;
	return true;
}

/**
 * dxl_bridge_waits() - Does a task sleep for an entry of the file?
 * @bridge: of the file
 * @task: who
 * @key: set to the index of its key, if so
 *
 * Who was woken is on no queue any more.
 *
 * Context: Any context.
 * Return: true if so; false also if this kernel does not tell.
 */
bool dxl_bridge_waits(const struct dxl_bridge *bridge,
		      const struct task_struct *task, pgoff_t *key)
{
	struct dxl_waits waits = { .task = task };

	if (!dxl_waiters_visit(bridge, dxl_waiter_is, &waits))
		return false;
	*key = waits.key;
	return true;
}

static bool dxl_waiter_show(const struct dxl_stock_waiter *waiter, void *arg)
{
	const struct task_struct *task = waiter->wait.private;
	struct seq_file *seq = arg;
	char who[DXL_WHO];

	dxl_who(who, task, task->comm, task->pid);
	seq_printf(seq, "waiter %s key 0x%lx\n", who, waiter->key);
	return false;
}

/**
 * dxl_waiters_show() - Who sleeps for entries of the file.
 * @seq: where to
 * @bridge: of the file
 *
 * Context: Process context.
 */
void dxl_waiters_show(struct seq_file *seq, const struct dxl_bridge *bridge)
{
	wait_queue_func_t wake;

	if (dxl_stock_queues(&wake))
		dxl_waiters_visit(bridge, dxl_waiter_show, seq);
	else
		seq_puts(seq, "waiters unknown\n");
}

static const char * const dxl_frame_states[] = {
	[DXL_FRAME_UNFLUSHED] = "unflushed",
	[DXL_FRAME_FLUSHED] = "flushed",
	[DXL_FRAME_GONE] = "gone",
};

static void dxl_sync_show(struct seq_file *seq, const struct dxl_sync *sync)
{
	const struct dxl_frame *missed = dxl_sync_missed(sync);
	unsigned int i;

	seq_printf(seq, "sync %s %s ret %d dirty %u%s flushed %u passed %u",
		   sync->who, sync->over ? "returned" : "runs", sync->ret,
		   sync->nr, sync->more ? "+" : "",
		   dxl_sync_count(sync, DXL_FRAME_FLUSHED), sync->passed);
	/* The evidence is there by then. */
	if (missed && sync->over)
		seq_printf(seq, " unflushed 0x%lx order %u pfn 0x%lx entry 0x%lx locked %s DIRTY %d TOWRITE %d writable %u readonly %u",
			   missed->index, missed->order, missed->pfn,
			   sync->entry,
			   sync->entry & DXL_STOCK_LOCKED ? "yes" : "no",
			   sync->dirty, sync->towrite, sync->look.writable,
			   sync->look.readonly);
	seq_putc(seq, '\n');
	for (i = 0; i < sync->nr; i++)
		seq_printf(seq, "frame %s index 0x%lx order %u pfn 0x%lx %s\n",
			   sync->who, sync->frame[i].index,
			   sync->frame[i].order, sync->frame[i].pfn,
			   dxl_frame_states[sync->frame[i].state]);
}

/**
 * dxl_syncs_show() - What syncs did since mark, a line for each and its frames.
 * @seq: where to
 * @bridge: of the file
 *
 * Context: Process context.
 */
void dxl_syncs_show(struct seq_file *seq, struct dxl_bridge *bridge)
{
	const struct dxl_sync *sync;

	spin_lock_irq(&bridge->lock);
	list_for_each_entry(sync, &bridge->syncs, list)
		if (!sync->forgotten)
			dxl_sync_show(seq, sync);
	dxl_record_show(seq, bridge);
	if (bridge->untold)
		seq_printf(seq, "syncs_untold %u\n", bridge->untold);
	spin_unlock_irq(&bridge->lock);
}
