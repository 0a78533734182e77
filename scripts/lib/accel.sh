# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KVM or emulation. That /dev/kvm exists proves nothing: only a guest that
# runs to its end within seconds does. The answer holds until the host reboots.

# pick_accel - print kvm or tcg
pick_accel() {
	local memo
	memo=$BUILD/accel-$(</proc/sys/kernel/random/boot_id)-$EUID
	[[ -r /dev/kvm && -w /dev/kvm ]] || { echo tcg; return; }
	if [[ ! -e $memo ]]; then
		rm -f "$BUILD"/accel-*
		if "$TOP/scripts/vm" --no-build --accel kvm --timeout 20 --mem 1G -- true >/dev/null 2>&1; then
			echo kvm >"$memo"
		else
			say "KVM does not run a guest here, emulating instead"
			echo tcg >"$memo"
		fi
	fi
	cat "$memo"
}
