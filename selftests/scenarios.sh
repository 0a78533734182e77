#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every scenario in every variant that it speaks of, 20 times each, and in the
# sound one with nothing held: the outcome must be the expected one in every
# run. A bug that is not caught fails this test as a fix that hangs does, and so
# does a run that is inconclusive.
#
# --long (or DAXLAB_LONG=1): instead, 1,000 runs of the races that people are
# most likely to come for.
#
# daxlab-test: timeout=1800 needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

words=(all --repeat 20)
if [[ ${1-} == --long || ${DAXLAB_LONG-} ]]; then
	words=(A1 A4 A10 C1 C2 C6 F3 F4 --repeat 1000)
fi

# One result for each scenario and variant; the rest is for the log.
results() {
	awk '
		/^  NOT EXPECTED/ { odd = 1 }
		/: [0-9]+ runs, [0-9]+ caught, [0-9]+ passed, [0-9]+ inconclusive$/ {
			print odd ? "fail" : "pass", $0
			odd = 0
			next
		}
		{ print "note", $0 }
		{ fflush() }'
}

exec 3< <(daxlab run "${words[@]}" 2>&1; echo "status $?")
tool=$!
count=0 status=''
while read -r kind text; do
	case $kind in
	pass | fail) "$kind" "$text"; ((++count)) ;;
	*) if [[ $text == "status "* ]]; then status=${text#status }; else note "$text"; fi ;;
	esac
done < <(results <&3)
wait "$tool"

equal "the tool says whether all was as expected" "$status" "$KTAP_FAILED"
expect "something was played" test "$count" -gt 0
finish
