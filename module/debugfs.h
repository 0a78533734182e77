/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module shows of itself under /sys/kernel/debug/daxlab
 */
#ifndef DXL_DEBUGFS_H
#define DXL_DEBUGFS_H

#include <linux/types.h>

struct dentry;
struct dxl_lab;

void dxl_debugfs_init(void);
void dxl_debugfs_exit(void);
char *dxl_debugfs_line(const char __user *buf, size_t len, size_t max);

/* The directory; debugfs.c makes it, others put files there. */
extern struct dentry *dxl_debugfs_root;

/* verdict_files.c */
void dxl_verdict_files(void);
void dxl_verdict_files_mount(struct dxl_lab *lab);

/* debugfs_mount.c */
void dxl_debugfs_mount(struct dxl_lab *lab);
void dxl_debugfs_umount(struct dxl_lab *lab);

#endif /* DXL_DEBUGFS_H */
