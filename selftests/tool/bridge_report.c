// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab bridge writeback-skips-locked --report: plain text, fit to send to who looks
 * after fs/dax.c. All that it says of this kernel was seen in this run: first all is
 * played, then it is told, also what did not come out as expected.
 */
#include "bridge.h"

#include "print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define RUNS		20
#define UNFORCED_SYNCS	2000
#define RECORD_SECONDS	30

#define NR_CONTROLS	3	/* the scenario, and two controls */

static const char *const cures[] = { "stock", "reset", "reset_wait" };

#define NR_CURES	(sizeof(cures) / sizeof(*cures))

/* On the filesystem of the lab, where all of the protocol can be chosen. */
static const struct {
	const char *variant, *words;
} lab_variants[] = {
	{ "sync_scan=positioned,towrite=at_lock", "as fs/dax.c does both" },
	{ "towrite=at_lock", "locked entries are waited for, TOWRITE is cleared early" },
	{ "sync_scan=positioned", "TOWRITE is cleared after the flush, locked entries are passed" },
	{ "sound", "locked entries are waited for, TOWRITE is cleared after the flush" },
};

#define NR_VARIANTS	(sizeof(lab_variants) / sizeof(*lab_variants))

static struct {
	struct series forced[2][NR_CONTROLS];	/* B3, B3b */
	struct series cured[2][NR_CURES];	/* [0] is not used: that is .forced */
	struct series lab[2][NR_VARIANTS];
	struct unforced unforced;
	struct record record[MOST_LOADS];
	int nr_records;
	struct looking looking;
	bool odd;				/* something is not as expected */
	bool skipped;				/* something cannot be had of this kernel */
} all;

static bool keep(bool played, const struct series *series)
{
	if (played && series->skipped) {
		printf("%s: skipped: %s\n", series->scenario->id, series->skipped);
		all.skipped = true;
		return false;
	}
	all.odd |= !played || !series_is_as_expected(series);
	return played && !interrupted;
}

static bool play_forced(struct stock *stock, unsigned long runs)
{
	const struct scenario *const *const stories[] = { bridge_b3, bridge_b3b };
	struct series *series;
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < NR_CONTROLS; j++) {
			series = &all.forced[i][j];
			if (!keep(bridge_series(stock, stories[i][j], cures[0], runs, series),
				  series))
				return false;
		}
		for (j = 1; j < NR_CURES; j++) {
			series = &all.cured[i][j];
			if (!keep(bridge_series(stock, stories[i][0], cures[j], runs, series),
				  series))
				return false;
		}
	}
	return true;
}

static bool play_lab_scenario(struct place *place, unsigned int i, unsigned long runs)
{
	static const char *const names[] = { "B3", "B3b" };
	const struct scenario *scenario = scenario_find(names[i]);
	static struct run run;
	struct series *series;
	bool well = !stage_open(&run, place, scenario);
	unsigned int j;

	for (j = 0; j < NR_VARIANTS && well; j++) {
		series = &all.lab[i][j];
		*series = (struct series){
			.scenario = scenario, .variant = lab_variants[j].variant, .held = true,
			.expect = scenario_expects(scenario, lab_variants[j].variant),
		};
		well = series_run(&run, series, runs, 1, print_progress);
		keep(well, series);
	}
	print_progress_end();
	return stage_close(&run) && well;
}

static bool play_lab(unsigned long runs)
{
	struct place place;
	bool well = place_open(&place, NULL, NULL) && play_lab_scenario(&place, 0, runs) &&
		    play_lab_scenario(&place, 1, runs);

	place_close(&place);
	return well && !interrupted;
}

static bool play_all(struct stock *stock, const struct options *options)
{
	unsigned long runs = options->repeat ?: RUNS;
	struct place place;
	bool well = place_module(&place) && play_forced(stock, runs);

	if (well) {
		all.nr_records = bridge_record(stock, options->record ?: RECORD_SECONDS,
					       all.record, &all.looking);
		all.skipped |= all.nr_records == -EOPNOTSUPP;
		well = all.nr_records >= 0 && !interrupted;
	}
	place_close(&place);
	return well && bridge_unforced(stock, UNFORCED_SYNCS, &all.unforced, false) != EX_CANNOT &&
	       play_lab(runs);
}

static void heading(const char *text)
{
	printf("\n%s\n%.*s\n", text, (int)strlen(text),
	       "------------------------------------------------------------------------");
}

