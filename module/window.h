/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Windows: named places at which a race can be held open.
 *
 * A task that comes to a window while somebody watches has *crossed* it: that
 * is counted and logged. If a rule is armed there whose selectors fit, its
 * action is carried out; "park" holds the task, for a bounded time, killably.
 */
#ifndef DXL_WINDOW_H
#define DXL_WINDOW_H

#include "lab.h"

/* What may be done at a window. */
#define DXL_WIN_SLEEP		1	/* no spinlock is held: tasks can be parked */
#define DXL_WIN_ERROR		2	/* the path takes an error from here */
#define DXL_WIN_FALLBACK	4	/* a PMD fault can be sent to PTEs from here */
#define DXL_WIN_ANY		(DXL_WIN_SLEEP | DXL_WIN_ERROR | DXL_WIN_FALLBACK)

/* No entry is owned, one will be waited for: who is rescued here gives up. */
#define DXL_WIN_GIVES_UP	8

/* W(WINDOW, "path.point", flags, meaning, upstream place) */
#define DXL_WINDOW_TABLE(W)						\
	W(FAULT_AFTER_CORE_PMD_CHECK, "fault.after_core_pmd_check", DXL_WIN_ANY | DXL_WIN_GIVES_UP, \
	  "the core has tested the pmd, nothing is locked but mmap_lock", \
	  "mm/memory.c __handle_mm_fault()")				\
	W(FAULT_BEFORE_GRAB, "fault.before_grab", DXL_WIN_ANY | DXL_WIN_GIVES_UP, \
	  "invalidate_lock is held shared, no entry yet",		\
	  "grab_mapping_entry()")					\
	W(FAULT_AFTER_GRAB, "fault.after_grab", DXL_WIN_ANY,		\
	  "the entry is locked, the map not read",			\
	  "grab_mapping_entry()")					\
	W(FAULT_AFTER_IOMAP_BEGIN, "fault.after_iomap_begin", DXL_WIN_ANY, \
	  "the block map was read, nothing is stored",			\
	  "iomap_iter() of a fault")					\
	W(FAULT_BEFORE_INSERT_ENTRY, "fault.before_insert_entry", DXL_WIN_SLEEP, \
	  "what the entry will stand for is known",			\
	  "dax_insert_entry()")						\
	W(FAULT_AFTER_INSERT_ENTRY, "fault.after_insert_entry", DXL_WIN_SLEEP, \
	  "the entry has its value and mark",				\
	  "dax_insert_entry()")						\
	W(FAULT_BEFORE_MAP, "fault.before_map", DXL_WIN_SLEEP,		\
	  "the page table is about to be written",			\
	  "vmf_insert_mixed()")						\
	W(FAULT_AFTER_MAP, "fault.after_map", DXL_WIN_SLEEP,		\
	  "the page table was written",					\
	  "vmf_insert_mixed()")						\
	W(FAULT_BEFORE_UNLOCK, "fault.before_unlock", DXL_WIN_SLEEP,	\
	  "the entry is about to be unlocked",				\
	  "dax_unlock_entry()")						\
	W(UNLOCK_AFTER_STORE, "unlock.after_store", DXL_WIN_SLEEP,	\
	  "the unlocked value is stored, the wake not issued",		\
	  "dax_unlock_entry()")						\
	W(GRAB_ENQUEUED, "grab.enqueued", 0,				\
	  "a waiter is on the queue and about to drop xa_lock",		\
	  "get_unlocked_entry()")					\
	W(GRAB_AFTER_WAKE, "grab.after_wake", DXL_WIN_SLEEP,		\
	  "a waiter was woken and has not taken xa_lock",		\
	  "get_unlocked_entry()")					\
	W(GRAB_DOWNGRADE_LOCKED, "grab.downgrade_locked", DXL_WIN_SLEEP, \
	  "a PMD entry without frame is locked, xa_lock dropped for the unmap", \
	  "grab_mapping_entry()")					\
	W(GRAB_DOWNGRADE_REMOVED, "grab.downgrade_removed", 0,		\
	  "it was removed, nobody is woken yet",			\
	  "grab_mapping_entry()")					\
	W(GRAB_BEFORE_STORE, "grab.before_store", DXL_WIN_ERROR,	\
	  "a new entry is about to be stored (error(-ENOMEM): as if a node could not be had)", \
	  "grab_mapping_entry()")					\
	W(GRAB_GAP, "grab.gap", DXL_WIN_SLEEP,				\
	  "canary late_enqueue only: xa_lock is dropped, the waiter not on the queue", \
	  "none: never shipped")					\
	W(UNLOCK_GAP, "unlock.gap", DXL_WIN_SLEEP,			\
	  "canary early_wake only: the wake is issued, the value not stored", \
	  "none: never shipped")					\
	W(GRAB_DOWNGRADE_GAP, "grab.downgrade_gap", DXL_WIN_SLEEP,	\
	  "downgrade=late_wake only: the entry is gone, xa_lock dropped, nobody woken", \
	  "none: never shipped")					\
	W(GRAB_NOMEM_RETRY, "grab.nomem_retry", DXL_WIN_SLEEP,		\
	  "xas_nomem() said retry, xa_lock is dropped",			\
	  "grab_mapping_entry()")					\
	W(WRITE_AFTER_IOMAP_BEGIN, "write.after_iomap_begin", DXL_WIN_SLEEP | DXL_WIN_ERROR, \
	  "write(2) has its blocks",					\
	  "dax_iomap_iter()")						\
	W(WRITE_BEFORE_INVALIDATE, "write.before_invalidate", DXL_WIN_SLEEP, \
	  "entries and mappings of the range are about to go",		\
	  "dax_iomap_iter()")						\
	W(WRITE_AFTER_INVALIDATE, "write.after_invalidate", DXL_WIN_SLEEP, \
	  "they are gone, nothing is copied",				\
	  "dax_iomap_iter()")						\
	W(WRITE_COPY_USER, "write.copy_user", DXL_WIN_SLEEP,		\
	  "data is about to be copied from user memory, which may fault", \
	  "dax_copy_from_iter()")					\
	W(INVALIDATE_FOUND_LOCKED, "invalidate.found_locked", 0,	\
	  "a locked entry stands in the way",				\
	  "__dax_invalidate_entry()")					\
	W(INVALIDATE_BEFORE_DELETE, "invalidate.before_delete", 0,	\
	  "an unlocked entry is about to be removed",			\
	  "__dax_invalidate_entry()")					\
	W(INVALIDATE_BEFORE_WAKE, "invalidate.before_wake", 0,		\
	  "it was removed, nobody is woken yet",			\
	  "__dax_invalidate_entry()")					\
	W(INVALIDATE_BEFORE_UNMAP, "invalidate.before_unmap", DXL_WIN_SLEEP, \
	  "entries are gone, mappings about to go",			\
	  "invalidate_inode_pages2_range()")				\
	W(WRITEBACK_AFTER_TAG, "writeback.after_tag", DXL_WIN_SLEEP | DXL_WIN_ERROR, \
	  "DIRTY entries are tagged TOWRITE",				\
	  "dax_writeback_mapping_range()")				\
	W(WRITEBACK_FOUND_LOCKED, "writeback.found_locked", 0,		\
	  "an entry of the work list is locked",			\
	  "dax_writeback_one()")					\
	W(WRITEBACK_AFTER_LOCK, "writeback.after_lock", DXL_WIN_SLEEP,	\
	  "a batch of entries is locked",				\
	  "dax_writeback_one()")					\
	W(WRITEBACK_AFTER_WRPROTECT, "writeback.after_wrprotect", DXL_WIN_SLEEP, \
	  "nobody can store to them",					\
	  "dax_writeback_one()")					\
	W(WRITEBACK_AFTER_FLUSH, "writeback.after_flush", DXL_WIN_SLEEP, \
	  "their data is on the media, the marks are set",		\
	  "dax_writeback_one()")					\
	W(WRITEBACK_AFTER_MARKS, "writeback.after_marks", DXL_WIN_SLEEP, \
	  "flush_order, sync_lock only: the marks are off, and that is not the end", \
	  "none: never shipped")					\
	W(WRITEBACK_BEFORE_WAKE, "writeback.before_wake", 0,		\
	  "marks and locks are off, nobody is woken",			\
	  "dax_writeback_one()")					\
	W(SCAN_FOUND_LOCKED, "scan.found_locked", 0,			\
	  "a walk met a locked entry",					\
	  "dax_layout_busy_page_range()")				\
	W(SCAN_AFTER_WAKE, "scan.after_wake", DXL_WIN_SLEEP,		\
	  "a walk was woken and has not taken xa_lock",			\
	  "wait_entry_unlocked_exclusive()")				\
	W(SCAN_BATCH_PAUSE, "scan.batch_pause", DXL_WIN_SLEEP,		\
	  "a walk gives way between entries, xa_lock dropped",		\
	  "xas_pause() of the walks")					\
	W(MKWRITE_BEFORE_GRAB, "mkwrite.before_grab", DXL_WIN_SLEEP | DXL_WIN_ERROR | DXL_WIN_GIVES_UP, \
	  "a store met a read-only PTE",				\
	  "dax_insert_pfn_mkwrite()")					\
	W(MKWRITE_AFTER_LOCK, "mkwrite.after_lock", DXL_WIN_SLEEP,	\
	  "its entry is locked, the PTE not yet writable",		\
	  "dax_insert_pfn_mkwrite()")					\
	W(MKWRITE_AFTER_FAULT_UNLOCK, "mkwrite.after_fault_unlock", DXL_WIN_SLEEP, \
	  "sync_fault only: the entry of a store is there, unlocked, and not mapped", \
	  "between dax_iomap_fault() and dax_finish_sync_fault()")	\
	W(MKWRITE_AFTER_FSYNC, "mkwrite.after_fsync", DXL_WIN_SLEEP,	\
	  "likewise, and its block is durable",				\
	  "dax_finish_sync_fault(), after vfs_fsync_range()")		\
	W(LAYOUT_BEFORE_UNMAP, "layout.before_unmap", DXL_WIN_SLEEP,	\
	  "a layout break is about to unmap a range",			\
	  "dax_layout_busy_page_range()")				\
	W(LAYOUT_AFTER_UNMAP, "layout.after_unmap", DXL_WIN_SLEEP,	\
	  "the range is not mapped, nothing was scanned",		\
	  "dax_layout_busy_page_range()")				\
	W(LAYOUT_AFTER_SCAN, "layout.after_scan", DXL_WIN_SLEEP,	\
	  "it is known whether a page of the range is pinned",		\
	  "dax_layout_busy_page_range()")				\
	W(LAYOUT_AFTER_WAIT, "layout.after_wait", DXL_WIN_SLEEP,	\
	  "a pin is gone, invalidate_lock is not taken again yet",	\
	  "ext4_wait_dax_page(), xfs_wait_dax_page()")			\
	W(TRUNCATE_AFTER_BREAK, "truncate.after_break", DXL_WIN_SLEEP,	\
	  "invalidate_lock is held, and what is to be cut was found idle", \
	  "dax_break_layout(), ext4_setattr()")				\
	W(PIN_HELD, "pin.held", DXL_WIN_SLEEP,				\
	  "a direct write has pinned the pages of its buffer, the bio is not submitted", \
	  "iomap_dio_submit_bio()")					\
	W(TRUNCATE_AFTER_CUT, "truncate.after_cut", DXL_WIN_SLEEP,	\
	  "blocks are off the map, entries still there",		\
	  "ext4_truncate(), xfs_itruncate_extents()")			\
	W(TRUNCATE_BEFORE_FREE, "truncate.before_free", DXL_WIN_SLEEP,	\
	  "entries and mappings are gone, blocks about to be free",	\
	  "truncate_pagecache()") \
	W(SLOT_BEFORE_STORE, "slot.before_store", DXL_WIN_SLEEP | DXL_WIN_ERROR, \
	  "the record of an inode is about to be written (error: as if the media refused)", \
	  "ext4_do_update_inode(), xfs_trans_log_inode()")		\
	W(LOOKUP_AFTER_LOAD, "lookup.after_load", 0,			\
	  "a lookup has loaded a folio, and no reference; RCU is held",	\
	  "filemap_get_entry()")					\
	W(LOOKUP_TRY_GET_FAILED, "lookup.try_get_failed", DXL_WIN_SLEEP, \
	  "the count of that folio is 0; the retry rule is about to act", \
	  "filemap_get_entry()")					\
	W(FREEZE_BEFORE, "freeze.before", DXL_WIN_SLEEP,		\
	  "a folio is about to be frozen, nothing is locked",		\
	  "__remove_mapping(), split_huge_page_to_list()")		\
	W(FREEZE_HELD, "freeze.held", DXL_WIN_SLEEP | DXL_WIN_ERROR,	\
	  "a folio's count is frozen at 0, it is in the tree, no lock is held (error: it stays so)", \
	  "__remove_mapping(), split_huge_page_to_list()")		\
	W(ADD_AFTER_ORDER_READ, "add.after_order_read", DXL_WIN_SLEEP,	\
	  "the order of a shadow entry is known, the lock not held",	\
	  "__filemap_add_folio()")					\
	W(ADD_AFTER_SPLIT_ALLOC, "add.after_split_alloc", DXL_WIN_SLEEP, \
	  "nodes are there for its split",				\
	  "__filemap_add_folio()")					\
	W(ADD_BEFORE_LOCK, "add.before_lock", DXL_WIN_SLEEP,		\
	  "a folio is about to be added",				\
	  "__filemap_add_folio()")					\
	W(PWB_BEFORE_LOCK_NEXT, "pwb.before_lock_next", DXL_WIN_SLEEP,	\
	  "writepages is about to lock its next folio, maybe with a bio in hand", \
	  "write_cache_pages()")					\
	W(PWB_AFTER_SET_WRITEBACK, "pwb.after_set_writeback", DXL_WIN_SLEEP, \
	  "a folio is under writeback and unlocked, in a bio that nobody has submitted", \
	  "ext4_bio_write_page(), iomap_add_to_ioend()")		\
	W(PWB_BEFORE_SUBMIT, "pwb.before_submit", DXL_WIN_SLEEP,	\
	  "the bio of writepages is about to be submitted",		\
	  "ext4_io_submit(), iomap_submit_ioend()")			\
	W(PF_PAGE_LOCKED, "pf.page_locked", DXL_WIN_SLEEP,		\
	  "a page-cache fault has locked its folio",			\
	  "__do_fault(), after ->fault()")				\
	W(PF_BEFORE_PTE_ALLOC, "pf.before_pte_alloc", DXL_WIN_SLEEP,	\
	  "it is about to allocate a page table under the folio lock, or would if it did", \
	  "pte_alloc_one() in alloc_set_pte()")				\
	W(RECLAIM_BEFORE_WAIT_WRITEBACK, "reclaim.before_wait_writeback", DXL_WIN_SLEEP, \
	  "reclaim=waits only: reclaim is about to wait for a writeback",	\
	  "shrink_folio_list(), case 3")

