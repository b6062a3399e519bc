#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: size.sh SOURCE_DIR BUILD_DIR
# Builds the daemon without its optional parts (preset small) below BUILD_DIR, prints its stripped size, and fails above
# the limit.
set -eu
limit=225280 # 220 KB
build=$2/small

cmake -S "$1" --preset small -B "$build" >"$2/small.log"
cmake --build "$build" --target mcproxy >>"$2/small.log" || { cat "$2/small.log"; exit 1; }
strip -R .comment -o "$build/mcproxy.stripped" "$build/mcproxy"
size=$(wc -c <"$build/mcproxy.stripped")
echo "mcproxy, preset small, stripped: $size bytes (limit $limit)"
readelf -lW "$build/mcproxy.stripped" | grep -q GNU_RELRO || { echo "the stripped daemon has no RELRO" >&2; exit 1; }
"$build/mcproxy.stripped" -t -c "$1/config/mcproxy.conf"
[ "$size" -le $limit ]
