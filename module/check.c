// SPDX-License-Identifier: GPL-2.0
/*
 * The check at mount: believes nothing on the media, rebuilds what is not kept
 * there (free blocks, link counts), and repairs what a power cut leaves.
 *
 * First everything is looked at, and nothing is written. An image with damage
 * that no power cut explains is refused as it is; then come the repairs:
 *
 *	a committed intent		its stores are made
 *	a record without a name		is freed, with all that it maps
 *	a wrong number of links		is corrected
 *	old data beyond EOF		blocks beyond EOF are freed
 *
 * Directories are walked breadth first from the root, in a queue that is
 * threaded through the table of records: no recursion, and no directory twice.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "check.h"

#include <linux/sched/signal.h>
#include <linux/slab.h>

/* What an inode number is found to be. */
#define DXL_CHECK_NAMED		0x01	/* a directory that was reached */
#define DXL_CHECK_UNNAMED	0x02	/* in use, but nothing names it */
#define DXL_CHECK_LINKS		0x04	/* its record has a wrong nlink */
#define DXL_CHECK_TAIL		0x08	/* has data beyond EOF */

/**
 * struct dxl_check_ino - one inode number
 * @want: links that directories make it have
 * @next: in the queue of directories, 0: last
 * @mode: 0: free
 * @flags: DXL_CHECK_*
 */
struct dxl_check_ino {
	u32 want;
	u32 next;
	u16 mode;
	u16 flags;
};

/**
 * struct dxl_check - the state of a check
 * @sbi: the mount
 * @inos: one per inode number
 * @tail: last in the queue of directories
 * @intent: what a power cut left; directories are seen as it will make them
 * @intent_seen: which of its stores were found to hit a directory record
 */
struct dxl_check {
	struct dxl_sb *sbi;
	struct dxl_check_ino *inos;
	u32 tail;
	struct dxl_intent intent;
	unsigned int intent_seen;
};

static int dxl_check_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

/* A valid and sane slot in use, or an error that has been reported. */
static int dxl_check_slot(struct dxl_sb *sbi, u32 ino, struct dxl_slot *slot)
{
	int err = dxl_slot_read(sbi, ino, slot);

	if (err == -EUCLEAN)
		dxl_err(sbi->sb, "inode %u is damaged: bad checksums", ino);
	else if (err)
		dxl_err(sbi->sb, "inode %u cannot be read: %d", ino, err);
	else if (slot->mode && !dxl_slot_sane(sbi, slot))
		err = dxl_check_damaged(sbi, ino, "its fields do not fit");
	return err;
}

static int dxl_check_records(struct dxl_check *check)
{
	struct dxl_sb *sbi = check->sbi;
	struct dxl_slot slot;
	u32 ino;
	int err;

	for (ino = DXL_ROOT_INO; ino < sbi->nr_inodes; ino++) {
		err = dxl_check_slot(sbi, ino, &slot) ?: dxl_check_pause();
		if (err)
			return err;
		check->inos[ino].mode = le16_to_cpu(slot.mode);
	}
	if (S_ISDIR(check->inos[DXL_ROOT_INO].mode))
		return 0;
	return dxl_check_damaged(sbi, DXL_ROOT_INO, "the root is no directory");
}

/* The inode word of a record, as the intent will leave it. */
static u64 dxl_check_word(struct dxl_check *check, const struct dxl_dirent *de,
			  u64 pos)
{
	unsigned int nr = le32_to_cpu(check->intent.nr), i;
	u64 word = le64_to_cpu(READ_ONCE(de->ino));

	for (i = 0; i < nr; i++) {
		if (le64_to_cpu(check->intent.op[i].pos) == pos) {
			check->intent_seen |= 1U << i;
			word = le64_to_cpu(check->intent.op[i].val);
		}
	}
	return word;
}

static void dxl_check_enqueue(struct dxl_check *check, u32 ino)
{
	check->inos[ino].flags |= DXL_CHECK_NAMED;
	check->inos[ino].want = 2;
	if (check->tail)
		check->inos[check->tail].next = ino;
	check->tail = ino;
}

