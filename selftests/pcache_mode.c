// SPDX-License-Identifier: GPL-2.0
/*
 * Which files are in page-cache mode, and how that changes.
 *
 *  1. Mount option dax=always|never|inode: what statx and MAP_SYNC say of new
 *     files, what /proc/mounts shows; bad words, and other words than the
 *     mount's for a remount or a second mount, are refused.
 *  2. dax=inode: the flag by both ioctls. A file that is not in use changes its
 *     mode at once, one that is open or mapped when the last user has gone; its
 *     content stays, also what only the cache had.
 *  3. New files and directories get the flag of their directory.
 *  4. The flag outlives mounts, and means nothing with always and never.
 *
 * A mode that changed under a mapping would show as lost stores; one that does
 * not change at all, as the wrong answer of statx.
 *
 * daxlab-test: timeout=120 args="size=16M"
 */
#include "dax.h"

#include <sys/mount.h>
#include <sys/syscall.h>

#define NAME(name) DXL_MNT "/" name

static int is_dax(const char *path)
{
	struct statx st;

	must(!statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &st));
	must(st.stx_attributes_mask & STATX_ATTR_DAX);
	return !!(st.stx_attributes & STATX_ATTR_DAX);
}

static int has_flag(const char *path)
{
	int fd = open(path, O_RDONLY), flags;
	struct fsxattr fsx;

	must(fd >= 0 && !ioctl(fd, FS_IOC_GETFLAGS, &flags));
	must(!ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	close(fd);
	must(!(flags & FS_DAX_FL) == !(fsx.fsx_xflags & FS_XFLAG_DAX));
	return !!(flags & FS_DAX_FL);
}

static int set_flag(int fd, bool on)
{
	int flags;

	must(!ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags = on ? flags | FS_DAX_FL : flags & ~FS_DAX_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int set_xflag(int fd, bool on)
{
	struct fsxattr fsx;

	must(!ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	fsx.fsx_xflags = on ? fsx.fsx_xflags | FS_XFLAG_DAX : fsx.fsx_xflags & ~FS_XFLAG_DAX;
	return ioctl(fd, FS_IOC_FSSETXATTR, &fsx);
}

static void flag(const char *path, bool on)
{
	int fd = open(path, O_RDONLY);

	must(fd >= 0 && !set_flag(fd, on));
	close(fd);
}

/* The options of the mount, as /proc/mounts has them. */
static const char *shown(void)
{
	static char options[256];
	char line[512];
	FILE *mounts = fopen("/proc/mounts", "re");

	must(mounts);
	options[0] = '\0';
	while (fgets(line, sizeof(line), mounts))
		if (sscanf(line, DXL_DEV " " DXL_MNT " daxlab %255s", options) == 1)
			break;
	fclose(mounts);
	return options;
}

static bool map_sync_works(const char *path)
{
	int fd = open(path, O_RDWR), err;
	void *map;

	must(fd >= 0);
	map = mmap(NULL, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	err = errno;
	close(fd);
	if (map == MAP_FAILED) {
		must(err == EOPNOTSUPP);
		return false;
	}
	munmap(map, PAGE);
	return true;
}

FIXTURE(option) {
};

FIXTURE_VARIANT(option) {
	const char *word;
	const char *show;
	bool dax;		/* a new file */
	bool flagged;		/* and one with the flag */
	const char *other;
};

#define SHOWN	"rw,relatime"

FIXTURE_VARIANT_ADD(option, none) { NULL, SHOWN, true, true, "dax=never" };
FIXTURE_VARIANT_ADD(option, always) { "dax=always", SHOWN, true, true, "dax=inode" };
FIXTURE_VARIANT_ADD(option, bare) { "dax", SHOWN, true, true, "dax=inode" };
FIXTURE_VARIANT_ADD(option, never) { "dax=never", SHOWN ",dax=never", false, false, "dax=always" };
FIXTURE_VARIANT_ADD(option, inode) { "dax=inode", SHOWN ",dax=inode", false, true, "dax=never" };

FIXTURE_SETUP(option)
{
	ASSERT_EQ(0, dxl_mount_fresh(variant->word));
}

FIXTURE_TEARDOWN(option)
{
	EXPECT_EQ(0, dxl_umount());
}

TEST_F(option, decides)
{
	close(full_file("file", PAGE, 1));
	EXPECT_EQ(variant->dax, is_dax(NAME("file")));
	EXPECT_EQ(variant->dax, map_sync_works(NAME("file")));
	EXPECT_EQ(0, is_dax(DXL_MNT));
	EXPECT_STREQ(variant->show, shown());

	flag(NAME("file"), true);
	EXPECT_EQ(1, has_flag(NAME("file")));
	EXPECT_EQ(variant->flagged, is_dax(NAME("file")));
	EXPECT_EQ(variant->flagged, map_sync_works(NAME("file")));
	flag(NAME("file"), false);
	EXPECT_EQ(variant->dax, is_dax(NAME("file")));
}

TEST_F(option, cannot_change)
{
	EXPECT_EQ(-1, mount(NULL, DXL_MNT, NULL, MS_REMOUNT, variant->other));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, mount(DXL_DEV, "/mnt", "daxlab", 0, variant->other));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(0, mount(NULL, DXL_MNT, NULL, MS_REMOUNT, variant->word));
	EXPECT_EQ(0, mount(NULL, DXL_MNT, NULL, MS_REMOUNT, NULL));
	EXPECT_STREQ(variant->show, shown());
	ASSERT_EQ(0, mkdir(NAME("again"), 0755));
	EXPECT_EQ(0, mount(DXL_DEV, NAME("again"), "daxlab", 0, variant->word));
	EXPECT_EQ(0, umount(NAME("again")));
}

TEST(bad_words)
{
	static const char * const bad[] = { "dax=", "dax=sometimes", "dax=never,dax=x", "nodax" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(-1, dxl_mount_fresh(bad[i]));
		EXPECT_EQ(EINVAL, errno)
			TH_LOG("%s", bad[i]);
	}
}

FIXTURE(inode) {
	struct dxl_stats before;
};

FIXTURE_SETUP(inode)
{
	ASSERT_EQ(0, dxl_mount_fresh("dax=inode"));
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(inode)
{
	EXPECT_EQ(0, dxl_umount());
}

/* All of the file is @seed's pattern, by read(2) and by a mapping. */
static bool content_is(const char *path, size_t size, unsigned int seed)
{
	int fd = open(path, O_RDONLY);
	char *buf = malloc(size);
	char *map;
	bool good;

	must(fd >= 0 && buf);
	must(pread(fd, buf, size, 0) == (ssize_t)size);
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED);
	good = differs(buf, 0, size, seed) < 0 && differs(map, 0, size, seed) < 0;
	munmap(map, size);
	free(buf);
	close(fd);
	return good;
}

TEST_F(inode, idle_file)
{
	static int (*const set[])(int fd, bool on) = { set_flag, set_xflag };
	unsigned int i;
	int fd;

	close(full_file("file", PMD, 7));
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		fd = open(NAME("file"), O_RDWR);
		write_pattern(fd, 0, PMD, 10 + i);
		ASSERT_EQ(0, set[i](fd, true));
		EXPECT_EQ(0, is_dax(NAME("file")));
		close(fd);
		EXPECT_EQ(1, is_dax(NAME("file")));
		EXPECT_TRUE(content_is(NAME("file"), PMD, 10 + i));

		fd = open(NAME("file"), O_RDWR);
		write_pattern(fd, 0, PMD, 20 + i);
		ASSERT_EQ(0, set[i](fd, false));
		close(fd);
		EXPECT_EQ(0, is_dax(NAME("file")));
		EXPECT_TRUE(content_is(NAME("file"), PMD, 20 + i));
	}
	EXPECT_GROWN(NE, 0, &self->before, "grabs");
}

TEST_F(inode, busy_file)
{
	int fd = full_file("file", PMD, 7);
	char *map = map_pmd(fd, 0, PMD);
	int other;

	ASSERT_EQ(0, link(NAME("file"), NAME("other")));
	other = open(NAME("other"), O_RDWR);
	store(map, 'a');
	ASSERT_EQ(0, set_flag(fd, true));
	EXPECT_EQ(1, has_flag(NAME("file")));
	store(map + PAGE, 'b');
	close(fd);
	EXPECT_EQ(0, is_dax(NAME("file")));
	ASSERT_EQ(1, pwrite(other, "c", 1, 2 * PAGE));
	EXPECT_EQ('c', load(map + 2 * PAGE));
	close(other);
	store(map + 3 * PAGE, 'd');
	EXPECT_EQ(0, is_dax(NAME("other")));
	munmap(map, PMD);

	EXPECT_EQ(1, is_dax(NAME("file")));
	EXPECT_EQ(1, is_dax(NAME("other")));
	fd = open(NAME("file"), O_RDWR);
	map = map_pmd(fd, 0, PMD);
	close(fd);
	EXPECT_EQ('a', load(map));
	EXPECT_EQ('b', load(map + PAGE));
	EXPECT_EQ('c', load(map + 2 * PAGE));
	EXPECT_EQ('d', load(map + 3 * PAGE));
	EXPECT_EQ(-1, differs(map + 4 * PAGE, 4 * PAGE, PMD - 4 * PAGE, 7));

	/* And back, with dirty entries. */
	flag(NAME("file"), false);
	store(map, 'e');
	EXPECT_EQ(1, is_dax(NAME("file")));
	munmap(map, PMD);
	EXPECT_EQ(0, is_dax(NAME("file")));
	fd = open(NAME("file"), O_RDONLY);
	map = map_skewed(fd, 0, PMD, 0, PROT_READ, MAP_SHARED);
	close(fd);
	EXPECT_EQ('e', load(map));
	EXPECT_EQ('b', load(map + PAGE));
	munmap(map, PMD);
}

TEST_F(inode, inheritance)
{
	ASSERT_EQ(0, mkdir(NAME("dir"), 0755));
	flag(NAME("dir"), true);
	close(hole_file("dir/file", PAGE));
	EXPECT_EQ(1, is_dax(NAME("dir/file")));
	EXPECT_EQ(1, has_flag(NAME("dir/file")));
	ASSERT_EQ(0, mkdir(NAME("dir/sub"), 0755));
	EXPECT_EQ(1, has_flag(NAME("dir/sub")));
	EXPECT_EQ(0, is_dax(NAME("dir/sub")));
	close(hole_file("dir/sub/file", PAGE));
	EXPECT_EQ(1, is_dax(NAME("dir/sub/file")));

	flag(NAME("dir"), false);
	close(hole_file("dir/later", PAGE));
	EXPECT_EQ(0, is_dax(NAME("dir/later")));
	EXPECT_EQ(1, is_dax(NAME("dir/file")));
	/* What comes from elsewhere keeps its own. */
	ASSERT_EQ(0, rename(NAME("dir/sub/file"), NAME("dir/moved")));
	EXPECT_EQ(1, is_dax(NAME("dir/moved")));
}

TEST_F(inode, refused)
{
	struct fsxattr fsx;
	int fd;

	ASSERT_EQ(0, mkfifo(NAME("fifo"), 0644));
	fd = open(NAME("fifo"), O_RDWR);
	EXPECT_EQ(-1, ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	EXPECT_EQ(ENOTTY, errno);
	close(fd);
	fd = hole_file("file", PAGE);
	must(!ioctl(fd, FS_IOC_FSGETXATTR, &fsx));
	fsx.fsx_xflags |= FS_XFLAG_DAX | FS_XFLAG_REALTIME;
	EXPECT_EQ(-1, ioctl(fd, FS_IOC_FSSETXATTR, &fsx));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
	EXPECT_EQ(0, has_flag(NAME("file")));
}

TEST_F(inode, outlives_mounts)
{
	static const struct {
		const char *word;
		int plain, flagged;
	} mounts[] = {
		{ "dax=inode", 0, 1 }, { "dax=never", 0, 0 }, { "dax=always", 1, 1 },
		{ "dax=inode", 0, 1 },
	};
	unsigned int i;

	close(full_file("plain", PMD, 3));
	close(full_file("flagged", PMD, 4));
	flag(NAME("flagged"), true);
	for (i = 0; i < ARRAY_SIZE(mounts); i++) {
		ASSERT_EQ(0, dxl_umount());
		ASSERT_EQ(0, dxl_mount(mounts[i].word));
		EXPECT_EQ(mounts[i].plain, is_dax(NAME("plain")));
		EXPECT_EQ(mounts[i].flagged, is_dax(NAME("flagged")));
		EXPECT_EQ(0, has_flag(NAME("plain")));
		EXPECT_EQ(1, has_flag(NAME("flagged")));
		EXPECT_TRUE(content_is(NAME("plain"), PMD, 3 + i));
		EXPECT_TRUE(content_is(NAME("flagged"), PMD, 4 + i));
		close(full_file("plain", PMD, 4 + i));
		close(full_file("flagged", PMD, 5 + i));
	}
}

TEST_HARNESS_MAIN
