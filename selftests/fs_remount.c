// SPDX-License-Identifier: GPL-2.0
/*
 * What was there before unmount is there after mount: every name, and of each
 * inode everything that stat and statx tell, its flags, its content.
 *
 *  1. a tree of all kinds, with odd modes, owners and times to the nanosecond
 *  2. take it down: one line of text per name, content as a checksum
 *  3. unmount, mount; take it down again: the same text. The same read-only,
 *     and after the module was told to write everything (syncfs) and freeze
 *
 * daxlab-test: timeout=120 modes="dax pcache" needs=mount args="size=64M"
 */
#include "daxlab.h"
#include "must.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* FNV-1a over the content; holes count as zeroes, but are skipped. */
static uint64_t content(const char *path)
{
	static char buf[1 << 16];
	uint64_t sum = 0xcbf29ce484222325;
	int fd = open(path, O_RDONLY | O_NOATIME);
	off_t pos = 0;
	ssize_t got, i;

	must(fd >= 0);
	while ((pos = lseek(fd, pos, SEEK_DATA)) >= 0) {
		got = pread(fd, buf, sizeof(buf), pos);
		must(got > 0);
		for (i = 0; i < got; i++, pos++)
			if (buf[i])
				sum = (sum ^ (unsigned char)buf[i] ^ pos << 8) * 0x100000001b3;
	}
	must(errno == ENXIO);
	close(fd);
	return sum;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* The whole tree in words. */
static char *take_down(void)
{
	char root[] = DXL_MNT, target[4096], *text;
	FTS *fts = fts_open((char * const []) { root, NULL }, FTS_PHYSICAL | FTS_NOCHDIR,
			    by_name);
	struct statvfs fs;
	struct statx st;
	size_t size;
	FTSENT *at;
	FILE *out = open_memstream(&text, &size);

	must(out && fts && !statvfs(DXL_MNT, &fs));
	fprintf(out, "free %lu %lu\n", fs.f_bfree, fs.f_ffree);
	while ((at = fts_read(fts))) {
		if (at->fts_info == FTS_DP)
			continue;
		must(!statx(AT_FDCWD, at->fts_path, AT_SYMLINK_NOFOLLOW,
			    STATX_ALL, &st));
		fprintf(out, "%s %llu %o %u %u:%u %llu %llu %u:%u a%llx", at->fts_path,
			st.stx_ino, st.stx_mode, st.stx_nlink, st.stx_uid, st.stx_gid,
			st.stx_size, st.stx_blocks, st.stx_rdev_major, st.stx_rdev_minor,
			st.stx_attributes);
		/* Listing a directory touches its atime, as does readlink(2). */
		if (!S_ISDIR(st.stx_mode) && !S_ISLNK(st.stx_mode))
			fprintf(out, " %lld.%09u", st.stx_atime.tv_sec, st.stx_atime.tv_nsec);
		fprintf(out, " %lld.%09u %lld.%09u %lld.%09u", st.stx_mtime.tv_sec,
			st.stx_mtime.tv_nsec, st.stx_ctime.tv_sec, st.stx_ctime.tv_nsec,
			st.stx_btime.tv_sec, st.stx_btime.tv_nsec);
		if (S_ISREG(st.stx_mode))
			fprintf(out, " %016lx", content(at->fts_path));
		if (S_ISLNK(st.stx_mode)) {
			memset(target, 0, sizeof(target));
			must(readlink(at->fts_path, target, sizeof(target) - 1) > 0);
			fprintf(out, " %s", target);
		}
		fputc('\n', out);
	}
	fts_close(fts);
	fclose(out);
	return text;
}

static void make_file(const char *name, off_t size, off_t pos, const char *text)
{
	int fd = open(name, O_RDWR | O_CREAT, 0604);

	must(fd >= 0 && !ftruncate(fd, size));
	must(pwrite(fd, text, strlen(text), pos) == (ssize_t)strlen(text));
	close(fd);
}

static void make_tree(void)
{
	struct timespec times[2] = { { -1000, 999999999 }, { 4102444800, 1 } };
	char name[64], *map;
	int fd, flags, i;

	must(!chdir(DXL_MNT));
	must(!mkdir("d", 0711) && !mkdir("d/e", 01777) && !mkdir("d/e/f", 02755));
	for (i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "d/e/file number %d", i);
		make_file(name, i, i * 1000, "a text");
		if (i % 3 == 0)
			must(!unlink(name));
	}
	make_file("sparse", 1L << 40, (1L << 40) - 10, "the end");
	make_file("holes", 10 << 20, 5 << 20, "middle");
	must(!link("sparse", "d/e/f/other name"));
	must(!symlink("../nowhere", "d/symlink"));
	must(!mknod("fifo", S_IFIFO | 0600, 0));
	must(!mknod("char", S_IFCHR | 0666, makedev(4095, 1048575)));
	must(!chown("d/e/f", 12345, 4000000000U) && !chmod("holes", 06755));
	must(!utimensat(AT_FDCWD, "holes", times, 0));

	fd = open("mapped", O_RDWR | O_CREAT, 0600);
	must(fd >= 0 && !fallocate(fd, 0, 0, 4 << 20));
	map = mmap(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(map != MAP_FAILED);
	for (i = 0; i < 4 << 20; i += 40000)
		map[i] = i;
	munmap(map, 4 << 20);
	must(!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20, 1 << 16));
	must(!fallocate(fd, FALLOC_FL_KEEP_SIZE, 4 << 20, 1 << 20));
	flags = FS_NOATIME_FL | FS_NODUMP_FL | FS_APPEND_FL;
	must(!ioctl(fd, FS_IOC_SETFLAGS, &flags));
	close(fd);
	must(!chdir("/"));
}

