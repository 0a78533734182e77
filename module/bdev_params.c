// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters of the block devices: what is asked for, and what can not be
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "units.h"

#include <linux/ctype.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/string.h>

#define DXL_BDEV_MAX	16

static unsigned int dxl_ndev = 1;
module_param_named(ndev, dxl_ndev, uint, 0444);
MODULE_PARM_DESC(ndev, "number of block devices, 0 to 16 (default 1)");

/* Its address tells whether size= was given. */
static char dxl_size_default[8] = "512M";
static char *dxl_size = dxl_size_default;
module_param_named(size, dxl_size, charp, 0444);
MODULE_PARM_DESC(size, "bytes of RAM in each, a multiple of 2M (default 512M)");

static char *dxl_backing = "ram";
module_param_named(backing, dxl_backing, charp, 0444);
MODULE_PARM_DESC(backing, "their memory: ram (default), or pmem, with range= or device=, for one");

static char *dxl_range = "";
module_param_named(range, dxl_range, charp, 0444);
MODULE_PARM_DESC(range, "ADDRESS,SIZE of reserved memory, multiples of 2M, such as 4G,1G");

static char *dxl_device = "";
module_param_named(device, dxl_device, charp, 0444);
MODULE_PARM_DESC(device, "block device with DAX, such as /dev/pmem0, to stand on");

static bool dxl_media;
module_param_named(media, dxl_media, bool, 0444);
MODULE_PARM_DESC(media, "keep beside each what power loss would leave of it (default off)");

/* Digits and one optional letter; memparse() would not notice an overflow. */
static int dxl_parse_size(const char *text, size_t len, u64 *size)
{
	static const char letters[] = "KMGT";
	char digits[24];
	unsigned int shift = 0;
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
static int dxl_check_ram(struct dxl_bdev_params *params)
{
	u64 all, ram = dxl_page_to_byte(totalram_pages());
	u64 avail = dxl_page_to_byte(max(si_mem_available(), 0L));
	int err;

	if (*dxl_range || *dxl_device) {
		pr_err("range= and device= go with backing=pmem\n");
		return -EINVAL;
	}
	if (dxl_ndev > DXL_BDEV_MAX) {
		pr_err("ndev=%u is not in 0..%u\n", dxl_ndev, DXL_BDEV_MAX);
		return -ERANGE;
	}
	err = dxl_parse_size(dxl_size, strlen(dxl_size), &params->size);
	if (err) {
		pr_err("size=%s is not a size such as 512M or 2G\n", dxl_size);
		return err;
	}
	if (!params->size || !IS_ALIGNED(params->size, PMD_SIZE)) {
		pr_err("size=%s is not a multiple of 2M above 0\n", dxl_size);
		return -EINVAL;
	}
	/* An image is as large as the device. */
	if (check_mul_overflow((u64)dxl_ndev << dxl_media, params->size, &all) ||
	    all > ram) {
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
	params->backing = DXL_BACKING_RAM;
	return 0;
}

static int dxl_check_range(struct dxl_bdev_params *params)
{
	const char *comma = strchr(dxl_range, ',');
	int err = -EINVAL;
	u64 end;

	if (comma)
		err = dxl_parse_size(dxl_range, comma - dxl_range,
				     &params->start);
	if (!err)
		err = dxl_parse_size(comma + 1, strlen(comma + 1),
				     &params->size);
	if (err) {
		pr_err("range=%s is not ADDRESS,SIZE such as 4G,512M\n",
		       dxl_range);
		return err;
	}
	if (!params->size ||
	    !IS_ALIGNED(params->start | params->size, PMD_SIZE)) {
		pr_err("range=%s: address and size must be multiples of 2M, and the size above 0\n",
		       dxl_range);
		return -EINVAL;
	}
	if (check_add_overflow(params->start, params->size, &end)) {
		pr_err("range=%s goes beyond the last address\n", dxl_range);
		return -ERANGE;
	}
	if (dxl_media && params->size > dxl_page_to_byte(max(si_mem_available(), 0L))) {
		pr_err("range=%s media=on: there is not as much RAM free now\n",
		       dxl_range);
		return -ENOMEM;
	}
	params->backing = DXL_BACKING_RANGE;
	return 0;
}

static int dxl_check_pmem(struct dxl_bdev_params *params)
{
	if (!*dxl_range == !*dxl_device) {
		pr_err("backing=pmem needs range= or device=, and not both\n");
		return -EINVAL;
	}
	if (dxl_ndev != 1) {
		pr_err("ndev=%u: backing=pmem is for one device\n", dxl_ndev);
		return -EINVAL;
	}
	if (dxl_size != dxl_size_default) {
		pr_err("size=%s goes with backing=ram\n", dxl_size);
		return -EINVAL;
	}
	if (*dxl_range)
		return dxl_check_range(params);
	if (dxl_media) {
		pr_err("media=on goes with memory of our own, not with device=\n");
		return -EINVAL;
	}
	params->backing = DXL_BACKING_DEVICE;
	params->size = 0;
	params->path = dxl_device;
	return 0;
}

/**
 * dxl_bdev_params_get() - Look at the module parameters.
 * @params: filled in
 *
 * Context: Module init.
 * Return: 0, or a negative errno after one line in the log.
 */
int dxl_bdev_params_get(struct dxl_bdev_params *params)
{
	memset(params, 0, sizeof(*params));
	params->ndev = dxl_ndev;
	params->media = dxl_media;
	if (!strcmp(dxl_backing, "ram"))
		return dxl_check_ram(params);
	if (!strcmp(dxl_backing, "pmem"))
		return dxl_check_pmem(params);
	pr_err("backing=%s is neither ram nor pmem\n", dxl_backing);
	return -EINVAL;
}
