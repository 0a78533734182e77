#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How a mount is given its variant, and shows it.
#
#   1. every choice of every knob as a mount option, in variant=, by remount, in
#      the two files in debugfs; each is seen in /proc/mounts and in the others
#   2. bad ones are refused with an errno and one line in the log
#   3. while an entry is locked nothing can be changed
#   4. two mounts do not share their variant
#   5. nothing is left after umount and rmmod
#
# Broken: a knob that no option reaches, a choice that leaks into another mount,
# a static key that stays on (the leak check of the runner does not see it, but
# the jump label of a module that is gone does).
#
# daxlab-test: timeout=600 needs=none
. "$(dirname "$0")/lib/lib.sh"

DEV1=/dev/daxlab1 MNT1=/mnt/daxlab1
VARIANT=$DEBUGFS/daxlab0/variant KNOBS=$DEBUGFS/daxlab0/variants

# options MOUNTPOINT - what /proc/mounts says of it, without the VFS's own: $shown
options() {
	local mounts line
	shown=''
	mapfile -t mounts </proc/mounts
	for line in "${mounts[@]}"; do
		[[ $line != *" $1 "* ]] || read -r _ _ _ shown _ <<<"$line"
	done
	shown=${shown#r[wo]} shown=${shown#,} shown=${shown#relatime} shown=${shown#,}
}

# shows DESCRIPTION MOUNTPOINT OPTIONS
shows() {
	options "$2"
	equal "$1" "$shown" "$3"
}

# Choices by knob, the sound one first, as the header has them.
declare -A choices
while read -r knob choice; do
	choices[${knob,,}]+="$choice "
done < <(sed -n 's/^\tC(\([A-Z_]*\), [A-Z_0-9]*, "\([a-z_0-9]*\)".*/\1 \2/p' \
	"$(dirname "$0")/../module/variant.h")

# said_once MARK TEXT - the log has one line of ours since MARK, with TEXT in it
said_once() {
	local said
	said=$(log_since "$1" | grep '^daxlab: ')
	note "said: $said"
	[[ $(wc -l <<<"$said") == 1 && $said == *"$2"* ]]
}

# refused ERRNO TEXT COMMAND... - it fails, errno's text is told, and one line says why
refused() {
	local mark="refused $RANDOM" output
	log "$mark"
	output=$(LC_ALL=C "${@:3}" 2>&1) && return 1
	note "$output"
	[[ $output == *"$1"* ]] && said_once "$mark" "$2"
}

put() { printf '%s\n' "$2" >"$1"; }
mount_as() { mount -t daxlab ${1:+-o "$1"} "$DEV" "$MNT"; }
remount_as() { mount -o "remount,$1" "$MNT"; }

# chosen KNOB CHOICE - both files say so
chosen() {
	local IFS=$'\n' word lines
	read -r word <"$KNOBS/$1"
	mapfile -t lines <"$VARIANT"
	[[ $word == "$2" && $'\n'${lines[*]}$'\n' == *$'\n'"$1 $2"$'\n'* ]]
}

expect "load with two devices" load ndev=2 size=64M
mkdir -p "$MNT" "$MNT1"
expect "mount" mount_fresh
shows "a sound mount shows nothing" "$MNT" ""
equal "and is sound" "$(head -n 1 "$VARIANT")" "profile sound"
mapfile -t knobs < <(awk 'NR > 1 { print $1 }' "$VARIANT")
equal "each knob has its file" "$(cd "$KNOBS" && printf '%s\n' * | sort)" \
	"$(printf '%s\n' "${knobs[@]}" | sort)"
equal "each knob of the header is there" "${#choices[@]}" "${#knobs[@]}"

# 1. Every choice through the files; options take a choice of each knob at once.
for knob in "${knobs[@]}"; do
	read -ra all <<<"${choices[$knob]}"
	bad=''
	for choice in "${all[@]}"; do
		put "$KNOBS/$knob" "$choice" && chosen "$knob" "$choice" || bad+=" file:$choice"
		options "$MNT"
		[[ $shown == "$knob=$choice" || ($choice == "${all[0]}" && -z $shown) ]] || bad+=" shown:$shown"
		put "$VARIANT" sound && chosen "$knob" "${all[0]}" || bad+=" reset"
		put "$VARIANT" "$knob=$choice" && chosen "$knob" "$choice" || bad+=" variant:$choice"
	done
	put "$VARIANT" sound || bad+=" sound"
	equal "knob $knob: ${#all[@]} choices" "$bad" ""
	((${#all[@]} > 1)) || fail "knob $knob has choices"
done

# all_of N - a choice of each knob: the Nth, or the last if it has fewer: $list
all_of() {
	local knob all
	list=''
	for knob in "${knobs[@]}"; do
		read -ra all <<<"${choices[$knob]}"
		list+=,$knob=${all[$1]:-${all[-1]}}
	done
	list=${list#,}
}

# has LIST - these are the choices
has() {
	local knob choice found='' profile
	{
		read -r profile
		while read -r knob choice; do found+=,$knob=$choice; done
	} <"$VARIANT"
	note "$profile"
	[[ ${found#,} == "$1" ]]
}

for n in 1 2 3 4 5 6; do
	all_of "$n"
	expect "remount with choice $n of each knob" remount_as "$list"
	expect "it is in the file" has "$list"
	shows "it is in /proc/mounts" "$MNT" "$list"
	umount "$MNT"
	expect "mount with it" mount_as "$list"
	expect "it is in the file" has "$list"
done
expect "remount with variant=sound" remount_as variant=sound
shows "nothing is shown" "$MNT" ""
umount "$MNT"
expect "mount with variant=KNOB=CHOICE" mount_as "variant=map_order=before,recheck=none"
shows "both are shown" "$MNT" "map_order=before,recheck=none"
expect "remount changes one" remount_as invalidate=early
shows "and leaves the others" "$MNT" "map_order=before,invalidate=early,recheck=none"
expect "remount with other options" remount_as ro
shows "leaves the variant" "$MNT" "map_order=before,invalidate=early,recheck=none"
umount "$MNT"
expect "mount with a profile and a knob" mount_as "variant=v4.12,colour=first"
shows "the last word counts" "$MNT" "wake_removal=next,towrite=at_lock,protect=head,layout=none,evict_pinned=free"
put "$VARIANT" upstream-7.3
equal "a profile is recognised" "$(head -n 1 "$VARIANT")" "profile upstream-7.3"

# 2. Bad ones.
options "$MNT" && before=$shown
expect "no such choice, in a file" refused "Invalid argument" "knob map_order has no choice 'never'" \
	put "$KNOBS/map_order" never
expect "no such knob" refused "Invalid argument" "'no_knob' is no profile and no knob" \
	put "$VARIANT" no_knob=1
expect "a knob without a choice" refused "Invalid argument" "'put' is a knob" put "$VARIANT" put
expect "half of it is bad" refused "Invalid argument" "'nothing'" put "$VARIANT" "evict=clean,nothing"
refuse "too long" put "$VARIANT" "$(printf 'x%.0s' {1..2000})"
expect "bad remount" refused "bad option" "knob txn has no choice 'often'" remount_as txn=often
shows "nothing of it was taken" "$MNT" "$before"
umount "$MNT"
expect "bad mount" refused "bad option" "knob evict has no choice 'all'" mount_as evict=all
refuse "an unknown option" mount_as evicts=all
expect "mount again" mount_as txn=kept
expect "a second mount with another variant" refused "" "mounted already, with another variant" \
	mount -t daxlab -o txn=first "$DEV" "$MNT1"
expect "a second mount with the same" mount -t daxlab -o txn=kept "$DEV" "$MNT1"
umount "$MNT1"

# 3. While a fault is parked with its entry locked nothing can be changed.
say() { printf '%s\n' "$*" >&"$control"; }
exec {control}<>"$DEBUGFS/control"
expect "bind" say bind daxlab0
fallocate -l 4k "$MNT/page"
expect "arm" say arm fault.after_grab "1*park(60000)"
(exec fio --name=read --filename="$MNT/page" --size=4k --ioengine=mmap --rw=read --bs=4k >/dev/null) &
load=$!
expect "a fault is parked" loop_until 100 grep -q . "$DEBUGFS/windows/fault.after_grab/parked"
expect "with its entry locked" grep -q "^locked dev daxlab0" "$DEBUGFS/entries"
expect "the file is busy" refused "Device or resource busy" "an entry is locked or waited for" \
	put "$VARIANT" v4.11
expect "the file of a knob too" refused "Device or resource busy" "an entry is locked" \
	put "$KNOBS/evict" clean
expect "and remount" refused "busy" "an entry is locked" remount_as evict=clean
shows "nothing was changed" "$MNT" txn=kept
expect "release" say release all
expect "the fault goes on" loop_until 20 grep -qx "locked entries: 0" "$DEBUGFS/entries"
# Its status does not matter: fio gives up a job that takes long to start.
wait "$load"
expect "now it can be changed" put "$KNOBS/evict" clean
put "$KNOBS/evict" never
exec {control}>&-

# 4. Two devices. A write(2) that fills a hole tells.
expect "mount the other device" mount -t daxlab -o format "$DEV1" "$MNT1"
shows "it is sound" "$MNT1" ""
put "$KNOBS/txn" none
put "$DEBUGFS/daxlab1/variants/invalidate" untold
shows "the one is sound" "$MNT" ""
shows "the other is not" "$MNT1" invalidate=untold
for mnt in "$MNT" "$MNT1"; do
	reset_counters
	dd if=/dev/zero of="$mnt/file" bs=64k count=1 status=none
	if [[ $mnt == "$MNT" ]]; then wanted=1; else wanted=0; fi
	equal "invalidations on $mnt" "$(counter invalidations)" "$wanted"
done

# 5. The end.
expect "unmount" umount "$MNT" "$MNT1"
refuse "no directory is left" test -e "$DEBUGFS/daxlab0" -o -e "$DEBUGFS/daxlab1"
expect "unload" unload
finish
