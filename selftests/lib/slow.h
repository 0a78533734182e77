/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Time limits of tests and of the tool on kernels that are slow since they look
 * for bugs: $DAXLAB_SLOW tells how many times longer all takes (scripts/kernels).
 */
#ifndef SLOW_H
#define SLOW_H

#include <stdlib.h>

static inline unsigned int slow_factor(void)
{
	const char *slow = getenv("DAXLAB_SLOW");

	return slow && *slow ? atoi(slow) : 1;
}

/* A time in ms for a session's wait or a park, which is a minute at most. */
static inline unsigned int slow_ms(unsigned int ms)
{
	ms *= slow_factor();
	return ms < 60000 ? ms : 60000;
}

#endif
