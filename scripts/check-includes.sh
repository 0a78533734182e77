#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# scripts/check-includes.sh
#
# Includes in module/ go one way (module/README.md has the map). The table says
# which of our headers a file may include; the first line that matches counts.
# Apart from that: own header first, ours before the kernel's, the entry lock
# without inodes, memory areas and bios, kernel versions in compat.h only.
set -euo pipefail
cd "$(dirname "$0")/../module"

rules='
variant.h bdev_inject.h : key.h
lab.h            : key.h variant.h
entry.h window.h oracle.h ledger.h owner.h : lab.h
role.h           : lab.h window.h
session.h        : role.h
window_rule.h    : session.h
verdict.h        : oracle.h role.h
bridge.h         : window.h
bridge_int.h     : bridge.h entry.h role.h
entry_int.h entry_variant.h entry_evict.h : entry.h entry_int.h oracle.h window.h
compat_*.h       : compat.h
media.h          : compat_mm.h ondisk.h
fs.h             : compat.h compat_fs.h entry.h media.h ondisk.h
map.h check.h fs_variant.h pcache.h options.h : fs.h
pwb.h            : fs.h role.h
fault.h          : fs.h window.h
frozen.h layout.h : fs.h
bdev.h           : bdev_inject.h compat_bdev.h
selftest/entry*  : ../compat.h ../entry_int.h ../entry_variant.h ../selftest.h ../stats.h ../trace.h entry_test.h
*.h              :
main.c           : *
bdev*.c          : bdev.h bdev_image.h bdev_inject.h compat.h compat_mm.h stats.h trace.h units.h selftest/bdev*.c
entry*.c         : compat.h entry.h entry_int.h entry_variant.h entry_evict.h lab.h variant.h window.h role.h oracle.h owner.h stats.h trace.h selftest/entry*.c
selftest/bdev*.c : bdev.h
bridge*.c        : [!b]* bridge.h bridge_int.h
*.c              : [!b]* balloc.h bridge.h
'

# allowed FILE - patterns of what the table lets it include
allowed() {
	local names headers name
	while IFS=: read -r names headers; do
		for name in $names; do
			# shellcheck disable=SC2053 # patterns are meant
			[[ $1 == $name ]] && echo "$headers" && return
		done
	done <<<"$rules"
}

# may FILE HEADER
may() {
	local pattern
	for pattern in $(allowed "$1"); do
		# shellcheck disable=SC2053
		[[ $2 == $pattern ]] && return
	done
	return 1
}

status=0
complain() {
	echo "module/$1"
	status=1
}

set -f
while read -r file; do
	own=${file##*/} own=${own%.c}
	line=0 first='' kernel=0 declared=0
	mapfile -t lines <"$file"
	for text in "${lines[@]}"; do
		((++line))
		case $text in
		'#include "'*)
			header=${text#*\"} header=${header%%\"*}
			may "$file" "$header" || complain "$file:$line: must not include $header"
			if [[ $header != selftest/* ]]; then
				[[ $kernel == 0 || $file == trace.c ]] || complain "$file:$line: our headers come before the kernel's"
				((!declared)) || complain "$file:$line: include below a declaration"
			fi
			first=${first:-$header}
			;;
		'#include <'*)
			kernel=1
			[[ $file != entry* || ! $text =~ \<linux/(fs|mm|bio|blkdev|dax)\.h\> ]] ||
				complain "$file:$line: the entry lock knows XArray and wait queues only"
			;;
		*LINUX_VERSION_CODE* | *KERNEL_VERSION*)
			[[ $file == compat.h ]] || complain "$file:$line: kernel versions are for compat.h"
			;;
		'struct '*'{' | 'enum '*'{' | 'static '*) declared=1 ;;
		esac
	done
	[[ $file == *.h || $file == */* || ! -e $own.h || $first == "$own.h" || $first == "${own}_int.h" ]] ||
		complain "$file: its own header must come first"
done < <(find . -name '*.[ch]' ! -name '*.mod.c' | sed 's,^\./,,' | sort)
exit "$status"
