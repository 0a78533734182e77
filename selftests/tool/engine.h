/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Plays scenarios: a stage is a session with a team for one scenario, a series
 * repeats its play in one variant, a run is one of the repeats (run.h).
 */
#ifndef DAXLAB_ENGINE_H
#define DAXLAB_ENGINE_H

#include "catalog.h"
#include "control.h"
#include "place.h"
#include "team.h"

#include <signal.h>

#define MOST_RULES	8
#define MOST_VERDICT	64

/* What a scenario armed at a window, for one role or by a rule of its own. */
struct armed {
	char window[48];
	char role[17];		/* or "": any rule */
	char rule[256];
};

struct run {
	const struct scenario *scenario;
	struct place *place;
	struct team team;
	int session;
	const char *variant;
	bool held;
	unsigned long number;

	bool unhealthy;			/* a role cannot be brought back */
	char why[256];			/* inconclusive, whatever the oracles say */
	char stopped[256];		/* a step did not come about */
	char verdict[MOST_VERDICT];	/* of the scenario or of judged(), or "" */
	char sentence[512];
	unsigned int nr_armed;
	struct armed armed[MOST_RULES];
	struct report report;
	bool report_fresh;
	char stats[8192];		/* when the run began */
	char words[16384];		/* the kernel's, about a verdict */
};

/* What came of a run. */
struct finding {
	enum outcome outcome;
	char verdict[MOST_VERDICT];	/* "kind cause" or "" */
	char sentence[512];		/* why caught, why inconclusive */
	double ms;
};

struct series {
	const struct scenario *scenario;
	const char *variant;
	bool held;
	const struct expectation *expect;	/* NULL: nothing is expected */
	const char *skipped;			/* why it was not played at all, or NULL */
	unsigned long runs, nr[3];		/* by outcome */
	unsigned long unexpected;
	double ms;				/* of all */
	struct finding first;			/* the first that was caught, else the first */
	struct finding odd;			/* the first unexpected one */
	unsigned long odd_number;
	char *odd_words;			/* what the kernel said about it, or NULL */
	char *words;				/* likewise about the first caught one */
};

extern volatile sig_atomic_t interrupted;

/* Called before each run with what there is so far. */
typedef void (*progress_fn)(const struct series *series, unsigned long repeat);

/* Why it cannot be played there, or NULL. */
const char *stage_lacks(struct place *place, const struct scenario *scenario);
/*
 * 0 or -errno, -EOPNOTSUPP: the mount has no files in the mode that is needed;
 * stage_close() is right in any case, false if a task is left.
 */
int stage_open(struct run *run, struct place *place, const struct scenario *scenario);
bool stage_close(struct run *run);

/* Fill in the results; false if no further run is possible on this stage. */
bool series_run(struct run *run, struct series *series, unsigned long repeat,
		unsigned long long seed, progress_fn progress);
/* One more run, which has come to this. */
void series_count(struct run *run, struct series *series, const struct finding *finding);
void series_free(struct series *series);
bool series_is_as_expected(const struct series *series);

/* "sound (not held)" */
const char *series_label(const struct series *series, char *text, size_t size);

/* The parts of a run: nothing is known of it; what is wrong with it; what it has come to. */
void run_begin(struct run *run);
void run_certify(struct run *run);
void run_find(struct run *run, struct finding *finding);

/* run.c */
void run_stop(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const struct report *run_report(struct run *run);
int run_say(struct run *run, const char *command);
bool run_still(struct run *run);
/* For a lock whose owner may be none of our roles, and go on by itself. */
bool waits_for_kernel(const struct report_role *role);
#define STRANGER_MS	2000

#endif
