// SPDX-License-Identifier: GPL-2.0
/*
 * Intents: several 8-byte stores that a power cut leaves all done or all not.
 *
 * The list is written first, a header with its checksum commits it in one
 * store, then the stores are made and the header is cleared. A mount that
 * finds a header makes the stores again, which does no harm.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "fs.h"

static u32 dxl_intent_crc(const struct dxl_intent *intent, unsigned int nr)
{
	return dxl_crc(&intent->seq, offsetof(struct dxl_intent, op[nr]) -
				     offsetof(struct dxl_intent, seq));
}

/* The header as the one word that it is stored in. */
static void dxl_intent_head(struct dxl_sb *sbi, struct dxl_intent *media,
			    u32 nr, u32 crc)
{
	dxl_media_store(&sbi->media, (__le64 *)media, nr | (u64)crc << 32);
	dxl_media_fence(&sbi->media);
}

static __le64 *dxl_intent_addr(struct dxl_sb *sbi, __le64 pos)
{
	u64 byte = le64_to_cpu(pos);
	void *block = dxl_media_addr(&sbi->media, byte >> DXL_BLOCK_SHIFT);

	return block ? block + (byte & (DXL_BLOCK_SIZE - 1)) : NULL;
}

/* Make the stores of a list that is committed, and forget it. */
static int dxl_intent_carry_out(struct dxl_sb *sbi, struct dxl_intent *media,
				const struct dxl_intent_op *op, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		__le64 *addr = dxl_intent_addr(sbi, op[i].pos);

		if (!addr)
			return -EIO;
		dxl_media_store(&sbi->media, addr, le64_to_cpu(op[i].val));
	}
	dxl_media_fence(&sbi->media);
	dxl_intent_head(sbi, media, 0, 0);
	return 0;
}

/**
 * dxl_intent_run() - Make several stores as one.
 * @sbi: the mount
 * @op: where and what; aligned to 8 bytes
 * @nr: 1 to DXL_INTENT_OPS
 *
 * Context: Process context; takes intent_lock. The caller's locks keep others
 * off the places until this returns.
 * Return: 0, or -EIO before any of the stores was made.
 */
int dxl_intent_run(struct dxl_sb *sbi, const struct dxl_intent_op *op,
		   unsigned int nr)
{
	struct dxl_intent intent = {};
	struct dxl_intent *media;
	unsigned int i;
	int err, id;

	err = dxl_media_enter(&sbi->media, &id);
	if (err)
		return err;
	mutex_lock(&sbi->intent_lock);
	err = -EIO;
	media = dxl_media_addr(&sbi->media, DXL_INTENT_BLOCK);
	if (!media)
		goto unlock;
	for (i = 0; i < nr; i++)
		if (!dxl_intent_addr(sbi, op[i].pos))
			goto unlock;

	intent.seq = cpu_to_le64(++sbi->intent_seq);
	memcpy(intent.op, op, nr * sizeof(*op));
	dxl_media_copy(&sbi->media, &media->seq, &intent.seq,
		       offsetof(struct dxl_intent, op[nr]) -
		       offsetof(struct dxl_intent, seq));
	dxl_media_fence(&sbi->media);
	dxl_intent_head(sbi, media, nr, dxl_intent_crc(&intent, nr));
	err = dxl_intent_carry_out(sbi, media, op, nr);
unlock:
	mutex_unlock(&sbi->intent_lock);
	dxl_media_exit(id);
	return err;
}

/**
 * dxl_intent_read() - Read the list that a power cut left, if any.
 * @sbi: the mount
 * @intent: receives it; nr is 0 if there is nothing to do
 *
 * Context: Process context, at mount, inside a media section.
 * Return: 0, -EUCLEAN if it is damaged, -EIO for bad media; both are reported.
 */
int dxl_intent_read(struct dxl_sb *sbi, struct dxl_intent *intent)
{
	const void *media = dxl_media_addr(&sbi->media, DXL_INTENT_BLOCK);
	unsigned int nr, i;

	if (!media) {
		dxl_err(sbi->sb, "intent block cannot be read: bad media");
		return -EIO;
	}
	memcpy(intent, media, sizeof(*intent));
	sbi->intent_seq = le64_to_cpu(intent->seq);
	nr = le32_to_cpu(intent->nr);
	if (!nr)
		return 0;
	if (nr > DXL_INTENT_OPS ||
	    le32_to_cpu(intent->crc) != dxl_intent_crc(intent, nr))
		goto damaged;
	for (i = 0; i < nr; i++) {
		u64 pos = le64_to_cpu(intent->op[i].pos);

		if (pos >> DXL_BLOCK_SHIFT < sbi->data_block || pos & 7 ||
		    pos >> DXL_BLOCK_SHIFT >= sbi->nr_blocks)
			goto damaged;
	}
	return 0;
damaged:
	dxl_err(sbi->sb, "intent block is damaged");
	return -EUCLEAN;
}

/**
 * dxl_intent_redo() - Carry out the list that a power cut left.
 * @sbi: the mount
 * @intent: from dxl_intent_read(), with something to do
 *
 * Context: Process context, at mount, inside a media section.
 * Return: 0 or -EIO.
 */
int dxl_intent_redo(struct dxl_sb *sbi, const struct dxl_intent *intent)
{
	return dxl_intent_carry_out(sbi,
				    dxl_media_addr(&sbi->media, DXL_INTENT_BLOCK),
				    intent->op, le32_to_cpu(intent->nr));
}
