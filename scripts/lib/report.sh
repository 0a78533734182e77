# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the lanes tell (scripts/lib/batch.sh), a test file at a time as each
# ends, on stdout and in the results; and what failed once more at the end. Uses
# $kernel and $logs of scripts/check.
# shellcheck disable=SC2154

# The test files that failed, each with the reason, as "NAME WHY".
failures=()

# show_log NAME - the end of what a failed test had to say
show_log() {
	[[ ! -s $logs/$1.log ]] || sed '/^TAP version/d' "$logs/$1.log" | tail -n 40 | ktap_note
}

# report_test NAME SECONDS VERDICT WHY
report_test() {
	echo "$2 $1" >>"$logs/seconds"
	[[ $3 != fail ]] || show_log "$1"
	ktap_end "$1" "$3" "${*:4}"
	[[ $last_verdict != fail ]] || failures+=("$1 $last_why")
	# shellcheck disable=SC2086 # three counts
	result_tell "$1" $last_counts "$2" $last_reasons
}

# report_lost RUN... - those that no lane has told the end of
report_lost() {
	local run name
	for run; do
		name=$(test_name "$run")
		grep -q " $name\$" "$logs/seconds" 2>/dev/null ||
			report_test "$name" 0 fail "it was not run, or lost with its VM"
	done
}

# report_lanes - stdin: what they tell
report_lanes() {
	local lane kind rest line name seconds verdict why
	local -a told=()

	while read -r lane kind rest; do
		case $kind in
		begin)
			told[lane]=''
			ktap_note <<<"$rest begins"
			;;
		sub | note) told[lane]+="$kind $rest"$'\n' ;;
		end)
			while read -r kind line; do
				case $kind in
				sub) ktap_sub "$line" ;;
				note) ktap_note <<<"$line" ;;
				esac
			done <<<"${told[lane]}"
			told[lane]=''
			read -r name seconds verdict why <<<"$rest"
			report_test "$name" "$seconds" "$verdict" "$why"
			;;
		esac
	done
}

# report_failures - again at the end, where they are found: what failed, with the
# lines that its bad results follow
report_failures() {
	local failure name head
	for failure in "${failures[@]}"; do
		name=${failure%% *}
		head="# failed: $name on $(kernel_version "$kernel"):"
		echo "$head ${failure#* }"
		[[ ! -s $logs/$name.log ]] ||
			grep -h -B 4 '^[[:space:]]*not ok' "$logs/$name.log" | grep -vE "^(--|# +(RUN|FAIL) )" |
				sed -n "1,20s|^|$head |p" || :
	done
}
