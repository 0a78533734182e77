/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Oracles: decide, from what is published, whether something is wrong; verdicts:
 * their sentences, with evidence.
 */
#ifndef DXL_ORACLE_H
#define DXL_ORACLE_H

#include "lab.h"

struct dxl_session;
struct inode;

/* V(KIND, name): the oracle in parentheses is that of races.md 0.3. */
#define DXL_VERDICT_KINDS(V)						\
	V(LOST_WAKEUP, "lost-wakeup")		/* O1 */		\
	V(ORPHAN_LOCK, "orphan-lock")		/* O2 */		\
	V(STALE, "stale-mapping")		/* O3: zeroes or another frame over data */ \
	V(UNTRACKED, "untracked-mapping")	/* O3: a mapping without entry */ \
	V(STALE_ENTRY, "stale-entry")		/* O3: entry and block map differ */ \
	V(COLLISION, "collision")		/* O3: page table and huge pmd */ \
	V(SKIPPED, "skipped-entry")		/* a walk passed an entry */ \
	V(LIVELOCK, "livelock")			/* O5 */		\
	V(DEADLOCK, "deadlock")			/* O6 */		\
	V(FAILED, "failed-store")		/* a fault failed that must not */ \
	V(ZOMBIE, "zombie-folio")		/* a slot holds a folio that is dead */ \
	V(FOREIGN, "foreign-folio")		/* or somebody else's by now */	\
	V(SPLIT, "broken-split")		/* of a large entry */		\
	V(BROKEN, "broken-promise")		/* O4: a sync returned, and stores are on no media */ \
	V(UNPROTECTED, "unprotected-mapping")	/* O4: writable, and the entry is clean */ \
	V(PINNED, "freed-pinned")		/* O7 */			\
	V(NO_FOLIO, "no-folio")			/* an entry without frame, taken for one */ \
	V(UNOWNED, "unowned-frame")		/* a memory error would not find its page */

enum dxl_verdict_kind {
#define DXL_VERDICT_ENUM(kind, name) DXL_VERDICT_##kind,
	DXL_VERDICT_KINDS(DXL_VERDICT_ENUM)
#undef DXL_VERDICT_ENUM
	DXL_NR_VERDICTS
};

/*
 * L(CAUSE, name): why a wakeup was lost; other kinds have the cause "-" or the
 * name of a damage.
 */
#define DXL_CAUSES(L)							\
	L(NONE, "-")							\
	L(KEY_MISMATCH, "key-mismatch")					\
	L(NOT_HANDED_ON, "consumed-without-hand-off")			\
	L(WAKE_BEFORE_STORE, "wake-before-store")			\
	L(NO_WAKE, "no-wake-issued")					\
	L(REPLACED, "entry-replaced")					\
	L(MISDIRECTED, "misdirected-wake")	/* one key, several locks */ \
	L(STRANGER, "burnt-on-a-stranger")	/* another key took it */ \
	L(LATE_ENQUEUE, "enqueued-too-late")				\
	L(STALE_KEY, "wake-on-the-new-key")				\
	L(PERMANENT, "permanent")	/* of a livelock: nobody will thaw it */ \
	L(TRANSIENT, "transient")	/* somebody will, and RCU is held till then */ \
	L(STALE_COPY, "stale-copy")	/* of a zombie: a split has put it there */ \
	L(FREEZER_LEFT, "freezer-left")	/* who froze it is gone */	\
	L(PASSED, "passed-while-locked")	/* of a broken promise: by this sync */ \
	L(TAKEN, "taken-from-its-list")		/* by another, that has not flushed */ \
	L(CLEAN, "marked-clean")		/* before it was flushed */	\
	L(DROPPED, "entry-dropped")		/* with its mark */		\
	L(PART, "flushed-in-part")		\
	L(NO_BREAK, "no-break")	/* why a pinned page was freed: nobody looked */ \
	L(EARLY_SCAN, "scan-before-unmap")				\
	L(NO_RESCAN, "no-rescan")					\
	L(UNLOCKED, "break-unlocked")					\
	L(LATE_BREAK, "break-after-delete")				\
	L(NO_ENTRY, "no-entry")		/* by which it would be found */ \
	L(UNMAPPED, "thought-idle")	/* since nobody maps the file */ \
	L(EVICTED, "evicted")						\
	L(TAIL, "tail-tested")						\
	L(FREE, "free")			/* it is free, and pinned */	\
	L(PIN_VARIABLE, "pin-variable")	/* nobody wakes what a waiter sleeps on */

enum dxl_cause {
#define DXL_CAUSE_ENUM(cause, name) DXL_CAUSE_##cause,
	DXL_CAUSES(DXL_CAUSE_ENUM)
#undef DXL_CAUSE_ENUM
	DXL_NR_CAUSES
};

/* oracle_wake.c: while watched, where a lost wakeup can first be true; xa_lock */
void dxl_oracle_tree(struct dxl_tree *tree);
void dxl_oracle_forget(struct dxl_lab *lab);

#endif /* DXL_ORACLE_H */
