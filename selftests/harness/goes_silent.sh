#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Stops every process but the first, so that the guest says nothing more.
# daxlab-test: needs=none timeout=10
. "$DAXLAB_TOP/selftests/lib/lib.sh"

kill -STOP -1
sleep infinity
