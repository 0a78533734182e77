#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes memory from its driver, which the next test of this VM would not find.
# daxlab-test: needs=none vm="--backing memmap"
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/selftests/lib/pmem.sh"

expect "pmem0 goes" pmem_free
finish
