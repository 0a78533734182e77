#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel follows a null pointer.
# daxlab-test: needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"

insmod "$DAXLAB_TOP/build/bad-$(uname -r)/daxlab_bad.ko" mode=oops
finish
