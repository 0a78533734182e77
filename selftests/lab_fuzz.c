// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever is written to the lab's files, nothing bad comes of it.
 *
 *  1. A session with a role, a rule and a seed; a rule in windows/; a variant.
 *  2. Malformed commands, made from good ones by one or more faults that no
 *     grammar allows: a foreign byte, a word too many or too few, a number out
 *     of range, an unknown name, half a line, too long a line. To the control
 *     file, each window's arm and release, each file of variants, oracles and
 *     reset, what is injected, and as mount options, in turn.
 *  3. Each is refused with an errno that fits, and after each hundred all that
 *     can be read is as it was before.
 *
 * A broken module takes the command, changes half of what it says, leaks the
 * text (the runner counts memory), oopses, or fills the log: that must stay
 * with a few lines per second. DAXLAB_SEED=N begins with another seed.
 *
 * daxlab-test: timeout=240 needs=mount args="size=16M"
 */
#include "kmsg.h"
#include "session.h"

#include <ftw.h>
#include <sys/mount.h>
#include <time.h>

#define COMMANDS	12000
#define BATCH		100
#define LINE		600

static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL;
}

static unsigned int below(unsigned int n)
{
	return (rnd() >> 33) % n;
}

#define PICK(table) ((table)[below(ARRAY_SIZE(table))])

/* Files that take writes, and what a good line for each is like. */
enum kind { CONTROL_FILE, ARM, RELEASE, VARIANT, INJECT, SWITCH, OPTION };

struct target {
	enum kind kind;
	char path[128];
	int fd;
};

static struct target targets[256];
static unsigned int nr_targets;

static const char *const good_control[] = {
	"bind daxlab0", "role other", "unrole", "end", "seed 5",
	"arm fault.after_grab 1*park(50){role=me}", "arm fault.before_map 5%trace -> off",
	"arm write.copy_user delay(100){index=0x10-0x20,rw=w}", "disarm fault.after_grab",
	"disarm all", "wait me idle 0", "wait all still 0", "wait me parked:fault.after_grab 0",
	"release me", "release all", "mark", "listing", "record", "cure reset",
};

static const char *const good_rule[] = {
	"1*park(50){role=me}", "3*50%trace", "delay(10){ino=3,index=0-511,order=9}",
	"off", "1*off -> 2*delay(1) -> trace{rw=r,pid=12}", "99.9999%trace",
};

static const char *const good_release[] = { "all", "1", "4000000" };

static const char *const good_variant[] = {
	"sound", "v4.20", "naive-mask", "wait_key=searcher", "wait_key=entry,put=inverted",
	"upstream-6.1,recheck=none",
};

static const char *const good_inject[] = {
	"op=read,start=8,nr=4,error=EIO,chance=1.5%,times=3", "op=direct_access,short=1",
	"op=flush,delay=100,after=2,window=fault.after_grab", "remove=1", "remove=all", "seed=9",
	"bad=7-9", "good=all",
};

static const char *const good_switch[] = { "1", "0", "y" };

static const char *good_line(enum kind kind)
{
	switch (kind) {
	case CONTROL_FILE:
		return PICK(good_control);
	case ARM:
		return PICK(good_rule);
	case RELEASE:
		return PICK(good_release);
	case INJECT:
		return PICK(good_inject);
	case SWITCH:
		return PICK(good_switch);
	default:
		return PICK(good_variant);
	}
}

static size_t insert(char *line, size_t len, size_t at, const char *what, size_t nr)
{
	memmove(line + at + nr, line + at, len - at + 1);
	memcpy(line + at, what, nr);
	return len + nr;
}

/* Bytes that stand nowhere in the grammars. */
static const char foreign[] = "!\"#$&'/;<?@[\\]^`|~\x01\x07\x1b\x7f\x80\xe2\xff";

/*
 * One fault. Whatever else is wrong, a line with one of the first two is
 * malformed: these are applied last.
 */
