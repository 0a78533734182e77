/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Page-cache mode: regular files without S_DAX.
 *
 * i_pages holds folios, of any order; the tree of entries stays empty. The block
 * map is the same as in DAX mode, and ahead of the cache: whoever makes a folio
 * dirty has given blocks to what he stores to, written ones that hold zeroes.
 * So writeback allocates nothing; where it finds a hole or unwritten blocks
 * under a dirty folio, there are zeroes in the folio, and it passes them over.
 *
 * The mode is decided when the inode comes into memory (dxl_set_ops()).
 */
#ifndef DXL_PCACHE_H
#define DXL_PCACHE_H

#include "fs.h"

#include <linux/iomap.h>
#include <linux/pagemap.h>

/* Is this a regular file in page-cache mode? */
static inline bool dxl_pcache(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) && !dxl_inode_dax(inode);
}

/*
 * Has a block of a locked folio what the file has? A folio that is not up to
 * date may be dirty all the same, where a write covered whole blocks of it:
 * only these may be written back. @offset: of the block, in bytes.
 */
static inline bool dxl_pcache_has_block(struct folio *folio, size_t offset)
{
	return folio_test_uptodate(folio) ||
	       iomap_is_partially_uptodate(folio, offset, DXL_BLOCK_SIZE);
}

/* pcache.c */
extern const struct address_space_operations dxl_pcache_aops;
extern const struct vm_operations_struct dxl_pcache_vm_ops;
extern const struct file_operations dxl_pcache_file_ops;
int dxl_pcache_zero(struct inode *inode, loff_t pos, size_t len);
int dxl_pcache_shrink(struct inode *inode, loff_t size);
void dxl_pcache_cut(struct inode *inode, pgoff_t first, pgoff_t last);

/* pcache_io.c */
extern const struct iomap_ops dxl_pcache_iomap_ops;
int dxl_pcache_map(struct inode *inode, pgoff_t index, unsigned long max,
		   struct dxl_run *run);
ssize_t dxl_pcache_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t dxl_pcache_write_iter(struct kiocb *iocb, struct iov_iter *from);

#endif /* DXL_PCACHE_H */
