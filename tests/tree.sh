#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: tree.sh SOURCE_DIR BUILD_DIR
# The tree as a whole: licence lines, manual pages, README, diagrams, example configuration, installation.
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
licensed=
for file in $files; do
	case $file in
	*/corpus/* | tests/convert/*.in | tests/convert/*.out | tests/openwrt/*.conf | tests/openwrt/*.log | *.md | *.json | *.ini | LICENSE | .gitignore | *.txt.in | *.png | debian/changelog | debian/copyright | debian/source/format) continue ;;
	esac
	[ ! -f "$file" ] || licensed="$licensed $file"
done
for file in $(awk 'FNR > 3 { nextfile }
	/SPDX-License-Identifier: BSD-2-Clause/ { has[FILENAME] = 1 }
	END { for (i = 1; i < ARGC; i++) if (!(ARGV[i] in has)) print ARGV[i] }' $licensed); do
	fail "$file: no licence line in its first three"
done

for page in docs/*.[158]; do
	lint=$(mandoc -Tlint -W warning "$page" 2>&1) || fail "$page: $lint"
done

scripts/diagram --check docs/diagrams/*.toml || fail "docs/diagrams: a picture is out of date"

[ "$(wc -l <README.md)" -le 120 ] || fail "README.md: longer than 120 lines"

"$build/mcproxy" -t -c config/mcproxy.conf >/dev/null || fail "config/mcproxy.conf: not valid"

version=$("$build/mcproxy" -V | cut -d ' ' -f 2)
for page in docs/*.[158]; do
	grep -qx "\.Os mcproxy $version" "$page" || fail "$page: .Os does not name mcproxy $version, which the foot of each page shows"
done
grep -q "^mcproxy ($version)" debian/changelog || fail "debian/changelog: its newest version is not $version"

# Every option of the program stands in its manual page, and the other way round.
for letter in $("$build/mcproxy" -h | sed -n 's/^  -\([a-zA-Z]\),.*/\1/p'); do
	grep -q "Fl $letter" docs/mcproxy.8 || fail "mcproxy.8: option -$letter is missing"
done

for option in $("$build/mcproxy-web" -h 2>/dev/null | sed -n 's/^  \(-[a-zA-Z], \)\?--\([a-z-]*\) .*/\2/p'); do
	grep -q "Fl -$option" docs/mcproxy-web.8 || fail "mcproxy-web.8: option --$option is missing"
done

for page in mcproxy.8 mcproxyctl.1 mcproxy-web.8; do
	program=${page%.*}
	[ -x "$build/$program" ] || continue
	for option in $(sed -n 's/^\.It Fl .*Fl -\([a-z-]*\).*/\1/p; s/^\.It Fl -\([a-z-]*\).*/\1/p' "docs/$page"); do
		"$build/$program" --help | grep -qe "--$option\b" || fail "$program --help: option --$option is missing"
	done
done

for program in mcproxy mcproxyctl mcproxy-web; do
	[ -z "$("$build/$program" --help 2>/dev/null | grep -E '.{81}')" ] || fail "$program --help: wider than 80 columns"
done

