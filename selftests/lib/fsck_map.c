// SPDX-License-Identifier: GPL-2.0
/*
 * The check from user space: blocks, and the maps that lead to them
 */
#include "fsck_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PAGES	(DXL_MAX_SIZE / DXL_BLOCK_SIZE)
#define WORD_BITS	(DXL_MAP_VALID | DXL_MAP_UNWRITTEN | DXL_MAP_HUGE | DXL_MAP_BLOCK)

uint32_t fsck_crc(const void *data, size_t len)
{
	static uint32_t table[256];
	const uint8_t *p = data;
	uint32_t crc = ~0U, i;
	int bit;

	for (i = 1; !table[255] && i < 256; i++)
		for (table[i] = i, bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82f63b78 : 0);
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *p++) & 255];
	return crc;
}

void *fsck_read(struct fsck *f, uint64_t block)
{
	void *bytes = aligned_alloc(DXL_BLOCK_SIZE, DXL_BLOCK_SIZE);

	if (bytes && pread(f->fd, bytes, DXL_BLOCK_SIZE, block * DXL_BLOCK_SIZE) ==
		     (ssize_t)DXL_BLOCK_SIZE)
		return bytes;
	if (f->out)
		fprintf(f->out, "cannot read block %llu: %s\n", (unsigned long long)block,
			errno ? strerror(errno) : "the device is too short");
	f->cannot = true;
	free(bytes);
	return NULL;
}

static bool is_zero(const void *bytes)
{
	const char *p = bytes;

	return !*p && !memcmp(p, p + 1, DXL_BLOCK_SIZE - 1);
}

/* Is the block one that the inode may use? Then it does. */
static bool take(struct fsck_map *map, uint64_t block, uint64_t nr)
{
	struct fsck *f = map->f;
	uint64_t i;

	if (block < f->data_block || nr > f->nr_blocks || block > f->nr_blocks - nr) {
		fsck_error(f, "inode %u: block %llu is out of range", map->ino,
			   (unsigned long long)block);
		return false;
	}
	for (i = block; map->mark && i < block + nr; i++) {
		if (f->user[i]) {
			fsck_error(f, "inode %u: block %llu is used twice, also by inode %u",
				   map->ino, (unsigned long long)i, f->user[i]);
			return false;
		}
		f->user[i] = map->ino;
		f->report->blocks++;
	}
	return true;
}

static void leaf(struct fsck_map *map, uint64_t index, uint64_t block, uint64_t nr, bool unwritten)
{
	uint64_t pages = fsck_pages(map->f->ino[map->ino].size), i;
	void *bytes;

	if (index + nr > MAX_PAGES) {
		fsck_error(map->f, "inode %u: page %llu is beyond any file", map->ino,
			   (unsigned long long)index);
		return;
	}
	if (!take(map, block, nr))
		return;
	for (i = 0; i < nr; i++) {
		if (index + i < pages) {
			map->found++;
			if (map->page)
				map->page(map, index + i, block + i, unwritten);
		} else if (!unwritten && !map->tail) {
			bytes = fsck_read(map->f, block + i);
			map->tail = bytes && !is_zero(bytes);
			free(bytes);
		}
	}
}

/* Levels go down, so it ends whatever the words are. */
static void node(struct fsck_map *map, uint64_t block, unsigned int level, uint64_t index)
{
	unsigned int shift = (level - 1) * DXL_MAP_WORDS_SHIFT, i;
	struct fsck *f = map->f;
	__le64 *words;

	if (!take(map, block, 1))
		return;
	words = fsck_read(f, block);
	for (i = 0; words && i < DXL_MAP_WORDS; i++, index += 1ULL << shift) {
		uint64_t word = le64toh(words[i]), to = (word & DXL_MAP_BLOCK) / DXL_BLOCK_SIZE;
		bool unwritten = word & DXL_MAP_UNWRITTEN, huge = word & DXL_MAP_HUGE;

		if (!word)
			continue;
		if (word & ~WORD_BITS || !(word & DXL_MAP_VALID) ||
		    (huge && (level != 2 || to % DXL_CHUNK_BLOCKS)) ||
		    (unwritten && level > 1 && !huge))
			fsck_error(f, "inode %u: bad map word %#llx of level %u", map->ino,
				   (unsigned long long)word, level);
		else if (huge)
			leaf(map, index, to, DXL_CHUNK_BLOCKS, unwritten);
		else if (level == 1)
			leaf(map, index, to, 1, unwritten);
		else
			node(map, to, level - 1, index);
	}
	free(words);
}

void fsck_walk(struct fsck_map *map)
{
	uint64_t root = map->f->ino[map->ino].root;
	unsigned int level = (root & DXL_MAP_LEVEL) >> DXL_MAP_LEVEL_SHIFT;

	if (!root)
		return;
	if (root & ~(DXL_MAP_VALID | DXL_MAP_LEVEL | DXL_MAP_BLOCK) || !(root & DXL_MAP_VALID) ||
	    !level || level > DXL_MAP_MAX_LEVEL)
		fsck_error(map->f, "inode %u: bad root word %#llx", map->ino,
			   (unsigned long long)root);
	else
		node(map, (root & DXL_MAP_BLOCK) / DXL_BLOCK_SIZE, level, 0);
}
