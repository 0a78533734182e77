/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios on the kernel's own fs/dax.c.
 */
#ifndef DAXLAB_BRIDGE_H
#define DAXLAB_BRIDGE_H

#include "command.h"
#include "stock.h"

/* A scenario and its controls, in the order in which they are played; NULL ends. */
extern const struct scenario *const bridge_b3[], *const bridge_b3b[];

/* The exit status. */
int bridge_play(struct stock *stock, const struct scenario *const *scenario,
		const struct options *options);

#endif
