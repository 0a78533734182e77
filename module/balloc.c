// SPDX-License-Identifier: GPL-2.0
/*
 * Free blocks: a bitmap in memory, in chunks of 2 MiB
 *
 * A chunk is whole (all free), open (single blocks are taken from it), held
 * (a file fills it from its own offset, so that the file ends up aligned) or
 * full. Single blocks come from open chunks first, then from whole ones, and
 * from held ones last; this keeps whole chunks for huge mappings.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"
#include "selftest.h"
#include "stats.h"

#include <linux/bitmap.h>
#include <linux/mm.h>

static u64 dxl_chunk_of(u64 block)
{
	return block >> DXL_CHUNK_SHIFT;
}

static u64 dxl_chunk_start(u64 chunk)
{
	return chunk << DXL_CHUNK_SHIFT;
}

/* Blocks of a range that lie in the chunk of its first block. */
static unsigned long dxl_chunk_part(u64 block, u64 nr)
{
	return min(nr, dxl_chunk_start(dxl_chunk_of(block) + 1) - block);
}

static void dxl_set_whole(struct dxl_alloc *a, u64 chunk)
{
	__set_bit(chunk, a->whole);
	__clear_bit(chunk, a->open);
	a->first_whole = min(a->first_whole, chunk);
}

static void dxl_set_open(struct dxl_alloc *a, u64 chunk)
{
	__clear_bit(chunk, a->whole);
	__set_bit(chunk, a->open);
	a->first_open = min(a->first_open, chunk);
}

/* Lowest chunk in @map; @first remembers that there is none below. */
static u64 dxl_first_chunk(const struct dxl_alloc *a, const unsigned long *map,
			   u64 *first)
{
	*first = find_next_bit(map, a->nr_chunks, *first);
	return *first;
}

/* Take blocks, free ones of one chunk; a whole chunk becomes held. */
static void dxl_take(struct dxl_alloc *a, u64 block, unsigned long nr)
	__must_hold(&a->lock)
{
	u64 chunk = dxl_chunk_of(block);

	bitmap_set(a->used, block, nr);
	__clear_bit(chunk, a->whole);
	a->chunk_free[chunk] -= nr;
	if (!a->chunk_free[chunk])
		__clear_bit(chunk, a->open);
	a->nr_free -= nr;
}

/* Give back blocks, used ones of one chunk. */
static void dxl_give(struct dxl_alloc *a, u64 block, unsigned long nr)
	__must_hold(&a->lock)
{
	u64 chunk = dxl_chunk_of(block);
	bool full = !a->chunk_free[chunk];

	bitmap_clear(a->used, block, nr);
	a->chunk_free[chunk] += nr;
	a->nr_free += nr;
	if (a->chunk_free[chunk] == DXL_CHUNK_BLOCKS)
		dxl_set_whole(a, chunk);
	else if (full)
		dxl_set_open(a, chunk);
}

/* Blocks that may be taken by whoever has no right to the reserve. */
static u64 dxl_avail(const struct dxl_alloc *a)
{
	return a->nr_free > a->reserve ? a->nr_free - a->reserve : 0;
}

/* A free block near @goal, or anywhere; there is one. */
static u64 dxl_find(struct dxl_alloc *a, u64 goal)
	__must_hold(&a->lock)
{
	u64 chunk = dxl_chunk_of(goal);
	u64 end, block;

	if (chunk < a->nr_chunks && a->chunk_free[chunk]) {
		end = dxl_chunk_start(chunk + 1);
		block = find_next_zero_bit(a->used, end, goal);
		if (block < end)
			return block;
	}

	chunk = dxl_first_chunk(a, a->open, &a->first_open);
	if (chunk >= a->nr_chunks)
		chunk = dxl_first_chunk(a, a->whole, &a->first_whole);
	if (chunk >= a->nr_chunks)
		for (chunk = 0; !a->chunk_free[chunk]; chunk++)
			;
	dxl_set_open(a, chunk);
	block = dxl_chunk_start(chunk);
	return find_next_zero_bit(a->used, block + DXL_CHUNK_BLOCKS, block);
}

