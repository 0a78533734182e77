// SPDX-License-Identifier: GPL-2.0
/*
 * Mounts: superblock operations, the cache of inodes.
 *
 * A mount that fails half-way is torn down by dxl_kill_sb() like any other: all
 * that it frees may be not built yet.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"
#include "debugfs.h"
#include "frozen.h"
#include "fs_variant.h"
#include "options.h"
#include "session.h"

#include <linux/fs_context.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/writeback.h>

#define DXL_MAX_LINKS		32000
#define DXL_SUPER_MAGIC		lower_32_bits(DXL_MAGIC)

static struct kmem_cache *dxl_inode_cache;

/* All mounts, for debugfs. */
static LIST_HEAD(dxl_mounts);
static DEFINE_MUTEX(dxl_mounts_lock);	/* against mount and umount */

static struct inode *dxl_alloc_inode(struct super_block *sb)
{
	struct dxl_inode *di;

	di = alloc_inode_sb(sb, dxl_inode_cache, GFP_KERNEL);
	if (!di)
		return NULL;
	mutex_init(&di->map_lock);
	mutex_init(&di->slot_lock);
	/* Here, since debugfs looks at the trees of all inodes on the list. */
	init_rwsem(&di->sync_sem);
	dxl_tree_init(&di->tree, &dxl_inode_tree_ops, &DXL_SB(sb)->lab,
		      sb->s_dev, 0);
	di->root = 0;
	di->seq = 0;
	di->stored_root = 0;
	di->stored_size = 0;
	di->btime = (struct timespec64) {};
	di->fsflags = 0;
	return &di->vfs_inode;
}

static void dxl_free_inode(struct inode *inode)
{
	/* After a grace period: a path walk may have read the link. */
	if (S_ISLNK(inode->i_mode))
		kfree(inode->i_link);
	kmem_cache_free(dxl_inode_cache, DXL_I(inode));
}

static void dxl_init_once(void *obj)
{
	struct dxl_inode *di = obj;

	inode_init_once(&di->vfs_inode);
}

/*
 * VFS forgets the error: syncfs(2) tells what was set. Who syncs one file has it from
 * here.
 */
static int dxl_write_inode(struct inode *inode, struct writeback_control *wbc)
{
	int err = dxl_slot_write(inode);

	if (err && wbc->for_sync)
		mapping_set_error(inode->i_mapping, err);
	return err;
}

static int dxl_sync_fs(struct super_block *sb, int wait)
{
	return wait ? dxl_media_sync(&DXL_SB(sb)->media) : 0;
}

/*
 * An fsync(2) in page-cache mode may store it just now, and fail. What goes away is
 * stored by who takes it away.
 */
static void dxl_find_owed(struct inode *inode, void *arg)
{
	unsigned long state = dxl_inode_state(inode);

	if (state & (I_DIRTY_INODE | I_SYNC) &&
	    !(state & (I_FREEING | I_WILL_FREE)))
		*(bool *)arg = true;
}

/*
 * Writers are out, and VFS has written all inodes, but does not ask how that went: the
 * flusher would store a record that failed later, where nothing may be written. As
 * f2fs_freeze() does, refuse.
 */
static int dxl_all_stored(struct super_block *sb)
{
	bool owed = false;

	dxl_sb_visit_inodes(sb, dxl_find_owed, &owed);
	return owed ? -EIO : 0;
}

/* VFS keeps writers out and has written all; without this it will not begin. */
static int dxl_freeze_fs(struct super_block *sb)
{
	return dxl_all_stored(sb) ?: dxl_media_sync(&DXL_SB(sb)->media);
}

