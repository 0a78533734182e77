#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftests/bench/guest.sh own|one MODE ROUNDS MEBIBYTES ROWS SYSTEM...
#
# The half of scripts/bench that runs in the VM: each system on its own piece
# of the same kind of memory, or one after the other on the same piece, rounds in which the order rotates, and a line
# "MODE SYSTEM ROUND ROW VALUE ok|DOUBT" in raw.txt for each measurement.
set -euo pipefail

place=$1 mode=$2 rounds=$3 mebibytes=$4 rows=$5
systems=("${@:6}")
raw=$DAXLAB_OUT/raw.txt
first=format	# the first mount of daxlab makes the filesystem
debugfs=/sys/kernel/debug/daxlab
timing=/sys/module/daxlab/parameters/timing
fio_rows=(fio_randread_1 fio_randread_2 fio_randwrite_1 fio_randwrite_2)
fault_rows=(pte_first_write pte_read_fault pte_write_after_read pte_write_fault
	msync_page msync_call pmd_first_write pmd_read_fault pmd_write_fault msync_pmd)
# The floor has no marks for a sync to find, and makes first entries as all do.
floor_rows='^(pte_read_fault|pte_write_after_read|pte_write_fault|pmd_read_fault|pmd_write_fault)$'
name_rows=(create create_fsync append_fsync unlink)
ext4_dev=/dev/pmem1 xfs_dev=/dev/pmem2
[[ $place == own ]] || ext4_dev=/dev/pmem0 xfs_dev=/dev/pmem0

say() { printf '%s\n' "$*" >&2; }
load() { modprobe -C /dev/null "$@"; }
# any_of NAME... - whether one of them was asked for
any_of() { printf '%s\n' "$@" | grep -qE -- "$rows"; }

# What each needs for huge mappings: blocks of a file on 2 MiB boundaries.
make_daxlab() { mount -t daxlab -o "$first" /dev/pmem0 "$1"; }
# The same mount: only the state or the build of the module differs.
for same in notiming armed varied bare floor at_lock at_protect wait_locked dirty_walk serialised; do
	eval "make_daxlab_$same() { mount --bind /run/bench/daxlab \"\$1\"; }"
done
make_daxlab_ram() { mount -t daxlab /dev/daxlab0 "$1"; }
make_ext4() {
	load ext4
	mkfs.ext4 -q -F -b 4096 -E stride=512,stripe_width=512 "$ext4_dev"
	mount -t ext4 -o dax=always "$ext4_dev" "$1"
}
make_xfs() {
	load xfs
	mkfs.xfs -q -f -m reflink=0 -d su=2m,sw=1 -l size=64m,su=4k "$xfs_dev"
	mount -t xfs -o dax=always "$xfs_dev" "$1"
}
make_tmpfs() { mount -t tmpfs tmpfs "$1"; }

run_faultbench() {
	local system=$1 round=$2 row value verdict
	local command=(faultbench -m "$mebibytes")

	[[ $system != daxlab* ]] || command+=(-s "$debugfs/stats")
	# By the wall clock, away from the processor that serves the devices, and
	# often enough for the rows of few operations.
	[[ $mode == icount ]] || command=(taskset -c 1 "${command[@]}" -n 3)
	"${command[@]}" "/run/bench/$system" >/run/bench.out
	while read -r row value verdict; do
		[[ $system != daxlab_floor || $row =~ $floor_rows ]] || continue
		! any_of "$row" || echo "$mode $system $round $row $value $verdict" >>"$raw"
	done </run/bench.out
}

run_namebench() {
	local system=$1 round=$2 row value verdict

	namebench "/run/bench/$system" >/run/bench.out
	while read -r row value verdict; do
		! any_of "$row" || echo "$mode $system $round $row $value $verdict" >>"$raw"
	done </run/bench.out
}

# Each loop of fio maps the file anew and touches each page once.
run_fio() {
	local system=$1 round=$2 row rw jobs fields iops verdict=ok

	for row in "${fio_rows[@]}"; do
		any_of "$row" || continue
		IFS=_ read -r _ rw jobs <<<"$row"
		fio --minimal --name="$row" --ioengine=mmap --thread --rw="$rw" --bs=4k \
			--numjobs="$jobs" --group_reporting --gtod_reduce=1 \
			--invalidate=0 --loops=2 --size="${mebibytes}M" \
			--filename="/run/bench/$system/fio" >/run/bench.out
		IFS=';' read -ra fields <<<"$(tail -n 1 /run/bench.out)"
		[[ $rw == randread ]] && iops=${fields[7]} || iops=${fields[48]}
		[[ ${fields[4]} == 0 ]] || verdict="fio: error ${fields[4]}"
		echo "$mode $system $round $row $iops $verdict" >>"$raw"
		sync -f "/run/bench/$system/fio"
	done
}

