/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stories of groups B and C, a file for each or for a few that are akin.
 */
#ifndef DAXLAB_STORIES_H
#define DAXLAB_STORIES_H

#include "run.h"

/* b1_scan_skips.c */
extern const struct scenario b1_busy_scan_skips_locked;
extern const struct scenario b2_scan_pause_reloads_next;
extern const struct scenario b1_in_turn;
extern const struct scenario b1_write;
/* b3_sync_skips.c */
extern const struct scenario b3_writeback_skips_locked;
extern const struct scenario b3_pmd;
extern const struct scenario b3_sync;
extern const struct scenario b3_sync_pmd;
extern const struct scenario b3_elsewhere;
/* b3b_towrite.c */
extern const struct scenario b3b_towrite_cleared_early;
extern const struct scenario b3b_pmd;
extern const struct scenario b3b_late;
extern const struct scenario b3b_late_pmd;
/* b4_livelock.c */
extern const struct scenario b4_multi_order_livelock;
extern const struct scenario b4_ptes;
/* b6_swallow.c */
extern const struct scenario b6_pmd_insert_swallows_pte;
extern const struct scenario b6_low;
extern const struct scenario b6_dirty;
/* c1_write_vs_fault.c */
extern const struct scenario c1_write_vs_read_fault;
extern const struct scenario c2_write_vs_pmd_fault;
extern const struct scenario c1_elsewhere;
extern const struct scenario c1_early;
/* c3_transaction.c */
extern const struct scenario c3_entry_lock_vs_transaction;
extern const struct scenario c3_apart;
/* c4_stale_zero.c */
extern const struct scenario c4_stale_zero_after_write;
extern const struct scenario c4_unmapped;
extern const struct scenario c4_unmap_first;
extern const struct scenario c4_gap;
/* c5_evict.c */
extern const struct scenario c5_evict_mapped_entry;
extern const struct scenario c5_dirty;
/* c6_colliding.c */
extern const struct scenario c6_colliding;
extern const struct scenario c6_race2;
extern const struct scenario c6_zero;
extern const struct scenario c6_in_turn;
/* c7_misaligned.c */
extern const struct scenario c7_misaligned;
extern const struct scenario c7_aligned;
/* c8_downgrade.c */
extern const struct scenario c8_downgrade_unlocked;
extern const struct scenario c8_late_wake;
extern const struct scenario c8_skip_unmap;
/* c9_hole_vs_store.c */
extern const struct scenario c9_hole_vs_write_fault;
extern const struct scenario c9_over_data;
/* c10_cow.c */
extern const struct scenario c10_cow_dirty;
extern const struct scenario c10_locked;
extern const struct scenario c10_gap;
extern const struct scenario c10_pmd;
/* c11_second_half.c */
extern const struct scenario c11_second_half;
extern const struct scenario c11_frame;

#endif
