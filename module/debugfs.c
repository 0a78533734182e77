// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: stats, entries, wait_hist, reset, knobs; others have the rest
 */
#include "debugfs.h"
#include "fs.h"
#include "pwb.h"
#include "session.h"
#include "stats.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

struct dentry *dxl_debugfs_root;

static int stats_show(struct seq_file *seq, void *unused)
{
	enum dxl_stat stat;

	for (stat = 0; stat < DXL_NR_STATS; stat++) {
		/* A sum that people look for first. */
		if (stat == DXL_STAT_GRABS_UNCONTENDED)
			seq_printf(seq, "grabs %llu\n",
				   dxl_stat_read(DXL_STAT_GRABS_UNCONTENDED) +
				   dxl_stat_read(DXL_STAT_GRABS_CONTENDED));
		seq_printf(seq, "%s %llu\n", dxl_stat_name(stat),
			   dxl_stat_read(stat));
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int wait_hist_show(struct seq_file *seq, void *unused)
{
	unsigned int bucket;

	seq_puts(seq, "below_ns waits holds folios\n");
	for (bucket = 0; bucket < DXL_HIST_BUCKETS; bucket++)
		seq_printf(seq, "%llu %llu %llu %llu\n", 1ULL << bucket,
			   dxl_hist_read(DXL_HIST_WAIT, bucket),
			   dxl_hist_read(DXL_HIST_HOLD, bucket),
			   dxl_hist_read(DXL_HIST_FOLIO, bucket));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(wait_hist);

struct dxl_entries_count {
	unsigned long holds;
	unsigned long waiters;
};

static void dxl_entries_count(struct inode *inode, void *arg)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct dxl_entries_count *count = arg;
	struct dxl_waiter *waiter;
	struct dxl_hold *hold;

	xa_lock(&tree->xa);
	hlist_for_each_entry(hold, &tree->holds, list)
		count->holds++;
	list_for_each_entry(waiter, &tree->waiters, list)
		count->waiters++;
	xa_unlock(&tree->xa);
}

/* Tasks are alive while they stand in a list, since they leave it themselves. */
static void dxl_entries_show_inode(struct inode *inode, void *arg)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	struct seq_file *seq = arg;
	struct dxl_waiter *waiter;
	struct dxl_hold *hold;

	xa_lock(&tree->xa);
	hlist_for_each_entry(hold, &tree->holds, list)
		seq_printf(seq, "locked dev %s ino %lu index 0x%lx order %u owner %s/%d age %u ms\n",
			   inode->i_sb->s_id, dxl_ino(inode), hold->first,
			   dxl_entry_order(hold->entry), hold->task->comm,
			   hold->task->pid,
			   jiffies_to_msecs(jiffies - hold->since));
	list_for_each_entry(waiter, &tree->waiters, list)
		seq_printf(seq, "waiter dev %s ino %lu key 0x%lx index 0x%lx order %u task %s/%d age %u ms\n",
			   inode->i_sb->s_id, dxl_ino(inode), waiter->key.first,
			   waiter->index, waiter->order, waiter->task->comm,
			   waiter->task->pid,
			   jiffies_to_msecs(jiffies - waiter->since));
	xa_unlock(&tree->xa);
}

/* Bios that nobody has submitted, and folio locks that our paths have. */
static void dxl_entries_show_folios(struct dxl_lab *lab, void *arg)
{
	const struct dxl_folio_hold *hold;
	struct seq_file *seq = arg;
	struct dxl_pwb *pwb;

	spin_lock(&lab->folio_lock);
	list_for_each_entry(hold, &lab->folio_holds, list)
		if (READ_ONCE(hold->folio))
			seq_printf(seq, "folio lock dev %s owner %s/%d\n",
				   lab->sb->s_id, hold->task->comm,
				   hold->task->pid);
	list_for_each_entry(pwb, &lab->pwbs, list) {
		spin_lock(&pwb->lock);
		if (pwb->bio)
			seq_printf(seq, "unsubmitted bio dev %s ino %lu index 0x%lx owner %s/%d\n",
				   lab->sb->s_id, dxl_ino(pwb->inode), pwb->first,
				   pwb->hold.task->comm, pwb->hold.task->pid);
		spin_unlock(&pwb->lock);
	}
	spin_unlock(&lab->folio_lock);
}

static int entries_show(struct seq_file *seq, void *unused)
{
	struct dxl_entries_count count = {};

	dxl_fs_visit_inodes(dxl_entries_count, &count);
	seq_printf(seq, "locked entries: %lu\nwait entries: %lu\n", count.holds,
		   count.waiters);
	dxl_fs_visit_inodes(dxl_entries_show_inode, seq);
	dxl_fs_visit_labs(dxl_entries_show_folios, seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(entries);

static int knobs_show(struct seq_file *seq, void *unused)
{
	dxl_knobs_show(seq);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(knobs);

static void dxl_lab_reset(struct dxl_lab *lab, void *unused)
{
	dxl_log_mark(lab);
}

static ssize_t reset_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	bool yes;
	int err = kstrtobool_from_user(buf, len, &yes);

	if (err || !yes)
		return -EINVAL;
	dxl_stats_reset();
	dxl_fs_visit_labs(dxl_lab_reset, NULL);
	return len;
}

static const struct file_operations reset_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= reset_write,
	.llseek	= noop_llseek,
};

/**
 * dxl_debugfs_line() - What a user wrote, as text without its end of line.
 * @buf: his
 * @len: of @buf
 * @max: bytes, at most
 *
 * Context: May sleep.
 * Return: to be freed; -E2BIG, or -EINVAL for a zero in it, with a line in the
 * log; -EFAULT; -ENOMEM.
 */
char *dxl_debugfs_line(const char __user *buf, size_t len, size_t max)
{
	char *line;

	if (len > max)
		return ERR_PTR(dxl_refuse(-E2BIG, "", "the line is too long"));
	line = memdup_user_nul(buf, len);
	if (IS_ERR(line))
		return line;
	if (strlen(line) != len) {
		kfree(line);
		return ERR_PTR(dxl_refuse(-EINVAL, "", "a zero in the line"));
	}
	if (len && line[len - 1] == '\n')
		line[len - 1] = '\0';
	return line;
}

/**
 * dxl_debugfs_init() - Make the files; without debugfs there are none.
 *
 * Context: May sleep.
 */
void dxl_debugfs_init(void)
{
	dxl_debugfs_root = debugfs_create_dir("daxlab", NULL);
	debugfs_create_file("stats", 0400, dxl_debugfs_root, NULL, &stats_fops);
	debugfs_create_file("entries", 0400, dxl_debugfs_root, NULL,
			    &entries_fops);
	debugfs_create_file("wait_hist", 0400, dxl_debugfs_root, NULL,
			    &wait_hist_fops);
	debugfs_create_file("reset", 0200, dxl_debugfs_root, NULL, &reset_fops);
	debugfs_create_file("knobs", 0400, dxl_debugfs_root, NULL, &knobs_fops);
	/* Unsafe: its flush() must be called; nobody has it open at exit. */
	debugfs_create_file_unsafe("control", 0600, dxl_debugfs_root, NULL,
				   &dxl_control_fops);
	dxl_windows_debugfs(dxl_debugfs_root);
	dxl_verdict_files();
}

/**
 * dxl_debugfs_exit() - Remove them; waits for readers.
 *
 * Context: May sleep.
 */
void dxl_debugfs_exit(void)
{
	debugfs_remove(dxl_debugfs_root);
	dxl_windows_debugfs_exit();
}
