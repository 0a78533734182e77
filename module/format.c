// SPDX-License-Identifier: GPL-2.0
/*
 * The superblock: reading it with suspicion, and writing a new filesystem.
 *
 * Format is atomic: the magic number is wiped first and written last.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"

#include <linux/crc32.h>
#include <linux/sched/signal.h>

#define DXL_RECORDS_PER_BLOCK	(DXL_BLOCK_SIZE / sizeof(struct dxl_inode_record))
#define DXL_MAX_INODES		BIT_ULL(30)	/* an ida holds ints */

/**
 * dxl_crc() - Checksum of a piece of metadata.
 * @data: the bytes
 * @len: how many
 *
 * Context: Any context.
 * Return: The crc32c.
 */
u32 dxl_crc(const void *data, size_t len)
{
	return dxl_crc32c(~0U, data, len);
}

static u32 dxl_super_crc(const struct dxl_super *super)
{
	return dxl_crc(super, offsetof(struct dxl_super, crc));
}

/* What follows from the size of a device. */
static u64 dxl_inodes_for(u64 nr_blocks)
{
	u64 nr = min(nr_blocks / DXL_BLOCKS_PER_INODE, DXL_MAX_INODES);

	return round_down(nr, DXL_RECORDS_PER_BLOCK);
}

static u64 dxl_data_block_for(u64 nr_inodes)
{
	return DXL_ITABLE_BLOCK + nr_inodes / DXL_RECORDS_PER_BLOCK;
}

static void dxl_super_use(struct dxl_sb *sbi, const struct dxl_super *super)
{
	sbi->nr_blocks = le64_to_cpu(super->nr_blocks);
	sbi->nr_inodes = le64_to_cpu(super->nr_inodes);
	sbi->data_block = le64_to_cpu(super->data_block);
	import_uuid(&sbi->uuid, super->uuid);
}

static int dxl_super_validate(struct dxl_sb *sbi, const struct dxl_super *super)
{
	struct super_block *sb = sbi->sb;
	u64 nr_blocks = le64_to_cpu(super->nr_blocks);
	u64 nr_inodes = le64_to_cpu(super->nr_inodes);

	if (le64_to_cpu(super->magic) != DXL_MAGIC) {
		dxl_err(sb, "no daxlab filesystem here; -o format makes one");
		return -EINVAL;
	}
	if (le32_to_cpu(super->version) > DXL_VERSION) {
		dxl_err(sb, "format version %u is newer than %u, the last known",
			le32_to_cpu(super->version), DXL_VERSION);
		return -EINVAL;
	}
	if (le32_to_cpu(super->crc) != dxl_super_crc(super)) {
		dxl_err(sb, "superblock is damaged: bad checksum");
		return -EUCLEAN;
	}
	if (super->features) {
		dxl_err(sb, "unknown features %#x",
			le32_to_cpu(super->features));
		return -EINVAL;
	}
	if (nr_blocks > sbi->media.nr_blocks) {
		dxl_err(sb, "filesystem of %llu blocks on a device of %llu",
			nr_blocks, sbi->media.nr_blocks);
		return -EINVAL;
	}
	if (le32_to_cpu(super->version) != DXL_VERSION ||
	    nr_blocks < DXL_MIN_BLOCKS ||
	    nr_inodes != dxl_inodes_for(nr_blocks) ||
	    le64_to_cpu(super->itable_block) != DXL_ITABLE_BLOCK ||
	    le64_to_cpu(super->data_block) != dxl_data_block_for(nr_inodes)) {
		dxl_err(sb, "superblock is damaged: its fields do not fit");
		return -EUCLEAN;
	}
	return 0;
}

/**
 * dxl_super_read() - Read and judge the superblock.
 * @sbi: the mount; its geometry is filled in on success
 * @blank: set if block 0 is all zero, which is then the only fault
 *
 * Context: Process context, inside a media section.
 * Return: 0, also if blank; -EINVAL for what is not ours, -EUCLEAN for what is
 * damaged, -EIO for bad media. Anything but 0 has been reported.
 */
