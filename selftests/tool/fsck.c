// SPDX-License-Identifier: GPL-2.0
/*
 * daxlab fsck: look at the filesystem on a device, and change nothing
 */
#include "command.h"

#include "../lib/fsck.h"

int command_fsck(const struct options *options)
{
	struct fsck_report report;
	int status;

	if (options->argc != 1) {
		fprintf(stderr, "daxlab: fsck wants one DEVICE\n");
		return FSCK_CANNOT;
	}
	status = fsck_check(options->argv[0], stdout, &report);
	if (status == FSCK_CANNOT) {
		printf("%s: cannot be checked\n", options->argv[0]);
		return status;
	}
	printf("%s: %s: %lu inodes, %lu blocks, errors %u, for the next mount to repair %u, torn slots %u\n",
	       options->argv[0], status ? "damaged" : "clean", report.inodes, report.blocks,
	       report.errors, report.repairs, report.torn);
	return status;
}
