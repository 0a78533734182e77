// SPDX-License-Identifier: GPL-2.0
/*
 * Verdicts as JSON, for programs
 */
#include "verdict.h"
#include "session.h"

#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/seq_file.h>

/* Any bytes as a JSON string; those above ASCII as if they were Latin-1. */
static void dxl_json_string(struct seq_file *seq, const char *text)
{
	const unsigned char *c;

	seq_putc(seq, '"');
	for (c = text; *c; c++) {
		if (*c == '"' || *c == '\\')
			seq_printf(seq, "\\%c", *c);
		else if (*c < 0x20 || *c > 0x7e)
			seq_printf(seq, "\\u%04x", *c);
		else
			seq_putc(seq, *c);
	}
	seq_putc(seq, '"');
}

static void dxl_json_key(struct seq_file *seq, const char *key,
			 const char *value)
{
	seq_printf(seq, "\"%s\":", key);
	dxl_json_string(seq, value);
}

static void dxl_json_waiter(struct seq_file *seq,
			    const struct dxl_waiter_shot *shot)
{
	char symbol[KSYM_SYMBOL_LEN];
	unsigned int i;

	seq_putc(seq, '{');
	dxl_json_key(seq, "task", shot->who);
	if (shot->on[0]) {
		seq_putc(seq, ',');
		dxl_json_key(seq, "on", shot->on);
	} else {
		seq_printf(seq, ",\"ino\":%lu,\"key\":\"0x%lx\",\"index\":\"0x%lx\",\"order\":%u,\"entry\":\"0x%lx\",\"entry_order\":%u,\"ms\":%llu",
			   shot->ino, shot->key, shot->index, shot->order,
			   shot->first, shot->found, shot->ms);
	}
	seq_puts(seq, ",\"stack\":[");
	for (i = 0; i < shot->depth; i++) {
		scnprintf(symbol, sizeof(symbol), "%pS",
			  (void *)shot->stack[i]);
		seq_puts(seq, i ? "," : "");
		dxl_json_string(seq, symbol);
	}
	seq_puts(seq, "]}");
}

static void dxl_json_holder(struct seq_file *seq,
			    const struct dxl_holder_shot *shot)
{
	seq_putc(seq, '{');
	dxl_json_key(seq, "task", shot->who);
	seq_printf(seq, ",\"ino\":%lu,\"entry\":\"0x%lx\",\"order\":%u,\"ms\":%llu}",
		   shot->ino, shot->first, shot->order, shot->ms);
}

static void dxl_json_event(struct seq_file *seq, const struct dxl_event *event)
{
	char who[DXL_WHO];

	scnprintf(who, sizeof(who), "%s/%d", event->comm, event->pid);
	seq_printf(seq, "{\"seq\":%llu,\"ns\":%llu,\"role\":%u,",
		   event->seq, event->ns, event->role);
	dxl_json_key(seq, "task", who);
	seq_putc(seq, ',');
	dxl_json_key(seq, "event", dxl_event_name(event->type));
	seq_printf(seq, ",\"ino\":%lu,\"first\":\"0x%lx\",\"order\":%u,\"index\":\"0x%lx\",\"arg\":\"0x%lx\"}",
		   event->ino, event->first, event->order, event->index,
		   event->arg);
}

static void dxl_json_finding(struct seq_file *seq,
			     const struct dxl_finding *finding)
{
	unsigned int i;

	seq_putc(seq, '{');
	dxl_json_key(seq, "kind", dxl_verdict_name(finding->kind));
	seq_putc(seq, ',');
	dxl_json_key(seq, "cause", dxl_finding_cause(finding));
	seq_putc(seq, ',');
	dxl_json_key(seq, "sentence", finding->sentence);
	seq_puts(seq, ",\"notes\":[");
	for (i = 0; i < finding->nr_notes; i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_string(seq, finding->note[i]);
	}
	seq_puts(seq, "],\"waiters\":[");
	for (i = 0; i < min_t(unsigned int, finding->nr_waiters, DXL_SHOTS); i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_waiter(seq, &finding->waiter[i]);
	}
	seq_puts(seq, "],\"holders\":[");
	for (i = 0; i < min_t(unsigned int, finding->nr_holders, DXL_SHOTS); i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_holder(seq, &finding->holder[i]);
	}
	seq_puts(seq, "],\"chain\":[");
	for (i = 0; i < finding->nr_links; i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_string(seq, finding->chain[i]);
	}
	seq_puts(seq, "],\"events\":[");
	for (i = 0; i < finding->nr_events; i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_event(seq, &finding->event[i]);
	}
	seq_puts(seq, "]}");
}

/**
 * dxl_verdict_json() - Print a verdict as one JSON object, on one line.
 * @seq: where
 * @verdict: the verdict
 *
 * Context: May sleep.
 */
void dxl_verdict_json(struct seq_file *seq, const struct dxl_verdict *verdict)
{
	const struct dxl_oracle *oracle = &verdict->oracle;
	const struct dxl_finding *finding;
	unsigned int i;

	seq_putc(seq, '{');
	dxl_json_key(seq, "mount", verdict->mount);
	if (verdict->quiet_ns)
		seq_printf(seq, ",\"latency_ns\":%llu",
			   verdict->judged_ns - verdict->quiet_ns);
	seq_puts(seq, ",\"not_looked_at\":[");
	for (i = 0; i < oracle->nr_blind; i++) {
		seq_puts(seq, i ? "," : "");
		dxl_json_string(seq, oracle->blind[i]);
	}
	seq_puts(seq, "],\"verdicts\":[");
	list_for_each_entry(finding, &oracle->findings, list) {
		if (!list_is_first(&finding->list, &oracle->findings))
			seq_putc(seq, ',');
		dxl_json_finding(seq, finding);
	}
	seq_puts(seq, "]}\n");
}
