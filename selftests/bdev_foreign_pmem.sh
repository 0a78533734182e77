#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bdev_foreign_fs on memory that was there before: ext4 with dax=always on a device
# that is a reserved range, xfs on one that stands on /dev/pmem0. By hand, all
# four: FS="ext4 xfs".
#
# daxlab-test: timeout=400 needs=none vm="--backing memmap --pmem 1G"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"
. "$(dirname "$0")/lib/foreign.sh"

trace_faults 1
for pair in range:ext4 device:xfs; do
	expect "load on the ${pair%:*}" load_pmem "${pair%:*}"
	for fs in ${FS:-${pair#*:}}; do
		story "$fs"
	done
	expect "unload" unload
done
trace_faults 0
expect "pmem0 is there" test -b "$PMEM"
modprobe -r ext4 xfs
finish
