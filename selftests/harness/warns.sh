#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel warns, which ends the VM.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

pass "first"
insmod "$DAXLAB_TOP/build/bad/daxlab_bad.ko" mode=warn
pass "second"
finish
