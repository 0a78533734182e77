// SPDX-License-Identifier: GPL-2.0
/*
 * The driver of the device memory goes, under a mount
 *
 * Its kill_dax() tells the holder of the dax_device (that is us) while all still
 * works, by a failure of all there is, on every kernel since 6.1. Then it waits for
 * whoever is between dxl_media_enter() and dxl_media_exit(); after that the memory
 * has no addresses any more. So here, in this order:
 *
 *	sync			nothing is lost that could be kept
 *	media->gone		who enters from now on gets EIO
 *	unmap each file		under invalidate_lock: faults hold it from before
 *				dxl_media_enter() until the page table is written
 *
 * A mount on a device of ours that stands on another is told by that device, and the
 * wait is for it as well: one SRCU serves all dax_devices.
 *
 * The core calls us inside dax_read_lock(), so nothing here may wait for a
 * kill_dax(), and what we take apart may not need one: umount does not.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"
#include "session.h"

#include <linux/dax.h>
#include <linux/delay.h>

#define DXL_GONE_LOOK_MS	10

/* Mounts from before they hold a dax_device until after. */
static LIST_HEAD(dxl_gone_list);
static DEFINE_MUTEX(dxl_gone_lock);	/* held briefly; no lock inside */

/* A dax_device of nobody: see dxl_gone_exit(). */
static struct dax_device *dxl_gone_gate;

/* Under s_inode_list_lock: the next file at or after @inode, or NULL. */
static struct inode *dxl_gone_next(struct super_block *sb, struct inode *inode)
{
	list_for_each_entry_from(inode, &sb->s_inodes, i_sb_list)
		if (S_ISREG(inode->i_mode) && igrab(inode))
			return inode;
	return NULL;
}

static void dxl_gone_unmap(struct super_block *sb)
{
	struct inode *inode, *next;

	spin_lock(&sb->s_inode_list_lock);
	inode = list_first_entry(&sb->s_inodes, struct inode, i_sb_list);
	inode = dxl_gone_next(sb, inode);
	spin_unlock(&sb->s_inode_list_lock);

	while (inode) {
		filemap_invalidate_lock(inode->i_mapping);
		dxl_inval_mappings(inode, 0, ULONG_MAX);
		filemap_invalidate_unlock(inode->i_mapping);

		/* Ours is on the list as long as we have it. */
		spin_lock(&sb->s_inode_list_lock);
		next = dxl_gone_next(sb, list_next_entry(inode, i_sb_list));
		spin_unlock(&sb->s_inode_list_lock);
		iput(inode);
		inode = next;
	}
}

/* What hangs would hang us, and the driver with us. */
static void dxl_gone_under(struct super_block *sb)
{
	struct dxl_sb *sbi = DXL_SB(sb);
	int err = 0;

	pr_warn("%s: the memory of the device goes: what is mapped or done from now on fails\n",
		sb->s_id);
	dxl_rescue(&sbi->lab);
	/* A mount in the making holds it as well. */
	down_read(&sb->s_umount);
	if (sb->s_flags & SB_ACTIVE)
		err = sync_filesystem(sb);
	up_read(&sb->s_umount);
	if (err)
		pr_err("%s: not all that was stored could be flushed before it went: %d\n",
		       sb->s_id, err);

	WRITE_ONCE(sbi->media.gone, true);
	dxl_rescue(&sbi->lab);
	dxl_gone_unmap(sb);
}

/*
 * Find the mount; with s_active it stays. Return: NULL, with *leaving set while it
 * goes by itself.
 */
static struct super_block *dxl_gone_find(const void *holder, bool *leaving)
{
	struct super_block *sb = NULL;
	struct dxl_sb *sbi;

	*leaving = false;
	mutex_lock(&dxl_gone_lock);
	list_for_each_entry(sbi, &dxl_gone_list, gone_node) {
		if (sbi->sb != holder)
			continue;
		if (atomic_inc_not_zero(&sbi->sb->s_active))
			sb = sbi->sb;
		else
			*leaving = true;
	}
	mutex_unlock(&dxl_gone_lock);
	return sb;
}

/* Who unmounts at this moment has to write still, and waits for nobody here. */
static struct super_block *dxl_gone_get(const void *holder)
{
	struct super_block *sb;
	bool leaving;

	for (;;) {
		sb = dxl_gone_find(holder, &leaving);
		if (sb || !leaving)
			return sb;
		msleep(DXL_GONE_LOOK_MS);
	}
}

/* Of bad media in some pages, the core kills the users by itself. */
static int dxl_gone_notify(struct dax_device *dax, u64 offset, u64 len,
			   int flags)
{
	struct super_block *sb;

	if (offset || len != U64_MAX)
		return -EOPNOTSUPP;
	sb = dxl_gone_get(dax_holder(dax));
	if (sb) {
		dxl_gone_under(sb);
		deactivate_super(sb);
	}
	return 0;
}

const struct dax_holder_operations dxl_gone_ops = {
	.notify_failure	= dxl_gone_notify,
};

/**
 * dxl_gone_watch() - From now on a mount can be told that its memory goes.
 * @sbi: the mount, which has no memory yet
 *
 * Context: Mount.
 */
void dxl_gone_watch(struct dxl_sb *sbi)
{
	mutex_lock(&dxl_gone_lock);
	list_add_tail(&sbi->gone_node, &dxl_gone_list);
	mutex_unlock(&dxl_gone_lock);
}

/**
 * dxl_gone_unwatch() - Undo dxl_gone_watch().
 * @sbi: the mount, which has no memory any more
 *
 * Context: Umount; also of a mount that was never watched.
 */
void dxl_gone_unwatch(struct dxl_sb *sbi)
{
	mutex_lock(&dxl_gone_lock);
	list_del_init(&sbi->gone_node);
	mutex_unlock(&dxl_gone_lock);
}

/**
 * dxl_gone_init() - Before the first dax_device is held, by either half.
 *
 * Context: Module load.
 * Return: 0 or a negative errno.
 */
int dxl_gone_init(void)
{
	dxl_gone_gate = alloc_dax(NULL, NULL);
	return PTR_ERR_OR_ZERO(dxl_gone_gate);
}

/**
 * dxl_gone_exit() - After the last dax_device was let go, by either half.
 *
 * The core calls a holder's notify_failure() inside dax_read_lock(), and letting
 * go does not wait for that. kill_dax() does, for all devices: when it returns
 * nobody runs code of this module there.
 *
 * Context: Module unload; may sleep.
 */
void dxl_gone_exit(void)
{
	kill_dax(dxl_gone_gate);
	put_dax(dxl_gone_gate);
}