static size_t fault(char *line, size_t len, bool last)
{
	static const char *const words[] = {
		" ", "  -> ", "{", "}", "(", ")", "*", "%", ",", "=", "-", "role=", "18446744073709551616",
		"-1", "0x", "park", "all", "\t", ":", "..", "%s%n%p",
	};
	size_t at = below(len + 1);
	char c = foreign[below(sizeof(foreign) - 1)];
	const char *word;

	switch (last ? below(2) : 2 + below(4)) {
	case 0:		/* a foreign byte */
		return insert(line, len, at, &c, 1);
	case 1:		/* a zero, with something behind it */
		at = below(len + 1);
		len = insert(line, len, at, "", 1);
		return at + 1 == len ? insert(line, len, len, "x", 1) : len;
	case 2:		/* half a line */
		line[at] = '\0';
		return at;
	case 3:		/* something that is good elsewhere */
		word = PICK(words);
		return insert(line, len, at, word, strlen(word));
	case 4:		/* a byte lost */
		if (at == len)
			return len;
		memmove(line + at, line + at + 1, len - at);
		return len - 1;
	default:	/* a byte doubled */
		return at == len ? len : insert(line, len, at, line + at, 1);
	}
}

/* Wholly random, or far too long, or a good line with faults. */
static size_t malformed(enum kind kind, char *line)
{
	size_t len, i;
	int faults;

	/* Kernels look at the first byte only. */
	if (kind == SWITCH) {
		line[0] = foreign[below(sizeof(foreign) - 1)];
		strcpy(line + 1, good_line(kind));
		return strlen(line);
	}
	switch (below(16)) {
	case 0:
		len = 1 + below(80);
		for (i = 0; i < len; i++)
			line[i] = rnd() >> 56;
		line[0] = '!';
		return len;
	case 1:
		len = LINE - below(40);
		memset(line, '1' + below(60), len);
		return len;
	}
	strcpy(line, good_line(kind));
	len = strlen(line);
	for (faults = below(4); faults; faults--)
		len = fault(line, len, false);
	return fault(line, len, true);
}

static int write_line(const struct target *target, const char *line, size_t len)
{
	return write(target->fd, line, len) < 0 ? errno : 0;
}

static int try_option(const char *line)
{
	char option[LINE + 64];

	snprintf(option, sizeof(option), "variant=%s", line);
	return mount(DXL_DEV, DXL_MNT, "daxlab", MS_REMOUNT, option) ? errno : 0;
}

static bool fits(int err)
{
	return err == EINVAL || err == E2BIG || err == ENOENT || err == ENODEV ||
	       err == ESRCH || err == ERANGE;
}

static int add_target(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct target *target = &targets[nr_targets];
	const char *name = path + ftw->base;

	if (type != FTW_F || !(st->st_mode & 0200))
		return 0;
	if (!strcmp(name, "arm"))
		target->kind = ARM;
	else if (!strcmp(name, "release"))
		target->kind = RELEASE;
	else if (!strcmp(name, "inject"))
		target->kind = INJECT;
	else if (strstr(path, "/variant"))
		target->kind = VARIANT;
	else
		target->kind = SWITCH;
	if (!strcmp(path, CONTROL))
		return 0;
	must(nr_targets < ARRAY_SIZE(targets) - 2);
	snprintf(target->path, sizeof(target->path), "%s", path);
	target->fd = open(path, O_WRONLY | O_CLOEXEC);
	must(target->fd >= 0);
	nr_targets++;
	return 0;
}

/* All that can be read of what could have changed. */
static size_t state_size;
static char state[1 << 17];

static int add_state(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *name = path + ftw->base;
	ssize_t got;
	int fd;

	if (type != FTW_F || (st->st_mode & 0600) != 0600 || !strcmp(path, CONTROL))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	must(fd >= 0);
	while ((got = read(fd, state + state_size, sizeof(state) - 1 - state_size)) > 0)
		state_size += got;
	must(!got && *name);
	close(fd);
	return 0;
}

