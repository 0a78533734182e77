// SPDX-License-Identifier: GPL-2.0
/*
 * What a power cut leaves half done, the next mount puts right, and only that.
 *
 * Each test makes the image that a cut between two stores of one operation
 * leaves, mounts it, and looks at names, links and free space. Then it mounts
 * once more: there must be nothing to repair any more. A read-only mount must
 * not write, and must not become writable before the repair.
 *
 *  - a record torn in its first use, and in a later one
 *  - create before the name; unlink before the record: freed with its blocks
 *  - link and unlink before the count: counted anew
 *  - rename: committed and not carried out, half carried out, not committed
 *  - truncate before the blocks: no old data when the file grows again
 *
 * daxlab-test: timeout=180 modes="dax pcache" args="size=4M"
 */
#include "image.h"
#include "kmsg.h"

#include <sys/mount.h>
#include <sys/statvfs.h>

#include "kselftest_harness.h"

#define ERR(call) ((call) < 0 ? errno : 0)
#define FILE_SIZE	20000

static ino_t number(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_ino;
}

static nlink_t links(const char *name)
{
	struct stat st;

	return lstat(name, &st) ? 0 : st.st_nlink;
}

static int make_file(const char *name)
{
	char buf[FILE_SIZE];
	int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

	memset(buf, 0x5a, sizeof(buf));
	if (fd < 0 || write(fd, buf, sizeof(buf)) != sizeof(buf))
		return -1;
	return close(fd);
}

FIXTURE(cut) {
	struct image image;
	struct statvfs before;	/* with a, b, d, d/e */
	ino_t a, b, d, e;
	int log;
	char line[512];
};

FIXTURE_SETUP(cut)
{
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	ASSERT_EQ(0, mkdir(DXL_MNT "/d", 0755) | mkdir(DXL_MNT "/d/e", 0755));
	ASSERT_EQ(0, make_file(DXL_MNT "/a") | make_file(DXL_MNT "/b"));
	ASSERT_EQ(0, make_file(DXL_MNT "/d/x") | unlink(DXL_MNT "/d/x"));
	self->a = number(DXL_MNT "/a");
	self->b = number(DXL_MNT "/b");
	self->d = number(DXL_MNT "/d");
	self->e = number(DXL_MNT "/d/e");
	ASSERT_EQ(0, statvfs(DXL_MNT, &self->before));
	ASSERT_EQ(0, dxl_umount());
	image_load(&self->image);
	self->log = kmsg_open();
	ASSERT_LE(0, self->log);
}

/* All was repaired by the first mount, and the counts are right. */
FIXTURE_TEARDOWN(cut)
{
	ASSERT_EQ(0, dxl_umount());
	kmsg_lines(self->log, self->line, sizeof(self->line));
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(0, kmsg_lines(self->log, self->line, sizeof(self->line)));
	ASSERT_EQ(0, dxl_umount());
	close(self->log);
	free(self->image.bytes);
}

/* Mount what was made; the log says what was repaired. */
#define MOUNT_REPAIRS(text) do {					\
	image_store(&self->image);					\
	ASSERT_EQ(0, mount(DXL_DEV, DXL_MNT, "daxlab", MS_RDONLY, NULL)); \
	EXPECT_EQ(EROFS, ERR(mount(DXL_DEV, DXL_MNT, NULL, MS_REMOUNT, NULL))); \
	ASSERT_EQ(0, dxl_umount());					\
	EXPECT_TRUE(image_is_on_device(&self->image));			\
	kmsg_lines(self->log, self->line, sizeof(self->line));		\
	ASSERT_EQ(0, dxl_mount(NULL));					\
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line))); \
	TH_LOG("%s", self->line);					\
	EXPECT_NE(NULL, strstr(self->line, text));			\
} while (0)

#define EXPECT_SPACE(blocks, inodes) do {				\
	struct statvfs now_;						\
									\
	EXPECT_EQ(0, statvfs(DXL_MNT, &now_));				\
	EXPECT_EQ(self->before.f_bfree + (blocks), now_.f_bfree);	\
	EXPECT_EQ(self->before.f_ffree + (inodes), now_.f_ffree);	\
} while (0)

