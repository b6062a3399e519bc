#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: without_convert.sh SOURCE_DIR BUILD_DIR
# Builds mcproxyctl without `convert` below BUILD_DIR, and checks that it is complete otherwise.
set -eu
build=$2/without_convert

cmake -S "$1" -G Ninja -B "$build" -DMCPROXY_CONVERT=OFF -DMCPROXY_TESTS=OFF -DMCPROXY_WERROR=ON >"$2/without_convert.log"
cmake --build "$build" --target mcproxyctl >>"$2/without_convert.log" || { cat "$2/without_convert.log"; exit 1; }
if "$build/mcproxyctl" --help | grep -q '^  convert '; then
	echo "without_convert: it offers the command" >&2
	exit 1
fi
"$build/mcproxyctl" convert - </dev/null 2>/dev/null && { echo "without_convert: it accepts the command" >&2; exit 1; }
"$build/mcproxyctl" check 239.1.1.1 --config "$1/config/mcproxy.conf" >/dev/null
strip -o "$build/mcproxyctl.stripped" "$build/mcproxyctl"
echo "mcproxyctl without convert, stripped: $(wc -c <"$build/mcproxyctl.stripped") bytes"
