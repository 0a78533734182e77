#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# B3 and B3b forced on the kernel's own fs/dax.c: tasks are parked in its functions,
# and syncs of ext4 and xfs return over an unflushed page in every run, and in none
# of the controls (nobody parked; another page parked).
#
#   1. every scenario with its controls on both filesystems; with the state reset, B3
#      passes and B3b is still caught, and with the wait after the walk both pass
#   2. what a session must refuse: no file, a file that is not in DAX mode, a second
#      bridge, a window without a hook, a window under a spinlock, errors; and rules
#      of windows/, which are about mounts of ours, do not act there
#   3. as on kernels that lack a function: what needs it is skipped, with its name, and
#      the rest is played; all is hooked again afterwards
#   4. a session ends while a task is parked in the kernel: it goes on, its load is
#      right, and the module unloads
#
# Wrong hooks end in an oops; a wrong oracle in another count.
#
# daxlab-test: timeout=300 needs=module vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

RUNS=3

for tool in mkfs.ext4 mkfs.xfs blkid xfs_io; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done

MNT=/tmp/bridge
mkdir -p "$MNT"

# line SCENARIO FS - of its result
line() { grep -q "^$1 $2: $RUNS runs, $3$" "$LINES_FILE"; }

play() {
	daxlab bridge "$1" --fs "$2" --repeat "$RUNS" "${@:3}" >"$LINES_FILE"
	local status=$?
	cat "$LINES_FILE"
	((!status)) && line "$1" "$2" "$RUNS caught, 0 passed, 0 inconclusive" &&
		line "$1-elsewhere" "$2" "0 caught, $RUNS passed, 0 inconclusive" &&
		line "$1-alone" "$2" "0 caught, $RUNS passed, 0 inconclusive"
}
LINES_FILE=$(mktemp)

# cured SCENARIO FS CURE CAUGHT PASSED
cured() {
	daxlab bridge "$1" --fs "$2" --repeat "$RUNS" --cure "$3" >"$LINES_FILE"
	local status=$?
	cat "$LINES_FILE"
	((!status)) && line "$1" "$2 $3" "$4 caught, $5 passed, 0 inconclusive"
}

# The listing and the evidence of B3, as a person reads them.
told() {
	daxlab bridge B3 --fs xfs --verbose >"$LINES_FILE" || return
	cat "$LINES_FILE"
	grep -q 'sync syncer returned ret 0 dirty 1 flushed 0 passed 1 unflushed 0x5 .*locked yes DIRTY 1 .*writable 1' "$LINES_FILE" &&
		grep -q '^ *storer/[0-9]* *holder/[0-9]* *syncer/[0-9]*$' "$LINES_FILE" &&
		grep -q '^ *returns: 0x5 is not flushed$' "$LINES_FILE"
}

dd if=/dev/zero of=/dev/pmem0 bs=1M count=1 status=none
printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\020\0\0%48s\125\252' "" | tr ' ' '\0' |
	dd of=/dev/pmem0 bs=1 seek=446 conv=notrunc status=none
refuse "a device with a partition table is left alone" daxlab bridge B3 --fs ext4
refuse "a mount of another kind is left alone" daxlab bridge B3 --mount /tmp

for fs in ext4 xfs; do
	expect "$fs: a sync passes the entry that a fault has locked" play B3 "$fs" --format
	expect "$fs: a sync finds its work list taken by another" play B3b "$fs"
	expect "$fs: reset: a sync waits for the entry" cured B3 "$fs" reset 0 "$RUNS"
	expect "$fs: reset: it does not find what another has taken" cured B3b "$fs" reset "$RUNS" 0
	expect "$fs: reset_wait: it waits for that, too" cured B3b "$fs" reset_wait 0 "$RUNS"
done

expect "what happened is told, a column per role" told

# skips LINE ARG... - status 4, and LINE is told; nothing is said to have been seen
skips() {
	daxlab bridge "${@:2}" >"$LINES_FILE"
	local status=$?
	cat "$LINES_FILE"
	((status == 4)) && grep -qF "$1" "$LINES_FILE" &&
		! grep -q "^B3 .* runs, \|over an unflushed" "$LINES_FILE"
}

