// SPDX-License-Identifier: GPL-2.0
/*
 * F3: a fault that allocates under the folio lock, and writepages with a private
 * bio (2018)
 */
#include "steps.h"
#include "stories_f.h"

#include <fcntl.h>
#include <unistd.h>

#define A	3	/* folio in the bio */
#define B	5	/* folio that the fault locks */
#define WROTE	0xda7aUL

#define LOCKED		"pf.page_locked"
#define COLLECTED	"pwb.after_set_writeback"

static const char *const windows[] = {
	LOCKED, "pf.before_pte_alloc", COLLECTED, "?reclaim.before_wait_writeback", NULL
};

static void dirty_both(struct run *run)
{
	STEP(done(run, "writer", DEED(WRITE, .page = A, .value = WROTE)));
	STEP(done(run, "writer", DEED(WRITE, .page = B, .value = WROTE)));
}

static bool page_is(struct run *run, unsigned long page)
{
	unsigned long word = 0;

	return pread(run_fd(run), &word, sizeof(word), page * PAGE) == sizeof(word) &&
	       word == WROTE;
}

void pwb_after(struct run *run)
{
	if (grown(run, "pwb_bios") != grown(run, "pwb_bios_ended"))
		inconclusive(run, "a bio is lost: %llu made, %llu ended", grown(run, "pwb_bios"),
			     grown(run, "pwb_bios_ended"));
	if (grown(run, "pf_tables") != grown(run, "pf_tables_freed"))
		inconclusive(run, "a page is lost: %llu made, %llu freed", grown(run, "pf_tables"),
			     grown(run, "pf_tables_freed"));
}

/* Neither a rescue nor a rule may lose what was written. */
static void nothing_is_lost(struct run *run)
{
	pwb_after(run);
	if (fsync(run_fd(run)) || posix_fadvise(run_fd(run), 0, 0, POSIX_FADV_DONTNEED))
		inconclusive(run, "the file cannot be read anew");
	else if (!page_is(run, A) || !page_is(run, B))
		inconclusive(run, "what was written is lost");
}

/* As in the thread: the fault is in first. */
static void cross(struct run *run)
{
	STEP(held_at(run, "reader", LOCKED, DEED(LOAD, .page = B)));
	STEP(held_at(run, "writer", COLLECTED, DEED(FSYNC)));
	STEP(release(run, "reader"));
	STEP(still(run));
	STEP(release(run, "writer"));
	STEP(still(run));
}

/* The bio is there first: what is allocated before the lock may wait for it too. */
static void cross_late(struct run *run)
{
	STEP(held_at(run, "writer", COLLECTED, DEED(FSYNC)));
	STEP(arm(run, "reader", LOCKED));
	STEP(start(run, "reader", DEED(LOAD, .page = B)));
	STEP(still(run));
	STEP(release(run, "reader"));
	STEP(still(run));
	STEP(release(run, "writer"));
	STEP(still(run));
	/* Whoever waited outside of the lock comes to the window now. */
	STEP(release(run, "reader"));
	STEP(still(run));
}

static const char story[] =
	"writepages collects folios in a bio of its own: each is locked, set under\n"
	"writeback, put in the bio and unlocked. A page fault has locked the next one, and\n"
	"allocates a page table that is charged to its memory cgroup. The cgroup is full;\n"
	"reclaim of the legacy hierarchy meets a folio that is under writeback, and waits\n"
	"for it: its bio will be submitted once writepages has the lock that the fault has.\n"
	"\n"
	"lockdep knows neither folio locks nor writeback bits. The reporter had machines\n"
	"that hung once a week, and no reproducer. What was merged changed the fault\n"
	"(63f3655f9501: the page table is there before the lock); the filesystems still\n"
	"wait for folio locks with a bio in hand, but for those that use trylock.\n"
	"\n"
	"Reclaim is a stand-in here (reclaim=waits), so that the wait is certain; the test\n"
	"pcache_memcg shows the same with the kernel's own.";

static const char listing[] =
	"writer - fsync, folios 3 and 5        reader - page fault, folio 5\n"
	"\n"
	"                                      locks folio 5\n"
	"                                        * pf.page_locked\n"
	"locks folio 3, sets it under\n"
	"writeback, adds it to the bio,\n"
	"unlocks it\n"
	"  * pwb.after_set_writeback\n"
	"                                      page table: charge, reclaim\n"
	"                                        waits for writeback of folio 3\n"
	"wants the lock of folio 5,\n"
	"with the bio in hand";

static const char references[] =
	"63f3655f9501 \"mm, memcg: fix reclaim deadlock with writeback\", v5.0-rc2;\n"
	"01d658f2ca3c (btrfs, the same on its side); linux-mm, December 2018: Liu Bo, Jan Kara,\n"
	"Michal Hocko, Dave Chinner";

#define WITH(submit, pf_alloc)	"submit=" submit ",pf_alloc=" pf_alloc ",reclaim=waits"
#define BUG			CAUGHT, "deadlock -"
#define FINE			PASSED, NULL

