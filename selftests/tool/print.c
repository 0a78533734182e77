// SPDX-License-Identifier: GPL-2.0
/*
 * Results for people and for programs; print.h says what each function does.
 */
#include "print.h"

#include <string.h>
#include <unistd.h>

static bool progress_shown;

void print_progress(const struct series *series, unsigned long repeat)
{
	char label[1100];

	if (!isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s %.60s: run %lu of %lu", series->scenario->id,
		series_label(series, label, sizeof(label)), series->runs + 1, repeat);
	progress_shown = true;
}

void print_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}

void print_indented(FILE *out, const char *text, int columns)
{
	size_t len;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		fprintf(out, "%*s%.*s\n", len ? columns : 0, "", (int)len, text);
	}
}

void print_scenario(const struct scenario *scenario)
{
	printf("%s %s: %s\n", scenario->id, scenario->name, scenario->title);
}

static void print_finding(const char *head, const struct finding *finding)
{
	printf("  %s%s%s%s%s%s\n", head, outcome_name(finding->outcome),
	       finding->verdict[0] ? ": " : "", finding->verdict,
	       finding->sentence[0] ? ": " : "", finding->sentence);
}

static void print_odd(const struct series *series)
{
	const struct expectation *expect = series->expect;

	if (!series->unexpected)
		return;
	printf("  NOT EXPECTED in %lu of %lu runs, first in run %lu:\n", series->unexpected,
	       series->runs, series->odd_number + 1);
	print_finding("    ", &series->odd);
	if (expect)
		printf("    expected: %s%s%s\n", outcome_name(expect->outcome),
		       expect->verdict ? ": " : "", expect->verdict ?: "");
	if (series->odd_words)
		print_indented(stdout, series->odd_words, 6);
}

void print_series(const struct series *series, bool verbose)
{
	char label[1100];

	if (series->nr[CAUGHT] && !(series->unexpected && series->odd.outcome == CAUGHT))
		print_finding("", &series->first);
	if (verbose && series->words)
		print_indented(stdout, series->words, 4);
	print_odd(series);
	if (!series->expect)
		printf("  nothing is said of this variant: caught or passed, both count as expected\n");
	printf("%s %s: %lu runs, %lu caught, %lu passed, %lu inconclusive\n", series->scenario->id,
	       series_label(series, label, sizeof(label)), series->runs, series->nr[CAUGHT],
	       series->nr[PASSED], series->nr[INCONCLUSIVE]);
	fflush(stdout);
}

static void json_finding(struct json *json, const char *key, const struct finding *finding)
{
	json_object(json, key);
	json_string(json, "outcome", outcome_name(finding->outcome));
	json_string(json, "verdict", finding->verdict[0] ? finding->verdict : NULL);
	json_string(json, "sentence", finding->sentence);
	json_close(json, '}');
}

void print_series_json(struct json *json, const struct series *series)
{
	const struct expectation *expect = series->expect;

	json_object(json, NULL);
	json_string(json, "id", series->scenario->id);
	json_string(json, "name", series->scenario->name);
	json_string(json, "variant", series->variant);
	json_bool(json, "held", series->held);
	json_string(json, "skipped", series->skipped);
	json_string(json, "expected_outcome", expect ? outcome_name(expect->outcome) : NULL);
	json_string(json, "expected_verdict", expect ? expect->verdict : NULL);
	json_number(json, "runs", series->runs);
	json_number(json, "caught", series->nr[CAUGHT]);
	json_number(json, "passed", series->nr[PASSED]);
	json_number(json, "inconclusive", series->nr[INCONCLUSIVE]);
	json_number(json, "unexpected", series->unexpected);
	json_bool(json, "as_expected", series_is_as_expected(series));
	json_real(json, "ms_per_run", series->runs ? series->ms / series->runs : 0);
	if (series->runs)
		json_finding(json, "first", &series->first);
	json_string(json, "report", series->words);
	if (series->unexpected) {
		json_finding(json, "first_unexpected", &series->odd);
		json_string(json, "report_unexpected", series->odd_words);
	}
	json_close(json, '}');
}
