// SPDX-License-Identifier: GPL-2.0
/*
 * Injection: the grammar of rules
 */
#include "bdev_inject.h"

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>

static const char * const dxl_inject_op_names[] = {
#define DXL_INJECT_OP_NAME(op, name) name,
	DXL_INJECT_OP_TABLE(DXL_INJECT_OP_NAME)
#undef DXL_INJECT_OP_NAME
};

/*
 * Errors that a device may have, and that no layer above reads as anything
 * else: that of bad memory is no status of a bio, and a fault that is told of no
 * memory comes again for ever.
 */
static const struct {
	const char *name;
	int nr;
	bool dax;
	bool bio;
} dxl_inject_errors[] = {
	{ "EIO", EIO, true, true },
	{ "ENOMEM", ENOMEM, false, true },
	{ "ENOSPC", ENOSPC, true, true },
	{ "ENODATA", ENODATA, true, true },
	{ "ETIMEDOUT", ETIMEDOUT, true, true },
	{ "EHWPOISON", EHWPOISON, true, false },
};

/* Set once, before there is a file to write a rule to. */
static const struct dxl_inject_windows *dxl_inject_lab;

/**
 * dxl_inject_use_windows() - There are windows that rules can name.
 * @windows: lives as long as the module
 *
 * Context: Module load.
 */
void dxl_inject_use_windows(const struct dxl_inject_windows *windows)
{
	dxl_inject_lab = windows;
}

/**
 * dxl_inject_window_fits() - Is the window of a rule occupied, if it has one?
 * @rule: the rule
 *
 * Context: Any context.
 * Return: Whether the rule may act.
 */
bool dxl_inject_window_fits(const struct dxl_inject_rule *rule)
{
	return rule->window < 0 || dxl_inject_lab->occupied(rule->window);
}

/**
 * dxl_inject_op_name() - Name of an operation.
 * @op: the operation
 *
 * Context: Any context.
 * Return: A constant string.
 */
const char *dxl_inject_op_name(enum dxl_inject_op op)
{
	return dxl_inject_op_names[op];
}

/* All of the text is one number, decimal or 0x. */
static bool dxl_inject_number(const char *text, u64 max, u64 *value)
{
	return isdigit(*text) &&
	       !kstrtou64(text, strncmp(text, "0x", 2) ? 10 : 16, value) &&
	       !strchr(text, '\n') && *value <= max;
}

/**
 * dxl_inject_blocks() - Parse A or A-B.
 * @text: the text
 * @nr_blocks: of the device
 * @first: receives A
 * @last: receives B, or A
 *
 * Context: Any context.
 * Return: Whether the text is right, and the blocks on the device.
 */
bool dxl_inject_blocks(const char *text, u64 nr_blocks, u64 *first, u64 *last)
{
	const char *dash = strchr(text, '-');
	char number[24];

	if (!dash) {
		if (!dxl_inject_number(text, nr_blocks - 1, first))
			return false;
		*last = *first;
		return true;
	}
	if (dash - text >= (long)sizeof(number))
		return false;
	strscpy(number, text, dash - text + 1);
	return dxl_inject_number(number, nr_blocks - 1, first) &&
	       dxl_inject_number(dash + 1, nr_blocks - 1, last) &&
	       *first <= *last;
}

/* P%, with up to four decimals. */
static bool dxl_inject_chance(const char *text, u32 *chance)
{
	u32 scale = DXL_INJECT_ALWAYS / 100;
	u32 value = 0, digits;

	for (digits = 0; isdigit(*text) && digits < 3; digits++)
		value = 10 * value + (*text++ - '0');
	if (!digits || value > 100)
		return false;
	value *= scale;
	if (*text == '.') {
		text++;
		if (!isdigit(*text))
			return false;
		for (; isdigit(*text) && scale > 1; text++)
			value += (*text - '0') * (scale /= 10);
	}
	*chance = value;
	return !strcmp(text, "%") && value && value <= DXL_INJECT_ALWAYS;
}

static const char *dxl_inject_set_op(struct dxl_inject_rule *rule,
				     const char *value)
{
	int op = match_string(dxl_inject_op_names, DXL_NR_INJECT_OPS, value);

	if (op < 0)
		return "op=direct_access|zero|recovery|read|write|flush|discard";
	rule->op = op;
	return NULL;
}

static const char *dxl_inject_set_error(struct dxl_inject_rule *rule,
					const char *value)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_inject_errors); i++) {
		if (strcmp(value, dxl_inject_errors[i].name))
			continue;
		if (rule->op < DXL_INJECT_READ && !dxl_inject_errors[i].dax)
			return "this error is for bios";
		if (rule->op >= DXL_INJECT_READ && !dxl_inject_errors[i].bio)
			return "this error is for direct_access, zero and recovery";
		rule->error = -dxl_inject_errors[i].nr;
		return NULL;
	}
	return "error=EIO|ENOMEM|ENOSPC|ENODATA|ETIMEDOUT|EHWPOISON";
}

static const char dxl_inject_no_blocks[] = "a flush has no blocks";

