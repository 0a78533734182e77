# SPDX-License-Identifier: GPL-2.0
#
# What scripts/bench --suite submit prints, from the lines that
# selftests/bench/submit.sh left: "MODE RULE ROUND ROW VALUE ok|DOUBT". With
# -v data=DIR what scripts/lib/bench-submit.gp draws goes to DIR/cost.dat,
# DIR/holds.dat and DIR/holds-contended.dat. A row in doubt is marked.

BEGIN {
	nr_rules = split("block trylock per_folio unlock_late plug", rules)
	nr_patterns = split("sequential random contended", patterns)
}

{
	k = $1 SUBSEP $2 SUBSEP $4
	list[k, ++count[k]] = $5
	if ($6 != "ok")
		doubt[k] = 1
	if ($4 ~ /_hold_/) {
		bucket = $4
		sub(/.*_/, "", bucket)
		if (bucket + 0 > last)
			last = bucket + 0
		if (!first || bucket + 0 < first)
			first = bucket + 0
	}
	if ($3 + 0 > rounds[$1] + 0)
		rounds[$1] = $3
}

# The median of a row over the rounds; buckets that were empty are zeroes.
function median(mode, rule, row,	k, i, j, n, v, sorted)
{
	k = mode SUBSEP rule SUBSEP row
	n = row ~ /_hold_/ ? rounds[mode] : count[k]
	if (!n)
		return 0
	for (i = 1; i <= n; i++) {
		v = list[k, i] + 0
		for (j = i - 1; j >= 1 && sorted[j] > v; j--)
			sorted[j + 1] = sorted[j]
		sorted[j + 1] = v
	}
	return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

# The time in ns below which that share of all holds of folio locks stays.
function quantile(mode, rule, pattern, share,	b, sum, all)
{
	for (b = first; b <= last; b++)
		all += median(mode, rule, pattern "_hold_" b)
	for (b = first; b <= last; b++) {
		sum += median(mode, rule, pattern "_hold_" b)
		if (all && sum >= share * all)
			return 2 ^ b
	}
	return 0
}

# A column for each rule: how many % of the folios were held for so long.
function holds_to(file, pattern,	r, b)
{
	printf "below" >file
	for (r = 1; r <= nr_rules; r++)
		printf " %s", rules[r] >file
	print "" >file
	for (b = first; b <= last; b++) {
		printf "%d", 2 ^ b >file
		for (r = 1; r <= nr_rules; r++)
			printf " %g", 100 * median(mode, rules[r], pattern "_hold_" b) >file
		print "" >file
	}
}

function mark(mode, rule, row) { return (mode, rule, row) in doubt ? "?" : "" }

END {
	counted = "icount" in rounds
	walled = "wall" in rounds
	mode = counted ? "icount" : "wall"
	unit = counted ? "instructions" : "ns"
	printf "| dirty | rule | bios/MiB | %s/MiB | against block | MiB/s | against block | lock held: median < | 99%% < |\n", unit
	print "|---|---|---:|---:|---:|---:|---:|---:|---:|"
	for (p = 1; p <= nr_patterns; p++) {
		pattern = patterns[p]
		# With one processor the time is also that of who loads beside it.
		cpu = pattern (counted && pattern != "contended" ? "_ns_per_mib" : "_cpu_per_mib")
		rate = pattern "_mib_per_s"
		for (r = 1; r <= nr_rules; r++) {
			rule = rules[r]
			if (!((mode, rule, cpu) in count))
				continue
			bug = median(mode, "block", cpu)
			cost = median(mode, rule, cpu)
			speed = walled ? median("wall", rule, rate) : 0
			bug_speed = walled ? median("wall", "block", rate) : 0
			printf "| %s | %s | %.1f | %d%s | %s | %s | %s | %d | %d |\n",
				pattern, rule, median(mode, rule, pattern "_bios_per_mib"), cost,
				mark(mode, rule, cpu), bug ? sprintf("%.2f", cost / bug) : "-",
				walled ? sprintf("%d", speed) : "-",
				bug_speed ? sprintf("%.2f", speed / bug_speed) : "-",
				quantile(mode, rule, pattern, 0.5), quantile(mode, rule, pattern, 0.99)
			bar[rule, pattern] = cost
		}
	}
	print "\n| contended: rule | faults beside it, per MiB | longest of them, us |\n|---|---:|---:|"
	for (r = 1; r <= nr_rules; r++)
		for (m in rounds)
			if ((m, rules[r], "contended_faults_per_mib") in count)
				printf "| %s (%s) | %.0f%s | %d |\n", rules[r], m,
					median(m, rules[r], "contended_faults_per_mib"),
					mark(m, rules[r], "contended_faults_per_mib"),
					median(m, rules[r], "contended_longest_fault_us")
	printf "\nLock times in %s, powers of two", unit
	for (mode in rounds)
		printf "; %s: median of %d rounds", mode, rounds[mode]
	print "."
	if (!data)
		exit
	mode = counted ? "icount" : "wall"
	print "rule sequential random contended" >(data "/cost.dat")
	for (r = 1; r <= nr_rules; r++)
		print rules[r], bar[rules[r], "sequential"] + 0, bar[rules[r], "random"] + 0, bar[rules[r], "contended"] + 0 >(data "/cost.dat")
	holds_to(data "/holds.dat", "sequential")
	holds_to(data "/holds-contended.dat", "contended")
}
