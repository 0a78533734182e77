// SPDX-License-Identifier: GPL-2.0
/*
 * Several tasks make, link, move, exchange, remove and list the same few names
 * in the same few directories.
 *
 *  1. four threads, each with its own seed, some thousands of random operations
 *  2. unmount, mount: the check at mount counts every block, name and link anew
 *     and must find nothing to repair
 *  3. remove all: as much space as at the start
 *
 * A broken module deadlocks, leaves two names for a directory, a count that is
 * wrong, or a block that nobody has.
 *
 * daxlab-test: timeout=180 modes="dax pcache" args="size=32M"
 */
#include "daxlab.h"
#include "kmsg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "kselftest_harness.h"

#define THREADS		4
#define OPERATIONS	4000
#define DIRS		4
#define NAMES		12

struct storm {
	uint64_t rng;
	unsigned int done, refused, strange;
};

static uint64_t below(struct storm *storm, uint64_t limit)
{
	uint64_t z = storm->rng += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % limit;
}

static const char *pick(struct storm *storm, char *path, size_t size)
{
	snprintf(path, size, DXL_MNT "/d%d/n%d", (int)below(storm, DIRS),
		 (int)below(storm, NAMES));
	return path;
}

static int fill(struct storm *storm, const char *path)
{
	char buf[5000] = "x";
	int fd = open(path, O_RDWR | O_CREAT, 0644), ret;

	if (fd < 0)
		return fd;
	ret = pwrite(fd, buf, sizeof(buf), below(storm, 1 << 20));
	if (!below(storm, 4))
		ret |= ftruncate(fd, below(storm, 1 << 20));
	close(fd);
	return ret < 0 ? -1 : 0;
}

static int list(const char *path)
{
	DIR *dir = opendir(path);

	if (!dir)
		return -1;
	while (readdir(dir))
		;
	return closedir(dir);
}

static int move(struct storm *storm, const char *from, const char *to)
{
	static const unsigned int flags[] = {
		0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT,
	};

	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags[below(storm, ARRAY_SIZE(flags))]);
}

static int operate(struct storm *storm)
{
	char a[64], b[64];

	pick(storm, a, sizeof(a));
	pick(storm, b, sizeof(b));
	switch (below(storm, 10)) {
	case 0:
		return mkdir(a, 0755);
	case 1:
		return symlink(b, a);
	case 2:
		return link(a, b);
	case 3:
		return unlink(a);
	case 4:
		return rmdir(a);
	case 5:
		*strrchr(a, '/') = '\0';
		return list(a);
	case 6:
	case 7:
		return fill(storm, a);
	default:
		return move(storm, a, b);
	}
}

static void *run(void *arg)
{
	struct storm *storm = arg;
	int i;

	for (i = 0; i < OPERATIONS; i++) {
		if (!operate(storm)) {
			storm->done++;
			continue;
		}
		storm->refused++;
		switch (errno) {
		case EEXIST:
		case ENOENT:
		case EISDIR:
		case ENOTDIR:
		case ENOTEMPTY:
		case EPERM:	/* a link to a directory */
		case ELOOP:
		case EINVAL:	/* a directory into itself */
		case ENXIO:	/* a whiteout cannot be opened */
			break;
		default:
			fprintf(stderr, "# %s\n", strerror(errno));
			storm->strange++;
		}
	}
	return NULL;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level ? remove(path) : 0;
}

FIXTURE(storm) {
	struct statvfs before;
	int log;
};

FIXTURE_SETUP(storm)
{
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	ASSERT_EQ(0, mkdir(DXL_MNT "/d0", 0755) | rmdir(DXL_MNT "/d0"));
	ASSERT_EQ(0, statvfs(DXL_MNT, &self->before));
	self->log = kmsg_open();
	ASSERT_LE(0, self->log);
}

FIXTURE_TEARDOWN(storm)
{
	close(self->log);
}

TEST_F_TIMEOUT(storm, of_names, 150)
{
	struct storm storms[THREADS] = {};
	pthread_t threads[THREADS];
	struct statvfs after;
	char text[512];
	int i;

	for (i = 0; i < DIRS; i++) {
		snprintf(text, sizeof(text), DXL_MNT "/d%d", i);
		ASSERT_EQ(0, mkdir(text, 0755));
	}
	for (i = 0; i < THREADS; i++) {
		storms[i].rng = i + 1;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, run, &storms[i]));
	}
	for (i = 0; i < THREADS; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		TH_LOG("done %u, refused %u", storms[i].done, storms[i].refused);
		EXPECT_EQ(0, storms[i].strange);
		EXPECT_LT(OPERATIONS / 10, storms[i].done);
	}

	ASSERT_EQ(0, dxl_umount());
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(0, kmsg_lines(self->log, text, sizeof(text)))
		TH_LOG("%s", text);
	EXPECT_EQ(0, nftw(DXL_MNT, drop, 16, FTW_DEPTH | FTW_PHYS));
	ASSERT_EQ(0, statvfs(DXL_MNT, &after));
	EXPECT_EQ(self->before.f_bfree, after.f_bfree);
	EXPECT_EQ(self->before.f_ffree, after.f_ffree);
	EXPECT_EQ(0, dxl_umount());
}

TEST_HARNESS_MAIN
