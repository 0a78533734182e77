/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Power losses for tests: the files of the media image of DXL_DEV
 * (module/bdev_image.h has the grammar; the module is loaded with media=on), and
 * flushes of user space, which are told to it.
 */
#ifndef POWER_H
#define POWER_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daxlab.h"
#include "must.h"

#define POWER_DIR	DXL_DEBUGFS "/devices/daxlab0"

static inline int power_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err;

	must(fd >= 0);
	err = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* A command to the image. Returns 0 or -errno. */
__attribute__((format(printf, 1, 2)))
static inline int power(const char *fmt, ...)
{
	char line[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return power_write(POWER_DIR "/media", line);
}

/* Flush the lines of some bytes in one extent, and tell the image. */
static inline int power_flush_in(const struct fiemap_extent *extent, const char *map, off_t off,
				 size_t len)
{
	const off_t end = off + len;
	off_t at;

	for (at = off & ~63; at < end; at += 64)
		__builtin_ia32_clflush(map + at);
	__builtin_ia32_sfence();
	return power("flush=%llu,len=%llu",
		     (unsigned long long)(extent->fe_physical + off - extent->fe_logical),
		     (unsigned long long)len);
}

/*
 * After stores through MAP_SYNC: flush the lines of some bytes of a file that is
 * mapped from its first byte on, and tell the image, for each page. Returns 0 or
 * -errno.
 */
static inline int power_flush(int fd, const char *map, off_t off, size_t len)
{
	const off_t end = off + len;
	struct fiemap_extent extent;
	off_t at, next;
	int err = 0;

	for (at = off; at < end && !err; at = next) {
		next = (at / DXL_PAGE + 1) * DXL_PAGE;
		if (next > end)
			next = end;
		must(dxl_extent(fd, at & ~(DXL_PAGE - 1), &extent));
		err = power_flush_in(&extent, map, at, next - at);
	}
	return err;
}

/* The memory becomes what is on media. Returns 0 or -errno. */
static inline int power_loss(const char *choice)
{
	return power_write(POWER_DIR "/powerloss", choice);
}

/* One of the values that the image tells. */
static inline const char *power_value(const char *key, char *value, size_t size)
{
	FILE *file = fopen(POWER_DIR "/media", "re");
	char line[128], format[64];
	bool found = false;

	must(file);
	snprintf(format, sizeof(format), "%s %%%zus", key, size - 1);
	while (!found && fgets(line, sizeof(line), file))
		found = sscanf(line, format, value) == 1;
	fclose(file);
	must(found);
	return value;
}

static inline unsigned long long power_count(const char *key)
{
	char value[32];

	return strtoull(power_value(key, value, sizeof(value)), NULL, 10);
}

static inline bool power_is_cut(void)
{
	char value[32];

	return !strcmp(power_value("state", value, sizeof(value)), "cut");
}

#endif
