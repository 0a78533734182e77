/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module says in the kernel log, for tests that count its lines; and
 * what the kernel says, for those that wait for a word.
 */
#ifndef KMSG_H
#define KMSG_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A place in the log: its end, now. -1 with errno on failure. */
static inline int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* Number of lines of daxlab since the last call; the last one is in @line. */
static inline int kmsg_lines(int fd, char *line, size_t size)
{
	char record[1024];
	ssize_t got;
	int lines = 0;

	*line = '\0';
	while ((got = read(fd, record, sizeof(record) - 1)) > 0) {
		const char *text;

		record[got] = '\0';
		text = strchr(record, ';');
		if (!text || strncmp(text + 1, "daxlab: ", 8))
			continue;
		snprintf(line, size, "%.*s", (int)strcspn(text + 1, "\n"), text + 1);
		lines++;
	}
	return lines;
}

/* Goes on to the next record with this text, whoever wrote it. */
static inline bool kmsg_goes_on_to(int fd, const char *text)
{
	char record[1024];
	ssize_t got;

	/* EPIPE: some were overwritten. */
	while ((got = read(fd, record, sizeof(record) - 1)) > 0 || (got < 0 && errno == EPIPE)) {
		record[got > 0 ? got : 0] = '\0';
		if (strstr(record, text))
			return true;
	}
	return false;
}

#endif
