#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: openwrt.sh SOURCE_DIR BUILD_DIR
# The OpenWrt package: its init script writes the daemon's configuration from UCI and starts it, under the shell that runs
# this; the install step of its recipe. OpenWrt's own part is stood in for by tests/openwrt.
set -u
source=$1 build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
	echo "openwrt: $*" >&2
	failed=1
}

# setting NAME: what the line "# NAME: ..." of the UCI file says.
setting() {
	sed -n "s/^# $1: //p" "$work/uci"
}

# run FUNCTION <UCI
run() {
	cat >"$work/uci"
	(
		UCI_FILE=$work/uci NETWORKS=$(setting networks) ZONES=$(setting zones) DEVICE_ZONES=$(setting device_zones)
		. "$source/tests/openwrt/rc.common"
		. "$source/config/openwrt/files/mcproxy.init"
		PROGRAM=$build/mcproxy
		WRITTEN=$work/etc/mcproxy.conf
		NETWORK_CLASS=$work/net QUIET_BRIDGES=$work/bridges
		"$1"
	) 2>&1 | sed "s,$work,,; s,$build/,,"
}

# check WHAT EXPECTED OUTPUT
check() {
	[ "$2" = "$3" ] || fail "$1: expected:
$2
and got:
$3"
}

# Each NAME.uci leads to the file NAME.conf, or to none, and to the lines NAME.log: what the log and procd get. A file that
# starts the daemon is valid. MCPROXY_WRITE=1 writes the expected files instead.
cases=0
cd "$source/tests/openwrt" || exit
for uci in *.uci; do
	name=${uci%.uci} cases=$((cases + 1))
	rm -rf "$work/etc"
	run start_service <"$uci" >"$work/log"
	if [ -n "${MCPROXY_WRITE:-}" ]; then
		cp "$work/log" "$name.log"
		rm -f "$name.conf"
		[ ! -e "$work/etc/mcproxy.conf" ] || cp "$work/etc/mcproxy.conf" "$name.conf"
	fi
	diff -u "$name.log" "$work/log" || fail "$uci: the log differs"
	if [ -e "$name.conf" ]; then
		diff -u "$name.conf" "$work/etc/mcproxy.conf" || fail "$uci: the configuration differs"
	else
		[ ! -e "$work/etc/mcproxy.conf" ] || fail "$uci: a configuration is written"
	fi
	if grep -q '^open_instance' "$name.log" && [ -e "$name.conf" ]; then
		"$build/mcproxy" -t -c "$name.conf" >/dev/null || fail "$name.conf is not valid"
	fi
done
[ "$cases" -ge 20 ] || fail "only $cases UCI files"

sed '/^#/d; /^$/d' guide.uci | while read -r line; do
	grep -q "^ *$line\$" "$source/docs/guide.md" || echo "$line"
done >"$work/missing"
[ ! -s "$work/missing" ] || fail "docs/guide.md lacks these lines of guide.uci: $(cat "$work/missing")"

started='open_instance
set_param command mcproxy --keeper -S -c /etc/mcproxy.conf
set_param file /etc/mcproxy.conf
set_param reload_signal HUP
set_param respawn 3600 5 0
set_param stderr 1
close_instance'

# As shipped it is off.
check "as shipped" "" "$(run start_service <"$source/config/openwrt/files/mcproxy.config")"

# The bridge's own querier is off until the service stops.
mkdir -p "$work/net/br-lan/bridge"
echo 1 >"$work/net/br-lan/bridge/multicast_querier"
run start_service <firewall.uci >/dev/null
check "the bridge's querier, started" 0 "$(cat "$work/net/br-lan/bridge/multicast_querier")"
check "stopped" "config_changed firewall" "$(run service_stopped </dev/null)"
check "the bridge's querier, stopped" 1 "$(cat "$work/net/br-lan/bridge/multicast_querier")"

# A file of its own.
echo 'instances = ("eth0 ==> eth1");' >"$work/own.conf"
check "a file" "$(echo "$started" | sed 's,/etc/mcproxy.conf,/own.conf,')" "$(
	printf "config mcproxy 'mcproxy'\n\toption file '%s'\n" "$work/own.conf" | run start_service)"

# Changes of the configuration and of every network that is named lead to a reload.
check "triggers" 'add_reload_trigger mcproxy
add_reload_interface_trigger wan
add_reload_interface_trigger lan
add_reload_interface_trigger guest' "$(
	printf 'config instance\n\tlist upstream wan\n\tlist downstream lan\n\tlist downstream guest\n' | run service_triggers)"

# Every setting of the manual can be made.
for key in $(sed -n 's/^\.It Ic \([a-z_]*\)$/\1/p' "$source/docs/mcproxy.conf.5"); do
	case $key in
	instances | name | upstream | downstream | protocol) continue ;;
	esac
	grep -qw "$key" "$source/config/openwrt/files/mcproxy.init" ||
		fail "config/openwrt/files/mcproxy.init: $key of mcproxy.conf(5) is missing in its lists of keys"
done

# The plugin and the app: their syntax, and the methods that the app may call; their size.
node "$source/tests/openwrt/plugin.js" "$source/config/openwrt" >/dev/null || fail "the plugin or the app"
size=$(find "$source/config/openwrt/luci-app-mcproxy" "$source/config/openwrt/files/mcproxy.uc" -type f -exec cat {} + | wc -c)
[ "$size" -le 30000 ] || fail "the plugin and the app have $size bytes, more than 30000"

# The source archive: without the recipe, which states its hash, and the same each time.
if git -C "$source" rev-parse -q HEAD >/dev/null 2>&1; then
	mkdir "$work/archive"
	hash=$("$source/scripts/archive" "$work/archive" HEAD) || fail "scripts/archive"
	[ "$hash" = "$("$source/scripts/archive" "$work/archive" HEAD)" ] || fail "scripts/archive: two archives differ"
	! tar -tf "$work"/archive/mcproxy-*.tar.xz | grep -q config/openwrt/Makefile || fail "the archive contains the recipe"
fi
[ -e "$source/config/openwrt/Makefile" ] || exit $failed # this is the archive

# The recipe.
version=$("$build/mcproxy" -V | cut -d ' ' -f 2)
grep -q "^PKG_VERSION:=$version\$" "$source/config/openwrt/Makefile" || fail "Makefile: PKG_VERSION is not $version"
for name in SOURCE SOURCE_URL HASH MAINTAINER LICENSE LICENSE_FILES; do
	grep -q "^PKG_$name:=." "$source/config/openwrt/Makefile" || fail "Makefile: PKG_$name is missing"
done
mkdir "$work/include"
cp "$source/tests/openwrt/package.mk" "$work/include/package.mk"
: >"$work/include/rules.mk"
: >"$work/include/cmake.mk"
DESTDIR=$work/built cmake --install "$build" --prefix /usr >/dev/null || fail "cmake --install"
for package in mcproxy mcproxyctl; do
	[ $package = mcproxy ] || [ -e "$build/$package" ] || continue
	make -s -C "$source/config/openwrt" install-$package TOPDIR="$work/include" INCLUDE_DIR="$work/include" \
		PKG_INSTALL_DIR="$work/built" TARGET="$work/installed" || fail "the install step of $package"
done
for file in usr/sbin/mcproxy etc/init.d/mcproxy; do
	[ -x "$work/installed/$file" ] || fail "$file is not installed"
done
[ -e "$work/installed/etc/config/mcproxy" ] || fail "etc/config/mcproxy is not installed"
exit $failed
