#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: format.sh SOURCE_DIR
# Every C file is as clang-format leaves it (.clang-format). To format the tree: tests/format.sh SOURCE_DIR -i
set -u
cd "$1" || exit 2
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
