/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device memory as the filesystem sees it: addresses, stores, flushes.
 *
 * This is the one narrow door to the media: nothing else in the filesystem
 * half stores to metadata or calls dax_flush().
 *
 * Addresses are valid between dxl_media_enter() and dxl_media_exit() only
 * (dax_read_lock: the device may be torn away in between). Sections may sleep
 * and nest.
 */
#ifndef DXL_MEDIA_H
#define DXL_MEDIA_H

#include "compat_mm.h"
#include "ondisk.h"

#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/mm.h>

struct dxl_ledger;
struct dxl_media;
struct dxl_storing;

/**
 * struct dxl_media_images - devices that model what power loss would leave
 * @find: the image of a device, or NULL
 * @flushed: these stores will be durable after the next fence of this task
 * @fence: they are
 */
struct dxl_media_images {
	void *(*find)(const struct dax_device *dax);
	void (*flushed)(void *image, const void *addr, size_t len);
	void (*fence)(void *image);
};

/**
 * struct dxl_media_spy - a test that watches what becomes durable
 * @store: bytes were stored, and are durable after the next fence
 * @fence: what was stored is durable
 */
struct dxl_media_spy {
	void (*store)(struct dxl_media *media, void *addr, size_t len);
	void (*fence)(struct dxl_media *media);
};

/**
 * struct dxl_media - an open DAX device; immutable after dxl_media_open(), but for @gone
 * @bdev: the block device
 * @dax: its dax_device
 * @pgoff: page offset of block 0 of @bdev on @dax
 * @nr_blocks: size of the device, in blocks
 * @shift: log2 of blocks per word of @kaddr: a chunk, or 0 (a block) where
 *	memory is bad or not contiguous
 * @kaddr: kernel address of each group of blocks; NULL for bad media
 * @pagemap: the memory has a dev_pagemap, by which GUP finds its pages (pmem);
 *	ours has none
 * @counted: references tell who uses pages: each has one of its own that is idle
 *	at 1 (dev_pagemap), or each chunk as a whole (ours, joined); only then may
 *	PMDs map them
 * @gone: the memory goes, or has gone (gone.c): nobody enters any more
 * @ledger: of the mount, or NULL
 * @image: what it would hold after a power loss, if the device models that
 * @spy: NULL but in selftest/crash.c; looked at by the debug build only
 */
struct dxl_media {
	struct block_device *bdev;
	struct dax_device *dax;
	pgoff_t pgoff;
	u64 nr_blocks;
	unsigned int shift;
	void **kaddr;
	bool pagemap;
	bool counted;
	bool gone;
	struct dxl_ledger *ledger;
	void *image;
	const struct dxl_media_spy *spy;
};

void dxl_media_use_images(const struct dxl_media_images *images);
int dxl_media_open(struct dxl_media *media, struct block_device *bdev,
		   void *holder, const struct dax_holder_operations *ops);
void dxl_media_close(struct dxl_media *media, void *holder);

int dxl_media_enter(struct dxl_media *media, int *id);
void dxl_media_exit(int id);

/* Address of a block for metadata, or NULL if the media there is bad. */
static inline void *dxl_media_addr(const struct dxl_media *media, u64 block)
{
	void *base = media->kaddr[block >> media->shift];

	if (!base)
		return NULL;
	return base + ((block & ((1UL << media->shift) - 1)) << DXL_BLOCK_SHIFT);
}

/* The page of a block, or NULL: references do not tell who uses it. */
static inline struct page *dxl_media_page(const struct dxl_media *media,
					  u64 block)
{
	void *addr = media->counted ? dxl_media_addr(media, block) : NULL;

	return addr ? virt_to_page(addr) : NULL;
}

/* Does somebody use the page of a block, which no mapping shows any more? */
static inline bool dxl_media_pinned(const struct dxl_media *media, u64 block)
{
	struct page *page = dxl_media_page(media, block);

	return page && dxl_page_pinned(page, media->pagemap);
}

/*
 * For data: asks the driver anew each time, so that bad media and short
 * answers are seen. Returns the number of blocks (1..nr) or a negative errno: the
 * first for faults, as the driver says it, the second for all else.
 */
long dxl_media_ask(struct dxl_media *media, u64 block, long nr, void **kaddr,
		   unsigned long *pfn);
long dxl_media_map(struct dxl_media *media, u64 block, long nr, void **kaddr,
		   unsigned long *pfn);

bool dxl_media_frame(struct dxl_media *media, u64 block, unsigned long *pfn);

void dxl_media_copying(struct dxl_media *media, struct dxl_storing *storing,
		       void *addr, size_t len);
void dxl_media_copied(struct dxl_media *media, struct dxl_storing *storing,
		      void *addr, size_t len);
void dxl_media_copy(struct dxl_media *media, void *dst, const void *src,
		    size_t len);
void dxl_media_store(struct dxl_media *media, __le64 *dst, u64 val);
void dxl_media_store_run(struct dxl_media *media, __le64 *dst, unsigned int nr,
			 u64 val, u64 step);
void dxl_media_zero(struct dxl_media *media, void *dst, size_t len);
void dxl_media_flush(struct dxl_media *media, void *addr, size_t len);
void dxl_media_fence(struct dxl_media *media);
int dxl_media_sync(struct dxl_media *media);

#endif /* DXL_MEDIA_H */
