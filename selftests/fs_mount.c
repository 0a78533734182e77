// SPDX-License-Identifier: GPL-2.0
/*
 * What mount(2) accepts and what it refuses: each refusal has its errno and one
 * line in the log, leaves nothing behind, and writes nothing to the device.
 *
 *  1. options: format, ro, those that do not exist, those of a remount
 *  2. devices: blank ones, our own and others; too small; without DAX; in use
 *  3. superblocks: foreign, newer, of unknown features, of another size, damaged
 *
 * daxlab-test: timeout=180 args="size=4M"
 */
#include "image.h"
#include "kmsg.h"

#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <linux/loop.h>

#include "kselftest_harness.h"

#define ERR(call) ((call) < 0 ? errno : 0)

static int mount_at(const char *device, unsigned long flags, const char *options)
{
	return mount(device, DXL_MNT, "daxlab", flags, options);
}

FIXTURE(mounting) {
	struct image image;
	int log;
	char line[512];
};

FIXTURE_SETUP(mounting)
{
	mkdir(DXL_MNT, 0755);
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	ASSERT_EQ(0, dxl_umount());
	image_load(&self->image);
	self->log = kmsg_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(mounting)
{
	umount(DXL_MNT);
	close(self->log);
	free(self->image.bytes);
}

/* The mount failed as wanted: errno, one line, nothing mounted, no store. */
#define EXPECT_REFUSED(want, text, ret) do {				\
	int err_ = ERR(ret);						\
	int lines_ = kmsg_lines(self->log, self->line, sizeof(self->line)); \
									\
	TH_LOG("%s: %s", strerror(err_), self->line);			\
	EXPECT_EQ(want, err_);						\
	EXPECT_EQ(1, lines_);						\
	EXPECT_NE(NULL, strstr(self->line, text));			\
	EXPECT_EQ(EINVAL, ERR(umount(DXL_MNT)));			\
	EXPECT_TRUE(image_is_on_device(&self->image));			\
} while (0)

TEST_F(mounting, options)
{
	EXPECT_REFUSED(EINVAL, "Unknown parameter 'nonsense'", dxl_mount("nonsense"));
	EXPECT_REFUSED(EINVAL, "'format'", dxl_mount("format=yes"));
	EXPECT_REFUSED(EINVAL, "needs a writable mount",
		       mount_at(DXL_DEV, MS_RDONLY, "format"));
	EXPECT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(0, dxl_umount());
	EXPECT_EQ(0, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_TRUE(image_is_on_device(&self->image));
}

TEST_F(mounting, remount)
{
	int fd;

	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(EINVAL, ERR(mount_at(DXL_DEV, MS_REMOUNT, "format")));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_NE(NULL, strstr(self->line, "first mount only"));
	EXPECT_EQ(EINVAL, ERR(mount_at(DXL_DEV, MS_REMOUNT, "nonsense")));

	fd = open(DXL_MNT "/f", O_RDWR | O_CREAT, 0644);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, ERR(mount_at(DXL_DEV, MS_REMOUNT | MS_RDONLY, NULL)));
	close(fd);
	EXPECT_EQ(0, mount_at(DXL_DEV, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_EQ(EROFS, ERR(open(DXL_MNT "/g", O_RDWR | O_CREAT, 0644)));
	EXPECT_EQ(EROFS, ERR(unlink(DXL_MNT "/f")));
	EXPECT_EQ(0, mount_at(DXL_DEV, MS_REMOUNT, NULL));
	EXPECT_EQ(0, unlink(DXL_MNT "/f"));
	EXPECT_EQ(0, dxl_umount());
}

TEST_F(mounting, read_only_stores_nothing)
{
	char name[4];

	ASSERT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, symlink("target", DXL_MNT "/s"));
	ASSERT_EQ(0, dxl_umount());
	image_load(&self->image);
	ASSERT_EQ(0, mount_at(DXL_DEV, MS_RDONLY, NULL));
	EXPECT_EQ(4, readlink(DXL_MNT "/s", name, sizeof(name)));
	EXPECT_EQ(0, dxl_umount());
	EXPECT_TRUE(image_is_on_device(&self->image));
}

/* Two mounts of one device are one filesystem; the second cannot format it. */
TEST_F(mounting, twice)
{
	ASSERT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, mkdir(DXL_MNT "/d", 0755));
	EXPECT_EQ(0, mount(DXL_DEV, DXL_MNT "/d", "daxlab", 0, NULL));
	EXPECT_EQ(0, mkdir(DXL_MNT "/d/e", 0755));
	EXPECT_EQ(0, umount(DXL_MNT "/d"));
	EXPECT_EQ(0, rmdir(DXL_MNT "/e"));
	EXPECT_EQ(EBUSY, ERR(mount(DXL_DEV, DXL_MNT "/d", "daxlab", 0, "format")));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_NE(NULL, strstr(self->line, "mounted already"));
	EXPECT_EQ(EBUSY, ERR(mount(DXL_DEV, DXL_MNT "/d", "daxlab", MS_RDONLY, NULL)));
	EXPECT_EQ(0, rmdir(DXL_MNT "/d"));
	EXPECT_EQ(0, dxl_umount());
}

