// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and histograms: storage, summing, reset
 */
#include "stats.h"

#include <linux/moduleparam.h>
#include <linux/sysfs.h>

DEFINE_PER_CPU(struct dxl_stats, dxl_stats);
DEFINE_STATIC_KEY_TRUE(dxl_timing);

static const char * const dxl_stat_names[] = {
#define DXL_STAT_NAME(suffix, name) #name,
	DXL_STAT_TABLE(DXL_STAT_NAME)
#undef DXL_STAT_NAME
};

static int dxl_timing_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int err = kstrtobool(val, &on);

	if (err)
		return err;
	/* Takes the CPU hotplug lock: no lock of ours may be held here. */
	if (on)
		static_branch_enable(&dxl_timing);
	else
		static_branch_disable(&dxl_timing);
	return 0;
}

static int dxl_timing_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%c\n",
			  static_key_enabled(&dxl_timing) ? 'Y' : 'N');
}

static const struct kernel_param_ops dxl_timing_ops = {
	.set = dxl_timing_set,
	.get = dxl_timing_get,
};
module_param_cb(timing, &dxl_timing_ops, NULL, 0644);
MODULE_PARM_DESC(timing, "time entry lock holds for wait_hist (default Y)");

/**
 * dxl_hist_add() - Count one time in a histogram.
 * @hist: which histogram
 * @ns: the time, in ns
 *
 * Context: Any context.
 */
void dxl_hist_add(enum dxl_hist hist, u64 ns)
{
	unsigned int bucket = ns ? ilog2(ns) + 1 : 0;

	this_cpu_inc(dxl_stats.hist[hist][min(bucket, DXL_HIST_BUCKETS - 1U)]);
}

/**
 * dxl_stat_read() - Sum one counter over all CPUs.
 * @stat: which counter
 *
 * Context: Any context.
 * Return: Events since load or reset; exact when nobody is counting.
 */
u64 dxl_stat_read(enum dxl_stat stat)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(&dxl_stats, cpu)->count[stat]);
	return sum;
}

/**
 * dxl_stat_name() - Name of a counter as debugfs shows it.
 * @stat: which counter
 *
 * Context: Any context.
 * Return: A constant string.
 */
const char *dxl_stat_name(enum dxl_stat stat)
{
	return dxl_stat_names[stat];
}

/**
 * dxl_hist_read() - Sum one bucket of a histogram over all CPUs.
 * @hist: which histogram
 * @bucket: below DXL_HIST_BUCKETS
 *
 * Context: Any context.
 * Return: Events in the bucket since load or reset.
 */
u64 dxl_hist_read(enum dxl_hist hist, unsigned int bucket)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(&dxl_stats, cpu)->hist[hist][bucket]);
	return sum;
}

/**
 * dxl_stats_reset() - Set all counters and histograms to zero.
 *
 * Events that other CPUs count meanwhile may be lost or kept.
 *
 * Context: Any context.
 */
void dxl_stats_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr(&dxl_stats, cpu), 0, sizeof(dxl_stats));
}
