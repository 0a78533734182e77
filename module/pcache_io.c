// SPDX-License-Identifier: GPL-2.0
/*
 * Page-cache mode: the block map for iomap; read(2), write(2), direct I/O
 */
#include "pcache.h"
#include "compat.h"
#include "frozen.h"
#include "window.h"

#include <linux/backing-dev.h>
#include <linux/uio.h>

/**
 * dxl_pcache_map() - Find what the pages from an index on are on the device.
 * @inode: a file in page-cache mode
 * @index: first page
 * @max: pages of interest, at least 1
 * @run: as from dxl_map_lookup()
 *
 * For who holds a folio of these pages and, like writeback, nothing else that
 * keeps map nodes from being freed.
 *
 * Context: May sleep; takes map_lock, which is inside of folio locks.
 * Return: 0 or -EIO.
 */
int dxl_pcache_map(struct inode *inode, pgoff_t index, unsigned long max,
		   struct dxl_run *run)
{
	struct dxl_inode *di = DXL_I(inode);
	int err, id;

	err = dxl_media_enter(dxl_media_of(inode), &id);
	if (err)
		return err;
	/* Against dxl_map_cut(). */
	mutex_lock(&di->map_lock);
	err = dxl_map_lookup(inode, index, max, run);
	mutex_unlock(&di->map_lock);
	dxl_media_exit(id);
	return err;
}

static int dxl_pcache_alloc(struct inode *inode, pgoff_t index,
			    unsigned long max, struct dxl_run *run)
{
	int err, id;

	err = dxl_media_enter(dxl_media_of(inode), &id);
	if (err)
		return err;
	err = dxl_map_alloc(inode, index, max, false, run);
	dxl_media_exit(id);
	return err;
}

/*
 * New blocks are not told as IOMAP_F_NEW. They are zeroed already; and between
 * this answer and its use a fault may store to a page of the run, and the folio
 * be written and reclaimed: iomap would take zeroes for what the device has.
 */
static int dxl_pcache_begin(struct inode *inode, loff_t pos, loff_t length,
			    unsigned int flags, struct iomap *iomap,
			    struct iomap *srcmap)
{
	pgoff_t first = pos >> PAGE_SHIFT;
	pgoff_t last = (pos + length - 1) >> PAGE_SHIFT;
	struct dxl_run run;
	int err;

	if (flags & IOMAP_WRITE)
		err = dxl_pcache_alloc(inode, first, last - first + 1, &run);
	else
		err = dxl_pcache_map(inode, first, last - first + 1, &run);
	if (!err)
		dxl_iomap_set(inode, &run, iomap);
	return err;
}

const struct iomap_ops dxl_pcache_iomap_ops = {
	.iomap_begin = dxl_pcache_begin,
};

/*
 * Does the request go past the cache? Who wants O_DIRECT for what the device
 * cannot do gets it through the cache, as in DAX mode and with ext4.
 */
static bool dxl_pcache_is_direct(struct kiocb *iocb, struct iov_iter *iter)
{
	struct block_device *bdev = file_inode(iocb->ki_filp)->i_sb->s_bdev;

	return iocb->ki_flags & IOCB_DIRECT &&
	       IS_ALIGNED(iocb->ki_pos | iov_iter_alignment(iter),
			  bdev_logical_block_size(bdev));
}

/* The bio has its pages, and references on those of the caller's buffer. */
static void dxl_pcache_direct_submit(const struct iomap_iter *iter,
				     struct bio *bio, loff_t pos)
{
	dxl_window(DXL_WIN_PIN_HELD, &DXL_I(iter->inode)->tree,
		   pos >> PAGE_SHIFT, 0, iter->flags & IOMAP_WRITE ?
		   DXL_ACCESS_WRITE : DXL_ACCESS_READ);
	submit_bio(bio);
}

static const struct iomap_dio_ops dxl_pcache_read_ops = {
	.submit_io = dxl_pcache_direct_submit,
};

