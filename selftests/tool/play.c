// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab run: scenarios in their variants, one after the other
 */
#include "command.h"

#include "print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define MOST_SCENARIOS	128

static void on_signal(int sig)
{
	interrupted = sig;
}

bool begin_playing(struct place *place, const struct options *options)
{
	/* No SA_RESTART: waiting ends. */
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	return place_open(place, options->mount, options->dev);
}

int end_playing(struct place *place, int status)
{
	print_progress_end();
	place_close(place);
	if (!interrupted)
		return status;
	fprintf(stderr, "daxlab: interrupted; all is released and as it was found\n");
	return 128 + interrupted;
}

int pick_scenarios(const struct options *options, const struct scenario **picked, int most)
{
	const struct scenario *s;
	int nr = 0, i, n;

	for (i = 0; i < options->argc; i++) {
		if (!strcasecmp(options->argv[i], "all"))
			break;
		s = scenario_find(options->argv[i]);
		if (!s) {
			fprintf(stderr, "daxlab: no scenario '%s' (daxlab list)\n",
				options->argv[i]);
			return -1;
		}
		if (nr < most)
			picked[nr++] = s;
	}
	if (i == options->argc && i)
		return nr;
	for (nr = 0, n = 0; (s = scenario_nth(n)) && nr < most; n++)
		picked[nr++] = s;
	return nr;
}

static const struct expectation sound = { "sound", PASSED, NULL, NULL };

/* All that is said of a run series, on stdout. */
static void tell(const struct series *series, const struct options *options, struct json *json)
{
	print_progress_end();
	if (json)
		print_series_json(json, series);
	else
		print_series(series, options->verbose);
}

struct tally {
	unsigned long series, runs, odd;
	int skipped;
	struct {
		const char *id, *why;
	} skip[MOST_SCENARIOS];
};

static void skip(struct tally *tally, const struct scenario *scenario, const char *why)
{
	fprintf(stderr, "daxlab: %s: skipped: %s\n", scenario->id, why);
	tally->skip[tally->skipped].id = scenario->id;
	tally->skip[tally->skipped++].why = why;
}

static void skips_json(const struct tally *tally, struct json *json)
{
	int i;

	json_array(json, "skipped");
	for (i = 0; i < tally->skipped; i++) {
		json_object(json, NULL);
		json_string(json, "id", tally->skip[i].id);
		json_string(json, "why", tally->skip[i].why);
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* "all" is what can be played there; what was named must be. */
static bool all_wanted(const struct options *options)
{
	int i;

	for (i = 0; i < options->argc; i++)
		if (!strcasecmp(options->argv[i], "all"))
			return true;
	return false;
}

/* False if nothing more can be played on this stage. */
static bool play_series(struct run *run, const char *variant, bool held,
			const struct expectation *expect, const struct options *options,
			struct json *json, struct tally *tally)
{
	struct series series = {
		.scenario = run->scenario, .variant = variant, .held = held, .expect = expect,
	};
	bool more = series_run(run, &series, options->repeat ?: 1, options->seed, print_progress);

	if (series.runs)
		tell(&series, options, json);
	tally->series++;
	tally->runs += series.runs;
	tally->odd += !series_is_as_expected(&series);
	series_free(&series);
	return more;
}

static bool play_scenario(struct run *run, const struct options *options, struct json *json,
			  struct tally *tally)
{
	const struct scenario *s = run->scenario;
	const struct expectation *e;
	bool more = true;

	if (options->variant) {
		e = scenario_expects(s, options->variant);
		if (!strcmp(options->variant, sound.variant))
			e = &sound;
		else if (options->not_held)
			e = NULL;	/* nobody knows: that is why windows are held */
		return play_series(run, options->variant, !options->not_held, e, options, json,
				   tally);
	}
	for (e = s->expect; e->variant && more && !options->not_held; e++)
		more = play_series(run, e->variant, true, e, options, json, tally);
	if (more && !options->not_held && !scenario_expects(s, sound.variant))
		more = play_series(run, sound.variant, true, &sound, options, json, tally);
	return more && play_series(run, sound.variant, false, &sound, options, json, tally);
}

static bool play_all(struct place *place, const struct scenario *const *picked, int nr,
		     const struct options *options, struct json *json, struct tally *tally)
{
	struct run *run = malloc(sizeof(*run));
	const char *lacks;
	bool well = true;
	int i, err;

	for (i = 0; run && i < nr && well && !interrupted; i++) {
		if (!json)
			print_scenario(picked[i]);
		lacks = stage_lacks(place, picked[i]);
		if (lacks) {
			skip(tally, picked[i], lacks);
			continue;
		}
		err = stage_open(run, place, picked[i]);
		if (err == -EOPNOTSUPP) {
			skip(tally, picked[i],
			     "no such files on this mount; dax=inode has both modes");
			continue;
		}
		if (err)
			fprintf(stderr, "daxlab: %s: no session with its roles: %s\n",
				picked[i]->id, strerror(-err));
		well = !err && play_scenario(run, options, json, tally);
		if (!stage_close(run)) {
			fprintf(stderr, "daxlab: %s: a task cannot be ended\n", picked[i]->id);
			well = false;
		}
	}
	free(run);
	return well;
}

int command_run(const struct options *options)
{
	const struct scenario *picked[MOST_SCENARIOS];
	struct json json = { .out = stdout };
	struct tally tally = {};
	struct place place;
	int nr, status;

	if (!options->argc) {
		fprintf(stderr, "daxlab: run wants a SCENARIO or 'all' (daxlab help run)\n");
		return EX_BAD_USAGE;
	}
	nr = pick_scenarios(options, picked, MOST_SCENARIOS);
	if (nr < 0)
		return EX_BAD_USAGE;
	if (!begin_playing(&place, options))
		return end_playing(&place, EX_CANNOT);
	if (options->variant && place_set_variant(&place, options->variant)) {
		fprintf(stderr, "daxlab: no variant '%s' (daxlab knobs)\n", options->variant);
		return end_playing(&place, EX_BAD_USAGE);
	}
	if (options->json) {
		json_object(&json, NULL);
		json_string(&json, "dev", place.dev);
		json_number(&json, "seed", options->seed);
		json_array(&json, "series");
	}
	status = play_all(&place, picked, nr, options, options->json ? &json : NULL, &tally) &&
		 !tally.odd ? EX_EXPECTED : EX_UNEXPECTED;
	if (status == EX_EXPECTED && tally.skipped && !all_wanted(options))
		status = EX_CANNOT;
	if (options->json) {
		json_close(&json, ']');
		skips_json(&tally, &json);
		json_bool(&json, "as_expected", status == EX_EXPECTED);
		json_close(&json, '}');
	} else if (nr > 1) {
		printf("%d scenarios, %lu variants of them, %lu runs: %lu not as expected", nr,
		       tally.series, tally.runs, tally.odd);
		printf(tally.skipped ? "; %d skipped\n" : "\n", tally.skipped);
	}
	return end_playing(&place, status);
}
