// SPDX-License-Identifier: GPL-2.0
/*
 * Freezers, registered; who waits for them; folios of files that are frozen and
 * thawed as reclaim would (frozen.h has the rules)
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "frozen.h"
#include "role.h"
#include "stats.h"
#include "window.h"

#include <linux/fadvise.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

/**
 * struct dxl_thaw_waiter - a lookup that waits for a freezer
 * @list: in dxl_freeze.waiters, until it is over
 * @task: whose
 * @done: it is over
 */
struct dxl_thaw_waiter {
	struct list_head list;
	struct task_struct *task;
	bool done;
};

/* The waiters take the lock before they leave, so they are there. */
static void dxl_freeze_wake(struct dxl_freeze *freeze)
	__must_hold(&freeze->tree->lab->frozen.lock)
{
	struct dxl_thaw_waiter *waiter, *next;

	list_for_each_entry_safe(waiter, next, &freeze->waiters, list) {
		list_del(&waiter->list);
		/* Before it can run: nobody sees it run unseen. */
		dxl_role_granted(waiter->task);
		WRITE_ONCE(waiter->done, true);
		wake_up_process(waiter->task);
	}
}

/**
 * dxl_freeze_end() - A folio is frozen no more.
 * @freeze: whose
 * @thaw: it gets its references back; else the caller has taken it out
 *
 * Context: Called with xa_lock of its mapping.
 * Return: false: it is over already, the guard has thawed it.
 */
bool dxl_freeze_end(struct dxl_freeze *freeze, bool thaw)
{
	struct dxl_frozen *frozen = &freeze->tree->lab->frozen;
	bool was;

	spin_lock(&frozen->lock);
	was = !freeze->over;
	if (was) {
		if (thaw)
			folio_ref_unfreeze(freeze->folio, freeze->refs);
		freeze->over = true;
		dxl_freeze_wake(freeze);
		dxl_note(freeze->tree, DXL_EV_THAW, freeze->index, 0,
			 freeze->index, !thaw);
	}
	spin_unlock(&frozen->lock);
	return was;
}

/*
 * Nobody has thawed a folio of a file for too long. No timer of the wheel: those
 * wait for ksoftirqd, if that waits for the CPU that a lookup spins on.
 */
static enum hrtimer_restart dxl_freeze_guard(struct hrtimer *timer)
{
	struct dxl_freeze *freeze = container_of(timer, struct dxl_freeze,
						 guard);
	struct xarray *xa = &freeze->mapping->i_pages;

	xa_lock(xa);
	if (dxl_freeze_end(freeze, true))
		dxl_stat_inc(DXL_STAT_FREEZES_GUARDED);
	xa_unlock(xa);
	return HRTIMER_NORESTART;
}

/**
 * dxl_freeze_free() - Forget a freeze that is over.
 * @freeze: it
 *
 * Context: May sleep.
 */
void dxl_freeze_free(struct dxl_freeze *freeze)
{
	struct dxl_frozen *frozen = &freeze->tree->lab->frozen;

	hrtimer_cancel(&freeze->guard);
	spin_lock_irq(&frozen->lock);
	list_del(&freeze->list);
	spin_unlock_irq(&frozen->lock);
	kfree(freeze);
}

/* Under xa_lock, as folios go and writeback begins, which has no reference. */
static bool dxl_freeze_may(const struct dxl_freeze *freeze)
{
	/* The private cache is ours alone, and variants damage its slots. */
	return !freeze->mapping->host ||
	       (xa_load(&freeze->mapping->i_pages, freeze->index) == freeze->folio &&
		!folio_test_dirty(freeze->folio) &&
		!folio_test_writeback(freeze->folio));
}

static bool dxl_freeze_start(struct dxl_freeze *freeze)
{
	struct dxl_frozen *frozen = &freeze->tree->lab->frozen;
	struct xarray *xa = &freeze->mapping->i_pages;
	bool done;

	xa_lock_irq(xa);
	done = dxl_freeze_may(freeze) &&
	       folio_ref_freeze(freeze->folio, freeze->refs);
	if (done) {
		spin_lock(&frozen->lock);
		list_add_tail(&freeze->list, &frozen->freezes);
		spin_unlock(&frozen->lock);
		dxl_note(freeze->tree, DXL_EV_FREEZE, freeze->index, 0,
			 freeze->index, freeze->refs);
	}
	xa_unlock_irq(xa);
	return done;
}

