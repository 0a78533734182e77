/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a scenario is made of, and what it can ask for.
 *
 * A scenario is data (roles, expected outcomes) and one function that plays the
 * steps of the interleaving. Roles are tasks of their own (a process each, with
 * its own mapping, unless .shares names a role whose process and mapping it
 * shares); a step starts a deed of a role and waits for the state that the
 * kernel publishes: never for time. A step that does not come about ends the
 * run as inconclusive: step functions return false then, and the function that
 * plays should return at once.
 */
#ifndef DAXLAB_RUN_H
#define DAXLAB_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define MAX_ROLES	6
#define PAGE		4096UL
#define PMD		(2UL << 20)
#define PMD_PAGES	512UL

enum outcome { PASSED, CAUGHT, INCONCLUSIVE };

/* How a role maps the file: whole, shared. */
enum mapping {
	MAP_NONE,
	MAP_PMDS,		/* aligned: PMD faults come first */
	MAP_PTES,		/* a page off: no PMD fault can fit */
	MAP_PRIVATE_PMDS,	/* aligned, private: reads may be PMDs, writes are PTEs */
	MAP_MISALIGNED,		/* file offset 0 at an address of colour 256 (1 MiB off) */
};

/* A deed: what a role does between "begin" and "end". */
enum deed_kind {
	LOAD,		/* read a word of page .page: a fault, if it is not mapped */
	STORE,		/* write .value to it */
	WRITE,		/* pwrite(2) .nr pages from .page, filled with .value */
	WRITE_HALF,	/* pwrite(2) the second half of .page, filled with .value */
	WRITE_FROM_MAP,	/* pwrite(2) one page at .page from the mapping at page .from */
	READ,		/* pread(2) a word of .page */
	FSYNC,
	MSYNC,		/* of .nr pages from .page */
	PUNCH,		/* fallocate(2) punch of .nr pages from .page */
	TRUNCATE,	/* to .page pages */
	FADVISE,	/* POSIX_FADV_DONTNEED of the whole file */
	DONTNEED,	/* madvise(2) of .nr pages from .page */
	MMAP,		/* mmap(2) something anonymous: wants mmap_lock for writing */
	FLUSH,		/* write back at most .nr pages as the flusher does: cyclic */
	DIRECT,		/* pread(2) with O_DIRECT of another file into page .page of the mapping */
	VMSPLICE,	/* give page .page of the mapping to a pipe, which has it pinned then */
	DRAIN,		/* read the pipe */
	MUNMAP,		/* the whole mapping */
	ORPHAN,		/* make a file without a name, give its page to the pipe, unmap it */
	ORPHAN_END,	/* close that: the inode goes */
	FRAME,		/* see what the page table has of .page: its word of pagemap */
	/* Of the mount's private page cache (debugfs), not of the file: */
	CACHE_ADD,	/* a new folio of order .nr at .page, as after a read */
	CACHE_EVICT,	/* the folio of .page is reclaimed: a shadow entry remains */
	CACHE_HOLD,	/* likewise, but thawed in the end */
	CACHE_SPLIT,	/* likewise, and pages take its place */
	CACHE_LOOK,	/* look .page up */
	CACHE_GET,	/* look .page up, and add it if nothing is there */
	CACHE_DROP,	/* truncate .nr pages from .page */
	CACHE_REUSE,	/* somebody else gets the dead folio at .page */
	CACHE_RESET,	/* empty it */
};

struct deed {
	enum deed_kind kind;
	unsigned long page, nr, from;
	unsigned long value;
};

/* What came out of a deed that has ended. */
struct result {
	bool ended;		/* at all */
	int error;		/* errno of the call; EFAULT for SIGBUS */
	unsigned long value;	/* what LOAD and READ saw */
};

struct role_spec {
	const char *name;
	enum mapping map;
	const char *shares;	/* role whose process (mm, mapping) it shares, or NULL */
	const char *does;	/* half a line for `daxlab show` */
};

/* Expected of one variant: profile name, or KNOB=CHOICE,... */
struct expectation {
	const char *variant;
	enum outcome outcome;
	const char *verdict;	/* "kind cause" of the kernel's, or of caught() */
	const char *note;	/* why; who proposed it */
};

struct run;

