// SPDX-License-Identifier: GPL-2.0
/*
 * Where scenarios are played; place.h says what each function does.
 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME	".daxlab-run"
#define NURSERY_NAME	".daxlab-new"	/* a directory: files take after it */
#define SYNC_SECONDS	5

size_t read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	*text = '\0';
	if (fd < 0)
		return 0;
	while (len < size - 1 && (got = read(fd, text + len, size - 1 - len)) > 0)
		len += got;
	close(fd);
	text[len] = '\0';
	return len;
}

int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

bool lab_present(void)
{
	return !access(DEBUGFS "/stats", R_OK);
}

static bool cannot(const char *what, const char *why)
{
	fprintf(stderr, "daxlab: cannot %s: %s\n", what, why);
	return false;
}

static bool try_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	/* Enough for the largest file of a scenario, and quick to clear. */
	done = !syscall(SYS_finit_module, fd, "size=64M", 0);
	if (!done)
		fprintf(stderr, "daxlab: cannot load %s: %s\n", path, strerror(errno));
	close(fd);
	return done;
}

static bool try_modprobe(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execlp("modprobe", "modprobe", "-q", "daxlab", "size=64M", NULL);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* $DAXLAB_KO and nothing else; or the one of the tree of this program, or an installed one. */
static bool load_module(struct place *place)
{
	const char *named = getenv("DAXLAB_KO");
	char path[PATH_MAX];
	ssize_t len;

	if (named) {
		place->loaded = try_load(named);
		return place->loaded || cannot("load the module", named);
	}
	len = readlink("/proc/self/exe", path, sizeof(path) - 32);
	if (len > 0) {
		path[len] = '\0';
		strcat(dirname(path), "/../../module/daxlab.ko");
		place->loaded = try_load(path);
	}
	if (!place->loaded)
		place->loaded = try_modprobe();
	return place->loaded ||
	       cannot("load the module", "build it, install it, or give DAXLAB_KO=FILE");
}

/* Octal escapes of /proc/mounts, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to++ = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* The first mount that is on @dir and of @dev; NULL: any. */
static bool find_mount(struct place *place, const char *dir, const char *dev_wanted)
{
	char line[2 * PATH_MAX], dev[PATH_MAX], at[PATH_MAX], type[64], real[PATH_MAX];
	FILE *mounts = fopen("/proc/mounts", "re");
	bool found = false;

	if (!mounts)
		return false;
	while (!found && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%4095s %4095s %63s", dev, at, type) != 3 ||
		    strcmp(type, "daxlab"))
			continue;
		unescape(at);
		if (!realpath(dev, real))
			snprintf(real, sizeof(real), "%s", dev);
		if ((dir && strcmp(dir, at)) || (dev_wanted && strcmp(dev_wanted, real)))
			continue;
		snprintf(place->dir, sizeof(place->dir), "%s", at);
		snprintf(place->dev, sizeof(place->dev), "%.63s", basename(real));
		found = true;
	}
	fclose(mounts);
	return found;
}

/* In a mount namespace of our own: whatever becomes of us, nothing stays. */
static bool mount_device(struct place *place, const char *dev)
{
	char real[PATH_MAX];

	if (!realpath(dev, real))
		return cannot(dev, strerror(errno));
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return cannot("have a mount namespace", strerror(errno));
	strcpy(place->dir, "/tmp/daxlab.XXXXXX");
	if (!mkdtemp(place->dir)) {
		place->dir[0] = '\0';
		return cannot("make a mount point in /tmp", strerror(errno));
	}
	if (mount(real, place->dir, "daxlab", 0, "dax=inode")) {
		int err = errno;

		fprintf(stderr, "daxlab: cannot mount %s: %s%s\n", real, strerror(err),
			err == EINVAL ? " (mount -t daxlab -o format makes a filesystem)" : "");
		rmdir(place->dir);
		return false;
	}
	place->mounted = true;
	snprintf(place->dev, sizeof(place->dev), "%.63s", basename(real));
	return true;
}

/* "profile P" and "knob choice" lines, as something that can be written back. */
static void variant_found(struct place *place)
{
	char path[256], text[2048], knob[64], choice[64];
	const char *line = text;
	size_t len;

	snprintf(path, sizeof(path), DEBUGFS "/%s/variant", place->dev);
	read_text(path, text, sizeof(text));
	len = snprintf(place->found, sizeof(place->found), "sound");
	for (; sscanf(line, "%63s %63s", knob, choice) == 2; line += strcspn(line, "\n") + 1) {
		if (strcmp(knob, "profile"))
			len += snprintf(place->found + len, sizeof(place->found) - len, ",%s=%s",
					knob, choice);
		if (len >= sizeof(place->found) || !line[strcspn(line, "\n")])
			break;
	}
}

static bool open_file(struct place *place)
{
	char path[PATH_MAX + sizeof(FILE_NAME)];

	snprintf(path, sizeof(path), DEBUGFS "/%s/cache", place->dev);
	place->cache = open(path, O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/" FILE_NAME, place->dir);
	place->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (place->fd < 0)
		return cannot(path, strerror(errno));
	if (!flock(place->fd, LOCK_EX | LOCK_NB))
		return true;
	close(place->fd);
	place->fd = -1;
	return cannot(place->dir, "another daxlab plays there");
}

static bool in_cache_mode(int fd)
{
	struct statx stat;

	return !statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &stat) &&
	       !(stat.stx_attributes & STATX_ATTR_DAX);
}

