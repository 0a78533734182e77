# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Running test files, in a VM or on the host, and telling ktap.sh how it went.
# Uses $kernel, $logs and $DAXLAB_SLOW of scripts/check.
# shellcheck disable=SC2154

# How long the host waits for the guest to boot; and, on top of a test's bound
# that the guest itself keeps, for loading and for looking at what is left.
readonly BOOT_LIMIT=180 GRACE=${DAXLAB_GRACE:-120}
readonly EX_UNFIT=3
# When the current test began; how long each took is in the file "seconds".
started=$SECONDS
# VMs so far, each with a console of its own.
boots=0

# show_log NAME - the end of what a failed test had to say
show_log() {
	[[ ! -s $logs/$1.log ]] || sed '/^TAP version/d' "$logs/$1.log" | tail -n 40 | ktap_note
}

# first_complaint CONSOLE - the kernel's first since the last test began, which
# may be why the guest fell silent
first_complaint() {
	awk '{ sub(/\r$/, ""); sub(/^\[[ 0-9.]*\] */, "") }
		/^daxlab-test: begin/ { found = "" }
		!found && /BUG|WARNING:|Oops|general protection|rcu: INFO/ { found = $0 }
		END { print found }' "$1"
}

# end_test NAME VERDICT WHY
end_test() {
	echo "$((SECONDS - started)) $1" >>"$logs/seconds"
	[[ $2 != fail ]] || show_log "$1"
	ktap_end "$@"
	# shellcheck disable=SC2086 # three counts
	[[ $tests != "$TOP/selftests" ]] ||
		result_keep "$1" $last_counts $((SECONDS - started)) $last_reasons
}

# follow_guest FD PID - pass on what guest/tests says; sets $current to the
# test that had not ended when it fell silent, and $ended to the count
follow_guest() {
	local fd=$1 pid=$2 word rest name verdict status deadline=$((SECONDS + BOOT_LIMIT * DAXLAB_SLOW))

	current='' ended=0 silent=0
	while :; do
		status=0
		read -r -t $((deadline > SECONDS ? deadline - SECONDS : 1)) -u "$fd" word rest ||
			status=$?
		if ((status > 128)); then
			kill "$pid"
			silent=1
			return
		fi
		((!status)) || return 0
		case $word in
		begin)
			current=${rest% *} started=$SECONDS
			deadline=$((SECONDS + ${rest##* } + GRACE * DAXLAB_SLOW))
			;;
		'|') ktap_sub "$rest" ;;
		end)
			read -r name verdict rest <<<"$rest"
			current=''
			((++ended))
			deadline=$((SECONDS + GRACE * DAXLAB_SLOW))
			end_test "$name" "$verdict" "$rest"
			;;
		esac
	done
}

# run_in_vm OPTIONS FILE... - all of them in one VM as long as it lives
run_in_vm() {
	local options=$1 fd pid status why second_chance=''
	local current ended silent
	shift

	while (($#)); do
		((++boots))
		# shellcheck disable=SC2086 # options are words
		exec {fd}< <(exec "$TOP/scripts/vm" --no-build --kernel "$kernel" --out "$logs" \
			--console "$logs/console-$boots.log" --timeout $((3600 * DAXLAB_SLOW)) $options \
			-- "$TOP/scripts/guest/tests" "$@" 2>"$logs/vm.err")
		pid=$!
		follow_guest "$fd" "$pid"
		exec {fd}<&-
		status=0
		wait "$pid" || status=$?
		shift "$ended"
		why=$(sed -n 's/^vm: //p' "$logs/vm.err" | tail -n 1)
		if ((silent)); then
			why=$(first_complaint "$logs/console-$boots.log")
			why="inconclusive: timeout, the guest does not answer${why:+: $why}"
		fi

		if [[ $current ]]; then
			ktap_note <"$logs/vm.err"
			end_test "$current" fail "$why"
			shift
		elif ((status == EX_UNFIT && ended)); then
			continue
		elif (($#)); then
			# Lost between tests, or before the first: no test's fault,
			# so the next one gets a second chance.
			if [[ $second_chance != "$1" ]]; then
				second_chance=$1
				continue
			fi
			ktap_note <"$logs/vm.err"
			end_test "$(test_name "$1")" fail "not run: ${why:-status $status}"
			shift
		elif ((status && status != EX_UNFIT)); then
			# What the tests left behind may strike late.
			ktap_note <"$logs/vm.err"
			started=$SECONDS
			end_test "vm-$boots" fail "lost after its last test: ${why:-status $status}"
		fi
	done
}

# run_on_host FILE
run_on_host() {
	local name limit line status=0 fd pid
	name=$(test_name "$1") started=$SECONDS
	limit=$(test_limit "$1")

	exec {fd}< <(cd "$TOP" && DAXLAB_TOP=$TOP \
		DAXLAB_KERNEL=$kernel DAXLAB_KO=$(module_for "$kernel" release) exec timeout -k 5 "$limit" \
		"$(test_program "$1")" 2>&1 </dev/null)
	pid=$!
	while read -r line; do
		echo "$line" >>"$logs/$name.log"
		[[ ! $line =~ ^((not )?ok\ [0-9]|1\.\.) ]] || ktap_sub "$line"
	done <&"$fd"
	exec {fd}<&-
	wait "$pid" || status=$?
	case $status in
	0) end_test "$name" pass "" ;;
	4) end_test "$name" skip "" ;;
	124) end_test "$name" fail "inconclusive: timeout after $limit s" ;;
	*) end_test "$name" fail "the test ended with status $status" ;;
	esac
}
