#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# ext4 and xfs with dax=always on a device that fails on purpose.
#
#   1. an error of direct_access reaches read, write and a mapping as EIO and
#      SIGBUS; without the rule the file is what it was
#   2. short answers: every huge fault falls back, and the content is right
#   3. bad media: a read fails, a write of the block heals it (recovery)
#   4. fsync gets the error of a flush, once it is over it succeeds
#   5. every use of a file while half of what the device is asked for
#      fails, or is late: no oops, no hang (the runner looks), and fsck finds
#      a filesystem that can be used
#
# A broken device or filesystem hangs, oopses, or gives wrong bytes. By hand: ERRORS=10000.
#
# daxlab-test: timeout=400 args="size=512M"
. "$(dirname "$0")/lib/lib.sh"

INJECT=$DEBUGFS/devices/daxlab0 FILE=$MNT/file

for tool in mkfs.ext4 mkfs.xfs xfs_io filefrag fio spoiled; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

make_ext4() { mkfs.ext4 -q -F "$DEV"; }
make_xfs() { mkfs.xfs -q -f "$DEV"; }
check_ext4() { e2fsck -fy "$DEV"; (($? < 4)); }
check_xfs() { xfs_repair "$DEV"; }

mount_dax() {
	mkdir -p "$MNT" && mount -o dax=always "$DEV" "$MNT"
}

inject() { echo "$1" >"$INJECT/inject"; }

# injected PREFIX - the sum of the counters whose names begin so
injected() { awk -v p="$1" 'index($1, p) == 1 { n += $2 } END { print n }' "$INJECT/injected"; }

# Block of the device that has block 0 of the file
block() {
	filefrag -e -b4096 "$FILE" |
		awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }'
}

io() { xfs_io -c "$1" "$FILE"; }

# says ERROR COMMAND... - it fails with these words, or by this signal
says() {
	local output
	output=$("${@:2}" 2>&1)
	[[ $output == *"$1"* ]] || { echo "$output"; return 1; }
}

# dies COMMAND COMMAND - of SIGBUS (128 + 7)
dies() {
	local status=0
	(xfs_io -c "$1" -c "$2" "$FILE") >/dev/null 2>&1 || status=$?
	echo "status $status"
	((status == 135))
}

errors() {
	local fs=$1 sum
	sum=$(md5sum "$FILE")
	expect "$fs: inject" inject "op=direct_access,start=$(block),nr=1,error=EIO"
	expect "$fs: read: EIO" says "Input/output error" io "pread 0 4k"
	expect "$fs: write: EIO" says "Input/output error" io "pwrite 0 4k"
	expect "$fs: load: SIGBUS" dies "mmap -r 0 1m" "mread 0 1"
	expect "$fs: store: SIGBUS" dies "mmap -rw 0 1m" "mwrite 0 1"
	expect "$fs: remove" inject remove=all
	equal "$fs: nothing has changed" "$(md5sum "$FILE")" "$sum"
}

media() {
	local fs=$1 bad
	bad=$(block)
	expect "$fs: a bad block" inject "bad=$bad"
	expect "$fs: read of it: EIO" says "Input/output error" io "pread 0 4k"
	expect "$fs: a write heals it" io "pwrite -S 0x55 0 4k"
	refuse "$fs: it is good" grep -q "^bad=" "$INJECT/inject"
	expect "$fs: and can be read" io "pread 0 4k"
}

flushes() {
	local fs=$1
	expect "$fs: a flush fails" inject "op=flush,error=EIO,times=1"
	expect "$fs: fsync: EIO" says "Input/output error" xfs_io -c "pwrite 0 1" -c fsync "$FILE"
	expect "$fs: remove" inject remove=all
}

short() {
	local fs=$1 before
	before=$(injected shorts_)
	expect "$fs: short answers" inject "op=direct_access,short=1"
	expect "$fs: fio verifies" fio --name=map --filename="$MNT/short" --size=4M --rw=write \
		--bs=4k --ioengine=mmap --verify=crc32c --verify_state_save=0 --thread
	expect "$fs: there were some" test "$(injected shorts_)" -gt "$before"
	expect "$fs: remove" inject remove=all
}

# spoil BEFORE - use a file until there were enough errors
spoil() {
	local end=$((SECONDS + ${ERRORS:-1000} * ${DAXLAB_SLOW:-1} / 10))
	while (($(injected errors_) - $1 < ${ERRORS:-1000})); do
		((SECONDS < end)) || return 1
		spoiled "$MNT/spoiled" 3 || return
	done
}

storm() {
	local fs=$1 before
	before=$(injected errors_)
	inject seed=5
	expect "$fs: read" inject "op=direct_access,error=EIO,chance=50%"
	expect "$fs: late" inject "op=direct_access,delay=1000,chance=1%"
	expect "$fs: zero" inject "op=zero,error=EIO,chance=20%"
	expect "$fs: recovery" inject "op=recovery,error=EIO,chance=20%"
	expect "$fs: EIO and SIGBUS, and nothing else" spoil "$before"
	note "$fs: $(($(injected errors_) - before)) errors"
	expect "$fs: remove" inject remove=all
}

story() {
	local fs=$1
	expect "$fs: mkfs" "make_$fs"
	expect "$fs: mount -o dax=always" mount_dax
	expect "$fs: a file" xfs_io -f -c "pwrite -S 0x31 0 4m" -c fsync "$FILE"
	errors "$fs"
	media "$fs"
	short "$fs"
	storm "$fs"
	expect "$fs: umount" umount "$MNT"
	expect "$fs: fsck" "check_$fs"
	expect "$fs: mount again" mount_dax
	expect "$fs: the file is there" io "pread 0 4m"
	flushes "$fs"
	umount "$MNT"
	expect "$fs: fsck again" "check_$fs"
}

modprobe -a ext4 xfs || skip_all "no ext4 or xfs here"
[[ ${OF_PMEM-} ]] || ! kernel_since 6.15 ||
	skip_all "since Linux 6.15 plain RAM has no DAX for others: bdev_inject_pmem has this story"
story ext4
story xfs
modprobe -r ext4 xfs
finish
