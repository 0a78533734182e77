// SPDX-License-Identifier: GPL-2.0
/*
 * Power fails at every moment of every short sequence of operations, in the manner
 * of CrashMonkey's bounded search (Mohan et al., OSDI 2018).
 *
 * For each sequence of up to 3 operations over a few files (lib/crash.h): power
 * fails before each fence of its last operation, and when it has returned; what
 * fails within the others is another sequence. What was not flushed is lost, there,
 * or torn, as a seed says. Then `fsck`, mount, compare with what was promised, fsck
 * again. Longer sequences are picked at random. Power fails again while the mount
 * repairs.
 *
 * With flushes or fences dropped the same search must find violations; with those of
 * processes that use MAP_SYNC as well. And of each operation that promises something,
 * with the flushes of the kernel dropped while it runs and no others: a write with
 * O_SYNC that does not flush, a MAP_SYNC fault that lets the store through before
 * the map is durable.
 *
 * Here each pair with an operation that promises data or blocks when it returns is
 * tried, and of others a part. By hand, each sequence of two operations, each Nth of
 * three, thousands of longer ones:
 *
 *	env DAXLAB_SLOW=99 DAXLAB_CRASH=SEED,N build/selftests/fs_crash
 *
 * daxlab-test: timeout=300 needs=module args="size=4M media=on"
 */
#include "crash.h"
#include "dax.h"
#include "fsck.h"
#include "power.h"

#define LONGEST		12

struct search {
	unsigned int op[LONGEST];
	unsigned int nr;
	uint64_t seed;
	bool at_once;		/* only sequences with an operation that is CRASH_AT_ONCE */
	const char *drop;
	bool in_last;		/* it drops while the last operation runs, not before */
	bool again;		/* power fails once more, in the repair */
	unsigned long sequences, states, violations;
	char why[512];		/* of the first violation */
};

static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* What becomes of what was not flushed, for this state. */
static const char *choice_of(const struct search *search, unsigned int at)
{
	static char text[32];
	uint64_t z = mix(search->seed);
	unsigned int i;

	/* A promise that is lost, not a record that is torn. */
	if (search->in_last)
		return "none";
	for (i = 0; i < search->nr; i++)
		z = mix(z ^ search->op[i]);
	z = mix(z ^ at);
	if (z % 4 < 2)
		return z % 4 ? "all" : "none";
	snprintf(text, sizeof(text), "%llu", (unsigned long long)(z >> 8));
	return text;
}

static void violated(struct search *search, unsigned int at, const char *choice, const char *why)
{
	size_t len = 0;
	unsigned int i;

	if (!search->violations++) {
		for (i = 0; i < search->nr; i++)
			len += snprintf(search->why + len, sizeof(search->why) - len, "%s; ",
					crash_ops[search->op[i]].text);
		snprintf(search->why + len, sizeof(search->why) - len, "cut %u %s: %s", at, choice,
			 why);
	}
}

static bool fsck_agrees(bool repaired, char *why, size_t size)
{
	struct fsck_report report;

	if (!fsck_check(DXL_DEV, NULL, &report) && (!repaired || !report.repairs))
		return true;
	snprintf(why, size, "fsck%s: %s", repaired ? " after the mount" : "", report.first);
	return false;
}

/* The next mount is cut short as well, by its own fences: it can be done again. */
static void fail_in_repair(const char *choice)
{
	unsigned int at;
	bool cut = true;

	for (at = 1; cut && at < 4; at++) {
		must(!power("cut=%s,at=%u", choice, at));
		if (!dxl_mount(NULL))
			must(!dxl_umount());
		cut = power_is_cut();
		must(!power_loss(choice));
	}
}

