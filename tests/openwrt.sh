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

# run FUNCTION [NETWORK=DEVICE...] <UCI
run() {
	cat >"$work/uci"
	(
		UCI_FILE=$work/uci
		function=$1
		shift
		NETWORKS=$*
		. "$source/tests/openwrt/rc.common"
		. "$source/config/openwrt/files/mcproxy.init"
		PROGRAM=$build/mcproxy
		WRITTEN=$work/etc/mcproxy.conf
		"$function"
	) 2>&1 | sed "s,$work,,; s,$build/,,"
}

# check WHAT EXPECTED OUTPUT
check() {
	[ "$2" = "$3" ] || fail "$1: expected:
$2
and got:
$3"
}

# written EXPECTED: the file, without its first line; valid for the daemon.
written() {
	check "the file" "$1" "$(sed 1d "$work/etc/mcproxy.conf")"
	"$build/mcproxy" -t -c "$work/etc/mcproxy.conf" >/dev/null || fail "the file is not valid"
}

started='open_instance
set_param command mcproxy -S -c /etc/mcproxy.conf
set_param file /etc/mcproxy.conf
set_param reload_signal HUP
set_param respawn 3600 5 0
set_param no_new_privs 1
set_param stderr 1
close_instance'

# As shipped it is off.
check "as shipped" "" "$(run start_service <"$source/config/openwrt/files/mcproxy.config")"
[ ! -e "$work/etc" ] || fail "as shipped: a file is written"

# As shipped, but on: networks become devices if they are up.
check "as shipped, on" "$started" "$(sed "s/disabled '1'/disabled '0'/" "$source/config/openwrt/files/mcproxy.config" |
	run start_service wan=pppoe-wan)"
written 'reset_rp_filter = false;
instances = (
	{
		name = "iptv";
		upstream = ( "pppoe-wan" );
		downstream = ( "lan" );
	}
);'

# Every form of a value, several instances, settings of single links.
check "a full one" "$(echo "$started" | sed 's/^set_param command.*/&\nappend_param command -r/')" "$(run start_service lan=br-lan <<'UCI'
config mcproxy 'mcproxy'
	option reset_rp_filter 'on'
	list protocol 'IGMPv3'
	list protocol 'MLDv2'
	option query_interval '62.5'
	option memory_max '16M'

config instance
	option name 'iptv'
	list upstream 'eth1'
	list upstream 'eth2'
	list downstream 'lan'
	list downstream 'wlan0'
	option table 'own'

config instance 'phones'
	list downstream 'eth5'

config instance
	option disabled '1'
	option name 'off'
	list upstream 'eth8'
	list downstream 'eth9'

config link
	option instance 'iptv'
	option name 'lan'
	option fast_leave 'yes'
	option reset_rp_filter '1'
	option router_discovery 'auto'
	option robustness '3'
	option router_discovery 'auto'
	option forward_without_querier '0'

config link
	option instance 'other'
	option name 'wlan0'
	option fast_leave '1'
UCI
)"
written 'query_interval = 62.5;
reset_rp_filter = true;
memory_max = "16M";
protocol = [ "IGMPv3", "MLDv2" ];
instances = (
	{
		name = "iptv";
		upstream = ( "eth1", "eth2" );
		downstream = ( { name = "br-lan"; robustness = 3; fast_leave = true; reset_rp_filter = true; forward_without_querier = false; router_discovery = "auto"; }, "wlan0" );
		table = "own";
	}
	,
	{
		name = "phones";
		downstream = ( "eth5" );
	}
);'

# What the daemon does not accept is logged, and nothing is started.
case $(printf 'config mcproxy mcproxy\n\toption robustness 256\nconfig instance\n\tlist upstream a\n\tlist downstream b\n' |
	run start_service) in
"logger -t mcproxy -p daemon.err "*robustness*"out of range"*) ;;
*) fail "a value out of range: not refused" ;;
esac
case $(printf 'config mcproxy mcproxy\nconfig instance\n\tlist upstream a"; x = "\n\tlist downstream b\n' | run start_service) in
*"quotes and backslashes cannot be used"*open_instance*) fail "a quote in a name: started" ;;
"") fail "a quote in a name: not refused" ;;
esac

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

# The recipe.
version=$("$build/mcproxy" -V | cut -d ' ' -f 2)
grep -q "^PKG_VERSION:=$version\$" "$source/config/openwrt/Makefile" || fail "Makefile: PKG_VERSION is not $version"
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
