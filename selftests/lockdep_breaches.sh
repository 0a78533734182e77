#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: the entry lock is a bit, so lockdep sees only what we tell it; a wrong
# word and it would be silent for ever. The debug build of the module breaks the
# order on request (module/selftest/lockdep.c), each time without any danger of
# a real hang, and lockdep has to say so, once and about the entry lock:
#
#  inversion  a mutex inside the entry lock, then a grab inside that mutex
#  walk       the same, with a deletion that finds nothing locked
#  sync       the same, with a sync that finds nothing locked
#  nested     a PMD entry is grabbed while a PTE entry of another colour is owned
#  user       a task returns to user space with an entry locked
#
# After its first report lockdep is off: each needs a VM of its own.
# daxlab-test: where=host build=debug timeout=120
. "$DAXLAB_TOP/selftests/lib/lib.sh"

grep -qx CONFIG_PROVE_LOCKING=y "$DAXLAB_KERNEL/headers/.config" ||
	skip_all "lockdep is not in this kernel (CONFIG_PROVE_LOCKING); scripts/check --kernel debug has it"

declare -A wanted=(
	[inversion]="possible circular locking dependency detected"
	[walk]="possible circular locking dependency detected"
	[sync]="possible circular locking dependency detected"
	[nested]="possible recursive locking detected"
	[user]="lock held when returning to user space!"
)
out=$DAXLAB_TOP/build/lockdep-${DAXLAB_KERNEL##*/}
mkdir -p "$out"

for breach in "${!wanted[@]}"; do
	# shellcheck disable=SC2016 # for the guest's shell
	expect "the module loads and does it: $breach" "$DAXLAB_TOP/scripts/vm" --no-build --kernel "$DAXLAB_KERNEL" --smp 1 --mem 1G \
		--out "$out/$breach" --console "$out/$breach.console" -- \
		sh -c 'insmod "$DAXLAB_KO_DEBUG" size=16M "lockdep_breach=$1" && dmesg -t >"$DAXLAB_OUT/dmesg"' sh "$breach"
	log=$out/$breach/dmesg
	equal "one report, of the right kind: $breach" \
		"$(grep -E 'WARNING:|BUG:|INFO: ' "$log")" "WARNING: ${wanted[$breach]}"
	expect "about the entry lock: $breach" grep -qE '\(dxl_entry\)\{' "$log"
done
finish
