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
if ((nr)); then
	echo "fsck: $(daxlab fsck "$dev" | tail -n 1)"
	mount -t daxlab "$dev" "$mnt"
	for ((before = 0; before < nr; before++)); do
		echo "kill $before: $(promises check "$mnt/$before" "$DAXLAB_OUT/$before.log")"
	done
	umount "$mnt"
	echo "fsck after the mount: $(daxlab fsck "$dev" | tail -n 1)"
	mount -t daxlab "$dev" "$mnt"
else
	mount -t daxlab -o format "$dev" "$mnt"
fi
[[ ${2-} != last ]] || exit 0
exec promises load "$mnt/$nr" "$DAXLAB_OUT/$nr.log"
