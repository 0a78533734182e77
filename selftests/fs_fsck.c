// SPDX-License-Identifier: GPL-2.0
/*
 * `daxlab fsck` says what is on a device, and agrees with the mount (random images:
 * fs_mutate).
 *
 *  1. A clean filesystem, and each kind of damage: the exit status, the words, and
 *     that the device is as before. Damage is what the mount refuses; what a power
 *     cut leaves is none.
 *  2. What cannot be checked: no filesystem, no device, no word.
 *
 * daxlab-test: timeout=180 needs=module args="size=4M"
 */
#include "fsck.h"
#include "image.h"

#include <sys/mount.h>
#include <sys/wait.h>

#include "kselftest_harness.h"

FIXTURE(fsck) {
	struct image image;
	uint64_t a, d;
	char words[4096];
};

static ino_t number(const char *name)
{
	struct stat st;

	must(!stat(name, &st));
	return st.st_ino;
}

FIXTURE_SETUP(fsck)
{
	static const char text[20000] = "text";
	int fd;

	ASSERT_EQ(0, dxl_mount_fresh(NULL));
	ASSERT_EQ(0, mkdir(DXL_MNT "/d", 0755) | mkdir(DXL_MNT "/d/e", 0755));
	ASSERT_EQ(0, symlink("a", DXL_MNT "/s"));
	fd = open(DXL_MNT "/a", O_RDWR | O_CREAT, 0644);
	ASSERT_EQ(sizeof(text), write(fd, text, sizeof(text)));
	ASSERT_EQ(0, fallocate(fd, 0, 20000, 20000) | link(DXL_MNT "/a", DXL_MNT "/d/b"));
	close(fd);
	self->a = number(DXL_MNT "/a");
	self->d = number(DXL_MNT "/d");
	ASSERT_EQ(0, dxl_umount());
	image_load(&self->image);
}

FIXTURE_TEARDOWN(fsck)
{
	umount2(DXL_MNT, MNT_DETACH);
	free(self->image.bytes);
}

/* The program itself; its words are kept. */
static int fsck(FIXTURE_DATA(fsck) *self, const char *device)
{
	char line[256];
	FILE *pipe;
	size_t got;
	int status;

	snprintf(line, sizeof(line), "daxlab fsck %s 2>&1", device);
	pipe = popen(line, "r");
	must(pipe);
	got = fread(self->words, 1, sizeof(self->words) - 1, pipe);
	self->words[got] = '\0';
	status = pclose(pipe);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What was made has this status and these words; the mount thinks so too. */
#define EXPECT_FSCK(status, text) do {						\
	image_store(&self->image);						\
	EXPECT_EQ(status, fsck(self, DXL_DEV));					\
	EXPECT_NE(NULL, strstr(self->words, text)) TH_LOG("%s", self->words);	\
	EXPECT_TRUE(image_is_on_device(&self->image));				\
	EXPECT_EQ(status == FSCK_CLEAN ? 0 : -1, dxl_mount(NULL));		\
} while (0)

static struct dxl_slot *slot_of(FIXTURE_DATA(fsck) *self, uint64_t ino)
{
	return image_slot(&self->image, ino);
}

static __le64 *map_of(FIXTURE_DATA(fsck) *self)
{
	return image_block(&self->image, le64toh(slot_of(self, self->a)->root) / DXL_BLOCK_SIZE);
}

TEST_F(fsck, clean)
{
	EXPECT_FSCK(FSCK_CLEAN, "clean: 5 inodes");
	EXPECT_NE(NULL, strstr(self->words, "errors 0, for the next mount to repair 0, torn"));
}

TEST_F(fsck, torn_slot)
{
	struct dxl_slot *slot = slot_of(self, self->a);
	struct dxl_inode_record *record = image_record(&self->image, self->a);

	memset((char *)&record->slot[slot == record->slot] + 64, 0x33, 64);
	EXPECT_FSCK(FSCK_CLEAN, "is torn, the other counts");
	EXPECT_NE(NULL, strstr(self->words, "torn slots 1"));
}

