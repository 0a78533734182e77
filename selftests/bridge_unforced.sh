#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The bug B3 of stock kernels (writeback-skips-locked), seen from user space on
# ext4 and xfs: with a second thread on the page some syncs return without having
# write-protected it, in the controls none does. The module is not loaded.
#
# A reproducer that reproduces nothing, or sees the bug where it is not, fails.
# Only counts decide: a slow machine makes the same number of syncs.
#
# daxlab-test: timeout=240 needs=none vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

SYNCS=2000

for tool in mkfs.ext4 mkfs.xfs blkid; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

# Nobody has been here.
dd if=/dev/zero of="$PMEM" bs=1M count=16 oflag=direct status=none
missed() { daxlab bridge writeback-skips-locked --unforced --repeat "$SYNCS" "$@"; }

expect "ext4: syncs miss the contended page, and no other" missed --fs ext4
refuse "a device with another filesystem is refused" missed --fs xfs
expect "xfs: the same" missed --fs xfs --format
equal "the module had no part in it" "$(grep -c '^daxlab ' /proc/modules)" 0
equal "nothing is mounted" "$(grep -c pmem0 /proc/mounts)" 0
finish
