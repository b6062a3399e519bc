#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: format.sh SOURCE_DIR [-i]
# Checks that clang-format (.clang-format) would change no C file. With -i it changes them. Exit status 77: no clang-format.
set -u
cd "$1" || exit 2
command -v clang-format >/dev/null || { echo "format: skipped: clang-format is not installed" >&2; exit 77; }
files=$(find src include tests -name '*.[ch]' -not -path 'include/small/*') || exit 2

if [ "${2:-}" = -i ]; then
	# shellcheck disable=SC2086
	exec clang-format -i $files
fi
# shellcheck disable=SC2086
if ! clang-format --dry-run --Werror $files; then
	echo "format: run tests/format.sh . -i (clang-format $(clang-format --version | grep -o '[0-9]*' | head -n 1))" >&2
	exit 1
fi
