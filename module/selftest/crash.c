// SPDX-License-Identifier: GPL-2.0
/*
 * crash: power may fail at any moment; is what is on the media then a valid map?
 *
 * An image is kept beside the memory of the test of the map. A store reaches it
 * at the next fence; until then any of its words may have reached it or not.
 * So at each fence some of the words are put there, and the image is checked as
 * mount does: the newest valid slot, the walk, no block twice. A block in the
 * map holds zeroes or the number of its page, never poison, which is what free
 * blocks are filled with: so it was zeroed before it was linked, and detached
 * before it was freed. After each operation nothing waits for a fence.
 */
#include "../check.h"

#define DXL_CRASH_STORES	1100	/* between two fences: 2 MiB of zeroes */
#define DXL_CRASH_TRIES		2
#define DXL_CRASH_OPS		150

struct dxl_test_crash {
	struct dxl_test_map *t;
	struct dxl_sb sbi;		/* the same mount over the image */
	void *kaddr[DXL_TEST_MEM / DXL_CHUNK_BLOCKS];
	void *undo;
	int err;
	unsigned int fences;
	unsigned int nr;
	struct {
		size_t pos;
		size_t len;
	} store[DXL_CRASH_STORES];
};

/* The spy is called deep inside: one test at a time. */
static struct dxl_test_crash *dxl_crash;

static void __init dxl_crash_store(struct dxl_media *media, void *addr,
				   size_t len)
{
	struct dxl_test_crash *c = dxl_crash;

	if (c->nr == DXL_CRASH_STORES) {
		c->err = -E2BIG;
		return;
	}
	c->store[c->nr].pos = addr - c->t->mem;
	c->store[c->nr].len = len;
	c->nr++;
}

static int __init dxl_crash_leaf(struct dxl_check_map *map,
				 const struct dxl_check_leaf *leaf)
{
	unsigned long i;

	if (leaf->unwritten)
		return 0;
	for (i = 0; i < leaf->nr; i++) {
		const u64 *data = dxl_media_addr(&map->sbi->media,
						 leaf->block + i);

		DXL_EXPECT(!data[0] || data[0] == leaf->index + i);
		DXL_EXPECT(!data[DXL_BLOCK_SIZE / sizeof(*data) - 1]);
	}
	return 0;
}

/* What the next mount does with the image. */
static int __init dxl_crash_check(struct dxl_test_crash *c)
{
	struct dxl_check_map map = {
		.sbi = &c->sbi,
		.ino = DXL_TEST_INO,
		.nr_pages = DXL_MAX_SIZE >> DXL_BLOCK_SHIFT,
		.mark = true,
		.leaf = dxl_crash_leaf,
	};
	struct dxl_slot slot;
	int err;

	err = dxl_slot_read(&c->sbi, DXL_TEST_INO, &slot);
	if (err)
		return err;
	DXL_EXPECT(le16_to_cpu(slot.mode) == (S_IFREG | 0600));
	err = dxl_balloc_init(&c->sbi);
	if (err)
		return err;
	map.root = le64_to_cpu(slot.root);
	err = dxl_check_map(&map);
	dxl_balloc_exit(&c->sbi);
	return err;
}

/* Some of the words that wait for the fence, or all of them. */
static void __init dxl_crash_apply(struct dxl_test_crash *c, bool all)
{
	u64 *image = c->t->image, *mem = c->t->mem;
	unsigned int i;
	size_t word;
	u32 rnd = 0;

	for (i = 0; i < c->nr; i++) {
		size_t first = c->store[i].pos / sizeof(u64);
		size_t end = first + c->store[i].len / sizeof(u64);

		for (word = first; word < end; word++) {
			rnd = rnd > 1 ? rnd >> 1 :
			      prandom_u32_state(&c->t->rnd) | 1U << 31;
			if (all || rnd & 1)
				image[word] = mem[word];
		}
	}
}

static void __init dxl_crash_copy(struct dxl_test_crash *c, void *to,
				  const void *from)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		memcpy(to + c->store[i].pos, from + c->store[i].pos,
		       c->store[i].len);
}

