// SPDX-License-Identifier: GPL-2.0
/*
 * B3 from user space, as skipped_sync.c sees it, with its controls.
 */
#include "bridge.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#define UNFORCED_PAGES	16

static const char *const rivals[] = {
	[RIVAL_NONE] = "nobody else",
	[RIVAL_ELSEWHERE] = "another thread, page 9",
	[RIVAL_SAME] = "another thread, page 5",
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
			 struct skipped *skipped, bool tell)
{
	unsigned int i;
	int err;

	for (i = 0; i < sizeof(rivals) / sizeof(*rivals); i++) {
		err = stock_fresh(stock, UNFORCED_PAGES) ?:
		      skipped_sync(stock->fd, calls[call].call, i, nr, &interrupted,
				   &skipped[i]);
		if (err) {
			fprintf(stderr, "daxlab: %s with %s: %s\n", calls[call].name, rivals[i],
				strerror(-err));
			return -1;
		}
		if (!tell)
			continue;
		printf("  %-6s %-24s %lu syncs, %lu missed (%.1f %%)\n", calls[call].name,
		       rivals[i], skipped[i].syncs, skipped[i].missed,
		       skipped[i].syncs ? 100.0 * skipped[i].missed / skipped[i].syncs : 0);
		fflush(stdout);
	}
	return 0;
}

static void tell_head(const struct stock *stock)
{
	struct utsname name;

	uname(&name);
	printf("B3 writeback-skips-locked: Linux %s, %s with dax=always, nothing forced\n",
	       name.release, stock->fs);
	printf("  A store after a sync that takes no minor fault was not write-protected by it:\n"
	       "  its page was not flushed, though the sync returned 0.\n");
}

/* No module, no tracing: what any program can see. */
int bridge_unforced(struct stock *stock, unsigned long nr, struct unforced *result, bool tell)
{
	unsigned long caught = 0, control = 0, syncs = 0;
	const struct skipped *skipped;
	unsigned int i;

	if (tell)
		tell_head(stock);
	for (i = 0; i < sizeof(calls) / sizeof(*calls) && !interrupted; i++) {
		if (unforced_call(stock, i, nr, result->skipped[i], tell))
			return EX_CANNOT;
		skipped = result->skipped[i];
		control += skipped[RIVAL_NONE].missed + skipped[RIVAL_ELSEWHERE].missed;
		caught += skipped[RIVAL_SAME].missed;
		syncs += skipped[RIVAL_SAME].syncs;
	}
	if (tell)
		printf("B3 %s unforced: %lu syncs, %lu caught, %lu passed, %lu in the controls\n",
		       stock->fs, syncs, caught, syncs - caught, control);
	return caught && !control ? EX_EXPECTED : EX_UNEXPECTED;
}
