// SPDX-License-Identifier: GPL-2.0
/*
 * Listing a directory while it changes: what is there all the time is listed
 * exactly once, in whatever pieces it is read.
 *
 *  1. names that stay, and between them names that come and go
 *  2. read some entries, remove and add others, read on: no name that stays is
 *     missing or doubled
 *  3. seekdir() to a place from telldir() shows what came after it, also when
 *     the entry at that place is gone, and after the directory was closed
 *
 * A directory whose positions shift when entries are removed skips names: rm -r
 * then leaves files behind.
 *
 * daxlab-test: timeout=120 needs=mount args="size=32M"
 */
#include "daxlab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"

#define STAY	200

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

static int touch(const char *prefix, int nr)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s-%d", prefix, nr);
	fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
	return fd < 0 ? fd : close(fd);
}

static int gone(const char *prefix, int nr)
{
	char name[64];

	snprintf(name, sizeof(name), "%s-%d", prefix, nr);
	return unlink(name);
}

FIXTURE(listing) {
	int seen[STAY];
};

FIXTURE_SETUP(listing)
{
	int i;

	ASSERT_EQ(0, chdir(DXL_MNT));
	ASSERT_EQ(0, mkdir("d", 0755) | chdir("d"));
	for (i = 0; i < STAY; i++)
		ASSERT_EQ(0, touch("stay", i) | touch("go", i));
}

FIXTURE_TEARDOWN(listing)
{
	int i;

	for (i = 0; i < STAY; i++)
		EXPECT_EQ(0, gone("stay", i));
	EXPECT_EQ(0, chdir(".."));
	EXPECT_EQ(0, rmdir("d"));
	EXPECT_EQ(0, chdir("/"));
}

static void saw(int *seen, const char *name)
{
	int nr;

	if (sscanf(name, "stay-%d", &nr) == 1)
		seen[nr]++;
}

TEST_F(listing, while_it_shrinks_and_grows)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY), i, removed = 0;
	char buf[256];
	long got;

	ASSERT_LE(0, fd);
	/* A buffer of few entries: a system call per step. */
	while ((got = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		long at = 0;

		while (at < got) {
			struct linux_dirent64 *de = (void *)(buf + at);

			EXPECT_EQ(de->d_name[0] == '.' ? DT_DIR : DT_REG, de->d_type);
			saw(self->seen, de->d_name);
			at += de->d_reclen;
		}
		for (i = 0; i < 4; i++, removed++)
			EXPECT_EQ(0, gone("go", removed % 2 ? STAY - removed : removed));
		EXPECT_EQ(0, touch("new", removed) | gone("new", removed));
	}
	EXPECT_EQ(0, got);
	close(fd);
	for (i = 0; i < STAY; i++)
		EXPECT_EQ(1, self->seen[i]);
	EXPECT_LT(STAY / 2, removed);
	for (; removed < STAY; removed++)
		EXPECT_EQ(0, gone("go", removed % 2 ? STAY - removed : removed));
}

TEST_F(listing, places)
{
	char names[2 * STAY + 3][64];
	long places[2 * STAY + 3];
	struct dirent *de;
	DIR *dir = opendir(".");
	int i, nr = 0;

	ASSERT_NE(NULL, dir);
	for (;;) {
		places[nr] = telldir(dir);
		de = readdir(dir);
		if (!de)
			break;
		ASSERT_GT(2 * STAY + 3, nr);
		strcpy(names[nr++], de->d_name);
	}
	EXPECT_EQ(2 * STAY + 2, nr);
	EXPECT_STREQ(".", names[0]);
	EXPECT_STREQ("..", names[1]);

	/* Backwards, in a directory that was opened anew. */
	closedir(dir);
	dir = opendir(".");
	for (i = nr - 1; i >= 0; i--) {
		seekdir(dir, places[i]);
		de = readdir(dir);
		ASSERT_NE(NULL, de);
		EXPECT_STREQ(names[i], de->d_name);
	}

	/* A place whose entry is gone leads to the one after it. */
	for (i = 0; i < STAY; i++)
		EXPECT_EQ(0, gone("go", i));
	for (i = 2; i < nr - 1; i++) {
		if (strncmp(names[i], "go", 2) || strncmp(names[i + 1], "stay", 4))
			continue;
		seekdir(dir, places[i]);
		de = readdir(dir);
		ASSERT_NE(NULL, de);
		EXPECT_STREQ(names[i + 1], de->d_name);
	}
	seekdir(dir, places[nr]);
	EXPECT_EQ(NULL, readdir(dir));
	closedir(dir);
}

static volatile bool stop;

static void *churn(void *arg)
{
	const char *prefix = arg;
	int i;

	while (!stop)
		for (i = 0; i < 30; i++)
			if (touch(prefix, i) || gone(prefix, i))
				return (void *)1;
	return NULL;
}

TEST_F(listing, beside_others)
{
	pthread_t threads[2];
	void *failed;
	int i, round;

	for (i = 0; i < STAY; i++)
		ASSERT_EQ(0, gone("go", i));
	stop = false;
	ASSERT_EQ(0, pthread_create(&threads[0], NULL, churn, "one"));
	ASSERT_EQ(0, pthread_create(&threads[1], NULL, churn, "two"));
	for (round = 0; round < 100; round++) {
		DIR *dir = opendir(".");
		struct dirent *de;

		memset(self->seen, 0, sizeof(self->seen));
		while ((de = readdir(dir)))
			saw(self->seen, de->d_name);
		closedir(dir);
		for (i = 0; i < STAY; i++)
			ASSERT_EQ(1, self->seen[i])
				stop = true;
	}
	stop = true;
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], &failed));
		EXPECT_EQ(NULL, failed);
	}
}

TEST_HARNESS_MAIN
