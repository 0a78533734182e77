/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The miniature filesystem: objects in memory, lock order, who offers what.
 *
 * LOCKING
 * Global order, outer first; a path takes a part of it, never the reverse:
 *
 *	sb_start_write
 *	i_rwsem					(directories before files)
 *	mmap_lock				(a fault, also one on the buffer
 *	sb_start_pagefault			of a read or write)
 *	mapping->invalidate_lock
 *	folio lock				(page-cache mode)
 *	dxl_inode.sync_sem			(a variant of syncs)
 *	entry lock				(entry.h)
 *	dxl_inode.map_lock
 *	dxl_sb.intent_lock
 *	dxl_inode.slot_lock
 *	dxl_alloc.lock
 *	tree xa_lock, wait queue lock		(entry.h)
 *	i_pages xa_lock
 *
 * and the section dxl_media_enter()/exit() may stand anywhere.
 *
 * Fault		mmap_lock
 * (fault.c)		  sb_start_pagefault	(write faults)
 *			    invalidate_lock shared: against truncate and punch
 *			      entry lock: against faults, writeback, write(2)
 *			        map_lock: only to change the block map
 *
 * write(2)		i_rwsem exclusive: against truncate, other writers
 * (file.c)		  map_lock: change the block map, drop it
 *			  wait for entries: inval.c; no lock of ours is held
 *			  copy from the user: may fault, so nothing but i_rwsem
 *			  (write_map=cow: invalidate_lock exclusive, for a swap
 *			  of the map as truncate would cut it)
 *
 * read(2), seek,	i_rwsem shared: against the freeing of map nodes
 * fiemap
 *
 * truncate, punch	i_rwsem exclusive
 * (truncate.c)		  invalidate_lock exclusive: against faults; dropped to
 *			  wait for pins (layout.h)
 *			    map_lock: detach blocks, drop it
 *			    wait for entries, unmap; then free the blocks
 *
 * writeback		entry locks of a bounded batch, never waiting with one
 * (writeback.c)	held; then i_mmap_rwsem inside unmap_mapping_pages()
 *
 * In page-cache mode (pcache.h) no entry is locked, and:
 *
 * Fault		mmap_lock
 * (pcache.c)		  sb_start_pagefault	(page_mkwrite)
 *			    invalidate_lock shared
 *			      folio lock
 *			        map_lock: look up, or allocate
 *
 * write(2)		i_rwsem exclusive
 *			  folio lock; user memory is touched with page faults off
 *			    map_lock
 *
 * read(2)		invalidate_lock shared, to bring folios in; folio lock;
 *			map_lock
 *
 * truncate, punch	i_rwsem exclusive
 *			  invalidate_lock exclusive
 *			    folio locks, one by one: out of the cache
 *			    map_lock: detach blocks; then free them
 *
 * writeback		folio locks; map_lock for a look: nothing else of this list
 *			is held
 *
 * Three rules that no tool checks:
 * - Information flows block map -> entry -> page table, and is invalidated in
 *   that order. A fault reads the map under the entry lock; a writer changes
 *   the map and then waits for that lock: so no stale copy survives.
 * - Blocks become free only after the last mapping of them is gone, and the last
 *   pin.
 * - A block is zeroed and flushed before the map points to it.
 *
 * Readers of the map take no lock: words change in one store, and nodes are
 * freed only under i_rwsem and invalidate_lock, both exclusive.
 */
#ifndef DXL_FS_H
#define DXL_FS_H

#include "compat.h"
#include "compat_fs.h"
#include "entry.h"
#include "media.h"
#include "ondisk.h"

#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>

struct iomap;
struct iomap_ops;

/* Which regular files are in DAX mode, the others in page-cache mode. */
enum dxl_dax_mode {
	DXL_DAX_ALWAYS,
	DXL_DAX_NEVER,
	DXL_DAX_INODE,		/* those with FS_DAX_FL */
};

#define DXL_NO_BLOCK		(~0ULL)
#define DXL_LAST_PAGE		((pgoff_t)(DXL_MAX_SIZE >> PAGE_SHIFT) - 1)

