/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stories of group E: pins
 */
#ifndef DAXLAB_STORIES_E_H
#define DAXLAB_STORIES_E_H

#include "run.h"

/* e1_pin_vs_truncate.c */
extern const struct scenario e1_gup_pin_vs_truncate;
extern const struct scenario e1_punch;
extern const struct scenario e1_vmsplice;
extern const struct scenario e1_pmd;
extern const struct scenario e1_early;
extern const struct scenario e1_no_rescan;

#endif