FIXTURE(remount) {
	char *before;
};

FIXTURE_SETUP(remount)
{
	make_tree();
	self->before = take_down();
}

FIXTURE_TEARDOWN(remount)
{
	free(self->before);
	/* With room for the next test. */
	EXPECT_EQ(0, dxl_umount());
	EXPECT_EQ(0, dxl_mount_fresh(NULL));
}

#define EXPECT_SAME_TREE() do {						\
	char *after_ = take_down();					\
									\
	EXPECT_STREQ(self->before, after_);				\
	free(after_);							\
} while (0)

TEST_F(remount, keeps_everything)
{
	int i;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, dxl_umount());
		ASSERT_EQ(0, dxl_mount(NULL));
		EXPECT_SAME_TREE();
	}
}

TEST_F(remount, read_only)
{
	ASSERT_EQ(0, mount(DXL_DEV, DXL_MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	EXPECT_SAME_TREE();
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, mount(DXL_DEV, DXL_MNT, "daxlab", MS_RDONLY,
			   dxl_page_cache() ? "dax=never" : NULL));
	EXPECT_SAME_TREE();
	ASSERT_EQ(0, mount(DXL_DEV, DXL_MNT, NULL, MS_REMOUNT, NULL));
	EXPECT_SAME_TREE();
}

TEST_F(remount, frozen)
{
	int fd = open(DXL_MNT, O_RDONLY | O_DIRECTORY);

	ASSERT_LE(0, fd);
	EXPECT_EQ(0, syncfs(fd));
	ASSERT_EQ(0, ioctl(fd, FIFREEZE, 0));
	EXPECT_SAME_TREE();
	ASSERT_EQ(0, ioctl(fd, FITHAW, 0));
	close(fd);
	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_SAME_TREE();
}

/* Caches dropped: all inodes come from the media again, without a mount. */
TEST_F(remount, caches_dropped)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, write(fd, "2", 1));
	close(fd);
	EXPECT_SAME_TREE();
}

TEST_HARNESS_MAIN
