// SPDX-License-Identifier: GPL-2.0
/*
 * The device memory: finding it, storing to it, making stores durable
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "media.h"
#include "compat.h"
#include "ledger.h"
#include "stats.h"

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

/* On from load on, if any device has an image. */
static DEFINE_STATIC_KEY_FALSE(dxl_media_image_key);
static const struct dxl_media_images *dxl_media_images;

#ifdef DAXLAB_DEBUG
static inline const struct dxl_media_spy *
dxl_media_spy(const struct dxl_media *media)
{
	return media->spy;
}
#else
static inline const struct dxl_media_spy *
dxl_media_spy(const struct dxl_media *media)
{
	return NULL;
}
#endif

static inline bool dxl_media_modelled(const struct dxl_media *media)
{
	return static_branch_unlikely(&dxl_media_image_key) && media->image;
}

static inline void dxl_media_stored(struct dxl_media *media, void *addr,
				    size_t len)
{
	if (dxl_media_modelled(media))
		dxl_media_images->flushed(media->image, addr, len);
	if (dxl_media_spy(media))
		dxl_media_spy(media)->store(media, addr, len);
}

/**
 * dxl_media_use_images() - Tell some devices what becomes durable, and when.
 * @images: how
 *
 * Context: Module load, before the first mount.
 */
void dxl_media_use_images(const struct dxl_media_images *images)
{
	dxl_media_images = images;
	static_branch_enable(&dxl_media_image_key);
}

/* Fill @kaddr with one address for each group of 2^shift blocks. */
static int dxl_media_find(struct dxl_media *media, unsigned int shift,
			  unsigned long *nr_bad)
{
	u64 group = 1ULL << shift;
	u64 block;

	*nr_bad = 0;
	media->pagemap = false;
	for (block = 0; block < media->nr_blocks; block += group) {
		long nr = min(group, media->nr_blocks - block);
		unsigned long pfn;
		void *kaddr;
		long got;

		cond_resched();
		got = dxl_media_map(media, block, nr, &kaddr, &pfn);
		if (got < nr) {
			/* A short group is looked at again block by block. */
			if (shift)
				return -EAGAIN;
			kaddr = NULL;
			(*nr_bad)++;
		} else if (pfn_valid(pfn)) {
			media->pagemap = is_zone_device_page(pfn_to_page(pfn));
		}
		media->kaddr[block >> shift] = kaddr;
	}
	return 0;
}

/*
 * Our own memory: from here until the next claim of the device its pages are
 * joined, chunk by chunk. The device made them plain when it was claimed.
 */
static bool dxl_media_join(struct dxl_media *media)
{
	u64 chunk;

	if (media->bdev->bd_disk->fops->owner != THIS_MODULE ||
	    media->shift != DXL_CHUNK_SHIFT)
		return false;
	for (chunk = 0; chunk < media->nr_blocks >> DXL_CHUNK_SHIFT; chunk++) {
		void *addr = media->kaddr[chunk];

		if (!IS_ALIGNED((unsigned long)addr, PMD_SIZE) ||
		    !dxl_pages_join(virt_to_page(addr), DXL_CHUNK_SHIFT)) {
			pr_warn("%pg: pages in use: no huge mappings\n",
				media->bdev);
			return false;
		}
		cond_resched();
	}
	return true;
}

static int dxl_media_find_all(struct dxl_media *media)
{
	static const unsigned int shifts[] = { DXL_CHUNK_SHIFT, 0 };
	unsigned long nr_bad;
	unsigned int i;
	int err, id;

	for (i = 0; i < ARRAY_SIZE(shifts); i++) {
		u64 nr = DIV_ROUND_UP_ULL(media->nr_blocks, 1ULL << shifts[i]);

		media->kaddr = kvcalloc(nr, sizeof(*media->kaddr), GFP_KERNEL);
		if (!media->kaddr)
			return -ENOMEM;
		err = dxl_media_enter(media, &id);
		if (!err) {
			err = dxl_media_find(media, shifts[i], &nr_bad);
			dxl_media_exit(id);
		}
		if (!err) {
			media->shift = shifts[i];
			if (nr_bad)
				pr_warn("%pg: %lu blocks of bad media\n",
					media->bdev, nr_bad);
			return 0;
		}
		kvfree(media->kaddr);
		media->kaddr = NULL;
		if (err != -EAGAIN)
			break;
	}
	return err;
}

/**
 * dxl_media_open() - Find the memory behind a block device.
 * @media: filled in
 * @bdev: an open block device
 * @holder: who claims the dax_device
 * @ops: what he does when the memory goes
 *
 * Context: May sleep.
 * Return: 0; -EOPNOTSUPP if the device has no memory that can be mapped;
 * -EBUSY if somebody else claims that memory; -EIO if the device is gone;
 * -ENOMEM.
 */