/* Who froze it goes away: whoever waits for him is told. */
static void dxl_freeze_leave(struct dxl_freeze *freeze, int own)
{
	struct dxl_frozen *frozen = &freeze->tree->lab->frozen;
	struct folio *thawed = NULL;

	spin_lock_irq(&frozen->lock);
	if (freeze->over)
		thawed = freeze->folio;
	freeze->refs -= own;
	freeze->left = true;
	dxl_freeze_wake(freeze);
	spin_unlock_irq(&frozen->lock);
	/* The guard was faster, and gave them back. */
	while (thawed && own--)
		folio_put(thawed);
}

/**
 * dxl_freeze() - Freeze a folio in its tree, and stay at freeze.held if told to.
 * @tree: names the file
 * @mapping: in whose i_pages it is
 * @folio: it; locked, or nobody else removes it
 * @refs: what its count must be, beside
 * @own: references of the caller
 *
 * Context: May sleep.
 * Return: The freeze, which the caller ends with dxl_freeze_end() and then
 * dxl_freeze_free(); -EBUSY: somebody else has a reference; -ENOMEM; -EIO: an
 * error was armed at the window: the folio stays frozen, a zombie, and @own are
 * gone.
 */
struct dxl_freeze *dxl_freeze(struct dxl_tree *tree,
			      struct address_space *mapping,
			      struct folio *folio, int refs, int own)
{
	struct dxl_freeze *freeze = kzalloc(sizeof(*freeze), GFP_KERNEL);
	int err;

	if (!freeze)
		return ERR_PTR(-ENOMEM);
	dxl_window(DXL_WIN_FREEZE_BEFORE, tree, folio->index,
		   folio_order(folio), DXL_ACCESS_NONE);
	freeze->tree = tree;
	freeze->mapping = mapping;
	freeze->folio = folio;
	freeze->index = folio->index;
	freeze->refs = refs + own;
	freeze->task = current;
	get_task_comm(freeze->comm, current);
	freeze->pid = current->pid;
	INIT_LIST_HEAD(&freeze->waiters);
	dxl_hrtimer_setup(&freeze->guard, dxl_freeze_guard);
	if (!dxl_freeze_start(freeze)) {
		kfree(freeze);
		return ERR_PTR(-EBUSY);
	}
	dxl_stat_inc(DXL_STAT_FREEZES);
	if (mapping->host)
		hrtimer_start(&freeze->guard, ms_to_ktime(DXL_GUARD_MS),
			      HRTIMER_MODE_REL);
	err = dxl_window(DXL_WIN_FREEZE_HELD, tree, freeze->index,
			 folio_order(folio), DXL_ACCESS_NONE);
	if (!err)
		return freeze;
	dxl_freeze_leave(freeze, own);
	return ERR_PTR(-EIO);
}

/**
 * dxl_freeze_of() - Who has frozen a folio?
 * @lab: of the mount
 * @folio: only to compare
 *
 * Context: Called with dxl_frozen.lock.
 * Return: The freeze, or NULL: nobody who is registered.
 */
struct dxl_freeze *dxl_freeze_of(struct dxl_lab *lab, const struct folio *folio)
{
	struct dxl_freeze *freeze;

	lockdep_assert_held(&lab->frozen.lock);
	list_for_each_entry(freeze, &lab->frozen.freezes, list)
		if (freeze->folio == folio && !freeze->over)
			return freeze;
	return NULL;
}

/**
 * dxl_freeze_owner() - For whom does a task wait?
 * @lab: of the mount
 * @task: waits for a frozen folio
 *
 * Context: Any context.
 * Return: The freezer, only to compare; NULL: it does not wait.
 */
const struct task_struct *dxl_freeze_owner(struct dxl_lab *lab,
					   const struct task_struct *task)
{
	const struct task_struct *owner = NULL;
	const struct dxl_thaw_waiter *waiter;
	const struct dxl_freeze *freeze;
	unsigned long flags;

	spin_lock_irqsave(&lab->frozen.lock, flags);
	list_for_each_entry(freeze, &lab->frozen.freezes, list)
		list_for_each_entry(waiter, &freeze->waiters, list)
			if (waiter->task == task)
				owner = freeze->task;
	spin_unlock_irqrestore(&lab->frozen.lock, flags);
	return owner;
}

/**
 * dxl_zombie_met() - A lookup met a folio that nobody will thaw: tell it.
 * @look: the lookup
 *
 * Context: Any context.
 * Return: -EIO.
 */