int dxl_super_read(struct dxl_sb *sbi, bool *blank)
{
	struct dxl_super super;
	const void *media;
	int err;

	media = dxl_media_addr(&sbi->media, DXL_SUPER_BLOCK);
	if (!media) {
		dxl_err(sbi->sb, "superblock cannot be read: bad media");
		return -EIO;
	}
	*blank = !memchr_inv(media, 0, DXL_BLOCK_SIZE);
	if (*blank)
		return 0;
	/* A copy: what was checked is what is used, whoever writes meanwhile. */
	memcpy(&super, media, sizeof(super));
	err = dxl_super_validate(sbi, &super);
	if (!err)
		dxl_super_use(sbi, &super);
	return err;
}

static int dxl_zero_blocks(struct dxl_sb *sbi, u64 block, u64 end)
{
	for (; block < end; block++) {
		void *addr = dxl_media_addr(&sbi->media, block);

		if (!addr) {
			dxl_err(sbi->sb, "cannot format: bad media at block %llu",
				block);
			return -EIO;
		}
		dxl_media_zero(&sbi->media, addr, DXL_BLOCK_SIZE);
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

static int dxl_make_root(struct dxl_sb *sbi)
{
	u64 now = ktime_get_real_ns();
	struct dxl_slot slot = {
		.seq = cpu_to_le64(1),
		.ino = cpu_to_le32(DXL_ROOT_INO),
		.mode = cpu_to_le16(S_IFDIR | 0755),
		.nlink = cpu_to_le32(2),
		.atime = cpu_to_le64(now),
		.mtime = cpu_to_le64(now),
		.ctime = cpu_to_le64(now),
		.btime = cpu_to_le64(now),
	};

	return dxl_slot_store(sbi, &slot);
}

/**
 * dxl_format() - Make an empty filesystem on the whole device.
 * @sbi: the mount; its geometry is filled in on success
 *
 * Context: Process context, inside a media section; the device is held
 * exclusively. Sleeps.
 * Return: 0, -EINVAL for a device that is too small, -EIO for bad media, or
 * -EINTR. An error has been reported and leaves the device blank.
 */
int dxl_format(struct dxl_sb *sbi)
{
	struct dxl_media *media = &sbi->media;
	u64 nr_inodes = dxl_inodes_for(media->nr_blocks);
	struct dxl_super super = {
		.version = cpu_to_le32(DXL_VERSION),
		.nr_blocks = cpu_to_le64(media->nr_blocks),
		.itable_block = cpu_to_le64(DXL_ITABLE_BLOCK),
		.nr_inodes = cpu_to_le64(nr_inodes),
		.data_block = cpu_to_le64(dxl_data_block_for(nr_inodes)),
		.format_time = cpu_to_le64(ktime_get_real_ns()),
	};
	struct dxl_super *on_media;
	uuid_t uuid;
	int err;

	if (media->nr_blocks < DXL_MIN_BLOCKS) {
		dxl_err(sbi->sb, "%llu KiB are too few: a filesystem needs %lu",
			media->nr_blocks << (DXL_BLOCK_SHIFT - 10),
			DXL_MIN_BLOCKS << (DXL_BLOCK_SHIFT - 10));
		return -EINVAL;
	}

	/* Blank first and in order: a half-made filesystem has no magic. */
	err = dxl_zero_blocks(sbi, DXL_SUPER_BLOCK, DXL_SUPER_BLOCK + 1);
	if (err)
		return err;
	dxl_media_fence(media);
	err = dxl_zero_blocks(sbi, DXL_INTENT_BLOCK, dxl_data_block_for(nr_inodes));
	if (err)
		return err;

	generate_random_uuid(uuid.b);
	export_uuid(super.uuid, &uuid);
	dxl_super_use(sbi, &super);
	err = dxl_make_root(sbi);
	if (err)
		return err;

	super.magic = cpu_to_le64(DXL_MAGIC);
	super.crc = cpu_to_le32(dxl_super_crc(&super));
	on_media = dxl_media_addr(media, DXL_SUPER_BLOCK);
	dxl_media_copy(media, &on_media->version, &super.version,
		       sizeof(super) - offsetof(struct dxl_super, version));
	dxl_media_fence(media);
	dxl_media_store(media, &on_media->magic, DXL_MAGIC);
	dxl_media_fence(media);
	dxl_info(sbi->sb, "formatted: %llu blocks, %llu inodes",
		 sbi->nr_blocks, sbi->nr_inodes - 1);
	return 0;
}
