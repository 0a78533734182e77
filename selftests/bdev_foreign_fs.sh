#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ext4 and xfs sit on the device with dax=always, as they would on pmem.
#
#   1. mkfs without alignment options: the hints of the queue must do
#   2. write a file through a mapping; the tracepoint must say that all its
#      faults were huge, fio that each block holds what was stored; and of a
#      small file that they were small
#   3. what was stored to the mapping is what a bio reads from the device at
#      the file's blocks: one memory by two ways
#   4. after umount and mount the file is the same; meanwhile no unload
#
# Where fs/dax.c counts references to pages (Linux 6.15 and later) it cannot take
# plain RAM, and the device says that it has no DAX: then the mounts are refused.
#
# A broken device gives them no DAX, small faults, or other bytes. Runs for
# half a minute in emulation. (mkfs.xfs aligns nothing on less than 1 GiB.)
#
# daxlab-test: timeout=240 args="size=1G"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/foreign.sh"

# No DAX: ext4 refuses to mount, xfs goes on without, and says so.
story_without() {
	local fs=$1
	expect "$fs: mkfs" "make_$fs"
	refuse "$fs: no mount with DAX" mount_dax
	! grep -q "^$DEV " /proc/mounts || umount "$MNT"
	skip "$fs with DAX on the RAM device" \
		"fs/dax.c of this kernel counts page references, which plain RAM cannot give"
}

trace_faults 1
story=story
[[ $(<"/sys/block/${DEV##*/}/queue/dax") == 1 ]] || story=story_without
$story ext4
$story xfs
trace_faults 0
modprobe -r ext4 xfs
finish
