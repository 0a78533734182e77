#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# One result of two is bad.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

pass "first"
fail "second"
finish
