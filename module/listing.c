// SPDX-License-Identifier: GPL-2.0
/*
 * Listings: a column per role, time downwards, as people put them into commit
 * messages
 *
 * Only what the roles of one session did since mark; crossed windows are left
 * out, since what is done between them says more. The last row of a role is the
 * state in which it was found.
 */
#include "verdict.h"
#include "fs.h"
#include "session.h"

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define DXL_COLUMNS		8
#define DXL_LISTING_WIDTH	96	/* with an indent, below 100 */
#define DXL_COLUMN_WIDTH	44	/* at most */
#define DXL_ROW			128

/**
 * struct dxl_column - a role
 * @task: of it; only to compare
 * @id: of the role
 * @who: heading
 * @last: the last row, or empty
 */
struct dxl_column {
	const struct task_struct *task;
	u16 id;
	char who[DXL_WHO];
	char last[DXL_ROW];
};

/**
 * struct dxl_listing - what happened, as a snapshot
 * @nr_columns: columns
 * @column: roles, in the order in which they were registered
 * @lost: events since mark that the log no longer had
 * @nr: rows
 * @event: rows; .arg of an event stays what it was
 */
struct dxl_listing {
	unsigned int nr_columns;
	struct dxl_column column[DXL_COLUMNS];
	u64 lost;
	unsigned int nr;
	struct dxl_event event[];
};

static const char * const dxl_found_texts[] = {
	[DXL_FOUND_GONE] = "it is gone",
	[DXL_FOUND_UNLOCKED] = "it is unlocked",
	[DXL_FOUND_LOCKED] = "it is locked again",
	[DXL_FOUND_SMALLER] = "a smaller one is there",
};

static const char * const dxl_release_texts[] = {
	[DXL_RELEASED] = "goes on",
	[DXL_OVERDUE] = "goes on: parked too long",
	[DXL_KILLED] = "goes on: killed",
	[DXL_RESCUED] = "goes on: rescued",
};

static const char * const dxl_pin_texts[] = {
	[DXL_PIN_WAITS] = "waits for the pin of ",
	[DXL_PIN_GONE] = "that pin is gone: ",
	[DXL_PIN_GIVES_UP] = "waits no more for ",
	[DXL_PIN_KEEPS] = "keeps pinned block ",
	[DXL_PIN_FREES] = "- would free pinned block ",
};

static const char * const dxl_txn_texts[] = {
	"wants the transaction", "has the transaction", "ends the transaction",
};

/* Events of an entry: a verb is all that differs. */
static const char *dxl_event_verb(unsigned int type)
{
	switch (type) {
	case DXL_EV_LOCK:
		return "locks";
	case DXL_EV_STORE:
		return "unlocks";
	case DXL_EV_INSERT:
		return "inserts";
	case DXL_EV_REMOVE:
		return "removes";
	case DXL_EV_MAP:
		return "maps";
	case DXL_EV_CONFLICT:
		return "meets a smaller one at";
	default:
		return NULL;
	}
}

