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
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/version.h>

/*
 * Linux kernel commit 9b6304c1d537 ("fs: add ctime accessors infrastructure") (in
 * v6.6, and in v6.1.64): what is between has none.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 64)
#error "daxlab needs Linux 6.1.64 or newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0) && LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#error "daxlab needs Linux 6.1.y, from 6.1.64 on, or 6.6 and newer"
#endif
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 4, 0)
#warning "daxlab was tested on Linux 6.1, 6.12 and 7.3: this one is newer"
#endif

#if !IS_ENABLED(CONFIG_DAX)
#error "daxlab needs a kernel with CONFIG_DAX"
#endif
#if !IS_ENABLED(CONFIG_FS_DAX)
#error "daxlab needs a kernel with CONFIG_FS_DAX"
#endif
#if !IS_ENABLED(CONFIG_FS_DAX_PMD)
#error "daxlab needs a kernel with CONFIG_FS_DAX_PMD (transparent huge pages)"
#endif
#if !IS_ENABLED(CONFIG_DEBUG_FS)
#error "daxlab needs a kernel with CONFIG_DEBUG_FS, where its knobs are"
#endif
#if !IS_ENABLED(CONFIG_STACKTRACE)
#error "daxlab needs a kernel with CONFIG_STACKTRACE"
#endif
#if !IS_ENABLED(CONFIG_TRACEPOINTS)
#error "daxlab needs a kernel with CONFIG_TRACEPOINTS"
#endif
#if !IS_ENABLED(CONFIG_ARCH_HAS_PMEM_API)
#error "daxlab needs an architecture that can flush caches (CONFIG_ARCH_HAS_PMEM_API)"
#endif

/*
 * Linux kernel commit 38607c62b34b ("fs/dax: properly refcount fs dax pages")
 * (in v6.15): fs/dax.c counts who uses a page, from 0 on, so it needs pages with
 * a dev_pagemap; with plain RAM an unmount would wait for ever. There the memory
 * is ours alone: ext4 and xfs find a device without DAX.
 */
#define DXL_RAM_IS_OURS		(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0))

/*
 * Linux kernel commit 21aa65bf82a7 ("mm: remove callers of pfn_t
 * functionality") (in v6.17): a frame is an unsigned long everywhere.
 */
#define DXL_HAVE_PFN_T		(LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0))

/*
 * Linux kernel commit 74fa8f9c553f ("block: pass a queue_limits argument to
 * blk_alloc_disk") (in v6.9), which returns an error since then; and f467fee48da4
 * ("block: move the dax flag to queue_limits") (in v6.11): features of a queue are
 * bits of its limits.
 */
#define DXL_HAVE_DISK_LIMITS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))
#define DXL_HAVE_QUEUE_FEATURES	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0))

/*
 * Linux kernel commits d32e2bf83791 ("block: pass a gendisk to ->open"),
 * ae220766d87c ("block: remove the unused mode argument to ->release"),
 * 2736e8eeb0cc ("block: use the holder as indication for exclusive opens") and
 * 05bdb9965305 ("block: replace fmode_t with a block-specific type for block
 * open flags") (in v6.5).
 */
#define DXL_HAVE_BLK_MODE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

/*
 * Linux kernel commit f3a608827d1f ("bdev: open block device as files") (in
 * v6.9). Handles of their own, e719b4d15674 ("block: Provide bdev_open_*
 * functions") (in v6.7), were the only way in v6.8, since cd34758c5238 ("block:
 * Remove blkdev_get_by_*() functions").
 */
#define DXL_HAVE_BDEV_FILE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0))
#define DXL_HAVE_BDEV_HANDLE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0))

/*
 * Linux kernel commit 1d024e7a8dab ("mm: remove enum page_entry_size") (in
 * v6.6): huge_fault() is given an order.
 */
#define DXL_HAVE_PAGE_ENTRY_SIZE (LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0))

/*
 * Linux kernel commit 1ea4b473504b ("locking/rwsem: Remove the list_head from
 * struct rw_semaphore") (in v7.1): the waiters are a ring, without a head.
 */
#define DXL_HAVE_RWSEM_RING	(LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0))

/*
 * Linux kernel commit c54bd91e9eab ("fs: port ->mkdir() to pass mnt_idmap")
 * (in v6.3), and its siblings: what a mount does to user ids is a type of its
 * own.
 */
#define DXL_HAVE_MNT_IDMAP	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))

/*
 * Linux kernel commit 0d72b92883c6 ("fs: pass the request_mask to
 * generic_fillattr") (in v6.6).
 */
#define DXL_HAVE_FILLATTR_MASK	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))

/*
 * Linux kernel commit ca115d7e7546 ("tree-wide: s/struct fileattr/struct
 * file_kattr/g") (in v6.17).
 */
#define DXL_HAVE_FILE_KATTR	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0))

/*
 * Linux kernel commit 88d5baf69082 ("Change inode_operations.mkdir to return
 * struct dentry *") (in v6.15).
 */
