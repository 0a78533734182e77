// SPDX-License-Identifier: GPL-2.0
/*
 * Oracles: what they say of a hang, of a stale mapping and of a deadlock that are
 * forced; and that they say nothing while everything is sound.
 *
 *  1. The hang of 2019: a PTE fault is parked with its entry locked, a PMD fault
 *     sleeps on its own key, the PTE fault goes on. The verdict names entry,
 *     waiter, keys and cause, whoever waits behind (mmap_lock) is in the chain,
 *     and how long it took is told. A rescue ends it: SIGBUS, and the mount and
 *     the module can go. So does closing the session, also while the PTE fault is
 *     held and the hang still to come; and one rescue is enough for who is held
 *     right before he would look for that entry.
 *  2. The same steps on a sound mount: no verdict, nobody sleeps.
 *  3. A read fault that saw a hole before write(2) filled it maps zeroes: stale
 *     mapping, stale entry. Sound: none.
 *  4. A write(2) that keeps its transaction while it copies, and a fault that
 *     wants one under the entry lock: the cycle is told; a rescue ends it.
 *  5. With the oracles on and nobody asked: what was seen is kept until reset,
 *     also after a rescue.
 *
 * Broken: a verdict without a bug, a bug without a verdict or with another cause,
 * JSON that cannot be read, a hang that a rescue does not end.
 *
 * daxlab-test: timeout=300 needs=module args="size=64M"
 */
#include <pthread.h>

#include "session.h"
#include "verdict.h"

#define SIZE	(2 * PMD)
#define OLD	"wait_key=searcher,order_rule=wait_own"
#define SLOW_OWNER "arm fault.before_unlock 1*delay(1000000){role=writer}"

FIXTURE(lab) {
	int session;
	int fd;
	char *pmds, *ptes;
};

FIXTURE_SETUP(lab)
{
}

static void lab_start(FIXTURE_DATA(lab) *self, const char *options)
{
	must(!dxl_mount_fresh(options));
	self->fd = hole_file("file", SIZE);
	self->pmds = map_pmd(self->fd, 0, SIZE);
	self->ptes = map_pte(self->fd, 0, SIZE);
	self->session = session_open();
	must(!say(self->session, "bind daxlab0"));
	catch_bus();
}

static void lab_end(FIXTURE_DATA(lab) *self)
{
	close(self->session);
	munmap(self->pmds, SIZE);
	munmap(self->ptes, SIZE);
	close(self->fd);
}

FIXTURE_TEARDOWN(lab)
{
	EXPECT_EQ(0, dxl_umount());
}

static void store_deed(void *page)
{
	store(page, 's');
}

/* Dies of SIGBUS once, if it is rescued; then the process goes on. */
static void load_deed(void *page)
{
	load_dies(page);
}

static char *report(int session)
{
	static char text[REPORT];

	return text_of(session, text);
}

static unsigned long ino_of(int fd)
{
	struct stat st;

	must(!fstat(fd, &st));
	return st.st_ino;
}

/* No line of the listing is wider than a mail. */
static bool narrow(const char *text)
{
	const char *listing = strstr(text, "  latency: ");
	const char *end;

	for (; listing && *listing; listing = end + !!*end) {
		end = strchrnul(listing, '\n');
		if (end - listing > 100)
			return false;
	}
	return listing;
}

/* A role's process with a second thread, which wants mmap_lock for writing. */
struct both {
	int session;
	char *page;
	int go[2];
};

static void *map_more(void *arg)
{
	struct both *both = arg;
	void *more;
	char c;

	must(!say(both->session, "role mapper"));
	must(write(both->go[1], "r", 1) == 1);
	must(read(both->go[1], &c, 1) == 1);
	must(!say(both->session, "begin"));
	must(write(both->go[1], "b", 1) == 1);
	more = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(more != MAP_FAILED);
	say(both->session, "end");
	return NULL;
}

static void load_and_map(void *arg)
{
	struct both *both = arg;
	pthread_t thread;

	must(!pthread_create(&thread, NULL, map_more, both));
	load_dies(both->page);
	pthread_join(thread, NULL);
}

