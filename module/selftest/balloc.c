// SPDX-License-Identifier: GPL-2.0
/*
 * balloc: order of preference, refusals, and random use against an array that
 * knows who has each block
 */
#include <linux/prandom.h>
#include <linux/slab.h>

#define DXL_TEST_BLOCKS		(5 * DXL_CHUNK_BLOCKS + 100)
#define DXL_TEST_DATA		20
#define DXL_TEST_BAD		700	/* a block of bad media */
#define DXL_TEST_RUNS		300
#define DXL_TEST_STEPS		20000

struct dxl_test_balloc {
	struct dxl_sb sbi;
	struct rnd_state rnd;
	void *kaddr[DXL_TEST_BLOCKS];
	u8 used[DXL_TEST_BLOCKS];
	u64 nr_free;
	unsigned int nr_runs;
	struct {
		u64 block;
		unsigned long nr;
	} run[DXL_TEST_RUNS];
};

static u32 __init dxl_test_below(struct dxl_test_balloc *t, u32 end)
{
	return prandom_u32_state(&t->rnd) % end;
}

static int __init dxl_test_got(struct dxl_test_balloc *t, u64 block, int nr)
{
	int i;

	DXL_EXPECT(block >= DXL_TEST_DATA && block + nr <= DXL_TEST_BLOCKS);
	for (i = 0; i < nr; i++) {
		DXL_EXPECT(block + i != DXL_TEST_BAD);
		DXL_EXPECT(!t->used[block + i]);
		t->used[block + i] = 1;
	}
	t->nr_free -= nr;
	t->run[t->nr_runs].block = block;
	t->run[t->nr_runs].nr = nr;
	t->nr_runs++;
	return 0;
}

static int __init dxl_test_free(struct dxl_test_balloc *t, unsigned int i)
{
	dxl_balloc_free(&t->sbi, t->run[i].block, t->run[i].nr);
	memset(t->used + t->run[i].block, 0, t->run[i].nr);
	t->nr_free += t->run[i].nr;
	t->run[i] = t->run[--t->nr_runs];
	return 0;
}

/* Counts and states of chunks agree with the array. */
static int __init dxl_test_agree(struct dxl_test_balloc *t)
{
	struct dxl_alloc *a = &t->sbi.alloc;
	u64 chunk, block;

	DXL_EXPECT(a->nr_free == t->nr_free);
	for (chunk = 0; chunk < a->nr_chunks; chunk++) {
		unsigned int nr = 0;

		for (block = dxl_chunk_start(chunk);
		     block < dxl_chunk_start(chunk + 1); block++)
			nr += block < DXL_TEST_BLOCKS && !t->used[block];
		DXL_EXPECT(a->chunk_free[chunk] == nr);
		DXL_EXPECT(test_bit(chunk, a->whole) ==
			   (nr == DXL_CHUNK_BLOCKS));
		DXL_EXPECT(!test_bit(chunk, a->open) ||
			   (nr && nr < DXL_CHUNK_BLOCKS));
		DXL_EXPECT(!test_bit(chunk, a->whole) ||
			   chunk >= a->first_whole);
		DXL_EXPECT(!test_bit(chunk, a->open) ||
			   chunk >= a->first_open);
	}
	return 0;
}

static int __init dxl_test_start(struct dxl_test_balloc *t)
{
	u64 block;

	t->sbi.nr_blocks = DXL_TEST_BLOCKS;
	t->sbi.data_block = DXL_TEST_DATA;
	t->sbi.media.nr_blocks = DXL_TEST_BLOCKS;
	t->sbi.media.kaddr = t->kaddr;
	for (block = 0; block < DXL_TEST_BLOCKS; block++)
		t->kaddr[block] = block == DXL_TEST_BAD ? NULL : t;
	memset(t->used, 1, DXL_TEST_DATA);
	t->used[DXL_TEST_BAD] = 1;
	t->nr_free = DXL_TEST_BLOCKS - DXL_TEST_DATA - 1;
	return dxl_balloc_init(&t->sbi);
}

static int __init dxl_test_preference(struct dxl_test_balloc *t)
{
	struct dxl_sb *sbi = &t->sbi;
	u64 a, b, c, nr_free;

	/* Single blocks leave whole chunks alone, and so does bad media. */
	DXL_EXPECT(dxl_balloc(sbi, DXL_NO_BLOCK, 1, &a) == 1);
	DXL_EXPECT(a == DXL_TEST_DATA);
	/* An aligned file gets a chunk, at its own offset. */
	DXL_EXPECT(dxl_balloc_aligned(sbi, 7, 2, &b) == 2);
	DXL_EXPECT(b == 2 * DXL_CHUNK_BLOCKS + 7);
	/* Others keep out of it, its own goal does not. */
	DXL_EXPECT(dxl_balloc(sbi, a + 1, 600, &c) == 491);
	DXL_EXPECT(c == a + 1);
	dxl_balloc_free(sbi, c, 491);
	DXL_EXPECT(dxl_balloc(sbi, b + 2, 3, &c) == 3 && c == b + 2);
	dxl_balloc_free(sbi, c, 3);
	/* A whole chunk, the next one. */
	/* Kept blocks stay in use until somebody looks after their pins. */
	DXL_EXPECT(dxl_balloc(sbi, b + 2, 1, &c) == 1 && c == b + 2);
	nr_free = sbi->alloc.nr_free;
	DXL_EXPECT(!dxl_balloc_reap(sbi));
	dxl_balloc_keep(sbi, c);
	DXL_EXPECT(sbi->alloc.nr_free == nr_free);
	DXL_EXPECT(dxl_balloc_reap(sbi) && !dxl_balloc_reap(sbi));
	DXL_EXPECT(sbi->alloc.nr_free == nr_free + 1);
	DXL_EXPECT(dxl_balloc_aligned(sbi, 0, 512, &c) == 512);
	DXL_EXPECT(c == 3 * DXL_CHUNK_BLOCKS);
	dxl_balloc_free(sbi, c, 512);
	dxl_balloc_free(sbi, b, 2);
	dxl_balloc_free(sbi, a, 1);
	return dxl_test_agree(t);
}

