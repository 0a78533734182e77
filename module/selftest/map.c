// SPDX-License-Identifier: GPL-2.0
/*
 * map: random allocation, conversion, cutting and look-up of one file on a
 * device in vmalloc memory, against an array that knows each page
 *
 * The file has pages in four places, so that the root goes through all levels.
 * The device is smaller than the file: ENOSPC happens all the time. A block
 * holds the number of its page once it is written, and poison while it is free.
 */
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define DXL_TEST_PAGES		2048UL	/* in each place */
#define DXL_TEST_MEM		(12 * DXL_CHUNK_BLOCKS)	/* blocks */
#define DXL_TEST_TABLE		8	/* blocks of the inode table */
#define DXL_TEST_INO		2
#define DXL_TEST_OPS		1500
#define DXL_TEST_POISON		0x5a

static const pgoff_t dxl_test_place[] __initconst = {
	0,
	(1UL << 18) - DXL_TEST_PAGES / 2,	/* level 2 to 3 */
	(1UL << 27) - DXL_TEST_PAGES / 2,	/* level 3 to 4 */
	(DXL_MAX_SIZE >> DXL_BLOCK_SHIFT) - DXL_TEST_PAGES,
};

struct dxl_test_page {
	u64 block;
	bool unwritten;
};

struct dxl_test_map {
	struct super_block sb;
	struct dxl_sb sbi;
	struct dxl_inode di;
	struct rnd_state rnd;
	struct dxl_cut cut;
	void *mem;
	void *image;		/* what is durable; selftest/crash.c only */
	u64 nr_free;
	u8 used[DXL_TEST_MEM];
	struct dxl_test_page page[ARRAY_SIZE(dxl_test_place) * DXL_TEST_PAGES];
};

static long dxl_test_access(struct dax_device *dax, pgoff_t pgoff, long nr,
			    enum dax_access_mode mode, void **kaddr,
			    dxl_pfn_t *pfn)
{
	struct dxl_test_map *t = dax_get_private(dax);

	if (pgoff >= DXL_TEST_MEM)
		return -ERANGE;
	if (kaddr)
		*kaddr = t->mem + (pgoff << PAGE_SHIFT);
	if (pfn)
		*pfn = dxl_pfn_make(pgoff);
	/* In pieces, as a driver may answer. */
	return DXL_CHUNK_BLOCKS - (pgoff & (DXL_CHUNK_BLOCKS - 1));
}

static int dxl_test_zero(struct dax_device *dax, pgoff_t pgoff, size_t nr)
{
	return -EIO;
}

static const struct dax_operations dxl_test_dax_ops = {
	.direct_access = dxl_test_access,
	.zero_page_range = dxl_test_zero,
};

static u32 __init dxl_test_rnd(struct dxl_test_map *t, u32 end)
{
	return prandom_u32_state(&t->rnd) % end;
}

/* Data, which is durable at once: its order is not looked at here. */
static void __init dxl_test_data(struct dxl_test_map *t, u64 block, u64 word)
{
	*(u64 *)(t->mem + (block << PAGE_SHIFT)) = word;
	if (t->image)
		*(u64 *)(t->image + (block << PAGE_SHIFT)) = word;
}

static void __init dxl_test_poison(struct dxl_test_map *t, u64 block)
{
	memset(t->mem + (block << PAGE_SHIFT), DXL_TEST_POISON,
	       DXL_BLOCK_SIZE);
	if (t->image)
		memset(t->image + (block << PAGE_SHIFT), DXL_TEST_POISON,
		       DXL_BLOCK_SIZE);
}

static struct dxl_test_page * __init dxl_test_at(struct dxl_test_map *t,
						 pgoff_t index)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dxl_test_place); i++)
		if (index >= dxl_test_place[i] &&
		    index < dxl_test_place[i] + DXL_TEST_PAGES)
			return t->page + i * DXL_TEST_PAGES +
			       (index - dxl_test_place[i]);
	return NULL;
}

/* A place, and pages in it: one, some, or aligned to 512. */
static pgoff_t __init dxl_test_range(struct dxl_test_map *t,
				     unsigned long *max)
{
	pgoff_t base = dxl_test_place[dxl_test_rnd(t, 4)];
	unsigned long offset = dxl_test_rnd(t, DXL_TEST_PAGES);

	switch (dxl_test_rnd(t, 4)) {
	case 0:
		*max = 1;
		break;
	case 1:
		*max = 1 + dxl_test_rnd(t, 600);
		break;
	default:
		offset &= ~(DXL_CHUNK_BLOCKS - 1);
		*max = DXL_CHUNK_BLOCKS;
	}
	*max = min(*max, DXL_TEST_PAGES - offset);
	return base + offset;
}

