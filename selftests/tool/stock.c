// SPDX-License-Identifier: GPL-2.0
/*
 * Stock filesystems to play on; stock.h says what each function does.
 */
#include "stock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_BYTES	4096

static bool cannot(const char *what, const char *why)
{
	fprintf(stderr, "daxlab: cannot %s: %s\n", what, why);
	return false;
}

#define WORDS(...)	((const char *const[]){ __VA_ARGS__, NULL })

/* Exit status of a program, and what it writes; -1: it cannot be run. */
static int run_program(const char *const *argv, char *text, size_t size)
{
	int fds[2], status;
	ssize_t got;
	size_t len = 0;
	pid_t pid;

	*text = '\0';
	if (pipe2(fds, O_CLOEXEC))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	while (pid > 0 && len < size - 1 &&
	       (got = read(fds[0], text + len, size - 1 - len)) > 0)
		len += got;
	close(fds[0]);
	text[len] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool make_fs(const char *fs, const char *dev)
{
	bool xfs = !strcmp(fs, "xfs");
	char text[512];
	int status;

	/* ext4 aligns what is written in powers of two; xfs has to be told, for PMDs. */
	if (xfs)
		status = run_program(WORDS("mkfs.xfs", "-q", "-f", "-m", "reflink=0",
					   "-d", "su=2m,sw=1,agcount=2", "-l", "su=4k", dev),
				     text, sizeof(text));
	else
		status = run_program(WORDS("mkfs.ext4", "-q", "-F", "-b", "4096", dev), text,
				     sizeof(text));
	return !status || cannot(xfs ? "run mkfs.xfs" : "run mkfs.ext4",
				 status == 127 ? "there is no such program" : text);
}

/* What is on the device; "" if it is blank. */
static bool look_at(const char *dev, char *type, size_t size)
{
	int status = run_program(WORDS("blkid", "-p", "-o", "value", "-s", "TYPE", dev), type,
				 size);

	/* It says 2 for "nothing found", and for things that it cannot read. */
	if (status == 2 && !access(dev, R_OK))
		return true;
	if (!status && !type[0])
		snprintf(type, size, "something that is no filesystem");
	if (!status)
		return true;
	return cannot("see what is on it", type[0] ? type : "blkid fails");
}

static bool prepare(const char *fs, const char *dev, bool format)
{
	char type[256];

	if (format)
		return make_fs(fs, dev);
	if (!look_at(dev, type, sizeof(type)))
		return false;
	if (!type[0])
		return make_fs(fs, dev);
	if (!strcmp(type, fs))
		return true;
	fprintf(stderr, "daxlab: %s holds %s: --format makes it a new %s\n", dev, type, fs);
	return false;
}

static bool mount_dev(struct stock *stock)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return cannot("have a mount namespace", strerror(errno));
	strcpy(stock->dir, "/tmp/daxlab.XXXXXX");
	if (!mkdtemp(stock->dir)) {
		stock->dir[0] = '\0';
		return cannot("make a mount point in /tmp", strerror(errno));
	}
	if (mount(stock->dev, stock->dir, stock->fs, 0, "dax=always")) {
		fprintf(stderr, "daxlab: cannot mount %s as %s with dax=always: %s\n",
			stock->dev, stock->fs, strerror(errno));
		rmdir(stock->dir);
		return false;
	}
	stock->mounted = true;
	return true;
}

/* What is mounted there, as its name; false: neither of those that are known. */
static bool mounted_fs(const char *dir, char *fs, size_t size)
{
	struct statfs stat;

	if (statfs(dir, &stat))
		return cannot(dir, strerror(errno));
	if (stat.f_type == EXT4_SUPER_MAGIC)
		snprintf(fs, size, "ext4");
	else if (stat.f_type == XFS_SUPER_MAGIC)
		snprintf(fs, size, "xfs");
	else
		return cannot(dir, "neither ext4 nor xfs is mounted there");
	return true;
}

static bool is_dax(int fd)
{
	struct statx stat;

	return !statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stat) &&
	       stat.stx_attributes & STATX_ATTR_DAX;
}

int stock_fresh(struct stock *stock, unsigned long pages)
{
	static const char zeroes[PAGE_BYTES];
	char path[PATH_MAX + 32];
	unsigned long i;

	if (stock->fd >= 0)
		close(stock->fd);
	snprintf(path, sizeof(path), "%s/.daxlab.XXXXXX", stock->dir);
	stock->fd = mkostemp(path, O_CLOEXEC);
	if (stock->fd < 0)
		return -errno;
	unlink(path);
	for (i = 0; i < pages; i++)
		if (pwrite(stock->fd, zeroes, PAGE_BYTES, i * PAGE_BYTES) != PAGE_BYTES)
			return -errno;
	return fsync(stock->fd) ? -errno : 0;
}

bool stock_open(struct stock *stock, const char *fs, const char *dev, const char *mount,
		bool format)
{
	int err;

	*stock = (struct stock){ .fd = -1 };
	snprintf(stock->fs, sizeof(stock->fs), "%s", fs);
	if (geteuid())
		return cannot("do this", "only root may");
	if (mount) {
		snprintf(stock->dir, sizeof(stock->dir), "%s", mount);
		if (!mounted_fs(mount, stock->fs, sizeof(stock->fs)))
			return false;
	} else {
		if (!realpath(dev, stock->dev))
			return cannot(dev, strerror(errno));
		if (!prepare(fs, stock->dev, format) || !mount_dev(stock))
			return false;
	}
	err = stock_fresh(stock, 1);
	if (err)
		return cannot("make a file", strerror(-err));
	return is_dax(stock->fd) || cannot(mount ?: dev, "its files are not in DAX mode");
}

void stock_close(struct stock *stock)
{
	if (stock->fd >= 0)
		close(stock->fd);
	if (!stock->mounted)
		return;
	if (umount(stock->dir))
		fprintf(stderr, "daxlab: cannot umount %s: %s\n", stock->dir, strerror(errno));
	rmdir(stock->dir);
}
