// SPDX-License-Identifier: GPL-2.0
/*
 * Group E: pinned pages, and what their blocks are freed under; whose frames are
 */
#include "run.h"
#include "stories_e.h"

const struct scenario *const scenarios_e[] = {
	&e1_gup_pin_vs_truncate,
	&e1_punch,
	&e1_vmsplice,
	&e1_pmd,
	&e1_early,
	&e1_no_rescan,
	&e2_unmapped_but_pinned,
	&e3_deleted_while_busy,
	&e4_evict_forgets_entries,
	&e4_forgotten_entry,
	&e5_refcount_zero_based,
	&e5_tail,
	&e6_zero_entry_as_folio,
	&e7_association_mixed_sizes,
	&e7_same_size,
	NULL
};
