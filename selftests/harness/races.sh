#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two tasks increment a plain variable: a kernel with KCSAN says so, if our
# settings of it (scripts/kernels/kcsan.config) find anything at all.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

expect "it runs" insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=race
rmmod daxlab_bad
finish
