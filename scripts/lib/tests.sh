# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What a test is, for both sides of the VM: a C or shell file in selftests/
# with its needs on a line of its head comment. All parts are optional, here
# with their defaults:
#
#   daxlab-test: timeout=60 needs=module build=release where=guest args="" vm="" modes=dax oom="" kernels=all
#
#   timeout  seconds until it is ended and reported as inconclusive
#   needs    none: the test loads the module itself, or not at all
#            module: it is loaded with args, and unloaded after
#            mount: and a fresh filesystem is on /mnt/daxlab
#   build    release or debug, the module that is loaded
#   where    guest or host
#   vm       options for scripts/vm; then the test has a VM of its own
#   modes    "dax pcache": run once with all files in DAX mode, and once with all
#            in page-cache mode. $DAXLAB_MODE tells the test which; everything
#            of selftests/lib mounts accordingly
#   kernels  first: it says nothing of the kernel, so it is run on the first one that
#            we support, and skipped on others (only with where=host)
#   oom      memcg: the kernel may kill a task for the limit of a memory cgroup, and
#            say so
#
# A run of a test is named by its FILE, in page-cache mode by FILE@pcache.

# test_name RUN - its name in reports
test_name() {
	local name=${1##*/} mode
	mode=${name#"${name%@pcache}"}
	name=${name%@pcache}
	echo "${name%.*}$mode"
}

# test_mode RUN - dax or pcache
test_mode() { [[ $1 == *@pcache ]] && echo pcache || echo dax; }

# test_runs FILE - one for each of its modes
test_runs() {
	local mode
	for mode in $(test_part "$1" modes dax); do
		if [[ $mode == dax ]]; then echo "$1"; else echo "$1@$mode"; fi
	done
}

# test_part RUN KEY DEFAULT - one of the values above
test_part() {
	local line
	line=$(sed -n '1,60{/daxlab-test:/{p;q}}' "${1%@pcache}")
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

# test_program RUN - what to execute for it
test_program() {
	local file=${1%@pcache}
	if [[ $file == *.c ]]; then
		echo "$BUILD/selftests/$(test_name "$file")"
	else
		echo "$file"
	fi
}
