// SPDX-License-Identifier: GPL-2.0
/*
 * Inodes: birth, reading in, attributes, death. What is common to all kinds.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "frozen.h"
#include "fs.h"
#include "pcache.h"

#include <linux/dcache.h>
#include <linux/fileattr.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/stat.h>

/* What a file gets from the directory that it is born in. */
#define DXL_FL_INHERITED	(FS_SYNC_FL | FS_NODUMP_FL | FS_NOATIME_FL | \
				 FS_DAX_FL)
#define DXL_FL_INHERITED_DIR	(DXL_FL_INHERITED | FS_DIRSYNC_FL)
#define DXL_FL_USER		(DXL_FL_INHERITED_DIR | FS_IMMUTABLE_FL | \
				 FS_APPEND_FL)

static void dxl_set_iflags(struct inode *inode)
{
	u32 fsflags = DXL_I(inode)->fsflags;
	unsigned int flags = 0;

	if (fsflags & FS_SYNC_FL)
		flags |= S_SYNC;
	if (fsflags & FS_IMMUTABLE_FL)
		flags |= S_IMMUTABLE;
	if (fsflags & FS_APPEND_FL)
		flags |= S_APPEND;
	if (fsflags & FS_NOATIME_FL)
		flags |= S_NOATIME;
	if (fsflags & FS_DIRSYNC_FL)
		flags |= S_DIRSYNC;
	inode_set_flags(inode, flags, S_SYNC | S_IMMUTABLE | S_APPEND |
				      S_NOATIME | S_DIRSYNC);
}

/*
 * This stays as long as the inode is in memory: mappings, entries and folios
 * are of one mode.
 */
static void dxl_set_file_ops(struct inode *inode)
{
	enum dxl_dax_mode dax = DXL_SB(inode->i_sb)->dax;

	inode->i_op = &dxl_file_inode_ops;
	if (dax == DXL_DAX_ALWAYS ||
	    (dax == DXL_DAX_INODE && DXL_I(inode)->fsflags & FS_DAX_FL)) {
		inode_set_flags(inode, DXL_S_DAX, DXL_S_DAX);
		inode->i_fop = &dxl_file_ops;
		inode->i_mapping->a_ops = &dxl_aops;
	} else {
		inode->i_fop = &dxl_pcache_file_ops;
		inode->i_mapping->a_ops = &dxl_pcache_aops;
		mapping_set_large_folios(inode->i_mapping);
	}
}

static void dxl_set_ops(struct inode *inode)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFREG:
		dxl_set_file_ops(inode);
		break;
	case S_IFDIR:
		inode->i_op = &dxl_dir_inode_ops;
		inode->i_fop = &dxl_dir_ops;
		break;
	case S_IFLNK:
		inode->i_op = &dxl_symlink_inode_ops;
		break;
	default:
		inode->i_op = &dxl_special_inode_ops;
		init_special_inode(inode, inode->i_mode, inode->i_rdev);
	}
	dxl_set_iflags(inode);
}

/* The target of a symlink lies in its block 0; keep a copy that ends in NUL. */
static int dxl_load_link(struct inode *inode)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_run run;
	const char *addr;
	char *link;
	int err, id;

	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_map_lookup(inode, 0, 1, &run);
	if (err)
		goto exit;
	err = -EUCLEAN;
	if (run.block == DXL_NO_BLOCK || run.unwritten)
		goto exit;
	err = -EIO;
	addr = dxl_media_addr(media, run.block);
	if (!addr)
		goto exit;
	err = -ENOMEM;
	link = kmemdup_nul(addr, inode->i_size, GFP_KERNEL);
	if (!link)
		goto exit;
	err = -EUCLEAN;
	if (!inode->i_size || strlen(link) != inode->i_size) {
		kfree(link);
		goto exit;
	}
	inode->i_link = link;
	err = 0;
exit:
	dxl_media_exit(id);
	return err;
}

static int dxl_inode_fill(struct inode *inode)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	struct dxl_slot slot;
	int err;

	DXL_I(inode)->tree.ino = inode->i_ino;
	err = dxl_slot_read(sbi, inode->i_ino, &slot);
	if (err)
		return err;
	/* The check at mount has seen to this; the raw device may differ now. */
	if (!slot.mode || !dxl_slot_sane(sbi, &slot))
		return -EUCLEAN;
	dxl_slot_load(inode, &slot);
	dxl_set_ops(inode);
	inode->i_blocks = dxl_map_count(inode) << (DXL_BLOCK_SHIFT - 9);
	return S_ISLNK(inode->i_mode) ? dxl_load_link(inode) : 0;
}

/**
 * dxl_iget() - Get an inode by number, from cache or media.
 * @sb: the mount
 * @ino: the number
 *
 * Context: Process context.
 * Return: The inode with a reference, or ERR_PTR: -EUCLEAN, -EIO, -ENOMEM.
 */
