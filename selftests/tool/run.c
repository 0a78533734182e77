// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of a scenario (run.h): each tells the kernel or asks it, and waits
 * for published states. When all roles have come to rest and the one that a
 * step waits for rests elsewhere, then nothing will ever bring it there.
 */
#include "engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slow.h"

/* A scheduler that is away for seconds is no bug of the protocol. */
#define PARK_MS		slow_ms(20000)
#define STILL_MS	slow_ms(30000)

const char *run_variant(const struct run *run)
{
	return run->variant;
}

bool run_held(const struct run *run)
{
	return run->held;
}

unsigned long run_number(const struct run *run)
{
	return run->number;
}

int run_fd(const struct run *run)
{
	return run->place->fd;
}

void inconclusive(struct run *run, const char *fmt, ...)
{
	va_list args;

	if (run->why[0])
		return;
	va_start(args, fmt);
	vsnprintf(run->why, sizeof(run->why), fmt, args);
	va_end(args);
}

void caught(struct run *run, const char *kind_cause, const char *fmt, ...)
{
	va_list args;

	if (run->verdict[0])
		return;
	snprintf(run->verdict, sizeof(run->verdict), "%s", kind_cause);
	va_start(args, fmt);
	vsnprintf(run->sentence, sizeof(run->sentence), fmt, args);
	va_end(args);
}

void run_stop(struct run *run, const char *fmt, ...)
{
	va_list args;

	if (run->stopped[0])
		return;
	va_start(args, fmt);
	vsnprintf(run->stopped, sizeof(run->stopped), fmt, args);
	va_end(args);
}

/* A command that has to work: 0 or a negative errno, and the run is inconclusive. */
int run_say(struct run *run, const char *command)
{
	int err = control_say(run->session, "%s", command);

	run->report_fresh = false;
	if (interrupted)
		inconclusive(run, "interrupted");
	else if (err)
		inconclusive(run, "session: %s: %s", command, strerror(-err));
	return err;
}

const struct report *run_report(struct run *run)
{
	int err;

	if (run->report_fresh)
		return &run->report;
	err = report_read(&run->report, run->session);
	if (err)
		inconclusive(run, "session: report: %s", strerror(-err));
	else
		run->report_fresh = true;
	return &run->report;
}

/* Inconclusive things that a failed step needs no further explanation for. */
static bool over(const struct run *run)
{
	return run->why[0] || run->stopped[0] || interrupted;
}

bool run_still(struct run *run)
{
	int err = control_say(run->session, "wait all still %u", STILL_MS);

	run->report_fresh = false;
	if (interrupted)
		inconclusive(run, "interrupted");
	else if (err)
		inconclusive(run, "the roles do not come to rest: %s", strerror(-err));
	return !err && !interrupted;
}

bool still(struct run *run)
{
	return !over(run) && run_still(run);
}

static const struct report_role *find_role(struct run *run, const char *role)
{
	const struct report_role *found = report_role(run_report(run), role);

	if (!found)
		inconclusive(run, "the session has no role %s", role);
	return found;
}

static void elsewhere(struct run *run, const char *role, const char *wanted)
{
	const struct report_role *is = find_role(run, role);

	if (is)
		run_stop(run, "%s came to rest %s%s%s%s%s%s%s, not %s", role, is->state,
			 is->window[0] ? " at " : "", is->window, is->key[0] ? " on key " : "",
			 is->key, is->on[0] ? " on " : "", is->on, wanted);
}

static bool is_in(struct run *run, const char *role, const char *state)
{
	const struct report_role *found = find_role(run, role);

	return found && !strcmp(found->state, state);
}

bool waits_for_kernel(const struct report_role *role)
{
	return role && !strcmp(role->state, "blocked") && strcmp(role->on, "txn") &&
	       strncmp(role->on, "folio:", 6) && strncmp(role->on, "entry:", 6) &&
	       strncmp(role->on, "pin:", 4);
}

/* Wait until the role is in a state; all others may go on. */
static bool come(struct run *run, const char *role, const char *state)
{
	int err;

	if (over(run) || !run_still(run))
		return false;
	err = control_say(run->session, "wait %s %s 1", role, state);
	if (err == -ETIME && waits_for_kernel(find_role(run, role)))
		err = control_say(run->session, "wait %s %s %u", role, state, STRANGER_MS);
	run->report_fresh = false;
	if (!err)
		return true;
	if (err == -ETIME || err == -ESRCH)
		elsewhere(run, role, state);
	else
		inconclusive(run, "session: wait %s %s: %s", role, state, strerror(-err));
	return false;
}

/* Terms that have done their work would park the role again. */
static void forget_rule(struct run *run, const char *role, const char *window)
{
	unsigned int i;

	for (i = 0; i < run->nr_armed; i++)
		if (!strcmp(run->armed[i].window, window) && !strcmp(run->armed[i].role, role))
			run->armed[i] = run->armed[--run->nr_armed];
}

