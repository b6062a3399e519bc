#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the fuzzers' first inputs, corpus/<fuzzer>/<name>, from the descriptions below."""
import pathlib
import socket
import struct

HERE = pathlib.Path(__file__).resolve().parent


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksum(message, partial=b""):
    message = message[:2] + b"\0\0" + message[4:]
    return message[:2] + struct.pack("!H", checksum(partial + message)) + message[4:]


def ip4(text):
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def in_ipv4(message, source="10.0.0.5", destination="224.0.0.22", options=b"\x94\x04\0\0"):
    message = with_checksum(message)
    size = 20 + len(options)
    header = struct.pack("!BBHHHBBH", 0x40 | size // 4, 0xC0, size + len(message), 0, 0x4000, 1, 2, 0)
    header += ip4(source) + ip4(destination) + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + message


def in_ipv6(message, source="fe80::1", destination="ff02::16"):
    addresses = ip6(source) + ip6(destination)
    message = with_checksum(message, addresses + struct.pack("!II", len(message), 58))
    hop_by_hop = b"\x3a\0\x05\x02\0\0\x01\0"
    return struct.pack("!IHBB", 0x60000000, 8 + len(message), 0, 1) + addresses + hop_by_hop + message


def record(kind, group, *sources, auxiliary=b""):
    family = ip6 if ":" in group else ip4
    head = struct.pack("!BBH", kind, len(auxiliary) // 4, len(sources))
    return head + family(group) + b"".join(map(family, sources)) + auxiliary


def igmp_query(group="0.0.0.0", code=100, rest=b""):
    return struct.pack("!BBH", 0x11, code, 0) + ip4(group) + rest


def igmp_report(*records):
    return struct.pack("!BBHHH", 0x22, 0, 0, 0, len(records)) + b"".join(records)


def igmp_single(kind, group):
    return struct.pack("!BBH", kind, 0, 0) + ip4(group)


def mld_query(group="::", code=10000, rest=b""):
    return struct.pack("!BBHHH", 130, 0, 0, code, 0) + ip6(group) + rest


def mld_report(*records):
    return struct.pack("!BBHHH", 143, 0, 0, 0, len(records)) + b"".join(records)


def mld_single(kind, group):
    return struct.pack("!BBHHH", kind, 0, 0, 0, 0) + ip6(group)


IGMP = {
    "v1_query": igmp_query(code=0),
    "v2_query": igmp_query(),
    "v2_group_query": igmp_query("239.1.1.1", 10),
    "v3_query": igmp_query(rest=b"\x02\x7d\0\0"),
    "v3_source_query": igmp_query("232.1.1.1", 10, b"\x0a\x7d\0\x02" + ip4("10.9.9.1") + ip4("10.9.9.2")),
    "v1_report": igmp_single(0x12, "239.1.1.1"),
    "v2_report": igmp_single(0x16, "239.1.1.1"),
    "v2_leave": igmp_single(0x17, "239.1.1.1"),
    "v3_join": igmp_report(record(4, "239.1.1.1")),
    "v3_many": igmp_report(
        record(1, "239.1.1.1", "10.9.9.1"),
        record(2, "239.1.1.2", "10.9.9.1", "10.9.9.2"),
        record(3, "239.1.1.3"),
        record(5, "232.1.1.1", "10.9.9.1", auxiliary=b"12345678"),
        record(6, "232.1.1.1", "10.9.9.2"),
        record(77, "239.1.1.4"),
    ),
}

MLD = {
    "v1_query": mld_query(),
    "v1_group_query": mld_query("ff05::1", 1000),
    "v2_query": mld_query(rest=b"\x02\x7d\0\0"),
    "v2_source_query": mld_query("ff3e::1", 1000, b"\x0a\x7d\0\x01" + ip6("2001:db8::1")),
    "v1_report": mld_single(131, "ff05::1"),
    "v1_done": mld_single(132, "ff05::1"),
    "v2_join": mld_report(record(4, "ff05::1")),
    "v2_many": mld_report(
        record(1, "ff05::1", "2001:db8::1"),
        record(2, "ff05::2", "2001:db8::1", "2001:db8::2"),
        record(3, "ff05::3"),
        record(5, "ff3e::1", "2001:db8::1", auxiliary=b"1234"),
        record(6, "ff3e::1", "2001:db8::2"),
        record(77, "ff05::4"),
    ),
    "v4_mapped": mld_report(record(4, "::ffff:239.1.1.1"), record(5, "ff05::1", "::ffff:10.9.9.1")),
}

# The language of fuzz_instance.c: a byte says what happens, the next ones to what.
PLENTY = b"\0"
UPSTREAM, DOWNSTREAM = 0x1B, 0x0B


def link(number, how, versions=0x0F, numbers=0x02, more=0):
    return bytes((0, number, how, versions, numbers, more))


def raw(number, packet):
    return struct.pack("!BBH", 1, number, len(packet)) + packet


def message(number, sender, data):
    return bytes((2, number, sender, len(data))) + data


def usual(number, group, kind, sources):
    return bytes((4, number, group + 8 * (kind - 1), sources))


def upcall(number, group, source, wrong=0):
    return bytes((7, number, group + 8 * source, wrong))


def counters(group, source, packets):
    return bytes((9, 0, group + 8 * source, packets))


def page(what, number, first):
    return bytes((10, first | what << 5, number))


def wait(milliseconds):
    return struct.pack("!BH", 12, milliseconds)


LINKS = link(0, UPSTREAM) + link(1, DOWNSTREAM) + link(2, DOWNSTREAM)
EVENTS, DEADLINE, LAZY, STOP = b"\x0b\x01", b"\x0d", b"\x0e\x01", b"\x0f\xff"

INSTANCE = {
    "join_and_leave": PLENTY + EVENTS + LINKS + usual(1, 0, 4, 0) + upcall(0, 0, 1) + usual(1, 0, 3, 0) + 4 * DEADLINE,
    "two_links": PLENTY + LINKS + usual(1, 0, 4, 3) + usual(2, 0, 5, 5) + upcall(0, 0, 1) + upcall(2, 0, 2) + 6 * DEADLINE,
    "both_families": PLENTY + LINKS + usual(1, 1, 4, 0) + usual(0x41, 0, 4, 0) + upcall(0, 1, 1) + usual(0x81, 1, 3, 0) + 3 * DEADLINE,
    "old_hosts": PLENTY + LINKS + usual(0x41, 0, 4, 0) + usual(0x61, 0, 4, 0) + usual(0x81, 0, 3, 0) + 5 * DEADLINE,
    "other_querier": PLENTY + LINKS + usual(1, 0, 4, 0) + upcall(0, 0, 1)
    + message(1, 0, igmp_query(rest=b"\x02\x7d\0\0")) + message(1, 0, igmp_query("239.1.1.1", 10)) + 5 * DEADLINE,
    "upstream_query": PLENTY + LINKS + message(0, 9, igmp_query("239.1.1.1", 10, b"\x02\x7d\0\x01" + ip4("10.9.9.1"))),
    "raw_packets": PLENTY + LINKS + raw(1, in_ipv4(IGMP["v3_many"])) + raw(0x81, in_ipv6(MLD["v2_many"]))
    + raw(0x81, in_ipv6(MLD["v4_mapped"])) + raw(2, in_ipv4(IGMP["v2_leave"], destination="224.0.0.2")),
    "links_come_and_go": PLENTY + LINKS + usual(1, 0, 4, 0) + upcall(0, 0, 1) + upcall(1, 2, 2) + link(1, 0) + link(1, DOWNSTREAM)
    + link(2, UPSTREAM) + link(0, 0) + usual(1, 0, 4, 0) + 3 * DEADLINE,
    "ageing": PLENTY + LINKS + upcall(0, 0, 1) + upcall(0, 0, 2) + wait(10000) + counters(0, 1, 5) + wait(15000)
    + counters(0, 1, 5) + counters(0, 2, 0) + upcall(1, 0, 1, 1),
    "few_routes": b"\x01" + LINKS + b"".join(upcall(0, 0, n) for n in range(7)) + usual(1, 0, 4, 0),
    "little_memory": b"\x10" + LINKS + b"".join(usual(1, n, 5, 0x7F) + upcall(0, n, 1) for n in range(8)),
    "snapshots": PLENTY + LINKS + usual(1, 0, 4, 7) + upcall(0, 0, 1) + b"".join(page(n, 1, 1) + page(n, 1, 0) for n in range(4)),
    "tracked_hosts": PLENTY + EVENTS + link(0, UPSTREAM) + link(1, DOWNSTREAM, 0x1F, 0x03) + link(2, DOWNSTREAM, 0x1F, 0x13)
    + b"".join(usual(1 + n % 2, n % 4, 1 + n % 6, n * 7 % 128) for n in range(40)) + upcall(0, 0, 1) + page(2, 1, 1) + page(2, 2, 1)
    + 8 * DEADLINE + usual(1, 0, 3, 0) + 4 * DEADLINE,
    "long_lists": PLENTY + LINKS + raw(1, in_ipv4(igmp_report(record(6, "239.1.1.1", *(f"10.1.{n % 3}.{n}" for n in range(200, 1, -1))))))
    + raw(1, in_ipv4(igmp_report(record(1, "239.1.1.1", *(f"10.2.1.{n}" for n in range(1, 250)))))) + 2 * DEADLINE
    + raw(1, in_ipv4(igmp_report(record(3, "239.1.1.1")))) + 6 * DEADLINE,
    "upstream_queries": PLENTY + LINKS + LAZY + 2 * message(0, 9, igmp_query(rest=b"\x02\x7d\0\0")) + message(0, 9, igmp_query())
    + 260 * message(0, 9, igmp_query("239.1.1.1", 10)),
    "strange_queries": PLENTY + LINKS + message(1, 0, igmp_query(rest=b"\x02\x7d\0\0"))
    + message(1, 0, igmp_query("232.1.1.1", 10, b"\x02\x7d\0\x01" + ip4("224.0.0.1"))) + message(1, 0, igmp_query()) + 3 * DEADLINE,
    "switches": PLENTY + link(0, UPSTREAM) + link(1, DOWNSTREAM, 0x0F, 0x01, 0x70) + message(1, 0, b"\x31\0\0\0") + message(0x81, 1, b"\x98\0\0\0")
    + message(1, 0, b"\x30\x14\0\0\0\x7d\0\x02") + 4 * DEADLINE + link(1, DOWNSTREAM, 0x0F, 0x00) + link(1, DOWNSTREAM, 0x0F, 0x01) + 2 * DEADLINE + STOP,
    "many_leaves": PLENTY + link(0, UPSTREAM) + link(1, DOWNSTREAM, 0x0F, 0x01, 0x21) + 2 * DEADLINE
    + b"".join(usual(1, n, 4, 0) for n in (0, 1, 4, 5, 7)) + b"".join(usual(1, n, 3, 0) for n in (0, 1, 4, 5, 7)) + 3 * DEADLINE
    + 3 * b"".join(usual(1, n, 5, 7) + usual(1, n, 6, 7) for n in (0, 1, 4, 5, 7)) + 12 * DEADLINE,
    "silent_querier": PLENTY + EVENTS + LINKS + usual(1, 0, 4, 0) + usual(1, 1, 4, 0) + message(1, 0, igmp_query(rest=b"\x02\x7d\0\0"))
    + message(0x81, 0, mld_query(rest=b"\x02\x7d\0\0")) + usual(1, 0, 3, 0) + usual(1, 1, 3, 0) + usual(1, 0, 5, 7) + usual(1, 0, 6, 7) + 8 * DEADLINE
    + link(1, 0x2B) + 2 * DEADLINE,
    "elected_querier": PLENTY + EVENTS + LINKS + usual(1, 0, 4, 0) + usual(1, 2, 5, 7) + message(1, 0, igmp_query(rest=b"\x02\x7d\0\0"))
    + message(1, 0, igmp_query("239.1.1.1", 10, b"\x02\x7d\0\0")) + message(1, 0, igmp_query("232.1.1.1", 10, b"\x02\x7d\0\x01" + ip4("10.9.9.1")))
    + usual(1, 0, 4, 0) + usual(1, 2, 5, 7) + usual(1, 0, 3, 0) + usual(1, 2, 6, 7) + message(1, 0, igmp_query("239.1.1.1", 10, b"\x02\x7d\0\0"))
    + message(1, 0, igmp_query("232.1.1.1", 10, b"\x02\x7d\0\x01" + ip4("10.9.9.1"))) + 8 * DEADLINE,
    "foreign_queriers": PLENTY + EVENTS + LINKS + 2 * b"".join(raw(1, in_ipv4(igmp_query(rest=b"\x02\x7d\0\0"), f"192.0.2.{n}", "224.0.0.1")) for n in range(1, 12))
    + raw(1, in_ipv4(igmp_query(rest=b"\x02\x7d\0\0"), "10.0.1.2", "224.0.0.1")) + raw(1, in_ipv4(IGMP["v3_many"], "10.0.1.2"))
    + raw(1, in_ipv4(IGMP["v3_many"], "10.0.1.255")) + DEADLINE,
    "slow_owner": PLENTY + LAZY + EVENTS + LINKS + usual(1, 0, 4, 0) + upcall(0, 0, 1) + usual(2, 0, 5, 3) + link(1, 0) + STOP,
}

# The language of fuzz_host.c.
AUTO, KERNEL, USER, IPV6, SHORT_OF_MEMORY = 0, 2, 4, 1, 0x80
TURN, NEXT, WALK, ANNOUNCE, FORGET, ADOPTED = b"\x09", b"\x07", b"\x0b\x01", b"\x21", b"\x01", b"\xcd"


def host(how, limits=0x1C, versions=5, numbers=0x0F, more=6):
    return bytes((how, limits, versions, numbers, more))


def host_link(how, versions=2):
    return bytes((0, how, versions))


def host_want(instance, group, sources=None, exclude=False):
    return bytes((14, instance | (0x80 if exclude else 0) | (0x40 if sources is None else 0), group)) + struct.pack("!H", sources or 0)


def host_adopt(group, sources, exclude=False):
    return bytes((0x2D, 0x80 if exclude else 0, group)) + struct.pack("!H", sources)


def host_narrow(groups):
    return struct.pack("!BH", 0xED, groups)


def host_query(how, more=0x5F, sources=b""):
    return bytes((2, how, more)) + sources


def host_fail(how, kinds=0xFF):
    return bytes((4, how, kinds))


def host_pass(milliseconds):
    return struct.pack("!BH", 6, milliseconds // 100)


ALL_LISTS = b"".join(host_want(0, group, 0x3FF) for group in range(24))
ALL_GROUPS = b"".join(host_want(0, group, None, True) for group in range(24))
GENERAL, GROUP, SOURCES = 0x44, 0x02, 0x22
HOST = {
    f"{name}_{story}": host(how | family) + steps
    for name, how in (("auto", AUTO), ("kernel", KERNEL), ("user", USER), ("short", USER | SHORT_OF_MEMORY), ("short_auto", AUTO | 0x98))
    for family in (0, IPV6)
    for story, steps in {
        f"answers_{family}": host_link(0x11) + ALL_LISTS + TURN + 4 * NEXT + host_query(GENERAL) + 2 * NEXT + host_query(GENERAL)
        + host_want(0, 3) + 9 * NEXT + host_query(GROUP, 0x47) + host_query(SOURCES, 0x47, b"\0\x07") + 4 * NEXT + WALK + ANNOUNCE + 6 * NEXT,
        f"older_{family}": ALL_GROUPS + TURN + host_query(GENERAL, 0x5E) + 4 * NEXT + host_want(0, 1) + host_want(1, 2, 7) + 4 * NEXT
        + host_query(GENERAL, 0x5D) + 4 * NEXT + host_pass(600000) + 3 * NEXT,
        f"refused_{family}": host_fail(0xE0) + ALL_GROUPS + host_want(1, 0, 0x3FF) + TURN + host_pass(3000) + 3 * NEXT + host_fail(0xE6, 0x10)
        + host_want(0, 0, 0x3FF, True) + host_want(2, 0, 3, True) + TURN + host_pass(3000) + 2 * NEXT + host_fail(0xE4) + ALL_LISTS + TURN + FORGET
        + host_link(1) + 3 * NEXT + host_fail(0xE5) + host_want(0, 5) + TURN,
        f"mixed_{family}": host_want(0, 1, 0x0F) + host_want(1, 1, 0x3C, True) + host_want(2, 1, 0x30) + TURN + host_want(1, 1) + TURN
        + host_want(0, 1, None, True) + TURN + host_want(0, 1, 0x3FF) + host_want(2, 1) + TURN + host_want(0, 1, 1) + TURN + 5 * NEXT,
        f"adopted_{family}": host_adopt(1, 0, True) + host_adopt(2, 0x0F) + host_adopt(3, 1) + host_adopt(4, 0, True) + host_want(0, 2, 3) + TURN
        + host_narrow(0x06) + TURN + host_narrow(0x08) + host_want(1, 4, None, True) + host_want(1, 4) + 4 * NEXT + ADOPTED + b"\xfd\1" + TURN,
    }.items()
}

CONFIG = {
    "guide": b"# a comment\nprotocol IGMPv2\neth0 ==> eth1 tun0;\n\npinstance two: eth2 ==> eth3\n",
    "guide_old": b"protocol IGMPv3;\n\nsplitter: eth0 ==> tun0;\n",
    "smallest": b'instances = ( "eth0 ==> eth1 tun0" );\n',
    "fuller": b"""protocol = [ "IGMPv3", "MLDv2" ];
query_interval = 60.5;
status_file = "/run/status";
instances = (
  { name = "iptv"; upstream = [ "ppp0" ];
    downstream = ( "br-lan", { name = "tun0"; fast_leave = true; robustness = 3; } );
    protocol = "IGMPv2"; query_interval = 30; routes_max = 100; } );
""",
    "policy": b"""sets = { tv = [ "239.35.0.0/16", "239.1.0.0-239.1.9.255", "ff3e::/32", "ssm" ]; guests = [ "10.0.9.0/24", "52:54:00:aa:bb:cc" ]; };
filter_in = [ "default", "deny scope-site" ];
ssm_map = [ "232.1.0.0/16 from 10.1.1.1", "ff3e::/96 from 2001:db8::1" ];
instances = ( { upstream = ( { name = "a"; static = [ "239.1.1.0/24", "232.1.1.1 from 10.0.0.1" ]; }, "b" ); upstream_choice = "mutex";
  downstream = ( { name = "c"; filter_out = ( "deny tv by guests", { action = "allow"; what = "tv"; in = "a"; }, "deny all" );
    static = "239.1.1.1"; host_groups_max = 8; source_address = "10.0.0.1"; ttl_threshold = 3; } ); } );
""",
    "policy_errors": b"""sets = { tv = [ "239.35.0.0/33" ]; all = "239.1.1.1"; }; filter_in = [ "alow all" ];
instances = ( { upstream = "a"; downstream = { name = "b"; static = [ "10.0.0.1", "232.1.1.1" ]; ssm_map = "232.0.0.0/8"; }; } );
""",
    "unknown_key": b'instances = ( "eth0 ==> eth1" );\nno_such_key = 1;\n',
    "wrong_type": b'query_interval = "x";\ninstances = ( { upstream = 1; } );\n',
    "comments": b'/* protocol IGMPv2 */ // eth0 ==> eth1\n# ==>\ninstances = ( "eth0 ==> eth1" );\n',
    "broken": b'instances = ( "eth0 ==> \n',
    "igmpproxy": b"quickleave\nphyint eth0 upstream ratelimit 0 threshold 1\n\taltnet 10.0.0.0/8\nphyint eth1 downstream\n",
    "improxy": b"igmp enable version 3\nupstream eth0\ndownstream eth1\nquickleave enable\n",
    "mcproxy_1": b'protocol MLDv2;\npinstance a(3): "eth0.2" ==> eth1;\ntable t { (239.0.0.0/8 | *) };\n',
    "omcproxy": b"omcproxy eth0,eth1,eth2,scope=site\n",
    "uci": b"config proxy\n\toption uplink 'wan'\n\tlist downlink 'lan'\n",
}

CONTROL = {
    **{f"show_{what}": b'{"command":"show","what":"%s"}\n' % what.encode()
       for what in ("status", "instances", "links", "groups", "routes", "uplinks", "upstream")},
    "filters": b'{"command":"show","what":"groups","instance":"iptv","link":"eth1","group":"239.0.0.0/8"}\n',
    "ipv6_filter": b'{"command":"show","what":"routes","group":"ff1e::1"}\n',
    "monitor": b'{"command":"monitor","link":"eth1"}\n',
    "loglevel": b'{"command":"loglevel","level":"debug"}\n{"command":"loglevel"}\n',
    "broken": b'{"command":"show","what\n{"command":["show"]}\n{"command":"sh\\u006fw"}\nnull\n[]\n{}\n',
}


def questions(*numbers):
    """16 questions to a filter: eight bytes each."""
    return bytes(numbers[i % len(numbers)] * (i % 7 + 1) % 256 for i in range(128))


POLICY = {
    "sets": questions(1, 2, 3) + b"tv = 239.35.0.0/16 ff3e::/32\nallow tv\ndeny all from 10.0.0.0/8 in ppp*\nallow discovery\ndeny all\n",
    "hosts": questions(64, 5, 9) + b"guests=192.168.9.0/24 52:54:00:aa:bb:cc\ndeny 239.1.1.1-239.1.1.9 by guests\nallow all by 10.0.0.1\ndeny all\n",
    "lists": questions(7, 1, 130) + b"allow all from 10.0.0.1\nallow ssm from 10.0.0.4-10.0.0.6\ndeny scope-site\ndeny all from 10.0.0.2 in eth0\n",
    "broken": questions(3) + b"alow all\ntv = tv\ndeny 239.1.1.1/3\nallow all by\ndeny ff02::/129\n",
}

ITEMS = {
    "status": b"\x03\x00" + b'{"version":1,"command":"show","what":"status","uptime":1.5,"user":null,"tables":[{"table":0}]}\n',
    "groups": b"\x1f\x02" + b'{"version":1,"groups":[{"instance":"tv","link":"eth1","group":"239.1.1.1","left":2,"sources":[{"left":1}]},'
              b'{"instance":"t\\"v","link":null,"group":"ff1e::1","members":[]}]}\n',
    "filters": b"\x05\x05" + b'{"filters":[{"instance":"tv","link":"eth1","direction":"in","number":3,"rule":"deny all","last_hit":null}]}',
    "numbers": b"\x01\x03" + b'{ "a" : -1.5e3 , "routes" : [ 1 , "x" , {} , [ ] ] , "b" : { "c" : [ true ] } }',
    "broken": b"\x02\x04" + b'{"upstream":[{"link":"a,}]\\\\"},]}',
}

REQUEST = {
    "page": b"GET\n/\nlocalhost:4605\n\n127.0.0.1\n00000001-2",
    "account": b"HEAD\n/api/groups\n[::1]:4605\nBasic YW5uYTpzZWNyZXQ=\n::1\n00000001-9",
    "name": b"GET\n/events\nTV.example\nbasic  YW5uYTpzZWNyZXQ\n\n1-",
    "address": b"GET\n/api/explain\n192.0.2.1:1\nBearer x\n192.0.2.1",
    "site": b"GET\n/page.js\nlocalhost\n\n\n\ncross-site",
    "other": b"POST\n/api/reload\nexample.org\n",
}


def main():
    corpora = {
        "igmp": {**IGMP, **{f"{name}_packet": in_ipv4(data) for name, data in IGMP.items()}},
        "mld": {**MLD, **{f"{name}_packet": in_ipv6(data) for name, data in MLD.items()}},
        "instance": INSTANCE,
        "config": CONFIG,
        "host": HOST,
        "policy": POLICY,
        "control": CONTROL,
        "items": ITEMS,
        "request": REQUEST,
    }
    for fuzzer, inputs in corpora.items():
        folder = HERE / "corpus" / fuzzer
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in inputs.items():
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
