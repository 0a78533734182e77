# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernels this machine has, and where their image and headers are.
# Debian keeps the image in /boot, its 7.x packages in /lib/modules.

# kernel_image VERSION - path of the bootable image, or failure
kernel_image() {
	local image
	for image in "/boot/vmlinuz-$1" "/lib/modules/$1/vmlinuz"; do
		[[ -e $image ]] && echo "$image" && return
	done
	return 1
}

# kernel_headers VERSION - folder to build modules in, or failure
kernel_headers() {
	local dir
	for dir in "/lib/modules/$1/build" "/usr/src/linux-headers-$1"; do
		[[ -e $dir/Makefile ]] && echo "$dir" && return
	done
	return 1
}

# newest_headers - the headers to check the source against
newest_headers() {
	local dir
	dir=$(printf '%s\n' /lib/modules/*/build/Makefile | sort -V | tail -n 1)
	[[ -e $dir ]] && echo "${dir%/Makefile}"
}

# kernels - every version with image, modules and headers, oldest first
kernels() {
	local dir
	for dir in /lib/modules/*/; do
		dir=$(basename "$dir")
		kernel_image "$dir" >/dev/null && kernel_headers "$dir" >/dev/null &&
			echo "$dir"
	done | sort -V
}

# pick_kernel [VERSION] - the newest one of that version or version prefix;
# without one, of 6.1, which is what the module is written for first
pick_kernel() {
	local want=${1:-6.1} found
	found=$(kernels | awk -v w="$want" '$0 == w || index($0, w ".") == 1 || index($0, w "-") == 1' |
		tail -n 1)
	[[ $found ]] || die "$EX_CANNOT" \
		"no kernel $want with image and headers here; there is: $(kernels | tr '\n' ' ')"
	echo "$found"
}
