#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Never ends, but can be killed.
# daxlab-test: needs=none timeout=10
. "$DAXLAB_TOP/selftests/lib/lib.sh"

pass "before"
sleep infinity
