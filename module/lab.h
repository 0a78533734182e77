/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The laboratory of a mount: its variant, and what happened in it.
 *
 * Everything here is dead while nobody watches: one static key,
 * dxl_watched_key, is off until a session is open, a window is armed or the
 * oracles are switched on. Then each step of the protocol leaves an event in
 * the log of its mount, in the order in which it happened: events of one tree
 * are noted under its xa_lock or under the lock of the wait queue.
 */
#ifndef DXL_LAB_H
#define DXL_LAB_H

#include "key.h"
#include "variant.h"

#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct dentry;
struct dxl_cache;
struct dxl_finding;
struct dxl_tree;
struct dxl_waiter;
struct seq_file;
struct super_block;

DXL_KEY_DECLARE(dxl_watched_key);

static __always_inline bool dxl_watched(void)
{
	return !DXL_BARE &&
	       dxl_key_on(dxl_watched_key);
}

/* Count of reasons to watch; the static key follows. May sleep. */
void dxl_watch_get(void);
void dxl_watch_put(void);

/* Counts how often watching began: what was seen in another round has gaps. */
u64 dxl_watch_round(void);

/*
 * E(EVENT, name): what an event's fields mean. first, order: of the entry;
 * arg: see below.
 */
#define DXL_EVENT_TABLE(E)						\
	E(WINDOW, "window")	/* crossed; arg: enum dxl_window */	\
	E(PARK, "park")		/* arg: window */			\
	E(RELEASE, "release")	/* left it; arg: enum dxl_release */	\
	E(BEGIN, "begin")	/* a role starts its deed */		\
	E(END, "end")							\
	E(LOCK, "lock")		/* entry locked; arg: the value */	\
	E(STORE, "store")	/* unlocked value stored; arg: the value */ \
	E(INSERT, "insert")	/* a new locked entry; arg: the value */ \
	E(REMOVE, "remove")	/* entry out of the tree; arg: the value */ \
	E(SLEEP, "sleep")	/* first: of the key; index: searched; arg: first of what was found locked */ \
	E(WOKEN, "woken")	/* by whoever: noted by the waker; arg: pid of the woken; first: key */ \
	E(AWAKE, "awake")	/* the woken looks again; arg: enum dxl_found */ \
	E(WAKE, "wake")		/* first: key; index: of the entry it is for; arg: woken << 1 | all */ \
	E(PUT, "put")		/* a wake passed on; first: key */	\
	E(CONFLICT, "conflict")	/* told to the caller */		\
	E(MAP, "map")		/* page table; arg: pfn */		\
	E(UNMAP, "unmap")	/* first, arg: pages */			\
	E(BLOCKS, "blocks")	/* block map changed; first, arg: pages */ \
	E(TXN, "txn")		/* arg: 0 wanted, 1 held, 2 ended */	\
	E(DAMAGE, "damage")	/* arg: enum dxl_damage */		\
	E(FREEZE, "freeze")	/* a folio's count, at 0; arg: what it was */ \
	E(THAW, "thaw")		/* the count is back, or the folio gone; arg: 1: gone */ \
	E(ZOMBIE, "zombie")	/* a lookup met a folio that nobody will thaw; index: looked up */ \
	E(SYNC, "sync")		/* called; arg: pages, of a stock file entries, that it is to flush */ \
	E(MET, "met")		/* a stock sync met a locked entry; arg: 0: and was told that none is there */ \
	E(FLUSHED, "flushed")	/* an entry, and the fence is past; arg: of a stock file its pfn */ \
	E(SYNCED, "synced")	/* returns; first: a page that it still owes; arg: how many, ~0: an error */ \
	E(SCAN, "scan")		/* for pinned pages; first; arg: the first that is, or -1 */ \
	E(PIN, "pin")		/* first: of a page; arg: enum dxl_pin_event */ \
	E(RESCUE, "rescue")

enum dxl_event_type {
#define DXL_EVENT_ENUM(event, name) DXL_EV_##event,
	DXL_EVENT_TABLE(DXL_EVENT_ENUM)
#undef DXL_EVENT_ENUM
	DXL_NR_EVENTS
};

enum dxl_found { DXL_FOUND_GONE, DXL_FOUND_UNLOCKED, DXL_FOUND_LOCKED, DXL_FOUND_SMALLER };

