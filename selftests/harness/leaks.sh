#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A module gives memory away for good.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

insmod "$DAXLAB_TOP/build/bad/daxlab_bad.ko" mode=leak
rmmod daxlab_bad
pass "first"
finish
