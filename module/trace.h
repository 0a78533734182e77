/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Trace events: scalars only, at the edges of the protocol
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM daxlab

#if !defined(DXL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DXL_TRACE_H

#include <linux/kdev_t.h>
#include <linux/tracepoint.h>

#define DXL_TRACE_FLAGS					\
	{ 1, "LOCKED" }, { 2, "PMD" }, { 4, "ZERO" }, { 8, "EMPTY" }

/* Numbers, since trace-cmd and perf do not know the enum of the kernel. */
#define DXL_TRACE_RESULT						\
	{ 0x0001, "OOM" }, { 0x0002, "SIGBUS" }, { 0x0100, "NOPAGE" },	\
	{ 0x0400, "RETRY" }, { 0x0800, "FALLBACK" }

/* The value of the entry is printed as flags and frame. */
DECLARE_EVENT_CLASS(daxlab_entry,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long first,
		 unsigned long value),
	TP_ARGS(dev, ino, first, value),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, first)
		__field(unsigned long, value)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->first = first;
		__entry->value = value;
	),
	TP_printk("dev %d:%d ino %lu first 0x%lx entry %s pfn 0x%lx",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->first,
		  __print_flags(__entry->value & 15, "|", DXL_TRACE_FLAGS),
		  __entry->value >> 4)
);

DEFINE_EVENT(daxlab_entry, entry_lock,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long first,
		 unsigned long value),
	TP_ARGS(dev, ino, first, value));

/* The action "trace" at a window; windows/NAME/about has the number. */
TRACE_EVENT(window,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned int order, unsigned int window),
	TP_ARGS(dev, ino, index, order, window),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, index)
		__field(unsigned int, order)
		__field(unsigned int, window)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->index = index;
		__entry->order = order;
		__entry->window = window;
	),
	TP_printk("dev %d:%d ino %lu index 0x%lx order %u window %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->order, __entry->window)
);

TRACE_EVENT(entry_wait,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long key,
		 unsigned long index, unsigned int order),
	TP_ARGS(dev, ino, key, index, order),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, key)
		__field(unsigned long, index)
		__field(unsigned int, order)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->key = key;
		__entry->index = index;
		__entry->order = order;
	),
	TP_printk("dev %d:%d ino %lu key 0x%lx index 0x%lx order %u",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->key, __entry->index, __entry->order)
);

TRACE_EVENT(entry_wake,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long key, bool all),
	TP_ARGS(dev, ino, key, all),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, key)
		__field(bool, all)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->key = key;
		__entry->all = all;
	),
	TP_printk("dev %d:%d ino %lu key 0x%lx %s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->key, __entry->all ? "all" : "next")
);

TRACE_EVENT(fault,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long index,
		 unsigned int order, bool write, unsigned int result),
	TP_ARGS(dev, ino, index, order, write, result),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, index)
		__field(unsigned int, order)
		__field(bool, write)
		__field(unsigned int, result)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->index = index;
		__entry->order = order;
		__entry->write = write;
		__entry->result = result;
	),
	TP_printk("dev %d:%d ino %lu index 0x%lx order %u %s %s",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->index, __entry->order,
		  __entry->write ? "write" : "read",
		  __print_flags(__entry->result, "|", DXL_TRACE_RESULT))
);

/* A range of page indices of a file, and how many entries were concerned. */
DECLARE_EVENT_CLASS(daxlab_range,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long first,
		 unsigned long last, unsigned long entries),
	TP_ARGS(dev, ino, first, last, entries),
	TP_STRUCT__entry(
		__field(dev_t, dev)
		__field(unsigned long, ino)
		__field(unsigned long, first)
		__field(unsigned long, last)
		__field(unsigned long, entries)
	),
	TP_fast_assign(
		__entry->dev = dev;
		__entry->ino = ino;
		__entry->first = first;
		__entry->last = last;
		__entry->entries = entries;
	),
	TP_printk("dev %d:%d ino %lu first 0x%lx last 0x%lx entries %lu",
		  MAJOR(__entry->dev), MINOR(__entry->dev), __entry->ino,
		  __entry->first, __entry->last, __entry->entries)
);

DEFINE_EVENT(daxlab_range, invalidate,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long first,
		 unsigned long last, unsigned long entries),
	TP_ARGS(dev, ino, first, last, entries));

DEFINE_EVENT(daxlab_range, writeback,
	TP_PROTO(dev_t dev, unsigned long ino, unsigned long first,
		 unsigned long last, unsigned long entries),
	TP_ARGS(dev, ino, first, last, entries));

#endif /* DXL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
