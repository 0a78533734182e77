// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab status, rescue, knobs: what the module says, and one write to it
 */
#include "command.h"

#include "print.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool find_lab(void)
{
	if (geteuid())
		fprintf(stderr, "daxlab: only root may look into " DEBUGFS "\n");
	else if (access("/sys/module/daxlab", F_OK))
		fprintf(stderr, "daxlab: the module is not loaded\n");
	else if (!lab_present())
		fprintf(stderr, "daxlab: mount -t debugfs none /sys/kernel/debug\n");
	else
		return true;
	return false;
}

static void print_file(const char *path, int columns)
{
	static char text[65536];

	read_text(path, text, sizeof(text));
	print_indented(stdout, text, columns);
}

/* Only what is not sound. */
static void print_variant(const char *dev)
{
	char path[512], text[2048], knob[64], choice[64];
	const char *line = text;

	snprintf(path, sizeof(path), DEBUGFS "/%s/variant", dev);
	read_text(path, text, sizeof(text));
	if (sscanf(line, "profile %63s", choice) == 1)
		printf("mount %s: variant %s\n", dev, choice);
	else
		printf("mount %s\n", dev);
	if (strcmp(choice, "custom"))
		return;
	for (; sscanf(line, "%63s %63s", knob, choice) == 2; line += strcspn(line, "\n") + 1) {
		if (strcmp(knob, "profile"))
			printf("  %s=%s\n", knob, choice);
		if (!line[strcspn(line, "\n")])
			break;
	}
}

/* A folder of debugfs for each mount, beside those of windows and devices. */
static bool is_mount(const struct dirent *dir)
{
	char path[512];

	snprintf(path, sizeof(path), DEBUGFS "/%s/variant", dir->d_name);
	return dir->d_name[0] != '.' && !access(path, F_OK);
}

int command_status(const struct options *options)
{
	struct dirent *entry;
	DIR *dir;

	if (options->argc) {
		fprintf(stderr, "daxlab: status takes no words\n");
		return EX_BAD_USAGE;
	}
	if (!find_lab())
		return EX_CANNOT;
	dir = opendir(DEBUGFS);
	while (dir && (entry = readdir(dir)))
		if (is_mount(entry))
			print_variant(entry->d_name);
	if (dir)
		closedir(dir);
	print_file(DEBUGFS "/entries", 0);
	return EX_EXPECTED;
}

int command_rescue(const struct options *options)
{
	const char *path = DEBUGFS "/rescue";
	char own[PATH_MAX + 64];
	struct place place;
	int err;

	if (!find_lab())
		return EX_CANNOT;
	if (options->mount || options->dev) {
		if (!place_find(&place, options->mount, options->dev))
			return EX_CANNOT;
		snprintf(own, sizeof(own), DEBUGFS "/%s/rescue", place.dev);
		path = own;
	}
	err = write_text(path, "1");
	if (err) {
		fprintf(stderr, "daxlab: %s: %s\n", path, strerror(-err));
		return EX_CANNOT;
	}
	print_file(DEBUGFS "/entries", 0);
	return EX_EXPECTED;
}

int command_knobs(const struct options *options)
{
	if (options->argc) {
		fprintf(stderr, "daxlab: knobs takes no words\n");
		return EX_BAD_USAGE;
	}
	if (!find_lab())
		return EX_CANNOT;
	print_file(DEBUGFS "/knobs", 0);
	return EX_EXPECTED;
}
