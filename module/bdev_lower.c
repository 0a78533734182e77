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
#include <linux/mutex.h>
#include <linux/wait.h>

/* The one that there can be, while its users may be told that its memory goes. */
static struct dxl_bdev *dxl_lower_upper;
static DEFINE_MUTEX(dxl_lower_lock);

/* Woken when somebody closes our device. */
static DECLARE_WAIT_QUEUE_HEAD(dxl_lower_wait);

static bool dxl_lower_unclaimed(const struct dxl_bdev *bdev)
{
	return !READ_ONCE(bdev->disk->part0->bd_holders);
}

/*
 * The driver below goes, and the memory with it, or some of that is bad. Whoever
 * is on ours is told. Ours and xfs since 6.8 let go; of ext4, and xfs before, even
 * umount would look at pages that are gone (dax_disassociate_entry()), so the
 * driver has to wait for that. It can be killed, as its user likes.
 */
static int dxl_lower_notify(struct dax_device *dax, u64 offset, u64 len,
			    int flags)
{
	struct dxl_bdev *bdev;
	int err = -EOPNOTSUPP;

	mutex_lock(&dxl_lower_lock);
	bdev = dxl_lower_upper;
	if (!bdev || &bdev->lower != dax_holder(dax))
		goto out;
	if (offset || len != U64_MAX) {
		u64 start = dxl_page_to_byte(bdev->lower.pgoff);

		if (offset >= start && offset - start < bdev->size)
			err = dax_holder_notify_failure(bdev->dax,
							offset - start, len,
							flags);
		goto out;
	}

	WRITE_ONCE(bdev->lower.gone, true);
	err = dax_holder_notify_failure(bdev->dax, 0, U64_MAX, flags);
	if (err && !dxl_lower_unclaimed(bdev)) {
		pr_warn("%s: the memory of the device below goes: it has to wait until it is unmounted\n",
			bdev->disk->disk_name);
		err = wait_event_killable(dxl_lower_wait,
					  dxl_lower_unclaimed(bdev));
	}
out:
	mutex_unlock(&dxl_lower_lock);
	return err;
}

static const struct dax_holder_operations dxl_lower_ops = {
	.notify_failure	= dxl_lower_notify,
};

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
	lower->dax = fs_dax_get_by_bdev(bdev, &start, lower, &dxl_lower_ops);
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
 * dxl_lower_show() - Our device is there: its users are told what comes from below.
 * @bdev: has a dax_device; or NULL: has none any more
 *
 * Context: May sleep until they have been told.
 */
void dxl_lower_show(struct dxl_bdev *bdev)
{
	mutex_lock(&dxl_lower_lock);
	dxl_lower_upper = bdev;
	mutex_unlock(&dxl_lower_lock);
}

/**
 * dxl_lower_closed() - Somebody has closed our device.
 *
 * Context: Any context.
 */
void dxl_lower_closed(void)
{
	wake_up_all(&dxl_lower_wait);
}

/**
 * dxl_lower_recover() - The device below writes to pages that may be bad.
 * @lower: from dxl_lower_get()
 * @pgoff: first page
 * @addr: address on the media
 * @bytes: how many
 * @iter: from where
 *
 * Context: Inside dax_read_lock().
 * Return: Bytes written; none if the memory is gone.
 */
size_t dxl_lower_recover(const struct dxl_lower *lower, pgoff_t pgoff,
			 void *addr, size_t bytes, struct iov_iter *iter)
{
	/* All other calls look for themselves. */
	if (!dax_alive(lower->dax))
		return 0;
	return dax_recovery_write(lower->dax, lower->pgoff + pgoff, addr,
				  bytes, iter);
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
