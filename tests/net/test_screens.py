# SPDX-License-Identifier: BSD-2-Clause
"""What mcproxyctl prints for people, on a router with two instances, and on one with a single instance."""

import os
import re
import socket
import subprocess
import time

import pytest
from ctl import MCPROXYCTL, ask, mcproxyctl, socket_path, start_mcproxyctl
from netlab import CraftedHost, Daemon, Membership, Receiver, Record, Sender, wait_until

SETTINGS = 'protocol = ["IGMPv3", "MLDv2"]; track_hosts = true; last_member_query_interval = 0.2;'
TWO = SETTINGS + """instances = ({ name = "iptv"; upstream = "eth0"; downstream = ("eth2", "wg0"); },
                                 { name = "lab"; upstream = "eth0"; downstream = "eth10"; });"""
ONE = SETTINGS + 'instances = ({ name = "iptv"; upstream = "eth0"; downstream = ("eth10", "eth2"); });'


def start(network, configuration):
    """The first host is behind eth10, which comes after eth2."""
    network.router.ip("link set eth1 down", "link set eth1 name eth10", "link set eth10 up")
    links = ("eth0", "eth10", "eth2")
    network.daemon = Daemon(network.router, configuration, vifs=links, vifs6=links)
    wait_until(lambda: all(link["usable"] for link in ask(network.daemon, "show", what="links")["links"] if link["present"]),
               what="the links")
    return network


def report(network, group):
    """A report of another host behind eth10, until the daemon has it: its sockets follow the link."""
    def received():
        CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", group))
        time.sleep(0.1)
        links = ask(network.daemon, "show", what="links")["links"]
        return any(link["counters"]["reports"] for link in links if link["link"] == "eth10" and link["family"] == "IPv4")
    wait_until(received, what="the report")


def fill(network):
    """Groups of each kind on both links, a stream that two hosts watch, and two that nobody wants."""
    report(network, "239.35.1.9")
    Receiver(network.host, "eth0").join("239.35.1.10").join("239.35.1.9")
    member = Membership(network.host2, "eth0").join_source("232.5.5.5", "10.0.0.10")
    member.join_source("232.5.5.6", "10.0.0.10").join_source("232.5.5.6", "10.0.0.11")
    member.join("239.40.0.1").block_source("239.40.0.1", "10.0.0.77")
    Membership(network.host, "eth0", socket.AF_INET6).join("ff1e::35")
    for group in ("239.35.1.9", "239.99.1.1", "239.99.1.2"):
        Sender(network.source, "eth0", group, size=1000).start(pps=200)
    wait_until(lambda: len([group for group in ask(network.daemon, "show", what="groups")["groups"] if group["hosts"]]) == 6,
               what="the groups")
    wait_until(lambda: len(ask(network.daemon, "show", what="routes")["routes"]) >= 3, what="the streams")
    return network


def table(daemon, *arguments):
    """The rows between the titles and the total, as words; and the total."""
    lines = mcproxyctl(daemon, "show", *arguments).splitlines()
    assert max(map(len, lines)) <= 80, lines
    lines = [re.sub(r"(\d\.\d) s\b", r"\1s", line) for line in lines]  # an age below a second is one word
    assert lines[-2] == ""
    return [line.split() for line in lines[1:-2] if not line.startswith("    ")], lines[-1]


def test_groups_by_link_and_number(router_two_hosts):
    network = fill(start(router_two_hosts, ONE))
    lines = mcproxyctl(network.daemon, "show", "groups").splitlines()
    assert lines[0].split("  ")[0] == "LINK" and lines[0].endswith("AGE  EXPIRES")
    rows, total = table(network.daemon, "groups")
    assert [row[:2] for row in rows] == [["eth2", "232.5.5.5"], ["eth2", "232.5.5.6"], ["eth2", "239.40.0.1"],
                                         ["eth10", "239.35.1.9"], ["eth10", "239.35.1.10"], ["eth10", "ff1e::35"]]
    assert [" ".join(row[2:-4]) for row in rows] == ["10.0.0.10", "2 sources", "all but 1"] + ["any source"] * 3
    assert [row[-4] for row in rows] == ["1", "1", "1", "2", "1", "1"] and rows[0][-3] == "IGMPv3" and rows[-1][-3] == "MLDv2"
    assert all(row[-2].startswith("0") and row[-1].startswith("4:") for row in rows)
    assert total == "6 groups with 7 member hosts"
    rows, _ = table(network.daemon, "groups", "--sort", "hosts")
    assert rows[0][1] == "239.35.1.9"
    rows, total = table(network.daemon, "groups", "--group", "239.40.0.1", "--sort", "wanted-from")
    assert len(rows) == 1 and total == "1 group with 1 member host"
    details = mcproxyctl(network.daemon, "show", "groups", "--details", "--link", "eth2")
    for text in ("filter EXCLUDE{10.0.0.77}", "source 10.0.0.77, blocked", "member 10.0.2.10, EXCLUDE of 1 source, expires in 4 min"):
        assert text in details
    assert re.search(r"survives (1 unanswered query|[02-9] unanswered queries)$", details, re.M)
    assert "the columns are INSTANCE, LINK, GROUP" in mcproxyctl(network.daemon, "show", "groups", "--sort", "colour", status=2)