/* Take up to @nr adjacent blocks, @avail at most. */
static int dxl_take_near(struct dxl_alloc *a, u64 goal, unsigned long nr,
			 u64 avail, u64 *block)
	__must_hold(&a->lock)
{
	u64 end;

	nr = min_t(u64, nr, avail);
	if (!nr)
		return -ENOSPC;
	*block = dxl_find(a, goal);
	end = *block + dxl_chunk_part(*block, nr);
	nr = find_next_bit(a->used, end, *block) - *block;
	dxl_take(a, *block, nr);
	dxl_stat_add(DXL_STAT_BLOCKS_ALLOCATED, nr);
	return nr;
}

/**
 * dxl_balloc() - Allocate adjacent blocks.
 * @sbi: the mount
 * @goal: block wanted as first, DXL_NO_BLOCK: any
 * @nr: blocks wanted, at least 1
 * @block: receives the first block
 *
 * Context: Any process context.
 * Return: blocks got, 1 to @nr and 512 at most, or -ENOSPC.
 */
int dxl_balloc(struct dxl_sb *sbi, u64 goal, unsigned long nr, u64 *block)
{
	struct dxl_alloc *a = &sbi->alloc;
	int got;

	do {
		spin_lock(&a->lock);
		got = dxl_take_near(a, goal, nr, dxl_avail(a), block);
		spin_unlock(&a->lock);
	} while (got < 0 && dxl_balloc_reap(sbi));
	return got;
}

/**
 * dxl_balloc_aligned() - Allocate adjacent blocks in a chunk of their own.
 * @sbi: the mount
 * @offset: of the first block in its chunk
 * @nr: blocks wanted, at least 1
 * @block: receives the first block
 *
 * The rest of the chunk is kept for the caller, who asks for it by goal, as
 * long as there is space elsewhere. All 512 blocks make a huge mapping.
 *
 * Context: Any process context.
 * Return: blocks got: @nr, less only at the end of the chunk; -ENOSPC if no
 * chunk is wholly free.
 */
int dxl_balloc_aligned(struct dxl_sb *sbi, unsigned int offset,
		       unsigned long nr, u64 *block)
{
	struct dxl_alloc *a = &sbi->alloc;
	int got = -ENOSPC;
	u64 chunk;

	nr = min(nr, DXL_CHUNK_BLOCKS - offset);
	dxl_balloc_reap(sbi);
	spin_lock(&a->lock);
	chunk = dxl_first_chunk(a, a->whole, &a->first_whole);
	if (chunk < a->nr_chunks && nr <= dxl_avail(a)) {
		*block = dxl_chunk_start(chunk) + offset;
		dxl_take(a, *block, nr);
		dxl_stat_add(DXL_STAT_BLOCKS_ALLOCATED, nr);
		got = nr;
	}
	spin_unlock(&a->lock);
	return got;
}

/**
 * dxl_balloc_node() - Allocate a block for a map node.
 * @sbi: the mount
 * @use_reserve: the node splits a HUGE word. The reserve has a block for each
 *	chunk, and there are no more HUGE words than chunks: a split never
 *	lacks its node.
 * @block: receives the block
 *
 * Context: Any process context.
 * Return: 0 or -ENOSPC.
 */
int dxl_balloc_node(struct dxl_sb *sbi, bool use_reserve, u64 *block)
{
	struct dxl_alloc *a = &sbi->alloc;
	int got;

	do {
		spin_lock(&a->lock);
		got = dxl_take_near(a, DXL_NO_BLOCK, 1,
				    use_reserve ? a->nr_free : dxl_avail(a),
				    block);
		spin_unlock(&a->lock);
	} while (got < 0 && dxl_balloc_reap(sbi));
	return got < 0 ? got : 0;
}

/*
 * A part of a range to mark or free: of one chunk and one state of media. Bad
 * media is in use for ever, also where it lies in a file.
 */
static unsigned long dxl_part(struct dxl_sb *sbi, u64 block, u64 nr, bool *bad)
{
	*bad = !dxl_media_addr(&sbi->media, block);
	return sbi->media.shift ? dxl_chunk_part(block, nr) : 1;
}

/**
 * dxl_balloc_free() - Give blocks back.
 * @sbi: the mount
 * @block: first block
 * @nr: blocks
 *
 * The caller has made durable that no pointer on media leads to them.
 *
 * Context: Any process context.
 */