static int dxl_statfs(struct dentry *dentry, struct kstatfs *buf)
{
	struct dxl_sb *sbi = DXL_SB(dentry->d_sb);
	struct dxl_alloc *alloc = &sbi->alloc;
	int id;

	/* What is pinned no more is free, whoever has noticed. */
	if (!dxl_media_enter(&sbi->media, &id)) {
		dxl_balloc_reap(sbi);
		dxl_media_exit(id);
	}
	buf->f_type = DXL_SUPER_MAGIC;
	buf->f_bsize = DXL_BLOCK_SIZE;
	buf->f_blocks = sbi->nr_blocks - sbi->data_block;
	spin_lock(&alloc->lock);
	buf->f_bfree = alloc->nr_free;
	buf->f_bavail = alloc->nr_free - min(alloc->nr_free, alloc->reserve);
	spin_unlock(&alloc->lock);
	buf->f_files = sbi->nr_inodes - 1;
	buf->f_ffree = atomic64_read(&sbi->nr_free_inodes);
	buf->f_namelen = DXL_NAME_MAX;
	buf->f_fsid = uuid_to_fsid(sbi->uuid.b);
	return 0;
}

static int dxl_show_options(struct seq_file *seq, struct dentry *root)
{
	dxl_options_show(seq, root->d_sb);
	return 0;
}

static const struct super_operations dxl_super_ops = {
	.alloc_inode	= dxl_alloc_inode,
	.free_inode	= dxl_free_inode,
	.write_inode	= dxl_write_inode,
	.evict_inode	= dxl_evict_inode,
	.sync_fs	= dxl_sync_fs,
	.freeze_fs	= dxl_freeze_fs,
	.statfs		= dxl_statfs,
	.show_options	= dxl_show_options,
};

/*
 * Is this memory that this module allocated, so that blank means new? Ours may
 * also stand on memory that was there before.
 */
static bool dxl_is_own_memory(const struct dxl_sb *sbi)
{
	return sbi->sb->s_bdev->bd_disk->fops->owner == THIS_MODULE &&
	       !sbi->media.pagemap;
}

/* Find a filesystem on the device, or make one. */
static int dxl_find_super(struct dxl_sb *sbi, bool format)
{
	bool blank = false;
	int err;

	if (format)
		return dxl_format(sbi);
	err = dxl_super_read(sbi, &blank);
	if (err || !blank)
		return err;
	if (!dxl_is_own_memory(sbi)) {
		dxl_err(sbi->sb, "device is blank; -o format makes a filesystem");
		return -EINVAL;
	}
	if (sb_rdonly(sbi->sb)) {
		dxl_err(sbi->sb, "device is blank, and the mount read-only");
		return -EROFS;
	}
	return dxl_format(sbi);
}

static int dxl_load(struct dxl_sb *sbi, bool format)
{
	int err, id;

	err = dxl_media_enter(&sbi->media, &id);
	if (err)
		return err;
	err = dxl_find_super(sbi, format);
	if (!err)
		err = dxl_balloc_init(sbi);
	if (!err)
		err = dxl_check_image(sbi);
	if (!err)
		dxl_balloc_keep_pinned(sbi);
	dxl_media_exit(id);
	return err;
}

static int dxl_fill_super(struct super_block *sb, struct fs_context *fc)
{
	struct dxl_fc *ctx = fc->fs_private;
	struct dxl_sb *sbi;
	struct inode *root;
	int err;

	ctx->filled = true;
	sbi = kzalloc(sizeof(*sbi), GFP_KERNEL);
	if (!sbi)
		return -ENOMEM;
	sbi->sb = sb;
	INIT_LIST_HEAD(&sbi->node);
	INIT_LIST_HEAD(&sbi->gone_node);
	ida_init(&sbi->inos);
	mutex_init(&sbi->intent_lock);
	dxl_lab_init(&sbi->lab, sb);
	dxl_lab_vary(&sbi->lab, &ctx->variant);
	sbi->dax = ctx->dax;
	sb->s_fs_info = sbi;

	sb->s_op = &dxl_super_ops;
	sb->s_magic = DXL_SUPER_MAGIC;
	sb->s_maxbytes = DXL_MAX_SIZE;
	sb->s_max_links = DXL_MAX_LINKS;
	sb->s_time_gran = 1;
	sb->s_time_min = div_s64(S64_MIN, NSEC_PER_SEC);
	sb->s_time_max = div_s64(S64_MAX, NSEC_PER_SEC);
	if (!sb_set_blocksize(sb, DXL_BLOCK_SIZE)) {
		dxl_err(sb, "device cannot do blocks of %lu bytes",
			DXL_BLOCK_SIZE);
		return -EINVAL;
	}

	dxl_gone_watch(sbi);
	err = dxl_media_open(&sbi->media, sb->s_bdev, sb, &dxl_gone_ops);
	if (err)
		return err;
	sbi->media.ledger = &sbi->lab.ledger;
	err = dxl_load(sbi, ctx->format);
	if (err)
		return err;
	root = dxl_iget(sb, DXL_ROOT_INO);
	if (IS_ERR(root))
		return PTR_ERR(root);
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;

	mutex_lock(&dxl_mounts_lock);
	list_add_tail(&sbi->node, &dxl_mounts);
	mutex_unlock(&dxl_mounts_lock);
	dxl_oracles_mounted(&sbi->lab);
	dxl_debugfs_mount(&sbi->lab);
	return 0;
}

