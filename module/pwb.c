// SPDX-License-Identifier: GPL-2.0
/*
 * Writeback of page-cache files: tagged folios, a private bio, submission
 */
#include "pwb.h"
#include "pcache.h"
#include "stats.h"
#include "window.h"

#include <linux/blkdev.h>

static void dxl_pwb_end_io(struct bio *bio)
{
	int err = blk_status_to_errno(bio->bi_status);
	struct folio_iter fi;

	dxl_stat_inc(DXL_STAT_PWB_BIOS_ENDED);
	bio_for_each_folio_all(fi, bio) {
		mapping_set_error(fi.folio->mapping, err);
		folio_end_writeback(fi.folio);
	}
	bio_put(bio);
}

static struct bio *dxl_pwb_bio(struct dxl_pwb *pwb, u64 block,
			       unsigned short vecs)
{
	struct bio *bio;

	/* Never fails: the pool of the filesystems is behind it. */
	bio = bio_alloc(pwb->inode->i_sb->s_bdev, vecs,
			REQ_OP_WRITE | wbc_to_write_flags(pwb->wbc), GFP_NOFS);
	bio->bi_iter.bi_sector = block << (DXL_BLOCK_SHIFT - SECTOR_SHIFT);
	bio->bi_end_io = dxl_pwb_end_io;
	dxl_stat_inc(DXL_STAT_PWB_BIOS);
	return bio;
}

/**
 * dxl_pwb_take() - Take what is collected and not submitted.
 * @pwb: of any task
 *
 * Context: Any process context, also under dxl_lab.folio_lock.
 * Return: The bio, which is the caller's alone from now on, or NULL.
 */
struct bio *dxl_pwb_take(struct dxl_pwb *pwb)
{
	struct bio *bio;

	spin_lock(&pwb->lock);
	bio = pwb->bio;
	WRITE_ONCE(pwb->bio, NULL);
	spin_unlock(&pwb->lock);
	return bio;
}

/* @submit: the rule by which it was collected */
static void dxl_pwb_send(unsigned int submit, struct bio *bio)
{
	if (submit == DXL_SUBMIT_UNLOCK_LATE)
		dxl_pwb_unlock_late(bio);
	submit_bio(bio);
}

/**
 * dxl_pwb_submit() - Submit what is collected, if anything.
 * @pwb: of the caller
 *
 * Context: May sleep.
 */
void dxl_pwb_submit(struct dxl_pwb *pwb)
{
	struct bio *bio;

	if (!READ_ONCE(pwb->bio))
		return;
	dxl_window(DXL_WIN_PWB_BEFORE_SUBMIT, &DXL_I(pwb->inode)->tree,
		   pwb->first, 0, DXL_ACCESS_WRITE);
	bio = dxl_pwb_take(pwb);
	if (bio)
		dxl_pwb_send(pwb->submit, bio);
	if (pwb->nr_late)
		dxl_pwb_timed_varied(pwb);
}

/* Does it fit behind what is held? */
static bool dxl_pwb_append(struct dxl_pwb *pwb, struct folio *folio,
			   u64 block, size_t len)
{
	sector_t sector = block << (DXL_BLOCK_SHIFT - SECTOR_SHIFT);
	bool fits;

	spin_lock(&pwb->lock);
	fits = pwb->bio && bio_end_sector(pwb->bio) == sector &&
	       bio_add_page(pwb->bio, &folio->page, len, 0) == len;
	spin_unlock(&pwb->lock);
	return fits;
}

static void dxl_pwb_collect(struct dxl_pwb *pwb, struct folio *folio,
			    u64 block, size_t len)
{
	struct bio *bio;

	if (!dxl_pwb_append(pwb, folio, block, len)) {
		dxl_pwb_submit(pwb);
		bio = dxl_pwb_bio(pwb, block, BIO_MAX_VECS);
		__bio_add_page(bio, &folio->page, len, 0);
		pwb->nr_late = 0;
		spin_lock(&pwb->lock);
		pwb->first = folio->index;
		WRITE_ONCE(pwb->bio, bio);
		spin_unlock(&pwb->lock);
	}
	if (pwb->submit)
		dxl_pwb_collected_varied(pwb);
	/* A rescue came since the call began: it never holds a bio again. */
	if (atomic_read(&DXL_SB(pwb->inode->i_sb)->lab.pwb_rescues) !=
	    pwb->rescues)
		dxl_pwb_submit(pwb);
}

