// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab - plays DAX races of the laboratory, and says what came of them
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int command_list(const struct options *options)
{
	catalog_list(options->json);
	return EX_EXPECTED;
}

static int command_show(const struct options *options)
{
	const struct scenario *picked[64];
	int nr, i;

	if (!options->argc) {
		fprintf(stderr, "daxlab: show wants a SCENARIO (daxlab list)\n");
		return EX_BAD_USAGE;
	}
	nr = pick_scenarios(options, picked, 64);
	for (i = 0; i < nr; i++) {
		if (i)
			putchar('\n');
		catalog_show(picked[i]);
	}
	return nr < 0 ? EX_BAD_USAGE : EX_EXPECTED;
}

static int command_help(const struct options *options);

static const struct {
	const char *name;
	int (*run)(const struct options *options);
	const char *options;	/* letters that it takes */
	const char *usage;
	const char *help;
} commands[] = {
	{ "list", command_list, "j", "list [--json]",
	  "All scenarios: id, name, title." },
	{ "show", command_show, "", "show SCENARIO...",
	  "The story, the roles, the interleaving, the windows in order, what is\n"
	  "expected of each variant, and where it comes from. SCENARIO is an id (A1) or a\n"
	  "name (missed-wakeup-pmd-key)." },
	{ "run", command_run, "jvnVrsmd",
	  "run SCENARIO...|all [--variant V] [--repeat N] [--seed S] [--not-held]\n"
	  "             [--verbose] [--json] [--mount DIR | --dev DEVICE]",
	  "Plays scenarios: in each variant that they speak of, and in the sound one, with\n"
	  "the windows held and not held.\n"
	  "\n"
	  "  --variant V   only this one: a PROFILE, or KNOB=CHOICE,... (daxlab knobs)\n"
	  "  --repeat N    runs of each (default 1)\n"
	  "  --seed S      of random decisions; run n of a series takes S + n (default 1)\n"
	  "  --not-held    hold no window: all deeds at once, whatever comes of it\n"
	  "  --verbose     the kernel's report on the first run that was caught\n"
	  "  --json        for programs\n"
	  "  --mount DIR   a daxlab filesystem that is mounted there (default: any, else\n"
	  "                the module is loaded and /dev/daxlab0 mounted out of sight)\n"
	  "  --dev DEVICE  mount this one\n"
	  "\n"
	  "The last line for each variant:\n"
	  "  ID VARIANT: N runs, N caught, N passed, N inconclusive\n"
	  "Exit status: 0 if every outcome was the expected one, 1 if not, 2 for wrong\n"
	  "usage, 3 if it cannot be done here. ^C rescues, and leaves all as it was found." },
	{ "matrix", command_matrix, "jHVrsmdl",
	  "matrix [SCENARIO...] [--variant V;V;...] [--listed] [--repeat N] [--json |\n"
	  "             --html FILE] [--mount DIR | --dev DEVICE]",
	  "Plays every scenario in every variant that any of them speaks of, and prints\n"
	  "one table of the outcomes.\n"
	  "\n"
	  "  --variant V;V  these variants, instead of all\n"
	  "  --listed       only the cells that the scenario itself speaks of\n"
	  "  --html FILE    as one page that needs nothing else\n"
	  "\n"
	  "Exit status as for run; a cell of which the scenario does not speak has no\n"
	  "expected outcome." },
	{ "bridge", command_bridge, "furmdFvjcpRCw",
	  "bridge SCENARIO [--cure NAME | --unforced | --record SECONDS | --conform] [--report]\n"
	  "             [--fs ext4|xfs] [--repeat N] [--format] [--verbose] [--json]\n"
	  "             [--device DEVICE | --mount DIR] [--without FUNCTION]",
	  "Forces races in the kernel's own fs/dax.c, on a filesystem that it mounts with\n"
	  "dax=always: tasks are parked in the kernel's own functions, nothing of it is\n"
	  "rebuilt. What is expected depends on the kernel: bugs that are open show, and not\n"
	  "in their controls; those that were fixed do not show, though the window is held.\n"
	  "\n"
	  "  open             writeback-skips-locked (B3), towrite-cleared-early (B3b)\n"
	  "  fixed in v6.15   busy-scan-skips-locked (B1)\n"
	  "  fixed long ago   missed-wakeup-pmd-key (A1), wake-one-after-invalidate (A4),\n"
	  "                   write-vs-read-fault (C1), write-vs-pmd-fault (C2),\n"
	  "                   colliding-pmd-pte (C6)\n"
	  "\n"
	  "  --cure NAME      with what a wrapper can do about B3 and B3b: reset, reset_wait\n"
	  "  --unforced       B3 from user space only: no module, no tracing, nothing forced.\n"
	  "                   selftests/tool/skipped_sync.c is all of it\n"
	  "  --record SECONDS B3 under loads that resemble applications: how many syncs\n"
	  "                   returned over an unflushed entry, how wide the windows are, and\n"
	  "                   what looking costs. Nobody is parked\n"
	  "  --conform        the order of windows on this filesystem and on ours, in the variant\n"
	  "                   of upstream, for the steps of B3; differences with their reasons\n"
	  "  --report         B3 as plain text, fit to send: steps, evidence, rates, cures.\n"
	  "                   Plays all of the above; --record SECONDS: for how long (30)\n"
	  "  --fs FS          ext4 (default) or xfs\n"
	  "  --device DEVICE  on this one (default /dev/pmem0), which must hold FS or be blank\n"
	  "  --format         make a new FS on it, whatever it holds\n"
	  "  --mount DIR      on what is mounted there, instead\n"
	  "  --repeat N       runs of each (default 1); unforced: syncs (default 10000)\n"
	  "  --verbose        who did what, a column per role, and the evidence, of the first\n"
	  "                   run that was caught\n"
	  "  --json           for programs; of runs only\n"
	  "  --without FUNCTION\n"
	  "                   as on a kernel where this function cannot be hooked: what needs\n"
	  "                   it is skipped\n"
	  "\n"
	  "Exit status: 0 if all is as expected; 1 if not so; 2 for wrong usage, 3 if it\n"
	  "cannot be done here; 4 if something was skipped for what this kernel lacks, such\n"
	  "as a function to hook, and it is said what." },
	{ "status", command_status, "", "status",
	  "What is loaded and mounted, in which variant, and who holds or waits for what." },
	{ "rescue", command_rescue, "md", "rescue [--mount DIR]",
	  "Ends every hang that a variant or a window made: tasks get SIGBUS or EIO." },
	{ "knobs", command_knobs, "", "knobs",
	  "All knobs with their choices, and the profiles, as the loaded module has them." },
	{ "fsck", command_fsck, "", "fsck DEVICE",
	  "Looks at the daxlab filesystem on a device, or in a file, that is not mounted:\n"
	  "superblock, records, directories, block maps, blocks that are used twice. It\n"
	  "only reads. \"damage\" is what no power cut explains; \"power cut\" is what the\n"
	  "next writable mount puts right, and no error.\n"
	  "\n"
	  "Exit status as fsck(8): 0 clean, 4 errors left, 8 it cannot be checked." },
	{ "help", command_help, "", "help [COMMAND]", "This." },
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static int find_command(const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return i;
	fprintf(stderr, "daxlab: no command '%s' (daxlab help)\n", name);
	return -1;
}

static void usage(FILE *out)
{
	unsigned int i;

	fprintf(out, "daxlab plays DAX locking races in the laboratory of its kernel module.\n\n");
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  daxlab %s\n", commands[i].usage);
	fprintf(out, "\ndaxlab help COMMAND tells more.\n");
}

static int help_of(int command)
{
	printf("daxlab %s\n\n%s\n", commands[command].usage, commands[command].help);
	return EX_EXPECTED;
}

static int command_help(const struct options *options)
{
	int i;

	if (!options->argc) {
		usage(stdout);
		return EX_EXPECTED;
	}
	i = find_command(options->argv[0]);
	return i < 0 ? EX_BAD_USAGE : help_of(i);
}

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "not-held", no_argument, NULL, 'n' },
	{ "listed", no_argument, NULL, 'l' },
	{ "html", required_argument, NULL, 'H' },
	{ "variant", required_argument, NULL, 'V' },
	{ "repeat", required_argument, NULL, 'r' },
	{ "seed", required_argument, NULL, 's' },
	{ "mount", required_argument, NULL, 'm' },
	{ "dev", required_argument, NULL, 'd' },
	{ "device", required_argument, NULL, 'd' },
	{ "fs", required_argument, NULL, 'f' },
	{ "format", no_argument, NULL, 'F' },
	{ "unforced", no_argument, NULL, 'u' },
	{ "cure", required_argument, NULL, 'c' },
	{ "without", required_argument, NULL, 'w' },
	{ "record", required_argument, NULL, 'R' },
	{ "report", no_argument, NULL, 'p' },
	{ "conform", no_argument, NULL, 'C' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static bool number(const char *text, unsigned long long least, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (!errno && *text >= '0' && *text <= '9' && !*end && *value >= least)
		return true;
	fprintf(stderr, "daxlab: '%s' is no number from %llu on\n", text, least);
	return false;
}

static bool take_option(struct options *options, int letter, char *argument)
{
	unsigned long long value;

	switch (letter) {
	case 'j':
		options->json = true;
		return true;
	case 'v':
		options->verbose = true;
		return true;
	case 'n':
		options->not_held = true;
		return true;
	case 'l':
		options->listed = true;
		return true;
	case 'H':
		options->html = argument;
		return true;
	case 'V':
		options->variant = argument;
		return true;
	case 'm':
		options->mount = argument;
		return true;
	case 'd':
		options->dev = argument;
		return true;
	case 'f':
		options->fs = argument;
		return true;
	case 'F':
		options->format = true;
		return true;
	case 'u':
		options->unforced = true;
		return true;
	case 'c':
		options->cure = argument;
		return true;
	case 'w':
		options->without = argument;
		return true;
	case 'C':
		options->conform = true;
		return true;
	case 'p':
		options->report = true;
		return true;
	case 'R':
		if (!number(argument, 1, &value))
			return false;
		options->record = value;
		return true;
	case 's':
		return number(argument, 0, &options->seed);
	case 'r':
		if (!number(argument, 1, &value))
			return false;
		options->repeat = value;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = 1 };
	int command, letter;

	if (argc < 2) {
		usage(stderr);
		return EX_BAD_USAGE;
	}
	if (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help")) {
		usage(stdout);
		return EX_EXPECTED;
	}
	command = find_command(argv[1]);
	if (command < 0)
		return EX_BAD_USAGE;
	argv[1] = "daxlab";
	while ((letter = getopt_long(argc - 1, argv + 1, "h", long_options, NULL)) != -1) {
		if (letter == 'h')
			return help_of(command);
		if (letter == '?')
			return EX_BAD_USAGE;
		if (!strchr(commands[command].options, letter)) {
			fprintf(stderr, "daxlab: %s does not take that option (daxlab help %s)\n",
				commands[command].name, commands[command].name);
			return EX_BAD_USAGE;
		}
		if (!take_option(&options, letter, optarg))
			return EX_BAD_USAGE;
	}
	options.argc = argc - 1 - optind;
	options.argv = argv + 1 + optind;
	return commands[command].run(&options);
}
