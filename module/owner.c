// SPDX-License-Identifier: GPL-2.0
/*
 * Owners of frames: taken, put, asked for
 */
#include "owner.h"
#include "entry.h"

#include <linux/sched.h>
#include <linux/slab.h>

static void dxl_owner_clear(struct dxl_owner *owner, unsigned long nr,
			    pgoff_t index)
{
	for (; nr; nr--, owner++) {
		owner->tree = NULL;
		owner->index = index;
	}
}

static unsigned long dxl_owner_key(unsigned long frame)
{
	return frame >> DXL_PMD_ORDER;
}

/* The owner of a frame and, in one piece, of those behind it in 2 MiB. */
static struct dxl_owner *dxl_owner_at(struct dxl_owners *owners,
				      unsigned long frame)
{
	struct dxl_owner *chunk = xa_load(&owners->chunks, dxl_owner_key(frame));

	return chunk ? chunk + (frame & DXL_PMD_COLOUR) : NULL;
}

/* Room for the owners of the frames of an entry. False: no memory. */
static bool dxl_owner_make_room(struct dxl_owners *owners, const void *entry)
{
	unsigned long frame = dxl_entry_pfn(entry);
	struct dxl_owner *chunk;
	int err;

	if (dxl_owner_at(owners, frame))
		return true;
	chunk = kmalloc_array(DXL_PMD_PAGES, sizeof(*chunk), DXL_LAB_GFP);
	if (!chunk)
		return false;
	dxl_owner_clear(chunk, DXL_PMD_PAGES, DXL_OWNER_NONE);
	err = xa_insert(&owners->chunks, dxl_owner_key(frame), chunk,
			DXL_LAB_GFP);
	if (err)
		kfree(chunk);
	return !err || err == -EBUSY;
}

static void dxl_owners_clear(struct dxl_owners *owners)
{
	struct dxl_owner *chunk;
	unsigned long key;

	xa_for_each(&owners->chunks, key, chunk) {
		xa_erase(&owners->chunks, key);
		kfree(chunk);
	}
}

/* What was noted before nobody watched for a while is void. */
static void dxl_owners_open(struct dxl_owners *owners, u64 round)
{
	spin_lock(&owners->lock);
	if (owners->round < round) {
		dxl_owners_clear(owners);
		owners->round = round;
	}
	spin_unlock(&owners->lock);
}

/* Under xa_lock: do the owners of a tree's frames agree with it? */
static bool dxl_owner_follows(const struct dxl_tree *tree)
{
	return tree->lab && READ_ONCE(tree->owned) == dxl_watch_round();
}

/* Under xa_lock, and with the lock of the owners. False: there is no room. */
static bool dxl_owner_set(struct dxl_tree *tree, const void *entry,
			  pgoff_t first)
{
	struct dxl_owner *owner = dxl_owner_at(&tree->lab->owners,
					       dxl_entry_pfn(entry));
	unsigned long i;

	for (i = 0; owner && i < dxl_entry_pages(entry); i++) {
		owner[i].tree = tree;
		owner[i].index = first + i;
	}
	return owner;
}

/* Room for all that the entries of a tree have. False: no memory. */
static bool dxl_owner_make_rooms(struct dxl_tree *tree)
{
	unsigned long index = 0;
	bool made = true;
	void *entry;

	for (;;) {
		entry = xa_find(&tree->xa, &index, ULONG_MAX, XA_PRESENT);
		if (!entry || !made)
			return made;
		if (dxl_entry_is_data(entry))
			made = dxl_owner_make_room(&tree->lab->owners, entry);
		index = (index | (dxl_entry_pages(entry) - 1)) + 1;
		if (!index)
			return made;
		cond_resched();
	}
}

/* All at once, or none. False: there is no room for some. */
static bool dxl_owner_take_all(struct dxl_tree *tree, u64 round)
{
	struct dxl_owners *owners = &tree->lab->owners;
	unsigned long index, pages;
	bool room = true;
	void *entry;

	xa_lock(&tree->xa);
	spin_lock(&owners->lock);
	xa_for_each(&tree->xa, index, entry) {
		pages = dxl_entry_pages(entry);
		if (dxl_entry_is_data(entry))
			room = dxl_owner_set(tree, entry, index & ~(pages - 1));
		if (!room)
			break;
	}
	if (room)
		WRITE_ONCE(tree->owned, round);
	spin_unlock(&owners->lock);
	xa_unlock(&tree->xa);
	return room;
}

