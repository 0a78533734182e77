# SPDX-License-Identifier: GPL-2.0
#
# What scripts/bench prints, from the lines that selftests/bench/guest.sh left:
# "MODE SYSTEM ROUND ROW VALUE ok|DOUBT". With -v json=FILE the medians and
# ranges go there too. A value in doubt is shown but never compared.

BEGIN {
	nr_main = split("daxlab ext4 xfs tmpfs", main)
	nr_rows = split("pte_read_fault pte_write_after_read pte_write_fault " \
		"pte_first_write msync_page msync_call pmd_read_fault pmd_write_fault " \
		"pmd_first_write msync_pmd create create_fsync append_fsync unlink fio_randread_1 fio_randread_2 " \
		"fio_randwrite_1 fio_randwrite_2", rows)
	nr_variants = split("ram bare floor armed varied notiming at_lock at_protect wait_locked " \
		"dirty_walk serialised", variants)
	for (i = 7; i <= nr_variants; i++)
		title[variants[i]] = "daxlab with towrite=" variants[i]
	title["ram"] = "daxlab on its own RAM device"
	title["bare"] = "daxlab built without windows and variants"
	title["floor"] = "the floor: known frames mapped without an entry lock, windows and variants"
	title["armed"] = "daxlab while a window is armed for another file"
	title["varied"] = "daxlab while another mount is not sound"
	title["notiming"] = "daxlab without the timing of holds (timing=0)"
	unit["icount"] = "instructions"
	unit["wall"] = "ns"
	aim["pte_write_fault"] = 2600
	aim["pte_write_after_read"] = 2600
	aim["pte_read_fault"] = 2100
	aim["msync_page"] = 1200
	aim["pmd_write_fault"] = 8400
}

{
	mode = $1; system_name = $2; round = $3; row = $4
	verdict = $6
	for (i = 7; i <= NF; i++)
		verdict = verdict " " $i
	modes[mode] = 1
	k = mode SUBSEP system_name SUBSEP row
	if (!((k, round) in passes))
		round_of[k, ++count[k]] = round
	pass[k, round, ++passes[k, round]] = $5
	if (round + 0 > last_round[mode] + 0)
		last_round[mode] = round
	if (verdict != "ok" && !(k in doubt))
		doubt[k] = verdict
}

# The value of a round: the median of its passes.
function of_round(k, round,	i, list)
{
	for (i = 1; i <= passes[k, round]; i++)
		list[i] = pass[k, round, i]
	spread(list, passes[k, round])
	return mid
}

# put a row's median, least and largest value into mid, low and high
function spread(list, n,	i, j, v)
{
	for (i = 2; i <= n; i++) {
		v = list[i]
		for (j = i - 1; j >= 1 && list[j] + 0 > v + 0; j--)
			list[j + 1] = list[j]
		list[j + 1] = v
	}
	low = list[1]
	high = list[n]
	mid = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
}

function measure(mode, system_name, row,	k, i, list)
{
	k = mode SUBSEP system_name SUBSEP row
	if (!(k in count))
		return 0
	for (i = 1; i <= count[k]; i++)
		list[i] = of_round(k, round_of[k, i])
	spread(list, count[k])
	return 1
}

function is_rate(row) { return row ~ /^fio_/ }
function unit_of(mode, row) { return is_rate(row) ? "iops" : unit[mode] }

# what daxlab costs by what another costs, paired round by round
function ratio(mode, ours, theirs, row,	a, b, i, n, list, x, y)
{
	a = mode SUBSEP ours SUBSEP row
	b = mode SUBSEP theirs SUBSEP row
	if (!(a in count) || !(b in count) || a in doubt || b in doubt)
		return 0
	for (i = 1; i <= last_round[mode]; i++) {
		if (!((a, i) in passes) || !((b, i) in passes))
			continue
		x = of_round(a, i)
		y = of_round(b, i)
		if (x > 0 && y > 0)
			list[++n] = is_rate(row) ? y / x : x / y
	}
	if (!n)
		return 0
	spread(list, n)
	return 1
}

function cell(mode, system_name, row,	text)
{
	if (!measure(mode, system_name, row))
		return "-"
	text = sprintf("%d", mid + 0.5)
	return (mode SUBSEP system_name SUBSEP row) in doubt ? "(" text ")" : text
}

function ratio_cell(mode, ours, theirs, row)
{
	if (!ratio(mode, ours, theirs, row))
		return sprintf("%5s %-13s", "-", "")
	return sprintf("%5.2f %-13s", mid, sprintf("[%.2f, %.2f]", low, high))
}

function seen(mode, system_name, row) { return (mode SUBSEP system_name SUBSEP row) in count }

function any_seen(mode, row,	i)
{
	for (i = 1; i <= nr_main; i++)
		if (seen(mode, main[i], row))
			return 1
	return 0
}

function main_table(mode,	i, r)
{
	if (mode == "icount")
		printf "\nInstructions an operation (-icount, one processor, %d rounds)\n", last_round[mode]
	else
		printf "\nWall clock (%d rounds): ns an operation, fio: operations a second\n", last_round[mode]
	printf "%-21s", "median"
	for (i = 1; i <= nr_main; i++)
		printf " %9s", main[i]
	printf "   %-20s %-19s\n", "daxlab/ext4 [range]", "daxlab/xfs [range]"
	for (r = 1; r <= nr_rows; r++) {
		if (!any_seen(mode, rows[r]))
			continue
		printf "%-21s", rows[r]
		for (i = 1; i <= nr_main; i++)
			printf " %9s", cell(mode, main[i], rows[r])
		printf "  %s  %s\n", ratio_cell(mode, "daxlab", "ext4", rows[r]),
			ratio_cell(mode, "daxlab", "xfs", rows[r])
	}
}

