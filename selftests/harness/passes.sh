#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All is well: two results.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

pass "first"
pass "second"
finish
