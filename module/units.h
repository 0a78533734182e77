/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Named conversions between what a device is counted in: bytes, sectors of
 * the block layer (512 bytes), pages.
 */
#ifndef DXL_UNITS_H
#define DXL_UNITS_H

#include <linux/blk_types.h>
#include <linux/mm_types.h>

static inline u64 dxl_sector_to_byte(sector_t sector)
{
	return (u64)sector << SECTOR_SHIFT;
}

static inline sector_t dxl_byte_to_sector(u64 byte)
{
	return byte >> SECTOR_SHIFT;
}

static inline u64 dxl_page_to_byte(pgoff_t page)
{
	return (u64)page << PAGE_SHIFT;
}

static inline pgoff_t dxl_byte_to_page(u64 byte)
{
	return byte >> PAGE_SHIFT;
}

#endif /* DXL_UNITS_H */
