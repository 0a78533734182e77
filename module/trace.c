// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where the trace events are created
 */
#include <linux/build_bug.h>
#include <linux/mm_types.h>

/* DXL_TRACE_RESULT */
static_assert((__force unsigned int)VM_FAULT_OOM == 0x0001);
static_assert((__force unsigned int)VM_FAULT_SIGBUS == 0x0002);
static_assert((__force unsigned int)VM_FAULT_NOPAGE == 0x0100);
static_assert((__force unsigned int)VM_FAULT_RETRY == 0x0400);
static_assert((__force unsigned int)VM_FAULT_FALLBACK == 0x0800);

#define CREATE_TRACE_POINTS
#include "trace.h"
