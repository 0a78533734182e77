// SPDX-License-Identifier: GPL-2.0
/*
 * What the C tests share; daxlab.h says what each function does.
 */
#include "daxlab.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "must.h"
#include "slow.h"

/* alarm() of all tests, and so the limits of kselftest_harness.h. */
unsigned int __wrap_alarm(unsigned int seconds)
{
	return __real_alarm(seconds * slow_factor());
}

int dxl_load(const char *params)
{
	const char *ko = getenv("DAXLAB_KO");
	int fd, ret, err;

	fd = open(ko ? ko : "module/daxlab.ko", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ret = syscall(SYS_finit_module, fd, params ? params : "", 0);
	err = errno;
	close(fd);
	errno = err;
	return ret;
}

bool dxl_kernel_since(unsigned int major, unsigned int minor)
{
	unsigned int is_major, is_minor;
	struct utsname name;

	must(!uname(&name) && sscanf(name.release, "%u.%u", &is_major, &is_minor) == 2);
	return is_major > major || (is_major == major && is_minor >= minor);
}

int dxl_unload(void)
{
	return syscall(SYS_delete_module, "daxlab", O_NONBLOCK);
}

bool dxl_page_cache(void)
{
	const char *mode = getenv("DAXLAB_MODE");

	return mode && !strcmp(mode, "pcache");
}

int dxl_mount(const char *options)
{
	char all[512];

	if (mkdir(DXL_MNT, 0755) && errno != EEXIST)
		return -1;
	/* What the test asks for itself comes last, and counts. */
	snprintf(all, sizeof(all), "%s,%s", dxl_page_cache() ? "dax=never" : "dax=always",
		 options ? options : "");
	return mount(DXL_DEV, DXL_MNT, "daxlab", 0, all);
}

int dxl_mount_fresh(const char *options)
{
	char all[256];

	snprintf(all, sizeof(all), "format%s%s", options ? "," : "", options ? options : "");
	return dxl_mount(all);
}

int dxl_umount(void)
{
	return umount(DXL_MNT);
}

int dxl_file_sparse(const char *name, off_t size)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), DXL_MNT "/%s", name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && ftruncate(fd, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

int dxl_file_allocated(const char *name, off_t size)
{
	int fd = dxl_file_sparse(name, size);

	if (fd >= 0 && fallocate(fd, 0, 0, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

bool dxl_extent(int fd, off_t page, struct fiemap_extent *extent)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent[1];
	} list = { .map = { .fm_start = page, .fm_length = DXL_PAGE, .fm_extent_count = 1 } };

	must(!ioctl(fd, FS_IOC_FIEMAP, &list.map));
	*extent = list.extent[0];
	return list.map.fm_mapped_extents == 1;
}

void *dxl_mmap(int fd, off_t offset, size_t length, int prot, int flags, size_t skew)
{
	size_t space = length + skew + DXL_PMD;
	uintptr_t at, end;
	char *area;
	void *map;

	/* Reserve room, map inside it, give the rest back. */
	area = mmap(NULL, space, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return MAP_FAILED;
	at = (((uintptr_t)area + DXL_PMD - 1) & ~(DXL_PMD - 1)) + skew;
	end = (at + length + DXL_PAGE - 1) & ~(DXL_PAGE - 1);
	map = mmap((void *)at, length, prot, flags | MAP_FIXED, fd, offset);
	if (map == MAP_FAILED) {
		munmap(area, space);
		return MAP_FAILED;
	}
	if (at > (uintptr_t)area)
		munmap(area, at - (uintptr_t)area);
	if ((uintptr_t)area + space > end)
		munmap((void *)end, (uintptr_t)area + space - end);
	return map;
}

static unsigned long long stat_in(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *line = text;

	while (*line) {
		if (!strncmp(line, name, len) && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	printf("# no counter named %s\n", name);
	exit(1);
}

void dxl_stats(struct dxl_stats *stats)
{
	size_t len = 0;
	ssize_t got = -1;
	int fd = open(DXL_DEBUGFS "/stats", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		while ((got = read(fd, stats->text + len, sizeof(stats->text) - 1 - len)) > 0)
			len += got;
		close(fd);
	}
	stats->text[len] = '\0';
	if (got) {
		perror("# " DXL_DEBUGFS "/stats");
		exit(1);
	}
}

unsigned long long dxl_stat(const char *name)
{
	struct dxl_stats now;

	dxl_stats(&now);
	return stat_in(now.text, name);
}

unsigned long long dxl_grown(const struct dxl_stats *since, const char *name)
{
	return dxl_stat(name) - stat_in(since->text, name);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;

	if (fd < 0)
		return -1;
	put = write(fd, text, strlen(text));
	close(fd);
	return put < 0 ? -1 : 0;
}

int dxl_stats_reset(void)
{
	return write_text(DXL_DEBUGFS "/reset", "1");
}

void dxl_log(const char *text)
{
	if (write_text("/dev/kmsg", text))
		perror("# /dev/kmsg");
}
