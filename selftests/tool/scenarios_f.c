// SPDX-License-Identifier: GPL-2.0
/*
 * Group F: relatives in the page cache
 */
#include "run.h"
#include "stories_f.h"

const struct scenario *const scenarios_f[] = {
	&f1_stale_copy,
	&f1_order_grew,
	&f1_order_gone,
	&f2_zombie,
	&f2_reborn,
	&f2_left,
	&f2_left_get,
	&f2_frozen,
	&f2_frozen_get,
	&f2_truncate,
	&f2_split,
	&f2_split_truncate,
	&f3_pagelock_vs_writeback,
	&f3_writer_first,
	&f3_finish_fault_realloc,
	&f4_range_cyclic_inversion,
	NULL
};
