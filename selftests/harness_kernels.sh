#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: scripts/check --kernel debug built its kernel for a quarter of an hour and then
# ended without a word, as an EXIT trap failed that had nothing left to end. Whoever had
# the kernel already never met it. So a build that only plays is told from here what to
# do: make and tar are ours, all else is scripts/kernels/debug. And a tree with other
# options built a kernel again while somebody tested on it.
#
# daxlab-test: where=host needs=none kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/lib/common.sh"
. "$TOP/scripts/lib/kernel.sh"
PLAY=$(mktemp -d)
trap 'rm -rf "$PLAY"' EXIT
mkdir -p "$PLAY/scripts/lib" "$PLAY/bin"
cp -r "$TOP/scripts/kernels" "$PLAY/scripts"
cp "$TOP/scripts/lib/common.sh" "$PLAY/scripts/lib"
echo 'need() { :; }' >"$PLAY/scripts/lib/deps.sh"

cat >"$PLAY/bin/tar" <<'END'
#!/bin/bash
# A source: what a module's build reads of it, and no more.
[[ $1 == -xJf ]] || exec /bin/tar "$@"
mkdir -p "$4"/{include/config,scripts,arch/x86/{boot,include},tools/objtool}
touch "$4"/{Makefile,Module.symvers,arch/x86/Makefile,tools/objtool/objtool}
END
cat >"$PLAY/bin/make" <<'END'
#!/bin/bash
cd "$2" || exit
echo "${@: -1}" >>"$PLAY/made"
case "${@: -1}" in
allnoconfig)
	for word; do [[ $word != KCONFIG_ALLCONFIG=* ]] || cp "${word#*=}" .config; done
	[[ ! -e $PLAY/vanish ]] || sed -i "/$(<"$PLAY/vanish")/d" .config ;;
modules)
	printf '  CC      %s\n' a.o 'drivers/b.o'
	[[ ! -e $PLAY/broken ]] || { echo "c.c:1: error: played" >&2; exit 2; }
	echo 6.1.0-played >include/config/kernel.release
	echo image >arch/x86/boot/bzImage ;;
modules_install)
	for word; do [[ $word != INSTALL_MOD_PATH=* ]] || to=${word#*=}; done
	mkdir -p "$to/lib/modules/6.1.0-played/kernel"
	ln -s "$PWD" "$to/lib/modules/6.1.0-played/build" ;;
esac
END
chmod +x "$PLAY/bin"/*
export PLAY PATH=$PLAY/bin:$PATH

# built WHAT STATUS WORDS - how scripts/kernels/kcsan ends, and what its last words are
# like. The clock is put on, so that it is time to tell how far it is.
built() {
	local status=0
	: >"$PLAY/made"
	SECONDS=100 "$PLAY/scripts/kernels/kcsan" "$PLAY/k/kcsan" >"$PLAY/said" 2>&1 || status=$?
	attempt cat "$PLAY/said"
	equal "status $2: $1" "$status" "$2"
	[[ ! $3 ]] || expect "  and says so" grep -q "$3" <(tail -n 1 "$PLAY/said")
	expect "  and leaves no half of a kernel" test ! -e "$PLAY/k/kcsan.new"
}

built "a kernel is built" 0 'kernel kcsan is built: 6.1.0-played, '
equal "what was made" "$(paste -sd ' ' "$PLAY/made")" "allnoconfig modules modules_install"
expect "how far it was is told" grep -q 'kernel kcsan: 1 files compiled after 10[0-9] s$' "$PLAY/said"
for file in version vmlinuz about cmdline slow key headers/{Makefile,.config,arch/x86/Makefile}; do
	expect "it has $file" test -e "$PLAY/k/kcsan/$file"
done
expect "no link to where it was built" test ! -L "$PLAY/k/kcsan/lib/modules/6.1.0-played/build"
built "it is there" 0 ''
equal "  and is not made again" "$(cat "$PLAY/made")" ""

echo '# another' >>"$PLAY/scripts/kernels/kcsan.config"
touch "$PLAY/broken"
built "one that cannot be built" "$EX_CANNOT" 'the build failed: kernel kcsan'
expect "  and why" grep -q 'c.c:1: error: played' "$PLAY/said"
expect "the old one stays" test "$(cat "$PLAY/k/kcsan/version")" = 6.1.0-played
rm "$PLAY/broken"
echo 'CONFIG_KCSAN=y' >"$PLAY/vanish"
built "an option that is refused" "$EX_CANNOT" 'kernel kcsan: refused: CONFIG_KCSAN=y'
rm "$PLAY/vanish"
built "it is built again when its options change" 0 'kernel kcsan is built'
equal "  all of it" "$(paste -sd ' ' "$PLAY/made")" "allnoconfig modules modules_install"

exec {user}> >(hold_kernel "$PLAY/k/kcsan" && touch "$PLAY/held" && exec cat >/dev/null)
expect "somebody tests on it" loop_until 30 test -e "$PLAY/held"
built "who wants just that one does not wait" 0 ''
echo '# one more' >>"$PLAY/scripts/kernels/kcsan.config"
"$PLAY/scripts/kernels/kcsan" "$PLAY/k/kcsan" 2>"$PLAY/said" {user}>&- & builder=$!
expect "who wants another one does" loop_until 30 grep -q 'waiting: somebody builds kernel kcsan or tests' "$PLAY/said"
equal "  and makes nothing" "$(cat "$PLAY/made")" ""
exec {user}>&-
status=0
wait "$builder" || status=$?
equal "  until it is free" "$status" 0
equal "  then all of it" "$(paste -sd ' ' "$PLAY/made")" "allnoconfig modules modules_install"
rm -r "$PLAY/k/kcsan"
hold_gone() (hold_kernel "$PLAY/k/kcsan")
refuse "one that is gone meanwhile cannot be held" hold_gone
finish