enum dxl_window {
#define DXL_WINDOW_ENUM(window, name, flags, meaning, upstream) DXL_WIN_##window,
	DXL_WINDOW_TABLE(DXL_WINDOW_ENUM)
#undef DXL_WINDOW_ENUM
	DXL_NR_WINDOWS
};

/*
 * How the paths say where they are. The value is 0, or what an armed error
 * action (or "fallback": -EAGAIN) asks for; statements at windows without
 * DXL_WIN_ERROR ignore it. The access is the enum below.
 */
enum dxl_access { DXL_ACCESS_NONE, DXL_ACCESS_READ, DXL_ACCESS_WRITE };

int dxl_window_crossed(enum dxl_window window, struct dxl_tree *tree,
		       pgoff_t index, unsigned int order,
		       enum dxl_access access);

static __always_inline int dxl_window(enum dxl_window window,
				      struct dxl_tree *tree, pgoff_t index,
				      unsigned int order,
				      enum dxl_access access)
{
	if (!dxl_watched())
		return 0;
	return dxl_window_crossed(window, tree, index, order, access);
}

const char *dxl_window_name(enum dxl_window window);
const char *dxl_window_meaning(enum dxl_window window);
const char *dxl_window_upstream(enum dxl_window window);
unsigned int dxl_window_flags(enum dxl_window window);
int dxl_window_find(const char *name);
bool dxl_window_occupied(unsigned int window);	/* window_park.c */

#endif /* DXL_WINDOW_H */
