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
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static const struct lifetime lifetimes[] = {
	{ "A1", LINUX(4, 20), LINUX(5, 3), "23c84eb78375" },
	{ "A4", LINUX(4, 10), LINUX(5, 13), "237388320def" },
	{ "B1", LINUX(4, 20), LINUX(6, 15), "6be3e21d25ca" },
	{ "B3", LINUX(4, 20), 0, NULL },
	{ "B3b", LINUX(4, 10), 0, NULL },
	{ "C1", LINUX(4, 10), LINUX(4, 12), "13e451fdc1af" },
	{ "C2", LINUX(4, 10), LINUX(4, 12), "876f29460cbd" },
	{ "C6", LINUX(4, 10), LINUX(4, 12), "e2093926a098" },
	{ "C6-race2", LINUX(4, 10), LINUX(4, 12), "e2093926a098" },
};

const struct lifetime *bridge_lifetime(const struct scenario *scenario)
{
	unsigned int i;

	for (i = 0; i < sizeof(lifetimes) / sizeof(*lifetimes); i++)
		if (!strcmp(lifetimes[i].id, scenario->id))
			return &lifetimes[i];
	return NULL;
}

static bool is_alive(const struct lifetime *life)
{
	unsigned int major = 0, minor = 0, now;
	struct utsname name;

	uname(&name);
	if (!life || sscanf(name.release, "%u.%u", &major, &minor) != 2)
		return false;
	now = LINUX(major, minor);
	return now >= life->from && (!life->until || now < life->until);
}

/*
 * What is expected of this kernel: a scenario says what it comes to with each cure,
 * and as "stock" while the bug is in.
 */
static const struct expectation *expected(const struct scenario *scenario, const char *cure)
{
	static const struct expectation fixed = { "stock", PASSED, NULL, NULL };

	if (!is_alive(bridge_lifetime(scenario)))
		return &fixed;
	return scenario_expects(scenario, cure);
}

/* Lines of a report that are about syncs and waiters, and the listing, if there is one. */
static void excerpt(const char *text, char *words, size_t size)
{
	static const char *const about[] = { "sync ", "frame ", "waiter ", "waiters ", "listing" };
	size_t len, used = strlen(words);
	bool wanted = false;
	unsigned int i;

	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		/* What is indented belongs to the line before. */
		if (*text != ' ')
			for (i = 0, wanted = false; i < sizeof(about) / sizeof(*about); i++)
				wanted |= !strncmp(text, about[i], strlen(about[i]));
		if (!wanted || used + len + 2 > size || !strncmp(text, "listing", len))
			continue;
		used += sprintf(words + used, "%.*s\n", (int)len, text);
	}
}

void bridge_evidence(struct run *run)
{
	if (run->words[0] || run->why[0] || run_say(run, "listing"))
		return;
	excerpt(run_report(run)->text ?: "", run->words, sizeof(run->words));
}

/* All is on the media, no page table has a page of the file. */
static void set_stage(struct run *run)
{
	int err = team_map(&run->team);

	if (!err && run->scenario->prepare)
		run->scenario->prepare(run);
	if (!err && fsync(run->place->fd))
		err = -errno;
	if (err)
		inconclusive(run, "the stage cannot be set: %s", strerror(-err));
	run_say(run, "mark");
}

static void play_once(struct run *run, struct finding *finding)
{
	struct timespec from, to;

	clock_gettime(CLOCK_MONOTONIC, &from);
	run_begin(run);
	set_stage(run);
	if (!run->why[0])
		run->scenario->play(run);
	run_say(run, "disarm all");
	run_say(run, "release all");
	run->unhealthy = !run_still(run);
	if (run_report(run)->overdue)
		inconclusive(run, "%u parks ended by their bound", run->report.overdue);
	if (!run->unhealthy && run->scenario->check && !run->why[0])
		run->scenario->check(run);
	run_certify(run);
	if (run->verdict[0])
		bridge_evidence(run);
	clock_gettime(CLOCK_MONOTONIC, &to);
	run_find(run, finding);
	finding->ms = (to.tv_sec - from.tv_sec) * 1e3 + (to.tv_nsec - from.tv_nsec) / 1e6;
}