/* What stands in a row; empty: the event has none. */
static void dxl_event_text(const struct dxl_event *event, char *text,
			   size_t size)
{
	const char *verb = dxl_event_verb(event->type);

	text[0] = '\0';
	if (verb) {
		scnprintf(text, size, "%s 0x%lx (%s)", verb, event->first,
			  dxl_order_name(event->order));
		return;
	}
	switch (event->type) {
	case DXL_EV_BEGIN:
		strscpy(text, "begins", size);
		break;
	case DXL_EV_END:
		strscpy(text, "ends", size);
		break;
	case DXL_EV_PARK:
		if (event->arg < DXL_NR_WINDOWS)
			scnprintf(text, size, "parks at %s",
				  dxl_window_name(event->arg));
		break;
	case DXL_EV_RELEASE:
		if (event->arg < ARRAY_SIZE(dxl_release_texts))
			strscpy(text, dxl_release_texts[event->arg], size);
		break;
	case DXL_EV_SLEEP:
		scnprintf(text, size, "sleeps on key 0x%lx: 0x%lx is locked",
			  event->first, event->arg);
		break;
	case DXL_EV_AWAKE:
		if (event->arg < ARRAY_SIZE(dxl_found_texts))
			scnprintf(text, size, "looks at 0x%lx: %s",
				  event->first, dxl_found_texts[event->arg]);
		break;
	case DXL_EV_WAKE:
		scnprintf(text, size, "wakes key 0x%lx%s: %lu woken",
			  event->first, event->arg & 1 ? ", all" : "",
			  event->arg >> 1);
		break;
	case DXL_EV_PUT:
		scnprintf(text, size, "puts key 0x%lx", event->first);
		break;
	case DXL_EV_UNMAP:
		scnprintf(text, size, "unmaps 0x%lx, %lu pages", event->first,
			  event->arg);
		break;
	case DXL_EV_BLOCKS:
		scnprintf(text, size, "block map: 0x%lx, %lu pages",
			  event->first, event->arg);
		break;
	case DXL_EV_TXN:
		if (event->arg < ARRAY_SIZE(dxl_txn_texts))
			strscpy(text, dxl_txn_texts[event->arg], size);
		break;
	case DXL_EV_DAMAGE:
		if (event->arg < DXL_NR_DAMAGES)
			scnprintf(text, size, "- %s (0x%lx)",
				  dxl_damage_sentence(event->arg),
				  event->first);
		break;
	case DXL_EV_FREEZE:
		scnprintf(text, size, "freezes the folio of 0x%lx: %lu references",
			  event->first, event->arg);
		break;
	case DXL_EV_THAW:
		scnprintf(text, size, "%s that of 0x%lx",
			  event->arg ? "takes out" : "thaws", event->first);
		break;
	case DXL_EV_ZOMBIE:
		scnprintf(text, size, "meets a zombie at 0x%lx: an error",
			  event->first);
		break;
	case DXL_EV_SYNC:
		scnprintf(text, size, "syncs: %lu to flush", event->arg);
		break;
	case DXL_EV_MET:
		scnprintf(text, size, "meets 0x%lx locked: %s", event->first,
			  event->arg ? "waits" : "is told that nothing is there");
		break;
	case DXL_EV_FLUSHED:
		scnprintf(text, size, "has flushed 0x%lx (%s)", event->first,
			  dxl_order_name(event->order));
		break;
	case DXL_EV_SYNCED:
		if (event->arg == ~0UL)
			strscpy(text, "the sync fails", size);
		else if (event->arg)
			scnprintf(text, size, "returns: 0x%lx is not flushed",
				  event->first);
		else
			strscpy(text, "returns: all is flushed", size);
		break;
	case DXL_EV_SCAN:
		if (event->arg == -1UL)
			scnprintf(text, size, "scans from 0x%lx: all idle",
				  event->first);
		else
			scnprintf(text, size, "scans from 0x%lx: 0x%lx is pinned",
				  event->first, event->arg);
		break;
	case DXL_EV_PIN:
		if (event->arg < ARRAY_SIZE(dxl_pin_texts))
			scnprintf(text, size, "%s0x%lx",
				  dxl_pin_texts[event->arg], event->first);
		break;
	case DXL_EV_RESCUE:
		strscpy(text, "rescued", size);
		break;
	}
}

/**
 * dxl_event_print() - Print an event as a line of a trace.
 * @seq: where
 * @event: the event
 *
 * Context: Any context.
 */
void dxl_event_print(struct seq_file *seq, const struct dxl_event *event)
{
	seq_printf(seq, "%llu %llu.%06llu %s/%d role %u %s ino %lu first 0x%lx order %u index 0x%lx arg 0x%lx",
		   event->seq, event->ns / NSEC_PER_SEC,
		   event->ns % NSEC_PER_SEC / NSEC_PER_USEC, event->comm,
		   event->pid, event->role, dxl_event_name(event->type),
		   event->ino, event->first, event->order, event->index,
		   event->arg);
	if ((event->type == DXL_EV_WINDOW || event->type == DXL_EV_PARK) &&
	    event->arg < DXL_NR_WINDOWS)
		seq_printf(seq, " %s", dxl_window_name(event->arg));
	if (event->type == DXL_EV_DAMAGE && event->arg < DXL_NR_DAMAGES)
		seq_printf(seq, " %s", dxl_damage_name(event->arg));
	seq_putc(seq, '\n');
}

