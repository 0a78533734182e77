#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ext4 and xfs sit on the device with dax=always, as they would on pmem.
#
#   1. mkfs without alignment options: the hints of the queue must do
#   2. write a file through a mapping; the tracepoint must say that all its
#      faults were huge, fio that each block holds what was stored
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

TRACE=/sys/kernel/tracing FILE_MIB=32

for tool in mkfs.ext4 mkfs.xfs xfs_io filefrag fio; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

make_ext4() { mkfs.ext4 -q -F "$DEV"; }
make_xfs() { mkfs.xfs -q -f "$DEV"; }

mount_dax() {
	mkdir -p "$MNT" && mount -o dax=always "$DEV" "$MNT" &&
		grep -q "^$DEV $MNT .*dax=always" /proc/mounts
}

verify_mapping() {
	fio --name=map --filename="$MNT/file" --size="${FILE_MIB}M" --rw=write \
		--bs=4k --ioengine=mmap --verify=crc32c --verify_state_save=0 \
		--thread >/dev/null
}

# Huge faults that mapped memory, and those that had to fall back
faults() { grep -c "dax_pmd_fault_done.*$1" "$TRACE/trace"; }

# 16 blocks of the file, each filled with a letter of its own, read from the
# device at the file's first block
same_below() {
	local block i
	local -a store=()
	for i in {0..15}; do
		store+=(-c "mwrite -S $((65 + i)) $((i * 4096)) 4096")
	done
	block=$(filefrag -e -b4096 "$MNT/file" |
		awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }')
	echo "first block of the file: $block"
	xfs_io -c "mmap -rw 0 64k" "${store[@]}" -c "msync -s 0 64k" "$MNT/file" &&
		dd if="$DEV" bs=4k skip="$block" count=16 iflag=direct status=none |
		cmp - <(for i in {A..P}; do printf "%4096s" "" | tr ' ' "$i"; done)
}

story() {
	local fs=$1 sum
	expect "$fs: mkfs" "make_$fs"
	expect "$fs: mount -o dax=always" mount_dax
	echo >"$TRACE/trace"
	expect "$fs: fio verifies a mapping" verify_mapping
	expect "$fs: a huge fault for each 2 MiB" \
		test "$(faults NOPAGE)" -ge $((FILE_MIB / 2))
	equal "$fs: no small fault" "$(faults FALLBACK)" 0
	expect "$fs: a bio reads what a mapping stored" same_below
	sum=$(md5sum "$MNT/file")
	refuse "$fs: no unload while mounted" unload
	expect "$fs: umount" umount "$MNT"
	expect "$fs: mount again" mount_dax
	equal "$fs: the file is the same" "$(md5sum "$MNT/file")" "$sum"
	expect "$fs: umount again" umount "$MNT"
}

# No DAX: ext4 refuses to mount, xfs goes on without, and says so.
story_without() {
	local fs=$1
	expect "$fs: mkfs" "make_$fs"
	refuse "$fs: no mount with DAX" mount_dax
	! grep -q "^$DEV " /proc/mounts || umount "$MNT"
	skip "$fs with DAX on the RAM device" \
		"fs/dax.c of this kernel counts page references, which plain RAM cannot give"
}

modprobe -a ext4 xfs || skip_all "no ext4 or xfs here"
event=$TRACE/events/fs_dax/dax_pmd_fault_done/enable
echo 1 >"$event"
story=story
[[ $(<"/sys/block/${DEV##*/}/queue/dax") == 1 ]] || story=story_without
$story ext4
$story xfs
echo 0 >"$event"
modprobe -r ext4 xfs
finish
