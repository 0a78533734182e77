# SPDX-License-Identifier: GPL-2.0
#
# The table of scripts/lib/results.sh, from a file per kernel.

BEGIN {
	kernels = ARGC - 1
	for (k = 1; k <= kernels; k++) {
		number[ARGV[k]] = k
		name[k] = ARGV[k]
		sub(/.*\//, "", name[k])
	}
}

{
	k = number[FILENAME]
	group = $1
	sub(/_.*/, "", group)
	if (!(group in seen)) {
		seen[group] = 1
		groups[++nr] = group
	}
	for (i = 1; i <= 3; i++) {
		sum[k, group, i] += $(i + 1)
		sum[k, "all", i] += $(i + 1)
	}
	ran[k, group] = 1
	ran[k, "all"] = 1
	time[k] += $5
	tests[k]++
	if (!((k, $6) in from)) {
		from[k, $6] = 1
		sources[k] = sources[k] (sources[k] ? ", " : "") $6
	}
	if (NF > 6) {
		reason = $0
		for (i = 1; i <= 6; i++)
			sub(/^[^ ]+ /, "", reason)
		reason = "`" $1 "`: " reason
		if (!(reason in on))
			skips[++skipped] = reason
		on[reason] = on[reason] (on[reason] ? ", " : "") name[k]
	}
}

function cell(k, group)
{
	if (!((k, group) in ran))
		return "-"
	return sum[k, group, 1] " / " sum[k, group, 2] " / " sum[k, group, 3]
}

function row(title, group,	k, line)
{
	line = "| " title
	for (k = 1; k <= kernels; k++)
		line = line " | " cell(k, group)
	print line " |"
}

END {
	line = "| passed / failed / skipped"
	rule = "|---"
	for (k = 1; k <= kernels; k++) {
		line = line " | " name[k]
		rule = rule "|---"
	}
	print line " |\n" rule "|"
	# A few groups: any sort will do.
	for (i = 1; i <= nr; i++)
		for (j = i + 1; j <= nr; j++)
			if (groups[j] < groups[i]) {
				group = groups[i]
				groups[i] = groups[j]
				groups[j] = group
			}
	for (i = 1; i <= nr; i++)
		row("`" groups[i] "`", groups[i])
	row("**all**", "all")
	line = "| test files, minutes"
	for (k = 1; k <= kernels; k++)
		line = line " | " tests[k] + 0 ", " int(time[k] / 60 + 0.5)
	print line " |"
	if (ENVIRON["elapsed"]) {
		split(ENVIRON["elapsed"], elapsed, "\n")
		line = "| elapsed, minutes"
		for (k = 1; k <= kernels; k++)
			line = line " | " sprintf("%.1f", elapsed[k] / 60)
		print line " |"
	}
	line = "| source"
	for (k = 1; k <= kernels; k++)
		line = line " | " sources[k]
	print line " |"
	line = "| what it is"
	split(ENVIRON["abouts"], about, "\n")
	for (k = 1; k <= kernels; k++)
		line = line " | " about[k]
	print line " |"
	for (i = 1; i <= skipped; i++)
		print (i == 1 ? "\nSkipped:\n\n" : "") "* " skips[i] " (" on[skips[i]] ")"
}
