#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Something it left behind strikes when it has ended, and before another one begins.
# The module stays, so it has a VM of its own.
# daxlab-test: needs=none vm="--smp 2"
. "$DAXLAB_TOP/selftests/lib/lib.sh"

expect "it is armed" insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=late
finish
