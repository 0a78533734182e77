// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever lies on the device, mounting it does no harm.
 *
 *  1. A filesystem with all that the format knows: nested and long directories,
 *     links, symlinks, nodes, holes, 2 MiB extents, blocks beyond EOF.
 *  2. Per seed a few changes: random bytes, fields of superblock, records, map
 *     words and names with checksums put right, blocks wiped, copied, swapped,
 *     an intent that stores anywhere.
 *  3. Mount. Refused: with one of three errnos, and not a byte was written.
 *     Mounted: everything can be read, new files can be made and removed, and
 *     it mounts again after unmount. Every fourth one is mounted read-only
 *     before, which must not write either.
 *  4. `daxlab fsck`, which shares no code with the module, thinks the same of each.
 *
 * A broken module oopses, hangs, warns, or spreads the damage. The first seed
 * that fails is printed: DAXLAB_SEED=N DAXLAB_IMAGES=1 runs it alone.
 *
 * daxlab-test: timeout=400 args="size=12M"
 */
#include "fsck.h"
#include "mutate.h"

#include <dirent.h>
#include <fts.h>
#include <linux/fs.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "kselftest_harness.h"

#define IMAGES	256

static void make_file(const char *name, off_t pos, size_t len)
{
	char path[256], *buf = malloc(len);
	int fd;

	snprintf(path, sizeof(path), DXL_MNT "/%s", name);
	memset(buf, 0xa5, len);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	must(fd >= 0);
	must(pwrite(fd, buf, len, pos) == (ssize_t)len);
	close(fd);
	free(buf);
}

static void make_base(void)
{
	char path[256];
	int fd, i;

	must(!dxl_mount_fresh(NULL));
	must(!mkdir(DXL_MNT "/dir", 0755));
	must(!mkdir(DXL_MNT "/dir/deep", 0755));
	must(!mkdir(DXL_MNT "/dir/deep/deeper", 0755));
	must(!mkdir(DXL_MNT "/empty", 0755));
	for (i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), "dir/file-%d", i);
		make_file(path, 0, 100 + i);
	}
	make_file("sparse", 3L << 30, 5000);
	make_file("end", DXL_MAX_SIZE - 4096, 4096);
	make_file("small", 0, 20000);
	make_file("dir/deep/leaf", 4096, 4096);
	must(!link(DXL_MNT "/small", DXL_MNT "/dir/deep/link"));
	must(!symlink("dir/deep/leaf", DXL_MNT "/symlink"));
	must(!symlink("/", DXL_MNT "/dir/root"));
	must(!mknod(DXL_MNT "/fifo", S_IFIFO | 0600, 0));
	must(!mknod(DXL_MNT "/null", S_IFCHR | 0600, makedev(1, 3)));
	fd = open(DXL_MNT "/huge", O_RDWR | O_CREAT, 0644);
	must(fd >= 0 && !fallocate(fd, 0, 0, 4 << 20));
	must(pwrite(fd, path, 100, 0) == 100);
	close(fd);
	fd = open(DXL_MNT "/beyond", O_RDWR | O_CREAT, 0644);
	must(fd >= 0 && !fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 100000));
	close(fd);
	must(!dxl_umount());
}