def test_streams_that_someone_wants(router_two_hosts):
    network = fill(start(router_two_hosts, ONE))
    wait_until(lambda: "1 stream, 1.6 Mbit/s" in table(network.daemon, "routes")[1], 10, "the rate")
    rows, total = table(network.daemon, "routes")
    assert [row[:3] for row in rows] == [["eth0", "239.35.1.9", "10.0.0.10"]] and rows[0][-1] == "eth10"
    assert total.endswith("; 2 unwanted (--all shows them)")
    rows, total = table(network.daemon, "routes", "--all")
    assert [row[1] for row in rows] == ["239.35.1.9", "239.99.1.1", "239.99.1.2"]
    assert [row[-2:] for row in rows[1:]] == [["-", "(unwanted)"]] * 2 and total.endswith("; 2 unwanted")
    assert "WRONG IF" in mcproxyctl(network.daemon, "show", "routes")


def test_a_line_for_each_link(router_two_hosts):
    network = fill(start(router_two_hosts, ONE))
    CraftedHost(network.source, "eth0", "10.0.0.10").query(version=2)
    wait_until(lambda: "IGMPv2 (10.0.0.10)" in mcproxyctl(network.daemon, "show", "links"), what="the querier upstream")
    lines = mcproxyctl(network.daemon, "show", "links").splitlines()
    assert lines[0].split() == ["LINK", "ROLE", "IPV4", "IPV6"] and lines[-1] == "3 links"
    assert lines[1].split() == "eth0 upstream 5 joined, IGMPv2 (10.0.0.10) 1 joined, MLDv2, no querier".split()
    assert lines[2].split() == "eth2 downstream 3 groups, IGMPv3, querier 0 groups, MLDv2, querier".split()
    assert lines[3].split() == "eth10 downstream 2 groups, IGMPv3, querier 1 group, MLDv2, querier".split()
    CraftedHost(network.host, "eth0", "10.0.1.0").query()
    network.router.ip("link set eth2 down")
    wait_until(lambda: "IGMPv3, querier 10.0.1.0" in mcproxyctl(network.daemon, "show", "links"), what="the other querier")
    wait_until(lambda: "down down" in " ".join(mcproxyctl(network.daemon, "show", "links").split()), what="the link down")
    assert "3 links, 1 with a fault (mcproxyctl doctor)" in mcproxyctl(network.daemon, "show", "links")


def test_instances_have_a_column_where_there_are_several(router_two_hosts):
    network = fill(start(router_two_hosts, TWO))
    for what in ("links", "groups", "routes"):
        assert mcproxyctl(network.daemon, "show", what).startswith("INSTANCE "), what
        assert "INSTANCE" not in mcproxyctl(network.daemon, "show", what, "--instance", "lab"), what
    rows, _ = table(network.daemon, "groups")
    assert [row[:2] for row in rows] == [["iptv", "eth2"]] * 3 + [["lab", "eth10"]] * 3
    assert "iptv wg0 downstream missing" in " ".join(mcproxyctl(network.daemon, "show", "links").split())


def test_instances_count_what_the_other_views_count(router_two_hosts):
    network = fill(start(router_two_hosts, ONE))
    rows, total = table(network.daemon, "instances")
    assert rows[0][:4] == ["iptv", "6", "1", "2"] and total == "1 instance, 6 groups, 1 stream"


def test_the_overview(router_two_hosts):
    network = fill(start(router_two_hosts, TWO))
    begin = time.monotonic()
    lines = mcproxyctl(network.daemon).splitlines()
    assert time.monotonic() - begin < 1
    text = " ".join(" ".join(lines).split())
    assert text.startswith(f"mcproxy {ask(network.daemon, 'show', what='status')['program_version']}, up ")
    assert f"{network.daemon.configuration_path}, IPv4 and IPv6" in text
    assert "iptv eth0 ==> eth2, wg0 3 groups, no streams wg0 missing" in text
    assert "lab eth0 ==> eth10 3 groups, 1 stream, " in text and "all links up" in text
    assert "doctor: 1 finding, links: wg0: the downstream link of instance iptv does not exist" in text
    narrow = mcproxyctl(network.daemon, wrapper=("env", "COLUMNS=60")).splitlines()
    assert any(re.fullmatch(r" +3 groups, 1 stream, .* bit/s  all links up", line) for line in narrow), narrow
    network.daemon.reconfigure(ONE)
    wait_until(lambda: "doctor: nothing to report" in mcproxyctl(network.daemon), what=lambda: mcproxyctl(network.daemon))


