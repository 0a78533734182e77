// SPDX-License-Identifier: GPL-2.0
/*
 * read(2) and write(2): copies between user memory and device memory
 *
 * The copy may fault, also on a mapping of the same file: nothing is held then
 * but i_rwsem, which no fault takes.
 */
#include "fs.h"
#include "compat.h"
#include "fs_variant.h"
#include "ledger.h"
#include "window.h"

#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

/* Pages from pos on that a transfer of len bytes touches. */
static unsigned long dxl_rw_pages(loff_t pos, size_t len)
{
	return DIV_ROUND_UP(offset_in_page(pos) + len, PAGE_SIZE);
}

/*
 * Address of the byte at pos, and how many of len follow it in memory.
 * Return: that number or a negative errno.
 */
static ssize_t dxl_rw_addr(struct inode *inode, const struct dxl_run *run,
			   loff_t pos, size_t len, void **addr)
{
	unsigned long pfn;
	void *kaddr;
	long got;

	got = dxl_media_map(dxl_media_of(inode), run->block, run->nr, &kaddr,
			    &pfn);
	if (got < 0)
		return got;
	*addr = kaddr + offset_in_page(pos);
	return min_t(size_t, len, (got << PAGE_SHIFT) - offset_in_page(pos));
}

/* One run. Return: bytes copied, or a negative errno. */
static ssize_t dxl_read_some(struct inode *inode, loff_t pos, size_t len,
			     struct iov_iter *to)
{
	struct dxl_run run;
	void *addr;
	ssize_t ret;
	int err;

	err = dxl_map_lookup(inode, pos >> PAGE_SHIFT, dxl_rw_pages(pos, len),
			     &run);
	if (err)
		return err;
	if (run.block == DXL_NO_BLOCK || run.unwritten) {
		len = min_t(size_t, len,
			    (run.nr << PAGE_SHIFT) - offset_in_page(pos));
		ret = iov_iter_zero(len, to);
	} else {
		ret = dxl_rw_addr(inode, &run, pos, len, &addr);
		if (ret < 0)
			return ret;
		ret = _copy_mc_to_iter(addr, ret, to);
	}
	return ret ?: -EFAULT;
}

/*
 * Run after run, up to @end. Each has a media section of its own: the copy may
 * fault and sleep, and the device may go meanwhile.
 * Return: bytes copied, or a negative errno if there are none.
 */
static ssize_t dxl_rw_runs(struct inode *inode, loff_t *pos, loff_t end,
			   struct iov_iter *iter,
			   ssize_t (*some)(struct inode *inode, loff_t pos,
					   size_t len, struct iov_iter *iter))
{
	struct dxl_media *media = dxl_media_of(inode);
	ssize_t done = 0, ret = 0;
	int id;

	while (iov_iter_count(iter) && *pos < end) {
		ret = dxl_media_enter(media, &id);
		if (ret)
			break;
		ret = some(inode, *pos,
			   min_t(u64, iov_iter_count(iter), end - *pos), iter);
		dxl_media_exit(id);
		if (ret < 0)
			break;
		*pos += ret;
		done += ret;
		if (fatal_signal_pending(current))
			break;
		cond_resched();
	}
	return done ?: ret;
}

/**
 * dxl_read_iter() - read(2) and its kin.
 * @iocb: position and flags
 * @to: where to
 *
 * Context: May sleep; i_rwsem shared, against the freeing of map nodes.
 * Return: bytes read, or a negative errno.
 */
ssize_t dxl_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!iov_iter_count(to))
		return 0;
	if (!(iocb->ki_flags & IOCB_NOWAIT))
		inode_lock_shared(inode);
	else if (!inode_trylock_shared(inode))
		return -EAGAIN;
	ret = dxl_rw_runs(inode, &iocb->ki_pos, i_size_read(inode), to,
			  dxl_read_some);
	inode_unlock_shared(inode);
	file_accessed(iocb->ki_filp);
	return ret;
}

