// SPDX-License-Identifier: GPL-2.0
/*
 * Variants: names, profiles, and the switch that makes them cost nothing
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "variant.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/printk.h>
#include <linux/seq_file.h>
#include <linux/string.h>

DXL_KEY_DEFINE(dxl_varied_key);

struct dxl_choice_info {
	const char *name;
	const char *help;
};

#define DXL_CHOICE_INFO(knob, choice, name, help) { name, help },
#define DXL_KNOB_INFO(knob, name, meaning)				\
	static const struct dxl_choice_info dxl_choices_##knob[] = {	\
		DXL_CHOICES_##knob(DXL_CHOICE_INFO)			\
	};
DXL_KNOB_TABLE(DXL_KNOB_INFO)
#undef DXL_KNOB_INFO
#undef DXL_CHOICE_INFO

static const struct {
	const char *name;
	const char *meaning;
	const struct dxl_choice_info *choice;
	unsigned int nr;
} dxl_knobs[] = {
#define DXL_KNOB_ROW(knob, name, meaning)				\
	{ name, meaning, dxl_choices_##knob, DXL_NR_##knob },
	DXL_KNOB_TABLE(DXL_KNOB_ROW)
#undef DXL_KNOB_ROW
};

/*
 * What kernels had, as far as our paths have the step, and what was proposed.
 * A profile is written as users write choices.
 */
static const struct {
	const char *name;
	const char *choices;
	const char *help;
} dxl_profiles[] = {
	{ "sound", "", "every choice sound; not the same as upstream" },
	{ "v4.9", "hole_page=wake_one,map_order=inside,recheck=none,colour=late,invalidate=skip_uncounted,towrite=at_lock,layout=none,evict_pinned=free",
	  "hole pages that wake one (fixed in v4.10)" },
	{ "v4.11", "wake_removal=next,map_order=before,recheck=none,colour=late,invalidate=skip_uncounted,evict=clean,towrite=at_lock,protect=head,layout=none,evict_pinned=free",
	  "the 2017 races: stale holes, colliding sizes, eviction of mapped entries" },
	{ "v4.12", "wake_removal=next,colour=late,towrite=at_lock,protect=head,layout=none,evict_pinned=free",
	  "after their fixes, but misaligned PMD faults" },
	{ "v4.20", "wait_key=searcher,order_rule=wait_own,wake_removal=next,downgrade=sticky,scan=positioned,sync_scan=positioned,towrite=at_lock,protect=raw_head,busy_scan=mapped,evict_pinned=free,associate=always",
	  "the 2019 hang: sleeper and waker on different keys" },
	{ "v5.3-rc1", "put=inverted,order_rule=before_null,wake_removal=next,scan=positioned,sync_scan=positioned,towrite=at_lock,protect=head,busy_scan=mapped,evict_pinned=free",
	  "the 2019 fix as it was merged" },
	{ "v5.3", "order_rule=before_null,wake_removal=next,scan=positioned,sync_scan=positioned,towrite=at_lock,protect=head,busy_scan=mapped,evict_pinned=free",
	  "no huge mapping ever" },
	{ "v5.4", "wake_removal=next,scan=positioned,sync_scan=positioned,towrite=at_lock,protect=head,busy_scan=mapped,evict_pinned=free",
	  "until the wake-all of v5.13" },
	{ "v5.13", "scan=positioned,sync_scan=positioned,towrite=at_lock,protect=head,busy_scan=mapped,evict_pinned=free",
	  "as it stayed until v5.18" },
	{ "upstream-6.1", "scan=positioned,sync_scan=positioned,towrite=at_lock,busy_scan=mapped,evict_pinned=free",
	  "Linux 6.1 with its open bugs" },
	{ "upstream-6.12", "scan=positioned,sync_scan=positioned,towrite=at_lock,busy_scan=mapped,evict_pinned=free",
	  "Linux 6.12 with its open bugs" },
	{ "v6.15", "scan=pause,sync_scan=positioned,towrite=at_lock,busy_scan=untested,evict_pinned=wait",
	  "scans that reload the neighbour" },
	{ "upstream-7.3", "sync_scan=positioned,towrite=at_lock,busy_scan=entries,evict_pinned=wait",
	  "Linux 7.3 with its open bugs" },
	{ "naive-mask", "wait_key=masked,order_rule=wait_own",
	  "2019: always mask the index (survived testing for weeks)" },
	{ "naive-mask-all", "wait_key=masked_all,order_rule=any_order",
	  "2019: mask, and wake all" },
	{ "kara-any-order", "order_rule=any_order",
	  "2019: wait for entries of any order on their own key" },
	{ "wilcox-return-locked", "order_rule=return_locked",
	  "4 July 2019: return the locked smaller entry" },
	{ "goyal-v1", "wake_removal=next_gone",
	  "2021: put even if the entry is gone" },
	{ "both-keys", "wake_removal=both_keys",
	  "2021: wake the exact and the aligned key" },
};

