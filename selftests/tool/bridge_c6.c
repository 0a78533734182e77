// SPDX-License-Identifier: GPL-2.0
/*
 * C6 on stock kernels: a PTE fault and a PMD fault collide in one slot of the page
 * middle directory (fixed in v4.12)
 *
 * A private mapping reads by PMDs and stores by PTEs. Two threads of a process fault
 * on the same 2 MiB; one is parked when it has seen that the slot is empty, the other
 * goes to its end. The kernel has to see, under the entry lock, what came meanwhile.
 *
 * The verdict is from what the page table has (pagemap), what is read through it and
 * in the file, and the memory that page tables take when all is unmapped: a table that
 * a huge page was put over is never found again.
 */
#include "bridge.h"
#include "steps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STORED	5		/* page that is copied on write */
#define LOADED	100		/* page of the same 2 MiB that is read */
#define BESIDE	101		/* one that is mapped with a huge page only */
#define LOOKED	"fault.after_core_pmd_check"
#define IN_FILE	0x6c6c6c6c6c6c6c6cUL
#define IN_COPY	0xc6UL

/* Words of pagemap. */
#define PRESENT	(1UL << 63)
#define PFN	((1UL << 55) - 1)

/* The first 2 MiB are data, written at once; the next ones are a hole. */
static void fill(struct run *run)
{
	char *data = malloc(PMD);
	bool written;

	REQUIRE(run, data);
	memset(data, IN_FILE & 0xff, PMD);
	written = !ftruncate(run_fd(run), 0) &&
		  pwrite(run_fd(run), data, PMD, 0) == (ssize_t)PMD &&
		  !ftruncate(run_fd(run), 2 * PMD);
	free(data);
	if (!written)
		inconclusive(run, "cannot write 2 MiB: %s", strerror(errno));
}

static bool load(struct run *run, const char *role, unsigned long page, unsigned long *value)
{
	const struct deed deed = { .kind = LOAD, .page = page };
	struct result result;

	if (!done(run, role, deed))
		return false;
	result = result_of(run, role);
	if (result.error)
		inconclusive(run, "%s cannot load page %lu: %s", role, page,
			     strerror(result.error));
	*value = result.value;
	return !result.error;
}

/* What the role's page table has there; 0: nothing. */
static bool frame(struct run *run, const char *role, unsigned long page, unsigned long *pfn)
{
	const struct deed deed = { .kind = FRAME, .page = page };
	struct result result;

	if (!done(run, role, deed))
		return false;
	result = result_of(run, role);
	*pfn = result.value & PRESENT ? result.value & PFN : 0;
	if (result.error || (result.value & PRESENT && !*pfn))
		inconclusive(run, "pagemap does not tell: %s", strerror(result.error ?: EPERM));
	return !run->why[0];
}

/* kB of page tables that the process of a role has. */
static bool tables(struct run *run, const char *role, unsigned long *kbytes)
{
	bool found = false;
	char text[128];
	FILE *status;

	snprintf(text, sizeof(text), "/proc/%d/status",
		 (int)run->team.pid[team_role(&run->team, role)]);
	status = fopen(text, "re");
	while (status && !found && fgets(text, sizeof(text), status))
		found = sscanf(text, "VmPTE: %lu kB", kbytes) == 1;
	if (status)
		fclose(status);
	if (!found)
		inconclusive(run, "no VmPTE of %s", role);
	return found;
}

/* Tables above the slot are there, and stay; the hole is in another slot. */
static bool begin(struct run *run, unsigned long *kbytes)
{
	return done(run, "storer", DEED(LOAD, .page = PMD_PAGES)) &&
	       tables(run, "storer", kbytes);
}

/* The role has loaded LOADED, and that brought more than a page. */
static bool is_huge(struct run *run, const char *role)
{
	unsigned long pfn;

	if (!frame(run, role, BESIDE, &pfn))
		return false;
	if (!pfn)
		inconclusive(run, "no PMD fault fits: the first 2 MiB are not one aligned extent (a new filesystem of --format has such)");
	return pfn;
}

/* What is read, through the mapping and in the file. */
static void judge_data(struct run *run, const char *kind)
{
	unsigned long value;

	STEP(load(run, "loader", LOADED, &value));
	if (value != IN_FILE)
		caught(run, kind, "page %d of the file reads 0x%lx in the mapping", LOADED, value);
	STEP(load(run, "storer", STORED, &value));
	if (value != IN_COPY)
		caught(run, kind, "the private copy of page %d reads 0x%lx, not 0x%lx", STORED,
		       value, IN_COPY);
	STEP(load(run, "other", STORED, &value));
	if (value != IN_FILE)
		caught(run, kind, "a private store to page %d changed the file: 0x%lx", STORED,
		       value);
	STEP(load(run, "other", LOADED, &value));
	REQUIRE(run, value == IN_FILE);
}

