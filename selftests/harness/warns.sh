#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel warns, which ends the VM, or where it does not, the test.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

pass "first"
insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=warn
rmmod daxlab_bad
pass "second"
finish
