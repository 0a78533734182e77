/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every byte of some files must be, while many threads change them.
 *
 * A word (8 bytes) of a file is zero, or says which one it is and in which
 * generation it was written. Generations grow for ever, over all files. Pages
 * have a word at the start of each line of 64 bytes, which is what caches move.
 *
 * PAGES	who wants to change a page, or to know its content exactly, takes
 *		its token. The state of the page then says what each word is: of
 *		generation @gen, or zero if that is 0. Whoever changes the page
 *		raises @floor before it gives back the token.
 * PEEKS	who has no token may look as well. If the page was free before and
 *		after, with one floor, its content must be exact; else each word
 *		is zero, or valid and not older than the floor before.
 * LINES	pages where each worker owns one line of 64 bytes for ever: stores,
 *		writes and flushes of many meet in one page, and each owner knows
 *		what its own line is.
 *
 * So stale, torn, displaced and foreign data are all seen. All of this lies in
 * memory that the workers, threads of several processes, share.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdarg.h>
#include <stdatomic.h>

#include "dax.h"

#define LINE		64UL
#define LINE_WORDS	(LINE / 8)
#define PAGE_LINES	(PAGE / LINE)

#define FILES		3
#define RANGES		4		/* of 2 MiB, in each file */
#define PAGES		(RANGES * PMD_PAGES)
#define FILE_SIZE	(RANGES * PMD)
#define LINE_PAGES	PMD_PAGES	/* the first range; the others have tokens */
#define TAIL_PAGE	((RANGES - 1) * PMD_PAGES)	/* the last one is truncated */
#define WORKERS		6

struct page_state {
	atomic_uint token;	/* 0, or the worker's number + 1 */
	atomic_uint floor;
	atomic_uint gen;	/* of all words; 0: zeroes */
};

struct oracle {
	atomic_uint next_gen;
	atomic_bool stop;
	atomic_flag failed;
	char why[256];		/* written by who set @failed */
	struct file_state {
		struct page_state page[PAGES];
		atomic_uint cuts;	/* odd while the file may be short */
		atomic_uint line[WORKERS][LINE_PAGES];	/* generation */
	} file[FILES];
};

static inline struct oracle *oracle_new(void)
{
	struct oracle *oracle = mmap(NULL, sizeof(*oracle), RW, MAP_SHARED | MAP_ANONYMOUS,
				     -1, 0);

	must(oracle != MAP_FAILED);
	return oracle;
}

static inline uint64_t word_of(unsigned int gen, unsigned int file, unsigned int page,
			       unsigned int word)
{
	uint64_t id = (uint64_t)gen << 40 | (uint64_t)file << 36 |
		      (uint64_t)page << 20 | (uint64_t)word << 11;

	return id | ((id >> 11) * 0x9e3779b97f4a7c15ULL >> 53);
}

static inline unsigned int word_gen(uint64_t word)
{
	return word >> 40;
}

/* The first failure is the one that is told. */
__attribute__((format(printf, 2, 3)))
static inline void accuse(struct oracle *oracle, const char *format, ...)
{
	va_list args;

	if (!atomic_flag_test_and_set(&oracle->failed)) {
		va_start(args, format);
		vsnprintf(oracle->why, sizeof(oracle->why), format, args);
		va_end(args);
	}
	atomic_store(&oracle->stop, true);
}

static inline unsigned int new_gen(struct oracle *oracle)
{
	return atomic_fetch_add(&oracle->next_gen, 1) + 1;
}

/* All tokens of [page, page + nr), or none. */
static inline bool take_tokens(struct file_state *file, unsigned int page, unsigned int nr,
			       unsigned int worker)
{
	unsigned int i, none;

	for (i = 0; i < nr; i++) {
		none = 0;
		if (!atomic_compare_exchange_strong(&file->page[page + i].token, &none,
						    worker + 1))
			break;
	}
	if (i == nr)
		return true;
	while (i--)
		atomic_store(&file->page[page + i].token, 0);
	return false;
}

