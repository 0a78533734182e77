/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a filesystem promises of a few files, operation by operation: the model
 * that power losses are compared with.
 *
 * Names, sizes and what is cut off are promised when a call returns, whole or not
 * at all while it runs. Data is promised by a sync; until then each byte is any of
 * the values that were stored to it since the last one. What extends a file is
 * there if the size is. A store through MAP_SYNC promises that its page is a block
 * of the file, and who has flushed the lines that they are durable: the same as a
 * sync.
 */
#ifndef CRASH_H
#define CRASH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CRASH_SIZE	12288	/* most bytes of a file */
#define CRASH_PAGES	3
#define CRASH_FILES	5	/* that a sequence may make */
#define CRASH_VALUES	32	/* of bytes: 0, 1 at first, then one per operation */

enum crash_name { A, B, C, DIR_E, LINK_S, CRASH_NAMES };

struct crash_file {
	off_t size;
	uint8_t now[CRASH_SIZE];	/* as a reader sees it */
	uint32_t may[CRASH_SIZE];	/* a bit for each value that it may have */
	bool block[CRASH_PAGES];	/* this page has one, as was promised */
};

struct crash_state {
	int name[CRASH_NAMES];		/* number of the file, or -1 */
	int nr_files;
	struct crash_file file[CRASH_FILES];
};

enum crash_kind {
	CRASH_ORDINARY,		/* promises names, sizes, or what was stored before */
	CRASH_LAZY,		/* promises nothing that is not there before */
	CRASH_AT_ONCE,		/* promises data or blocks of its own, without a sync */
};

struct crash_op {
	const char *text;
	/* Does it make sense here? */
	bool (*fits)(const struct crash_state *state);
	/* 0 or errno */
	int (*run)(uint8_t value);
	/* What it promises; @done: it returned, and did not only begin. */
	void (*model)(struct crash_state *state, uint8_t value, bool done);
	int syncs;		/* this name, or -1: */
	off_t from, to;		/* these bytes */
	enum crash_kind kind;
};

extern const struct crash_op crash_ops[];
extern const unsigned int crash_nr_ops;

/* A fresh filesystem, mounted, and the state it is in. */
void crash_begin(struct crash_state *state);

/* What it may look like while an operation runs: as one of two. */
void crash_during(const struct crash_state *before, const struct crash_op *op, uint8_t value,
		  struct crash_state *begun, struct crash_state *ended);
/* What it may look like when it has returned. */
void crash_after(struct crash_state *state, const struct crash_op *op, uint8_t value);

/* Is the mounted filesystem in this state? If not, *why tells. */
bool crash_is(const struct crash_state *state, char *why, size_t size);

#endif
