#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What debugfs shows while four threads store to one 2 MiB page and sync after
# each store: a flush of the whole page holds the entry long enough to be seen.
#
#   1. `entries` names the owner of a locked entry, and a waiter with its key
#   2. afterwards nobody holds or waits, and `stats` and `wait_hist` agree
#   3. with timing off, holds are no longer counted; `reset` sets all to zero
#
# Broken: a hold that is never taken off the list, waits counted twice.
#
# daxlab-test: timeout=120 args="size=64M"
. "$(dirname "$0")/lib/lib.sh"

ENTRIES=$DEBUGFS/entries TIMING=/sys/module/daxlab/parameters/timing
OWNER='^locked dev daxlab0 ino [0-9]+ index 0x0 order 9 owner [^ ]+/[0-9]+ age [0-9]+ ms$'
WAITER='^waiter dev daxlab0 ino [0-9]+ key 0x0 index 0x[0-9a-f]+ order [09] task [^ ]+/[0-9]+ age [0-9]+ ms$'

store_and_sync() {
	exec fio --name=sync --filename="$MNT/page" --size=2M --ioengine=mmap \
		--rw=randwrite --bs=4k --fsync=1 --thread --numjobs=4 \
		--time_based --runtime="$1" >/dev/null
}

# hist_sum waits|holds - all buckets
hist_sum() {
	awk -v c="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == c) col = i; next }
		{ sum += $col } END { print sum + 0 }' "$DEBUGFS/wait_hist"
}

shows() { grep -Eq "$1" "$ENTRIES"; }

expect "mount" mount_fresh
fallocate -l 2M "$MNT/page"
reset_counters
store_and_sync $((60 * ${DAXLAB_SLOW:-1})) &
load=$!
expect "an owner is shown" loop_until 50 shows "$OWNER"
expect "a waiter is shown" loop_until 50 shows "$WAITER"
kill "$load"
wait "$load"
equal "nobody holds, nobody waits" "$(cat "$ENTRIES")" \
	$'locked entries: 0\nwait entries: 0'
expect "there were waits" test "$(counter waits)" -gt 0
equal "each wait is in the histogram" "$(hist_sum waits)" "$(counter waits)"
expect "holds are in the histogram" test "$(hist_sum holds)" -gt 0
equal "grabs are the sum of both kinds" "$(counter grabs)" \
	$(($(counter grabs_uncontended) + $(counter grabs_contended)))

echo N >"$TIMING"
reset_counters
equal "reset sets the counters to zero" "$(awk '$2 { print $1 }' "$DEBUGFS/stats")" ""
equal "and the histograms" "$(hist_sum holds) $(hist_sum waits)" "0 0"
(store_and_sync 1)
expect "entries are locked with timing off" test "$(counter grabs)" -gt 0
equal "their holds are not timed" "$(hist_sum holds)" 0
echo Y >"$TIMING"
refuse "reset takes no 0" sh -c "echo 0 >$DEBUGFS/reset"
refuse "reset takes no word" sh -c "echo all >$DEBUGFS/reset"
refuse "timing takes no number" sh -c "echo 7 >$TIMING"
expect "unmount" umount "$MNT"
finish