/**
 * dxl_knob_name() - The name of a knob.
 * @knob: the knob
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_knob_name(enum dxl_knob knob)
{
	return dxl_knobs[knob].name;
}

/**
 * dxl_choice_name() - The name of a choice.
 * @knob: the knob
 * @choice: its number
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_choice_name(enum dxl_knob knob, unsigned int choice)
{
	return dxl_knobs[knob].choice[choice].name;
}

/**
 * dxl_knob_find() - The knob of a name.
 * @name: as in the table
 *
 * Context: Any context.
 * Return: enum dxl_knob or -EINVAL.
 */
int dxl_knob_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_knobs); i++)
		if (!strcmp(name, dxl_knobs[i].name))
			return i;
	return -EINVAL;
}

/**
 * dxl_choice_find() - The choice of a name.
 * @knob: the knob
 * @name: as in the table
 *
 * Context: Any context.
 * Return: number of the choice or -EINVAL.
 */
int dxl_choice_find(enum dxl_knob knob, const char *name)
{
	unsigned int i;

	for (i = 0; i < dxl_knobs[knob].nr; i++)
		if (!strcmp(name, dxl_knobs[knob].choice[i].name))
			return i;
	return -EINVAL;
}

static const char *dxl_profile_choices(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_profiles); i++)
		if (!strcmp(name, dxl_profiles[i].name))
			return dxl_profiles[i].choices;
	return NULL;
}

/**
 * dxl_variant_choose() - Change one choice.
 * @knob: of which knob
 * @name: of the choice
 * @variant: changed, unless there is an error
 *
 * Context: Any context.
 * Return: 0; -EINVAL, with a line in the log.
 */
int dxl_variant_choose(enum dxl_knob knob, const char *name,
		       struct dxl_variant *variant)
{
	int choice = dxl_choice_find(knob, name);

	if (choice < 0) {
		pr_err_ratelimited("variant: knob %s has no choice '%.32s'\n",
				   dxl_knob_name(knob), name);
		return -EINVAL;
	}
	variant->choice[knob] = choice;
	return 0;
}

/* One word: KNOB=CHOICE, or a profile, which sets all knobs. */
static int dxl_variant_word(char *word, struct dxl_variant *variant)
{
	const char *choices = dxl_profile_choices(word);
	char *name = strsep(&word, "=");
	int knob;

	if (choices) {
		memset(variant, 0, sizeof(*variant));
		return dxl_variant_parse(choices, variant);
	}
	knob = dxl_knob_find(name);
	if (knob < 0 || !word) {
		pr_err_ratelimited("variant: '%.32s' is %s\n", name,
				   knob < 0 ? "no profile and no knob" :
				   "a knob: KNOB=CHOICE");
		return -EINVAL;
	}
	return dxl_variant_choose(knob, word, variant);
}

#define DXL_VARIANT_TEXT	1024

/**
 * dxl_variant_parse() - Read "PROFILE", "KNOB=CHOICE", or several with commas.
 * @text: what a user wrote
 * @variant: changed word by word; as it was if there is an error
 *
 * Context: May sleep.
 * Return: 0; -EINVAL, with a line in the log; -E2BIG; -ENOMEM.
 */
