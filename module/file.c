// SPDX-License-Identifier: GPL-2.0
/*
 * Regular files: the tables of operations (in DAX mode), mmap, seek, attributes
 */
#include "fs.h"
#include "compat.h"
#include "entry_evict.h"

#include <linux/fadvise.h>
#include <linux/huge_mm.h>
#include <linux/iomap.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/pagemap.h>
#include <linux/splice.h>

/**
 * dxl_seek() - lseek(2).
 * @file: a regular file
 * @offset: in bytes
 * @whence: SEEK_*
 * @ops: what tells holes from data
 *
 * Context: May sleep; i_rwsem shared.
 * Return: the new position, or a negative errno.
 */
loff_t dxl_seek(struct file *file, loff_t offset, int whence,
		const struct iomap_ops *ops)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_HOLE && whence != SEEK_DATA)
		return generic_file_llseek(file, offset, whence);
	inode_lock_shared(inode);
	if (whence == SEEK_HOLE)
		offset = iomap_seek_hole(inode, offset, ops);
	else
		offset = iomap_seek_data(inode, offset, ops);
	inode_unlock_shared(inode);
	/* vfs_setpos() would call it -EINVAL that there is nothing (-ENXIO). */
	if (offset < 0)
		return offset;
	return vfs_setpos(file, offset, inode->i_sb->s_maxbytes);
}

static loff_t dxl_llseek(struct file *file, loff_t offset, int whence)
{
	return dxl_seek(file, offset, whence, &dxl_iomap_ops);
}

/*
 * MAP_SYNC costs nothing here: the block map is durable before a fault maps
 * what it points to, and a size before ftruncate(2) returns. Only memory that
 * is not synchronous forbids it.
 */
static int dxl_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct dxl_media *media = dxl_media_of(file_inode(file));

	if (!dxl_dax_takes_mapping(vma, media->dax))
		return -EOPNOTSUPP;
	file_accessed(file);
	vma->vm_ops = &dxl_vm_ops;
	dxl_vma_set_flags(vma, media->pagemap);
	return 0;
}

static int dxl_fiemap(struct inode *inode, struct fiemap_extent_info *info,
		      u64 start, u64 len)
{
	int err;

	inode_lock_shared(inode);
	len = min_t(u64, len, DXL_MAX_SIZE);
	err = iomap_fiemap(inode, info, start, len, &dxl_iomap_ops);
	inode_unlock_shared(inode);
	return err;
}

/* Advice is not needed for memory, but evict=clean takes one (C5). */
static int dxl_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	struct inode *inode = file_inode(file);
	u64 end = len ? (u64)offset + len : DXL_MAX_SIZE;

	end = min_t(u64, end, DXL_MAX_SIZE);
	if (advice == POSIX_FADV_DONTNEED && offset >= 0 && len >= 0 &&
	    (u64)offset < end && dxl_choice(&DXL_SB(inode->i_sb)->lab,
					    DXL_KNOB_EVICT) == DXL_EVICT_CLEAN)
		dxl_entry_evict_clean(&DXL_I(inode)->tree,
				      DIV_ROUND_UP_ULL(offset, PAGE_SIZE),
				      (end - 1) >> PAGE_SHIFT);
	return generic_fadvise(file, offset, len, advice);
}

const struct file_operations dxl_file_ops = {
	.llseek			= dxl_llseek,
	.read_iter		= dxl_read_iter,
	.write_iter		= dxl_write_iter,
	.mmap			= dxl_mmap,
	DXL_FOPS_MAP_SYNC,
	.get_unmapped_area	= thp_get_unmapped_area,
	.open			= generic_file_open,
	.fsync			= dxl_fsync,
	.splice_read		= dxl_splice_read,
	.splice_write		= iter_file_splice_write,
	.fallocate		= dxl_fallocate,
	.fadvise		= dxl_fadvise,
};

/* Sizes change here, all else as for every inode. */
static int dxl_file_setattr(dxl_idmap *idmap, struct dentry *dentry,
			    struct iattr *attr)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = setattr_prepare(idmap, dentry, attr);
	if (err)
		return err;
	if (attr->ia_valid & ATTR_SIZE) {
		err = inode_newsize_ok(inode, attr->ia_size);
		if (!err)
			err = dxl_set_size(inode, attr->ia_size);
		if (err)
			return err;
	}
	return dxl_setattr_copy(inode, attr);
}

const struct inode_operations dxl_file_inode_ops = {
	.setattr	= dxl_file_setattr,
	.getattr	= dxl_getattr,
	.fiemap		= dxl_fiemap,
	.fileattr_get	= dxl_fileattr_get,
	.fileattr_set	= dxl_fileattr_set,
};