static bool dxl_pwb_has_data(const struct dxl_run *run)
{
	return run->block != DXL_NO_BLOCK && !run->unwritten;
}

/* How many blocks of a folio, from @i on, has the folio as the file does? */
static unsigned long dxl_pwb_current(struct folio *folio, unsigned long i,
				     unsigned long nr)
{
	unsigned long from = i;

	if (folio_test_uptodate(folio))
		return nr - i;
	while (i < nr && dxl_pcache_has_block(folio, i << PAGE_SHIFT))
		i++;
	return i - from;
}

/*
 * A large folio whose blocks are not one run: a bio for each run, submitted at
 * once, and the last ends the writeback when all have come back.
 */
static int dxl_pwb_scattered(struct dxl_pwb *pwb, struct folio *folio,
			     unsigned long nr)
{
	struct bio *bio = NULL, *next;
	unsigned long i, some;
	struct dxl_run run;
	int err = 0;

	dxl_pwb_submit(pwb);
	for (i = 0; i < nr; i += run.nr) {
		run.nr = 1;
		some = dxl_pwb_current(folio, i, nr);
		if (!some)
			continue;
		err = dxl_pcache_map(pwb->inode, folio->index + i, some, &run);
		if (err)
			break;
		if (!dxl_pwb_has_data(&run))
			continue;
		next = dxl_pwb_bio(pwb, run.block, 1);
		__bio_add_page(next, folio_page(folio, i),
			       run.nr << PAGE_SHIFT, 0);
		if (bio) {
			bio->bi_end_io = NULL;
			bio_chain(bio, next);
			/* Its end is a part of that of the next. */
			dxl_stat_inc(DXL_STAT_PWB_BIOS_ENDED);
			submit_bio(bio);
		}
		bio = next;
	}
	if (bio)
		submit_bio(bio);
	else
		folio_end_writeback(folio);
	return err;
}

/* The folio is locked, clean and under writeback, which whatever is done ends. */
static int dxl_pwb_add(struct dxl_pwb *pwb, struct folio *folio)
{
	loff_t size = dxl_size_now(pwb->inode), pos = folio_pos(folio);
	unsigned long nr;
	struct dxl_run run;
	int err = 0;

	/* Truncate is about to remove it. */
	if (size <= pos)
		goto nothing;
	/* What mappings have stored beyond EOF is not to be seen again. */
	if (size < pos + folio_size(folio))
		folio_zero_segment(folio, size - pos, folio_size(folio));
	nr = min_t(u64, folio_nr_pages(folio),
		   DIV_ROUND_UP_ULL(size - pos, PAGE_SIZE));
	err = dxl_pcache_map(pwb->inode, folio->index, nr, &run);
	if (err)
		goto nothing;
	dxl_stat_add(DXL_STAT_PWB_PAGES, nr);
	if (run.nr < nr || !folio_test_uptodate(folio))
		return dxl_pwb_scattered(pwb, folio, nr);
	if (!dxl_pwb_has_data(&run))
		goto nothing;
	dxl_pwb_collect(pwb, folio, run.block, nr << PAGE_SHIFT);
	return 0;

nothing:
	folio_end_writeback(folio);
	return err;
}

/**
 * dxl_pwb_wait_lock() - Lock a folio, whoever has it.
 * @pwb: of the caller
 * @folio: which
 *
 * Context: May sleep.
 */
void dxl_pwb_wait_lock(struct dxl_pwb *pwb, struct folio *folio)
{
	if (dxl_watched())
		dxl_role_waits(DXL_FOLIO_LOCK, folio, pwb->inode->i_ino,
			       folio->index);
	WRITE_ONCE(pwb->wants_index, folio->index);
	/* Pairs with dxl_folio_collectors(). */
	smp_store_release(&pwb->wants, folio);
	/* Who is to die does not keep others waiting. */
	if (folio_lock_killable(folio)) {
		dxl_pwb_submit(pwb);
		folio_lock(folio);
	}
	WRITE_ONCE(pwb->wants, NULL);
	dxl_folio_waits_over();
}

