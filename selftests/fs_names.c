// SPDX-License-Identifier: GPL-2.0
/*
 * Names: what may be one, what they lead to, and what rename does with two.
 *
 *  - lengths and bytes of names; links and their number; symlinks up to a block;
 *    device nodes; files without a name; times and flags
 *  - rename: onto nothing, onto a file, onto a directory, with each flag, with
 *    everything that it must refuse, and the link counts after
 *
 * After each test the root is empty, with as much space as before it.
 *
 * daxlab-test: timeout=120 needs=mount args="size=32M"
 */
#include "daxlab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define MAX_LINKS	32000

/* errno of a call that must fail, 0 if it did not */
#define ERR(call) ((call) < 0 ? errno : 0)

static int touch(const char *name)
{
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

	return fd < 0 ? fd : close(fd);
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(name, &st);
}

static ino_t number(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_ino;
}

static nlink_t links(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_nlink;
}

static int move(const char *from, const char *to, unsigned int flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

FIXTURE(names) {
	struct statvfs before;
};

FIXTURE_SETUP(names)
{
	ASSERT_EQ(0, chdir(DXL_MNT));
	umask(0);
	/* The root keeps its first block. */
	ASSERT_EQ(0, touch("x"));
	ASSERT_EQ(0, unlink("x"));
	ASSERT_EQ(0, statvfs(".", &self->before));
}

FIXTURE_TEARDOWN(names)
{
	struct statvfs after;

	EXPECT_EQ(0, statvfs(DXL_MNT, &after));
	EXPECT_EQ(self->before.f_bfree, after.f_bfree);
	EXPECT_EQ(self->before.f_ffree, after.f_ffree);
	EXPECT_EQ(2, links(DXL_MNT));
	EXPECT_EQ(0, chdir("/"));
}

TEST_F(names, lengths_and_bytes)
{
	char name[NAME_MAX + 2];
	int i;

	memset(name, 'n', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	EXPECT_EQ(ENAMETOOLONG, ERR(touch(name)));
	EXPECT_EQ(ENAMETOOLONG, ERR(mkdir(name, 0755)));
	EXPECT_EQ(ENAMETOOLONG, ERR(symlink("x", name)));
	EXPECT_EQ(ENAMETOOLONG, ERR(unlink(name)));
	name[NAME_MAX] = '\0';
	EXPECT_EQ(0, touch(name));
	EXPECT_EQ(EEXIST, ERR(touch(name)));
	name[NAME_MAX - 1] = '\0';
	EXPECT_EQ(ENOENT, ERR(unlink(name)));
	name[NAME_MAX - 1] = 'n';
	EXPECT_EQ(0, unlink(name));

	for (i = 1; i < 256; i++) {
		char byte[2] = { i };

		if (i == '/' || i == '.')
			continue;
		EXPECT_EQ(0, touch(byte));
		EXPECT_EQ(0, unlink(byte));
	}
	EXPECT_EQ(0, touch("..."));
	EXPECT_EQ(0, unlink("..."));
}

TEST_F(names, kinds)
{
	struct stat st;

	ASSERT_EQ(0, mknod("fifo", S_IFIFO | 0640, 0));
	ASSERT_EQ(0, mknod("socket", S_IFSOCK | 0600, 0));
	ASSERT_EQ(0, mknod("char", S_IFCHR | 0606, makedev(259, 65537)));
	ASSERT_EQ(0, mknod("block", S_IFBLK | 0660, makedev(1, 2)));
	EXPECT_EQ(0, stat("char", &st));
	EXPECT_EQ(S_IFCHR | 0606, st.st_mode);
	EXPECT_EQ(makedev(259, 65537), st.st_rdev);
	EXPECT_EQ(0, stat("fifo", &st));
	EXPECT_EQ(S_IFIFO | 0640, st.st_mode);
	EXPECT_EQ(0, unlink("fifo") | unlink("socket") | unlink("char") | unlink("block"));
}

TEST_F(names, directories)
{
	ASSERT_EQ(0, mkdir("d", 0755));
	EXPECT_EQ(3, links("."));
	EXPECT_EQ(2, links("d"));
	ASSERT_EQ(0, mkdir("d/e", 01777));
	EXPECT_EQ(3, links("d"));
	EXPECT_EQ(ENOTEMPTY, ERR(rmdir("d")));
	EXPECT_EQ(EISDIR, ERR(unlink("d")));
	EXPECT_EQ(EPERM, ERR(link("d", "hard")));
	ASSERT_EQ(0, touch("f"));
	EXPECT_EQ(ENOTDIR, ERR(rmdir("f")));
	EXPECT_EQ(ENOTDIR, ERR(touch("f/x")));
	EXPECT_EQ(ENOENT, ERR(touch("none/x")));
	EXPECT_EQ(0, unlink("f"));
	EXPECT_EQ(0, rmdir("d/e"));
	EXPECT_EQ(2, links("d"));
	EXPECT_EQ(0, rmdir("d"));
}

/* A directory that is removed while somebody stands in it takes no new names. */
TEST_F(names, removed_directory)
{
	int fd;

	ASSERT_EQ(0, mkdir("d", 0755));
	fd = open("d", O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir("d"));
	EXPECT_EQ(ENOENT, ERR(openat(fd, "x", O_CREAT | O_RDWR, 0644)));
	EXPECT_EQ(ENOENT, ERR(mkdirat(fd, "x", 0755)));
	close(fd);
}

TEST_F(names, group_of_parent)
{
	struct stat st;

	ASSERT_EQ(0, mkdir("d", 0755));
	ASSERT_EQ(0, chown("d", 0, 77));
	ASSERT_EQ(0, chmod("d", 02755));
	ASSERT_EQ(0, touch("d/f"));
	ASSERT_EQ(0, mkdir("d/e", 0755));
	EXPECT_EQ(0, stat("d/f", &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(0, stat("d/e", &st));
	EXPECT_EQ(77, st.st_gid);
	EXPECT_EQ(S_IFDIR | 02755, st.st_mode);
	EXPECT_EQ(0, unlink("d/f") | rmdir("d/e") | rmdir("d"));
}

TEST_F(names, hard_links)
{
	struct stat before, after;
	int fd, i;

	ASSERT_EQ(0, touch("a"));
	ASSERT_EQ(0, stat("a", &before));
	ASSERT_EQ(0, link("a", "b"));
	EXPECT_EQ(EEXIST, ERR(link("a", "b")));
	EXPECT_EQ(0, stat("b", &after));
	EXPECT_EQ(before.st_ino, after.st_ino);
	EXPECT_EQ(2, after.st_nlink);
	/* A link changes ctime, as soon as the clock of files ticks. */
	for (i = 0; i < 10000; i++) {
		if (memcmp(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim)))
			break;
		ASSERT_EQ(0, unlink("b") | link("a", "b") | stat("a", &after));
	}
	EXPECT_GT(10000, i);
	/* Two names of one file: rename does nothing. */
	EXPECT_EQ(0, move("a", "b", 0));
	EXPECT_EQ(2, links("a"));

	fd = open("a", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, unlink("a") | unlink("b"));
	EXPECT_EQ(0, fstat(fd, &after));
	EXPECT_EQ(0, after.st_nlink);
	EXPECT_EQ(5, write(fd, "still", 5));
	close(fd);
}

TEST_F(names, most_links)
{
	char name[32];
	int i, err = 0;

	ASSERT_EQ(0, mkdir("m", 0755) | chdir("m") | touch("a"));
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		ASSERT_EQ(0, mkdir(name, 0755));
	}
	for (i = 1; !err && i < 2 * MAX_LINKS; i++) {
		snprintf(name, sizeof(name), "d%d/%d", i % 64, i);
		err = ERR(link("a", name));
	}
	EXPECT_EQ(EMLINK, err);
	EXPECT_EQ(MAX_LINKS, links("a"));
	for (i -= 2; i > 0; i--) {
		snprintf(name, sizeof(name), "d%d/%d", i % 64, i);
		ASSERT_EQ(0, unlink(name));
	}
	EXPECT_EQ(1, links("a"));
	for (i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		EXPECT_EQ(0, rmdir(name));
	}
	EXPECT_EQ(0, unlink("a") | chdir("..") | rmdir("m"));
}

TEST_F(names, symlinks)
{
	static char target[PATH_MAX + 1], got[PATH_MAX + 1];
	struct stat st;

	EXPECT_EQ(ENOENT, ERR(symlink("", "s")));
	memset(target, 't', PATH_MAX);
	EXPECT_EQ(ENAMETOOLONG, ERR(symlink(target, "s")));
	target[PATH_MAX - 1] = '\0';
	ASSERT_EQ(0, symlink(target, "s"));
	EXPECT_EQ(PATH_MAX - 1, readlink("s", got, sizeof(got)));
	EXPECT_EQ(0, memcmp(target, got, PATH_MAX - 1));
	EXPECT_EQ(0, lstat("s", &st));
	EXPECT_EQ(S_IFLNK | 0777, st.st_mode);
	EXPECT_EQ(PATH_MAX - 1, st.st_size);
	EXPECT_EQ(0, unlink("s"));

	ASSERT_EQ(0, symlink("s", "s"));
	EXPECT_EQ(ELOOP, ERR(open("s", O_RDONLY)));
	EXPECT_EQ(EEXIST, ERR(symlink("x", "s")));
	EXPECT_EQ(0, lchown("s", 5, 6));
	EXPECT_EQ(0, lstat("s", &st));
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(0, unlink("s"));

	ASSERT_EQ(0, touch("f"));
	ASSERT_EQ(0, symlink("./f", "s"));
	EXPECT_EQ(0, stat("s", &st));
	EXPECT_EQ(number("f"), st.st_ino);
	EXPECT_EQ(0, unlink("s") | unlink("f"));
}

TEST_F(names, files_without_a_name)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	char path[64], text[3];

	ASSERT_LE(0, fd);
	EXPECT_EQ(3, write(fd, "abc", 3));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT_EQ(0, linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	EXPECT_EQ(1, links("named"));
	close(fd);
	fd = open("named", O_RDONLY);
	EXPECT_EQ(3, read(fd, text, 3));
	EXPECT_EQ(0, memcmp(text, "abc", 3));
	close(fd);
	EXPECT_EQ(0, unlink("named"));

	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
	ASSERT_LE(0, fd);
	EXPECT_EQ(3, write(fd, "abc", 3));
	close(fd);
}

TEST_F(names, flags_and_birth)
{
	struct statx before, after;
	int fd, flags;

	ASSERT_EQ(0, touch("f"));
	fd = open("f", O_RDONLY);
	ASSERT_LE(0, fd);
	flags = FS_IMMUTABLE_FL | FS_NODUMP_FL;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	EXPECT_EQ(EPERM, ERR(open("f", O_RDWR)));
	EXPECT_EQ(EPERM, ERR(unlink("f")));
	EXPECT_EQ(EPERM, ERR(link("f", "g")));
	ASSERT_EQ(0, statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &before));
	EXPECT_EQ(STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP,
		  before.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP));
	EXPECT_NE(0, before.stx_mask & STATX_BTIME);

	flags = FS_APPEND_FL;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	EXPECT_EQ(EPERM, ERR(open("f", O_RDWR)));
	EXPECT_EQ(EPERM, ERR(truncate("f", 1)));
	flags = FS_COMPR_FL;
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FS_IOC_SETFLAGS, &flags)));
	flags = 0;
	ASSERT_EQ(0, ioctl(fd, FS_IOC_SETFLAGS, &flags));
	ASSERT_EQ(0, statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &after));
	EXPECT_EQ(before.stx_btime.tv_nsec, after.stx_btime.tv_nsec);
	close(fd);
	EXPECT_EQ(0, unlink("f"));
}

