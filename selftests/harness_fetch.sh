#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: scripts/check skips a kernel that cannot be fetched where no host is reached.
# Were it to skip one for another reason, such as a package that has another name now,
# all would be green and that kernel never run again. Here are the words of apt 2.6.
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
finish
