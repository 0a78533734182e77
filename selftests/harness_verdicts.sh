#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: a harness that misses a failure makes every green line worthless. So
# scripts/check itself is given the tests of selftests/harness/, each of which
# goes wrong in its own way, and has to report each as exactly that, also those
# that take the VM with them.
# daxlab-test: where=host timeout=1200
. "$DAXLAB_TOP/selftests/lib/lib.sh"

logs=$DAXLAB_TOP/build/check-harness-${DAXLAB_KERNEL##*/}
bad=$DAXLAB_TOP/build/bad-$(<"$DAXLAB_KERNEL/version")

# Of those that hang, as they say themselves.
limit=$((10 * ${DAXLAB_SLOW:-1}))
declare -A wanted=(
	[complains]="not ok # kernel log: daxlab-test: BUG: Bad page state *"
	[dies]="not ok # the test ended with status 139"
	[fails]="not ok # the test failed"
	[forgets]="not ok # it planned 3 tests and ran 2"
	[goes_silent]="not ok # inconclusive: timeout, the guest does not answer"
	[hangs]="not ok # inconclusive: timeout after $limit s"
	[hangs_in_kernel]="not ok # inconclusive: timeout after $limit s; cannot be killed: insmod *"
	[leaks]="not ok # memory not given back: * KiB"
	[leaves_mount]="not ok # left mounted: /mnt/left"
	[leaves_process]="not ok # left running: sleep 1000 *"
	[loses]="ok"
	[oopses]="not ok # VM lost: BUG: kernel NULL pointer dereference*"
	[passes]="ok"
	[powers_off]="not ok # VM lost: reboot: Power down"
	[races]="ok"
	[skips]="ok # SKIP no reason"
	[strikes_late]="ok"
	[strikes_late.after]="not ok # kernel log, between strikes_late and the end: *BUG: asked to strike late"
	[unbinds]="not ok # left pmem0 without its driver"
	[warns]="not ok # VM lost: WARNING: *bad_init*"
)
# Their own results, passed and failed, of those that nothing cuts short.
declare -A results=([complains]="1 0" [fails]="1 1" [forgets]="2 0" [leaks]="1 0" [leaves_mount]="1 0"
	[leaves_process]="1 0" [loses]="1 0" [passes]="2 0" [races]="1 0" [skips]="0 0" [strikes_late]="1 0"
	[unbinds]="1 0")
# It looks for data races, which are no reason to stop: nor is a warning.
if [[ $DAXLAB_KERNEL == */kcsan ]]; then
	wanted[races]="not ok # kernel log: BUG: KCSAN: data-race in bad_race *"
	wanted[warns]="not ok # kernel log: WARNING: *bad_init*"
	results[warns]="2 0"
fi
# It has kmemleak. And the shadow of the null page, which KASAN looks at first, is no
# address.
if [[ $DAXLAB_KERNEL == */debug ]]; then
	wanted[loses.kmemleak]="not ok # kmemleak, after all tests here: * objects, the first of \"insmod\": *"
	wanted[oopses]="not ok # VM lost: general protection fault*"
fi

mkdir -p "$bad"
cp "$DAXLAB_TOP"/selftests/harness/bad/* "$bad"
make='make'
[[ ! -x $DAXLAB_KERNEL/make ]] || make=$DAXLAB_KERNEL/make
expect "the module that misbehaves is built" "$make" -C "$DAXLAB_KERNEL/headers" M="$bad" modules

status=0
report=$(DAXLAB_GRACE=60 "$DAXLAB_TOP/scripts/check" --tests "$DAXLAB_TOP/selftests/harness" \
	--logs "$logs" 2>&1) || status=$?
echo "$report" >"$logs/report"

equal "scripts/check ends with status 1" "$status" 1
for name in "${!wanted[@]}"; do
	line=$(sed -n "s/^\(ok\|not ok\) [0-9]* $name\( # .*\)\?\$/\1\2/p" <<<"$report")
	# shellcheck disable=SC2053 # a pattern is meant
	if [[ $line == ${wanted[$name]} ]]; then
		pass "reported as it is: $name"
	else
		note "got '$line', wanted '${wanted[$name]}'"
		fail "reported as it is: $name"
	fi
done
for name in "${!results[@]}"; do
	equal "its results are told: $name" "$(awk -v name="$name" '
		/^    ok / { ok++ }
		/^    not ok / { bad++ }
		/^(not )?ok / {
			if ($($1 == "ok" ? 3 : 4) == name)
				print ok + 0, bad + 0
			ok = bad = 0
		}' <<<"$report")" "${results[$name]}"
done
equal "each file is told of once, and nothing else" "$(grep -cE '^(not )?ok ' <<<"$report")" "${#wanted[@]}"
equal "the totals count each result line, and a file without any as one" "$(tail -n 1 <<<"$report")" "$(awk '
	/^    ok / { passed++; lines++ }
	/^    not ok / { failed++; bad++; lines++ }
	/^ok / && !lines { / # SKIP/ ? skipped++ : passed++ }
	/^not ok / && !bad { failed++ }
	/^(not )?ok / { lines = bad = 0 }
	END { printf "%d passed, %d failed, %d skipped", passed, failed, skipped }' <<<"$report")"
equal "what failed is told again at the end" "$(sed -n 's/^# failed: \([^ ]*\) .*: the test failed$/\1/p' <<<"$report")" fails
equal "and so are its bad lines" "$(grep -c '^# failed: fails .*: not ok 2 second$' <<<"$report")" 1
equal "stacks of a hanging test are shown" \
	"$(grep -c 'bad_init.*daxlab_bad' <<<"$(grep -B 20 'not ok [0-9]* hangs_in_kernel' <<<"$report")")" 1
finish
