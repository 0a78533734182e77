// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab bridge: races in the kernel's own fs/dax.c, on ext4 and xfs
 */
#include "bridge.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define UNFORCED_SYNCS	10000

static void on_signal(int sig)
{
	interrupted = sig;
}

static const struct scenario *const *const stories[] = {
	bridge_b3, bridge_b3b, bridge_a1, bridge_a4, bridge_b1, bridge_c1, bridge_c2,
	bridge_c6,
};

/* NULL: there is no such scenario. */
static const struct scenario *const *find_scenario(const char *word)
{
	unsigned int i;

	for (i = 0; i < sizeof(stories) / sizeof(*stories); i++)
		if (!strcasecmp(word, stories[i][0]->id) ||
		    !strcasecmp(word, stories[i][0]->name))
			return stories[i];
	return NULL;
}

static int bad(const char *what)
{
	fprintf(stderr, "daxlab: %s\n", what);
	return EX_BAD_USAGE;
}

/* EX_EXPECTED: it can be tried. */
static int check_usage(const struct options *options, const struct scenario *const *scenario)
{
	const char *fs = options->fs ?: "ext4";
	int ways = options->unforced + options->conform + (options->record || options->report);

	if (!scenario)
		return bad("bridge wants a SCENARIO, such as writeback-skips-locked (daxlab help bridge)");
	if (strcmp(fs, "ext4") && strcmp(fs, "xfs")) {
		fprintf(stderr, "daxlab: --fs: ext4 or xfs, not '%s'\n", fs);
		return EX_BAD_USAGE;
	}
	if (ways > 1)
		return bad("--unforced and --conform come alone");
	if (ways && scenario != bridge_b3)
		return bad("--unforced, --conform, --record, --report: of writeback-skips-locked (B3)");
	if (ways && (options->json || options->cure))
		return bad("--unforced, --conform, --record, --report have no --json and no --cure");
	if (options->unforced && options->without)
		return bad("--unforced hooks nothing: no --without");
	if (options->cure && scenario != bridge_b3 && scenario != bridge_b3b)
		return bad("--cure is about B3 and B3b");
	if (options->cure && strcmp(options->cure, "reset") &&
	    strcmp(options->cure, "reset_wait"))
		return bad("--cure: reset or reset_wait");
	return EX_EXPECTED;
}

static int record(struct stock *stock, unsigned long seconds)
{
	static struct record records[MOST_LOADS];
	struct looking looking;
	struct place place;
	int nr = -1;

	if (place_module(&place))
		nr = bridge_record(stock, seconds, records, &looking);
	place_close(&place);
	if (nr < 0)
		return nr == -EOPNOTSUPP ? EX_SKIPPED : EX_CANNOT;
	bridge_record_tell(records, nr, &looking);
	return EX_EXPECTED;
}

static int carry_out(struct stock *stock, const struct scenario *const *scenario,
		     const struct options *options)
{
	static struct unforced unforced;

	if (options->unforced)
		return bridge_unforced(stock, options->repeat ?: UNFORCED_SYNCS, &unforced, true);
	if (options->conform)
		return bridge_conform(stock);
	if (options->report)
		return bridge_report(stock, options);
	if (options->record)
		return record(stock, options->record);
	return bridge_play(stock, scenario, options);
}

int command_bridge(const struct options *options)
{
	struct sigaction action = { .sa_handler = on_signal };
	const struct scenario *const *scenario;
	struct stock stock;
	int status;

	scenario = options->argc == 1 ? find_scenario(options->argv[0]) : NULL;
	status = check_usage(options, scenario);
	if (status != EX_EXPECTED)
		return status;
	status = EX_CANNOT;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (stock_open(&stock, options->fs ?: "ext4", options->dev ?: "/dev/pmem0",
		       options->mount, options->format)) {
		stock.without = options->without;
		status = carry_out(&stock, scenario, options);
	}
	stock_close(&stock);
	return interrupted ? 128 + interrupted : status;
}
