// SPDX-License-Identifier: GPL-2.0
/*
 * The check from user space: superblock, intent, records, directories
 *
 * Directories are walked breadth first from the root; what they name is in use,
 * and each block of it once.
 */
#include "fsck_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum slot_state { BLANK, VALID, TORN };

#define RECORDS_IN_BLOCK	(DXL_BLOCK_SIZE / sizeof(struct dxl_inode_record))
/* Those that the module keeps. */
#define SLOT_FLAGS	(FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL | FS_NODUMP_FL | \
			 FS_NOATIME_FL | FS_DIRSYNC_FL | FS_DAX_FL)

static void say(struct fsck *f, const char *kind, const char *fmt, va_list ap)
{
	char text[160];

	vsnprintf(text, sizeof(text), fmt, ap);
	if (!f->report->first[0])
		memcpy(f->report->first, text, sizeof(text));
	if (f->out)
		fprintf(f->out, "%s%s\n", kind, text);
}

void fsck_error(struct fsck *f, const char *fmt, ...)
{
	va_list ap;

	f->report->errors++;
	va_start(ap, fmt);
	say(f, "damage: ", fmt, ap);
	va_end(ap);
}

void fsck_repair(struct fsck *f, const char *fmt, ...)
{
	va_list ap;

	f->report->repairs++;
	va_start(ap, fmt);
	say(f, "power cut: ", fmt, ap);
	va_end(ap);
}

/* False: nothing else can be checked. */
static bool check_super(struct fsck *f)
{
	struct dxl_super *super = fsck_read(f, DXL_SUPER_BLOCK);
	uint64_t device = lseek(f->fd, 0, SEEK_END) / DXL_BLOCK_SIZE, inodes;
	bool good = false;

	if (!super)
		return false;
	f->nr_blocks = le64toh(super->nr_blocks);
	f->nr_inodes = le64toh(super->nr_inodes);
	f->data_block = le64toh(super->data_block);
	inodes = f->nr_blocks / DXL_BLOCKS_PER_INODE;
	inodes -= inodes % RECORDS_IN_BLOCK;
	if (le64toh(super->magic) != DXL_MAGIC) {
		if (f->out)
			fprintf(f->out, "no daxlab filesystem here\n");
		f->cannot = true;
	} else if (le32toh(super->crc) != fsck_crc(super, offsetof(struct dxl_super, crc))) {
		fsck_error(f, "superblock: bad checksum");
	} else if (le32toh(super->version) > DXL_VERSION || super->features) {
		if (f->out)
			fprintf(f->out, "version %u, features %#x: newer than this program\n",
				le32toh(super->version), le32toh(super->features));
		f->cannot = true;
	} else if (f->nr_blocks > device) {
		fsck_error(f, "superblock: %llu blocks on a device of %llu",
			   (unsigned long long)f->nr_blocks, (unsigned long long)device);
	} else if (le32toh(super->version) != DXL_VERSION || f->nr_blocks < DXL_MIN_BLOCKS ||
		   f->nr_inodes != inodes ||
		   le64toh(super->itable_block) != DXL_ITABLE_BLOCK ||
		   f->data_block != DXL_ITABLE_BLOCK + inodes / RECORDS_IN_BLOCK) {
		fsck_error(f, "superblock: its fields do not fit");
	} else {
		good = true;
	}
	free(super);
	return good;
}

static void check_intent(struct fsck *f)
{
	struct dxl_intent *intent = fsck_read(f, DXL_INTENT_BLOCK);
	unsigned int nr = intent ? le32toh(intent->nr) : 0, i;
	size_t from = offsetof(struct dxl_intent, seq);

	if (!nr)
		goto free;
	if (nr > DXL_INTENT_OPS || le32toh(intent->crc) !=
	    fsck_crc(&intent->seq, offsetof(struct dxl_intent, op[0]) - from +
				   nr * sizeof(intent->op[0]))) {
		fsck_error(f, "intent: bad checksum");
		goto free;
	}
	for (i = 0; i < nr; i++) {
		uint64_t block = le64toh(intent->op[i].pos) / DXL_BLOCK_SIZE;

		if (block < f->data_block || block >= f->nr_blocks ||
		    le64toh(intent->op[i].pos) % 8) {
			fsck_error(f, "intent: store %u is out of range", i);
			goto free;
		}
	}
	f->intent = *intent;
	fsck_repair(f, "a rename is committed, and not carried out");
free:
	free(intent);
}

static enum slot_state judge(const struct dxl_slot *slot, uint64_t ino, unsigned int nr)
{
	static const struct dxl_slot zero;
	uint64_t seq = le64toh(slot->seq);

