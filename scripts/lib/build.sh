# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Building what the VM runs, quietly unless it fails. What is built for an
# installed kernel is where make puts it; any other kernel has a folder.

# make_quietly NAME ARG... - run make, show its output only on failure; one at a time
# in this tree, as two builds for a kernel share a folder
make_quietly() {
	local log=$BUILD/make-$1.log
	flock "$BUILD/make.lock" make -C "$TOP" -j"$(nproc)" "${@:2}" >"$log" 2>&1 && return
	tail -n 40 "$log" >&2
	die 1 "the build failed: $1 (all of it: $log)"
}

# built_for KERNEL KIND - the folder of its release, debug, bare or floor build
built_for() {
	if [[ ! -L $1/lib/modules/$(kernel_version "$1") ]]; then
		echo "$BUILD/for/$(basename "$1")/$2"
	elif [[ $2 == release ]]; then
		echo "$TOP"
	else
		echo "$BUILD/$2"
	fi
}

# module_for KERNEL KIND
module_for() { echo "$(built_for "$1" "$2")/module/daxlab.ko"; }

# hold_builds -s|-x - what is built stays as it is (-s), since tests load it; or it may
# change (-x), so nobody else is to hold it
hold_builds() {
	mkdir -p "$BUILD"
	exec {builds}>>"$BUILD/builds.lock"
	flock -n "$1" "$builds" ||
		die "$EX_CANNOT" "a scripts/check or scripts/lint is at work here: what is built is in use"
}

# How all that is tested is built: a warning is an error; without kernel-doc, which W=1
# has run on each file: it is a stage of scripts/lint; and without 22 MiB of names for a
# debugger, which are read again for each load of the module (and types for BPF, made
# of those, if the kernel's are there).
BUILD_FLAGS=(W=1e cmd_checkdoc= KCFLAGS=-g0 CONFIG_DEBUG_INFO_BTF_MODULES=)

# build_module KERNEL [KIND]
build_module() {
	local kind=${2:-release}

	mkdir -p "$BUILD"
	make_quietly "$kind" modules "${BUILD_FLAGS[@]}" "KDIR=$1" "OUT=$(built_for "$1" "$kind")" \
		"DAXLAB_DEBUG=$([[ $kind != debug ]] || echo 1)" \
		"DAXLAB_BARE=$([[ $kind != bare && $kind != floor ]] || echo 1)" \
		"DAXLAB_FLOOR=$([[ $kind != floor ]] || echo 1)"
}