/* Is the run what the array says, and as long as it can be? */
static int __init dxl_test_run(struct dxl_test_map *t, pgoff_t index,
			       unsigned long max, const struct dxl_run *run)
{
	const struct dxl_test_page *page = dxl_test_at(t, index);
	u64 block = run->block;
	unsigned long i;

	DXL_EXPECT(run->index == index && run->nr >= 1 && run->nr <= max);
	for (i = 0; i < max; i++, page++) {
		bool same = page->block == block &&
			    page->unwritten == run->unwritten;

		DXL_EXPECT(same == (i < run->nr));
		if (!same)
			break;
		if (block == DXL_NO_BLOCK)
			continue;
		if (!run->unwritten)
			DXL_EXPECT(*(u64 *)(t->mem + (block << PAGE_SHIFT)) ==
				   index + i);
		block++;
	}
	return 0;
}

static int __init dxl_test_lookup(struct dxl_test_map *t, pgoff_t index,
				  unsigned long max)
{
	struct dxl_run run;

	DXL_EXPECT(!dxl_map_lookup(&t->di.vfs_inode, index, max, &run));
	DXL_EXPECT(!run.changed);
	return dxl_test_run(t, index, max, &run);
}

/* The root on media is the root in memory; counts agree. */
static int __init dxl_test_counts(struct dxl_test_map *t)
{
	struct inode *inode = &t->di.vfs_inode;
	u64 count = dxl_map_count(inode);
	struct dxl_slot slot;

	DXL_EXPECT(!dxl_slot_read(&t->sbi, DXL_TEST_INO, &slot));
	DXL_EXPECT(le64_to_cpu(slot.root) == t->di.root);
	DXL_EXPECT(count == inode->i_blocks >> (DXL_BLOCK_SHIFT - 9));
	DXL_EXPECT(count == t->nr_free - t->sbi.alloc.nr_free);
	return 0;
}

/* As a write fault of either order: all or nothing. */
static int __init dxl_test_whole(struct dxl_test_map *t, pgoff_t index,
				 unsigned long max)
{
	unsigned long i, nr = max < DXL_CHUNK_BLOCKS ? 1 : DXL_CHUNK_BLOCKS;
	struct dxl_test_page *page;
	struct dxl_run run;
	int err;

	index &= ~(nr - 1);
	page = dxl_test_at(t, index);
	err = dxl_map_alloc_whole(&t->di.vfs_inode, index, nr, &run);
	if (err) {
		DXL_EXPECT(err == -ENOSPC || (err == -ERANGE && nr > 1));
		return dxl_test_lookup(t, index, nr);
	}
	DXL_EXPECT(run.index == index && run.nr == nr && !run.unwritten);
	for (i = 0; run.changed && i < nr; i++, page++) {
		u64 block = run.block + i;
		void *addr = t->mem + (block << PAGE_SHIFT);

		DXL_EXPECT(page->block == (page->unwritten ? block :
							     DXL_NO_BLOCK));
		DXL_EXPECT(page->unwritten == t->used[block]);
		DXL_EXPECT(!memchr_inv(addr, 0, DXL_BLOCK_SIZE));
		t->used[block] = 1;
		page->block = block;
		page->unwritten = false;
		dxl_test_data(t, block, index + i);
	}
	return dxl_test_run(t, index, nr, &run);
}

static int __init dxl_test_alloc(struct dxl_test_map *t, pgoff_t index,
				 unsigned long max, bool unwritten)
{
	struct dxl_test_page *page = dxl_test_at(t, index);
	struct dxl_test_page old = *page;
	bool changed = old.block == DXL_NO_BLOCK ||
		       (old.unwritten && !unwritten);
	struct dxl_run run;
	unsigned long i;
	int err;

	err = dxl_map_alloc(&t->di.vfs_inode, index, max, unwritten, &run);
	if (err == -ENOSPC) {
		/* Never for pages that have blocks. */
		DXL_EXPECT(old.block == DXL_NO_BLOCK);
		DXL_EXPECT(t->sbi.alloc.nr_free <= t->sbi.alloc.reserve + 4);
		return dxl_test_lookup(t, index, max);
	}
	DXL_EXPECT(!err && run.changed == changed);
	DXL_EXPECT(run.block != DXL_NO_BLOCK);
	if (!changed)
		return dxl_test_run(t, index, max, &run);

	DXL_EXPECT(run.index == index && run.nr >= 1 && run.nr <= max);
	DXL_EXPECT(run.unwritten == unwritten);
	for (i = 0; i < run.nr; i++, page++) {
		u64 block = run.block + i;
		void *addr = t->mem + (block << PAGE_SHIFT);

		if (old.block == DXL_NO_BLOCK) {
			DXL_EXPECT(page->block == DXL_NO_BLOCK);
			DXL_EXPECT(!t->used[block]);
			t->used[block] = 1;
		} else {
			DXL_EXPECT(page->block == block && page->unwritten);
		}
		page->block = block;
		page->unwritten = unwritten;
		if (unwritten)
			continue;
		DXL_EXPECT(!memchr_inv(addr, 0, DXL_BLOCK_SIZE));
		dxl_test_data(t, block, index + i);
	}
	return 0;
}