TEST_F(names, rename_onto)
{
	struct stat st;
	ino_t a, d;
	int fd;

	ASSERT_EQ(0, touch("a") | touch("b") | mkdir("d", 0755) | mkdir("e", 0755));
	a = number("a");
	d = number("d");
	EXPECT_EQ(ENOENT, ERR(move("none", "x", 0)));
	EXPECT_EQ(EISDIR, ERR(move("a", "d", 0)));
	EXPECT_EQ(ENOTDIR, ERR(move("d", "a", 0)));
	EXPECT_EQ(EINVAL, ERR(move("d", "d/inside", 0)));

	/* Onto an open file, which lives on without a name. */
	fd = open("b", O_RDWR);
	EXPECT_EQ(0, move("a", "b", 0));
	EXPECT_EQ(0, fstat(fd, &st));
	EXPECT_EQ(0, st.st_nlink);
	close(fd);
	EXPECT_FALSE(exists("a"));
	EXPECT_EQ(a, number("b"));

	/* Onto a directory: only an empty one. */
	ASSERT_EQ(0, touch("e/full"));
	EXPECT_EQ(ENOTEMPTY, ERR(move("d", "e", 0)));
	ASSERT_EQ(0, unlink("e/full"));
	EXPECT_EQ(4, links("."));
	EXPECT_EQ(0, move("d", "e", 0));
	EXPECT_EQ(3, links("."));
	EXPECT_EQ(d, number("e"));

	/* Into another directory: ".." and the counts follow. */
	ASSERT_EQ(0, mkdir("d", 0755));
	EXPECT_EQ(0, move("e", "d/e", 0));
	EXPECT_EQ(3, links("."));
	EXPECT_EQ(3, links("d"));
	EXPECT_EQ(number("d"), number("d/e/.."));
	EXPECT_EQ(0, move("b", "d/e/b", 0));
	EXPECT_EQ(a, number("d/e/b"));
	EXPECT_EQ(0, unlink("d/e/b") | rmdir("d/e") | rmdir("d"));
}