static void __init dxl_crash_fence(struct dxl_media *media)
{
	struct dxl_test_crash *c = dxl_crash;
	unsigned int i;

	if (!c->nr)
		return;
	c->fences++;
	dxl_crash_copy(c, c->undo, c->t->image);
	for (i = 0; i < DXL_CRASH_TRIES && !c->err; i++) {
		dxl_crash_apply(c, false);
		c->err = dxl_crash_check(c);
		dxl_crash_copy(c, c->t->image, c->undo);
	}
	dxl_crash_apply(c, true);
	c->nr = 0;
}

static const struct dxl_media_spy dxl_crash_spy __initconst = {
	.store = dxl_crash_store,
	.fence = dxl_crash_fence,
};

static int __init dxl_crash_op(struct dxl_test_map *t)
{
	unsigned long max;
	pgoff_t index = dxl_test_range(t, &max);

	switch (dxl_test_rnd(t, 16)) {
	case 0:
		return dxl_test_alloc(t, index, max, false);
	case 1 ... 3:
		return dxl_test_alloc(t, index, min(max, 5UL), false);
	case 4 ... 5:
		return dxl_test_alloc(t, index, max, true);
	case 6 ... 8:
		return dxl_test_alloc(t, index, min(max, 5UL), true);
	case 9 ... 10:
		return dxl_test_whole(t, index, 1);
	case 11 ... 13:
		return dxl_test_cut(t, index, min(max, 3UL));
	default:
		return dxl_test_cut(t, index, max);
	}
}

static int __init dxl_crash_run(struct dxl_test_crash *c)
{
	struct dxl_test_map *t = c->t;
	unsigned int op;
	int err = 0;

	for (op = 0; !err && op < DXL_CRASH_OPS; op++) {
		err = dxl_crash_op(t) ?: c->err;
		if (!err)
			DXL_EXPECT(!c->nr);
		cond_resched();
	}
	if (!err)
		err = dxl_test_cut(t, 0, DXL_MAX_SIZE >> DXL_BLOCK_SHIFT);
	if (err || c->err)
		return err ?: c->err;
	DXL_EXPECT(c->fences > DXL_CRASH_OPS);
	DXL_EXPECT(!memcmp(t->mem, t->image, DXL_TEST_MEM << PAGE_SHIFT));
	return 0;
}

static int __init dxl_crash_start(struct dxl_test_crash *c)
{
	struct dxl_test_map *t = c->t;
	unsigned int i;
	int err, id;

	memcpy(t->image, t->mem, DXL_TEST_MEM << PAGE_SHIFT);
	c->sbi.sb = &t->sb;
	c->sbi.nr_blocks = t->sbi.nr_blocks;
	c->sbi.data_block = t->sbi.data_block;
	c->sbi.media = t->sbi.media;
	c->sbi.media.kaddr = c->kaddr;
	for (i = 0; i < ARRAY_SIZE(c->kaddr); i++)
		c->kaddr[i] = t->image + i * (DXL_CHUNK_BLOCKS << PAGE_SHIFT);

	err = dxl_media_enter(&t->sbi.media, &id);
	if (err)
		return err;
	dxl_crash = c;
	t->sbi.media.spy = &dxl_crash_spy;
	err = dxl_crash_run(c);
	t->sbi.media.spy = NULL;
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_selftest_crash() - Test a power cut between any two stores.
 *
 * Context: Module load.
 * Return: 0 or a negative errno.
 */
int __init dxl_selftest_crash(void)
{
	struct dxl_test_crash *c = kvzalloc(sizeof(*c), GFP_KERNEL);
	int err = -ENOMEM;

	if (!c)
		return -ENOMEM;
	c->t = dxl_test_new();
	if (!c->t)
		goto free;
	c->undo = vmalloc(DXL_TEST_MEM << PAGE_SHIFT);
	c->t->image = vmalloc(DXL_TEST_MEM << PAGE_SHIFT);
	if (c->undo && c->t->image)
		err = dxl_crash_start(c);
	vfree(c->t->image);
	vfree(c->undo);
	dxl_test_drop(c->t);
free:
	kvfree(c);
	pr_info("selftest crash: %s\n", err ? "FAIL" : "pass");
	return err;
}
