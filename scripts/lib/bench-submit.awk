# SPDX-License-Identifier: GPL-2.0
#
# What scripts/bench --suite submit prints, from the lines that
# selftests/bench/submit.sh left: "MODE RULE ROUND ROW VALUE ok|DOUBT". With
# -v data=DIR what scripts/lib/bench-submit.gp draws goes to DIR/cost.dat and
# DIR/holds.dat. A row in doubt is marked.

BEGIN {
	nr_rules = split("block trylock per_folio unlock_late plug", rules)
	nr_patterns = split("sequential random", patterns)
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
		cpu = pattern (counted ? "_ns_per_mib" : "_cpu_per_mib")
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
	printf "\nLock times in %s, powers of two", unit
	for (mode in rounds)
		printf "; %s: median of %d rounds", mode, rounds[mode]
	print "."
	if (!data)
		exit
	mode = counted ? "icount" : "wall"
	print "rule sequential random" >(data "/cost.dat")
	for (r = 1; r <= nr_rules; r++)
		print rules[r], bar[rules[r], "sequential"] + 0, bar[rules[r], "random"] + 0 >(data "/cost.dat")
	printf "below" >(data "/holds.dat")
	for (r = 1; r <= nr_rules; r++)
		printf " %s", rules[r] >(data "/holds.dat")
	print "" >(data "/holds.dat")
	for (b = first; b <= last; b++) {
		printf "%d", 2 ^ b >(data "/holds.dat")
		for (r = 1; r <= nr_rules; r++)
			printf " %g", 100 * median(mode, rules[r], "sequential_hold_" b) >(data "/holds.dat")
		print "" >(data "/holds.dat")
	}
}
