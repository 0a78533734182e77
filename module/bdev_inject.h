/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injection below DAX: errors, delays, short answers and bad media, made by the
 * device, so that any filesystem on it meets them.
 *
 * One file for each device, devices/daxlabN/inject, takes one command a write
 * (echo writes once for a line); reading lists what is there.
 *
 *	op=OP,WORD[,WORD...]	a new rule; it gets the next number
 *	remove=N | remove=all	numbers begin at 1 again after "all"
 *	seed=N			of the chances, of this device; 0 at load
 *	bad=A[-B]		media errors in these blocks
 *	good=A[-B] | good=all	they are gone
 *
 *	OP	direct_access zero recovery: what the dax_device is asked for;
 *		read write flush discard: bios (discard: zeroes as well; flush:
 *		also before a write)
 *	WORD	start=A nr=N	blocks; the operation touches one. Default: all
 *		error=E		the operation fails: EIO ENOSPC ENODATA ETIMEDOUT;
 *				ENOMEM for bios, EHWPOISON for the dax_device
 *		delay=US	it takes this long, up to 10 s; a fatal signal or
 *				a remove= ends it
 *		short=N		direct_access finds no more than N blocks at once
 *		after=N		not the first N times
 *		chance=P%	up to four decimals: PRF(seed, rule, nth time)
 *		times=N		acts N times
 *		window=NAME	only while a task is parked at this window
 *
 * Blocks are of 4 KiB. Of error=, delay= and short= at least one. The first
 * rule that acts decides, in the order of their numbers. What a rule refuses has
 * not been done at all.
 *
 * Bad media behaves as that of drivers/nvdimm/pmem.c: reads and direct_access
 * of a range with a bad block fail; writes, zeroes, discards and recovering
 * writes of whole blocks make blocks good. Whoever has mapped a block before
 * sees nothing of it, since loads and stores do not come by here.
 *
 * devices/daxlabN/injected counts what was done.
 */
#ifndef DXL_BDEV_INJECT_H
#define DXL_BDEV_INJECT_H

#include "key.h"

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/types.h>
#include <linux/wait.h>

struct dentry;
struct dxl_bdev;

/* O(OP, name): the dax_device's first */
#define DXL_INJECT_OP_TABLE(O)						\
	O(DIRECT_ACCESS, "direct_access")				\
	O(ZERO, "zero")							\
	O(RECOVERY, "recovery")						\
	O(READ, "read")							\
	O(WRITE, "write")						\
	O(FLUSH, "flush")						\
	O(DISCARD, "discard")

enum dxl_inject_op {
#define DXL_INJECT_OP_ENUM(op, name) DXL_INJECT_##op,
	DXL_INJECT_OP_TABLE(DXL_INJECT_OP_ENUM)
#undef DXL_INJECT_OP_ENUM
	DXL_NR_INJECT_OPS
};

/* What is counted for each operation. */
enum dxl_inject_count {
	DXL_INJECT_ERRORS,	/* by rules */
	DXL_INJECT_DELAYS,
	DXL_INJECT_SHORTS,
	DXL_INJECT_MEDIA,	/* errors by bad media */
	DXL_INJECT_CLEARED,	/* blocks made good */
	DXL_NR_INJECT_COUNTS
};

#define DXL_INJECT_TEXT		192
#define DXL_INJECT_RULES	64
#define DXL_INJECT_DELAY_MAX	10000000	/* us */
#define DXL_INJECT_ALWAYS	1000000		/* chances are in millionths */

/**
 * struct dxl_inject_rule - one rule; all but the counts is immutable
 * @list: of the device, by @id; looked at under RCU
 * @rcu: frees it
 * @id: its number
 * @op: which operation
 * @first: first block
 * @last: last block
 * @error: negative errno, or 0
 * @delay_us: 0: none
 * @most: blocks of a short answer, or 0
 * @after: operations that it lets pass first
 * @chance: in millionths
 * @window: number of the window, or -1
 * @counted: times= was given
 * @left: of these
 * @hits: operations on its blocks (with window=: while it was occupied)
 * @fired: of these, operations that it acted on
 * @text: as given
 */
struct dxl_inject_rule {
	struct list_head list;
	struct rcu_head rcu;
	unsigned int id;
	enum dxl_inject_op op;
	u64 first;
	u64 last;
	int error;
	u32 delay_us;
	u64 most;
	u64 after;
	u32 chance;
	int window;
	bool counted;
	atomic_t left;
	atomic64_t hits;
	atomic64_t fired;
	char text[DXL_INJECT_TEXT];
};

/**
 * struct dxl_inject - what is injected into a device
 * @lock: guards changes of all but the counts
 * @rules: struct dxl_inject_rule, under RCU
 * @nr_rules: of these
 * @next_id: of the next rule
 * @seed: of the chances
 * @bad: a bit for each bad block; NULL until there was one; bits are changed
 *	atomically, also by I/O
 * @nr_blocks: of the device
 * @live: it holds a reference on dxl_inject_key
 * @removals: bumped by each, which ends delays
 * @wait: for those
 * @count: what was done
 */
struct dxl_inject {
	struct mutex lock;
	struct list_head rules;
	unsigned int nr_rules;
	unsigned int next_id;
	u64 seed;
	unsigned long *bad;
	u64 nr_blocks;
	bool live;
	unsigned int removals;
	wait_queue_head_t wait;
	atomic64_t count[DXL_NR_INJECT_OPS][DXL_NR_INJECT_COUNTS];
};

/**
 * struct dxl_inject_windows - what window= asks the laboratory, if there is one
 * @find: number of a window, or negative
 * @occupied: is a task parked there?
 */
struct dxl_inject_windows {
	int (*find)(const char *name);
	bool (*occupied)(unsigned int window);
};

DXL_KEY_DECLARE(dxl_inject_key);

/* bdev_inject.c */
void dxl_inject_init(struct dxl_inject *inject, u64 nr_blocks);
void dxl_inject_exit(struct dxl_inject *inject);
long dxl_injected(struct dxl_inject *inject, enum dxl_inject_op op, u64 first,
		  u64 nr, unsigned int flags);
long dxl_inject_good(const struct dxl_inject *inject, u64 first, u64 nr);
void dxl_inject_update(struct dxl_inject *inject);

/* Of an operation. */
#define DXL_INJECT_NOWAIT	1	/* -EAGAIN rather than a delay */
#define DXL_INJECT_RECOVERS	2	/* direct_access for a recovering write */
#define DXL_INJECT_PART		4	/* not whole blocks: makes none good */

static __always_inline bool dxl_injecting(void)
{
	return dxl_key_on(dxl_inject_key);
}

/*
 * At each operation. Return: how many of @nr blocks may be done, or a negative
 * errno.
 */
static __always_inline long dxl_inject(struct dxl_inject *inject,
				       enum dxl_inject_op op, u64 first, u64 nr,
				       unsigned int flags)
{
	if (!dxl_injecting())
		return nr;
	return dxl_injected(inject, op, first, nr, flags);
}

/* bdev_inject_rule.c */
const char *dxl_inject_op_name(enum dxl_inject_op op);
int dxl_inject_parse(struct dxl_inject_rule *rule, u64 nr_blocks, char *text,
		     const char **why);
bool dxl_inject_blocks(const char *text, u64 nr_blocks, u64 *first, u64 *last);
void dxl_inject_use_windows(const struct dxl_inject_windows *windows);
bool dxl_inject_window_fits(const struct dxl_inject_rule *rule);

/* bdev_inject_files.c */
void dxl_inject_files(struct dxl_inject *inject, struct dentry *dir);

#endif /* DXL_BDEV_INJECT_H */
