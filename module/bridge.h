/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bridge: our windows in the kernel's own fs/dax.c, for one file of a stock
 * filesystem.
 *
 * A session that is bound to such a file arms, parks and releases as it would on
 * a mount of ours. A window is a function of fs/dax.c: ftrace lets its callers
 * enter a wrapper instead (bridge_hook.c), which crosses the window, calls the
 * function, and crosses what comes after. Tasks are parked where the kernel holds
 * no spinlock, and no error is put in. Nothing of the kernel is changed, unless the
 * session asks for a cure (bridge_cure.c): what a wrapper can do about a bug.
 */
#ifndef DXL_BRIDGE_H
#define DXL_BRIDGE_H

#include "window.h"

struct dxl_bridge;
struct seq_file;

/*
 * The file of a descriptor, which must be in DAX mode and none of ours. Its
 * mount stays busy until dxl_bridge_close(). @without: a function of fs/dax.c that
 * is not to be hooked, as on a kernel that does not have it; or NULL. May sleep.
 * -EBUSY: somebody has a bridge; -EOPNOTSUPP: not on this kernel; -EINVAL: no such
 * function; others by the file. *why tells, and stays.
 */
struct dxl_bridge *dxl_bridge_open(unsigned int fd, const char *without,
				   const char **why);
void dxl_bridge_close(struct dxl_bridge *bridge);	/* NULL: nothing */

/* Its log, and what rules compare. */
struct dxl_lab *dxl_bridge_lab(struct dxl_bridge *bridge);

/* NULL: rules can be armed at this window here; else why not. */
const char *dxl_bridge_refuses(enum dxl_window window);

void dxl_bridge_exit(void);	/* nobody has one, nobody is in a wrapper */

void dxl_bridge_mark(struct dxl_bridge *bridge);	/* forget syncs */
void dxl_bridge_show(struct seq_file *seq, struct dxl_bridge *bridge);

/* bridge_cure.c: -EINVAL: no such cure; -EOPNOTSUPP: not on this kernel */
#define DXL_CURES	"none, reset, reset_wait"
int dxl_bridge_cure(struct dxl_bridge *bridge, const char *name);

/* bridge_record.c: from now on all syncs are summed, no window is crossed */
int dxl_bridge_record(struct dxl_bridge *bridge);

/* bridge_look.c: does a task sleep for an entry of the file, and on which key? */
bool dxl_bridge_waits(const struct dxl_bridge *bridge,
		      const struct task_struct *task, pgoff_t *key);

#endif /* DXL_BRIDGE_H */
