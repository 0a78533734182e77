/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Variants: which choice of each protocol step a mount takes.
 *
 * A knob is a step that history got wrong, or that somebody proposed to do in
 * another way. Choice 0 of each is the sound one, and all zeroes the profile
 * "sound". One table generates the enums, the names in mount options, debugfs
 * and the tool, and the help texts.
 *
 * The sound choice is straight-line code: one static key, off unless some mount
 * has another choice, guards every question (dxl_choice()). What the other
 * choices do stands in *_variant.c, beside the path that they break.
 */
#ifndef DXL_VARIANT_H
#define DXL_VARIANT_H

#include "key.h"

#include <linux/compiler.h>
#include <linux/types.h>

/*
 * C(KNOB, CHOICE, name, help): the sound one first. The help ends with the
 * commit or the mail that the choice is traced to.
 */
#define DXL_CHOICES_WAIT_KEY(C)						\
	C(WAIT_KEY, ENTRY, "entry",					\
	  "sleep on the first index of the entry that was found (23c84eb78375)") \
	C(WAIT_KEY, SEARCHER, "searcher",				\
	  "grabs sleep on their own index, aligned if a PMD entry is found; lost where order_rule lets PMD grabs wait for PTE entries: bug of v4.20 (b15cd800682f)") \
	C(WAIT_KEY, MASKED, "masked",					\
	  "sleep and wake on the PMD's first index, always; wake one: the naive fix (Williams, July 2019)") \
	C(WAIT_KEY, MASKED_ALL, "masked_all",				\
	  "likewise, and every unlock wakes all: correct, a herd (2019 thread)")

#define DXL_CHOICES_BUCKET(C)						\
	C(BUCKET, HASHED, "hashed", "the hash of its key picks a waiter's queue") \
	C(BUCKET, ONE, "one",						\
	  "all keys share a queue: collisions by force; sound, since the wake function compares keys (rule 5)")

#define DXL_CHOICES_ORDER_RULE(C)					\
	C(ORDER_RULE, CONFLICT, "conflict",				\
	  "a smaller entry is a conflict, told at once (23c84eb78375)")	\
	C(ORDER_RULE, WAIT_OWN, "wait_own",				\
	  "wait for a locked smaller entry, then tell the conflict with a put on the searcher's own index (v4.20, b15cd800682f)") \
	C(ORDER_RULE, ANY_ORDER, "any_order",				\
	  "wait for an entry of any order on its own key, then tell the conflict with a put on that key (Kara, July 2019)") \
	C(ORDER_RULE, RETURN_LOCKED, "return_locked",			\
	  "return the smaller entry as it is, locked or not: a conflict; put wakes nobody for a locked one (Wilcox, 4 July 2019)") \
	C(ORDER_RULE, BEFORE_NULL, "before_null",			\
	  "order tested before NULL: nothing there is a conflict (bug fixed by 6370740e5f8e)")

#define DXL_CHOICES_PUT(C)						\
	C(PUT, RIGHT, "right",						\
	  "an entry that is not locked is put: wakes the next (61c30c98ef17)") \
	C(PUT, INVERTED, "inverted",					\
	  "put wakes for conflicts only, so for no entry: bug of v5.3-rc1 (23c84eb78375 as merged)")

#define DXL_CHOICES_WAKE_REMOVAL(C)					\
	C(WAKE_REMOVAL, ALL, "all", "removal wakes all (237388320def)")	\
	C(WAKE_REMOVAL, NEXT, "next",					\
	  "removal wakes one, who finds nothing wakes nobody: bug of v4.10..v5.12 (c6dcf52c23d2)") \
	C(WAKE_REMOVAL, NEXT_GONE, "next_gone",				\
	  "likewise, but who finds nothing wakes the next on the index where he looked: hangs for PMD entries (Goyal v1, 2021)") \
	C(WAKE_REMOVAL, BOTH_KEYS, "both_keys",				\
	  "likewise, on that index and on the PMD's first: still hangs for PTE grabs that slept for a PMD entry (2021 thread)")

