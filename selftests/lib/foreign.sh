# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ext4 and xfs with dax=always on $DEV: the story that holds for any memory below
# it. Source lib.sh first.

TRACE=/sys/kernel/tracing FILE_MIB=32

make_ext4() { mkfs.ext4 -q -F "$DEV"; }
make_xfs() { mkfs.xfs -q -f "$DEV"; }

mount_dax() {
	mkdir -p "$MNT" && mount -o dax=always "$DEV" "$MNT" &&
		grep -q "^$DEV $MNT .*dax=always" /proc/mounts
}

verify_mapping() {
	fio --name=map --filename="$MNT/file" --size="${FILE_MIB}M" --rw=write \
		--bs=4k --ioengine=mmap --verify=crc32c --verify_state_save=0 \
		--thread >/dev/null
}

# faults SIZE RESULT - how many the tracepoint of fs/dax.c told of
faults() { grep -c "dax_$1_fault_done.*$2" "$TRACE/trace"; }

# Its own pages each, since nothing huge fits in
small_file() {
	xfs_io -f -c "pwrite -S 0x31 0 64k" -c "mmap -rw 0 64k" -c "mwrite -S 0x32 0 64k" \
		-c "msync -s 0 64k" "$MNT/small" >/dev/null &&
		[[ $(tr -d 2 <"$MNT/small" | wc -c) == 0 && $(wc -c <"$MNT/small") == 65536 ]]
}

# 16 blocks of the file, each filled with a letter of its own, read from the
# device at the file's first block
same_below() {
	local block i
	local -a store=()
	for i in {0..15}; do
		store+=(-c "mwrite -S $((65 + i)) $((i * 4096)) 4096")
	done
	block=$(filefrag -e -b4096 "$MNT/file" |
		awk '$1 == "0:" { sub(/\.\..*/, "", $4); print $4 }')
	echo "first block of the file: $block"
	xfs_io -c "mmap -rw 0 64k" "${store[@]}" -c "msync -s 0 64k" "$MNT/file" &&
		dd if="$DEV" bs=4k skip="$block" count=16 iflag=direct status=none |
		cmp - <(for i in {A..P}; do printf "%4096s" "" | tr ' ' "$i"; done)
}

# story NAME - DEV is not mounted
story() {
	local fs=$1 sum
	expect "$fs: mkfs" "make_$fs"
	expect "$fs: mount -o dax=always" mount_dax
	echo >"$TRACE/trace"
	expect "$fs: fio verifies a mapping" verify_mapping
	expect "$fs: a huge fault for each 2 MiB" \
		test "$(faults pmd NOPAGE)" -ge $((FILE_MIB / 2))
	equal "$fs: no small fault" "$(faults pmd FALLBACK) $(faults pte NOPAGE)" "0 0"
	expect "$fs: a small file, stored to by a mapping" small_file
	expect "$fs: a small fault for each page" test "$(faults pte NOPAGE)" -ge 16
	expect "$fs: a bio reads what a mapping stored" same_below
	sum=$(md5sum "$MNT/file")
	refuse "$fs: no unload while mounted" unload
	expect "$fs: umount" umount "$MNT"
	expect "$fs: mount again" mount_dax
	equal "$fs: the file is the same" "$(md5sum "$MNT/file")" "$sum"
	expect "$fs: umount again" umount "$MNT"
}

trace_faults() {
	echo "$1" >"$TRACE/events/fs_dax/dax_pmd_fault_done/enable"
	echo "$1" >"$TRACE/events/fs_dax/dax_pte_fault_done/enable"
}

for tool in mkfs.ext4 mkfs.xfs xfs_io filefrag fio; do
	command -v "$tool" >/dev/null || skip_all "no $tool here"
done
modprobe -a ext4 xfs || skip_all "no ext4 or xfs here"
