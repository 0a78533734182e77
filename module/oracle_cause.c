// SPDX-License-Identifier: GPL-2.0
/*
 * Why a wakeup was lost, from the log
 *
 * The question is asked about a waiter that is lost for certain (oracle_wake.c).
 * Three events answer it: its going to sleep; the change that unlocked or
 * removed the entry that it waits for; and the last wake after that change on
 * the waiter's own key, if there was one. Whom that wake took, and what he did,
 * tells the rest. Where the log lacks one of them it says so and guesses nothing.
 */
#define pr_fmt(fmt) "daxlab: " fmt

#include "verdict.h"
#include "entry.h"
#include "selftest.h"

#include <linux/kernel.h>
#include <linux/printk.h>

/* The cause is sought in a part of the log. */
struct dxl_trail {
	const struct dxl_log *log;
	const struct dxl_loss *loss;
	struct dxl_why *why;
};

typedef bool (*dxl_event_test)(const struct dxl_event *event, const void *arg);

/**
 * dxl_log_oldest() - The first event that a log still has.
 * @log: the log
 *
 * Context: With its lock.
 * Return: Its sequence number.
 */
u64 dxl_log_oldest(const struct dxl_log *log)
{
	return log->seq > DXL_LOG_EVENTS ? log->seq - DXL_LOG_EVENTS : 0;
}

/* The last event of [from, to) that passes the test. */
static const struct dxl_event *dxl_log_last(const struct dxl_log *log, u64 from,
					    u64 to, dxl_event_test test,
					    const void *arg)
{
	u64 oldest = dxl_log_oldest(log);
	u64 seq = to;

	while (seq > from && seq > oldest) {
		const struct dxl_event *event =
			&log->event[--seq % DXL_LOG_EVENTS];

		if (test(event, arg))
			return event;
	}
	return NULL;
}

/* Do the pages of an event and of the entry meet? */
static bool dxl_event_meets(const struct dxl_event *event,
			    const struct dxl_loss *loss)
{
	return event->first < loss->first + (1UL << loss->order) &&
	       loss->first < event->first + (1UL << event->order);
}

static bool dxl_is_own_sleep(const struct dxl_event *event, const void *arg)
{
	const struct dxl_loss *loss = arg;

	return event->type == DXL_EV_SLEEP && event->task == loss->task &&
	       event->tree == loss->tree;
}

static bool dxl_is_same_entry(const struct dxl_event *event,
			      const struct dxl_loss *loss)
{
	return event->tree == loss->tree && event->first == loss->first &&
	       event->order == loss->order;
}

/* The entry is locked no more. */
static bool dxl_is_change(const struct dxl_event *event, const void *arg)
{
	return (event->type == DXL_EV_STORE || event->type == DXL_EV_REMOVE) &&
	       dxl_is_same_entry(event, arg);
}

static bool dxl_is_lock(const struct dxl_event *event, const void *arg)
{
	return (event->type == DXL_EV_LOCK || event->type == DXL_EV_INSERT) &&
	       dxl_is_same_entry(event, arg);
}

/* An entry of another size was put where it was. */
static bool dxl_is_swallow(const struct dxl_event *event, const void *arg)
{
	const struct dxl_loss *loss = arg;

	return event->type == DXL_EV_INSERT && event->tree == loss->tree &&
	       event->order != loss->order && dxl_event_meets(event, loss);
}

static bool dxl_is_wake_on_key(const struct dxl_event *event, const void *arg)
{
	const struct dxl_loss *loss = arg;

	return event->type == DXL_EV_WAKE && event->tree == loss->tree &&
	       event->first == loss->key;
}

/* A wake that was meant for the entry, on whichever key. */
static bool dxl_is_wake_for(const struct dxl_event *event, const void *arg)
{
	const struct dxl_loss *loss = arg;

	return event->type == DXL_EV_WAKE && event->tree == loss->tree &&
	       (event->first == loss->first ||
		(event->index >= loss->first &&
		 event->index - loss->first < 1UL << loss->order));
}

static bool dxl_is_woken_by(const struct dxl_event *event, const void *arg)
{
	return event->type == DXL_EV_WOKEN && event->task == arg;
}

static bool dxl_is_sleep_of(const struct dxl_event *event, const void *arg)
{
	return event->type == DXL_EV_SLEEP && event->pid == *(const pid_t *)arg;
}

/**
 * dxl_cause_concerns() - Does an event help to understand a loss?
 * @event: of the log
 * @loss: the loss
 *
 * Context: Any context.
 * Return: true: it belongs into the evidence.
 */