#define DXL_CHOICES_WAKE_DOWNGRADE(C)					\
	C(WAKE_DOWNGRADE, ALL, "all", "downgrade wakes all (ac401cc78242)") \
	C(WAKE_DOWNGRADE, NEXT, "next", "downgrade wakes one (never shipped)") \
	C(WAKE_DOWNGRADE, PASS_ON, "pass_on",				\
	  "downgrade wakes one, and who was woken and meets a conflict wakes the next: hangs for mixed waiters (never shipped)")

#define DXL_CHOICES_BATON(C)						\
	C(BATON, PUT, "put",						\
	  "a woken waiter that does not lock passes the wake on (put_unlocked_entry(), ac401cc78242)") \
	C(BATON, KEEP, "keep",						\
	  "it does not, as dax_lock_mapping_entry() at first (fixed by 25bbe21bf427)")

#define DXL_CHOICES_LOOKUP(C)						\
	C(LOOKUP, FIND_CONFLICT, "find_conflict",			\
	  "a PMD grab sees any entry of its range (0e40de0338d0)")	\
	C(LOOKUP, LOAD, "load",						\
	  "xas_load(): sees the first 64 pages only, the store swallows other PTE entries: bug of 4.20-rc (fixed by 0e40de0338d0)") \
	C(LOOKUP, EEXIST, "eexist",					\
	  "xas_load(), but nothing is stored over an entry: as the radix tree did (Kara, 2019)")

#define DXL_CHOICES_DOWNGRADE(C)					\
	C(DOWNGRADE, LOCKED, "locked",					\
	  "the PMD entry is locked while xa_lock is dropped, and removed after a fresh look (ac401cc78242)") \
	C(DOWNGRADE, UNLOCKED, "unlocked",				\
	  "it is not locked meanwhile, and what is there then is removed (never shipped)") \
	C(DOWNGRADE, SKIP_UNMAP, "skip_unmap", "its zero page stays mapped (never shipped)") \
	C(DOWNGRADE, LATE_WAKE, "late_wake",				\
	  "the wake comes after xa_lock was dropped once more, and wakes one (never shipped)") \
	C(DOWNGRADE, STICKY, "sticky",					\
	  "the decision to downgrade outlives a retry, which removes what it finds: bug of v4.20..v5.x (b15cd800682f)")

#define DXL_CHOICES_HOLE_PAGE(C)					\
	C(HOLE_PAGE, ENTRY, "entry", "a hole has an entry like any other (91d25ba8a6b0)") \
	C(HOLE_PAGE, WAKE_ONE, "wake_one",				\
	  "a read fault swaps its locked entry for one that is mapped without a lock, and wakes one: bug of v4.9 (fixed by 965d004af540)") \
	C(HOLE_PAGE, WAKE_ALL, "wake_all", "likewise, and wakes all (965d004af540)")

#define DXL_CHOICES_MAP_ORDER(C)					\
	C(MAP_ORDER, INSIDE, "inside",					\
	  "the block map is read under the entry lock (13e451fdc1af, 876f29460cbd)") \
	C(MAP_ORDER, BEFORE, "before", "before the entry lock: bug of v4.10 (9f141d6ef625)") \
	C(MAP_ORDER, TWICE, "twice",					\
	  "before, and write(2) invalidates twice, before and after the copy (2017 thread): narrower only") \
	C(MAP_ORDER, RWSEM, "rwsem",					\
	  "before, and write(2) excludes faults by invalidate_lock: sound, does not scale (2017 thread)") \
	C(MAP_ORDER, BLIND, "blind",					\
	  "before, and what was seen is stored whatever is there: no entry lock, as before v4.7 (ac401cc78242)")

