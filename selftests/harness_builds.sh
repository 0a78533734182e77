#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: what is built and fetched before a test is in folders that others use or have
# used, and each of these broke once, in the hands of a reviewer who played it:
#
#   1. in a tree whose path has a space, make removed links elsewhere
#   2. two builds for one kernel took each other's links away
#   3. an initramfs of which a part could not be made was kept, and booted ever after
#   4. TERM ended scripts/check, but not its VMs, which kept its locks
#
# daxlab-test: where=host needs=none kernels=first timeout=300
. "$DAXLAB_TOP/selftests/lib/lib.sh"
. "$DAXLAB_TOP/scripts/lib/common.sh"
. "$TOP/scripts/lib/kernel.sh"
. "$TOP/scripts/lib/build.sh"
. "$TOP/scripts/lib/initramfs.sh"
PLAY=$(mktemp -d)
trap 'rm -rf "$PLAY"' EXIT

# tree DIR - one with a source
tree() {
	mkdir -p "$1/module"
	cp "$TOP"/{Makefile,Kbuild} "$1"
	touch "$1"/module/{a,b}.c
}

# A kernel whose make only plays: it is not to meet another one, finds all sources, and
# the first of all goes on only when the second is there.
mkdir -p "$PLAY/kernel/lib/modules/6.1.0-played" "$PLAY/kernel/headers"
echo 6.1.0-played >"$PLAY/kernel/version"
cat >"$PLAY/kernel/make" <<'END'
#!/bin/bash
for word; do [[ $word != M=* ]] || out=${word#M=}; done
mkdir "$PLAY/busy" || { touch "$PLAY/met"; exit 1; }
if [[ ! -e $PLAY/one ]]; then
	touch "$PLAY/one"
	lock=$(stat -c %i "$PLAY/tree/build/make.lock")
	for ((i = 0; i < 300; i++)); do
		[[ ! -e $PLAY/met ]] || break
		! grep -q -e "-> FLOCK .*:$lock 0 EOF" /proc/locks || { touch "$PLAY/waited"; break; }
		sleep 0.1
	done
fi
ls -L "$out"/module/{a,b}.c >/dev/null || exit
rmdir "$PLAY/busy"
echo made >>"$PLAY/made"
END
chmod +x "$PLAY/kernel/make"
touch "$PLAY/kernel/headers/Makefile"
export PLAY

tree "$PLAY/my tree"
mkdir -p "$PLAY/my" "$PLAY/tree"
ln -s /etc/hostname "$PLAY/my/precious"
refuse "a path with a space" make -C "$PLAY/my tree" KDIR="$PLAY/kernel"
expect "is refused, by name" grep -q "a path has a space: $PLAY/my tree" \
	<(make -C "$PLAY/my tree" KDIR="$PLAY/kernel" 2>&1)
expect "and nothing is removed elsewhere" test -L "$PLAY/my/precious"
refuse "nor is anything built" test -e "$PLAY/made"

tree "$PLAY/tree"
build_tree() (TOP=$PLAY/tree BUILD=$PLAY/tree/build; build_module "$PLAY/kernel")
build_tree & first=$!
loop_until 30 test -e "$PLAY/one"
expect "a build for a kernel that another build is made for" build_tree
status=0
wait "$first" || status=$?
equal "and that one" "$status" 0
expect "it waited" test -e "$PLAY/waited"
equal "both were made" "$(xargs <"$PLAY/made")" "made made"
rm "$PLAY/tree/module/b.c"
touch "$PLAY/tree/module/c.c"
out=$PLAY/tree/build/for/kernel/release
make -s -C "$PLAY/tree" links OUT="$out" KDIR="$PLAY/kernel"
equal "links follow the source" "$(cd "$out/module" && echo *)" "a.c c.c"

# initramfs_made - as scripts/vm calls it, with programs that fail
initramfs_made() (
	PATH=$PLAY/bin:$PATH
	initrd=$(initramfs "$PLAY/kernel") && test -e "$initrd"
)
BUILD=$PLAY/build INITRAMFS_MODULES=(played)
mkdir "$BUILD" "$PLAY/bin"
echo nothing | xz >"$PLAY/played.ko.xz"
module_files() { echo "$PLAY/played.ko.xz"; }
for program in xz gzip cpio; do
	printf '#!/bin/sh\nexit 1\n' >"$PLAY/bin/$program"
	chmod +x "$PLAY/bin/$program"
	refuse "no initramfs without $program" initramfs_made
	rm "$PLAY/bin/$program"
	equal "  and no half of one" "$(ls "$BUILD")" ""
done
expect "with all of them, one" grep -q '^modules/played.ko$' \
	<(gzip -dc "$(initramfs "$PLAY/kernel")" | cpio --quiet -t)

# A test that goes on until it is ended.
mkdir "$PLAY/tests"
cat >"$PLAY/tests/endless.sh" <<'END'
#!/bin/bash
# daxlab-test: where=host needs=none
echo $$ >"$PLAY/pid"
exec tail -f /dev/null
END
chmod +x "$PLAY/tests/endless.sh"

# ended WHAT KERNELS - scripts/check on those, by TERM while the test runs
ended() {
	local check status=0 pid
	rm -f "$PLAY/pid"
	"$DAXLAB_TOP/scripts/check" --kernel "$2" --tests "$PLAY/tests" --logs "$PLAY/logs" >"$PLAY/out" 2>&1 & check=$!
	expect "$1: the test runs" loop_until 100 test -s "$PLAY/pid"
	kill "$check"
	wait "$check" || status=$?
	equal "  TERM ends scripts/check" "$status" 143
	pid=$(<"$PLAY/pid")
	expect "  and the test" loop_until 10 test ! -e "/proc/$pid"
	expect "  and whoever had its locks" loop_until 10 flock -n "$PLAY/logs.lock" true
	attempt cat "$PLAY/out"
	[[ ! -e /proc/$pid ]] || kill "$pid"
}
ended "on one kernel" 6.1
ended "on two" 6.1,6.1
finish
