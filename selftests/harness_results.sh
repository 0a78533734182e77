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
#   4. the table in a README keeps the columns of kernels that were run elsewhere, or
#      are here no more, has those that were run here in their place among them, and
#      none that died before its tests; it can be begun
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
of_run=$(elapsed=90 results_table "$logs/results" "" "$kernel")
of_kept=$(results_table "$BUILD/results" "" "$kernel")
equal "a run tells of its own tests" "$(row all <<<"$of_run")" "1 / 0 / 0"
equal "and how long it took" "$(row 'elapsed, minutes' <<<"$of_run")" 1.5
equal "what is kept is of all runs" "$(row all <<<"$of_kept")" "44 / 0 / 0"
equal "which took no time of their own" "$(row 'elapsed, minutes' <<<"$of_kept")" ""

# Elsewhere 5.4, 6.1 and 6.6 were run, here 6.1 is, and 6.12. Of 6.6, 7.0 there are
# results, and the kernel no more.
KERNELS=$BUILD
for kernel in 6.1 6.12; do
	mkdir -p "$BUILD/$kernel"
	echo "a kernel" >"$BUILD/$kernel/about"
done
cat >"$BUILD/README.md" <<'END'
| a | table | of | others |
<!-- table of kernels: of a test -->
| passed / failed / skipped | 5.4 | 6.1 | 6.6+1 |
|---|---|---|---|
| `a` | 9 / 8 / 7 | 6 / 6 / 6 | 5 / 5 / 5 |
| `old` | 1 / 1 / 0 | 2 / 2 / 2 | - |
| **all** | 10 / 9 / 7 | 8 / 8 / 8 | 5 / 5 / 5 |
| source | there | there, too | there |

Skipped:

* `old_1`: no such thing (or so) (5.4, 6.1)
* `old_2`: nor that (6.1)
<!-- end of the table of kernels -->
* below (6.1)
END
# in_readme FILE - the same with errors as scripts/check has them
in_readme() { (set -e; results_to_readme "$1") && cat "$1"; }
echo "a_1 1 0 2 60 now nor here" | tee "$BUILD"/results/{6.6+1,7.0} >"$BUILD/results/6.12"
readme=$(in_readme "$BUILD/README.md")
equal "columns are by version" "$(row "passed [^|]*" <<<"$readme")" "5.4 | 6.1 | 6.6+1 | 6.12"
equal "what was run elsewhere stays" "$(row all <<<"$readme")" "10 / 9 / 7 | 44 / 0 / 0 | 5 / 5 / 5 | 1 / 0 / 2"
equal "also a group that is not run here" "$(row '.old.' <<<"$readme")" "1 / 1 / 0 | - | - | -"
equal "and where it was" "$(row source <<<"$readme")" "there | now | there | now"
# shellcheck disable=SC2016 # Markdown's backticks
equal "what was skipped there, and here" "$(grep '^\*' <<<"$readme" | sort)" "$(printf '* %s\n' \
	'`a_1`: nor here (6.12)' '`old_1`: no such thing (or so) (5.4)' 'below (6.1)')"
equal "once more is the same" "$(in_readme "$BUILD/README.md")" "$readme"

kernel=/kernels/6.12
results_forget "$kernel"
equal "one that died has no column" \
	"$(in_readme "$BUILD/README.md" | row "passed [^|]*")" "5.4 | 6.1 | 6.6+1"
of_run=$(elapsed=90 results_table "$BUILD/results" "" "$BUILD/6.12")
equal "and one in the table of its run" \
	"$(for title in all 'test files[^|]*' 'elapsed[^|]*' 'what it is'; do row "$title" <<<"$of_run"; done | xargs)" \
	"- 0, 0 1.5 a kernel"
printf '<!-- table of kernels -->\n<!-- end of the table of kernels -->\n' >"$BUILD/new.md"
equal "a table can be begun" "$(in_readme "$BUILD/new.md" | row "passed [^|]*")" "6.1"
finish
