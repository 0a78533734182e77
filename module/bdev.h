/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The block device half: /dev/daxlabN, memory that is reached by bios and,
 * through its dax_device, by load and store.
 *
 * The filesystem half never includes this file: it finds the device as any
 * filesystem does, by fs_dax_get_by_bdev().
 */
#ifndef DXL_BDEV_H
#define DXL_BDEV_H

#include "bdev_inject.h"
#include "compat_bdev.h"

#include <linux/blkdev.h>
#include <linux/memremap.h>
#include <linux/types.h>

struct dax_device;
struct dentry;
struct iov_iter;
struct dxl_image;

/**
 * struct dxl_ram - RAM in 2 MiB chunks, each aligned and contiguous
 * @chunk: addresses in the linear map, no two neighbours adjacent
 * @nr: number of chunks
 *
 * Immutable after dxl_ram_alloc(); the struct pages belong to who mounts it.
 */
struct dxl_ram {
	void **chunk;
	unsigned long nr;
};

/**
 * struct dxl_range - reserved memory that has struct pages of its own
 * @pgmap: those; the kernel knows it
 * @addr: in the linear map
 * @name: in /proc/iomem
 *
 * Immutable. It is lost, and not freed, if somebody uses a page of it for ever.
 */
struct dxl_range {
	struct dev_pagemap pgmap;
	void *addr;
	char name[DISK_NAME_LEN];
};

/**
 * struct dxl_lower - a device of another driver, which is ours alone meanwhile
 * @claim: what keeps others out
 * @dax: its memory
 * @pgoff: where there its first page is
 * @gone: its driver goes, or has gone: nobody claims ours any more
 */
struct dxl_lower {
	dxl_claim *claim;
	struct dax_device *dax;
	pgoff_t pgoff;
	bool gone;
};

/* Where the memory of devices comes from. */
enum dxl_backing {
	DXL_BACKING_RAM,
	DXL_BACKING_RANGE,
	DXL_BACKING_DEVICE,
};

/**
 * struct dxl_bdev_params - what the module parameters ask for
 * @ndev: number of devices
 * @backing: their memory
 * @size: bytes of each; 0 where the device below says it
 * @start: DXL_BACKING_RANGE: physical address
 * @path: DXL_BACKING_DEVICE: of the device below
 * @media: each has an image of its media
 */
struct dxl_bdev_params {
	unsigned int ndev;
	enum dxl_backing backing;
	u64 size;
	u64 start;
	const char *path;
	bool media;
};

/**
 * struct dxl_bdev - one device
 * @backing: which of the next three it has
 * @ram: its memory
 * @range: its memory
 * @lower: the device that has its memory
 * @size: bytes
 * @disk: its block device
 * @dax: its dax_device, found by way of @disk
 * @inject: what goes wrong on purpose
 * @image: what is on media, or NULL: nobody asks (media=on)
 *
 * Immutable from dxl_bdev_init() to dxl_bdev_exit(), but for @inject. Contents of the memory
 * are guarded by nothing here, as on any disk: its users agree among
 * themselves.
 */
struct dxl_bdev {
	enum dxl_backing backing;
	struct dxl_ram ram;
	struct dxl_range *range;
	struct dxl_lower lower;
	u64 size;
	struct gendisk *disk;
	struct dax_device *dax;
	struct dxl_inject inject;
	struct dxl_image *image;
};

/* bdev.c */
int dxl_bdev_init(void);
void dxl_bdev_exit(void);
void dxl_bdev_files(struct dentry *root);
bool dxl_bdev_has_images(void);
void *dxl_bdev_image(const struct dax_device *dax);

/* bdev_params.c */
int dxl_bdev_params_get(struct dxl_bdev_params *params);

/* bdev_memory.c: the same for all kinds of memory */
int dxl_memory_get(struct dxl_bdev *bdev, const char *name,
		   const struct dxl_bdev_params *params);
void dxl_memory_put(struct dxl_bdev *bdev);
int dxl_memory_settle(struct dxl_bdev *bdev);
void *dxl_memory_addr(const struct dxl_bdev *bdev, u64 offset, u64 *avail);
int dxl_memory_zero(struct dxl_bdev *bdev, u64 offset, u64 len);

/* bdev_ram.c */
int dxl_ram_alloc(struct dxl_ram *ram, u64 size);
int dxl_ram_settle(struct dxl_ram *ram);
void dxl_ram_free(struct dxl_ram *ram);
void *dxl_ram_addr(const struct dxl_ram *ram, u64 offset, u64 *avail);

/* bdev_range.c */
struct dxl_range *dxl_range_get(const char *name, u64 start, u64 size);
void dxl_range_put(struct dxl_range *range);
bool dxl_range_used(const struct dxl_range *range);

/* bdev_lower.c */
int dxl_lower_get(struct dxl_lower *lower, const char *path, u64 *size);
void dxl_lower_put(struct dxl_lower *lower);
void dxl_lower_show(struct dxl_bdev *bdev);
void dxl_lower_closed(void);
void dxl_lower_submit(const struct dxl_lower *lower, struct bio *bio);
int dxl_lower_zero(const struct dxl_lower *lower, u64 offset, u64 len);
size_t dxl_lower_recover(const struct dxl_lower *lower, pgoff_t pgoff,
			 void *addr, size_t bytes, struct iov_iter *iter);

/* bdev_dax.c */
int dxl_bdev_dax_add(struct dxl_bdev *bdev);
void dxl_bdev_dax_remove(struct dxl_bdev *bdev);

#endif /* DXL_BDEV_H */
