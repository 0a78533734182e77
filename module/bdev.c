// SPDX-License-Identifier: GPL-2.0
/*
 * The block devices: bio path, coming and going.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "bdev_image.h"
#include "compat.h"
#include "stats.h"
#include "units.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/slab.h>

/* NULL if there are none. */
static struct dxl_bdev *dxl_bdevs;
static unsigned int dxl_ndev;

/* A buffer need not be aligned, so a segment may cross the end of a chunk. */
static void dxl_bdev_copy(struct dxl_bdev *bdev, struct bio_vec *bv,
			  u64 offset, bool write)
{
	void *buf = bvec_kmap_local(bv);
	size_t done, n;

	for (done = 0; done < bv->bv_len; done += n) {
		u64 avail;
		void *addr = dxl_memory_addr(bdev, offset + done, &avail);

		n = min_t(u64, bv->bv_len - done, avail);
		if (write)
			memcpy_flushcache(addr, buf + done, n);
		else
			memcpy(buf + done, addr, n);
	}
	kunmap_local(buf);
	if (!write)
		flush_dcache_page(bv->bv_page);
}

static void dxl_bdev_rw(struct dxl_bdev *bdev, struct bio *bio, bool write)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	bio_for_each_segment(bv, bio, iter)
		dxl_bdev_copy(bdev, &bv, dxl_sector_to_byte(iter.bi_sector),
			      write);
}

/* An injected error of a bio, before anything of it is done. */
static int dxl_bdev_inject(struct dxl_bdev *bdev, struct bio *bio)
{
	unsigned int flags = bio->bi_opf & REQ_NOWAIT ? DXL_INJECT_NOWAIT : 0;
	u64 first = dxl_byte_to_page(dxl_sector_to_byte(bio->bi_iter.bi_sector));
	u64 nr = dxl_byte_to_page(bio->bi_iter.bi_size);
	enum dxl_inject_op op;
	long ret;

	if (bio->bi_opf & REQ_PREFLUSH) {
		ret = dxl_inject(&bdev->inject, DXL_INJECT_FLUSH, 0, 0, flags);
		if (ret < 0)
			return ret;
	}
	/* A flush alone is a write of nothing. */
	if (!nr)
		return 0;
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		op = DXL_INJECT_READ;
		break;
	case REQ_OP_WRITE:
		op = DXL_INJECT_WRITE;
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		op = DXL_INJECT_DISCARD;
		break;
	default:
		return 0;
	}
	ret = dxl_inject(&bdev->inject, op, first, nr, flags);
	return ret < 0 ? ret : 0;
}

static void dxl_bdev_count(struct bio *bio)
{
	if (bio->bi_opf & REQ_PREFLUSH)
		dxl_stat_inc(DXL_STAT_BIO_FLUSHES);
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		dxl_stat_inc(DXL_STAT_BIO_READS);
		break;
	case REQ_OP_WRITE:
		/* A flush alone is a write of nothing. */
		if (bio_has_data(bio))
			dxl_stat_inc(DXL_STAT_BIO_WRITES);
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		dxl_stat_inc(DXL_STAT_BIO_DISCARDS);
		break;
	default:
		break;
	}
}

/* Does the device below do it? It need not know discards. */
static bool dxl_bdev_is_below(const struct dxl_bdev *bdev,
			      const struct bio *bio)
{
	return bdev->backing == DXL_BACKING_DEVICE &&
	       (bio_op(bio) == REQ_OP_READ || bio_op(bio) == REQ_OP_WRITE);
}

/*
 * Data goes around the CPU cache, so all that a flush has to do is to wait
 * until it has left the store buffers. What was stored to a mapping is the
 * business of dax_flush().
 */
