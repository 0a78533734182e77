// SPDX-License-Identifier: GPL-2.0
/*
 * Group D: dirty marks and flushes; and B5, which is akin
 */
#include "run.h"
#include "stories_d.h"

const struct scenario *const scenarios_d[] = {
	&b5_partial_pmd,
	&b5_whole,
	&d1_redirty,
	&d1_redirty_late,
	&d1_second,
	&d1_second_late,
	&d2_pmd_not_wrprotected,
	&d2_ptes,
	&d3_pte_in_pmd,
	&d3_head,
	&d4_partial_flush,
	&d4_first,
	&d5_drops_dirty,
	&d5_elsewhere,
	NULL
};
