# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The last result of each test on each kernel, kept in build/results/KERNEL,
# and the table made of them: test groups by kernels. A line is
#
#   TEST PASSED FAILED SKIPPED SECONDS SOURCE REASON...
#
# SOURCE is the commit, with a "+" if the tree was not clean; there is a reason if
# anything was skipped. Uses $kernel of scripts/check.
# shellcheck disable=SC2154

RESULTS=$BUILD/results

# result_keep TEST PASSED FAILED SKIPPED SECONDS REASON - not if it was done less
# often than usual
result_keep() {
	local file=$RESULTS/${kernel##*/}

	[[ -z ${DAXLAB_REPEAT-} ]] || return 0
	: "${source_now:=$(source_name)}"
	mkdir -p "$RESULTS"
	{
		[[ ! -e $file ]] || awk -v name="$1" '$1 != name' "$file"
		echo "${*:1:5} $source_now ${*:6}"
	} >"$file.$$"
	mv "$file.$$" "$file"
}

# source_name - what is tested
source_name() {
	git -C "$TOP" describe --always --dirty=+ 2>/dev/null || echo unknown
}

# results_table KERNEL... - in the words of Markdown: for each group of tests
# and each kernel how many passed, failed, were skipped; below it what was
# skipped, and why. What was not run is a "-".
results_table() {
	local dir files=() about=()

	mkdir -p "$RESULTS"
	for dir; do
		about+=("$(<"$dir/about")")
		files+=("$RESULTS/${dir##*/}")
		[[ -e ${files[-1]} ]] || : >"${files[-1]}"
	done
	abouts=$(printf '%s\n' "${about[@]}") \
		awk -f "$TOP/scripts/lib/results-table.awk" "${files[@]}"
}

# results_to_readme FILE - put the table of all kernels that have results between
# the marks there: by version, then those that scripts/kernels builds
results_to_readme() {
	local file=$1 name dirs=()

	for name in $(cd "$RESULTS" && printf '%s\n' * | sort -V); do
		[[ ! -s $RESULTS/$name || ! -e $KERNELS/$name/about ]] || dirs+=("$KERNELS/$name")
	done
	((${#dirs[@]})) || die "$EX_CANNOT" "no results in $RESULTS: run scripts/check --kernel all"
	results_table "${dirs[@]}" >"$RESULTS/table.md"
	awk -v table="$RESULTS/table.md" '
		/<!-- end of the table of kernels -->/ { inside = 0 }
		!inside { print }
		/<!-- table of kernels/ { inside = 1; while ((getline line <table) > 0) print line }' \
		"$file" >"$RESULTS/readme"
	cat "$RESULTS/readme" >"$file"
}
