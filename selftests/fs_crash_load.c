// SPDX-License-Identifier: GPL-2.0
/*
 * Power fails at random moments under load, and no promise is lost.
 *
 * Tasks store through mappings and msync, write and fdatasync, append, punch, and
 * replace a file by rename. Each notes what it is about to do, does it, and if power
 * is there still, that it is promised. So when it has failed at most one step of
 * each task is between the two: what is there is as before that step or as after it,
 * word by word where the step is data. Power fails before a random fence or at a
 * random time. fsck must find no damage, and none after the mount.
 *
 * With each fifth flush dropped, or all fences, promises must be lost.
 *
 * By hand: env DAXLAB_SLOW=99 DAXLAB_CRASH=SEED,LOSSES build/selftests/fs_crash_load
 *
 * daxlab-test: timeout=200 needs=module args="size=4M media=on"
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "dax.h"
#include "fsck.h"
#include "power.h"

#define SLOTS		8
#define STEPS		120	/* of a slot, at most: each a byte that is not 0 */
#define RECORD		104	/* bytes that are appended at once */
#define WORDS		(PAGE / sizeof(uint64_t))

struct worker;

/* A kind of load. A slot has had step 0 when it starts. */
struct kind {
	const char *file;
	/* Step @n of a slot, promised when it returns. */
	void (*step)(struct worker *worker, unsigned int slot, uint64_t n);
	/* Is slot as after step @before or as after step @after? */
	bool (*holds)(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after);
};

struct worker {
	const struct kind *kind;
	pthread_t thread;
	char path[64];
	int fd;
	char *map;
	uint64_t begun[SLOTS], promised[SLOTS];
};

static int media = -1;			/* the state of the image */
static atomic_ulong steps;		/* of all workers */

static bool power_is_off(void)
{
	char text[16];

	must(pread(media, text, sizeof(text), 0) == sizeof(text));
	return !strncmp(text, "state cut", 9);
}

/* A page of one number. */
static void page_of(uint64_t *words, uint64_t n)
{
	unsigned int i;

	for (i = 0; i < WORDS; i++)
		words[i] = n;
}

static void step_map(struct worker *worker, unsigned int slot, uint64_t n)
{
	page_of((uint64_t *)(worker->map + slot * PAGE), n);
	must(!msync(worker->map + slot * PAGE, PAGE, MS_SYNC));
}

static void step_map_all(struct worker *worker, unsigned int slot, uint64_t n)
{
	page_of((uint64_t *)(worker->map + slot * PAGE), n);
	must(!fsync(worker->fd));
}

static void step_write(struct worker *worker, unsigned int slot, uint64_t n)
{
	uint64_t words[WORDS];

	page_of(words, n);
	must(pwrite(worker->fd, words, PAGE, slot * PAGE) == (ssize_t)PAGE);
	must(!fdatasync(worker->fd));
}

/* Each second step makes a hole, which reads as zeroes. */
static void step_punch(struct worker *worker, unsigned int slot, uint64_t n)
{
	if (n & 1)
		step_write(worker, slot, n);
	else
		must(!fallocate(worker->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				slot * PAGE, PAGE));
}

static bool words_hold(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after)
{
	uint64_t words[WORDS];
	unsigned int i;

	must(pread(worker->fd, words, PAGE, slot * PAGE) == (ssize_t)PAGE);
	for (i = 0; i < WORDS; i++)
		if (words[i] != before && words[i] != after)
			return false;
	return true;
}

static bool punch_holds(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after)
{
	return words_hold(worker, slot, before & 1 ? before : 0, after & 1 ? after : 0);
}

/* Slot after slot in one file each: a number of whole records, each its own. */
static void slot_path(struct worker *worker, unsigned int slot, char *path, size_t size)
{
	snprintf(path, size, "%s.%u", worker->path, slot);
}

static void step_append(struct worker *worker, unsigned int slot, uint64_t n)
{
	char path[80], record[RECORD];
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	memset(record, n, sizeof(record));
	must(fd >= 0 && write(fd, record, sizeof(record)) == (ssize_t)sizeof(record));
	close(fd);
}

static bool append_holds(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after)
{
	char path[80], record[RECORD];
	uint64_t n = 0;
	ssize_t got;
	size_t i;
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return !before;
	while ((got = read(fd, record, sizeof(record))) == (ssize_t)sizeof(record)) {
		n++;
		for (i = 0; i < sizeof(record); i++)
			if (record[i] != (char)n)
				got = -1;
		if (got < 0)
			break;
	}
	close(fd);
	return !got && (n == before || n == after);
}

/* A new file of this number takes the place of the old one. */
static void step_replace(struct worker *worker, unsigned int slot, uint64_t n)
{
	char path[80], new[96];
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	snprintf(new, sizeof(new), "%s.new", path);
	fd = open(new, O_RDWR | O_CREAT | O_EXCL, 0644);
	must(fd >= 0 && pwrite(fd, &n, sizeof(n), 0) == sizeof(n) && !fsync(fd));
	close(fd);
	must(!rename(new, path));
}

static bool replace_holds(struct worker *worker, unsigned int slot, uint64_t before, uint64_t after)
{
	uint64_t n = 0;
	char path[80];
	ssize_t got;
	int fd;

	slot_path(worker, slot, path, sizeof(path));
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return !before;
	got = read(fd, &n, sizeof(n));
	close(fd);
	return got == sizeof(n) && (n == before || n == after);
}

static const struct kind kinds[] = {
	{ "map", step_map, words_hold },
	{ "map_all", step_map_all, words_hold },
	{ "write", step_write, words_hold },
	{ "punch", step_punch, punch_holds },
	{ "append", step_append, append_holds },
	{ "replace", step_replace, replace_holds },
};