#define DXL_CHOICES_TXN(C)						\
	C(TXN, NONE, "none", "no transaction: each change of the map is one store") \
	C(TXN, KEPT, "kept",						\
	  "write(2) keeps its handle while it copies, a fault takes one under the entry lock: deadlock (2016)") \
	C(TXN, DROPPED, "dropped", "write(2) drops its handle before the copy") \
	C(TXN, FIRST, "first",						\
	  "write(2) keeps it, a write fault takes its own before the entry lock (fb26a1cbed8c)")

#define DXL_CHOICES_INVALIDATE(C)					\
	C(INVALIDATE, ENTRIES_FIRST, "entries_first",			\
	  "entries, then one unmap of the range (cd656375f941)") \
	C(INVALIDATE, UNMAP_FIRST, "unmap_first", "the other way round") \
	C(INVALIDATE, PER_ENTRY, "per_entry",				\
	  "each entry unmapped under its lock, then removed (Zwisler v1, 2017)") \
	C(INVALIDATE, SKIP_UNCOUNTED, "skip_uncounted",			\
	  "nothing is done if no page cache page is counted: bug of v4.11 (cd656375f941)") \
	C(INVALIDATE, DROP_DIRTY, "drop_dirty", "dirty entries go as well (c6dcf52c23d2)") \
	C(INVALIDATE, EARLY, "early", "before the blocks are allocated") \
	C(INVALIDATE, UNTOLD, "untold",					\
	  "the map does not tell that it changed (IOMAP_F_NEW not set)")

#define DXL_CHOICES_EVICT(C)						\
	C(EVICT, NEVER, "never", "fadvise and drop_caches leave entries alone (4636e70bb0a8)") \
	C(EVICT, CLEAN, "clean",					\
	  "POSIX_FADV_DONTNEED removes clean entries and leaves their mappings: bug of v4.11")

#define DXL_CHOICES_RECHECK(C)						\
	C(RECHECK, LOCKED, "locked",					\
	  "the pmd is looked at again under the entry lock (e2093926a098)") \
	C(RECHECK, NONE, "none", "it is not: bug of v4.11")		\
	C(RECHECK, DATA_ONLY, "data_only",				\
	  "only huge pages of data are seen, not the huge zero page (v2 of the fix, 2017)")

#define DXL_CHOICES_COLOUR(C)						\
	C(COLOUR, FIRST, "first", "colours are compared before the grab (fffa281b48a9)") \
	C(COLOUR, LATE, "late", "after it, by the frame only: holes are missed: bug of v4.12")

#define DXL_CHOICES_SCAN(C)						\
	C(SCAN, RESET, "reset",						\
	  "a walk that met a locked entry looks it up anew (6be3e21d25ca, dd59137bfe70)") \
	C(SCAN, POSITIONED, "positioned",				\
	  "it asks for a conflict where it stands, and skips the entry: bug of v4.20..v6.14") \
	C(SCAN, PAUSE, "pause",						\
	  "it pauses, sleeps, and reloads the neighbour: bug of v6.15 (6be3e21d25ca)")

#define DXL_CHOICES_SYNC_SCAN(C)					\
	C(SYNC_SCAN, RESET, "reset",					\
	  "writeback waits for every locked entry of its work list (races.md B3)") \
	C(SYNC_SCAN, POSITIONED, "positioned",				\
	  "it skips locked entries: open in v7.3 (races.md B3)")

#define DXL_CHOICES_TOWRITE(C)						\
	C(TOWRITE, AFTER_FLUSH, "after_flush",				\
	  "TOWRITE goes with DIRTY, after the flush (races.md B3b)") \
	C(TOWRITE, AT_LOCK, "at_lock",					\
	  "it goes when the entry is locked: open in v7.3 (races.md B3b)") \
	C(TOWRITE, AT_PROTECT, "at_protect",				\
	  "it goes when the entry is write-protected: narrower only (proposed here)") \
	C(TOWRITE, WAIT_LOCKED, "wait_locked",				\
	  "it goes at lock, but a sync that is through waits for every entry that is DIRTY and locked (races.md B3b)") \
	C(TOWRITE, DIRTY_WALK, "dirty_walk",				\
	  "there is no work list: a sync walks once over DIRTY entries, and waits for locked ones (races.md B3b)") \
	C(TOWRITE, SERIALISED, "serialised",				\
	  "it goes at lock, but syncs of a file exclude each other (races.md B3b)")

