#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# DKMS builds the module for this kernel from what its users would have in
# /usr/src, installs it, and takes it away again. The host sees nothing of it:
# all of DKMS's folders are in build/, and the packages's own state is hidden.
#
#   1. add, build, install: the module is there, for this kernel
#   2. remove: nothing is left
#
# A file that the module needs and that a release would lack, or a Makefile that
# only works in our tree, would break the build.
#
# daxlab-test: where=host needs=none timeout=900
. "$DAXLAB_TOP/selftests/lib/lib.sh"

version=$(<"$DAXLAB_KERNEL/version")
dir=$DAXLAB_TOP/build/dkms-$version

rm -rf "$dir"
mkdir -p "$dir"/{package,tree} "$dir/install/$version"
# Not installed: unpacked.
if ! dkms=$(command -v dkms); then
	cache=${DAXLAB_CACHE:-$DAXLAB_TOP/build}/dkms
	mkdir -p "$cache"
	compgen -G "$cache/*.deb" >/dev/null || (cd "$cache" && apt-get -q download dkms) >"$dir/log" 2>&1 ||
		skip_all "DKMS is not installed and cannot be fetched"
	dpkg -x "$cache"/*.deb "$dir/package"
	dkms=$dir/package/usr/sbin/dkms
fi
release=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' "$DAXLAB_TOP/dkms.conf")
mkdir -p "$dir/src/daxlab-$release"
(cd "$DAXLAB_TOP" && find Makefile Kbuild dkms.conf module \( -name '*.[ch]' ! -name '*.mod.c' -o ! -name '*.*' -o -name dkms.conf \) -type f \
	-exec cp --parents -t "$dir/src/daxlab-$release" {} +)

# dkms makes keys in /var/lib and signs with them.
dkms() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -c 'mount -t tmpfs tmpfs /var/lib && exec "$@"' - \
		"$dkms" "$1" "daxlab/$release" --dkmstree "$dir/tree" --sourcetree "$dir/src" \
		--installtree "$dir/install" "${@:2}"
}
this_kernel=(-k "$version" -a x86_64 --no-depmod --kernelsourcedir "$DAXLAB_KERNEL/headers")
built() { find "$dir/install" -name 'daxlab.ko*'; }

expect "dkms add" dkms add
expect "dkms build" dkms build "${this_kernel[@]}"
expect "dkms install" dkms install "${this_kernel[@]}"
equal "one module is installed" "$(built | wc -l)" 1
equal "for this kernel" "$(modinfo -F vermagic "$(built)" | sed 's/ .*//')" "$version"
expect "dkms remove" dkms remove "${this_kernel[@]}"
equal "nothing is left" "$(built)" ""
finish