TEST_F(fsck, both_slots)
{
	memset(image_record(&self->image, self->a), 0x33, sizeof(struct dxl_inode_record));
	EXPECT_FSCK(FSCK_ERRORS, "both slots have bad checksums");
}

TEST_F(fsck, superblock)
{
	image_super(&self->image)->uuid[3] ^= 1;
	EXPECT_FSCK(FSCK_ERRORS, "damage: superblock: bad checksum");
}

TEST_F(fsck, name)
{
	image_dirent(&self->image, DXL_ROOT_INO, "a")->name[0] = 'b';
	EXPECT_FSCK(FSCK_ERRORS, "bad name in block");
}

TEST_F(fsck, name_of_nothing)
{
	image_dirent(&self->image, DXL_ROOT_INO, "a")->ino = htole64(60 | 8ULL << 56);
	EXPECT_FSCK(FSCK_ERRORS, "names inode 60, which is not in use");
}

TEST_F(fsck, inode_without_a_name)
{
	image_dirent(&self->image, DXL_ROOT_INO, "a")->ino = 0;
	image_dirent(&self->image, self->d, "b")->ino = 0;
	EXPECT_FSCK(FSCK_CLEAN, "has no name");
}

TEST_F(fsck, directory_without_a_name)
{
	image_dirent(&self->image, DXL_ROOT_INO, "d")->ino = 0;
	EXPECT_FSCK(FSCK_ERRORS, "has names, and cannot be reached");
}

TEST_F(fsck, links)
{
	slot_of(self, self->a)->nlink = htole32(7);
	seal_slot(slot_of(self, self->a));
	EXPECT_FSCK(FSCK_CLEAN, "7 links, and 2 names");
}

TEST_F(fsck, old_data_beyond_the_end)
{
	slot_of(self, self->a)->size = 0;
	seal_slot(slot_of(self, self->a));
	EXPECT_FSCK(FSCK_CLEAN, "old data beyond its end");
}

TEST_F(fsck, block_twice)
{
	map_of(self)[1] = map_of(self)[0];
	EXPECT_FSCK(FSCK_ERRORS, "is used twice");
}

TEST_F(fsck, block_out_of_range)
{
	map_of(self)[1] = htole64((1ULL << 40) | DXL_MAP_VALID);
	EXPECT_FSCK(FSCK_ERRORS, "out of range");
}

TEST_F(fsck, map_word)
{
	map_of(self)[1] |= htole64(0x40);
	EXPECT_FSCK(FSCK_ERRORS, "bad map word");
}

TEST_F(fsck, rename)
{
	struct dxl_intent *intent = image_intent(&self->image);
	struct dxl_dirent *a = image_dirent(&self->image, DXL_ROOT_INO, "a");

	intent->seq = htole64(5);
	intent->op[0].pos = htole64(image_pos(&self->image, a));
	intent->op[0].val = 0;
	seal_intent(intent, 1);
	EXPECT_FSCK(FSCK_CLEAN, "a rename is committed");
}

TEST_F(fsck, intent)
{
	struct dxl_intent *intent = image_intent(&self->image);

	seal_intent(intent, 1);
	intent->crc ^= 1;
	EXPECT_FSCK(FSCK_ERRORS, "intent: bad checksum");
}

TEST_F(fsck, nothing_there)
{
	memset(self->image.bytes, 0, DXL_BLOCK_SIZE);
	image_store(&self->image);
	EXPECT_EQ(FSCK_CANNOT, fsck(self, DXL_DEV));
	EXPECT_EQ(FSCK_CANNOT, fsck(self, "/dev/nothing"));
	EXPECT_EQ(FSCK_CANNOT, fsck(self, "/dev/null"));
	EXPECT_EQ(FSCK_CANNOT, fsck(self, ""));
	EXPECT_EQ(FSCK_CANNOT, fsck(self, DXL_DEV " " DXL_DEV));
}

TEST_HARNESS_MAIN
