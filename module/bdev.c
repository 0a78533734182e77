// SPDX-License-Identifier: GPL-2.0
/*
 * The block devices: module parameters, bio path, coming and going.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "bdev_image.h"
#include "compat.h"
#include "stats.h"
#include "units.h"

#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#define DXL_BDEV_MAX	16

static unsigned int dxl_ndev = 1;
module_param_named(ndev, dxl_ndev, uint, 0444);
MODULE_PARM_DESC(ndev, "number of block devices, 0 to 16 (default 1)");

static char *dxl_size = "512M";
module_param_named(size, dxl_size, charp, 0444);
MODULE_PARM_DESC(size, "bytes of RAM in each, a multiple of 2M (default 512M)");

static bool dxl_media;
module_param_named(media, dxl_media, bool, 0444);
MODULE_PARM_DESC(media, "keep beside each what power loss would leave of it (default off)");

/* dxl_ndev devices, or NULL if there are none. */
static struct dxl_bdev *dxl_bdevs;

/**
 * dxl_bdev_zero() - Fill a range with zeroes, past the CPU cache.
 * @bdev: the device
 * @offset: in bytes, a multiple of the page size
 * @len: in bytes, a multiple of the page size
 *
 * Context: May sleep.
 */
void dxl_bdev_zero(struct dxl_bdev *bdev, u64 offset, u64 len)
{
	const void *zeroes = page_address(ZERO_PAGE(0));
	u64 first = offset, all = len;

	for (; len; offset += PAGE_SIZE, len -= PAGE_SIZE) {
		u64 avail;

		memcpy_flushcache(dxl_ram_addr(&bdev->ram, offset, &avail),
				  zeroes, PAGE_SIZE);
		cond_resched();
	}
	dxl_image_wrote(bdev->image, first, all, false);
}

