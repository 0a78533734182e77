# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which Debian packages each job needs, and how they come onto the machine:
# as root they are installed, anyone else is told what to ask root for.

declare -A DEPS=(
	[build]="make gcc libc6-dev linux-headers-amd64 linux-source-6.1 xz-utils"
	[vm]="qemu-system-x86 linux-image-amd64 linux-headers-amd64 busybox-static cpio kmod xz-utils"
	[nvdimm]="ndctl"
	[test]="fio xfsprogs e2fsprogs trace-cmd procps perl"
	[kernel]="flex bison bc libelf-dev"
	[plot]="gnuplot-nox"
	[lint]="sparse shellcheck perl"
)

# packages_missing PACKAGE... - those of them that dpkg does not have installed
packages_missing() {
	local have
	# dpkg-query fails if it never heard of one of them: that is missing too.
	have=$( (dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true) |
		sed -n 's/^installed //p')
	printf '%s\n' "$@" | sort -u | grep -vxF -e "$have" || true
}

# apt_install PACKAGE... - quietly, with fresh lists only if the old ones fail
apt_install() {
	local log=$BUILD/apt.log
	# Somebody else may be at it, such as the updates of a machine that just came up.
	local install=(apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")

	mkdir -p "$BUILD"
	export DEBIAN_FRONTEND=noninteractive
	"${install[@]}" >"$log" 2>&1 </dev/null && return
	apt-get update -qq >>"$log" 2>&1 </dev/null &&
		"${install[@]}" >>"$log" 2>&1 </dev/null && return
	tail -n 5 "$log" >&2
	die "$EX_CANNOT" "apt-get could not install: $* (all of it: $log)"
}

# need GROUP... - return only when every package of these groups is there
need() {
	local group missing
	local -a wanted=()

	for group; do
		read -ra missing <<<"${DEPS[$group]}"
		wanted+=("${missing[@]}")
	done
	mapfile -t missing < <(packages_missing "${wanted[@]}")
	((${#missing[@]})) || return 0
	((EUID == 0)) ||
		die "$EX_CANNOT" "missing packages: as root, apt-get install ${missing[*]}"
	say "installing ${missing[*]}"
	apt_install "${missing[@]}"
}
