// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device: 2 MiB chunks of RAM, zero when new (backing=ram).
 *
 * The chunks are plain order-9 blocks of the page allocator. Who mounts the
 * device may join the pages of a chunk to a compound page, on which others then
 * take references; dxl_ram_settle() makes them plain again for the next one.
 * Where only we mount it (DXL_RAM_IS_OURS), they are compound pages all the time.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "compat.h"
#include "compat_mm.h"

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>

#define DXL_RAM_ORDER	(PMD_SHIFT - PAGE_SHIFT)

/*
 * An order this high is never worth the OOM killer and the kernel does not
 * call it for one; RETRY_MAYFAIL makes reclaim and compaction work for it,
 * which long-running machines with a full page cache need.
 */
#define DXL_RAM_GFP	(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | \
			 __GFP_RETRY_MAYFAIL)

static int dxl_ram_cmp(const void *a, const void *b)
{
	void *x = *(void **)a, *y = *(void **)b;

	return x > y ? -1 : x < y;
}

/**
 * dxl_ram_alloc() - Get memory for a device.
 * @ram: to be filled
 * @size: bytes, a multiple of 2 MiB, not 0
 *
 * Context: May sleep for long; a fatal signal ends it.
 * Return: 0, -ENOMEM or -EINTR; nothing is held after an error.
 */
int dxl_ram_alloc(struct dxl_ram *ram, u64 size)
{
	unsigned long nr = size >> PMD_SHIFT;
	int err = -ENOMEM;

	ram->nr = 0;
	ram->chunk = kvcalloc(nr, sizeof(*ram->chunk), GFP_KERNEL);
	if (!ram->chunk)
		return -ENOMEM;

	while (ram->nr < nr) {
		struct page *page;

		if (fatal_signal_pending(current)) {
			err = -EINTR;
			goto err_free;
		}
		page = alloc_pages(DXL_RAM_GFP |
				   (DXL_RAM_IS_OURS ? __GFP_COMP : 0),
				   DXL_RAM_ORDER);
		if (!page)
			goto err_free;
		ram->chunk[ram->nr++] = page_address(page);
		cond_resched();
	}
	/*
	 * Downwards, so that what comes next on the device never comes next in
	 * memory: who runs over the end of a chunk hits the wrong one at once,
	 * and not only on a machine whose memory is fragmented.
	 */
	sort(ram->chunk, nr, sizeof(*ram->chunk), dxl_ram_cmp, NULL);
	return 0;

err_free:
	dxl_ram_free(ram);
	return err;
}

/**
 * dxl_ram_settle() - Make all chunks plain pages, as they were when new.
 * @ram: from dxl_ram_alloc(); nobody has mounted it, so nothing maps it
 *
 * Context: May sleep; one caller at a time.
 * Return: 0, or -EBUSY if somebody still uses pages that were mapped, for
 * O_DIRECT or in a pipe.
 */
int dxl_ram_settle(struct dxl_ram *ram)
{
	unsigned long i;

	for (i = 0; i < ram->nr; i++) {
		struct page *page = virt_to_page(ram->chunk[i]);

		if (PageHead(page) && !dxl_pages_part(page, DXL_RAM_ORDER))
			return -EBUSY;
		cond_resched();
	}
	return 0;
}

/**
 * dxl_ram_free() - Give the memory of a device back.
 * @ram: from dxl_ram_alloc()
 *
 * A chunk that somebody still uses pages of is freed when he gives them back.
 *
 * Context: May sleep. Nothing may map the memory any more.
 */
void dxl_ram_free(struct dxl_ram *ram)
{
	while (ram->nr) {
		free_pages((unsigned long)ram->chunk[--ram->nr],
			   DXL_RAM_ORDER);
		cond_resched();
	}
	kvfree(ram->chunk);
	ram->chunk = NULL;
}

/**
 * dxl_ram_addr() - Where a byte of the device is.
 * @ram: the memory
 * @offset: in bytes, inside of the device
 * @avail: filled with the number of bytes from there to the end of its chunk,
 *	at least 1
 *
 * Context: Any context.
 * Return: Its address in the linear map.
 */
void *dxl_ram_addr(const struct dxl_ram *ram, u64 offset, u64 *avail)
{
	u64 inside = offset & ~PMD_MASK;

	*avail = PMD_SIZE - inside;
	return ram->chunk[offset >> PMD_SHIFT] + inside;
}