static void tear(struct dxl_slot *slot)
{
	memset((char *)slot + 64, 0x33, 64);
}

TEST_F(cut, record_torn_in_its_first_use)
{
	struct dxl_slot slot = { .seq = htole64(1), .ino = htole32(200), .mode = htole16(0100644) };

	seal_slot(&slot);
	tear(&slot);
	image_record(&self->image, 200)->slot[1] = slot;
	image_store(&self->image);
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_SPACE(0, 0);
}

TEST_F(cut, record_torn)
{
	struct dxl_inode_record *record = image_record(&self->image, self->a);
	struct dxl_slot *now = image_slot(&self->image, self->a);
	struct dxl_slot *other = &record->slot[!(le64toh(now->seq) & 1)];

	*other = *now;
	other->seq = htole64(le64toh(now->seq) + 1);
	tear(other);
	image_store(&self->image);
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(self->a, number(DXL_MNT "/a"));
	EXPECT_EQ(0, chmod(DXL_MNT "/a", 0600));
}

TEST_F(cut, both_slots_damaged)
{
	char text[64];

	tear(&image_record(&self->image, self->a)->slot[0]);
	tear(&image_record(&self->image, self->a)->slot[1]);
	image_store(&self->image);
	EXPECT_EQ(EUCLEAN, ERR(dxl_mount(NULL)));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	snprintf(text, sizeof(text), "inode %lu is damaged", self->a);
	EXPECT_NE(NULL, strstr(self->line, text));
	EXPECT_TRUE(image_is_on_device(&self->image));
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
}

TEST_F(cut, file_without_a_name)
{
	image_dirent(&self->image, DXL_ROOT_INO, "a")->ino = 0;
	MOUNT_REPAIRS("records freed 1,");
	EXPECT_EQ(ENOENT, ERR(access(DXL_MNT "/a", F_OK)));
	EXPECT_SPACE(5 + 1, 1);
}

TEST_F(cut, directory_without_a_name)
{
	image_dirent(&self->image, self->d, "e")->ino = 0;
	MOUNT_REPAIRS("records freed 1, link counts corrected 1,");
	EXPECT_EQ(2, links(DXL_MNT "/d"));
	EXPECT_EQ(0, rmdir(DXL_MNT "/d"));
}

/* Its eviction has cut its blocks off the map, and its record is still there. */
TEST_F(cut, directory_that_has_lost_its_blocks)
{
	struct dxl_slot *slot = image_slot(&self->image, self->e);

	slot->size = htole64(4096);
	seal_slot(slot);
	image_dirent(&self->image, self->d, "e")->ino = 0;
	MOUNT_REPAIRS("records freed 1, link counts corrected 1,");
	EXPECT_EQ(0, rmdir(DXL_MNT "/d"));
}

/* No cut does this: the names in it would be lost. */
TEST_F(cut, full_directory_without_a_name)
{
	image_dirent(&self->image, DXL_ROOT_INO, "d")->ino = 0;
	image_store(&self->image);
	EXPECT_EQ(EUCLEAN, ERR(dxl_mount(NULL)));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_NE(NULL, strstr(self->line, "cannot be reached"));
	EXPECT_TRUE(image_is_on_device(&self->image));
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
}

TEST_F(cut, wrong_number_of_links)
{
	struct dxl_slot *slot = image_slot(&self->image, self->a);

	slot->nlink = htole32(2);
	seal_slot(slot);
	slot = image_slot(&self->image, self->d);
	slot->nlink = htole32(2);
	seal_slot(slot);
	MOUNT_REPAIRS("link counts corrected 2,");
	EXPECT_EQ(1, links(DXL_MNT "/a"));
	EXPECT_EQ(3, links(DXL_MNT "/d"));
	EXPECT_EQ(0, unlink(DXL_MNT "/a"));
	EXPECT_SPACE(5 + 1, 1);
}

