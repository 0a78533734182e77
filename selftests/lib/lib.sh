# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the shell tests share: results in KTAP, the module, a fresh filesystem
# and its counters. Source it first; `finish` is the last line of a test.
set -uo pipefail

# shellcheck disable=SC2034 # used by the tests
DEV=/dev/daxlab0 MNT=/mnt/daxlab DEBUGFS=/sys/kernel/debug/daxlab
KSFT_SKIP=4 KTAP_COUNT=0 KTAP_FAILED=0

echo "TAP version 13"

# note TEXT... - for the log
note() { echo "# $*"; }

pass() { echo "ok $((++KTAP_COUNT)) $*"; }
fail() { echo "not ok $((++KTAP_COUNT)) $*"; KTAP_FAILED=1; }
skip() { echo "ok $((++KTAP_COUNT)) $1 # SKIP ${*:2}"; }

# skip_all REASON... - nothing of this test can run here
skip_all() {
	echo "1..0 # SKIP $*"
	exit "$KSFT_SKIP"
}

# attempt COMMAND... - run it, note what it says
attempt() {
	local output status=0
	output=$("$@" 2>&1) || status=$?
	[[ -z $output ]] || note "${output//$'\n'/$'\n'# }"
	return "$status"
}

# expect DESCRIPTION COMMAND... - the command succeeds
expect() {
	if attempt "${@:2}"; then pass "$1"; else
		note "status $? of: ${*:2}"
		fail "$1"
	fi
}

# refuse DESCRIPTION COMMAND... - the command fails
refuse() {
	if attempt "${@:2}"; then
		note "succeeded: ${*:2}"
		fail "$1"
	else pass "$1"; fi
}

# equal DESCRIPTION GOT WANTED
equal() {
	[[ $2 == "$3" ]] || note "got '$2', wanted '$3'"
	if [[ $2 == "$3" ]]; then pass "$1"; else fail "$1"; fi
}

# finish - the plan, and the verdict as exit status
finish() {
	echo "1..$KTAP_COUNT"
	exit "$KTAP_FAILED"
}

# loop_until SECONDS COMMAND... - poll until it succeeds; 1 if it never does. On
# slow kernels the time is longer.
loop_until() {
	local end=$((SECONDS + $1 * ${DAXLAB_SLOW:-1}))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.05
	done
}

# kernel_since VERSION - is this kernel, by its name, that version or a newer one?
kernel_since() {
	[[ $(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1) == "$1" ]]
}

# log TEXT... - a line in the kernel log, to find one's place there
log() { echo "daxlab-test: $*" >/dev/kmsg; }

# log_since TEXT - what the kernel said after that line, without time stamps
log_since() {
	dmesg -t | awk -v line="daxlab-test: $1" 'found; $0 == line { found = 1 }'
}

load() { insmod "${DAXLAB_KO:-module/daxlab.ko}" "$@"; }
unload() { rmmod daxlab; }

# mount_fresh [OPTIONS] - format DEV and mount it on MNT
mount_fresh() {
	mkdir -p "$MNT" && mount -t daxlab -o "format${1:+,$1}" "$DEV" "$MNT"
}

# counter NAME - its value now
counter() {
	awk -v n="$1" '$1 == n { print $2; found = 1 } END { exit !found }' "$DEBUGFS/stats"
}

# reset_counters - all to zero
reset_counters() { echo 1 >"$DEBUGFS/reset"; }
