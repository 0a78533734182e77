// SPDX-License-Identifier: GPL-2.0
/*
 * Plays scenarios; engine.h says what each function does.
 *
 * A run: the file becomes a hole and is mapped anew, the scenario prepares it,
 * then the session forgets what was ("mark") and the scenario plays. In the end
 * all are released, come to rest, and the oracles are asked. If somebody sleeps
 * on then, the mount is rescued, and nothing may be left of it.
 */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "slow.h"

volatile sig_atomic_t interrupted;

const char *stage_lacks(struct place *place, const struct scenario *scenario)
{
	switch (scenario->memory) {
	case PINNABLE:
		return place_pins(place) ? NULL : place->no_pins;
	case CHUNKS:
		return place_pins(place) ? "its memory is not RAM of the module" : NULL;
	default:
		return NULL;
	}
}

int stage_open(struct run *run, struct place *place, const struct scenario *scenario)
{
	struct files files;
	int err;

	*run = (struct run){ .scenario = scenario, .place = place, .session = -1 };
	err = place_mode(place, scenario->page_cache);
	if (err)
		return err;
	run->session = control_open();
	if (run->session < 0)
		return -errno;
	err = control_say(run->session, "bind %s", place->dev);
	files = (struct files){ place->fd, place->cache, place->sink, place->nursery };
	return err ?: team_start(&run->team, scenario, run->session, &files);
}

/* Whoever still sleeps could not end; harmless if nobody does. */
static void rescue_all(struct run *run)
{
	control_say(run->session, "disarm all");
	control_say(run->session, "rescue");
	control_say(run->session, "release all");
	/* Who was parked may have come to a wait since. */
	if (control_say(run->session, "wait all idle %u", slow_ms(1000)))
		control_say(run->session, "rescue");
}

bool stage_close(struct run *run)
{
	bool all;

	if (run->session < 0)
		return true;
	rescue_all(run);
	all = team_end(&run->team);
	if (!all)
		control_say(run->session, "rescue");
	close(run->session);
	report_free(&run->report);
	return all;
}

void run_begin(struct run *run)
{
	run->why[0] = '\0';
	run->stopped[0] = '\0';
	run->verdict[0] = '\0';
	run->sentence[0] = '\0';
	run->words[0] = '\0';
	run->nr_armed = 0;
	run->report_fresh = false;
}

static void set_stage(struct run *run, unsigned long long seed)
{
	char command[40];
	int err = team_revive(&run->team, run->session);

	if (!err)
		err = team_map(&run->team);
	if (!err)
		err = place_fresh(run->place, run->scenario->pages ?: 2 * PMD_PAGES);
	if (!err)
		err = place_set_variant(run->place, run->variant);
	if (err) {
		inconclusive(run, "the stage cannot be set: %s", strerror(-err));
		return;
	}
	snprintf(command, sizeof(command), "seed %llu", seed);
	run_say(run, command);
	if (run->scenario->prepare)
		run->scenario->prepare(run);
	if (run->stopped[0])
		inconclusive(run, "in preparation: %s", run->stopped);
	run_say(run, "mark");
	read_text(DEBUGFS "/stats", run->stats, sizeof(run->stats));
}

static bool all_idle(struct run *run)
{
	const struct report *report = run_report(run);
	unsigned int i;

	for (i = 0; i < report->nr_roles; i++)
		if (strcmp(report->role[i].state, "idle"))
			return false;
	return run->report_fresh;
}

/* If nobody waits for anything but locks of the kernel, somebody else may have them. */
static void outwait_strangers(struct run *run)
{
	const struct report *report = run_report(run);
	unsigned int i;

	for (i = 0; i < report->nr_roles; i++)
		if (strcmp(report->role[i].state, "idle") && !waits_for_kernel(&report->role[i]))
			return;
	if (all_idle(run))
		return;
	control_say(run->session, "wait all idle %u", STRANGER_MS);
	run->report_fresh = false;
}

/* In held runs, each window that makes the story must have been crossed. */
void run_certify(struct run *run)
{
	const char *const *window = run->scenario->windows;

	for (; run->held && window && *window; window++)
		if (**window != '?' && !report_crossed(run_report(run), NULL, *window))
			inconclusive(run, "window not entered: %s%s%s%s", *window,
				     run->stopped[0] ? " (" : "", run->stopped,
				     run->stopped[0] ? ")" : "");
}

static void hear_verdict(struct run *run, const struct expectation *expect)
{
	const struct report *report;

	if (run_say(run, "verdict"))
		return;
	report = run_report(run);
	if (!run->words[0] || report->verdict[0])
		snprintf(run->words, sizeof(run->words), "%s", report->text ?: "");
	/* One bug may break several rules; the expected one is the one to name. */
	if (expect && expect->verdict &&
	    report_has_verdict(report, expect->verdict, run->sentence, sizeof(run->sentence))) {
		snprintf(run->verdict, sizeof(run->verdict), "%s", expect->verdict);
		return;
	}
	if (!report->verdict[0] || run->verdict[0])
		return;
	snprintf(run->verdict, sizeof(run->verdict), "%s", report->verdict);
	snprintf(run->sentence, sizeof(run->sentence), "%s", report->sentence);
}

