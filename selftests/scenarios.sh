#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every scenario in every variant that it speaks of, some times each, and in the
# sound one with nothing held: the outcome must be the expected one in every
# run. A bug that is not caught fails this test as a fix that hangs does, and so
# does a run that is inconclusive.
#
# What wants pages that can be pinned is passed over: scenarios_pinned.sh has them.
#
# --long: instead, 1,000 runs of the races that people are most likely to come for.
#
# daxlab-test: timeout=1800 needs=none
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/selftests/lib/played.sh"

words=(all --repeat "$REPEAT")
if [[ ${1-} == --long ]]; then
	words=(A1 A4 A10 C1 C2 C6 F3 F4 --repeat 1000)
fi

play_all "${words[@]}"
finish
