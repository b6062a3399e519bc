#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# usage: completions.sh SOURCE_DIR BUILD_DIR
# What bash and zsh offer for a line that is typed is what the programs say of themselves.
set -u
source=$1 build=$2
failed=0
PATH=$build:$PATH

# offered_by_bash WORD...: the last one is being typed.
offered_by_bash() {
	(
		. "$source/config/completions/$1.bash"
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		COMPREPLY=()
		"_$1" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
		printf '%s\n' "${COMPREPLY[@]}"
	)
}

# zsh's own functions print what they are given.
offered_by_zsh() {
	zsh -f -c '
		_call_program() { shift; "$@" }
		_files() { print -rl -- *(N) }
		_describe() { [[ $1 != -o ]] || shift; print -rl -- ${${(P)2}%%:*} }
		file=$1
		shift
		words=("$@") CURRENT=$# service=$1
		. $file
	' zsh "$source/config/completions/_mcproxy" "$@" | if [ -n "${*: -1}" ]; then grep -e "^${*: -1}"; else cat; fi
}

# expect WORDS-OFFERED WORD...
expect() {
	local expected offered shell
	expected=$(printf '%s\n' $1 | sort -u)
	shift
	for shell in bash zsh; do
		offered=$("offered_by_$shell" "$@" | sed '/^$/d' | sort -u)
		[ "$offered" != "$expected" ] || continue
		echo "completions: $shell: $*: offers" $offered ", not" $expected >&2
		failed=1
	done
}

cd "$source/config"
expect "$(mcproxy --help | grep '^  ' | cut -c 1-24 | grep -oE -- '--?[a-zA-Z-]+')" mcproxy -
expect "--reset-rp-filter --record" mcproxy --re
expect "$(ls)" mcproxy -c ""
expect "$(ls)" mcproxy --record ""
if [ -x "$build/mcproxyctl" ]; then
	commands=$(mcproxyctl --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
	topics="status instances links groups routes upstream uplinks filters sets"
	expect "$commands $topics --socket --json --help --version" mcproxyctl ""
	expect "show" mcproxyctl --json sh
	expect "$commands $topics --socket --json --help --version" mcproxyctl --socket x ""
	expect "$topics" mcproxyctl show ""
	for topic in $topics; do
		expect "--json --instance --link --group --details --all --sort" mcproxyctl "$topic" --
	done
	expect "" mcproxyctl nonsense x
	expect "--json --config --quick" mcproxyctl doctor --
	expect "$(ls)" mcproxyctl doctor --config ""
	expect "--json --instance --link --group --details --all --sort" mcproxyctl show links --
	expect "--json --instance --link --group" mcproxyctl monitor --
	expect "$(ls /sys/class/net)" mcproxyctl show links --link ""
	expect "--host --json --link --seconds" mcproxyctl explain 239.1.1.1 --
	expect "--json --streams --openmetrics --output" mcproxyctl metrics ""
	expect "$(ls)" mcproxyctl metrics --output ""
	expect "debug" mcproxyctl loglevel deb
	if mcproxyctl --help | grep -q '^  convert '; then
		expect "--json --from --strict $(ls)" mcproxyctl convert ""
		expect "--json --from --strict" mcproxyctl convert --
		expect "$(mcproxyctl convert 2>&1 | sed -n 's/^KIND: //p')" mcproxyctl convert --from ""
		expect "mikrotik" mcproxyctl convert --from mi
	fi
	expect "groups --json --instance --link --group" mcproxyctl clear ""
	expect "--json --instance --link --group" mcproxyctl clear groups --
	expect "$(ls)" mcproxyctl --socket ""
	# Whatever is offered, the programs accept.
	for level in $(offered_by_bash mcproxyctl loglevel "" | grep -v -- --json); do
		mcproxyctl --socket /nonexistent loglevel "$level" 2>&1 | grep -q "nonexistent" || { echo "completions: loglevel $level"; failed=1; }
	done
fi
exit $failed
