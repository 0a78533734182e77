#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Leaves a process in another session that has nothing of ours in its environment.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

setsid env -i sleep 1000 >/dev/null 2>&1 & left=$!
until [[ $(tr '\0' ' ' <"/proc/$left/cmdline") == "sleep 1000 " ]]; do
	:
done
pass "first"
finish
