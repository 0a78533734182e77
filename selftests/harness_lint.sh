#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Story: a linter that has stopped to look says "ok" for ever. So a copy of the
# tree gets one finding for each stage of scripts/lint, and each stage has to
# find its own, in words that name it. It has no sources but those with findings, to
# be quick: nobody looks worse at fewer files.
# daxlab-test: where=host timeout=1500 kernels=first
. "$DAXLAB_TOP/selftests/lib/lib.sh"

copy=$DAXLAB_TOP/build/lint-planted
rm -rf "$copy"
mkdir -p "$copy/build"
(cd "$DAXLAB_TOP" && find . \( -path ./build -o -path ./.git \) -prune -o -type f \
	! -name '*.o' ! -name '*.ko' ! -name '*.mod*' ! -name '.*.cmd' -print0 |
	cpio -0pd --quiet "$copy")
ln -s "$DAXLAB_TOP/build/linux-source-6.1" "$copy/build/"
cd "$copy" || exit
find selftests -name '*.[ch]' ! -path '*/lib/*' -delete
sources='main|stats|bdev_ram|entry_walk'
find module -regextype egrep -name '*.c' ! -regex "module/($sources)\.c" -delete
sed -i -E "/^daxlab-/{/ ($sources)\.o\$/!d}" module/Kbuild
# What is not there is no finding.
export KBUILD_MODPOST_WARN=1

# plant FILE - stdin goes to its end
plant() { cat >>"$1"; }

plant module/stats.h <<<'#define PLANTED(x) x;'
plant module/stats.c <<<$'\nstatic void __used planted(void)\n{\n\tint gcc;\n}'
plant module/main.c <<<$'\n/**\n * planted() - no such function\n */\nstatic inline void other(void)\n{\n}\nint dxl_planted_too(void)\n{\n\treturn 0;\n}'
plant module/bdev_ram.c <<<$'#include "fs.h"\nstatic __le32 __used planted(u32 x)\n{\n\treturn x;\n}'
plant module/entry_walk.c <<<$'#include <linux/bio.h>\n#if LINUX_VERSION_CODE\n#endif'
plant selftests/planted.c <<<$'int main(void)\n{\n\tint unused;\n\n\treturn 0;\n}'
plant scripts/planted.sh <<<$'#!/bin/bash\nrm $1'
plant Kbuild <<<$'# TO\x44O: planted'
seq -f '/* %g */' 501 | plant selftests/lib/planted.h
seq -f '# %g' 301 | plant scripts/planted.sh

status=0
report=$(scripts/lint 2>&1) || status=$?
echo "$report" >build/report
equal "lint ends with status 1" "$status" 1

# found STAGE TEXT - in the report of that stage
found() {
	expect "$1 finds: $2" grep -q -F -- "$2" <(awk -v stage="$1" '
		/^lint: [a-z_]*: / { if ($2 == stage ":") printf "%s", text; text = ""; next }
		{ text = text $0 "\n" }' build/report)
}

found checkpatch "module/stats.h"
found sparse "incorrect type in return expression"
found sparse "unused variable"
found userspace "unused variable"
found kernel_doc "module/main.c"
found kernel_doc "dxl_planted_too() has no kernel-doc"
found shellcheck "SC2086"
found includes "bdev_ram.c:"
found includes "the entry lock knows XArray and wait queues only"
found includes "kernel versions are for compat.h"
found words "Kbuild:"
found length "selftests/lib/planted.h: 501 lines"
found length "scripts/planted.sh: 303 lines"
finish
