#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The jobs of scripts/run, short, each on a fresh filesystem: random 4 KiB and
# sequential 2 MiB through mappings, many threads on one file, mapping against
# write(2), against punch and truncate. fio reads back what the checked ones
# wrote; a job for huge pages must have got PMD faults, one for small pages none.
# In page-cache mode no job may have got any fault of DAX mode, and each must have
# written folios back.
#
# daxlab-test: timeout=300 modes="dax pcache" args="size=256M"
. "$(dirname "$0")/lib/lib.sh"
. "$DAXLAB_TOP/scripts/lib/jobs.sh"

command -v fio >/dev/null || skip_all "no fio here"

mode=${DAXLAB_MODE:-dax}
export DIR=$MNT SIZE=16M THREADS=2 MANY=8 RUNTIME=3

# run_job FILE - fio's exit status
run_job() {
	local command=(fio)
	[[ $(job_part "$1" pages) != small ]] || command=(small_pages fio)
	(cd /tmp && "${command[@]}" --output=/dev/null --verify_state_save=0 "$1")
}

for job in "$DAXLAB_TOP"/selftests/fio/*.fio; do
	name=$(job_name "$job")
	expect "$name: mount" mount_fresh "$([[ $mode == dax ]] || echo dax=never)"
	reset_counters
	expect "$name: fio" run_job "$job"
	case $mode-$(job_part "$job" pages) in
	pcache-*)
		equal "$name: no fault of DAX mode" "$(counter grabs)" 0
		expect "$name: unmount" umount "$MNT"
		expect "$name: folios were written back" test "$(counter bio_writes)" -gt 0
		continue
		;;
	*-small)
		equal "$name: no huge fault" "$(counter fault_pmd_mapped)" 0
		expect "$name: small faults" test "$(counter fault_pte_mapped)" -gt 0
		;;
	*-mixed)	# Which of the threads comes first to a range, so with which pages it
		# is mapped from then on, is a matter of luck.
		expect "$name: huge faults were tried" test \
			$(($(counter fault_pmd_read) + $(counter fault_pmd_write))) -gt 0
		expect "$name: faults" test \
			$(($(counter fault_pmd_mapped) + $(counter fault_pte_mapped))) -gt 0
		;;
	*)
		expect "$name: huge faults" test "$(counter fault_pmd_mapped)" -gt 0
		;;
	esac
	equal "$name: nobody holds, nobody waits" "$(cat "$DEBUGFS/entries")" \
		$'locked entries: 0\nwait entries: 0'
	expect "$name: unmount" umount "$MNT"
done
finish
