#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Bugs that fs/dax.c had once (A1, A4, C1, C2, C6 of the catalogue): the same windows are
# held on the kernel of now, on ext4 and xfs, and it has to pass. Tasks sleep in the
# kernel's own wait table meanwhile, and are seen there: a scenario whose waiters are
# not found there is inconclusive, and fails. Then B1, which is open before v6.15: a
# punch that passes a pinned page must show there, and on newer kernels must not. And
# our filesystem in the variant of upstream crosses windows in the order of each.
#
# daxlab-test: timeout=180 needs=module vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

RUNS=5

for tool in mkfs.ext4 mkfs.xfs blkid; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

passes() {
	local words
	words=$(daxlab bridge "$1" --fs "$2" --repeat "$RUNS" "${@:3}") || { echo "$words"; return 1; }
	echo "$words"
	[[ $words == *"$1 $2: $RUNS runs, 0 caught, $RUNS passed, 0 inconclusive"* ]]
}

for fs in ext4 xfs; do
	expect "$fs: a file to begin with" passes A1 "$fs" --format
	expect "$fs: three wait for an entry that the first of them takes out" passes A4 "$fs"
	expect "$fs: write(2) and a read fault on a hole" passes C1 "$fs"
	expect "$fs: write(2) and a PMD read fault on a hole" passes C2 "$fs"
	# A new filesystem has aligned extents.
	expect "$fs: PTE and PMD faults that meet in one slot, both ways" passes C6 "$fs" --format
	expect "$fs: a punch and a pinned page, as is known of this kernel" \
		daxlab bridge B1 --fs "$fs" --repeat "$RUNS"
	expect "$fs: our filesystem goes the same way" daxlab bridge B3 --fs "$fs" --conform
done
refuse "a cure is for syncs" daxlab bridge A1 --cure reset
expect "the module unloads" unload
expect "and comes back" load
finish
