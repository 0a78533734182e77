#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: a window or a knob that nobody uses must cost a no-op. The object code
# tells: at each place where the module asks whether somebody watches, or whether
# a mount is not sound, there is an instruction that does nothing, and the kernel
# patches a jump over it. A key that was tested as an ordinary variable would
# leave a load and a branch, and no row in the jump table.
#
#  1. Every row of the jump table for the two keys has a no-op at its place.
#  2. The functions that each fault, unlock and sync goes through have such rows.
#  3. Nothing outside the jump table refers to the keys but the code that flips them.
#
# daxlab-test: where=host needs=none timeout=120
. "$DAXLAB_TOP/selftests/lib/lib.sh"

ko=$DAXLAB_KO
keys='dxl_watched_key|dxl_varied_key'
out=$DAXLAB_TOP/build/lab_nops-${DAXLAB_KERNEL##*/}
mkdir -p "$out"
cd "$out" || exit

# Rows of three relocations: place, target, key. Print "SECTION OFFSET KEY".
objdump -r -j __jump_table "$ko" | awk -v keys="$keys" '
	/R_X86_64/ { value[++n] = $3 }
	END {
		for (i = 1; i + 2 <= n; i += 3) {
			key = value[i + 2]
			sub(/[+-]0x.*/, "", key)
			if (key !~ "^(" keys ")$")
				continue
			split(value[i], at, /[+]0x/)
			sub(/^0+/, "", at[2])
			print at[1], at[2], key
		}
	}' >places

# "SECTION OFFSET FUNCTION INSTRUCTION" of all code.
objdump -d --no-show-raw-insn -w "$ko" | awk '
	/^Disassembly of section/ { section = $4; sub(/:$/, "", section) }
	/^[0-9a-f]+ </ { name = $2; gsub(/[<>:]/, "", name) }
	/^ +[0-9a-f]+:/ { at = $1; sub(/:$/, "", at); print section, at, name, $2, $3 }' >code

awk 'NR == FNR { key[$1 " " $2] = $3; next }
	($1 " " $2) in key { print key[$1 " " $2], $3, $4, $5 }' places code >sites

expect "every row of the jump table is a place in the code" \
	test "$(wc -l <places)" -eq "$(wc -l <sites)"
expect "there are rows" test "$(wc -l <sites)" -gt 20
bad=$(grep -vE ' (nop[lw]? .*|xchg %ax,%ax)$' sites)
expect "each place is a no-op${bad:+, but: $bad}" test -z "$bad"

# Inlined parts go by the name of what they are inlined into.
for name in dxl_fault_any dxl_entry_grab dxl_entry_unlock dxl_entry_delete_range \
	dxl_entry_collect dxl_writeback_range dxl_write_some dxl_inval_range; do
	expect "a place in $name()" test "$(grep -cE " $name(\.|\$| )" sites)" -gt 0
done

# What else has their address: to get, put and flush one are calls with it.
readers=$(objdump -dr -w --no-show-raw-insn "$ko" | awk -v keys="$keys" '
	/^[0-9a-f]+ </ { name = $2; gsub(/[<>:]/, "", name) }
	/R_X86_64/ && $0 ~ "(" keys ")([+-]|$)" { print name }' | sort -u |
	grep -vxE 'dxl_watch_get|dxl_watch_put|dxl_lab_vary|dxl_lab_settle|dxl_lab_exit|dxl_keys_flush' | tr '\n' ' ')
expect "only those who flip the keys know their address${readers:+, but: $readers}" test -z "$readers"
finish
