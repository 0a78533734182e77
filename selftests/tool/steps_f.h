/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stories about the private page cache share.
 */
#ifndef DAXLAB_STEPS_F_H
#define DAXLAB_STEPS_F_H

#include <errno.h>

#include "steps.h"

#define HUGE_ORDER	9
#define AT		100	/* where a page is added over the shadow */
#define ELSEWHERE	200	/* where it is looked up */

/* The cache is empty. */
static inline bool empty_cache(struct run *run, const char *role)
{
	return done(run, role, DEED(CACHE_RESET));
}

/* A folio of 512 pages comes and goes: its shadow entry is at 0. */
static inline bool make_shadow(struct run *run, const char *role)
{
	return done(run, role, DEED(CACHE_ADD, .page = 0, .nr = HUGE_ORDER)) &&
	       done(run, role, DEED(CACHE_EVICT, .page = 0));
}

/*
 * The adder reads order and entry of a shadow; between the two it becomes a
 * folio, and before the lock a shadow again.
 */
static inline bool add_over_changes(struct run *run, const char *adder, const char *other)
{
	return arm(run, adder, "add.after_order_read") &&
	       arm(run, adder, "add.after_split_alloc") &&
	       start(run, adder, DEED(CACHE_ADD, .page = AT)) &&
	       parked(run, adder, "add.after_order_read") &&
	       done(run, other, DEED(CACHE_ADD, .page = 0, .nr = HUGE_ORDER)) &&
	       release(run, adder) &&
	       parked(run, adder, "add.after_split_alloc") &&
	       done(run, other, DEED(CACHE_EVICT, .page = 0)) &&
	       release(run, adder) && ended(run, adder);
}

#endif