static const struct expectation expect[] = {
	{ WITH("block", "under_lock"), BUG, "the bug: both sides as they were in 2018" },
	{ WITH("block", "prealloc"), FINE,
	  "63f3655f9501, merged: the table is there before the lock" },
	{ WITH("block", "always"), FINE,
	  "Hocko v1: likewise, at the cost of a table for each fault" },
	{ WITH("block", "unused"), BUG, "f9ce0be71d1f: the table is there, and allocated again" },
	{ WITH("block", "nofs"), FINE,
	  "Chinner: reclaim may not enter, so it waits for no folio; it frees less, too" },
	{ WITH("block", "uncharged"), FINE,
	  "the reporter's workaround: no charge, so no reclaim of the cgroup" },
	{ WITH("trylock", "under_lock"), FINE,
	  "Liu Bo, btrfs: submit before any wait; the fault waits for real I/O only" },
	{ WITH("trylock", "prealloc"), FINE, "both sides sound" },
	{ WITH("trylock", "always"), FINE, NULL },
	{ WITH("trylock", "unused"), FINE, "the regression of v5.12 does no harm here" },
	{ WITH("trylock", "nofs"), FINE, NULL },
	{ WITH("trylock", "uncharged"), FINE, NULL },
	{ WITH("per_folio", "under_lock"), FINE,
	  "Kara, XFS-like: no bio is held at a wait; a bio for each folio" },
	{ WITH("per_folio", "prealloc"), FINE, NULL },
	{ WITH("per_folio", "always"), FINE, NULL },
	{ WITH("per_folio", "unused"), FINE, NULL },
	{ WITH("per_folio", "nofs"), FINE, NULL },
	{ WITH("per_folio", "uncharged"), FINE, NULL },
	{ WITH("unlock_late", "under_lock"), FINE,
	  "Kara: what is in the bio is locked, so reclaim passes over it; others wait longer" },
	{ WITH("unlock_late", "prealloc"), FINE, NULL },
	{ WITH("unlock_late", "always"), FINE, NULL },
	{ WITH("unlock_late", "unused"), FINE, NULL },
	{ WITH("unlock_late", "nofs"), FINE, NULL },
	{ WITH("unlock_late", "uncharged"), FINE, NULL },
	{ WITH("plug", "under_lock"), FINE, "Kara: going to sleep for the lock submits the bio" },
	{ WITH("plug", "prealloc"), FINE, NULL },
	{ WITH("plug", "always"), FINE, NULL },
	{ WITH("plug", "unused"), FINE, NULL },
	{ WITH("plug", "nofs"), FINE, NULL },
	{ WITH("plug", "uncharged"), FINE, NULL },
	{ "submit=block,pf_alloc=under_lock", FINE,
	  "a cgroup that is not full: why it took a week" },
	{ "sound", FINE, NULL },
	{}
};

const struct scenario f3_pagelock_vs_writeback = {
	.id = "F3",
	.name = "pagelock-vs-writeback",
	.title = "a fault reclaims under a folio lock that writepages wants with a bio in hand",
	.story = story,
	.interleaving = listing,
	.references = references,
	.windows = windows,
	.pages = 8,
	.page_cache = true,
	.role = {
		{ "writer", MAP_NONE, NULL, "fsync(2) of folios 3 and 5" },
		{ "reader", MAP_PTES, NULL, "faults on page 5, and allocates a page table" },
	},
	.prepare = dirty_both,
	.play = cross,
	.after = nothing_is_lost,
	.expect = expect,
};

static const struct expectation expect_late[] = {
	{ WITH("block", "under_lock"), BUG, "the order does not matter" },
	{ WITH("block", "always"), FINE,
	  "the table before the lock waits for the bio, and holds nothing meanwhile" },
	{ WITH("block", "unused"), FINE,
	  "the first table has waited for all that the second would wait for" },
	{ WITH("trylock", "under_lock"), FINE, NULL },
	{ WITH("plug", "under_lock"), FINE, NULL },
	{}
};

const struct scenario f3_writer_first = {
	.id = "F3-late",
	.name = "pagelock-vs-writeback-late",
	.title = "F3, but the bio is there before the fault",
	.story = "As F3, in the other order: folio 3 is in the bio already when the fault begins. A\n"
		 "page table that is allocated before the lock now waits for the bio as well, but\n"
		 "nobody waits for who waits. So it is the lock that makes the deadlock, not reclaim.",
	.interleaving = listing,
	.references = references,
	.windows = (const char *const []){
		COLLECTED, LOCKED, "?reclaim.before_wait_writeback", NULL
	},
	.pages = 8,
	.page_cache = true,
	.role = {
		{ "writer", MAP_NONE, NULL, "fsync(2) of folios 3 and 5" },
		{ "reader", MAP_PTES, NULL, "faults on page 5, and allocates a page table" },
	},
	.prepare = dirty_both,
	.play = cross_late,
	.after = nothing_is_lost,
	.expect = expect_late,
};

static const struct expectation expect_realloc[] = {
	{ WITH("block", "unused"), BUG,
	  "f9ce0be71d1f, v5.12: the table that is ready is not looked at" },
	{ WITH("block", "prealloc"), FINE, "e4dc3489143f: it is used" },
	{ WITH("trylock", "unused"), FINE,
	  "a filesystem that submits before it waits does not notice" },
	{}
};

const struct scenario f3_finish_fault_realloc = {
	.id = "F3b",
	.name = "finish-fault-realloc",
	.title = "the fix of F3 undone: a page table is ready, and allocated again under the lock",
	.story = "Two years after F3 the code that maps a page was turned around (f9ce0be71d1f). The\n"
		 "page table was allocated before the lock as the fix wants it, but whether there is\n"
		 "one was no longer asked: another was allocated under the lock. Nothing failed; the\n"
		 "deadlock was back, for as long as nobody ran a full memory cgroup.",
	.interleaving = listing,
	.references = "f9ce0be71d1f (v5.12), fixed by e4dc3489143f; 63f3655f9501",
	.windows = windows,
	.pages = 8,
	.page_cache = true,
	.role = {
		{ "writer", MAP_NONE, NULL, "fsync(2) of folios 3 and 5" },
		{ "reader", MAP_PTES, NULL, "faults on page 5, with a page table in hand" },
	},
	.prepare = dirty_both,
	.play = cross,
	.after = nothing_is_lost,
	.expect = expect_realloc,
};
