# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Building what the VM runs, quietly unless it fails.

# make_quietly NAME ARG... - run make, show its output only on failure
make_quietly() {
	local log=$BUILD/make-$1.log
	make -C "$TOP" -j"$(nproc)" "${@:2}" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	die 1 "the build failed: $1 (all of it: $log)"
}

# build_module VERSION
build_module() {
	mkdir -p "$BUILD"
	make_quietly release modules KDIR="$(kernel_headers "$1")"
}

# build_all VERSION - the module, its debug build, and the tests
build_all() {
	build_module "$1"
	make_quietly debug modules KDIR="$(kernel_headers "$1")" DAXLAB_DEBUG=1
	make_quietly selftests -C selftests
}
