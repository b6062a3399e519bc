#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: size.sh SOURCE_DIR BUILD_DIR
# Builds the daemon without its optional parts (preset small) below BUILD_DIR, prints its stripped size, and fails above
# the limit.
set -eu
limit=194560 # 190 KB
build=$2/small

cmake -S "$1" --preset small -B "$build" >"$2/small.log"
cmake --build "$build" --target mcproxy >>"$2/small.log" || { cat "$2/small.log"; exit 1; }
strip -R .comment -R .note.gnu.property -o "$build/mcproxy.stripped" "$build/mcproxy"
size=$(wc -c <"$build/mcproxy.stripped")
echo "mcproxy, preset small, stripped: $size bytes (limit $limit)"
"$build/mcproxy.stripped" -t -c "$1/config/mcproxy.conf"
[ "$size" -le $limit ]