function variant_table(mode, variant,	r, ours, head, base, difference)
{
	ours = "daxlab_" variant
	for (r = 1; r <= nr_rows; r++) {
		if (!seen(mode, ours, rows[r]))
			continue
		if (!head++)
			printf "\n%s, %s\n%-21s %9s %9s %11s   %s\n", title[variant], mode, "median",
				"it", "daxlab", "difference", "ratio [range]"
		base = measure(mode, "daxlab", rows[r]) ? mid : 0
		measure(mode, ours, rows[r])
		difference = mid - base
		printf "%-21s %9s %9s %11d   %s\n", rows[r], cell(mode, ours, rows[r]),
			cell(mode, "daxlab", rows[r]), difference,
			ratio_cell(mode, ours, "daxlab", rows[r])
	}
}

function doubts(	k, part, r, m, i, n, names)
{
	n = split("daxlab ext4 xfs daxlab_ram daxlab_bare daxlab_floor daxlab_armed daxlab_varied " \
		"daxlab_notiming daxlab_at_lock daxlab_at_protect daxlab_wait_locked " \
		"daxlab_dirty_walk daxlab_serialised", names)
	for (m = 1; m <= 2; m++)
		for (r = 1; r <= nr_rows; r++)
			for (i = 1; i <= n; i++) {
				k = (m == 1 ? "wall" : "icount") SUBSEP names[i] SUBSEP rows[r]
				if (!(k in doubt))
					continue
				if (!bad_head++)
					print "\nIn brackets, and not compared: the row did not measure what it says"
				printf "  %-7s %-16s %-21s %s\n", m == 1 ? "wall" : "icount", names[i], rows[r], doubt[k]
				invalid = 1
			}
}

# The counted mode repeats to 0.1 %; by the wall clock, the range decides.
function aims(	r, i, m, mode, said)
{
	print "\nAims"
	for (r = 1; r <= nr_rows; r++)
		if (rows[r] in aim && measure("icount", "daxlab", rows[r]))
			printf "  %-21s %6d of at most %d instructions: %s\n", rows[r], mid + 0.5, aim[rows[r]],
				("icount" SUBSEP "daxlab" SUBSEP rows[r]) in doubt ? "in doubt" : \
				mid <= aim[rows[r]] ? "reached" : "NOT REACHED"
	for (m = 1; m <= 2; m++)
		for (i = 2; i <= 3; i++)
			for (r = 1; r <= nr_rows; r++) {
				mode = m == 1 ? "icount" : "wall"
				if (!ratio(mode, "daxlab", main[i], rows[r]))
					continue
				if (mid <= 1)
					faster++
				else if (mode == "icount" ? mid < 1.001 : low <= 1)
					even = even sprintf("\n    %s %s %s: %.3f [%.3f, %.3f]", mode, rows[r], main[i], mid, low, high)
				else
					slower = slower sprintf("\n    %s %s %s: %.3f [%.3f, %.3f]", mode, rows[r], main[i], mid, low, high)
			}
	if (!faster && even == "" && slower == "")
		return
	printf "  no row slower than ext4 or xfs: %s (%d ratios not above 1)\n", \
		slower != "" ? "NOT REACHED" : even != "" ? "UNDECIDED" : "reached", faster
	if (slower != "")
		print "  slower:" slower
	if (even != "")
		print "  undecided, above 1 but within what repeats:" even
}

function json_system(mode, system_name, row, name, first)
{
	if ((mode SUBSEP system_name SUBSEP row) in doubt || !measure(mode, system_name, row))
		return 0
	printf "%s\"%s\": {\"median\": %.1f, \"min\": %.1f, \"max\": %.1f}", \
		first ? "" : ", ", name, mid, low, high >json
	return 1
}

function json_open(mode, row, suffix)
{
	printf "%s\n{\"name\": \"%s%s\", \"mode\": \"%s\", \"unit\": \"%s\", \"systems\": {", \
		json_rows++ ? "," : "", row, suffix, mode, unit_of(mode, row) >json
}

function write_json(	m, r, i, v, mode, some)
{
	printf "[" >json
	for (m = 1; m <= 2; m++) {
		mode = m == 1 ? "icount" : "wall"
		for (r = 1; r <= nr_rows; r++) {
			if (any_seen(mode, rows[r])) {
				json_open(mode, rows[r], "")
				some = 0
				for (i = 1; i <= nr_main; i++)
					some += json_system(mode, main[i], rows[r], main[i], !some)
				printf "}}" >json
			}
			for (v = 1; v <= nr_variants; v++)
				if (seen(mode, "daxlab_" variants[v], rows[r])) {
					json_open(mode, rows[r], "_" variants[v])
					json_system(mode, "daxlab_" variants[v], rows[r], "daxlab", 1)
					printf "}}" >json
				}
		}
	}
	print "\n]" >json
	close(json)
}

END {
	for (m = 1; m <= 2; m++) {
		mode = m == 1 ? "wall" : "icount"
		if (!(mode in modes))
			continue
		main_table(mode)
		for (v = 1; v <= nr_variants; v++)
			variant_table(mode, variants[v])
	}
	print "\nRatios are of costs, round by round: below 1, daxlab is the faster one.\n" \
		"tmpfs in brackets: no such fault there (faults around, clean pages writable, no huge pages)."
	doubts()
	aims()
	if (json != "")
		write_json()
	exit invalid
}
