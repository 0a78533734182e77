#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: what can be tested of the module without a filesystem (the entry lock
# and its invariants, unit conversions, allocation) it tests itself, when a
# debug build is loaded: one line each in the kernel log, ending in ": pass" or
# ": FAIL", and a failure makes the load fail.
# daxlab-test: timeout=300 needs=none build=debug
. "$DAXLAB_TOP/selftests/lib/lib.sh"

log load
expect "the debug build loads" load size=64M
while read -r line; do
	case $line in
	*": pass") pass "${line%: pass}" ;;
	*": FAIL"*) fail "$line" ;;
	esac
done < <(log_since load)
expect "it tested something" [ "$KTAP_COUNT" -gt 1 ]
expect "it unloads" unload
finish
