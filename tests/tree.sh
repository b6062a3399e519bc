#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: tree.sh SOURCE_DIR BUILD_DIR
# The tree as a whole: licence lines, manual pages, README, example configuration, installation.
set -u
source=$1 build=$2
failed=0
cd "$source" || exit 1

fail() {
	echo "tree: $*" >&2
	failed=1
}

files=$(git ls-files 2>/dev/null ||
	find . \( -path ./build -o -path ./.git -o -name __pycache__ \) -prune -o -type f -print | sed 's,^\./,,')
for file in $files; do
	case $file in
	*/corpus/* | *.md | *.json | *.ini | LICENSE | .gitignore | *.txt.in | debian/changelog | debian/copyright | debian/source/format) continue ;;
	esac
	[ -f "$file" ] || continue
	head -n 3 "$file" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || fail "$file: no licence line in its first three"
done

for page in docs/*.[158]; do
	lint=$(mandoc -Tlint -W warning "$page" 2>&1) || fail "$page: $lint"
done

[ "$(wc -l <README.md)" -le 120 ] || fail "README.md: longer than 120 lines"

"$build/mcproxy" -t -c config/mcproxy.conf >/dev/null || fail "config/mcproxy.conf: not valid"

version=$("$build/mcproxy" -V | cut -d ' ' -f 2)
grep -q "^mcproxy ($version)" debian/changelog || fail "debian/changelog: its newest version is not $version"

# Every option of the program stands in its manual page, and the other way round.
for letter in $("$build/mcproxy" -h | sed -n 's/^  -\([a-zA-Z]\),.*/\1/p'); do
	grep -q "Fl $letter" docs/mcproxy.8 || fail "mcproxy.8: option -$letter is missing"
done

for program in mcproxy mcproxyctl; do
	[ -z "$("$build/$program" --help 2>/dev/null | grep -E '.{81}')" ] || fail "$program --help: wider than 80 columns"
done

# So do mcproxyctl's commands, and the protocol's.
for command in $("$build/mcproxyctl" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	grep -q "^\.It Cm $command" docs/mcproxyctl.1 || fail "mcproxyctl.1: command $command is missing"
done
for command in $(sed -n 's/^\t{"\([a-z]*\)", .*/\1/p' src/daemon/control/commands.c); do
	grep -q "^| .$command. |" docs/control.md || fail "control.md: command $command is missing"
done

# mcproxyctl prints by ctl/client/print.h, so that no name controls the terminal; literals apart.
direct=$(grep -rnE '\b((v?f?printf|fwrite|perror|psignal|v?printw)\(|(puts|fputs)\([^"]|(putchar|fputc)\([^'"'"'])' src/ctl |
	grep -v '^src/ctl/client/print\.c:') || :
[ -z "$direct" ] || fail "mcproxyctl prints past print.h: $direct"

# What docs/rfc.md names exists: functions, unit tests, network tests.
for name in $(grep -oE '`[a-z_0-9]+`' docs/rfc.md | tr -d '`' | sort -u); do
	[ "$name" = test_x ] || [ -n "$(find tests/unit -name "$name.c")" ] || grep -rqw "$name" src include || fail "rfc.md: $name does not exist"
done
for name in $(grep -oE '`net:[a-z0-9_]+' docs/rfc.md | sed 's/.*://' | sort -u); do
	[ "$name" = x ] || [ -e "tests/net/test_$name.py" ] || fail "rfc.md: tests/net/test_$name.py does not exist"
done

target=$(mktemp -d)
DESTDIR=$target cmake --install "$build" >/dev/null || fail "cmake --install does not work"
for file in sbin/mcproxy share/man/man8/mcproxy.8 share/man/man5/mcproxy.conf.5 share/doc/mcproxy/examples/mcproxy.conf \
	lib/systemd/system/mcproxy.service lib/sysusers.d/mcproxy.conf lib/tmpfiles.d/mcproxy.conf \
	share/bash-completion/completions/mcproxy share/zsh/site-functions/_mcproxy; do
	find "$target" -path "*/$file" | grep -q . || fail "$file is not installed"
done
"$(find "$target" -path '*/sbin/mcproxy')" -V >/dev/null || fail "the installed program does not run"
DESTDIR=$target cmake --install "$build" --prefix /elsewhere >/dev/null || fail "cmake --install --prefix does not work"
programs=$(sed -n 's/^Exec\(Start\|Reload\)=\(.*mcproxy\) .*/\2/p' "$target/elsewhere/lib/systemd/system/mcproxy.service" | sort -u)
[ "$programs" = /elsewhere/sbin/mcproxy ] || fail "the unit starts $programs, not what is installed"
rm -rf "$target"

exit $failed
