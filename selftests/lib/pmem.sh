# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The memory that scripts/vm --backing reserves: as /dev/pmem0, or as a range
# that nobody has. Source lib.sh first.

. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/guest/lib/pmem.sh"

# load_pmem range|device [ARGS] - the module on that memory
load_pmem() {
	case $1 in
	range) pmem_free && load backing=pmem "range=$DAXLAB_RANGE" "${@:2}" ;;
	device) pmem_show && load backing=pmem "device=$PMEM" "${@:2}" ;;
	esac
}

[[ -b $PMEM && ${DAXLAB_RANGE-} ]] || skip_all "no reserved range here: scripts/vm --backing memmap"
