// SPDX-License-Identifier: GPL-2.0
/*
 * Page-cache mode: the tables of operations, mmap, sync; truncate and punch in
 * the cache
 */
#include "pcache.h"
#include "compat.h"
#include "frozen.h"
#include "pwb.h"

#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/splice.h>
#include <linux/writeback.h>

static int dxl_pcache_read_folio(struct file *file, struct folio *folio)
{
	return dxl_iomap_read_folio(folio, &dxl_pcache_iomap_ops);
}

static void dxl_pcache_readahead(struct readahead_control *rac)
{
	dxl_iomap_readahead(rac, &dxl_pcache_iomap_ops);
}

const struct address_space_operations dxl_pcache_aops = {
	.read_folio		= dxl_pcache_read_folio,
	.readahead		= dxl_pcache_readahead,
	.writepages		= dxl_pwb_writepages,
	.dirty_folio		= filemap_dirty_folio,
	.release_folio		= iomap_release_folio,
	.invalidate_folio	= iomap_invalidate_folio,
	.is_partially_uptodate	= iomap_is_partially_uptodate,
	.migrate_folio		= filemap_migrate_folio,
	.direct_IO		= noop_direct_IO,
};

/* Blocks for all of the folio, up to EOF; then it is dirty. */
static vm_fault_t dxl_pcache_mkwrite(struct vm_fault *vmf)
{
	struct file *file = vmf->vma->vm_file;
	struct inode *inode = file_inode(file);
	vm_fault_t ret;

	sb_start_pagefault(inode->i_sb);
	file_update_time(file);
	filemap_invalidate_lock_shared(inode->i_mapping);
	ret = dxl_iomap_mkwrite(vmf, &dxl_pcache_iomap_ops);
	filemap_invalidate_unlock_shared(inode->i_mapping);
	sb_end_pagefault(inode->i_sb);
	return ret;
}

const struct vm_operations_struct dxl_pcache_vm_ops = {
	.fault		= dxl_pcache_fault,
	.map_pages	= dxl_pcache_map_pages,
	.page_mkwrite	= dxl_pcache_mkwrite,
};

static int dxl_pcache_mmap(struct file *file, struct vm_area_struct *vma)
{
	file_accessed(file);
	vma->vm_ops = &dxl_pcache_vm_ops;
	return 0;
}

/*
 * Only for SEEK_HOLE and SEEK_DATA: to iomap a page in the cache is data even
 * if the blocks below are unwritten, that is, if it has been read as zeroes.
 */
static int dxl_pcache_seek_begin(struct inode *inode, loff_t pos, loff_t length,
				 unsigned int flags, struct iomap *iomap,
				 struct iomap *srcmap)
{
	int err = dxl_iomap_ops.iomap_begin(inode, pos, length, flags, iomap,
					    srcmap);

	if (!err && iomap->type == IOMAP_UNWRITTEN)
		iomap->type = IOMAP_HOLE;
	return err;
}

static const struct iomap_ops dxl_pcache_seek_ops = {
	.iomap_begin = dxl_pcache_seek_begin,
};

static loff_t dxl_pcache_llseek(struct file *file, loff_t offset, int whence)
{
	return dxl_seek(file, offset, whence, &dxl_pcache_seek_ops);
}

/**
 * dxl_pcache_fsync() - fsync(2), fdatasync(2), msync(2), O_SYNC.
 * @file: in page-cache mode
 * @start: first byte
 * @end: last byte, inclusive
 * @datasync: timestamps may wait, the size may not
 *
 * Context: May sleep.
 * Return: 0 or a negative errno; errors of writeback once for each open file.
 */
static int dxl_pcache_fsync(struct file *file, loff_t start, loff_t end,
			    int datasync)
{
	struct inode *inode = file_inode(file);
	int err, err2;

	err = file_write_and_wait_range(file, start, end);
	dxl_folio_waits_over();
	/* The inode may be clean, with the size of a truncate that is on its way. */
	if (dxl_slot_is_owed(inode, datasync)) {
		err2 = sync_inode_metadata(inode, 1);
		if (!err2 && dxl_slot_is_owed(inode, true))
			err2 = dxl_slot_sync(inode);
		err = err ?: err2;
	}
	err2 = dxl_media_sync(dxl_media_of(inode));
	return err ?: err2;
}

const struct file_operations dxl_pcache_file_ops = {
	.llseek			= dxl_pcache_llseek,
	.read_iter		= dxl_pcache_read_iter,
	.write_iter		= dxl_pcache_write_iter,
	.mmap			= dxl_pcache_mmap,
	.get_unmapped_area	= thp_get_unmapped_area,
	.open			= generic_file_open,
	.fsync			= dxl_pcache_fsync,
	.splice_read		= dxl_splice_read_cached,
	.splice_write		= iter_file_splice_write,
	.fallocate		= dxl_fallocate,
	.fadvise		= dxl_freeze_fadvise,
};

/**
 * dxl_pcache_zero() - Zero bytes within one block, if it has data.
 * @inode: a file in page-cache mode
 * @pos: first byte
 * @len: bytes, at least 1
 *
 * In the cache, whose folio is dirty then; the size stays.
 *
 * Context: i_rwsem exclusively. May sleep.
 * Return: 0 or a negative errno.
 */
int dxl_pcache_zero(struct inode *inode, loff_t pos, size_t len)
{
	struct address_space *mapping = inode->i_mapping;
	struct dxl_run run;
	struct folio *folio;
	int err;

	err = dxl_pcache_map(inode, pos >> PAGE_SHIFT, 1, &run);
	if (err || run.block == DXL_NO_BLOCK || run.unwritten)
		return err;
	for (;;) {
		folio = read_mapping_folio(mapping, pos >> PAGE_SHIFT, NULL);
		if (IS_ERR(folio))
			return PTR_ERR(folio);
		folio_lock(folio);
		if (likely(folio->mapping == mapping))
			break;
		/* Reclaimed: read it again. */
		folio_unlock(folio);
		folio_put(folio);
	}
	folio_wait_stable(folio);
	folio_zero_range(folio, offset_in_folio(folio, pos), len);
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
	return 0;
}

/**
 * dxl_pcache_shrink() - The cache's part of a truncate: new size, then the cut.
 * @inode: a file in page-cache mode
 * @size: in bytes, not above the present one
 *
 * Context: i_rwsem and invalidate_lock exclusively. May sleep.
 * Return: 0; a negative errno, when nothing is changed.
 */
int dxl_pcache_shrink(struct inode *inode, loff_t size)
{
	size_t tail = -size & (PAGE_SIZE - 1);
	int err;

	inode_dio_wait(inode);
	err = tail ? dxl_pcache_zero(inode, size, tail) : 0;
	if (!err)
		truncate_setsize(inode, size);
	dxl_folio_waits_over();
	return err;
}

/**
 * dxl_pcache_cut() - Take whole pages out of the cache whose blocks will be cut.
 * @inode: a file in page-cache mode
 * @first: first page index
 * @last: last page index, inclusive
 *
 * A large folio that reaches out of the range and cannot be split stays, with
 * zeroes there.
 *
 * Context: i_rwsem and invalidate_lock exclusively. May sleep.
 */
void dxl_pcache_cut(struct inode *inode, pgoff_t first, pgoff_t last)
{
	inode_dio_wait(inode);
	truncate_pagecache_range(inode, (loff_t)first << PAGE_SHIFT,
				 ((loff_t)(last + 1) << PAGE_SHIFT) - 1);
	dxl_folio_waits_over();
}