TEST_F(names, rename_noreplace)
{
	ASSERT_EQ(0, touch("a") | touch("b"));
	EXPECT_EQ(EEXIST, ERR(move("a", "b", RENAME_NOREPLACE)));
	EXPECT_EQ(0, move("a", "c", RENAME_NOREPLACE));
	EXPECT_FALSE(exists("a"));
	EXPECT_EQ(0, unlink("b") | unlink("c"));
}

TEST_F(names, rename_exchange)
{
	ino_t a, d, s;

	ASSERT_EQ(0, touch("a") | mkdir("d", 0755) | mkdir("p", 0755) | symlink("x", "p/s"));
	a = number("a");
	d = number("d");
	s = number("p/s");
	EXPECT_EQ(ENOENT, ERR(move("a", "none", RENAME_EXCHANGE)));
	EXPECT_EQ(EINVAL, ERR(move("a", "d", RENAME_EXCHANGE | RENAME_NOREPLACE)));
	EXPECT_EQ(EINVAL, ERR(move("p", "p/s", RENAME_EXCHANGE)));
	EXPECT_EQ(0, move("a", "d", RENAME_EXCHANGE));
	EXPECT_EQ(d, number("a"));
	EXPECT_EQ(a, number("d"));
	EXPECT_EQ(4, links("."));

	/* A directory goes down, a symlink comes up. */
	EXPECT_EQ(0, move("a", "p/s", RENAME_EXCHANGE));
	EXPECT_EQ(s, number("a"));
	EXPECT_EQ(d, number("p/s"));
	EXPECT_EQ(3, links("."));
	EXPECT_EQ(3, links("p"));
	EXPECT_EQ(0, move("p/s", "a", RENAME_EXCHANGE));
	EXPECT_EQ(4, links("."));
	EXPECT_EQ(2, links("p"));
	EXPECT_EQ(0, rmdir("a") | unlink("d") | unlink("p/s") | rmdir("p"));
}

TEST_F(names, rename_whiteout)
{
	struct stat st;

	ASSERT_EQ(0, touch("a") | touch("b"));
	EXPECT_EQ(0, move("a", "c", RENAME_WHITEOUT));
	EXPECT_EQ(0, lstat("a", &st));
	EXPECT_TRUE(S_ISCHR(st.st_mode));
	EXPECT_EQ(0, st.st_rdev);
	EXPECT_EQ(0, move("b", "c", RENAME_WHITEOUT));
	EXPECT_TRUE(exists("b"));
	EXPECT_EQ(0, unlink("a") | unlink("b") | unlink("c"));
}

TEST_HARNESS_MAIN
