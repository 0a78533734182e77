#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A module forgets what it has allocated, which kmemleak tells when the last test of
# a VM has ended. It is the only one, so that none takes the VM away before.
# No other one has such a VM, so nobody is with it there.
# daxlab-test: needs=none vm="--mem 3G"
. "$DAXLAB_TOP/selftests/lib/lib.sh"

expect "it runs" insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=lose
rmmod daxlab_bad
finish
