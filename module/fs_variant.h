/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The filesystem's side of variants: steps that knobs change, changes of knobs
 */
#ifndef DXL_FS_VARIANT_H
#define DXL_FS_VARIANT_H

#include "fs.h"

/* The transaction, with its events in the log of an inode. */
int dxl_txn_hold(struct inode *inode);
void dxl_txn_drop(struct inode *inode);

ssize_t dxl_write_varied(struct inode *inode, loff_t pos, size_t len,
			 struct iov_iter *from);
long dxl_inval_varied(struct inode *inode, pgoff_t first, pgoff_t last);

int dxl_variant_change(struct super_block *sb, const struct dxl_variant *from,
		       const struct dxl_variant *to);

/* write_cow.c */
ssize_t dxl_write_cow(struct inode *inode, loff_t pos, size_t len,
		      struct iov_iter *from, unsigned int how);

/* writeback.c: what writeback_variant.c shares */
void dxl_writeback_protect(struct inode *inode, const struct dxl_hold *hold,
			   unsigned int nr);
int dxl_writeback_pages(struct inode *inode, pgoff_t first, pgoff_t last);
void dxl_writeback_told(struct inode *inode, const struct dxl_hold *hold,
			unsigned int nr);

/* writeback_variant.c */
bool dxl_writeback_varied(struct inode *inode, pgoff_t start,
			  struct dxl_hold *hold, unsigned int nr);
int dxl_writeback_range_varied(struct inode *inode, pgoff_t first,
			       pgoff_t last);

#endif /* DXL_FS_VARIANT_H */
