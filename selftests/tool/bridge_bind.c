// SPDX-License-Identifier: GPL-2.0
/*
 * Binds a session to the file of a stock filesystem; and what this kernel lacks for that,
 * by name: no scenario is played where a hook that it wants is missing.
 */
#include "bridge.h"

#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Also of windows that need not be crossed: '?'. */
static bool is_one_of(const char *const *windows, const char *name)
{
	for (; *windows; windows++)
		if (!strcmp(*windows + (**windows == '?'), name))
			return true;
	return false;
}

static void find_lack(const struct report *report, const char *const *windows,
		      struct lack *lack)
{
	char function[64], state[16], before[48], after[48];
	const char *line = report->text ?: "";

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (sscanf(line, "hook %63s %15s before %47s after %47s", function, state, before,
			   after) == 4 && !strcmp(state, "missing") &&
		    (is_one_of(windows, before) || is_one_of(windows, after)))
			snprintf(lack->words, sizeof(lack->words),
				 "%s() is not in this kernel, or ftrace cannot have it", function);
	/* There is no bridge at all. */
	line = strstr(report->text ?: "", "\nnobridge ");
	if (line)
		sscanf(line, "\nnobridge %159[^\n]", lack->words);
}

int bridge_bind(const struct stock *stock, int session, const char *const *windows,
		struct lack *lack)
{
	struct report report = {};
	int err;

	*lack = (struct lack){};
	if (stock->without)
		err = control_say(session, "bridge %d without %s", stock->fd, stock->without);
	else
		err = control_say(session, "bridge %d", stock->fd);
	if (err && err != -EOPNOTSUPP)
		return err;
	err = report_read(&report, session) ?: err;
	find_lack(&report, windows, lack);
	report_free(&report);
	return err ?: lack->words[0] ? -EOPNOTSUPP : 0;
}
