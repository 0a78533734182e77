// SPDX-License-Identifier: GPL-2.0
/*
 * The media image: devices/daxlabN/{media,powerloss} in debugfs
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev_image.h"

#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define DXL_IMAGE_TEXT	64

static const char * const dxl_image_states[] = {
	[DXL_IMAGE_RUNNING]	= "running",
	[DXL_IMAGE_ARMED]	= "armed",
	[DXL_IMAGE_CUT]		= "cut",
};

static const char * const dxl_image_drops[] = {
	[DXL_DROP_NOTHING]	= "nothing",
	[DXL_DROP_FLUSH]	= "flush",
	[DXL_DROP_USER]		= "user",
	[DXL_DROP_FENCE]	= "fence",
};

static int dxl_image_refuse(const char *text, const char *why)
{
	pr_err_ratelimited("media '%*pE': %s\n", (int)strlen(text), text, why);
	return -EINVAL;
}

static bool dxl_image_number(const char *text, u64 *value)
{
	return isdigit(*text) && !kstrtou64(text, 0, value);
}

static bool dxl_image_choice(const char *text, struct dxl_image_choice *choice)
{
	choice->seed = 0;
	if (!strcmp(text, "none"))
		choice->kind = DXL_CHOICE_NONE;
	else if (!strcmp(text, "all"))
		choice->kind = DXL_CHOICE_ALL;
	else if (dxl_image_number(text, &choice->seed))
		choice->kind = DXL_CHOICE_SEED;
	else
		return false;
	return true;
}

/* cut=CHOICE[,at=N]; @more is what follows the comma. */
static int dxl_image_cut(struct dxl_image *image, const char *value,
			 const char *more)
{
	struct dxl_image_choice choice;
	u64 at = 0;

	if (!dxl_image_choice(value, &choice) ||
	    (more && (strncmp(more, "at=", 3) ||
		      !dxl_image_number(more + 3, &at) || !at)))
		return dxl_image_refuse(value, "cut=none|all|SEED[,at=N], N from 1");
	if (image->state == DXL_IMAGE_CUT)
		return -EALREADY;
	image->choice = choice;
	image->cut_at = image->fences + at;
	image->state = DXL_IMAGE_ARMED;
	if (!at)
		dxl_image_fail(image);
	return 0;
}

static int dxl_image_drop(struct dxl_image *image, const char *value,
			  const char *more)
{
	int kind = match_string(dxl_image_drops, ARRAY_SIZE(dxl_image_drops),
				value);
	u64 every = 1;

	if (kind < 0 || (more && (strncmp(more, "every=", 6) ||
				  !dxl_image_number(more + 6, &every) ||
				  !every)))
		return dxl_image_refuse(value, "drop=flush|user|fence|nothing[,every=N], N from 1");
	image->drop = kind;
	image->drop_every = every;
	image->drop_seen = 0;
	return 0;
}

/* flush=OFFSET,len=N */
static int dxl_image_flush(struct dxl_image *image, const char *value,
			   const char *more)
{
	u64 offset, len;

	if (!dxl_image_number(value, &offset) || !more ||
	    strncmp(more, "len=", 4) || !dxl_image_number(more + 4, &len) ||
	    !len || offset >= image->size || len > image->size - offset)
		return dxl_image_refuse(value, "flush=OFFSET,len=N, N from 1, inside of the device");
	dxl_image_user_flushed(image, offset, len);
	return 0;
}

static int dxl_image_command(struct dxl_image *image, char *text)
{
	char *more = strchr(text, ',');

	if (more)
		*more++ = '\0';
	if (!strncmp(text, "cut=", 4))
		return dxl_image_cut(image, text + 4, more);
	if (!strncmp(text, "drop=", 5))
		return dxl_image_drop(image, text + 5, more);
	if (!strncmp(text, "flush=", 6))
		return dxl_image_flush(image, text + 6, more);
	return dxl_image_refuse(text, "cut=, flush= or drop=");
}

/* One line from the user, without its end. */
static char *dxl_image_line(const char __user *buf, size_t len)
{
	char *text;

	if (len >= DXL_IMAGE_TEXT)
		return ERR_PTR(-E2BIG);
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return text;
	if (strlen(text) != len || strcspn(text, "\n") + 1 < len) {
		kfree(text);
		return ERR_PTR(-EINVAL);
	}
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static ssize_t dxl_image_write(struct file *file, const char __user *buf,
			       size_t len, loff_t *pos)
{
	struct seq_file *seq = file->private_data;
	struct dxl_image *image = seq->private;
	char *text = dxl_image_line(buf, len);
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	mutex_lock(&image->lock);
	err = dxl_image_command(image, text);
	mutex_unlock(&image->lock);
	kfree(text);
	return err ?: len;
}

static int dxl_image_show(struct seq_file *seq, void *unused)
{
	struct dxl_image *image = seq->private;

	mutex_lock(&image->lock);
	seq_printf(seq, "state %s\n", dxl_image_states[image->state]);
	seq_printf(seq, "flushes %llu\n", image->flushes);
	seq_printf(seq, "fences %llu\n", image->fences);
	seq_printf(seq, "losses %llu\n", image->cuts);
	seq_printf(seq, "lines %llu\n", image->lines);
	seq_printf(seq, "lines_lost %llu\n", image->lost);
	seq_printf(seq, "unkept %llu\n", image->unkept);
	seq_printf(seq, "drop %s\n", dxl_image_drops[image->drop]);
	seq_printf(seq, "dropped %llu\n", image->dropped);
	mutex_unlock(&image->lock);
	return 0;
}

static int dxl_image_open(struct inode *inode, struct file *file)
{
	return single_open(file, dxl_image_show, inode->i_private);
}

static const struct file_operations dxl_image_fops = {
	.owner		= THIS_MODULE,
	.open		= dxl_image_open,
	.read		= seq_read,
	.write		= dxl_image_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static ssize_t dxl_powerloss_write(struct file *file, const char __user *buf,
				   size_t len, loff_t *pos)
{
	struct dxl_image *image = file_inode(file)->i_private;
	char *text = dxl_image_line(buf, len);
	struct dxl_image_choice choice;
	int err;

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (dxl_image_choice(text, &choice))
		err = dxl_image_powerloss(image, &choice);
	else
		err = dxl_image_refuse(text, "none, all or a seed");
	kfree(text);
	return err ?: len;
}

static const struct file_operations dxl_powerloss_fops = {
	.owner		= THIS_MODULE,
	.open		= simple_open,
	.write		= dxl_powerloss_write,
	.llseek		= noop_llseek,
};

/**
 * dxl_image_files() - Make the files of a device that keeps an image.
 * @image: outlives the files; or NULL
 * @dir: of the device
 *
 * Context: Module load.
 */
void dxl_image_files(struct dxl_image *image, struct dentry *dir)
{
	if (!image)
		return;
	debugfs_create_file("media", 0600, dir, image, &dxl_image_fops);
	debugfs_create_file("powerloss", 0200, dir, image, &dxl_powerloss_fops);
}
