#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The trace events, by trace-cmd: stores to a mapping from two threads, syncs, a
# write into a hole. Each event is recorded, and what it prints has the device,
# the inode and the index, so that lines of one story can be found by grep.
#
# daxlab-test: timeout=120 args="size=64M"
. "$(dirname "$0")/lib/lib.sh"

command -v trace-cmd >/dev/null || skip_all "no trace-cmd here"

DATA=/tmp/daxlab-trace.dat REPORT=/tmp/daxlab-trace.txt

cat >/tmp/daxlab-story.sh <<STORY
fio --name=sync --filename=$MNT/page --size=2M --ioengine=mmap \
	--rw=randwrite --bs=4k --fsync=1 --thread --numjobs=4 \
	--time_based --runtime=3 >/dev/null
truncate -s 1M $MNT/hole
dd if=/dev/zero of=$MNT/hole bs=4k count=1 conv=notrunc 2>/dev/null
STORY

expect "mount" mount_fresh
fallocate -l 2M "$MNT/page"
expect "trace-cmd records" trace-cmd record -q -e daxlab -o "$DATA" bash /tmp/daxlab-story.sh
trace-cmd report -i "$DATA" >"$REPORT" 2>/dev/null
ino=$(stat -c %i "$MNT/page")
for event in entry_lock entry_wait entry_wake fault writeback; do
	expect "$event tells of the file" grep -Eq "$event: +dev [0-9]+:[0-9]+ ino $ino " "$REPORT"
done
expect "invalidate tells of the hole" grep -Eq "invalidate: .* ino $(stat -c %i "$MNT/hole") first 0x0 last 0x0" "$REPORT"
expect "a fault says its order and result" grep -Eq "fault: .* index 0x0 order 9 write NOPAGE" "$REPORT"
expect "an entry prints its flags" grep -Eq "entry_lock: .* entry LOCKED\|PMD" "$REPORT"
rm -f "$DATA" "$REPORT" /tmp/daxlab-story.sh
expect "unmount" umount "$MNT"
finish