/**
 * struct dxl_alloc - the free blocks; rebuilt at each mount
 * @lock: guards everything here; innermost, never held while sleeping
 * @used: bitmap of blocks, 1: in use
 * @whole: bitmap of chunks of which all 512 blocks are free
 * @open: bitmap of chunks from which anybody takes single blocks; a chunk in
 *	neither is full, or held for a file that fills it aligned
 * @kept: of @used: in no file, but pinned when they were cut
 * @nr_kept: bits in @kept
 * @chunk_free: free blocks of each chunk
 * @nr_chunks: size of the filesystem in chunks, rounded up; immutable
 * @first_whole: no chunk below it is in @whole
 * @first_open: no chunk below it is in @open
 * @nr_free: free blocks in all
 * @reserve: of these, kept for map nodes that split HUGE words; immutable
 */
struct dxl_alloc {
	spinlock_t lock;
	unsigned long *used;
	unsigned long *whole;
	unsigned long *open;
	unsigned long *kept;
	u64 nr_kept;
	u16 *chunk_free;
	u64 nr_chunks;
	u64 first_whole;
	u64 first_open;
	u64 nr_free;
	u64 reserve;
};

/**
 * struct dxl_sb - a mount
 * @sb: the VFS object
 * @node: in the list of mounts, guarded by its lock (super.c)
 * @gone_node: in the list of those whose memory may go, guarded by its lock (gone.c)
 * @media: the device memory
 * @alloc: free blocks
 * @uuid: given by format, immutable
 * @nr_blocks: size of the filesystem, in blocks; immutable
 * @nr_inodes: records in the inode table, immutable
 * @inos: inode numbers in use
 * @nr_free_inodes: for statfs
 * @data_block: first block that can be allocated, immutable
 * @needs_repair: a read-only mount saw traces of a power cut, so that it must
 *	not become writable; immutable
 * @intent_lock: serialises users of the intent block
 * @intent_seq: guarded by @intent_lock
 * @dax: immutable
 * @lab: variant and log
 */
struct dxl_sb {
	struct super_block *sb;
	struct list_head node;
	struct list_head gone_node;
	struct dxl_media media;
	struct dxl_alloc alloc;
	uuid_t uuid;
	u64 nr_blocks;
	u64 nr_inodes;
	struct ida inos;
	atomic64_t nr_free_inodes;
	u64 data_block;
	bool needs_repair;
	struct mutex intent_lock;
	u64 intent_seq;
	enum dxl_dax_mode dax;
	struct dxl_lab lab;
};

/**
 * struct dxl_inode - a file, directory or symlink
 * @map_lock: serialises changes of the block map; inside the entry lock, and
 *	never held while user memory is touched
 * @root: root map word; written under @map_lock, read without
 * @tree: entries of mapped pages; i_pages of a DAX inode stays empty, since
 *	mm/truncate.c would hand entries found there to fs/dax.c. In page-cache
 *	mode it is the other way round.
 * @sync_sem: serialises syncs, outside of entry locks (towrite=serialised only)
 * @slot_lock: serialises writers of the inode's record
 * @seq: of the slot written last, guarded by @slot_lock
 * @stored_root: @root in that slot; written under @slot_lock, read without
 * @stored_size: the size in it, in bytes; likewise
 * @btime: birth, immutable
 * @fsflags: FS_*_FL as the user set them, guarded by i_rwsem
 * @vfs_inode: the VFS object
 */
struct dxl_inode {
	struct mutex map_lock;
	u64 root;
	struct dxl_tree tree;
	struct rw_semaphore sync_sem;
	struct mutex slot_lock;
	u64 seq;
	u64 stored_root;
	loff_t stored_size;
	struct timespec64 btime;
	u32 fsflags;
	struct inode vfs_inode;
};

static inline struct dxl_sb *DXL_SB(const struct super_block *sb)
{
	return sb->s_fs_info;
}

static inline struct dxl_inode *DXL_I(const struct inode *inode)
{
	return container_of(inode, struct dxl_inode, vfs_inode);
}

static inline struct dxl_media *dxl_media_of(const struct inode *inode)
{
	return &DXL_SB(inode->i_sb)->media;
}