void dxl_balloc_free(struct dxl_sb *sbi, u64 block, unsigned long nr)
{
	struct dxl_alloc *a = &sbi->alloc;
	u64 end = block + nr;

	spin_lock(&a->lock);
	while (block < end) {
		bool bad;
		unsigned long part = dxl_part(sbi, block, end - block, &bad);

		if (WARN_ON_ONCE(block < sbi->data_block ||
				 end > sbi->nr_blocks ||
				 find_next_zero_bit(a->used, block + part,
						    block) < block + part))
			break;
		if (!bad) {
			dxl_give(a, block, part);
			dxl_stat_add(DXL_STAT_BLOCKS_FREED, part);
		}
		block += part;
	}
	spin_unlock(&a->lock);
}

/**
 * dxl_balloc_keep() - Do not give a block back yet: somebody has pinned it.
 * @sbi: the mount
 * @block: as for dxl_balloc_free()
 *
 * Context: Any process context.
 */
void dxl_balloc_keep(struct dxl_sb *sbi, u64 block)
{
	struct dxl_alloc *a = &sbi->alloc;

	spin_lock(&a->lock);
	if (!WARN_ON_ONCE(__test_and_set_bit(block, a->kept)))
		WRITE_ONCE(a->nr_kept, a->nr_kept + 1);
	spin_unlock(&a->lock);
	dxl_stat_inc(DXL_STAT_BLOCKS_KEPT);
}

/**
 * dxl_balloc_reap() - Free kept blocks that nobody has pinned any more.
 * @sbi: the mount
 *
 * Nothing maps them, so who finds one not pinned knows that it stays so.
 *
 * Context: Any process context, inside dxl_media_enter().
 * Return: were there any?
 */
bool dxl_balloc_reap(struct dxl_sb *sbi)
{
	struct dxl_alloc *a = &sbi->alloc;
	unsigned long block, nr = 0;

	if (!READ_ONCE(a->nr_kept))
		return false;
	spin_lock(&a->lock);
	for_each_set_bit(block, a->kept, sbi->nr_blocks) {
		if (dxl_media_pinned(&sbi->media, block))
			continue;
		__clear_bit(block, a->kept);
		dxl_give(a, block, 1);
		nr++;
	}
	WRITE_ONCE(a->nr_kept, a->nr_kept - nr);
	spin_unlock(&a->lock);
	dxl_stat_add(DXL_STAT_BLOCKS_FREED, nr);
	return nr;
}

/* Visit the free blocks that are pinned; @keep: they are in use, and kept. */
static u64 dxl_balloc_pinned(struct dxl_sb *sbi, bool keep, u64 *first)
{
	struct dxl_alloc *a = &sbi->alloc;
	u64 chunk, block, end, nr = 0;

	/* In our own memory a pin holds a chunk, whatever of it is in use. */
	if (!sbi->media.pagemap)
		return 0;
	for (chunk = 0; chunk < a->nr_chunks; chunk++) {
		block = dxl_chunk_start(chunk);
		end = min(dxl_chunk_start(chunk + 1), sbi->nr_blocks);
		spin_lock(&a->lock);
		for (; block < end; block++) {
			if (test_bit(block, a->used) ||
			    !dxl_media_pinned(&sbi->media, block))
				continue;
			if (keep) {
				dxl_set_open(a, chunk);
				dxl_take(a, block, 1);
				__set_bit(block, a->kept);
				WRITE_ONCE(a->nr_kept, a->nr_kept + 1);
			}
			if (!nr++)
				*first = block;
		}
		spin_unlock(&a->lock);
		cond_resched();
	}
	return nr;
}

/**
 * dxl_balloc_census() - Count blocks that are free and pinned.
 * @sbi: the mount
 * @first: set to the first, if there is one
 *
 * Context: May sleep, inside dxl_media_enter().
 * Return: how many; never anything but 0.
 */
u64 dxl_balloc_census(struct dxl_sb *sbi, u64 *first)
{
	return dxl_balloc_pinned(sbi, false, first);
}

/**
 * dxl_balloc_keep_pinned() - Do not give what was pinned before the mount.
 * @sbi: the mount; the image was checked
 *
 * Pins outlive an unmount. What they hold and no file has is kept.
 *
 * Context: May sleep, inside dxl_media_enter().
 */
void dxl_balloc_keep_pinned(struct dxl_sb *sbi)
{
	u64 first, nr = dxl_balloc_pinned(sbi, true, &first);

	if (nr)
		dxl_info(sbi->sb, "%llu free blocks are pinned, from %llu: in use until they are not",
			 nr, first);
}