def test_the_overview_has_no_doctor_from_elsewhere(router_two_hosts):
    network = start(router_two_hosts, ONE)
    with network.source.entered():
        text = subprocess.run([MCPROXYCTL, "--socket", socket_path(network.daemon)], capture_output=True, text=True,
                              check=True).stdout
    assert "all links up" in text and "doctor: the daemon runs in another network namespace" in text


def test_explain_ends_with_its_result(router_two_hosts):
    network = fill(start(router_two_hosts, ONE))
    lines = mcproxyctl(network.daemon, "explain", "239.35.1.9", "--seconds", "0.3").splitlines()
    assert lines[-1] == "All well up to eth10"
    with network.router.entered():
        result = subprocess.run([MCPROXYCTL, "--socket", socket_path(network.daemon), "explain", "239.99.1.1", "--seconds",
                                 "0.3"], capture_output=True, text=True, check=False)
    assert result.returncode == 1 and result.stdout.endswith("\nStops at step 2: member\n")


@pytest.mark.parametrize("columns", (50, 80, 200))
def test_doctor_fits_the_screen_and_begins_with_the_worst(router_two_hosts, columns):
    network = start(router_two_hosts, ONE)
    report(network, "232.1.1.1")
    network.router.ip("link set eth2 down")
    environment = {**os.environ, "COLUMNS": str(columns)}

    def found():
        with network.router.entered():
            result = subprocess.run([MCPROXYCTL, "--socket", socket_path(network.daemon), "doctor"], capture_output=True,
                                    text=True, check=False, env=environment)
        return result.stdout if result.stdout.endswith("\n2 findings (14 checks)\n") else None
    text = wait_until(found, 10, lambda: mcproxyctl(network.daemon, "doctor", status=1))
    assert text.startswith("links: eth2: the link is down\n    why: ") and re.search(r"\n\nreports: eth10: \d+ reports? w", text)
    width = max(map(len, text.splitlines()))
    assert width <= columns and (columns > 80) == (width > 80)
    assert "    remedy: ip link set dev eth2 up\n\n" in text


@pytest.mark.parametrize("fast", (False, True), ids=("queries", "fast"))
def test_monitor_names_the_hosts(router_two_hosts, fast):
    network = start(router_two_hosts, ONE.replace("track_hosts", f"fast_leave = {str(fast).lower()}; track_hosts"))
    monitor = start_mcproxyctl(network.daemon, "monitor", "--link", "eth10")
    all_links = start_mcproxyctl(network.daemon, "monitor")
    wait_until(lambda: ask(network.daemon, "show", what="links"), what="an answer")
    time.sleep(0.3)
    host = Membership(network.host, "eth0").join("239.1.1.1").join_source("232.1.1.1", "10.0.0.10")
    host6 = Membership(network.host, "eth0", socket.AF_INET6).join("ff1e::1")
    monitor.wait_for_output("iptv: eth10: 239.1.1.1: 10.0.1.10 joined (any source)\n")
    monitor.wait_for_output("iptv: eth10: 232.1.1.1: 10.0.1.10 joined (10.0.0.10)\n")
    monitor.wait_for_output(f"iptv: eth10: ff1e::1: {network.host.link_local('eth0')} joined (any source)\n")
    other = CraftedHost(network.host, "eth0", "10.0.1.78")
    other.report(Record("TO_EX", "239.1.1.1"))
    monitor.wait_for_output("iptv: eth10: 239.1.1.1: 10.0.1.78 joined too\n")
    other.report(Record("TO_IN", "239.1.1.1"))
    monitor.wait_for_output("iptv: eth10: 239.1.1.1: 10.0.1.78 left, asking others\n")
    time.sleep(0.5)
    host.leave("239.1.1.1")
    host6.leave("ff1e::1")
    for group, address in (("239.1.1.1", "10.0.1.10"), ("ff1e::1", network.host.link_local("eth0"))):
        monitor.wait_for_output(f"iptv: eth10: {group}: {address} left" + ("\n" if fast else ", asking others\n"))
        if not fast:
            monitor.wait_for_output(f"iptv: eth10: {group}: no members remain\n")
        all_links.wait_for_output(f"iptv: eth0: {group}: upstream: left\n")
