/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stories of group A, each in the file of its name
 */
#ifndef DAXLAB_STORIES_A_H
#define DAXLAB_STORIES_A_H

#include "run.h"

extern const struct scenario a1_missed_wakeup, a1_colour0, a1_healed, a1_behind;
extern const struct scenario a2_put_inverted, a2_lockers;
extern const struct scenario a3_null_misread;
extern const struct scenario a4_three, a4_two, a4_faults, a4_pmd, a4_pmd_syncs;
extern const struct scenario a5_hole_page, a5_one_waits;
extern const struct scenario a6_pmd, a6_mixed;
extern const struct scenario a8_sticky, a8_alone;
extern const struct scenario a9_late_enqueue, a9_early_wake, a9_stranger, a9_leave, a9_new_key;
extern const struct scenario a10_misdirected, a10_healed;

#endif