/* What a task does about a pinned page; the last is prevented: it is kept. */
enum dxl_pin_event {
	DXL_PIN_WAITS, DXL_PIN_GONE, DXL_PIN_GIVES_UP, DXL_PIN_KEEPS,
	DXL_PIN_FREES,
};

/* Why a parked task went on. */
enum dxl_release { DXL_RELEASED, DXL_OVERDUE, DXL_KILLED, DXL_RESCUED };

/**
 * struct dxl_event - something that a task did
 * @seq: counts the events of the mount
 * @ns: ktime_get_ns()
 * @tree: where, or NULL; only to compare
 * @task: who; only to compare
 * @pid: of @task
 * @comm: of @task
 * @role: id of its role in its session, 0: none
 * @type: enum dxl_event_type
 * @order: of the entry or of the search
 * @ino: of the tree
 * @first: see DXL_EVENT_TABLE
 * @index: likewise
 * @arg: likewise
 */
struct dxl_event {
	u64 seq;
	u64 ns;
	const struct dxl_tree *tree;
	const struct task_struct *task;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	u16 role;
	u8 type;
	u8 order;
	unsigned long ino;
	pgoff_t first;
	pgoff_t index;
	unsigned long arg;
};

#define DXL_LOG_EVENTS		1024

/**
 * struct dxl_log - the last events of a mount
 * @lock: raw enough for any context: irqs off
 * @seq: of the next event
 * @start: events before it belong to an earlier run (dxl_log_mark())
 * @event: a ring, by seq
 */
struct dxl_log {
	spinlock_t lock;
	u64 seq;
	u64 start;
	struct dxl_event event[DXL_LOG_EVENTS];
};

/*
 * Harm that a variant would have done to the kernel if the lab had let it:
 * noted, prevented, and told by the oracles. D(DAMAGE, name, sentence)
 */
#define DXL_DAMAGE_TABLE(D)						\
	D(UNLOCK_GONE, "unlock-gone", "an unlock found its entry gone")	\
	D(UNLOCK_FOREIGN, "unlock-foreign", "an unlock found another entry in place of its own") \
	D(UNLOCK_CLEAR, "unlock-clear", "an unlock found the lock bit clear") \
	D(SWALLOWED, "swallowed", "a PMD entry was stored over smaller entries") \
	D(PTE_UNDER_HUGE, "pte-under-huge", "a PTE would have been installed under a huge pmd") \
	D(HUGE_OVER_TABLE, "huge-over-table", "a huge pmd would have been installed over a page table") \
	D(SKIPPED, "skipped", "a walk passed an entry of its range")	\
	D(LOOP, "loop", "a walk came to the same entry twice in the same state") \
	D(STORE_FAILED, "store-failed", "a fault could not store its entry: another is there") \
	D(FOREIGN, "foreign", "a lookup got a folio that is somebody else's by now") \
	D(NO_FOLIO, "kind-untested", "the frame of an entry that has none would have been used: page 0, or zeroes that all share") \
	D(STALE_FRAME, "stale-frame", "a frame would have been mapped that the file does not have any more") \
	D(SPLIT_UNPREPARED, "unprepared", "an entry would have been split without nodes for it: a NULL dereference") \
	D(SPLIT_NODES, "wrong-nodes", "nodes that were made for an entry of another order would have come into the tree")

enum dxl_damage {
#define DXL_DAMAGE_ENUM(damage, name, sentence) DXL_DAMAGE_##damage,
	DXL_DAMAGE_TABLE(DXL_DAMAGE_ENUM)
#undef DXL_DAMAGE_ENUM
	DXL_NR_DAMAGES
};

/**
 * struct dxl_txn_waiter - a task that waits for the transaction
 * @list: in dxl_txn.waiters, until it has the handle
 * @task: who
 * @granted: it has; written under dxl_txn.lock
 */
struct dxl_txn_waiter {
	struct list_head list;
	struct task_struct *task;
	bool granted;
};

/**
 * struct dxl_txn - the metadata transaction of a mount, one handle at a time
 * @lock: guards @owner and @waiters
 * @owner: who has the handle, or NULL
 * @depth: how often
 * @waiters: struct dxl_txn_waiter of tasks that wait, for the wait-for graph
 * @queue: where they sleep
 */
struct dxl_txn {
	spinlock_t lock;
	struct task_struct *owner;
	unsigned int depth;
	struct list_head waiters;
	wait_queue_head_t queue;
};

