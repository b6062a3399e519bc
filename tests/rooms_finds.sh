#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: rooms_finds.sh SOURCE_DIR
# Proves that rooms.py sees what it is for: plants one violation at a time in a copy of the tree and expects rooms.py to name it.
set -eu

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# Adds lines to a file of the copy, which may be new.
add() { # FILE TEXT
	mkdir -p "$(dirname "$work/tree/$1")"
	printf '%b\n' "$2" >>"$work/tree/$1"
}

begin() {
	rm -rf "$work/tree"
	mkdir -p "$work/tree/docs"
	cp -r "$source/src" "$source/include" "$work/tree"
	cp "$source/docs/architecture.md" "$work/tree/docs"
}

check() { # WHAT LINE
	if "$source/tests/rooms.py" "$work/tree" >"$work/output" 2>&1; then
		echo "missed: $1"
		failed=1
	elif ! grep -qF "$2" "$work/output"; then
		echo "not named: $1: expected: $2"
		failed=1
	else
		echo "found: $1: $2"
	fi
}

begin
add src/core/base/probe.c '#include "kernel/mrt.h"'
check "a forbidden include" "src/core/base/probe.c: includes include/kernel/mrt.h, but core/base may not use kernel"

begin
add src/core/base/probe.c '#include <kernel/mrt.h>'
check "a forbidden include in angle brackets" "src/core/base/probe.c: includes include/kernel/mrt.h, but core/base may not use kernel"

begin
add src/core/host/probe.c '#include "core/router/instance.h"'
check "the host side that uses the router side" "src/core/host/probe.c: includes include/core/router/instance.h, but core/host may not use core/router"

begin
add src/core/base/probe.c '#include "core/base/nothing.h"'
check "a header that does not exist" "src/core/base/probe.c: includes core/base/nothing.h, which does not exist"

begin
add src/core/base/probe.h 'void probe(void);'
add src/core/wire/probe.c '#include "core/base/probe.h"'
check "a private header used by another room" "src/core/base/probe.h: included from core/wire: it belongs into include/"

begin
add src/core/base/probe_inside.h 'struct probe;'
add include/core/base/probe.h '#include "core/base/probe_inside.h"'
check "a public header that includes a private one" "include/core/base/probe.h: a header for other rooms includes src/core/base/probe_inside.h"

begin
add include/core/base/probe.h 'void probe(void);'
add src/core/base/probe.c '#include "core/base/probe.h"'
check "a public header of one room only" "include/core/base/probe.h: no other room includes it"

begin
add include/core/base/probe_a.h '#include "core/base/probe_b.h"'
add include/core/base/probe_b.h '#include "core/base/probe_a.h"'
check "headers that include each other" "headers include each other in a circle: core/base/probe_a core/base/probe_b"

begin
add src/core/base/probe_a.c 'void probe_a(void)\n{\n\tprobe_b();\n}'
add src/core/base/probe_b.c 'void probe_b(void)\n{\n\tprobe_c();\n}'
add src/core/base/probe_c.c 'void probe_c(void)\n{\n\tprobe_a();\n}'
check "modules that call each other" "modules call each other in a circle: core/base/probe_a core/base/probe_b core/base/probe_c"

begin
add src/core/probe/probe.c 'void probe(void);'
check "a room that is not in the table" "src/core/probe/probe.c: core/probe is no room"

begin
add docs/architecture.md '    core/probe       nothing'
check "a room in the document that does not exist" "docs/architecture.md: lists core/probe, which does not exist"

begin
sed -i 's,^    core/base  ,    core/ground  ,' "$work/tree/docs/architecture.md"
check "a room that the document lacks" "docs/architecture.md: does not list the room core/base"

exit $failed