static ssize_t dxl_pcache_direct_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	file_accessed(iocb->ki_filp);
	inode_lock_shared(inode);
	ret = iomap_dio_rw(iocb, to, &dxl_pcache_iomap_ops,
			   &dxl_pcache_read_ops, 0, NULL, 0);
	inode_unlock_shared(inode);
	return ret;
}

/**
 * dxl_pcache_read_iter() - read(2) and its kin, of a file in page-cache mode.
 * @iocb: position and flags
 * @to: where to
 *
 * Context: May sleep.
 * Return: bytes read, or a negative errno.
 */
ssize_t dxl_pcache_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	ssize_t done = 0;

	if (!iov_iter_count(to))
		return 0;
	if (dxl_pcache_is_direct(iocb, to))
		return dxl_pcache_direct_read(iocb, to);
	/* While a lookup of ours may be parked, or follow another rule. */
	if (dxl_watched() || dxl_varied())
		done = dxl_lookup_read(iocb, to);
	if (done < 0 || !iov_iter_count(to))
		return done;
	return filemap_read(iocb, to, done);
}

/* Under i_rwsem: a write that extends the file is waited for. */
static int dxl_pcache_direct_end(struct kiocb *iocb, ssize_t size, int error,
				 unsigned int flags)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (error || iocb->ki_pos + size <= i_size_read(inode))
		return error;
	i_size_write(inode, iocb->ki_pos + size);
	mark_inode_dirty(inode);
	return 0;
}

static const struct iomap_dio_ops dxl_pcache_dio_ops = {
	.end_io = dxl_pcache_direct_end,
	.submit_io = dxl_pcache_direct_submit,
};

static ssize_t dxl_pcache_direct_write(struct kiocb *iocb,
				       struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	unsigned int flags = 0;
	ssize_t ret;

	if (iocb->ki_pos + iov_iter_count(from) > i_size_read(inode))
		flags = IOMAP_DIO_FORCE_WAIT;
	ret = iomap_dio_rw(iocb, from, &dxl_pcache_iomap_ops,
			   &dxl_pcache_dio_ops, flags, NULL, 0);
	/*
	 * What was written beyond EOF must not be seen if the file grows; blocks
	 * that FALLOC_FL_KEEP_SIZE put there go as well.
	 */
	if (ret < 0 && ret != -ENOTBLK && flags)
		dxl_set_size(inode, i_size_read(inode));
	return ret;
}

static ssize_t dxl_pcache_buffered_write(struct kiocb *iocb,
					 struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	loff_t size = i_size_read(inode);
	ssize_t ret;

	ret = dxl_iomap_write(iocb, from, &dxl_pcache_iomap_ops);
	if (i_size_read(inode) != size)
		mark_inode_dirty(inode);
	return ret;
}

static ssize_t dxl_pcache_write_locked(struct kiocb *iocb,
				       struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	ret = kiocb_modified(iocb);
	if (!ret && iocb->ki_pos > i_size_read(inode))
		ret = dxl_zero_tail(inode);
	if (ret)
		return ret;
	if (dxl_pcache_is_direct(iocb, from)) {
		ret = dxl_pcache_direct_write(iocb, from);
		/* -ENOTBLK: the cache could not be emptied. */
		if (ret != -ENOTBLK)
			return ret;
	}
	return dxl_pcache_buffered_write(iocb, from);
}

/**
 * dxl_pcache_write_iter() - write(2) and its kin, of a file in page-cache mode.
 * @iocb: position and flags
 * @from: where from
 *
 * The new size is durable when the data is: after a sync.
 *
 * Context: May sleep; i_rwsem exclusively.
 * Return: bytes written, or a negative errno.
 */
ssize_t dxl_pcache_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	struct inode *inode = file_inode(iocb->ki_filp);
	ssize_t ret;

	inode_lock(inode);
	ret = generic_write_checks(iocb, from);
	if (ret > 0)
		ret = dxl_pcache_write_locked(iocb, from);
	inode_unlock(inode);
	if (ret > 0)
		ret = generic_write_sync(iocb, ret);
	return ret;
}