int dxl_media_open(struct dxl_media *media, struct block_device *bdev,
		   void *holder, const struct dax_holder_operations *ops)
{
	u64 start;
	int err;

	memset(media, 0, sizeof(*media));
	media->bdev = bdev;
	media->nr_blocks = bdev_nr_bytes(bdev) >> DXL_BLOCK_SHIFT;
	if (!dxl_bdev_has_dax(bdev)) {
		pr_err("%pg: no DAX on this device\n", bdev);
		return -EOPNOTSUPP;
	}
	media->dax = dxl_dax_get(bdev, &start, holder, ops);
	if (!media->dax) {
		pr_err("%pg: its DAX memory is in use, gone, or does not start on a page\n",
		       bdev);
		return -EBUSY;
	}
	if (dxl_media_images)
		media->image = dxl_media_images->find(media->dax);
	media->pgoff = start >> DXL_BLOCK_SHIFT;

	err = dxl_media_find_all(media);
	if (err)
		goto err_dax;
	media->counted = media->pagemap || dxl_media_join(media);
	return 0;

err_dax:
	dxl_dax_put(media->bdev, media->dax, holder);
	media->dax = NULL;
	return err;
}

/**
 * dxl_media_close() - Give the memory back.
 * @media: opened by dxl_media_open(), or all zero
 * @holder: as at open
 *
 * Context: May sleep.
 */
void dxl_media_close(struct dxl_media *media, void *holder)
{
	if (!media->dax)
		return;
	kvfree(media->kaddr);
	media->kaddr = NULL;
	dxl_dax_put(media->bdev, media->dax, holder);
	media->dax = NULL;
}

/**
 * dxl_media_enter() - Begin to use addresses of the media.
 * @media: the device
 * @id: for dxl_media_exit()
 *
 * Context: May sleep in the section; sections nest.
 * Return: 0, or -EIO if the device is gone.
 */
int dxl_media_enter(struct dxl_media *media, int *id)
{
	*id = dax_read_lock();
	if (likely(dax_alive(media->dax) && !READ_ONCE(media->gone)))
		return 0;
	dax_read_unlock(*id);
	return -EIO;
}

/**
 * dxl_media_exit() - End the use of addresses of the media.
 * @id: from dxl_media_enter()
 *
 * Context: As the matching dxl_media_enter().
 */
void dxl_media_exit(int id)
{
	dax_read_unlock(id);
}

/**
 * dxl_media_ask() - Ask the driver where blocks are, for a fault.
 * @media: the device
 * @block: first block
 * @nr: blocks wanted
 * @kaddr: receives the kernel address
 * @pfn: receives the frame
 *
 * Unlike dxl_media_addr() this sees media that went bad since the mount.
 *
 * Context: Inside dxl_media_enter().
 * Return: blocks found there, 1 to @nr, or a negative errno: of bad media what the
 * driver says, %DXL_MEDIA_ERRNO, of which vmf_error() makes the signal of its kind.
 */
long dxl_media_ask(struct dxl_media *media, u64 block, long nr, void **kaddr,
		   unsigned long *pfn)
{
	dxl_pfn_t raw;
	long got;

	got = dax_direct_access(media->dax, media->pgoff + block, nr,
				DAX_ACCESS, kaddr, &raw);
	if (got > 0)
		*pfn = dxl_pfn_raw(raw);
	/* It goes just now: who comes later does not even enter. */
	return got == -ENXIO ? -EIO : got;
}

/**
 * dxl_media_map() - Ask the driver where blocks are, for data.
 * @media: the device
 * @block: first block
 * @nr: blocks wanted
 * @kaddr: receives the kernel address
 * @pfn: receives the frame
 *
 * As dxl_media_ask(), in the words of system calls, as dax_mem2blk_err() has them:
 * bad media is an I/O error.
 *
 * Context: Inside dxl_media_enter().
 * Return: blocks found there, 1 to @nr, or a negative errno.
 */
long dxl_media_map(struct dxl_media *media, u64 block, long nr, void **kaddr,
		   unsigned long *pfn)
{
	long got = dxl_media_ask(media, block, nr, kaddr, pfn);

	return got == -DXL_MEDIA_ERRNO ? -EIO : got;
}

/**
 * dxl_media_frame() - The frame of a block, for who only looks.
 * @media: the device
 * @block: the block
 * @pfn: receives the frame
 *
 * As it was found at mount: our device may be told to take its time, or to fail,
 * when it is asked.
 *
 * Context: Inside dxl_media_enter(). Does not sleep.
 * Return: Whether there is one.
 */
bool dxl_media_frame(struct dxl_media *media, u64 block, unsigned long *pfn)
{
	void *addr = dxl_media_addr(media, block);

	if (!addr)
		return false;
	if (!virt_addr_valid(addr))
		return dxl_media_map(media, block, 1, &addr, pfn) == 1;
	*pfn = page_to_pfn(virt_to_page(addr));
	return true;
}