#define DXL_CHOICES_PROTECT(C)						\
	C(PROTECT, ALL, "all",						\
	  "every mapping of an entry is write-protected (06083a0921fd)") \
	C(PROTECT, HEAD, "head",					\
	  "those of its first page only: small mappings of a PMD entry stay writable: bug of v4.11..v5.18 (fixed by 06083a0921fd)") \
	C(PROTECT, RAW_HEAD, "raw_head",				\
	  "those of the page where the sync began, if that lies in the entry: bug of v4.20..v5.0 (9fc747f68d49, fixed by e4b3448bc346)") \
	C(PROTECT, SKIP_HUGE, "skip_huge",				\
	  "those of PMD entries are not: bug of v4.10-rc (4b4bb46d00b3, fixed by f729c8c9b24f)")

#define DXL_CHOICES_FLUSH(C)						\
	C(FLUSH, WHOLE, "whole", "all of an entry is flushed (e583b5c472bd)") \
	C(FLUSH, FIRST_PAGE, "first_page",				\
	  "the first page of a PMD entry: what flush_cache_page() was for a huge page (fixed by e583b5c472bd)") \
	C(FLUSH, FROM_START, "from_start",				\
	  "a PMD entry from the page on where the sync began (never shipped; e4b3448bc346 was about write-protection)")

#define DXL_CHOICES_FLUSH_ORDER(C)					\
	C(FLUSH_ORDER, PROTECT_FLUSH_CLEAN, "protect_flush_clean",	\
	  "write-protect, flush, take the marks off (4b4bb46d00b3)")	\
	C(FLUSH_ORDER, PROTECT_CLEAN_FLUSH, "protect_clean_flush",	\
	  "a second sync finds it clean too early (races.md D1; never shipped)") \
	C(FLUSH_ORDER, CLEAN_PROTECT_FLUSH, "clean_protect_flush",	\
	  "likewise (races.md D1; never shipped)")			\
	C(FLUSH_ORDER, FLUSH_PROTECT_CLEAN, "flush_protect_clean",	\
	  "a store between flush and protection is forgotten (races.md D1; never shipped)") \
	C(FLUSH_ORDER, FLUSH_CLEAN_PROTECT, "flush_clean_protect",	\
	  "likewise, or between the marks and protection (races.md D1; never shipped)") \
	C(FLUSH_ORDER, CLEAN_FLUSH_PROTECT, "clean_flush_protect",	\
	  "likewise, and a second sync finds it clean too early (races.md D1; never shipped)")

#define DXL_CHOICES_SYNC_LOCK(C)					\
	C(SYNC_LOCK, HELD, "held",					\
	  "the entry is locked from protection to the end of the marks (a6abc2c0e77b)") \
	C(SYNC_LOCK, NONE, "none",					\
	  "it is not: a fault comes in between, and its mark is taken off (before a6abc2c0e77b)")

#define DXL_CHOICES_ADVANCE(C)						\
	C(ADVANCE, SIZE, "size", "a walk goes on behind the entry (XArray)") \
	C(ADVANCE, ONE, "one", "one index further, which may be the same entry (d7782145e1ad)") \
	C(ADVANCE, STUCK, "stuck",					\
	  "not at all: each batch starts where the first did (1eb643d02b21)")

#define DXL_CHOICES_CANARY(C)						\
	C(CANARY, NONE, "none", "no rule is broken")			\
	C(CANARY, LATE_ENQUEUE, "late_enqueue",				\
	  "a waiter enqueues after it dropped xa_lock (rule 2); never shipped") \
	C(CANARY, EARLY_WAKE, "early_wake",				\
	  "the wake comes before the store (rule 3); never shipped") \
	C(CANARY, STRANGER, "stranger",					\
	  "the wake function takes any key for its own (rule 5); never shipped") \
	C(CANARY, LEAVE, "leave",					\
	  "a woken grab with a fatal signal leaves without a put (rule 12; class of 25bbe21bf427)") \
	C(CANARY, NEW_KEY, "new_key",					\
	  "the wake of a removal uses the key of what comes after it (rule 7); never shipped")

