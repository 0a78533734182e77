/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place with version and feature tests. Features are macros of value
 * 0 or 1, each with the commit and the release that brought the change; what
 * differs is wrapped in a static inline function of one signature.
 */
#ifndef DXL_COMPAT_H
#define DXL_COMPAT_H

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/err.h>
#include <linux/huge_mm.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/fs.h>
#include <linux/page_ref.h>
#include <linux/pgtable.h>
#include <linux/poison.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "daxlab needs Linux 6.1 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "daxlab is ported to Linux 6.1 only: go through compat.h first"
#endif

#if !IS_ENABLED(CONFIG_DAX) || !IS_ENABLED(CONFIG_FS_DAX)
#error "daxlab needs a kernel with CONFIG_DAX and CONFIG_FS_DAX"
#endif
#if !IS_ENABLED(CONFIG_FS_DAX_PMD)
#error "daxlab needs a kernel with CONFIG_FS_DAX_PMD (transparent huge pages)"
#endif
#if !IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API)
#error "daxlab needs an architecture that can flush caches (ARCH_HAS_PMEM_API)"
#endif

/*
 * Linux kernel commit 21aa65bf82a7 ("mm: remove callers of pfn_t
 * functionality") (in v6.17): a frame is an unsigned long everywhere.
 */
#define DXL_HAVE_PFN_T		(LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0))

/*
 * Linux kernel commit f467fee48da4 ("block: move the dax flag to
 * queue_limits") (in v6.11): features of a queue are bits of its limits,
 * given to blk_alloc_disk().
 */
#define DXL_HAVE_QUEUE_FEATURES	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))

/* A frame as dax_operations and vmf_insert_*() take it. */
#if DXL_HAVE_PFN_T
#include <linux/pfn_t.h>

typedef pfn_t dxl_pfn_t;

/*
 * What a driver tells of its memory, in direct_access(): device memory with
 * pages. Without PFN_MAP fs/dax.c makes no huge mappings of it, and a PTE would
 * be taken for an ordinary page (a BUG in vm_mixed_ok()).
 */
static inline dxl_pfn_t dxl_pfn_make(unsigned long pfn)
{
	return __pfn_to_pfn_t(pfn, PFN_DEV | PFN_MAP);
}

static inline unsigned long dxl_pfn_raw(dxl_pfn_t pfn)
{
	return pfn_t_to_pfn(pfn);
}
#else
typedef unsigned long dxl_pfn_t;

static inline dxl_pfn_t dxl_pfn_make(unsigned long pfn)
{
	return pfn;
}

static inline unsigned long dxl_pfn_raw(dxl_pfn_t pfn)
{
	return pfn;
}
#endif

/*
 * A bio-based disk whose memory can be mapped: 4 KiB blocks, volatile cache
 * with FUA, discard and write-zeroes of any size, DAX. The 2 MiB hints make
 * mkfs.ext4 and mkfs.xfs align extents, so that PMDs can map them.
 */
static inline struct gendisk *dxl_disk_alloc(void)
{
#if DXL_HAVE_QUEUE_FEATURES
	struct queue_limits lim = {
		.logical_block_size = PAGE_SIZE,
		.physical_block_size = PAGE_SIZE,
		.io_min = PMD_SIZE,
		.io_opt = PMD_SIZE,
		.max_hw_sectors = UINT_MAX,
		.max_hw_discard_sectors = UINT_MAX,
		.max_write_zeroes_sectors = UINT_MAX,
		.discard_granularity = PAGE_SIZE,
		.features = BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
			    BLK_FEAT_IO_STAT | BLK_FEAT_NOWAIT |
			    BLK_FEAT_SYNCHRONOUS | BLK_FEAT_DAX,
	};

	return blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);
	struct request_queue *q;

	if (!disk)
		return ERR_PTR(-ENOMEM);
	q = disk->queue;
	blk_queue_logical_block_size(q, PAGE_SIZE);
	blk_queue_physical_block_size(q, PAGE_SIZE);
	blk_queue_io_min(q, PMD_SIZE);
	blk_queue_io_opt(q, PMD_SIZE);
	blk_queue_max_hw_sectors(q, UINT_MAX);
	blk_queue_max_discard_sectors(q, UINT_MAX);
	blk_queue_max_write_zeroes_sectors(q, UINT_MAX);
	q->limits.discard_granularity = PAGE_SIZE;
	blk_queue_write_cache(q, true, true);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, q);
	blk_queue_flag_set(QUEUE_FLAG_NOWAIT, q);
	blk_queue_flag_set(QUEUE_FLAG_DAX, q);
	return disk;
