#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Leaves a process in another session.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

setsid sleep 1000 >/dev/null 2>&1 &
pass "first"
finish
