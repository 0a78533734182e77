// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab - module entry: what exists, in the order in which it comes and goes
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "bdev_image.h"
#include "bridge.h"
#include "debugfs.h"
#include "entry.h"
#include "fs.h"
#include "lab.h"
#include "pwb.h"
#include "selftest.h"
#include "stats.h"
#include "window.h"

#include <linux/init.h>
#include <linux/module.h>

/* All that the device half knows of the laboratory. */
static const struct dxl_inject_windows dxl_inject_windows = {
	.find		= dxl_window_find,
	.occupied	= dxl_window_occupied,
};

/* All that the filesystem half knows of media images. */
static const struct dxl_media_images dxl_media_images = {
	.find		= dxl_bdev_image,
	.flushed	= dxl_image_flushed,
	.fence		= dxl_image_fence,
};

/* Nobody has them any more. On its own, for who looks for uses of keys: lab_nops. */
static noinline void dxl_keys_flush(void)
{
	dxl_key_flush(dxl_watched_key);
	dxl_key_flush(dxl_varied_key);
	dxl_key_flush(dxl_inject_key);
}

static int __init dxl_init(void)
{
	int err;

	if (DXL_FLOOR)
		pr_warn("built to be measured: syncs keep no promise\n");
	err = dxl_selftest();
	if (err)
		goto err_keys;
	dxl_stats_reset();	/* of what the tests counted */
	err = dxl_entry_init();
	if (err)
		goto err_keys;
	err = dxl_gone_init();
	if (err)
		goto err_entry;
	err = dxl_bdev_init();
	if (err)
		goto err_gone;
	if (dxl_bdev_has_images())
		dxl_media_use_images(&dxl_media_images);
	err = dxl_fault_init();
	if (err)
		goto err_bdev;
	err = dxl_pwb_variant_init();
	if (err)
		goto err_fault;
	err = dxl_fs_init();
	if (err)
		goto err_pwb;
	dxl_debugfs_init();
	dxl_inject_use_windows(&dxl_inject_windows);
	dxl_bdev_files(dxl_debugfs_root);
	return 0;

err_pwb:
	dxl_pwb_variant_exit();
err_fault:
	dxl_fault_exit();
err_bdev:
	dxl_bdev_exit();
err_gone:
	dxl_gone_exit();
err_entry:
	dxl_entry_exit();
err_keys:
	dxl_keys_flush();
	return err;
}

static void __exit dxl_exit(void)
{
	dxl_debugfs_exit();
	dxl_bridge_exit();
	dxl_fs_exit();
	dxl_pwb_variant_exit();
	dxl_fault_exit();
	dxl_bdev_exit();
	dxl_gone_exit();
	dxl_entry_exit();
	dxl_keys_flush();
}

module_init(dxl_init);
module_exit(dxl_exit);

MODULE_DESCRIPTION("A laboratory for DAX locking and writeback races");
MODULE_LICENSE("GPL");
