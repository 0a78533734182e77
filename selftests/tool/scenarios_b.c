// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios of group B of the catalogue
 */
#include "run.h"

const struct scenario *const scenarios_b[] = { NULL };
