// SPDX-License-Identifier: GPL-2.0
/*
 * Injection: devices/daxlabN/{inject,injected} in debugfs
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev_inject.h"

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

static const char * const dxl_inject_count_names[] = {
	[DXL_INJECT_ERRORS]	= "errors",
	[DXL_INJECT_DELAYS]	= "delays",
	[DXL_INJECT_SHORTS]	= "shorts",
	[DXL_INJECT_MEDIA]	= "media_errors",
	[DXL_INJECT_CLEARED]	= "cleared",
};

static int dxl_inject_refuse(int err, const char *text, const char *why)
{
	pr_err_ratelimited("inject '%*pE': %s\n", (int)min(strlen(text), 60UL),
			   text, why);
	return err;
}

static int dxl_inject_add(struct dxl_inject *inject, const char *text)
{
	struct dxl_inject_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	char words[DXL_INJECT_TEXT];
	const char *why;
	int err;

	if (!rule)
		return -ENOMEM;
	strscpy(rule->text, text, sizeof(rule->text));
	strscpy(words, text, sizeof(words));
	err = dxl_inject_parse(rule, inject->nr_blocks, words, &why);
	if (!err && inject->nr_rules == DXL_INJECT_RULES) {
		err = -ENOSPC;
		why = "there are 64 rules already";
	}
	if (err) {
		kfree(rule);
		return dxl_inject_refuse(err, text, why);
	}
	rule->id = inject->next_id++;
	list_add_tail_rcu(&rule->list, &inject->rules);
	inject->nr_rules++;
	return 0;
}

static int dxl_inject_remove(struct dxl_inject *inject, const char *value)
{
	bool all = !strcmp(value, "all"), found = all;
	struct dxl_inject_rule *rule, *next;
	unsigned int id = 0;

	if (!all && (!isdigit(*value) || kstrtouint(value, 10, &id)))
		return dxl_inject_refuse(-EINVAL, value,
					 "remove= takes the number of a rule, or all");
	list_for_each_entry_safe(rule, next, &inject->rules, list) {
		if (!all && rule->id != id)
			continue;
		found = true;
		list_del_rcu(&rule->list);
		inject->nr_rules--;
		kfree_rcu(rule, rcu);
	}
	if (!found)
		return dxl_inject_refuse(-ENOENT, value,
					 "no rule has this number");
	if (all)
		inject->next_id = 1;
	WRITE_ONCE(inject->removals, inject->removals + 1);
	wake_up_all(&inject->wait);
	return 0;
}

static int dxl_inject_seed(struct dxl_inject *inject, const char *value)
{
	u64 seed;

	if (!isdigit(*value) || kstrtou64(value, 0, &seed))
		return dxl_inject_refuse(-EINVAL, value, "seed= takes a number");
	WRITE_ONCE(inject->seed, seed);
	return 0;
}

static int dxl_inject_set_bad(struct dxl_inject *inject, const char *value)
{
	u64 first, last;

	if (!dxl_inject_blocks(value, inject->nr_blocks, &first, &last))
		return dxl_inject_refuse(-EINVAL, value,
					 "bad= takes A or A-B, blocks of the device");
	if (!inject->bad) {
		unsigned long *bad;

		bad = kvcalloc(BITS_TO_LONGS(inject->nr_blocks), sizeof(*bad),
			       GFP_KERNEL);
		if (!bad)
			return -ENOMEM;
		/* I/O that looks meanwhile must find the bits zeroed. */
		smp_store_release(&inject->bad, bad);
	}
	for (; first <= last; first++)
		set_bit(first, inject->bad);
	return 0;
}

static int dxl_inject_set_good(struct dxl_inject *inject, const char *value)
{
	u64 first = 0, last = inject->nr_blocks - 1;

	if (strcmp(value, "all") &&
	    !dxl_inject_blocks(value, inject->nr_blocks, &first, &last))
		return dxl_inject_refuse(-EINVAL, value,
					 "good= takes A or A-B, blocks of the device, or all");
	dxl_inject_good(inject, first, last - first + 1);
	return 0;
}