	if (!memcmp(slot, &zero, sizeof(zero)))
		return BLANK;
	if (le32toh(slot->crc) != fsck_crc(slot, offsetof(struct dxl_slot, crc)) ||
	    le32toh(slot->ino) != ino || !seq || (seq & 1) != nr)
		return TORN;
	return VALID;
}

static bool sane(const struct dxl_slot *slot)
{
	uint64_t size = le64toh(slot->size);

	if (le32toh(slot->flags) & ~SLOT_FLAGS)
		return false;
	switch (le16toh(slot->mode) & S_IFMT) {
	case S_IFREG:
		return size <= DXL_MAX_SIZE;
	case S_IFDIR:
		return size <= DXL_MAX_SIZE && !(size % DXL_BLOCK_SIZE);
	case S_IFLNK:
		return size < DXL_BLOCK_SIZE;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		return !size && !slot->root;
	}
	return false;
}

static void check_record(struct fsck *f, uint64_t ino, const struct dxl_inode_record *record)
{
	enum slot_state state[2] = {
		judge(&record->slot[0], ino, 0), judge(&record->slot[1], ino, 1)
	};
	const struct dxl_slot *slot = &record->slot[state[0] != VALID];

	if (state[0] == TORN && state[1] == TORN) {
		fsck_error(f, "inode %llu: both slots have bad checksums", (unsigned long long)ino);
		return;
	}
	if (state[0] == TORN || state[1] == TORN) {
		f->report->torn++;
		if (f->out)
			fprintf(f->out, "inode %llu: slot %d is torn, the other counts\n",
				(unsigned long long)ino, state[1] == TORN);
	}
	if (state[0] != VALID && state[1] != VALID)
		return;
	if (state[0] == state[1])
		slot = &record->slot[le64toh(record->slot[1].seq) > le64toh(record->slot[0].seq)];
	if (!slot->mode)
		return;
	if (!sane(slot)) {
		fsck_error(f, "inode %llu: its fields do not fit", (unsigned long long)ino);
		return;
	}
	f->ino[ino].mode = le16toh(slot->mode);
	f->ino[ino].nlink = le32toh(slot->nlink);
	f->ino[ino].size = le64toh(slot->size);
	f->ino[ino].root = le64toh(slot->root);
}

static void check_records(struct fsck *f)
{
	uint64_t ino;

	for (ino = 0; ino < f->nr_inodes; ino += RECORDS_IN_BLOCK) {
		struct dxl_inode_record *record;
		unsigned int i;

		record = fsck_read(f, DXL_ITABLE_BLOCK + ino / RECORDS_IN_BLOCK);
		for (i = !ino; record && i < RECORDS_IN_BLOCK; i++)
			check_record(f, ino + i, &record[i]);
		free(record);
	}
	if (!S_ISDIR(f->ino[DXL_ROOT_INO].mode))
		fsck_error(f, "inode %u: the root is no directory", DXL_ROOT_INO);
}

static void enqueue(struct fsck *f, uint32_t ino)
{
	f->ino[ino].named = true;
	f->ino[ino].want = 2;
	if (f->queue)
		f->ino[f->queue].next = ino;
	f->queue = ino;
}

/* A record of directory @dir names inode @ino. */
static void check_name(struct fsck *f, uint32_t dir, uint64_t ino, unsigned int type)
{
	struct fsck_ino *to = &f->ino[ino < f->nr_inodes ? ino : 0];

	if (!to->mode) {
		fsck_error(f, "directory %u: names inode %llu, which is not in use", dir,
			   (unsigned long long)ino);
	} else if (type != (to->mode & S_IFMT) >> 12) {
		fsck_error(f, "directory %u: takes inode %llu for another kind", dir,
			   (unsigned long long)ino);
	} else if (!S_ISDIR(to->mode)) {
		to->want++;
	} else if (to->named) {
		fsck_error(f, "directory %u: directory %llu has two names", dir,
			   (unsigned long long)ino);
	} else {
		enqueue(f, ino);
		f->ino[dir].want++;
	}
}

static bool name_is_good(const struct dxl_dirent *de)
{
	size_t head = offsetof(struct dxl_dirent, name) - offsetof(struct dxl_dirent, len);

	if (!de->len || le32toh(de->crc) != fsck_crc(&de->len, head + de->len))
		return false;
	if (memchr(de->name, '/', de->len) || memchr(de->name, 0, de->len))
		return false;
	return de->name[0] != '.' || (de->len != 1 && (de->len != 2 || de->name[1] != '.'));
}

/* The inode word of a record, as the intent will leave it. */
static uint64_t word_at(struct fsck *f, uint64_t pos, uint64_t word)
{
	unsigned int i;

	for (i = 0; i < le32toh(f->intent.nr); i++) {
		if (le64toh(f->intent.op[i].pos) == pos) {
			f->intent_seen |= 1U << i;
			word = le64toh(f->intent.op[i].val);
		}
	}
	return word;
}