#define DXL_CHOICES_SUBMIT(C)						\
	C(SUBMIT, TRYLOCK, "trylock",					\
	  "a folio that is locked already: submit what is held, then wait (Liu Bo, 2018; btrfs 01d658f2ca3c)") \
	C(SUBMIT, BLOCK, "block",					\
	  "wait for folio locks and writeback bits with the bio in hand: the bug of 2018") \
	C(SUBMIT, PER_FOLIO, "per_folio", "one bio for each folio, as XFS (Kara, Dec 2018)") \
	C(SUBMIT, UNLOCK_LATE, "unlock_late",				\
	  "wait with the bio in hand, but its folios stay locked until it is submitted (Kara, Dec 2018)") \
	C(SUBMIT, PLUG, "plug",						\
	  "a plug callback submits when the task is about to sleep (Kara, Dec 2018; blk_check_plugged())")

#define DXL_CHOICES_WRAP(C)						\
	C(WRAP, NEVER, "never",						\
	  "a cyclic walk ends at the end of the file (64081362e8ff)")	\
	C(WRAP, INSIDE, "inside",					\
	  "it goes on at the start with the bio in hand: bug before v4.20") \
	C(WRAP, SUBMITTED, "submitted", "it submits, then goes on at the start")

#define DXL_CHOICES_PF_ALLOC(C)						\
	C(PF_ALLOC, PREALLOC, "prealloc",				\
	  "the core has the page table before the fault locks a folio, if the pmd is empty (63f3655f9501)") \
	C(PF_ALLOC, UNDER_LOCK, "under_lock",				\
	  "allocated and charged under the folio lock: the bug of 2018")	\
	C(PF_ALLOC, ALWAYS, "always", "before the lock, needed or not (Hocko v1, Dec 2018)") \
	C(PF_ALLOC, UNUSED, "unused",					\
	  "before the lock, and under it all the same: bug of v5.12 (f9ce0be71d1f)") \
	C(PF_ALLOC, NOFS, "nofs",					\
	  "under the lock, but reclaim may not enter the filesystem (Chinner, Dec 2018)") \
	C(PF_ALLOC, UNCHARGED, "uncharged",				\
	  "under the lock, not charged to the memory cgroup (the reporter's workaround, Dec 2018)")

#define DXL_CHOICES_RECLAIM(C)						\
	C(RECLAIM, KERNEL, "kernel", "allocations do what the kernel does")	\
	C(RECLAIM, WAITS, "waits",					\
	  "a stand-in: a charged allocation that may enter the filesystem waits for a writeback that nobody has submitted (shrink_folio_list(), case 3)")

#define DXL_CHOICES_RETRY(C)						\
	C(RETRY, WAIT, "wait",						\
	  "a lookup that meets a frozen folio waits for who froze it; if that is nobody it fails with EIO") \
	C(RETRY, SPIN, "spin",						\
	  "it looks again at once, under RCU, for ever (e286781d5f2e, to this day)") \
	C(RETRY, BOUNCE, "bounce",					\
	  "likewise, but takes and drops the tree lock between (Wilcox, October 2022): hangs on a zombie") \
	C(RETRY, YIELD, "yield",						\
	  "it leaves RCU and calls cond_resched() (Chinner, October 2022): hangs on a zombie, or takes what is made of it") \
	C(RETRY, SKIP, "skip",						\
	  "it says that nothing is there (RFC \"mm: move xa forward when run across zombie page\", October 2022)") \
	C(RETRY, RECHECK, "recheck",					\
	  "as yield, but a folio that has another mapping or index is an error at once (2022 thread): hangs on one that was frozen in place")

