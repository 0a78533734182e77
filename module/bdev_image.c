// SPDX-License-Identifier: GPL-2.0
/*
 * The media image: what was flushed, and when it is durable
 */
#include "bdev_image.h"
#include "bdev.h"
#include "compat.h"
#include "units.h"

#include <linux/bitmap.h>
#include <linux/bsearch.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmalloc.h>

/* No reclaim, which might come back here: a page of a file is to be written. */
#define DXL_IMAGE_GFP	(GFP_NOIO | __GFP_NOWARN)

/**
 * struct dxl_image_flush - what one task has flushed
 * @list: of the image
 * @task: who, only to be compared
 * @offset: in bytes, on the device
 * @len: bytes
 * @due: it goes to media now
 * @data: what was in memory then
 */
struct dxl_image_flush {
	struct list_head list;
	const struct task_struct *task;
	u64 offset;
	size_t len;
	bool due;
	u8 data[];
};

static int dxl_image_cmp(const void *a, const void *b)
{
	const struct dxl_image_piece *x = a, *y = b;

	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

/* Is the address (a) in this piece? */
static int dxl_image_within(const void *a, const void *b)
{
	const struct dxl_image_piece *piece = b;

	if (a < piece->addr)
		return -1;
	return a >= piece->addr + PMD_SIZE;
}

static int dxl_image_find_pieces(struct dxl_image *image)
{
	u64 offset, avail;
	unsigned long nr = 0;

	image->nr_pieces = image->size >> PMD_SHIFT;
	image->piece = kvcalloc(image->nr_pieces, sizeof(*image->piece),
				GFP_KERNEL);
	if (!image->piece)
		return -ENOMEM;
	for (offset = 0; offset < image->size; offset += PMD_SIZE, nr++) {
		image->piece[nr].addr = dxl_memory_addr(image->bdev, offset,
							&avail);
		image->piece[nr].offset = offset;
		memcpy(image->media + offset, image->piece[nr].addr, PMD_SIZE);
		cond_resched();
	}
	sort(image->piece, nr, sizeof(*image->piece), dxl_image_cmp, NULL);
	return 0;
}

/**
 * dxl_image_new() - Keep an image of a device from now on.
 * @bdev: has its memory; all that is there counts as durable
 *
 * Context: May sleep.
 * Return: The image, or NULL if there is not enough memory.
 */
struct dxl_image *dxl_image_new(struct dxl_bdev *bdev)
{
	struct dxl_image *image = kzalloc(sizeof(*image), GFP_KERNEL);

	if (!image)
		return NULL;
	mutex_init(&image->lock);
	INIT_LIST_HEAD(&image->flushed);
	image->bdev = bdev;
	image->size = bdev->size;
	image->drop_every = 1;
	image->media = __vmalloc(image->size, GFP_KERNEL | __GFP_RETRY_MAYFAIL |
				 __GFP_NOWARN);
	image->cached = kvcalloc(BITS_TO_LONGS(dxl_byte_to_sector(image->size)),
				 sizeof(long), GFP_KERNEL);
	if (image->media && image->cached && !dxl_image_find_pieces(image))
		return image;
	dxl_image_free(image);
	return NULL;
}

/**
 * dxl_image_free() - The device goes.
 * @image: nobody uses it; or NULL
 *
 * Context: May sleep.
 */
void dxl_image_free(struct dxl_image *image)
{
	if (!image)
		return;
	dxl_image_drop_flushed(image);
	kvfree(image->piece);
	kvfree(image->cached);
	vfree(image->media);
	kfree(image);
}

/**
 * dxl_image_drop_flushed() - Nothing waits any more: it is durable, or power has failed.
 * @image: what flushes took from it is forgotten, and nothing is only cached
 *
 * Context: May sleep. Nobody stores or flushes.
 */
void dxl_image_drop_flushed(struct dxl_image *image)
{
	struct dxl_image_flush *flush, *next;

	list_for_each_entry_safe(flush, next, &image->flushed, list)
		kvfree(flush);
	INIT_LIST_HEAD(&image->flushed);
	bitmap_zero(image->cached, dxl_byte_to_sector(image->size));
}

static bool dxl_image_drops(struct dxl_image *image, enum dxl_image_drop kind)
{
	if (image->drop != kind || ++image->drop_seen % image->drop_every)
		return false;
	image->dropped++;
	return true;
}

static void dxl_image_keep(struct dxl_image *image, u64 offset,
			   const void *addr, size_t len)
{
	struct dxl_image_flush *flush;

	flush = kvmalloc(struct_size(flush, data, len), DXL_IMAGE_GFP);
	if (!flush) {
		memcpy(image->media + offset, addr, len);
		image->unkept++;
		return;
	}
	flush->task = current;
	flush->offset = offset;
	flush->len = len;
	memcpy(flush->data, addr, len);
	list_add_tail(&flush->list, &image->flushed);
}

/* What is adjacent in memory need not be on the device, at the end of a piece. */
static void dxl_image_keep_all(struct dxl_image *image, const void *addr,
			       size_t len)
{
	const struct dxl_image_piece *piece;
	size_t inside, some;

	for (; len; addr += some, len -= some) {
		piece = bsearch(addr, image->piece, image->nr_pieces,
				sizeof(*image->piece), dxl_image_within);
		if (WARN_ON_ONCE(!piece))
			return;
		inside = addr - piece->addr;
		some = min_t(size_t, len, PMD_SIZE - inside);
		dxl_image_keep(image, piece->offset + inside, addr, some);
	}
}

/**
 * dxl_image_flushed() - Stores will be durable after the next fence of this task.
 * @arg: the image
 * @addr: in the memory of the device
 * @len: bytes
 *
 * Context: May sleep.
 */
void dxl_image_flushed(void *arg, const void *addr, size_t len)
{
	struct dxl_image *image = arg;

	mutex_lock(&image->lock);
	image->flushes++;
	if (image->state != DXL_IMAGE_CUT &&
	    !dxl_image_drops(image, DXL_DROP_FLUSH))
		dxl_image_keep_all(image, addr, len);
	mutex_unlock(&image->lock);
}

/*
 * A moment at which something becomes durable. Return: whether it does; power may
 * have failed just before, or the fence is one that gets lost.
 */
static bool dxl_image_reaches(struct dxl_image *image)
{
	if (image->state == DXL_IMAGE_CUT)
		return false;
	image->fences++;
	if (image->state == DXL_IMAGE_ARMED && image->fences == image->cut_at) {
		dxl_image_fail(image);
		return false;
	}
	return !dxl_image_drops(image, DXL_DROP_FENCE);
}

static bool dxl_image_overlaps(const struct dxl_image_flush *flush,
			       u64 offset, u64 len)
{
	return flush->offset < offset + len &&
	       offset < flush->offset + flush->len;
}

static bool dxl_image_is_overtaken(const struct dxl_image *image,
				   const struct dxl_image_flush *flush)
{
	const struct dxl_image_flush *later = flush;

	list_for_each_entry_continue(later, &image->flushed, list)
		if (later->due &&
		    dxl_image_overlaps(flush, later->offset, later->len))
			return true;
	return false;
}

/*
 * To media: what @task has flushed, and what anybody has of a range. Media takes
 * the same bytes in the order of their flushes. So the older go first, or would
 * come over the newer ones when their own task gets to its fence.
 */
static void dxl_image_store(struct dxl_image *image,
			    const struct task_struct *task, u64 offset, u64 len)
{
	struct dxl_image_flush *flush, *next;

	list_for_each_entry_reverse(flush, &image->flushed, list)
		flush->due = flush->task == task ||
			     dxl_image_overlaps(flush, offset, len) ||
			     dxl_image_is_overtaken(image, flush);
	list_for_each_entry_safe(flush, next, &image->flushed, list) {
		if (!flush->due)
			continue;
		memcpy(image->media + flush->offset, flush->data, flush->len);
		list_del(&flush->list);
		kvfree(flush);
	}
}

static void dxl_image_commit(struct dxl_image *image)
{
	struct dxl_image_flush *flush;
	bool any = false;

	list_for_each_entry(flush, &image->flushed, list)
		any = any || flush->task == current;
	if (any && dxl_image_reaches(image))
		dxl_image_store(image, current, 0, 0);
}

/**
 * dxl_image_fence() - What this task has flushed is durable now.
 * @arg: the image
 *
 * Context: May sleep.
 */
void dxl_image_fence(void *arg)
{
	struct dxl_image *image = arg;

	mutex_lock(&image->lock);
	dxl_image_commit(image);
	mutex_unlock(&image->lock);
}

/**
 * dxl_image_user_flushed() - User space has flushed lines, and fenced.
 * @image: with its lock
 * @offset: in bytes, on the device
 * @len: bytes, at least 1, that are inside of it
 *
 * Who flushed and who tells it are one task. So its fence, as that of a processor,
 * is one for what the kernel flushed for it too.
 *
 * Context: May sleep.
 */
void dxl_image_user_flushed(struct dxl_image *image, u64 offset, u64 len)
{
	u64 end = round_up(offset + len, DXL_IMAGE_LINE), avail;

	image->flushes++;
	if (image->state == DXL_IMAGE_CUT ||
	    dxl_image_drops(image, DXL_DROP_USER))
		return;
	offset = round_down(offset, DXL_IMAGE_LINE);
	for (; offset < end; offset += len) {
		const void *addr = dxl_memory_addr(image->bdev, offset, &avail);

		len = min3(end - offset, avail, (u64)PMD_SIZE);
		dxl_image_keep(image, offset, addr, len);
		cond_resched();
	}
	dxl_image_commit(image);
}

/* Sectors of the memory, as they are now, to media. */
static void dxl_image_take(struct dxl_image *image, u64 offset, u64 len)
{
	u64 end = offset + len, avail;

	dxl_image_store(image, NULL, offset, len);
	for (; offset < end; offset += len) {
		const void *addr = dxl_memory_addr(image->bdev, offset, &avail);

		len = min(end - offset, avail);
		memcpy(image->media + offset, addr, len);
		cond_resched();
	}
}

/**
 * dxl_image_wrote() - The device has stored something.
 * @image: or NULL
 * @offset: in bytes
 * @len: in bytes
 * @fua: it is durable at once
 *
 * Context: May sleep.
 */
void dxl_image_wrote(struct dxl_image *image, u64 offset, u64 len, bool fua)
{
	u64 first = dxl_byte_to_sector(offset);
	u64 end = dxl_byte_to_sector(offset + len + SECTOR_SIZE - 1);

	if (!image || !len)
		return;
	mutex_lock(&image->lock);
	image->flushes++;
	if (image->state == DXL_IMAGE_CUT ||
	    dxl_image_drops(image, DXL_DROP_FLUSH)) {
		/* Nothing of it is to come later. */
	} else if (!fua) {
		bitmap_set(image->cached, first, end - first);
	} else if (dxl_image_reaches(image)) {
		bitmap_clear(image->cached, first, end - first);
		dxl_image_take(image, offset, len);
	}
	mutex_unlock(&image->lock);
}

/**
 * dxl_image_sync() - All that the device has stored is durable.
 * @image: or NULL
 *
 * Context: May sleep.
 */
void dxl_image_sync(struct dxl_image *image)
{
	unsigned long nr, first, end = 0;

	if (!image)
		return;
	nr = dxl_byte_to_sector(image->size);
	mutex_lock(&image->lock);
	dxl_image_commit(image);
	if (!bitmap_empty(image->cached, nr) && dxl_image_reaches(image)) {
		while ((first = find_next_bit(image->cached, nr, end)) < nr) {
			end = find_next_zero_bit(image->cached, nr, first);
			dxl_image_take(image, dxl_sector_to_byte(first),
				       dxl_sector_to_byte(end - first));
		}
		bitmap_zero(image->cached, nr);
	}
	mutex_unlock(&image->lock);
}
