#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Who builds for a kernel that the module cannot work with has to be told so, in
# words about that kernel: without them the build ends in missing functions, or
# what is built does not load. The preprocessor reads module/compat.h with the
# flags of module/Kbuild, with warnings as errors, and with kernel headers that are
# empty: versions and options of a kernel are just macros.
#
#   1. older kernels, and those between, are refused: the oldest and the newest of
#      each, and not the next one
#   2. one that is newer than all that was tried is warned of, and that is no error
#   3. one that lacks just one of the options that it needs is refused, by that name
#      only
#
# A check that is missing, or at another version, says nothing or something else.
#
# daxlab-test: where=host kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"

cd "$DAXLAB_TOP" || exit
headers=$(mktemp -d)
trap 'rm -rf "$headers"' EXIT
sed -n 's/^#include <\(.*\)>$/\1/p' module/compat.h |
	xargs -I FILE install -D /dev/null "$headers/FILE"
read -ra flags < <(sed -n 's/^ccflags-y += //p' module/Kbuild)
options=(DAX FS_DAX FS_DAX_PMD DEBUG_FS STACKTRACE TRACEPOINTS ARCH_HAS_PMEM_API CRC32)

# said VERSION OPTION... - errors and warnings for a kernel of that version, as in
# 6,1,64, which has these options
said() {
	local version=$1
	shift
	gcc -E -nostdinc -I "$headers" -Werror "${flags[@]}" \
		-D'IS_ENABLED(x)=(x || x##_MODULE)' -D'IS_BUILTIN(x)=x' \
		-D'KERNEL_VERSION(a, b, c)=(((a) << 16) + ((b) << 8) + (c))' \
		-DLINUX_VERSION_CODE="KERNEL_VERSION($version)" "${@/#/-DCONFIG_}" \
		module/compat.h 2>&1 >/dev/null | sed -nE 's/^[^ ]+ ((fatal )?error|warning): /\1: /p'
}

# says WHAT TEXT VERSION... - all options are there
says() {
	local version
	for version in "${@:3}"; do
		equal "Linux ${version//,/.}: $1" "$(said "$version" "${options[@]}")" "$2"
	done
}

says "too old" 'error: #error "daxlab needs Linux 6.1.64 or newer"' 5,10,0 6,1,0 6,1,63
says "refused" 'error: #error "daxlab needs Linux 6.1.y, from 6.1.64 on, or 6.6 and newer"' 6,2,0 6,5,255
says "a warning, and no error" \
	'warning: #warning "daxlab was tested on Linux 6.1, 6.12 and 7.3: this one is newer" [-Wcpp]' 7,4,0 8,0,0
says "nothing is said" '' 6,1,64 6,1,255 6,6,0 6,12,95 7,3,255

# names - of the options that the errors on stdin are about
names() { grep -oE '^error: #error|CONFIG_\w+' | xargs; }

for ((i = 0; i < ${#options[@]}; i++)); do
	others=("${options[@]:0:i}" "${options[@]:i+1}")
	equal "without CONFIG_${options[i]}: refused" "$(said 6,12,95 "${others[@]}" | names)" \
		"error: #error CONFIG_${options[i]}"
done
equal "CONFIG_CRC32 as a module: refused" "$(said 6,12,95 "${options[@]:0:7}" CRC32_MODULE | names)" \
	"error: #error CONFIG_CRC32"
equal "CONFIG_DAX as a module: nothing is said" "$(said 6,12,95 "${options[@]:1}" DAX_MODULE)" ""
finish