#endif
}

/*
 * Linux kernel commit c54bd91e9eab ("fs: port ->mkdir() to pass mnt_idmap")
 * (in v6.3), and its siblings: what a mount does to user ids is a type of its
 * own.
 */
#define DXL_HAVE_MNT_IDMAP	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))

#if DXL_HAVE_MNT_IDMAP
typedef struct mnt_idmap dxl_idmap;
#define DXL_NOP_IDMAP		(&nop_mnt_idmap)
#else
typedef struct user_namespace dxl_idmap;
#define DXL_NOP_IDMAP		(&init_user_ns)
#endif

/*
 * Linux kernel commit 077c212f0344 ("fs: new accessor methods for atime and
 * mtime") (in v6.7): the names of mainline, for kernels before. Those of ctime
 * are in 6.1.y too.
 */
#define DXL_HAVE_TIME_ACCESSORS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))

#if !DXL_HAVE_TIME_ACCESSORS
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_atime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	return inode->i_atime = ts;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	return inode->i_mtime = ts;
}
#endif

/*
 * Linux kernel commit 1d024e7a8dab ("mm: remove enum page_entry_size") (in
 * v6.6): huge_fault() is given an order.
 */
#define DXL_HAVE_PAGE_ENTRY_SIZE (LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0))

#if DXL_HAVE_PAGE_ENTRY_SIZE
typedef enum page_entry_size dxl_fault_size_t;

static inline bool dxl_fault_size_is_pmd(dxl_fault_size_t size)
{
	return size == PE_SIZE_PMD;
}
#else
typedef unsigned int dxl_fault_size_t;

static inline bool dxl_fault_size_is_pmd(dxl_fault_size_t size)
{
	return size == PMD_ORDER;
}
#endif

/* The flags of a mapping whose pages are frames of device memory. */
#define DXL_VM_FLAGS		(VM_MIXEDMAP | VM_HUGEPAGE)

static inline void dxl_vma_set_flags(struct vm_area_struct *vma)
{
	vma->vm_flags |= DXL_VM_FLAGS;
}

/*
 * A chunk of RAM that PMDs may map is one compound page: whoever takes a
 * reference on a part of it (GUP does so on what looks like a THP) takes one on
 * the whole, and smaps and the like find a head with a count.
 *
 * Not __GFP_COMP, since the struct pages of DAX memory belong to who mounts it,
 * and fs/dax.c needs plain ones: it keeps mapping and index in each. These two
 * do what prep_compound_page() and the free path of hugetlb pages do. Nobody
 * looks at the pages of a chunk that is not mapped but with a reference from
 * zero, so a frozen head keeps all out. False: not plain, or in use.
 */
static inline bool dxl_pages_join(struct page *head, unsigned int order)
{
	unsigned long i;

	for (i = 1; i < 1UL << order; i++)
		if (page_count(head + i) || PageCompound(head + i))
			return false;
	if (PageReserved(head) || PageCompound(head) || head->mapping ||
	    !page_ref_freeze(head, 1))
		return false;
	__SetPageHead(head);
	for (i = 1; i < 1UL << order; i++) {
		head[i].mapping = TAIL_MAPPING;
		set_page_private(head + i, 0);
		set_compound_head(head + i, head);
	}
	set_compound_page_dtor(head, COMPOUND_PAGE_DTOR);
	set_compound_order(head, order);
	atomic_set(compound_mapcount_ptr(head), -1);
	atomic_set(compound_pincount_ptr(head), 0);
	page_ref_unfreeze(head, 1);
	return true;
}

