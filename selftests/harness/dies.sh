#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Is killed by a signal.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

kill -SEGV $$
