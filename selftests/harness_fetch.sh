#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: scripts/check skips a kernel that cannot be fetched where no host is reached.
# Were it to skip one for another reason, such as a package that has another name now,
# all would be green and that kernel never run again. Here are the words of apt 2.6.
# Nor is it to take somebody else's archive for Debian's, to find none because lists
# were thrown away, or to hold an interrupted fetch for one that cannot be done.
# daxlab-test: where=host needs=none kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/lib/common.sh"
KERNELS=$(mktemp -d)
trap 'rm -rf "$KERNELS"' EXIT
. "$DAXLAB_TOP/scripts/lib/fetch.sh"
mkdir -p "$APT"

# ends WHAT STATUS - that quietly() gives to an apt-get which says what is on stdin
ends() {
	local words status=0
	words=$(cat)
	failing() { echo "$words"; return 100; }
	(quietly "no lists" failing) 2>/dev/null || status=$?
	equal "status $2: $1" "$status" "$2"
}

at='E: Failed to fetch http://archive.example/debian/dists/trixie/InRelease '
some='E: Some index files failed to download. They have been ignored, or old ones used instead.'
missing="E: The repository 'http://archive.example/debian trixie Release' does not have a Release file."

ends "no name server" "$EX_OFFLINE" <<<"$at Temporary failure resolving 'archive.example'"$'\n'"$some"
ends "no such host" "$EX_OFFLINE" <<<"$at Could not resolve 'archive.example'"$'\n'"$some"
ends "nobody answers there" "$EX_OFFLINE" <<<"\
$at Could not connect to archive.example:80 (192.0.2.1), connection timed out
$at Unable to connect to archive.example:http:
$some"
ends "no route" "$EX_OFFLINE" <<<"\
$at Cannot initiate the connection to archive.example:80 (2001:db8::1). - connect (101: Network is unreachable)
$some"
ends "a package that is not there" "$EX_CANNOT" <<<"$at 404  Not Found [IP: 192.0.2.1 80]"$'\n'"$some"
ends "a suite that is not there" "$EX_CANNOT" <<<"$missing"
ends "one suite only" "$EX_CANNOT" <<<"$at Could not resolve 'archive.example'"$'\n'"$missing"
ends "a package that nobody knows" "$EX_CANNOT" <<<'E: Unable to locate package gcc-99'
ends "no space" "$EX_CANNOT" <<<"E: Write error - write (28: No space left on device)"
ends "nothing said" "$EX_CANNOT" </dev/null

# An apt that knows $sources: if it has lists, or once it was told to fetch them, which
# says $words and ends with $updates.
apt-get() {
	case "$*" in
	*indextargets*host-lists*) [[ ! -e $KERNELS/updated ]] || echo "$sources" ;;
	*indextargets*) [[ $have == lists ]] && echo "$sources" ;;
	*update*host-lists*) touch "$KERNELS/updated"; echo "$words"; return "$updates" ;;
	esac
}
# finds WHAT STATUS ADDRESS
finds() {
	local status=0 got
	rm -f "$KERNELS/updated"
	got=$(set_address 2>/dev/null && echo "$address") || status=$?
	equal "status $2: $1" "$status $got" "$2 $3"
}
debian='http://archive.example/debian/ bookworm Debian' other='http://other.example/apt/ stable Other'
have=lists updates=0 words='' sources=$other$'\n'$debian
finds "Debian beside another archive" 0 http://archive.example/debian/
refuse "  whose lists are there" test -e "$KERNELS/updated"
have=nothing
finds "lists that were thrown away" 0 http://archive.example/debian/
updates=100 words="$at 404  Not Found [IP: 192.0.2.1 80]"
finds "and a source that fails beside it" 0 http://archive.example/debian/
sources=$other words="$at Could not resolve 'archive.example'"
finds "no lists, and nobody to have them from" "$EX_OFFLINE" ''
updates=0
finds "no Debian at all" "$EX_CANNOT" ''
unset -f apt-get

# A QEMU whose fetch ends as END has it.
mkdir -p "$KERNELS/top/scripts/lib"
cp "$TOP"/scripts/lib/{common,qemu}.sh "$KERNELS/top/scripts/lib"
# shellcheck disable=SC2016 # the other shell's
sed 's/^fetch_begin() {/& eval "$END";/' "$TOP/scripts/lib/fetch.sh" >"$KERNELS/top/scripts/lib/fetch.sh"
# memo_of END - what is left of it
memo_of() {
	rm -f "$KERNELS/memo"
	# shellcheck disable=SC2016 # of another shell, and in a group of its own
	END=$1 setsid -w bash -c '. "$1/top/scripts/lib/common.sh"
		KERNELS=$1
		. "$TOP/scripts/lib/qemu.sh"
		get_qemu "$KERNELS/memo"' played "$KERNELS" >/dev/null 2>&1
	[[ ! -e $KERNELS/memo ]] || echo memo
}
equal "a QEMU that cannot be fetched is not tried again" "$(memo_of 'exit 126')" memo
equal "nor one when nothing dies" "$(memo_of 'return 1')" memo
for signal in INT TERM; do
	equal "one whose fetch was ended by $signal is" "$(memo_of "kill -$signal 0")" ""
done
finish
