# SPDX-License-Identifier: BSD-2-Clause
"""docs/control.md has a sample of every answer: the daemon and mcproxyctl give the same members, of the same types."""

import json
import re
import socket
import subprocess
import time
from pathlib import Path

import pytest
from ctl import MCPROXYCTL, Client, ask, socket_path
from netlab import CraftedHost, Daemon, Membership, Receiver, Record, Sender, wait_until

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "control.md"
TV = """protocol = ["IGMPv3", "MLDv2"]; track_hosts = true; route_timeout = 10; fast_leave = true;
last_member_query_interval = 0.2;
sets = { radio = [ "239.77.0.0/16" ]; };
instances = ({ name = "tv"; upstream = "eth0";
downstream = ({ name = "eth1"; filter_out = [ "deny radio by 10.0.1.88" ]; }, "eth2", "ppp0"); });"""
FREE = ("drops",)  # objects whose members are names that vary
ABSENT = {"group", "source", "host", "address", "link"}  # of an event that has nothing to name there


def name_of(answer):
    """What an answer answers: "show links", "join", "error"."""
    if "event" in answer:
        return answer["event"]
    if "command" not in answer:
        return "error" if "error" in answer else "?"
    return " ".join(filter(None, (answer["command"], answer.get("what"))))


def read_samples():
    text = DOCUMENT.read_text(encoding="utf-8")
    found = {}
    for block in re.findall(r"^```json\n(.*?)^```", text, re.M | re.S):
        decoder, at = json.JSONDecoder(), 0
        while block[at:].strip():
            at += len(block[at:]) - len(block[at:].lstrip())
            sample, at = decoder.raw_decode(block, at)
            assert name_of(sample) not in found, name_of(sample)
            found[name_of(sample)] = sample
    return found


def read_nullable():
    """The members that the document says may be null."""
    section = DOCUMENT.read_text(encoding="utf-8").split("### Members that may be null")[1].split("\n### ")[0]
    return {word for line in section.splitlines() if line.startswith("| `")
            for word in re.findall(r"`(\w+)`", line.split("|")[1])}


SAMPLES = read_samples()
NULLABLE = read_nullable()


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, (int, float)) else type(value).__name__


def difference(value, sample, path):
    """What differs in shape; None: nothing."""
    name = path.rsplit(".", 1)[-1]
    if value is None or sample is None:
        return None if name in NULLABLE else f"{path} is null, but the document does not list it"
    if kind(value) != kind(sample):
        return f"{path} is a {kind(value)}, not a {kind(sample)}"
    if isinstance(value, dict) and name not in FREE:
        if value.keys() != sample.keys() and not ("event" in sample and value.keys() <= sample.keys()
                                                  and sample.keys() - value.keys() <= ABSENT):
            return f"{path} has other members: {sorted(value.keys() ^ sample.keys())}"
        return next(filter(None, (difference(value[key], sample[key], f"{path}.{key}") for key in value)), None)
    if isinstance(value, list):
        sample = sample or SAMPLES.get(f"show {name}", {}).get(name, [])  # overview has the lists of show
        for element in value:
            differences = [difference(element, other, path) for other in sample]
            if sample and None not in differences:
                return "; ".join(differences)
    return None


def check(answer):
    name = name_of(answer)
    found = difference(answer, SAMPLES[name], name)
    assert found is None, f"{found}\n{json.dumps(answer)}\nis unlike the sample\n{json.dumps(SAMPLES[name])}"
    return name


def check_lists(answer):
    """Each element of the sample's lists has an element of its shape in the answer: the sample shows what there is."""
    check(answer)
    sample = SAMPLES[name_of(answer)]
    for key in sample:
        if isinstance(sample[key], list):
            for element in sample[key]:
                assert any(difference(other, element, key) is None for other in answer[key]), (key, element, answer[key])


def groups(daemon):
    return ask(daemon, "show", what="groups")["groups"]