/* Return: -1: of no role of ours. */
static int dxl_listing_column(const struct dxl_listing *listing,
			      const struct dxl_event *event)
{
	unsigned int i;

	for (i = 0; i < listing->nr_columns; i++)
		if (listing->column[i].task == event->task &&
		    listing->column[i].id == event->role)
			return i;
	return -1;
}

static bool dxl_column_is_lost(const struct dxl_column *column,
			       const struct list_head *findings)
{
	const struct dxl_finding *finding;
	unsigned int i;

	list_for_each_entry(finding, findings, list) {
		if (finding->kind != DXL_VERDICT_LOST_WAKEUP)
			continue;
		for (i = 0; i < min_t(unsigned int, finding->nr_waiters,
				      DXL_SHOTS); i++)
			if (!strcmp(finding->waiter[i].who, column->who))
				return true;
	}
	return false;
}

static void dxl_listing_last(struct dxl_column *column,
			     const struct dxl_role *role,
			     const struct list_head *findings)
{
	enum dxl_role_state state = dxl_role_state(role);
	char what[DXL_CHAIN_LINK] = "";

	if (state == DXL_ROLE_ASLEEP)
		scnprintf(column->last, sizeof(column->last),
			  "- %s on key 0x%lx",
			  dxl_column_is_lost(column, findings) ?
			  "never woken: asleep" : "asleep",
			  READ_ONCE(role->key));
	else if (state == DXL_ROLE_PARKED)
		scnprintf(column->last, sizeof(column->last), "- parked at %s",
			  dxl_window_name(READ_ONCE(role->window)));
	else if (dxl_role_blocked(role, what, sizeof(what)))
		scnprintf(column->last, sizeof(column->last),
			  "- blocked on %s", what);
}

static void dxl_listing_columns(struct dxl_listing *listing,
				const struct dxl_session *session,
				const struct list_head *findings)
{
	struct dxl_column *column;
	const struct dxl_role *role;

	list_for_each_entry(role, &session->roles, list) {
		if (listing->nr_columns == DXL_COLUMNS)
			break;
		column = &listing->column[listing->nr_columns++];
		column->task = role->task;
		column->id = role->id;
		dxl_who(column->who, role->task, role->name, role->task->pid);
		dxl_listing_last(column, role, findings);
	}
}

static void dxl_listing_rows(struct dxl_listing *listing, struct dxl_log *log)
{
	const struct dxl_event *event;
	char text[DXL_ROW];
	unsigned long flags;
	u64 seq;

	spin_lock_irqsave(&log->lock, flags);
	seq = max(dxl_log_oldest(log), log->start);
	listing->lost = seq - log->start;
	for (; seq < log->seq; seq++) {
		event = &log->event[seq % DXL_LOG_EVENTS];
		dxl_event_text(event, text, sizeof(text));
		if (text[0] && dxl_listing_column(listing, event) >= 0)
			listing->event[listing->nr++] = *event;
	}
	spin_unlock_irqrestore(&log->lock, flags);
}

/**
 * dxl_listing_take() - Keep what the roles of a session did since mark.
 * @session: bound, with its lock held
 * @findings: tell who is lost
 *
 * Context: May sleep.
 * Return: A listing; NULL: there is no log, or no memory.
 */
struct dxl_listing *dxl_listing_take(const struct dxl_session *session,
				     const struct list_head *findings)
{
	/* Pairs with dxl_log_open(). */
	struct dxl_log *log = smp_load_acquire(&dxl_session_log(session)->log);
	struct dxl_listing *listing;

	if (!log)
		return NULL;
	listing = kvzalloc(struct_size(listing, event, DXL_LOG_EVENTS),
			   GFP_KERNEL);
	if (!listing)
		return NULL;
	dxl_listing_columns(listing, session, findings);
	dxl_listing_rows(listing, log);
	return listing;
}

/**
 * dxl_listing_ask() - Keep what the roles of a session did, for its report.
 * @session: bound to a mount or to a stock file, with its lock held
 *
 * Context: May sleep.
 * Return: 0; -ENODEV: bound to nothing; -ENOMEM.
 */
