// SPDX-License-Identifier: GPL-2.0
/*
 * Plays scenarios on a file of a stock filesystem. A run is as in engine.c, but for
 * what only our own filesystem has: variants, oracles, a rescue of its hangs.
 */
#include "bridge.h"

#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* All is on the media, no page table has a page of the file. */
static void set_stage(struct run *run, struct stock *stock)
{
	int err = team_map(&run->team);

	if (!err && fsync(stock->fd))
		err = -errno;
	if (err)
		inconclusive(run, "the stage cannot be set: %s", strerror(-err));
	run_say(run, "mark");
}

static void play_once(struct run *run, struct stock *stock, struct finding *finding)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	run_begin(run);
	set_stage(run, stock);
	if (!run->why[0])
		run->scenario->play(run);
	run_say(run, "disarm all");
	run_say(run, "release all");
	run->unhealthy = !run_still(run);
	if (run_report(run)->overdue)
		inconclusive(run, "%u parks ended by their bound", run->report.overdue);
	run_certify(run);
	if (run->verdict[0])
		snprintf(run->words, sizeof(run->words), "%s", run_report(run)->text ?: "");
	clock_gettime(CLOCK_MONOTONIC, &to);
	run_find(run, finding);
	finding->ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
}

static void play_series(struct run *run, struct stock *stock, struct series *series,
			unsigned long repeat)
{
	struct finding finding;

	run->variant = series->variant;
	run->held = true;
	while (series->runs < repeat && !run->unhealthy && !interrupted) {
		print_progress(series, repeat);
		run->number = series->runs;
		play_once(run, stock, &finding);
		if (!interrupted)
			series_count(run, series, &finding);
	}
	print_progress_end();
}

/* False if no session with its roles can be had. */
static bool open_stage(struct run *run, struct stock *stock, const struct scenario *scenario)
{
	int err = stock_fresh(stock, scenario->pages);

	*run = (struct run){ .scenario = scenario, .session = control_open() };
	if (!err && run->session < 0)
		err = -errno;
	if (!err)
		err = control_say(run->session, "bridge %d", stock->fd);
	if (!err)
		err = team_start(&run->team, scenario, run->session, stock->fd, -1);
	if (!err)
		return true;
	fprintf(stderr, "daxlab: no bridge: %s; the kernel's log tells more\n", strerror(-err));
	return false;
}

static bool close_stage(struct run *run)
{
	bool all;

	if (run->session < 0)
		return true;
	control_say(run->session, "disarm all");
	control_say(run->session, "release all");
	all = team_end(&run->team);
	if (!all)
		fprintf(stderr, "daxlab: %s: a task cannot be ended\n", run->scenario->id);
	close(run->session);
	report_free(&run->report);
	return all;
}

/* The exit status. */
static int play_scenario(struct stock *stock, const struct scenario *scenario,
			 const struct options *options, struct json *json)
{
	struct series series = {
		.scenario = scenario, .variant = stock->fs, .held = true,
		.expect = scenario->expect,
	};
	static struct run run;
	int status = EX_CANNOT;

	if (open_stage(&run, stock, scenario)) {
		play_series(&run, stock, &series, options->repeat ?: 1);
		status = series_is_as_expected(&series) ? EX_EXPECTED : EX_UNEXPECTED;
		if (json)
			print_series_json(json, &series);
		else
			print_series(&series, options->verbose);
	}
	if (!close_stage(&run))
		status = EX_UNEXPECTED;
	series_free(&series);
	return status;
}

static int play_all(struct stock *stock, const struct scenario *const *scenario,
		    const struct options *options, struct json *json)
{
	int status = EX_EXPECTED;

	for (; *scenario && status != EX_CANNOT && !interrupted; scenario++) {
		int one;

		if (!json)
			print_scenario(*scenario);
		one = play_scenario(stock, *scenario, options, json);
		if (one != EX_EXPECTED)
			status = one;
	}
	return status;
}

int bridge_play(struct stock *stock, const struct scenario *const *scenario,
		const struct options *options)
{
	struct json json = { .out = stdout };
	struct place place;
	int status = EX_CANNOT;

	if (!place_module(&place)) {
		place_close(&place);
		return EX_CANNOT;
	}
	if (options->json) {
		json_object(&json, NULL);
		json_string(&json, "fs", stock->fs);
		json_array(&json, "series");
	}
	status = play_all(stock, scenario, options, options->json ? &json : NULL);
	if (options->json) {
		json_close(&json, ']');
		json_bool(&json, "as_expected", status == EX_EXPECTED);
		json_close(&json, '}');
	}
	place_close(&place);
	return status;
}