/* Read data of a file, where it has any; false on an error. */
static bool read_file(const char *path)
{
	static char buf[1 << 16];
	off_t pos = 0;
	ssize_t got;
	int fd, i;

	fd = open(path, O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return false;
	for (i = 0; i < 64; i++) {
		pos = lseek(fd, pos, SEEK_DATA);
		if (pos < 0)
			break;
		got = pread(fd, buf, sizeof(buf), pos);
		if (got <= 0)
			break;
		pos += got;
	}
	got = pread(fd, buf, sizeof(buf), 0);
	close(fd);
	return got >= 0 && (pos >= 0 || errno == ENXIO);
}

/* Look at everything; the number of things that cannot be looked at. */
static int read_all(void)
{
	char root[] = DXL_MNT, target[PATH_MAX];
	FTS *fts = fts_open((char * const []) { root, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *at;
	int bad = 0;

	must(fts);
	while ((at = fts_read(fts))) {
		bool good = true;

		if (at->fts_info == FTS_F)
			good = read_file(at->fts_path);
		else if (at->fts_info == FTS_SL || at->fts_info == FTS_SLNONE)
			good = readlink(at->fts_path, target, sizeof(target)) > 0;
		else if (at->fts_info == FTS_ERR || at->fts_info == FTS_DNR ||
			 at->fts_info == FTS_NS)
			good = false;
		if (!good) {
			fprintf(stderr, "# %s: %s\n", at->fts_path,
				strerror(at->fts_errno ?: errno));
			bad++;
		}
	}
	fts_close(fts);
	return bad;
}

/* Change things; a name may exist already, or the space be gone. */
static void use(void)
{
	struct statvfs st;
	int fd;

	if (!mkdir(DXL_MNT "/new", 0755) && !mkdir(DXL_MNT "/new/sub", 0755))
		rename(DXL_MNT "/new/sub", DXL_MNT "/sub");
	fd = open(DXL_MNT "/new/file", O_RDWR | O_CREAT, 0644);
	if (fd >= 0) {
		if (ftruncate(fd, 3 << 20) || write(fd, "x", 1) != 1)
			fprintf(stderr, "# no space\n");
		fallocate(fd, 0, 0, 1 << 20);
		close(fd);
	}
	truncate(DXL_MNT "/small", 1);
	truncate(DXL_MNT "/sparse", 4L << 30);
	unlink(DXL_MNT "/huge");
	unlink(DXL_MNT "/beyond");
	rename(DXL_MNT "/dir/file-1", DXL_MNT "/dir/file-2");
	rename(DXL_MNT "/dir/file-3", DXL_MNT "/end");
	unlink(DXL_MNT "/new/file");
	rmdir(DXL_MNT "/new");
	rmdir(DXL_MNT "/empty");
	must(!statvfs(DXL_MNT, &st));
	must(st.f_bfree <= st.f_blocks && st.f_ffree <= st.f_files);
	sync();
}

static bool is_blank(const struct image *image)
{
	size_t i;

	for (i = 0; i < DXL_BLOCK_SIZE; i++)
		if (image->bytes[i])
			return false;
	return true;
}

struct outcome {
	unsigned int refused;
	unsigned int mounted;
};

static const char *refusal_ok(const struct image *image)
{
	if (errno != EINVAL && errno != EUCLEAN && errno != EROFS)
		return "refused with a strange errno";
	return image_is_on_device(image) ? NULL : "refused, but written to";
}

/* One image; NULL or what is wrong. */
static const char *try(const struct image *image, bool look_first, struct outcome *outcome)
{
	struct fsck_report report;
	const char *wrong;
	bool damaged;

	image_store(image);
	damaged = fsck_check(DXL_DEV, NULL, &report) && !is_blank(image);
	if (look_first) {
		if (mount(DXL_DEV, DXL_MNT, "daxlab", MS_RDONLY, NULL))
			wrong = refusal_ok(image);
		else if (read_all())
			wrong = "mounted read-only, but not readable";
		else
			wrong = umount(DXL_MNT) ? "does not unmount" : NULL;
		if (!wrong && !image_is_on_device(image))
			wrong = "mounted read-only, but written to";
		if (wrong)
			return wrong;
	}
	if (dxl_mount(NULL)) {
		outcome->refused++;
		if (!damaged)
			return "refused, but fsck finds no damage";
		return errno == EROFS ? "errno is EROFS" : refusal_ok(image);
	}
	outcome->mounted++;
	if (damaged)
		return "mounted, but fsck finds damage";
	if (read_all())
		return "mounted, but not readable";
	use();
	if (read_all())
		return "not readable after use";
	if (dxl_umount())
		return "does not unmount";
	if (dxl_mount(NULL))
		return "does not mount again";
	if (read_all())
		return "not readable at second mount";
	if (dxl_umount())
		return "does not unmount again";
	if (fsck_check(DXL_DEV, NULL, &report) || report.repairs)
		return "fsck finds something after the mount";
	return NULL;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

FIXTURE(device) {
};

FIXTURE_SETUP(device)
{
	make_base();
}

FIXTURE_TEARDOWN(device)
{
}

TEST_F_TIMEOUT(device, mutated_images, 400)
{
	uint64_t first = number("DAXLAB_SEED", 1), seed;
	uint64_t images = number("DAXLAB_IMAGES", IMAGES);
	struct image base = {}, image = {};
	struct outcome outcome = {};

	image_load(&base);
	mutate_aim(&base);
	for (seed = first; seed < first + images; seed++) {
		const char *wrong;

		image_copy(&image, &base);
		mutate(&image, seed);
		wrong = try(&image, seed % 4 == 0 && !is_blank(&image), &outcome);
		if (wrong) {
			TH_LOG("seed %llu: %s (%s)", (unsigned long long)seed, wrong,
			       strerror(errno));
			umount2(DXL_MNT, MNT_DETACH);
		}
		ASSERT_EQ(NULL, wrong);
	}
	TH_LOG("%u refused, %u mounted", outcome.refused, outcome.mounted);
	/* Both ends of the test are there. */
	if (images >= IMAGES) {
		EXPECT_LT(images / 10, outcome.refused);
		EXPECT_LT(images / 10, outcome.mounted);
	}
}

TEST_HARNESS_MAIN
