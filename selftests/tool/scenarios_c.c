// SPDX-License-Identifier: GPL-2.0
/*
 * Group C: mappings that are stale, and mappings that collide
 */
#include "run.h"
#include "stories.h"

const struct scenario *const scenarios_c[] = {
	&c1_write_vs_read_fault,
	&c1_elsewhere,
	&c1_early,
	&c2_write_vs_pmd_fault,
	&c3_entry_lock_vs_transaction,
	&c3_apart,
	&c4_stale_zero_after_write,
	&c4_unmapped,
	&c4_unmap_first,
	&c4_gap,
	&c5_evict_mapped_entry,
	&c5_dirty,
	&c6_colliding,
	&c6_race2,
	&c6_zero,
	&c6_in_turn,
	&c7_misaligned,
	&c7_aligned,
	&c8_downgrade_unlocked,
	&c8_late_wake,
	&c8_skip_unmap,
	&c9_hole_vs_write_fault,
	&c9_over_data,
	&c10_cow_dirty,
	&c10_locked,
	&c10_gap,
	&c10_pmd,
	&c11_second_half,
	&c11_frame,
	NULL
};
