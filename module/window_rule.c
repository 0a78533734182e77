// SPDX-License-Identifier: GPL-2.0
/*
 * Rules: the grammar, and which term acts
 */
#include "window_rule.h"
#include "entry.h"

#include <linux/ctype.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/siphash.h>
#include <linux/string.h>

/*
 * Errors that a path may have met by itself. Others would be misread on their
 * way out: -EIOCBQUEUED, for one, is a promise.
 */
static const struct {
	const char *name;
	int nr;
} dxl_errors[] = {
	{ "EIO", EIO },
	{ "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC },
	{ "EDEADLK", EDEADLK },
	{ "EHWPOISON", EHWPOISON },
};

/* Take @word off the text. */
static bool dxl_take(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len))
		return false;
	*text += len;
	return true;
}

/* Take a number, decimal or 0x; false if there is none, or it is too large. */
static bool dxl_take_number(const char **text, u64 max, u64 *value)
{
	char digits[24];
	size_t len = 0;

	while (isalnum((*text)[len]))
		len++;
	if (!len || len >= sizeof(digits) || !isdigit(**text))
		return false;
	memcpy(digits, *text, len);
	digits[len] = '\0';
	if (kstrtou64(digits, strncmp(digits, "0x", 2) ? 10 : 16, value))
		return false;
	if (*value > max)
		return false;
	*text += len;
	return true;
}

/* [N*][p%], p with up to four decimals. */
static const char *dxl_parse_prefix(const char **text, struct dxl_term *term)
{
	bool chance = false;

	term->chance = DXL_CHANCE_ALWAYS;
	while (isdigit(**text)) {
		u64 value, scale = DXL_CHANCE_ALWAYS / 100;

		if (!dxl_take_number(text, INT_MAX, &value))
			return "the number before the action is none";
		if (dxl_take(text, "*")) {
			if (term->counted || !value)
				return "N* takes one number from 1";
			term->counted = true;
			atomic_set(&term->left, value);
			continue;
		}
		if (chance || value > 100)
			return "p% takes one number from 0 to 100";
		value *= scale;
		if (dxl_take(text, "."))
			for (; isdigit(**text) && scale > 1; (*text)++)
				value += (**text - '0') * (scale /= 10);
		if (!dxl_take(text, "%") || value > DXL_CHANCE_ALWAYS)
			return "the number before the action is neither N* nor p%";
		chance = true;
		term->chance = value;
	}
	return NULL;
}

static const char *dxl_parse_error(const char **text, struct dxl_term *term)
{
	u64 value;
	unsigned int i;

	if (!dxl_take(text, "(-"))
		return "error wants (-E)";
	if (isdigit(**text) && dxl_take_number(text, MAX_ERRNO, &value))
		for (i = 0; i < ARRAY_SIZE(dxl_errors); i++)
			if (dxl_errors[i].nr == value)
				term->arg = -dxl_errors[i].nr;
	for (i = 0; i < ARRAY_SIZE(dxl_errors) && !term->arg; i++)
		if (dxl_take(text, dxl_errors[i].name))
			term->arg = -dxl_errors[i].nr;
	if (!term->arg)
		return "error takes EIO, ENOMEM, ENOSPC, EDEADLK, EHWPOISON";
	return dxl_take(text, ")") ? NULL : "')' is missing after the error";
}

/* A number in parentheses, or a default. */
static const char *dxl_parse_time(const char **text, struct dxl_term *term,
				  u64 max, bool needed)
{
	u64 value;

	if (!dxl_take(text, "("))
		return needed ? "delay wants (us)" : NULL;
	if (!dxl_take_number(text, max, &value) || !value)
		return "the time is no number, or too long";
	term->arg = value;
	return dxl_take(text, ")") ? NULL : "')' is missing after the time";
}