/* The steps of 2019. Return: whether the reader sleeps in the end. */
static bool force_2019(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
		       struct role *writer, struct role *reader)
{
	ASSERT_EQ(0, say(self->session, "arm fault.after_grab 1*park(60000){role=writer}"));
	ASSERT_EQ(0, say(self->session, "mark"));
	role_go(writer);
	ASSERT_EQ(0, say(self->session, "wait writer parked:fault.after_grab"));
	role_go(reader);
	ASSERT_EQ(0, say(self->session, "wait reader still"));
	return !say(self->session, "wait reader asleep 0");
}

TEST_F(lab, lost_wakeup)
{
	struct role writer, reader;
	struct both both;
	char *text, c;

	lab_start(self, OLD);
	both = (struct both) { .session = self->session, .page = self->pmds };
	must(!socketpair(AF_UNIX, SOCK_STREAM, 0, both.go));
	writer = role_start(self->session, "writer", store_deed, self->ptes + PAGE);
	reader = role_start(self->session, "reader", load_and_map, &both);
	EXPECT_TRUE(force_2019(_metadata, self, &writer, &reader));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	must(read(both.go[0], &c, 1) == 1 && write(both.go[0], "g", 1) == 1);
	must(read(both.go[0], &c, 1) == 1);
	EXPECT_EQ(0, say(self->session, "wait mapper blocked"));

	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait all still"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	text = report(self->session);
	show(strstr(text, "\nverdict ") + 1);
	EXPECT_TRUE(told(self->session, "verdict lost-wakeup key-mismatch lost wakeup: entry 0x1 (PTE) of ino %lu is unlocked; waiter reader/%d sleeps on key 0x0 since ",
			 ino_of(self->fd), reader.pid));
	EXPECT_NE(NULL, strstr(text, " ms; the last wake was for key 0x1: key mismatch\n"));
	EXPECT_TRUE(told(self->session, "  locked entries: 0\n"));
	EXPECT_TRUE(told(self->session, "  wait entries: 1\n"));
	EXPECT_TRUE(told(self->session, "  waiter: reader/%d on key 0x0 ", reader.pid));
	EXPECT_TRUE(told(self->session, "  chain: mapper/"));
	EXPECT_NE(NULL, strstr(text, " -> mmap_lock -> reader/"));
	EXPECT_NE(NULL, strstr(text, " -> entry 0x1 -> nobody\n"));
	EXPECT_TRUE(told(self->session, "  latency: "));
	EXPECT_NE(NULL, strstr(text, "wakes key 0x1: 0 woken"));
	EXPECT_NE(NULL, strstr(text, "- never woken"));
	EXPECT_TRUE(narrow(text));
	EXPECT_EQ(NULL, strstr(strstr(text, "\nverdict ") + 1, "\nverdict "));
	EXPECT_NE(NULL, strstr(slurp(SBID "/verdict"), "verdict lost-wakeup key-mismatch "));
	EXPECT_NE(NULL, strstr(slurp(DXL_DEBUGFS "/verdict"), "verdict lost-wakeup key-mismatch "));
	EXPECT_NE(NULL, strstr(slurp(SBID "/trace"), " sleep ino "));
	EXPECT_TRUE(json_ok());

	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "mark"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	EXPECT_QUIESCENT();
	EXPECT_EQ(0, role_join(&writer));
	EXPECT_EQ(0, role_join(&reader));
	lab_end(self);
}

static void old_start(FIXTURE_DATA(lab) *self, struct role *writer, struct role *reader)
{
	lab_start(self, OLD);
	*writer = role_start(self->session, "writer", store_deed, self->ptes + PAGE);
	*reader = role_start(self->session, "reader", load_deed, self->pmds);
}

/* The hang of 2019, proven or not. */
static void hang(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
		 struct role *writer, struct role *reader)
{
	old_start(self, writer, reader);
	EXPECT_TRUE(force_2019(_metadata, self, writer, reader));
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait all still"));
	EXPECT_EQ(0, say(self->session, "wait reader asleep 0"));
}

static void rescue_by(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
		      const char *file)
{
	struct role writer, reader;

	hang(_metadata, self, &writer, &reader);
	put_text(file, "1");
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_QUIESCENT();
	EXPECT_EQ(0, role_join(&writer));
	EXPECT_EQ(0, role_join(&reader));
	lab_end(self);
}

TEST_F(lab, rescued_by_file)
{
	rescue_by(_metadata, self, SBID "/rescue");
}

