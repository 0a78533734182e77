/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios on the kernel's own fs/dax.c.
 */
#ifndef DAXLAB_BRIDGE_H
#define DAXLAB_BRIDGE_H

#include "command.h"
#include "control.h"
#include "skipped_sync.h"
#include "stock.h"

/* A scenario and its controls, in the order in which they are played; NULL ends. */
extern const struct scenario *const bridge_b3[], *const bridge_b3b[];
extern const struct scenario *const bridge_a1[], *const bridge_a4[];
extern const struct scenario *const bridge_b1[];
extern const struct scenario *const bridge_c1[], *const bridge_c2[];
extern const struct scenario *const bridge_c6[];

/* When a bug was in the kernel: from the release that brought it to the one that cured it. */
struct lifetime {
	const char *id;
	unsigned int from, until;	/* LINUX(); 0: open */
	const char *commit;		/* that cured it */
};

#define LINUX(major, minor)	((major) * 1000U + (minor))

/* NULL: a control, which passes everywhere. */
const struct lifetime *bridge_lifetime(const struct scenario *scenario);

/* What this kernel does not have, as a sentence; or "". */
struct lack {
	char words[160];
};

/*
 * bridge_bind.c: bind a session to the file, with the hooks of these windows: 0 or -errno;
 * with -EOPNOTSUPP @lack tells what is missing.
 */
int bridge_bind(const struct stock *stock, int session, const char *const *windows,
		struct lack *lack);

/* bridge_play.c: the exit status. */
int bridge_play(struct stock *stock, const struct scenario *const *scenario,
		const struct options *options);
/*
 * One scenario with a cure, or "stock", as a series; series_free() it. False if no
 * session with its roles can be had, or a task is left. If it was ->skipped, there are
 * no runs, and the words are those of the last one.
 */
bool bridge_series(struct stock *stock, const struct scenario *scenario, const char *cure,
		   unsigned long repeat, struct series *series);
/* For scenarios: keep who did what until now, and what the kernel says of syncs. */
void bridge_evidence(struct run *run);

struct unforced {
	struct skipped skipped[2][3];	/* by call: fsync, msync; by rival */
};

/* bridge_unforced.c: two threads on a page, and the controls. The exit status. */
int bridge_unforced(struct stock *stock, unsigned long nr, struct unforced *result, bool tell);

#define MOST_WIDTHS	4
#define WIDTH_BUCKETS	36

/* What came of a load; module/README.md and module/bridge_record.c tell of the counts. */
struct record {
	const char *load;
	double seconds;
	unsigned long long calls, faults, syncs, failed, over, passed, writable, cut;
	unsigned long long dirty, unflushed, gone, young, met_passed;
	unsigned long long width[MOST_WIDTHS][WIDTH_BUCKETS];
	double rate;			/* operations of the load per second */
};

#define MOST_LOADS	3

/* What looking costs: us of a store, its fault and a sync of it. */
struct looking {
	double alone, watched;
};

/*
 * bridge_record.c: the loads that there are here, each for its part of @seconds, then
 * what looking costs. The number of loads, or -errno; -EOPNOTSUPP: a hook is missing,
 * and it is said which.
 */
int bridge_record(struct stock *stock, unsigned long seconds, struct record *record,
		  struct looking *looking);
void bridge_record_tell(const struct record *record, int nr, const struct looking *looking);

/* bridge_conform.c: the exit status. */
int bridge_conform(struct stock *stock);

/* bridge_report.c: the exit status. */
int bridge_report(struct stock *stock, const struct options *options);

#endif