static void dxl_submit_bio(struct bio *bio)
{
	struct gendisk *disk = bio->bi_bdev->bd_disk;
	struct dxl_bdev *bdev = disk->private_data;
	bool below = dxl_bdev_is_below(bdev, bio);
	bool account = !below && blk_queue_io_stat(disk->queue);
	unsigned long start = 0;
	int err;

	/* Who knows whether that one waits? It comes again, and may. */
	if (below && bio->bi_opf & REQ_NOWAIT) {
		bio_wouldblock_error(bio);
		return;
	}
	if (account)
		start = bio_start_io_acct(bio);

	err = dxl_injecting() ? dxl_bdev_inject(bdev, bio) : 0;
	if (err) {
		bio->bi_status = errno_to_blk_status(err);
		goto end;
	}

	dxl_bdev_count(bio);
	if (below) {
		dxl_lower_submit(&bdev->lower, bio);
		return;
	}

	if (bio->bi_opf & REQ_PREFLUSH) {
		pmem_wmb();
		dxl_image_sync(bdev->image);
	}

	switch (bio_op(bio)) {
	case REQ_OP_READ:
		dxl_bdev_rw(bdev, bio, false);
		break;
	case REQ_OP_WRITE:
		dxl_bdev_rw(bdev, bio, true);
		dxl_image_wrote(bdev->image,
				dxl_sector_to_byte(bio->bi_iter.bi_sector),
				bio->bi_iter.bi_size, bio->bi_opf & REQ_FUA);
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		err = dxl_memory_zero(bdev,
				      dxl_sector_to_byte(bio->bi_iter.bi_sector),
				      bio->bi_iter.bi_size);
		bio->bi_status = errno_to_blk_status(err);
		break;
	default:
		bio->bi_status = BLK_STS_NOTSUPP;
	}

	if (bio->bi_opf & REQ_FUA)
		pmem_wmb();

end:
	if (account)
		bio_end_io_acct(bio, start);
	bio_endio(bio);
}

/*
 * Whoever claims the device, to mount it, finds plain pages; the block layer
 * lets one claim at a time come here. A mount of what is mounted claims again.
 */
static int dxl_bdev_open(dxl_opened *opened, dxl_open_mode mode)
{
	struct gendisk *disk = dxl_opened_disk(opened);
	struct dxl_bdev *bdev = disk->private_data;
	int err;

	if (!dxl_open_claims(mode) || disk->part0->bd_holders)
		return 0;
	if (READ_ONCE(bdev->lower.gone))
		return -ENXIO;
	err = dxl_memory_settle(bdev);
	if (err)
		pr_err_ratelimited("%s: pages that were mapped are in use still\n",
				   disk->disk_name);
	return err;
}

static dxl_define_release(dxl_bdev_release)
{
	dxl_lower_closed();
}

static const struct block_device_operations dxl_bdev_fops = {
	.owner = THIS_MODULE,
	.open = dxl_bdev_open,
	.release = dxl_bdev_release,
	.submit_bio = dxl_submit_bio,
};

/* Everything but the last step, which makes the device public. */
static int dxl_bdev_create(struct dxl_bdev *bdev, unsigned int index,
			   const struct dxl_bdev_params *params)
{
	char name[DISK_NAME_LEN];
	struct gendisk *disk;
	int err;

	snprintf(name, sizeof(name), "daxlab%u", index);
	err = dxl_memory_get(bdev, name, params);
	if (err)
		return err;

	disk = dxl_disk_alloc(params->backing != DXL_BACKING_RAM ||
			      !DXL_RAM_IS_OURS);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto err_memory;
	}
	/* The lab works on whole devices; a scan would only be counted I/O. */
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &dxl_bdev_fops;
	disk->private_data = bdev;
	strscpy(disk->disk_name, name, DISK_NAME_LEN);
	set_capacity(disk, dxl_byte_to_sector(bdev->size));
	bdev->disk = disk;
	dxl_inject_init(&bdev->inject, dxl_byte_to_page(bdev->size));

	err = -ENOMEM;
	if (params->media) {
		bdev->image = dxl_image_new(bdev);
		if (!bdev->image)
			goto err_put_disk;
	}
	err = dxl_bdev_dax_add(bdev);
	if (err)
		goto err_free_image;
	return 0;

err_free_image:
	dxl_image_free(bdev->image);
err_put_disk:
	put_disk(disk);
