/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Verdicts of the mount of DXL_DEV, for tests.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "session.h"

#define SBID	DXL_DEBUGFS "/daxlab0"

/* Text of a small file, until the next one is read. */
static inline char *slurp(const char *path)
{
	static char text[REPORT];
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	must(fd >= 0);
	text_of(fd, text);
	close(fd);
	return text;
}

/* For the log of the test. */
static inline void show(const char *text)
{
	const char *end;

	for (; *text; text = end + !!*end) {
		end = strchrnul(text, '\n');
		printf("#   %.*s\n", (int)(end - text), text);
	}
	fflush(stdout);
}

static inline bool verdict_none(void)
{
	char *text = slurp(SBID "/verdict");

	if (!strncmp(text, "verdict none\n", 13))
		return true;
	show(text);
	return false;
}

static inline void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* Which the kernel writes, and Perl can read. */
static inline bool json_ok(void)
{
	return !system("perl -MJSON::PP -0777 -e 'decode_json(<>)' " SBID "/verdict.json");
}

#endif