static const struct {
	const char *key;
	int (*run)(struct dxl_inject *inject, const char *value);
} dxl_inject_commands[] = {
	{ "remove=", dxl_inject_remove },
	{ "seed=", dxl_inject_seed },
	{ "bad=", dxl_inject_set_bad },
	{ "good=", dxl_inject_set_good },
};

static int dxl_inject_command(struct dxl_inject *inject, const char *text)
{
	unsigned int i;

	if (!strncmp(text, "op=", 3))
		return dxl_inject_add(inject, text);
	for (i = 0; i < ARRAY_SIZE(dxl_inject_commands); i++) {
		size_t len = strlen(dxl_inject_commands[i].key);

		if (!strncmp(text, dxl_inject_commands[i].key, len))
			return dxl_inject_commands[i].run(inject, text + len);
	}
	return dxl_inject_refuse(-EINVAL, text,
				 "op=..., remove=, seed=, bad= or good=");
}

static ssize_t dxl_inject_write(struct file *file, const char __user *buf,
				size_t len, loff_t *pos)
{
	struct dxl_inject *inject = file_inode(file)->i_private;
	char *text;
	int err;

	if (len >= DXL_INJECT_TEXT)
		return dxl_inject_refuse(-E2BIG, "", "the line is too long");
	text = memdup_user_nul(buf, len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (strlen(text) != len || strcspn(text, "\n") + 1 < len) {
		err = dxl_inject_refuse(-EINVAL, text, "one line, without a zero");
	} else {
		mutex_lock(&inject->lock);
		err = dxl_inject_command(inject, strim(text));
		dxl_inject_update(inject);
		mutex_unlock(&inject->lock);
	}
	kfree(text);
	return err ?: len;
}

static void dxl_inject_show_bad(struct seq_file *seq,
				const struct dxl_inject *inject)
{
	unsigned long first, end = 0;

	while (inject->bad) {
		/* I/O makes blocks good beside it: each is its own. */
		first = data_race(find_next_bit(inject->bad, inject->nr_blocks, end));
		if (first >= inject->nr_blocks)
			return;
		/* likewise */
		end = data_race(find_next_zero_bit(inject->bad, inject->nr_blocks, first));
		seq_printf(seq, "bad=%lu-%lu\n", first, end - 1);
		cond_resched();
	}
}

static int dxl_inject_show(struct seq_file *seq, void *unused)
{
	struct dxl_inject *inject = seq->private;
	struct dxl_inject_rule *rule;

	mutex_lock(&inject->lock);
	seq_printf(seq, "seed=%llu\n", inject->seed);
	list_for_each_entry(rule, &inject->rules, list)
		seq_printf(seq, "%u: %s: %llu hits, %llu acted on\n", rule->id,
			   rule->text, atomic64_read(&rule->hits),
			   atomic64_read(&rule->fired));
	dxl_inject_show_bad(seq, inject);
	mutex_unlock(&inject->lock);
	return 0;
}

static int dxl_inject_open(struct inode *inode, struct file *file)
{
	return single_open(file, dxl_inject_show, inode->i_private);
}

static const struct file_operations dxl_inject_fops = {
	.owner		= THIS_MODULE,
	.open		= dxl_inject_open,
	.read		= seq_read,
	.write		= dxl_inject_write,
	.llseek		= seq_lseek,
	.release	= single_release,
};

static int dxl_injected_show(struct seq_file *seq, void *unused)
{
	struct dxl_inject *inject = seq->private;
	enum dxl_inject_op op;
	unsigned int what;

	for (what = 0; what < DXL_NR_INJECT_COUNTS; what++)
		for (op = 0; op < DXL_NR_INJECT_OPS; op++)
			seq_printf(seq, "%s_%s %llu\n",
				   dxl_inject_count_names[what],
				   dxl_inject_op_name(op),
				   atomic64_read(&inject->count[op][what]));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(dxl_injected);

/**
 * dxl_inject_files() - Make the files of a device.
 * @inject: of the device; outlives the files
 * @dir: of the device
 *
 * Context: Module load.
 */
void dxl_inject_files(struct dxl_inject *inject, struct dentry *dir)
{
	debugfs_create_file("inject", 0600, dir, inject, &dxl_inject_fops);
	debugfs_create_file("injected", 0400, dir, inject, &dxl_injected_fops);
}