/* A buffer need not be aligned, so a segment may cross the end of a chunk. */
static void dxl_bdev_copy(struct dxl_bdev *bdev, struct bio_vec *bv,
			  u64 offset, bool write)
{
	void *buf = bvec_kmap_local(bv);
	size_t done, n;

	for (done = 0; done < bv->bv_len; done += n) {
		u64 avail;
		void *addr = dxl_ram_addr(&bdev->ram, offset + done, &avail);

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

/*
 * Data goes around the CPU cache, so all that a flush has to do is to wait
 * until it has left the store buffers. What was stored to a mapping is the
 * business of dax_flush().
 */
static void dxl_submit_bio(struct bio *bio)
{
	struct gendisk *disk = bio->bi_bdev->bd_disk;
	struct dxl_bdev *bdev = disk->private_data;
	bool account = blk_queue_io_stat(disk->queue);
	unsigned long start = 0;
	int err;

	if (account)
		start = bio_start_io_acct(bio);

	err = dxl_injecting() ? dxl_bdev_inject(bdev, bio) : 0;
	if (err) {
		bio->bi_status = errno_to_blk_status(err);
		goto end;
	}

	if (bio->bi_opf & REQ_PREFLUSH) {
		dxl_stat_inc(DXL_STAT_BIO_FLUSHES);
		pmem_wmb();
		dxl_image_sync(bdev->image);
	}

	switch (bio_op(bio)) {
	case REQ_OP_READ:
		dxl_stat_inc(DXL_STAT_BIO_READS);
		dxl_bdev_rw(bdev, bio, false);
		break;
	case REQ_OP_WRITE:
		/* A flush alone is a write of nothing. */
		if (bio_has_data(bio))
			dxl_stat_inc(DXL_STAT_BIO_WRITES);
		dxl_bdev_rw(bdev, bio, true);
		dxl_image_wrote(bdev->image,
				dxl_sector_to_byte(bio->bi_iter.bi_sector),
				bio->bi_iter.bi_size, bio->bi_opf & REQ_FUA);
		break;
	case REQ_OP_DISCARD:
	case REQ_OP_WRITE_ZEROES:
		dxl_stat_inc(DXL_STAT_BIO_DISCARDS);
		dxl_bdev_zero(bdev, dxl_sector_to_byte(bio->bi_iter.bi_sector),
			      bio->bi_iter.bi_size);
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
	err = dxl_ram_settle(&bdev->ram);
	if (err)
		pr_err_ratelimited("%s: pages that were mapped are in use still\n",
				   disk->disk_name);
	return err;
}

static const struct block_device_operations dxl_bdev_fops = {
	.owner = THIS_MODULE,
	.open = dxl_bdev_open,
	.submit_bio = dxl_submit_bio,
};

/* Everything but the last step, which makes the device public. */
static int dxl_bdev_create(struct dxl_bdev *bdev, unsigned int index, u64 size)
{
	struct gendisk *disk;
	int err;

	bdev->size = size;
	err = dxl_ram_alloc(&bdev->ram, size);
	if (err)
		return err;

	disk = dxl_disk_alloc();
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto err_free_ram;
	}
	/* The lab works on whole devices; a scan would only be counted I/O. */
	disk->flags |= GENHD_FL_NO_PART;
	disk->fops = &dxl_bdev_fops;
	disk->private_data = bdev;
	snprintf(disk->disk_name, DISK_NAME_LEN, "daxlab%u", index);
	set_capacity(disk, dxl_byte_to_sector(size));
	bdev->disk = disk;
	dxl_inject_init(&bdev->inject, dxl_byte_to_page(size));

	err = -ENOMEM;
	if (dxl_media) {
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
err_free_ram:
	dxl_ram_free(&bdev->ram);
	return err;
}

static void dxl_bdev_destroy(struct dxl_bdev *bdev)
{
	dxl_bdev_dax_remove(bdev);
	put_disk(bdev->disk);
	dxl_inject_exit(&bdev->inject);
	dxl_image_free(bdev->image);
	dxl_ram_free(&bdev->ram);
}

/* Digits and one optional letter; memparse() would not notice an overflow. */
static int dxl_parse_size(const char *text, u64 *size)
{
	static const char letters[] = "KMGT";
	char digits[24];
	unsigned int shift = 0;
	size_t len = strlen(text);
	const char *letter;
	int err;

	letter = len ? strchr(letters, toupper(text[len - 1])) : NULL;
	if (letter) {
		shift = 10 * (letter - letters + 1);
		len--;
	}
	if (!len || len >= sizeof(digits) || !isdigit(text[0]))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	err = kstrtou64(digits, 0, size);
	if (err)
		return err;
	return check_shl_overflow(*size, shift, size) ? -ERANGE : 0;
}

/* Refuse what can not work, before any memory is taken, and say why. */
static int dxl_check_params(u64 *size)
{
	u64 all, ram = dxl_page_to_byte(totalram_pages());
	u64 avail = dxl_page_to_byte(max(si_mem_available(), 0L));
	int err;

	if (dxl_ndev > DXL_BDEV_MAX) {
		pr_err("ndev=%u is not in 0..%u\n", dxl_ndev, DXL_BDEV_MAX);
		return -ERANGE;
	}
	err = dxl_parse_size(dxl_size, size);
	if (err) {
		pr_err("size=%s is not a size such as 512M or 2G\n", dxl_size);
		return err;
	}
	if (!*size || !IS_ALIGNED(*size, PMD_SIZE)) {
		pr_err("size=%s is not a multiple of 2M above 0\n", dxl_size);
		return -EINVAL;
	}
	if (check_mul_overflow((u64)dxl_ndev, *size, &all) || all > ram) {
		pr_err("ndev=%u size=%s is more than the %llu MiB of RAM here\n",
		       dxl_ndev, dxl_size, ram >> 20);
		return -ENOMEM;
	}
	/* Do not drive a whole machine out of memory for a device. */
	if (all > avail) {
		pr_err("ndev=%u size=%s is more than the %llu MiB of RAM free now\n",
		       dxl_ndev, dxl_size, avail >> 20);
		return -ENOMEM;
	}
	return 0;
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
	unsigned int made, live;
	u64 size;
	int err;

	err = dxl_check_params(&size);
	if (err || !dxl_ndev)
		return err;

	dxl_bdevs = kcalloc(dxl_ndev, sizeof(*dxl_bdevs), GFP_KERNEL);
	if (!dxl_bdevs)
		return -ENOMEM;

	for (made = 0; made < dxl_ndev; made++) {
		err = dxl_bdev_create(&dxl_bdevs[made], made, size);
		if (err) {
			pr_err("daxlab%u: cannot get %llu MiB in chunks of 2 MiB: %pe\n",
			       made, size >> 20, ERR_PTR(err));
			goto err_destroy;
		}
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
	return dxl_media && dxl_bdevs;
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