TEST_F(lab, rescued_by_file_for_all)
{
	rescue_by(_metadata, self, DXL_DEBUGFS "/rescue");
}

/*
 * One rescue, for the owner of an entry and for who is on his way to wait for it.
 * The owner takes his time: were there a wait, it would be the one of 2019.
 */
static void rescued_on_the_way(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
			       const char *action)
{
	struct role writer, reader;
	struct dxl_stats before;
	char fired[64];

	snprintf(fired, sizeof(fired), " fired 1 rule 1*%s{role=reader}\n", action);
	old_start(self, &writer, &reader);
	ASSERT_EQ(0, say(self->session, "arm fault.after_grab 1*park(60000){role=writer}"));
	ASSERT_EQ(0, say(self->session, SLOW_OWNER));
	ASSERT_EQ(0, say(self->session, "arm fault.before_grab 1*%s{role=reader}", action));
	dxl_stats(&before);
	role_go(&writer);
	ASSERT_EQ(0, say(self->session, "wait writer parked:fault.after_grab"));
	role_go(&reader);
	while (!reports(self->session, fired))
		sched_yield();
	put_text(SBID "/rescue", "1");
	EXPECT_EQ(0, say(self->session, "wait all idle")) {
		put_text(SBID "/rescue", "1");
	}
	EXPECT_GROWN(EQ, 1, &before, "fault_sigbus");
	EXPECT_QUIESCENT();
	EXPECT_EQ(0, role_join(&writer));
	EXPECT_EQ(0, role_join(&reader));
	lab_end(self);
}

TEST_F(lab, rescued_on_the_way_parked)
{
	rescued_on_the_way(_metadata, self, "park(60000)");
}

TEST_F(lab, rescued_on_the_way_delayed)
{
	rescued_on_the_way(_metadata, self, "delay(800000)");
}

