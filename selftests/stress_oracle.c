// SPDX-License-Identifier: GPL-2.0
/*
 * Everything at once, with nobody in control but an oracle that knows what each
 * byte must be (lib/oracle.h).
 *
 *  1. Six workers, two of them threads that share all mappings, four processes,
 *     work on one file or on three, through mappings for PMDs and for PTEs.
 *  2. They store, load, write(2), read(2), punch, zero, truncate, sync in all
 *     ways, drop, move and remake their mappings, at random.
 *  3. Whatever is read must be what was written last, or zero after a punch or
 *     a truncation, by whichever way it is read, with or without the page's
 *     token, at once.
 *  4. In the end nobody holds or waits for an entry, and all content is right by
 *     PTEs, by PMDs, by read(2), and once more after umount and mount.
 *
 * A lost wake hangs (the runner tells, with stacks); a stale mapping, entry or
 * block tells itself by the first word that is not what it must be.
 * DAXLAB_SECONDS is how long both variants together may take.
 *
 * daxlab-test: timeout=240 modes="dax pcache" needs=mount
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "oracle.h"

#define THREADS		2	/* workers of the first process */
#define PUNCH		(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO		(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)

enum deed {
	STORE, WRITE, LOAD, READ, PUNCH_PAGES, ZERO_PAGES, HUGE_ANEW, TRUNCATE, PEEK,
	LINE_STORE, LINE_WRITE, LINE_PEEK, DROP, SYNC, REMAP, DEEDS
};

static const char * const deed_names[] = {
	"store", "write", "load", "read", "punch", "zero", "huge", "truncate", "peek",
	"line store", "line write", "line peek", "drop", "sync", "remap",
};

/* How often each is tried, in 64. */
static const unsigned int weight[DEEDS] = {
	8, 6, 8, 4, 2, 1, 2, 2, 8, 6, 4, 4, 4, 3, 2,
};

FIXTURE(stress) {
	int fd[FILES];
	unsigned int files;
	struct oracle *oracle;
	atomic_ulong *done;	/* by deed, over all workers */
	struct dxl_stats before;
};

FIXTURE_VARIANT(stress) {
	unsigned int files;
};

FIXTURE_VARIANT_ADD(stress, one_file) { .files = 1 };
FIXTURE_VARIANT_ADD(stress, three_files) { .files = 3 };

struct worker {
	unsigned int nr, seed;
	bool alone;		/* nobody else uses the mappings */
	char *(*map)[2];	/* of each file: for PMDs, for PTEs */
	char *buf;
	struct _test_data_stress *self;
};

static unsigned int pick(struct worker *me, unsigned int below)
{
	return rand_r(&me->seed) % below;
}

static char *place(struct worker *me, unsigned int file, unsigned int page)
{
	return me->map[file][pick(me, 2)] + page * PAGE;
}

/* Deeds of those who have the tokens of [page, page + nr). */
static bool with_tokens(struct worker *me, enum deed deed, unsigned int file,
			unsigned int page, unsigned int nr)
{
	struct oracle *oracle = me->self->oracle;
	struct file_state *state = &oracle->file[file];
	int fd = me->self->fd[file];
	unsigned int gen, i;
	char *at = place(me, file, page);

	if (!take_tokens(state, page, nr, me->nr))
		return false;
	gen = deed == LOAD || deed == READ ? 0 : new_gen(oracle);
	switch (deed) {
	case STORE:
		for (i = 0; i < nr; i++)
			make_page(at + i * PAGE, gen, file, page + i);
		break;
	case WRITE:
		for (i = 0; i < nr; i++)
			make_page(me->buf + i * PAGE, gen, file, page + i);
		must(pwrite(fd, me->buf, nr * PAGE, page * PAGE) == (ssize_t)(nr * PAGE));
		break;
	case LOAD:
		for (i = 0; i < nr; i++)
			exact_page(oracle, at + i * PAGE, file, page + i, "a mapping");
		break;
	case READ:
		must(pread(fd, me->buf, nr * PAGE, page * PAGE) == (ssize_t)(nr * PAGE));
		for (i = 0; i < nr; i++)
			exact_page(oracle, me->buf + i * PAGE, file, page + i, "read(2)");
		break;
	case TRUNCATE:
		atomic_fetch_add(&state->cuts, 1);
		must(!ftruncate(fd, page * PAGE));
		must(!ftruncate(fd, FILE_SIZE));
		atomic_fetch_add(&state->cuts, 1);
		break;
	default:
		must(!fallocate(fd, deed == ZERO_PAGES ? ZERO : PUNCH, page * PAGE, nr * PAGE));
	}
	if (gen)
		changed(state, page, nr, gen, deed != STORE && deed != WRITE);
	if (deed == HUGE_ANEW) {
		/* Nothing is there now: the first store decides of the size. */
		i = pick(me, nr);
		gen = new_gen(oracle);
		make_page(me->map[file][0] + (page + i) * PAGE, gen, file, page + i);
		changed(state, page + i, 1, gen, false);
	}
	give_tokens(state, page, nr);
	return true;
}

