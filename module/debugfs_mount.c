// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs of a mount: SBID/variant, SBID/variants/KNOB
 */
#include "debugfs.h"
#include "frozen.h"
#include "fs_variant.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define DXL_WRITE_MAX		1024

static int variant_show(struct seq_file *seq, void *unused)
{
	const struct dxl_variant variant = dxl_lab_variant(seq->private);

	dxl_variant_show(seq, &variant);
	return 0;
}

static int variant_open(struct inode *inode, struct file *file)
{
	return single_open(file, variant_show, inode->i_private);
}

static ssize_t variant_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	struct dxl_lab *lab = file_inode(file)->i_private;
	struct dxl_variant from = dxl_lab_variant(lab), to = from;
	char *text = dxl_debugfs_line(buf, len, DXL_WRITE_MAX);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = dxl_variant_parse(text, &to);
	kfree(text);
	if (!err)
		err = dxl_variant_change(lab->sb, &from, &to);
	return err ?: len;
}

static const struct file_operations variant_fops = {
	.owner		= THIS_MODULE,
	.open		= variant_open,
	.read		= seq_read,
	.write		= variant_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/* The file of a knob has its name. */
static int dxl_file_knob(const struct file *file)
{
	return dxl_knob_find(file->f_path.dentry->d_name.name);
}

static int knob_show(struct seq_file *seq, void *unused)
{
	const struct dxl_lab *lab = file_inode(seq->file)->i_private;
	int knob = dxl_file_knob(seq->file);

	seq_printf(seq, "%s\n",
		   dxl_choice_name(knob, READ_ONCE(lab->variant.choice[knob])));
	return 0;
}

static int knob_open(struct inode *inode, struct file *file)
{
	return single_open(file, knob_show, NULL);
}

static ssize_t knob_write(struct file *file, const char __user *buf, size_t len,
			  loff_t *pos)
{
	struct dxl_lab *lab = file_inode(file)->i_private;
	struct dxl_variant from = dxl_lab_variant(lab), to = from;
	char *text = dxl_debugfs_line(buf, len, DXL_WRITE_MAX);
	int knob = dxl_file_knob(file);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	err = dxl_variant_choose(knob, strim(text), &to);
	kfree(text);
	if (!err)
		err = dxl_variant_change(lab->sb, &from, &to);
	return err ?: len;
}

static const struct file_operations knob_fops = {
	.owner		= THIS_MODULE,
	.open		= knob_open,
	.read		= seq_read,
	.write		= knob_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * dxl_debugfs_mount() - Make the directory of a mount, named by its device.
 * @lab: of the mount
 *
 * Context: May sleep. Without debugfs there is none.
 */
void dxl_debugfs_mount(struct dxl_lab *lab)
{
	struct dentry *knobs;
	unsigned int knob;

	lab->dir = debugfs_create_dir(lab->sb->s_id, dxl_debugfs_root);
	debugfs_create_file("variant", 0600, lab->dir, lab, &variant_fops);
	dxl_verdict_files_mount(lab);
	dxl_cache_files_mount(lab);
	knobs = debugfs_create_dir("variants", lab->dir);
	for (knob = 0; knob < DXL_NR_KNOBS; knob++)
		debugfs_create_file(dxl_knob_name(knob), 0600, knobs, lab,
				    &knob_fops);
}

/**
 * dxl_debugfs_umount() - Remove it; waits for readers and writers.
 * @lab: of the mount
 *
 * Context: May sleep. There may be none.
 */
void dxl_debugfs_umount(struct dxl_lab *lab)
{
	debugfs_remove(lab->dir);
	lab->dir = NULL;
}
