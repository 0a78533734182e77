/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels (compat.h) in block devices: ours, and the one
 * below.
 */
#ifndef DXL_COMPAT_BDEV_H
#define DXL_COMPAT_BDEV_H

#include "compat.h"

/*
 * A bio-based disk whose memory can be mapped, by others too or by us alone:
 * 4 KiB blocks, volatile cache with FUA, discard and write-zeroes of any size.
 * The 2 MiB hints make mkfs.ext4 and mkfs.xfs align extents, so that PMDs can map
 * them.
 */
static inline struct gendisk *dxl_disk_alloc(bool dax)
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
			    BLK_FEAT_SYNCHRONOUS |
			    (dax ? BLK_FEAT_DAX : 0),
	};

	return blk_alloc_disk(&lim, NUMA_NO_NODE);
#else
	struct request_queue *q;
	struct gendisk *disk;

#if DXL_HAVE_DISK_LIMITS
	disk = blk_alloc_disk(NULL, NUMA_NO_NODE);
	if (IS_ERR(disk))
		return disk;
#else
	disk = blk_alloc_disk(NUMA_NO_NODE);
	if (!disk)
		return ERR_PTR(-ENOMEM);
#endif
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
	if (dax)
		blk_queue_flag_set(QUEUE_FLAG_DAX, q);
	return disk;
#endif
}

/* Where it is found, by others or by us alone; undone by dxl_dax_hide(). */
static inline int dxl_dax_show(struct dax_device *dax, struct gendisk *disk)
{
	if (blk_queue_dax(disk->queue))
		return dax_add_host(dax, disk);
	disk->queue->queuedata = dax;
	return 0;
}

static inline void dxl_dax_hide(struct gendisk *disk)
{
	if (blk_queue_dax(disk->queue))
		dax_remove_host(disk);
}

#if DXL_HAVE_BLK_MODE
typedef struct gendisk dxl_opened;
typedef blk_mode_t dxl_open_mode;

static inline struct gendisk *dxl_opened_disk(dxl_opened *opened)
{
	return opened;
}

static inline bool dxl_open_claims(dxl_open_mode mode)
{
	return mode & BLK_OPEN_EXCL;
}

#define dxl_define_release(name)	void name(struct gendisk *disk)
#else
typedef struct block_device dxl_opened;
typedef fmode_t dxl_open_mode;

static inline struct gendisk *dxl_opened_disk(dxl_opened *opened)
{
	return opened->bd_disk;
}

static inline bool dxl_open_claims(dxl_open_mode mode)
{
	return mode & FMODE_EXCL;
}

#define dxl_define_release(name)	void name(struct gendisk *disk, fmode_t mode)
#endif

/*
 * A block device that nobody else has: opened by its path for reading and
 * writing, and claimed.
 */
#if DXL_HAVE_BDEV_FILE
typedef struct file dxl_claim;

static inline dxl_claim *dxl_claim_bdev(const char *path, void *holder)
{
	return bdev_file_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE,
				      holder, NULL);
}

static inline struct block_device *dxl_claimed_bdev(dxl_claim *claim)
{
	return file_bdev(claim);
}

static inline void dxl_unclaim_bdev(dxl_claim *claim, void *holder)
{
	bdev_fput(claim);
}
#elif DXL_HAVE_BDEV_HANDLE
typedef struct bdev_handle dxl_claim;

static inline dxl_claim *dxl_claim_bdev(const char *path, void *holder)
{
	return bdev_open_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
				 NULL);
}

static inline struct block_device *dxl_claimed_bdev(dxl_claim *claim)
{
	return claim->bdev;
}

static inline void dxl_unclaim_bdev(dxl_claim *claim, void *holder)
{
	bdev_release(claim);
}
#else
typedef struct block_device dxl_claim;

static inline dxl_claim *dxl_claim_bdev(const char *path, void *holder)
{
#if DXL_HAVE_BLK_MODE
	return blkdev_get_by_path(path, BLK_OPEN_READ | BLK_OPEN_WRITE, holder,
				  NULL);
#else
	return blkdev_get_by_path(path, FMODE_READ | FMODE_WRITE | FMODE_EXCL,
				  holder);
#endif
}

static inline struct block_device *dxl_claimed_bdev(dxl_claim *claim)
{
	return claim;
}

static inline void dxl_unclaim_bdev(dxl_claim *claim, void *holder)
{
#if DXL_HAVE_BLK_MODE
	blkdev_put(claim, holder);
#else
	blkdev_put(claim, FMODE_READ | FMODE_WRITE | FMODE_EXCL);
#endif
}
#endif

#endif /* DXL_COMPAT_BDEV_H */
