#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A module gives memory away for good: three times what the harness lets pass here,
# as the rest of the kernel may give as much back meanwhile.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/guest/lib/state.sh"

insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=leak mib=$((3 * MEMORY_SLACK_KIB / 1024))
rmmod daxlab_bad
pass "first"
finish
