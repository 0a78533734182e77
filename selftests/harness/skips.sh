#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Nothing of it can run here.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

skip_all "no reason"