struct inode *dxl_iget(struct super_block *sb, u64 ino)
{
	struct inode *inode;
	int err;

	if (ino < DXL_ROOT_INO || ino >= DXL_SB(sb)->nr_inodes)
		return ERR_PTR(-EUCLEAN);
	inode = iget_locked(sb, ino);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	if (!(dxl_inode_state(inode) & I_NEW))
		return inode;
	err = dxl_inode_fill(inode);
	if (err) {
		dxl_err_ratelimited(sb, "inode %llu not read: %d", ino, err);
		iget_failed(inode);
		return ERR_PTR(err);
	}
	unlock_new_inode(inode);
	return inode;
}

/* A free number, and the sequence number at which its record stands. */
static int dxl_take_number(struct dxl_sb *sbi, struct inode *inode)
{
	struct dxl_slot slot;
	int ino, err;

	ino = ida_alloc_range(&sbi->inos, DXL_ROOT_INO + 1, sbi->nr_inodes - 1,
			      GFP_KERNEL);
	if (ino < 0)
		return ino;
	err = dxl_slot_read(sbi, ino, &slot);
	if (err) {
		ida_free(&sbi->inos, ino);
		return err;
	}
	atomic64_dec(&sbi->nr_free_inodes);
	inode->i_ino = ino;
	DXL_I(inode)->tree.ino = ino;
	DXL_I(inode)->seq = le64_to_cpu(slot.seq);
	return 0;
}

/**
 * dxl_inode_new() - Make an inode that nothing refers to yet.
 * @dir: where it will get its name
 * @mode: kind and permissions
 * @rdev: for device nodes
 *
 * The caller writes the record, then the name, and ends with
 * unlock_new_inode(); or clear_nlink() and discard_new_inode(), which give the
 * number back.
 *
 * Context: Process context, i_rwsem of @dir held.
 * Return: A new inode, locked (I_NEW), with one link (a directory: two), or
 * ERR_PTR: -ENOSPC, -ENOMEM, -EIO.
 */
struct inode *dxl_inode_new(struct inode *dir, umode_t mode, dev_t rdev)
{
	struct super_block *sb = dir->i_sb;
	struct dxl_inode *di;
	struct inode *inode;
	struct timespec64 now;
	int err;

	inode = new_inode(sb);
	if (!inode)
		return ERR_PTR(-ENOMEM);
	di = DXL_I(inode);
	err = dxl_take_number(DXL_SB(sb), inode);
	if (err) {
		make_bad_inode(inode);
		iput(inode);
		return ERR_PTR(err);
	}

	inode_init_owner(DXL_NOP_IDMAP, inode, dir, mode);
	inode->i_rdev = rdev;
	inode->i_generation = get_random_u32();
	now = inode_set_ctime_current(inode);
	inode_set_mtime_to_ts(inode, now);
	inode_set_atime_to_ts(inode, now);
	di->btime = now;
	di->fsflags = READ_ONCE(DXL_I(dir)->fsflags) &
		      (S_ISDIR(mode) ? DXL_FL_INHERITED_DIR : DXL_FL_INHERITED);
	if (S_ISDIR(mode))
		set_nlink(inode, 2);
	dxl_set_ops(inode);
	if (insert_inode_locked(inode) < 0) {
		/* Two users of one number: only a damaged memory does that. */
		dxl_err(sb, "inode %lu is in use already", dxl_ino(inode));
		make_bad_inode(inode);
		iput(inode);
		return ERR_PTR(-EIO);
	}
	return inode;
}

/*
 * The last reference to an unlinked inode is gone. A power cut in here leaves
 * a record without a name, which the next mount frees. So does an error.
 */
static void dxl_inode_delete(struct inode *inode)
{
	struct dxl_sb *sbi = DXL_SB(inode->i_sb);
	int err;

	sb_start_intwrite(inode->i_sb);
	err = dxl_truncate_all(inode);
	if (!err)
		err = dxl_slot_clear(inode);
	if (!err) {
		ida_free(&sbi->inos, inode->i_ino);
		atomic64_inc(&sbi->nr_free_inodes);
	} else {
		dxl_err_ratelimited(inode->i_sb, "inode %lu not freed: %d",
				    dxl_ino(inode), err);
	}
	sb_end_intwrite(inode->i_sb);
}

/**
 * dxl_evict_inode() - The end of an inode in memory, or altogether.
 * @inode: nobody refers to it
 *
 * Context: Process context, also from reclaim.
 */
void dxl_evict_inode(struct inode *inode)
{
	struct dxl_lab *lab = &DXL_SB(inode->i_sb)->lab;

	/* Zombies would hang it. */
	if (!list_empty(&lab->frozen.freezes))
		dxl_freeze_sweep(lab, &inode->i_data);
	truncate_inode_pages_final(&inode->i_data);
	dxl_tree_retire(&DXL_I(inode)->tree);
	/* What a variant left locked, nobody will unlock. */
	if (dxl_varied())
		dxl_tree_rescue(&DXL_I(inode)->tree);
	/* Forced read-only with unlinked files open: left to the next mount. */
	if (!inode->i_nlink && !is_bad_inode(inode) && !sb_rdonly(inode->i_sb))
		dxl_inode_delete(inode);
	if (S_ISREG(inode->i_mode) && !is_bad_inode(inode))
		dxl_inval_forget(inode);
	clear_inode(inode);
	dxl_tree_destroy(&DXL_I(inode)->tree);
}

