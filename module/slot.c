// SPDX-License-Identifier: GPL-2.0
/*
 * Inode records: two checksummed slots each, of which the newer valid one
 * counts.
 *
 * A writer fills the slot that does not count, which is picked by the parity
 * of the sequence number: whatever a power cut tears, the state before it
 * survives in the other slot.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"
#include "window.h"

/* Flags that are kept: those of which VFS or this filesystem takes notice. */
#define DXL_FL_KNOWN	(FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | \
			 FS_NODUMP_FL | FS_NOATIME_FL | FS_DIRSYNC_FL | \
			 FS_DAX_FL)

enum dxl_slot_state { DXL_SLOT_BLANK, DXL_SLOT_VALID, DXL_SLOT_DAMAGED };

/* Record of an inode, or NULL if the media there is bad. */
static struct dxl_inode_record *dxl_record_addr(struct dxl_sb *sbi, u64 ino)
{
	const u64 per_block = DXL_BLOCK_SIZE / sizeof(struct dxl_inode_record);
	struct dxl_inode_record *table;

	table = dxl_media_addr(&sbi->media, DXL_ITABLE_BLOCK + ino / per_block);
	return table ? table + ino % per_block : NULL;
}

static u32 dxl_slot_crc(const struct dxl_slot *slot)
{
	return dxl_crc(slot, offsetof(struct dxl_slot, crc));
}

static enum dxl_slot_state dxl_slot_judge(const struct dxl_slot *slot, u64 ino,
					  unsigned int nr)
{
	u64 seq = le64_to_cpu(slot->seq);

	if (!memchr_inv(slot, 0, sizeof(*slot)))
		return DXL_SLOT_BLANK;
	if (le32_to_cpu(slot->crc) != dxl_slot_crc(slot) ||
	    le32_to_cpu(slot->ino) != ino || !seq || (seq & 1) != nr)
		return DXL_SLOT_DAMAGED;
	return DXL_SLOT_VALID;
}

/**
 * dxl_slot_read() - Read the state of an inode that counts.
 * @sbi: the mount
 * @ino: below sbi->nr_inodes
 * @slot: where to; all zero for a record that was never written
 *
 * A record with a damaged slot and a blank one was torn by a power cut in its
 * first use, when nothing could refer to it: it counts as never written.
 *
 * Context: Process context. Against a writer of the same inode: its slot_lock,
 * or that the inode is not in use.
 * Return: 0, -EUCLEAN if both slots are damaged, -EIO for bad media.
 */
int dxl_slot_read(struct dxl_sb *sbi, u64 ino, struct dxl_slot *slot)
{
	const struct dxl_inode_record *record;
	struct dxl_inode_record copy;
	enum dxl_slot_state state[2];
	unsigned int nr;
	int err, id;

	err = dxl_media_enter(&sbi->media, &id);
	if (err)
		return err;
	record = dxl_record_addr(sbi, ino);
	if (record)
		memcpy(&copy, record, sizeof(copy));
	dxl_media_exit(id);
	if (!record)
		return -EIO;

	for (nr = 0; nr < 2; nr++)
		state[nr] = dxl_slot_judge(&copy.slot[nr], ino, nr);
	if (state[0] == DXL_SLOT_DAMAGED && state[1] == DXL_SLOT_DAMAGED)
		return -EUCLEAN;
	if (state[0] == DXL_SLOT_VALID && state[1] == DXL_SLOT_VALID)
		nr = le64_to_cpu(copy.slot[1].seq) > le64_to_cpu(copy.slot[0].seq);
	else if (state[0] == DXL_SLOT_VALID || state[1] == DXL_SLOT_VALID)
		nr = state[1] == DXL_SLOT_VALID;
	else
		nr = 2;
	if (nr < 2)
		*slot = copy.slot[nr];
	else
		memset(slot, 0, sizeof(*slot));
	return 0;
}

/**
 * dxl_slot_store() - Write a state of an inode, durably.
 * @sbi: the mount
 * @slot: the state, with ino and the new seq; its crc is filled in
 *
 * Context: Process context; serialised with other writers of the inode.
 * Return: 0, -EIO for bad media or a device that is gone.
 */
