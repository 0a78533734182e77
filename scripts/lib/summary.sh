# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The readable summary of scripts/run, from the files of each job in its folder.

# stat_of FILE NAME
stat_of() { awk -v n="$2" '$1 == n { print $2 }' "$1"; }

# iops_of FILE KIND - of all groups of a job, as fio prints them
iops_of() {
	sed -n "s/^ *$2: IOPS=\\([^,]*\\),.*/\\1/p" "$1" 2>/dev/null | paste -sd +
}

# verdict_of JOB FOLDER - what comparing what was read with what was written gave
verdict_of() {
	local out
	out=$2/$(job_name "$1")
	if grep -qs 'verify: bad\|verify failed' "$out.fio"; then
		echo "BAD DATA"
	elif [[ $(<"$out.status") != 0 ]]; then
		echo "failed"
	elif [[ $(job_part "$1" checked) == yes ]]; then
		echo "good"
	else
		echo "-"
	fi
}

# summary_table FOLDER JOB...
summary_table() {
	local folder=$1 job name stats
	local row='%-14s %10s %10s %9s %9s %9s %9s %9s %7s %15s\n'
	shift

	# shellcheck disable=SC2059 # the format is ours
	{
		printf "$row" job read write verify "PTE" "PMD" entry "had to" "" "wakes: useful/"
		printf "$row" "" IOPS IOPS "" faults faults locks wait waits "lost to others"
	}
	for job; do
		name=$(job_name "$job") stats=$folder/$(job_name "$job").stats
		[[ -s $stats ]] || continue
		# shellcheck disable=SC2059
		printf "$row" "$name" "$(iops_of "$folder/$name.fio" read)" \
			"$(iops_of "$folder/$name.fio" write)" "$(verdict_of "$job" "$folder")" \
			"$(($(stat_of "$stats" fault_pte_read) + $(stat_of "$stats" fault_pte_write) +
				$(stat_of "$stats" fault_pfn_mkwrite)))" \
			"$(($(stat_of "$stats" fault_pmd_read) + $(stat_of "$stats" fault_pmd_write)))" \
			"$(stat_of "$stats" grabs)" "$(stat_of "$stats" grabs_contended)" \
			"$(stat_of "$stats" waits)" \
			"$(stat_of "$stats" wakes_useful)/$(stat_of "$stats" wakes_misdirected)"
	done
}

# pages_table FOLDER JOB... - the same for files in page-cache mode
pages_table() {
	local folder=$1 job name stats
	local row='%-14s %10s %10s %9s %12s %9s\n'
	shift

	# shellcheck disable=SC2059 # the format is ours
	{
		printf "$row" job read write verify "pages" "bios of"
		printf "$row" "" IOPS IOPS "" "written back" writeback
	}
	for job; do
		name=$(job_name "$job") stats=$folder/$(job_name "$job").stats
		[[ -s $stats ]] || continue
		# shellcheck disable=SC2059
		printf "$row" "$name" "$(iops_of "$folder/$name.fio" read)" \
			"$(iops_of "$folder/$name.fio" write)" "$(verdict_of "$job" "$folder")" \
			"$(stat_of "$stats" pwb_pages)" "$(stat_of "$stats" pwb_bios)"
	done
}

# histogram COLUMN FILE... - one bar a power of two of nanoseconds
histogram() {
	local column=$1
	shift
	awk -v column="$column" '
		function human(ns) {
			return ns >= 1e9 ? sprintf("%.1f s", ns / 1e9) : \
				ns >= 1e6 ? sprintf("%.1f ms", ns / 1e6) : \
				ns >= 1e3 ? sprintf("%.1f us", ns / 1e3) : ns " ns"
		}
		FNR == 1 { for (i = 1; i <= NF; i++) if ($i == column) field = i; next }
		{ count[$1] += $field; if (FNR > rows) { rows = FNR; limit[FNR] = $1 } }
		END {
			for (i = 2; i <= rows; i++) {
				n = count[limit[i]]
				if (!n)
					continue
				first = first ? first : i
				last = i
				most = n > most ? n : most
			}
			if (!most)
				print "  none"
			for (i = first; first && i <= last; i++) {
				n = count[limit[i]]
				bar = sprintf("%*s", int(n * 50 / most + 0.999), "")
				gsub(" ", "#", bar)
				printf "  below %8s %10d %s\n", human(limit[i]), n, bar
			}
		}' "$@"
}