static void peek(struct worker *me, unsigned int file, unsigned int page)
{
	struct file_state *state = &me->self->oracle->file[file];
	unsigned int cuts = atomic_load(&state->cuts), i, word;
	char *at = place(me, file, page);

	if (sigsetjmp(bus_env, 1)) {
		if (page < TAIL_PAGE || (!(cuts & 1) && atomic_load(&state->cuts) == cuts))
			accuse(me->self->oracle, "file %u page %u: SIGBUS", file, page);
		return;
	}
	/* Half of the peeks are faults. */
	if (pick(me, 2))
		must(!madvise(at, PAGE, MADV_DONTNEED));
	for (i = 0; i < 8; i++) {
		word = pick(me, PAGE_LINES) * LINE_WORDS;
		peek_word(me->self->oracle, (uint64_t *)at + word, file, page, word);
	}
}

/* A line of one's own: look, change, look, each by a way of its own. */
static void own_line(struct worker *me, unsigned int file, unsigned int page, bool by_store)
{
	struct oracle *oracle = me->self->oracle;
	atomic_uint *told = &oracle->file[file].line[me->nr][page];
	unsigned int first = me->nr * LINE_WORDS, gen = new_gen(oracle);
	off_t off = page * PAGE + me->nr * LINE;
	char *at = place(me, file, page) + me->nr * LINE;
	int fd = me->self->fd[file];
	uint64_t line[LINE_WORDS];

	exact_words(oracle, at, atomic_load(told), file, page, first, LINE_WORDS, "its owner");
	if (by_store) {
		make_words(at, gen, file, page, first, LINE_WORDS);
	} else {
		make_words(line, gen, file, page, first, LINE_WORDS);
		must(pwrite(fd, line, LINE, off) == LINE);
	}
	atomic_store(told, gen);
	at = place(me, file, page) + me->nr * LINE;
	exact_words(oracle, at, gen, file, page, first, LINE_WORDS, "its owner");
	must(pread(fd, line, LINE, off) == LINE);
	exact_words(oracle, line, gen, file, page, first, LINE_WORDS, "its owner's read(2)");
}

static void sync_somehow(struct worker *me, unsigned int file)
{
	int fd = me->self->fd[file];
	char *map = place(me, file, 0);

	switch (pick(me, 5)) {
	case 0:
		must(!fsync(fd));
		break;
	case 1:
		must(!fdatasync(fd));
		break;
	case 2:
		must(!msync(map, FILE_SIZE, MS_SYNC));
		break;
	case 3:
		must(!syncfs(fd));
		break;
	default:
		must(!msync(map + pick(me, RANGES) * PMD, PMD, MS_SYNC));
	}
}

