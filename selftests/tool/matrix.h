/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The table of scenarios by variants, and its pictures.
 */
#ifndef DAXLAB_MATRIX_H
#define DAXLAB_MATRIX_H

#include "engine.h"

#include <stdio.h>

struct matrix {
	int nr_scenarios, nr_variants;
	const struct scenario **scenario;
	const char **variant;		/* the last one may be NULL: sound, not held */
	struct series *cell;		/* by scenario, then variant; .runs 0: not played */
	const char *dev;
	unsigned long repeat;
	unsigned long long seed;
};

static inline struct series *matrix_cell(const struct matrix *matrix, int scenario, int variant)
{
	return &matrix->cell[scenario * matrix->nr_variants + variant];
}

/*
 * The letter of a cell: C caught, P passed, ? inconclusive, in lower case
 * (c p -) where the scenario speaks not of it; ! not as expected; blank: not
 * played.
 */
char matrix_letter(const struct series *series);
/* One sentence about a cell. */
void matrix_sentence(const struct series *series, char *text, size_t size);
const char *matrix_variant_name(const struct matrix *matrix, int variant);

void matrix_print(const struct matrix *matrix);
void matrix_print_json(const struct matrix *matrix);
/* html.c */
void matrix_print_html(const struct matrix *matrix, FILE *out);

#endif
