# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Play scenarios as a test: a result for each variant of each. Source lib.sh first.

# How often each: on a slow kernel, which looks closely at each run, not so often.
# shellcheck disable=SC2034 # used by those who source this
REPEAT=${DAXLAB_REPEAT:-$((${DAXLAB_SLOW:-1} > 1 ? 2 : 10))}

# What the tool prints, as "pass|fail|skip|note TEXT"; all else is for the log.
played_results() {
	awk '
		/^  NOT EXPECTED/ { odd = 1 }
		/^daxlab: .*: skipped: / { sub(/^daxlab: /, ""); print "skip", $0; next }
		/: [0-9]+ runs, [0-9]+ caught, [0-9]+ passed, [0-9]+ inconclusive$/ {
			print odd ? "fail" : "pass", $0
			odd = 0
			next
		}
		{ print "note", $0 }
		{ fflush() }'
}

# play_all WORD... - of daxlab run; sets $skipped
play_all() {
	local count=0 status='' kind text tool
	skipped=0
	exec 3< <(daxlab run "$@" 2>&1; echo "status $?")
	tool=$!
	while read -r kind text; do
		case $kind in
		pass | fail) "$kind" "$text"; ((++count)) ;;
		skip) skip "${text%%: skipped: *}" "${text#*: skipped: }"; ((++skipped)) ;;
		*) if [[ $text == "status "* ]]; then status=${text#status }; else note "$text"; fi ;;
		esac
	done < <(played_results <&3)
	wait "$tool"
	equal "the tool says whether all was as expected" "$status" "$KTAP_FAILED"
	expect "something was played" test "$count" -gt 0
}
