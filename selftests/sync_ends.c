// SPDX-License-Identifier: GPL-2.0
/*
 * A sync ends, whatever others sync meanwhile: it goes over its range once, and what
 * becomes the work of another sync behind it is not its own.
 *
 *  1. Pages are stored to, one more than a sync takes at a time. A sync of them all
 *     is held with the last one locked.
 *  2. The first, which is clean, is stored to again; a sync of this page alone is
 *     held with it on its work list.
 *  3. The first sync goes on. It has written each page once. The second one then
 *     writes its page.
 *
 * Broken: the first sync looks at its whole range again after each batch. It writes the
 * page of the second one, and would again as often as another is stored and synced:
 * with a task that stores and one that syncs it need not end.
 *
 * daxlab-test: timeout=60 needs=mount
 */
#include "session.h"
#include "verdict.h"

#define BATCH	24
#define SIZE	((BATCH + 1) * PAGE)

FIXTURE(ends) {
	int session, fd;
	char *map;
};

FIXTURE_SETUP(ends)
{
	self->fd = hole_file("file", SIZE);
	self->map = map_pte(self->fd, 0, SIZE);
	self->session = session_open();
	ASSERT_EQ(0, say(self->session, "bind daxlab0"));
}

FIXTURE_TEARDOWN(ends)
{
	close(self->session);
	munmap(self->map, SIZE);
	close(self->fd);
	EXPECT_QUIESCENT();
}

static void sync_all(void *fd)
{
	must(!fsync(*(int *)fd));
}

static void sync_page(void *page)
{
	must(!msync(page, PAGE, MS_SYNC));
}

static void end(struct __test_metadata *_metadata, FIXTURE_DATA(ends) *self)
{
	struct role all = role_start(self->session, "whole", sync_all, &self->fd);
	struct role one = role_start(self->session, "one", sync_page, self->map);
	struct dxl_stats before;
	unsigned int i;

	ASSERT_EQ(0, say(self->session, "arm writeback.after_lock park(60000){role=whole,index=%u}",
			 BATCH));
	ASSERT_EQ(0, say(self->session, "arm writeback.after_tag park(60000){role=one}"));
	for (i = 0; i <= BATCH; i++)
		store(self->map + i * PAGE, 'a');
	dxl_stats(&before);
	role_go(&all);
	ASSERT_EQ(0, say(self->session, "wait whole parked:writeback.after_lock"));
	store(self->map, 'b');
	role_go(&one);
	ASSERT_EQ(0, say(self->session, "wait one parked:writeback.after_tag"));
	EXPECT_EQ(0, say(self->session, "release whole"));
	EXPECT_EQ(0, say(self->session, "wait whole idle"));
	EXPECT_GROWN(EQ, BATCH + 1, &before, "entries_written");
	EXPECT_EQ(0, say(self->session, "release one"));
	EXPECT_EQ(0, say(self->session, "wait one idle"));
	EXPECT_GROWN(EQ, BATCH + 2, &before, "entries_written");
	EXPECT_EQ(0, role_join(&all));
	EXPECT_EQ(0, role_join(&one));
}

TEST_F(ends, while_another_syncs)
{
	end(_metadata, self);
}

/* A protocol that is sound as well goes another way. */
TEST_F(ends, in_a_variant)
{
	put_text(SBID "/variant", "towrite=wait_locked");
	end(_metadata, self);
	put_text(SBID "/variant", "sound");
}

TEST_HARNESS_MAIN
