/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Changes to an image, each the same again for the same seed: random ones, and
 * ones that know the format and put checksums right, to get past these.
 */
#ifndef MUTATE_H
#define MUTATE_H

#include "image.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

static uint64_t rng;

/* splitmix64 */
static inline uint64_t next(void)
{
	uint64_t z = rng += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline uint64_t below(uint64_t limit)
{
	return next() % limit;
}

/* What changes aim at, found in an image that is whole. */
static struct {
	uint64_t inos[256];
	unsigned int nr_inos;
	uint64_t nodes[256];
	unsigned int nr_nodes;
	uint64_t dir_blocks[64];
	unsigned int nr_dir_blocks;
	unsigned int nr_huge;
} aim;

static inline void aim_word(struct image *image, __le64 *word, unsigned int level, void *arg)
{
	uint64_t block = le64toh(*word) >> DXL_BLOCK_SHIFT;
	const struct dxl_slot *slot = arg;

	(void)image;
	if (level > 1 && !(le64toh(*word) & DXL_MAP_HUGE))
		aim.nodes[aim.nr_nodes++] = block;
	else if (S_ISDIR(le16toh(slot->mode)))
		aim.dir_blocks[aim.nr_dir_blocks++] = block;
	aim.nr_huge += !!(le64toh(*word) & DXL_MAP_HUGE);
}

static inline void mutate_aim(struct image *image)
{
	uint64_t ino;

	memset(&aim, 0, sizeof(aim));
	for (ino = 1; ino < image_nr_inodes(image); ino++) {
		struct dxl_slot *slot = image_slot(image, ino);

		if (!slot->mode)
			continue;
		aim.inos[aim.nr_inos++] = ino;
		if (slot->root)
			aim.nodes[aim.nr_nodes++] = le64toh(slot->root) >> DXL_BLOCK_SHIFT;
		image_walk(image, ino, aim_word, slot);
	}
	must(aim.nr_inos > 40 && aim.nr_nodes > 40 && aim.nr_dir_blocks > 4);
	must(aim.nr_huge);
}

static inline uint64_t pick_node(void)
{
	return aim.nodes[below(aim.nr_nodes)];
}

static inline uint64_t pick_dir_block(void)
{
	return aim.dir_blocks[below(aim.nr_dir_blocks)];
}

static inline struct dxl_slot *pick_slot(struct image *image)
{
	return image_slot(image, aim.inos[below(aim.nr_inos)]);
}

static inline uint64_t pick_meta(const struct image *image)
{
	const uint64_t blocks[] = {
		below(image_data_block(image)), DXL_ITABLE_BLOCK + below(4), pick_dir_block(),
		pick_node(),
	};

	return blocks[below(ARRAY_SIZE(blocks))];
}

/* A number of the kind that breaks bounds. */
static inline uint64_t evil(const struct image *image)
{
	const uint64_t nr = image_nr_blocks(image);
	const uint64_t values[] = {
		0, 1, 2, 255, 256, 4095, 4096, nr - 1, nr, nr + 1, image_data_block(image),
		image_nr_inodes(image), DXL_MAX_SIZE, DXL_MAX_SIZE + 1, INT32_MAX,
		UINT32_MAX, INT64_MAX, 1ULL << 63, UINT64_MAX, next(), next() >> 32, below(nr),
	};

	return values[below(ARRAY_SIZE(values))];
}

/* A map word that leads somewhere, or nowhere. */
static inline uint64_t evil_word(const struct image *image)
{
	uint64_t word = evil(image) << DXL_BLOCK_SHIFT;

	if (below(2))
		word = (below(2) ? pick_node() : pick_dir_block()) << DXL_BLOCK_SHIFT;
	word |= DXL_MAP_VALID;
	if (!below(3))
		word ^= 1ULL << below(12);
	return word;
}

struct field {
	size_t offset, size;
};

#define FIELD(type, name) { offsetof(struct type, name), sizeof(((struct type *)0)->name) }

/* One of the fields gets an evil number. */
static inline void change_field(const struct image *image, void *object,
				const struct field *fields, size_t nr)
{
	const struct field *field = &fields[below(nr)];
	__le64 value = htole64(evil(image));

	memcpy((char *)object + field->offset, &value, field->size);
}

static inline void change_bytes(struct image *image)
{
	uint8_t *block = image_block(image, pick_meta(image));
	int i, nr = 1 + below(8);

	for (i = 0; i < nr; i++)
		block[below(DXL_BLOCK_SIZE)] ^= 1 << below(8);
}

static inline void change_super(struct image *image)
{
	static const struct field fields[] = {
		FIELD(dxl_super, version), FIELD(dxl_super, features),
		FIELD(dxl_super, nr_blocks), FIELD(dxl_super, itable_block),
		FIELD(dxl_super, nr_inodes), FIELD(dxl_super, data_block),
	};

	change_field(image, image_super(image), fields, ARRAY_SIZE(fields));
	seal_super(image_super(image));
}

static inline void change_slot(struct image *image)
{
	static const struct field fields[] = {
		FIELD(dxl_slot, mode), FIELD(dxl_slot, flags), FIELD(dxl_slot, size),
		FIELD(dxl_slot, seq), FIELD(dxl_slot, ino), FIELD(dxl_slot, root),
	};
	struct dxl_slot *slot = pick_slot(image);

	if (below(2))
		change_field(image, slot, fields, ARRAY_SIZE(fields));
	else if (below(2))
		slot->root = htole64(evil_word(image) | below(6) << DXL_MAP_LEVEL_SHIFT);
	else if (below(2))
		slot->root = pick_slot(image)->root;
	else
		slot->mode = htole16(below(2) ? S_IFDIR | 0755 : next());
	seal_slot(slot);
}

/* Harmless to the structure. */
static inline void change_value(struct image *image)
{
	static const struct field fields[] = {
		FIELD(dxl_slot, nlink), FIELD(dxl_slot, mtime), FIELD(dxl_slot, uid),
		FIELD(dxl_slot, generation),
	};
	struct dxl_slot *slot = pick_slot(image);

	change_field(image, slot, fields, ARRAY_SIZE(fields));
	seal_slot(slot);
}

static inline void change_word(struct image *image)
{
	__le64 *words = image_block(image, pick_node());
	__le64 *others = image_block(image, pick_node());
	__le64 *to = words + (below(4) ? below(8) : below(DXL_MAP_WORDS));
	const __le64 values[] = {
		htole64(evil_word(image)), others[below(8)], *to ^ htole64(1ULL << below(64)),
		htole64(evil(image)),
	};

	*to = values[below(ARRAY_SIZE(values))];
}

static inline void change_dirent(struct image *image)
{
	struct dxl_dirent *de = image_block(image, pick_dir_block());
	uint64_t word;

	de += below(DXL_DIRENTS_PER_BLOCK);
	word = le64toh(de->ino) & ~DXL_DIRENT_INO;
	if (below(2)) {
		const uint64_t values[] = {
			word | aim.inos[below(aim.nr_inos)], word | evil(image), next(),
		};

		de->ino = htole64(values[below(ARRAY_SIZE(values))]);
	} else if (below(2)) {
		de->name[below(8)] = "/.\0a"[below(4)];
	} else {
		de->len = next();
	}
	if (below(4))
		seal_dirent(de);
}

static inline void change_block(struct image *image)
{
	uint8_t *block = image_block(image, pick_meta(image));
	uint8_t *other = image_block(image, pick_meta(image));
	size_t i;

	if (below(2))
		memmove(block, other, DXL_BLOCK_SIZE);
	else if (below(2))
		memset(block, 0, DXL_BLOCK_SIZE);
	else
		for (i = 0; i < DXL_BLOCK_SIZE; i++)
			block[i] = next();
}

/* What a power cut may leave: a name that is gone, or not there yet. */
static inline void lose_name(struct image *image)
{
	struct dxl_dirent *de = image_block(image, pick_dir_block());

	de[below(DXL_DIRENTS_PER_BLOCK)].ino = 0;
}

/* A rename that was committed and not carried out: two names swap. */
static inline void pend_rename(struct image *image)
{
	struct dxl_intent *intent = image_intent(image);
	struct dxl_dirent *from = image_block(image, pick_dir_block());
	struct dxl_dirent *to = image_block(image, pick_dir_block());

	from += below(8);
	to += below(8);
	intent->op[0].pos = htole64(image_pos(image, to));
	intent->op[0].val = from->ino;
	intent->op[1].pos = htole64(image_pos(image, from));
	intent->op[1].val = to->ino;
	seal_intent(intent, 2);
}

static inline void pend_anything(struct image *image)
{
	struct dxl_intent *intent = image_intent(image);
	unsigned int i, nr = 1 + below(DXL_INTENT_OPS);

	intent->seq = htole64(next());
	for (i = 0; i < nr; i++) {
		uint64_t pos = below(4) ? pick_dir_block() << DXL_BLOCK_SHIFT : evil(image);

		pos += below(DXL_DIRENTS_PER_BLOCK) * sizeof(struct dxl_dirent);
		intent->op[i].pos = htole64(pos);
		intent->op[i].val = htole64(below(2) ? evil(image) : 0);
	}
	seal_intent(intent, nr);
	if (!below(8))
		intent->nr = htole32(evil(image));
}

/* One change or two to an image that mutate_aim() has seen. */
static inline void mutate(struct image *image, uint64_t seed)
{
	static void (* const changes[])(struct image *image) = {
		change_bytes, change_super, change_slot, change_slot, change_word, change_word,
		change_dirent, change_dirent, change_block, pend_rename, pend_anything,
		lose_name, lose_name, change_value, change_value,
	};
	int i, nr;

	rng = seed;
	nr = 1 + !below(3);
	for (i = 0; i < nr; i++)
		changes[below(ARRAY_SIZE(changes))](image);
}

#endif
