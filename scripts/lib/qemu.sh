# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The QEMU that emulates. Before 8.1 one with a thread for each processor may
# translate code while another processor changes it, and go on with what it was:
# the guest takes the breakpoint of a code patch for ever, with its locks held
# (lab_change showed it within a minute). Debian 12 has 7.2, its backports a
# newer one, which is fetched and unpacked beside the kernels.
#
# Sets $emulator, the command, and $thread for -accel tcg.
# shellcheck disable=SC2034 # scripts/vm uses them
readonly QEMU_SOUND=8.1
QEMU_DIR=$(dirname "$KERNELS")/qemu

# qemu_is_sound PROGRAM - it is new enough
qemu_is_sound() {
	local version
	version=$("$1" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
	[[ $version && $(printf '%s\n' "$QEMU_SOUND" "$version" | sort -V | head -n 1) == "$QEMU_SOUND" ]]
}

# get_qemu MEMO - fetch it, complete as soon as $QEMU_DIR has its name; if it cannot
# be had, MEMO says so until the next boot: not if somebody ends this before it knows
get_qemu() (
	local tmp=$QEMU_DIR.$BASHPID missing=$1 suite=bookworm-backports

	. "$TOP/scripts/lib/fetch.sh"
	mkdir -p "$KERNELS"
	exec 9>"$KERNELS/.lock"
	flock 9
	# Somebody else may have fetched it while we waited, or have failed to.
	[[ ! -e $QEMU_DIR ]] || exit 0
	[[ ! -e $missing ]] || exit 1
	say "fetching a QEMU that can patch code under the feet of threads"
	trap 'rm -rf "$tmp"' EXIT
	# Who calls this asks whether it fails, so errexit ends nothing in here; but
	# what fetches may die.
	if ! (
		fetch_begin &&
			fetch {qemu-system-x86,qemu-system-data,seabios}/"$suite" &&
			unpack "$tmp" qemu-system-x86 qemu-system-data seabios &&
			qemu_is_sound "$tmp/usr/bin/qemu-system-x86_64" &&
			mv -T "$tmp" "$QEMU_DIR"
	); then
		: >"$missing"
		exit 1
	fi
)

# pick_emulator - without such a QEMU, processors take turns: slower, but right
pick_emulator() {
	local memo
	memo=$BUILD/no-qemu-$(</proc/sys/kernel/random/boot_id)
	emulator=(qemu-system-x86_64) thread=multi
	! qemu_is_sound "${emulator[0]}" || return 0
	if [[ ! -e $QEMU_DIR && ! -e $memo ]] && ! get_qemu "$memo"; then
		say "processors of the guest take turns, as this QEMU is older than $QEMU_SOUND"
	fi
	if [[ -e $QEMU_DIR ]]; then
		emulator=("$QEMU_DIR/usr/bin/qemu-system-x86_64"
			-L "$QEMU_DIR/usr/share/qemu" -L "$QEMU_DIR/usr/share/seabios")
	else
		thread=single
	fi
}
