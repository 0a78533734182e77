/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sessions: an open control file with its roles and armed windows. close()
 * disarms and releases all of it, and rescues if a hang is proven, or may come
 * yet: in a mount that is not sound somebody is parked, or a deed under way.
 *
 * COMMANDS, one line per write(2):
 *	bind DEV			the mount, by its s_id ("daxlab0")
 *	bridge FD [without FUNCTION]	or a file in DAX mode of ext4 or xfs (bridge.h);
 *					as if the kernel's FUNCTION could not be hooked
 *	role NAME			the calling task plays NAME from now on
 *	unrole
 *	begin [TEXT] | end		the calling role's deed begins, ends
 *	seed N				of random decisions (p%)
 *	arm WINDOW RULE | disarm WINDOW|all
 *	wait ROLE|all STATE [MS]	STATE: parked[:WINDOW] asleep blocked spinning
 *					idle still
 *	release ROLE|all		from the windows where they are parked
 *	mark				a new run: forget log, hits, damages, verdict
 *	verdict				ask the oracles; -EBUSY if not quiescent
 *	listing				keep who did what since mark, for the report; and
 *					windows in the order in which they were crossed
 *	cure NAME | record		of a bridge (bridge.h)
 *	rescue				end every hang of the mount
 *	flush FD [PAGES]		write back a file as the flusher does: cyclic
 *
 * A role that begins a deed should say so before it tells others: who waits for
 * it then never finds it idle too early. The session ends when the file is
 * closed for the last time, or when the process that opened it exits: a task
 * that hangs with the file open is rescued too.
 *
 * "still" is any state but running; "wait" gives -ETIME when MS (default
 * 10000, at most 60000) are over, and -ESRCH if the role cannot come there any
 * more (idle, when it should be parked, asleep or blocked).
 * read(2) from offset 0 gives the report: see session_show(). poll(2): POLLIN
 * when a role changed its state since the last read.
 *
 * RULE (fail(9)'s grammar with selectors), terms joined by " -> ":
 *	[N*][p%]action[(arg)][{role=,pid=,ino=,index=a-b,order=,rw=r|w}]
 * actions: off, trace, error(-E), delay(us), yield, park[(ms)], fallback. A
 * term that does not act (its N are used up, its p% or selectors say no) gives
 * way to the next. Another rule at the same window is one more, tried after the
 * first; the same rule again has its N* again.
 */
#ifndef DXL_SESSION_H
#define DXL_SESSION_H

#include "role.h"

#include <linux/file.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>

struct dentry;
struct dxl_bridge;

#define DXL_PARK_MS		2000
#define DXL_PARK_MS_MAX		60000
#define DXL_WAIT_MS		10000
#define DXL_WAIT_MS_MAX		60000

/**
 * struct dxl_session - an open control file
 * @list: of all sessions
 * @lock: serialises commands that change the session; not held while waiting
 * @lab: the mount it is bound to, or NULL, guarded by @lock; umount unbinds
 * @bridge: the stock file it is bound to instead, or NULL, guarded by @lock
 * @no_bridge: why the last "bridge" was refused, or NULL, likewise
 * @opener: the process that opened it
 * @over: it has ended, though the file is open: every command fails
 * @roles: struct dxl_role, under @lock for changes and RCU for looks
 * @nr_roles: ids given
 * @seed: of random decisions
 * @changed: woken when a role changes its state
 * @changes: counts them
 * @seen: @changes at the last read
 * @overdue: parks that ended by their bound since mark: the run is inconclusive
 * @quiet_ns: ktime_get_ns() of the last change of a role's state
 * @verdict: text of the last verdict, or NULL
 * @listing: what "listing" has kept, or NULL
 */
struct dxl_session {
	struct list_head list;
	struct mutex lock;
	struct dxl_lab *lab;
	struct dxl_bridge *bridge;
	const char *no_bridge;
	struct pid *opener;
	bool over;
	struct list_head roles;
	u16 nr_roles;
	u64 seed;
	wait_queue_head_t changed;
	atomic64_t changes;
	u64 seen;
	atomic_t overdue;
	atomic64_t quiet_ns;
	struct dxl_verdict *verdict;
	struct dxl_listing *listing;
};

/* role.c: who plays; under the session's lock */
int dxl_role_add(struct dxl_session *session, const char *name);
int dxl_role_drop(struct dxl_session *session);
void dxl_roles_reap(struct dxl_session *session);
void dxl_roles_clear(struct dxl_session *session);
struct dxl_role *dxl_role_mine(struct dxl_session *session);
struct dxl_role *dxl_role_named(struct dxl_session *session, const char *name);
void dxl_role_begin(struct dxl_role *role, bool begins);
const char *dxl_role_state_name(enum dxl_role_state state);

/* session.c */
extern const struct file_operations dxl_control_fops;
void dxl_session_init(struct dxl_session *session);
void dxl_session_unbind(struct dxl_lab *lab);
struct dxl_lab *dxl_session_log(const struct dxl_session *session);
int dxl_refuse(int err, const char *text, const char *why);

/* session_command.c, session_show.c */
int dxl_session_command(struct dxl_session *session, char *line);
int dxl_session_show(struct seq_file *seq, void *unused);

/* window_files.c: debugfs windows/, and the session of those who use it */
void dxl_windows_debugfs(struct dentry *root);
void dxl_windows_debugfs_exit(void);
void dxl_oracles_mounted(struct dxl_lab *lab);

/* role_block.c: is a role that says RUNNING on a wait list? Names what, if @what. */
bool dxl_role_blocked(const struct dxl_role *role, char *what, size_t size);
bool dxl_role_spins(const struct dxl_role *role);
bool dxl_session_still(struct dxl_session *session);
bool dxl_roles_idle(const struct dxl_session *session);

/*
 * verdict.c. dxl_verdict_ask() runs all oracles over the mount of a still
 * session; dxl_verdict_show() prints the sentence, the evidence, the chain and
 * the listing, dxl_verdict_json() the same as JSON.
 */
struct dxl_verdict;
int dxl_verdict_ask(struct dxl_session *session);
void dxl_verdict_free(struct dxl_verdict *verdict);
bool dxl_session_hangs(struct dxl_session *session);
void dxl_verdict_show(struct seq_file *seq, const struct dxl_verdict *verdict);
void dxl_verdict_json(struct seq_file *seq, const struct dxl_verdict *verdict);

/* listing.c: who did what since mark, a column per role */
struct dxl_listing;
int dxl_listing_ask(struct dxl_session *session);
void dxl_listing_print(struct seq_file *seq, const struct dxl_listing *listing,
		       const char *indent);
void dxl_listing_free(struct dxl_listing *listing);

/* rescue.c: end every wait that a knob or a window made on this mount */
void dxl_rescue(struct dxl_lab *lab);
void dxl_rescue_bios(struct dxl_lab *lab);

/* window.c: what a session has armed */
int dxl_window_arm(struct dxl_session *session, enum dxl_window window,
		   const char *rule);
void dxl_window_disarm(struct dxl_session *session, int window);	/* -1: all */
void dxl_window_release(struct dxl_session *session, const struct dxl_role *role);
void dxl_window_rescue(struct dxl_lab *lab);	/* release all that are parked there */
void dxl_windows_show(struct seq_file *seq, const struct dxl_session *session);
void dxl_windows_forget(struct dxl_session *session);
bool dxl_park_any(const struct dxl_session *session);
void dxl_park_orphan(struct dxl_session *session);

#endif /* DXL_SESSION_H */