err_memory:
	dxl_memory_put(bdev);
	pr_err("%s: cannot make the device: %pe\n", name, ERR_PTR(err));
	return err;
}

static void dxl_bdev_destroy(struct dxl_bdev *bdev)
{
	dxl_bdev_dax_remove(bdev);
	put_disk(bdev->disk);
	dxl_inject_exit(&bdev->inject);
	dxl_image_free(bdev->image);
	dxl_memory_put(bdev);
}

/**
 * dxl_bdev_init() - Make the devices that the module parameters ask for.
 *
 * All are complete before the first becomes public, since a device that was
 * seen may be open when it has to go again.
 *
 * Context: Module init; may sleep for long.
 * Return: 0 or a negative errno; nothing is held after an error.
 */
int dxl_bdev_init(void)
{
	struct dxl_bdev_params params;
	unsigned int made, live;
	int err;

	err = dxl_bdev_params_get(&params);
	if (err || !params.ndev)
		return err;

	dxl_ndev = params.ndev;
	dxl_bdevs = kcalloc(dxl_ndev, sizeof(*dxl_bdevs), GFP_KERNEL);
	if (!dxl_bdevs)
		return -ENOMEM;

	for (made = 0; made < dxl_ndev; made++) {
		err = dxl_bdev_create(&dxl_bdevs[made], made, &params);
		if (err)
			goto err_destroy;
	}
	for (live = 0; live < dxl_ndev; live++) {
		err = device_add_disk(NULL, dxl_bdevs[live].disk, NULL);
		if (err) {
			pr_err("daxlab%u: cannot add the disk: %pe\n", live,
			       ERR_PTR(err));
			goto err_del_disk;
		}
	}
	return 0;

err_del_disk:
	while (live--)
		del_gendisk(dxl_bdevs[live].disk);
err_destroy:
	while (made--)
		dxl_bdev_destroy(&dxl_bdevs[made]);
	kfree(dxl_bdevs);
	return err;
}

/**
 * dxl_bdev_exit() - Undo dxl_bdev_init().
 *
 * Nobody has a device open: each opener holds the module.
 *
 * Context: Module exit, or init that failed later on; may sleep.
 */
void dxl_bdev_exit(void)
{
	unsigned int i;

	if (!dxl_bdevs)
		return;
	for (i = dxl_ndev; i-- > 0; )
		del_gendisk(dxl_bdevs[i].disk);
	for (i = dxl_ndev; i-- > 0; )
		dxl_bdev_destroy(&dxl_bdevs[i]);
	kfree(dxl_bdevs);
}

/**
 * dxl_bdev_files() - Make devices/daxlabN/ in debugfs.
 * @root: where; who removes it does so before dxl_bdev_exit()
 *
 * Context: Module load.
 */
void dxl_bdev_files(struct dentry *root)
{
	struct dentry *dir = debugfs_create_dir("devices", root);
	unsigned int i;

	for (i = 0; dxl_bdevs && i < dxl_ndev; i++) {
		struct dxl_bdev *bdev = &dxl_bdevs[i];
		struct dentry *own;

		own = debugfs_create_dir(bdev->disk->disk_name, dir);
		dxl_inject_files(&bdev->inject, own);
		dxl_image_files(bdev->image, own);
	}
}

/**
 * dxl_bdev_has_images() - Do the devices keep what power loss would leave?
 *
 * Context: Any context.
 * Return: Whether media=on was asked for.
 */
bool dxl_bdev_has_images(void)
{
	return dxl_bdevs && dxl_bdevs[0].image;
}

/**
 * dxl_bdev_image() - The media image behind a dax_device.
 * @dax: of any driver
 *
 * Context: Any context, while somebody holds the device.
 * Return: The image, or NULL if it has none of ours.
 */
void *dxl_bdev_image(const struct dax_device *dax)
{
	unsigned int i;

	for (i = 0; dxl_bdevs && i < dxl_ndev; i++)
		if (dxl_bdevs[i].dax == dax)
			return dxl_bdevs[i].image;
	return NULL;
}
