#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/lib/bench-submit.sh ROUNDS COUNTED_ROUNDS MEBIBYTES KERNEL MODE...
#
# scripts/bench --suite submit, which says what it does.
set -euo pipefail
. "$(dirname "$0")/common.sh"
. "$TOP/scripts/lib/deps.sh"
. "$TOP/scripts/lib/kernel.sh"
. "$TOP/scripts/lib/build.sh"

rounds=$1 counted_rounds=$2 mebibytes=$3 modes=("${@:5}")
rules=(block trylock per_folio unlock_late plug)
results=$BUILD/bench

need build vm plot
kernel=$(kernel_dir "$4")
hold_kernel "$kernel"
mkdir -p "$results" "$BUILD/selftests"
build_module "$kernel"
gcc -static -std=gnu11 -O2 -g -Wall -Wextra -Werror -o "$BUILD/selftests/submitbench" \
	"$TOP/selftests/bench/submitbench.c"

raw=()
for mode in "${modes[@]}"; do
	how=(--icount) count=$counted_rounds
	if [[ $mode == wall ]]; then
		how=(--smp 2) count=$rounds
	fi
	read -r load _ </proc/loadavg
	say "$mode: load average of this machine $load, $(nproc) processors"
	"$TOP/scripts/vm" --no-build --kernel "$kernel" --mem 1024M --timeout 900 "${how[@]}" \
		--out "$results/submit-$mode" --console "$results/submit-$mode.console" -- \
		"$TOP/selftests/bench/submit.sh" "$mode" "$count" "$mebibytes" "${rules[@]}"
	raw+=("$results/submit-$mode/raw.txt")
done

unit=ns
[[ " ${modes[*]} " != *" icount "* ]] || unit=instructions
awk -v data="$results" -f "$TOP/scripts/lib/bench-submit.awk" "${raw[@]}" |
	tee "$results/submit.txt"
gnuplot -e "dir=\"$results\"; unit=\"$unit\"" "$TOP/scripts/lib/bench-submit.gp"
say "$results/submit.svg"
