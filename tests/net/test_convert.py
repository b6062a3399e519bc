# SPDX-License-Identifier: BSD-2-Clause
"""Another proxy with its own file, then mcproxy with what `mcproxyctl convert` makes of that file, in the same network: what is
joined upstream and what is delivered are equal, except for the differences that docs/migration.md names."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from families import IPV4
from mcproxy_daemon import PROGRAM
from netlab import Capture, CraftedHost, Daemon, Receiver, Record, Sender, wait_until
from topology import make_router
from traffic import Wire

IGMPPROXY, PIMD = Path("/usr/sbin/igmpproxy"), Path("/usr/lib/frr/pimd")
TV, BLOCKED, OTHER, SSM = "239.35.1.1", "239.35.20.5", "239.40.0.1", "232.5.5.5"
GROUPS = (TV, BLOCKED, OTHER)
NEAR, FAR = "10.0.0.10", "172.16.0.5"  # sources in the subnet of the upstream link, and outside it
SETTLED = 1.2  # seconds without a change
LEAVES = 60  # seconds; igmpproxy lets groups go one after another


def knows(program, word):
    """Does the installed program contain that keyword of its configuration?"""
    with contextlib.suppress(OSError):
        return word in program.read_bytes()
    return False


def convert(kind, text, *options):
    """(configuration, exit status)"""
    program = Path(PROGRAM).with_name("mcproxyctl")
    done = subprocess.run([program, "convert", *options, "-"], input=text, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode in (0, 3), done.stderr
    assert f"# Converted from {kind} by" in done.stdout
    return done.stdout, done.returncode


def differences(configuration):
    return [line.split(": ", 1)[1] for line in configuration.splitlines() if "# difference" in line]


class Upstream:
    """What the reports on the upstream link add up to: {group: "any", or its sources}. Groups of the link itself do not count."""

    def __init__(self, network):
        self.capture = Capture(network.source, "eth0")

    def joined(self):
        groups = {}
        for message in self.capture.select(outgoing=False):
            if message.kind == "leave":
                groups.pop(message.group, None)
            elif message.kind == "report" and message.version < 3:
                groups[message.group] = "any"
            for record in message.records if message.kind == "report" else ():
                self._apply(groups, record)
        return {group: sources for group, sources in groups.items() if not group.startswith("224.0.0.")}

    @staticmethod
    def _apply(groups, record):
        if record.type in ("IS_EX", "TO_EX"):
            groups[record.group] = "any"
        elif record.type in ("IS_IN", "TO_IN"):
            groups[record.group] = frozenset(record.sources)
        elif record.type == "ALLOW" and groups.get(record.group) != "any":
            groups[record.group] = groups.get(record.group, frozenset()) | set(record.sources)
        elif record.type == "BLOCK" and groups.get(record.group) != "any":
            groups[record.group] = groups.get(record.group, frozenset()) - set(record.sources)
        if groups.get(record.group) == frozenset():
            del groups[record.group]


class Deliveries:
    """Which streams come in by the links of the hosts, and of the source: {(place, group, source)}"""

    def __init__(self, network, groups):
        places = {"host": network.host, "host2": network.host2, "source": network.source}
        self.wires = [(place, group, Wire(namespace, group)) for place, namespace in places.items() for group in groups]

    def since_last(self):
        own = {"host": "10.0.1.10", "host2": "10.0.2.10"}
        return {(place, group, source) for place, group, wire in self.wires for source in wire.count()
                if source != own.get(place) and not (place == "source" and source in (NEAR, FAR))}


def settle(function, what, wanted=bool, timeout=10.0):
    """The result of the function once it is wanted and has not changed for a while."""
    seen = []

    def settled():
        now = function()
        if not seen or seen[-1] != now:
            seen.append(now)
            return False
        return wanted(now)

    wait_until(settled, timeout, lambda: f"{what}; seen: {seen}", interval=SETTLED)
    return seen[-1]


class Story:
    """Hosts join and leave, streams run both ways; what a proxy makes of it can be compared."""

    def __init__(self, network, groups=GROUPS):
        self.network = network
        self.groups = groups
        network.source.add_addresses("eth0", f"{FAR}/24")
        network.router.ip("route add 172.16.0.0/24 dev eth0")
        self.upstream = Upstream(network)
        self.deliveries = Deliveries(network, groups)
        self.receivers = []
        self.seen = {}

    def stream(self, namespace, group, address=None, **options):
        Sender(namespace, "eth0", group, address=address, **options).start(pps=20)
        return self

    def streams(self, address=NEAR, groups=GROUPS):
        for group in groups:
            self.stream(self.network.source, group, address)
        return self

    def join(self, namespace, *groups, source=None):
        receiver = Receiver(namespace, "eth0")
        for group in groups:
            if source is None:
                receiver.join(group)
            else:
                receiver.join_source(group, source)
        self.receivers.append(receiver)
        return receiver

    def observe(self, name, wanted=bool):
        """Reports upstream and streams delivered, once both no longer change."""
        self.seen[f"{name}: joined"] = settle(self.upstream.joined, f"{name}: joins upstream", wanted)
        self.deliveries.since_last()
        self.seen[f"{name}: delivered"] = settle(self.deliveries.since_last, f"{name}: streams", wanted)

    def leave(self):
        for receiver in self.receivers:
            receiver.close()
        self.seen["left: joined"] = settle(self.upstream.joined, "leaves upstream", lambda seen: not seen, LEAVES)
        self.seen["left: delivered"] = settle(self.deliveries.since_last, "the end of the streams",
                                              lambda seen: not any(place.startswith("host") for place, *_ in seen), LEAVES)
        return self.seen


def start_igmpproxy(network, text):
    path = network.router.directory / "igmpproxy.conf"
    path.write_text(text)
    program = network.router.start("igmpproxy", "-n", path)
    wait_until(lambda: IPV4.vifs(network.router) != [], what="igmpproxy's vifs")
    return program


def start_smcroute(network, text):
    directory = network.router.directory
    (directory / "smcroute.conf").write_text(text)
    program = network.router.start("smcrouted", "-n", "-f", directory / "smcroute.conf", "-P", directory / "smcroute.pid",
                                   "-u", directory / "smcroute.sock")
    wait_until(lambda: IPV4.vifs(network.router) != [], what="smcroute's vifs")
    return program


def start_frr(network, text):
    """pimd needs zebra for the addresses of the interfaces. Both run as the user of the package, who may not enter our directory."""
    directory = Path(tempfile.mkdtemp(prefix="mcproxy-frr-"))
    network.router.lab.defer(shutil.rmtree, directory)
    (directory / "zebra.conf").write_text("")
    (directory / "pimd.conf").write_text(text)
    shutil.chown(directory, "frr")
    common = ("-z", directory / "zserv", "--vty_socket", directory, "-A", "127.0.0.1", "-P", "0")
    network.router.start(PIMD.with_name("zebra"), *common, "-f", directory / "zebra.conf", "-i", directory / "zebra.pid")
    wait_until((directory / "zserv").exists, what="zebra's socket")
    return network.router.start(PIMD, *common, "-f", directory / "pimd.conf", "-i", directory / "pimd.pid")


def start_converted(network, configuration):
    return Daemon(network.router, configuration, vifs=("eth0", "eth1"))


def compare(lab, kind, start, text, tell, *options):
    """tell(network) makes the observations. Returns those of the old proxy and of mcproxy, and the named differences."""
    configuration, status = convert(kind, text, *options)
    old, new = make_router(lab, downstreams=2), make_router(lab, downstreams=2)
    start(old, text)
    before = tell(old)
    start_converted(new, configuration)
    after = tell(new)
    named = differences(configuration)
    assert (status == 3) == bool(named)
    return before, after, named


def members_of_all(network):
    """One host wants three groups, another one of them."""
    story = Story(network).streams()
    story.join(network.host, *GROUPS)
    story.join(network.host2, TV)
    story.observe("members")
    return story.seen


def members_that_leave(network):
    story = Story(network).streams()
    story.join(network.host, *GROUPS)
    story.join(network.host2, TV)
    story.observe("members")
    return story.leave()


EXACT = "phyint eth0 upstream altnet 0.0.0.0/0\nphyint eth1 downstream\nphyint eth2 downstream\n"
DOWNSTREAM_LIST = "phyint eth0 upstream altnet 0.0.0.0/0\nphyint eth1 downstream whitelist 239.35.0.0/16\nphyint eth2 downstream\n"
LISTS = ("phyint eth0 upstream altnet 0.0.0.0/0 whitelist 239.35.1.0/24 whitelist 239.40.0.0/16\n"
         "phyint eth1 downstream whitelist 239.35.0.0/16\n"
         "phyint eth2 downstream\n")
# Since igmpproxy 0.4. Debian 12 has 0.3.
LAST_MATCH = ("phyint eth0 upstream altnet 0.0.0.0/0 blacklist 239.35.0.0/16 whitelist 239.35.20.0/24\n"
              "phyint eth1 downstream blacklist 239.40.0.0/16\n"
              "phyint eth2 downstream\n")
DISABLED = "phyint eth0 upstream altnet 0.0.0.0/0\nphyint eth1 downstream\nphyint eth2 disabled\n"
DEFAULT_DOWN = "defaultdown\nphyint eth0 upstream altnet 0.0.0.0/0\nphyint lo disabled\n"


@pytest.mark.parametrize("text", [EXACT, DOWNSTREAM_LIST, DISABLED, DEFAULT_DOWN], ids=["exact", "list", "disabled", "defaultdown"])
def test_igmpproxy_and_its_conversion_do_the_same(lab, text):
    tell = members_that_leave if text == EXACT else members_of_all
    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, text, tell)
    assert before == after
    assert named == (["disabled: its filters deny everything, but mcproxy sends queries there"] if text == DEFAULT_DOWN else [])
    assert before["members: joined"][TV] == "any"


def test_streams_that_a_list_upstream_does_not_join_are_a_named_difference(lab):
    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, LISTS, members_of_all)
    assert before["members: joined"] == after["members: joined"] == {TV: "any"}
    # Here the source sends all groups, joined or not.
    assert before["members: delivered"] - after["members: delivered"] == {("host", BLOCKED, NEAR)}
    assert after["members: delivered"] == {("host", TV, NEAR), ("host2", TV, NEAR)}
    assert named == ["lists upstream: igmpproxy still forwards such streams if they arrive; mcproxy does not"]


@pytest.mark.skipif(not knows(IGMPPROXY, b"blacklist"), reason="the packaged igmpproxy has no `blacklist` (it came with 0.4)")
def test_the_last_matching_list_entry_of_igmpproxy_decides(lab):
    def only_blocked_passes(network):
        story = Story(network).streams()
        story.join(network.host, *GROUPS)
        story.observe("members")
        return story.seen

    before, after, _ = compare(lab, "an igmpproxy file", start_igmpproxy, LAST_MATCH, only_blocked_passes)
    assert before == after
    assert before["members: delivered"] == {("host", BLOCKED, NEAR)}
    assert before["members: joined"] == {BLOCKED: "any"}


def test_quickleave_leaves_upstream_when_the_last_host_has_left(lab):
    def one_member(network):
        story = Story(network).streams()
        story.join(network.host, TV)
        story.observe("members")
        return story

    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, f"quickleave\n{EXACT}", one_member)
    assert before.seen == after.seen
    assert named == ["quickleave: after a leave, mcproxy still queries where a host may be unknown"]
    # igmpproxy 0.3 of Debian 12 does not leave upstream here, not even when the membership has aged out.
    assert after.leave()["left: joined"] == {}


def streams_of_both_sources(network):
    story = Story(network).streams().stream(network.source, TV, FAR)
    story.join(network.host, TV)
    story.observe("members")
    return story.seen


NO_ALTNET = "phyint eth0 upstream\nphyint eth1 downstream\nphyint eth2 downstream\n"
ALTNET = "phyint eth0 upstream altnet 10.0.0.0/24\nphyint eth1 downstream\nphyint eth2 downstream\n"


def test_sources_outside_the_altnets_are_a_named_difference(lab):
    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, NO_ALTNET, streams_of_both_sources)
    # The far source is in a subnet of its own address on the link, so it needs no altnet of a route.
    assert before["members: joined"] == after["members: joined"] == {TV: "any"}
    assert ("host", TV, NEAR) in before["members: delivered"]
    assert after["members: delivered"] == {("host", TV, NEAR), ("host", TV, FAR)}
    assert ("host", TV, FAR) not in before["members: delivered"]
    assert named == ["mcproxy accepts every source, not only those in the subnets of eth0"]


def test_strict_rules_keep_the_sources_of_the_altnets(lab):
    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, ALTNET, streams_of_both_sources, "--strict")
    assert before["members: delivered"] == after["members: delivered"] == {("host", TV, NEAR)}
    # A rule with sources turns the join upstream into one of these sources only where they are addresses.
    assert set(before["members: joined"]) == set(after["members: joined"]) == {TV}
    assert named == ["sources in the subnets of eth0 itself need a rule of their own"]


def test_igmpproxy_joins_all_sources_for_a_host_that_names_one(lab):
    def one_source(network):
        story = Story(network, (SSM,)).streams(groups=(SSM,))
        story.join(network.host, SSM, source=NEAR)
        story.observe("members")
        return story.seen

    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, EXACT, one_source)
    assert before.pop("members: joined") == {SSM: "any"}
    assert after.pop("members: joined") == {SSM: frozenset({NEAR})}  # docs/migration.md
    assert before == after
    assert named == []


def test_threshold_of_igmpproxy_drops_packets_of_a_small_ttl(lab):
    text = "phyint eth0 upstream altnet 0.0.0.0/0\nphyint eth1 downstream threshold 10\nphyint eth2 downstream\n"

    def two_lives(network):
        story = Story(network).stream(network.source, TV, NEAR, ttl=8).stream(network.source, OTHER, NEAR, ttl=20)
        story.join(network.host, TV, OTHER)
        story.join(network.host2, TV)
        story.observe("members")
        return story.seen

    before, after, named = compare(lab, "an igmpproxy file", start_igmpproxy, text, two_lives)
    assert before == after
    assert before["members: delivered"] == {("host", OTHER, NEAR), ("host2", TV, NEAR)}
    assert named == []


def test_igmpproxy_forwards_no_streams_of_hosts(lab):
    def host_sends(network):
        story = Story(network).stream(network.host, TV)
        story.join(network.host2, TV)
        story.observe("members", lambda seen: True)
        return story.seen

    before, after, _ = compare(lab, "an igmpproxy file", start_igmpproxy, EXACT, host_sends)
    assert before == after
    assert before["members: delivered"] == set()


SMCROUTE = f"""mgroup from eth0 group {TV}
mgroup from eth0 source {NEAR} group {SSM}
mroute from eth0 group {TV} to eth1 eth2
mroute from eth0 source {NEAR} group {SSM} to eth1
mroute from eth1 group {OTHER} to eth2
"""


def test_smcroute_and_its_conversion_route_the_same(lab):
    def no_members(network):
        story = Story(network, (TV, SSM, OTHER, BLOCKED)).streams(groups=(TV, SSM, OTHER, BLOCKED))
        story.stream(network.source, TV, FAR).stream(network.source, SSM, FAR).stream(network.host, OTHER)
        IPV4.querier(network).query(max_response=1)  # the proxy may have reported its joins before the story began
        story.observe("routes")
        return story.seen

    before, after, named = compare(lab, "an smcroute file", start_smcroute, SMCROUTE, no_members)
    assert before["routes: delivered"] == after["routes: delivered"] == {
        ("host", TV, NEAR), ("host2", TV, NEAR), ("host", TV, FAR), ("host2", TV, FAR), ("host", SSM, NEAR), ("host2", OTHER, "10.0.1.10")}
    assert before["routes: joined"] == {TV: "any", SSM: frozenset({NEAR})}
    # The static group of eth2 may also come from upstream: "mcproxy joins routed groups upstream".
    assert after["routes: joined"] in (before["routes: joined"], {**before["routes: joined"], OTHER: "any"})
    assert named == ["mcproxy joins routed groups upstream, and sends queries downstream"]


@pytest.mark.skipif(not knows(PIMD, b"ip igmp proxy"), reason="the packaged pimd has no `ip igmp proxy` (it came with FRR 10)")
def test_the_proxy_of_frr_and_its_conversion_do_the_same(lab):
    text = "interface eth0\n ip igmp\n ip igmp proxy\nexit\n" + "".join(
        f"interface {name}\n ip pim\n ip igmp\nexit\n" for name in ("eth1", "eth2"))
    before, after, _ = compare(lab, "FRR's configuration", start_frr, text, members_that_leave)
    assert before["members: joined"] == after["members: joined"]
    assert before["left: joined"] == after["left: joined"]


QUERIER = """interface eth1
 ip igmp
 ip igmp query-interval 20
 ip igmp query-max-response-time 50
 ip igmp last-member-query-count 3
 ip igmp last-member-query-interval 5