static bool survived(const struct search *search, const struct crash_state *one,
		     const struct crash_state *two, const char *choice, char *why, size_t size)
{
	bool good;

	if (!fsck_agrees(false, why, size))
		return false;
	if (search->again)
		fail_in_repair(choice);
	if (dxl_mount(NULL)) {
		snprintf(why, size, "mount: %s", strerror(errno));
		return false;
	}
	good = crash_is(two, why, size) || crash_is(one, why, size);
	must(!dxl_umount());
	return good && fsck_agrees(true, why, size);
}

/* One loss. Returns whether it came before the last operation had returned. */
static bool lose_at(struct search *search, unsigned int at)
{
	static struct crash_state state, begun, ended;
	const struct crash_op *op = NULL;
	const char *choice = choice_of(search, at);
	char why[256] = "";
	unsigned int i;
	bool during;

	crash_begin(&state);
	if (search->drop && !search->in_last)
		must(!power_write(POWER_DIR "/media", search->drop));
	for (i = 0; i < search->nr; i++) {
		op = &crash_ops[search->op[i]];
		if (i + 1 < search->nr) {
			must(!op->run(2 + i));
			crash_after(&state, op, 2 + i);
		}
	}
	if (search->in_last)
		must(!power_write(POWER_DIR "/media", search->drop));
	must(!power("cut=%s,at=%u", choice, at));
	must(!op->run(1 + search->nr));
	during = power_is_cut();
	if (during) {
		crash_during(&state, op, 1 + search->nr, &begun, &ended);
	} else {
		crash_after(&state, op, 1 + search->nr);
		begun = state;
		ended = state;
		must(!power("cut=%s", choice));
	}
	must(!dxl_umount());
	must(!power("drop=nothing"));
	must(!power_loss(choice));
	search->states++;
	if (!survived(search, &begun, &ended, choice, why, sizeof(why)))
		violated(search, at, choice, why);
	return during;
}

/* Does each operation make sense after those before it, and is this one asked for? */
static bool fits(const struct search *search)
{
	static struct crash_state state;
	bool asked = !search->at_once;
	const struct crash_op *op;
	unsigned int i;

	memset(state.name, -1, sizeof(state.name));
	state.name[A] = 0;
	state.nr_files = 1;
	state.file[0].size = 6000;
	for (i = 0; i < search->nr; i++) {
		op = &crash_ops[search->op[i]];
		if (!op->fits(&state) || state.nr_files == CRASH_FILES)
			return false;
		crash_after(&state, op, 2 + i);
		asked = asked || op->kind == CRASH_AT_ONCE;
	}
	return asked;
}

static void every_moment(struct search *search)
{
	unsigned int at = 1;

	search->sequences++;
	while (lose_at(search, at))
		at++;
}

/* The first @length operations are choice @nr of all there are. Return: is it one? */
static bool pick(struct search *search, unsigned int length, unsigned long nr)
{
	unsigned int at;

	for (at = 0; at < length; at++, nr /= crash_nr_ops)
		search->op[at] = nr % crash_nr_ops;
	return !nr;
}

/* All sequences of this length, or of each @slice one. */
static void search_all(struct search *search, unsigned int length, unsigned int slice)
{
	unsigned long i, taken = 0;

	search->nr = length;
	for (i = 0; pick(search, length, i); i++)
		if (fits(search) && !(taken++ % slice))
			every_moment(search);
}

/* Those that end with @last, up to the first violation. */
static void search_ending(struct search *search, unsigned int length, unsigned int last)
{
	unsigned long i;

	search->nr = length;
	search->op[length - 1] = last;
	for (i = 0; !search->violations && pick(search, length - 1, i); i++)
		if (fits(search))
			every_moment(search);
}

static void search_random(struct search *search, unsigned int sequences)
{
	uint64_t z = mix(search->seed ^ 77);
	unsigned int i;

	while (sequences--) {
		search->nr = 0;
		for (i = 0; i < 100 && search->nr < 4 + z % (LONGEST - 3); i++) {
			z = mix(z);
			search->op[search->nr++] = (z >> 8) % crash_nr_ops;
			if (!fits(search))
				search->nr--;
		}
		search->sequences++;
		z = mix(z);
		lose_at(search, 1 + z % 6);
	}
}

