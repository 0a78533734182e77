/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Injection for tests: commands to the device (module/bdev_inject.h has the
 * grammar), what it counted, and where the blocks of a file are.
 */
#ifndef INJECT_H
#define INJECT_H

#include <stdarg.h>

#include "dax.h"

#define INJECT_DIR	DXL_DEBUGFS "/devices/daxlab0"

/* Returns 0 or -errno. */
__attribute__((format(printf, 1, 2)))
static inline int inject(const char *fmt, ...)
{
	char line[512];
	int fd = open(INJECT_DIR "/inject", O_WRONLY | O_CLOEXEC), err;
	va_list ap;

	must(fd >= 0);
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	err = write(fd, line, strlen(line)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* No rules, no bad media, the first seed. */
static inline void inject_nothing(void)
{
	must(!inject("remove=all") && !inject("good=all") && !inject("seed=0"));
}

/* What the file says: seed, rules, bad media. */
static inline char *injecting(char *text, size_t size)
{
	int fd = open(INJECT_DIR "/inject", O_RDONLY | O_CLOEXEC);
	ssize_t got;

	must(fd >= 0);
	got = read(fd, text, size - 1);
	must(got >= 0);
	text[got] = '\0';
	close(fd);
	return text;
}

/* A counter such as "errors_read", or the sum of all that begin with "errors_". */
static inline unsigned long long injected(const char *name)
{
	FILE *file = fopen(INJECT_DIR "/injected", "re");
	unsigned long long sum = 0, value;
	size_t len = strlen(name);
	bool found = false;
	char key[64];

	must(file);
	while (fscanf(file, "%63s %llu", key, &value) == 2) {
		if (strncmp(key, name, len) || (name[len - 1] != '_' && key[len]))
			continue;
		sum += value;
		found = true;
	}
	fclose(file);
	must(found);
	return sum;
}

/* The block of the device that has a page of a file, whose data is allocated. */
static inline uint64_t block_of(int fd, off_t off)
{
	struct fiemap_extent extent;

	must(dxl_extent(fd, off, &extent));
	return (extent.fe_physical + off - extent.fe_logical) / PAGE;
}

#endif
