/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where scenarios are played: the module, a mount, a file on it.
 */
#ifndef DAXLAB_PLACE_H
#define DAXLAB_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define DEBUGFS	"/sys/kernel/debug/daxlab"

/* Exit status of the tool. */
enum { EX_EXPECTED, EX_UNEXPECTED, EX_BAD_USAGE, EX_CANNOT, EX_SKIPPED };

struct place {
	char dir[PATH_MAX];	/* where it is mounted */
	char dev[64];		/* its name in debugfs and to sessions: "daxlab0" */
	int fd;			/* the file */
	int cache;		/* the private page cache in debugfs, or -1 */
	int sink;		/* a file in page-cache mode for O_DIRECT, or -1 */
	int nursery;		/* a directory where files in DAX mode are born, or -1 */
	enum { PINS_UNKNOWN, PINS_NO, PINS_YES } pins;
	char no_pins[256];	/* why */
	bool loaded;		/* by us */
	bool mounted;		/* by us */
	char variant[1024];	/* as set */
	char found[1024];	/* as it was */
	long synced;		/* when, in seconds */
};

/*
 * Take what is mounted (@mount: a directory, or NULL: any), or mount @dev
 * (NULL: /dev/daxlab0), loading the module if it is not there. Says why on
 * stderr if it cannot; place_close() is right in any case.
 */
bool place_open(struct place *place, const char *mount, const char *dev);
void place_close(struct place *place);
/* Only the module, loaded if it is not there. */
bool place_module(struct place *place);
/* Only ->dir and ->dev, of something that is mounted. Says why not. */
bool place_find(struct place *place, const char *mount, const char *dev);

/* These give 0 or a negative errno. */
/* The file: a new one, if it is not in this mode; -EOPNOTSUPP: not on this mount. */
int place_mode(struct place *place, bool cache_mode);
/*
 * A file gets its mode when it is born: from its directory, if the mount lets it. Its
 * descriptor, or -EOPNOTSUPP: no such files there.
 */
int bear_file(const char *nursery, const char *path, bool cache_mode);
/* Can pages of mappings be pinned one by one? Then ->sink and ->nursery are there. */
bool place_pins(struct place *place);
void place_pins_end(struct place *place);
int place_set_variant(struct place *place, const char *variant);
int place_fresh(struct place *place, unsigned long pages);	/* the file: a hole */

/* Is no entry of the mount locked or waited for? If not, *what tells. */
bool place_is_clean(const struct place *place, char *what, size_t size);

/* Read a file into a string, "" if it cannot be read: length. */
size_t read_text(const char *path, char *text, size_t size);
/* Write a string: 0 or a negative errno. */
int write_text(const char *path, const char *text);

/* Is the module there, and its debugfs, for us? Says why not on stderr. */
bool lab_present(void);

#endif
