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
/* e2_forgotten.c */
extern const struct scenario e2_unmapped_but_pinned;
extern const struct scenario e3_deleted_while_busy;
extern const struct scenario e4_evict_forgets_entries;
extern const struct scenario e4_forgotten_entry;
/* e5_refcount.c */
extern const struct scenario e5_refcount_zero_based;
extern const struct scenario e5_tail;
extern const struct scenario e6_zero_entry_as_folio;
/* e7_association.c */
extern const struct scenario e7_association_mixed_sizes;
extern const struct scenario e7_same_size;

#endif