/* A record of directory @dir names inode number @ino. */
static int dxl_check_named(struct dxl_check *check, u32 dir, u64 ino, u8 type)
{
	struct dxl_check_ino *to;

	if (ino < DXL_ROOT_INO || ino >= check->sbi->nr_inodes ||
	    !check->inos[ino].mode)
		return dxl_check_damaged(check->sbi, dir, "it names inode %llu, which is not in use",
					 ino);
	to = &check->inos[ino];
	if (type != fs_umode_to_dtype(to->mode))
		return dxl_check_damaged(check->sbi, dir, "it takes inode %llu for another kind",
					 ino);
	if (!S_ISDIR(to->mode)) {
		to->want++;
		return 0;
	}
	if (to->flags & DXL_CHECK_NAMED)
		return dxl_check_damaged(check->sbi, dir, "directory %llu has two names",
					 ino);
	dxl_check_enqueue(check, ino);
	check->inos[dir].want++;
	return 0;
}

static int dxl_check_dir_block(struct dxl_check *check, u32 dir, u64 block)
{
	const struct dxl_dirent *media;
	struct dxl_dirent de;
	unsigned int i;
	int err;

	media = dxl_media_addr(&check->sbi->media, block);
	if (!media) {
		dxl_err(check->sbi->sb, "inode %u: bad media at block %llu",
			dir, block);
		return -EIO;
	}
	for (i = 0; i < DXL_DIRENTS_PER_BLOCK; i++) {
		u64 word = dxl_check_word(check, &media[i],
					  (block << DXL_BLOCK_SHIFT) +
					  i * sizeof(de));

		if (!word)
			continue;
		/* A copy: its length must not change under us. */
		de = media[i];
		if (!dxl_dirent_sane(&de))
			return dxl_check_damaged(check->sbi, dir, "bad name in block %llu",
						 block);
		if (!(check->inos[dir].flags & DXL_CHECK_NAMED))
			return dxl_check_damaged(check->sbi, dir, "a directory with names cannot be reached");
		err = dxl_check_named(check, dir, word & DXL_DIRENT_INO,
				      word >> DXL_DIRENT_TYPE_SHIFT);
		if (err)
			return err;
	}
	return 0;
}

static int dxl_check_dir_leaf(struct dxl_check_map *map,
			      const struct dxl_check_leaf *leaf)
{
	unsigned long i;
	int err = 0;

	if (leaf->unwritten)
		return dxl_check_damaged(map->sbi, map->ino, "unwritten block %llu in a directory",
					 leaf->block);
	for (i = 0; i < leaf->nr && leaf->index + i < map->nr_pages && !err; i++) {
		err = dxl_check_dir_block(map->private, map->ino,
					  leaf->block + i);
		if (!err)
			err = dxl_check_pause();
	}
	return err;
}

static int dxl_check_link_leaf(struct dxl_check_map *map,
			       const struct dxl_check_leaf *leaf)
{
	const char *addr = dxl_media_addr(&map->sbi->media, leaf->block);

	if (leaf->index || !addr)
		return 0;
	if (leaf->unwritten || memchr(addr, 0, map->size))
		return dxl_check_damaged(map->sbi, map->ino, "bad symbolic link");
	return 0;
}

