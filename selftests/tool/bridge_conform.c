// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab bridge SCENARIO --conform: does our filesystem go the way of fs/dax.c?
 *
 * One litmus (a store, a read fault that is held with the entry locked, a sync) is
 * played on the lab's own filesystem in the variant of upstream, and on the stock one.
 * What is compared is the order of windows that each role crosses, as far as both
 * kinds have them. A difference is told with its reason, or as unexplained.
 */
#include "bridge.h"
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define AT		5
#define PAGES		16
#define MOST_STEPS	24

/* Windows at which the bridge has a hook; NULL ends. */
static const char *const common[] = {
	"?fault.after_core_pmd_check", "?fault.before_grab", "fault.after_grab",
	"?fault.before_insert_entry", "?fault.after_insert_entry", "?fault.before_unlock",
	"?writeback.after_tag", "?writeback.found_locked", "?writeback.after_wrprotect",
	"?writeback.after_flush", NULL
};

static const char *window_name(unsigned int window)
{
	return common[window] + (*common[window] == '?');
}

/* What is known to differ, and why that does not matter to a race. */
static const struct {
	const char *window, *why;
} known[] = {
	{ "fault.before_insert_entry",
	  "ours does not insert what is there: an entry with its frame is only marked" },
	{ "fault.after_insert_entry",
	  "likewise" },
	{ "fault.after_core_pmd_check",
	  "PMD faults that cannot fit come to fs/dax.c each time that the core tries (since\n"
	  "      per-VMA locks it tries twice), and are refused there; by ours before the window" },
};

struct crossings {
	unsigned int nr;
	unsigned int window[MOST_STEPS];	/* in common[] */
};

static const char *const roles[] = { "storer", "holder", "syncer" };

#define NR_ROLES	3
#define NR_COMMON	(sizeof(common) / sizeof(*common) - 1)

struct way {
	const char *name;
	struct crossings order[NR_ROLES];
};

static void add_step(struct way *way, const char *role, const char *window)
{
	unsigned int i, j;

	for (i = 0; i < NR_ROLES; i++)
		for (j = 0; j < NR_COMMON; j++)
			if (!strcmp(roles[i], role) && !strcmp(window_name(j), window) &&
			    way->order[i].nr < MOST_STEPS)
				way->order[i].window[way->order[i].nr++] = j;
}

/* "order ROLE WINDOW", in the order of the log. */
static void read_order(struct run *run, struct way *way)
{
	const char *line = run_report(run)->text ?: "";
	char role[32], window[64];

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (sscanf(line, "order %31s %63s", role, window) == 2)
			add_step(way, role, window);
}

static struct way *playing;

/* No verdict: the ways are what is looked at. */
static void litmus(struct run *run)
{
	STEP(done(run, "storer", DEED(STORE, .page = AT, .value = 0xc0)));
	STEP(held_at(run, "holder", "fault.after_grab", DEED(LOAD, .page = AT)));
	STEP(start(run, "syncer", DEED(FSYNC)));
	STEP(still(run));
	STEP(release(run, "holder"));
	STEP(still(run));
	if (!run_say(run, "listing"))
		read_order(run, playing);
}

/* Blocks for all, which the store shall not have to get. */
static void fill(struct run *run)
{
	static const char page[PAGE];
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		if (pwrite(run_fd(run), page, PAGE, i * PAGE) != PAGE)
			inconclusive(run, "cannot write: %s", strerror(errno));
	if (fsync(run_fd(run)))
		inconclusive(run, "cannot sync: %s", strerror(errno));
}

static const struct expectation passes[] = { { "stock", PASSED, NULL, NULL }, {} };

static const struct scenario conformance = {
	.id = "conform",
	.name = "conformance",
	.title = "a store, a read fault with the entry locked, a sync",
	.windows = common,
	.role = {
		{ "storer", MAP_PTES, NULL, "stores to a page" },
		{ "holder", MAP_PTES, NULL, "read fault on it" },
		{ "syncer", MAP_NONE, NULL, "fsync(2)" },
	},
	.pages = PAGES,
	.prepare = fill,
	.play = litmus,
	.expect = passes,
};

