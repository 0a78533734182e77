# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# fio job files in selftests/fio, for both sides of the VM. The head comment
# tells the story, then says "daxlab-run: pages=small|huge|mixed checked=yes|no".

job_name() { basename "$1" .fio; }

# job_story FILE - its first sentence, up to a full stop or semicolon
job_story() {
	sed -n '3,/daxlab-run:/{/daxlab-run:/d;s/^# //p}' "$1" | tr '\n' ' ' | sed 's/[.;] .*//'
}

# job_part FILE KEY
job_part() { sed -n "s/^# daxlab-run:.*\\b$2=\\([a-z]*\\).*/\\1/p" "$1"; }
