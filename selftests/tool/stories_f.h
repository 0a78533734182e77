/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stories of group F, relatives in the page cache
 */
#ifndef DAXLAB_STORIES_F_H
#define DAXLAB_STORIES_F_H

#include "run.h"

/* f3_pagelock.c */
extern const struct scenario f3_pagelock_vs_writeback, f3_writer_first, f3_finish_fault_realloc;
/* f4_inversion.c */
extern const struct scenario f4_range_cyclic_inversion;

/* f3_pagelock.c: nothing made during the run is left, and nothing that was written is lost */
void pwb_after(struct run *run);
/* f1_split.c */
extern const struct scenario f1_stale_copy;
extern const struct scenario f1_order_grew;
extern const struct scenario f1_order_gone;
/* f2_zombie.c */
extern const struct scenario f2_zombie;
extern const struct scenario f2_reborn;
extern const struct scenario f2_left;
extern const struct scenario f2_left_get;
/* f2_frozen.c */
extern const struct scenario f2_frozen;
extern const struct scenario f2_frozen_get;
extern const struct scenario f2_truncate;
extern const struct scenario f2_split;
extern const struct scenario f2_split_truncate;

#endif
