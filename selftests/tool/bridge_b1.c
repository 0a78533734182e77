// SPDX-License-Identifier: GPL-2.0
/*
 * B1 on stock kernels: before blocks are freed, a scan looks for pinned pages, and
 * passes entries that are locked
 *
 * The page is in a pipe, so it is pinned; a sync has its entry locked; a punch scans
 * the range, and is parked when it knows what it has found. If it has found nothing, it
 * would go on to free the block of a pinned page. It must not: the pin goes first, then
 * all go on, and the kernel has nothing to warn of. The pin is the tool's own, so that
 * nothing but this function can hold it; if the tool is killed, it goes before the
 * punch does (worker.c).
 */
#include "bridge.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define AT		5
#define FLUSHING	"writeback.after_wrprotect"
#define SCANNED		"layout.after_scan"

static bool store(struct run *run)
{
	return done(run, "storer", DEED(STORE, .page = AT, .value = 0xb1));
}

/* The page in a pipe; false: this kernel does not give it. */
static bool pin(struct run *run, int *pipe_fds)
{
	struct iovec iovec = { .iov_len = PAGE };
	char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, run_fd(run), AT * PAGE);

	if (map == MAP_FAILED || pipe2(pipe_fds, O_CLOEXEC)) {
		inconclusive(run, "no pipe: %s", strerror(errno));
		return false;
	}
	iovec.iov_base = map;
	if (vmsplice(pipe_fds[1], &iovec, 1, SPLICE_F_NONBLOCK) != PAGE)
		inconclusive(run, "the page cannot be pinned: %s", strerror(errno));
	munmap(map, PAGE);
	return !run->why[0];
}

static void unpin(int *pipe_fds)
{
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void judge(struct run *run)
{
	const char *line = strstr(run_report(run)->text ?: "", "\nscans ");
	unsigned int scans, idle;

	if (!line || sscanf(line, "\nscans %u idle %u", &scans, &idle) != 2 || !scans)
		inconclusive(run, "no scan for pinned pages was seen");
	else if (idle)
		caught(run, "pinned page passed",
		       "dax_layout_busy_page_range() found no pinned page, and page %d is in a pipe",
		       AT);
}

/* Until the punch stands behind its scan, or sleeps for the entry that is locked. */
static void scan_meets_sync(struct run *run)
{
	STEP(held_at(run, "syncer", FLUSHING, DEED(FSYNC)));
	STEP(arm(run, "puncher", SCANNED));
	STEP(start(run, "puncher", DEED(PUNCH, .page = AT)));
	STEP(still(run));
	if (crossed(run, "puncher", SCANNED)) {
		judge(run);
		bridge_evidence(run);
		return;
	}
	REQUIRE(run, !is_idle(run, "puncher"));
	STEP(release(run, "syncer"));
	STEP(parked(run, "puncher", SCANNED));
	judge(run);
}

static void scan_alone(struct run *run)
{
	STEP(held_at(run, "puncher", SCANNED, DEED(PUNCH, .page = AT)));
	judge(run);
}

static void with_pin(struct run *run, void (*play)(struct run *run))
{
	int pipe_fds[2] = { -1, -1 };

	if (store(run) && pin(run, pipe_fds))
		play(run);
	unpin(pipe_fds);
}

static void pinned_and_locked(struct run *run)
{
	with_pin(run, scan_meets_sync);
}

static void pinned_only(struct run *run)
{
	with_pin(run, scan_alone);
}

/* The punch of the run before has taken the block. */
static void fill(struct run *run)
{
	static const char zeroes[PAGE];

	if (pwrite(run_fd(run), zeroes, PAGE, AT * PAGE) != PAGE)
		inconclusive(run, "cannot write: %s", strerror(errno));
}

static const char *const windows[] = { FLUSHING, SCANNED, NULL };
static const char *const windows_alone[] = { SCANNED, NULL };

static const struct expectation passed_over[] = {
	{ "stock", CAUGHT, "pinned page passed", NULL }, {}
};

#define ROLES								\
	.role = {							\
		{ "storer", MAP_PTES, NULL, "stores to a page, which is then pinned" }, \
		{ "syncer", MAP_NONE, NULL, "fsync(2): has its entry locked" }, \
		{ "puncher", MAP_NONE, NULL, "fallocate(2) punch of that page" }, \
	},								\
	.pages = 16,							\
	.prepare = fill

static const struct scenario b1 = {
	.id = "B1",
	.name = "busy-scan-skips-locked",
	.title = "a punch looks for pinned pages, and passes the entry that a sync has locked",
	.windows = windows,
	ROLES,
	.play = pinned_and_locked,
	.expect = passed_over,
};

static const struct scenario b1_alone = {
	.id = "B1-alone",
	.name = "busy-scan-alone",
	.title = "control: the page is pinned, and nobody has its entry locked",
	.windows = windows_alone,
	ROLES,
	.play = pinned_only,
	.expect = passed_over,
};

const struct scenario *const bridge_b1[] = { &b1, &b1_alone, NULL };
