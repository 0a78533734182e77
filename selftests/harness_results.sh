#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: runs of scripts/check are beside each other, and each puts its results to
# those that are kept. If two of them read, change and write the same file, one loses
# what the other has put, and the table in README.md is of a run that never was. And
# the table of a run must not tell of what was run before.
#
#   1. many put results of one kernel at a time: all are there
#   2. a newer result takes the place of that test; one of a run that did less is not
#      kept, and a run tells all of its own
#   3. the table of a run has its tests, and how long it took; that of what is kept
#      has all, and the first row of a test is gone
#
# daxlab-test: where=host kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"

# shellcheck disable=SC2034 # what scripts/lib/results.sh asks of scripts/check
TOP=$DAXLAB_TOP BUILD=$(mktemp -d) source_now=now kernel=/kernels/6.1 logs=$BUILD tests=$TOP/selftests
trap 'rm -rf "$BUILD"' EXIT
. "$TOP/scripts/lib/results.sh"
unset DAXLAB_REPEAT

# tell NAME PASSED - into the logs of a run that is beside others
tell() {
	logs=$BUILD/run-$1
	mkdir -p "$logs"
	result_tell "$1" "$2" 0 0 60 ""
}

for ((i = 0; i < 40; i++)); do tell "a_$i" 1 & done
wait
equal "nothing is lost" "$(wc -l <"$BUILD/results/6.1")" 40

tell a_0 5
equal "a newer result is in its place" "$(awk '$1 == "a_0" { print $2 }' "$BUILD/results/6.1")" 5
DAXLAB_REPEAT=2 tell a_0 7
tests=/elsewhere tell a_0 8
equal "of a run that did less, or of other tests, none is kept" \
	"$(awk '$1 == "a_0" { print $2 }' "$BUILD/results/6.1")" 5
equal "a run has all of its own" "$(awk '{ print $2 }' "$BUILD/run-a_0/results" | xargs)" "1 5 7 8"

kernel=$BUILD/6.1 logs=$BUILD/run
mkdir -p "$kernel" "$logs/results"
echo "a kernel" >"$kernel/about"
grep -w a_1 "$BUILD/results/6.1" >"$logs/results/6.1"
row() { sed -n "s/^| \(\*\*\)\?$1\(\*\*\)\? | \(.*\) |$/\3/p"; }
of_run=$(elapsed=90 results_table "$logs/results" "$kernel")
of_kept=$(results_table "$BUILD/results" "$kernel")
equal "a run tells of its own tests" "$(row all <<<"$of_run")" "1 / 0 / 0"
equal "and how long it took" "$(row 'elapsed, minutes' <<<"$of_run")" 1.5
equal "what is kept is of all runs" "$(row all <<<"$of_kept")" "44 / 0 / 0"
equal "which took no time of their own" "$(row 'elapsed, minutes' <<<"$of_kept")" ""
finish
