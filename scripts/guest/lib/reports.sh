# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the kernel has to complain about: in its log, and on debug kernels what
# it says only when asked.

readonly COMPLAINTS='WARNING:|BUG[ :]|Oops|Call Trace|general protection|blocked for more than|'\
'rcu.*(stall|self-detected)|Bad page|Bad rss-counter|bad p[mu]d|daxlab: .*leak|objects remaining|'\
'INFO: (possible|trying to register)|UBSAN:|ODEBUG:|suspected memory leaks|memory leak detector disabled'
KMEMLEAK=/sys/kernel/debug/kmemleak

# mark TEXT... - a line of ours, where a piece of the kernel log begins or ends
mark() { echo "daxlab-test: $*" >/dev/kmsg; }

# log_between FROM TO - what the kernel said between these two marks, and all of a
# report of a data race that began there. Fails if any of it is missing.
log_between() {
	dmesg -t | awk -v from="daxlab-test: $1" -v to="daxlab-test: $2" '
		!found { found = $0 == from; next }
		$0 == to { over = 1; next }
		over && !report { next }
		{ print }
		/BUG: KCSAN/ { report = 1 }
		/^=+$/ { report = 0 }
		END { exit !over || report }'
}

# read_log FROM TO FILE - that, to FILE; a report may still be on its way there
read_log() {
	local _
	for _ in {1..20}; do
		! log_between "$1" "$2" >"$3" || return 0
		sleep 0.1
	done
	return 1
}

# own_races - stdin without the reports of data races that are the kernel's own: of
# those, only the headlines go to $DAXLAB_OUT/races-elsewhere. A race is ours if one
# access is in our module, or in a function that reads or writes for its caller, and
# is not a marked one, as of a bit of a folio; or if both are in functions that we
# call, to which we owe a lock (a lookup in the page cache wants none, as it reads by
# RCU what others change); or if its end is not there to tell.
own_races() {
	awk -v elsewhere="$DAXLAB_OUT/races-elsewhere" '
		function show(foreign) {
			if (foreign) print headline >>elsewhere
			else printf "%s", block
			block = ""
			inside = ours = direct = other = depth = whole = 0
		}
		/BUG: KCSAN/ { show(0); inside = 1; headline = $0; block = $0 "\n"; next }
		!inside { print; next }
		{ block = block $0 "\n" }
		/^=+$/ { show(whole && !ours && direct < 2 && !other); next }
		/^Reported by Kernel Concurrency Sanitizer/ { whole = 1 }
		/WARNING:|Oops|BUG:/ { other = 1 }
		/ to 0x[0-9a-f]+ of [0-9]+ bytes by / { depth = !/\(marked\)/; next }
		!depth || !/^ [^ ]+\+0x/ || / _*(mem|str|xas?_|find_|bitmap_|list_|rb_)[^ ]*\+0x/ { next }
		/\[daxlab(_bad)?\]/ { if (depth == 1) ours = 1; else direct++; depth = 0; next }
		{ depth = depth == 1 && !/^ filemap_get_/ ? 2 : 0 }
		END { show(0) }'
}

# without_oom FILE - the log without the stack that the kernel shows when it kills
# a task for the limit of a memory cgroup: once, and only if nothing else is said
# in the middle of it
without_oom() {
	if grep 'oom-kill:' "$1" | grep -qv 'oom-kill:constraint=CONSTRAINT_MEMCG,'; then
		cat "$1"
		return
	fi
	awk '
		function give() { printf "%s", block; inside = 0 }
		/ invoked oom-killer: / && !seen { seen = inside = 1 }
		!inside { print; next }
		{ block = block $0 "\n" }
		/WARNING:|BUG[ :]|Oops/ || ++lines > 80 { give() }
		/^ *<\/TASK>/ { inside = 0 }
		END { if (inside) give() }' "$1"
}

# log_complaint FILE [OOM] - the first line in which the kernel complains; OOM:
# "memcg" for a test that means to fill a memory cgroup
log_complaint() {
	# What comes now only takes lines away.
	grep -q -E "$COMPLAINTS" "$1" || return 0
	{ if [[ ${2-} == memcg ]]; then without_oom "$1"; else cat "$1"; fi; } |
		sed '/sysrq: Show Blocked State/,$d' | own_races | grep -m 1 -E "$COMPLAINTS"
}

# lockdep_is_off - it looks for nothing any more, once it has reported anything
lockdep_is_off() { [[ -e /proc/lockdep_stats ]] && grep -q '^ debug_locks: *0$' /proc/lockdep_stats; }

# let_leaks_age - an object has to be 5 s old, or nobody calls it lost
let_leaks_age() { [[ ! -w $KMEMLEAK ]] || sleep 6; }

# leaks_so_far - what nobody points to, if this kernel can tell. An object has to
# look the same in two scans. Fails if kmemleak does not scan: it turns itself off
# when it finds no memory for its notes.
leaks_so_far() {
	[[ -w $KMEMLEAK ]] || return 0
	echo scan >"$KMEMLEAK" && echo scan >"$KMEMLEAK" && cat "$KMEMLEAK"
}

# forget_leaks - those of the boot are none of ours
forget_leaks() {
	[[ -w $KMEMLEAK ]] || return 0
	let_leaks_age
	leaks_so_far >"$DAXLAB_OUT/leaks-at-boot"
	echo clear >"$KMEMLEAK"
}