int dxl_zombie_met(const struct dxl_look *look)
{
	dxl_stat_inc(DXL_STAT_ZOMBIES_MET);
	dxl_note(look->tree, DXL_EV_ZOMBIE, look->index, 0, look->index, 0);
	dxl_err_ratelimited(look->tree->lab->sb,
			    "ino %lu: page 0x%lx: the folio there has no references, and nobody will give it any",
			    look->tree->ino, look->index);
	return -EIO;
}

/* 0, with @waiter on the list; -EAGAIN: look again; -EIO: a zombie. */
static int dxl_thaw_enqueue(const struct dxl_look *look,
			    struct dxl_thaw_waiter *waiter)
{
	struct dxl_lab *lab = look->tree->lab;
	struct dxl_freeze *freeze;
	int err = -EAGAIN;

	xa_lock_irq(dxl_pages(look));
	if (dxl_look_is_stuck(look)) {
		spin_lock(&lab->frozen.lock);
		freeze = dxl_freeze_of(lab, look->folio);
		err = freeze && !freeze->left ? 0 : -EIO;
		if (!err) {
			list_add_tail(&waiter->list, &freeze->waiters);
			if (!dxl_rescued_since(lab, look->rescues))
				dxl_role_rests(DXL_ROLE_FROZEN, look->index);
		}
		spin_unlock(&lab->frozen.lock);
	}
	xa_unlock_irq(dxl_pages(look));
	return err;
}

/**
 * dxl_freeze_wait() - Wait for who froze a folio: the sound rule.
 * @look: has met it
 *
 * The kernel's own freezers hold xa_lock as long as the count is 0, so what is
 * frozen under it and has no freezer of ours will never be thawed.
 *
 * Context: May sleep, killably.
 * Return: 0: look again; -EIO: nobody will thaw it; -EDEADLK: rescued; -EINTR.
 */
int dxl_freeze_wait(const struct dxl_look *look)
{
	struct dxl_lab *lab = look->tree->lab;
	struct dxl_thaw_waiter waiter = { .task = current };
	int err = dxl_thaw_enqueue(look, &waiter);

	if (err == -EIO)
		return dxl_zombie_met(look);
	if (err)
		return 0;
	dxl_stat_inc(DXL_STAT_LOOKUP_WAITS);
	for (;;) {
		set_current_state(TASK_KILLABLE);
		if (READ_ONCE(waiter.done) || fatal_signal_pending(current) ||
		    dxl_look_is_rescued(look))
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);

	spin_lock_irq(&lab->frozen.lock);
	if (!waiter.done) {
		list_del(&waiter.list);
		dxl_role_granted(current);
		err = fatal_signal_pending(current) ? -EINTR : -EDEADLK;
	}
	spin_unlock_irq(&lab->frozen.lock);
	return err;
}

/* What the filesystem keeps with a folio holds a reference to it. */
static void dxl_folio_release(struct folio *folio)
{
	/* Others set other flags beside it. */
	if (!data_race(folio_has_private(folio)) || !folio_trylock(folio))
		return;
	/* likewise */
	if (data_race(folio_has_private(folio)) && !folio_test_dirty(folio) &&
	    !folio_test_writeback(folio))
		filemap_release_folio(folio, GFP_KERNEL);
	folio_unlock(folio);
}

/*
 * Freeze and thaw; what reclaim does between is the kernel's. Nobody can lock or
 * map what has no references. Return: is the caller's reference still there?
 */
static bool dxl_freeze_one(struct inode *inode, struct folio *folio)
{
	struct dxl_freeze *freeze;

	dxl_folio_release(folio);
	freeze = dxl_freeze(&DXL_I(inode)->tree, inode->i_mapping, folio,
			    folio_nr_pages(folio), 1);
	if (IS_ERR(freeze))
		return PTR_ERR(freeze) == -EBUSY || PTR_ERR(freeze) == -ENOMEM;
	xa_lock_irq(&inode->i_data.i_pages);
	dxl_freeze_end(freeze, true);
	xa_unlock_irq(&inode->i_data.i_pages);
	dxl_freeze_free(freeze);
	return true;
}

/* Only what is in nobody's hands. False: a zombie is left, or was met. */
static bool dxl_freeze_range(struct inode *inode, pgoff_t first, pgoff_t last)
{
	struct address_space *mapping = inode->i_mapping;
	unsigned long index = first, next;
	struct folio *folio;

	while (index <= last && !fatal_signal_pending(current) &&
	       xa_find(&mapping->i_pages, &index, last, XA_PRESENT)) {
		folio = dxl_pcache_lookup(inode, index);
		if (IS_ERR(folio))
			return false;
		next = index + 1;
		if (folio) {
			next = folio->index + folio_nr_pages(folio);
			if (!dxl_freeze_one(inode, folio))
				return false;
			folio_put(folio);
		}
		if (next <= index)
			break;
		index = next;
		cond_resched();
	}
	return true;
}

