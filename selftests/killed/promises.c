// SPDX-License-Identifier: GPL-2.0
/*
 * promises load DIR LOG - all kinds of lib/promise.h at once, on new files in DIR, until
 * the machine is killed. LOG is on the host, which has a line when the write of it
 * returns: "b KIND SLOT STEP" before each step, "p ..." when it is promised.
 *
 * promises check DIR LOG - what was told there must be there now. Prints one line;
 * the status is 0 if nothing is lost.
 */
#include "promise.h"

static int log_fd;
static off_t log_end;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void tell(char what, const struct worker *worker, unsigned int slot, uint64_t n)
{
	char line[64];
	int len = snprintf(line, sizeof(line), "%c %s %u %lu\n", what, worker->kind->file, slot, n);

	must(!pthread_mutex_lock(&log_lock));
	must(pwrite(log_fd, line, len, log_end) == len);
	log_end += len;
	must(!pthread_mutex_unlock(&log_lock));
}

static void *work(void *arg)
{
	struct worker *worker = arg;
	unsigned int i;

	for (i = 0; i < SLOTS * STEPS; i++) {
		unsigned int slot = i * 5 % SLOTS;
		uint64_t n = ++worker->begun[slot];

		tell('b', worker, slot, n);
		worker->kind->step(worker, slot, n);
		tell('p', worker, slot, n);
	}
	return NULL;
}

static int load_until_killed(const char *dir, const char *log)
{
	unsigned int i;

	must(!mkdir(dir, 0755));
	log_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	must(log_fd >= 0);
	for (i = 0; i < KINDS; i++)
		worker_open(&workers[i], dir);
	for (i = 0; i < KINDS; i++)
		must(!pthread_create(&workers[i].thread, NULL, work, &workers[i]));
	for (i = 0; i < KINDS; i++)
		must(!pthread_join(workers[i].thread, NULL));
	fprintf(stderr, "# nobody killed the machine\n");
	return EXIT_FAILURE;
}

static struct worker *worker_named(const char *file)
{
	unsigned int i;

	for (i = 0; i < KINDS; i++)
		if (!strcmp(kinds[i].file, file))
			return &workers[i];
	return NULL;
}

static int check(const char *dir, const char *log)
{
	unsigned long promises = 0;
	unsigned int slot, i, lost;
	char what, file[16], why[256] = "";
	uint64_t n;
	FILE *in = fopen(log, "r");

	must(in);
	while (fscanf(in, " %c %15s %u %lu", &what, file, &slot, &n) == 4) {
		struct worker *worker = worker_named(file);

		must(worker && slot < SLOTS);
		if (what == 'b')
			worker->begun[slot] = n;
		else
			worker->promised[slot] = n;
		promises += what == 'p';
	}
	fclose(in);
	for (i = 0; i < KINDS; i++)
		worker_name(&workers[i], dir);
	lost = broken_promises(KINDS, why, sizeof(why));
	printf("%lu promises told, %u slots not as promised %s\n", promises, lost, why);
	return lost || !promises;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "load"))
		return load_until_killed(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "check"))
		return check(argv[2], argv[3]);
	fprintf(stderr, "usage: promises load|check DIR LOG\n");
	return 2;
}
