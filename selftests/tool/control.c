// SPDX-License-Identifier: GPL-2.0
/*
 * The session of the module; control.h says what each function does.
 */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int control_open(void)
{
	return open(CONTROL, O_RDWR);
}

int control_say(int fd, const char *fmt, ...)
{
	char command[1024];
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	if (len >= (int)sizeof(command))
		return -E2BIG;
	return write(fd, command, len) < 0 ? -errno : 0;
}

int report_read(struct report *report, int fd)
{
	size_t len = 0;
	ssize_t got;

	do {
		if (report->size - len < 4096) {
			size_t size = report->size ? 2 * report->size : 65536;
			char *text = realloc(report->text, size);

			if (!text)
				return -ENOMEM;
			report->text = text;
			report->size = size;
		}
		got = pread(fd, report->text + len, report->size - 1 - len, len);
		if (got < 0)
			return -errno;
		len += got;
	} while (got);
	report->text[len] = '\0';
	report_parse(report);
	return 0;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* The word after @name in a line, into @value; "" if there is none. */
static void word_after(const char *line, const char *name, char *value, size_t size)
{
	const char *end = line + strcspn(line, "\n");
	size_t len = strlen(name);

	*value = '\0';
	for (; line < end; line += strcspn(line, "\n ")) {
		line += strspn(line, " ");
		if (strncmp(line, name, len) || line[len] != ' ')
			continue;
		line += len + 1;
		snprintf(value, size, "%.*s", (int)strcspn(line, "\n "), line);
		return;
	}
}

static void parse_role(struct report *report, const char *line)
{
	struct report_role *role = &report->role[report->nr_roles];

	if (report->nr_roles == REPORT_ROLES)
		return;
	report->nr_roles++;
	word_after(line, "role", role->name, sizeof(role->name));
	word_after(line, "state", role->state, sizeof(role->state));
	word_after(line, "window", role->window, sizeof(role->window));
	word_after(line, "key", role->key, sizeof(role->key));
	word_after(line, "on", role->on, sizeof(role->on));
}

/* "verdict KIND CAUSE SENTENCE" */
static bool parse_verdict(const char *line, char *verdict, size_t vsize, char *sentence,
			  size_t ssize)
{
	const char *end = line + strcspn(line, "\n");
	size_t kind, cause;

	line += strlen("verdict ");
	kind = strcspn(line, "\n ");
	if (!strncmp(line, "none", kind) && kind == 4)
		return false;
	cause = kind + strspn(line + kind, " ");
	cause += strcspn(line + cause, "\n ");
	snprintf(verdict, vsize, "%.*s", (int)cause, line);
	line += cause;
	line += strspn(line, " ");
	snprintf(sentence, ssize, "%.*s", (int)(end - line), line);
	return true;
}

void report_parse(struct report *report)
{
	const char *line;
	char word[24];

	report->still = false;
	report->overdue = 0;
	report->nr_roles = 0;
	report->verdict[0] = '\0';
	report->sentence[0] = '\0';
	report->evidence = NULL;
	for (line = report->text; *line; line = next_line(line)) {
		if (!strncmp(line, "session ", 8)) {
			word_after(line, "still", word, sizeof(word));
			report->still = !strcmp(word, "yes");
			word_after(line, "overdue", word, sizeof(word));
			report->overdue = strtoul(word, NULL, 10);
		} else if (!strncmp(line, "role ", 5)) {
			parse_role(report, line);
		} else if (!strncmp(line, "verdict ", 8) && !report->evidence &&
			   parse_verdict(line, report->verdict, sizeof(report->verdict),
					 report->sentence, sizeof(report->sentence))) {
			report->evidence = line;
		}
	}
}

void report_free(struct report *report)
{
	free(report->text);
	*report = (struct report){};
}

const struct report_role *report_role(const struct report *report, const char *name)
{
	unsigned int i;

	for (i = 0; i < report->nr_roles; i++)
		if (!strcmp(report->role[i].name, name))
			return &report->role[i];
	return NULL;
}

/* "crossed NAME WINDOW N"; any role if @role is NULL */
unsigned long report_crossed(const struct report *report, const char *role, const char *window)
{
	char name[17], place[48];
	unsigned long sum = 0, n;
	const char *line;

	for (line = report->text; line && *line; line = next_line(line)) {
		if (sscanf(line, "crossed %16s %47s %lu", name, place, &n) != 3)
			continue;
		if ((!role || !strcmp(name, role)) && !strcmp(place, window))
			sum += n;
	}
	return sum;
}

bool report_has_verdict(const struct report *report, const char *verdict, char *sentence,
			size_t size)
{
	const char *line;
	char this[64];

	for (line = report->evidence; line && *line; line = next_line(line))
		if (!strncmp(line, "verdict ", 8) &&
		    parse_verdict(line, this, sizeof(this), sentence, size) &&
		    !strcmp(this, verdict))
			return true;
	return false;
}
