// SPDX-License-Identifier: GPL-2.0
/*
 * What the ledger calls a broken promise is lost when power fails, and what it does
 * not is there: two models of the same media, made apart (module/ledger.h,
 * module/bdev_image.h).
 *
 *  1. Pages of a huge entry are stored to, one word each. A sync. The oracles are on.
 *  2. Power fails; nothing that was not flushed is there afterwards.
 *  3. In the sound variant all is there, and no promise was broken. With
 *     flush=first_page (D4) the first page is there, the others are not, and the
 *     verdict said so before; flush=from_start (B5): the pages before the msync.
 *     With sync_scan=positioned nothing is lost, since nobody was there to be skipped.
 *
 * Broken: a ledger that counts flushes which never reach media, or misses some.
 *
 * daxlab-test: timeout=120 needs=module args="size=16M media=on"
 */
#include "dax.h"
#include "power.h"
#include "verdict.h"

#define PAGES	4		/* of the huge entry: the first of each 512 KiB */
#define STEP	(PMD / PAGES)

FIXTURE(loss) {
	int fd;
	char *map;
};

FIXTURE_SETUP(loss)
{
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	self->fd = full_file("file", PMD, 1);
	ASSERT_EQ(0, fsync(self->fd));
	put_text(DXL_DEBUGFS "/oracles", "1");
	self->map = map_pmd(self->fd, 0, PMD);
}

FIXTURE_TEARDOWN(loss)
{
	EXPECT_EQ(0, dxl_umount());
}

static bool store_all(FIXTURE_DATA(loss) *self)
{
	struct dxl_stats before;
	unsigned int i;

	dxl_stats(&before);
	for (i = 0; i < PAGES; i++)
		*(volatile unsigned long *)(self->map + i * STEP) = 0xd4d4d4d4 + i;
	return dxl_grown(&before, "fault_pmd_mapped") == 1;
}

/* Which of the pages are there after a power loss: a bit for each. */
static unsigned int lose(FIXTURE_DATA(loss) *self)
{
	unsigned int i, there = 0;
	unsigned long word;
	int fd;

	must(!power("cut=none"));
	munmap(self->map, PMD);
	close(self->fd);
	put_text(DXL_DEBUGFS "/oracles", "0");
	must(!dxl_umount());
	must(!power_loss("none"));
	must(!dxl_mount(NULL));
	fd = open(DXL_MNT "/file", O_RDONLY);
	must(fd >= 0);
	for (i = 0; i < PAGES; i++) {
		must(pread(fd, &word, sizeof(word), i * STEP) == sizeof(word));
		there |= (word == 0xd4d4d4d4 + i) << i;
	}
	close(fd);
	return there;
}

TEST_F(loss, sound)
{
	ASSERT_TRUE(store_all(self));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(verdict_none());
	EXPECT_EQ(0xf, lose(self));
}

TEST_F(loss, nobody_skipped)
{
	put_text(SBID "/variant", "upstream-7.3");
	ASSERT_TRUE(store_all(self));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(verdict_none());
	EXPECT_EQ(0xf, lose(self));
}

TEST_F(loss, first_page)
{
	struct dxl_stats before;

	dxl_stats(&before);
	put_text(SBID "/variant", "flush=first_page");
	ASSERT_TRUE(store_all(self));
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(strstr(slurp(SBID "/verdict"), "verdict broken-promise flushed-in-part"));
	EXPECT_GROWN(EQ, 1, &before, "promises_broken");
	EXPECT_EQ(0x1, lose(self));
}

TEST_F(loss, from_start)
{
	put_text(SBID "/variant", "flush=from_start");
	ASSERT_TRUE(store_all(self));
	ASSERT_EQ(0, msync(self->map + 2 * STEP, STEP, MS_SYNC));
	EXPECT_TRUE(verdict_none());
	/* What was before is marked clean now: the next one breaks its promise. */
	ASSERT_EQ(0, fsync(self->fd));
	EXPECT_TRUE(strstr(slurp(SBID "/verdict"), "verdict broken-promise marked-clean"));
	EXPECT_EQ(0xc, lose(self));
}

/* Not called: nothing was promised, and all of it is lost. */
TEST_F(loss, no_sync)
{
	ASSERT_TRUE(store_all(self));
	EXPECT_TRUE(verdict_none());
	EXPECT_EQ(0, lose(self));
}

TEST_HARNESS_MAIN