static void dxl_pwb_lock(struct dxl_pwb *pwb, struct folio *folio)
{
	dxl_window(DXL_WIN_PWB_BEFORE_LOCK_NEXT, &DXL_I(pwb->inode)->tree,
		   folio->index, folio_order(folio), DXL_ACCESS_WRITE);
	if (pwb->submit) {
		dxl_pwb_lock_varied(pwb, folio);
	} else if (!folio_trylock(folio)) {
		dxl_pwb_submit(pwb);
		dxl_pwb_wait_lock(pwb, folio);
	}
	WRITE_ONCE(pwb->hold.folio, folio);
	pwb->since = dxl_hist_clock();
	pwb->kept = false;
}

static void dxl_pwb_unlock(struct dxl_pwb *pwb, struct folio *folio)
{
	WRITE_ONCE(pwb->hold.folio, NULL);
	if (pwb->kept)
		return;
	dxl_hist_since(DXL_HIST_FOLIO, pwb->since);
	folio_unlock(folio);
}

/* Is the locked folio still ours to write? */
static bool dxl_pwb_wanted(struct dxl_pwb *pwb, struct folio *folio)
{
	/* Truncated, or written by somebody else. */
	if (folio->mapping != pwb->inode->i_mapping || !folio_test_dirty(folio))
		return false;
	if (folio_test_writeback(folio)) {
		if (pwb->wbc->sync_mode == WB_SYNC_NONE)
			return false;
		/* Held by others, who may wait for what we hold. */
		if (!pwb->submit)
			dxl_pwb_submit(pwb);
		dxl_folio_wait_writeback(folio);
	}
	return folio_clear_dirty_for_io(folio);
}

static void dxl_pwb_folio(struct dxl_pwb *pwb, struct folio *folio)
{
	struct address_space *mapping = pwb->inode->i_mapping;
	int err;

	dxl_pwb_lock(pwb, folio);
	if (!dxl_pwb_wanted(pwb, folio)) {
		dxl_pwb_unlock(pwb, folio);
		return;
	}
	folio_start_writeback(folio);
	err = dxl_pwb_add(pwb, folio);
	dxl_pwb_unlock(pwb, folio);
	if (err) {
		mapping_set_error(mapping, err);
		pwb->err = pwb->err ?: err;
	}
	dxl_window(DXL_WIN_PWB_AFTER_SET_WRITEBACK, &DXL_I(pwb->inode)->tree,
		   folio->index, folio_order(folio), DXL_ACCESS_WRITE);
	pwb->wbc->nr_to_write -= folio_nr_pages(folio);
	/* A sync goes to the end, whatever it meets. */
	pwb->done = pwb->wbc->sync_mode == WB_SYNC_NONE &&
		    (err || pwb->wbc->nr_to_write <= 0);
}

static void dxl_pwb_begin(struct dxl_pwb *pwb)
{
	struct dxl_lab *lab = &DXL_SB(pwb->inode->i_sb)->lab;
	struct address_space *mapping = pwb->inode->i_mapping;
	struct writeback_control *wbc = pwb->wbc;

	/* What the kernel waited for before is over. */
	dxl_folio_waits_over();
	spin_lock_init(&pwb->lock);
	pwb->rescues = atomic_read(&lab->pwb_rescues);
	pwb->submit = dxl_choice(lab, DXL_KNOB_SUBMIT);
	pwb->wrap = dxl_choice(lab, DXL_KNOB_WRAP);
	if (pwb->submit)
		dxl_pwb_begin_varied(pwb);
	pwb->tag = PAGECACHE_TAG_DIRTY;
	if (wbc->range_cyclic) {
		pwb->index = READ_ONCE(mapping->writeback_index);
		pwb->end = -1;
	} else {
		pwb->index = wbc->range_start >> PAGE_SHIFT;
		pwb->end = wbc->range_end >> PAGE_SHIFT;
	}
	if (wbc->sync_mode == WB_SYNC_ALL || wbc->tagged_writepages) {
		tag_pages_for_writeback(mapping, pwb->index, pwb->end);
		pwb->tag = PAGECACHE_TAG_TOWRITE;
	}
	dxl_folio_hold_begin(lab, &pwb->hold, NULL);
	spin_lock(&lab->folio_lock);
	list_add_tail(&pwb->list, &lab->pwbs);
	spin_unlock(&lab->folio_lock);
}

static void dxl_pwb_end(struct dxl_pwb *pwb)
{
	struct dxl_lab *lab = &DXL_SB(pwb->inode->i_sb)->lab;

	dxl_pwb_submit(pwb);
	if (pwb->submit)
		dxl_pwb_end_varied(pwb);
	spin_lock(&lab->folio_lock);
	list_del(&pwb->list);
	spin_unlock(&lab->folio_lock);
	dxl_folio_hold_end(lab, &pwb->hold);
}

