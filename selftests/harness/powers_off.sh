#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Switches the VM off.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

poweroff -f
sleep infinity