static int __init dxl_test_cut(struct dxl_test_map *t, pgoff_t index,
			       unsigned long max)
{
	struct inode *inode = &t->di.vfs_inode;
	pgoff_t next = index, from, last = index + max - 1;
	unsigned int i;
	u64 block;

	while (next <= last) {
		from = next;
		t->cut.nr = 0;
		DXL_EXPECT(!dxl_map_cut(inode, &next, last, &t->cut));
		DXL_EXPECT(next > from);
		for (i = 0; i < t->cut.nr; i++) {
			u64 end = t->cut.run[i].block + t->cut.run[i].nr;

			for (block = t->cut.run[i].block; block < end; block++) {
				DXL_EXPECT(t->used[block]);
				t->used[block] = 0;
				dxl_test_poison(t, block);
			}
		}
		for (i = 0; i < ARRAY_SIZE(t->page); i++) {
			struct dxl_test_page *page = t->page + i;

			from = dxl_test_place[i / DXL_TEST_PAGES] +
			       i % DXL_TEST_PAGES;
			if (from < index || from > last || from >= next)
				continue;
			DXL_EXPECT(page->block == DXL_NO_BLOCK ||
				   !t->used[page->block]);
			page->block = DXL_NO_BLOCK;
			page->unwritten = false;
		}
		dxl_map_free_cut(inode, &t->cut);
	}
	return 0;
}

/* Large and aligned is HUGE; a part of it written or cut stays right. */
static int __init dxl_test_huge(struct dxl_test_map *t)
{
	struct dxl_walk walk;
	struct dxl_run run;
	int err;

	err = dxl_test_alloc(t, 512, 512, true);
	if (err)
		return err;
	DXL_EXPECT(!dxl_map_walk(&t->di.vfs_inode, 700, &walk));
	DXL_EXPECT(walk.level == 2 && walk.word & DXL_MAP_HUGE);
	DXL_EXPECT(IS_ALIGNED(dxl_word_block(walk.word), DXL_CHUNK_BLOCKS));
	err = dxl_test_alloc(t, 600, 5, false);
	if (!err)
		err = dxl_test_lookup(t, 512, 512);
	if (!err)
		err = dxl_test_lookup(t, 600, 424);
	if (!err)
		err = dxl_test_alloc(t, 0, 512, false);
	if (!err)
		err = dxl_test_cut(t, 100, 1);
	if (!err)
		err = dxl_test_counts(t);
	if (err)
		return err;

	/* Filled page by page, it ends up as one aligned run again. */
	err = dxl_test_cut(t, 0, 512);
	t->di.vfs_inode.i_size = 4 << 20;
	for (run.index = 0; !err && run.index < 512; run.index++)
		err = dxl_test_alloc(t, run.index * 77 % 512, 1, false);
	if (err)
		return err;
	DXL_EXPECT(!dxl_map_lookup(&t->di.vfs_inode, 0, 512, &run));
	DXL_EXPECT(run.nr == 512);
	DXL_EXPECT(IS_ALIGNED(run.block, DXL_CHUNK_BLOCKS));
	return 0;
}

static int __init dxl_test_random(struct dxl_test_map *t)
{
	unsigned int op;
	int err = 0;

	for (op = 0; !err && op < DXL_TEST_OPS; op++) {
		unsigned long max;
		pgoff_t index = dxl_test_range(t, &max);

		switch (dxl_test_rnd(t, 8)) {
		case 0 ... 1:
			err = dxl_test_alloc(t, index, max, false);
			break;
		case 2:
			err = dxl_test_whole(t, index, max);
			break;
		case 3 ... 4:
			err = dxl_test_alloc(t, index, max, true);
			break;
		case 5:
			err = dxl_test_cut(t, index, max);
			break;
		default:
			err = dxl_test_lookup(t, index, max);
		}
		if (!err && op % 50 == 0)
			err = dxl_test_counts(t);
		cond_resched();
	}
	return err;
}

