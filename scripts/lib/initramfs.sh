# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The initramfs: busybox, scripts/guest/init and the few modules that it takes
# to see the host's files and to talk to scripts/vm. Kept in build/ under a
# name made of everything that went into it.

INITRAMFS_MODULES=(virtio_pci 9p 9pnet_virtio virtio_console)

# module_files KERNEL NAME... - files to load for them, in order, no duplicates;
# none of what is built in
module_files() {
	local kernel=$1 name
	shift
	for name; do
		modprobe -C /dev/null -d "$kernel" -S "$(kernel_version "$kernel")" --show-depends "$name" ||
			return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# fill_root DIR INIT MODULE... - the files of it; fails as soon as any cannot be had, as
# who calls it may have switched errexit off
fill_root() {
	local root=$1 init=$2 file
	shift 2
	mkdir -p "$root"/{bin,modules,proc,host,view} && cp /bin/busybox "$root/bin/busybox" &&
		install -m 755 "$init" "$root/init" || return
	for file; do
		cp "$file" "$root/modules/" || return
		file=${file##*/}
		[[ $file != *.xz ]] || xz -d "$root/modules/$file" || return
		echo "${file%.xz}" >>"$root/modules/order" || return
	done
}

# initramfs KERNEL - make it if need be, print its path
initramfs() {
	local kernel=$1 version init=$TOP/scripts/guest/init out tmp key
	local -a files

	version=$(kernel_version "$kernel")
	out=$(module_files "$kernel" "${INITRAMFS_MODULES[@]}") ||
		die "$EX_CANNOT" "kernel $version lacks modules for 9p or virtio"
	mapfile -t files <<<"$out"
	[[ $out ]] || files=()
	key=$(sha256sum "$init" "${BASH_SOURCE[0]}" /bin/busybox "${files[@]}" | sha256sum)
	out=$BUILD/initramfs-$version-${key:0:12}.cpio.gz
	if [[ ! -e $out ]]; then
		if ! { tmp=$(mktemp -d "$BUILD/initramfs.XXXXXX") &&
			fill_root "$tmp/root" "$init" "${files[@]}" &&
			(cd "$tmp/root" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -1) >"$tmp/cpio.gz" &&
			mv "$tmp/cpio.gz" "$out"; }; then
			rm -rf "$tmp"
			die "$EX_CANNOT" "cannot make $out"
		fi
		rm -rf "$tmp"
	fi
	echo "$out"
}