int dxl_slot_store(struct dxl_sb *sbi, struct dxl_slot *slot)
{
	struct dxl_inode_record *record;
	int err, id;

	slot->crc = cpu_to_le32(dxl_slot_crc(slot));
	err = dxl_media_enter(&sbi->media, &id);
	if (err)
		return err;
	record = dxl_record_addr(sbi, le32_to_cpu(slot->ino));
	if (record) {
		/* What the slot points to comes before the slot. */
		dxl_media_fence(&sbi->media);
		dxl_media_copy(&sbi->media,
			       &record->slot[le64_to_cpu(slot->seq) & 1], slot,
			       sizeof(*slot));
		dxl_media_fence(&sbi->media);
	} else {
		err = -EIO;
	}
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_slot_sane() - Can this state be put into an inode?
 * @sbi: the mount
 * @slot: a valid slot with a mode
 *
 * Context: Any context.
 * Return: false if a field is out of its range; map and links are not looked at.
 */
bool dxl_slot_sane(const struct dxl_sb *sbi, const struct dxl_slot *slot)
{
	umode_t mode = le16_to_cpu(slot->mode);
	u64 size = le64_to_cpu(slot->size);
	u64 root = le64_to_cpu(slot->root);

	if (le32_to_cpu(slot->flags) & ~DXL_FL_KNOWN)
		return false;
	switch (mode & S_IFMT) {
	case S_IFREG:
		return size <= DXL_MAX_SIZE;
	case S_IFDIR:
		return size <= DXL_MAX_SIZE && IS_ALIGNED(size, DXL_BLOCK_SIZE);
	case S_IFLNK:
		return size < DXL_BLOCK_SIZE;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return !size && !root;
	default:
		return false;
	}
}

static struct timespec64 dxl_time_load(__le64 ns)
{
	return ns_to_timespec64((s64)le64_to_cpu(ns));
}

static __le64 dxl_time_store(struct timespec64 ts)
{
	return cpu_to_le64(timespec64_to_ns(&ts));
}

/**
 * dxl_slot_load() - Fill an inode from its record.
 * @inode: new and locked, with its number
 * @slot: a sane state
 *
 * Context: Process context; nobody else sees the inode yet.
 */
void dxl_slot_load(struct inode *inode, const struct dxl_slot *slot)
{
	struct dxl_inode *di = DXL_I(inode);

	inode->i_mode = le16_to_cpu(slot->mode);
	i_uid_write(inode, le32_to_cpu(slot->uid));
	i_gid_write(inode, le32_to_cpu(slot->gid));
	set_nlink(inode, le32_to_cpu(slot->nlink));
	inode->i_generation = le32_to_cpu(slot->generation);
	inode->i_rdev = new_decode_dev(le32_to_cpu(slot->rdev));
	inode->i_size = le64_to_cpu(slot->size);
	inode_set_atime_to_ts(inode, dxl_time_load(slot->atime));
	inode_set_mtime_to_ts(inode, dxl_time_load(slot->mtime));
	inode_set_ctime_to_ts(inode, dxl_time_load(slot->ctime));
	di->btime = dxl_time_load(slot->btime);
	di->fsflags = le32_to_cpu(slot->flags);
	di->root = le64_to_cpu(slot->root);
	di->seq = le64_to_cpu(slot->seq);
	di->stored_root = di->root;
	di->stored_size = inode->i_size;
}

/* What the record of an inode is now. Under slot_lock. */
static struct dxl_slot dxl_slot_of(const struct inode *inode)
{
	struct dxl_inode *di = DXL_I(inode);

	return (struct dxl_slot) {
		.seq = cpu_to_le64(di->seq + 1),
		.ino = cpu_to_le32(inode->i_ino),
		.mode = cpu_to_le16(inode->i_mode),
		.uid = cpu_to_le32(i_uid_read(inode)),
		.gid = cpu_to_le32(i_gid_read(inode)),
		.nlink = cpu_to_le32(inode->i_nlink),
		.flags = cpu_to_le32(READ_ONCE(di->fsflags)),
		.generation = cpu_to_le32(inode->i_generation),
		.rdev = cpu_to_le32(new_encode_dev(inode->i_rdev)),
		.size = cpu_to_le64(dxl_size_now(inode)),
		.root = cpu_to_le64(READ_ONCE(di->root)),
		/* Faults change these beside it, and have it written once more. */
		.atime = dxl_time_store(data_race(inode_get_atime(inode))),
		/* likewise */
		.mtime = dxl_time_store(data_race(inode_get_mtime(inode))),
		/* likewise */
		.ctime = dxl_time_store(data_race(inode_get_ctime(inode))),
		.btime = dxl_time_store(di->btime),
	};
}

/**
 * dxl_slot_write() - Make the present state of an inode durable.
 * @inode: the inode
 *
 * If the media refuses, the inode is dirty: memory has what was not stored, and no
 * sync may pass it by. Who takes his change back marks it dirty after that.
 *
 * Context: Process context; takes slot_lock.
 * Return: 0; -EIO for bad media or a device that is gone; what was armed at
 * slot.before_store.
 */
int dxl_slot_write(struct inode *inode)
{
	struct dxl_inode *di = DXL_I(inode);
	struct dxl_slot slot;
	int err;

	err = dxl_window(DXL_WIN_SLOT_BEFORE_STORE, &di->tree, 0, 0,
			 DXL_ACCESS_WRITE);
	if (err)
		goto out;
	/*
	 * Fields are read under the lock: what the caller has changed is in
	 * this slot or, if another writer was quicker, in that one's.
	 */
	mutex_lock(&di->slot_lock);
	slot = dxl_slot_of(inode);
	err = dxl_slot_store(DXL_SB(inode->i_sb), &slot);
	if (!err) {
		di->seq++;
		WRITE_ONCE(di->stored_root, le64_to_cpu(slot.root));
		WRITE_ONCE(di->stored_size, le64_to_cpu(slot.size));
	}
	mutex_unlock(&di->slot_lock);
out:
	if (err) {
		dxl_err_ratelimited(inode->i_sb, "inode %lu not written: %d",
				    dxl_ino(inode), err);
		mark_inode_dirty(inode);
	}
	return err;
}

/**
 * dxl_slot_update() - Make the state of an inode durable, if not now then later.
 * @inode: the inode
 *
 * For what follows a change that cannot be taken back, and that nobody is told the
 * error of. The check at the next mount corrects links that were never written.
 *
 * Context: Process context; takes slot_lock.
 */
void dxl_slot_update(struct inode *inode)
{
	(void)dxl_slot_write(inode);
}

/**
 * dxl_slot_is_owed() - Has a sync to store the record of an inode?
 * @inode: the inode
 * @datasync: only what data is found by matters: size and root of the map
 *
 * These two are seen before they are stored, and storing them may fail. I_SYNC: who
 * stores the record now may be about to, and has marked the inode clean.
 *
 * Context: Any context.
 * Return: true if so.
 */
bool dxl_slot_is_owed(struct inode *inode, bool datasync)
{
	struct dxl_inode *di = DXL_I(inode);

	if (READ_ONCE(di->root) != READ_ONCE(di->stored_root) ||
	    dxl_size_now(inode) != READ_ONCE(di->stored_size))
		return true;
	return !datasync && dxl_inode_state(inode) & (I_DIRTY_ALL | I_SYNC);
}

/**
 * dxl_slot_sync() - Store the record of an inode, for a sync of its file.
 * @inode: the inode
 *
 * A freeze waits for who is in here, and then looks whether all is stored.
 *
 * Context: May sleep, also for a thaw; takes slot_lock.
 * Return: As dxl_slot_write().
 */
int dxl_slot_sync(struct inode *inode)
{
	int err;

	sb_start_intwrite(inode->i_sb);
	err = dxl_slot_write(inode);
	sb_end_intwrite(inode->i_sb);
	return err;
}

/**
 * dxl_slot_clear() - Make the record of an inode free.
 * @inode: unlinked, and nobody uses it any more
 *
 * Context: Process context; takes slot_lock.
 * Return: 0, -EIO for bad media or a device that is gone.
 */
int dxl_slot_clear(struct inode *inode)
{
	struct dxl_inode *di = DXL_I(inode);
	struct dxl_slot slot = {
		.ino = cpu_to_le32(inode->i_ino),
	};
	int err;

	mutex_lock(&di->slot_lock);
	slot.seq = cpu_to_le64(di->seq + 1);
	err = dxl_slot_store(DXL_SB(inode->i_sb), &slot);
	if (!err)
		di->seq++;
	mutex_unlock(&di->slot_lock);
	return err;
}