int dxl_variant_parse(const char *text, struct dxl_variant *variant)
{
	struct dxl_variant new = *variant;
	char *copy, *rest, *word;
	int err = 0;

	if (strlen(text) >= DXL_VARIANT_TEXT)
		return -E2BIG;
	copy = kstrdup(text, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = strim(copy);
	while (!err && *rest && (word = strsep(&rest, ","))) {
		err = dxl_variant_word(word, &new);
		if (!rest)
			break;
	}
	kfree(copy);
	if (!err)
		*variant = new;
	return err;
}

/**
 * dxl_variant_is_sound() - Is every choice the sound one?
 * @variant: choices
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_variant_is_sound(const struct dxl_variant *variant)
{
	return !memchr_inv(variant, 0, sizeof(*variant));
}

/**
 * dxl_variant_set() - Change the choices of a mount, for which the key is on.
 * @variant: that of the mount
 * @to: new choices
 *
 * Context: Any context. The caller serialises changes of one mount.
 */
void dxl_variant_set(struct dxl_variant *variant, const struct dxl_variant *to)
{
	unsigned int i;

	for (i = 0; i < DXL_NR_KNOBS; i++)
		WRITE_ONCE(variant->choice[i], to->choice[i]);
}

/**
 * dxl_variant_profile() - The profile that has exactly these choices.
 * @variant: choices
 *
 * Context: May sleep.
 * Return: Its name, or "custom".
 */
const char *dxl_variant_profile(const struct dxl_variant *variant)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_profiles); i++) {
		struct dxl_variant profile = {};

		if (!dxl_variant_parse(dxl_profiles[i].choices, &profile) &&
		    !memcmp(&profile, variant, sizeof(profile)))
			return dxl_profiles[i].name;
	}
	return "custom";
}

/**
 * dxl_variant_show() - "knob choice" lines, the profile first.
 * @seq: where to
 * @variant: choices
 *
 * Context: May sleep.
 */
void dxl_variant_show(struct seq_file *seq, const struct dxl_variant *variant)
{
	unsigned int i;

	seq_printf(seq, "profile %s\n", dxl_variant_profile(variant));
	for (i = 0; i < DXL_NR_KNOBS; i++)
		seq_printf(seq, "%s %s\n", dxl_knobs[i].name,
			   dxl_choice_name(i, READ_ONCE(variant->choice[i])));
}

/**
 * dxl_variant_options() - ",KNOB=CHOICE" for what is not sound: mount options.
 * @seq: where to
 * @variant: choices
 *
 * Context: Any context.
 */
void dxl_variant_options(struct seq_file *seq,
			 const struct dxl_variant *variant)
{
	unsigned int i, choice;

	for (i = 0; i < DXL_NR_KNOBS; i++) {
		choice = READ_ONCE(variant->choice[i]);
		if (choice)
			seq_printf(seq, ",%s=%s", dxl_knobs[i].name,
				   dxl_choice_name(i, choice));
	}
}

/**
 * dxl_knobs_show() - Everything that can be chosen, with help.
 * @seq: where to
 *
 * Context: May sleep.
 */
void dxl_knobs_show(struct seq_file *seq)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(dxl_knobs); i++) {
		seq_printf(seq, "knob %s: %s\n", dxl_knobs[i].name,
			   dxl_knobs[i].meaning);
		for (j = 0; j < dxl_knobs[i].nr; j++)
			seq_printf(seq, "  %s=%s: %s\n", dxl_knobs[i].name,
				   dxl_knobs[i].choice[j].name,
				   dxl_knobs[i].choice[j].help);
	}
	for (i = 0; i < ARRAY_SIZE(dxl_profiles); i++)
		seq_printf(seq, "profile %s: %s%s%s\n", dxl_profiles[i].name,
			   dxl_profiles[i].help,
			   *dxl_profiles[i].choices ? "; " : "",
			   dxl_profiles[i].choices);
}
