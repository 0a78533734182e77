/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stories of group D: dirty marks and flushes.
 */
#ifndef DAXLAB_STORIES_D_H
#define DAXLAB_STORIES_D_H

#include "run.h"

/* d1_order.c */
extern const struct scenario d1_redirty;
extern const struct scenario d1_redirty_late;
extern const struct scenario d1_second;
extern const struct scenario d1_second_late;
/* d2_protect.c */
extern const struct scenario d2_pmd_not_wrprotected;
extern const struct scenario d2_ptes;
extern const struct scenario d3_pte_in_pmd;
extern const struct scenario d3_head;
extern const struct scenario b5_partial_pmd;
extern const struct scenario b5_whole;
/* d4_flush.c */
extern const struct scenario d4_partial_flush;
extern const struct scenario d4_first;
extern const struct scenario d5_drops_dirty;
extern const struct scenario d5_elsewhere;

#endif
