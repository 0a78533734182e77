// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs for people with a shell: windows/NAME/{arm,hits,parked,release,about}
 * and oracles. What is armed here belongs to a session of its own, without an
 * end, that applies to all mounts.
 */
#include "window_rule.h"
#include "debugfs.h"
#include "fs.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

static struct dxl_session dxl_shell;
static bool dxl_shell_watches;		/* guarded by dxl_shell.lock */
static bool dxl_oracles;		/* likewise */

static enum dxl_window dxl_file_window(const void *private)
{
	return (unsigned long)private;
}

/* Watch while something is armed. */
static void dxl_shell_watch(void)
	__must_hold(&dxl_shell.lock)
{
	bool armed = dxl_window_armed(&dxl_shell);

	if (armed && !dxl_shell_watches)
		dxl_watch_get();
	if (!armed && dxl_shell_watches)
		dxl_watch_put();
	dxl_shell_watches = armed;
}

static ssize_t dxl_arm_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	enum dxl_window window = dxl_file_window(file_inode(file)->i_private);
	char *line = dxl_debugfs_line(buf, len, DXL_RULE_TEXT);
	const char *rule;
	int err = 0;

	if (IS_ERR(line))
		return PTR_ERR(line);
	rule = strim(line);
	mutex_lock(&dxl_shell.lock);
	if (!strcmp(rule, "off"))
		dxl_window_disarm(&dxl_shell, window);
	else
		err = dxl_window_set(&dxl_shell, window, rule);
	dxl_shell_watch();
	mutex_unlock(&dxl_shell.lock);
	kfree(line);
	return err ?: len;
}

static int dxl_arm_show(struct seq_file *seq, void *unused)
{
	dxl_armed_show(seq, NULL, dxl_file_window(seq->private));
	return 0;
}

static int dxl_arm_open(struct inode *inode, struct file *file)
{
	return single_open(file, dxl_arm_show, inode->i_private);
}

static const struct file_operations dxl_arm_fops = {
	.owner		= THIS_MODULE,
	.open		= dxl_arm_open,
	.read		= seq_read,
	.write		= dxl_arm_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int dxl_hits_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%llu\n",
		   dxl_window_hits(dxl_file_window(seq->private)));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxl_hits);

static int dxl_parked_file_show(struct seq_file *seq, void *unused)
{
	dxl_parked_show(seq, NULL, dxl_file_window(seq->private));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxl_parked_file);

static ssize_t dxl_release_write(struct file *file, const char __user *buf,
				 size_t len, loff_t *pos)
{
	enum dxl_window window = dxl_file_window(file_inode(file)->i_private);
	char *line = dxl_debugfs_line(buf, len, DXL_RULE_TEXT);
	int err;

	if (IS_ERR(line))
		return PTR_ERR(line);
	err = dxl_park_release(window, strim(line));
	if (err)
		dxl_refuse(err, line, err == -ESRCH ?
			   "this task is not parked here" : "'all' or a pid");
	kfree(line);
	return err ?: len;
}

static const struct file_operations dxl_release_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= dxl_release_write,
	.llseek	= noop_llseek,
};

static int dxl_about_show(struct seq_file *seq, void *unused)
{
	enum dxl_window window = dxl_file_window(seq->private);
	unsigned int flags = dxl_window_flags(window);

	seq_printf(seq, "%s: %s\n", dxl_window_name(window),
		   dxl_window_meaning(window));
	seq_printf(seq, "upstream: %s\n", dxl_window_upstream(window));
	seq_printf(seq, "actions: off trace delay(1..%u)%s%s%s\n",
		   flags & DXL_WIN_SLEEP ? DXL_DELAY_US_MAX : DXL_DELAY_SPIN_US,
		   flags & DXL_WIN_SLEEP ? " yield park" : "",
		   flags & DXL_WIN_ERROR ? " error" : "",
		   flags & DXL_WIN_FALLBACK ? " fallback" : "");
	seq_printf(seq, "number: %u\n", window);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxl_about);

static void dxl_oracles_open(struct dxl_lab *lab, void *unused)
{
	/* Without memory for a log the oracles see less, and nothing wrong. */
	dxl_log_open(lab);
}

/**
 * dxl_oracles_mounted() - There is a new mount: watch it too, if all are.
 * @lab: of the mount
 *
 * Context: May sleep.
 */
void dxl_oracles_mounted(struct dxl_lab *lab)
{
	if (READ_ONCE(dxl_oracles))
		dxl_oracles_open(lab, NULL);
}

static ssize_t oracles_write(struct file *file, const char __user *buf,
			     size_t len, loff_t *pos)
{
	bool on;

	if (kstrtobool_from_user(buf, len, &on))
		return dxl_refuse(-EINVAL, "oracles", "0 or 1");
	mutex_lock(&dxl_shell.lock);
	if (on && !dxl_oracles)
		dxl_watch_get();
	if (!on && dxl_oracles)
		dxl_watch_put();
	WRITE_ONCE(dxl_oracles, on);
	mutex_unlock(&dxl_shell.lock);
	if (on)
		dxl_fs_visit_labs(dxl_oracles_open, NULL);
	return len;
}

static int oracles_show(struct seq_file *seq, void *unused)
{
	seq_printf(seq, "%d\n", READ_ONCE(dxl_oracles));
	return 0;
}

static int oracles_open(struct inode *inode, struct file *file)
{
	return single_open(file, oracles_show, NULL);
}

static const struct file_operations oracles_fops = {
	.owner		= THIS_MODULE,
	.open		= oracles_open,
	.read		= seq_read,
	.write		= oracles_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

/**
 * dxl_windows_debugfs() - Make windows/ and oracles.
 * @root: where
 *
 * Context: Module load.
 */
void dxl_windows_debugfs(struct dentry *root)
{
	struct dentry *all = debugfs_create_dir("windows", root), *dir;
	unsigned long i;

	dxl_session_init(&dxl_shell);
	for (i = 0; i < DXL_NR_WINDOWS; i++) {
		void *private = (void *)i;

		dir = debugfs_create_dir(dxl_window_name(i), all);
		debugfs_create_file("arm", 0600, dir, private, &dxl_arm_fops);
		debugfs_create_file("hits", 0400, dir, private, &dxl_hits_fops);
		debugfs_create_file("parked", 0400, dir, private,
				    &dxl_parked_file_fops);
		debugfs_create_file("release", 0200, dir, private,
				    &dxl_release_fops);
		debugfs_create_file("about", 0400, dir, private,
				    &dxl_about_fops);
	}
	debugfs_create_file("oracles", 0600, root, NULL, &oracles_fops);
}

/**
 * dxl_windows_debugfs_exit() - Disarm what is armed there.
 *
 * Context: Module unload: the files are gone, and nobody is parked.
 */
void dxl_windows_debugfs_exit(void)
{
	mutex_lock(&dxl_shell.lock);
	dxl_window_disarm(&dxl_shell, -1);
	/* The probe of the watch must not outlive the module. */
	dxl_shell_watch();
	if (dxl_oracles)
		dxl_watch_put();
	dxl_oracles = false;
	mutex_unlock(&dxl_shell.lock);
}
