#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The device made of memory that was there before, backing=pmem: a range, or
# another device below.
#
#   1. what is in use, mounted, held, not reserved, or has no DAX, is refused
#      with an errno of its own and one line in the log, and nothing is left
#   2. as a device below it is ours alone while the module is loaded, and
#      free after: what was stored on daxlab0 is on pmem0
#   3. as a range it is not formatted by itself, and keeps its content over unload
#      and load; pages of a mapping can be pinned for O_DIRECT
#
# A broken module shares memory with another driver, or loses what is on it.
#
# daxlab-test: timeout=240 needs=none vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

mkdir -p "$MNT"
ours() { mount -t daxlab ${2:+-o "$2"} "$1" "$MNT"; }
sum() { cksum <"$1"; }

# refused ERROR LINE ARGS... - insmod says the one, the log the other, once
refused() {
	local mark="refused $KTAP_COUNT ${*:3}" said
	log "$mark"
	said=$(load "${@:3}" 2>&1) && { unload; fail "refused: ${*:3}"; return; }
	equal "refused: ${*:3}: $1" "${said##*: }" "$1"
	equal "one line says so" "$(log_since "$mark" | grep -c '^daxlab: ')" 1
	expect "as it should: $2" grep -q "^daxlab: .*$2" <(log_since "$mark")
	refuse "and there is no device" test -e "$DEV"
}

# pinned FILE - O_DIRECT to a device without DAX, from and to a mapping of the file. fio
# has status 0 even if it is killed.
pinned() {
	fallocate -l 64k "$1" && fio --name=pin --filename=/dev/ram0 --size=1M --bs=4k --direct=1 \
		--rw=write --verify=crc32c --verify_state_save=0 --mem=mmapshared:"$1" | grep "err= 0"
}

# The kernel tells once a boot what it thinks of foreign modules.
load ndev=0 && unload
refused "Device or resource busy" "is in use" backing=pmem range="$DAXLAB_RANGE"
refused "No such device or address" "System RAM" backing=pmem range=256M,16M
refused "No such device or address" "System RAM" backing=pmem range=4G,1G
refused "No such device" "not all reserved" backing=pmem range=1T,16M
refused "Block device required" "cannot be opened" backing=pmem device=/dev/null
if modprobe brd rd_nr=1 rd_size=4096; then
	refused "Operation not supported" "no DAX" backing=pmem device=/dev/ram0
else
	skip "a device without DAX" "no brd here"
fi
mkfs.ext4 -q -F "$PMEM" && mount "$PMEM" "$MNT"
refused "Device or resource busy" "mounted" backing=pmem device="$PMEM"
umount "$MNT"
mkswap -q "$PMEM" && swapon "$PMEM"
refused "Device or resource busy" "in use otherwise" backing=pmem device="$PMEM"
swapoff "$PMEM"

expect "load on the device" load_pmem device
equal "as large as that" "$(<"/sys/block/${DEV##*/}/size")" "$(<"/sys/block/${PMEM##*/}/size")"
refuse "which nobody else can mount" ours "$PMEM" format
expect "ours is made on it" ours "$DEV" format
expect "a file" dd if=/dev/urandom of="$MNT/file" bs=1M count=8 status=none
want=$(sum "$MNT/file")
refuse "no unload while mounted" unload
expect "unmount" umount "$MNT"
expect "discards reach it" blkdiscard -o 256M -l 4M "$DEV"
expect "unload" unload
expect "load on ordinary memory" load size=2M
expect "the device below is free, and has the file" ours "$PMEM"
equal "as it was" "$(sum "$MNT/file")" "$want"
expect "unmount again" umount "$MNT"
expect "unload again" unload

expect "load on the range" load_pmem range
expect "it has the same" ours "$DEV"
equal "file" "$(sum "$MNT/file")" "$want"
reset_counters
expect "fio verifies a mapping" fio --name=pmem --filename="$MNT/mapped" --size=16M --ioengine=mmap \
	--rw=write --bs=2M --fallocate=posix --verify=crc32c --do_verify=1 --output=/dev/null
expect "of huge pages" test "$(counter fault_pmd_mapped)" -gt 0
# README.md, "Known limits".
if [[ ! -b /dev/ram0 ]]; then
	skip "pages of a mapping that are pinned" "no brd here"
elif kernel_since 6.17; then
	refuse "pages of a mapping cannot be pinned" pinned "$MNT/buffer"
else
	expect "pages of a mapping can be pinned" pinned "$MNT/buffer"
fi
expect "unmount the range" umount "$MNT"
expect "unload the range" unload
expect "load it again" load_pmem range
expect "mount, without format" ours "$DEV"
equal "the file is there" "$(sum "$MNT/file")" "$want"
expect "unmount at the end" umount "$MNT"
dd if=/dev/zero of="$DEV" bs=1M count=16 oflag=direct status=none
refuse "blank, it is not formatted by itself" ours "$DEV"
expect "unload at the end" unload
expect "and pmem0 is there again" pmem_show
modprobe -r brd ext4
finish
