#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel log has a complaint, though nothing else is wrong.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

log "BUG: Bad page state in process x"
pass "first"
finish
