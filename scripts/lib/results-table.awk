# SPDX-License-Identifier: GPL-2.0
#
# The table of scripts/lib/results.sh: $names and $abouts have a line for each kernel,
# k is the number of the one whose results are read, or 0: the table that was there. Of
# a kernel that is not "here" nothing is told but what that has.

BEGIN {
	kernels = split(ENVIRON["names"], name, "\n")
	split(ENVIRON["abouts"], about, "\n")
	for (k = 1; k <= kernels; k++) {
		here[k] = about[k] != ""
		if (!here[k])
			elsewhere[name[k]] = k
	}
}

!k && /^\| / {
	sub(/^\| /, "")
	sub(/ \|$/, "")
	n = split($0, field, / \| /)
	if (field[1] == "passed / failed / skipped")
		for (i = 2; i <= n; i++)
			column[i] = (field[i] in elsewhere) ? elsewhere[field[i]] : 0
	for (i = 2; i <= n; i++) {
		was[column[i], field[1]] = field[i]
		if (column[i] && field[1] ~ /^`/ && field[i] != "-")
			add_group(substr(field[1], 2, length(field[1]) - 2))
	}
}

!k && /^\* / && match($0, / \([^()]*\)$/) {
	reason = substr($0, 3, RSTART - 3)
	n = split(substr($0, RSTART + 2, RLENGTH - 3), field, /, /)
	for (i = 1; i <= n; i++)
		if (field[i] in elsewhere)
			add_skip(elsewhere[field[i]], reason)
}

!k { next }

{
	group = $1
	sub(/_.*/, "", group)
	add_group(group)
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
		add_skip(k, reason)
	}
}

function add_group(group)
{
	if (group in seen)
		return
	seen[group] = 1
	groups[++nr] = group
}

function add_skip(k, reason)
{
	if (!(reason in on))
		skips[++skipped] = reason
	on[reason] = 1
	skips_it[k, reason] = 1
}

function cell(k, group)
{
	if (!((k, group) in ran))
		return "-"
	return sum[k, group, 1] " / " sum[k, group, 2] " / " sum[k, group, 3]
}

# line(TITLE, CELLS) - CELLS has one for each kernel that is here
function line(title, cells,	k, text)
{
	text = "| " title
	for (k = 1; k <= kernels; k++)
		text = text " | " (here[k] ? cells[k] : (k, title) in was ? was[k, title] : "-")
	print text " |"
}

function row(title, group,	k, cells)
{
	for (k = 1; k <= kernels; k++)
		cells[k] = cell(k, group)
	line(title, cells)
}

END {
	for (k = 1; k <= kernels; k++)
		rule = rule "|---"
	line("passed / failed / skipped", name)
	print "|---" rule "|"
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
	for (k = 1; k <= kernels; k++)
		cells[k] = tests[k] + 0 ", " int(time[k] / 60 + 0.5)
	line("test files, minutes", cells)
	if (split(ENVIRON["elapsed"], cells, "\n")) {
		for (k = 1; k <= kernels; k++)
			cells[k] = sprintf("%.1f", cells[k] / 60)
		line("elapsed, minutes", cells)
	}
	line("source", sources)
	line("what it is", about)
	for (i = 1; i <= skipped; i++) {
		text = ""
		for (k = 1; k <= kernels; k++)
			if ((k, skips[i]) in skips_it)
				text = text (text ? ", " : "") name[k]
		print (i == 1 ? "\nSkipped:\n\n" : "") "* " skips[i] " (" text ")"
	}
}
