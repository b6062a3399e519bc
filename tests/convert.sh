#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: convert.sh SOURCE_DIR BUILD_DIR [--update]
# Converts each tests/convert/KIND-STORY.in, and compares what is printed with KIND-STORY.out. KIND must be what is guessed; a story
# that ends with .strict is converted with --strict. The daemon must accept every result. Each kind has a story for each exit status
# that it can have.
set -u
folder=$1/tests/convert build=$2 update=${3-}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0
seen=

fail() {
	echo "convert: $1" >&2
	failed=1
}

for input in "$folder"/*.in; do
	story=$(basename "$input" .in)
	kind=$(printf %s "${story%%-*}" | tr _ -) strict=
	case $story in *.strict) strict=--strict ;; esac
	timeout 60 "$build/mcproxyctl" convert $strict - <"$input" >"$work/result" 2>"$work/errors"
	status=$?
	seen="$seen $kind=$status "
	cat "$work/result" "$work/errors" >"$work/printed"
	echo "exit status $status" >>"$work/printed"
	timeout 60 "$build/mcproxyctl" convert --from "$kind" $strict - <"$input" >"$work/named" 2>&1
	cat "$work/result" "$work/errors" | cmp -s - "$work/named" || fail "$story: not taken for $kind"
	case $status in
	0 | 3) "$build/mcproxy" -t -c "$work/result" >"$work/check" 2>&1 || fail "$story: mcproxy -t: $(cat "$work/check")" ;;
	1) [ ! -s "$work/result" ] || fail "$story: a failure prints a configuration" ;;
	*) fail "$story: exit status $status" ;;
	esac
	[ -z "$update" ] || cp "$work/printed" "${input%.in}.out"
	diff -u "${input%.in}.out" "$work/printed" >&2 || fail "$story: not as expected"
done

# Status 0 is not for those whose interfaces have names of another system, nor for smcroute, which sends no queries. In a file of
# mcproxy 0.1 and on a command line of omcproxy, nothing can differ.
for kind in $("$build/mcproxyctl" convert 2>&1 | sed -n 's/^KIND: //p'); do
	for status in 0 1 3; do
		case $kind=$status in
		mikrotik=0 | smcroute=0 | uci-igmpproxy=0 | uci-omcproxy=0 | mcproxy-0.1=3 | omcproxy=3) continue ;;
		esac
		case $seen in
		*" $kind=$status "*) ;;
		*) fail "no story of $kind with exit status $status" ;;
		esac
	done
done

# A large file on one line is refused soon; a busy machine has a minute for it.
for kind in $("$build/mcproxyctl" convert 2>&1 | sed -n 's/^KIND: //p'); do
	yes 'a' | head -c 1000000 | tr '\n' ' ' | timeout 60 "$build/mcproxyctl" convert --from "$kind" - >"$work/result" 2>&1
	[ $? = 1 ] && grep -q "as $kind: " "$work/result" || fail "a large file for $kind: $(head -c 300 "$work/result")"
done

# What comes from no proxy, and wrong arguments.
printf 'hello\n' | timeout 60 "$build/mcproxyctl" convert - >"$work/result" 2>&1
[ $? = 1 ] && grep -q "no kind that is known" "$work/result" || fail "guesses a kind for a greeting"
timeout 60 "$build/mcproxyctl" convert --from nothing - </dev/null >"$work/result" 2>&1
[ $? = 2 ] && grep -q "^KIND: uci-igmpproxy " "$work/result" || fail "accepts an unknown kind"
timeout 60 "$build/mcproxyctl" convert "$work/missing" >"$work/result" 2>&1
[ $? = 1 ] && grep -q "No such file" "$work/result" || fail "reads a file that does not exist"
exit $failed
