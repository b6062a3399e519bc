# SPDX-License-Identifier: BSD-2-Clause
"""What filters do, as mcproxyctl shows it: hits, sets, explanations, checks, notes, events and metrics."""

import json
import re
import subprocess

import pytest
from ctl import MCPROXYCTL, ask, mcproxyctl, start_monitor
from diagnosis import explain_until
from families import FAMILIES
from netlab import Daemon, Sender, wait_until

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2")


def guests(family):
    """The addresses from which the hosts of eth1 report; those of IPv6 are link-local."""
    return "10.0.1.0/24" if family.number == 4 else "fe80::/10"


def configuration(family, inward="", outward=""):
    """Each rule has its line: 2 for the first set, 10 for filter_in of eth0, 20 for filter_out of eth1."""
    lines = [""] * 40
    lines[0] = f'protocol = "{family.protocol}"; fast_leave = true;'
    lines[1] = f'sets = {{ tv = [ "{family.group}", "{family.other_group}" ];'
    lines[2] = f'guests = [ "{guests(family)}", "52:54:00:aa:bb:cc" ]; }};'
    lines[8] = 'instances = ( { name = "tv"; upstream = { name = "eth0"; filter_in = ['
    lines[9] = inward + ' ]; };'
    lines[10] = 'downstream = ( { name = "eth1"; filter_out = ['
    lines[19] = outward + ' ]; }, "eth2" );'
    lines[20] = "} );"
    return "\n".join(lines) + "\n"


def host_of(family):
    return "10.0.1.10" if family.number == 4 else "fe80::10"


def start(network, family, **rules):
    daemon = Daemon(network.router, configuration(family, **rules), "-d",
                    **({"vifs": LINKS} if family.number == 4 else {"vifs6": LINKS}))
    for link in LINKS:
        daemon.wait_for_output(f"{link}: in use")
    return daemon


def rules(daemon, **filters):
    return ask(daemon, "show", what="filters", **filters)["filters"]


def hits(daemon, line):
    """(reports, streams) of the rule in that line."""
    rule = next(rule for rule in rules(daemon) if rule["line"] == line)
    return rule["reports"], rule["streams"]


@both_families
def test_rules_count_reports_and_streams(router_two_hosts, family):
    network = router_two_hosts
    daemon = start(network, family, inward=f'"deny {family.other_group}"', outward='"deny tv by guests"')
    family.receiver(network.host).join(family.group)
    wait_until(lambda: hits(daemon, 20)[0] > 0, what="the hit of the denied join")
    assert hits(daemon, 10) == (0, 0)
    family.receiver(network.host2).join(family.group).join(family.other_group)
    Sender(network.source, "eth0", family.other_group).start(pps=50)
    wait_until(lambda: min(hits(daemon, 10)) > 0, what="the hits of the denied group and its stream")
    assert [(rule["link"], rule["direction"], rule["number"], rule["rule"], rule["line"]) for rule in rules(daemon)] == [
        ("eth0", "in", 1, f"deny {family.other_group}", 10), ("eth0", "out", 1, "deny discovery", None),
        ("eth1", "out", 1, "deny tv by guests", 20)]
    assert [rule["link"] for rule in rules(daemon, link="eth1")] == ["eth1"]
    text = mcproxyctl(daemon, "show", "filters")
    assert "mcproxy.conf:20  deny tv by guests" in text and "built in" in text, text
    # Equal filters keep their hits at a reload, others begin again.
    before = hits(daemon, 20)
    daemon.reconfigure(configuration(family, inward='"deny tv"', outward='"deny tv by guests"'))
    wait_until(lambda: rules(daemon)[0]["rule"] == "deny tv", what="the new filter")
    assert hits(daemon, 20)[0] >= before[0]


@both_families
def test_sets_show_their_members(router_two_hosts, family):
    daemon = start(router_two_hosts, family, outward='"deny tv"')
    sets = {one["name"]: one for one in ask(daemon, "show", what="sets")["sets"]}
    assert sets["tv"]["members"] == [f"{family.group}-{family.other_group}"]
    assert sets["tv"]["line"] == 2 and sets["tv"]["used"] and not sets["tv"]["built_in"]
    assert set(sets["guests"]["members"]) == {guests(family), "52:54:00:aa:bb:cc"} and not sets["guests"]["used"]
    assert sets["discovery"]["built_in"] and sets["discovery"]["used"] and not sets["ssm"]["used"]
    assert sets["ssm"]["members"] == ["232.0.0.0/8"] + [f"ff3{scope:x}::/32" for scope in range(16)]
    text = mcproxyctl(daemon, "show", "sets")
    assert "ssm" in text and "and 14 more" in text and "sets, of which" in text
    assert "ff3f::/32" in mcproxyctl(daemon, "show", "sets", "--details")