exit
"""


@pytest.mark.skipif(not PIMD.exists(), reason="frr is not installed")
def test_the_querier_of_frr_and_its_conversion_send_the_same_queries(lab):
    def queries(network):
        capture = Capture(network.host, "eth0")
        general = capture.wait_for(lambda m: m.kind == "query" and m.group == "0.0.0.0", "a general query", 30)
        # A kernel would repeat its leave, and pimd answers each one with queries.
        host = CraftedHost(network.host, "eth0", "10.0.1.10")
        host.report(Record("TO_EX", TV))
        host.report(Record("TO_IN", TV))
        settle(lambda: len(capture.select("query", group=TV)), "the last-member queries", timeout=15)
        last = capture.select("query", group=TV)
        return {"general": (general.version, general.max_response, general.query_interval, general.robustness),
                "last": (len(last), {query.max_response for query in last})}

    configuration, status = convert("FRR's configuration", QUERIER)
    assert status == 3 and differences(configuration) == ['no interface with "ip igmp proxy": this is a querier only']
    old, new = make_router(lab), make_router(lab)
    start_frr(old, QUERIER)
    before = queries(old)
    Daemon(new.router, configuration, vifs=("eth1",))
    assert before == queries(new)
    assert before["general"][:3] == (3, 5.0, 20) and before["last"] == (3, {0.5})


def test_every_name_of_a_difference_is_in_the_guide():
    """The tests above compare with what migration.md promises."""
    guide = (Path(__file__).resolve().parents[2] / "docs/migration.md").read_text()
    for promise in ("joins the group for all sources", "accepts every source", "sends IGMPv3 queries"):
        assert promise in guide, promise
    assert os.access(Path(PROGRAM).with_name("mcproxyctl"), os.X_OK)