@pytest.fixture
def tv(router_two_hosts):
    """All kinds of links, groups and streams."""
    network = router_two_hosts
    network.daemon = Daemon(network.router, TV, vifs=("eth0", "eth1", "eth2"), vifs6=("eth0", "eth1", "eth2"))
    CraftedHost(network.source, "eth0", "10.0.0.10").query()
    CraftedHost(network.host2, "eth0", "10.0.2.0").query()
    Receiver(network.host, "eth0").join("239.1.1.1")
    member = Membership(network.host, "eth0").join_source("232.1.1.1", "10.0.0.10")
    member.join("239.1.1.2").block_source("239.1.1.2", "10.0.0.9")
    Membership(network.host, "eth0", socket.AF_INET6).join("ff1e::1")
    for group in ("239.1.1.1", "239.1.1.9"):
        Sender(network.source, "eth0", group).start(pps=100)
    wait_until(lambda: len(groups(network.daemon)) == 4 and
               any(source["blocked"] for group in groups(network.daemon) for source in group["sources"]), what="the groups")
    wait_until(lambda: len(ask(network.daemon, "show", what="routes")["routes"]) == 2, what="the streams")
    return network


def run_json(daemon, *arguments):
    with daemon.namespace.entered():
        result = subprocess.run([MCPROXYCTL, "--json", "--socket", socket_path(daemon), *arguments], capture_output=True,
                                text=True, check=False, timeout=60)
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_answers_are_like_their_samples(tv):
    for what in ("status", "instances", "links", "groups", "routes", "upstream", "uplinks", "filters", "sets"):
        check_lists(ask(tv.daemon, "show", what=what))
    for command in ("reload", "loglevel", "dance"):
        check(ask(tv.daemon, command))


def test_documents_of_mcproxyctl_are_like_their_samples(tv):
    for arguments in ((), ("doctor",), ("explain", "239.1.1.1", "--seconds", "0.3"),
                      ("explain", "239.1.1.9", "--seconds", "0.3"),
                      ("check", "239.77.1.1", "by", "10.0.1.88", "--config", str(tv.daemon.configuration_path)), ("explain", "ff1e::1", "--seconds", "0.3")):
        answers = run_json(tv.daemon, *arguments)
        assert len(answers) == 1, arguments
        assert check(answers[0]) == (arguments or ("overview",))[0] and answers[0]["version"] == 1


def test_events_are_like_their_samples(tv):
    network = tv
    client = Client(network.daemon)
    assert check(client.ask("monitor")) == "monitor"
    others = [CraftedHost(network.host, "eth0", f"10.0.1.{number}") for number in (90, 91, 92)]
    for other in others:
        other.report(Record("TO_EX", "239.1.1.8"))
    for other in others[:2]:
        other.report(Record("TO_IN", "239.1.1.8"))
    others[0].join("239.1.1.10")
    others[0].leave("239.1.1.10")
    host = Membership(network.host, "eth0").join("239.1.1.5")
    host.block_source("239.1.1.5", "10.0.0.9")
    Sender(network.source, "eth0", "239.1.1.5").send()
    CraftedHost(network.host, "eth0", "10.0.1.88").report(Record("TO_EX", "239.77.1.1"))
    crafted = CraftedHost(network.host, "eth0", "10.0.1.78")
    crafted.report(Record("ALLOW", "239.1.1.6", ("10.0.0.10",)))
    crafted.report(Record("TO_EX", "239.1.1.6"))
    time.sleep(1)
    host.leave("239.1.1.5")
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", "224.0.0.99"))
    CraftedHost(network.host2, "eth0", "10.9.9.9").query()
    CraftedHost(network.host2, "eth0", "10.0.2.0").query(version=2)
    time.sleep(1)
    CraftedHost(network.host, "eth0", "10.0.1.0").query()
    wanted = set(SAMPLES) & {"join", "host join", "host leave", "leaving", "leave", "filter", "query", "upstream", "source",
                             "source gone", "route", "foreign querier", "older query", "querier", "drop", "denied", "link"}
    network.router.ip("link set eth1 down")
    client.socket.settimeout(40)
    while wanted:
        wanted.discard(check(client.line()))


def test_everything_has_a_sample():
    text = DOCUMENT.read_text(encoding="utf-8")
    events = re.findall(r"^\| ((?:`[a-z ]+`(?:, )?)+) \|", text.split("### monitor")[1].split("\n### ")[0], re.M)
    names = {name for row in events for name in re.findall(r"`([a-z ]+)`", row)} - {"event"}
    assert len(names) > 12 and names <= set(SAMPLES), names - set(SAMPLES)
