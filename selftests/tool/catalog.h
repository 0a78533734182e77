/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All scenarios, and what is expected of them.
 */
#ifndef DAXLAB_CATALOG_H
#define DAXLAB_CATALOG_H

#include "run.h"

/* The scenarios of the tool itself. */
extern const struct scenario *const scenarios_t[];

/* The nth of all, or NULL. */
const struct scenario *scenario_nth(unsigned int n);

/* By id or name, whatever the case; or NULL. */
const struct scenario *scenario_find(const char *word);

/* What it says about a variant, or NULL. */
const struct expectation *scenario_expects(const struct scenario *scenario, const char *variant);

const char *outcome_name(enum outcome outcome);

void catalog_list(bool as_json);
void catalog_show(const struct scenario *scenario);

#endif