int bear_file(const char *nursery, const char *path, bool cache_mode)
{
	int dir = open(nursery, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int flags = cache_mode ? 0 : FS_DAX_FL, fd;

	if (dir < 0)
		return -errno;
	if (ioctl(dir, FS_IOC_SETFLAGS, &flags) && errno != EOPNOTSUPP)
		fd = -1;
	else
		fd = openat(dir, "file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0 && in_cache_mode(fd) == cache_mode && !flock(fd, LOCK_EX | LOCK_NB) &&
	    !renameat(dir, "file", AT_FDCWD, path)) {
		close(dir);
		return fd;
	}
	unlinkat(dir, "file", 0);
	if (fd >= 0)
		close(fd);
	close(dir);
	return -EOPNOTSUPP;
}

int place_mode(struct place *place, bool cache_mode)
{
	char path[PATH_MAX + sizeof(FILE_NAME)], nursery[PATH_MAX + sizeof(NURSERY_NAME)];
	int fd;

	if (in_cache_mode(place->fd) == cache_mode)
		return 0;
	snprintf(path, sizeof(path), "%s/" FILE_NAME, place->dir);
	snprintf(nursery, sizeof(nursery), "%s/" NURSERY_NAME, place->dir);
	if (mkdir(nursery, 0700) && errno != EEXIST)
		return -errno;
	fd = bear_file(nursery, path, cache_mode);
	rmdir(nursery);
	if (fd < 0)
		return fd;
	close(place->fd);
	place->fd = fd;
	return 0;
}

bool place_find(struct place *place, const char *mount, const char *dev)
{
	char real_mount[PATH_MAX], real_dev[PATH_MAX];

	*place = (struct place){ .fd = -1, .cache = -1, .sink = -1, .nursery = -1 };
	if ((mount && !realpath(mount, real_mount)) || (dev && !realpath(dev, real_dev)))
		return cannot(mount ?: dev, strerror(errno));
	return find_mount(place, mount ? real_mount : NULL, dev ? real_dev : NULL) ||
	       cannot(mount ?: dev ?: "do this", "no daxlab filesystem is mounted there");
}

static bool have_module(struct place *place)
{
	if (access("/sys/module/daxlab", F_OK) && !load_module(place))
		return false;
	return lab_present() ||
	       cannot("see " DEBUGFS, "mount -t debugfs none /sys/kernel/debug");
}

bool place_module(struct place *place)
{
	*place = (struct place){ .fd = -1, .cache = -1, .sink = -1, .nursery = -1 };
	return have_module(place);
}

bool place_open(struct place *place, const char *mount, const char *dev)
{
	*place = (struct place){ .fd = -1, .cache = -1, .sink = -1, .nursery = -1 };
	if (geteuid())
		return cannot("do this", "only root may");
	if (mount && !place_find(place, mount, dev))
		return false;
	if (!have_module(place))
		return false;
	if (!mount && (dev || !find_mount(place, NULL, NULL)) &&
	    !mount_device(place, dev ?: "/dev/daxlab0"))
		return false;
	variant_found(place);
	return open_file(place);
}

void place_close(struct place *place)
{
	char path[PATH_MAX + sizeof(FILE_NAME)];

	if (place->cache >= 0)
		close(place->cache);
	if (place->fd >= 0) {
		snprintf(path, sizeof(path), "%s/" FILE_NAME, place->dir);
		unlink(path);
		close(place->fd);
	}
	place_pins_end(place);
	if (place->variant[0] && place_set_variant(place, place->found))
		fprintf(stderr, "daxlab: the variant of %s could not be set back\n", place->dev);
	if (place->mounted) {
		if (umount(place->dir))
			fprintf(stderr, "daxlab: cannot umount %s: %s\n", place->dir,
				strerror(errno));
		rmdir(place->dir);
	}
	if (place->loaded && syscall(SYS_delete_module, "daxlab", O_NONBLOCK))
		fprintf(stderr, "daxlab: cannot unload the module: %s\n", strerror(errno));
}

int place_set_variant(struct place *place, const char *variant)
{
	char path[256], text[1024 + 8];
	int err;

	if (!strcmp(place->variant, variant))
		return 0;
	snprintf(path, sizeof(path), DEBUGFS "/%s/variant", place->dev);
	/* Choices add to what is there: from sound on. */
	snprintf(text, sizeof(text), "sound,%s", variant);
	err = write_text(path, text);
	if (!err)
		snprintf(place->variant, sizeof(place->variant), "%s", variant);
	return err;
}

int place_fresh(struct place *place, unsigned long pages)
{
	struct timespec now;

	if (ftruncate(place->fd, 0))
		return -errno;
	/*
	 * The kernel's flusher takes what has been dirty for 30 s, locks entries
	 * to do so, and stands where a role should. So it gets nothing that old.
	 */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - place->synced >= SYNC_SECONDS) {
		if (syncfs(place->fd))
			return -errno;
		place->synced = now.tv_sec;
	}
	return ftruncate(place->fd, pages * 4096) ? -errno : 0;
}

bool place_is_clean(const struct place *place, char *what, size_t size)
{
	char text[8192], device[80];
	const char *line;

	snprintf(device, sizeof(device), " dev %s ", place->dev);
	read_text(DEBUGFS "/entries", text, sizeof(text));
	line = strstr(text, device);
	if (!line)
		return true;
	while (line > text && line[-1] != '\n')
		line--;
	snprintf(what, size, "%.*s", (int)strcspn(line, "\n"), line);
	return false;
}
