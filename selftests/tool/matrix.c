// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab matrix: every scenario in every variant; matrix.h says what each
 * function does
 */
#include "matrix.h"

#include "command.h"
#include "print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SCENARIOS	128
#define MOST_VARIANTS	256

static const struct expectation sound = { "sound", PASSED, NULL, NULL };

char matrix_letter(const struct series *series)
{
	enum outcome outcome = series->first.outcome;

	if (!series->runs)
		return ' ';
	if (!series->expect)
		return "pc-"[outcome];
	return series->unexpected ? '!' : "PC?"[outcome];
}

const char *matrix_variant_name(const struct matrix *matrix, int variant)
{
	return matrix->variant[variant] ?: "sound (not held)";
}

void matrix_sentence(const struct series *series, char *text, size_t size)
{
	const struct finding *finding = series->expect && series->unexpected ? &series->odd :
									       &series->first;

	snprintf(text, size, "%s%s%s%s%s", outcome_name(finding->outcome),
		 finding->verdict[0] ? ": " : "", finding->verdict,
		 finding->sentence[0] ? ": " : "", finding->sentence);
}

static void add_variant(struct matrix *matrix, const char *variant)
{
	int i;

	for (i = 0; i < matrix->nr_variants; i++)
		if (!strcmp(matrix->variant[i], variant))
			return;
	if (matrix->nr_variants < MOST_VARIANTS)
		matrix->variant[matrix->nr_variants++] = variant;
}

/* Those of --variant "V;V", or all that the scenarios speak of; and sound, not held. */
static void pick_variants(struct matrix *matrix, char *wanted)
{
	const struct expectation *e;
	char *variant;
	int i;

	if (wanted) {
		for (variant = strtok(wanted, ";"); variant; variant = strtok(NULL, ";"))
			add_variant(matrix, variant);
		return;
	}
	add_variant(matrix, sound.variant);
	for (i = 0; i < matrix->nr_scenarios; i++)
		for (e = matrix->scenario[i]->expect; e->variant; e++)
			add_variant(matrix, e->variant);
	if (matrix->nr_variants < MOST_VARIANTS)
		matrix->variant[matrix->nr_variants++] = NULL;
}

/* Which run of a scenario a cell is; false if none is wanted. */
static bool set_cell(struct series *cell, const struct scenario *s, const char *variant,
		     bool listed)
{
	*cell = (struct series){ .scenario = s, .variant = variant ?: sound.variant,
				 .held = variant };
	cell->expect = variant ? scenario_expects(s, variant) : &sound;
	if (!cell->expect && !strcmp(variant, sound.variant))
		cell->expect = &sound;
	return cell->expect || !listed;
}

/* False if nothing more can be played at all. */
static bool play_row(struct matrix *matrix, struct run *run, struct place *place, int row,
		     const struct options *options)
{
	const char *lacks = stage_lacks(place, matrix->scenario[row]);
	int variant, err;
	bool more;

	if (lacks) {
		fprintf(stderr, "daxlab: %s: skipped: %s\n", matrix->scenario[row]->id, lacks);
		return true;
	}
	err = stage_open(run, place, matrix->scenario[row]);
	more = !err;
	if (err == -EOPNOTSUPP) {
		fprintf(stderr, "daxlab: %s: skipped: no such files on this mount; dax=inode has both modes\n",
			matrix->scenario[row]->id);
		return true;
	}
	if (err)
		fprintf(stderr, "daxlab: %s: no session with its roles: %s\n",
			matrix->scenario[row]->id, strerror(-err));
	for (variant = 0; variant < matrix->nr_variants && more; variant++) {
		struct series *cell = matrix_cell(matrix, row, variant);

		if (set_cell(cell, matrix->scenario[row], matrix->variant[variant],
			     options->listed))
			more = series_run(run, cell, options->repeat ?: 1, options->seed,
					  print_progress);
	}
	return stage_close(run) && more;
}

static bool is_as_expected(const struct matrix *matrix)
{
	int row, variant;

	for (row = 0; row < matrix->nr_scenarios; row++)
		for (variant = 0; variant < matrix->nr_variants; variant++)
			if (matrix_letter(matrix_cell(matrix, row, variant)) == '!')
				return false;
	return true;
}

static void legend(void)
{
	printf("\n"
	       "C caught, P passed: as expected of this scenario in this variant\n"
	       "c caught, p passed, - the path was not taken: the scenario expects nothing here\n"
	       "! not as expected\n");
}

static void print_odd_cells(const struct matrix *matrix)
{
	char text[1024];
	int row, variant;

	for (row = 0; row < matrix->nr_scenarios; row++)
		for (variant = 0; variant < matrix->nr_variants; variant++) {
			const struct series *cell = matrix_cell(matrix, row, variant);

			if (matrix_letter(cell) != '!')
				continue;
			matrix_sentence(cell, text, sizeof(text));
			printf("! %s %s: %s\n", cell->scenario->id,
			       matrix_variant_name(matrix, variant), text);
		}
}

