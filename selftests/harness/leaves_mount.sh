#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Leaves something mounted.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

mkdir /mnt/left
mount -t tmpfs left /mnt/left
pass "first"
finish