/**
 * dxl_media_copying() - Somebody is about to store bytes around the cache.
 * @media: the device
 * @storing: for dxl_media_copied()
 * @addr: address on the media
 * @len: bytes, at most
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_copying(struct dxl_media *media, struct dxl_storing *storing,
		       void *addr, size_t len)
{
	storing->list.next = NULL;
	if (dxl_watched() && media->ledger)
		dxl_ledger_store(media->ledger, storing, addr, len);
}

/**
 * dxl_media_copied() - They are stored, and durable after the next fence.
 * @media: the device
 * @storing: of dxl_media_copying()
 * @addr: address on the media
 * @len: bytes that were
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_copied(struct dxl_media *media, struct dxl_storing *storing,
		      void *addr, size_t len)
{
	dxl_media_stored(media, addr, len);
	if (unlikely(storing->list.next))
		dxl_ledger_stored(media->ledger, storing, len);
}

/**
 * dxl_media_copy() - Store bytes, durable after the next fence.
 * @media: the device
 * @dst: address on the media
 * @src: ordinary memory
 * @len: bytes
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_copy(struct dxl_media *media, void *dst, const void *src,
		    size_t len)
{
	memcpy_flushcache(dst, src, len);
	dxl_media_stored(media, dst, len);
}

/**
 * dxl_media_store() - Store one word whole, durable after the next fence.
 * @media: the device
 * @dst: address on the media
 * @val: value, in the byte order of the machine
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_store(struct dxl_media *media, __le64 *dst, u64 val)
{
	WRITE_ONCE(*dst, cpu_to_le64(val));
	dax_flush(media->dax, dst, sizeof(*dst));
	dxl_media_stored(media, dst, sizeof(*dst));
}

/**
 * dxl_media_store_run() - Store adjacent words, each whole, in no given order.
 * @media: the device
 * @dst: address of the first word on the media
 * @nr: number of words
 * @val: value of the first word
 * @step: added to the value from word to word
 *
 * Durable after the next fence.
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_store_run(struct dxl_media *media, __le64 *dst, unsigned int nr,
			 u64 val, u64 step)
{
	unsigned int i;

	for (i = 0; i < nr; i++, val += step)
		WRITE_ONCE(dst[i], cpu_to_le64(val));
	dax_flush(media->dax, dst, nr * sizeof(*dst));
	dxl_media_stored(media, dst, nr * sizeof(*dst));
}

/**
 * dxl_media_zero() - Store zeroes, durable after the next fence.
 * @media: the device
 * @dst: address on the media
 * @len: bytes
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_zero(struct dxl_media *media, void *dst, size_t len)
{
	struct dxl_storing storing;

	dxl_stat_add(DXL_STAT_ZEROED_BLOCKS, len >> DXL_BLOCK_SHIFT);
	while (len) {
		size_t piece = min_t(size_t, len, PAGE_SIZE);

		/* Around the cache, as pmem.c zeroes: nothing to flush. */
		dxl_media_copying(media, &storing, dst, piece);
		memcpy_flushcache(dst, page_address(ZERO_PAGE(0)), piece);
		dxl_media_copied(media, &storing, dst, piece);
		dst += piece;
		len -= piece;
	}
}

/**
 * dxl_media_flush() - Write back cached stores, durable after the next fence.
 * @media: the device
 * @addr: address on the media
 * @len: bytes
 *
 * Context: Inside dxl_media_enter(). May sleep.
 */
void dxl_media_flush(struct dxl_media *media, void *addr, size_t len)
{
	if (dxl_watched() && media->ledger)
		dxl_ledger_flush(media->ledger, addr, len);
	dax_flush(media->dax, addr, len);
	dxl_media_stored(media, addr, len);
}

/**
 * dxl_media_fence() - Order: what this CPU stored and flushed is durable now.
 * @media: the device
 *
 * Context: May sleep.
 */
void dxl_media_fence(struct dxl_media *media)
{
	pmem_wmb();
	if (dxl_watched() && media->ledger)
		dxl_ledger_fence(media->ledger);
	if (dxl_media_modelled(media))
		dxl_media_images->fence(media->image);
	if (dxl_media_spy(media))
		dxl_media_spy(media)->fence(media);
}

/**
 * dxl_media_sync() - Ask the device to drain its own cache, if it has one.
 * @media: the device
 *
 * Context: May sleep.
 * Return: 0 or a negative errno.
 */
int dxl_media_sync(struct dxl_media *media)
{
	dxl_media_fence(media);
	if (!bdev_write_cache(media->bdev))
		return 0;
	return blkdev_issue_flush(media->bdev);
}
