# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Running test files in lanes, each a subshell that has one VM at a time. A test
# is run by whoever claims it first. What happens is told line by line on
# stdout, in one write each, for scripts/lib/report.sh:
#
#   LANE begin NAME                      it runs
#   LANE sub LINE                        a result line of its own
#   LANE note LINE                       for people
#   LANE end NAME SECONDS VERDICT WHY    pass, fail or skip
#
# Uses $kernel, $logs and $DAXLAB_SLOW of scripts/check.
# shellcheck disable=SC2154

# How long the host waits for the guest to boot; and, on top of a test's bound
# that the guest itself keeps, for loading and for looking at what is left.
readonly BOOT_LIMIT=180 GRACE=${DAXLAB_GRACE:-120}
readonly EX_UNFIT=3
# Set in each lane: its number, its VMs so far, when its current test began.
lane=0 boots=0 started=0

# tell KIND REST... - a pipe takes 4096 bytes in one piece
tell() { printf '%.4000s\n' "$lane $*"; }

# begin_test NAME
begin_test() {
	started=$SECONDS
	tell begin "$1"
}

# end_test NAME VERDICT WHY
end_test() { tell end "$1" "$((SECONDS - started))" "$2" "${*:3}"; }

# tell_notes - stdin
tell_notes() {
	local line
	while read -r line; do
		tell note "$line"
	done
}

# unclaimed RUN... - those that nobody has claimed yet
unclaimed() {
	local run
	for run; do
		[[ -e $logs/claims/$(test_name "$run") ]] || echo "$run"
	done
}

# vm_limit RUN... - as long as follow_guest() waits for a VM that runs all of them
vm_limit() {
	local run limit=$((BOOT_LIMIT * DAXLAB_SLOW))
	for run; do
		read_test "$run"
		((limit += test[limit] + 2 * GRACE * DAXLAB_SLOW))
	done
	echo "$limit"
}

# follow_guest FD PID - pass on what guest/tests says; sets $current to the
# test that had not ended when it fell silent, $ended to the count and $last to the
# last of those that had
follow_guest() {
	local fd=$1 pid=$2 word rest name verdict status deadline=$((SECONDS + BOOT_LIMIT * DAXLAB_SLOW))

	current='' ended=0 last='' silent=0
	while :; do
		status=0
		read -r -t $((deadline > SECONDS ? deadline - SECONDS : 1)) -u "$fd" word rest ||
			status=$?
		if ((status > 128)); then
			kill "$pid" 2>/dev/null || :
			silent=1
			return
		fi
		((!status)) || return 0
		case $word in
		begin)
			current=${rest% *}
			begin_test "$current"
			deadline=$((SECONDS + ${rest##* } + GRACE * DAXLAB_SLOW))
			;;
		'|') tell sub "$rest" ;;
		end)
			read -r name verdict rest <<<"$rest"
			current=''
			((++ended))
			last=$name
			deadline=$((SECONDS + GRACE * DAXLAB_SLOW))
			end_test "$name" "$verdict" "$rest"
			;;
		esac
	done
}

# end_lost NAME WHY - it failed with its VM, whose last words are told
end_lost() {
	tell_notes <"$logs/vm-$lane.err"
	end_test "$1" fail "$2"
}

# run_in_vm OPTIONS RUN... - those that are left, in one VM as long as it lives
run_in_vm() {
	local options=$1 fd pid status why complaint console second_chance='' left
	local current ended last silent
	shift

	while mapfile -t left < <(unclaimed "$@") && ((${#left[@]})); do
		((++boots))
		console=$logs/console-$lane-$boots.log
		# shellcheck disable=SC2086 # options are words
		exec {fd}< <(exec "$TOP/scripts/vm" --no-build --kernel "$kernel" --out "$logs" \
			--console "$console" --timeout "$(vm_limit "${left[@]}")" $options \
			-- "$TOP/scripts/guest/tests" "${left[@]}" 2>"$logs/vm-$lane.err")
		pid=$!
		follow_guest "$fd" "$pid"
		exec {fd}<&-
		status=0
		wait "$pid" || status=$?
		why=$(sed -n 's/^vm: //p' "$logs/vm-$lane.err" | tail -n 1)
		complaint=$(first_complaint "$console" 2>/dev/null) || :
		((!silent)) ||
			why="inconclusive: timeout, the guest does not answer${complaint:+: ${complaint#*:}}"
		mapfile -t left < <(unclaimed "$@")

		if [[ $current ]]; then
			end_lost "$current" "${why:-status $status}"
		elif ((status == EX_UNFIT && ended)); then
			continue
		elif [[ $ended == 0 && ${left-} && $second_chance == "${left-}" ]]; then
			mkdir "$logs/claims/$(test_name "${left[0]}")" 2>/dev/null || continue
			begin_test "$(test_name "${left[0]}")"
			end_lost "$(test_name "${left[0]}")" "not run: ${why:-status $status}"
		elif ((status && status != EX_UNFIT && ended)); then
			# What the tests left behind may strike late.
			begin_test "vm-$lane-$boots"
			end_lost "vm-$lane-$boots" "lost after $last: ${why:-status $status}"
		elif ((!ended)) && [[ $status != 0 || ${left-} ]]; then
			# It had nothing of ours yet, so the next one gets a second chance. A
			# guest without KVM may lose the timer of a processor as it boots.
			tell note "vm-$lane-$boots lost before its first test: ${why:-status $status}"
			second_chance=${left-}
		fi
	done
}

# run_on_host FILE
run_on_host() {
	local name limit line status=0 fd pid
	read_test "$1"
	name=${test[name]} limit=${test[limit]}

	begin_test "$name"
	if [[ ${test[kernels]} == first && $kernel != "$(kernel_dir "${ALL_KERNELS[0]}")" ]]; then
		end_test "$name" skip "it says nothing of the kernel: scripts/check --kernel ${ALL_KERNELS[0]} runs it"
		return
	fi
	exec {fd}< <(cd "$TOP" && DAXLAB_TOP=$TOP \
		DAXLAB_KERNEL=$kernel DAXLAB_KO=$(module_for "$kernel" release) exec timeout -k 5 "$limit" \
		"${test[program]}" 2>&1 </dev/null)
	pid=$!
	while read -r line; do
		echo "$line" >>"$logs/$name.log"
		[[ ! $line =~ ^((not )?ok\ [0-9]|1\.\.) ]] || tell sub "$line"
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

# run_lane NR - whatever of $together, $special and $on_host is left
run_lane() {
	local file options group other
	local -A done_with=()

	lane=$1
	((!${#together[@]})) || run_in_vm "" "${together[@]}"
	for file in "${special[@]}"; do
		read_test "$file"
		options=${test[vm]} group=()
		[[ ! ${done_with[$options]-} ]] || continue
		done_with[$options]=1
		for other in "${special[@]}"; do
			read_test "$other"
			[[ ${test[vm]} != "$options" ]] || group+=("$other")
		done
		# One test is not for two VMs.
		((${#group[@]} > 1)) || mkdir "$logs/claims/$(test_name "$file").vm" 2>/dev/null || continue
		run_in_vm "$options" "${group[@]}"
	done
	for file in "${on_host[@]}"; do
		mkdir "$logs/claims/$(test_name "$file")" 2>/dev/null || continue
		run_on_host "$file"
	done
}

# run_lanes COUNT
run_lanes() {
	local nr
	mkdir -p "$logs/claims"
	for ((nr = 1; nr <= $1; nr++)); do
		run_lane "$nr" &
	done
	wait
}
