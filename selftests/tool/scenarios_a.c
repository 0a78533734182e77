// SPDX-License-Identifier: GPL-2.0
/*
 * Group A of the catalogue: wait queues and wakeups. A7 is about callers that
 * have no reference to the inode; this module has none.
 */
#include "stories_a.h"

const struct scenario *const scenarios_a[] = {
	&a1_missed_wakeup, &a1_colour0, &a1_healed, &a1_behind,
	&a2_put_inverted, &a2_lockers,
	&a3_null_misread,
	&a4_three, &a4_two, &a4_faults, &a4_pmd, &a4_pmd_syncs,
	&a5_hole_page, &a5_one_waits,
	&a6_pmd, &a6_mixed,
	&a8_sticky, &a8_alone,
	&a9_late_enqueue, &a9_early_wake, &a9_stranger, &a9_leave, &a9_new_key,
	&a10_misdirected, &a10_healed,
	NULL
};