/* New page tables in the same place, or the old ones in another, of any colour. */
static void remap(struct worker *me, unsigned int file)
{
	char **map = &me->map[file][pick(me, 2)], *to;
	int fd = me->self->fd[file];

	if (me->alone && pick(me, 2)) {
		to = map_skewed(fd, 0, FILE_SIZE, pick(me, 2) * PAGE, RW, MAP_SHARED);
		must(mremap(*map, FILE_SIZE, FILE_SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		*map = to;
	} else {
		must(mmap(*map, FILE_SIZE, RW, MAP_SHARED | MAP_FIXED, fd, 0) == *map);
	}
}

/* A page with a token, mostly one of the few where all the others are, too. */
static unsigned int pick_page(struct worker *me)
{
	if (pick(me, 4))
		return (1 + pick(me, RANGES - 1)) * PMD_PAGES + pick(me, 8);
	return LINE_PAGES + pick(me, PAGES - LINE_PAGES - 64);
}

static bool act(struct worker *me, enum deed deed)
{
	unsigned int file = pick(me, me->self->files);
	unsigned int page = pick_page(me);
	unsigned int line = pick(me, pick(me, 2) ? 4 : LINE_PAGES);

	switch (deed) {
	case STORE ... READ:
		return with_tokens(me, deed, file, page, 1 + pick(me, 8));
	case PUNCH_PAGES:
	case ZERO_PAGES:
		return with_tokens(me, deed, file, page, 1 + pick(me, 64));
	case HUGE_ANEW:
		return with_tokens(me, deed, file, (1 + pick(me, RANGES - 1)) * PMD_PAGES,
				   PMD_PAGES);
	case TRUNCATE:
		page = TAIL_PAGE + pick(me, PMD_PAGES);
		return with_tokens(me, deed, file, page, PAGES - page);
	case PEEK:
		peek(me, file, page);
		break;
	case LINE_STORE:
	case LINE_WRITE:
		own_line(me, file, line, deed == LINE_STORE);
		break;
	case LINE_PEEK:
		page = pick(me, WORKERS * LINE_WORDS);
		peek_line(me->self->oracle, (uint64_t *)place(me, file, line) + page, file,
			  line, page);
		break;
	case DROP:
		must(!dont_need(place(me, file, pick(me, RANGES) * PMD_PAGES),
				pick(me, 2) ? PMD : 16 * PAGE, dxl_page_cache()));
		break;
	case SYNC:
		sync_somehow(me, file);
		break;
	default:
		remap(me, file);
	}
	return true;
}

static void *work(void *arg)
{
	struct worker *me = arg;
	enum deed deed;
	int dice;

	while (!atomic_load(&me->self->oracle->stop)) {
		dice = pick(me, 64);
		for (deed = 0; (dice -= weight[deed]) >= 0; deed++)
			;
		if (act(me, deed))
			atomic_fetch_add(&me->self->done[deed], 1);
	}
	return NULL;
}

/* A process with @nr workers, the first of which has the number @first. */
static void process(FIXTURE_DATA(stress) *self, unsigned int first, unsigned int nr)
{
	struct worker worker[THREADS];
	pthread_t thread[THREADS];
	char *map[FILES][2];
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	catch_bus();
	for (i = 0; i < self->files; i++) {
		map[i][0] = map_pmd(self->fd[i], 0, FILE_SIZE);
		map[i][1] = map_pte(self->fd[i], 0, FILE_SIZE);
	}
	for (i = 0; i < nr; i++) {
		worker[i] = (struct worker){
			.nr = first + i, .seed = 1000 + first + i, .self = self,
			.map = map, .alone = nr == 1, .buf = calloc(8, PAGE),
		};
		must(worker[i].buf);
		must(!pthread_create(&thread[i], NULL, work, &worker[i]));
	}
	for (i = 0; i < nr; i++)
		must(!pthread_join(thread[i], NULL));
	_exit(0);
}

FIXTURE_SETUP(stress)
{
	char name[] = "stress0";
	unsigned int i;

	self->files = variant->files;
	self->oracle = oracle_new();
	self->done = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->done);
	for (i = 0; i < self->files; i++, name[6]++)
		self->fd[i] = hole_file(name, FILE_SIZE);
	dxl_stats(&self->before);
}

FIXTURE_TEARDOWN(stress)
{
}

/* All of a file, by a mapping or, without one, by read(2). */
static void audit(FIXTURE_DATA(stress) *self, unsigned int file, const char *map,
		  const char *how)
{
	struct oracle *oracle = self->oracle;
	unsigned int page, worker, gen;
	char buf[PAGE];
	const char *at;

	for (page = 0; page < PAGES && !atomic_load(&oracle->stop); page++) {
		at = map ? map + page * PAGE : buf;
		if (!map)
			must(pread(self->fd[file], buf, PAGE, page * PAGE) == PAGE);
		if (page >= LINE_PAGES) {
			exact_page(oracle, at, file, page, how);
			continue;
		}
		for (worker = 0; worker < WORKERS; worker++) {
			gen = atomic_load(&oracle->file[file].line[worker][page]);
			exact_words(oracle, at + worker * LINE, gen, file, page,
				    worker * LINE_WORDS, LINE_WORDS, how);
		}
		if (nonzero(at + WORKERS * LINE, PAGE - WORKERS * LINE) >= 0)
			accuse(oracle, "file %u page %u by %s: data where nobody wrote", file,
			       page, how);
	}
}

static void audit_all(FIXTURE_DATA(stress) *self)
{
	char name[] = DXL_MNT "/stress0";
	unsigned int i, skew;
	char *map;

	atomic_store(&self->oracle->stop, false);
	for (i = 0; i < self->files; i++) {
		audit(self, i, NULL, "the last read(2)");
		for (skew = 0; skew < 2; skew++) {
			map = map_skewed(self->fd[i], 0, FILE_SIZE, skew * PAGE, RW, MAP_SHARED);
			audit(self, i, map, skew ? "the last PTEs" : "the last PMDs");
			must(!munmap(map, FILE_SIZE));
		}
		close(self->fd[i]);
	}
	must(!dxl_umount() && !dxl_mount(NULL));
	for (i = 0; i < self->files; i++, name[sizeof(name) - 2]++) {
		must((self->fd[i] = open(name, O_RDWR)) >= 0);
		audit(self, i, NULL, "read(2) after a mount");
		close(self->fd[i]);
		must(!unlink(name));
	}
}

static const char * const crossed[] = {
	"fault_pte_mapped", "fault_pmd_mapped", "fault_pte_hole", "fault_pmd_hole",
	"fault_fallback_conflict", "downgrades", "entries_invalidated", "flushes",
	"grabs_contended", "waits", "wakes_useful",
};

TEST_F_TIMEOUT(stress, oracle, 200)
{
	double seconds = seconds_to_run(30) / 2;
	struct timespec bit = { .tv_nsec = 100000000 };
	time_t end = time(NULL) + (seconds < 1 ? 1 : seconds);
	unsigned int i;
	int status;

	for (i = 0; i < WORKERS; i += i ? 1 : THREADS)
		if (!fork())
			process(self, i, i ? 1 : THREADS);
	while (time(NULL) < end && !atomic_load(&self->oracle->stop))
		nanosleep(&bit, NULL);
	atomic_store(&self->oracle->stop, true);
	while (wait(&status) > 0)
		EXPECT_EQ(0, status);
	for (i = 0; i < DEEDS; i++) {
		EXPECT_LT(0, self->done[i]);
		TH_LOG("%lu %s", self->done[i], deed_names[i]);
	}
	EXPECT_QUIESCENT();
	EXPECT_STREQ("", self->oracle->why);
	for (i = 0; i < ARRAY_SIZE(crossed); i++)
		EXPECT_EQ(!dxl_page_cache(), !!dxl_grown(&self->before, crossed[i]))
			TH_LOG("counter number %u of the list", i);
	EXPECT_EQ(dxl_grown(&self->before, "grabs"),
		  dxl_grown(&self->before, "grabs_uncontended") +
		  dxl_grown(&self->before, "grabs_contended"));
	if (!self->oracle->why[0])
		audit_all(self);
	EXPECT_STREQ("", self->oracle->why);
	EXPECT_QUIESCENT();
}

TEST_HARNESS_MAIN
