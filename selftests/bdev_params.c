// SPDX-License-Identifier: GPL-2.0
/*
 * Module parameters that can not be met are refused: insmod gets an errno that
 * says what kind of mistake it was, the log gets one line that says which,
 * and nothing is left behind.
 *
 *   1. load with the parameters; the errno must be the one of the table
 *   2. the log since then must be one line of daxlab, with the text of the table
 *   3. there must be no device and no module; the runner sees to it that there is
 *      as much memory as before
 *
 * A broken module loads with some other size, oopses, prints nothing, or
 * keeps memory. Runs for some seconds.
 *
 * daxlab-test: needs=none timeout=200
 */
#include "daxlab.h"
#include "kmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"

static const struct refusal {
	const char *params;
	int err;
	const char *text;
} refusals[] = {
	{ "size=0",			EINVAL,	"size=0 is not a multiple" },
	{ "size=2097153",		EINVAL,	"is not a multiple of 2M" },
	{ "size=1M",			EINVAL,	"is not a multiple of 2M" },
	{ "size=3M",			EINVAL,	"is not a multiple of 2M" },
	{ "size=512Q",			EINVAL,	"size=512Q is not a size" },
	{ "size=2T4",			EINVAL,	"is not a size" },
	{ "size=-2M",			EINVAL,	"is not a size" },
	{ "size=+2M",			EINVAL,	"is not a size" },
	{ "size=M",			EINVAL,	"is not a size" },
	{ "size=",			EINVAL,	"is not a size" },
	{ "size=0x",			EINVAL,	"is not a size" },
	{ "size",			EINVAL,	"`' invalid for parameter" },
	{ "size=99999999999999999999",	ERANGE,	"is not a size" },
	{ "size=16777216T",		ERANGE,	"is not a size" },	/* 2^64 */
	{ "size=16777217T",		ERANGE,	"is not a size" },
	{ "size=8388608T",		ENOMEM,	"MiB of RAM here" },	/* 2^63 */
	{ "ndev=2 size=8388608T",	ENOMEM,	"MiB of RAM here" },
	{ "size=1T",			ENOMEM,	"MiB of RAM here" },
	{ "ndev=16 size=16G",		ENOMEM,	"MiB of RAM here" },
	{ "ndev=17 size=2M",		ERANGE,	"ndev=17 is not in 0..16" },
	{ "ndev=4294967295 size=2M",	ERANGE,	"is not in 0..16" },
	{ "ndev=4294967296",		ERANGE,	"invalid for parameter `ndev'" },
	{ "ndev=-1",			EINVAL,	"invalid for parameter `ndev'" },
	{ "ndev=few",			EINVAL,	"invalid for parameter `ndev'" },
	{ "backing=disk",		EINVAL,	"backing=disk is neither" },
	{ "backing=",			EINVAL,	"backing= is neither" },
	{ "range=4G,1G",		EINVAL,	"go with backing=pmem" },
	{ "device=/dev/pmem0",		EINVAL,	"go with backing=pmem" },
	{ "backing=pmem",		EINVAL,	"needs range= or device=" },
	{ "backing=pmem range=4G,1G device=/dev/pmem0", EINVAL, "and not both" },
	{ "backing=pmem ndev=2 range=4G,1G", EINVAL, "for one device" },
	{ "backing=pmem ndev=0 range=4G,1G", EINVAL, "for one device" },
	{ "backing=pmem size=2M range=4G,1G", EINVAL, "goes with backing=ram" },
	{ "backing=pmem range=4G",	EINVAL,	"is not ADDRESS,SIZE" },
	{ "backing=pmem range=,4G",	EINVAL,	"is not ADDRESS,SIZE" },
	{ "backing=pmem range=4G,",	EINVAL,	"is not ADDRESS,SIZE" },
	{ "backing=pmem range=4G,1G,",	EINVAL,	"is not ADDRESS,SIZE" },
	{ "backing=pmem range=4G,-1",	EINVAL,	"is not ADDRESS,SIZE" },
	{ "backing=pmem range=4G,0",	EINVAL,	"multiples of 2M" },
	{ "backing=pmem range=4097M,2M", EINVAL, "multiples of 2M" },
	{ "backing=pmem range=4G,3M",	EINVAL,	"multiples of 2M" },
	{ "backing=pmem range=4G,16777216T", ERANGE, "is not ADDRESS,SIZE" },
	{ "backing=pmem range=16777215T,2T", ERANGE, "goes beyond the last" },
	{ "backing=pmem range=64M,2M",	ENXIO,	"System RAM" },
	{ "backing=pmem range=0,4T",	ENXIO,	"System RAM" },
	{ "backing=pmem range=512T,2M",	ENODEV,	"not all reserved memory" },
	{ "backing=pmem device=/dev/nothing", ENOENT, "cannot be opened" },
	{ "backing=pmem device=/dev/null", ENOTBLK, "cannot be opened" },
	{ "backing=pmem media=on device=/dev/null", EINVAL, "media=on goes with" },
	{ "backing=pmem device=.",	ENOTBLK, "cannot be opened" },
};

