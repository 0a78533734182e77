/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the user asked for, and the commands that play scenarios.
 */
#ifndef DAXLAB_COMMAND_H
#define DAXLAB_COMMAND_H

#include "engine.h"

struct options {
	bool json;
	bool verbose;
	bool not_held;
	bool listed;			/* matrix: only cells that a scenario speaks of */
	const char *html;
	const char *variant;
	const char *mount;
	const char *dev;
	const char *fs;			/* bridge */
	bool format;
	bool unforced;
	const char *cure;
	const char *without;
	bool report;
	bool conform;
	unsigned long record;		/* seconds, or 0 */
	unsigned long repeat;		/* 0: as the command likes */
	unsigned long long seed;
	int argc;			/* words that are no options */
	char **argv;
};

/* Each gives the exit status. */
int command_run(const struct options *options);
int command_matrix(const struct options *options);
int command_bridge(const struct options *options);
int command_status(const struct options *options);
int command_rescue(const struct options *options);
int command_fsck(const struct options *options);
int command_knobs(const struct options *options);

/*
 * The scenarios that the words name, at most @most: their number, or -1 with a
 * line on stderr. No word, and "all": all.
 */
int pick_scenarios(const struct options *options, const struct scenario **picked, int most);

/* A place to play in, with signals that end the playing in order. */
bool begin_playing(struct place *place, const struct options *options);
/* Everything as it was found. The exit status, which is @status if nothing is wrong. */
int end_playing(struct place *place, int status);

#endif