# So do mcproxyctl's commands, and the protocol's.
for command in $("$build/mcproxyctl" --help 2>/dev/null | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	grep -q "^\.It Cm $command" docs/mcproxyctl.1 || fail "mcproxyctl.1: command $command is missing"
done
for command in $(sed -n 's/^\t{"\([a-z]*\)", .*/\1/p' src/daemon/control/commands.c); do
	grep -q "^| .$command. |" docs/control.md || fail "control.md: command $command is missing"
done

# docs/migration.md has each kind that mcproxyctl converts.
for kind in $("$build/mcproxyctl" convert 2>&1 | sed -n 's/^KIND: //p'); do
	grep -q "\`$kind\`" docs/migration.md || [ "$kind" = igmpproxy ] || fail "migration.md: kind $kind is missing"
done

# What mcproxy-web answers to, too.
for path in $(sed -n 's/^\t{"\(\/[a-z/]*\)", REQUEST.*/\1/p' src/web/request.c); do
	grep -q "$path" docs/mcproxy-web.8 || fail "mcproxy-web.8: $path is missing"
done

# mcproxyctl prints by ctl/client/print.h, so that no name controls the terminal; literals apart.
direct=$(grep -rnE '\b((v?f?printf|fwrite|perror|psignal|v?printw)\(|(puts|fputs)\([^"]|(putchar|fputc)\([^'"'"'])' src/ctl |
	grep -v '^src/ctl/client/print\.c:') || :
[ -z "$direct" ] || fail "mcproxyctl prints past print.h: $direct"

# What the documents link to exists; pictures, too.
for page in README.md CONTRIBUTING.md docs/*.md; do
	for link in $(sed '/^```/,/^```/d' "$page" | grep -oE '\]\([^) ]+\)|(src|srcset)="[^"]+"' | sed 's/^](\(.*\))$/\1/; s/^.*="\(.*\)"$/\1/'); do
		case $link in
		*:*) continue ;;
		\#*) file=$page ;;
		*) file=$(dirname "$page")/${link%%#*} ;;
		esac
		[ -e "$file" ] || fail "$page: $link does not exist"
		case $link in
		*#*) sed -n 's/^##* //p' "$file" | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9_\n-' | grep -qxe "${link#*#}" || fail "$page: $link: no such section" ;;
		esac
	done
done

# What docs/rfc.md names exists: functions, unit tests, network tests.
known=$(mktemp)
{
	echo test_x
	find tests/unit -name '*.c' -exec basename -s .c '{}' +
	grep -rhoE '[a-zA-Z_0-9]+' src include
} | sort -u >"$known"
for name in $(grep -oE '`[a-z_0-9]+`' docs/rfc.md | tr -d '`' | sort -u | comm -23 - "$known"); do
	fail "rfc.md: $name does not exist"
done
rm -f "$known"
for name in $(grep -oE '`net:[a-z0-9_]+' docs/rfc.md | sed 's/.*://' | sort -u); do
	[ "$name" = x ] || [ -e "tests/net/test_$name.py" ] || fail "rfc.md: tests/net/test_$name.py does not exist"
done

ctl=
[ ! -x "$build/mcproxyctl" ] || ctl=1
web=
[ ! -x "$build/mcproxy-web" ] || web=1
target=$(mktemp -d)
DESTDIR=$target cmake --install "$build" >/dev/null || fail "cmake --install does not work"
for file in sbin/mcproxy share/man/man8/mcproxy.8 share/man/man5/mcproxy.conf.5 share/doc/mcproxy/examples/mcproxy.conf \
	lib/systemd/system/mcproxy.service lib/sysusers.d/mcproxy.conf lib/tmpfiles.d/mcproxy.conf \
	share/bash-completion/completions/mcproxy share/zsh/site-functions/_mcproxy share/doc/mcproxy/examples/mcproxy.rules.yml \
	share/doc/mcproxy/examples/mcproxy.json \
	${web:+sbin/mcproxy-web share/man/man8/mcproxy-web.8 lib/systemd/system/mcproxy-web.service lib/sysusers.d/mcproxy-web.conf} \
	${ctl:+lib/systemd/system/mcproxy-metrics.service lib/systemd/system/mcproxy-metrics.timer}; do
	find "$target" -path "*/$file" | grep -q . || fail "$file is not installed"
done
"$(find "$target" -path '*/sbin/mcproxy')" -V >/dev/null || fail "the installed program does not run"
DESTDIR=$target cmake --install "$build" --prefix /elsewhere >/dev/null || fail "cmake --install --prefix does not work"
for unit in mcproxy:/elsewhere/sbin/mcproxy ${ctl:+mcproxy-metrics:/elsewhere/bin/mcproxyctl} ${web:+mcproxy-web:/elsewhere/sbin/mcproxy-web}; do
	programs=$(sed -n 's/^Exec\(Start\|Reload\)=\(.*mcproxy[a-z-]*\) .*/\2/p' "$target/elsewhere/lib/systemd/system/${unit%:*}.service" | sort -u)
	[ "$programs" = "${unit#*:}" ] || fail "the unit starts $programs, not what is installed"
done
rm -rf "$target"

exit $failed
