/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a mount was asked for.
 */
#ifndef DXL_OPTIONS_H
#define DXL_OPTIONS_H

#include "fs.h"

#include <linux/fs_parser.h>

struct seq_file;

/**
 * struct dxl_fc - options of a mount in the making
 * @format: make a new filesystem
 * @filled: dxl_fill_super() was called: the device was not mounted before
 * @chosen: an option told something of @variant
 * @dax_chosen: an option told @dax
 * @dax: which files are in DAX mode
 * @before: of a remount: the choices that the mount had; else sound
 * @variant: @before, changed by options
 */
struct dxl_fc {
	bool format;
	bool filled;
	bool chosen;
	bool dax_chosen;
	enum dxl_dax_mode dax;
	struct dxl_variant before;
	struct dxl_variant variant;
};

extern const struct fs_parameter_spec dxl_parameters[];
int dxl_options_parse(struct fs_context *fc, struct fs_parameter *param);
int dxl_options_fit(struct fs_context *fc, const struct super_block *sb);
int dxl_options_remount(struct fs_context *fc, const struct super_block *sb);
void dxl_options_show(struct seq_file *seq, const struct super_block *sb);

#endif /* DXL_OPTIONS_H */
