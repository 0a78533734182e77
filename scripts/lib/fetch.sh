# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages of other suites of Debian, unpacked and not installed: an apt with
# sources, lists and a cache of its own, and nothing installed in its eyes.
# Uses $KERNELS.
# shellcheck disable=SC2154

# The suites with kernels for this Debian and for the next, and the next itself
# for the compiler of its kernels.
readonly SUITES=(bookworm-backports trixie-backports trixie)
APT=$KERNELS/apt

# archive_address [OPTION...] - where the host has its Debian from, in the eyes of an
# apt with these OPTIONs. It tells of a source only if it has lists of it.
archive_address() {
	# shellcheck disable=SC2016 # apt's words
	apt-get indextargets "$@" --format '$(REPO_URI) $(RELEASE) $(ORIGIN)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 ~ /^(bookworm|stable|oldstable)$/ && $3 == "Debian" && !n++ { print $1 }'
}

# set_address - $address; lists that the host has thrown away are fetched, but not to
# where it had them
set_address() {
	local status=0 lists=(-o "Dir::State::lists=$APT/host-lists")

	address=$(archive_address)
	[[ ! $address ]] || return 0
	mkdir -p "$APT/host-lists/partial"
	# Somebody else's source may fail.
	(quietly "cannot fetch kernels: no lists of this machine's own sources" \
		apt_get update "${lists[@]}" -o APT::Update::Error-Mode=any) || status=$?
	address=$(archive_address "${lists[@]}")
	[[ ! $address ]] || return 0
	((!status)) || exit "$status"
	die "$EX_CANNOT" "cannot fetch kernels: apt has no source of Debian here"
}

# fetch_begin - fresh lists
fetch_begin() {
	local suite address keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	set_address
	[[ -e $keyring ]] || die "$EX_CANNOT" "cannot fetch kernels: missing package debian-archive-keyring"
	mkdir -p "$APT"/{lists,archives}/partial
	: >"$APT/status"
	for suite in "${SUITES[@]}"; do
		echo "deb [signed-by=$keyring] $address $suite main"
	done >"$APT/sources.list"
	cat >"$APT/apt.conf" <<-END
		Dir::Etc::sourcelist "$APT/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "/dev/null";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$APT";
		Dir::State::status "$APT/status";
		Dir::Cache "$APT";
		APT::Sandbox::User "root";
		APT::Install-Recommends "false";
		Acquire::Retries "2";
		Acquire::http::Timeout "20";
		APT::Update::Post-Invoke-Success "";
	END
	export APT_CONFIG=$APT/apt.conf
	quietly "cannot fetch kernels: no lists of packages" \
		apt_get update -o APT::Update::Error-Mode=any
}

# The host may have switched the caches off, without which each call is slow.
readonly FAST=(-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin)
apt_get() { LC_ALL=C apt-get -q "${FAST[@]}" "$@"; }
apt_cache() { apt-cache -q "${FAST[@]}" "$@"; }

# unreachable - stdin: what apt-get says when it fails; that no host can be reached,
# and nothing else
unreachable() {
	awk '
		!/^E: / || /^E: (Some (index )?files failed to download|Unable to fetch some archives)/ { next }
		/^E: Failed to fetch [^ ]+  .*(resolv(e|ing) \x27|connect to |the connection to |Connection timed out)/ {
			yes = 1
			next
		}
		{ no = 1 }
		END { exit !yes || no }'
}

# quietly COMPLAINT COMMAND... - its output only if it fails
quietly() {
	local complaint=$1 status=$EX_CANNOT
	shift
	"$@" >"$APT/log" 2>&1 </dev/null && return
	tail -n 5 "$APT/log" >&2
	! unreachable <"$APT/log" || status=$EX_OFFLINE
	die "$status" "$complaint"
}

# known PACKAGE - the archive has it
known() { apt_cache show "$1" >/dev/null 2>&1; }

# depends PACKAGE - names of packages that it needs directly
depends() {
	apt_cache show "$1" | sed -n '/^Depends: /{s///;s/ *([^)]*)//g;s/ *[|,] */\n/g;p;q}'
}

# fetch PACKAGE... - into the archives folder, where one that was interrupted may
# have left some
fetch() {
	rm -f "$APT"/archives/*.deb
	(cd "$APT/archives" && quietly "cannot fetch $*" apt_get download "$@")
}

# unpack DIR PACKAGE... - and forget the packages
unpack() {
	local dir=$1 package
	shift
	mkdir -p "$dir"
	for package; do
		dpkg -x "$APT/archives/${package}"_*.deb "$dir" || return
		rm "$APT/archives/${package}"_*.deb
	done
	rm -rf "$dir/usr/share/doc" "$dir"/usr/share/man
}

# runs_here PROGRAM - the libraries of this machine are new enough for it
runs_here() {
	! ldd "$1" 2>&1 | grep -q 'not found'
}

# get_toolchain COMPILER - toolchain-COMPILER: a /usr that kernels made with it
# can be built for in
get_toolchain() {
	local dir=$KERNELS/toolchain-$1 tmp=$KERNELS/.toolchain.$$ package
	local packages=("$1" "$1-for-host" binutils make bash dash coreutils diffutils findutils sed grep
		mawk perl-base xz-utils kmod pahole sparse mount util-linux base-files)

	[[ ! -e $dir ]] || return 0
	say "fetching $1 and what it needs to run"
	rm -rf "$APT"/archives/*.deb "$KERNELS"/.toolchain.*
	quietly "cannot fetch $1" apt_get -y --download-only install "${packages[@]}"
	mkdir -p "$tmp"
	# First of all the links by which /bin is in /usr.
	for package in "$APT"/archives/base-files_*.deb "$APT"/archives/*.deb; do
		dpkg -x "$package" "$tmp"
	done
	rm -rf "$APT"/archives/*.deb "$tmp"/usr/share/{doc,man,locale}
	# What maintainer scripts would have done.
	ln -s mawk "$tmp/usr/bin/awk"
	mkdir -p "$tmp/usr/src"
	mv -T "$tmp" "$dir"
}
