// SPDX-License-Identifier: GPL-2.0
/*
 * Record only: loads run, the module sums what syncs come to, and nobody is parked
 * (module/bridge_record.c). What looking costs is measured: half of the time of a load
 * passes without the hooks, before and after.
 */
#include "bridge.h"

#include "loads.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const record_widths[MOST_WIDTHS] = {
	"fault_holds", "sync_flushes", "sync_tagged", "sync_runs",
};

static void read_width(struct record *record, const char *line)
{
	unsigned long long count;
	unsigned int bucket, i;
	char name[32];

	if (sscanf(line, "width %31s %u %llu", name, &bucket, &count) != 3 ||
	    bucket >= WIDTH_BUCKETS)
		return;
	for (i = 0; i < MOST_WIDTHS; i++)
		if (!strcmp(name, record_widths[i]))
			record->width[i][bucket] = count;
}

/* Take the report apart: 0, -EPROTO if the sums are not in it. */
static int read_sums(struct record *record, const char *line)
{
	int got = 0;

	for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		got += sscanf(line, "record calls %llu faults %llu syncs %llu failed %llu over %llu passed %llu writable %llu cut %llu",
			      &record->calls, &record->faults, &record->syncs, &record->failed,
			      &record->over, &record->passed, &record->writable,
			      &record->cut) == 8;
		got += sscanf(line, "entries dirty %llu unflushed %llu gone %llu young %llu met_passed %llu",
			      &record->dirty, &record->unflushed, &record->gone,
			      &record->young, &record->met_passed) == 5;
		read_width(record, line);
	}
	return got == 2 ? 0 : -EPROTO;
}

/* With the hooks: operations per second, and what was recorded; -1 with errno. */
static double play_watched(struct stock *stock, const struct load *load, double seconds,
			   struct record *record)
{
	struct report report = {};
	int session = control_open(), err;
	double rate = -1;

	if (session < 0)
		return -1;
	err = control_say(session, "bridge %d", stock->fd) ?: control_say(session, "record");
	if (!err)
		rate = load->play(stock->fd, seconds, &interrupted);
	if (!err && rate < 0)
		err = -errno;
	if (!err)
		err = report_read(&report, session) ?: read_sums(record, report.text ?: "");
	close(session);
	report_free(&report);
	errno = -err;
	return err ? -1 : rate;
}

/* 0 or -errno. */
static int record_load(struct stock *stock, const struct load *load, double seconds,
		       struct record *record)
{
	double before, after;
	int err = stock_fresh(stock, LOAD_PAGES);

	*record = (struct record){ .load = load->name, .seconds = seconds };
	if (err)
		return err;
	before = load->play(stock->fd, seconds / 4, &interrupted);
	if (before < 0)
		return -errno;
	record->watched = play_watched(stock, load, seconds / 2, record);
	if (record->watched < 0)
		return -errno;
	after = load->play(stock->fd, seconds / 4, &interrupted);
	if (after < 0)
		return -errno;
	record->alone = (before + after) / 2;
	return 0;
}

int bridge_record(struct stock *stock, unsigned long seconds, struct record *record)
{
	unsigned int i;
	int nr = 0, err;

	for (i = 0; i < nr_loads && nr < MOST_LOADS && !interrupted; i++) {
		err = record_load(stock, &loads[i], (double)seconds / nr_loads, &record[nr]);
		if (err == -ENOENT) {
			fprintf(stderr, "daxlab: load %s: skipped: it is not installed\n",
				loads[i].name);
			continue;
		}
		if (err) {
			fprintf(stderr, "daxlab: load %s: %s\n", loads[i].name, strerror(-err));
			return -1;
		}
		nr++;
	}
	return nr;
}

/* "2^10 12  2^11 3": below that many ns, and how often. */
static void tell_width(const unsigned long long *width)
{
	unsigned int i, last = 0;
	const char *gap = "";

	for (i = 0; i < WIDTH_BUCKETS; i++)
		if (width[i])
			last = i;
	for (i = 0; i <= last; i++) {
		if (!width[i])
			continue;
		printf("%s2^%u: %llu", gap, i, width[i]);
		gap = "  ";
	}
	printf("\n");
}

static void tell_one(const struct record *record)
{
	unsigned int i;

	printf("  %-9s %llu syncs, %llu over an unflushed entry (%.2f %%); %llu of these passed a locked one; %llu with a writable mapping\n",
	       record->load, record->syncs, record->over,
	       record->syncs ? 100.0 * record->over / record->syncs : 0, record->passed,
	       record->writable);
	printf("            %llu dirty entries, %llu unflushed; %llu locked ones passed; %llu faults\n",
	       record->dirty, record->unflushed, record->met_passed, record->faults);
	if (record->failed || record->cut || record->gone)
		printf("            %llu syncs failed, %llu had too many entries; %llu entries were truncated\n",
		       record->failed, record->cut, record->gone);
	printf("            %.0f operations/s without the hooks, %.0f with them: %+.0f %%\n",
	       record->alone, record->watched,
	       record->alone > 0 ? 100 * (record->watched / record->alone - 1) : 0);
	for (i = 0; i < MOST_WIDTHS; i++) {
		printf("            %-13s ", record_widths[i]);
		tell_width(record->width[i]);
	}
}

void bridge_record_tell(const struct record *record, int nr)
{
	unsigned long long syncs = 0, over = 0;
	int i;

	for (i = 0; i < nr; i++) {
		tell_one(&record[i]);
		syncs += record[i].syncs;
		over += record[i].over;
	}
	printf("B3 recorded: %d loads, %llu syncs, %llu over an unflushed entry\n", nr, syncs, over);
	fflush(stdout);
}
