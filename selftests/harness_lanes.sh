#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: what a test left behind takes the VM with it when that test has ended. Were the
# next VM to go on as if nothing had been, it would strike again and again and nobody
# be told. So the lanes of scripts/check are given a VM that only plays: it says what
# guests say, and is lost at moments that no real one can be made to choose.
#
# daxlab-test: where=host needs=none kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/lib/common.sh"
. "$DAXLAB_TOP/scripts/lib/tests.sh"
. "$DAXLAB_TOP/scripts/lib/console.sh"
DAXLAB_GRACE=5
. "$DAXLAB_TOP/scripts/lib/batch.sh"

# What batch.sh asks of scripts/check.
# shellcheck disable=SC2034
kernel=none DAXLAB_SLOW=1
TOP=$(mktemp -d)
logs=$TOP/logs
trap 'rm -rf "$TOP"' EXIT
mkdir "$TOP/scripts"
touch "$TOP"/{a,b}.sh

# Boot N plays the file N, which is made of these.
cat >"$TOP/scripts/vm" <<'END'
#!/bin/bash
cd "$(dirname "$0")/.." || exit
while [[ $1 != -- ]]; do
	[[ $1 != --console ]] || console=$2
	[[ $1 != --timeout ]] || echo "$2" >limit
	[[ $1 != --mem ]] || echo "$2" >>memory
	shift
done
said() { echo "[    1.234567] $*" >>"$console"; }
begin() { mkdir "logs/claims/$1" && said "daxlab-test: begin $1" && echo "begin $1 60"; }
end() { said "daxlab-test: end $1" && echo "end $1 pass"; }
lost() { echo "vm: VM lost: $*" >&2; exit 125; }
boot=${console##*-}
. "./${boot%.log}"
END
chmod +x "$TOP/scripts/vm"

# ready PLAY... - one for each boot
ready() {
	local nr=0 play
	rm -rf "$logs"
	mkdir -p "$logs/claims"
	for play; do
		((++nr))
		echo "$play" >"$TOP/$nr"
	done
}

# ends - what a lane tells of the ends of tests
ends() { sed -n 's/ *$//;s/^[0-9] end \([^ ]*\) [0-9]* /\1 /p'; }

# played WHAT TOLD PLAY... - what the lane tells of the ends of the tests a and b
played() {
	ready "${@:3}"
	equal "$1" "$(set -e; run_in_vm "" "$TOP"/{a,b}.sh | ends)" "$2"
}

played "all is well" $'a pass\nb pass' "begin a; end a; begin b; end b"
equal "the VM had the time of both" "$(<"$TOP/limit")" $((BOOT_LIMIT + 2 * (60 + 2 * GRACE)))
played "lost during a test" $'a fail VM lost: x\nb pass' \
	"begin a; lost x" "begin b; end b"
played "lost between two, without a word" $'a pass\nvm-0-1 fail lost after a: VM lost: x\nb pass' \
	"begin a; end a; lost x" "begin b; end b"
played "lost after the last" $'a pass\nb pass\nvm-0-1 fail lost after b: VM lost: x' \
	"begin a; end a; begin b; end b; lost x"
played "silent between two" \
	$'a pass\nvm-0-1 fail lost after a: inconclusive: timeout, the guest does not answer: BUG: y\nb pass' \
	"begin a; said BUG: x; end a; said BUG: y; exec sleep 60" "begin b; end b"
played "a boot that fails once is no test's fault" $'a pass\nb pass' \
	"lost x" "begin a; end a; begin b; end b"
played "nor what its kernel says" $'a pass\nb pass' \
	"said BUG: x; lost x" "begin a; end a; begin b; end b"
equal "though that is noted" "$(set -e; rm -rf "$logs/claims"/*; run_in_vm "" "$TOP"/{a,b}.sh |
	sed -n 's/^0 note \(vm-0-1 lost.*\)/\1/p')" "vm-0-1 lost before its first test: VM lost: x"
played "a boot that fails twice" $'a fail not run: VM lost: x\nb pass' \
	"lost x" "lost x" "begin b; end b"
played "also after a test" \
	$'a pass\nvm-0-1 fail lost after a: VM lost: x\nb fail not run: VM lost: x' \
	"begin a; end a; lost x" "lost x" "lost x"
played "not fit for another test" $'a pass\nb pass' "begin a; end a; exit 3" "begin b; end b"

for file in a,1G b,2G c,1G; do
	echo "# daxlab-test: vm=\"--mem ${file#*,}\"" >"$TOP/${file%,*}.sh"
done
# shellcheck disable=SC2034
together=() special=("$TOP"/{a,b,c}.sh) on_host=()
ready "begin a; end a; begin c; end c" "begin b; end b"
equal "those that want the same of a VM share one" "$(set -e; run_lane 1 | ends)" \
	$'a pass\nc pass\nb pass'
equal "which has it" "$(<"$TOP/memory")" $'1G\n2G'
equal "another lane has nothing to do" "$(set -e; run_lane 2 | ends)" ""
equal "and boots none" "$(<"$TOP/memory")" $'1G\n2G'
finish