static void dir_page(struct fsck_map *map, uint64_t index, uint64_t block, bool unwritten)
{
	struct fsck *f = map->f;
	struct dxl_dirent *de;
	unsigned int i;

	(void)index;
	if (unwritten)
		fsck_error(f, "directory %u: unwritten block %llu", map->ino,
			   (unsigned long long)block);
	de = unwritten ? NULL : fsck_read(f, block);
	for (i = 0; de && i < DXL_DIRENTS_PER_BLOCK; i++) {
		uint64_t word = word_at(f, block * DXL_BLOCK_SIZE + i * sizeof(*de),
					le64toh(de[i].ino));

		if (!word)
			continue;
		if (!name_is_good(&de[i]))
			fsck_error(f, "directory %u: bad name in block %llu", map->ino,
				   (unsigned long long)block);
		else if (!f->ino[map->ino].named)
			fsck_error(f, "directory %u: has names, and cannot be reached", map->ino);
		else
			check_name(f, map->ino, word & DXL_DIRENT_INO,
				   word >> DXL_DIRENT_TYPE_SHIFT);
	}
	free(de);
}

static void link_page(struct fsck_map *map, uint64_t index, uint64_t block, bool unwritten)
{
	char *target = unwritten || index ? NULL : fsck_read(map->f, block);

	if (!target || memchr(target, 0, map->f->ino[map->ino].size))
		fsck_error(map->f, "inode %u: bad symbolic link", map->ino);
	free(target);
}

static void check_inode(struct fsck *f, uint32_t ino, bool mark)
{
	struct fsck_ino *fi = &f->ino[ino];
	struct fsck_map map = { .f = f, .ino = ino, .mark = mark };
	unsigned int before = f->report->errors;

	if (S_ISDIR(fi->mode))
		map.page = dir_page;
	else if (S_ISLNK(fi->mode))
		map.page = link_page;
	fsck_walk(&map);
	if (f->report->errors != before)
		return;
	/* Who has no name may have lost blocks: its eviction was cut short. */
	if (map.page && mark && map.found != fsck_pages(fi->size))
		fsck_error(f, "inode %u: %llu of its blocks are missing", ino,
			   (unsigned long long)(fsck_pages(fi->size) - map.found));
	if (S_ISLNK(fi->mode) && !fi->size)
		fsck_error(f, "inode %u: an empty symbolic link", ino);
	if (map.tail && mark)
		fsck_repair(f, "inode %u: old data beyond its end", ino);
}

static void check_rest(struct fsck *f)
{
	uint32_t ino;

	for (ino = DXL_ROOT_INO; ino < f->nr_inodes; ino++) {
		struct fsck_ino *fi = &f->ino[ino];

		if (!fi->mode)
			continue;
		if (!fi->want) {
			fsck_repair(f, "inode %u: has no name", ino);
			if (S_ISDIR(fi->mode))
				check_inode(f, ino, false);
			continue;
		}
		f->report->inodes++;
		if (!S_ISDIR(fi->mode))
			check_inode(f, ino, true);
		if (fi->nlink != fi->want)
			fsck_repair(f, "inode %u: %u links, and %u names", ino, fi->nlink,
				    fi->want);
	}
	if (f->intent_seen != (1U << le32toh(f->intent.nr)) - 1)
		fsck_error(f, "intent: it stores outside of directories");
}

static void check_all(struct fsck *f)
{
	uint32_t ino;

	if (!check_super(f))
		return;
	f->ino = calloc(f->nr_inodes, sizeof(*f->ino));
	f->user = calloc(f->nr_blocks, sizeof(*f->user));
	if (!f->ino || !f->user) {
		f->cannot = true;
		return;
	}
	check_intent(f);
	check_records(f);
	if (f->report->errors)
		return;
	enqueue(f, DXL_ROOT_INO);
	for (ino = DXL_ROOT_INO; ino; ino = f->ino[ino].next)
		check_inode(f, ino, true);
	check_rest(f);
}

int fsck_check(const char *path, FILE *out, struct fsck_report *report)
{
	struct fsck f = { .out = out, .report = report };

	memset(report, 0, sizeof(*report));
	/* Around the page cache of the device, which the filesystem does not use. */
	f.fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (f.fd < 0 && errno == EINVAL)
		f.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f.fd < 0) {
		if (out)
			fprintf(out, "%s: %s\n", path, strerror(errno));
		return FSCK_CANNOT;
	}
	errno = 0;
	check_all(&f);
	free(f.ino);
	free(f.user);
	close(f.fd);
	if (f.cannot)
		return FSCK_CANNOT;
	return report->errors ? FSCK_ERRORS : FSCK_CLEAN;
}
