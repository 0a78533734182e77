// SPDX-License-Identifier: GPL-2.0
/*
 * A role waits for the writeback of a page of the swap cache, whose mapping has no
 * inode: what watches waits of the kernel looks at that too.
 *
 *  1. The device is swap. A role pages out, and the device keeps the write.
 *  2. Another calls swapoff(2), and waits for that page. It is in the kernel's
 *     wait, so it has come by our probe.
 *  3. The write goes on: swap is off, and the page has its content.
 *
 * Broken: an oops in the probe, with swap off or on for ever.
 *
 * daxlab-test: timeout=120 needs=module args="size=32M"
 */
#include <sys/swap.h>

#include "inject.h"
#include "session.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT	21
#endif
#define PAGES	(32UL << 20 >> 12)

static void make_swap(void)
{
	static char page[PAGE];
	uint32_t head[3] = { 1, PAGES - 1, 0 };	/* version, last page, bad pages */
	int fd = open(DXL_DEV, O_RDWR | O_CLOEXEC);

	memcpy(page + 1024, head, sizeof(head));
	memcpy(page + PAGE - 10, "SWAPSPACE2", 10);
	must(fd >= 0 && pwrite(fd, page, PAGE, 0) == (ssize_t)PAGE && !fsync(fd));
	close(fd);
	must(!swapon(DXL_DEV, 0));
}

static void page_out(void *seed)
{
	char *page = mmap(NULL, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	/* The page is drained to the LRU on this processor only, before it goes. */
	run_on(0, 0);
	must(page != MAP_FAILED);
	pattern(page, 0, PAGE, *(unsigned int *)seed);
	must(!madvise(page, PAGE, MADV_PAGEOUT));
	must(differs(page, 0, PAGE, *(unsigned int *)seed) < 0);
}

static void swap_off(void *dev)
{
	must(!swapoff(dev));
}

TEST(wait_for_a_page_of_the_swap_cache)
{
	unsigned long long before = injected("delays_write");
	int session = session_open();
	unsigned int seed = 1;
	struct role pager, swapper;

	make_swap();
	pager = role_start(session, "pager", page_out, &seed);
	swapper = role_start(session, "swapper", swap_off, DXL_DEV);
	must(!inject("op=write,delay=10000000"));
	role_go(&pager);
	must(eventually(injected("delays_write") != before));
	role_go(&swapper);
	EXPECT_TRUE(eventually(sleeps_in(swapper.pid, "folio_wait_writeback")));
	inject_nothing();
	EXPECT_EQ(0, say(session, "wait all idle"));
	EXPECT_EQ(0, role_join(&pager));
	EXPECT_EQ(0, role_join(&swapper));
	close(session);
}

TEST_HARNESS_MAIN
