// SPDX-License-Identifier: GPL-2.0
/*
 * Record only: loads run, the module sums what syncs come to, and nobody is parked
 * (module/bridge_record.c). What looking costs is measured apart from that, by one
 * thread: rounds with and without the hooks by turns, and of each the fastest, which a
 * busy machine disturbs least.
 */
#include "bridge.h"

#include "loads.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS		7
#define ROUND_SYNCS	300

static const char *const record_widths[MOST_WIDTHS] = {
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

/* What bridge_record.c of the module counts comes to these. */
static const char *const windows[] = {
	"fault.after_core_pmd_check", "fault.after_grab", "fault.before_unlock",
	"writeback.after_tag", "writeback.found_locked", NULL
};

/* A session that records; or -errno. */
static int open_recorder(struct stock *stock)
{
	int session = control_open(), err;
	struct lack lack;

	if (session < 0)
		return -errno;
	err = bridge_bind(stock, session, windows, &lack) ?: control_say(session, "record");
	if (lack.words[0])
		printf("B3 recorded: skipped: %s\n", lack.words);
	if (!err)
		return session;
	close(session);
	return err;
}

/* 0 or -errno. */
static int record_load(struct stock *stock, const struct load *load, double seconds,
		       struct record *record)
{
	int err = stock_fresh(stock, LOAD_PAGES), session;
	struct report report = {};

	*record = (struct record){ .load = load->name, .seconds = seconds };
	if (err)
		return err;
	session = open_recorder(stock);
	if (session < 0)
		return session;
	record->rate = load->play(stock->fd, seconds, &interrupted);
	if (record->rate < 0)
		err = -errno;
	if (!err)
		err = report_read(&report, session) ?: read_sums(record, report.text ?: "");
	close(session);
	report_free(&report);
	return err;
}

/* us of one; -1 with errno. */
static double sync_round(char *page)
{
	struct timespec from, to;
	unsigned int i;

	clock_gettime(CLOCK_MONOTONIC, &from);
	for (i = 0; i < ROUND_SYNCS; i++) {
		*(volatile unsigned int *)page = i;
		if (msync(page, PAGE, MS_SYNC))
			return -1;
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	return ((to.tv_sec - from.tv_sec) * 1e6 + (to.tv_nsec - from.tv_nsec) / 1e3) / ROUND_SYNCS;
}

static bool less(double round, double *least)
{
	if (round >= 0 && (!*least || round < *least))
		*least = round;
	return round >= 0;
}

/* 0 or -errno. */
static int measure_looking(struct stock *stock, struct looking *looking)
{
	int err = stock_fresh(stock, 1), session = -1, i;
	char *page;

	*looking = (struct looking){};
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, stock->fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	for (i = 0; i < ROUNDS && !err && !interrupted; i++) {
		if (!less(sync_round(page), &looking->alone))
			err = -errno;
		session = open_recorder(stock);
		if (session < 0)
			err = session;
		else if (!less(sync_round(page), &looking->watched))
			err = -errno;
		if (session >= 0)
			close(session);
	}
	munmap(page, PAGE);
	return err;
}

int bridge_record(struct stock *stock, unsigned long seconds, struct record *record,
		  struct looking *looking)
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
		if (err == -EOPNOTSUPP)
			return err;
		if (err) {
			fprintf(stderr, "daxlab: load %s: %s\n", loads[i].name, strerror(-err));
			return err;
		}
		nr++;
	}
	err = measure_looking(stock, looking);
	if (err)
		fprintf(stderr, "daxlab: what looking costs: %s\n", strerror(-err));
	return err ?: nr;
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

	printf("  %s: %.0f s, %.0f operations/s, %llu faults, %llu syncs\n", record->load,
	       record->seconds, record->rate, record->faults, record->syncs);
	printf("    syncs over an unflushed entry  %llu (%.2f %%)\n", record->over,
	       record->syncs ? 100.0 * record->over / record->syncs : 0);
	printf("      that passed a locked entry   %llu\n", record->passed);
	printf("      with a writable mapping      %llu\n", record->writable);
	printf("    entries that were dirty        %llu, %llu of them unflushed\n",
	       record->dirty, record->unflushed);
	printf("    locked entries that were met   %llu, and passed\n", record->met_passed);
	if (record->failed || record->cut || record->gone)
		printf("    syncs failed %llu, with too many entries %llu; entries truncated %llu\n",
		       record->failed, record->cut, record->gone);
	for (i = 0; i < MOST_WIDTHS; i++) {
		printf("    %-13s ", record_widths[i]);
		tell_width(record->width[i]);
	}
}

void bridge_record_tell(const struct record *record, int nr, const struct looking *looking)
{
	unsigned long long syncs = 0, over = 0;
	int i;

	for (i = 0; i < nr; i++) {
		tell_one(&record[i]);
		syncs += record[i].syncs;
		over += record[i].over;
	}
	printf("  what looking costs: store, fault and sync take %.1f us, with the hooks %.1f us\n",
	       looking->alone, looking->watched);
	printf("B3 recorded: %d loads, %llu syncs, %llu over an unflushed entry\n",
	       nr, syncs, over);
	fflush(stdout);
}
