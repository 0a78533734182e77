#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: scripts/vm is used like a plain command by all that test here, so what
# it says has to be what the command said: output, errors and exit status, and
# arguments to the last space. A guest that is lost must never look like one
# that succeeded, nor may two at a time disturb each other.
# daxlab-test: where=host timeout=900
. "$DAXLAB_TOP/selftests/lib/lib.sh"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# vm NAME ARG... - run it; output, errors and status go to $tmp/NAME.*
vm() {
	"$DAXLAB_TOP/scripts/vm" --no-build --console "$tmp/$1.console" --out "$tmp/$1.shared" "${@:2}" \
		>"$tmp/$1.out" 2>"$tmp/$1.err" </dev/null
	echo $? >"$tmp/$1.status"
}

vm true -- true &
# shellcheck disable=SC1003,SC2016
words=('two words' "it's" $'two\nlines' '' '$HOME `id` "q" \' '*' '-x' '--' 'ümlaut')
# shellcheck disable=SC2016
vm words --smp 1 -- sh -c 'printf "<%s>" "$@"; echo error >/dev/stderr; pwd >&2
	echo kept >"$DAXLAB_OUT/file"; touch "$DAXLAB_TOP/no" 2>/dev/null && echo written >&2
	nproc >&2; exit 42' sh "${words[@]}"
wait
equal "status 0" "$(<"$tmp/true.status")" 0
equal "status 42, from a VM at the same time" "$(<"$tmp/words.status")" 42
equal "arguments arrive as they were given" "$(<"$tmp/words.out")" "$(printf '<%s>' "${words[@]}")"
equal "errors stay apart from output; same directory; the tree cannot be written; --smp" \
	"$(<"$tmp/words.err")" $'error\n'"$PWD"$'\n1'
equal "what it wrote to the shared folder is here" "$(<"$tmp/words.shared/file")" kept

# shellcheck disable=SC2016
vm signal -- sh -c 'yes | head -n 100000; kill -KILL $$' &
vm lost --timeout 15 -- sh -c 'sleep infinity' &
wait
equal "status 137 for a command that SIGKILL ended" "$(<"$tmp/signal.status")" 137
equal "all of a long output arrives" "$(wc -l <"$tmp/signal.out")" 100000
equal "status 125 for a guest that does not end" "$(<"$tmp/lost.status")" 125
expect "which is said" grep -q 'VM lost: not finished after 15 s' "$tmp/lost.err"

"$DAXLAB_TOP/scripts/vm" --no-such-option 2>"$tmp/usage" </dev/null
equal "status 2 for a bad option" $? 2
expect "and the usage" grep -q -- '--kernel NAME' "$tmp/usage"
"$DAXLAB_TOP/scripts/vm" --kernel 1.2 -- true 2>"$tmp/kernel"
equal "status 126 for a kernel that is not here" $? 126
finish