#define DXL_HAVE_MKDIR_DENTRY	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0))

/*
 * Linux kernel commit b2f1e6301efa ("Remove excl arg to ->create inode_operation")
 * (in v7.3): create() is always exclusive.
 */
#define DXL_HAVE_CREATE_EXCL	(LINUX_VERSION_CODE < KERNEL_VERSION(7, 3, 0))

/* Linux kernel commit 0485a18d9141 ("fs: rename fs_types.h to fs_dirent.h") (in v6.19) */
#define DXL_HAVE_FS_DIRENT	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

/*
 * Linux kernel commit 4e1d77a8f382 ("folio_batch: rename pagevec.h to
 * folio_batch.h") (in v7.1)
 */
#define DXL_HAVE_FOLIO_BATCH_H	(LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0))

/*
 * Linux kernel commit d8753f788ab4 ("fs: provide accessors for ->i_state") (in
 * v6.19): it may be locked or not.
 */
#define DXL_HAVE_INODE_STATE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

/*
 * Linux kernel commit 8df36829045a ("lib/crc32: standardize on crc32c() name for
 * Castagnoli CRC32") (in v6.15): there is no other any more. Before v6.14 crc32c()
 * was in a module of its own, which insmod would not load; the function below it
 * is built in.
 */
#define DXL_HAVE_CRC32C_BUILTIN	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0))

#if !IS_BUILTIN(CONFIG_CRC32)
#error "daxlab needs a kernel with CONFIG_CRC32 built in, since insmod loads no other module"
#endif

/*
 * Linux kernel commit 908a1d775422 ("hrtimers: Introduce hrtimer_setup() to
 * replace hrtimer_init()") (in v6.13).
 */
#define DXL_HAVE_HRTIMER_SETUP	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0))

/*
 * Linux kernel commit 7bd230a26648 ("mm/slab: enable slab allocation tagging for
 * kmalloc and friends") (in v6.10): what makes nodes of a tree has another name.
 */
#define DXL_HAVE_NOPROF		(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0))
#define DXL_NODE_ALLOCATOR	(DXL_HAVE_NOPROF ? "kmem_cache_alloc_lru_noprof" : \
						   "kmem_cache_alloc_lru")

/* A timer of monotonic time whose function runs in interrupt context. */
static inline void dxl_hrtimer_setup(struct hrtimer *timer,
				     enum hrtimer_restart (*function)(struct hrtimer *))
{
#if DXL_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
#endif
}

/*
 * Linux kernel commit c6585011bc1d ("splice: Remove generic_file_splice_read()")
 * (in v6.5): files without page cache are copied.
 */
#define DXL_HAVE_COPY_SPLICE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

/*
 * Linux kernel commit 210a03c9d51a ("fs: claw back a few FMODE_* bits") (in
 * v6.10): what a file takes in mmap() is a flag of its operations.
 */
#define DXL_HAVE_FOP_FLAGS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0))

/*
 * Linux kernel commit 077c212f0344 ("fs: new accessor methods for atime and
 * mtime") (in v6.7): the names of mainline, for kernels before. Those of ctime
 * are in all that we support.
 */
#define DXL_HAVE_TIME_ACCESSORS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0))

/*
 * Linux kernel commit 219580eea1ee ("iomap: update ki_pos in
 * iomap_file_buffered_write") (in v6.5): it did not before.
 */
#define DXL_HAVE_IOMAP_KI_POS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

/*
 * Linux kernel commit 31754ea6cbbc ("iomap: add a private argument for
 * iomap_file_buffered_write") (in v6.12), 02b39c4655d5 ("iomap: pass private data
 * to iomap_page_mkwrite") (in v6.15), and 2a5574fc57d1 ("iomap: replace
 * iomap_folio_ops with iomap_write_ops") (in v6.17).
 */
#define DXL_HAVE_IOMAP_PRIVATE	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))
#define DXL_HAVE_IOMAP_WRITE_OPS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 17, 0))
#define DXL_HAVE_IOMAP_MKWRITE_PRIVATE (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0))

/*
 * Linux kernel commit b2f35ac4146d ("iomap: add caller-provided callbacks for read
 * and readahead") (in v6.19): bios are one kind of them.
 */
#define DXL_HAVE_IOMAP_READ_OPS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

/*
 * Linux kernel commit 1c71222e5f23 ("mm: replace vma->vm_flags direct
 * modifications with modifier calls") (in v6.3): the field is read-only.
 */
#define DXL_HAVE_VM_FLAGS_SET	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0))

/*
 * Linux kernel commit 0d940a9b270b ("mm/pgtable: allow pte_offset_map[_lock]()
 * to fail") (in v6.5): and modules do not get them.
 */
#define DXL_HAVE_PTE_MAP_FAIL	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

/*
 * Linux kernel commit 9640d74dd68c ("mm: unexport vmf_insert_mixed_mkwrite")
 * (in v6.11): until then it was for modules.
 */
#define DXL_HAVE_INSERT_MKWRITE	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0))

