// SPDX-License-Identifier: GPL-2.0
/*
 * Operations on names. All are durable when they return, and atomic:
 *
 * create	record of the inode, then one store in the directory
 * remove	one store in the directory, then the record
 * rename	two stores as one (intent.c), then the records
 *
 * A power cut in between leaves a record without a name or a wrong number of
 * links: the check at the next mount puts both right.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"

#include <linux/slab.h>

/*
 * A name that is found while an inode waits to leave memory, to come back in
 * another mode (d_mark_dontcache()), is not to hold it.
 */
static struct dentry *dxl_lookup_splice(struct inode *inode,
					struct dentry *dentry)
{
	struct dentry *found = d_splice_alias(inode, dentry);

	if (!IS_ERR_OR_NULL(inode) && !IS_ERR(found) &&
	    dxl_inode_state(inode) & I_DONTCACHE)
		d_mark_dontcache(inode);
	return found;
}

static struct dentry *dxl_lookup(struct inode *dir, struct dentry *dentry,
				 unsigned int flags)
{
	struct dxl_media *media = dxl_media_of(dir);
	struct inode *inode = NULL;
	struct dxl_place place;
	int err, id;

	if (dentry->d_name.len > DXL_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	err = dxl_media_enter(media, &id);
	if (err)
		return ERR_PTR(err);
	err = dxl_dir_find(dir, &dentry->d_name, &place);
	dxl_media_exit(id);
	if (err && err != -ENOENT)
		return ERR_PTR(err);
	if (!err)
		inode = dxl_iget(dir->i_sb, place.word & DXL_DIRENT_INO);
	return dxl_lookup_splice(inode, dentry);
}

static void dxl_touch_dir(struct inode *dir)
{
	inode_set_mtime_to_ts(dir, inode_set_ctime_current(dir));
	mark_inode_dirty(dir);
}

/* Durable: @dentry names @inode, whose record is written. */
static int dxl_name_add(struct inode *dir, struct dentry *dentry,
			struct inode *inode)
{
	struct dxl_media *media = dxl_media_of(dir);
	struct dxl_place place;
	int err, id;

	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_dir_prepare(dir, &dentry->d_name, &place);
	if (!err)
		dxl_dir_set(dir, &place, dxl_dir_word(inode));
	dxl_media_exit(id);
	if (!err)
		dxl_touch_dir(dir);
	return err;
}

/* Durable: @dentry names nothing. */
static int dxl_name_remove(struct inode *dir, struct dentry *dentry)
{
	struct dxl_media *media = dxl_media_of(dir);
	struct dxl_place place;
	int err, id;

	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_dir_find(dir, &dentry->d_name, &place);
	if (!err)
		dxl_dir_set(dir, &place, 0);
	dxl_media_exit(id);
	if (!err)
		dxl_touch_dir(dir);
	return err;
}

static void dxl_discard(struct inode *inode)
{
	clear_nlink(inode);
	discard_new_inode(inode);
}

/* Give a new inode its record and its name, or discard it. */
static int dxl_finish_new(struct inode *dir, struct dentry *dentry,
			  struct inode *inode)
{
	int err = dxl_slot_write(inode);

	if (!err)
		err = dxl_name_add(dir, dentry, inode);
	if (err) {
		dxl_discard(inode);
		return err;
	}
	if (S_ISDIR(inode->i_mode)) {
		inc_nlink(dir);
		dxl_slot_update(dir);
	}
	d_instantiate_new(dentry, inode);
	return 0;
}

static int dxl_mknod(dxl_idmap *idmap, struct inode *dir,
		     struct dentry *dentry, umode_t mode, dev_t rdev)
{
	struct inode *inode = dxl_inode_new(dir, mode, rdev);

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	return dxl_finish_new(dir, dentry, inode);
}

dxl_define_create(dxl_create)
{
	return dxl_mknod(idmap, dir, dentry, mode, 0);
}

static dxl_mkdir_result dxl_mkdir(dxl_idmap *idmap, struct inode *dir,
				  struct dentry *dentry, umode_t mode)
{
	return dxl_mkdir_done(dxl_mknod(idmap, dir, dentry, S_IFDIR | mode,
					0));
}

/* Put the target into block 0 and, as VFS wants it, into memory. */
static int dxl_symlink_fill(struct inode *inode, const char *target, size_t len)
{
	struct dxl_media *media = dxl_media_of(inode);
	struct dxl_run run;
	void *addr;
	int err, id;

	inode->i_link = kmemdup_nul(target, len, GFP_KERNEL);
	if (!inode->i_link)
		return -ENOMEM;
	err = dxl_media_enter(media, &id);
	if (err)
		return err;
	err = dxl_map_alloc(inode, 0, 1, false, &run);
	if (err)
		goto exit;
	addr = dxl_media_addr(media, run.block);
	if (addr) {
		dxl_media_copy(media, addr, target, len);
		dxl_media_fence(media);
		i_size_write(inode, len);
	} else {
		err = -EIO;
	}
exit:
	dxl_media_exit(id);
	return err;
}

static int dxl_symlink(dxl_idmap *idmap, struct inode *dir,
		       struct dentry *dentry, const char *target)
{
	size_t len = strlen(target);
	struct inode *inode;
	int err;

	if (len >= DXL_BLOCK_SIZE)
		return -ENAMETOOLONG;
	inode = dxl_inode_new(dir, S_IFLNK | 0777, 0);
	if (IS_ERR(inode))
		return PTR_ERR(inode);
	err = dxl_symlink_fill(inode, target, len);
	if (err) {
		dxl_discard(inode);
		return err;
	}
	return dxl_finish_new(dir, dentry, inode);
}

static int dxl_link(struct dentry *old_dentry, struct inode *dir,
		    struct dentry *dentry)
{
	struct inode *inode = d_inode(old_dentry);
	int err;

	err = dxl_name_add(dir, dentry, inode);
	if (err)
		return err;
	inode_set_ctime_current(inode);
	inc_nlink(inode);
	dxl_slot_update(inode);
	ihold(inode);
	d_instantiate(dentry, inode);
	return 0;
}

static int dxl_unlink(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = dxl_name_remove(dir, dentry);
	if (err)
		return err;
	inode_set_ctime_to_ts(inode, inode_get_ctime(dir));
	drop_nlink(inode);
	dxl_slot_update(inode);
	return 0;
}

static int dxl_rmdir(struct inode *dir, struct dentry *dentry)
{
	struct inode *inode = d_inode(dentry);
	int err;

	err = dxl_dir_empty(inode);
	if (!err)
		err = dxl_name_remove(dir, dentry);
	if (err)
		return err;
	inode_set_ctime_to_ts(inode, inode_get_ctime(dir));
	clear_nlink(inode);
	dxl_slot_update(inode);
	drop_nlink(dir);
	dxl_slot_update(dir);
	return 0;
}

static int dxl_tmpfile(dxl_idmap *idmap, struct inode *dir, struct file *file,
		       umode_t mode)
{
	struct inode *inode = dxl_inode_new(dir, mode, 0);
	int err;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	err = dxl_slot_write(inode);
	if (err) {
		dxl_discard(inode);
		return err;
	}
	d_tmpfile(file, inode);
	unlock_new_inode(inode);
	return finish_open_simple(file, 0);
}

/*
 * The stores of a rename. @left is what the old name names afterwards: nothing,
 * a whiteout, or the target of an exchange.
 */
static int dxl_rename_names(struct inode *old_dir, struct dentry *old_dentry,
			    struct inode *new_dir, struct dentry *new_dentry,
			    const struct inode *left)
{
	struct dxl_sb *sbi = DXL_SB(old_dir->i_sb);
	struct dxl_intent_op op[2];
	struct dxl_place from, to;
	int err, id;

	err = dxl_media_enter(&sbi->media, &id);
	if (err)
		return err;
	err = dxl_dir_find(old_dir, &old_dentry->d_name, &from);
	if (err)
		goto exit;
	if (d_really_is_positive(new_dentry))
		err = dxl_dir_find(new_dir, &new_dentry->d_name, &to);
	else
		err = dxl_dir_prepare(new_dir, &new_dentry->d_name, &to);
	if (err)
		goto exit;
	op[0].pos = cpu_to_le64(to.pos);
	op[0].val = cpu_to_le64(from.word);
	op[1].pos = cpu_to_le64(from.pos);
	op[1].val = cpu_to_le64(left ? dxl_dir_word(left) : 0);
	err = dxl_intent_run(sbi, op, ARRAY_SIZE(op));
exit:
	dxl_media_exit(id);
	return err;
}

/* A directory counts as a link of its parent: one came, or went (@by -1). */
static void dxl_count_subdir(struct inode *dir, const struct inode *inode,
			     int by)
{
	if (!S_ISDIR(inode->i_mode))
		return;
	if (by > 0)
		inc_nlink(dir);
	else
		drop_nlink(dir);
}

static void dxl_rename_links(struct inode *old_dir, struct inode *inode,
			     struct inode *new_dir, struct inode *target,
			     bool exchange)
{
	dxl_count_subdir(old_dir, inode, -1);
	dxl_count_subdir(new_dir, inode, 1);
	if (target)
		dxl_count_subdir(new_dir, target, -1);
	if (exchange)
		dxl_count_subdir(old_dir, target, 1);
	else if (target && S_ISDIR(target->i_mode))
		clear_nlink(target);
	else if (target)
		drop_nlink(target);
}

static int dxl_rename(dxl_idmap *idmap, struct inode *old_dir,
		      struct dentry *old_dentry, struct inode *new_dir,
		      struct dentry *new_dentry, unsigned int flags)
{
	struct inode *inode = d_inode(old_dentry);
	struct inode *target = d_inode(new_dentry);
	struct inode *whiteout = NULL;
	bool exchange = flags & RENAME_EXCHANGE;
	int err;

	if (flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT))
		return -EINVAL;
	if (target && S_ISDIR(target->i_mode) && !exchange) {
		err = dxl_dir_empty(target);
		if (err)
			return err;
	}
	if (flags & RENAME_WHITEOUT) {
		whiteout = dxl_inode_new(old_dir, S_IFCHR | WHITEOUT_MODE,
					 WHITEOUT_DEV);
		if (IS_ERR(whiteout))
			return PTR_ERR(whiteout);
		err = dxl_slot_write(whiteout);
		if (err)
			goto discard;
	}
	err = dxl_rename_names(old_dir, old_dentry, new_dir, new_dentry,
			       exchange ? target : whiteout);
	if (err)
		goto discard;

	/* Done and durable: nothing may fail from here on. */
	if (whiteout) {
		unlock_new_inode(whiteout);
		iput(whiteout);
	}
	dxl_rename_links(old_dir, inode, new_dir, target, exchange);
	dxl_touch_dir(old_dir);
	dxl_touch_dir(new_dir);
	inode_set_ctime_current(inode);
	mark_inode_dirty(inode);
	if (target) {
		inode_set_ctime_current(target);
		dxl_slot_update(target);
	}
	dxl_slot_update(old_dir);
	if (new_dir != old_dir)
		dxl_slot_update(new_dir);
	return 0;
discard:
	if (whiteout)
		dxl_discard(whiteout);
	return err;
}

const struct inode_operations dxl_dir_inode_ops = {
	.lookup		= dxl_lookup,
	.create		= dxl_create,
	.link		= dxl_link,
	.unlink		= dxl_unlink,
	.symlink	= dxl_symlink,
	.mkdir		= dxl_mkdir,
	.rmdir		= dxl_rmdir,
	.mknod		= dxl_mknod,
	.rename		= dxl_rename,
	.tmpfile	= dxl_tmpfile,
	.getattr	= dxl_getattr,
	.setattr	= dxl_setattr,
	.fileattr_get	= dxl_fileattr_get,
	.fileattr_set	= dxl_fileattr_set,
};
