// SPDX-License-Identifier: GPL-2.0
/*
 * The dax_device of a device: the same memory by load and store.
 */
#include "bdev.h"
#include "bdev_image.h"
#include "compat.h"
#include "units.h"

#include <linux/dax.h>
#include <linux/mm.h>
#include <linux/uio.h>

static long dxl_dax_direct_access(struct dax_device *dax, pgoff_t pgoff,
				  long nr_pages, enum dax_access_mode mode,
				  void **kaddr, dxl_pfn_t *pfn)
{
	struct dxl_bdev *bdev = dax_get_private(dax);
	u64 offset = dxl_page_to_byte(pgoff);
	u64 avail = bdev->size - offset;
	void *addr = NULL;
	long nr;

	if (pgoff >= dxl_byte_to_page(bdev->size))
		return -ERANGE;
	if (bdev->backing != DXL_BACKING_DEVICE)
		addr = dxl_memory_addr(bdev, offset, &avail);
	nr = dxl_inject(&bdev->inject, DXL_INJECT_DIRECT_ACCESS, pgoff,
			min_t(u64, nr_pages, dxl_byte_to_page(avail)),
			mode == DAX_RECOVERY_WRITE ? DXL_INJECT_RECOVERS : 0);
	if (nr < 0)
		return nr;
	if (!addr)
		return dax_direct_access(bdev->lower.dax,
					 bdev->lower.pgoff + pgoff, nr, mode,
					 kaddr, pfn);
	if (kaddr)
		*kaddr = addr;
	if (pfn)
		*pfn = dxl_pfn_make(PHYS_PFN(__pa(addr)));
	return nr;
}

static int dxl_dax_zero_page_range(struct dax_device *dax, pgoff_t pgoff,
				   size_t nr_pages)
{
	struct dxl_bdev *bdev = dax_get_private(dax);
	pgoff_t end = dxl_byte_to_page(bdev->size);
	long ret;

	if (pgoff >= end || nr_pages > end - pgoff)
		return -ERANGE;
	ret = dxl_inject(&bdev->inject, DXL_INJECT_ZERO, pgoff, nr_pages, 0);
	if (ret < 0)
		return ret;
	return dxl_memory_zero(bdev, dxl_page_to_byte(pgoff),
			       dxl_page_to_byte(nr_pages));
}

/*
 * Our own memory has no poison to clear but what was injected; none stored: it
 * failed.
 */
static size_t dxl_dax_recovery_write(struct dax_device *dax, pgoff_t pgoff,
				     void *addr, size_t bytes,
				     struct iov_iter *iter)
{
	struct dxl_bdev *bdev = dax_get_private(dax);
	size_t offset = offset_in_page(addr);
	bool whole = !offset && PAGE_ALIGNED(bytes);
	size_t done;

	if (dxl_inject(&bdev->inject, DXL_INJECT_RECOVERY, pgoff,
		       PFN_UP(offset + bytes), whole ? 0 : DXL_INJECT_PART) < 0)
		return 0;
	if (bdev->backing == DXL_BACKING_DEVICE)
		return dxl_lower_recover(&bdev->lower, pgoff, addr, bytes,
					 iter);
	done = _copy_from_iter_flushcache(addr, bytes, iter);
	dxl_image_wrote(bdev->image, dxl_page_to_byte(pgoff) + offset, done,
			false);
	return done;
}

static const struct dax_operations dxl_dax_ops = {
	.direct_access = dxl_dax_direct_access,
	.zero_page_range = dxl_dax_zero_page_range,
	.recovery_write = dxl_dax_recovery_write,
};

/**
 * dxl_bdev_dax_add() - Make the memory of a device reachable by DAX.
 * @bdev: has its memory and its disk; the disk is not yet public
 *
 * Context: May sleep.
 * Return: 0 or a negative errno; nothing is held after an error.
 */
int dxl_bdev_dax_add(struct dxl_bdev *bdev)
{
	struct dax_device *lower = bdev->lower.dax;
	struct dax_device *dax;
	int err;

	dax = alloc_dax(bdev, &dxl_dax_ops);
	if (IS_ERR(dax))
		return PTR_ERR(dax);
	/*
	 * Behave as memory behind a volatile CPU cache: write(2) goes around
	 * the cache, stores to a mapping need dax_flush(), and nothing beyond
	 * that flush, so MAP_SYNC can be kept. What that takes of a device
	 * below, only it can say. Copies survive poison.
	 */
	set_dax_nocache(dax);
	set_dax_nomc(dax);
	dax_write_cache(dax, !lower || dax_write_cache_enabled(lower));
	if (!lower || dax_synchronous(lower))
		set_dax_synchronous(dax);

	err = dxl_dax_show(dax, bdev->disk);
	if (err) {
		kill_dax(dax);
		put_dax(dax);
		return err;
	}
	bdev->dax = dax;
	if (lower)
		dxl_lower_show(bdev);
	return 0;
}

/**
 * dxl_bdev_dax_remove() - Undo dxl_bdev_dax_add().
 * @bdev: the device
 *
 * Returns when the last access that saw the dax_device alive is over, so the
 * memory may be freed then.
 *
 * Context: May sleep.
 */
void dxl_bdev_dax_remove(struct dxl_bdev *bdev)
{
	if (bdev->backing == DXL_BACKING_DEVICE)
		dxl_lower_show(NULL);
	dxl_dax_hide(bdev->disk);
	kill_dax(bdev->dax);
	put_dax(bdev->dax);
	bdev->dax = NULL;
}
