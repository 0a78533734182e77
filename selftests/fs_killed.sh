#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A machine is killed, its NVDIMM stays: no promise that was told is lost.
#
#   1. a VM with a file as NVDIMM loads our filesystem on /dev/pmem0: msync, fsync,
#      fdatasync, O_SYNC, stores through MAP_SYNC, appends, punches, renames. Each
#      step is told to the host before it begins, and when it is promised
#   2. once the host has heard a seeded number of lines it ends QEMU with SIGKILL
#   3. the next VM boots on the same file: fsck finds no damage, the filesystem
#      mounts, each slot of each kill so far is as promised, or as the step after
#      that, which had begun; fsck again; and it loads on
#
# What a CPU would have had in its cache is not lost this way, since the host keeps
# the memory: that is what fs_crash and fs_crash_load are for. This one is end to end: a
# real NVDIMM driver, a real boot, a normal mount.
#
# By hand: KILLS=20 SEED=3 selftests/fs_killed.sh
#
# daxlab-test: where=host timeout=900
. "${DAXLAB_TOP:=$(realpath "$(dirname "$0")/..")}/selftests/lib/lib.sh"

kills=${KILLS:-3} seed=${SEED:-1} slow=${DAXLAB_SLOW:-1}
mkdir -p "$DAXLAB_TOP/build"
dir=$(mktemp -d "$DAXLAB_TOP/build/killed.XXXXXX")
vm=''
cleanup() {
	[[ -z $vm ]] || kill "$vm" 2>/dev/null
	wait
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

# boot NR [last] - its pid is $vm, what it prints goes to NR.out
boot() {
	"$DAXLAB_TOP/scripts/vm" --no-build ${DAXLAB_KERNEL:+--kernel "$DAXLAB_KERNEL"} --mem 1G \
		--backing nvdimm="$dir/nvdimm" --pmem 256M --out "$dir" --console "$dir/console" \
		--timeout $((300 * slow)) -- selftests/killed/guest.sh "$@" \
		>"$dir/$1.out" 2>"$dir/$1.err" </dev/null & vm=$!
}

# qemu_of PID - the QEMU that this scripts/vm has started
qemu_of() {
	local limiter
	limiter=$(pgrep -P "$1" -x timeout) && pgrep -P "$limiter" qemu
}

# told NR - lines that the host has heard; said NR - what the guest has printed
told() { if [[ -e $dir/$1.log ]]; then wc -l <"$dir/$1.log"; else echo 0; fi; }
said() { sed 's/^/# /' "$dir/$1.out" "$dir/$1.err"; }
has_told() { (($(told "$1") >= $2)); }
has_told_or_ended() { has_told "$@" || [[ ! -e /proc/$vm ]]; }

cd "$DAXLAB_TOP" || exit
RANDOM=$seed promises=0
for ((nr = 0; nr < kills; nr++)); do
	lines=$((20 + RANDOM % 1500))
	boot "$nr"
	loop_until 250 has_told_or_ended "$nr" "$lines"
	expect "VM $nr has told the host $lines lines" has_told "$nr" "$lines"
	qemu=$(qemu_of "$vm") && kill -KILL "$qemu"
	wait "$vm"
	equal "and is lost then" $? 125
	vm=''
	said "$nr" | grep -v console:
	expect "by our hand, not before" grep -q 'QEMU ended with status 137' "$dir/$nr.err"
	((!KTAP_FAILED)) || finish
	((promises += $(grep -c '^p' "$dir/$nr.log")))
done
boot "$nr" last
wait "$vm"
equal "the last VM finds all as promised" $? 0
vm=''
said "$nr"
expect "it has looked at each kill" test "$(grep -c ' 0 slots not as promised' "$dir/$nr.out")" -eq "$kills"
note "$kills kills, $promises promises told, seed $seed"
finish
