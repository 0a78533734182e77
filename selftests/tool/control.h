/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The session of the module: commands, and its report in parts
 * (module/session.h says what both mean).
 */
#ifndef DAXLAB_CONTROL_H
#define DAXLAB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#define CONTROL		"/sys/kernel/debug/daxlab/control"
#define REPORT_ROLES	16

/* The session's file, or -1 with errno. */
int control_open(void);

/* One command: 0 or a negative errno. */
int control_say(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct report_role {
	char name[17];
	char state[12];
	char window[48];	/* or "" */
	char key[24];		/* or "" */
	char on[64];		/* or "" */
};

struct report {
	char *text;		/* all of it */
	size_t size;
	bool still;
	unsigned int overdue;
	unsigned int nr_roles;
	struct report_role role[REPORT_ROLES];
	char verdict[64];	/* "kind cause" of the first one, or "" */
	char sentence[512];
	const char *evidence;	/* in text: all verdicts with what follows them; or NULL */
};

/* Read it: 0 or a negative errno. */
int report_read(struct report *report, int fd);
/* Take ->text apart. */
void report_parse(struct report *report);
void report_free(struct report *report);

const struct report_role *report_role(const struct report *report, const char *name);
unsigned long report_crossed(const struct report *report, const char *role, const char *window);
/* Is "kind cause" among its verdicts? The sentence is copied, if there is room for one. */
bool report_has_verdict(const struct report *report, const char *verdict, char *sentence,
			size_t size);

#endif
