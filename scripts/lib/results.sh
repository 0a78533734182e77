# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The results of a run, in its logs; the last one of each test on each kernel, kept
# in build/results/KERNEL; and tables made of either: test groups by kernels. A
# line is
#
#   TEST PASSED FAILED SKIPPED SECONDS SOURCE REASON...
#
# SOURCE is the commit, with a "+" if the tree was not clean; there is a reason if
# anything was skipped. Uses $kernel, $logs and $tests of scripts/check.
# shellcheck disable=SC2154

RESULTS=$BUILD/results

# results_locked COMMAND... - runs may be beside each other, also on one kernel
results_locked() {
	mkdir -p "$RESULTS"
	(
		flock 9
		"$@"
	) 9>"$RESULTS/.lock"
}

# results_forget KERNEL - what is told of it says nothing any more
results_forget() { results_locked cp /dev/null "$RESULTS/${1##*/}"; }

# result_put TEST LINE - in place of what was kept of that test
result_put() {
	local file=$RESULTS/${kernel##*/}

	{
		[[ ! -e $file ]] || awk -v name="$1" '$1 != name' "$file"
		echo "$2"
	} >"$file.new"
	mv "$file.new" "$file"
}

# result_tell TEST PASSED FAILED SKIPPED SECONDS REASON - kept only if it is one of
# ours, and was done as often as usual
result_tell() {
	local line

	: "${source_now:=$(source_name)}"
	line="${*:1:5} $source_now ${*:6}"
	echo "$line" >>"$logs/results"
	[[ ${DAXLAB_REPEAT-} || $tests != "$TOP/selftests" ]] || results_locked result_put "$1" "$line"
}

# source_name - what is tested
source_name() {
	git -C "$TOP" describe --always --dirty=+ 2>/dev/null || echo unknown
}

# results_table FOLDER TABLE KERNEL... - of the results there, in the words of Markdown:
# for each group of tests and each kernel how many passed, failed, were skipped;
# below it what was skipped, and why. What was not run is a "-". A KERNEL that is a name
# and no folder has the column that it had in the file TABLE, which may be "". If
# $elapsed is in the environment, it has a line for each kernel: the seconds from begin
# to end.
results_table() {
	local folder=$1 table=${2:-/dev/null} kernel name names=() abouts=() files=() k=0
	shift 2

	for kernel; do
		name=${kernel##*/}
		names+=("$name")
		abouts+=("$([[ $kernel == "$name" ]] || cat "$kernel/about")")
		((++k))
		[[ $kernel == "$name" || ! -e $folder/$name ]] || files+=("k=$k" "$folder/$name")
	done
	names=$(printf '%s\n' "${names[@]}") abouts=$(printf '%s\n' "${abouts[@]}") \
		awk -f "$TOP/scripts/lib/results-table.awk" k=0 "$table" "${files[@]}"
}

# results_to_readme FILE - put the table of all kernels that have results between
# the marks there: by version, then those that scripts/kernels builds. A column stays
# if its kernel was run elsewhere, or is here no more.
results_to_readme() {
	local file=$1 before=$RESULTS/.before name columns=() names old

	mkdir -p "$RESULTS"
	sed -n '/<!-- table of kernels/,/<!-- end of the table/p' "$file" >"$before"
	old=$(sed -n 's/^| passed [^|]*| \(.*\) |$/\1/p' "$before" | sed 's/ | /\n/g')
	mapfile -t names < <({ ls "$RESULTS"; [[ ! $old ]] || echo "$old"; } | sort -V -u)
	for name in "${names[@]}"; do
		if [[ -s $RESULTS/$name && -e $KERNELS/$name/about ]]; then
			columns+=("$KERNELS/$name")
		# One that was forgotten has an empty file.
		elif [[ ! -e $RESULTS/$name || -s $RESULTS/$name ]] && grep -q -x -F -e "$name" <<<"$old"; then
			columns+=("$name")
		fi
	done
	[[ ${columns[*]} == */* ]] || die "$EX_CANNOT" "no results in $RESULTS: run scripts/check --kernel all"
	results_table "$RESULTS" "$before" "${columns[@]}" >"$RESULTS/.table"
	awk -v table="$RESULTS/.table" '
		/<!-- end of the table of kernels -->/ { inside = 0 }
		!inside { print }
		/<!-- table of kernels/ { inside = 1; while ((getline line <table) > 0) print line }' \
		"$file" >"$RESULTS/.readme"
	cat "$RESULTS/.readme" >"$file"
}
