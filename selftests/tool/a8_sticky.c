// SPDX-License-Identifier: GPL-2.0
/*
 * A8: a decision that outlives its retry (v4.20 to about v5.x)
 */
#include "steps.h"
#include "stories_a.h"

#define AT	5

static const char *const windows[] = {
	"grab.downgrade_removed", "grab.before_store", "grab.nomem_retry", NULL
};

static const char references[] =
	"b15cd800682f \"dax: Convert page fault handlers to XArray\", v4.20: pmd_downgrade is\n"
	"cleared at its declaration only; 6.1 clears it at each retry";

/* T1 has taken the PMD entry out, gets no memory for its own, and goes for more. */
static bool retry_is_held(struct run *run)
{
	return done(run, "P0", DEED(LOAD, .page = 3)) &&
	       arm_rule(run, "grab.before_store", "1*error(-ENOMEM){role=T1}") &&
	       held_at(run, "T1", "grab.nomem_retry", DEED(LOAD, .page = AT));
}

static void another_comes_between(struct run *run)
{
	STEP(retry_is_held(run));
	STEP(done(run, "T2", DEED(STORE, .page = AT, .value = 1)));
	STEP(release(run, "T1"));
	STEP(still(run));
}

static void nobody_comes_between(struct run *run)
{
	STEP(retry_is_held(run));
	STEP(release(run, "T1"));
	STEP(still(run));
}

/* What T2 has stored must be found by a sync: its entry was dirty. */
static void store_is_found(struct run *run)
{
	bool sticky = variant_is(run, "downgrade=sticky") || variant_is(run, "v4.20");

	CERTIFY(run, grown(run, "downgrades") == (sticky ? 2 : 1));
	STEP(done(run, "T2", DEED(FSYNC)));
	if (!grown(run, "entries_written"))
		caught(run, "lost-store dirty-mark-gone",
		       "fsync(2) finds nothing dirty, but T2 has stored to page %d", AT);
	REQUIRE(run, result_of(run, "T1").error == 0);
}

static void one_downgrade(struct run *run)
{
	CERTIFY(run, grown(run, "downgrades") == 1);
	REQUIRE(run, result_of(run, "T1").error == 0);
}

static const struct expectation expect_between[] = {
	{ "downgrade=sticky", CAUGHT, "lost-store dirty-mark-gone", NULL },
	{ "v4.20", CAUGHT, "lost-store dirty-mark-gone", "a kernel that had it" },
	{ "v5.4", PASSED, NULL, NULL },
	{ "sound", PASSED, NULL, "the retry decides anew, from what it finds" },
	{}
};

const struct scenario a8_sticky = {
	.id = "A8",
	.name = "downgrade-retry-stale-flag",
	.title = "a fault that was to take a PMD entry out takes out what came after it",
	.story = "T1 finds the PMD entry of a hole, takes it out, and cannot insert its own: there is\n"
		 "no memory for a node. It drops xa_lock, allocates, and tries again. Meanwhile T2\n"
		 "has made an entry for the same page, stored to it, and gone. T1 still has it in its\n"
		 "head that what it finds must be taken out. It removes T2's entry, which is mapped\n"
		 "and dirty, and makes one of its own, which is clean. The next fsync(2) finds nothing\n"
		 "to flush: what T2 has stored is lost with the power.",
	.interleaving =
		"P0                      T1 (page 5)                 T2 (page 5)\n"
		"huge zeroes\n"
		"                        PMD entry: remove it, wake all\n"
		"                        insert: no memory\n"
		"                          * grab.nomem_retry\n"
		"                                                    inserts entry 5, dirty\n"
		"                                                    maps it, unlocks\n"
		"                        finds entry 5, locks it\n"
		"                        removes it (bug)\n"
		"                        inserts its own, clean\n"
		"                                                    fsync: nothing is dirty",
	.references = references,
	.windows = windows,
	.role = {
		{ "P0", MAP_PMDS, NULL, "loads page 3 of a hole" },
		{ "T1", MAP_PTES, NULL, "loads page 5" },
		{ "T2", MAP_PTES, NULL, "stores to page 5" },
	},
	.play = another_comes_between,
	.check = store_is_found,
	.expect = expect_between,
};

static const struct expectation expect_alone[] = {
	{ "downgrade=sticky", PASSED, NULL,
	  "upstream miscounted its entries here; no count, no harm" },
	{ "sound", PASSED, NULL, NULL },
	{}
};

const struct scenario a8_alone = {
	.id = "A8-alone",
	.name = "downgrade-retry-alone",
	.title = "control: nobody comes between, the bug of A8 does not show",
	.story = "As A8 without T2: the retry finds nothing at its page, and taking nothing out\n"
		 "changes nothing.",
	.interleaving =
		"P0                      T1 (page 5)\n"
		"huge zeroes\n"
		"                        PMD entry: remove it, wake all\n"
		"                        insert: no memory\n"
		"                          * grab.nomem_retry\n"
		"                        finds nothing\n"
		"                        inserts entry 5",
	.references = references,
	.windows = windows,
	.role = {
		{ "P0", MAP_PMDS, NULL, "loads page 3 of a hole" },
		{ "T1", MAP_PTES, NULL, "loads page 5" },
	},
	.play = nobody_comes_between,
	.check = one_downgrade,
	.expect = expect_alone,
};