static void dxl_kill_sb(struct super_block *sb)
{
	struct dxl_sb *sbi = DXL_SB(sb);

	if (sbi) {
		if (dxl_cache_close(&sbi->lab))
			dxl_rescue(&sbi->lab);
		/* First: the next mount of the device has the same name. */
		dxl_debugfs_umount(&sbi->lab);
		/* Nobody can bind any more: s_active is 0. */
		dxl_session_unbind(&sbi->lab);
	}
	kill_block_super(sb);
	if (!sbi)
		return;
	mutex_lock(&dxl_mounts_lock);
	list_del(&sbi->node);
	mutex_unlock(&dxl_mounts_lock);
	dxl_balloc_exit(sbi);
	dxl_media_close(&sbi->media, sb);
	dxl_gone_unwatch(sbi);
	ida_destroy(&sbi->inos);
	dxl_lab_exit(&sbi->lab);
	kfree(sbi);
}

static int dxl_get_tree(struct fs_context *fc)
{
	struct dxl_fc *ctx = fc->fs_private;
	struct super_block *sb;
	int err;

	if (ctx->format && fc->sb_flags & SB_RDONLY)
		return invalfc(fc, "%s: format needs a writable mount",
			       fc->source);
	err = get_tree_bdev(fc, dxl_fill_super);
	if (err || ctx->filled)
		return err;
	sb = fc->root->d_sb;
	err = dxl_options_fit(fc, sb);
	if (!err)
		return 0;
	dput(fc->root);
	fc->root = NULL;
	deactivate_locked_super(sb);
	return err;
}

static int dxl_reconfigure(struct fs_context *fc)
{
	struct dxl_fc *ctx = fc->fs_private;
	struct super_block *sb = fc->root->d_sb;
	int err;

	err = dxl_options_remount(fc, sb);
	if (err)
		return err;
	sync_filesystem(sb);
	/* Whoever forces it wants it even so. */
	if (fc->sb_flags & SB_RDONLY && !sb_rdonly(sb) &&
	    !(fc->sb_flags & SB_FORCE)) {
		err = dxl_all_stored(sb);
		if (err) {
			errorfc(fc, "%s: inodes could not be written", sb->s_id);
			return err;
		}
	}
	if (sb_rdonly(sb) && !(fc->sb_flags & SB_RDONLY) &&
	    DXL_SB(sb)->needs_repair) {
		errorfc(fc, "%s: needs repair: unmount, then mount writable",
			sb->s_id);
		return -EROFS;
	}
	if (!ctx->chosen)
		return 0;
	return dxl_variant_change(sb, &ctx->before, &ctx->variant);
}

static void dxl_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations dxl_context_ops = {
	.free		= dxl_free_fc,
	.parse_param	= dxl_options_parse,
	.get_tree	= dxl_get_tree,
	.reconfigure	= dxl_reconfigure,
};

static int dxl_new_fc(struct fs_context *fc)
{
	struct dxl_fc *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);

	if (!ctx)
		return -ENOMEM;
	if (fc->purpose == FS_CONTEXT_FOR_RECONFIGURE)
		ctx->before = dxl_lab_variant(&DXL_SB(fc->root->d_sb)->lab);
	ctx->variant = ctx->before;
	fc->fs_private = ctx;
	fc->ops = &dxl_context_ops;
	return 0;
}