/* rename("a", "b"), committed, with the first @done stores made. */
static void pend(struct image *image, int done)
{
	struct dxl_intent *intent = image_intent(image);
	struct dxl_dirent *a = image_dirent(image, DXL_ROOT_INO, "a");
	struct dxl_dirent *b = image_dirent(image, DXL_ROOT_INO, "b");

	intent->seq = htole64(77);
	intent->op[0].pos = htole64(image_pos(image, b));
	intent->op[0].val = a->ino;
	intent->op[1].pos = htole64(image_pos(image, a));
	intent->op[1].val = 0;
	seal_intent(intent, 2);
	if (done > 0)
		b->ino = a->ino;
	if (done > 1)
		a->ino = 0;
}

#define EXPECT_RENAMED() do {						\
	EXPECT_EQ(EROFS, ERR(mount(DXL_DEV, DXL_MNT, "daxlab", MS_RDONLY, NULL))); \
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line))); \
	EXPECT_NE(NULL, strstr(self->line, "mount writable first"));	\
	EXPECT_TRUE(image_is_on_device(&self->image));			\
	ASSERT_EQ(0, dxl_mount(NULL));					\
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line))); \
	EXPECT_NE(NULL, strstr(self->line, "rename carried out, records freed 1,")); \
	EXPECT_EQ(0, number(DXL_MNT "/a"));				\
	EXPECT_EQ(self->a, number(DXL_MNT "/b"));			\
	EXPECT_EQ(1, links(DXL_MNT "/b"));				\
	EXPECT_SPACE(5 + 1, 1);						\
} while (0)

TEST_F(cut, rename_committed)
{
	pend(&self->image, 0);
	image_store(&self->image);
	EXPECT_RENAMED();
}

TEST_F(cut, rename_half_way)
{
	pend(&self->image, 1);
	image_store(&self->image);
	EXPECT_RENAMED();
}

TEST_F(cut, rename_not_forgotten)
{
	pend(&self->image, 2);
	image_store(&self->image);
	EXPECT_RENAMED();
}

TEST_F(cut, rename_not_committed)
{
	pend(&self->image, 0);
	image_intent(&self->image)->nr = 0;
	image_intent(&self->image)->crc = 0;
	image_store(&self->image);
	ASSERT_EQ(0, dxl_mount(NULL));
	EXPECT_EQ(self->a, number(DXL_MNT "/a"));
	EXPECT_EQ(self->b, number(DXL_MNT "/b"));
	EXPECT_SPACE(0, 0);
	/* The list that was left there does not mix with a new one. */
	EXPECT_EQ(0, rename(DXL_MNT "/a", DXL_MNT "/d/a"));
}

TEST_F(cut, intent_elsewhere)
{
	struct dxl_intent *intent = image_intent(&self->image);

	pend(&self->image, 0);
	intent->op[1].pos = htole64(le64toh(intent->op[1].pos) + 8);
	seal_intent(intent, 2);
	image_store(&self->image);
	EXPECT_EQ(EUCLEAN, ERR(dxl_mount(NULL)));
	EXPECT_EQ(1, kmsg_lines(self->log, self->line, sizeof(self->line)));
	EXPECT_NE(NULL, strstr(self->line, "outside of directories"));
	EXPECT_TRUE(image_is_on_device(&self->image));
	ASSERT_EQ(0, dxl_mount_fresh(NULL));
}

TEST_F(cut, truncated_but_not_freed)
{
	struct dxl_slot *slot = image_slot(&self->image, self->a);
	char buf[FILE_SIZE];
	int fd, i;

	slot->size = htole64(100);
	seal_slot(slot);
	MOUNT_REPAIRS("tails cut 1");
	EXPECT_SPACE(4, 0);
	fd = open(DXL_MNT "/a", O_RDWR);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ftruncate(fd, FILE_SIZE));
	EXPECT_EQ(FILE_SIZE, pread(fd, buf, FILE_SIZE, 0));
	for (i = 0; i < FILE_SIZE && buf[i] == (i < 100 ? 0x5a : 0); i++)
		;
	EXPECT_EQ(FILE_SIZE, i);
	close(fd);
}

TEST_HARNESS_MAIN
