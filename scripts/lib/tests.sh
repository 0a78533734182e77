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
#   vm       options for scripts/vm: it runs in a VM with those that name the same
#   modes    "dax pcache": run once with all files in DAX mode, and once with all
#            in page-cache mode. $DAXLAB_MODE tells the test which; everything
#            of selftests/lib mounts accordingly
#   kernels  first: it says nothing of the kernel, so it is run on the first one that
#            we support, and skipped on others (only with where=host)
#   oom      memcg: the kernel may kill a task for the limit of a memory cgroup, and
#            say so
#
# A run of a test is named by its FILE, in page-cache mode by FILE@pcache.

# read_test RUN - sets test[KEY] for each of the keys above, and for its name, its mode
# and its program. All without a process: in an emulated guest those are slow.
declare -A test
read_test() {
	local file=${1%@pcache} lines line name

	name=${file##*/}
	name=${name%.*}
	test=([name]=$name${1#"$file"} [mode]=dax [program]=$file
		[timeout]=60 [needs]=module [build]=release [where]=guest [args]='' [vm]=''
		[modes]=dax [oom]='' [kernels]=all)
	[[ $1 == "$file" ]] || test[mode]=${1##*@}
	[[ $file != *.c ]] || test[program]=$BUILD/selftests/$name
	mapfile -t -n 60 lines <"$file"
	for line in "${lines[@]}"; do
		[[ $line == *daxlab-test:* ]] || continue
		while [[ $line =~ [\ ]([a-z]+)=(\"([^\"]*)\"|[^\"\ ]+) ]]; do
			line=${line#*"${BASH_REMATCH[0]}"}
			test[${BASH_REMATCH[1]}]=${BASH_REMATCH[3]:-${BASH_REMATCH[2]#\"\"}}
		done
		break
	done
	# The one place where DAXLAB_SLOW, how many times longer all takes on this
	# kernel, meets a test's bound.
	test[limit]=$((test[timeout] * ${DAXLAB_SLOW:-1}))
}

# test_part RUN KEY - one of these
test_part() {
	read_test "$1"
	echo "${test[$2]}"
}

# test_name RUN - its name in reports
test_name() { test_part "$1" name; }

# test_runs FILE - one for each of its modes
test_runs() {
	local mode
	for mode in $(test_part "$1" modes); do
		if [[ $mode == dax ]]; then echo "$1"; else echo "$1@$mode"; fi
	done
}