static struct file_system_type dxl_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "daxlab",
	.init_fs_context	= dxl_new_fc,
	.parameters		= dxl_parameters,
	.kill_sb		= dxl_kill_sb,
	.fs_flags		= FS_REQUIRES_DEV,
};
MODULE_ALIAS_FS("daxlab");

/**
 * dxl_fs_find_lab() - The lab of a mount.
 * @id: its s_id, the name of the device
 *
 * Context: Process context.
 * Return: The lab, or NULL: nothing is mounted there. It is there until
 * dxl_session_unbind() has returned.
 */
struct dxl_lab *dxl_fs_find_lab(const char *id)
{
	struct dxl_lab *lab = NULL;
	struct dxl_sb *sbi;

	mutex_lock(&dxl_mounts_lock);
	list_for_each_entry(sbi, &dxl_mounts, node)
		if (!strcmp(sbi->sb->s_id, id) &&
		    atomic_read(&sbi->sb->s_active))
			lab = &sbi->lab;
	mutex_unlock(&dxl_mounts_lock);
	return lab;
}

/**
 * dxl_fs_visit_labs() - Look at the lab of every mount.
 * @fn: called with a mutex that mount and umount hold briefly
 * @arg: handed to @fn
 *
 * Context: Process context.
 */
void dxl_fs_visit_labs(void (*fn)(struct dxl_lab *lab, void *arg), void *arg)
{
	struct dxl_sb *sbi;

	mutex_lock(&dxl_mounts_lock);
	list_for_each_entry(sbi, &dxl_mounts, node)
		fn(&sbi->lab, arg);
	mutex_unlock(&dxl_mounts_lock);
}

/**
 * dxl_sb_visit_inodes() - Look at every inode in memory of a mount.
 * @sb: of a mount that cannot go away
 * @fn: called with s_inode_list_lock held: must not sleep. The inode may be
 *	new or dying; its tree is always there.
 * @arg: handed to @fn
 *
 * Context: Does not sleep.
 */
void dxl_sb_visit_inodes(struct super_block *sb,
			 void (*fn)(struct inode *inode, void *arg), void *arg)
{
	struct inode *inode;

	/* Against inodes that come and go: these leave the list first. */
	spin_lock(&sb->s_inode_list_lock);
	list_for_each_entry(inode, &sb->s_inodes, i_sb_list)
		fn(inode, arg);
	spin_unlock(&sb->s_inode_list_lock);
}

/**
 * dxl_fs_visit_inodes() - Look at every inode in memory, of all mounts.
 * @fn: as in dxl_sb_visit_inodes()
 * @arg: handed to @fn
 *
 * Context: Process context; takes a mutex that mount and umount hold briefly.
 */
void dxl_fs_visit_inodes(void (*fn)(struct inode *inode, void *arg), void *arg)
{
	struct dxl_sb *sbi;

	mutex_lock(&dxl_mounts_lock);
	list_for_each_entry(sbi, &dxl_mounts, node)
		dxl_sb_visit_inodes(sbi->sb, fn, arg);
	mutex_unlock(&dxl_mounts_lock);
}

/**
 * dxl_fs_init() - Make the filesystem known.
 *
 * Context: Module load.
 * Return: 0 or a negative errno, when nothing is left behind.
 */
int __init dxl_fs_init(void)
{
	int err;

	dxl_inode_cache = kmem_cache_create("dxl_inode",
					    sizeof(struct dxl_inode), 0,
					    SLAB_RECLAIM_ACCOUNT | SLAB_ACCOUNT,
					    dxl_init_once);
	if (!dxl_inode_cache)
		return -ENOMEM;
	err = register_filesystem(&dxl_fs_type);
	if (err)
		kmem_cache_destroy(dxl_inode_cache);
	return err;
}

/**
 * dxl_fs_exit() - Undo dxl_fs_init().
 *
 * Context: Module unload: nothing is mounted.
 */
void dxl_fs_exit(void)
{
	unregister_filesystem(&dxl_fs_type);
	/* Inodes are freed by RCU. */
	rcu_barrier();
	kmem_cache_destroy(dxl_inode_cache);
}