/**
 * dxl_freeze_fadvise() - file_operations.fadvise in page-cache mode.
 * @file: the file
 * @offset: first byte
 * @len: bytes; 0: to the end
 * @advice: POSIX_FADV_*
 *
 * Before the kernel removes folios (POSIX_FADV_DONTNEED), they are frozen and
 * thawed one by one, as reclaim would, if somebody watches.
 *
 * Context: May sleep.
 * Return: As generic_fadvise(); -EIO: a folio stays frozen, which the kernel would
 * spin on.
 */
int dxl_freeze_fadvise(struct file *file, loff_t offset, loff_t len, int advice)
{
	u64 end = len ? (u64)offset + len : DXL_MAX_SIZE;

	end = min_t(u64, end, DXL_MAX_SIZE);
	if (advice == POSIX_FADV_DONTNEED && dxl_watched() && offset >= 0 &&
	    len >= 0 && (u64)offset < end &&
	    !dxl_freeze_range(file_inode(file), offset >> PAGE_SHIFT,
			      (end - 1) >> PAGE_SHIFT))
		return -EIO;
	return generic_fadvise(file, offset, len, advice);
}

/* The first that nobody will end, of a mapping or of any. */
static struct dxl_freeze *dxl_freeze_left(struct dxl_lab *lab,
					  const struct address_space *mapping)
{
	struct dxl_freeze *freeze, *found = NULL;

	spin_lock_irq(&lab->frozen.lock);
	list_for_each_entry(freeze, &lab->frozen.freezes, list) {
		if (!freeze->left || (mapping && freeze->mapping != mapping))
			continue;
		/* Ours from now on. */
		freeze->left = false;
		found = freeze;
		break;
	}
	spin_unlock_irq(&lab->frozen.lock);
	return found;
}

/**
 * dxl_freeze_sweep() - Thaw what freezers who are gone have left.
 * @lab: of the mount
 * @mapping: of which file; NULL: all
 *
 * Context: May sleep. On return nobody else sweeps @mapping either.
 */
void dxl_freeze_sweep(struct dxl_lab *lab, const struct address_space *mapping)
{
	struct dxl_freeze *freeze;
	struct xarray *xa;

	mutex_lock(&lab->frozen.mutex);
	while ((freeze = dxl_freeze_left(lab, mapping))) {
		xa = &freeze->mapping->i_pages;
		xa_lock_irq(xa);
		if (dxl_freeze_end(freeze, true))
			dxl_stat_inc(DXL_STAT_ZOMBIES_THAWED);
		xa_unlock_irq(xa);
		dxl_freeze_free(freeze);
	}
	mutex_unlock(&lab->frozen.mutex);
}

/**
 * dxl_frozen_is_busy() - Is a folio of the mount frozen, or the cache in use?
 * @lab: of the mount
 *
 * Context: May sleep.
 * Return: true if so.
 */
bool dxl_frozen_is_busy(struct dxl_lab *lab)
{
	struct dxl_frozen *frozen = &lab->frozen;
	bool busy;

	mutex_lock(&frozen->mutex);
	spin_lock_irq(&frozen->lock);
	busy = frozen->users || !list_empty(&frozen->freezes) ||
	       !list_empty(&frozen->spins);
	spin_unlock_irq(&frozen->lock);
	mutex_unlock(&frozen->mutex);
	return busy;
}

/**
 * dxl_frozen_rescue() - End all waits for frozen folios, and all zombies.
 * @lab: of the mount; @rescues has been counted: who spins sees that
 *
 * Context: May sleep, but for nobody who may hang.
 */
void dxl_frozen_rescue(struct dxl_lab *lab)
{
	struct dxl_thaw_waiter *waiter;
	struct dxl_freeze *freeze;

	spin_lock_irq(&lab->frozen.lock);
	list_for_each_entry(freeze, &lab->frozen.freezes, list)
		list_for_each_entry(waiter, &freeze->waiters, list) {
			dxl_role_granted(waiter->task);
			wake_up_process(waiter->task);
		}
	spin_unlock_irq(&lab->frozen.lock);
	dxl_freeze_sweep(lab, NULL);
	dxl_cache_sweep(lab);
}
