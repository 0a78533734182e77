/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads on one file that resemble applications.
 */
#ifndef DAXLAB_LOADS_H
#define DAXLAB_LOADS_H

#define LOAD_PAGES	4096UL		/* of the file: 16 MiB */

struct load {
	const char *name;
	const char *does;
	/*
	 * Play it on @fd for @seconds, or until *stop: operations per second, or -1
	 * with errno; ENOENT: what it needs is not here.
	 */
	double (*play)(int fd, double seconds, const volatile int *stop);
};

extern const struct load loads[];
extern const unsigned int nr_loads;

#endif
