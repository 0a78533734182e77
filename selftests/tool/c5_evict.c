// SPDX-License-Identifier: GPL-2.0
/*
 * C5: dropping caches removes entries that are mapped (2017)
 */
#include "steps.h"
#include "stories.h"

#define AT	5

static const char *const no_windows[] = { NULL };

static const char references[] =
	"4636e70bb0a8 \"dax: prevent invalidation of mapped DAX entries\", v4.12; "
	"c6dcf52c23d2, v4.10";

static void drop(struct run *run, struct deed deed)
{
	STEP(done(run, "user", deed));
	REQUIRE(run, grown(run, "grabs_uncontended") == 1);
	STEP(done(run, "dropper", DEED(FADVISE)));
	REQUIRE(run, !result_of(run, "dropper").error);
}

static void drop_clean(struct run *run)
{
	drop(run, DEED(LOAD, .page = AT));
}

static void drop_dirty(struct run *run)
{
	drop(run, DEED(STORE, .page = AT, .value = 0xd1));
}

static const struct expectation expect[] = {
	{ "evict=clean", CAUGHT, "untracked-mapping -", "bug of v4.10 and v4.11" },
	{ "v4.11", CAUGHT, "untracked-mapping -", NULL },
	{ "v4.12", PASSED, NULL, "cured" },
	{ "sound", PASSED, NULL, "cache dropping does nothing to a DAX file" },
	{}
};

const struct scenario c5_evict_mapped_entry = {
	.id = "C5",
	.name = "evict-mapped-entry",
	.title = "fadvise(2) removes the entry of a page that stays mapped",
	.story = "POSIX_FADV_DONTNEED and drop_caches remove what is clean and unlocked. They may\n"
		 "not block, so they cannot unmap: the page stays mapped, without an entry. A write\n"
		 "that invalidates by entries does not find it, and an fsync cannot protect it.",
	.interleaving =
		"user                               dropper\n"
		"load: entry, mapping\n"
		"                                   fadvise: removes the clean entry (bug)\n"
		"still mapped",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "user", MAP_PTES, NULL, "loads a word" },
		{ "dropper", MAP_NONE, NULL, "posix_fadvise(POSIX_FADV_DONTNEED)" },
	},
	.play = drop_clean,
	.expect = expect,
};

static const struct expectation expect_dirty[] = {
	{ "evict=clean", PASSED, NULL, "dirty entries were never dropped" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario c5_dirty = {
	.id = "C5-dirty",
	.name = "evict-dirty-entry",
	.title = "control: a dirty entry is not dropped",
	.story = "As C5, but the page was stored to. Even the bug leaves dirty entries alone.",
	.interleaving =
		"user                               dropper\n"
		"store: dirty entry, mapping\n"
		"                                   fadvise: leaves it",
	.references = references,
	.windows = no_windows,
	.role = {
		{ "user", MAP_PTES, NULL, "stores a word" },
		{ "dropper", MAP_NONE, NULL, "posix_fadvise(POSIX_FADV_DONTNEED)" },
	},
	.play = drop_dirty,
	.expect = expect_dirty,
};