/* A digit of the number of each variant, above its column. */
static void print_digits(const struct matrix *matrix, int width, int unit)
{
	int variant;

	printf("%*s", width + 1, "");
	for (variant = 0; variant < matrix->nr_variants; variant++)
		putchar(variant + 1 < unit ? ' ' : '0' + (variant + 1) / unit % 10);
	putchar('\n');
}

/* There are many scenarios and many variants: a column is one letter wide. */
void matrix_print(const struct matrix *matrix)
{
	int row, variant, width = 0, unit = 1, len;

	for (row = 0; row < matrix->nr_scenarios; row++) {
		len = strlen(matrix->scenario[row]->id);
		width = len > width ? len : width;
	}
	while (unit * 10 <= matrix->nr_variants)
		unit *= 10;
	for (; unit; unit /= 10)
		print_digits(matrix, width, unit);
	for (row = 0; row < matrix->nr_scenarios; row++) {
		printf("%-*s ", width, matrix->scenario[row]->id);
		for (variant = 0; variant < matrix->nr_variants; variant++)
			putchar(matrix_letter(matrix_cell(matrix, row, variant)));
		putchar('\n');
	}
	putchar('\n');
	for (variant = 0; variant < matrix->nr_variants; variant++)
		printf("%3d %s\n", variant + 1, matrix_variant_name(matrix, variant));
	legend();
	print_odd_cells(matrix);
}

void matrix_print_json(const struct matrix *matrix)
{
	struct json json = { .out = stdout };
	int row, variant;

	json_object(&json, NULL);
	json_string(&json, "dev", matrix->dev);
	json_number(&json, "repeat", matrix->repeat);
	json_number(&json, "seed", matrix->seed);
	json_array(&json, "variants");
	for (variant = 0; variant < matrix->nr_variants; variant++)
		json_string(&json, NULL, matrix_variant_name(matrix, variant));
	json_close(&json, ']');
	json_array(&json, "cells");
	for (row = 0; row < matrix->nr_scenarios; row++)
		for (variant = 0; variant < matrix->nr_variants; variant++)
			if (matrix_cell(matrix, row, variant)->runs)
				print_series_json(&json, matrix_cell(matrix, row, variant));
	json_close(&json, ']');
	json_bool(&json, "as_expected", is_as_expected(matrix));
	json_close(&json, '}');
}

static int show(const struct matrix *matrix, const struct options *options)
{
	FILE *out;

	print_progress_end();
	if (options->json)
		matrix_print_json(matrix);
	if (!options->json && !options->html)
		matrix_print(matrix);
	if (!options->html)
		return 0;
	out = fopen(options->html, "we");
	if (out)
		matrix_print_html(matrix, out);
	if (!out || fclose(out)) {
		fprintf(stderr, "daxlab: %s: %s\n", options->html, strerror(errno));
		return EX_CANNOT;
	}
	if (!options->json)
		print_odd_cells(matrix);
	return 0;
}

static int play_matrix(struct matrix *matrix, struct place *place, const struct options *options)
{
	struct run *run = malloc(sizeof(*run));
	bool more = run;
	int row, status;

	for (row = 0; row < matrix->nr_scenarios && more; row++)
		more = play_row(matrix, run, place, row, options);
	free(run);
	if (interrupted)
		return EX_UNEXPECTED;
	status = show(matrix, options);
	return status ?: more && is_as_expected(matrix) ? status : EX_UNEXPECTED;
}

int command_matrix(const struct options *options)
{
	static const struct scenario *picked[MOST_SCENARIOS];
	static const char *variant[MOST_VARIANTS];
	struct matrix matrix = {
		.scenario = picked, .variant = variant,
		.repeat = options->repeat ?: 1, .seed = options->seed,
	};
	char *wanted = options->variant ? strdup(options->variant) : NULL;
	struct place place;
	int status, i;

	matrix.nr_scenarios = pick_scenarios(options, picked, MOST_SCENARIOS);
	if (matrix.nr_scenarios < 0)
		return EX_BAD_USAGE;
	pick_variants(&matrix, wanted);
	matrix.cell = calloc(matrix.nr_scenarios * matrix.nr_variants, sizeof(*matrix.cell));
	if (!matrix.cell)
		return EX_CANNOT;
	if (begin_playing(&place, options)) {
		matrix.dev = place.dev;
		status = play_matrix(&matrix, &place, options);
	} else {
		status = EX_CANNOT;
	}
	status = end_playing(&place, status);
	for (i = 0; i < matrix.nr_scenarios * matrix.nr_variants; i++)
		series_free(&matrix.cell[i]);
	free(matrix.cell);
	free(wanted);
	return status;
}