static inline bool dxl_pages_part(struct page *head, unsigned int order)
{
	unsigned long i;

	if (!page_ref_freeze(head, 1))
		return false;
	set_compound_order(head, 0);
	head[1].compound_nr = 0;
	atomic_set(compound_mapcount_ptr(head), 0);
	atomic_set(compound_pincount_ptr(head), 0);
	for (i = 1; i < 1UL << order; i++) {
		head[i].mapping = NULL;
		clear_compound_head(head + i);
	}
	__ClearPageHead(head);
	/* Marks that GUP left. */
	ClearPageDirty(head);
	ClearPageReferenced(head);
	page_ref_unfreeze(head, 1);
	return true;
}

static inline bool dxl_pmd_is_huge(pmd_t pmd)
{
	return pmd_trans_huge(pmd) || pmd_devmap(pmd);
}

/*
 * The value that insert_pfn() of mm/memory.c would give to an absent PTE. What
 * vmf_insert_mixed() does besides is to ask the PAT code for the cache mode of
 * the frame, by a walk over all RAM resources: 530 of its 830 instructions, for
 * an answer that is write-back for all memory that DAX maps.
 *
 * A devmap PTE tells GUP that there is a dev_pagemap. Where there is none, GUP
 * faults and looks again for ever, with mmap_lock; a special PTE is an error.
 */
#define DXL_HAVE_PTE_DEVMAP	IS_ENABLED(CONFIG_ARCH_HAS_PTE_DEVMAP)

static inline pte_t dxl_pte_make(struct vm_area_struct *vma, unsigned long pfn,
				 bool pagemap)
{
#if DXL_HAVE_PTE_DEVMAP
	if (pagemap)
		return pte_mkdevmap(pfn_pte(pfn, vma->vm_page_prot));
#endif
	return pte_mkspecial(pfn_pte(pfn, vma->vm_page_prot));
}

/*
 * Give a present PTE of the same frame write access, as ptep_set_access_flags()
 * would, which modules do not get. On x86 that is a plain store: a processor
 * that still has the old one cached faults once more. False: not done.
 */
static inline bool dxl_pte_mkwrite(struct vm_area_struct *vma,
				   unsigned long addr, pte_t *pte)
{
	pte_t val = maybe_mkwrite(pte_mkdirty(pte_mkyoung(*pte)), vma);

	if (!IS_ENABLED(CONFIG_X86))
		return false;
	set_pte_at(vma->vm_mm, addr, pte, val);
	return true;
}

/* For page tables: PFN_DEV alone makes a special PTE, or a plain huge PMD. */
static inline pfn_t dxl_pfn_to_map(unsigned long pfn, bool pagemap)
{
	return pagemap ? dxl_pfn_make(pfn) : __pfn_to_pfn_t(pfn, PFN_DEV);
}

/* Install a frame, whatever is there: the library's way. */
static inline vm_fault_t dxl_vmf_insert_pte(struct vm_fault *vmf,
					    unsigned long pfn, bool pagemap,
					    bool write)
{
	pfn_t frame = dxl_pfn_to_map(pfn, pagemap);

	if (write)
		return vmf_insert_mixed_mkwrite(vmf->vma, vmf->address, frame);
	return vmf_insert_mixed(vmf->vma, vmf->address, frame);
}

/*
 * Linux kernel commit 219580eea1ee ("iomap: update ki_pos in
 * iomap_file_buffered_write") (in v6.5): it did not before.
 */
#define DXL_HAVE_IOMAP_KI_POS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