static const char *dxl_parse_action(const char **text, struct dxl_term *term)
{
	if (dxl_take(text, "off")) {
		term->action = DXL_ACT_OFF;
	} else if (dxl_take(text, "trace")) {
		term->action = DXL_ACT_TRACE;
	} else if (dxl_take(text, "yield")) {
		term->action = DXL_ACT_YIELD;
	} else if (dxl_take(text, "fallback")) {
		term->action = DXL_ACT_FALLBACK;
	} else if (dxl_take(text, "error")) {
		term->action = DXL_ACT_ERROR;
		return dxl_parse_error(text, term);
	} else if (dxl_take(text, "delay")) {
		term->action = DXL_ACT_DELAY;
		return dxl_parse_time(text, term, DXL_DELAY_US_MAX, true);
	} else if (dxl_take(text, "park")) {
		term->action = DXL_ACT_PARK;
		term->arg = DXL_PARK_MS;
		return dxl_parse_time(text, term, DXL_PARK_MS_MAX, false);
	} else {
		return "no such action: off trace error delay yield park fallback";
	}
	return NULL;
}

static bool dxl_take_name(const char **text, char *name)
{
	size_t len = strcspn(*text, ",}");

	if (!len || len >= DXL_ROLE_NAME)
		return false;
	memcpy(name, *text, len);
	name[len] = '\0';
	*text += len;
	return dxl_role_name_ok(name);
}

static bool dxl_take_range(const char **text, pgoff_t *first, pgoff_t *last)
{
	u64 value;

	if (!dxl_take_number(text, ULONG_MAX, &value))
		return false;
	*first = value;
	*last = value;
	if (!dxl_take(text, "-"))
		return true;
	if (!dxl_take_number(text, ULONG_MAX, &value) || value < *first)
		return false;
	*last = value;
	return true;
}

/* Returns the bit of the selector, or 0 if it is wrong. */
static unsigned int dxl_parse_selector(const char **text, struct dxl_term *term)
{
	u64 value;

	if (dxl_take(text, "role="))
		return dxl_take_name(text, term->role) ? DXL_SEL_ROLE : 0;
	if (dxl_take(text, "index="))
		return dxl_take_range(text, &term->first, &term->last) ?
			DXL_SEL_INDEX : 0;
	if (dxl_take(text, "rw=")) {
		term->access = **text == 'r' ? DXL_ACCESS_READ :
			       DXL_ACCESS_WRITE;
		return dxl_take(text, "r") || dxl_take(text, "w") ?
			DXL_SEL_RW : 0;
	}
	if (dxl_take(text, "pid=")) {
		if (!dxl_take_number(text, INT_MAX, &value))
			return 0;
		term->pid = value;
		return DXL_SEL_PID;
	}
	if (dxl_take(text, "ino=")) {
		if (!dxl_take_number(text, ULONG_MAX, &value))
			return 0;
		term->ino = value;
		return DXL_SEL_INO;
	}
	if (dxl_take(text, "order=")) {
		if (!dxl_take_number(text, DXL_PMD_ORDER, &value) ||
		    (value && value != DXL_PMD_ORDER))
			return 0;
		term->order = value;
		return DXL_SEL_ORDER;
	}
	return 0;
}

static const char *dxl_parse_selectors(const char **text, struct dxl_term *term)
{
	unsigned int bit;

	if (!dxl_take(text, "{"))
		return NULL;
	do {
		bit = dxl_parse_selector(text, term);
		if (!bit || term->selectors & bit)
			return "selectors: {role=,pid=,ino=,index=a-b,order=0|9,rw=r|w}, each once";
		term->selectors |= bit;
	} while (dxl_take(text, ","));
	return dxl_take(text, "}") ? NULL : "'}' is missing";
}

/* May this be done at that window? */
static const char *dxl_refuse_term(const struct dxl_term *term,
				   unsigned int flags)
{
	bool sleeps = term->action == DXL_ACT_PARK ||
		      term->action == DXL_ACT_YIELD ||
		      (term->action == DXL_ACT_DELAY &&
		       term->arg > DXL_DELAY_SPIN_US);

	if (sleeps && !(flags & DXL_WIN_SLEEP))
		return "a spinlock is held at this window: nobody can sleep there";
	if (term->action == DXL_ACT_ERROR && !(flags & DXL_WIN_ERROR))
		return "the path takes no error from this window";
	if (term->action == DXL_ACT_FALLBACK && !(flags & DXL_WIN_FALLBACK))
		return "the path cannot fall back from this window";
	return NULL;
}

