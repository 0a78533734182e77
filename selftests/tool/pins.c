// SPDX-License-Identifier: GPL-2.0
/*
 * Can pages be pinned where scenarios are played? And what is needed to do so
 */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE		4096
#define SINK_NAME	".daxlab-sink"
#define BIRTH_NAME	".daxlab-birth"
#define NURSERY_NAME	".daxlab-nursery"

static void path_of(const struct place *place, const char *name, char *path, size_t size)
{
	snprintf(path, size, "%s/%s", place->dir, name);
}

/* Have a page of a mapping pinned: 0 or -errno. */
static int pin_page(void *page)
{
	struct iovec vec = { page, PAGE };
	int pipes[2], err = 0;

	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	*(volatile char *)page = 1;
	if (vmsplice(pipes[1], &vec, 1, SPLICE_F_NONBLOCK) != PAGE)
		err = -errno;
	close(pipes[0]);
	close(pipes[1]);
	return err;
}

/* The file is one page long, so a PTE maps it. */
static int try_pin(struct place *place)
{
	void *page;
	int err;

	if (ftruncate(place->fd, PAGE))
		return -errno;
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, place->fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	err = pin_page(page);
	munmap(page, PAGE);
	return err;
}

/* With a block that is written: a hole would be read without a bio. */
static int make_sink(struct place *place)
{
	char path[PATH_MAX + 32], birth[PATH_MAX + 32], page[PAGE] = "sink";
	int fd;

	path_of(place, SINK_NAME, path, sizeof(path));
	path_of(place, BIRTH_NAME, birth, sizeof(birth));
	if (mkdir(birth, 0700) && errno != EEXIST)
		return -errno;
	fd = bear_file(birth, path, true);
	rmdir(birth);
	if (fd < 0)
		return fd;
	place->sink = fd;
	if (pwrite(fd, page, PAGE, 0) != PAGE || fsync(fd) || fcntl(fd, F_SETFL, O_DIRECT))
		return -errno;
	return 0;
}

static int make_nursery(struct place *place)
{
	int flags = FS_DAX_FL;
	char path[PATH_MAX + 32];

	path_of(place, NURSERY_NAME, path, sizeof(path));
	if (mkdir(path, 0700) && errno != EEXIST)
		return -errno;
	place->nursery = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->nursery < 0 || ioctl(place->nursery, FS_IOC_SETFLAGS, &flags))
		return -errno;
	return 0;
}

bool place_pins(struct place *place)
{
	int err;

	if (place->pins)
		return place->pins == PINS_YES;
	place->pins = PINS_NO;
	err = place_mode(place, false) ?: try_pin(place);
	if (err) {
		snprintf(place->no_pins, sizeof(place->no_pins),
			 "pages of its mappings cannot be pinned (%s): it wants pmem, as of scripts/vm --backing memmap",
			 strerror(-err));
		return false;
	}
	err = make_sink(place) ?: make_nursery(place);
	if (err)
		snprintf(place->no_pins, sizeof(place->no_pins),
			 "no files of both modes on this mount (%s): dax=inode has them",
			 strerror(-err));
	else
		place->pins = PINS_YES;
	return !err;
}

void place_pins_end(struct place *place)
{
	char path[PATH_MAX + 32];

	if (place->sink >= 0) {
		path_of(place, SINK_NAME, path, sizeof(path));
		unlink(path);
		close(place->sink);
	}
	if (place->nursery >= 0) {
		path_of(place, NURSERY_NAME, path, sizeof(path));
		rmdir(path);
		close(place->nursery);
	}
}
