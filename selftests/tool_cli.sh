#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The command line of daxlab: what it lists and shows, what it refuses and with
# which status, that its JSON and HTML can be read by machines, and that it
# leaves the machine as it found it: after a run, after a failure, after ^C.
#
# daxlab-test: timeout=600 needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

# ends STATUS COMMAND... - it ends with that status; if not 0 or 1, with one line
ends() {
	local status=0 lines
	"${@:2}" >out 2>err || status=$?
	lines=$(wc -l <err)
	[[ $status == "$1" ]] || { note "status $status of ${*:2}: $(head -n 3 out err)"; return 1; }
	(($1 < 2 || lines == 1)) || { note "$lines lines on stderr: $(<err)"; return 1; }
}

valid_json() { [[ -s $1 ]] && perl -MJSON::PP -0777 -ne 'decode_json($_)' "$1"; }

# Tags of XML, one after the other, each closed by its own.
well_formed() {
	[[ -s $1 ]] && perl -0777 -ne '
		s/<!DOCTYPE html>//;
		while (/<(\/?)(\w+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>|</g) {
			die "stray <\n" unless $2;
			if ($1) { my $open = pop @open; $open eq $2 or die "<$open> ends as <$2>\n" }
			elsif (!$4) { push @open, $2 }
		}
		die "open: @open\n" if @open;
		/&(?!(amp|lt|gt|quot);)/ and die "stray &\n";' "$1"
}

# Nothing of ours is left, and no task.
as_found() {
	[[ ! -d /sys/module/daxlab ]] || { note "the module is loaded"; return 1; }
	! grep ' daxlab ' /proc/mounts || return 1
	! compgen -G '/tmp/daxlab.*' || return 1
}

mapfile -t ids < <(daxlab list | awk '{ print $1 }')
expect "list: there are scenarios" test "${#ids[@]}" -gt 0
equal "list: ids are unique" "$(printf '%s\n' "${ids[@]}" | sort | uniq -d)" ""
daxlab list --json >list.json
expect "list --json: valid" valid_json list.json
equal "list --json: the same scenarios" \
	"$(perl -MJSON::PP -0777 -ne 'print join " ", map { $_->{id} } @{decode_json($_)}' list.json)" \
	"${ids[*]}"

complete=1
for id in "${ids[@]}"; do
	shown=$(daxlab show "$id")
	for part in Story Roles Interleaving Expected References; do
		[[ $shown == *$'\n'"$part"* ]] || { note "$id has no $part"; complete=0; }
	done
done
equal "show: each has all parts" "$complete" 1
equal "show: by name, whatever the case" "$(daxlab show Park-And-RELEASE)" "$(daxlab show t1)"

expect "no command" ends 2 daxlab nonsense
refuse "nothing at all" daxlab
expect "help" ends 0 daxlab help
for command in list show run matrix status rescue knobs fsck help; do
	expect "help $command" ends 0 daxlab help "$command"
	equal "help $command: names it" "$(head -n 1 out | grep -o "^daxlab $command")" "daxlab $command"
done
expect "no such scenario" ends 2 daxlab run A1x
expect "no such scenario to show" ends 2 daxlab show ''
expect "no scenario" ends 2 daxlab run
expect "no such option" ends 2 daxlab run T1 --often
expect "an option of another command" ends 2 daxlab list --seed 1
expect "no repeat" ends 2 daxlab run T1 --repeat 0
expect "a repeat that is no number" ends 2 daxlab run T1 --repeat 3x
expect "a seed that is too large" ends 2 daxlab run T1 --seed 99999999999999999999
expect "no such variant" ends 2 daxlab run T1 --variant wait_key=nobody
expect "not for everybody" ends 3 setpriv --reuid 65534 --clear-groups daxlab run T1
expect "status without the module" ends 3 daxlab status
expect "rescue without the module" ends 3 daxlab rescue
expect "no module to load" ends 3 env DAXLAB_KO=/nowhere.ko daxlab run T1
expect "no such device" ends 3 daxlab run T1 --dev /dev/nowhere
expect "no such mount" ends 3 daxlab run T1 --mount /tmp
expect "all is as it was" as_found

expect "run" ends 0 daxlab run t1 --repeat 5
equal "run: the last line" "$(tail -n 1 out)" \
	"T1 sound (not held): 5 runs, 0 caught, 5 passed, 0 inconclusive"
equal "run: nothing on stderr without a terminal" "$(<err)" ""
expect "run --json" ends 0 daxlab run t1 --json
expect "run --json: valid" valid_json out
expect "matrix" ends 0 daxlab matrix t1 --variant 'sound;wait_key=searcher'
expect "matrix --json" ends 0 daxlab matrix t1 --json
expect "matrix --json: valid" valid_json out
expect "matrix --html" ends 0 daxlab matrix t1 --html page.html
expect "matrix --html: well-formed" well_formed page.html
refuse "matrix --html: loads nothing" grep -E '(src|href)=|url\(|@import|<script|<link' page.html
expect "matrix --html: nowhere to" ends 3 daxlab matrix t1 --html /nowhere/page.html
expect "all is as it was again" as_found

# Beside somebody who has it mounted, in a variant of his own.
expect "load" load size=64M
expect "mount" mount_fresh ""
echo wait_key=masked >"$DEBUGFS/daxlab0/variant"
before=$(<"$DEBUGFS/daxlab0/variant") files=$(ls -A "$MNT")
expect "run on what is mounted" ends 0 daxlab run t1
equal "the variant is as it was" "$(<"$DEBUGFS/daxlab0/variant")" "$before"
equal "and so are the files" "$(ls -A "$MNT")" "$files"
expect "status" ends 0 daxlab status
equal "status: the mount and its variant" "$(grep -A 1 ^mount out | xargs)" \
	"mount daxlab0: variant custom wait_key=masked"
expect "knobs" ends 0 daxlab knobs
expect "rescue" ends 0 daxlab rescue

# The file is there before it is locked, and it is locked before there are roles.
is_playing() { [[ -e $MNT/.daxlab-run && -n $(<"/proc/$tool/task/$tool/children") ]]; }
daxlab run t1 --repeat 1000000 >/dev/null 2>&1 & tool=$!
expect "a long run begins" loop_until 20 is_playing
expect "a second one at the same place is refused" ends 3 daxlab run t1 --mount "$MNT"
kill -INT "$tool"
status=0
wait "$tool" || status=$?
equal "^C ends it" "$status" 130
equal "^C: the files are as they were" "$(ls -A "$MNT")" "$files"
equal "^C: no entry is locked or waited for" "$(head -n 2 "$DEBUGFS/entries" | xargs)" \
	"locked entries: 0 wait entries: 0"

daxlab run t1 --variant sound --repeat 50 >out 2>&1 & tool=$!
while kill -0 "$tool" 2>/dev/null; do
	echo 1 >"$DEBUGFS/rescue"
done
status=0
wait "$tool" || status=$?
equal "rescued from outside: status" "$status" 1
expect "rescued from outside: it tells that runs are inconclusive" grep -q 'inconclusive:' out
expect "umount" umount "$MNT"
expect "unload" unload

daxlab run t1 --repeat 1000000 >/dev/null 2>&1 & tool=$!
expect "a long run begins that loads the module" loop_until 20 test -e "$DEBUGFS/daxlab0/variant"
kill -TERM "$tool"
status=0
wait "$tool" || status=$?
equal "TERM ends it" "$status" 143
expect "TERM: all is as it was" as_found
finish
