# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernels to build for and to run on. Each is a folder, in build/kernels or in
# $DAXLAB_CACHE/kernels, complete as soon as it has its name:
#
#   version   what uname -r prints
#   vmlinuz   the bootable image
#   lib/modules/VERSION
#   headers   where the module is built
#   about     one line for people: where it comes from
#   make      optional, to be run in place of make
#   cmdline   optional, more words for the kernel command line
#   slow      optional, how many times longer than on a stock kernel all takes
#
# Those that are installed are folders of links. Those that are not are made
# by scripts/kernels/NAME DIR, or by scripts/kernels/debian VERSION DIR.

KERNELS=$(realpath -m -- "${DAXLAB_CACHE:-$BUILD}/kernels")
# What scripts/check --kernel all runs on.
# shellcheck disable=SC2034 # used by those who source this
ALL_KERNELS=(6.1 6.12 7.x)

kernel_version() { cat "$1/version"; }
kernel_image() { echo "$1/vmlinuz"; }
kernel_words() { cat "$1/cmdline" 2>/dev/null || :; }
kernel_slow() { cat "$1/slow" 2>/dev/null || echo 1; }

# newest_headers - the headers to check the source against
newest_headers() {
	local dir
	dir=$(printf '%s\n' /lib/modules/*/build/Makefile | sort -V | tail -n 1)
	[[ -e $dir ]] && echo "${dir%/Makefile}"
}

# installed_image VERSION - Debian keeps it in /boot, its 7.x packages do not
installed_image() {
	local image
	for image in "/boot/vmlinuz-$1" "/lib/modules/$1/vmlinuz"; do
		[[ -e $image ]] && echo "$image" && return
	done
	return 1
}

# hold_kernel KERNEL - one that scripts/kernels builds stays as it is until we end: a
# tree that wants it with other options waits
hold_kernel() {
	local fd
	[[ -e $1.lock ]] || return 0
	exec {fd}<"$1.lock"
	flock -n -s "$fd" || die "$EX_CANNOT" "kernel ${1##*/} is being built anew, for another tree"
	[[ -e $1/version ]] || die "$EX_CANNOT" "kernel ${1##*/} is gone, as another tree wants it otherwise"
}

# installed_kernels - every version with image, modules and headers
installed_kernels() {
	local dir
	for dir in /lib/modules/*/; do
		dir=$(basename "$dir")
		[[ ! -e /lib/modules/$dir/build/Makefile ]] || ! installed_image "$dir" >/dev/null ||
			echo "$dir"
	done
}

# link_kernel DIR VERSION IMAGE MODULES HEADERS ABOUT - a folder of links
link_kernel() {
	local tmp=$1.$$

	# Others may be using it at this moment.
	[[ $(readlink "$1/vmlinuz") == "$3" && $(readlink "$1/headers") == "$5" &&
		$(cat "$1/version" 2>/dev/null) == "$2" ]] && return
	if ! { rm -rf "$tmp" && mkdir -p "$tmp/lib/modules" &&
		if [[ $4 ]]; then ln -s "$4" "$tmp/lib/modules/$2"; else mkdir "$tmp/lib/modules/$2"; fi &&
		ln -s "$3" "$tmp/vmlinuz" && ln -s "$5" "$tmp/headers" &&
		echo "$2" >"$tmp/version" && echo "$6" >"$tmp/about" &&
		rm -rf "$1" && mv -T "$tmp" "$1"; }; then
		die "$EX_CANNOT" "cannot make $1"
	fi
}

# link_tree DIR TREE - the folder of a kernel that was built in TREE with all
# that the VM needs built in
link_tree() {
	local version file
	version=$(<"$2/include/config/kernel.release")
	link_kernel "$1" "$version" "$2/arch/x86/boot/bzImage" "" "$2" "built in $2"
	for file in modules.order modules.builtin modules.builtin.modinfo; do
		[[ ! -e $2/$file ]] || cp "$2/$file" "$1/lib/modules/$version/"
	done
	depmod -b "$1" "$version"
}

# newest_of WANT - of the versions on stdin, the newest that is WANT or begins
# with it
newest_of() {
	awk -v w="$1" '$0 == w || index($0, w ".") == 1 || index($0, w "-") == 1 || index($0, w "+") == 1' |
		sort -V | tail -n 1
}

# fetched_kernels - those from Debian's archive that are in the cache
fetched_kernels() {
	local dir
	for dir in "$KERNELS"/*/deb; do
		[[ ! -e $dir ]] || basename "$(dirname "$dir")"
	done
}

# kernel_at PATH - the folder of a kernel that somebody names by PATH: such a
# folder itself, or the tree where a kernel was built
kernel_at() {
	local path
	path=$(realpath -- "$1")
	if [[ -e $path/version && -e $path/vmlinuz ]]; then
		echo "$path"
	elif [[ -e $path/arch/x86/boot/bzImage && -e $path/include/config/kernel.release ]]; then
		link_tree "$KERNELS/tree-$(sha256sum <<<"$path" | head -c 12)" "$path"
		echo "$KERNELS/tree-$(sha256sum <<<"$path" | head -c 12)"
	else
		die "$EX_CANNOT" "$1 is neither a kernel of $KERNELS nor a tree where one was built"
	fi
}

# kernel_dir [NAME] - get that kernel ready and print its folder. NAME is a
# version or its beginning (7.x: the newest 7), "running", a PATH, or one of
# scripts/kernels; $DAXLAB_KERNEL by default, else 6.1, which is what the module is written for first
kernel_dir() {
	local name=${1:-${DAXLAB_KERNEL:-6.1}} want version dir

	if [[ $name == */* ]]; then
		kernel_at "$name"
		return
	fi
	mkdir -p "$KERNELS"
	if [[ $name != debian && -x $TOP/scripts/kernels/$name ]]; then
		dir=$KERNELS/$name
		"$TOP/scripts/kernels/$name" "$dir" >&2 || exit
		echo "$dir"
		return
	fi
	[[ $name != running ]] || name=$(uname -r)
	[[ $name =~ ^[0-9]+\.[0-9x] ]] || bad_usage "no kernel '$name'"
	want=${name%.x}
	version=$(installed_kernels | newest_of "$want")
	if [[ $version ]]; then
		dir=$KERNELS/$version
		link_kernel "$dir" "$version" "$(installed_image "$version")" \
			"/lib/modules/$version" "$(realpath "/lib/modules/$version/build")" \
			"installed here"
	else
		version=$(fetched_kernels | newest_of "$want")
		[[ $version ]] || version=$("$TOP/scripts/kernels/debian" "$want") || exit
		dir=$KERNELS/$version
	fi
	echo "$dir"
}
