// SPDX-License-Identifier: GPL-2.0
/*
 * Rules of injection: what is right is taken and listed, what is wrong is refused
 * with one line in the log at most, and changes nothing.
 *
 * A broken parser takes half a rule, or a block that the device has not.
 *
 * daxlab-test: needs=module args="size=64M"
 */
#include "inject.h"
#include "kmsg.h"

#define REPORT 4096

FIXTURE(rules) {
	char before[REPORT], now[REPORT];
};

FIXTURE_SETUP(rules)
{
	inject_nothing();
}

FIXTURE_TEARDOWN(rules)
{
	inject_nothing();
}

TEST_F(rules, good_ones_are_taken_and_listed)
{
	ASSERT_EQ(0, inject("op=read,start=8,nr=4,error=EIO,times=3\n"));
	ASSERT_EQ(0, inject("op=direct_access, short=1, chance=0.5%%"));
	ASSERT_EQ(0, inject("op=flush,error=ENOSPC,delay=20,after=7"));
	ASSERT_EQ(0, inject("op=zero,error=EHWPOISON,window=fault.after_grab"));
	ASSERT_EQ(0, inject("remove=3"));
	ASSERT_EQ(0, inject("op=recovery,nr=0x10,error=ENODATA"));
	ASSERT_EQ(0, inject("seed=77"));
	ASSERT_EQ(0, inject("bad=5"));
	ASSERT_EQ(0, inject("bad=7-9"));
	EXPECT_STREQ("seed=77\n"
		     "1: op=read,start=8,nr=4,error=EIO,times=3: 0 hits, 0 acted on\n"
		     "2: op=direct_access, short=1, chance=0.5%: 0 hits, 0 acted on\n"
		     "4: op=zero,error=EHWPOISON,window=fault.after_grab: 0 hits, 0 acted on\n"
		     "5: op=recovery,nr=0x10,error=ENODATA: 0 hits, 0 acted on\n"
		     "bad=5-5\n"
		     "bad=7-9\n", injecting(self->now, REPORT));
}

TEST_F(rules, bad_ones_are_refused)
{
	static const char *const wrong[] = {
		"", " ", "op", "op=", "op=read", "op=fly,error=EIO", "error=EIO,op=read",
		"op=read,error=EIO,error=EIO", "op=read,error=EAGAIN", "op=read,error=5",
		"op=read,error=EHWPOISON", "op=direct_access,error=ENOMEM",
		"op=read,error=EIO,", "op=read,,error=EIO",
		"op=read,error=EIO,start=-1", "op=read,error=EIO,start=16384",
		"op=read,error=EIO,start=16383,nr=2", "op=read,error=EIO,nr=0",
		"op=read,error=EIO,nr=18446744073709551615,start=1",
		"op=read,error=EIO,start=99999999999999999999", "op=flush,start=0,error=EIO",
		"op=read,short=1", "op=direct_access,short=0", "op=read,delay=0",
		"op=read,delay=10000001", "op=read,error=EIO,chance=101%",
		"op=read,error=EIO,chance=5", "op=read,error=EIO,chance=0%",
		"op=read,error=EIO,chance=100.1%", "op=read,error=EIO,chance=1.12345%",
		"op=read,error=EIO,times=0", "op=read,error=EIO,times=99999999999",
		"op=read,error=EIO,window=no.such", "op=read,error=EIO,colour=red",
		"remove=", "remove=0x1", "remove=-1", "remove=1 2", "seed=", "seed=x", "bad=", "bad=1-",
		"bad=9-8", "bad=0-16384", "bad=16384", "good=none", "good=5-4", "help",
		"remove=1\nremove=2",
	};
	char said[256];
	int log = kmsg_open();
	size_t i, lines;

	must(!inject("op=recovery,error=EIO") && !inject("bad=3-4"));
	injecting(self->before, REPORT);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		EXPECT_EQ(-EINVAL, inject("%s", wrong[i]))
			TH_LOG("'%s'", wrong[i]);
		EXPECT_STREQ(self->before, injecting(self->now, REPORT));
	}
	EXPECT_EQ(-ENOENT, inject("remove=2"));
	EXPECT_EQ(-E2BIG, inject("op=read,error=EIO,%0200d", 0));
	lines = kmsg_lines(log, said, sizeof(said));
	EXPECT_GT(lines, 0);
	EXPECT_LE(lines, ARRAY_SIZE(wrong) + 2);
	close(log);
}

TEST_F(rules, there_is_a_limit)
{
	int i, err;

	for (i = 0; !(err = inject("op=recovery,error=EIO,times=1")); i++)
		ASSERT_GT(1000, i);
	EXPECT_EQ(64, i);
	EXPECT_EQ(-ENOSPC, err);
}

TEST_HARNESS_MAIN
