// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs of oracles: SBID/{verdict,verdict.json,trace,rescue}, and verdict and
 * rescue for all mounts
 *
 * A verdict is made when the file is opened, and does not change while it is
 * read. The mount cannot go away meanwhile: umount waits for the directory.
 */
#include "debugfs.h"
#include "fs.h"
#include "session.h"
#include "verdict.h"

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static int verdict_show(struct seq_file *seq, void *unused)
{
	dxl_verdict_show(seq, seq->private);
	return 0;
}

static int verdict_json_show(struct seq_file *seq, void *unused)
{
	dxl_verdict_json(seq, seq->private);
	return 0;
}

static int dxl_verdict_open(struct inode *inode, struct file *file,
			    int (*show)(struct seq_file *seq, void *unused))
{
	struct dxl_lab *lab = inode->i_private;
	struct dxl_verdict *verdict;
	int err;

	/* Umount has it exclusively, and waits for us: keep out of its way. */
	if (!down_read_trylock(&lab->sb->s_umount))
		return -EBUSY;
	verdict = dxl_verdict_run(lab, NULL, true);
	up_read(&lab->sb->s_umount);
	if (!verdict)
		return -ENOMEM;
	err = single_open(file, show, verdict);
	if (err)
		dxl_verdict_free(verdict);
	return err;
}

static int verdict_open(struct inode *inode, struct file *file)
{
	return dxl_verdict_open(inode, file, verdict_show);
}

static int verdict_json_open(struct inode *inode, struct file *file)
{
	return dxl_verdict_open(inode, file, verdict_json_show);
}

static int verdict_release(struct inode *inode, struct file *file)
{
	struct seq_file *seq = file->private_data;

	dxl_verdict_free(seq->private);
	return single_release(inode, file);
}

static const struct file_operations verdict_fops = {
	.owner		= THIS_MODULE,
	.open		= verdict_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= verdict_release,
};

static const struct file_operations verdict_json_fops = {
	.owner		= THIS_MODULE,
	.open		= verdict_json_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= verdict_release,
};

static int trace_show(struct seq_file *seq, void *unused)
{
	const struct dxl_lab *lab = seq->private;
	/* Pairs with dxl_log_open(). */
	struct dxl_log *log = smp_load_acquire(&lab->log);
	struct dxl_event event;
	unsigned int n = 0;
	u64 next = 0;

	if (!log)
		return 0;
	while (n++ < DXL_LOG_EVENTS && dxl_log_next(log, &next, &event))
		dxl_event_print(seq, &event);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(trace);

/* "1": yes. */
static int dxl_rescue_asked(const char __user *buf, size_t len)
{
	bool yes;
	int err = kstrtobool_from_user(buf, len, &yes);

	return err || !yes ? -EINVAL : 0;
}

static ssize_t rescue_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	int err = dxl_rescue_asked(buf, len);

	if (err)
		return err;
	dxl_rescue(file_inode(file)->i_private);
	return len;
}

static const struct file_operations rescue_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= rescue_write,
	.llseek	= noop_llseek,
};

/* All mounts: without the audit, which may have to wait for an eviction. */
static void dxl_verdict_show_lab(struct dxl_lab *lab, void *arg)
{
	struct dxl_verdict *verdict = dxl_verdict_run(lab, NULL, false);
	struct seq_file *seq = arg;

	seq_printf(seq, "mount %s\n", lab->sb->s_id);
	if (verdict)
		dxl_verdict_show(seq, verdict);
	else
		seq_puts(seq, "  not looked at: no memory\n");
	dxl_verdict_free(verdict);
}

static int verdicts_show(struct seq_file *seq, void *unused)
{
	dxl_fs_visit_labs(dxl_verdict_show_lab, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(verdicts);

static void dxl_rescue_lab(struct dxl_lab *lab, void *unused)
{
	dxl_rescue(lab);
}

static ssize_t rescues_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	int err = dxl_rescue_asked(buf, len);

	if (err)
		return err;
	dxl_fs_visit_labs(dxl_rescue_lab, NULL);
	return len;
}

static const struct file_operations rescues_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= rescues_write,
	.llseek	= noop_llseek,
};

/**
 * dxl_verdict_files() - Make the files for all mounts.
 *
 * Context: Module load.
 */
void dxl_verdict_files(void)
{
	debugfs_create_file("verdict", 0400, dxl_debugfs_root, NULL,
			    &verdicts_fops);
	debugfs_create_file("rescue", 0200, dxl_debugfs_root, NULL,
			    &rescues_fops);
}

/**
 * dxl_verdict_files_mount() - Make the files of a mount.
 * @lab: of the mount; its directory is there
 *
 * Context: May sleep.
 */
void dxl_verdict_files_mount(struct dxl_lab *lab)
{
	debugfs_create_file("verdict", 0400, lab->dir, lab, &verdict_fops);
	debugfs_create_file("verdict.json", 0400, lab->dir, lab,
			    &verdict_json_fops);
	debugfs_create_file("trace", 0400, lab->dir, lab, &trace_fops);
	debugfs_create_file("rescue", 0200, lab->dir, lab, &rescue_fops);
}
