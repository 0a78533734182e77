# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Results on stdout in KTAP: one line a test file as it ends, below the lines
# of its own tests; and the totals, which count those.

passed=0 failed=0 skipped=0
files_done=0
file_passed=0 file_failed=0 file_skipped=0 file_plan='' file_skip=''
# Why something was skipped, in the order it came, and the names of what was.
file_reasons=()
declare -A file_names=()
# Of the test file that ended last: its counts and verdict, the reason of that, and
# why something was skipped.
# shellcheck disable=SC2034 # for report.sh
last_counts='' last_verdict='' last_why='' last_reasons=''

ktap_begin() {
	printf 'KTAP version 1\n1..%d\n' "$1"
}

# ktap_sub LINE - a result line of the test file that runs
ktap_sub() {
	local reason name

	case $1 in
	1..*)
		file_plan=${1#1..} file_plan=${file_plan%% *}
		[[ $1 != *'# SKIP '* ]] || file_skip=${1#*# SKIP }
		return
		;;
	'not ok '*) ((++file_failed)) ;;
	*'# SKIP'*)
		((++file_skipped))
		reason=${1#*'# SKIP'} name=$(sed 's/^ok [0-9]* *//;s/ *# SKIP.*//' <<<"$1")
		reason=${reason# }
		: "${reason:=no reason}"
		[[ ${file_names[$reason]+seen} ]] || file_reasons+=("$reason")
		file_names[$reason]+=${name:+, $name}
		;;
	'ok '*) ((++file_passed)) ;;
	esac
	echo "    $1"
}

# skip_reasons - each once, with the names of what it is about
skip_reasons() {
	local reason text=''
	for reason in "${file_reasons[@]}"; do
		text+=${text:+; }${file_names[$reason]:+${file_names[$reason]#, }: }$reason
	done
	echo "$text"
}

# ktap_end NAME VERDICT WHY - the test file is over
ktap_end() {
	local name=$1 verdict=$2 why=$3
	local ran=$((file_passed + file_failed + file_skipped))

	if [[ $verdict != fail && $file_plan ]] && ((file_plan != ran)); then
		verdict=fail why="it planned $file_plan tests and ran $ran"
	elif [[ $verdict == pass ]] && ((file_failed)); then
		verdict=fail why="it forgot that a test had failed"
	fi
	((++files_done))
	case $verdict in
	pass) echo "ok $files_done $name" ;;
	skip) echo "ok $files_done $name # SKIP ${why:-$file_skip}" ;;
	*) echo "not ok $files_done $name # $why" ;;
	esac
	# A file without lines of its own is one test, and so is a failure that
	# no line of its own tells of.
	if ((!ran)) && [[ $verdict == pass ]]; then
		((++file_passed))
	elif ((!ran)) && [[ $verdict == skip ]]; then
		((++file_skipped))
	elif [[ $verdict == fail ]] && ((!file_failed)); then
		((++file_failed))
	fi
	# shellcheck disable=SC2034
	last_counts="$file_passed $file_failed $file_skipped" last_reasons=$(skip_reasons)
	# shellcheck disable=SC2034
	last_verdict=$verdict last_why=$why
	# shellcheck disable=SC2034
	[[ $verdict != skip ]] || last_reasons=${why:-$file_skip}
	((passed += file_passed, failed += file_failed, skipped += file_skipped)) || :
	file_passed=0 file_failed=0 file_skipped=0 file_plan='' file_skip='' file_reasons=() file_names=()
}

# ktap_note - stdin, as lines for people
ktap_note() {
	sed 's/^\(# *\)\?/# /'
}

# ktap_totals - the last line; failure if any test failed, or none ran
ktap_totals() {
	echo "$passed passed, $failed failed, $skipped skipped"
	((!failed && passed + skipped))
}
