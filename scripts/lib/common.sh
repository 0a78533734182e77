# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script needs: where the tree is, where results go, how to speak
# and how to give up. Source it first.

# shellcheck disable=SC2034 # used by those who source this
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck disable=SC2034
BUILD=$TOP/build
# Exit statuses that scripts/vm and its callers agree on.
# shellcheck disable=SC2034
EX_USAGE=2 EX_OFFLINE=124 EX_VM_LOST=125 EX_CANNOT=126

# say TEXT... - one line about what is going on, on stderr
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die STATUS TEXT... - the last word
die() {
	local status=$1
	shift
	say "$*"
	exit "$status"
}

# usage_text FILE - the help text of a script: its header comment, unquoted
usage_text() {
	awk 'NR > 2 && !/^#/ { exit } NR > 3 { sub(/^# ?/, ""); print }' "$1"
}

# bad_usage TEXT... - say what is wrong with the command line, then how it goes
bad_usage() {
	say "$*"
	usage_text "$0" >&2
	exit "$EX_USAGE"
}

# want_value OPTION COUNT - refuse an option that lacks its value
want_value() {
	(($2 > 1)) || bad_usage "$1 needs a value"
}

# want_number OPTION VALUE - refuse a value that is not a positive whole number
want_number() {
	[[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || bad_usage "$1: '$2' is not a positive whole number"
}

# mebibytes OPTION SIZE - SIZE as people write it (512M, 2G) in MiB
mebibytes() {
	case $2 in
	*[!0-9MG]* | '' | [MG]*) ;;
	*[0-9]G) echo $((10#${2%G} * 1024)); return ;;
	*[0-9]M) echo $((10#${2%M})); return ;;
	esac
	bad_usage "$1: '$2' is not a size such as 512M or 2G"
}