/* Who opened the session is gone: nobody is left to ask. */
static void rescued_by_exit(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
			    bool held, bool released)
{
	struct role writer, reader;
	int status;
	pid_t pid;

	must(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid = fork();
	must(pid >= 0);
	if (!pid) {
		if (held) {
			old_start(self, &writer, &reader);
			must(!say(self->session, SLOW_OWNER));
			EXPECT_TRUE(force_2019(_metadata, self, &writer, &reader));
			if (released)
				EXPECT_EQ(0, say(self->session, "release writer"));
		} else {
			hang(_metadata, self, &writer, &reader);
		}
		_exit(_metadata->passed ? 0 : 1);
	}
	must(waitpid(pid, &status, 0) == pid);
	EXPECT_EQ(0, status);
	while (waitpid(-1, &status, 0) > 0)
		EXPECT_EQ(0, status);
	EXPECT_QUIESCENT();
}

TEST_F(lab, rescued_by_exit)
{
	rescued_by_exit(_metadata, self, false, true);
}

/* The hang is to come yet: the owner is parked, and will wake nobody. */
TEST_F(lab, rescued_by_exit_with_the_owner_parked)
{
	rescued_by_exit(_metadata, self, true, false);
}

/* Likewise, and he is on his way. */
TEST_F(lab, rescued_by_exit_with_the_owner_delayed)
{
	rescued_by_exit(_metadata, self, true, true);
}

TEST_F(lab, sound_2019)
{
	struct role writer, reader;

	lab_start(self, NULL);
	writer = role_start(self->session, "writer", store_deed, self->ptes + PAGE);
	reader = role_start(self->session, "reader", load_deed, self->pmds);
	EXPECT_FALSE(force_2019(_metadata, self, &writer, &reader));
	EXPECT_EQ(0, say(self->session, "release writer"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	EXPECT_TRUE(json_ok());
	EXPECT_EQ(0, role_join(&writer));
	EXPECT_EQ(0, role_join(&reader));
	lab_end(self);
}

struct writer {
	int fd;
	const char *from;
	off_t to;
};

static void write_deed(void *arg)
{
	const struct writer *writer = arg;

	if (pwrite(writer->fd, writer->from, PAGE, writer->to) != PAGE)
		printf("# write: %s\n", strerror(errno));
}

static void write_meets_hole(struct __test_metadata *_metadata, FIXTURE_DATA(lab) *self,
			     const char *options)
{
	static char data[PAGE] = "data";
	struct role reader, writer;
	struct writer args;

	lab_start(self, options);
	args = (struct writer) { .fd = self->fd, .from = data, .to = 7 * PAGE };
	reader = role_start(self->session, "reader", load_deed, self->ptes + 7 * PAGE);
	writer = role_start(self->session, "writer", write_deed, &args);
	ASSERT_EQ(0, say(self->session, "arm fault.after_iomap_begin 1*park(60000){role=reader}"));
	role_go(&reader);
	ASSERT_EQ(0, say(self->session, "wait reader parked"));
	role_go(&writer);
	ASSERT_EQ(0, say(self->session, "wait writer still"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	ASSERT_EQ(0, say(self->session, "release reader"));
	ASSERT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	show(strstr(report(self->session), "\nverdict ") + 1);
	EXPECT_EQ(0, role_join(&reader));
	EXPECT_EQ(0, role_join(&writer));
}

TEST_F(lab, stale_mapping)
{
	write_meets_hole(_metadata, self, "map_order=before");
	EXPECT_TRUE(told(self->session, "verdict stale-mapping - stale-mapping: page 0x7 of ino %lu: the page table (PTE) has zeroes, the block map a written block; a ZERO entry is there\n",
			 ino_of(self->fd)));
	EXPECT_TRUE(told(self->session, "verdict stale-entry - stale-entry: page 0x7 of ino %lu: the entry (PTE) stands for zeroes",
			 ino_of(self->fd)));
	EXPECT_TRUE(json_ok());
	EXPECT_FALSE(verdict_none());
	lab_end(self);
}

TEST_F(lab, sound_mapping)
{
	write_meets_hole(_metadata, self, NULL);
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	EXPECT_TRUE(verdict_none());
	lab_end(self);
}

static void store_deed_dies(void *page)
{
	store_dies(page, 's');
}

/* The cycle of 2016: a fault on the buffer of a write that keeps its handle. */
TEST_F(lab, deadlock)
{
	struct role faulter, writer;
	struct writer args;
	char *text;

	lab_start(self, "txn=kept");
	args = (struct writer) { .fd = self->fd, .from = self->ptes + 5 * PAGE, .to = 9 * PAGE };
	faulter = role_start(self->session, "faulter", store_deed_dies, self->ptes + 5 * PAGE);
	writer = role_start(self->session, "writer", write_deed, &args);
	ASSERT_EQ(0, say(self->session, "arm fault.after_grab 1*park(60000){role=faulter}"));
	role_go(&faulter);
	ASSERT_EQ(0, say(self->session, "wait faulter parked"));
	role_go(&writer);
	ASSERT_EQ(0, say(self->session, "wait writer asleep"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	EXPECT_TRUE(told(self->session, "verdict none\n"));
	ASSERT_EQ(0, say(self->session, "release faulter"));
	ASSERT_EQ(0, say(self->session, "wait all still"));
	EXPECT_EQ(0, say(self->session, "verdict"));
	text = report(self->session);
	show(strstr(text, "\nverdict ") + 1);
	EXPECT_TRUE(told(self->session, "verdict deadlock - deadlock: "));
	EXPECT_NE(NULL, strstr(text, " -> entry 0x5 -> faulter/"));
	EXPECT_NE(NULL, strstr(text, " -> txn -> writer/"));
	EXPECT_EQ(0, say(self->session, "rescue"));
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_QUIESCENT();
	EXPECT_EQ(0, role_join(&faulter));
	EXPECT_EQ(0, role_join(&writer));
	lab_end(self);
}

/* What was seen with nobody in control is kept, also after it was rescued. */
TEST_F(lab, free_and_lost)
{
	struct role writer, reader;

	put_text(DXL_DEBUGFS "/oracles", "1");
	hang(_metadata, self, &writer, &reader);
	put_text(SBID "/rescue", "1");
	EXPECT_EQ(0, say(self->session, "wait all idle"));
	EXPECT_NE(NULL, strstr(slurp(SBID "/verdict"), "verdict lost-wakeup key-mismatch "));
	put_text(DXL_DEBUGFS "/reset", "1");
	EXPECT_TRUE(verdict_none());
	put_text(DXL_DEBUGFS "/oracles", "0");
	EXPECT_EQ(0, role_join(&writer));
	EXPECT_EQ(0, role_join(&reader));
	lab_end(self);
}

TEST_HARNESS_MAIN