/*
 * Linux kernel commit d438d2734170 ("mm: remove devmap related functions and
 * page table bits") (in v6.17): page tables do not tell GUP any more that there
 * is a dev_pagemap.
 */
#define DXL_HAVE_DEVMAP		(LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0))

/*
 * The layouts of a compound page for which dxl_pages_join() was written. One ended
 * with Linux kernel commit cb67f4282bf9 ("mm,thp,rmap: simplify compound page
 * mapcount handling") (in v6.2). The other began with ebc1baf5c9b4 ("mm: free up a
 * word in the first tail page") (in v6.6) and 05c5323b2a34 ("mm: track mapcount of
 * large folios in single value") (in v6.10), and ended with 4996fc547f5b ("mm: let
 * _folio_nr_pages overlay memcg_data in first tail page") (in v6.15), but 6.12 is
 * all of it that was tried. On others our own memory has no huge mappings, and the
 * log says so.
 */
#define DXL_HAVE_JOIN_PAGES	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0))
#define DXL_HAVE_JOIN_FOLIOS	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
				 LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0))

/*
 * Linux kernel commit 0b6cc04f3db3 ("mm: introduce CONFIG_PER_VMA_LOCK") (in
 * v6.4): a fault may hold the lock of its area in place of mmap_lock. Those of
 * files do since 12214eba1992 ("mm: handle read faults under the VMA lock") and
 * 4ed4379881aa ("mm: handle shared faults under the VMA lock") (in v6.7).
 */
#define DXL_HAVE_VMA_LOCK	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0))

/*
 * Linux kernel commit 161e393c0f63 ("mm: Make pte_mkwrite() take a VMA") (in
 * v6.6): x86 has shadow stacks, and modules do not get the function. No file of
 * ours can be one.
 */
#define DXL_HAVE_PTE_MKWRITE_VMA (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0))

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
 * Linux kernel commit 1ea7ca1b0901 ("dax: enable dax fault handler to report
 * VM_FAULT_HWPOISON") (in v6.5): what direct_access() says of bad media.
 */
#define DXL_HAVE_DAX_HWPOISON	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0))

#define DXL_MEDIA_ERRNO		(DXL_HAVE_DAX_HWPOISON ? EHWPOISON : EIO)

/* Memory of a device of ours that is hidden from others: compat_bdev.h. */
static inline bool dxl_dax_is_ours(struct block_device *bdev)
{
	return DXL_RAM_IS_OURS && bdev->bd_disk->fops->owner == THIS_MODULE &&
	       !blk_queue_dax(bdev_get_queue(bdev));
}

static inline bool dxl_bdev_has_dax(struct block_device *bdev)
{
	return dxl_dax_is_ours(bdev) || blk_queue_dax(bdev_get_queue(bdev));
}

/* The claim on the block device keeps others out, where the memory is ours. */
static inline struct dax_device *dxl_dax_get(struct block_device *bdev,
					     u64 *start, void *holder,
					     const struct dax_holder_operations *ops)
{
	if (!dxl_dax_is_ours(bdev))
		return fs_dax_get_by_bdev(bdev, start, holder, ops);
	*start = 0;
	return bdev->bd_disk->queue->queuedata;
}

static inline void dxl_dax_put(struct block_device *bdev,
			       struct dax_device *dax, void *holder)
{
	if (!dxl_dax_is_ours(bdev))
		fs_put_dax(dax, holder);
}

/* What daxdev_mapping_supported() asks, whose arguments change with releases. */
static inline bool dxl_dax_takes_mapping(struct vm_area_struct *vma,
					 struct dax_device *dax)
{
	return !(vma->vm_flags & VM_SYNC) || dax_synchronous(dax);
}

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

#if DXL_HAVE_RWSEM_WAITERS && DXL_HAVE_RWSEM_RING
#define dxl_rwsem_has_waiters(sem)	(!!READ_ONCE((sem)->first_waiter))

static inline bool dxl_rwsem_lists(struct rw_semaphore *sem,
				   const struct task_struct *task)
{
	struct dxl_rwsem_waiter *first = (void *)sem->first_waiter;
	struct dxl_rwsem_waiter *waiter = first;

	while (waiter) {
		if (waiter->task == task)
			return true;
		waiter = list_next_entry(waiter, list);
		if (waiter == first)
			break;
	}
	return false;
}
#elif DXL_HAVE_RWSEM_WAITERS
#define dxl_rwsem_has_waiters(sem)	(!list_empty(&(sem)->wait_list))

static inline bool dxl_rwsem_lists(struct rw_semaphore *sem,
				   const struct task_struct *task)
{
	struct dxl_rwsem_waiter *waiter;

	list_for_each_entry(waiter, &sem->wait_list, list)
		if (waiter->task == task)
			return true;
	return false;
}
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
	unsigned long flags;

	if (!dxl_rwsem_has_waiters(sem))
		return false;
	raw_spin_lock_irqsave(&sem->wait_lock, flags);
	found = dxl_rwsem_lists(sem, task);
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

#endif /* DXL_COMPAT_H */
