// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a device: a range of physical memory that was kept from the kernel
 * at boot. It gets struct pages of its own, as the memory of pmem drivers does, so
 * its pages can be pinned, and fs/dax.c of all kernels can use it
 * (backing=pmem range=).
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "compat_mm.h"
#include "units.h"

#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* A walk goes upwards: how far is all of one kind? */
static int dxl_range_walk(struct resource *res, void *arg)
{
	u64 *end = arg;

	if (res->start <= *end)
		*end = max_t(u64, *end, res->end + 1);
	return 0;
}

/*
 * Is all of it memory that firmware or command line have set aside for somebody
 * like us? What is only "reserved" may be the firmware's own.
 */
static bool dxl_range_reserved(u64 start, u64 size)
{
	static const unsigned long kinds[] = {
		IORES_DESC_PERSISTENT_MEMORY,
		IORES_DESC_PERSISTENT_MEMORY_LEGACY,
		IORES_DESC_SOFT_RESERVED,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		u64 end = start;

		walk_iomem_res_desc(kinds[i], IORESOURCE_MEM, start,
				    start + size - 1, &end, dxl_range_walk);
		if (end >= start + size)
			return true;
	}
	return false;
}

static int dxl_range_check(u64 start, u64 size)
{
	if (region_intersects(start, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("range=%#llx,%#llx is System RAM, or some of it is: reserve it (memmap=SIZE!ADDRESS)\n",
		       start, size);
		return -ENXIO;
	}
	if (!dxl_range_reserved(start, size)) {
		pr_err("range=%#llx,%#llx is not all reserved memory: see /proc/iomem\n",
		       start, size);
		return -ENODEV;
	}
	return 0;
}

/**
 * dxl_range_get() - Take a range of reserved memory.
 * @name: who has it, for /proc/iomem
 * @start: physical address, a multiple of 2 MiB
 * @size: bytes, a multiple of 2 MiB, not 0
 *
 * Context: May sleep for long.
 * Return: the range; or, after a line in the log, an ERR_PTR: -ENXIO for RAM of
 * the kernel, -ENODEV if no such memory is there, -EBUSY if it is in use, -ENOMEM
 * and others if there can be no pages for it.
 */
struct dxl_range *dxl_range_get(const char *name, u64 start, u64 size)
{
	struct dxl_range *range;
	int err;

	err = dxl_range_check(start, size);
	if (err)
		return ERR_PTR(err);
	range = kzalloc(sizeof(*range), GFP_KERNEL);
	if (!range) {
		err = -ENOMEM;
		goto err_say;
	}
	strscpy(range->name, name, sizeof(range->name));
	if (!request_mem_region(start, size, range->name)) {
		pr_err("range=%#llx,%#llx is in use: see /proc/iomem\n", start,
		       size);
		kfree(range);
		return ERR_PTR(-EBUSY);
	}
	range->pgmap.type = MEMORY_DEVICE_FS_DAX;
	range->pgmap.range.start = start;
	range->pgmap.range.end = start + size - 1;
	range->pgmap.nr_range = 1;
	range->addr = memremap_pages(&range->pgmap, NUMA_NO_NODE);
	if (!IS_ERR(range->addr))
		return range;

	err = PTR_ERR(range->addr);
	release_mem_region(start, size);
	kfree(range);
err_say:
	pr_err("range=%#llx,%#llx: cannot make pages for it: %pe\n", start, size,
	       ERR_PTR(err));
	return ERR_PTR(err);
}

/**
 * dxl_range_used() - Does anybody still use pages of it, for I/O or in a pipe?
 * @range: from dxl_range_get(); nothing maps it
 *
 * Context: May sleep.
 * Return: As it says.
 */
bool dxl_range_used(const struct dxl_range *range)
{
	struct page *page = virt_to_page(range->addr);
	unsigned long i, nr = dxl_byte_to_page(range_len(&range->pgmap.range));

	for (i = 0; i < nr; i++) {
		if (dxl_pagemap_page_used(page + i))
			return true;
		if (!(i % PTRS_PER_PTE))
			cond_resched();
	}
	return false;
}

/**
 * dxl_range_put() - Give it back.
 * @range: from dxl_range_get(); nothing maps it, and no device shows it
 *
 * Pages that somebody uses cannot go, and nobody would say when he is done: then
 * the range stays taken until the next boot.
 *
 * Context: May sleep for long.
 */
void dxl_range_put(struct dxl_range *range)
{
	u64 start = range->pgmap.range.start;
	u64 size = range_len(&range->pgmap.range);

	if (dxl_range_used(range)) {
		pr_err("%s: pages that were mapped are in use still: range=%#llx,%#llx stays taken\n",
		       range->name, start, size);
		return;
	}
	memunmap_pages(&range->pgmap);
	release_mem_region(start, size);
	kfree(range);
}
