// SPDX-License-Identifier: GPL-2.0
/*
 * Directories: fixed records in data blocks; finding, filling, listing them.
 *
 * A record never moves, so its number is a stable position for readdir. One
 * aligned store of the inode word makes a record appear or disappear.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"

#include <linux/sched/signal.h>

static u32 dxl_dirent_crc(const struct dxl_dirent *de)
{
	return dxl_crc(&de->len, 1 + sizeof(de->pad) + de->len);
}

/* Number of records in a directory, free ones included. */
static u64 dxl_dir_records(const struct inode *dir)
{
	return (u64)(i_size_read(dir) >> DXL_BLOCK_SHIFT) *
	       DXL_DIRENTS_PER_BLOCK;
}

/*
 * Going from record to record. The run of the map is kept, so that the map is
 * asked once per run; a walk starts all zero.
 */
struct dxl_walk {
	struct dxl_run run;
	struct dxl_place place;
};

static int dxl_dir_walk(struct inode *dir, u64 nr, struct dxl_walk *walk)
{
	pgoff_t index = nr / DXL_DIRENTS_PER_BLOCK;
	pgoff_t blocks = i_size_read(dir) >> DXL_BLOCK_SHIFT;
	struct dxl_run *run = &walk->run;
	struct dxl_dirent *de;
	u64 block;
	int err;

	if (index < run->index || index - run->index >= run->nr) {
		err = dxl_map_lookup(dir, index, blocks - index, run);
		if (err)
			return err;
	}
	if (run->block == DXL_NO_BLOCK || run->unwritten)
		return -EUCLEAN;
	block = run->block + (index - run->index);
	de = dxl_media_addr(dxl_media_of(dir), block);
	if (!de)
		return -EIO;
	de += nr % DXL_DIRENTS_PER_BLOCK;
	walk->place.de = de;
	walk->place.pos = (block << DXL_BLOCK_SHIFT) +
			  (nr % DXL_DIRENTS_PER_BLOCK) * sizeof(*de);
	walk->place.word = le64_to_cpu(READ_ONCE(de->ino));
	return 0;
}

/**
 * dxl_dir_find() - Find a name.
 * @dir: the directory
 * @name: the name
 * @place: set to its record
 *
 * Context: Process context, i_rwsem of @dir held, inside a media section.
 * Return: 0, -ENOENT, -EIO, -EUCLEAN.
 */
int dxl_dir_find(struct inode *dir, const struct qstr *name,
		 struct dxl_place *place)
{
	struct dxl_walk walk = {};
	u64 nr, end = dxl_dir_records(dir);
	int err;

	for (nr = 0; nr < end; nr++) {
		const struct dxl_dirent *de;

		err = dxl_dir_walk(dir, nr, &walk);
		if (err)
			return err;
		de = walk.place.de;
		if (walk.place.word && de->len == name->len &&
		    !memcmp(de->name, name->name, name->len)) {
			*place = walk.place;
			return 0;
		}
	}
	return -ENOENT;
}

static int dxl_dir_free(struct inode *dir, struct dxl_place *place)
{
	struct dxl_walk walk = {};
	u64 nr, end = dxl_dir_records(dir);
	int err;

	for (nr = 0; nr < end; nr++) {
		err = dxl_dir_walk(dir, nr, &walk);
		if (err)
			return err;
		if (!walk.place.word) {
			*place = walk.place;
			return 0;
		}
	}
	return -ENOENT;
}

/* One more block: all its records are free, since it was zeroed. */
static int dxl_dir_grow(struct inode *dir, struct dxl_place *place)
{
	loff_t size = i_size_read(dir);
	struct dxl_run run;
	int err;

	err = dxl_map_alloc(dir, size >> DXL_BLOCK_SHIFT, 1, false, &run);
	if (err)
		return err;
	i_size_write(dir, size + DXL_BLOCK_SIZE);
	err = dxl_slot_write(dir);
	if (err) {
		i_size_write(dir, size);
		/* A sync may have stored the other one. */
		mark_inode_dirty(dir);
		return err;
	}
	return dxl_dir_free(dir, place);
}

/**
 * dxl_dir_prepare() - Write a name into a free record, without an inode.
 * @dir: the directory
 * @name: a name that is not in it
 * @place: set to the record; one store of its inode word makes it exist
 *
 * Context: Process context, i_rwsem of @dir held exclusively, inside a media
 * section.
 * Return: 0, -ENOSPC, -ENOMEM, -EIO.
 */
