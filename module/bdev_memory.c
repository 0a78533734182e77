// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a device, wherever it comes from
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "bdev_image.h"
#include "compat.h"

#include <linux/mm.h>
#include <linux/string.h>

/**
 * dxl_memory_get() - Get the memory of a device, as the parameters say.
 * @bdev: receives it, and its size
 * @name: of the device
 * @params: the parameters
 *
 * Context: May sleep for long.
 * Return: 0 or a negative errno, after a line in the log; nothing is held then.
 */
int dxl_memory_get(struct dxl_bdev *bdev, const char *name,
		   const struct dxl_bdev_params *params)
{
	int err = 0;

	bdev->backing = params->backing;
	bdev->size = params->size;
	switch (params->backing) {
	case DXL_BACKING_RAM:
		err = dxl_ram_alloc(&bdev->ram, params->size);
		if (err)
			pr_err("%s: cannot get %llu MiB in chunks of 2 MiB: %pe\n",
			       name, params->size >> 20, ERR_PTR(err));
		break;
	case DXL_BACKING_RANGE:
		bdev->range = dxl_range_get(name, params->start, params->size);
		err = PTR_ERR_OR_ZERO(bdev->range);
		break;
	case DXL_BACKING_DEVICE:
		err = dxl_lower_get(&bdev->lower, params->path, &bdev->size);
		break;
	}
	return err;
}

/**
 * dxl_memory_put() - Undo dxl_memory_get().
 * @bdev: of this device, which nobody can reach any more
 *
 * Context: May sleep for long.
 */
void dxl_memory_put(struct dxl_bdev *bdev)
{
	switch (bdev->backing) {
	case DXL_BACKING_RAM:
		dxl_ram_free(&bdev->ram);
		break;
	case DXL_BACKING_RANGE:
		dxl_range_put(bdev->range);
		break;
	case DXL_BACKING_DEVICE:
		dxl_lower_put(&bdev->lower);
		break;
	}
}

/**
 * dxl_memory_settle() - Somebody claims the device: its pages are as new.
 * @bdev: nobody has mounted it, so nothing maps its memory
 *
 * Context: May sleep; one caller at a time.
 * Return: 0, or -EBUSY if somebody still uses pages that were mapped, for
 * O_DIRECT or in a pipe. Of a device below, its driver may know.
 */
int dxl_memory_settle(struct dxl_bdev *bdev)
{
	switch (bdev->backing) {
	case DXL_BACKING_RAM:
		return dxl_ram_settle(&bdev->ram);
	case DXL_BACKING_RANGE:
		return dxl_range_used(bdev->range) ? -EBUSY : 0;
	case DXL_BACKING_DEVICE:
		break;
	}
	return 0;
}

/**
 * dxl_memory_addr() - Where a byte of the device is.
 * @bdev: the device; not one that stands on another
 * @offset: in bytes, inside of the device
 * @avail: filled with the number of bytes that come after it in memory too, and
 *	are of the device, at least 1
 *
 * Context: Any context.
 * Return: Its address in the linear map.
 */
void *dxl_memory_addr(const struct dxl_bdev *bdev, u64 offset, u64 *avail)
{
	if (bdev->backing == DXL_BACKING_RAM)
		return dxl_ram_addr(&bdev->ram, offset, avail);
	*avail = bdev->size - offset;
	return bdev->range->addr + offset;
}

/**
 * dxl_memory_zero() - Fill a range with zeroes, past the CPU cache.
 * @bdev: the device
 * @offset: in bytes, a multiple of the page size
 * @len: in bytes, a multiple of the page size
 *
 * Context: May sleep.
 * Return: 0, or a negative errno of a device below.
 */
int dxl_memory_zero(struct dxl_bdev *bdev, u64 offset, u64 len)
{
	const void *zeroes = page_address(ZERO_PAGE(0));
	u64 first = offset, all = len;

	if (bdev->backing == DXL_BACKING_DEVICE)
		return dxl_lower_zero(&bdev->lower, offset, len);
	for (; len; offset += PAGE_SIZE, len -= PAGE_SIZE) {
		u64 avail;

		memcpy_flushcache(dxl_memory_addr(bdev, offset, &avail),
				  zeroes, PAGE_SIZE);
		cond_resched();
	}
	dxl_image_wrote(bdev->image, first, all, false);
	return 0;
}
