# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The memory that scripts/vm --backing reserves: as /dev/pmem0, or as a range
# that nobody has. Source lib.sh first.

# shellcheck disable=SC2034 # used by the tests
PMEM=/dev/pmem0
ND_PMEM=/sys/bus/nd/drivers/nd_pmem

pmem_free() { [[ ! -e $ND_PMEM/namespace0.0 ]] || echo namespace0.0 >"$ND_PMEM/unbind"; }
pmem_show() {
	[[ -e $ND_PMEM/namespace0.0 ]] || echo namespace0.0 >"$ND_PMEM/bind"
	[[ -b $PMEM ]]
}

# load_pmem range|device [ARGS] - the module on that memory
load_pmem() {
	case $1 in
	range) pmem_free && load backing=pmem "range=$DAXLAB_RANGE" "${@:2}" ;;
	device) pmem_show && load backing=pmem "device=$PMEM" "${@:2}" ;;
	esac
}

[[ -b $PMEM && ${DAXLAB_RANGE-} ]] || skip_all "no reserved range here: scripts/vm --backing memmap"