TEST_F(mounting, blank)
{
	memset(self->image.bytes, 0, DXL_BLOCK_SIZE);
	image_store(&self->image);
	EXPECT_REFUSED(EROFS, "blank", mount_at(DXL_DEV, MS_RDONLY, NULL));
	EXPECT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_NE(NULL, strstr(self->line, "formatted"));
}

TEST_F(mounting, format_makes_anew)
{
	struct statvfs st;
	unsigned long id;

	ASSERT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, mkdir(DXL_MNT "/d", 0755) | statvfs(DXL_MNT, &st));
	id = st.f_fsid;
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	EXPECT_EQ(ENOENT, ERR(rmdir(DXL_MNT "/d")));
	EXPECT_EQ(0, statvfs(DXL_MNT, &st));
	EXPECT_NE(id, st.f_fsid);
	EXPECT_EQ(st.f_blocks, st.f_bfree);
	EXPECT_EQ(st.f_files - 1, st.f_ffree);
	EXPECT_EQ(DXL_BLOCK_SIZE, st.f_bsize);
	EXPECT_EQ(DXL_NAME_MAX, st.f_namemax);
}

TEST_F(mounting, superblock)
{
	static const struct {
		const char *text;
		int err;
		size_t offset;
		uint64_t value;
		size_t size;
		bool seal;
	} cases[] = {
#define FIELD(name) offsetof(struct dxl_super, name)
		{ "no daxlab filesystem", EINVAL, FIELD(magic), 0x5846534258465342, 8, true },
		{ "no daxlab filesystem", EINVAL, FIELD(magic), DXL_MAGIC ^ 1, 8, true },
		{ "newer", EINVAL, FIELD(version), DXL_VERSION + 1, 4, false },
		{ "unknown features 0x80000000", EINVAL, FIELD(features), 1U << 31, 4, true },
		{ "bad checksum", EUCLEAN, FIELD(features), 1, 4, false },
		{ "bad checksum", EUCLEAN, FIELD(version), 0, 4, false },
		{ "bad checksum", EUCLEAN, FIELD(uuid), 0, 8, false },
		{ "bad checksum", EUCLEAN, FIELD(crc), 0, 4, false },
		{ "on a device of 1024", EINVAL, FIELD(nr_blocks), 1025, 8, true },
		{ "on a device of 1024", EINVAL, FIELD(nr_blocks), UINT64_MAX, 8, true },
		{ "do not fit", EUCLEAN, FIELD(version), 0, 4, true },
		{ "do not fit", EUCLEAN, FIELD(nr_blocks), 0, 8, true },
		{ "do not fit", EUCLEAN, FIELD(nr_blocks), 1023, 8, true },
		{ "do not fit", EUCLEAN, FIELD(nr_inodes), UINT64_MAX, 8, true },
		{ "do not fit", EUCLEAN, FIELD(itable_block), 3, 8, true },
		{ "do not fit", EUCLEAN, FIELD(data_block), 0, 8, true },
	};
	struct dxl_super *super = image_super(&self->image), good = *super;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		*super = good;
		memcpy((char *)super + cases[i].offset, &cases[i].value, cases[i].size);
		if (cases[i].seal)
			seal_super(super);
		image_store(&self->image);
		EXPECT_REFUSED(cases[i].err, cases[i].text, dxl_mount(NULL));
	}
	/* And what is left still is a filesystem. */
	*super = good;
	image_store(&self->image);
	EXPECT_EQ(0, dxl_mount(NULL));
}

