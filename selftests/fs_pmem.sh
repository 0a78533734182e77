#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The filesystem on memory of another driver: /dev/pmem0, where nothing is
# formatted that nobody asked for.
#
#   1. a blank device is refused without -o format, and stays blank
#   2. what is on it, here ext4, is refused without -o format, and stays
#   3. with -o format it is ours: files, PMD faults, unmount, mount, content
#   4. another superblock of the same module, on RAM, stands beside it
#
# daxlab-test: timeout=180 vm="--backing memmap" args="size=16M"
. "$(dirname "$0")/lib/lib.sh"

PMEM=/dev/pmem0 DIR=/mnt/pmem
[[ -b $PMEM ]] || skip_all "no $PMEM here"
mkdir -p "$DIR" "$MNT"

ours() { mount -t daxlab ${1:+-o "$1"} "$PMEM" "$DIR"; }
sum() { cksum <"$1"; }

dd if=/dev/zero of="$PMEM" bs=1M count=16 oflag=direct status=none
before=$(head -c 16M "$PMEM" | cksum)
log "pmem: blank"
refuse "a blank device is not formatted by itself" ours
equal "one line says so" "$(log_since "pmem: blank" | grep -c '^daxlab: pmem0: device is blank')" 1
equal "and nothing was written" "$(head -c 16M "$PMEM" | cksum)" "$before"

mkfs.ext4 -q -F -b 4096 "$PMEM"
log "pmem: ext4"
refuse "a foreign filesystem is not taken for ours" ours
equal "one line says so" "$(log_since "pmem: ext4" | grep -c '^daxlab: pmem0: no daxlab filesystem')" 1
expect "and is whole" e2fsck -fn "$PMEM"

expect "-o format makes ours of it" ours format
expect "a file of 8 MiB" dd if=/dev/urandom of="$DIR/file" bs=1M count=8 status=none
want=$(sum "$DIR/file")
expect "the same on RAM beside it" mount_fresh
expect "a copy there" cp "$DIR/file" "$MNT/file"
equal "with the same content" "$(sum "$MNT/file")" "$want"
expect "unmount" umount "$DIR" "$MNT"
expect "mount, without format" ours
equal "the content is there" "$(sum "$DIR/file")" "$want"
reset_counters
expect "mmap with verify" fio --name=pmem --filename="$DIR/mapped" --size=16M --ioengine=mmap \
	--rw=write --bs=2M --fallocate=posix --verify=crc32c --do_verify=1 --output=/dev/null
expect "takes PMD faults" test "$(counter fault_pmd_mapped)" -gt 0
expect "unmount at the end" umount "$DIR"
finish
