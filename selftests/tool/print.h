/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results for people and for programs.
 */
#ifndef DAXLAB_PRINT_H
#define DAXLAB_PRINT_H

#include "engine.h"
#include "json.h"

#include <stdio.h>

/* The line of progress, on a terminal only. */
void print_progress(const struct series *series, unsigned long repeat);
void print_progress_end(void);

void print_scenario(const struct scenario *scenario);
/* Why it was caught, what was unexpected, the counts on the last line. */
void print_series(const struct series *series, bool verbose);
void print_series_json(struct json *json, const struct series *series);

/* Each line of @text, indented. */
void print_indented(FILE *out, const char *text, int columns);

#endif
