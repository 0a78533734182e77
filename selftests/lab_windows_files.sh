#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a person with a shell has: debugfs windows/, knobs, oracles.
#
#   1. a rule in windows/NAME/arm parks dd; parked names it with its stack, and
#      its pid in release lets it go on
#   2. "off" disarms; hits grow while somebody watches, and only then
#   3. each window tells what it is and what may be armed; what may not is refused
#   4. knobs lists them; the oracles can be on for all mounts
#
# daxlab-test: timeout=120 args="size=64M"
. "$(dirname "$0")/lib/lib.sh"

WINDOWS=$DEBUGFS/windows
WIN=$WINDOWS/write.after_iomap_begin

put() { echo "$1" >"$2"; }
shows() { grep -Eq "$1" "$2"; }
hits() { cat "$WIN/hits"; }
write_page() { exec dd if=/dev/zero of="$MNT/page" bs=4k count=1 conv=notrunc 2>/dev/null; }

expect "mount" mount_fresh
equal "a directory for each window, with the same files" \
	"$(find "$WINDOWS" -mindepth 2 -printf '%f %m\n' | sort -u)" \
	$'about 400\narm 600\nhits 400\nparked 400\nrelease 200'
equal "each about begins with the name" \
	"$(for dir in "$WINDOWS"/*; do head -n 1 "$dir/about" | cut -d: -f1; done)" \
	"$(ls "$WINDOWS")"
expect "what is allowed is told" shows '^actions: off trace delay\(1..1000000\) yield park error$' "$WIN/about"
expect "and what is not" shows '^actions: off trace delay\(1..1000\)$' \
	"$WINDOWS/invalidate.found_locked/about"

(write_page)
equal "nobody watches: no hits" "$(hits)" 0
expect "arm" put 'park(60000){index=0}' "$WIN/arm"
expect "the rule is shown" shows '^armed write.after_iomap_begin hits 0 fired 0 rule park\(60000\)\{index=0\}$' "$WIN/arm"
write_page &
writer=$!
expect "dd is parked" loop_until 30 shows "^dd/$writer ms [0-9]+$" "$WIN/parked"
expect "its stack is shown" shows '^  dxl_write_iter\+' "$WIN/parked"
equal "a hit" "$(hits)" 1
refuse "another pid is not parked there" put $$ "$WIN/release"
refuse "nor is it parked elsewhere" put "$writer" "$WINDOWS/write.copy_user/release"
refuse "a word is no pid" put dd "$WIN/release"
expect "release" put "$writer" "$WIN/release"
wait "$writer"
equal "dd goes on" $? 0
equal "nobody is parked" "$(cat "$WIN/parked")" ""

refuse "a bad rule is refused" put 'park(' "$WIN/arm"
expect "and changes nothing" shows ' fired 1 rule park\(60000\)\{index=0\}$' "$WIN/arm"
expect "another rule takes its place" put 'error(-ENOSPC)' "$WIN/arm"
equal "alone" "$(cut -d' ' -f7- "$WIN/arm")" "rule error(-ENOSPC)"
refuse "write fails as told" sh -c "echo x >>$MNT/more"
expect "disarm" put off "$WIN/arm"
equal "nothing is armed" "$(cat "$WIN/arm")" ""
expect "write works" sh -c "echo x >>$MNT/more"
equal "nobody watches again" "$(hits)" 2

equal "knobs lists each with its choices" \
	"$(awk '$1 == "knob" { sub(":", "", $2); k = $2; n++ } k && index($1, k "=") == 1 { c[k]++ }
		END { for (k in c) if (c[k] > 1) m++; print (n > 10 && n == m) }' "$DEBUGFS/knobs")" 1
expect "oracles on" put 1 "$DEBUGFS/oracles"
equal "they are" "$(cat "$DEBUGFS/oracles")" 1
(write_page)
expect "somebody watches" test "$(hits)" -gt 2
refuse "neither on nor off" put some "$DEBUGFS/oracles"
expect "oracles off" put 0 "$DEBUGFS/oracles"
expect "armed over the end of the mount" put park "$WIN/arm"
expect "unmount" umount "$MNT"
finish