bool dxl_cause_concerns(const struct dxl_event *event,
			const struct dxl_loss *loss)
{
	if (event->tree != loss->tree)
		return false;
	switch (event->type) {
	case DXL_EV_SLEEP:
	case DXL_EV_WOKEN:
	case DXL_EV_AWAKE:
	case DXL_EV_PUT:
		return event->first == loss->key || event->task == loss->task ||
		       event->first == loss->first;
	case DXL_EV_WAKE:
		return event->first == loss->key || dxl_is_wake_for(event, loss);
	case DXL_EV_LOCK:
	case DXL_EV_STORE:
	case DXL_EV_INSERT:
	case DXL_EV_REMOVE:
	case DXL_EV_DAMAGE:
		return dxl_event_meets(event, loss);
	case DXL_EV_CONFLICT:
		return event->task == loss->task;
	default:
		return false;
	}
}

static __printf(3, 4) void dxl_because(struct dxl_trail *trail,
				       enum dxl_cause cause,
				       const char *fmt, ...)
{
	va_list args;

	trail->why->cause = cause;
	va_start(args, fmt);
	vscnprintf(trail->why->text, sizeof(trail->why->text), fmt, args);
	va_end(args);
}

static __printf(2, 3) void dxl_reason(struct dxl_trail *trail,
				      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(trail->why->note, sizeof(trail->why->note), fmt, args);
	va_end(args);
}

static const char *dxl_did(const struct dxl_event *change)
{
	return change->type == DXL_EV_REMOVE ? "removed" : "unlocked";
}

/* The change is older than the sleep, or nobody saw one. */
static void dxl_cause_no_change(struct dxl_trail *trail,
				const struct dxl_event *sleep,
				const struct dxl_event *change)
{
	const struct dxl_loss *loss = trail->loss;
	const struct dxl_event *event;

	event = dxl_log_last(trail->log, sleep->seq, trail->log->seq,
			     dxl_is_swallow, loss);
	if (event) {
		trail->why->seen = true;
		dxl_because(trail, DXL_CAUSE_REPLACED,
			    "an entry of order %u was stored over it: entry replaced",
			    event->order);
		dxl_reason(trail, "event %llu put another entry in place of the locked one; nobody can unlock what is gone",
			   event->seq);
		return;
	}
	if (change && !dxl_log_last(trail->log, change->seq, sleep->seq,
				    dxl_is_lock, loss)) {
		trail->why->seen = true;
		dxl_because(trail, DXL_CAUSE_LATE_ENQUEUE,
			    "it had been %s before the waiter was on the queue: enqueued too late",
			    dxl_did(change));
		dxl_reason(trail, "event %llu (%s) comes before the sleep, event %llu, and nobody locked the entry in between",
			   change->seq, dxl_event_name(change->type),
			   sleep->seq);
		return;
	}
	dxl_because(trail, DXL_CAUSE_NONE,
		    "cause unknown: the log has no unlock and no removal of it");
}

/* Nobody was woken after the change. */
static void dxl_cause_no_wake(struct dxl_trail *trail,
			      const struct dxl_event *change)
{
	const struct dxl_loss *loss = trail->loss;
	const struct dxl_event *lock, *early;

	lock = dxl_log_last(trail->log, 0, change->seq, dxl_is_lock, loss);
	early = dxl_log_last(trail->log, lock ? lock->seq : 0, change->seq,
			     dxl_is_wake_for, loss);
	if (lock && early && early->task == change->task) {
		dxl_because(trail, DXL_CAUSE_WAKE_BEFORE_STORE,
			    "%s/%d woke key 0x%lx before it stored the unlocked value: wake before store",
			    early->comm, early->pid, early->first);
		dxl_reason(trail, "the wake is event %llu, the store event %llu, and no wake follows it",
			   early->seq, change->seq);
		return;
	}
	dxl_because(trail, DXL_CAUSE_NO_WAKE,
		    "%s/%d %s it and woke nobody: no wake issued",
		    change->comm, change->pid, dxl_did(change));
	dxl_reason(trail, "no wake for the entry or on the waiter's key follows event %llu (%s)",
		   change->seq, dxl_event_name(change->type));
}

/* All wakes after the change were on other keys than the waiter's. */
static void dxl_cause_other_key(struct dxl_trail *trail,
				const struct dxl_event *change,
				const struct dxl_event *wake)
{
	const struct dxl_loss *loss = trail->loss;

	if (loss->key != loss->first) {
		dxl_because(trail, DXL_CAUSE_KEY_MISMATCH,
			    "the last wake was for key 0x%lx: key mismatch",
			    wake->first);
		dxl_reason(trail, "the waiter's key 0x%lx is not the first index of the entry, 0x%lx: the sleeper computed it wrongly",
			   loss->key, loss->first);
		return;
	}
	dxl_because(trail, DXL_CAUSE_STALE_KEY,
		    "%s/%d %s it and woke key 0x%lx: wake on the new key",
		    change->comm, change->pid, dxl_did(change), wake->first);
	dxl_reason(trail, "the waiter's key is right: the waker computed its own from what came after the entry");
}

