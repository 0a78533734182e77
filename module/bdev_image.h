/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The media image: what the media of a device would hold if power failed now
 * (module parameter media=on).
 *
 * The memory of a device is what processors see: caches and media as one. The
 * image beside it is changed only by what would reach media:
 *
 *	a flush, a flushing copy	at the next fence of the same task; what
 *					was in the memory when it was flushed
 *	a write bio, zeroes, discards	at the next flush of the device, by whom
 *					ever, as behind a volatile disk cache; a
 *					FUA write at once
 *	what user space flushes (CLWB	when it is told to media, with flush=;
 *	after MAP_SYNC)			as in the memory then
 *	anything else that was stored	when power fails, if chance wants it
 *
 * When power fails, each line of 64 bytes that differs stays as it was on media,
 * or is as in memory, or its words of 8 bytes are some of these and some of those
 * (none, all, or as a seed decides). So what is stored and neither flushed nor
 * fenced may be lost, may be there, and may come in any order; words are whole.
 *
 * devices/daxlabN/media takes one command a write:
 *
 *	cut=CHOICE		power fails now: from here on nothing reaches the
 *				image. CHOICE: none, all, or a seed
 *	cut=CHOICE,at=N		it fails just before the Nth fence from now on
 *				that would make something durable
 *	flush=OFFSET,len=N	user space has flushed these bytes of the device, and
 *				fenced: the lines that have them are durable, and
 *				what this task has flushed by other ways. A fence
 *				that counts
 *	drop=KIND[,every=N]	break the device on purpose: each Nth flush or
 *				fence is none. KIND: flush, user (a flush=), fence
 *				(of either), nothing
 *
 * Reading it tells the state: running, armed or cut; and counts.
 * devices/daxlabN/powerloss takes a CHOICE: the memory becomes the image. If power
 * had failed before, it is that image, and CHOICE does not count. EBUSY while the
 * device is mounted.
 *
 * What user space flushes and does not tell is not seen, and counts as stored. Nor is
 * dax_flush() of other filesystems: it has no hook for drivers.
 */
#ifndef DXL_BDEV_IMAGE_H
#define DXL_BDEV_IMAGE_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>

struct dentry;
struct dxl_bdev;
struct task_struct;

#define DXL_IMAGE_LINE		64	/* bytes that a cache writes back at once */

enum dxl_image_state { DXL_IMAGE_RUNNING, DXL_IMAGE_ARMED, DXL_IMAGE_CUT };

/* Of the image: what it loses on purpose. */
enum dxl_image_drop {
	DXL_DROP_NOTHING, DXL_DROP_FLUSH, DXL_DROP_USER, DXL_DROP_FENCE
};

/**
 * struct dxl_image_choice - what becomes of lines that nobody flushed
 * @kind: what to do with them
 * @seed: of chance
 */
struct dxl_image_choice {
	enum { DXL_CHOICE_NONE, DXL_CHOICE_ALL, DXL_CHOICE_SEED } kind;
	u64 seed;
};

/**
 * struct dxl_image_piece - where 2 MiB of a device are in memory
 * @addr: kernel address
 * @offset: in bytes, on the device
 */
struct dxl_image_piece {
	void *addr;
	u64 offset;
};

/**
 * struct dxl_image - the image of a device
 * @bdev: the device
 * @piece: sorted by address; immutable
 * @nr_pieces: of these
 * @lock: guards all that follows; innermost, but for the disk's open_mutex taken
 *	outside of it
 * @media: bytes on media
 * @size: of the device
 * @flushed: struct dxl_image_flush, which wait for a fence, oldest first
 * @cached: a bit for each sector that waits for a flush of the device
 * @state: has power failed
 * @choice: of the next failure
 * @cut_at: number of the fence before which it comes
 * @fences: fences that had something to make durable, since load
 * @flushes: what was flushed
 * @cuts: power losses that were applied
 * @lines: lines that the last of them found different from media
 * @lost: of these, lines that were not as in memory then
 * @unkept: flushes for which there was no memory, durable at once
 * @drop: broken on purpose
 * @drop_every: how often
 * @drop_seen: chances to
 * @dropped: how often it was done
 */
struct dxl_image {
	struct dxl_bdev *bdev;
	struct dxl_image_piece *piece;
	unsigned long nr_pieces;
	struct mutex lock;
	void *media;
	u64 size;
	struct list_head flushed;
	unsigned long *cached;
	enum dxl_image_state state;
	struct dxl_image_choice choice;
	u64 cut_at;
	u64 fences;
	u64 flushes;
	u64 cuts;
	u64 lines;
	u64 lost;
	u64 unkept;
	enum dxl_image_drop drop;
	u64 drop_every;
	u64 drop_seen;
	u64 dropped;
};

/* bdev_image.c */
struct dxl_image *dxl_image_new(struct dxl_bdev *bdev);
void dxl_image_free(struct dxl_image *image);
void dxl_image_flushed(void *image, const void *addr, size_t len);
void dxl_image_fence(void *image);
void dxl_image_user_flushed(struct dxl_image *image, u64 offset, u64 len);
void dxl_image_wrote(struct dxl_image *image, u64 offset, u64 len, bool fua);
void dxl_image_sync(struct dxl_image *image);

/* bdev_image_loss.c */
void dxl_image_drop_flushed(struct dxl_image *image);
void dxl_image_fail(struct dxl_image *image);
int dxl_image_powerloss(struct dxl_image *image,
			const struct dxl_image_choice *choice);

/* bdev_image_files.c */
void dxl_image_files(struct dxl_image *image, struct dentry *dir);

#endif /* DXL_BDEV_IMAGE_H */
