/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory that scripts/vm --backing reserves, as pmem.sh has it for shell: nd_pmem
 * shows it as /dev/pmem0 while it is bound.
 */
#ifndef PMEM_H
#define PMEM_H

#include "dax.h"

#define PMEM		"/dev/pmem0"
#define PMEM_NAME	"namespace0.0"
#define ND_PMEM		"/sys/bus/nd/drivers/nd_pmem"

/* "bind" or "unbind": 0 or -errno. */
static inline int pmem_driver(const char *verb)
{
	char path[64];
	int fd, err = 0;

	snprintf(path, sizeof(path), ND_PMEM "/%s", verb);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	must(fd >= 0);
	if (write(fd, PMEM_NAME, strlen(PMEM_NAME)) < 0)
		err = -errno;
	close(fd);
	return err;
}

#endif
