#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Which reports of a kernel with KCSAN are blamed on a test, and which are the
# kernel's own: as many mistakes could hide here as in all the rest.
#
#   1. ours: an access in our module; one in a function that reads for us; two in
#      functions that we call; a WARNING in the middle of somebody else's report
#   2. not ours: the kernel's races with itself below our functions; a lookup in the page
#      cache, beside a change for which the kernel takes the lock; an atomic change of
#      ours, which the kernel reads without care; also if the log begins in the middle of
#      one, but not if it ends there
#   3. the log of a kernel in pieces, by test and between them: each line is in one, and
#      a report in that where it began
#   4. kmemleak that has turned itself off
#
# daxlab-test: where=host needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/guest/lib/reports.sh"

DAXLAB_OUT=$(mktemp -d)
trap 'rm -rf "$DAXLAB_OUT"' EXIT

# access HEAD FUNCTION... - from the innermost on
access() {
	printf '%s to 0xffff888104fb3b50 of 8 bytes by task 7 on cpu 1:\n' "$1"
	shift
	printf ' %s\n' "$@"
	echo
}

# report WHAT [TEXT] - stdin has its accesses
report() {
	printf '%066d\nBUG: KCSAN: data-race in %s\n\n' 0 "$1" | tr 0 =
	cat
	printf '%s\nReported by Kernel Concurrency Sanitizer on:\n%066d\n' "${2-}" 0 | sed 's/0\{66\}/=====/'
}

# judged WHAT WANTED [TEXT] - what is blamed for the report on stdin
judged() {
	report "$1" "${3-}" >"$DAXLAB_OUT/log"
	equal "$1" "$(log_complaint "$DAXLAB_OUT/log")" "$2"
}

own='dxl_slot_write+0x10/0x20 [daxlab]' kernel='generic_update_time+0x1/0x2'
far=('file_update_time+0x1/0x2' "$own")
lookup=('xas_find_marked+0x1/0x2' 'filemap_get_folios_tag+0x1/0x2' "$own")

judged ours "BUG: KCSAN: data-race in ours" < <(access write "$kernel" "${far[@]}"; access read "$own")
judged memcmp "BUG: KCSAN: data-race in memcmp" < <(access read 'memcmp+0x1/0x2' "$own"; access write "$kernel")
judged xa_lock "BUG: KCSAN: data-race in xa_lock" < <(
	access read 'xas_clear_mark+0x1/0x2' '__xa_clear_mark+0x1/0x2' "$own"; access write "$kernel")
judged called "BUG: KCSAN: data-race in called" < <(
	access write 'drop_nlink+0x1/0x2' "$own"; access write 'inc_nlink+0x1/0x2' "$own")
judged caller "BUG: KCSAN: data-race in caller" < <(access write "$own"; access read "${lookup[@]}")
judged shuffled "BUG: KCSAN: data-race in shuffled" < <(
	echo "read to 0xffff888104fb3b50 of 8 bytes by interrupt on cpu 0:"; echo "a line of somebody else"; echo " $own")
judged warned "BUG: KCSAN: data-race in warned" 'WARNING: CPU: 0 PID: 7 at x.c:1' < <(
	access write "$kernel" "${far[@]}"; access read "$kernel" "${far[@]}")
judged kernel "" < <(access write "$kernel" "${far[@]}"; access read "$kernel" "${far[@]}")
judged beside "" < <(access write "$kernel"; access read 'inode_needs_update_time+0x1/0x2' "$own")
judged atomic "" < <(access 'read-write (marked)' "$own"; access read 'folio_clear_dirty_for_io+0x1/0x2' "$own")
judged lookup "" < <(
	access write 'xas_clear_mark+0x1/0x2' '__folio_start_writeback+0x1/0x2' "$own"; access read "${lookup[@]}")
equal "those of the kernel are noted" "$(wc -l <"$DAXLAB_OUT/races-elsewhere")" 4

report cut < <(access write "$kernel" "${far[@]}"; access read "$kernel" "${far[@]}") >"$DAXLAB_OUT/report"
tail -n +5 "$DAXLAB_OUT/report" | cat - "$DAXLAB_OUT/report" >"$DAXLAB_OUT/log"
equal "a log that begins in the middle of one" "$(log_complaint "$DAXLAB_OUT/log")" ""
tail -n +5 "$DAXLAB_OUT/report" | cat - <(report ours < <(access write "$own"; access read "$kernel")) >"$DAXLAB_OUT/log"
equal "and ours that follows" "$(log_complaint "$DAXLAB_OUT/log")" "BUG: KCSAN: data-race in ours"
head -n -2 "$DAXLAB_OUT/report" >"$DAXLAB_OUT/log"
equal "a log that ends in the middle of one" "$(log_complaint "$DAXLAB_OUT/log")" "BUG: KCSAN: data-race in cut"
cat "$DAXLAB_OUT/report" >>"$DAXLAB_OUT/log"
equal "also if another one follows" "$(log_complaint "$DAXLAB_OUT/log")" "BUG: KCSAN: data-race in cut"

# The log of two tests, a and b, with somebody else's report about the end of a.
{
	echo "daxlab-test: begin a"
	head -n 4 "$DAXLAB_OUT/report"
	echo "daxlab-test: end a"
	tail -n +5 "$DAXLAB_OUT/report"
	printf '%s\n' "BUG: between" "daxlab-test: begin b" "BUG: during b" "daxlab-test: end b"
} >"$DAXLAB_OUT/dmesg"
dmesg() { cat "$DAXLAB_OUT/dmesg"; }
sleep() { :; }

# piece FROM TO - the complaint in it
piece() {
	if read_log "$1" "$2" "$DAXLAB_OUT/piece"; then
		log_complaint "$DAXLAB_OUT/piece"
	else
		echo "not all there"
	fi
}

equal "a report that a test began is whole there" "$(piece "begin a" "end a")" ""
equal "and this is all of it" "$(cat "$DAXLAB_OUT/piece")" "$(cat "$DAXLAB_OUT/report")"
equal "what is said between two tests" "$(piece "end a" "begin b")" "BUG: between"
equal "and during the second" "$(piece "begin b" "end b")" "BUG: during b"
equal "a piece whose beginning is lost" "$(piece "begin x" "end b")" "not all there"
sed -i '/^daxlab-test: end a/q' "$DAXLAB_OUT/dmesg"
equal "a report that is still being written" "$(piece "begin a" "end a")" "not all there"

KMEMLEAK=/dev/full
refuse "a kmemleak that does not scan is not one that finds nothing" leaks_so_far
finish
