#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Devices for which there is not enough memory leave nothing behind.
#
#   1. more than is free is refused at once: nobody else is starved for it
#   2. insmod is killed while the first device is there and the others are not
#   3. nine tenths of what is free can be had, and given back
#
# A broken module wakes the OOM killer, or keeps the devices that it had made
# when it failed: hundreds of megabytes are missed. Runs for some ten seconds.
#
# daxlab-test: timeout=180 needs=none
. "$(dirname "$0")/lib/lib.sh"

meminfo() { awk -v n="$1:" '$1 == n { print int($2 / 1024) }' /proc/meminfo; }

# In MiB, a multiple of 2: this percentage of the memory free now, in N parts
part() { echo $(($(meminfo MemAvailable) * $1 / 100 / $2 / 2 * 2)); }

nothing_left() {
	! grep -q '^daxlab ' /proc/modules && [[ ! -e $DEV ]] &&
		loop_until 10 test $(($(meminfo MemAvailable) + 128)) -ge "$before"
}

# first_is_made PID FREE - has MemFree come below that many MiB, or has PID ended? It
# forks nothing: insmod is through in a second.
first_is_made() {
	local key kib

	while read -r key kib _; do
		[[ $key != MemFree: ]] || break
	done </proc/meminfo
	((kib / 1024 < $2)) || ! kill -0 "$1" 2>/dev/null
}

# Killed after the memory of the first of four devices is taken. Was it through with
# all of them by then, it has to try again.
killed_half_way() {
	local free size pid status tries

	for ((tries = 0; tries < 8; tries++)); do
		free=$(meminfo MemFree) size=$(part 80 4)
		(exec insmod "$DAXLAB_KO" ndev=4 "size=${size}M") &
		pid=$!
		until first_is_made "$pid" $((free - size - 64)); do :; done
		kill -KILL "$pid" 2>/dev/null
		wait "$pid"
		status=$?
		grep -q '^daxlab ' /proc/modules || break
		unload
	done
	((status == 128 + 9))
}

load size=64M && unload
before=$(meminfo MemAvailable)

log "too much"
refuse "more than is free" load ndev=4 "size=$(part 105 4)M"
equal "one line says so" \
	"$(log_since "too much" | grep -c '^daxlab: ndev=4 size=.* is more than ')" 1
expect "nothing is left of it" nothing_left

log "kill"
expect "insmod killed half way" killed_half_way
expect "nothing is left of it" nothing_left
# A kernel without CONFIG_SYMBOLIC_ERRNAME has numbers.
equal "one line says so" \
	"$(log_since "kill" | grep -cE '^daxlab: daxlab[0-3]: cannot get .*: -(EINTR|4)$')" 1

log "most"
expect "nine tenths of what is free" load ndev=4 "size=$(part 90 4)M"
expect "unload" unload
expect "nothing is left of it" nothing_left
equal "nobody was killed for it" "$(log_since "most" | grep -ci 'out of memory')" 0
finish
