// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that somebody uses longer than they are mapped: here, a pipe.
 *
 *  1. A file of huge mappings gives a page of each to a pipe (vmsplice), and
 *     then loses its blocks.
 *  2. The blocks are not free, whoever needs them; the pipe has the old content.
 *  3. The pipe is read: the blocks are free, and can be had.
 *  4. The same over unmount: the device refuses the next mount until the pipe is
 *     read. And over unload: the memory stays until then.
 *
 * A block that became free under its pin would show as content of another file
 * in the pipe; one that is lost, as space that does not come back.
 *
 * daxlab-test: timeout=120 needs=mount args="size=64M"
 */
#include "dax.h"

#include <sys/mount.h>
#include <sys/uio.h>

#define SIZE	(2 * PMD)
#define SEED	5

FIXTURE(pinned) {
	int fd, pipes[2];
	char *map;
	uint64_t free_before;
};

FIXTURE_SETUP(pinned)
{
	struct dxl_stats before;

	self->free_before = free_blocks_at_first();
	self->fd = full_file("pinned", SIZE, SEED);
	self->map = map_pmd(self->fd, 0, SIZE);
	dxl_stats(&before);
	load_each(self->map, SIZE, PMD);
	EXPECT_GROWN(EQ, SIZE / PMD, &before, "fault_pmd_mapped");
	must(!pipe(self->pipes));
}

FIXTURE_TEARDOWN(pinned)
{
	close(self->pipes[0]);
	close(self->pipes[1]);
}

static void pin(FIXTURE_DATA(pinned) *self, size_t off)
{
	struct iovec vec = { self->map + off, PAGE };

	must(vmsplice(self->pipes[1], &vec, 1, 0) == (ssize_t)PAGE);
}

/* Where the content of the page in the pipe is not that of offset @off, or -1. */
static ssize_t unpin(FIXTURE_DATA(pinned) *self, size_t off)
{
	char page[PAGE];

	must(read(self->pipes[0], page, PAGE) == (ssize_t)PAGE);
	return differs(page, off, PAGE, SEED);
}

static void let_go(FIXTURE_DATA(pinned) *self)
{
	must(!munmap(self->map, SIZE));
	close(self->fd);
	must(!unlink(DXL_MNT "/pinned"));
}

/* Give everything that is free to a file; how many blocks that were. */
static uint64_t fill(void)
{
	int fd = hole_file("fill", 0);
	static char buf[PMD];
	uint64_t nr = 0;
	ssize_t got;

	memset(buf, 0x77, sizeof(buf));
	while ((got = write(fd, buf, sizeof(buf))) > 0)
		nr += got / PAGE;
	must(errno == ENOSPC);
	close(fd);
	return nr;
}

TEST_F(pinned, blocks_wait_for_the_pin)
{
	uint64_t filled;

	pin(self, PMD + 3 * PAGE);
	let_go(self);
	/* One pin holds its chunk, and no other. */
	EXPECT_EQ(self->free_before - PMD_PAGES, free_blocks());
	filled = fill();
	EXPECT_LE(filled, self->free_before - PMD_PAGES);
	EXPECT_EQ(-1, unpin(self, PMD + 3 * PAGE));
	/* Who needs space finds it, without having asked for how much there is. */
	must(!rename(DXL_MNT "/fill", DXL_MNT "/first"));
	EXPECT_LE(PMD_PAGES - 8, fill());
	must(!unlink(DXL_MNT "/fill") && !unlink(DXL_MNT "/first"));
	EXPECT_EQ(self->free_before, free_blocks());
}

TEST_F(pinned, punch_of_what_is_pinned)
{
	pin(self, 0);
	must(!fallocate(self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	EXPECT_EQ(0, load(self->map));
	store(self->map, 0x33);
	must(!msync(self->map, SIZE, MS_SYNC));
	EXPECT_EQ(-1, unpin(self, 0));
	EXPECT_EQ(0x33, load(self->map));
	let_go(self);
	EXPECT_EQ(self->free_before, free_blocks());
}

TEST_F(pinned, many_in_turn)
{
	int i;

	let_go(self);
	for (i = 0; i < 20; i++) {
		self->fd = full_file("pinned", SIZE, SEED);
		self->map = map_pmd(self->fd, 0, SIZE);
		pin(self, 5 * PAGE);
		let_go(self);
		EXPECT_EQ(-1, unpin(self, 5 * PAGE));
	}
	EXPECT_EQ(self->free_before, free_blocks());
}

TEST_F(pinned, hole)
{
	int fd = hole_file("hole", PMD);
	char *map = map_pmd(fd, 0, PMD), page[PAGE];
	struct iovec vec = { map + PAGE, PAGE };
	struct dxl_stats before;

	dxl_stats(&before);
	load(map);
	EXPECT_GROWN(EQ, 1, &before, "fault_pmd_hole");
	must(vmsplice(self->pipes[1], &vec, 1, 0) == (ssize_t)PAGE);
	/* The zeroes are nobody's, so the store is not to be seen in the pipe. */
	store(map + PAGE, 1);
	must(read(self->pipes[0], page, PAGE) == (ssize_t)PAGE);
	EXPECT_EQ(-1, nonzero(page, PAGE));
	must(!munmap(map, PMD));
	close(fd);
	must(!unlink(DXL_MNT "/hole"));
	let_go(self);
}

TEST_F(pinned, unmount)
{
	pin(self, PAGE);
	let_go(self);
	ASSERT_EQ(0, dxl_umount());
	errno = 0;
	EXPECT_EQ(-1, mount(DXL_DEV, DXL_MNT, "daxlab", 0, NULL));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, unpin(self, PAGE));
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(self->free_before, free_blocks());
}

TEST_F(pinned, unload)
{
	pin(self, PAGE);
	pin(self, PMD);
	let_go(self);
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_unload());
	EXPECT_EQ(-1, unpin(self, PAGE));
	EXPECT_EQ(-1, unpin(self, PMD));
	ASSERT_EQ(0, dxl_load("size=64M"));
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
}

TEST_HARNESS_MAIN
