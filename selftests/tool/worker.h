/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The side of a task of the team: it carries out orders.
 *
 * While a role stands in a fault, its mmap_lock may be held and others may wait
 * to write it. So nothing here may fault but the deed itself: memory is locked
 * before the first order, and there is no stdio and no malloc.
 */
#ifndef DAXLAB_WORKER_H
#define DAXLAB_WORKER_H

#include "team.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Wait until *counter is not @seen, for at most @ms. */
static inline void counter_wait(atomic_uint *counter, unsigned int seen, unsigned int ms)
{
	struct timespec most = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	syscall(SYS_futex, counter, FUTEX_WAIT, seen, ms ? &most : NULL, NULL, 0);
}

static inline void counter_set(atomic_uint *counter, unsigned int value)
{
	atomic_store(counter, value);
	syscall(SYS_futex, counter, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The process of a role and of those that share with it; does not return. */
void worker_main(struct team *team, unsigned int role, int session)
	__attribute__((noreturn));

#endif
