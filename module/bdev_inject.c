// SPDX-License-Identifier: GPL-2.0
/*
 * Injection: what becomes of an operation of the device
 */
#include "bdev_inject.h"
#include "compat.h"

#include <linux/bitmap.h>
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#define DXL_INJECT_SPIN_US	10000	/* below it a jiffy is too coarse */

DXL_KEY_DEFINE(dxl_inject_key);

/**
 * dxl_inject_init() - Begin with nothing to inject.
 * @inject: of a new device
 * @nr_blocks: of the device
 *
 * Context: Any context.
 */
void dxl_inject_init(struct dxl_inject *inject, u64 nr_blocks)
{
	mutex_init(&inject->lock);
	INIT_LIST_HEAD(&inject->rules);
	init_waitqueue_head(&inject->wait);
	inject->nr_blocks = nr_blocks;
	inject->next_id = 1;
}

/**
 * dxl_inject_exit() - The device goes.
 * @inject: its files are gone, and nobody uses it
 *
 * Context: May sleep.
 */
void dxl_inject_exit(struct dxl_inject *inject)
{
	struct dxl_inject_rule *rule, *next;

	list_for_each_entry_safe(rule, next, &inject->rules, list)
		kfree(rule);
	kvfree(inject->bad);
	if (inject->live)
		dxl_key_put(dxl_inject_key);
}

/**
 * dxl_inject_update() - There may be more, or less, to inject.
 * @inject: of a device
 *
 * Context: May sleep; with inject->lock, which nobody takes who has the locks
 * of CPU hotplug.
 */
void dxl_inject_update(struct dxl_inject *inject)
{
	bool live = inject->nr_rules;

	if (inject->bad)
		/* I/O makes blocks good beside it. */
		live |= !data_race(bitmap_empty(inject->bad, inject->nr_blocks));
	if (live == inject->live)
		return;
	inject->live = live;
	if (live)
		dxl_key_get(dxl_inject_key);
	else
		dxl_key_put(dxl_inject_key);
}

static void dxl_inject_count(struct dxl_inject *inject, enum dxl_inject_op op,
			     enum dxl_inject_count what, u64 nr)
{
	atomic64_add(nr, &inject->count[op][what]);
}

/* First bad block of a range, or the end of the range. */
static u64 dxl_inject_first_bad(const struct dxl_inject *inject, u64 first,
				u64 nr)
{
	/* Pairs with dxl_inject_set_bad(): its bits are zero. */
	const unsigned long *bad = smp_load_acquire(&inject->bad);

	/* I/O makes blocks good beside it: each is its own. */
	return bad ? data_race(find_next_bit(bad, first + nr, first)) : first + nr;
}

/**
 * dxl_inject_good() - Media errors of a range are gone.
 * @inject: of the device
 * @first: first block
 * @nr: number of blocks, all on the device
 *
 * Context: Any context.
 * Return: How many blocks were bad.
 */
long dxl_inject_good(const struct dxl_inject *inject, u64 first, u64 nr)
{
	u64 end = first + nr;
	long good = 0;

	while ((first = dxl_inject_first_bad(inject, first, end - first)) < end)
		good += test_and_clear_bit(first, inject->bad);
	return good;
}

/*
 * As pmem.c: what looks at bad media fails, what stores whole blocks makes it
 * good, and a recovering write is told how far it is before.
 */
static long dxl_inject_media(struct dxl_inject *inject, enum dxl_inject_op op,
			     u64 first, u64 nr, unsigned int flags)
{
	bool looks = op == DXL_INJECT_DIRECT_ACCESS || op == DXL_INJECT_READ;
	u64 sound = dxl_inject_first_bad(inject, first, nr) - first;

	if (sound == nr)
		return nr;
	if (flags & DXL_INJECT_RECOVERS)
		return max(sound, 1ULL);
	if (looks || flags & DXL_INJECT_PART) {
		dxl_inject_count(inject, op, DXL_INJECT_MEDIA, 1);
		return op == DXL_INJECT_DIRECT_ACCESS ? -DXL_MEDIA_ERRNO : -EIO;
	}
	dxl_inject_count(inject, op, DXL_INJECT_CLEARED,
			 dxl_inject_good(inject, first, nr));
	return nr;
}

/* The same for the same (seed, rule, nth), whatever other rules do. */
static bool dxl_inject_wins(const struct dxl_inject *inject,
			    const struct dxl_inject_rule *rule, u64 nth)
{
	siphash_key_t key = { { READ_ONCE(inject->seed), 0 } };
	struct {
		u64 nth;
		u64 id;
	} data = { .nth = nth, .id = rule->id };

	return rule->chance == DXL_INJECT_ALWAYS ||
	       reciprocal_scale(siphash(&data, sizeof(data), &key),
				DXL_INJECT_ALWAYS) < rule->chance;
}

static bool dxl_inject_fits(const struct dxl_inject_rule *rule,
			    enum dxl_inject_op op, u64 first, u64 nr)
{
	/* A flush has no blocks, and its rules have all. */
	return rule->op == op &&
	       (!nr || (first <= rule->last && first + nr - 1 >= rule->first)) &&
	       dxl_inject_window_fits(rule);
}

static bool dxl_inject_acts(const struct dxl_inject *inject,
			    struct dxl_inject_rule *rule)
{
	u64 nth = atomic64_inc_return(&rule->hits);

	if (nth <= rule->after || !dxl_inject_wins(inject, rule, nth))
		return false;
	if (rule->counted && !atomic_add_unless(&rule->left, -1, 0))
		return false;
	atomic64_inc(&rule->fired);
	return true;
}

static void dxl_inject_delay(struct dxl_inject *inject, u32 us,
			     unsigned int removals)
{
	if (us < DXL_INJECT_SPIN_US)
		usleep_range(us, us + us / 8 + 1);
	else
		wait_event_killable_timeout(inject->wait,
					    READ_ONCE(inject->removals) != removals,
					    usecs_to_jiffies(us));
}

/**
 * dxl_injected() - What becomes of an operation.
 * @inject: of the device
 * @op: what is asked for
 * @first: first block
 * @nr: number of blocks, all on the device; 0 for flushes
 * @flags: DXL_INJECT_*
 *
 * Context: May sleep.
 * Return: how many blocks may be done, which is fewer than @nr for direct_access
 * only, or a negative errno.
 */
long dxl_injected(struct dxl_inject *inject, enum dxl_inject_op op, u64 first,
		  u64 nr, unsigned int flags)
{
	unsigned int removals = READ_ONCE(inject->removals);
	struct dxl_inject_rule *rule;
	u32 delay_us = 0;
	u64 most = 0;
	int error = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(rule, &inject->rules, list) {
		if (!dxl_inject_fits(rule, op, first, nr))
			continue;
		/* It comes again, and counts then. */
		if (rule->delay_us && flags & DXL_INJECT_NOWAIT) {
			rcu_read_unlock();
			return -EAGAIN;
		}
		if (!dxl_inject_acts(inject, rule))
			continue;
		delay_us = rule->delay_us;
		most = rule->most;
		error = rule->error;
		break;
	}
	rcu_read_unlock();

	if (delay_us) {
		dxl_inject_count(inject, op, DXL_INJECT_DELAYS, 1);
		dxl_inject_delay(inject, delay_us, removals);
	}
	if (error) {
		dxl_inject_count(inject, op, DXL_INJECT_ERRORS, 1);
		return error;
	}
	if (most && most < nr) {
		dxl_inject_count(inject, op, DXL_INJECT_SHORTS, 1);
		nr = most;
	}
	return dxl_inject_media(inject, op, first, nr, flags);
}