#define DXL_CHOICES_SPLIT(C)						\
	C(SPLIT, RECHECK, "recheck",					\
	  "entry and order are compared under the lock with those that nodes were made for (6758c1128ceb)") \
	C(SPLIT, STALE, "stale",					\
	  "order and entry are read without the lock, nodes are filled then: bug of v5.17..v6.9 (6b24ca4a1a8d)") \
	C(SPLIT, RESET, "reset",						\
	  "likewise, and xas_reset() before the lock: the first idea, and no cure (2024 thread)") \
	C(SPLIT, ALLOC_ONLY, "alloc_only",				\
	  "likewise, but nodes are filled under the lock: the order can still differ (Wilcox, 2024)")

#define DXL_CHOICES_LAYOUT(C)						\
	C(LAYOUT, BREAK, "break",					\
	  "under invalidate_lock: unmap, scan, wait, and scan again (5fac7408d828, 430657b6be89)") \
	C(LAYOUT, NONE, "none", "nothing is waited for: bug before v4.18 (d2c997c0f145 only warned)") \
	C(LAYOUT, SCAN_FIRST, "scan_first",				\
	  "the scan comes before the unmap (never shipped; the comment in dax_layout_busy_page() forbids it)") \
	C(LAYOUT, NO_RESCAN, "no_rescan",				\
	  "what comes after the wait is not scanned again (never shipped)") \
	C(LAYOUT, UNLOCKED, "unlocked",					\
	  "all of it before invalidate_lock is taken (never shipped; the comment of ext4_break_layouts() forbids it)") \
	C(LAYOUT, LATE, "late",						\
	  "after the entries were deleted, so that nobody finds the pages (what bde708f1a65d makes impossible)") \
	C(LAYOUT, NOWAIT, "nowait",					\
	  "who meets a pinned page gives up with EAGAIN: sound (dax_break_layout() without a callback, v6.15)")

#define DXL_CHOICES_BUSY_SCAN(C)					\
	C(BUSY_SCAN, MAP, "map",					\
	  "by the block map, and again when blocks are freed: nothing that leaves memory matters") \
	C(BUSY_SCAN, ENTRIES, "entries",				\
	  "by the entries, and only then: of what has none nobody knows (5fac7408d828)") \
	C(BUSY_SCAN, MAPPED, "mapped",					\
	  "likewise, and a file that nobody maps is idle: bug of v4.18..v6.14 (cee91fa13a8e)") \
	C(BUSY_SCAN, UNTESTED, "untested",				\
	  "by the entries, and the frame is used before the kind is known: bug of v6.15 (98c183a4fccf, 3ad05dab9d27)")

#define DXL_CHOICES_BUSY_TEST(C)					\
	C(BUSY_TEST, HEAD, "head", "the references of the head page (38607c62b34b)") \
	C(BUSY_TEST, TAIL, "tail",					\
	  "those of the page itself, which a tail never has (never shipped)")

#define DXL_CHOICES_PIN_VAR(C)						\
	C(PIN_VAR, WAKER, "waker", "a waiter sleeps on the variable that a last put wakes") \
	C(PIN_VAR, OTHER, "other",					\
	  "it sleeps on the other one of the two that kernels had: &page->_refcount, and the page (38607c62b34b changed both sides)")

#define DXL_CHOICES_EVICT_PINNED(C)					\
	C(EVICT_PINNED, KEEP, "keep",					\
	  "pinned blocks of a deleted file stay in use until they are not pinned any more, over unmount too") \
	C(EVICT_PINNED, WAIT, "wait",					\
	  "its eviction waits for them: sound; who deletes it may have the pin (0e2f80afcfa6, v6.15)") \
	C(EVICT_PINNED, FREE, "free", "they are free at once: bug before v6.15 (0e2f80afcfa6)")