/* The map of an inode, and what only its kind must be. */
static int dxl_check_inode(struct dxl_check *check, u32 ino, bool mark)
{
	struct dxl_check_map map = {
		.sbi = check->sbi,
		.ino = ino,
		.mark = mark,
		.private = check,
	};
	umode_t mode = check->inos[ino].mode;
	struct dxl_slot slot;
	int err;

	err = dxl_check_slot(check->sbi, ino, &slot);
	if (err)
		return err;
	if (le16_to_cpu(slot.mode) != mode)
		return dxl_check_damaged(check->sbi, ino, "it changes while it is checked");
	map.root = le64_to_cpu(slot.root);
	map.size = le64_to_cpu(slot.size);
	map.nr_pages = DIV_ROUND_UP_ULL(map.size, DXL_BLOCK_SIZE);
	if (S_ISDIR(mode))
		map.leaf = dxl_check_dir_leaf;
	else if (S_ISLNK(mode))
		map.leaf = dxl_check_link_leaf;
	err = dxl_check_map(&map);
	if (err)
		return err;

	/* Who has no name may have lost blocks: its eviction was cut short. */
	if (map.leaf && map.mark && map.found != map.nr_pages)
		return dxl_check_damaged(check->sbi, ino, "%llu of its %llu blocks are missing",
					 map.nr_pages - map.found, map.nr_pages);
	if (S_ISLNK(mode) && !map.size)
		return dxl_check_damaged(check->sbi, ino, "an empty symbolic link");
	if (map.tail)
		check->inos[ino].flags |= DXL_CHECK_TAIL;
	return 0;
}

static int dxl_check_dirs(struct dxl_check *check)
{
	u32 ino;
	int err = 0;

	dxl_check_enqueue(check, DXL_ROOT_INO);
	for (ino = DXL_ROOT_INO; ino && !err; ino = check->inos[ino].next)
		err = dxl_check_inode(check, ino, true);
	return err;
}

/* All but the directories that were reached; these are done. */
static int dxl_check_others(struct dxl_check *check)
{
	struct dxl_sb *sbi = check->sbi;
	struct dxl_slot slot;
	u64 used = 0;
	u32 ino;
	int err;

	for (ino = DXL_ROOT_INO; ino < sbi->nr_inodes; ino++) {
		struct dxl_check_ino *ci = &check->inos[ino];

		if (!ci->mode)
			continue;
		err = dxl_check_pause();
		if (err)
			return err;
		if (!ci->want) {
			/* Its blocks are not marked, so they are free. */
			ci->flags |= DXL_CHECK_UNNAMED;
			err = S_ISDIR(ci->mode) ?
			      dxl_check_inode(check, ino, false) : 0;
			if (err)
				return err;
			continue;
		}
		if (!S_ISDIR(ci->mode)) {
			err = dxl_check_inode(check, ino, true);
			if (err)
				return err;
		}
		err = dxl_check_slot(sbi, ino, &slot);
		if (err)
			return err;
		if (le32_to_cpu(slot.nlink) != ci->want)
			ci->flags |= DXL_CHECK_LINKS;
		err = ida_alloc_range(&sbi->inos, ino, ino, GFP_KERNEL);
		if (err < 0)
			return err;
		used++;
	}
	atomic64_set(&sbi->nr_free_inodes, sbi->nr_inodes - 1 - used);
	return 0;
}

/* Free an unnamed record, or correct the number of links. */
static int dxl_repair_record(struct dxl_check *check, u32 ino)
{
	struct dxl_check_ino *ci = &check->inos[ino];
	struct dxl_slot slot, free = {};
	int err;

	err = dxl_slot_read(check->sbi, ino, &slot);
	if (err)
		return err;
	le64_add_cpu(&slot.seq, 1);
	if (ci->flags & DXL_CHECK_UNNAMED) {
		free.seq = slot.seq;
		free.ino = cpu_to_le32(ino);
		return dxl_slot_store(check->sbi, &free);
	}
	slot.nlink = cpu_to_le32(ci->want);
	return dxl_slot_store(check->sbi, &slot);
}

