# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a test is, for both sides of the VM: a C or shell file in selftests/
# with its needs on a line of its head comment. All parts are optional, here
# with their defaults:
#
#   daxlab-test: timeout=60 needs=module build=release where=guest args="" vm=""
#
#   timeout  seconds until it is ended and reported as inconclusive
#   needs    none: the test loads the module itself, or not at all
#            module: it is loaded with args, and unloaded after
#            mount: and a fresh filesystem is on /mnt/daxlab
#   build    release or debug, the module that is loaded
#   where    guest or host
#   vm       options for scripts/vm; then the test has a VM of its own

# test_name FILE - its name in reports
test_name() {
	local name=${1##*/}
	echo "${name%.*}"
}

# test_part FILE KEY DEFAULT - one of the values above
test_part() {
	local line
	line=$(sed -n '1,60{/daxlab-test:/{p;q}}' "$1")
	if [[ $line =~ [\ ]$2=\"([^\"]*)\" || $line =~ [\ ]$2=([^\"\ ]+) ]]; then
		echo "${BASH_REMATCH[1]}"
	else
		echo "$3"
	fi
}

# test_limit FILE - seconds until it is ended, on this kernel: the one place
# where DAXLAB_SLOW, how many times longer all takes there, meets a test's bound
test_limit() {
	echo $(($(test_part "$1" timeout 60) * ${DAXLAB_SLOW:-1}))
}

# test_program FILE - what to execute for it
test_program() {
	if [[ $1 == *.c ]]; then
		echo "$BUILD/selftests/$(test_name "$1")"
	else
		echo "$1"
	fi
}
