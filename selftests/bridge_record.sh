#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The bridge under load: syncs of ext4 and xfs are summed while threads, a database and
# fio store, read and sync, and nobody is parked. Hooks are put in and taken out while
# the load runs. Then a report is written. No rate is required: a slow machine meets
# less. What is: every load synced, its faults were seen, no sync failed, the hooks are
# gone, and the module unloads, which no wrapper that was lost would let it.
#
# By hand: DAXLAB_SECONDS=60 scripts/check bridge_record
#
# daxlab-test: timeout=420 needs=module vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

SECONDS_EACH=${DAXLAB_SECONDS:-9}

for tool in mkfs.ext4 mkfs.xfs blkid; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done
OUT=$(mktemp)

# recorded FS [ARGS] - every load has done something, and every sync is accounted for
recorded() {
	daxlab bridge writeback-skips-locked --fs "$1" --record "$SECONDS_EACH" "${@:2}" >"$OUT" || return
	cat "$OUT"
	! grep -E ' 0 faults| 0 syncs$|syncs failed [1-9]' "$OUT" || return
	grep -qE '^B3 recorded: [23] loads, [1-9][0-9]* syncs, ' "$OUT"
}

for fs in ext4 xfs; do
	expect "$fs: syncs are summed under load" recorded "$fs" --format
done
refuse "no time" daxlab bridge B3 --record 0
refuse "two ways at once" daxlab bridge B3 --record 5 --unforced
refuse "of another scenario" daxlab bridge B3b --record 5

# The report has all its parts, and claims nothing that was not seen.
reported() {
	daxlab bridge writeback-skips-locked --report --record 6 --fs ext4 --format --repeat 2 >"$OUT" || return
	cat "$OUT"
	local part
	for part in '^Kernel  ' '^Steps, forced' 'returns: 0x5 is not flushed' 'writable 1' \
		'^Not forced: two threads' '^B3 recorded:' '^Candidates for a cure' \
		'^What this does not show'; do
		grep -q "$part" "$OUT" || { note "no '$part'"; return 1; }
	done
	grep -qE '^  B3 passes +B3b caught +1\. reset$' "$OUT" &&
		grep -qE '^  B3 passes +B3b passes +2\. reset, and wait' "$OUT"
}
expect "a report fit to send" reported

expect "the module unloads" unload
# Looking there mounts it.
equal "nothing of it is left in ftrace" "$(grep -c daxlab /sys/kernel/debug/tracing/enabled_functions || :)" 0
expect "tracefs goes again" umount /sys/kernel/debug/tracing
expect "and comes back" load
finish