/**
 * dxl_owner_ready() - An entry is about to get a frame: there is room for that.
 * @tree: of which file; is followed from now on, unless there is no memory
 * @entry: its value
 *
 * Context: May sleep.
 */
void dxl_owner_ready(struct dxl_tree *tree, const void *entry)
{
	u64 round = dxl_watch_round();

	if (!tree->lab || !dxl_entry_is_data(entry))
		return;
	dxl_owners_open(&tree->lab->owners, round);
	if (!dxl_owner_make_room(&tree->lab->owners, entry))
		return;
	/* Entries come and go while room is made. */
	while (READ_ONCE(tree->owned) != round)
		if (!dxl_owner_make_rooms(tree) ||
		    dxl_owner_take_all(tree, round))
			return;
}

/**
 * dxl_owner_take() - The frames of an entry are pages of a file from now on.
 * @tree: of which
 * @entry: its value
 * @first: its first index
 *
 * Context: Called with xa_lock, in the hold in which the entry is stored.
 */
void dxl_owner_take(struct dxl_tree *tree, const void *entry, pgoff_t first)
{
	if (!dxl_owner_follows(tree) || !dxl_entry_is_data(entry))
		return;
	spin_lock(&tree->lab->owners.lock);
	if (!dxl_owner_set(tree, entry, first))
		WRITE_ONCE(tree->owned, 0);
	spin_unlock(&tree->lab->owners.lock);
}

/* The frames of an entry are nobody's; @index says why. */
static void dxl_owner_drop(struct dxl_tree *tree, const void *entry,
			   pgoff_t index)
{
	struct dxl_owners *owners = &tree->lab->owners;
	struct dxl_owner *owner;

	spin_lock(&owners->lock);
	owner = dxl_owner_at(owners, dxl_entry_pfn(entry));
	if (owner)
		dxl_owner_clear(owner, dxl_entry_pages(entry), index);
	spin_unlock(&owners->lock);
}

/**
 * dxl_owner_put() - They are so no more, since the entry goes.
 * @tree: of which
 * @entry: its value
 *
 * Whosever they are by now: dax_disassociate_entry() warns, and goes on.
 *
 * Context: As dxl_owner_take().
 */
void dxl_owner_put(struct dxl_tree *tree, const void *entry)
{
	if (dxl_owner_follows(tree) && dxl_entry_is_data(entry))
		dxl_owner_drop(tree, entry, DXL_OWNER_NONE);
}

/**
 * dxl_owner_mix() - A fault of one page puts all of an entry, and takes its page.
 * @tree: of which file
 * @entry: value of the entry, which stays as it is
 * @first: its first index
 * @index: of the fault
 *
 * associate=always (E7).
 *
 * Context: May sleep. The caller owns the entry.
 */
void dxl_owner_mix(struct dxl_tree *tree, const void *entry, pgoff_t first,
		   pgoff_t index)
{
	void *page = dxl_entry_make(dxl_entry_pfn(entry) + index - first, 0);

	dxl_owner_ready(tree, entry);
	xa_lock(&tree->xa);
	if (dxl_owner_follows(tree)) {
		dxl_owner_drop(tree, entry, index);
		dxl_owner_take(tree, page, index);
	}
	xa_unlock(&tree->xa);
}

/**
 * dxl_owner_of() - Whose is a frame?
 * @tree: that has it in an entry
 * @frame: which
 * @owner: receives the answer
 *
 * Context: Called with xa_lock.
 * Return: false: that is not known, since the tree is not followed.
 */
bool dxl_owner_of(const struct dxl_tree *tree, unsigned long frame,
		  struct dxl_owner *owner)
{
	const struct dxl_owner *at;

	if (!dxl_owner_follows(tree))
		return false;
	dxl_owner_clear(owner, 1, DXL_OWNER_NONE);
	spin_lock(&tree->lab->owners.lock);
	at = dxl_owner_at(&tree->lab->owners, frame);
	if (at)
		*owner = *at;
	spin_unlock(&tree->lab->owners.lock);
	return true;
}

/**
 * dxl_owners_init() - The owners of a new mount.
 * @owners: zeroed
 *
 * Context: Any context.
 */
void dxl_owners_init(struct dxl_owners *owners)
{
	spin_lock_init(&owners->lock);
	xa_init(&owners->chunks);
}

/**
 * dxl_owners_exit() - The end of a mount.
 * @owners: its owners; nobody uses them any more
 *
 * Context: Any context.
 */
void dxl_owners_exit(struct dxl_owners *owners)
{
	dxl_owners_clear(owners);
}