/* A loop device over a file: a disk that is not ours, and has no DAX. */
TEST_F(mounting, no_dax)
{
	char file[] = "/tmp/daxlab-XXXXXX", name[32];
	int control, disk, loop, nr;

	if (system("modprobe -C /dev/null -q loop"))
		SKIP(return, "no loop devices here");
	control = open("/dev/loop-control", O_RDWR);
	ASSERT_LE(0, control);
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	snprintf(name, sizeof(name), "/dev/loop%d", nr);
	loop = open(name, O_RDWR);
	disk = mkstemp(file);
	ASSERT_EQ(0, ftruncate(disk, 8 << 20));
	ASSERT_EQ(0, ioctl(loop, LOOP_SET_FD, disk));
	EXPECT_REFUSED(EOPNOTSUPP, "no DAX", mount_at(name, 0, NULL));
	EXPECT_REFUSED(EOPNOTSUPP, "no DAX", mount_at(name, 0, "format"));
	EXPECT_EQ(0, ioctl(loop, LOOP_CLR_FD));
	close(loop);
	close(control);
	close(disk);
	unlink(file);
	EXPECT_EQ(0, system("modprobe -C /dev/null -r loop"));
}

TEST_F(mounting, no_device)
{
	EXPECT_EQ(ENOENT, ERR(mount_at("/dev/none", 0, NULL)));
	EXPECT_EQ(ENOTBLK, ERR(mount_at("/dev/null", 0, NULL)));
	EXPECT_EQ(EINVAL, ERR(mount_at(NULL, 0, NULL)));
}

/* Whoever holds the device exclusively keeps us off, format or not. */
TEST_F(mounting, in_use)
{
	int fd = open(DXL_DEV, O_RDONLY | O_EXCL);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, ERR(dxl_mount(NULL)));
	EXPECT_EQ(EBUSY, ERR(dxl_mount("format")));
	close(fd);
	EXPECT_EQ(0, dxl_mount(NULL));
}

TEST_F(mounting, too_small)
{
	char line[512];

	ASSERT_EQ(0, dxl_unload());
	ASSERT_EQ(0, dxl_load("size=2M"));
	EXPECT_EQ(EINVAL, ERR(dxl_mount(NULL)));
	EXPECT_EQ(1, kmsg_lines(self->log, line, sizeof(line)));
	EXPECT_NE(NULL, strstr(line, "too few"));
	EXPECT_EQ(EINVAL, ERR(dxl_mount("format")));
	ASSERT_EQ(0, dxl_unload());
	ASSERT_EQ(0, dxl_load("size=4M"));
	EXPECT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(0, dxl_umount());
}

/* An image that was copied to a larger device stays as large as it was. */
TEST_F(mounting, larger_device)
{
	struct statvfs before, after;
	int fd;

	ASSERT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, statvfs(DXL_MNT, &before));
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_unload());
	ASSERT_EQ(0, dxl_load("size=8M"));
	image_store(&self->image);
	ASSERT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, statvfs(DXL_MNT, &after));
	EXPECT_EQ(before.f_blocks, after.f_blocks);
	EXPECT_EQ(before.f_bfree, after.f_bfree);
	fd = open(DXL_MNT "/all", O_RDWR | O_CREAT, 0644);
	EXPECT_EQ(ENOSPC, ERR(fallocate(fd, 0, 0, 5 << 20)));
	close(fd);
	ASSERT_EQ(0, dxl_umount());
	EXPECT_EQ(0, dxl_mount(NULL));
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_unload());
	ASSERT_EQ(0, dxl_load("size=4M"));
}

TEST_HARNESS_MAIN