/* A table, with a page of memory and one of the file, and no huge page. */
static void judge_slot(struct run *run, const char *kind)
{
	unsigned long pfn, of_file;

	STEP(frame(run, "storer", BESIDE, &pfn));
	if (pfn)
		caught(run, kind, "page %d, which nobody loaded, is mapped: a huge page beside the private copy",
		       BESIDE);
	STEP(frame(run, "storer", STORED, &pfn) && frame(run, "other", STORED, &of_file));
	REQUIRE(run, of_file);
	if (!pfn || pfn == of_file)
		caught(run, kind, "page %d is mapped to 0x%lx, the file's is 0x%lx: no private copy",
		       STORED, pfn, of_file);
	STEP(frame(run, "storer", LOADED, &pfn) && frame(run, "other", LOADED, &of_file));
	REQUIRE(run, of_file);
	if (pfn != of_file)
		caught(run, kind, "page %d is mapped to 0x%lx, the file's is 0x%lx", LOADED, pfn,
		       of_file);
}

static void judge(struct run *run, const char *kind, unsigned long kbytes)
{
	unsigned long now;

	REQUIRE(run, is_idle(run, "storer") && is_idle(run, "loader"));
	judge_data(run, kind);
	if (!run->why[0] && !run->stopped[0])
		judge_slot(run, kind);
	STEP(done(run, "storer", DEED(MUNMAP)));
	STEP(tables(run, "storer", &now));
	if (now > kbytes)
		caught(run, kind, "all is unmapped, and %lu kB of page tables more than before are left",
		       now - kbytes);
}

static const char under_huge[] = "collision pte-under-huge";
static const char over_table[] = "collision huge-over-table";

static void pte_meets_huge(struct run *run)
{
	unsigned long kbytes, looks, pfn;

	STEP(begin(run, &kbytes));
	STEP(arm_order(run, "storer", LOOKED, 0));
	STEP(start(run, "storer", DEED(STORE, .page = STORED, .value = IN_COPY)));
	STEP(parked(run, "storer", LOOKED));
	STEP(frame(run, "loader", STORED, &pfn));
	REQUIRE(run, !pfn);
	looks = crossed(run, "storer", LOOKED);
	STEP(done(run, "loader", DEED(LOAD, .page = LOADED)));
	REQUIRE(run, crossed(run, "loader", LOOKED));
	STEP(is_huge(run, "loader"));
	REQUIRE(run, crossed(run, "storer", LOOKED) == looks);
	STEP(release(run, "storer"));
	STEP(still(run));
	judge(run, under_huge, kbytes);
	/* What passes has seen the huge page, and was made again. */
	REQUIRE(run, run->verdict[0] || crossed(run, "storer", LOOKED) > looks);
}

static void huge_meets_table(struct run *run)
{
	unsigned long kbytes, looks, pfn;

	STEP(begin(run, &kbytes));
	/* The PMD entry is there: the PTE fault will share it. */
	STEP(done(run, "other", DEED(LOAD, .page = LOADED)));
	STEP(is_huge(run, "other"));
	STEP(arm_order(run, "loader", LOOKED, 9));
	STEP(start(run, "loader", DEED(LOAD, .page = LOADED)));
	STEP(parked(run, "loader", LOOKED));
	looks = crossed(run, "loader", LOOKED);
	STEP(done(run, "storer", DEED(STORE, .page = STORED, .value = IN_COPY)));
	REQUIRE(run, crossed(run, "storer", LOOKED));
	STEP(frame(run, "storer", STORED, &pfn));
	REQUIRE(run, pfn);
	STEP(frame(run, "storer", BESIDE, &pfn));
	REQUIRE(run, !pfn && crossed(run, "loader", LOOKED) == looks);
	STEP(release(run, "loader"));
	STEP(still(run));
	judge(run, over_table, kbytes);
	/* What passes has seen the table, and was made again. */
	REQUIRE(run, run->verdict[0] || crossed(run, "loader", LOOKED) > looks);
}

static const char *const windows[] = { LOOKED, "fault.before_grab", NULL };

static const struct expectation collides_under[] = { { "stock", CAUGHT, under_huge, NULL }, {} };
static const struct expectation collides_over[] = { { "stock", CAUGHT, over_table, NULL }, {} };

#define ROLES								\
	.role = {							\
		{ "storer", MAP_PRIVATE_PMDS, NULL, "stores to a page: a private copy" }, \
		{ "loader", MAP_PRIVATE_PMDS, "storer", "loads another page of the 2 MiB" }, \
		{ "other", MAP_PMDS, NULL, "another process, by which the file is seen" }, \
	},								\
	.pages = 2 * PMD_PAGES,						\
	.prepare = fill

static const struct scenario c6 = {
	.id = "C6",
	.name = "colliding-pmd-pte",
	.title = "a PTE is about to be installed where a huge page has come meanwhile",
	.windows = windows,
	ROLES,
	.play = pte_meets_huge,
	.expect = collides_under,
};

static const struct scenario c6_race2 = {
	.id = "C6-race2",
	.name = "colliding-pte-pmd",
	.title = "a huge page is about to be installed where a page table has come meanwhile",
	.windows = windows,
	ROLES,
	.play = huge_meets_table,
	.expect = collides_over,
};

const struct scenario *const bridge_c6[] = { &c6, &c6_race2, NULL };