static struct worker workers[ARRAY_SIZE(kinds)];

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < SLOTS * STEPS; i++) {
		unsigned int slot = i * 5 % SLOTS;
		uint64_t n = ++worker->begun[slot];

		worker->kind->step(worker, slot, n);
		if (power_is_off())
			break;
		worker->promised[slot] = n;
		atomic_fetch_add(&steps, 1);
	}
	return NULL;
}

static void start(void)
{
	unsigned int i;

	must(!dxl_mount_fresh(NULL));
	atomic_store(&steps, 0);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct worker *worker = &workers[i];

		memset(worker, 0, sizeof(*worker));
		worker->kind = &kinds[i];
		snprintf(worker->path, sizeof(worker->path), DXL_MNT "/%s", kinds[i].file);
		worker->fd = open(worker->path, O_RDWR | O_CREAT, 0644);
		must(worker->fd >= 0);
		must(!ftruncate(worker->fd, SLOTS * PAGE) && !fsync(worker->fd));
		worker->map = map_pte(worker->fd, 0, SLOTS * PAGE);
	}
}

static void stop(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		must(!pthread_join(workers[i].thread, NULL));
		munmap(workers[i].map, SLOTS * PAGE);
		close(workers[i].fd);
	}
}

/* How many slots are not as promised. */
static unsigned int broken_promises(char *why, size_t size)
{
	unsigned int i, slot, broken = 0;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct worker *worker = &workers[i];

		worker->fd = open(worker->path, O_RDWR);
		for (slot = 0; slot < SLOTS && worker->fd >= 0; slot++) {
			if (worker->kind->holds(worker, slot, worker->promised[slot],
						worker->begun[slot]))
				continue;
			if (!broken++)
				snprintf(why, size, "%s slot %u: promised %llu, begun %llu",
					 worker->kind->file, slot,
					 (unsigned long long)worker->promised[slot],
					 (unsigned long long)worker->begun[slot]);
		}
		if (worker->fd < 0 && !broken++)
			snprintf(why, size, "%s is not there", worker->path);
		if (worker->fd >= 0)
			close(worker->fd);
	}
	return broken;
}

FIXTURE(load) {
	uint64_t seed;
	unsigned int losses, broken;
	unsigned long steps;
	char why[256];
};

FIXTURE_SETUP(load)
{
	const char *hand = getenv("DAXLAB_CRASH");

	self->seed = 1;
	self->losses = 50;
	if (hand)
		ASSERT_EQ(2, sscanf(hand, "%lu,%u", &self->seed, &self->losses));
	media = open(POWER_DIR "/media", O_RDONLY);
	ASSERT_LE(0, media);
}

FIXTURE_TEARDOWN(load)
{
	TH_LOG("%u losses during %lu steps, %u promises lost", self->losses, self->steps,
	       self->broken);
	if (self->broken)
		TH_LOG("first: %s", self->why);
	EXPECT_EQ(0, power_count("unkept"));
	close(media);
}

static unsigned int lose(FIXTURE_DATA(load) *self, unsigned int nr, const char *drop)
{
	unsigned long random = self->seed * 7919 + nr;
	struct fsck_report report;
	unsigned int i, broken = 0;
	char why[200] = "";

	random = random * 6364136223846793005ULL + 1442695040888963407ULL;
	random ^= random >> 29;
	start();
	must(!power_write(POWER_DIR "/media", drop));
	if (nr % 2)
		must(!power("cut=%lu,at=%lu", random, 1 + (random >> 8) % 300));
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		must(!pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	if (!(nr % 2)) {
		while (atomic_load(&steps) < 1 + (random >> 8) % 100)
			sched_yield();
		must(!power("cut=%lu", random));
	}
	stop();
	must(power_is_cut());
	self->steps += atomic_load(&steps);
	must(!dxl_umount() && !power("drop=nothing") && !power_loss("none"));

	if (fsck_check(DXL_DEV, NULL, &report)) {
		snprintf(why, sizeof(why), "fsck: %s", report.first);
		broken = 1;
	} else if (dxl_mount(NULL)) {
		snprintf(why, sizeof(why), "mount: %s", strerror(errno));
		broken = 1;
	} else {
		broken = broken_promises(why, sizeof(why));
		must(!dxl_umount());
		if (!broken && (fsck_check(DXL_DEV, NULL, &report) || report.repairs)) {
			snprintf(why, sizeof(why), "fsck after the mount: %s", report.first);
			broken = 1;
		}
	}
	if (broken && !self->broken)
		snprintf(self->why, sizeof(self->why), "loss %u: %s", nr, why);
	return broken;
}

static void lose_all(FIXTURE_DATA(load) *self, unsigned int losses, const char *drop)
{
	unsigned int nr;

	self->losses = losses;
	for (nr = 0; nr < losses; nr++)
		self->broken += lose(self, nr, drop);
}

TEST_F_TIMEOUT(load, keeps_what_was_promised, 100)
{
	lose_all(self, self->losses, "drop=nothing");
	EXPECT_EQ(0, self->broken);
	EXPECT_LT(self->losses, self->steps);
}

TEST_F_TIMEOUT(load, dropped_flushes_are_seen, 60)
{
	lose_all(self, 5, "drop=flush,every=5");
	EXPECT_LT(0, self->broken);
}

TEST_F_TIMEOUT(load, dropped_fences_are_seen, 60)
{
	lose_all(self, 5, "drop=fence");
	EXPECT_LT(0, self->broken);
}

TEST_HARNESS_MAIN
