/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the module shows of itself under /sys/kernel/debug/daxlab
 */
#ifndef DXL_DEBUGFS_H
#define DXL_DEBUGFS_H

void dxl_debugfs_init(void);
void dxl_debugfs_exit(void);

#endif /* DXL_DEBUGFS_H */
