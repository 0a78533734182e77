/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the stories of B3 and B3b share: the knobs sync_scan and towrite are
 * independent, so each story plays all their pairs.
 */
#ifndef DAXLAB_B3_H
#define DAXLAB_B3_H

#include "steps.h"

#define POSITIONED(towrite)	"sync_scan=positioned,towrite=" towrite

extern const char b3_references[];

bool b3_store(struct run *run);
void b3_certify(struct run *run, bool pmd);

/* Does a sync pass what is locked? */
static inline bool skips_locked(const struct run *run)
{
	return variant_has(run, "sync_scan=positioned") || variant_is(run, "upstream-7.3");
}

#endif
