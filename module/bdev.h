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

#include <linux/types.h>

struct dax_device;
struct dentry;
struct dxl_image;
struct gendisk;

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
 * struct dxl_bdev - one device
 * @ram: its memory
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
	struct dxl_ram ram;
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
void dxl_bdev_zero(struct dxl_bdev *bdev, u64 offset, u64 len);

/* bdev_ram.c: the only file that knows where the memory comes from */
int dxl_ram_alloc(struct dxl_ram *ram, u64 size);
int dxl_ram_settle(struct dxl_ram *ram);
void dxl_ram_free(struct dxl_ram *ram);
void *dxl_ram_addr(const struct dxl_ram *ram, u64 offset, u64 *avail);

/* bdev_dax.c */
int dxl_bdev_dax_add(struct dxl_bdev *bdev);
void dxl_bdev_dax_remove(struct dxl_bdev *bdev);

#endif /* DXL_BDEV_H */