FIXTURE(module)
{
	int log;
};

FIXTURE_SETUP(module)
{
	dxl_unload();
	/* The kernel tells once a boot what it thinks of foreign modules. */
	ASSERT_EQ(0, dxl_load("ndev=0"));
	ASSERT_EQ(0, dxl_unload());
	self->log = kmsg_open();
	ASSERT_GE(self->log, 0);
}

FIXTURE_TEARDOWN(module)
{
	dxl_unload();
	close(self->log);
}

TEST_F_TIMEOUT(module, is_refused, 120)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *r = &refusals[i];
		char line[512] = "";
		struct stat st;
		int ret, err, lines;

		errno = 0;
		ret = dxl_load(r->params);
		err = errno;
		lines = kmsg_lines(self->log, line, sizeof(line));
		TH_LOG("%s: %s; %s", r->params, strerror(err), line);
		EXPECT_EQ(-1, ret)
			dxl_unload();
		EXPECT_EQ(r->err, err);
		EXPECT_EQ(1, lines);
		EXPECT_NE(NULL, strstr(line, r->text));
		EXPECT_EQ(-1, stat("/sys/module/daxlab", &st));
		EXPECT_EQ(-1, stat(DXL_DEV, &st));
	}
}

TEST_F(module, sizes_in_other_words)
{
	static const char * const params[] = {
		"size=4194304", "size=0x400000", "size=4096k", "size=4m",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(params); i++) {
		int fd;

		ASSERT_EQ(0, dxl_load(params[i]));
		fd = open(DXL_DEV, O_RDONLY);
		ASSERT_GE(fd, 0);
		EXPECT_EQ(4 << 20, lseek(fd, 0, SEEK_END));
		close(fd);
		ASSERT_EQ(0, dxl_unload());
	}
}

TEST_F(module, none_and_most_devices)
{
	struct stat st;

	ASSERT_EQ(0, dxl_load("ndev=0"));
	EXPECT_EQ(-1, stat(DXL_DEV, &st));
	ASSERT_EQ(0, dxl_unload());

	ASSERT_EQ(0, dxl_load("ndev=16 size=2M"));
	EXPECT_EQ(0, stat("/dev/daxlab0", &st));
	EXPECT_EQ(0, stat("/dev/daxlab15", &st));
	EXPECT_EQ(-1, stat("/dev/daxlab16", &st));
	ASSERT_EQ(0, dxl_unload());
	EXPECT_EQ(-1, stat("/dev/daxlab15", &st));
}

TEST_F(module, second_load)
{
	ASSERT_EQ(0, dxl_load("size=2M"));
	EXPECT_EQ(-1, dxl_load("size=2M"));
	EXPECT_EQ(EEXIST, errno);
	ASSERT_EQ(0, dxl_unload());
}

TEST_HARNESS_MAIN
