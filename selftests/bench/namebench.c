// SPDX-License-Identifier: GPL-2.0
/*
 * What changes of names and appends cost: nanoseconds each, which are guest
 * instructions under QEMU's -icount.
 *
 *	create		open(O_CREAT | O_EXCL), close
 *	create_fsync	the same, with fsync before the close
 *	append_fsync	write of 4 KiB at the end, fsync
 *	unlink		of files that had no data
 *
 * In directories of 500 files, one for each row: ours are searched from the start.
 *
 * What is durable on return differs: all of daxlab's calls are; ext4 and xfs write
 * create and unlink to their journal later, for which nothing is counted here.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILES	500
#define APPENDS	500
#define BLOCK	4096

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void end(const char *row, uint64_t start, long nr, bool ok)
{
	printf("%s %.1f %s\n", row, (double)(now() - start) / nr, ok ? "ok" : "not all are there");
}

static void name(char *path, const char *dir, int nr)
{
	sprintf(path, "%s/file-%d", dir, nr);
}

static bool is_size(const char *path, off_t size)
{
	struct stat st;

	return !stat(path, &st) && st.st_size == size;
}

static void create(const char *row, bool sync)
{
	char path[64];
	uint64_t start;
	int i, fd;

	if (mkdir(row, 0755))
		err(1, "%s", row);
	start = now();
	for (i = 0; i < FILES; i++) {
		name(path, row, i);
		fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0644);
		if (fd < 0 || (sync && fsync(fd)) || close(fd))
			err(1, "%s", path);
	}
	end(row, start, FILES, is_size(path, 0));
}

static void append(void)
{
	static char block[BLOCK];
	uint64_t start;
	int fd, i;

	fd = open("appended", O_CREAT | O_EXCL | O_WRONLY | O_APPEND, 0644);
	if (fd < 0 || fsync(fd))
		err(1, "appended");
	start = now();
	for (i = 0; i < APPENDS; i++)
		if (write(fd, block, BLOCK) != BLOCK || fsync(fd))
			err(1, "append");
	end("append_fsync", start, APPENDS, is_size("appended", APPENDS * BLOCK));
	close(fd);
}

static void unlink_all(const char *dir)
{
	uint64_t start = now();
	char path[64];
	int i;

	for (i = 0; i < FILES; i++) {
		name(path, dir, i);
		if (unlink(path))
			err(1, "%s", path);
	}
	end("unlink", start, FILES, access(path, F_OK));
}

int main(int argc, char **argv)
{
	char dir[] = "namebench.XXXXXX";

	if (argc != 2) {
		fputs("usage: namebench DIR\n", stderr);
		return 2;
	}
	if (chdir(argv[1]) || !mkdtemp(dir) || chdir(dir))
		err(1, "%s", argv[1]);
	sync();
	create("create", false);
	create("create_fsync", true);
	append();
	unlink_all("create_fsync");
	if (system("rm -r create create_fsync appended") || chdir("..") || rmdir(dir))
		err(1, "%s", dir);
	return 0;
}