/**
 * dxl_write_blocks() - Give a write its next run of blocks.
 * @inode: the file
 * @pos: first byte
 * @len: bytes, at least 1
 * @run: receives the blocks; run.changed is right even if there is an error
 *
 * Context: May sleep. i_rwsem exclusively, inside dxl_media_enter().
 * Return: 0 or a negative errno.
 */
int dxl_write_blocks(struct inode *inode, loff_t pos, size_t len,
		     struct dxl_run *run)
{
	struct dxl_tree *tree = &DXL_I(inode)->tree;
	int err;

	run->changed = false;
	err = dxl_map_alloc(inode, pos >> PAGE_SHIFT, dxl_rw_pages(pos, len),
			    false, run);
	if (err)
		return err;
	if (run->changed)
		dxl_note(tree, DXL_EV_BLOCKS, run->index, 0, run->index,
			 run->nr);
	return dxl_window(DXL_WIN_WRITE_AFTER_IOMAP_BEGIN, tree, run->index, 0,
			  DXL_ACCESS_WRITE);
}

/**
 * dxl_write_copy() - Copy from user memory to a run of blocks.
 * @inode: the file
 * @run: the blocks
 * @pos: first byte
 * @len: bytes; the run may have fewer
 * @from: where from
 *
 * Context: May fault, also on the same file.
 * Return: bytes copied, or a negative errno.
 */
ssize_t dxl_write_copy(struct inode *inode, const struct dxl_run *run,
		       loff_t pos, size_t len, struct iov_iter *from)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_storing storing;
	void *addr;
	ssize_t ret;

	ret = dxl_rw_addr(inode, run, pos, len, &addr);
	if (ret < 0)
		return ret;
	dxl_window(DXL_WIN_WRITE_COPY_USER, &DXL_I(inode)->tree, run->index, 0,
		   DXL_ACCESS_WRITE);
	dxl_media_copying(media, &storing, addr, ret);
	ret = _copy_from_iter_flushcache(addr, ret, from);
	dxl_media_copied(media, &storing, addr, ret);
	return ret ?: -EFAULT;
}

/*
 * One run: blocks, then invalidation of what faults saw before, then the data.
 * Return: bytes copied, or a negative errno.
 */
static ssize_t dxl_write_some(struct inode *inode, loff_t pos, size_t len,
			      struct iov_iter *from)
{
	struct dxl_run run;
	int err, err2 = 0;

	if (dxl_varied())
		return dxl_write_varied(inode, pos, len, from);
	err = dxl_write_blocks(inode, pos, len, &run);
	if (run.changed)
		err2 = dxl_inval_range(inode, run.index,
				       run.index + run.nr - 1);
	if (err || err2)
		return err ?: err2;
	return dxl_write_copy(inode, &run, pos, len, from);
}

static ssize_t dxl_write_locked(struct inode *inode, loff_t *pos,
				struct iov_iter *from)
{
	loff_t size = i_size_read(inode);
	ssize_t done;
	int err;

	if (*pos > size) {
		err = dxl_zero_tail(inode);
		if (err)
			return err;
	}
	done = dxl_rw_runs(inode, pos, LLONG_MAX, from, dxl_write_some);
	if (done <= 0)
		return done;
	/*
	 * A size must not promise what is not there. And a sync of another task
	 * does not wait for what is in the buffers of this processor.
	 */
	dxl_media_fence(dxl_media_of(inode));
	if (*pos > size) {
		i_size_write(inode, *pos);
		err = dxl_slot_write(inode);
		if (err)
			return err;
	}
	return done;
}

/**
 * dxl_write_iter() - write(2) and its kin.
 * @iocb: position and flags
 * @from: where from
 *
 * Context: May sleep; i_rwsem exclusively.
 * Return: bytes written, or a negative errno.
 */
ssize_t dxl_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	if (!(iocb->ki_flags & IOCB_NOWAIT))
		inode_lock(inode);
	else if (!inode_trylock(inode))
		return -EAGAIN;
	ret = generic_write_checks(iocb, from);
	if (ret <= 0)
		goto unlock;
	ret = kiocb_modified(iocb);
	if (ret)
		goto unlock;
	ret = dxl_write_locked(inode, &iocb->ki_pos, from);
unlock:
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}
