#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Sleeps in the kernel where no signal reaches it.
# daxlab-test: needs=none timeout=10
. "$DAXLAB_TOP/selftests/lib/lib.sh"

insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=hang
finish
