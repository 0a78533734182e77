// SPDX-License-Identifier: GPL-2.0
/*
 * Power fails at random moments under load, and no promise is lost.
 *
 * Tasks store through mappings and msync, write and fdatasync or with O_SYNC, append,
 * punch, and replace a file by rename (lib/promise.h). Each notes what it is about to
 * do, does it, and if power is there still, that it is promised. So when it has
 * failed at most one step of each task is between the two: what is there is as before
 * that step or as after it, word by word where the step is data. Power fails before a
 * random fence or at a random time. fsck must find no damage, and none after the mount.
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

#include "fsck.h"
#include "power.h"
#include "promise.h"

static int media = -1;			/* the state of the image */
static atomic_ulong steps;		/* of all workers */

static bool power_is_off(void)
{
	char text[16];

	must(pread(media, text, sizeof(text), 0) == sizeof(text));
	return !strncmp(text, "state cut", 9);
}

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
	for (i = 0; i < KINDS_MODELLED; i++)
		worker_open(&workers[i], DXL_MNT);
}

static void stop(void)
{
	unsigned int i;

	for (i = 0; i < KINDS_MODELLED; i++) {
		must(!pthread_join(workers[i].thread, NULL));
		worker_close(&workers[i]);
	}
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
	for (i = 0; i < KINDS_MODELLED; i++)
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
		broken = broken_promises(KINDS_MODELLED, why, sizeof(why));
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