static void mount_options(void)
{
	FILE *mounts = fopen("/proc/mounts", "r");
	char line[1024];

	must(mounts);
	while (fgets(line, sizeof(line), mounts))
		if (!strncmp(line, DXL_DEV " ", strlen(DXL_DEV) + 1))
			state_size += snprintf(state + state_size, sizeof(state) - state_size,
					       "%s", line);
	fclose(mounts);
}

static char *take_state(int session)
{
	state_size = strlen(text_of(session, state));
	must(!nftw(DXL_DEBUGFS, add_state, 8, FTW_PHYS));
	mount_options();
	state[state_size] = '\0';
	return strdup(state);
}

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

	close(fd);
	return err;
}

TEST(fuzz)
{
	const char *given = getenv("DAXLAB_SEED");
	char line[LINE + 16], said[256], *before;
	struct target *injection = NULL;
	unsigned int i, lines, tried = 0, accepted = 0;
	int session = session_open(), log;
	struct timespec start, end;

	seed = given ? strtoull(given, NULL, 0) : 0x5eed;
	TH_LOG("DAXLAB_SEED=%llu", (unsigned long long)seed);
	seed = seed * 2 + 1;
	ASSERT_EQ(0, say(session, "bind daxlab0"));
	ASSERT_EQ(0, say(session, "role me"));
	ASSERT_EQ(0, say(session, "seed 7"));
	ASSERT_EQ(0, say(session, "arm fault.after_grab 3*park{role=nobody}"));
	ASSERT_EQ(0, put(DXL_DEBUGFS "/windows/fault.before_map/arm", "5*delay(1)"));
	ASSERT_EQ(0, put(DXL_DEBUGFS "/devices/daxlab0/inject", "op=recovery,error=EIO"));
	ASSERT_EQ(0, put(DXL_DEBUGFS "/devices/daxlab0/inject", "bad=3"));
	must(!nftw(DXL_DEBUGFS, add_target, 8, FTW_PHYS));
	EXPECT_GT(nr_targets, 40);
	for (i = 0; i < nr_targets; i++)
		if (targets[i].kind == INJECT)
			injection = &targets[i];
	ASSERT_NE(NULL, injection);
	targets[nr_targets++] = (struct target) { .kind = OPTION, .path = "mount -o" };
	before = take_state(session);
	log = kmsg_open();
	clock_gettime(CLOCK_MONOTONIC, &start);

	for (i = 0; i < COMMANDS; i++) {
		struct target control = { CONTROL_FILE, CONTROL, session };
		struct target *target = i % 4 == 3 ? injection :
					i % 4 ? &targets[below(nr_targets)] : &control;
		size_t len = malformed(target->kind, line);
		int err;

		line[len] = '\0';
		/* The VFS ends an option at a comma or a zero. */
		if (target->kind == OPTION && (strlen(line) != len || strchr(line, ',')))
			continue;
		tried++;
		err = target->kind == OPTION ? try_option(line) : write_line(target, line, len);
		EXPECT_TRUE(fits(err)) {
			TH_LOG("%s: errno %d for %zu bytes '%s'", target->path, err, len, line);
		}
		accepted += !err;
		if (i % BATCH == BATCH - 1) {
			char *now = take_state(session);

			ASSERT_STREQ(before, now);
			free(now);
		}
	}
	EXPECT_EQ(0, accepted);
	EXPECT_LE(10000, tried);

	clock_gettime(CLOCK_MONOTONIC, &end);
	lines = kmsg_lines(log, said, sizeof(said));
	TH_LOG("%u lines in %ld s", lines, end.tv_sec - start.tv_sec);
	EXPECT_GT(lines, 0);
	EXPECT_LE(lines, 100 * ((end.tv_sec - start.tv_sec) / 5 + 1));
	close(log);

	ASSERT_EQ(0, put(DXL_DEBUGFS "/windows/fault.before_map/arm", "off"));
	ASSERT_EQ(0, put(DXL_DEBUGFS "/devices/daxlab0/inject", "remove=all"));
	for (i = 0; i < nr_targets; i++)
		if (targets[i].kind != OPTION)
			close(targets[i].fd);
	close(session);
	free(before);
}

TEST_HARNESS_MAIN