/* Kept in ->last until all is read: start= may come later. */
static const char *dxl_inject_set_nr(struct dxl_inject_rule *rule,
				     const char *value)
{
	if (rule->op == DXL_INJECT_FLUSH)
		return dxl_inject_no_blocks;
	return dxl_inject_number(value, U64_MAX, &rule->last) && rule->last ?
		NULL : "nr= takes a number of blocks, from 1";
}

static const char *dxl_inject_set_start(struct dxl_inject_rule *rule,
					const char *value)
{
	if (rule->op == DXL_INJECT_FLUSH)
		return dxl_inject_no_blocks;
	return dxl_inject_number(value, U64_MAX, &rule->first) ?
		NULL : "start= takes a block";
}

static const char *dxl_inject_set_delay(struct dxl_inject_rule *rule,
					const char *value)
{
	u64 us;

	if (!dxl_inject_number(value, DXL_INJECT_DELAY_MAX, &us) || !us)
		return "delay= takes us, from 1 to 10000000";
	rule->delay_us = us;
	return NULL;
}

static const char *dxl_inject_set_short(struct dxl_inject_rule *rule,
					const char *value)
{
	if (rule->op != DXL_INJECT_DIRECT_ACCESS)
		return "short= is for direct_access";
	return dxl_inject_number(value, U64_MAX, &rule->most) && rule->most ?
		NULL : "short= takes a number of blocks, from 1";
}

static const char *dxl_inject_set_after(struct dxl_inject_rule *rule,
					const char *value)
{
	return dxl_inject_number(value, U64_MAX, &rule->after) ?
		NULL : "after= takes a number";
}

static const char *dxl_inject_set_chance(struct dxl_inject_rule *rule,
					 const char *value)
{
	return dxl_inject_chance(value, &rule->chance) ?
		NULL : "chance= takes a percentage above 0%, to 100%";
}

static const char *dxl_inject_set_times(struct dxl_inject_rule *rule,
					const char *value)
{
	u64 times;

	if (!dxl_inject_number(value, INT_MAX, &times) || !times)
		return "times= takes a number, from 1";
	rule->counted = true;
	atomic_set(&rule->left, times);
	return NULL;
}

static const char *dxl_inject_set_window(struct dxl_inject_rule *rule,
					 const char *value)
{
	rule->window = dxl_inject_lab->find(value);
	return rule->window < 0 ? "window=: there is no such window" : NULL;
}

/* "op" first: what others take depends on it. */
static const struct {
	const char *key;
	const char *(*set)(struct dxl_inject_rule *rule, const char *value);
} dxl_inject_keys[] = {
	{ "op", dxl_inject_set_op },
	{ "start", dxl_inject_set_start },
	{ "nr", dxl_inject_set_nr },
	{ "error", dxl_inject_set_error },
	{ "delay", dxl_inject_set_delay },
	{ "short", dxl_inject_set_short },
	{ "after", dxl_inject_set_after },
	{ "chance", dxl_inject_set_chance },
	{ "times", dxl_inject_set_times },
	{ "window", dxl_inject_set_window },
};

static const char *dxl_inject_word(struct dxl_inject_rule *rule, char *word,
				   unsigned long *seen)
{
	char *value = strchr(word, '=');
	unsigned int i;

	if (!value)
		return "words are KEY=VALUE, with commas between";
	*value++ = '\0';
	for (i = 0; i < ARRAY_SIZE(dxl_inject_keys); i++) {
		if (strcmp(word, dxl_inject_keys[i].key))
			continue;
		if (*seen & BIT(i))
			return "a key is there twice";
		if (!*seen && i)
			return "op= comes first";
		*seen |= BIT(i);
		return dxl_inject_keys[i].set(rule, value);
	}
	return "keys: op start nr error delay short after chance times window";
}

/* Blocks, when all words are known. */
static const char *dxl_inject_range(struct dxl_inject_rule *rule, u64 nr_blocks)
{
	if (rule->first >= nr_blocks || rule->last > nr_blocks - rule->first)
		return "these blocks are not on the device";
	rule->last = rule->last ? rule->first + rule->last - 1 : nr_blocks - 1;
	return NULL;
}

/**
 * dxl_inject_parse() - Make a rule from its text.
 * @rule: zeroed
 * @nr_blocks: of the device
 * @text: the text, which is torn to pieces
 * @why: set to the reason if there is an error
 *
 * Context: Any context.
 * Return: 0 or -EINVAL.
 */
int dxl_inject_parse(struct dxl_inject_rule *rule, u64 nr_blocks, char *text,
		     const char **why)
{
	unsigned long seen = 0;
	char *word;

	rule->window = -1;
	rule->chance = DXL_INJECT_ALWAYS;
	*why = NULL;
	while (!*why && (word = strsep(&text, ",")))
		*why = dxl_inject_word(rule, skip_spaces(word), &seen);
	if (!*why)
		*why = dxl_inject_range(rule, nr_blocks);
	if (!*why && !rule->error && !rule->delay_us && !rule->most)
		*why = "at least one of error=, delay=, short=";
	return *why ? -EINVAL : 0;
}