static bool arm_window(struct run *run, const char *window, const char *role, const char *rule)
{
	char command[1024];
	size_t len;
	unsigned int i;

	if (over(run))
		return false;
	if (!run->held)
		return true;
	if (run->nr_armed == MOST_RULES) {
		inconclusive(run, "more than %u rules", MOST_RULES);
		return false;
	}
	i = run->nr_armed++;
	snprintf(run->armed[i].window, sizeof(run->armed[i].window), "%s", window);
	snprintf(run->armed[i].role, sizeof(run->armed[i].role), "%s", role);
	snprintf(run->armed[i].rule, sizeof(run->armed[i].rule), "%s", rule);
	/* A window has one rule: what was armed there and is not used, and this. */
	len = snprintf(command, sizeof(command), "arm %s", window);
	rule = " ";
	for (i = 0; i < run->nr_armed && len < sizeof(command); i++) {
		if (strcmp(run->armed[i].window, window))
			continue;
		len += snprintf(command + len, sizeof(command) - len, "%s%s", rule,
				run->armed[i].rule);
		rule = " -> ";
	}
	return !run_say(run, command);
}

bool arm(struct run *run, const char *role, const char *window)
{
	char rule[128];

	snprintf(rule, sizeof(rule), "1*park(%u){role=%s}", PARK_MS, role);
	return arm_window(run, window, role, rule);
}

bool arm_order(struct run *run, const char *role, const char *window, unsigned int order)
{
	char rule[128];

	snprintf(rule, sizeof(rule), "1*park(%u){role=%s,order=%u}", PARK_MS, role, order);
	return arm_window(run, window, role, rule);
}

bool arm_rule(struct run *run, const char *window, const char *rule)
{
	return arm_window(run, window, "", rule);
}

bool parked(struct run *run, const char *role, const char *window)
{
	char state[64];

	if (!run->held)
		return !over(run);
	snprintf(state, sizeof(state), "parked:%s", window);
	if (!come(run, role, state))
		return false;
	forget_rule(run, role, window);
	return true;
}

bool asleep(struct run *run, const char *role)
{
	return run->held ? come(run, role, "asleep") : !over(run);
}

bool blocked(struct run *run, const char *role)
{
	return run->held ? come(run, role, "blocked") : !over(run);
}

bool spinning(struct run *run, const char *role)
{
	return run->held ? come(run, role, "spinning") : !over(run);
}

bool ended(struct run *run, const char *role)
{
	return come(run, role, "idle");
}

static int role_number(struct run *run, const char *role)
{
	int number = team_role(&run->team, role);

	if (number < 0)
		inconclusive(run, "the scenario has no role %s", role);
	return number;
}

bool start(struct run *run, const char *role, struct deed deed)
{
	int number = role_number(run, role), err;

	if (over(run) || number < 0)
		return false;
	if (!run->held && !is_idle(run, role) && !ended(run, role))
		return false;
	run->report_fresh = false;
	err = team_deed(&run->team, number, &deed);
	if (err == -EBUSY)
		run_stop(run, "%s has not ended its last deed", role);
	else if (err)
		inconclusive(run, "%s does not begin: %s", role, strerror(-err));
	return !err;
}

bool release(struct run *run, const char *role)
{
	char command[64];

	if (!run->held)
		return !over(run);
	snprintf(command, sizeof(command), "release %s", role ?: "all");
	return !over(run) && !run_say(run, command);
}

bool kill_role(struct run *run, const char *role)
{
	int number = role_number(run, role), err;

	if (over(run) || number < 0)
		return false;
	run->report_fresh = false;
	err = team_kill(&run->team, number);
	if (err)
		inconclusive(run, "%s is not killed: %s", role, strerror(-err));
	return !err;
}

bool judged(struct run *run)
{
	const struct report *report;

	if (!run->held)
		return !over(run);
	if (!still(run) || run_say(run, "verdict"))
		return false;
	report = run_report(run);
	if (!report->verdict[0])
		return !over(run);
	if (!run->verdict[0]) {
		snprintf(run->verdict, sizeof(run->verdict), "%s", report->verdict);
		snprintf(run->sentence, sizeof(run->sentence), "%s", report->sentence);
		snprintf(run->words, sizeof(run->words), "%s", report->text);
	}
	return false;
}

bool is_idle(struct run *run, const char *role)
{
	return is_in(run, role, "idle");
}

bool is_asleep(struct run *run, const char *role)
{
	return is_in(run, role, "asleep");
}

struct result result_of(struct run *run, const char *role)
{
	int number = role_number(run, role);
	struct result result = {};
	struct slot *slot;

	if (number < 0 || !is_idle(run, role) || team_settle(&run->team, number))
		return result;
	slot = &run->team.slot[number];
	return (struct result){ .ended = true, .error = slot->error, .value = slot->value };
}

static unsigned long long counter_in(struct run *run, const char *text, const char *counter)
{
	size_t len = strlen(counter);

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, counter, len) && text[len] == ' ')
			return strtoull(text + len, NULL, 10);
	inconclusive(run, "no counter named %s", counter);
	return 0;
}

unsigned long long grown(struct run *run, const char *counter)
{
	static char now[sizeof(run->stats)];

	read_text(DEBUGFS "/stats", now, sizeof(now));
	return counter_in(run, now, counter) - counter_in(run, run->stats, counter);
}

unsigned long crossed(struct run *run, const char *role, const char *window)
{
	return report_crossed(run_report(run), role, window);
}
