#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The scenarios that want pages which can be pinned, on memory that has such:
# scenarios.sh runs on RAM and passes over them. Each in every variant that it
# speaks of, as there. (E5-tail is about RAM.)
#
# daxlab-test: timeout=1200 needs=none vm="--backing memmap"
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/selftests/lib/pmem.sh"
. "$DAXLAB_TOP/selftests/lib/played.sh"

# README.md, "Known limits".
! kernel_since 6.17 ||
	skip_all "since Linux 6.17 nothing of a mapping on pmem can be pinned"
expect "load on the reserved range" load_pmem range
mkdir -p "$MNT"
expect "mount" mount -t daxlab -o format,dax=inode "$DEV" "$MNT"
mapfile -t ids < <(daxlab list | awk '$1 ~ /^E/ && $1 != "E5-tail" { print $1 }')
expect "there are some" test "${#ids[@]}" -gt 0
play_all "${ids[@]}" --repeat "$REPEAT" --mount "$MNT"
expect "no scenario was passed over" test "$skipped" -eq 0
expect "unmount" umount "$MNT"
expect "unload" unload
expect "the device is there again" pmem_show
finish