static void play_series(struct run *run, struct series *series, unsigned long repeat)
{
	struct finding finding;

	run->variant = series->variant;
	run->held = true;
	while (series->runs < repeat && !run->unhealthy && !interrupted) {
		print_progress(series, repeat);
		run->number = series->runs;
		play_once(run, &finding);
		if (!interrupted)
			series_count(run, series, &finding);
	}
	print_progress_end();
}

/* 0 or -errno. */
static int open_stage(struct run *run, struct place *place, struct stock *stock,
		      const struct scenario *scenario, const char *cure, struct lack *lack)
{
	const struct files files = { stock->fd, -1, -1, -1 };
	int err = stock_fresh(stock, scenario->pages);

	*lack = (struct lack){};

	*place = (struct place){ .fd = stock->fd, .cache = -1, .sink = -1, .nursery = -1 };
	*run = (struct run){ .scenario = scenario, .place = place, .session = -1 };
	if (err)
		return err;
	run->session = control_open();
	if (run->session < 0)
		return -errno;
	err = bridge_bind(stock, run->session, scenario->windows, lack);
	if (!err && strcmp(cure, "stock"))
		err = control_say(run->session, "cure %s", cure);
	if (err == -EOPNOTSUPP && !lack->words[0] && strcmp(cure, "stock"))
		strcpy(lack->words, "get_unlocked_entry() or dax_wake_entry() is not in this kernel, and the cure needs both");
	return err ?: team_start(&run->team, scenario, run->session, &files);
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

bool bridge_series(struct stock *stock, const struct scenario *scenario, const char *cure,
		   unsigned long repeat, struct series *series)
{
	static struct place place;
	static struct lack lack;
	static struct run run;
	bool well = true;
	int err;

	*series = (struct series){
		.scenario = scenario, .variant = cure, .held = true,
		.expect = expected(scenario, cure),
	};
	err = open_stage(&run, &place, stock, scenario, cure, &lack);
	if (err && lack.words[0]) {
		series->skipped = lack.words;
	} else if (err) {
		fprintf(stderr, "daxlab: no bridge: %s; the kernel's log tells more\n",
			strerror(-err));
		well = false;
	} else {
		play_series(&run, series, repeat);
	}
	return close_stage(&run) && well;
}

/* "ext4", or "ext4 reset". */
static const char *series_name(const struct stock *stock, const char *cure)
{
	static char name[40];

	if (!strcmp(cure, "stock"))
		return stock->fs;
	snprintf(name, sizeof(name), "%s %s", stock->fs, cure);
	return name;
}

static void tell_lifetime(const struct scenario *scenario)
{
	const struct lifetime *life = bridge_lifetime(scenario);

	if (life && life->until)
		printf("  fixed in v%u.%u by %s\n", life->until / 1000, life->until % 1000,
		       life->commit);
}

/* The exit status. */
static int play_scenario(struct stock *stock, const struct scenario *scenario,
			 const struct options *options, struct json *json)
{
	const char *cure = options->cure ?: "stock";
	int status = EX_CANNOT;
	struct series series;

	if (!json) {
		print_scenario(scenario);
		tell_lifetime(scenario);
	}
	if (bridge_series(stock, scenario, cure, options->repeat ?: 1, &series))
		status = series.skipped ? EX_SKIPPED :
			 series_is_as_expected(&series) ? EX_EXPECTED : EX_UNEXPECTED;
	series.variant = series_name(stock, cure);
	if (json && (series.runs || series.skipped))
		print_series_json(json, &series);
	else if (series.skipped)
		printf("%s %s: skipped: %s\n", scenario->id, series.variant, series.skipped);
	else if (series.runs)
		print_series(&series, options->verbose);
	series_free(&series);
	return status;
}

static int play_all(struct stock *stock, const struct scenario *const *scenario,
		    const struct options *options, struct json *json)
{
	int status = EX_EXPECTED;

	for (; *scenario && status != EX_CANNOT && !interrupted; scenario++) {
		int one = play_scenario(stock, *scenario, options, json);

		/* What was not as expected is not covered by a skip. */
		if (one != EX_EXPECTED && (one != EX_SKIPPED || status == EX_EXPECTED))
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