#define dxl_err(sb, fmt, ...) \
	pr_err("%s: " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define dxl_err_ratelimited(sb, fmt, ...) \
	pr_err_ratelimited("%s: " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define dxl_info(sb, fmt, ...) \
	pr_info("%s: " fmt "\n", (sb)->s_id, ##__VA_ARGS__)
#define dxl_info_ratelimited(sb, fmt, ...) \
	pr_info_ratelimited("%s: " fmt "\n", (sb)->s_id, ##__VA_ARGS__)

/* balloc.c: the only file that sees the bitmap */
int dxl_balloc_init(struct dxl_sb *sbi);
void dxl_balloc_exit(struct dxl_sb *sbi);
int dxl_balloc_mark(struct dxl_sb *sbi, u64 block, u64 nr);
int dxl_balloc(struct dxl_sb *sbi, u64 goal, unsigned long nr, u64 *block);
int dxl_balloc_aligned(struct dxl_sb *sbi, unsigned int offset,
		       unsigned long nr, u64 *block);
int dxl_balloc_node(struct dxl_sb *sbi, bool use_reserve, u64 *block);
void dxl_balloc_free(struct dxl_sb *sbi, u64 block, unsigned long nr);
void dxl_balloc_keep(struct dxl_sb *sbi, u64 block);
bool dxl_balloc_reap(struct dxl_sb *sbi);
u64 dxl_balloc_census(struct dxl_sb *sbi, u64 *first);
void dxl_balloc_keep_pinned(struct dxl_sb *sbi);

/* map*.c: page of a file -> block; nobody else writes words */

/* A run of pages of a file in one state. */
struct dxl_run {
	pgoff_t index;		/* first page */
	unsigned long nr;	/* pages, at least 1 */
	u64 block;		/* first block, DXL_NO_BLOCK: a hole */
	bool unwritten;		/* allocated, reads as zeroes */
	bool changed;		/* dxl_map_alloc(): was a hole or unwritten */
};

/* Blocks cut off the map, to be freed once nothing maps them. */
#define DXL_CUT_MAX		64
struct dxl_cut {
	unsigned int nr;
	struct {
		u64 block;
		unsigned long nr;
	} run[DXL_CUT_MAX];
};

int dxl_map_lookup(struct inode *inode, pgoff_t index, unsigned long max,
		   struct dxl_run *run);
int dxl_map_alloc(struct inode *inode, pgoff_t index, unsigned long max,
		  bool unwritten, struct dxl_run *run);
int dxl_map_alloc_whole(struct inode *inode, pgoff_t index, unsigned long nr,
			struct dxl_run *run);
int dxl_map_cut(struct inode *inode, pgoff_t *next, pgoff_t last,
		struct dxl_cut *cut);
void dxl_map_free_cut(struct inode *inode, struct dxl_cut *cut);
void dxl_map_free_run(struct inode *inode, u64 block, unsigned long nr);
void dxl_map_lose_run(struct inode *inode, u64 block, unsigned long nr);
int dxl_map_swap(struct inode *inode, pgoff_t index, u64 block);
u64 dxl_map_count(struct inode *inode);
void dxl_iomap_set(struct inode *inode, const struct dxl_run *run,
		   struct iomap *iomap);
extern const struct iomap_ops dxl_iomap_ops;	/* report only: fiemap, seek */

/* check.c: walks the image at mount */
int dxl_check_image(struct dxl_sb *sbi);

/* intent.c: several stores as one */
int dxl_intent_run(struct dxl_sb *sbi, const struct dxl_intent_op *op,
		   unsigned int nr);
int dxl_intent_read(struct dxl_sb *sbi, struct dxl_intent *intent);
int dxl_intent_redo(struct dxl_sb *sbi, const struct dxl_intent *intent);

/* format.c */
int dxl_format(struct dxl_sb *sbi);
int dxl_super_read(struct dxl_sb *sbi, bool *blank);
u32 dxl_crc(const void *data, size_t len);

/* super.c */
int dxl_fs_init(void);
void dxl_fs_exit(void);
struct dxl_lab *dxl_fs_find_lab(const char *id);
void dxl_fs_visit_labs(void (*fn)(struct dxl_lab *lab, void *arg), void *arg);
void dxl_sb_visit_inodes(struct super_block *sb,
			 void (*fn)(struct inode *inode, void *arg), void *arg);
void dxl_fs_visit_inodes(void (*fn)(struct inode *inode, void *arg), void *arg);

/*
 * slot.c: inode <-> its record on media. What these write is durable on return.
 * If the media refused, the inode is dirty. dxl_slot_update() is for after the point
 * of no return: nobody is told.
 */
int dxl_slot_read(struct dxl_sb *sbi, u64 ino, struct dxl_slot *slot);
int dxl_slot_store(struct dxl_sb *sbi, struct dxl_slot *slot);
bool dxl_slot_sane(const struct dxl_sb *sbi, const struct dxl_slot *slot);
void dxl_slot_load(struct inode *inode, const struct dxl_slot *slot);
int dxl_slot_write(struct inode *inode);
void dxl_slot_update(struct inode *inode);
bool dxl_slot_is_owed(struct inode *inode, bool datasync);
int dxl_slot_sync(struct inode *inode);
int dxl_slot_clear(struct inode *inode);

/* inode.c; dxl_setattr() is for what has no size to set, see file.c */
struct inode *dxl_iget(struct super_block *sb, u64 ino);
struct inode *dxl_inode_new(struct inode *dir, umode_t mode, dev_t rdev);
void dxl_evict_inode(struct inode *inode);
int dxl_setattr_copy(struct inode *inode, struct iattr *attr);
int dxl_setattr(dxl_idmap *idmap, struct dentry *dentry, struct iattr *attr);
int dxl_getattr(dxl_idmap *idmap, const struct path *path, struct kstat *stat,
		u32 mask, unsigned int flags);
int dxl_fileattr_get(struct dentry *dentry, dxl_fileattr *fa);
int dxl_fileattr_set(dxl_idmap *idmap, struct dentry *dentry,
		     dxl_fileattr *fa);
extern const struct inode_operations dxl_symlink_inode_ops;
extern const struct inode_operations dxl_special_inode_ops;

/* dir.c: the records of a directory; namei.c: the operations on names */

/* Where a record is: its address, for use inside the media section only. */
struct dxl_place {
	struct dxl_dirent *de;
	u64 pos;		/* of de->ino, byte offset on the device */
	u64 word;		/* de->ino in CPU order */
};

int dxl_dir_find(struct inode *dir, const struct qstr *name,
		 struct dxl_place *place);
int dxl_dir_prepare(struct inode *dir, const struct qstr *name,
		    struct dxl_place *place);
void dxl_dir_set(struct inode *dir, struct dxl_place *place, u64 word);
int dxl_dir_empty(struct inode *dir);
u64 dxl_dir_word(const struct inode *inode);
bool dxl_dirent_sane(const struct dxl_dirent *de);
extern const struct file_operations dxl_dir_ops;
extern const struct inode_operations dxl_dir_inode_ops;

/* file.c, rw.c */
extern const struct inode_operations dxl_file_inode_ops;
extern const struct file_operations dxl_file_ops;
loff_t dxl_seek(struct file *file, loff_t offset, int whence,
		const struct iomap_ops *ops);
ssize_t dxl_read_iter(struct kiocb *iocb, struct iov_iter *to);
ssize_t dxl_write_iter(struct kiocb *iocb, struct iov_iter *from);
int dxl_write_blocks(struct inode *inode, loff_t pos, size_t len,
		     struct dxl_run *run);
ssize_t dxl_write_copy(struct inode *inode, const struct dxl_run *run,
		       loff_t pos, size_t len, struct iov_iter *from);

/* fault.c */
int dxl_fault_init(void);
void dxl_fault_exit(void);
extern const struct vm_operations_struct dxl_vm_ops;

/* inval.c */
extern const struct dxl_tree_ops dxl_inode_tree_ops;
void dxl_inval_mappings(struct inode *inode, pgoff_t first, pgoff_t last);
long dxl_inval_entries(struct inode *inode, pgoff_t first, pgoff_t last,
		       bool keep_dirty);
int dxl_inval_range(struct inode *inode, pgoff_t first, pgoff_t last);
int dxl_inval_cut(struct inode *inode, pgoff_t first, pgoff_t last,
		  bool even_cows);
void dxl_inval_forget(struct inode *inode);

/* layout_variant.c: a cut block is pinned; the rest is in layout.h */
void dxl_layout_keeps(struct inode *inode, u64 block);

/* truncate.c */
int dxl_set_size(struct inode *inode, loff_t size);
int dxl_zero_tail(struct inode *inode);
long dxl_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
int dxl_truncate_all(struct inode *inode);

/* writeback.c */
extern const struct address_space_operations dxl_aops;

/* Does a file do without the page cache? */
static inline bool dxl_inode_dax(const struct inode *inode)
{
	return inode->i_mapping->a_ops == &dxl_aops;
}

int dxl_writeback_range(struct inode *inode, loff_t start, loff_t end);
int dxl_fsync(struct file *file, loff_t start, loff_t end, int datasync);

/* gone.c */
extern const struct dax_holder_operations dxl_gone_ops;
void dxl_gone_watch(struct dxl_sb *sbi);
void dxl_gone_unwatch(struct dxl_sb *sbi);
int dxl_gone_init(void);
void dxl_gone_exit(void);

#endif /* DXL_FS_H */