@both_families
def test_explain_names_the_rule(router_two_hosts, family):
    network = router_two_hosts
    daemon = start(network, family, inward=f'"deny {family.other_group}"', outward='"deny tv by guests"')
    path = daemon.configuration_path
    family.receiver(network.host).join(family.group)
    answer = explain_until(daemon, "policy", family.group, "--link", "eth1", "--host", host_of(family))
    assert answer.text == f"filter_out of eth1 denies the host's join: {path}:20: deny tv by guests"
    assert "put a rule that allows it before this rule" in answer.remedy
    # Without a host, it asks for one.
    answer = explain_until(daemon, "member", family.group, "--link", "eth1")
    assert "add --host ADDRESS" in answer.steps["policy"]["text"]
    # Whatever link: the stream is denied where it enters.
    family.receiver(network.host2).join(family.other_group)
    Sender(network.source, "eth0", family.other_group).start(pps=50)
    answer = explain_until(daemon, "policy", family.other_group)
    assert answer.text == f"filter_in of eth0 denies the group: {path}:10: deny {family.other_group}"
    assert "policy" not in explain_until(daemon, "member", "239.99.1.1" if family.number == 4 else "ff1e::99").steps


@both_families
def test_monitor_and_metrics_show_denials(router_two_hosts, family):
    network = router_two_hosts
    daemon = start(network, family, outward='"deny tv by guests"')
    monitor = start_monitor(daemon)
    family.receiver(network.host).join(family.group)
    wait_until(lambda: re.search(f"eth1: {family.group}: join of [0-9a-f:.]+ denied by the filter rule in line 20$",
                                 monitor.stdout, re.M), what="the event")
    text = mcproxyctl(daemon, "metrics")
    sample = 'mcproxy_filter_report_hits_total{mcproxy_instance="tv",link="eth1",direction="out",line="20",number="1"} '
    assert sample in text, text
    assert int(text.split(sample)[1].split()[0]) > 0
    assert 'mcproxy_filter_stream_hits_total{mcproxy_instance="tv",link="eth0",direction="out",number="1"} 0' in text


@both_families
def test_a_file_is_checked_without_a_daemon(lab, family):
    namespace = lab.namespace("nobody")
    path = namespace.directory / "other.conf"
    path.write_text(configuration(family, inward=f'"deny {family.other_group}"', outward='"deny tv by guests"'))

    def check(*arguments, status=0):
        with namespace.entered():
            result = subprocess.run([MCPROXYCTL, "--json", "check", *arguments, "--config", path], capture_output=True,
                                    text=True, check=False, timeout=30)
        assert result.returncode == status, result
        return json.loads(result.stdout)["instances"][0]

    answer = check(family.group)
    assert [(way["from"], way["to"], way["decision"]) for way in answer["paths"]] == [
        ("eth0", "eth1", "allowed"), ("eth0", "eth2", "allowed")]
    answer = check(family.group, "by", host_of(family))
    assert answer["paths"][0]["filter_out"] == {"decision": "denied", "rule": "deny tv by guests", "file": str(path), "line": 20}
    assert [(one["link"], one["for"]) for one in answer["joined"]] == [("eth0", "eth2")]
    assert check(family.other_group, status=1)["joined"] == []
    assert check(family.group, "by", "52:54:00:AA:BB:CC", "from", family.sources[0])["paths"][0]["decision"] == "denied"


@both_families
def test_a_reload_notes_what_has_no_effect(router_two_hosts, family):
    network = router_two_hosts
    daemon = start(network, family, outward='"deny tv"')
    path = daemon.configuration_path
    notes = ask(daemon, "reload")["notes"]
    assert notes == [f"{path}:3: no rule uses the set guests; name it in a rule, or remove it"]
    path.write_text(configuration(family, inward='"deny all"', outward=f'"deny tv", "allow {family.group} by guests"'))
    notes = ask(daemon, "reload")["notes"]
    assert len(notes) == 2
    assert notes[0].startswith(f"{path}:10: the filter_in of eth0 denies everything")
    assert notes[1].startswith(f'{path}:20: "allow {family.group} by guests" can never match')