/**
 * dxl_balloc_mark() - Mark blocks that the image uses, at mount.
 * @sbi: the mount
 * @block: first block
 * @nr: blocks
 *
 * Context: Any process context.
 * Return: 0; -EUCLEAN if they are outside of the data area or in use already.
 */
int dxl_balloc_mark(struct dxl_sb *sbi, u64 block, u64 nr)
{
	struct dxl_alloc *a = &sbi->alloc;
	u64 end = block + nr;
	int err = 0;

	if (block < sbi->data_block || end > sbi->nr_blocks || end < block)
		return -EUCLEAN;
	spin_lock(&a->lock);
	while (block < end) {
		bool bad;
		unsigned long part = dxl_part(sbi, block, end - block, &bad);

		if (!bad) {
			if (find_next_bit(a->used, block + part, block) <
			    block + part) {
				err = -EUCLEAN;
				break;
			}
			dxl_set_open(a, dxl_chunk_of(block));
			dxl_take(a, block, part);
		}
		block += part;
	}
	spin_unlock(&a->lock);
	return err;
}

/* Take what nobody can have; blocks may be in use already. */
static void dxl_balloc_claim(struct dxl_alloc *a, u64 block, u64 end)
{
	spin_lock(&a->lock);
	for (; block < end; block++) {
		if (test_bit(block, a->used))
			continue;
		dxl_set_open(a, dxl_chunk_of(block));
		dxl_take(a, block, 1);
	}
	spin_unlock(&a->lock);
}

/**
 * dxl_balloc_init() - Start with all of the data area free.
 * @sbi: the mount: @media, @nr_blocks and @data_block are known
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM, when nothing is held.
 */
int dxl_balloc_init(struct dxl_sb *sbi)
{
	struct dxl_alloc *a = &sbi->alloc;
	u64 block, nr;

	spin_lock_init(&a->lock);
	a->nr_chunks = DIV_ROUND_UP_ULL(sbi->nr_blocks, DXL_CHUNK_BLOCKS);
	nr = dxl_chunk_start(a->nr_chunks);
	a->used = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	a->whole = kvcalloc(BITS_TO_LONGS(a->nr_chunks), sizeof(long),
			    GFP_KERNEL);
	a->open = kvcalloc(BITS_TO_LONGS(a->nr_chunks), sizeof(long),
			   GFP_KERNEL);
	a->chunk_free = kvmalloc_array(a->nr_chunks, sizeof(*a->chunk_free),
				       GFP_KERNEL);
	a->kept = kvcalloc(BITS_TO_LONGS(nr), sizeof(long), GFP_KERNEL);
	if (!a->used || !a->whole || !a->open || !a->chunk_free || !a->kept) {
		dxl_balloc_exit(sbi);
		return -ENOMEM;
	}

	bitmap_fill(a->whole, a->nr_chunks);
	for (block = 0; block < a->nr_chunks; block++)
		a->chunk_free[block] = DXL_CHUNK_BLOCKS;
	a->nr_free = nr;
	a->nr_kept = 0;
	a->first_whole = 0;
	a->first_open = a->nr_chunks;

	dxl_balloc_claim(a, 0, sbi->data_block);
	dxl_balloc_claim(a, sbi->nr_blocks, nr);
	if (!sbi->media.shift)
		for (block = sbi->data_block; block < sbi->nr_blocks; block++)
			if (!dxl_media_addr(&sbi->media, block))
				dxl_balloc_claim(a, block, block + 1);
	a->reserve = min(a->nr_chunks, a->nr_free);
	return 0;
}

/**
 * dxl_balloc_exit() - Free the bitmap.
 * @sbi: the mount; after dxl_balloc_init(), failed or not, or all zero
 *
 * Context: May sleep.
 */
void dxl_balloc_exit(struct dxl_sb *sbi)
{
	struct dxl_alloc *a = &sbi->alloc;

	kvfree(a->kept);
	kvfree(a->chunk_free);
	kvfree(a->open);
	kvfree(a->whole);
	kvfree(a->used);
	a->kept = NULL;
	a->chunk_free = NULL;
	a->open = NULL;
	a->whole = NULL;
	a->used = NULL;
}

#ifdef DAXLAB_DEBUG
#include "selftest/balloc.c"
#endif
