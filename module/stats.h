/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters and histograms: per CPU, summed on read, exact after quiescence.
 *
 * One table generates the enum and the names in debugfs. Counting is one
 * instruction on a per-CPU word, so nothing here needs a switch; only the
 * timing of holds, which reads a clock twice, hides behind a static key.
 */
#ifndef DXL_STATS_H
#define DXL_STATS_H

#include <linux/jump_label.h>
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/sched/clock.h>
#include <linux/types.h>

/* X(enum suffix, name in debugfs): what each counts is in module/README.md. */
#define DXL_STAT_TABLE(X)						\
	X(FAULT_PTE_READ,		fault_pte_read)			\
	X(FAULT_PTE_WRITE,		fault_pte_write)		\
	X(FAULT_PMD_READ,		fault_pmd_read)			\
	X(FAULT_PMD_WRITE,		fault_pmd_write)		\
	X(FAULT_PFN_MKWRITE,		fault_pfn_mkwrite)		\
	X(FAULT_PTE_MAPPED,		fault_pte_mapped)		\
	X(FAULT_PMD_MAPPED,		fault_pmd_mapped)		\
	X(FAULT_PTE_HOLE,		fault_pte_hole)			\
	X(FAULT_PMD_HOLE,		fault_pmd_hole)			\
	X(FAULT_COW,			fault_cow)			\
	X(FAULT_FALLBACK,		fault_fallback)			\
	X(FAULT_FALLBACK_ALIGN,		fault_fallback_align)		\
	X(FAULT_FALLBACK_CONFLICT,	fault_fallback_conflict)	\
	X(FAULT_FALLBACK_BLOCK,		fault_fallback_block)		\
	X(FAULT_FALLBACK_NOMEM,		fault_fallback_nomem)		\
	X(FAULT_RETRY,			fault_retry)			\
	X(FAULT_SIGBUS,			fault_sigbus)			\
	X(FAULT_OOM,			fault_oom)			\
	X(GRABS_UNCONTENDED,		grabs_uncontended)		\
	X(GRABS_CONTENDED,		grabs_contended)		\
	X(CONFLICTS,			conflicts)			\
	X(DOWNGRADES,			downgrades)			\
	X(WAITS,			waits)				\
	X(WAKES_ISSUED,			wakes_issued)			\
	X(WAKES_USEFUL,			wakes_useful)			\
	X(WAKES_MISDIRECTED,		wakes_misdirected)		\
	X(INVALIDATIONS,		invalidations)			\
	X(ENTRIES_INVALIDATED,		entries_invalidated)		\
	X(WRITEBACKS,			writebacks)			\
	X(ENTRIES_WRITTEN,		entries_written)		\
	X(FLUSHES,			flushes)			\
	X(WRITE_PROTECTS,		write_protects)			\
	X(PROMISES,			promises)			\
	X(PROMISED_PAGES,		promised_pages)			\
	X(PROMISES_BROKEN,		promises_broken)		\
	X(BLOCKS_ALLOCATED,		blocks_allocated)		\
	X(BLOCKS_FREED,			blocks_freed)			\
	X(ZEROED_BLOCKS,		zeroed_blocks)			\
	X(BLOCKS_KEPT,			blocks_kept)			\
	X(LAYOUT_BREAKS,		layout_breaks)			\
	X(LAYOUT_WAITS,			layout_waits)			\
	X(PWB_BIOS,			pwb_bios)			\
	X(PWB_BIOS_ENDED,		pwb_bios_ended)			\
	X(PWB_PAGES,			pwb_pages)			\
	X(PF_TABLES,			pf_tables)			\
	X(PF_TABLES_FREED,		pf_tables_freed)		\
	X(BIO_READS,			bio_reads)			\
	X(BIO_WRITES,			bio_writes)			\
	X(BIO_FLUSHES,			bio_flushes)			\
	X(BIO_DISCARDS,			bio_discards)			\
	X(FREEZES,			freezes)			\
	X(FREEZES_GUARDED,		freezes_guarded)		\
	X(LOOKUP_RETRIES,		lookup_retries)			\
	X(LOOKUP_WAITS,			lookup_waits)			\
	X(ZOMBIES_MET,			zombies_met)			\
	X(ZOMBIES_THAWED,		zombies_thawed)			\
	X(CACHE_FOLIOS_MADE,		cache_folios_made)		\
	X(CACHE_FOLIOS_FREED,		cache_folios_freed)

enum dxl_stat {
#define DXL_STAT_ENUM(suffix, name) DXL_STAT_##suffix,
	DXL_STAT_TABLE(DXL_STAT_ENUM)
#undef DXL_STAT_ENUM
	DXL_NR_STATS
};

enum dxl_hist {
	DXL_HIST_WAIT,		/* asleep for an entry, until it was got or gone */
	DXL_HIST_HOLD,		/* entry locked until unlocked or removed */
	DXL_HIST_FOLIO,		/* folio lock held by writepages */
	DXL_NR_HISTS
};

/* Bucket b counts times in [2^(b-1), 2^b) ns; the last one all above. */
#define DXL_HIST_BUCKETS	40

struct dxl_stats {
	u64 count[DXL_NR_STATS];
	u64 hist[DXL_NR_HISTS][DXL_HIST_BUCKETS];
};

DECLARE_PER_CPU(struct dxl_stats, dxl_stats);
DECLARE_STATIC_KEY_TRUE(dxl_timing);

static inline void dxl_stat_add(enum dxl_stat stat, u64 n)
{
	this_cpu_add(dxl_stats.count[stat], n);
}

static inline void dxl_stat_inc(enum dxl_stat stat)
{
	dxl_stat_add(stat, 1);
}

/*
 * The clock of the histograms, in ns; 0 when the module parameter "timing"
 * is off, which dxl_hist_since() takes as "do not count".
 */
static inline u64 dxl_hist_clock(void)
{
	return static_branch_likely(&dxl_timing) ? sched_clock() : 0;
}

void dxl_hist_add(enum dxl_hist hist, u64 ns);

static inline void dxl_hist_since(enum dxl_hist hist, u64 start)
{
	if (start)
		dxl_hist_add(hist, sched_clock() - start);
}

u64 dxl_stat_read(enum dxl_stat stat);
const char *dxl_stat_name(enum dxl_stat stat);
u64 dxl_hist_read(enum dxl_hist hist, unsigned int bucket);
void dxl_stats_reset(void);

#endif /* DXL_STATS_H */