expect "without the function of a window: skipped, by name" skips \
	"B3 xfs: skipped: dax_insert_entry() is not in this kernel" \
	B3 --fs xfs --without dax_insert_entry
expect "likewise for programs" skips '"skipped": "dax_insert_entry() is' \
	B3 --fs xfs --json --without dax_insert_entry
expect "without a function that no scenario can do without" skips \
	"B3 xfs: skipped: dax_flush() is not in this kernel" B3 --fs xfs --without dax_flush
expect "without what a cure needs" skips "B3 xfs reset: skipped: get_unlocked_entry()" \
	B3 --fs xfs --cure reset --without get_unlocked_entry
expect "nothing is recorded" skips "skipped: tag_pages_for_writeback() is" B3 --fs xfs --record 3 \
	--without tag_pages_for_writeback
expect "nothing is compared" skips "skipped: dax_insert_entry() is" \
	B3 --fs xfs --conform --without dax_insert_entry
expect "what does not need it is played" play B3 xfs --without invalidate_inode_pages2_range
expect "all is hooked again" play B3 xfs

say() { echo "$1" >&"$session"; }

expect "a mount to refuse things on" mount -o dax=always /dev/pmem0 "$MNT"
head -c 64K /dev/zero >"$MNT/file"
sync "$MNT/file"
exec {file}<>"$MNT/file" {other}<>"$LINES_FILE"
exec {session}<>"$DEBUGFS/control"
refuse "no such descriptor" say "bridge 999"
refuse "a file that is not in DAX mode" say "bridge $other"
refuse "no descriptor" say "bridge"
refuse "without what is not hooked" say "bridge $file without printk"
refuse "without nothing" say "bridge $file without"
refuse "with something" say "bridge $file with dax_flush"
expect "a bridge" say "bridge $file"
refuse "one more in the same session" say "bridge $file"
refuse "a mount of ours beside it" say "bind daxlab0"
exec {session2}<>"$DEBUGFS/control"
refuse "one more in another session" eval "echo 'bridge $file' >&$session2"
exec {session2}>&-
refuse "a window that no function is at" say "arm truncate.after_cut park"
refuse "parking under a spinlock" say "arm writeback.found_locked park"
refuse "an error put into the kernel" say "arm fault.before_grab error(-EIO)"
refuse "oracles that know our own entries only" say "verdict"
refuse "a cure that nobody knows" say "cure aspirin"
refuse "a cure without a name" say "cure"
refuse "a record with an argument" say "record 5"
expect "a cure" say "cure reset"
expect "none again" say "cure none"

# Were it for the bridge as well, the reader would be parked for a minute.
echo 'park(60000)' >"$DEBUGFS/windows/fault.before_grab/arm"
expect "a rule of windows/ does not act in a bridge" \
	timeout "$((30 * ${DAXLAB_SLOW:-1}))" xfs_io -r -c "mmap -r 0 64k" -c "mread 8192 16" "$MNT/file"
equal "nobody is parked by it" "$(cat "$DEBUGFS/windows/fault.before_grab/parked")" ""
expect "it was not even looked at" grep -q ' hits 0 fired 0 rule park' "$DEBUGFS/windows/fault.before_grab/arm"
echo off >"$DEBUGFS/windows/fault.before_grab/arm"

# A reader is parked with the entry locked, and its session goes.
expect "park readers" say "arm fault.before_insert_entry park(60000)"
: >"$LINES_FILE"
xfs_io -r -c "mmap -r 0 64k" -c "mread -v 20480 16" "$MNT/file" \
	>"$LINES_FILE" {session}>&- {file}>&- {other}>&- &
reader=$!
somebody_parked() { grep -q . "$DEBUGFS/windows/fault.before_insert_entry/parked"; }
expect "the reader is parked in the kernel" loop_until 30 somebody_parked
equal "it has read nothing yet" "$(cat "$LINES_FILE")" ""
exec {session}>&-
wait "$reader"
equal "it goes on when the session has gone" $? 0
expect "it has read what is there" grep -q '^00005000:  00' "$LINES_FILE"
exec {file}>&- {other}>&-
expect "the mount is free" umount "$MNT"
expect "the module unloads" unload
expect "and comes back" load
finish