FIXTURE(crash) {
	struct search search;
	bool all;
	unsigned int slice;	/* of three operations, each such one */
};

FIXTURE_SETUP(crash)
{
	const char *all = getenv("DAXLAB_CRASH");

	self->all = all;
	self->search.seed = 1;
	self->slice = all ? 1 : 250;
	if (all)
		ASSERT_EQ(2, sscanf(all, "%lu,%u", &self->search.seed, &self->slice));
}

FIXTURE_TEARDOWN(crash)
{
	TH_LOG("%lu sequences, %lu states, %lu violations", self->search.sequences,
	       self->search.states, self->search.violations);
	if (self->search.violations)
		TH_LOG("first: %s", self->search.why);
	EXPECT_LT(0, self->search.states);
	EXPECT_EQ(0, power_count("unkept"));
}

TEST_F_TIMEOUT(crash, one_operation, 100)
{
	search_all(&self->search, 1, 1);
	EXPECT_EQ(0, self->search.violations);
}

TEST_F_TIMEOUT(crash, two_operations, 100)
{
	search_all(&self->search, 2, self->all ? 1 : 12);
	EXPECT_EQ(0, self->search.violations);
}

/* Each pair with an operation that promises data or blocks when it returns. */
TEST_F_TIMEOUT(crash, two_operations_one_at_once, 200)
{
	self->search.at_once = true;
	search_all(&self->search, 2, 1);
	EXPECT_EQ(0, self->search.violations);
}

TEST_F_TIMEOUT(crash, three_operations, 100)
{
	search_all(&self->search, 3, self->slice);
	EXPECT_EQ(0, self->search.violations);
}

TEST_F_TIMEOUT(crash, more_operations, 100)
{
	search_random(&self->search, self->all ? 3000 : 20);
	EXPECT_EQ(0, self->search.violations);
}

TEST_F_TIMEOUT(crash, and_again_in_the_repair, 100)
{
	self->search.again = true;
	search_all(&self->search, self->all ? 2 : 1, self->all ? 1 : 2);
	EXPECT_EQ(0, self->search.violations);
}

/* What must be found, if not by the shortest sequences then by longer ones. */
#define BROKEN(name, how)							\
TEST_F_TIMEOUT(crash, name, 100)						\
{										\
	unsigned long long before = power_count("dropped");			\
	unsigned int length;							\
										\
	self->search.drop = how;						\
	for (length = 1; length <= 2 && !self->search.violations; length++)	\
		search_all(&self->search, length, length == 1 ? 1 : 6);		\
	EXPECT_LT(before, power_count("dropped"));				\
	EXPECT_LT(0, self->search.violations);					\
}

BROKEN(all_flushes_dropped, "drop=flush")
BROKEN(all_flushes_of_user_space_dropped, "drop=user")
BROKEN(all_fences_dropped, "drop=fence")
BROKEN(each_third_flush_dropped, "drop=flush,every=3")
BROKEN(each_second_fence_dropped, "drop=fence,every=2")

/* Some sequence violates what its last operation promises, which alone is broken. */
static bool seen_broken(struct search *search, unsigned int op)
{
	unsigned int length;

	search->drop = "drop=flush";
	search->in_last = true;
	search->violations = 0;
	for (length = 1; length <= 3 && !search->violations; length++)
		search_ending(search, length, op);
	return search->violations;
}

TEST_F_TIMEOUT(crash, each_operation_is_seen_broken, 100)
{
	unsigned int op;

	for (op = 0; op < crash_nr_ops; op++) {
		if (crash_ops[op].kind == CRASH_LAZY)
			continue;
		EXPECT_TRUE(seen_broken(&self->search, op));
		TH_LOG("%s: %s", crash_ops[op].text, self->search.why);
	}
}

TEST_HARNESS_MAIN
