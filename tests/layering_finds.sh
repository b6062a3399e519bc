#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# layering_finds.sh libmcproxy_core.a libmcproxy_kernel.a: proves that layering.sh sees what it is for. Puts objects with one
# violation each into copies of the core and the kernel and expects each to be named. CC names the compiler of the build.
set -eu

core=$1 kernel=$2
daemon=$(dirname "$kernel")/libmcproxy_daemon.a
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# layer | what | how it is named | the source
probes='
core|a clock|clock_gettime|#include <time.h>\nlong probe(void);\nlong probe(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec; }
core|the time|time|#include <time.h>\nlong probe(void);\nlong probe(void) { return (long)time(0); }
core|a socket|socket|#include <sys/socket.h>\nint probe(void);\nint probe(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
core|random numbers|getrandom|#include <sys/random.h>\nlong probe(void *at);\nlong probe(void *at) { return getrandom(at, 8, 0); }
core|pseudo-random numbers|rand|#include <stdlib.h>\nint probe(void);\nint probe(void) { return rand(); }
core|a log|syslog|#include <syslog.h>\nvoid probe(void);\nvoid probe(void) { syslog(LOG_INFO, "x"); }
core|output|puts|#include <stdio.h>\nvoid probe(void);\nvoid probe(void) { puts("x"); }
core|a thread|pthread_create|#include <pthread.h>\nint probe(pthread_t *t);\nint probe(pthread_t *t) { return pthread_create(t, 0, 0, 0); }
core|a file|open|#include <fcntl.h>\nint probe(void);\nint probe(void) { return open("/", O_RDONLY); }
core|a variable|counter|int probe(void);\nint probe(void) { static int counter; return ++counter; }
core|a variable with a value|level|int level = 3;
core|a variable for each thread|mine|_Thread_local int mine;
kernel|a call of the daemon|log_open|#include "daemon/log/log.h"\nvoid probe(void);\nvoid probe(void) { log_open(0, 0); }
'

cp "$core" "$work/core.a"
cp "$kernel" "$work/kernel.a"
printf '%s' "$probes" | {
	number=0
	while IFS='|' read -r layer what name source; do
		[ -n "$layer" ] || continue
		number=$((number + 1))
		printf '%b\n' "$source" >"$work/probe.c"
		${CC:-cc} -std=c11 -D_GNU_SOURCE -O1 -I"$here/../include" -I"$here/../src" -c "$work/probe.c" -o "$work/probe$number.o"
		ar r "$work/$layer.a" "$work/probe$number.o" 2>/dev/null
	done
}
if "$here/layering.sh" "$work/core.a" "$work/kernel.a" "$daemon" >"$work/output" 2>&1; then
	echo "missed: everything"
	exit 1
fi
printf '%s' "$probes" | {
	number=0
	while IFS='|' read -r layer what name source; do
		[ -n "$layer" ] || continue
		number=$((number + 1))
		if line=$(grep -E "^$layer: probe$number\.o: .*\<$name\>" "$work/output"); then
			echo "found: $what in the $layer: $line"
		else
			echo "not named: $what in the $layer"
			failed=1
		fi
	done
	exit $failed
}