/* "QEMU TCG CPU version 2.5+, 2 online": rates depend on it. */
static void processor(char *text, size_t size)
{
	static char info[4096];
	const char *model;

	read_text("/proc/cpuinfo", info, sizeof(info));
	model = strstr(info, "model name\t: ");
	model = model ? model + strlen("model name\t: ") : "unknown";
	snprintf(text, size, "%.*s, %ld online", (int)strcspn(model, "\n"), model,
		 sysconf(_SC_NPROCESSORS_ONLN));
}

static void tell_head(const struct stock *stock)
{
	char day[32] = "", cpu[128];
	struct utsname name;
	time_t now = time(NULL);

	uname(&name);
	processor(cpu, sizeof(cpu));
	strftime(day, sizeof(day), "%Y-%m-%d", gmtime(&now));
	printf("fs/dax.c: fsync() and msync() return 0 and have not flushed a locked entry\n"
	       "==========================================================================\n"
	       "Kernel      %s %s %s\n"
	       "            %s\n"
	       "Processor   %s\n"
	       "Filesystem  %s, dax=always, on %s\n"
	       "Date        %s\n",
	       name.sysname, name.release, name.machine, name.version, cpu, stock->fs,
	       stock->dev[0] ? stock->dev : stock->dir, day);
	puts("\nA sync call promises that what was stored before it was called is on the media\n"
	     "when it returns 0. dax_writeback_one() breaks that for entries that are locked at\n"
	     "that moment, in two ways:\n"
	     "\n"
	     "B3   It meets a locked entry and calls get_unlocked_entry() (since v6.15:\n"
	     "     get_next_unlocked_entry()) with a state that stands on that entry.\n"
	     "     xas_find_conflict() then looks at what comes behind it, finds nothing, and\n"
	     "     the entry is passed. Whoever has it locked, a fault or another sync, does\n"
	     "     not matter.\n"
	     "B3b  It clears TOWRITE when it has locked an entry, before it flushes. A second\n"
	     "     sync that walks by TOWRITE does not find the entry at all, and returns\n"
	     "     before the first has flushed.");
}

static void tell_counts(const struct series *series, const char *what)
{
	printf("  %-44s %4lu runs  %4lu unflushed  %4lu flushed%s", what, series->runs,
	       series->nr[CAUGHT], series->nr[PASSED], series->nr[INCONCLUSIVE] ? "" : "\n");
	if (series->nr[INCONCLUSIVE])
		printf("  %lu inconclusive\n", series->nr[INCONCLUSIVE]);
}

static void tell_forced(const struct stock *stock)
{
	static const char *const titles[2][NR_CONTROLS] = {
		{ "B3: a read fault has the entry locked",
		  "control: it has another entry locked", "control: nobody has any" },
		{ "B3b: another sync has it, and not flushed",
		  "control: it has another entry", "control: it comes later" },
	};
	unsigned int i, j;

	heading("Steps, forced");
	printf("daxlab bridge writeback-skips-locked --fs %s --verbose\n"
	       "daxlab bridge towrite-cleared-early --fs %s --verbose\n\n", stock->fs, stock->fs);
	puts("Tasks are parked in functions of the kernel as it is, by ftrace (IPMODIFY), where\n"
	     "no spinlock is held. The verdict is from flushes only: the entry was DIRTY when the\n"
	     "sync was called, after a store; the sync returned 0; no dax_flush() of that frame\n"
	     "had completed. How long anything took decides nothing.\n");
	for (i = 0; i < 2; i++) {
		for (j = 0; j < NR_CONTROLS; j++)
			tell_counts(&all.forced[i][j], titles[i][j]);
		if (all.forced[i][0].words) {
			printf("\n  %s\n\n", i ? "B3b, the first such run:" : "B3, the first such run:");
			print_indented(stdout, all.forced[i][0].words, 4);
			putchar('\n');
		}
	}
	puts("The lines \"sync\": \"passed\" counts locked entries that the call was told nothing\n"
	     "of; then the entry when it returned, its lock bit and marks, and how many page table\n"
	     "entries have the frame writable, so that the next store takes no fault. A line\n"
	     "\"waiter\" would name who sleeps in the kernel's own wait table for this file.");
}

static void tell_unforced(void)
{
	static const char *const rivals[] = { "nobody", "on another page", "on that page" };
	static const char *const calls[] = { "fsync", "msync" };
	const struct skipped *skipped;
	unsigned int i, j;

	heading("Not forced: two threads on a page, no module, no tracing");
	puts("One thread stores, syncs, stores again; if that takes no minor fault, the page was\n"
	     "not write-protected by the sync, and so not flushed. A second thread reads the page\n"
	     "and gives it back with MADV_DONTNEED. It is one file of C: skipped_sync.c.\n");
	for (i = 0; i < 2; i++) {
		for (j = 0; j < 3; j++) {
			skipped = &all.unforced.skipped[i][j];
			printf("  %s, second thread %-16s %6lu syncs  %6lu missed  %5.1f %%\n",
			       calls[i], rivals[j], skipped->syncs, skipped->missed,
			       skipped->syncs ? 100.0 * skipped->missed / skipped->syncs : 0);
		}
	}
	puts("\nThat is the rate of a loop that does nothing else, not of an application.");
}

