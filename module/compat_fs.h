/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between kernels (compat.h) in VFS, iomap, and small libraries.
 */
#ifndef DXL_COMPAT_FS_H
#define DXL_COMPAT_FS_H

#include "compat.h"

#include <linux/crc32.h>
#include <linux/fileattr.h>
#include <linux/fs.h>
#include <linux/iomap.h>

#if DXL_HAVE_MNT_IDMAP
typedef struct mnt_idmap dxl_idmap;
#define DXL_NOP_IDMAP		(&nop_mnt_idmap)
#else
typedef struct user_namespace dxl_idmap;
#define DXL_NOP_IDMAP		(&init_user_ns)
#endif

static inline void dxl_fillattr(dxl_idmap *idmap, u32 mask, struct inode *inode,
				struct kstat *stat)
{
#if DXL_HAVE_FILLATTR_MASK
	generic_fillattr(idmap, mask, inode, stat);
#else
	generic_fillattr(idmap, inode, stat);
#endif
}

#if DXL_HAVE_FILE_KATTR
typedef struct file_kattr dxl_fileattr;
#else
typedef struct fileattr dxl_fileattr;
#endif

#if DXL_HAVE_MKDIR_DENTRY
typedef struct dentry *dxl_mkdir_result;
#define dxl_mkdir_done(err)	ERR_PTR(err)
#else
typedef int dxl_mkdir_result;
#define dxl_mkdir_done(err)	(err)
#endif

#if DXL_HAVE_CREATE_EXCL
#define dxl_define_create(name) \
	static int name(dxl_idmap *idmap, struct inode *dir, \
			struct dentry *dentry, umode_t mode, bool excl)
#else
#define dxl_define_create(name) \
	static int name(dxl_idmap *idmap, struct inode *dir, \
			struct dentry *dentry, umode_t mode)
#endif

#if DXL_HAVE_FS_DIRENT
#include <linux/fs_dirent.h>
#else
#include <linux/fs_types.h>
#endif

#if DXL_HAVE_FOLIO_BATCH_H
#include <linux/folio_batch.h>
#else
#include <linux/pagevec.h>
#endif

static inline unsigned long dxl_inode_state(struct inode *inode)
{
#if DXL_HAVE_INODE_STATE
	return inode_state_read_once(inode);
#else
	return READ_ONCE(inode->i_state);
#endif
}

/*
 * The flag of an inode without page cache. Since 6.15 (DXL_RAM_IS_OURS) it also
 * says that each huge PMD of its mappings holds a reference on a folio: a split
 * gives it back. Ours hold none, so the kernel must not see the flag there.
 */
#define DXL_S_DAX		(DXL_RAM_IS_OURS ? 0 : S_DAX)

/*
 * To print it: a long until Linux kernel commit 0b2600f81cef ("treewide: change
 * inode->i_ino from unsigned long to u64") (in v7.1). Ours fit in 32 bits.
 */
static inline unsigned long dxl_ino(const struct inode *inode)
{
	return inode->i_ino;
}

/* The size while it may change: who makes a file longer has i_rwsem alone. */
static inline loff_t dxl_size_now(const struct inode *inode)
{
	/* One word, which 6.1's i_size_write() stores without a mark. */
	return data_race(i_size_read(inode));
}

static inline u32 dxl_crc32c(u32 crc, const void *data, size_t len)
{
#if DXL_HAVE_CRC32C_BUILTIN
	return crc32c(crc, data, len);
#else
	return __crc32c_le(crc, data, len);
#endif
}

#if DXL_HAVE_COPY_SPLICE
#define dxl_splice_read		copy_splice_read
#define dxl_splice_read_cached	filemap_splice_read
#else
#define dxl_splice_read		generic_file_splice_read
#define dxl_splice_read_cached	generic_file_splice_read
#endif

#if DXL_HAVE_FOP_FLAGS
#define DXL_FOPS_MAP_SYNC	.fop_flags = FOP_MMAP_SYNC
#else
#define DXL_FOPS_MAP_SYNC	.mmap_supported_flags = MAP_SYNC
#endif

#if !DXL_HAVE_TIME_ACCESSORS
static inline struct timespec64 inode_get_atime(const struct inode *inode)
{
	return inode->i_atime;
}

static inline struct timespec64 inode_get_mtime(const struct inode *inode)
{
	return inode->i_mtime;
}

static inline struct timespec64 inode_set_atime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	return inode->i_atime = ts;
}

static inline struct timespec64 inode_set_mtime_to_ts(struct inode *inode,
						      struct timespec64 ts)
{
	return inode->i_mtime = ts;
}
#endif

static inline ssize_t dxl_iomap_write(struct kiocb *iocb, struct iov_iter *from,
				      const struct iomap_ops *ops)
{
	ssize_t ret;

#if DXL_HAVE_IOMAP_WRITE_OPS
	ret = iomap_file_buffered_write(iocb, from, ops, NULL, NULL);
#elif DXL_HAVE_IOMAP_PRIVATE
	ret = iomap_file_buffered_write(iocb, from, ops, NULL);
#else
	ret = iomap_file_buffered_write(iocb, from, ops);
#endif
	if (!DXL_HAVE_IOMAP_KI_POS && ret > 0)
		iocb->ki_pos += ret;
	return ret;
}

static inline vm_fault_t dxl_iomap_mkwrite(struct vm_fault *vmf,
					   const struct iomap_ops *ops)
{
#if DXL_HAVE_IOMAP_MKWRITE_PRIVATE
	return iomap_page_mkwrite(vmf, ops, NULL);
#else
	return iomap_page_mkwrite(vmf, ops);
#endif
}

static inline int dxl_iomap_read_folio(struct folio *folio,
				       const struct iomap_ops *ops)
{
#if DXL_HAVE_IOMAP_READ_OPS
	iomap_bio_read_folio(folio, ops);
	return 0;
#else
	return iomap_read_folio(folio, ops);
#endif
}

static inline void dxl_iomap_readahead(struct readahead_control *rac,
				       const struct iomap_ops *ops)
{
#if DXL_HAVE_IOMAP_READ_OPS
	iomap_bio_readahead(rac, ops);
#else
	iomap_readahead(rac, ops);
#endif
}

#endif /* DXL_COMPAT_FS_H */