/* Free what a file has beyond EOF, so that it reads as zeroes if it grows. */
static int dxl_repair_tail(struct dxl_sb *sbi, u32 ino)
{
	struct inode *inode = dxl_iget(sbi->sb, ino);
	struct dxl_cut *cut;
	pgoff_t next;
	int err = 0;

	if (IS_ERR(inode))
		return PTR_ERR(inode);
	cut = kmalloc(sizeof(*cut), GFP_KERNEL);
	if (!cut) {
		iput(inode);
		return -ENOMEM;
	}
	inode_lock(inode);
	filemap_invalidate_lock(inode->i_mapping);
	next = DIV_ROUND_UP_ULL(i_size_read(inode), PAGE_SIZE);
	while (!err && next <= DXL_LAST_PAGE) {
		cut->nr = 0;
		err = dxl_map_cut(inode, &next, DXL_LAST_PAGE, cut);
		dxl_map_free_cut(inode, cut);
	}
	filemap_invalidate_unlock(inode->i_mapping);
	inode_unlock(inode);
	kfree(cut);
	iput(inode);
	return err;
}

static int dxl_check_repair(struct dxl_check *check)
{
	struct dxl_sb *sbi = check->sbi;
	unsigned int unnamed = 0, links = 0, tails = 0;
	bool intent = check->intent.nr;
	int err = 0;
	u32 ino;

	if (intent)
		err = dxl_intent_redo(sbi, &check->intent);
	for (ino = DXL_ROOT_INO; ino < sbi->nr_inodes && !err; ino++) {
		u16 flags = check->inos[ino].flags;

		unnamed += !!(flags & DXL_CHECK_UNNAMED);
		links += !!(flags & DXL_CHECK_LINKS);
		tails += !!(flags & DXL_CHECK_TAIL);
		if (flags & (DXL_CHECK_UNNAMED | DXL_CHECK_LINKS))
			err = dxl_repair_record(check, ino);
		if (!err && flags & DXL_CHECK_TAIL &&
		    !(flags & DXL_CHECK_UNNAMED))
			err = dxl_repair_tail(sbi, ino);
	}
	if (err)
		dxl_err(sbi->sb, "repair failed: %d", err);
	else if (intent || unnamed || links || tails)
		dxl_info(sbi->sb, "after a power cut: %srecords freed %u, link counts corrected %u, tails cut %u",
			 intent ? "rename carried out, " : "", unnamed, links,
			 tails);
	return err;
}

static bool dxl_check_needs_repair(const struct dxl_check *check)
{
	u32 ino;

	for (ino = DXL_ROOT_INO; ino < check->sbi->nr_inodes; ino++)
		if (check->inos[ino].flags & ~DXL_CHECK_NAMED)
			return true;
	return false;
}

static int dxl_check_all(struct dxl_check *check)
{
	struct dxl_sb *sbi = check->sbi;
	int err;

	err = dxl_intent_read(sbi, &check->intent) ?:
	      dxl_check_records(check) ?:
	      dxl_check_dirs(check) ?:
	      dxl_check_others(check);
	if (err)
		return err;
	if (check->intent_seen != (1U << le32_to_cpu(check->intent.nr)) - 1) {
		dxl_err(sbi->sb, "intent block is damaged: it stores outside of directories");
		return -EUCLEAN;
	}
	if (!sb_rdonly(sbi->sb))
		return dxl_check_repair(check);
	if (check->intent.nr) {
		dxl_err(sbi->sb, "a rename was cut short: mount writable first");
		return -EROFS;
	}
	sbi->needs_repair = dxl_check_needs_repair(check);
	return 0;
}

/**
 * dxl_check_image() - Check all of the metadata, mark blocks, repair.
 * @sbi: the mount, with superblock and empty allocator
 *
 * Context: Process context, at mount, inside a media section.
 * Return: 0; -EUCLEAN for damage, and nothing was written; -EROFS if a
 * read-only mount would need a repair to be consistent; -EIO, -ENOMEM, -EINTR.
 */
int dxl_check_image(struct dxl_sb *sbi)
{
	struct dxl_check check = { .sbi = sbi };
	int err;

	check.inos = kvcalloc(sbi->nr_inodes, sizeof(*check.inos), GFP_KERNEL);
	if (!check.inos)
		return -ENOMEM;
	err = dxl_check_all(&check);
	kvfree(check.inos);
	return err;
}
