// SPDX-License-Identifier: GPL-2.0
/*
 * All scenarios, as lists and as stories; catalog.h says what each function does.
 */
#include "catalog.h"

#include "json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct scenario *const *const groups[] = {
	scenarios_a, scenarios_b, scenarios_c, scenarios_d, scenarios_e, scenarios_f, scenarios_t,
};

const struct scenario *scenario_nth(unsigned int n)
{
	unsigned int group, i;

	for (group = 0; group < sizeof(groups) / sizeof(*groups); group++)
		for (i = 0; groups[group][i]; i++)
			if (!n--)
				return groups[group][i];
	return NULL;
}

const struct scenario *scenario_find(const char *word)
{
	const struct scenario *s;
	unsigned int n;

	for (n = 0; (s = scenario_nth(n)); n++)
		if (!strcasecmp(word, s->id) || !strcasecmp(word, s->name))
			return s;
	return NULL;
}

const struct expectation *scenario_expects(const struct scenario *scenario, const char *variant)
{
	const struct expectation *e;

	for (e = scenario->expect; e->variant; e++)
		if (!strcmp(e->variant, variant))
			return e;
	return NULL;
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const name[] = {
		[PASSED] = "passed", [CAUGHT] = "caught", [INCONCLUSIVE] = "inconclusive",
	};

	return name[outcome];
}

static void list_json(void)
{
	struct json json = { .out = stdout };
	const struct expectation *e;
	const struct scenario *s;
	unsigned int n, i;

	json_array(&json, NULL);
	for (n = 0; (s = scenario_nth(n)); n++) {
		json_object(&json, NULL);
		json_string(&json, "id", s->id);
		json_string(&json, "name", s->name);
		json_string(&json, "title", s->title);
		json_array(&json, "roles");
		for (i = 0; i < MAX_ROLES && s->role[i].name; i++) {
			json_object(&json, NULL);
			json_string(&json, "name", s->role[i].name);
			json_string(&json, "does", s->role[i].does);
			json_string(&json, "shares", s->role[i].shares);
			json_close(&json, '}');
		}
		json_close(&json, ']');
		json_array(&json, "windows");
		for (i = 0; s->windows && s->windows[i]; i++)
			json_string(&json, NULL, s->windows[i] + (*s->windows[i] == '?'));
		json_close(&json, ']');
		json_array(&json, "expected");
		for (e = s->expect; e->variant; e++) {
			json_object(&json, NULL);
			json_string(&json, "variant", e->variant);
			json_string(&json, "outcome", outcome_name(e->outcome));
			json_string(&json, "verdict", e->verdict);
			json_string(&json, "note", e->note);
			json_close(&json, '}');
		}
		json_close(&json, ']');
		json_close(&json, '}');
	}
	json_close(&json, ']');
}

void catalog_list(bool as_json)
{
	int id = 0, name = 0, len;
	const struct scenario *s;
	unsigned int n;

	if (as_json) {
		list_json();
		return;
	}
	for (n = 0; (s = scenario_nth(n)); n++) {
		len = strlen(s->id);
		id = len > id ? len : id;
		len = strlen(s->name);
		name = len > name ? len : name;
	}
	for (n = 0; (s = scenario_nth(n)); n++)
		printf("%-*s  %-*s  %s\n", id, s->id, name, s->name, s->title);
}

/* Paragraphs as they are, two columns in. */
static void indented(const char *head, const char *text)
{
	const char *end;

	if (!text || !*text)
		return;
	printf("\n%s\n", head);
	for (; *text; text = *end ? end + 1 : end) {
		end = text + strcspn(text, "\n");
		printf("%s%.*s\n", end > text ? "  " : "", (int)(end - text), text);
	}
}

static const char *const mapping_name[] = {
	[MAP_NONE] = "no mapping",
	[MAP_PMDS] = "maps it aligned: PMDs fit",
	[MAP_PTES] = "maps it a page off: PTEs only",
	[MAP_PRIVATE_PMDS] = "maps it aligned and private",
	[MAP_MISALIGNED] = "maps it 1 MiB off",
};

static void show_expected(const struct scenario *s)
{
	const struct expectation *e;

	printf("\nExpected, variant by variant\n");
	for (e = s->expect; e->variant; e++) {
		printf("  %-40s %s%s%s\n", e->variant, outcome_name(e->outcome),
		       e->verdict ? ": " : "", e->verdict ?: "");
		if (e->note)
			printf("      %s\n", e->note);
	}
	if (!scenario_expects(s, "sound"))
		printf("  %-40s passed\n", "sound");
	printf("  %-40s passed\n", "sound (not held)");
}

void catalog_show(const struct scenario *s)
{
	const struct role_spec *role;
	unsigned int i;

	printf("%s %s\n%s\n", s->id, s->name, s->title);
	indented("Story", s->story);
	printf("\nRoles (file of %lu pages, a hole at first%s)\n", s->pages ?: 2 * PMD_PAGES,
	       s->page_cache ? ", in page-cache mode" : "");
	for (role = s->role; role < s->role + MAX_ROLES && role->name; role++) {
		printf("  %-12s %s\n", role->name, role->does ?: "");
		if (role->shares)
			printf("  %-12s (a thread of %s)\n", "", role->shares);
		else
			printf("  %-12s (%s)\n", "", mapping_name[role->map]);
	}
	indented("Interleaving", s->interleaving);
	if (s->windows && *s->windows)
		printf("\nWindows, in order\n");
	for (i = 0; s->windows && s->windows[i]; i++)
		printf("  %s%s\n", s->windows[i] + (*s->windows[i] == '?'),
		       *s->windows[i] == '?' ? "  (in some variants only)" : "");
	show_expected(s);
	indented("References", s->references);
}