/**
 * struct dxl_frozen - folios of a mount that are frozen, and who wants them
 * @lock: guards the lists; irqs off, inside the xa_lock of i_pages
 * @freezes: struct dxl_freeze
 * @spins: struct dxl_spin
 * @mutex: guards what follows; held briefly
 * @cache: the private page cache, or NULL until somebody uses it
 * @users: tasks that are in an operation on @cache
 * @sweep: the last of them empties it
 * @closed: the mount goes away, nobody comes in any more
 */
struct dxl_frozen {
	spinlock_t lock;
	struct list_head freezes;
	struct list_head spins;
	struct mutex mutex;
	struct dxl_cache *cache;
	unsigned int users;
	bool sweep;
	bool closed;
};

/* An entry, as it was at one time. */
struct dxl_entry_look {
	bool there;		/* there was one, with a frame */
	bool locked;
	bool dirty;
	bool towrite;
	pgoff_t first;
	unsigned int order;
};

/* A sync that has returned 0 with stores on no media (ledger.h), as it was. */
struct dxl_broken {
	const struct dxl_tree *tree;	/* only to compare, as all pointers here */
	const struct task_struct *task;
	pid_t pid;
	char comm[TASK_COMM_LEN];
	const struct task_struct *holder;	/* of the entry, at the return */
	pid_t holder_pid;			/* 0: nobody */
	char holder_comm[TASK_COMM_LEN];
	unsigned long ino;
	pgoff_t index;		/* of the first page */
	unsigned long pages;	/* in all */
	unsigned int lines;	/* of the first page */
	unsigned int offset;	/* of the first byte in that */
	u8 stored;
	u8 durable;
	unsigned int cause;	/* enum dxl_cause */
	struct dxl_entry_look seen;	/* at the call */
	struct dxl_entry_look now;	/* at the return */
};

#define DXL_BROKEN_KEPT		4

/**
 * struct dxl_ledger - what was stored and what of it is durable (ledger.h)
 * @lock: guards all of it; innermost but for spinlocks
 * @pages: struct dxl_ledger_page, by address
 * @nr_pages: of these
 * @flushes: struct dxl_ledger_flush that wait for their fence
 * @stores: struct dxl_storing
 * @round: of dxl_watch_round() that it is about
 * @seq: counts what happens to it
 * @untold: pages that could not be followed
 * @nr_broken: promises broken since mark
 * @broken: the first of them
 */
struct dxl_ledger {
	struct mutex lock;
	struct xarray pages;
	unsigned int nr_pages;
	struct list_head flushes;
	struct list_head stores;
	u64 round;
	u64 seq;
	unsigned long untold;
	unsigned long nr_broken;
	struct dxl_broken broken[DXL_BROKEN_KEPT];
};

/* Called inside faults and writeback, which reclaim may wait for. */
#define DXL_LAB_GFP		(GFP_NOFS | __GFP_NOWARN)

/**
 * struct dxl_owners - which page of which file a frame is (owner.h)
 * @lock: guards what the chunks hold, and that they are there; inside xa_lock of
 *	trees
 * @chunks: struct dxl_owner[DXL_PMD_PAGES], by frame >> DXL_PMD_ORDER
 * @round: of dxl_watch_round() that it is about
 */
struct dxl_owners {
	spinlock_t lock;
	struct xarray chunks;
	u64 round;
};

#define DXL_PIN_LOSSES		8

/**
 * struct dxl_pin_loss - a pinned block that a protocol would have freed
 * @ino: of the file that lost it
 * @block: which
 * @pfn: its frame
 * @refs: references of the frame, beyond that of an idle one
 * @cause: enum dxl_cause
 * @task: who would have freed it; only to compare
 * @pid: of @task
 * @comm: of @task
 */
struct dxl_pin_loss {
	unsigned long ino;
	u64 block;
	unsigned long pfn;
	int refs;
	unsigned int cause;
	const struct task_struct *task;
	pid_t pid;
	char comm[TASK_COMM_LEN];
};

/**
 * struct dxl_pins - the pin ledger of a mount
 * @lock: guards everything here; innermost
 * @waits: struct dxl_pin_wait of tasks that wait for the end of a pin
 * @nr_losses: pinned blocks that would have been freed since the last
 *	dxl_log_mark(); the first DXL_PIN_LOSSES are kept
 * @loss: these
 */
struct dxl_pins {
	spinlock_t lock;
	struct list_head waits;
	unsigned int nr_losses;
	struct dxl_pin_loss loss[DXL_PIN_LOSSES];
};