/* The last wake on the waiter's key took somebody else. */
static void dxl_cause_taken(struct dxl_trail *trail,
			    const struct dxl_event *change,
			    const struct dxl_event *wake)
{
	const struct dxl_loss *loss = trail->loss;
	const struct dxl_event *woken, *sleep;
	const struct dxl_event *swallow;
	pid_t pid;

	woken = dxl_log_last(trail->log, change->seq, wake->seq,
			     dxl_is_woken_by, wake->task);
	if (!woken) {
		dxl_because(trail, DXL_CAUSE_NONE,
			    "cause unknown: the log does not tell whom the last wake on its key took");
		return;
	}
	pid = woken->arg;
	sleep = dxl_log_last(trail->log, 0, woken->seq, dxl_is_sleep_of, &pid);
	if (sleep && (sleep->tree != loss->tree || sleep->first != loss->key)) {
		dxl_because(trail, DXL_CAUSE_STRANGER,
			    "the wake on its key took task %d, which sleeps on key 0x%lx%s: burnt on a stranger",
			    pid, sleep->first, sleep->tree == loss->tree ?
			    "" : " of another file");
		dxl_reason(trail, "event %llu woke for a key that is not the sleeper's of event %llu",
			   wake->seq, sleep->seq);
		return;
	}
	if (sleep && sleep->arg != loss->first) {
		dxl_because(trail, DXL_CAUSE_MISDIRECTED,
			    "the wake took task %d, which waits for entry 0x%lx on the same key: misdirected wake",
			    pid, sleep->arg);
		dxl_reason(trail, "one key stands for several locks, so one wake may go to a waiter of another lock");
		return;
	}
	swallow = dxl_log_last(trail->log, change->seq, trail->log->seq,
			       dxl_is_swallow, loss);
	if (change->type == DXL_EV_REMOVE || swallow) {
		dxl_because(trail, DXL_CAUSE_REPLACED,
			    "its removal woke task %d only: entry replaced",
			    pid);
		dxl_reason(trail, "who finds the entry gone or of another size cannot pass the wake on: only waking all is right (event %llu woke %lu)",
			   wake->seq, wake->arg >> 1);
		return;
	}
	dxl_because(trail, DXL_CAUSE_NOT_HANDED_ON,
		    "the last wake on its key went to task %d, which neither locked nor put: consumed without hand-off",
		    pid);
	dxl_reason(trail, "no lock, put or wake follows event %llu, which woke task %d",
		   woken->seq, pid);
}

/* There was a wake on the waiter's key after the change. */
static void dxl_cause_woken(struct dxl_trail *trail,
			    const struct dxl_event *change,
			    const struct dxl_event *wake)
{
	bool all = wake->arg & 1;

	/* On the queue it would have been taken. */
	if (all || !(wake->arg >> 1)) {
		dxl_because(trail, DXL_CAUSE_LATE_ENQUEUE,
			    "%s/%d woke its key when it was not on the queue yet: enqueued too late",
			    wake->comm, wake->pid);
		dxl_reason(trail, "event %llu woke %lu%s: a waiter on the queue would have been among them",
			   wake->seq, wake->arg >> 1,
			   all ? " (all)" : "");
		return;
	}
	dxl_cause_taken(trail, change, wake);
}

/**
 * dxl_cause_find() - Why was a wakeup lost?
 * @log: of the mount
 * @loss: the waiter, which is lost for certain
 * @why: the answer
 *
 * Several causes may fit; the one that needs the most events is taken: what
 * happened to a wake on the right key tells more than that a key was wrong, and
 * that more than that nobody was woken.
 *
 * Context: With the lock of the log.
 */
void dxl_cause_find(const struct dxl_log *log, const struct dxl_loss *loss,
		    struct dxl_why *why)
{
	struct dxl_trail trail = { .log = log, .loss = loss, .why = why };
	const struct dxl_event *sleep, *change, *wake;

	why->note[0] = '\0';
	sleep = dxl_log_last(log, 0, log->seq, dxl_is_own_sleep, loss);
	change = dxl_log_last(log, 0, log->seq, dxl_is_change, loss);
	why->seen = change && (!sleep || change->seq > sleep->seq);
	if (!sleep) {
		dxl_because(&trail, DXL_CAUSE_NONE,
			    "cause unknown: the log does not reach back to its going to sleep");
		dxl_reason(&trail, "the log has events %llu to %llu",
			   dxl_log_oldest(log), log->seq);
		return;
	}
	if (!why->seen) {
		dxl_cause_no_change(&trail, sleep, change);
		return;
	}
	wake = dxl_log_last(log, change->seq, log->seq, dxl_is_wake_on_key,
			    loss);
	if (wake) {
		dxl_cause_woken(&trail, change, wake);
		return;
	}
	wake = dxl_log_last(log, change->seq, log->seq, dxl_is_wake_for, loss);
	if (wake)
		dxl_cause_other_key(&trail, change, wake);
	else
		dxl_cause_no_wake(&trail, change);
}

#ifdef DAXLAB_DEBUG
#include "selftest/oracle.c"
#endif