static void tell_recorded(void)
{
	heading("Not forced: loads that resemble applications, recorded");
	puts("Nobody is parked. \"Over an unflushed entry\": an entry was DIRTY when the sync was\n"
	     "called, not by a fault that still ran, and no flush of it had completed when it\n"
	     "returned 0. Where read faults set DIRTY too (6.1), that is an upper bound. Widths\n"
	     "are in ns, powers of two: how many were below.\n");
	bridge_record_tell(all.record, all.nr_records, &all.looking);
}

static const char *came_to(const struct series *series)
{
	if (!series->runs || series->nr[INCONCLUSIVE] == series->runs)
		return "not shown";
	if (series->nr[CAUGHT] && series->nr[PASSED])
		return "sometimes caught";
	return series->nr[CAUGHT] ? "caught" : "passes";
}

static void tell_row(const struct series *b3, const struct series *b3b, const char *what)
{
	printf("  B3 %-16s B3b %-16s %s\n", came_to(b3), came_to(b3b), what);
}

static void tell_cures(void)
{
	unsigned int i;

	heading("Candidates for a cure");
	puts("1. Reset the state before the entry is asked for (xas_reset() in\n"
	     "   dax_writeback_one()). Injected on this kernel, in the caller's state and under\n"
	     "   its lock, where get_unlocked_entry() is entered.\n"
	     "2. Likewise, and after the walk wait until each entry of the range that is DIRTY\n"
	     "   and locked has been unlocked once. Injected on this kernel, behind the walk.\n"
	     "3. Clear TOWRITE together with DIRTY, after the flush, and wait for locked entries.\n"
	     "   From outside the function this cannot be injected: TOWRITE is cleared and\n"
	     "   nothing is called between that and the lock. Measured on the lab's own\n"
	     "   filesystem, which follows the same protocol and where both can be chosen.\n");
	printf("This kernel (%lu runs of each):\n", all.forced[0][0].runs);
	tell_row(&all.forced[0][0], &all.forced[1][0], "as it is");
	tell_row(&all.cured[0][1], &all.cured[1][1], "1. reset");
	tell_row(&all.cured[0][2], &all.cured[1][2], "2. reset, and wait after the walk");
	printf("\nThe lab's own filesystem (%lu runs of each):\n", all.lab[0][0].runs);
	for (i = 0; i < NR_VARIANTS; i++)
		tell_row(&all.lab[0][i], &all.lab[1][i], lab_variants[i].words);
	puts("\nWhat a cure costs was not measured.");
}

static void tell_limits(void)
{
	heading("What this does not show");
	puts("No lost data: that takes caches that lose what is in them with the power, and was\n"
	     "not tried. What is shown is a sync that returned before what it promises was done;\n"
	     "the next sync of the file flushes what was passed (B3) or waits for nobody but what\n"
	     "is in flight then (B3b).\n"
	     "Not run here: other kernels and filesystems than the ones above; huge pages (PMD\n"
	     "entries); real persistent memory; loads that are programs in use. Mailing lists\n"
	     "were not searched for earlier reports.");
	if (all.odd)
		puts("\nSomething in this run was not as expected: see the counts above.");
}

static void free_all(void)
{
	unsigned int i, j;

	for (i = 0; i < 2; i++) {
		for (j = 0; j < NR_CONTROLS; j++)
			series_free(&all.forced[i][j]);
		for (j = 0; j < NR_CURES; j++)
			series_free(&all.cured[i][j]);
		for (j = 0; j < NR_VARIANTS; j++)
			series_free(&all.lab[i][j]);
	}
}

int bridge_report(struct stock *stock, const struct options *options)
{
	int status = EX_CANNOT;

	if (play_all(stock, options)) {
		tell_head(stock);
		tell_forced(stock);
		tell_unforced();
		tell_recorded();
		tell_cures();
		tell_limits();
		status = all.odd ? EX_UNEXPECTED : EX_EXPECTED;
	}
	free_all();
	/* What was not as expected is not covered by a skip. */
	if (all.skipped)
		status = all.odd ? EX_UNEXPECTED : EX_SKIPPED;
	return status;
}
