// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab bridge: bugs of the kernel's own fs/dax.c, shown on ext4 and xfs
 */
#include "bridge.h"

#include "skipped_sync.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#define UNFORCED_SYNCS	10000
#define UNFORCED_PAGES	16

static const struct {
	enum skipped_rival rival;
	const char *name;
} rivals[] = {
	{ RIVAL_NONE, "nobody else" },
	{ RIVAL_ELSEWHERE, "another thread, page 9" },
	{ RIVAL_SAME, "another thread, page 5" },
};

static const struct {
	enum skipped_call call;
	const char *name;
} calls[] = {
	{ SKIPPED_FSYNC, "fsync" },
	{ SKIPPED_MSYNC, "msync" },
};

/* The missed syncs of one call; -1 if it cannot be said. */
static int unforced_call(struct stock *stock, unsigned int call, unsigned long nr,
			 struct skipped *skipped)
{
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(rivals) / sizeof(*rivals); i++) {
		err = stock_fresh(stock, UNFORCED_PAGES) ?:
		      skipped_sync(stock->fd, calls[call].call, rivals[i].rival, nr,
				   &interrupted, &skipped[i]);
		if (err) {
			fprintf(stderr, "daxlab: %s with %s: %s\n", calls[call].name,
				rivals[i].name, strerror(-err));
			return -1;
		}
		printf("  %-6s %-24s %lu syncs, %lu missed (%.1f %%)\n", calls[call].name,
		       rivals[i].name, skipped[i].syncs, skipped[i].missed,
		       skipped[i].syncs ? 100.0 * skipped[i].missed / skipped[i].syncs : 0);
		fflush(stdout);
	}
	return 0;
}

/* No module, no tracing: what any program can see. */
static int unforced(struct stock *stock, unsigned long nr)
{
	unsigned long caught = 0, control = 0, syncs = 0;
	struct skipped skipped[3];
	struct utsname name;
	unsigned int i;

	uname(&name);
	printf("B3 writeback-skips-locked: Linux %s, %s with dax=always, nothing forced\n",
	       name.release, stock->fs);
	printf("  A store after a sync that takes no minor fault was not write-protected by it:\n"
	       "  its page was not flushed, though the sync returned 0.\n");
	for (i = 0; i < sizeof(calls) / sizeof(*calls) && !interrupted; i++) {
		if (unforced_call(stock, i, nr, skipped))
			return EX_CANNOT;
		control += skipped[RIVAL_NONE].missed + skipped[RIVAL_ELSEWHERE].missed;
		caught += skipped[RIVAL_SAME].missed;
		syncs += skipped[RIVAL_SAME].syncs;
	}
	printf("B3 %s unforced: %lu syncs, %lu caught, %lu passed, %lu in the controls\n",
	       stock->fs, syncs, caught, syncs - caught, control);
	return caught && !control ? EX_EXPECTED : EX_UNEXPECTED;
}

static void on_signal(int sig)
{
	interrupted = sig;
}

/* NULL: there is no such scenario. */
static const struct scenario *const *find_scenario(const char *word)
{
	const struct scenario *const *const all[] = { bridge_b3, bridge_b3b };
	unsigned int i;

	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcasecmp(word, all[i][0]->id) || !strcasecmp(word, all[i][0]->name))
			return all[i];
	return NULL;
}

int command_bridge(const struct options *options)
{
	struct sigaction action = { .sa_handler = on_signal };
	const struct scenario *const *scenario;
	const char *fs = options->fs ?: "ext4";
	struct stock stock;
	int status = EX_CANNOT;

	scenario = options->argc == 1 ? find_scenario(options->argv[0]) : NULL;
	if (!scenario || (options->unforced && scenario != bridge_b3)) {
		fprintf(stderr, "daxlab: bridge wants a SCENARIO: writeback-skips-locked (B3)%s\n",
			options->unforced ? "" : " or towrite-cleared-early (B3b)");
		return EX_BAD_USAGE;
	}
	if (strcmp(fs, "ext4") && strcmp(fs, "xfs")) {
		fprintf(stderr, "daxlab: --fs: ext4 or xfs, not '%s'\n", fs);
		return EX_BAD_USAGE;
	}
	if (options->unforced && options->json) {
		fprintf(stderr, "daxlab: --unforced has no --json\n");
		return EX_BAD_USAGE;
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (stock_open(&stock, fs, options->dev ?: "/dev/pmem0", options->mount, options->format))
		status = options->unforced ?
			 unforced(&stock, options->repeat ?: UNFORCED_SYNCS) :
			 bridge_play(&stock, scenario, options);
	stock_close(&stock);
	return interrupted ? 128 + interrupted : status;
}