static inline ssize_t dxl_iomap_write(struct kiocb *iocb, struct iov_iter *from,
				      const struct iomap_ops *ops)
{
	ssize_t ret = iomap_file_buffered_write(iocb, from, ops);

	if (!DXL_HAVE_IOMAP_KI_POS && ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

/*
 * Linux kernel commit 152e11f6df29 ("sched/fair: Implement delayed dequeue") (in
 * v6.12): a task that sleeps may stay on the run queue for a while.
 */
#define DXL_HAVE_SCHED_DELAYED	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

/* Has a task gone to sleep, and nobody has woken it? Not: is it about to. */
static inline bool dxl_task_sleeps(const struct task_struct *task)
{
	if (task_is_running(task))
		return false;
#if DXL_HAVE_SCHED_DELAYED
	if (READ_ONCE(task->se.sched_delayed))
		return true;
#endif
	return !READ_ONCE(task->on_rq);
}

/*
 * As in kernel/locking/rwsem.c of 6.1, where this is private: the beginning of
 * struct rwsem_waiter, and the bits of the count that are no owner. Kernels
 * with PREEMPT_RT have other semaphores.
 */
#define DXL_HAVE_RWSEM_WAITERS	(!IS_ENABLED(CONFIG_PREEMPT_RT))

#if DXL_HAVE_RWSEM_WAITERS
struct dxl_rwsem_waiter {
	struct list_head list;
	struct task_struct *task;
};

#define DXL_RWSEM_NO_OWNER	6UL	/* RWSEM_FLAG_WAITERS | RWSEM_FLAG_HANDOFF */
#endif

/*
 * Does a task sleep for this semaphore? A writer stays on the list until it has
 * the lock: when nobody owns it, whoever is first is about to run.
 */
static inline bool dxl_rwsem_waits(struct rw_semaphore *sem,
				   const struct task_struct *task)
{
	bool found = false;
#if DXL_HAVE_RWSEM_WAITERS
	struct dxl_rwsem_waiter *waiter;
	unsigned long flags;

	if (list_empty(&sem->wait_list))
		return false;
	raw_spin_lock_irqsave(&sem->wait_lock, flags);
	list_for_each_entry(waiter, &sem->wait_list, list)
		found |= waiter->task == task;
	if (!(atomic_long_read(&sem->count) & ~DXL_RWSEM_NO_OWNER))
		found = false;
	raw_spin_unlock_irqrestore(&sem->wait_lock, flags);
#endif
	return found;
}

/*
 * Who has a semaphore for writing, only to compare; NULL: nobody, or readers.
 * The low bits of the owner and the first of the count are as there.
 */
static inline const struct task_struct *
dxl_rwsem_writer(const struct rw_semaphore *sem)
{
#if DXL_HAVE_RWSEM_WAITERS
	if (atomic_long_read(&sem->count) & 1)	/* RWSEM_WRITER_LOCKED */
		return (void *)(atomic_long_read(&sem->owner) & ~7UL);
#endif
	return NULL;
}

/* Read-only. */
static inline vm_fault_t dxl_vmf_insert_zero(struct vm_fault *vmf)
{
	pfn_t pfn = dxl_pfn_to_map(my_zero_pfn(vmf->address), false);

	return vmf_insert_mixed(vmf->vma, vmf->address, pfn);
}

/*
 * Devmap only where there is a dev_pagemap, whose pages GUP must find by it. In
 * kernels without 0d940a9b270b ("mm/pgtable: allow pte_offset_map[_lock]() to
 * fail", v6.5) everybody who walks page tables with mmap_lock shared takes a
 * devmap PMD that appears between two looks for a bad one, says so, and clears
 * it without a lock (pmd_clear_bad()): a table that is there by then is lost, and
 * who uses it reads page 0. A plain huge PMD, which must be a compound page, is
 * no surprise to anybody.
 */
static inline vm_fault_t dxl_vmf_insert_pmd(struct vm_fault *vmf,
					    unsigned long pfn, bool pagemap,
					    bool write)
{
	return vmf_insert_pfn_pmd(vmf, dxl_pfn_to_map(pfn, pagemap), write);
}

#endif /* DXL_COMPAT_H */
