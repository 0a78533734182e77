#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# killed/guest.sh NR - what fs_killed does in the VM that is the NRth on this NVDIMM: look
# at what those before have left, then load it until the VM is killed. Each line
# says what was found; at the first that is wrong: status 1.
set -euo pipefail
nr=$1 dev=/dev/pmem0 mnt=/mnt/daxlab

insmod "$DAXLAB_KO" ndev=0
mkdir -p "$mnt"

# tell WHAT COMMAND... - the last line that COMMAND prints; ends all if it fails
tell() {
	local what=$1 found status=0
	shift
	found=$("$@" | tail -n 1) || status=$?
	echo "$what: $found"
	((!status)) || exit "$status"
}

if ((nr)); then
	tell fsck daxlab fsck "$dev"
	mount -t daxlab "$dev" "$mnt"
	for ((before = 0; before < nr; before++)); do
		tell "kill $before" promises check "$mnt/$before" "$DAXLAB_OUT/$before.log"
	done
	umount "$mnt"
	tell "fsck after the mount" daxlab fsck "$dev"
	mount -t daxlab "$dev" "$mnt"
else
	mount -t daxlab -o format "$dev" "$mnt"
fi
[[ ${2-} != last ]] || exit 0
exec promises load "$mnt/$nr" "$DAXLAB_OUT/$nr.log"
