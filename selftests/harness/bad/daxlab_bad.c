// SPDX-License-Identifier: GPL-2.0
/*
 * A module that misbehaves on request, to see whether scripts/check notices:
 * insmod daxlab_bad.ko mode=warn|oops|hang|leak|lose|race|late
 */
#define pr_fmt(fmt) "daxlab_bad: " fmt

#include <linux/completion.h>
#include <linux/console.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *mode = "";
module_param(mode, charp, 0);
MODULE_PARM_DESC(mode, "what to do at load: warn, oops, hang, leak, lose, race or late");

static unsigned int mib;
module_param(mib, uint, 0);
MODULE_PARM_DESC(mib, "how much mode=leak gives away");

static DECLARE_COMPLETION(never);

static unsigned long raced;

static int bad_race(void *done)
{
	unsigned long i;

	for (i = 0; i < 1000000; i++) {
		raced++;
		barrier();
		cond_resched();
	}
	kthread_complete_and_exit(done, 0);
}

static int __init bad_race_two(void)
{
	DECLARE_COMPLETION_ONSTACK(first);
	DECLARE_COMPLETION_ONSTACK(second);

	if (IS_ERR(kthread_run(bad_race, &first, "first")))
		return -ENOMEM;
	if (!IS_ERR(kthread_run(bad_race, &second, "second")))
		wait_for_completion(&second);
	wait_for_completion(&first);
	return 0;
}

/* Hears the line by which the harness ends a test, and speaks before the next one. */
static void bad_late(struct console *console, const char *text, unsigned int length)
{
	if (strnstr(text, "daxlab-test: end ", length))
		pr_err("BUG: asked to strike late\n");
}

static struct console bad_console = {
	.name = "bad",
	.flags = CON_ENABLED,
	.write = bad_late,
};

/* That many, since a pointer to the last may still be on a stack. */
static int __init bad_lose(void)
{
	int i;

	for (i = 0; i < 16; i++)
		if (!kzalloc(512, GFP_KERNEL))
			return -ENOMEM;
	return 0;
}

static int __init bad_init(void)
{
	unsigned int i;

	if (!strcmp(mode, "warn"))
		WARN(1, "asked to warn\n");
	else if (!strcmp(mode, "oops"))
		*(volatile int *)NULL = 0;
	else if (!strcmp(mode, "hang"))
		wait_for_completion(&never);
	else if (!strcmp(mode, "leak"))
		for (i = 0; i < mib; i += 2)
			alloc_pages(GFP_KERNEL, get_order(SZ_2M));
	else if (!strcmp(mode, "lose"))
		return bad_lose();
	else if (!strcmp(mode, "race"))
		return bad_race_two();
	else if (!strcmp(mode, "late"))
		register_console(&bad_console);
	else
		return -EINVAL;
	return 0;
}

static void __exit bad_exit(void)
{
}

module_init(bad_init);
module_exit(bad_exit);

MODULE_DESCRIPTION("Misbehaves on request");
MODULE_LICENSE("GPL");
