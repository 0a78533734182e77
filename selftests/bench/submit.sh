#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftests/bench/submit.sh MODE ROUNDS MEBIBYTES RULE...
#
# The half of scripts/bench --suite submit that runs in the VM: one mount in
# page-cache mode, rounds in which the order of the submit rules rotates, and a
# line "MODE RULE ROUND ROW VALUE ok|DOUBT" in raw.txt for each measurement.
set -euo pipefail

mode=$1 rounds=$2 mebibytes=$3
rules=("${@:4}")
raw=$DAXLAB_OUT/raw.txt
mnt=/run/bench debugfs=/sys/kernel/debug/daxlab

: >"$raw"
mkdir -p "$mnt"
insmod "$DAXLAB_KO" ndev=1 "size=$((mebibytes * 2 + 32))M"
mount -t daxlab -o format,dax=never /dev/daxlab0 "$mnt"
# Nobody but the measurement writes back.
echo 0 >/proc/sys/vm/dirty_writeback_centisecs
# Each load beside it faults, and none maps its neighbours as well.
echo 4096 >"${debugfs%/daxlab}/fault_around_bytes"

for ((round = 1; round <= rounds; round++)); do
	order=("${rules[@]:(round - 1) % ${#rules[@]}}"
		"${rules[@]:0:(round - 1) % ${#rules[@]}}")
	echo "$mode: round $round of $rounds: ${order[*]}" >&2
	for rule in "${order[@]}"; do
		echo "submit=$rule" >"$debugfs/daxlab0/variant"
		submitbench "$mebibytes" "$mnt/file" "$debugfs" >/run/bench.out
		while read -r row value verdict; do
			echo "$mode $rule $round $row $value $verdict" >>"$raw"
		done </run/bench.out
		rm "$mnt/file"
	done
done