int dxl_listing_ask(struct dxl_session *session)
{
	LIST_HEAD(findings);

	if (!dxl_session_log(session))
		return -ENODEV;
	dxl_listing_free(session->listing);
	session->listing = dxl_listing_take(session, &findings);
	return session->listing ? 0 : -ENOMEM;
}

/**
 * dxl_listing_free() - Forget a listing.
 * @listing: the listing, or NULL
 *
 * Context: May sleep.
 */
void dxl_listing_free(struct dxl_listing *listing)
{
	kvfree(listing);
}

/*
 * As many bytes of @text as fit into @width, up to a blank if there is one, or else
 * with the end of a part of a name.
 */
static int dxl_row_break(const char *text, int width)
{
	int len = strlen(text);
	int cut;

	if (len <= width)
		return len;
	for (cut = width; cut > width / 2; cut--)
		if (text[cut] == ' ')
			return cut;
	for (cut = width; cut > width / 2; cut--)
		if (text[cut - 1] == '_' || text[cut - 1] == '.')
			return cut;
	return width;
}

/* A cell, on as many lines as it needs; the columns before it are blank. */
static void dxl_row_print(struct seq_file *seq, const char *indent,
			  unsigned int column, int width, const char *text)
{
	const char *hang = "";
	int len;

	while (*text) {
		len = dxl_row_break(text, width - 2 - (int)strlen(hang));
		seq_printf(seq, "%s%*s%s%.*s\n", indent, column * width, "",
			   hang, len, text);
		text += len;
		text += *text == ' ';
		hang = "  ";
	}
}

/* The heading and the rule below it have all columns on one line. */
static void dxl_listing_head(struct seq_file *seq,
			     const struct dxl_listing *listing,
			     const char *indent, int width)
{
	unsigned int i;

	seq_puts(seq, indent);
	for (i = 0; i < listing->nr_columns; i++)
		seq_printf(seq, "%-*.*s",
			   i + 1 < listing->nr_columns ? width : 0, width - 2,
			   listing->column[i].who);
	seq_putc(seq, '\n');
}

/* Equal rows of one role in a row become one. */
static void dxl_listing_body(struct seq_file *seq,
			     const struct dxl_listing *listing,
			     const char *indent, int width)
{
	char text[DXL_ROW], next[DXL_ROW], times[DXL_ROW + 16];
	unsigned int i, n = 1;
	int column;

	for (i = 0; i < listing->nr; i++) {
		column = dxl_listing_column(listing, &listing->event[i]);
		dxl_event_text(&listing->event[i], text, sizeof(text));
		next[0] = '\0';
		if (i + 1 < listing->nr &&
		    dxl_listing_column(listing, &listing->event[i + 1]) == column)
			dxl_event_text(&listing->event[i + 1], next,
				       sizeof(next));
		if (!strcmp(text, next)) {
			n++;
			continue;
		}
		if (n > 1) {
			scnprintf(times, sizeof(times), "%s (%u times)", text,
				  n);
			dxl_row_print(seq, indent, column, width, times);
		} else {
			dxl_row_print(seq, indent, column, width, text);
		}
		n = 1;
	}
}

/**
 * dxl_listing_print() - Print a listing.
 * @seq: where
 * @listing: the listing
 * @indent: before each line
 *
 * Context: May sleep.
 */
void dxl_listing_print(struct seq_file *seq, const struct dxl_listing *listing,
		       const char *indent)
{
	unsigned int i;
	int width;

	if (!listing->nr_columns)
		return;
	width = min_t(int, DXL_LISTING_WIDTH / listing->nr_columns,
		      DXL_COLUMN_WIDTH);
	dxl_listing_head(seq, listing, indent, width);
	if (listing->lost)
		seq_printf(seq, "%s... (%llu events are no longer in the log)\n",
			   indent, listing->lost);
	dxl_listing_body(seq, listing, indent, width);
	for (i = 0; i < listing->nr_columns; i++)
		dxl_row_print(seq, indent, i, width, listing->column[i].last);
}