#define DXL_CHOICES_SYNC_FAULT(C)					\
	C(SYNC_FAULT, ONE, "one",					\
	  "a fault maps what is durable already: there is no second half") \
	C(SYNC_FAULT, KIND, "kind",					\
	  "each store to a page goes as with MAP_SYNC upstream: entry, fsync, look again, map; the kind is compared (71eab6dfd91e, caa51d26f85c)") \
	C(SYNC_FAULT, DROPPED, "dropped",				\
	  "likewise, and invalidate_lock is dropped between the halves (never shipped)") \
	C(SYNC_FAULT, FRAME, "frame",					\
	  "likewise, and the frame is compared too: sound (races.md C11)") \
	C(SYNC_FAULT, UNCHECKED, "unchecked",				\
	  "as dropped, and nothing is compared (never shipped)")

#define DXL_CHOICES_ASSOCIATE(C)					\
	C(ASSOCIATE, SWAP, "swap",					\
	  "frames are taken and put only where an entry is swapped (1571c029a2ff)") \
	C(ASSOCIATE, ALWAYS, "always",					\
	  "also by a page fault on a PMD entry, which stays: 512 are put, one is taken: bug of v4.16..v5.1 (fixed by 1571c029a2ff)")

#define DXL_CHOICES_WRITE_MAP(C)					\
	C(WRITE_MAP, IN_PLACE, "in_place", "to the block that it has")	\
	C(WRITE_MAP, COW, "cow",					\
	  "to a new block, and the map is swapped; faults are excluded, entries flushed before: sound (proposed here)") \
	C(WRITE_MAP, COW_REFUSED, "cow_refused",			\
	  "likewise, but faults go on and dirty entries stay: bug of v6.2 (f80e1668888f)") \
	C(WRITE_MAP, COW_CLEARS, "cow_clears",				\
	  "faults go on, dirty marks come off, also of locked entries, then what is clean goes (f76b3a32879d as of v6.12)") \
	C(WRITE_MAP, COW_WAITS, "cow_waits",				\
	  "likewise, once an entry is unlocked: what a fault makes dirty afterwards stays (v7.3)")

/* K(KNOB, name, meaning) */
#define DXL_KNOB_TABLE(K)						\
	K(WAIT_KEY, "wait_key", "what a waiter sleeps on")		\
	K(BUCKET, "bucket", "which keys share a wait queue")		\
	K(ORDER_RULE, "order_rule", "what a grab does about a smaller entry") \
	K(PUT, "put", "whom a put wakes")				\
	K(WAKE_REMOVAL, "wake_removal", "whom the removal of an entry wakes") \
	K(WAKE_DOWNGRADE, "wake_downgrade", "whom a downgrade wakes")	\
	K(BATON, "baton", "what a woken waiter does that does not lock") \
	K(LOOKUP, "lookup", "how a grab looks for entries")		\
	K(DOWNGRADE, "downgrade", "how a PMD entry without frame makes room") \
	K(HOLE_PAGE, "hole_page", "how a hole is locked")		\
	K(MAP_ORDER, "map_order", "where a fault reads the block map")	\
	K(TXN, "txn", "how long the metadata transaction is held")	\
	K(INVALIDATE, "invalidate", "what write(2) does about entries and mappings") \
	K(EVICT, "evict", "what cache dropping does to clean entries")	\
	K(RECHECK, "recheck", "whether a fault looks at the pmd again")	\
	K(COLOUR, "colour", "when a PMD fault compares colours")	\
	K(SCAN, "scan", "how truncate and punch walk over locked entries")	\
	K(SYNC_SCAN, "sync_scan", "how writeback walks over locked entries") \
	K(TOWRITE, "towrite", "when writeback clears TOWRITE, and what a sync waits for") \
	K(PROTECT, "protect", "which mappings a sync write-protects")	\
	K(FLUSH, "flush", "how much of an entry a sync flushes")	\
	K(FLUSH_ORDER, "flush_order", "in which order a sync protects, flushes and cleans") \
	K(SYNC_LOCK, "sync_lock", "whether a sync has the entry locked meanwhile") \
	K(ADVANCE, "advance", "where a walk goes on")			\
	K(CANARY, "canary", "which rule of the queue is broken on purpose") \
	K(SUBMIT, "submit", "what writepages does about its bio before it waits") \
	K(WRAP, "wrap", "what a cyclic writepages does at the end of the file") \
	K(PF_ALLOC, "pf_alloc", "where a page-cache fault allocates a page table") \
	K(RECLAIM, "reclaim", "what reclaim inside such an allocation waits for") \
	K(RETRY, "retry", "what a lookup does about a folio of which the count is 0") \
	K(SPLIT, "split", "how nodes are made for the split of a large shadow entry") \
	K(LAYOUT, "layout", "what truncate and punch do about pinned pages") \
	K(BUSY_SCAN, "busy_scan", "by what they find these")		\
	K(BUSY_TEST, "busy_test", "whose references tell that a page is pinned") \
	K(PIN_VAR, "pin_var", "on which variable a waiter for a pin sleeps") \
	K(EVICT_PINNED, "evict_pinned", "what becomes of pinned blocks of a deleted file") \
	K(SYNC_FAULT, "sync_fault", "how a store makes its block durable before it is mapped") \
	K(ASSOCIATE, "associate", "when a fault changes whose a frame is") \
	K(WRITE_MAP, "write_map", "where write(2) stores to a page that has data")

