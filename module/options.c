// SPDX-License-Identifier: GPL-2.0
/*
 * Mount options
 */
#include "options.h"

#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/seq_file.h>

/* An option for each knob, by its number, and then the others. */
enum {
	DXL_OPT_FORMAT = DXL_NR_KNOBS,
	DXL_OPT_VARIANT,
	DXL_OPT_DAX,
	DXL_OPT_DAX_MODE,
};

static const struct constant_table dxl_dax_modes[] = {
	{ "always",	DXL_DAX_ALWAYS },
	{ "never",	DXL_DAX_NEVER },
	{ "inode",	DXL_DAX_INODE },
	{}
};

const struct fs_parameter_spec dxl_parameters[] = {
	fsparam_flag("format", DXL_OPT_FORMAT),
	fsparam_string("variant", DXL_OPT_VARIANT),
	fsparam_flag("dax", DXL_OPT_DAX),
	fsparam_enum("dax", DXL_OPT_DAX_MODE, dxl_dax_modes),
#define DXL_OPT_KNOB(knob, name, meaning)				\
	fsparam_string(name, DXL_KNOB_##knob),
	DXL_KNOB_TABLE(DXL_OPT_KNOB)
#undef DXL_OPT_KNOB
	{}
};

/**
 * dxl_options_parse() - fs_context_operations.parse_param.
 * @fc: of the mount in the making
 * @param: one option
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int dxl_options_parse(struct fs_context *fc, struct fs_parameter *param)
{
	struct dxl_fc *ctx = fc->fs_private;
	struct fs_parse_result result;
	int opt = fs_parse(fc, dxl_parameters, param, &result);

	if (opt < 0)
		return opt;
	switch (opt) {
	case DXL_OPT_FORMAT:
		ctx->format = true;
		return 0;
	case DXL_OPT_DAX:
		result.uint_32 = DXL_DAX_ALWAYS;
		fallthrough;
	case DXL_OPT_DAX_MODE:
		ctx->dax_chosen = true;
		ctx->dax = result.uint_32;
		return 0;
	case DXL_OPT_VARIANT:
		ctx->chosen = true;
		return dxl_variant_parse(param->string, &ctx->variant);
	}
	ctx->chosen = true;
	return dxl_variant_choose(opt, param->string, &ctx->variant);
}

/**
 * dxl_options_fit() - Can a second mount share a mounted filesystem?
 * @fc: the second mount
 * @sb: the first
 *
 * There is nothing to format, and it has the modes and the variant of the first.
 *
 * Context: Process context.
 * Return: 0 or -EBUSY.
 */
int dxl_options_fit(struct fs_context *fc, const struct super_block *sb)
{
	struct dxl_sb *sbi = DXL_SB(sb);
	struct dxl_variant variant = dxl_lab_variant(&sbi->lab);
	struct dxl_fc *ctx = fc->fs_private;

	if (ctx->format) {
		errorfc(fc, "%s: cannot format: mounted already", sb->s_id);
		return -EBUSY;
	}
	if (ctx->dax_chosen && ctx->dax != sbi->dax) {
		errorfc(fc, "%s: mounted already, with another dax=", sb->s_id);
		return -EBUSY;
	}
	if (ctx->chosen && memcmp(&variant, &ctx->variant, sizeof(variant))) {
		errorfc(fc, "%s: mounted already, with another variant",
			sb->s_id);
		return -EBUSY;
	}
	return 0;
}

/**
 * dxl_options_remount() - Are these options for a remount?
 * @fc: the remount; all but the variant is looked at
 * @sb: the mount
 *
 * Files that are in memory have their mode: it cannot change for all of them.
 *
 * Context: Process context.
 * Return: 0 or -EINVAL.
 */
int dxl_options_remount(struct fs_context *fc, const struct super_block *sb)
{
	struct dxl_fc *ctx = fc->fs_private;

	if (ctx->format)
		return invalfc(fc, "%s: format is for a first mount only",
			       sb->s_id);
	if (ctx->dax_chosen && ctx->dax != DXL_SB(sb)->dax)
		return invalfc(fc, "%s: dax= cannot change while mounted",
			       sb->s_id);
	return 0;
}

/**
 * dxl_options_show() - Options that differ from what a mount has without any.
 * @seq: where to
 * @sb: the mount
 *
 * Context: Process context.
 */
void dxl_options_show(struct seq_file *seq, const struct super_block *sb)
{
	const struct dxl_sb *sbi = DXL_SB(sb);

	if (sbi->dax != DXL_DAX_ALWAYS)
		seq_printf(seq, ",dax=%s", dxl_dax_modes[sbi->dax].name);
	dxl_variant_options(seq, &sbi->lab.variant);
}
