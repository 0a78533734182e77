// SPDX-License-Identifier: GPL-2.0
/*
 * Rescue: end every wait that a knob or a window made on a mount
 *
 * Who is rescued gives up: a fault with SIGBUS, a system call with EIO. So a
 * hang that is proven costs no reboot: the tasks go, the mount and the module
 * can go after them.
 */
#include "fs.h"
#include "frozen.h"
#include "layout.h"
#include "pwb.h"
#include "session.h"

/* Under s_inode_list_lock, so the inode stays. */
static void dxl_rescue_inode(struct inode *inode, void *arg)
{
	dxl_tree_rescue(&DXL_I(inode)->tree);
}

/**
 * dxl_rescue() - End every hang of a mount; may be done any number of times.
 * @lab: of the mount
 *
 * First those that are parked: they may own what others wait for, and give it
 * back as if nobody had held them. Then the bios that nobody submits, the waits
 * for the transaction, which look at the count of rescues, those for frozen
 * folios, for pins, and for entries.
 *
 * Context: May sleep, but for nobody who may hang.
 */
void dxl_rescue(struct dxl_lab *lab)
{
	atomic_inc(&lab->rescues);
	dxl_window_rescue(lab);
	dxl_txn_rescue(lab);
	dxl_pwb_rescue(lab);
	dxl_frozen_rescue(lab);
	dxl_pins_rescue(lab);
	dxl_sb_visit_inodes(lab->sb, dxl_rescue_inode, NULL);
}

/**
 * dxl_rescue_bios() - Let no call of writepages hold a bio for others to wait for.
 * @lab: of the mount
 *
 * It hurts nobody: for the end of a session, whose parked tasks go on alone.
 *
 * Context: As dxl_rescue().
 */
void dxl_rescue_bios(struct dxl_lab *lab)
{
	dxl_pwb_rescue(lab);
}
