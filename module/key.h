/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Static keys that users flip. The code is patched back a second after the last
 * user only.
 *
 * To patch code interrupts every processor. A loop that arms and disarms would
 * do it thousands of times, under the feet of the tasks that it studies; and an
 * emulator that translates code loses one such change in some thousands (QEMU
 * before 8.1 with a thread for each processor: the guest then takes the same
 * breakpoint for ever).
 */
#ifndef DXL_KEY_H
#define DXL_KEY_H

#include <linux/atomic.h>
#include <linux/jump_label_ratelimit.h>

#define DXL_KEY_DEFINE(name)						\
	DEFINE_STATIC_KEY_DEFERRED_FALSE(name, HZ);			\
	atomic_t name##_users
#define DXL_KEY_DECLARE(name)						\
	extern struct static_key_false_deferred name;			\
	extern atomic_t name##_users

/* The code may be patched still, nobody shall act by it. */
#define dxl_key_on(name)						\
	(static_branch_unlikely(&(name).key) && atomic_read(&name##_users))

/* Exact for who keeps others from getting and putting it. */
#define dxl_key_used(name)	(!!atomic_read(&name##_users))

#define dxl_key_get(name)						\
	do {								\
		static_branch_inc(&(name).key);				\
		atomic_inc(&name##_users);				\
	} while (0)
#define dxl_key_put(name)						\
	do {								\
		atomic_dec(&name##_users);				\
		static_branch_slow_dec_deferred(&(name));		\
	} while (0)

/* Before the module goes: nobody has it, and it goes off. */
#define dxl_key_flush(name)	static_key_deferred_flush(&(name))

#endif /* DXL_KEY_H */