static inline void give_tokens(struct file_state *file, unsigned int page, unsigned int nr)
{
	while (nr--)
		atomic_store(&file->page[page + nr].token, 0);
}

/* The pages were written in a new generation, or, with @zero, became zeroes. */
static inline void changed(struct file_state *file, unsigned int page, unsigned int nr,
			   unsigned int gen, bool zero)
{
	for (; nr--; page++) {
		atomic_store(&file->page[page].gen, zero ? 0 : gen);
		atomic_store(&file->page[page].floor, gen);
	}
}

static inline void make_words(void *at, unsigned int gen, unsigned int file,
			      unsigned int page, unsigned int first, unsigned int nr)
{
	volatile uint64_t *word = at;
	unsigned int i;

	for (i = 0; i < nr; i++)
		word[i] = word_of(gen, file, page, first + i);
}

/* Words that must be of @gen; tells @how they were read if they are not. */
static inline bool exact_words(struct oracle *oracle, const void *at, unsigned int gen,
			       unsigned int file, unsigned int page, unsigned int first,
			       unsigned int nr, const char *how)
{
	const volatile uint64_t *word = at;
	uint64_t seen, want;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		want = gen ? word_of(gen, file, page, first + i) : 0;
		seen = word[i];
		if (seen == want)
			continue;
		accuse(oracle, "file %u page %u word %u by %s: 0x%lx, not 0x%lx, generation %u",
		       file, page, first + i, how, seen, want, gen);
		return false;
	}
	return true;
}

static inline void make_page(char *at, unsigned int gen, unsigned int file,
			     unsigned int page)
{
	unsigned int i;

	for (i = 0; i < PAGE_LINES; i++)
		make_words(at + i * LINE, gen, file, page, i * LINE_WORDS, 1);
}

static inline bool exact_page(struct oracle *oracle, const char *at, unsigned int file,
			      unsigned int page, const char *how)
{
	unsigned int gen = atomic_load(&oracle->file[file].page[page].gen), i;

	for (i = 0; i < PAGE_LINES; i++)
		if (!exact_words(oracle, at + i * LINE, gen, file, page, i * LINE_WORDS, 1, how))
			return false;
	return true;
}

/* Look at one word without a token. */
static inline void peek_word(struct oracle *oracle, const volatile uint64_t *at,
			     unsigned int file, unsigned int page, unsigned int word)
{
	struct page_state *state = &oracle->file[file].page[page];
	unsigned int token = atomic_load(&state->token);
	unsigned int floor = atomic_load(&state->floor);
	unsigned int gen = atomic_load(&state->gen);
	uint64_t seen = *at;

	atomic_thread_fence(memory_order_seq_cst);
	if (!token && !atomic_load(&state->token) && atomic_load(&state->floor) == floor) {
		exact_words(oracle, &seen, gen, file, page, word, 1, "a peek");
		return;
	}
	if (!seen)
		return;
	if (seen != word_of(word_gen(seen), file, page, word) || word_gen(seen) < floor)
		accuse(oracle, "file %u page %u word %u by a peek: 0x%lx with floor %u",
		       file, page, word, seen, floor);
}

/* A word in the line of somebody else: not older than what its owner has told. */
static inline void peek_line(struct oracle *oracle, const volatile uint64_t *at,
			     unsigned int file, unsigned int page, unsigned int word)
{
	unsigned int owner = word / LINE_WORDS;
	unsigned int floor = atomic_load(&oracle->file[file].line[owner][page]);
	uint64_t seen = *at;

	if (seen ? seen != word_of(word_gen(seen), file, page, word) || word_gen(seen) < floor :
		   floor)
		accuse(oracle, "file %u page %u line of %u by a peek: 0x%lx with floor %u",
		       file, page, owner, seen, floor);
}

#endif /* ORACLE_H */