/**
 * struct dxl_lab - one in each mount
 * @variant: choices; written under @lock and read by anybody
 * @varied: the mount has a reference on dxl_varied_key, guarded by @lock
 * @changing: choices change, and who sleeps by the old ones may not yet have been
 *	told to look again
 * @log: events, or NULL until somebody watched this mount
 * @sb: whose lab
 * @dir: its directory in debugfs, or NULL
 * @lock: serialises changes of @variant, verdicts and rescues
 * @txn: the transaction (variants of knob txn only)
 * @frozen: frozen folios
 * @ledger: what is durable
 * @owners: whose the frames are
 * @pins: pinned pages
 * @rescues: counts rescues; a wait that a knob made ends when it changes
 * @stock: of a bridge: only the rules of its own session act in it
 * @damages: by kind, since the last dxl_log_mark()
 * @caught: the first lost wakeup since then that was seen with nobody in
 *	control, or NULL; set with xa_lock alone, freed under @lock
 * @folio_lock: guards @pwbs and @folio_holds
 * @pwb_rescues: counts dxl_pwb_rescue(); calls that began before hold no bio
 *	any more
 * @pwbs: struct dxl_pwb of all calls of writepages on page-cache files
 * @folio_holds: struct dxl_folio_hold of folio locks that our paths have
 */
struct dxl_lab {
	struct dxl_variant variant;
	bool varied;
	bool changing;
	struct dxl_log *log;
	struct super_block *sb;
	struct dentry *dir;
	struct mutex lock;
	struct dxl_txn txn;
	struct dxl_frozen frozen;
	struct dxl_ledger ledger;
	struct dxl_owners owners;
	struct dxl_pins pins;
	atomic_t rescues;
	bool stock;
	atomic_t damages[DXL_NR_DAMAGES];
	struct dxl_finding *caught;
	spinlock_t folio_lock;
	atomic_t pwb_rescues;
	struct list_head pwbs;
	struct list_head folio_holds;
};

/* Since the caller read the count: before he published anything, or slept. */
static inline bool dxl_rescued_since(const struct dxl_lab *lab, int rescues)
{
	return atomic_read(&lab->rescues) != rescues;
}

/* The choice that a mount takes at a knob; @lab may be NULL: sound. */
static __always_inline unsigned int dxl_choice(const struct dxl_lab *lab,
					       enum dxl_knob knob)
{
	if (!dxl_varied() || !lab)
		return 0;
	return READ_ONCE(lab->variant.choice[knob]);
}

/* log.c */
void dxl_lab_init(struct dxl_lab *lab, struct super_block *sb);
void dxl_lab_exit(struct dxl_lab *lab);
struct dxl_variant dxl_lab_variant(struct dxl_lab *lab);
void dxl_lab_vary(struct dxl_lab *lab, const struct dxl_variant *to);
void dxl_lab_settle(struct dxl_lab *lab);
int dxl_log_open(struct dxl_lab *lab);
void dxl_log_mark(struct dxl_lab *lab);
bool dxl_log_next(struct dxl_log *log, u64 *seq, struct dxl_event *event);
void dxl_log_add(const struct dxl_tree *tree, enum dxl_event_type type,
		 pgoff_t first, unsigned int order, pgoff_t index,
		 unsigned long arg);
void dxl_log_lab(struct dxl_lab *lab, enum dxl_event_type type);
void dxl_damage(const struct dxl_tree *tree, enum dxl_damage damage,
		pgoff_t first, unsigned int order);
const char *dxl_event_name(unsigned int type);
const char *dxl_damage_name(unsigned int damage);
const char *dxl_damage_sentence(unsigned int damage);

/* Note an event, if somebody watches. Any context. */
static __always_inline void dxl_note(const struct dxl_tree *tree,
				     enum dxl_event_type type, pgoff_t first,
				     unsigned int order, pgoff_t index,
				     unsigned long arg)
{
	if (dxl_watched())
		dxl_log_add(tree, type, first, order, index, arg);
}

/* folio_watch.c: one more, or one less, who wants to know of waits for folios */
void dxl_folio_watch(bool on);

/* txn.c: 0, -EDEADLK after a rescue, -EINTR after a fatal signal */
int dxl_txn_begin(struct dxl_lab *lab);
void dxl_txn_end(struct dxl_lab *lab);
void dxl_txn_rescue(struct dxl_lab *lab);

#endif /* DXL_LAB_H */