/* Bring all roles back, whatever happened to them. */
static void bring_back(struct run *run)
{
	rescue_all(run);
	run->report_fresh = false;
	if (control_say(run->session, "wait all idle %u", slow_ms(10000))) {
		run->unhealthy = true;
		inconclusive(run, "a role is not idle after the rescue");
	}
}

static void play(struct run *run, const struct expectation *expect)
{
	const struct scenario *s = run->scenario;

	if (run->held || !s->loose)
		s->play(run);
	else
		s->loose(run);
	run_say(run, "disarm all");
	run_say(run, "release all");
	if (!run_still(run))
		return;
	outwait_strangers(run);
	if (all_idle(run) && s->check && !run->why[0])
		s->check(run);
	hear_verdict(run, expect);
	run_certify(run);
	if (!all_idle(run) && !run->verdict[0])
		inconclusive(run, "%s, and the oracles find nothing",
			     run->stopped[0] ? run->stopped : "a role does not end");
	if (run->report.overdue)
		inconclusive(run, "%u parks ended by their bound", run->report.overdue);
}

void run_find(struct run *run, struct finding *finding)
{
	const char *text = run->sentence;

	finding->verdict[0] = '\0';
	if (run->why[0]) {
		finding->outcome = INCONCLUSIVE;
		text = run->why;
	} else if (run->verdict[0]) {
		finding->outcome = CAUGHT;
		memcpy(finding->verdict, run->verdict, sizeof(finding->verdict));
	} else if (run->stopped[0]) {
		finding->outcome = INCONCLUSIVE;
		text = run->stopped;
	} else {
		finding->outcome = PASSED;
	}
	snprintf(finding->sentence, sizeof(finding->sentence), "%s", text);
}

static void run_once(struct run *run, const struct expectation *expect, unsigned long long seed,
		     struct finding *finding)
{
	struct timespec from, to;
	char left[256];

	clock_gettime(CLOCK_MONOTONIC, &from);
	run_begin(run);
	set_stage(run, seed);
	if (!run->why[0])
		play(run, expect);
	/* An entry may be locked for ever, and nobody wait for it yet. */
	if (!all_idle(run) || run->verdict[0])
		bring_back(run);
	if (run->scenario->after && !run->why[0])
		run->scenario->after(run);
	if (!place_is_clean(run->place, left, sizeof(left)))
		inconclusive(run, "left behind: %s", left);
	clock_gettime(CLOCK_MONOTONIC, &to);
	run_find(run, finding);
	finding->ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
}

static bool is_expected(const struct expectation *expect, const struct finding *finding)
{
	if (!expect)
		return finding->outcome != INCONCLUSIVE;
	return finding->outcome == expect->outcome &&
	       (finding->outcome != CAUGHT || !expect->verdict ||
		!strcmp(finding->verdict, expect->verdict));
}

/* What the kernel says about a violation, without the state of the session. */
static char *evidence(const char *words)
{
	const char *verdict = strstr(words, "\nverdict ");

	return strdup(verdict ? verdict + 1 : words);
}

void series_count(struct run *run, struct series *series, const struct finding *finding)
{
	bool first_caught = finding->outcome == CAUGHT && !series->nr[CAUGHT];

	if (!series->runs || first_caught)
		series->first = *finding;
	if (first_caught)
		series->words = evidence(run->words);
	if (!is_expected(series->expect, finding) && !series->unexpected++) {
		series->odd = *finding;
		series->odd_number = series->runs;
		series->odd_words = strdup(run->words);
	}
	series->runs++;
	series->nr[finding->outcome]++;
	series->ms += finding->ms;
}

bool series_run(struct run *run, struct series *series, unsigned long repeat,
		unsigned long long seed, progress_fn progress)
{
	struct finding finding;

	run->variant = series->variant;
	run->held = series->held;
	while (series->runs < repeat && !run->unhealthy && !interrupted) {
		if (progress)
			progress(series, repeat);
		run->number = series->runs;
		run_once(run, series->expect, seed + series->runs, &finding);
		if (interrupted)
			break;
		series_count(run, series, &finding);
	}
	return !run->unhealthy && !interrupted;
}

void series_free(struct series *series)
{
	free(series->odd_words);
	free(series->words);
	series->odd_words = NULL;
	series->words = NULL;
}

bool series_is_as_expected(const struct series *series)
{
	return series->runs && !series->unexpected;
}

const char *series_label(const struct series *series, char *text, size_t size)
{
	snprintf(text, size, "%s%s", series->variant, series->held ? "" : " (not held)");
	return text;
}
