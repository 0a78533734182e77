#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# bdev_inject_foreign on a device that stands on /dev/pmem0, where all that is
# not refused is passed on. By hand: ERRORS=10000, BACKING=range.
#
# daxlab-test: timeout=400 needs=none vm="--backing memmap"
. "$(dirname "$0")/lib/lib.sh"
. "$(dirname "$0")/lib/pmem.sh"

status=0
load_pmem "${BACKING:-device}" || exit 1
OF_PMEM=1 ERRORS=${ERRORS:-300} "$(dirname "$0")/bdev_inject_foreign.sh" || status=$?
unload || status=1
exit "$status"
