# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The memory that scripts/vm --backing reserves, and the driver that has it as $PMEM.

# shellcheck disable=SC2034 # used by those who source this
PMEM=/dev/pmem0
ND_PMEM=/sys/bus/nd/drivers/nd_pmem

pmem_is_bound() { [[ -e $ND_PMEM/namespace0.0 ]]; }
pmem_free() { ! pmem_is_bound || echo namespace0.0 >"$ND_PMEM/unbind"; }
pmem_show() {
	pmem_is_bound || echo namespace0.0 >"$ND_PMEM/bind"
	[[ -b $PMEM ]]
}
