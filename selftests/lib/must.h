/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A helper of a test that cannot do its work ends the test.
 */
#ifndef MUST_H
#define MUST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define must(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__,		\
			__LINE__, #cond, strerror(errno));		\
		abort();						\
	}								\
} while (0)

#endif