/**
 * dxl_pwb_pass() - Write what is tagged, upwards, from where the walk stands.
 * @pwb: of the caller
 *
 * Context: May sleep.
 * Return: The index behind the last folio.
 */
pgoff_t dxl_pwb_pass(struct dxl_pwb *pwb)
{
	struct address_space *mapping = pwb->inode->i_mapping;
	pgoff_t next = pwb->index;
	struct folio_batch batch;
	unsigned int i;

	folio_batch_init(&batch);
	while (!pwb->done && pwb->index <= pwb->end &&
	       filemap_get_folios_tag(mapping, &pwb->index, pwb->end, pwb->tag,
				      &batch)) {
		for (i = 0; i < folio_batch_count(&batch) && !pwb->done; i++) {
			next = folio_next_index(batch.folios[i]);
			dxl_pwb_folio(pwb, batch.folios[i]);
		}
		folio_batch_release(&batch);
		cond_resched();
	}
	return next;
}

/*
 * A cyclic walk begins where the last has ended, and ends at the end of the
 * file: the next call begins at its start (64081362e8ff).
 */
static void dxl_pwb_walk(struct dxl_pwb *pwb)
{
	struct writeback_control *wbc = pwb->wbc;
	pgoff_t start = pwb->index;
	bool whole = !wbc->range_cyclic && !start && wbc->range_end == LLONG_MAX;
	pgoff_t next = dxl_pwb_pass(pwb);

	if (pwb->wrap && wbc->range_cyclic)
		next = dxl_pwb_wrap_varied(pwb, start, next);
	if (wbc->range_cyclic || (whole && wbc->nr_to_write > 0))
		WRITE_ONCE(pwb->inode->i_mapping->writeback_index,
			   pwb->done ? next : 0);
}

/**
 * dxl_pwb_writepages() - address_space_operations.writepages of page-cache files.
 * @mapping: of the file
 * @wbc: what to write
 *
 * Context: May sleep; the caller holds no folio lock.
 * Return: 0 or the first error, which fsync(2) will tell as well.
 */
int dxl_pwb_writepages(struct address_space *mapping,
		       struct writeback_control *wbc)
{
	struct dxl_pwb pwb = {
		.inode = mapping->host,
		.wbc = wbc,
	};

	dxl_pwb_begin(&pwb);
	dxl_pwb_walk(&pwb);
	dxl_pwb_end(&pwb);
	return pwb.err;
}

/**
 * dxl_pwb_flush() - Write back a file as the kernel's flusher does: cyclic.
 * @inode: a file in page-cache mode
 * @nr: pages at most
 *
 * Context: As dxl_pwb_writepages().
 * Return: 0 or a negative errno.
 */
int dxl_pwb_flush(struct inode *inode, long nr)
{
	struct writeback_control wbc = {
		.sync_mode = WB_SYNC_NONE,
		.nr_to_write = nr,
		.range_cyclic = 1,
		.for_background = 1,
	};

	return dxl_pwb_writepages(inode->i_mapping, &wbc);
}

/**
 * dxl_pwb_rescue() - Submit what all collectors of a mount hold.
 * @lab: of the mount
 *
 * Nothing is lost by it, and it ends every wait for a writeback bit, for good:
 * calls that are under way submit each folio at once from now on.
 *
 * Context: May sleep, but for nobody who may hang.
 */
void dxl_pwb_rescue(struct dxl_lab *lab)
{
	struct bio_list bios[DXL_NR_SUBMIT] = {};
	struct dxl_pwb *pwb;
	unsigned int i;
	struct bio *bio;

	/* Before the bios are taken: who stores his later sees it. */
	atomic_inc(&lab->pwb_rescues);
	spin_lock(&lab->folio_lock);
	list_for_each_entry(pwb, &lab->pwbs, list) {
		bio = dxl_pwb_take(pwb);
		if (bio)
			bio_list_add(&bios[pwb->submit], bio);
	}
	spin_unlock(&lab->folio_lock);
	for (i = 0; i < DXL_NR_SUBMIT; i++)
		while ((bio = bio_list_pop(&bios[i])))
			dxl_pwb_send(i, bio);
}
