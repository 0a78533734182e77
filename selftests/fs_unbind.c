// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the memory goes (nd_pmem is unbound) under a mount and its load.
 *
 *  1. Our filesystem on /dev/pmem0, and on a device of ours that stands on it: what
 *     was stored is flushed first; then loads and stores die of SIGBUS, also of
 *     pages that were mapped, by PMD and by PTE; all calls give EIO; umount and
 *     rmmod work. When the driver is back fsck finds no damage, and all is there.
 *     Likewise while the oracles look at what syncs owe.
 *  2. Nothing is mounted on our device: reads give EIO, a mount is refused.
 *  3. ext4 on our device cannot let go of what it has mapped: the driver waits until
 *     ext4 is unmounted.
 *
 * A broken module goes on with memory that has no page tables any more (oops), or
 * leaves it to mappings, which store to what is somebody else's then.
 *
 * daxlab-test: timeout=240 needs=none vm="--backing memmap"
 */
#include <sys/mount.h>

#include "fsck.h"
#include "load.h"
#include "pmem.h"
#include "verdict.h"

#define SEED	5

static void unbind(void)
{
	must(!pmem_driver("unbind"));
}

static void *unbind_thread(void *arg)
{
	unbind();
	return arg;
}

FIXTURE(gone) {
	struct load load;
	int kept;
};

FIXTURE_VARIANT(gone) {
	const char *params, *dev;
	bool watched;
};

FIXTURE_VARIANT_ADD(gone, mounted) { .params = "size=2M", .dev = PMEM };
FIXTURE_VARIANT_ADD(gone, watched) { .params = "size=2M", .dev = PMEM, .watched = true };
FIXTURE_VARIANT_ADD(gone, below) { .params = "backing=pmem device=" PMEM, .dev = DXL_DEV };

FIXTURE_SETUP(gone)
{
	if (!getenv("DAXLAB_RANGE"))
		SKIP_SETUP("no " PMEM " here: scripts/vm --backing memmap");
	ASSERT_EQ(0, dxl_load(variant->params));
	ASSERT_TRUE(!mkdir(DXL_MNT, 0755) || errno == EEXIST);
	ASSERT_EQ(0, mount(variant->dev, DXL_MNT, "daxlab", 0, "format"));
	self->kept = full_file("kept", 64 * PAGE, SEED);
	load_map(&self->load, alloc_file("load", LOAD_SIZE));
	catch_bus();
}

FIXTURE_TEARDOWN(gone)
{
	char buf[64 * PAGE];
	struct fsck_report report;

	ASSERT_EQ(0, pmem_driver("bind"));
	ASSERT_EQ(0, dxl_load(variant->params));
	EXPECT_EQ(0, fsck_check(variant->dev, NULL, &report)) TH_LOG("%s", report.first);
	ASSERT_EQ(0, mount(variant->dev, DXL_MNT, "daxlab", 0, NULL));
	self->kept = open(DXL_MNT "/kept", O_RDONLY);
	EXPECT_EQ((ssize_t)sizeof(buf), pread(self->kept, buf, sizeof(buf), 0));
	EXPECT_EQ(-1, differs(buf, 0, sizeof(buf), SEED));
	close(self->kept);
	EXPECT_EQ(0, dxl_umount());
	EXPECT_EQ(0, dxl_unload());
}

#define EXPECT_GONE(call) do {						\
	errno = 0;							\
	EXPECT_EQ(-1, call);						\
	EXPECT_EQ(EIO, errno);						\
} while (0)

