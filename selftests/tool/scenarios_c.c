// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios of group C of the catalogue
 */
#include "run.h"

const struct scenario *const scenarios_c[] = { NULL };
