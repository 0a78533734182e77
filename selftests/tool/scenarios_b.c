// SPDX-License-Identifier: GPL-2.0
/*
 * Group B: walks that skip, repeat, or lose their place
 */
#include "run.h"
#include "stories.h"

const struct scenario *const scenarios_b[] = {
	&b1_busy_scan_skips_locked,
	&b1_in_turn,
	&b1_write,
	&b2_scan_pause_reloads_next,
	&b3_writeback_skips_locked,
	&b3_pmd,
	&b3_sync,
	&b3_sync_pmd,
	&b3_elsewhere,
	&b3b_towrite_cleared_early,
	&b3b_pmd,
	&b3b_late,
	&b3b_late_pmd,
	&b4_multi_order_livelock,
	&b4_ptes,
	&b6_pmd_insert_swallows_pte,
	&b6_low,
	&b6_dirty,
	NULL
};