/* What the device must be made of. */
enum memory {
	ANY_MEMORY,
	PINNABLE,	/* pages of which each can be pinned, and tells when it is not any more */
	CHUNKS,		/* RAM of the module: PMDs can be pinned, PTEs cannot */
};

struct scenario {
	const char *id;		/* A1 */
	const char *name;	/* missed-wakeup-pmd-key */
	const char *title;
	const char *story;	/* paragraphs */
	const char *interleaving;	/* the listing, a column per role */
	const char *references;
	/*
	 * In order; NULL ends. Each must have been crossed in every held run,
	 * or the run is inconclusive, except "?NAME": in some variants only.
	 */
	const char *const *windows;
	struct role_spec role[MAX_ROLES];	/* .name == NULL ends */
	unsigned long pages;	/* of the file, a hole at first; default 1024 */
	bool page_cache;	/* the file is in page-cache mode, not DAX */
	enum memory memory;
	void (*prepare)(struct run *run);	/* may be NULL; before mark: no windows armed */
	void (*play)(struct run *run);	/* the forced interleaving */
	/* Nothing held: all deeds at once. NULL: .play, with nothing armed. */
	void (*loose)(struct run *run);
	/* May be NULL; all roles are idle, the verdict is not "passed" yet. */
	void (*check)(struct run *run);
	/* May be NULL; after all, caught or not, and rescued: is something left? */
	void (*after)(struct run *run);
	const struct expectation *expect;	/* .variant == NULL ends; the first is the bug */
};

/* Which run this is: the variant, as given; and whether windows are held. */
const char *run_variant(const struct run *run);
bool run_held(const struct run *run);
unsigned long run_number(const struct run *run);	/* 0, 1, ... of the repeats */
int run_fd(const struct run *run);			/* the file */

/*
 * Steps. Windows are armed for one role; arming is skipped when !run_held(), and
 * so is waiting for parked, asleep, blocked and spinning, and release; start() waits then
 * until the role's last deed has ended. A role that came to rest elsewhere ends
 * the step at once; what the oracles can prove then still counts as caught.
 */
bool arm(struct run *run, const char *role, const char *window);	/* 1*park */
/* 1*park, of faults of an order: 0, or 9 */
bool arm_order(struct run *run, const char *role, const char *window, unsigned int order);
bool arm_rule(struct run *run, const char *window, const char *rule);	/* any rule */
bool start(struct run *run, const char *role, struct deed deed);	/* does not wait */
bool parked(struct run *run, const char *role, const char *window);	/* wait for it */
bool asleep(struct run *run, const char *role);			/* wait for it */
bool blocked(struct run *run, const char *role);		/* wait for it */
bool spinning(struct run *run, const char *role);	/* wait for it: a lookup in vain */
bool ended(struct run *run, const char *role);			/* wait for it */
bool still(struct run *run);		/* wait until no role runs */
bool release(struct run *run, const char *role);		/* NULL: all */
bool kill_role(struct run *run, const char *role);	/* SIGKILL; it has no state then */
bool judged(struct run *run);	/* ask the oracles while roles are held: nothing found? */
bool is_idle(struct run *run, const char *role);	/* now, after still() */
bool is_asleep(struct run *run, const char *role);	/* now, after still() */
struct result result_of(struct run *run, const char *role);	/* of its last deed */

/* Judgement by the scenario itself, where it is no oracle's. */
void caught(struct run *run, const char *kind_cause, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The path was not taken: the run proves nothing. */
void inconclusive(struct run *run, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Require, else inconclusive with the text of the condition. */
#define REQUIRE(run, cond)							\
	do {									\
		if (!(cond)) {							\
			inconclusive(run, "%s:%d: %s", __FILE__, __LINE__, #cond); \
			return;							\
		}								\
	} while (0)
/* A step, else return: inconclusive was said already. */
#define STEP(cond)								\
	do {									\
		if (!(cond))							\
			return;							\
	} while (0)

/* Growth of a counter of debugfs stats since the run began. */
unsigned long long grown(struct run *run, const char *counter);
/* How often a role crossed a window in this run (the certificate). */
unsigned long crossed(struct run *run, const char *role, const char *window);

/* All of them, in scenarios_GROUP.c. Ends with NULL. */
extern const struct scenario *const scenarios_a[], *const scenarios_b[], *const scenarios_c[];
extern const struct scenario *const scenarios_d[], *const scenarios_e[], *const scenarios_f[];

#endif