static int __init dxl_test_map_all(struct dxl_test_map *t)
{
	int err;

	err = dxl_test_huge(t);
	if (!err)
		err = dxl_test_random(t);
	if (!err)
		err = dxl_test_cut(t, 0, DXL_MAX_SIZE >> DXL_BLOCK_SHIFT);
	if (!err)
		err = dxl_test_counts(t);
	if (err)
		return err;
	DXL_EXPECT(!t->di.root && !t->di.vfs_inode.i_blocks);
	DXL_EXPECT(t->sbi.alloc.nr_free == t->nr_free);
	return 0;
}

static void dxl_test_drop(struct dxl_test_map *t)
{
	dxl_balloc_exit(&t->sbi);
	if (t->sbi.media.dax) {
		kill_dax(t->sbi.media.dax);
		put_dax(t->sbi.media.dax);
	}
	kfree(t->sbi.media.kaddr);
	vfree(t->mem);
	kvfree(t);
}

/* A mount with one inode in it. */
static struct dxl_test_map * __init dxl_test_new(void)
{
	struct dxl_test_map *t = kvzalloc(sizeof(*t), GFP_KERNEL);
	struct dax_device *dax;
	struct dxl_media *media;
	struct inode *inode;
	unsigned int i;

	if (!t)
		return NULL;
	media = &t->sbi.media;
	media->nr_blocks = DXL_TEST_MEM;
	media->shift = DXL_CHUNK_SHIFT;
	media->kaddr = kcalloc(DXL_TEST_MEM / DXL_CHUNK_BLOCKS,
			       sizeof(*media->kaddr), GFP_KERNEL);
	t->mem = vmalloc(DXL_TEST_MEM << PAGE_SHIFT);
	dax = alloc_dax(t, &dxl_test_dax_ops);
	media->dax = IS_ERR(dax) ? NULL : dax;
	if (!media->kaddr || !t->mem || !media->dax)
		goto err;
	dax_write_cache(dax, true);
	for (i = 0; i < DXL_TEST_MEM / DXL_CHUNK_BLOCKS; i++)
		media->kaddr[i] = t->mem + i * (DXL_CHUNK_BLOCKS << PAGE_SHIFT);

	strscpy(t->sb.s_id, "selftest", sizeof(t->sb.s_id));
	t->sb.s_fs_info = &t->sbi;
	t->sb.s_user_ns = &init_user_ns;
	t->sbi.sb = &t->sb;
	t->sbi.nr_blocks = DXL_TEST_MEM;
	t->sbi.data_block = DXL_ITABLE_BLOCK + DXL_TEST_TABLE;
	memset(t->mem, DXL_TEST_POISON, DXL_TEST_MEM << PAGE_SHIFT);
	memset(t->mem, 0, t->sbi.data_block << PAGE_SHIFT);
	if (dxl_balloc_init(&t->sbi))
		goto err;
	t->nr_free = t->sbi.alloc.nr_free;

	inode = &t->di.vfs_inode;
	mutex_init(&t->di.map_lock);
	mutex_init(&t->di.slot_lock);
	inode_init_once(inode);
	inode->i_sb = &t->sb;
	inode->i_ino = DXL_TEST_INO;
	inode->i_mode = S_IFREG | 0600;
	spin_lock_init(&inode->i_lock);
	for (i = 0; i < ARRAY_SIZE(t->page); i++)
		t->page[i].block = DXL_NO_BLOCK;
	prandom_seed_state(&t->rnd, 1);
	if (!dxl_slot_write(inode))
		return t;
err:
	dxl_test_drop(t);
	return NULL;
}

/**
 * dxl_selftest_map() - Test the tree of blocks.
 *
 * Context: Module load.
 * Return: 0 or a negative errno.
 */
int __init dxl_selftest_map(void)
{
	struct dxl_test_map *t = dxl_test_new();
	int err, id;

	if (!t)
		return -ENOMEM;
	err = dxl_media_enter(&t->sbi.media, &id);
	if (!err) {
		err = dxl_test_map_all(t);
		dxl_media_exit(id);
	}
	dxl_test_drop(t);
	pr_info("selftest map: %s\n", err ? "FAIL" : "pass");
	return err;
}
