/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The image on DXL_DEV, in memory: load it while it is not mounted, take it
 * apart with the module's own ondisk.h, change it, seal checksums, put it back.
 */
#ifndef IMAGE_H
#define IMAGE_H

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../module/ondisk.h"
#include "daxlab.h"
#include "must.h"

#define RECORDS_PER_BLOCK (DXL_BLOCK_SIZE / sizeof(struct dxl_inode_record))

struct image {
	size_t size;
	uint8_t *bytes;
};

/* Around the page cache, which does not know of what the filesystem stores. */
static inline int image_open(void)
{
	int fd = open(DXL_DEV, O_RDWR | O_DIRECT | O_CLOEXEC);

	must(fd >= 0);
	return fd;
}

static inline void image_load(struct image *image)
{
	int fd = image_open();

	image->size = lseek(fd, 0, SEEK_END);
	if (!image->bytes)
		image->bytes = aligned_alloc(DXL_BLOCK_SIZE, image->size);
	must(image->bytes);
	must(pread(fd, image->bytes, image->size, 0) == (ssize_t)image->size);
	close(fd);
}

static inline void image_store(const struct image *image)
{
	int fd = image_open();

	must(pwrite(fd, image->bytes, image->size, 0) == (ssize_t)image->size);
	close(fd);
}

static inline void image_copy(struct image *to, const struct image *from)
{
	to->size = from->size;
	if (!to->bytes)
		to->bytes = aligned_alloc(DXL_BLOCK_SIZE, from->size);
	must(to->bytes);
	memcpy(to->bytes, from->bytes, from->size);
}

/* Is the device as this image says? */
static inline bool image_is_on_device(const struct image *image)
{
	struct image now = {};
	bool same;

	image_load(&now);
	same = !memcmp(now.bytes, image->bytes, image->size);
	free(now.bytes);
	return same;
}

static inline uint32_t crc32c(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return crc;
}

static inline void *image_block(const struct image *image, uint64_t block)
{
	return image->bytes + block * DXL_BLOCK_SIZE;
}

static inline struct dxl_super *image_super(const struct image *image)
{
	return image_block(image, DXL_SUPER_BLOCK);
}

static inline struct dxl_intent *image_intent(const struct image *image)
{
	return image_block(image, DXL_INTENT_BLOCK);
}

static inline uint64_t image_nr_blocks(const struct image *image)
{
	return image->size / DXL_BLOCK_SIZE;
}

/* By the size of the device: the superblock may lie. */
static inline uint64_t image_nr_inodes(const struct image *image)
{
	uint64_t nr = image_nr_blocks(image) / DXL_BLOCKS_PER_INODE;

	return nr - nr % RECORDS_PER_BLOCK;
}

static inline uint64_t image_data_block(const struct image *image)
{
	return DXL_ITABLE_BLOCK + image_nr_inodes(image) / RECORDS_PER_BLOCK;
}

static inline struct dxl_inode_record *image_record(const struct image *image, uint64_t ino)
{
	return (struct dxl_inode_record *)image_block(image, DXL_ITABLE_BLOCK) + ino;
}

/* The slot that counts, of an image that is whole. */
static inline struct dxl_slot *image_slot(const struct image *image, uint64_t ino)
{
	struct dxl_inode_record *record = image_record(image, ino);

	return &record->slot[le64toh(record->slot[1].seq) > le64toh(record->slot[0].seq)];
}

static inline void seal_super(struct dxl_super *super)
{
	super->crc = htole32(crc32c(super, offsetof(struct dxl_super, crc)));
}

static inline void seal_slot(struct dxl_slot *slot)
{
	slot->crc = htole32(crc32c(slot, offsetof(struct dxl_slot, crc)));
}

static inline void seal_dirent(struct dxl_dirent *de)
{
	de->crc = htole32(crc32c(&de->len, offsetof(struct dxl_dirent, name) -
					   offsetof(struct dxl_dirent, len) + de->len));
}

static inline void seal_intent(struct dxl_intent *intent, unsigned int nr)
{
	intent->nr = htole32(nr);
	intent->crc = htole32(crc32c(&intent->seq, sizeof(intent->seq) +
						   nr * sizeof(intent->op[0])));
}

/* What a walk over a map calls for every word that is not 0, roots aside. */
typedef void (*image_word_fn)(struct image *image, __le64 *word, unsigned int level, void *arg);

static inline void image_walk_node(struct image *image, uint64_t block, unsigned int level,
				   image_word_fn fn, void *arg)
{
	__le64 *words = image_block(image, block);
	int i;

	for (i = 0; i < DXL_MAP_WORDS; i++) {
		uint64_t word = le64toh(words[i]);

		if (!word)
			continue;
		fn(image, &words[i], level, arg);
		if (level > 1 && !(word & DXL_MAP_HUGE))
			image_walk_node(image, word >> DXL_BLOCK_SHIFT, level - 1, fn, arg);
	}
}

/* Walk the map of an inode, of an image that is whole. */
static inline void image_walk(struct image *image, uint64_t ino, image_word_fn fn, void *arg)
{
	uint64_t root = le64toh(image_slot(image, ino)->root);

	if (root)
		image_walk_node(image, root >> DXL_BLOCK_SHIFT,
				(root & DXL_MAP_LEVEL) >> DXL_MAP_LEVEL_SHIFT, fn, arg);
}

struct image_find {
	const char *name;
	struct dxl_dirent *found;
};

static inline void image_find_in(struct image *image, __le64 *word, unsigned int level, void *arg)
{
	struct image_find *find = arg;
	struct dxl_dirent *de;
	int i;

	if (level > 1)
		return;
	de = image_block(image, le64toh(*word) >> DXL_BLOCK_SHIFT);
	for (i = 0; i < DXL_DIRENTS_PER_BLOCK; i++)
		if (de[i].ino && de[i].len == strlen(find->name) &&
		    !memcmp(de[i].name, find->name, de[i].len))
			find->found = &de[i];
}

/* The record of a name in a directory; it must be there. */
static inline struct dxl_dirent *image_dirent(struct image *image, uint64_t dir, const char *name)
{
	struct image_find find = { .name = name };

	image_walk(image, dir, image_find_in, &find);
	must(find.found);
	return find.found;
}

static inline uint64_t image_pos(const struct image *image, const void *at)
{
	return (const uint8_t *)at - image->bytes;
}

#endif