TEST_F_TIMEOUT(gone, under_load, 100)
{
	struct dxl_stats before;
	char buf[PAGE] = {}, *kept;

	if (variant->watched)
		put_text(DXL_DEBUGFS "/oracles", "1");
	kept = map_pte(self->kept, 0, 64 * PAGE);
	dxl_stats(&before);
	ASSERT_FALSE(store_dies(self->load.pmd, 1));
	ASSERT_EQ(1, dxl_grown(&before, "fault_pmd_mapped"));
	load_begin(&self->load);
	while (dxl_grown(&before, "fault_pte_mapped") < 100)
		sched_yield();
	/* Mapped, and dirty, when it goes; the last one nobody else syncs. */
	ASSERT_FALSE(store_dies(self->load.pmd, 1) || store_dies(self->load.pte, 1) ||
		     store_dies(kept, load(kept)));
	dxl_stats(&before);
	unbind();
	EXPECT_LT(0, dxl_grown(&before, "entries_written"));

	dxl_stats(&before);
	EXPECT_TRUE(store_dies(self->load.pmd, 2));
	EXPECT_TRUE(store_dies(self->load.pte, 2));
	EXPECT_TRUE(load_dies(kept));
	EXPECT_LE(3, dxl_grown(&before, "fault_sigbus"));
	load_end(&self->load);
	EXPECT_GONE(pread(self->load.fd, buf, PAGE, 0));
	EXPECT_GONE(pwrite(self->load.fd, buf, PAGE, 0));
	EXPECT_GONE(ftruncate(self->load.fd, 0));
	EXPECT_GONE(fallocate(self->load.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
	EXPECT_GONE(open(DXL_MNT "/new", O_CREAT | O_RDWR, 0644));
	EXPECT_GONE(unlink(DXL_MNT "/kept"));
	EXPECT_GONE(fsync(self->kept));
	EXPECT_GONE(syncfs(self->kept));
	EXPECT_EQ(0, dxl_grown(&before, "fault_pmd_mapped"));
	EXPECT_EQ(0, dxl_grown(&before, "fault_pte_mapped"));

	munmap(kept, 64 * PAGE);
	close(self->kept);
	load_unmap(&self->load);
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_unload());
}

FIXTURE(below) {
	char *buf;
};

FIXTURE_SETUP(below)
{
	if (!getenv("DAXLAB_RANGE"))
		SKIP_SETUP("no " PMEM " here");
	ASSERT_EQ(0, dxl_load("backing=pmem device=" PMEM));
	self->buf = aligned_alloc(PAGE, PAGE);
	catch_bus();
}

FIXTURE_TEARDOWN(below)
{
	free(self->buf);
	EXPECT_EQ(0, dxl_unload());
	EXPECT_EQ(0, pmem_driver("bind"));
}

TEST_F_TIMEOUT(below, nothing_is_mounted, 100)
{
	int fd = open(DXL_DEV, O_RDONLY | O_DIRECT);

	ASSERT_EQ(PAGE, pread(fd, self->buf, PAGE, 0));
	unbind();
	EXPECT_GONE(pread(fd, self->buf, PAGE, 0));
	close(fd);
	EXPECT_EQ(-1, mount(DXL_DEV, DXL_MNT, "daxlab", 0, "format"));
	EXPECT_EQ(ENXIO, errno);
}

TEST_F_TIMEOUT(below, ext4_is_waited_for, 150)
{
	pthread_t thread;
	char *map;
	int fd;

	if (system("mkfs.ext4 -q -F -b 4096 -E nodiscard " DXL_DEV " && modprobe ext4"))
		SKIP(return, "no ext4 here");
	ASSERT_EQ(0, mount(DXL_DEV, DXL_MNT, "ext4", 0, "dax=always"));
	fd = full_file("file", 64 * PAGE, SEED);
	map = map_pte(fd, 0, 64 * PAGE);
	ASSERT_FALSE(store_dies(map, 1));
	dxl_log("daxlab-test: ext4");
	ASSERT_EQ(0, pthread_create(&thread, NULL, unbind_thread, NULL));
	/* That it waits is in the log; nothing has changed meanwhile. */
	while (system("dmesg | sed -n '/daxlab-test: ext4/,$p' | grep -q 'until it is unmounted'"))
		usleep(100000);
	EXPECT_FALSE(access(PMEM, F_OK));
	EXPECT_FALSE(store_dies(map + PAGE, 1));
	EXPECT_EQ(PAGE, pwrite(fd, self->buf, PAGE, 0));
	EXPECT_EQ(0, fsync(fd));
	munmap(map, 64 * PAGE);
	close(fd);
	EXPECT_EQ(0, dxl_umount());
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_TRUE(access(PMEM, F_OK));
	EXPECT_EQ(0, system("rmmod ext4"));
}

TEST_HARNESS_MAIN
