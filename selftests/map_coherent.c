// SPDX-License-Identifier: GPL-2.0
/*
 * One content, whichever way it is reached: read(2) and write(2), a PMD
 * mapping, a PTE mapping, mappings at other offsets. There is no page cache, so
 * a difference means that one of them points to other memory.
 *
 *  1. A 6 MiB file is mapped five times, at several offsets and colours.
 *  2. Each round changes a few bytes somewhere, by one of these ways.
 *  3. All the others must show the change at once, and nothing else changed.
 *
 * daxlab-test: timeout=180 modes="dax pcache" needs=mount
 */
#include "dax.h"

#define SIZE	(3 * PMD)
#define SEED	4
#define ROUNDS	300

FIXTURE(coherent) {
	int fd;
	struct view {
		off_t off;
		size_t len, skew;
		char *map;
	} view[5];
	char *shadow;
	struct dxl_stats before;
};

FIXTURE_VARIANT(coherent) {
	bool holes;
};

FIXTURE_VARIANT_ADD(coherent, blocks) { .holes = false };
FIXTURE_VARIANT_ADD(coherent, holes) { .holes = true };

FIXTURE_SETUP(coherent)
{
	static const struct view view[] = {
		{ .off = 0, .len = SIZE },
		{ .off = 0, .len = SIZE, .skew = PAGE },
		{ .off = PMD, .len = PMD },
		{ .off = 3 * PAGE, .len = 2 * PMD },
		{ .off = PMD - 2 * PAGE, .len = 4 * PAGE, .skew = 5 * PAGE },
	};
	unsigned int i;

	self->shadow = calloc(1, SIZE);
	ASSERT_NE(NULL, self->shadow);
	if (variant->holes) {
		self->fd = hole_file("coherent", SIZE);
	} else {
		self->fd = full_file("coherent", SIZE, SEED);
		pattern(self->shadow, 0, SIZE, SEED);
	}
	memcpy(self->view, view, sizeof(view));
	for (i = 0; i < ARRAY_SIZE(view); i++)
		self->view[i].map = map_skewed(self->fd, view[i].off, view[i].len,
					       view[i].skew, RW, MAP_SHARED);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(coherent)
{
	EXPECT_QUIESCENT();
	close(self->fd);
}

/* Everything that shows [off, off + len) of the file agrees with the shadow. */
static void check(struct __test_metadata *_metadata, FIXTURE_DATA(coherent) *self,
		  off_t off, size_t len)
{
	char *buf = malloc(len);
	unsigned int i;

	ASSERT_NE(NULL, buf);
	ASSERT_EQ((ssize_t)len, pread(self->fd, buf, len, off));
	ASSERT_EQ(0, memcmp(buf, self->shadow + off, len));
	free(buf);
	for (i = 0; i < ARRAY_SIZE(self->view); i++) {
		const struct view *view = &self->view[i];
		off_t from = off > view->off ? off : view->off;
		off_t end = off + len, to = view->off + view->len;

		to = to < end ? to : end;
		if (from >= to)
			continue;
		ASSERT_EQ(0, memcmp(view->map + from - view->off, self->shadow + from,
				    to - from))
			TH_LOG("view %u, file offset 0x%lx", i, (long)from);
	}
}

TEST_F_TIMEOUT(coherent, all_ways, 150)
{
	unsigned int round, seed = 1;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int way = rand_r(&seed) % (ARRAY_SIZE(self->view) + 1);
		size_t len = 1 + rand_r(&seed) % (round % 8 ? 200 : 3 * PAGE);
		off_t off = rand_r(&seed) % (SIZE - len);
		size_t around = 2 * PAGE;

		pattern(self->shadow + off, off, len, round);
		if (way < ARRAY_SIZE(self->view)) {
			const struct view *view = &self->view[way];

			if (off < view->off || off + len > view->off + view->len)
				way = ARRAY_SIZE(self->view);
			else
				memcpy(view->map + off - view->off, self->shadow + off, len);
		}
		if (way == ARRAY_SIZE(self->view))
			ASSERT_EQ((ssize_t)len, pwrite(self->fd, self->shadow + off, len, off));
		off = off > (off_t)around ? off - around : 0;
		len += 2 * around;
		check(_metadata, self, off, off + len > SIZE ? SIZE - off : len);
	}
	check(_metadata, self, 0, SIZE);
	EXPECT_GROWN(LE, 1, &self->before, "fault_pte_mapped");
	/* One page was stored first somewhere: then PMDs fall back for good. */
	if (!variant->holes)
		EXPECT_GROWN(LE, 1, &self->before, "fault_pmd_mapped");
}

TEST_HARNESS_MAIN