int dxl_dir_prepare(struct inode *dir, const struct qstr *name,
		    struct dxl_place *place)
{
	struct dxl_media *media = dxl_media_of(dir);
	struct dxl_dirent de = { .len = name->len };
	int err;

	err = dxl_dir_free(dir, place);
	if (err == -ENOENT)
		err = dxl_dir_grow(dir, place);
	if (err)
		return err;

	memcpy(de.name, name->name, name->len);
	de.crc = cpu_to_le32(dxl_dirent_crc(&de));
	dxl_media_copy(media, &place->de->crc, &de.crc,
		       sizeof(de) - offsetof(struct dxl_dirent, crc));
	dxl_media_fence(media);
	return 0;
}

/**
 * dxl_dir_set() - Make a record exist or not, durably.
 * @dir: the directory
 * @place: from dxl_dir_find() or dxl_dir_prepare()
 * @word: dxl_dir_word(), or 0
 *
 * Context: Process context, i_rwsem of @dir held exclusively, inside the media
 * section that @place comes from.
 */
void dxl_dir_set(struct inode *dir, struct dxl_place *place, u64 word)
{
	struct dxl_media *media = dxl_media_of(dir);

	dxl_media_store(media, &place->de->ino, word);
	dxl_media_fence(media);
	place->word = word;
}

/**
 * dxl_dir_empty() - May this directory be removed?
 * @dir: the directory
 *
 * Context: Process context, i_rwsem of @dir held exclusively.
 * Return: 0, -ENOTEMPTY, -EIO, -EUCLEAN.
 */
int dxl_dir_empty(struct inode *dir)
{
	struct dxl_walk walk = {};
	u64 nr, end = dxl_dir_records(dir);
	int err, id;

	err = dxl_media_enter(dxl_media_of(dir), &id);
	if (err)
		return err;
	for (nr = 0; nr < end && !err; nr++) {
		err = dxl_dir_walk(dir, nr, &walk);
		if (!err && walk.place.word)
			err = -ENOTEMPTY;
	}
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_dir_word() - What a record stores to name an inode.
 * @inode: the inode
 *
 * Context: Any context.
 * Return: Number and kind.
 */
u64 dxl_dir_word(const struct inode *inode)
{
	u64 type = fs_umode_to_dtype(inode->i_mode);

	return inode->i_ino | type << DXL_DIRENT_TYPE_SHIFT;
}

/**
 * dxl_dirent_sane() - Does a record hold a name that may exist?
 * @de: a record in use
 *
 * Context: Any context.
 * Return: false for a bad checksum, and for names that VFS cannot look up.
 */
bool dxl_dirent_sane(const struct dxl_dirent *de)
{
	if (!de->len || le32_to_cpu(de->crc) != dxl_dirent_crc(de))
		return false;
	if (memchr(de->name, '/', de->len) || memchr(de->name, 0, de->len))
		return false;
	if (de->name[0] == '.' &&
	    (de->len == 1 || (de->len == 2 && de->name[1] == '.')))
		return false;
	return true;
}

/* Positions: 0 and 1 are "." and "..", record n is n + 2. */
static int dxl_readdir(struct file *file, struct dir_context *ctx)
{
	struct inode *dir = file_inode(file);
	struct dxl_walk walk = {};
	u64 end = dxl_dir_records(dir);
	int err, id;

	if (!dir_emit_dots(file, ctx))
		return 0;
	err = dxl_media_enter(dxl_media_of(dir), &id);
	if (err)
		return err;
	for (; ctx->pos - 2 < end; ctx->pos++) {
		const struct dxl_dirent *de;
		u64 word;

		err = dxl_dir_walk(dir, ctx->pos - 2, &walk);
		if (err)
			break;
		de = walk.place.de;
		word = walk.place.word;
		if (word && !dir_emit(ctx, de->name, de->len,
				      word & DXL_DIRENT_INO,
				      word >> DXL_DIRENT_TYPE_SHIFT))
			break;
		if (fatal_signal_pending(current)) {
			err = -EINTR;
			break;
		}
		cond_resched();
	}
	dxl_media_exit(id);
	return err;
}

/* Names are durable already: what is left are the times. */
static int dxl_dir_fsync(struct file *file, loff_t start, loff_t end,
			 int datasync)
{
	return sync_inode_metadata(file_inode(file), 1);
}

const struct file_operations dxl_dir_ops = {
	.llseek		= generic_file_llseek,
	.read		= generic_read_dir,
	.iterate_shared	= dxl_readdir,
	.fsync		= dxl_dir_fsync,
};
