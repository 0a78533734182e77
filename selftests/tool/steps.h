/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What stories share: short words for common steps.
 */
#ifndef DAXLAB_STEPS_H
#define DAXLAB_STEPS_H

#include <string.h>

#include "run.h"

#define DEED(what, ...)	((struct deed){ .kind = (what), ##__VA_ARGS__ })

/* Part of the certificate: true in every forced run, not when nothing is held. */
#define CERTIFY(run, cond)						\
	do {								\
		if (run_held(run))					\
			REQUIRE(run, cond);				\
	} while (0)

static inline bool variant_is(const struct run *run, const char *name)
{
	return !strcmp(run_variant(run), name);
}

/* One of the choices of "KNOB=CHOICE,KNOB=CHOICE" is the @word. */
static inline bool variant_has(const struct run *run, const char *word)
{
	const char *at = run_variant(run);
	size_t len = strlen(word);

	while ((at = strstr(at, word))) {
		if (at[len] == '\0' || at[len] == ',')
			return true;
		at += len;
	}
	return false;
}

/* A deed from begin to end; nothing may stand in its way. */
static inline bool done(struct run *run, const char *role, struct deed deed)
{
	return start(run, role, deed) && ended(run, role);
}

/* Begin a deed that is going to be held at a window. */
static inline bool held_at(struct run *run, const char *role, const char *window,
			   struct deed deed)
{
	return arm(run, role, window) && start(run, role, deed) &&
	       parked(run, role, window);
}

#endif
