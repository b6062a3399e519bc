#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: openrc.sh BUILD_DIR
# The OpenRC script: whether it starts with a file that is missing, empty, not valid, valid; what it then starts. OpenRC's
# own commands are stood in for by others.
set -u
build=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

eerror() { echo "eerror: $*"; }
ebegin() { :; }
eend() { return "$1"; }
checkpath() { echo "checkpath: $*"; }
mkdir "$work/bin"
printf '#!/bin/sh\necho "supervise-daemon: $*"\n' >"$work/bin/supervise-daemon"
chmod +x "$work/bin/supervise-daemon"
PATH=$work/bin:$PATH

# expect STATUS TEXT FUNCTION CONFIGURATION
expect() {
	printf '%s' "$4" >"$work/mcproxy.conf"
	output=$(
		RC_SVCNAME=mcproxy MCPROXY_CONFIG=$work/mcproxy.conf MCPROXY_OPTIONS=-r
		. "$build/openrc/mcproxy"
		command=$build/mcproxy
		[ "$command_args" = "--keeper -S -c $MCPROXY_CONFIG -r" ] || echo "command_args: $command_args"
		[ "$required_files" = "$MCPROXY_CONFIG" ] || echo "required_files: $required_files"
		"$3" 2>&1
	)
	status=$?
	case $output in
	$2) [ $status = "$1" ] && return ;;
	esac
	echo "openrc: $3 with <$4>: exit status $status, output: $output" >&2
	failed=1
}

valid='instances = ("eth0 ==> eth1");'
expect 1 '*nothing is configured yet*' start_pre ''
expect 1 '*nothing is configured yet*' start_pre '# a comment
	// another

'
expect 1 '*mcproxy.conf:1:*' start_pre 'instances = 3;'
expect 0 'checkpath: *-d*/run/mcproxy' start_pre "$valid"
expect 0 'supervise-daemon: mcproxy --signal HUP' reload "$valid"
expect 78 '*mcproxy.conf:1:*' reload 'nonsense'
exit $failed
