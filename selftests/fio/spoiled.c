// SPDX-License-Identifier: GPL-2.0
/*
 * spoiled FILE SECONDS: use a file on any filesystem in every way, while the
 * device below fails. Ends with 1 at an error that is not EIO.
 */
#include "load.h"

#include <poll.h>

int main(int argc, char **argv)
{
	struct load load = { .page_cache = true };
	int fd;

	if (argc != 3)
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	must(fd >= 0 && !ftruncate(fd, LOAD_SIZE));
	catch_bus();
	load_map(&load, fd);
	load_begin(&load);
	poll(NULL, 0, atoi(argv[2]) * 1000);
	load_end(&load);
	load_unmap(&load);
	return 0;
}
