// SPDX-License-Identifier: GPL-2.0
/*
 * With nobody in control and all sound, the oracles find nothing.
 *
 * The oracles are on. Four processes store, load, write(2), punch, truncate,
 * sync and drop their mappings, for PMDs and for PTEs, of one file of 4 MiB, at
 * random. Meanwhile the verdict of the mount is asked for, again and again: lost
 * wakeups and orphan locks in all trees, page tables against entries against the
 * block map. Each time there must be none. DAXLAB_SECONDS is how long.
 *
 * An oracle that looks while something is half done tells of what is not there.
 *
 * daxlab-test: timeout=240 needs=mount
 */
#include <time.h>

#include "verdict.h"

#define SIZE	(2 * PMD)
#define WORKERS	4
#define HOT	16	/* pages that are used: they shall meet */

struct load {
	int fd;
	char *pmds, *ptes;
};

static void random_deed(struct load *load, unsigned int *seed, const char *buf)
{
	size_t page = rand_r(seed) % HOT * (SIZE / PAGE / HOT);
	char *map = rand_r(seed) % 2 ? load->pmds : load->ptes;

	switch (rand_r(seed) % 12) {
	case 0 ... 2:
		store_dies(map + page * PAGE, 'r');
		break;
	case 3 ... 5:
		load_dies(map + page * PAGE);
		break;
	case 6 ... 7:
		must(pwrite(load->fd, buf, PAGE, page * PAGE) == PAGE);
		break;
	case 8:
		must(!fallocate(load->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				page * PAGE, 16 * PAGE));
		break;
	case 9:
		must(!ftruncate(load->fd, page * PAGE) && !ftruncate(load->fd, SIZE));
		break;
	case 10:
		must(!fdatasync(load->fd));
		break;
	case 11:
		must(!madvise(map, SIZE, MADV_DONTNEED));
		break;
	}
}

static pid_t random_start(struct load *load, unsigned int seed)
{
	static char buf[PAGE] = "random";
	pid_t pid = fork_bound();

	if (pid)
		return pid;
	for (;;)
		random_deed(load, &seed, buf);
}

FIXTURE(oracles) {
};

FIXTURE_SETUP(oracles)
{
}

FIXTURE_TEARDOWN(oracles)
{
}

TEST_F_TIMEOUT(oracles, sound, 200)
{
	time_t end = time(NULL) + (time_t)seconds_to_run(30);
	struct dxl_stats before;
	unsigned long asked = 0;
	pid_t pid[WORKERS];
	struct load load;
	unsigned int i;
	int status;

	dxl_stats(&before);
	load.fd = hole_file("file", SIZE);
	load.pmds = map_pmd(load.fd, 0, SIZE);
	load.ptes = map_pte(load.fd, 0, SIZE);
	catch_bus();
	put_text(DXL_DEBUGFS "/oracles", "1");
	for (i = 0; i < WORKERS; i++)
		pid[i] = random_start(&load, i + 1);
	while (time(NULL) < end && verdict_none())
		asked++;
	EXPECT_GE(time(NULL), end);
	for (i = 0; i < WORKERS; i++) {
		kill(pid[i], SIGKILL);
		must(waitpid(pid[i], &status, 0) == pid[i]);
		/* Until then it was at work. */
		EXPECT_EQ(SIGKILL, status);
	}
	TH_LOG("asked %lu times, %llu grabs, %llu waits", asked,
	       dxl_grown(&before, "grabs"), dxl_grown(&before, "waits"));
	EXPECT_GT(asked, 0);
	EXPECT_TRUE(verdict_none());
	EXPECT_QUIESCENT();
	EXPECT_GROWN(LE, 1, &before, "grabs_contended");
	EXPECT_GROWN(LE, 1, &before, "entries_invalidated");
	put_text(DXL_DEBUGFS "/oracles", "0");
	munmap(load.pmds, SIZE);
	munmap(load.ptes, SIZE);
	close(load.fd);
}

TEST_HARNESS_MAIN
