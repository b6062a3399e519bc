#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Proves the layers core <- kernel <- daemon from the built objects:
#
#   core    calls nothing outside itself but the functions listed here, so no socket, clock, log, thread, random
#           number, output or file; and has no variable that could change (.data, .bss, thread-local, common)
#   kernel  refers to no symbol of the daemon
#   both    include no header of a layer above
#
# What sanitizers and coverage add to an object is passed over; what stands beside it in there is not.
# NM and OBJDUMP name other tools than the build machine's, for a cross build.
# Exit status: 0 clean, 1 violations (named on standard error), 2 nothing could be proved.
set -u

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
	echo "usage: layering.sh libmcproxy_core.a libmcproxy_kernel.a [libmcproxy_daemon.a]" >&2
	exit 2
fi
core=$1
kernel=$2
daemon=${3:-$(dirname "$kernel")/libmcproxy_daemon.a}
top=$(cd "$(dirname "$0")/.." && pwd) || exit 2
nm=${NM:-nm}
objdump=${OBJDUMP:-objdump}

# What a pure function needs of the C library: memory, strings, patterns, sorting, text in memory, and to stop.
# __x_chk is x as _FORTIFY_SOURCE calls it.
allowed='
	abort __assert_fail __assert __stack_chk_fail __stack_chk_fail_local __stack_chk_guard
	malloc posix_memalign calloc realloc free
	bcmp memchr memcmp memcpy memmove mempcpy memset
	fnmatch strchr strcmp strcspn strlen strncmp strncpy strnlen strpbrk strrchr strspn strstr
	__memcpy_chk __memmove_chk __mempcpy_chk __memset_chk __strncpy_chk __snprintf_chk __vsnprintf_chk
	bsearch qsort snprintf vsnprintf
	inet_ntop inet_pton
	_GLOBAL_OFFSET_TABLE_
'
# Arithmetic that some processors have no instruction for (64-bit division on a 32-bit one, atomic counting on an old one,
# and the like).
arithmetic='^__(aeabi_[a-z0-9]+|[a-z]+[sdt]i[234]|aarch64_ldadd[1248]_[a-z_]+|(atomic|sync)_fetch_[a-z_]+_[1248])$'
# Instrumentation: of the sanitizers, of gcov in gcc and in clang, of the fuzzers, of clang's source coverage.
instrumented='^(__(asan|hwasan|lsan|msan|tsan|ubsan|sanitizer|odr_asan|sancov|start___sancov|stop___sancov|gcov|llvm|prof[cdn])|_*llvm_|__unnamed_|__emutls_v[.]__(sancov|ubsan))'

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

# "object symbol" a line, of one kind (--undefined-only, --defined-only).
symbols() {
	"$nm" -P -A "$2" "$1" 2>"$work/stderr" >"$work/nm" || {
		cat "$work/stderr" >&2
		return 1
	}
	sed -n 's/^.*\[\([^]]*\)\]: \([^ ]*\).*/\1 \2/p' "$work/nm"
}

# load LAYER ARCHIVE
load() {
	symbols "$2" --undefined-only >"$work/$1.undefined" || exit 2
	symbols "$2" --defined-only >"$work/$1.defined" || exit 2
	if [ ! -s "$work/$1.defined" ]; then
		echo "layering: $2: no symbols, so nothing is proved" >&2
		exit 2
	fi
}

load core "$core"
load kernel "$kernel"
load daemon "$daemon"
"$objdump" -h -t "$core" >"$work/core.sections" || exit 2

outside_calls() {
	awk -v allowed="$allowed" -v arithmetic="$arithmetic" -v instrumented="$instrumented" '
		BEGIN { for (n = split(allowed, names, /[ \t\n]+/); n > 0; n--) known[names[n]] = 1 }
		FNR == NR { known[$2] = 1; next }
		!($2 in known) && $2 !~ arithmetic && $2 !~ instrumented {
			print "core: " $1 ": uses " $2 ", which is neither its own nor on the list in tests/layering.sh"
		}
	' "$work/core.defined" "$work/core.undefined"
}

# In a plain object every byte of such a section is a violation; instrumentation leaves nameless bytes there, so
# with it only named variables count.
variables() {
	awk -v instrumented="$instrumented" '
		function is_variable(section) {
			return section ~ /^[.](data|bss|sdata|sbss|tdata|tbss|lbss|ldata)([.]|$)/ &&
				section !~ /^[.]data[.]rel[.]ro([.]|$)/ || section == "*COM*"
		}
		function finish(  section) {
			for (section in bytes)
				if (!is_instrumented && !(section in named))
					print "core: " object ": " bytes[section] " in " section ", without a name"
			is_instrumented = 0
			split("", bytes)
			split("", named)
		}
		/:  *file format / { finish(); object = $1; sub(/:$/, "", object); next }
		$1 ~ /^[0-9]+$/ && NF == 7 {
			if (is_variable($2) && $3 !~ /^0+$/)
				bytes[$2] = "0x" $3 " bytes"
			next
		}
		# value, flags, section <tab> size [visibility] name
		/^[0-9a-f]+ .*\t/ {
			if ($NF ~ instrumented) {
				is_instrumented = 1
				next
			}
			split($0, half, "\t")
			count = split(half[1], left, " ")
			section = left[count]
			split(half[2], right, " ")
			if (left[2] == "d" || left[3] == "d" || !is_variable(section) || $NF ~ /^[$]/)
				next
			named[section] = 1
			if (right[1] !~ /^0+$/ || section == "*COM*")
				print "core: " object ": variable " $NF " in " section
		}
		END { finish() }
	' "$work/core.sections"
}

upward_calls() {
	awk '
		FNR == NR { if (!($2 in home)) home[$2] = $1; next }
		FILENAME ~ /kernel[.]defined$/ { own[$2] = 1; next }
		($2 in home) && !($2 in own) { print "kernel: " $1 ": uses " $2 ", which belongs to the daemon (" home[$2] ")" }
	' "$work/daemon.defined.named" "$work/kernel.defined" "$work/kernel.undefined"
}

upward_includes() {
	(
		cd "$top" || exit
		grep -nrE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<](kernel|daemon|ctl)/' src/core include/core
		grep -nrE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<](daemon|ctl)/' src/kernel include/kernel
	) | sed 's/^/include of a layer above: /'
}

grep -vE " $(printf %s "$instrumented" | sed 's/^^//')" "$work/daemon.defined" >"$work/daemon.defined.named"
{
	outside_calls
	variables
	upward_calls
	upward_includes
} | sort -u >"$work/violations"

if [ -s "$work/violations" ]; then
	cat "$work/violations" >&2
	exit 1
fi
echo "layering: clean ($(cut -d ' ' -f 1 "$work/core.defined" | sort -u | wc -l) objects in the core)"
