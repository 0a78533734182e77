# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kernel said on its console before a guest was lost.

# first_complaint CONSOLE - LINE:TEXT of the kernel's first since the last test
# began or ended, which may be why the guest was lost: no data race is
first_complaint() {
	awk '{ sub(/\r$/, ""); sub(/^\[[ 0-9.]*\] */, "") }
		/^daxlab-test: (begin|end) / { found = "" }
		/BUG: KCSAN/ { next }
		!found && /BUG|WARNING:|Oops|general protection|rcu: INFO/ { found = NR ":" $0 }
		END { print found }' "$1"
}