# swap_module KO - the other build under the same mounts
swap_module() {
	local system
	for system in "${systems[@]}"; do
		[[ $system != daxlab* ]] || umount "/run/bench/$system"
	done
	rmmod daxlab
	insmod "$1" ndev=1 "size=$((mebibytes * 4))M"
	first=rw
	for system in "${systems[@]}"; do
		[[ $system != daxlab* ]] || "make_$system" "/run/bench/$system"
	done
	[[ ! -d /run/bench/daxlab_ram ]] || fill daxlab_ram
}

# into SYSTEM, out_of SYSTEM - what makes it differ from plain daxlab
into() {
	case $1 in
	daxlab_notiming) echo 0 >"$timing" ;;
	daxlab_armed) echo 'park{ino=999999}' >"$debugfs/windows/fault.after_grab/arm" ;;
	daxlab_varied)
		mount -t daxlab /dev/daxlab0 /run/bench-varied
		echo v4.20 >"$debugfs/daxlab0/variant"
		;;
	daxlab_bare) swap_module "$DAXLAB_KO_BARE" ;;
	daxlab_floor) swap_module "$DAXLAB_KO_FLOOR" ;;
	daxlab_at_* | daxlab_wait_* | daxlab_dirty_* | daxlab_serialised)
		echo "towrite=${1#daxlab_}" >"$debugfs/pmem0/variant"
		;;
	esac
}

out_of() {
	case $1 in
	daxlab_notiming) echo 1 >"$timing" ;;
	daxlab_armed) echo off >"$debugfs/windows/fault.after_grab/arm" ;;
	daxlab_varied)
		echo sound >"$debugfs/daxlab0/variant"
		umount /run/bench-varied
		;;
	daxlab_bare | daxlab_floor) swap_module "$DAXLAB_KO" ;;
	daxlab_at_* | daxlab_wait_* | daxlab_dirty_* | daxlab_serialised)
		echo sound >"$debugfs/pmem0/variant"
		;;
	esac
}

measure() {
	! any_of "${fault_rows[@]}" || run_faultbench "$@"
	! any_of "${name_rows[@]}" || [[ $1 == daxlab_floor ]] || run_namebench "$@"
	[[ $mode == icount ]] || run_fio "$@"
}

# run_one SYSTEM ROUND - made anew on the one device, and unmounted
run_one() {
	local ko=$DAXLAB_KO

	case $1 in
	daxlab_bare) ko=$DAXLAB_KO_BARE ;;
	daxlab_floor) ko=$DAXLAB_KO_FLOOR ;;
	esac
	[[ $1 != daxlab* ]] || insmod "$ko" ndev=0
	"make_${1%%_*}" "/run/bench/$1"
	fill "$1"
	measure "$@"
	umount "/run/bench/$1"
	[[ $1 != daxlab* ]] || rmmod daxlab
}

run_own() {
	into "$1"
	measure "$@"
	out_of "$1"
}

fill() {
	dd if=/dev/zero of="/run/bench/$1/fio" bs=2M count="$((mebibytes / 2))" \
		conv=fsync status=none
}

: >"$raw"
load nd_e820
load nd_pmem
for system in "${systems[@]}"; do
	mkdir -p "/run/bench/$system"
done
if [[ $place == own ]]; then
	if [[ "${systems[*]}" == *daxlab* ]]; then
		insmod "$DAXLAB_KO" ndev=1 "size=$((mebibytes * 4))M"
	fi
	for system in "${systems[@]}"; do
		"make_$system" "/run/bench/$system"
		fill "$system"
	done
fi
mkdir -p /run/bench-varied

for ((round = 1; round <= rounds; round++)); do
	order=("${systems[@]:(round - 1) % ${#systems[@]}}"
		"${systems[@]:0:(round - 1) % ${#systems[@]}}")
	say "$mode: round $round of $rounds: ${order[*]}"
	for system in "${order[@]}"; do
		"run_$place" "$system" "$round"
	done
done