/* The exit status. */
static int play_stock(struct stock *stock, struct way *way)
{
	struct series series;
	bool well;

	way->name = stock->fs;
	playing = way;
	well = bridge_series(stock, &conformance, "stock", 1, &series) &&
	       series.nr[PASSED] == series.runs && series.runs;
	if (series.skipped)
		printf("conformance with %s: skipped: %s\n", stock->fs, series.skipped);
	else if (!well && series.runs)
		fprintf(stderr, "daxlab: %s: %s\n", stock->fs, series.first.sentence);
	series_free(&series);
	if (well)
		return EX_EXPECTED;
	return series.skipped ? EX_SKIPPED : EX_CANNOT;
}

static const char *upstream(void)
{
	unsigned int major, minor;
	struct utsname name;

	uname(&name);
	if (sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	    LINUX(major, minor) >= LINUX(6, 15))
		return "upstream-7.3";
	return "upstream-6.1";
}

static bool play_ours(struct way *way)
{
	struct series series = { .scenario = &conformance, .variant = upstream(), .held = true };
	static struct run run;
	struct place place;
	bool well = place_open(&place, NULL, NULL);

	way->name = series.variant;
	playing = way;
	if (well) {
		well = !stage_open(&run, &place, &conformance) &&
		       series_run(&run, &series, 1, 1, NULL);
		well &= stage_close(&run) && series.runs;
	}
	if (series.nr[INCONCLUSIVE]) {
		fprintf(stderr, "daxlab: ours: %s\n", series.first.sentence);
		well = false;
	}
	series_free(&series);
	place_close(&place);
	return well;
}

static bool crosses(const struct crossings *order, unsigned int window)
{
	unsigned int i;

	for (i = 0; i < order->nr; i++)
		if (order->window[i] == window)
			return true;
	return false;
}

static unsigned int times(const struct crossings *order, unsigned int window)
{
	unsigned int i, nr = 0;

	for (i = 0; i < order->nr; i++)
		nr += order->window[i] == window;
	return nr;
}

/* The order of what both cross, each window once. */
static bool same_order(const struct crossings *one, const struct crossings *other)
{
	unsigned int i, j, at = 0;

	for (i = 0; i < one->nr; i++) {
		for (j = 0; j < i && one->window[j] != one->window[i]; j++)
			;
		if (j < i || !crosses(other, one->window[i]))
			continue;
		for (j = 0; j < other->nr && other->window[j] != one->window[i]; j++)
			;
		if (j < at)
			return false;
		at = j;
	}
	return true;
}

static const char *reason(unsigned int window)
{
	unsigned int i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(known[i].window, window_name(window)))
			return known[i].why;
	return NULL;
}

static void tell_order(const struct way *way, unsigned int role)
{
	unsigned int i;

	printf("  %-7s %-13s", roles[role], way->name);
	for (i = 0; i < way->order[role].nr; i++)
		printf(" %s", window_name(way->order[role].window[i]));
	printf("\n");
}

/* False: something that nobody has explained. */
static bool compare_role(const struct way *ours, const struct way *stock, unsigned int role)
{
	const struct crossings *one = &ours->order[role], *other = &stock->order[role];
	bool well = same_order(one, other);
	unsigned int i, mine, theirs;

	tell_order(ours, role);
	tell_order(stock, role);
	if (!well)
		printf("    NOT EXPLAINED: what both cross is crossed in another order\n");
	for (i = 0; i < NR_COMMON; i++) {
		mine = times(one, i);
		theirs = times(other, i);
		if (mine == theirs)
			continue;
		printf("    %s: ours %u, %s %u: %s\n", window_name(i), mine, stock->name, theirs,
		       reason(i) ?: "NOT EXPLAINED");
		well &= !!reason(i);
	}
	return well;
}

int bridge_conform(struct stock *stock)
{
	static struct way ours, theirs;
	unsigned int i, well = 0;
	struct place place;
	int status = EX_CANNOT;

	if (place_module(&place))
		status = play_stock(stock, &theirs);
	place_close(&place);
	if (status == EX_EXPECTED && !play_ours(&ours))
		status = EX_CANNOT;
	if (status != EX_EXPECTED)
		return status;
	for (i = 0; i < NR_ROLES; i++)
		well += compare_role(&ours, &theirs, i);
	printf("conformance of %s with %s: %u roles, %u as explained\n", ours.name, stock->fs,
	       NR_ROLES, well);
	return well == NR_ROLES ? EX_EXPECTED : EX_UNEXPECTED;
}