static int __init dxl_test_marks(struct dxl_test_balloc *t)
{
	struct dxl_sb *sbi = &t->sbi;

	DXL_EXPECT(dxl_balloc_mark(sbi, DXL_TEST_DATA - 1, 1) == -EUCLEAN);
	DXL_EXPECT(dxl_balloc_mark(sbi, DXL_TEST_BLOCKS, 1) == -EUCLEAN);
	DXL_EXPECT(dxl_balloc_mark(sbi, DXL_TEST_BLOCKS - 1, 2) == -EUCLEAN);
	DXL_EXPECT(dxl_balloc_mark(sbi, U64_MAX, 2) == -EUCLEAN);
	DXL_EXPECT(dxl_balloc_mark(sbi, 1024, 512) == 0);
	DXL_EXPECT(dxl_balloc_mark(sbi, 1535, 2) == -EUCLEAN);
	/* A file may own a block that turned bad; it never becomes free. */
	DXL_EXPECT(dxl_balloc_mark(sbi, DXL_TEST_BAD - 1, 3) == 0);
	dxl_balloc_free(sbi, DXL_TEST_BAD - 1, 3);
	dxl_balloc_free(sbi, 1024, 512);
	return dxl_test_agree(t);
}

static int __init dxl_test_random(struct dxl_test_balloc *t)
{
	struct dxl_alloc *a = &t->sbi.alloc;
	unsigned int step;
	int err = 0;
	u64 block;

	for (step = 0; !err && step < DXL_TEST_STEPS; step++) {
		unsigned int what = dxl_test_below(t, 8);
		int got = -ENOSPC;

		if (what < 4 && t->nr_runs) {
			err = dxl_test_free(t, dxl_test_below(t, t->nr_runs));
			continue;
		}
		if (t->nr_runs == DXL_TEST_RUNS)
			continue;
		if (what < 6) {
			u64 goal = what == 5 ? DXL_NO_BLOCK :
				   dxl_test_below(t, DXL_TEST_BLOCKS + 50);

			got = dxl_balloc(&t->sbi, goal,
					 1 + dxl_test_below(t, 100), &block);
			DXL_EXPECT(got > 0 || t->nr_free <= a->reserve);
		} else if (what == 6) {
			unsigned int offset = dxl_test_below(t, 512);

			got = dxl_balloc_aligned(&t->sbi, offset, 40, &block);
			DXL_EXPECT(got < 0 || (block & 511) == offset);
		} else if (!dxl_balloc_node(&t->sbi, true, &block)) {
			got = 1;
		} else {
			DXL_EXPECT(!t->nr_free);
		}
		if (got > 0)
			err = dxl_test_got(t, block, got);
		if (!err && step % 100 == 0)
			err = dxl_test_agree(t);
	}
	while (!err && t->nr_runs)
		err = dxl_test_free(t, 0);
	return err ?: dxl_test_agree(t);
}

/* All but the reserve to anybody, the reserve to splits only. */
static int __init dxl_test_full(struct dxl_test_balloc *t)
{
	struct dxl_sb *sbi = &t->sbi;
	u64 block;
	int got;

	while ((got = dxl_balloc(sbi, DXL_NO_BLOCK, 512, &block)) > 0)
		;
	DXL_EXPECT(got == -ENOSPC);
	DXL_EXPECT(sbi->alloc.nr_free == sbi->alloc.nr_chunks);
	DXL_EXPECT(dxl_balloc_node(sbi, false, &block) == -ENOSPC);
	DXL_EXPECT(dxl_balloc_aligned(sbi, 0, 1, &block) == -ENOSPC);
	while (!dxl_balloc_node(sbi, true, &block))
		;
	DXL_EXPECT(!sbi->alloc.nr_free);
	return 0;
}

/**
 * dxl_selftest_balloc() - Test the allocator of blocks.
 *
 * Context: Module load.
 * Return: 0 or a negative errno.
 */
int __init dxl_selftest_balloc(void)
{
	struct dxl_test_balloc *t = kvzalloc(sizeof(*t), GFP_KERNEL);
	int err;

	if (!t)
		return -ENOMEM;
	prandom_seed_state(&t->rnd, 1);
	err = dxl_test_start(t);
	if (!err)
		err = dxl_test_preference(t);
	if (!err)
		err = dxl_test_marks(t);
	if (!err)
		err = dxl_test_random(t);
	if (!err)
		err = dxl_test_full(t);
	dxl_balloc_exit(&t->sbi);
	kvfree(t);
	pr_info("selftest balloc: %s\n", err ? "FAIL" : "pass");
	return err;
}
