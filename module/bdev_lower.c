// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device: another one with DAX, which ours stands on (backing=pmem
 * device=)
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "compat.h"
#include "units.h"

#include <linux/bio.h>
#include <linux/dax.h>

/**
 * dxl_lower_get() - Take the device below, so that nobody else has it.
 * @lower: filled in; it is the holder as well, so it must not move
 * @path: of the device
 * @size: receives its bytes, whole pages
 *
 * Context: May sleep.
 * Return: 0; or, after a line in the log, -EBUSY if it is mounted or somebody
 * else has it, -EOPNOTSUPP if it has no DAX, and what opening it says.
 */
int dxl_lower_get(struct dxl_lower *lower, const char *path, u64 *size)
{
	struct block_device *bdev;
	u64 start;
	int err;

	lower->claim = dxl_claim_bdev(path, lower);
	if (IS_ERR(lower->claim)) {
		err = PTR_ERR(lower->claim);
		if (err == -EBUSY)
			pr_err("device=%s is mounted, or in use otherwise\n",
			       path);
		else
			pr_err("device=%s cannot be opened: %pe\n", path,
			       ERR_PTR(err));
		return err;
	}
	bdev = dxl_claimed_bdev(lower->claim);
	err = -EOPNOTSUPP;
	if (!blk_queue_dax(bdev_get_queue(bdev))) {
		pr_err("device=%s has no DAX\n", path);
		goto err_claim;
	}
	err = -EBUSY;
	lower->dax = fs_dax_get_by_bdev(bdev, &start, lower, NULL);
	if (!lower->dax) {
		pr_err("device=%s: its DAX memory is in use, gone, or does not start on a page\n",
		       path);
		goto err_claim;
	}
	lower->pgoff = dxl_byte_to_page(start);
	*size = round_down(bdev_nr_bytes(bdev), PAGE_SIZE);
	return 0;

err_claim:
	dxl_unclaim_bdev(lower->claim, lower);
	return err;
}

/**
 * dxl_lower_put() - Let others have the device below.
 * @lower: from dxl_lower_get()
 *
 * Context: May sleep.
 */
void dxl_lower_put(struct dxl_lower *lower)
{
	fs_put_dax(lower->dax, lower);
	dxl_unclaim_bdev(lower->claim, lower);
}

/**
 * dxl_lower_submit() - The device below does a bio of ours.
 * @lower: from dxl_lower_get()
 * @bio: a read, a write, or a flush
 *
 * It is counted in the statistics of the device below only.
 *
 * Context: As submit_bio().
 */
void dxl_lower_submit(const struct dxl_lower *lower, struct bio *bio)
{
	bio_set_dev(bio, dxl_claimed_bdev(lower->claim));
	submit_bio_noacct(bio);
}

/**
 * dxl_lower_zero() - The device below fills pages with zeroes, also bad ones.
 * @lower: from dxl_lower_get()
 * @offset: in bytes, a multiple of the page size
 * @len: in bytes, a multiple of the page size
 *
 * Context: May sleep.
 * Return: 0 or a negative errno.
 */
int dxl_lower_zero(const struct dxl_lower *lower, u64 offset, u64 len)
{
	pgoff_t pgoff = lower->pgoff + dxl_byte_to_page(offset);
	pgoff_t end = pgoff + dxl_byte_to_page(len);
	int err = 0, id;

	/* It takes no more than one at a time. */
	for (; !err && pgoff < end; pgoff++) {
		id = dax_read_lock();
		err = dax_zero_page_range(lower->dax, pgoff, 1);
		dax_read_unlock(id);
		cond_resched();
	}
	return err;
}
