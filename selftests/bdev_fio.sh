#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fio writes blocks of mixed sizes at random places of the device by O_DIRECT,
# from several threads, and verifies each.
#
#   1. four threads, each in its own quarter, write and read back
#   2. writes with a flush after each 16, and with FUA (O_DSYNC)
#   3. after a discard of the whole device it reads as zeroes
#
# A broken device fails fio's checksums. Runs for some seconds.
#
# daxlab-test: timeout=120 args="size=64M"
. "$(dirname "$0")/lib/lib.sh"

command -v fio >/dev/null || skip_all "no fio here"

SIZE_MIB=64

run_fio() {
	fio --name=bio --filename="$DEV" --direct=1 --ioengine=psync \
		--verify=crc32c --verify_state_save=0 --thread "$@" >/dev/null
}

is_blank() { cmp -n $((SIZE_MIB << 20)) "$DEV" /dev/zero; }

expect "a new device is blank" is_blank
expect "four threads, mixed sizes" run_fio --rw=randwrite \
	--bsrange=4k-256k --numjobs=4 --size=$((SIZE_MIB / 4))M \
	--offset_increment=$((SIZE_MIB / 4))M
before=$(counter bio_flushes)
expect "flush after each 16" run_fio --rw=write --bs=4k --fsync=16 --size=4M
# 1024 writes; fio does not flush after the last of them.
expect "flushes reached the device" \
	test "$(counter bio_flushes)" -ge $((before + 63))
expect "FUA" run_fio --rw=randwrite --bs=8k --sync=dsync --size=4M
expect "discard all" blkdiscard -f "$DEV"
expect "reads as zeroes" is_blank
finish
