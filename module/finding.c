// SPDX-License-Identifier: GPL-2.0
/*
 * Findings: made, filled with words, freed
 */
#include "verdict.h"
#include "entry.h"

#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <linux/string.h>

static const char * const dxl_verdict_names[] = {
#define DXL_VERDICT_NAME(kind, name) name,
	DXL_VERDICT_KINDS(DXL_VERDICT_NAME)
#undef DXL_VERDICT_NAME
};

static const char * const dxl_cause_names[] = {
#define DXL_CAUSE_NAME(cause, name) name,
	DXL_CAUSES(DXL_CAUSE_NAME)
#undef DXL_CAUSE_NAME
};

/**
 * dxl_verdict_name() - The word for a kind of verdict.
 * @kind: the kind
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_verdict_name(enum dxl_verdict_kind kind)
{
	return dxl_verdict_names[kind];
}

/**
 * dxl_cause_name() - The word for a cause.
 * @cause: the cause
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_cause_name(enum dxl_cause cause)
{
	return dxl_cause_names[cause];
}

/**
 * dxl_order_name() - PTE or PMD.
 * @order: of an entry
 *
 * Context: Any context.
 * Return: A string.
 */
const char *dxl_order_name(unsigned int order)
{
	return order == DXL_PMD_ORDER ? "PMD" : "PTE";
}

/**
 * dxl_who() - Name a task: by its role, or else by its comm.
 * @who: DXL_WHO bytes
 * @task: which; it may be gone
 * @comm: of it
 * @pid: of it
 *
 * Context: Any context.
 */
void dxl_who(char *who, const struct task_struct *task, const char *comm,
	     pid_t pid)
{
	char name[DXL_ROLE_NAME];

	scnprintf(who, DXL_WHO, "%s/%d",
		  dxl_role_name_of(task, name) ? name : comm, pid);
}

/**
 * dxl_finding_new() - Start a finding.
 * @list: where it is added, at the end
 * @kind: of what
 * @gfp: how memory may be had
 *
 * Context: As @gfp.
 * Return: The finding; NULL: there is no memory for it.
 */
struct dxl_finding *dxl_finding_new(struct list_head *list,
				    enum dxl_verdict_kind kind, gfp_t gfp)
{
	struct dxl_finding *finding = kzalloc(sizeof(*finding),
					      gfp | __GFP_NOWARN);

	if (!finding)
		return NULL;
	finding->kind = kind;
	finding->ns = ktime_get_ns();
	list_add_tail(&finding->list, list);
	return finding;
}

/**
 * dxl_finding_say() - Set the sentence.
 * @finding: of which
 * @fmt: the sentence, without a full stop
 *
 * Context: Any context.
 */
void dxl_finding_say(struct dxl_finding *finding, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(finding->sentence, sizeof(finding->sentence), fmt, args);
	va_end(args);
}

/**
 * dxl_finding_note() - Add a line of evidence; there is room for DXL_NOTES.
 * @finding: to which
 * @fmt: the line
 *
 * Context: Any context.
 */
void dxl_finding_note(struct dxl_finding *finding, const char *fmt, ...)
{
	va_list args;

	if (finding->nr_notes == DXL_NOTES)
		return;
	va_start(args, fmt);
	vscnprintf(finding->note[finding->nr_notes++], DXL_NOTE, fmt, args);
	va_end(args);
}

/**
 * dxl_finding_link() - Add a task or a resource to the chain.
 * @finding: of which
 * @fmt: its name
 *
 * Context: Any context.
 */
void dxl_finding_link(struct dxl_finding *finding, const char *fmt, ...)
{
	va_list args;

	if (finding->nr_links == DXL_CHAIN)
		return;
	va_start(args, fmt);
	vscnprintf(finding->chain[finding->nr_links++], DXL_CHAIN_LINK, fmt,
		   args);
	va_end(args);
}

/**
 * dxl_finding_chain() - The chain as one line, with arrows.
 * @finding: of which
 * @text: receives it
 * @size: of @text
 *
 * Context: Any context.
 */
void dxl_finding_chain(const struct dxl_finding *finding, char *text,
		       size_t size)
{
	size_t len = 0;
	unsigned int i;

	text[0] = '\0';
	for (i = 0; i < finding->nr_links; i++)
		len += scnprintf(text + len, size - len, "%s%s",
				 i ? " -> " : "", finding->chain[i]);
}

/**
 * dxl_findings_free() - Free a list of findings.
 * @list: the list; empty on return
 *
 * Context: Any context.
 */
void dxl_findings_free(struct list_head *list)
{
	struct dxl_finding *finding, *next;

	list_for_each_entry_safe(finding, next, list, list) {
		list_del(&finding->list);
		kfree(finding);
	}
}

/**
 * dxl_oracle_blind() - Note what could not be looked at.
 * @oracle: by which
 * @fmt: what, and why
 *
 * Context: Process context.
 */
void dxl_oracle_blind(struct dxl_oracle *oracle, const char *fmt, ...)
{
	va_list args;

	if (oracle->nr_blind == DXL_NOTES)
		return;
	va_start(args, fmt);
	vscnprintf(oracle->blind[oracle->nr_blind++], DXL_NOTE, fmt, args);
	va_end(args);
}