static const char *dxl_parse_terms(struct dxl_rule *rule)
{
	const char *text = rule->text, *why;
	struct dxl_term *term;

	do {
		if (rule->nr == DXL_RULE_TERMS)
			return "too many terms";
		term = &rule->term[rule->nr++];
		why = dxl_parse_prefix(&text, term);
		if (!why)
			why = dxl_parse_action(&text, term);
		if (!why)
			why = dxl_parse_selectors(&text, term);
		if (!why)
			why = dxl_refuse_term(term, dxl_window_flags(rule->window));
		if (why)
			return why;
	} while (dxl_take(&text, " -> "));
	return *text ? "there is more after the last term" : NULL;
}

/**
 * dxl_rule_parse() - Make the terms of a rule from its text.
 * @rule: zeroed, but for .text and .window
 * @why: set to the reason if there is an error
 *
 * Context: Any context.
 * Return: 0 or -EINVAL.
 */
int dxl_rule_parse(struct dxl_rule *rule, const char **why)
{
	*why = dxl_parse_terms(rule);
	return *why ? -EINVAL : 0;
}

static bool dxl_term_fits(const struct dxl_term *term,
			  const struct dxl_hit *hit)
{
	unsigned int selectors = term->selectors;
	pgoff_t first = hit->index & ~((1UL << hit->order) - 1);
	pgoff_t last = first + (1UL << hit->order) - 1;

	if (selectors & DXL_SEL_ROLE && strcmp(term->role, hit->role))
		return false;
	if (selectors & DXL_SEL_PID && term->pid != current->pid)
		return false;
	if (selectors & DXL_SEL_INO && term->ino != hit->tree->ino)
		return false;
	if (selectors & DXL_SEL_INDEX &&
	    (last < term->first || first > term->last))
		return false;
	if (selectors & DXL_SEL_ORDER && term->order != hit->order)
		return false;
	if (selectors & DXL_SEL_RW && term->access != hit->access)
		return false;
	/* A fault of one page has nothing to fall back to. */
	return term->action != DXL_ACT_FALLBACK || hit->order == DXL_PMD_ORDER;
}

/*
 * The same for the same (seed, role, window, nth hit, term), whatever other
 * tasks do: a run can be played again.
 */
static bool dxl_term_wins(const struct dxl_rule *rule, unsigned int nr,
			  const struct dxl_hit *hit, u64 nth)
{
	siphash_key_t key = { { READ_ONCE(rule->session->seed), 0 } };
	struct {
		char role[DXL_ROLE_NAME];
		u64 nth;
		u32 window;
		u32 term;
	} data = { .nth = nth, .window = hit->window, .term = nr };

	if (rule->term[nr].chance == DXL_CHANCE_ALWAYS)
		return true;
	memcpy(data.role, hit->role, sizeof(data.role));
	return reciprocal_scale(siphash(&data, sizeof(data), &key),
				DXL_CHANCE_ALWAYS) < rule->term[nr].chance;
}

/**
 * dxl_rule_decide() - What a rule does about a crossing.
 * @rule: armed at this window, for this mount
 * @hit: the crossing
 *
 * Context: Any context, under RCU.
 * Return: The term that acts, or NULL.
 */
struct dxl_term *dxl_rule_decide(struct dxl_rule *rule,
				 const struct dxl_hit *hit)
{
	u64 hits = atomic64_inc_return(&rule->hits);
	unsigned int i;

	for (i = 0; i < rule->nr; i++) {
		struct dxl_term *term = &rule->term[i];

		if (!dxl_term_fits(term, hit) ||
		    !dxl_term_wins(rule, i, hit, hit->nth ?: hits))
			continue;
		if (term->counted && !atomic_add_unless(&term->left, -1, 0))
			continue;
		atomic64_inc(&rule->fired);
		return term;
	}
	return NULL;
}
