// SPDX-License-Identifier: GPL-2.0
/*
 * The media image: power fails, and what is left comes back
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "bdev.h"
#include "bdev_image.h"
#include "compat.h"

#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/siphash.h>

#define DXL_LINE_WORDS	(DXL_IMAGE_LINE / sizeof(u64))

/* Words of a line that reach media; the same for the same seed and line. */
static unsigned int dxl_image_words(const struct dxl_image_choice *choice,
				    u64 line)
{
	const siphash_key_t key = { { choice->seed, 0 } };
	u64 chance;

	if (choice->kind != DXL_CHOICE_SEED)
		return choice->kind == DXL_CHOICE_ALL ? ~0U : 0;
	chance = siphash_1u64(line, &key);
	switch (chance & 3) {
	case 0:
		return 0;
	case 1:
		return ~0U;
	default:
		return chance >> 32;
	}
}

/* Others may store to this line of memory now: each word is read once. */
static void dxl_image_fail_line(struct dxl_image *image, u64 *media,
				const u64 *memory, u64 line)
{
	unsigned int words = dxl_image_words(&image->choice, line), i;
	bool lost = false;

	image->lines++;
	for (i = 0; i < DXL_LINE_WORDS; i++) {
		u64 word = READ_ONCE(memory[i]);

		if (words & BIT(i))
			media[i] = word;
		else
			lost = lost || media[i] != word;
	}
	image->lost += lost;
}

/**
 * dxl_image_fail() - Power fails: decide what media has, once for all.
 * @image: with its lock; not cut yet
 *
 * Whoever flushes waits meanwhile. So what depends on a flush that is over is not
 * seen before that flush.
 *
 * Context: May sleep.
 */
void dxl_image_fail(struct dxl_image *image)
{
	unsigned long nr;
	u64 at;

	image->state = DXL_IMAGE_CUT;
	image->lines = 0;
	image->lost = 0;
	for (nr = 0; nr < image->nr_pieces; nr++) {
		void *memory = image->piece[nr].addr;
		u64 offset = image->piece[nr].offset;
		void *media = image->media + offset;

		for (at = 0; at < PMD_SIZE; at += DXL_IMAGE_LINE) {
			if (!(at % PAGE_SIZE)) {
				cond_resched();
				while (at < PMD_SIZE &&
				       !memcmp(media + at, memory + at, PAGE_SIZE))
					at += PAGE_SIZE;
				if (at == PMD_SIZE)
					break;
			}
			if (memcmp(media + at, memory + at, DXL_IMAGE_LINE))
				dxl_image_fail_line(image, media + at, memory + at,
						    (offset + at) / DXL_IMAGE_LINE);
		}
	}
	dxl_image_drop_flushed(image);
}

/* The memory is as media was when power failed. */
static void dxl_image_restore(struct dxl_image *image)
{
	unsigned long nr;
	u64 at;

	for (nr = 0; nr < image->nr_pieces; nr++) {
		void *memory = image->piece[nr].addr;
		const void *media = image->media + image->piece[nr].offset;

		for (at = 0; at < PMD_SIZE; at += PAGE_SIZE) {
			if (memcmp(memory + at, media + at, PAGE_SIZE))
				memcpy_flushcache(memory + at, media + at,
						  PAGE_SIZE);
			cond_resched();
		}
	}
	image->state = DXL_IMAGE_RUNNING;
	image->cuts++;
}

/**
 * dxl_image_powerloss() - The memory loses what is not on media.
 * @image: the image
 * @choice: what becomes of what was not flushed, if power has not failed before
 *
 * Context: May sleep.
 * Return: 0, or -EBUSY if somebody claims the device: it is mounted.
 */
int dxl_image_powerloss(struct dxl_image *image,
			const struct dxl_image_choice *choice)
{
	struct gendisk *disk = image->bdev->disk;
	int err = 0;

	/* Nobody can come to claim it. */
	mutex_lock(&disk->open_mutex);
	if (disk->part0->bd_holders) {
		pr_err_ratelimited("%s: is mounted: cut= first, powerloss after umount\n",
				   disk->disk_name);
		err = -EBUSY;
		goto unlock;
	}
	mutex_lock(&image->lock);
	if (image->state != DXL_IMAGE_CUT) {
		image->choice = *choice;
		dxl_image_fail(image);
	}
	dxl_image_restore(image);
	mutex_unlock(&image->lock);
unlock:
	mutex_unlock(&disk->open_mutex);
	return err;
}
