#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module comes and goes 25 times (on slow kernels 5), and not while a device is open.
#
#   1. load, look at the devices, unload; each fresh device is blank
#   2. with a device open, unload is refused, and the device goes on working
#   3. with readers that open and close the device all the time, unload either
#      is refused or takes the module away; the readers see I/O or no device
#
# A broken module crashes in 2 or 3, or loses memory on each round of 1, which
# the runner notices. Runs for a minute in emulation.
#
# daxlab-test: timeout=600 needs=none
. "$(dirname "$0")/lib/lib.sh"

ROUNDS=$((${DAXLAB_SLOW:-1} > 1 ? 5 : 25)) SIZE_MIB=4

# Since Linux 6.15 the kernel's filesystems would not unmount memory without a
# dev_pagemap: they are told that there is no DAX (compat.h).
dax=1
! kernel_since 6.15 || dax=0

is_blank() { cmp -s -n $((SIZE_MIB << 20)) "$DEV" /dev/zero; }

rounds() {
	local i
	for ((i = 0; i < ROUNDS; i++)); do
		load ndev=2 "size=${SIZE_MIB}M" || return
		[[ $(cat /sys/block/daxlab{0,1}/queue/dax) == "$dax"$'\n'"$dax" ]] || return
		is_blank || return
		# So that memory of the last round would be noticed in the next.
		dd if=/dev/urandom of="$DEV" bs=64k count=16 status=none || return
		unload || return
	done
}

busy() {
	local status=0
	exec 3<"$DEV"
	attempt unload && status=1
	dd if="$DEV" of=/dev/null bs=1M count=4 iflag=direct status=none || status=1
	exec 3<&-
	return "$status"
}

# The shell holds the device open while dd starts and reads.
reader() {
	while [[ ! -e $1 ]]; do
		dd of=/dev/null bs=4k count=8 status=none <"$DEV"
	done 2>/dev/null
}

# Unload and load for a while, with a reader that opens and closes, until both have won.
contest() {
	local stop gone=0 refused=0 end=$((SECONDS + 10)) last=$((SECONDS + 60 * ${DAXLAB_SLOW:-1}))
	stop=$(mktemp -u)
	reader "$stop" &
	until ((SECONDS >= end && gone && refused || SECONDS >= last)); do
		if unload 2>/dev/null; then
			((++gone))
			load size=2M || break
		else
			((++refused))
		fi
	done
	touch "$stop"
	wait
	rm -f "$stop"
	echo "unloaded $gone times, refused $refused times"
	((gone > 0 && refused > 0 && SECONDS >= end))
}

expect "load and unload $ROUNDS times" rounds

load "size=${SIZE_MIB}M"
expect "no unload while a device is open" busy
expect "unload after close" unload
load size=2M
expect "unload against an opener" contest
expect "unload at last" unload
finish