/**
 * dxl_setattr_copy() - Set attributes except size, durably.
 * @inode: the inode
 * @attr: passed by setattr_prepare()
 *
 * Context: Process context, i_rwsem of @inode held exclusively.
 * Return: 0 or -EIO.
 */
int dxl_setattr_copy(struct inode *inode, struct iattr *attr)
{
	setattr_copy(DXL_NOP_IDMAP, inode, attr);
	return dxl_slot_write(inode);
}

/**
 * dxl_setattr() - inode_operations.setattr of all but regular files.
 * @idmap: of the mount
 * @dentry: whose inode
 * @attr: what to set
 *
 * Context: Process context, i_rwsem held exclusively.
 * Return: 0 or a negative errno.
 */
int dxl_setattr(dxl_idmap *idmap, struct dentry *dentry, struct iattr *attr)
{
	int err = setattr_prepare(idmap, dentry, attr);

	return err ?: dxl_setattr_copy(d_inode(dentry), attr);
}

/**
 * dxl_getattr() - inode_operations.getattr.
 * @idmap: of the mount
 * @path: whose inode
 * @stat: filled in
 * @mask: STATX_* asked for
 * @flags: AT_STATX_*
 *
 * Context: Process context.
 * Return: 0.
 */
int dxl_getattr(dxl_idmap *idmap, const struct path *path, struct kstat *stat,
		u32 mask, unsigned int flags)
{
	struct inode *inode = d_inode(path->dentry);
	struct dxl_inode *di = DXL_I(inode);
	u32 fsflags = READ_ONCE(di->fsflags);

	dxl_fillattr(idmap, mask, inode, stat);
	stat->btime = di->btime;
	stat->result_mask |= STATX_BTIME;
	if (fsflags & FS_APPEND_FL)
		stat->attributes |= STATX_ATTR_APPEND;
	if (fsflags & FS_IMMUTABLE_FL)
		stat->attributes |= STATX_ATTR_IMMUTABLE;
	if (fsflags & FS_NODUMP_FL)
		stat->attributes |= STATX_ATTR_NODUMP;
	if (dxl_inode_dax(inode))
		stat->attributes |= STATX_ATTR_DAX;
	stat->attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE |
				 STATX_ATTR_NODUMP;
	return 0;
}

/**
 * dxl_fileattr_get() - inode_operations.fileattr_get: lsattr.
 * @dentry: whose inode
 * @fa: filled in
 *
 * Context: Process context.
 * Return: 0.
 */
int dxl_fileattr_get(struct dentry *dentry, dxl_fileattr *fa)
{
	fileattr_fill_flags(fa, READ_ONCE(DXL_I(d_inode(dentry))->fsflags));
	return 0;
}

/* The mode that the flag wants comes when the inode is read in again: soon. */
static void dxl_dax_changed(struct inode *inode)
{
	if (!S_ISREG(inode->i_mode) ||
	    DXL_SB(inode->i_sb)->dax != DXL_DAX_INODE)
		return;
	/* Names in use go with their last user, the others now. */
	d_mark_dontcache(inode);
	d_prune_aliases(inode);
}

/**
 * dxl_fileattr_set() - inode_operations.fileattr_set: chattr.
 * @idmap: of the mount
 * @dentry: whose inode
 * @fa: what to set; VFS has checked who may
 *
 * Context: Process context, i_rwsem held exclusively.
 * Return: 0, -EOPNOTSUPP for flags that mean nothing here, -EIO.
 */
int dxl_fileattr_set(dxl_idmap *idmap, struct dentry *dentry,
		     dxl_fileattr *fa)
{
	struct inode *inode = d_inode(dentry);
	struct dxl_inode *di = DXL_I(inode);

	if (fileattr_has_fsx(fa) || fa->flags & ~DXL_FL_USER)
		return -EOPNOTSUPP;
	if ((di->fsflags ^ fa->flags) & FS_DAX_FL)
		dxl_dax_changed(inode);
	WRITE_ONCE(di->fsflags, fa->flags);
	dxl_set_iflags(inode);
	inode_set_ctime_current(inode);
	return dxl_slot_write(inode);
}

const struct inode_operations dxl_symlink_inode_ops = {
	.get_link	= simple_get_link,
	.getattr	= dxl_getattr,
	.setattr	= dxl_setattr,
};

const struct inode_operations dxl_special_inode_ops = {
	.getattr	= dxl_getattr,
	.setattr	= dxl_setattr,
};