enum dxl_knob {
#define DXL_KNOB_ENUM(knob, name, meaning) DXL_KNOB_##knob,
	DXL_KNOB_TABLE(DXL_KNOB_ENUM)
#undef DXL_KNOB_ENUM
	DXL_NR_KNOBS
};

#define DXL_CHOICE_ENUM(knob, choice, name, help) DXL_##knob##_##choice,
#define DXL_KNOB_CHOICES(knob, name, meaning)				\
	enum { DXL_CHOICES_##knob(DXL_CHOICE_ENUM) DXL_NR_##knob };
DXL_KNOB_TABLE(DXL_KNOB_CHOICES)
#undef DXL_KNOB_CHOICES
#undef DXL_CHOICE_ENUM

/**
 * struct dxl_variant - the choices of a mount
 * @choice: by knob; all zero is "sound"
 */
struct dxl_variant {
	u8 choice[DXL_NR_KNOBS];
};

/* On while some mount has, or may still act by, a choice that is not sound. */
DXL_KEY_DECLARE(dxl_varied_key);

/* A build without windows and variants, to measure what they cost. */
#ifdef DAXLAB_BARE
#define DXL_BARE	1
#else
#define DXL_BARE	0
#endif

/* A build whose faults lock no entry that is there: see dxl_fault_floor(). */
#ifdef DAXLAB_FLOOR
#define DXL_FLOOR	1
#else
#define DXL_FLOOR	0
#endif

static __always_inline bool dxl_varied(void)
{
	return !DXL_BARE &&
	       dxl_key_on(dxl_varied_key);
}

/* variant.c */
struct seq_file;

int dxl_variant_parse(const char *text, struct dxl_variant *variant);
int dxl_variant_choose(enum dxl_knob knob, const char *name,
		       struct dxl_variant *variant);
bool dxl_variant_is_sound(const struct dxl_variant *variant);
void dxl_variant_set(struct dxl_variant *variant, const struct dxl_variant *to);
const char *dxl_knob_name(enum dxl_knob knob);
const char *dxl_choice_name(enum dxl_knob knob, unsigned int choice);
int dxl_knob_find(const char *name);
int dxl_choice_find(enum dxl_knob knob, const char *name);
void dxl_variant_show(struct seq_file *seq, const struct dxl_variant *variant);
void dxl_knobs_show(struct seq_file *seq);
void dxl_variant_options(struct seq_file *seq,
			 const struct dxl_variant *variant);
const char *dxl_variant_profile(const struct dxl_variant *variant);

#endif /* DXL_VARIANT_H */
