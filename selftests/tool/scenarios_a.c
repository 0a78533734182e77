// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios of group A of the catalogue
 */
#include "run.h"

const struct scenario *const scenarios_a[] = { NULL };
