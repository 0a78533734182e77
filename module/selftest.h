/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tests at load in the debug build, one line each; a failure fails the load.
 * Those of pure logic are included at the end of the file that they test, those
 * of the entry lock are objects of their own.
 */
#ifndef DXL_SELFTEST_H
#define DXL_SELFTEST_H

#include <linux/init.h>
#include <linux/types.h>

#ifdef DAXLAB_DEBUG

/* Leave a test function with the line of the first thing that is wrong. */
#define DXL_EXPECT(cond)						\
	do {								\
		if (!(cond)) {						\
			pr_err("selftest %s() line %d: %s\n", __func__,	\
			       __LINE__, #cond);			\
			return -EINVAL;					\
		}							\
	} while (0)

/* A step of a test, itself a function with expectations. */
#define DXL_TRY(step)							\
	do {								\
		int __err = (step);					\
									\
		if (__err) {						\
			pr_err("selftest: from %s() line %d\n",		\
			       __func__, __LINE__);			\
			return __err;					\
		}							\
	} while (0)

int __init dxl_selftest_entry(void);
int __init dxl_selftest_balloc(void);
int __init dxl_selftest_map(void);
int __init dxl_selftest_crash(void);
int __init dxl_selftest_oracle(void);
bool __init dxl_selftest_breach(int *err);

static inline int __init dxl_selftest(void)
{
	int err;

	if (dxl_selftest_breach(&err))
		return err;
	err = dxl_selftest_entry();
	if (!err)
		err = dxl_selftest_balloc();
	if (!err)
		err = dxl_selftest_map();
	if (!err)
		err = dxl_selftest_crash();
	if (!err)
		err = dxl_selftest_oracle();
	return err;
}

#else

static inline int __init dxl_selftest(void)
{
	return 0;
}

#endif /* DAXLAB_DEBUG */
#endif /* DXL_SELFTEST_H */
