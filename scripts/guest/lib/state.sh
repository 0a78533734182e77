# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The state of the guest before a test, and what is different after it.

# What wanders by itself: statistics that are folded in late, slabs. A device
# that was not freed is larger. KASAN keeps freed objects back, up to 1/32 of
# all memory, and kmemleak notes on each object that there is.
if [[ -e /sys/kernel/debug/kmemleak ]]; then
	MEMORY_SLACK_KIB=$(awk '/^MemTotal:/ { print int(16384 + $2 / 32) }' /proc/meminfo)
else
	MEMORY_SLACK_KIB=8192
fi

# places MOUNT... - where they are, of lines of /proc/mounts
places() { printf '%s\n' "$@" | cut -d ' ' -f 2 | sort; }

# taken_kib - memory that nothing else explains: slabs that cannot shrink, and
# pages that somebody in the kernel took for himself. Per-CPU lists of free
# pages are not in MemFree and can hold tens of MiB, as they keep huge pages
# too; they are read first, since pages leave them by themselves. Modules that a
# mount has loaded, such as xfs with 4.6 MiB, stay; ours counts.
taken_kib() {
	awk 'FILENAME ~ /zoneinfo/ { if ($1 == "count:") listed += $2 * 4; next }
		FILENAME ~ /modules/ { if ($1 != "daxlab") modules += $2 / 1024; next }
		{ m[$1] = $2 }
		END {
			print m["MemTotal:"] - m["MemFree:"] - listed - m["Buffers:"] - \
				m["Cached:"] - m["AnonPages:"] - m["SReclaimable:"] - \
				m["KernelStack:"] - m["PageTables:"] - int(modules)
		}' /proc/zoneinfo /proc/modules /proc/meminfo
}

remember_state() {
	pmem_before=0
	! pmem_is_bound || pmem_before=1
	mapfile -t mounts_before </proc/mounts
	taken_before=$(taken_kib)
}

# new_mounts - where something is mounted that was not before
new_mounts() {
	local now
	mapfile -t now </proc/mounts
	[[ "${now[*]}" == "${mounts_before[*]}" ]] ||
		comm -13 <(places "${mounts_before[@]}") <(places "${now[@]}")
}

# memory_grown - a sentence, if more is taken than before
memory_grown() {
	local grown
	grown=$(($(taken_kib) - taken_before))
	((grown <= MEMORY_SLACK_KIB)) || echo "memory not given back: $grown KiB"
}

# pmem_is_lost - its driver had it before; what takes it away gives it back
pmem_is_lost() { ((pmem_before)) && ! pmem_is_bound; }

# module_traces - what an unloaded module should have taken with it
module_traces() {
	local path
	for path in /sys/kernel/slab/daxlab* /dev/daxlab* /sys/kernel/debug/daxlab; do
		[[ ! -e $path && ! -L $path ]] || echo "$path"
	done
	sed -n 's/.*\(\[daxlab\].*\|dxl_.*\)/vmalloc \1/p' /proc/vmallocinfo
}

# Where a test and all that descend from it are, wherever they went since: nobody
# leaves a cgroup by chance, and a fork or an exec under way hides nobody in one.
readonly TEST_GROUP=/sys/fs/cgroup/test PF_EXITING=4

# test_processes - their pids, without those that are about to end
test_processes() {
	local threads thread stat
	mapfile -t threads <"$TEST_GROUP/cgroup.threads"
	for thread in "${threads[@]}"; do
		read -r stat <"/proc/$thread/stat" || continue
		# After the name: state, ..., flags.
		read -ra stat <<<"${stat##*) }"
		((stat[6] & PF_EXITING)) || sed -n 's/^Tgid:\t//p' "/proc/$thread/status"
	done 2>/dev/null | sort -un
}

# test_is_gone - nobody is left of it, not even one who is about to end
test_is_gone() { [[ $(<"$TEST_GROUP/cgroup.events") == *'populated 0'* ]]; }

# describe_processes PID... - for people
describe_processes() {
	local pid command
	for pid; do
		command=$(tr '\0' ' ' <"/proc/$pid/cmdline")
		# One that is about to end has only its name.
		echo "${command:-[$(<"/proc/$pid/comm")] }(pid $pid)"
	done 2>/dev/null | paste -sd ,
}

# show_stacks PID... - where they are in the kernel, and all that are blocked
show_stacks() {
	local pid
	for pid; do
		echo "# stack of $(describe_processes "$pid"):"
		sed 's/^/#   /' "/proc/$pid/stack"
	done 2>/dev/null
	echo w >/proc/sysrq-trigger
}
