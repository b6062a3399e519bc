# SPDX-License-Identifier: BSD-2-Clause
"""SIGHUP under live streams: what did not change loses no packet, what did change is in force, an error changes nothing."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from ctl import Client, ask, mcproxyctl, socket_path
from families import FAMILIES, IPV4, IPV6
from mcproxy_daemon import PROGRAM
from mroute import MulticastRouting6
from netlab import Daemon, Receiver, Sender, tables, wait_until
from test_instances import Network
from topology import make_router
from wire import Record

BUILD = Path(os.environ.get("MCPROXY_BUILD", PROGRAM.parent))
GROUP, OTHER, PPS = "239.1.2.3", "239.1.2.4", 200
QUICK = "query_interval = 5; query_response_interval = 0.5; last_member_query_interval = 0.2;\n"


@pytest.fixture
def network(lab):
    return make_router(lab, downstreams=3)


@pytest.fixture
def four(lab):
    return Network(lab)


def text(*instances, settings="", protocol='"IGMPv3"'):
    return f"protocol = {protocol}; {QUICK}{settings}\ninstances = ({', '.join(instances)});\n"


def start(network, *instances, links=("eth0", "eth1"), vifs6=(), **options):
    daemon = Daemon(network.router, text(*instances, **options), "-d", vifs=links, vifs6=vifs6)
    for link in links:
        daemon.wait_for_output(f" {link}: link usable")
    return daemon


class Stream:
    """A stream that flows, from the source to a host that has joined it, and must not lose a packet."""

    def __init__(self, source, host, group=GROUP):
        self.receiver = Receiver(host, "eth0").join(group)
        self.sender = Sender(source, "eth0", group).start(pps=PPS)
        self.receiver.wait_for(20)
        self.first = self.receiver.sequences()[-1]

    def assert_whole(self):
        """Nothing was lost, and it still flows."""
        self.receiver.wait_for(PPS // 4)
        got = [number for number in self.receiver.sequences() if number >= self.first]
        lost = set(range(self.first, got[-1] + 1)) - set(got)
        assert not lost and len(got) == len(set(got)), f"{len(lost)} of {got[-1] - self.first} packets lost: {lost}"


def reload(daemon, configuration):
    """Has the daemon read a configuration; returns what it has written since."""
    before = len(daemon.stderr)
    daemon.reconfigure(configuration)
    wait_until(lambda: any(word in daemon.stderr[before:] for word in ("is in force\n", "stays as it was\n")), 10,
               lambda: f"the end of the reload: {daemon.stderr[before:]}")
    return daemon.stderr[before:]


def threads(daemon):
    return set(os.listdir(f"/proc/{daemon.pid}/task"))


@pytest.mark.smoke
def test_the_same_file_again_changes_nothing(network):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    workers, before = threads(daemon), tables.routes(network.router)[network.source_address, GROUP]
    for _ in range(10):
        said = reload(daemon, text('"eth0 ==> eth1"'))
        assert "changed" not in said and ": in use" not in said
    stream.assert_whole()
    after = tables.routes(network.router)[network.source_address, GROUP]
    assert threads(daemon) == workers and after.packets > before.packets and after.parent == before.parent


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_downstream_comes_and_goes(network, family):
    protocol = f'"{family.protocol}"'
    ready = {} if family.number == 4 else {"links": (), "vifs6": ("eth0", "eth1")}
    daemon = start(network, '"eth0 ==> eth1"', protocol=protocol, **ready)
    receiver = family.receiver(network.host).join(family.group)
    sender = Sender(network.source, "eth0", family.group).start(pps=PPS)
    receiver.wait_for(20)
    first = receiver.sequences()[-1]
    other = family.receiver(network.host2).join(family.group)

    said = reload(daemon, text('"eth0 ==> eth1 eth2"', protocol=protocol))
    assert "eth0: changed: +eth2\n" in said
    other.wait_for(20)
    assert "eth1: query sent" not in daemon.stderr[daemon.stderr.index("+eth2"):], "the other link was left alone"

    said = reload(daemon, text('"eth0 ==> eth1"', protocol=protocol))
    assert "eth0: changed: -eth2\n" in said and "interface is gone" not in daemon.stderr
    other.wait_for_silence()
    wait_until(lambda: {vif.name for vif in family.vifs(network.router)} == {"eth0", "eth1"}, what="the vif to go")
    receiver.wait_for(20)
    sender.stop()
    got = [number for number in receiver.sequences() if number >= first]
    assert got == list(range(first, got[-1] + 1)), "no packet lost on the link that stayed"


@pytest.mark.parametrize("settings, version, interval", (
    ("query_interval = 2;", 3, 2), ("query_interval = 60;", 3, 60), ('protocol = "IGMPv2";', 2, 0),
    ("fast_leave = true; last_member_query_count = 1;", None, 0)))
def test_settings_of_the_link_of_a_stream(network, settings, version, interval):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    capture = IPV4.capture(network.host)
    said = reload(daemon, text(f'{{ upstream = "eth0"; downstream = "eth1"; {settings} }}'))
    assert "eth0: changed: " in said and "eth1: settings" in said
    if version is not None:
        capture.wait_for(lambda m: m.kind == "query" and m.version == version
                         and m.query_interval in (0, interval), "a query with the new settings", timeout=8)
    stream.assert_whole()
    if "fast_leave" in settings:
        # Its hosts are known from then on: no query follows when the only member of a new group leaves.
        member = Receiver(network.host, "eth0").join(OTHER)
        daemon.wait_for_output(f"eth1: {OTHER}: joined")
        member.leave(OTHER)
        daemon.wait_for_output(f"eth1: {OTHER}: left")
        assert not capture.select("query", group=OTHER), "fast_leave is in force"


@pytest.mark.parametrize("bad, message", (
    ("instances = ( \"eth0 ==> eth1\" );\nrobustnes = 3;", "mcproxy.conf:2: robustnes: unknown option"),
    ("\neth0 => eth1", "mcproxy.conf:2: syntax error in `eth0 => eth1`"),
    ("eth0 ==> eth0", "mcproxy.conf:1: eth0: both upstream and downstream"),
    ("", "no instances"),
    (None, "No such file or directory"),
), ids=("option", "syntax", "role", "empty", "missing"))
def test_a_bad_file_changes_nothing(network, bad, message):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    if bad is None:
        daemon.configuration_path.unlink()
        daemon.signal(signal.SIGHUP)
        daemon.wait_for_output("everything stays as it was")
    else:
        assert "everything stays as it was" in reload(daemon, bad)
    assert message in daemon.stderr
    stream.assert_whole()
    # It works as before.
    assert "is in force" in reload(daemon, text('"eth0 ==> eth1 eth2"'))
    stream.assert_whole()


def test_a_family_that_another_router_holds_is_waited_for(network):
    """The rest of the configuration is in force."""
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    rival = MulticastRouting6(network.router)
    both = text('"eth0 ==> eth1 eth2"', protocol='["IGMPv3", "MLDv2"]')
    said = reload(daemon, both)
    assert "IPv6: another multicast router is running" in said and "is in force" in said
    wait_until(lambda: {vif.name for vif in tables.vifs(network.router)} == {"eth0", "eth1", "eth2"}, what="the vifs")
    stream.assert_whole()
    rival.close()
    wait_until(lambda: {vif.name for vif in tables.vifs6(network.router)} == {"eth0", "eth1", "eth2"}, what="the mifs")
    stream.assert_whole()


def test_a_family_begins_and_ends(network):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    for _ in range(2):
        reload(daemon, text('"eth0 ==> eth1"', protocol='["IGMPv3", "MLDv2"]'))
        receiver = IPV6.receiver(network.host).join(IPV6.group)
        sender = Sender(network.source, "eth0", IPV6.group).start(pps=PPS)
        receiver.wait_for(20)
        assert IPV6.group in IPV6.joined(network)
        reload(daemon, text('"eth0 ==> eth1"'))
        receiver.wait_for_silence()
        wait_until(lambda: IPV6.group not in IPV6.joined(network) and not tables.vifs6(network.router), what="its end")
        sender.stop()
        receiver.close()
    MulticastRouting6(network.router).done()  # the socket is free
    stream.assert_whole()


@pytest.mark.smoke
def test_instances_begin_and_end(four):
    daemon = start(four, '"eth0 ==> eth1"')
    workers = threads(daemon)
    stream = Stream(four.source, four.host)
    for _ in range(2):
        said = reload(daemon, text('"eth2 ==> eth3"', '"eth0 ==> eth1"'))
        assert "eth2: added\n" in said and len(threads(daemon)) == len(workers) + 1
        second = Stream(four.source2, four.host2, OTHER)
        assert OTHER in tables.igmp_groups(four.router, "eth2")
        second.assert_whole()
        said = reload(daemon, text('"eth0 ==> eth1"'))
        assert "eth2: removed\n" in said and threads(daemon) == workers
        second.receiver.wait_for_silence()
        wait_until(lambda: OTHER not in tables.igmp_groups(four.router, "eth2"), what="the leave upstream")
        wait_until(lambda: {vif.name for vif in tables.vifs(four.router)} == {"eth0", "eth1"}, what="the vifs to go")
        wait_until(lambda: {group for _, group in tables.routes(four.router)} == {GROUP}, what="the routes to go")
        second.sender.stop()
        second.receiver.close()
    stream.assert_whole()


def test_an_instance_is_known_by_its_links_and_name(four):
    daemon = start(four, '"eth0 ==> eth1"')
    workers = threads(daemon)
    stream = Stream(four.source, four.host)
    said = reload(daemon, text('{ name = "iptv"; upstream = "eth0"; downstream = "eth1"; }'))
    assert "iptv: changed: named eth0 before\n" in said
    stream.assert_whole()
    # And then by its name.
    reload(daemon, text('{ name = "iptv"; upstream = "eth2"; downstream = "eth1"; }'))
    wait_until(lambda: GROUP in tables.igmp_groups(four.router, "eth2")
               and GROUP not in tables.igmp_groups(four.router, "eth0"), what="the join on the other upstream")
    assert threads(daemon) == workers
    Sender(four.source2, "eth0", GROUP).start(pps=PPS)
    stream.receiver.wait_for(20, source="10.0.2.10")
    # And at last by a downstream link: its member is not asked for again.
    said = reload(daemon, text('"eth0 ==> eth1"'))
    assert "eth0: changed: named iptv before -eth2 +eth0\n" in said
    stream.receiver.wait_for(20, source="10.0.0.10")
    assert threads(daemon) == workers and daemon.stderr.count(f"eth1: {GROUP}: joined") == 1


def test_a_link_changes_its_side(network):
    daemon = start(network, '"eth0 ==> eth1 eth2"', links=("eth0", "eth1", "eth2"))
    stream = Stream(network.source, network.host)
    assert "changed: +eth2 -eth2" in reload(daemon, text('"eth0 eth2 ==> eth1"', settings='upstream_choice = "all";'))
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth2"), what="the join there")
    reload(daemon, text('"eth0 ==> eth1 eth2"'))
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth2"), what="the leave there")
    Receiver(network.host2, "eth0").join(GROUP).wait_for(20)
    stream.assert_whole()


def test_instances_that_share_an_upstream(network):
    first, second = '"eth0 ==> eth1"', '"eth0 ==> eth2"'
    daemon = start(network, first, second, links=("eth0", "eth1", "eth2"))
    stream = Stream(network.source, network.host)
    Receiver(network.host2, "eth0").join(GROUP).join(OTHER)
    wait_until(lambda: OTHER in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    capture = IPV4.capture(network.source)
    reload(daemon, text(first))
    wait_until(lambda: OTHER not in tables.igmp_groups(network.router, "eth0"), what="the leave upstream")
    stream.assert_whole()
    assert GROUP in tables.igmp_groups(network.router, "eth0")
    assert Record("TO_IN", GROUP) not in capture.records(GROUP), "what both had is not left"
    # The one that was first goes.
    reload(daemon, text(second, first))
    wait_until(lambda: OTHER in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    reload(daemon, text(second))
    stream.receiver.wait_for_silence()
    assert {GROUP, OTHER} <= set(tables.igmp_groups(network.router, "eth0"))


def joins_and_leaves(capture, group):
    return [record.type for record in capture.records(group, outgoing=False)
            if record.type in ("TO_EX", "IS_EX", "TO_IN") and not record.sources]


def test_who_keeps_the_memberships_upstream(network):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    capture = IPV4.capture(network.source)
    said = reload(daemon, text('"eth0 ==> eth1"', settings='upstream_membership = "user";'))
    assert "eth0: settings" in said
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth0"), what="the kernel's leave")
    capture.wait_for_record("TO_EX", GROUP)
    # The kernel's leave, 10 ms later, which it repeats within a second. A querier would ask.
    wait_until(lambda: capture.records(GROUP).count(Record("TO_IN", GROUP)) == 2, what="both leaves of the kernel")
    asker = IPV4.querier(network)
    mark = capture.messages[-1].time
    asker.query(group=GROUP, max_response=0.5)
    capture.wait_for(lambda m: m.kind == "report" and Record("IS_EX", GROUP) in m.records, "the answer", after=mark)
    # Back to the kernel: no group is left.
    mark = capture.messages[-1].time
    reload(daemon, text('"eth0 ==> eth1"'))
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the kernel's join")
    asker.query(group=GROUP, max_response=0.5)
    capture.wait_for(lambda m: m.kind == "report" and Record("IS_EX", GROUP) in m.records, "the answer", after=mark)
    assert Record("TO_IN", GROUP) not in capture.records(GROUP, after=mark)
    stream.assert_whole()


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_version_spoken_upstream(network, family):
    protocol = f'"{family.protocol}"'
    ready = {} if family.number == 4 else {"links": (), "vifs6": ("eth0", "eth1")}
    daemon = start(network, '"eth0 ==> eth1"', protocol=protocol, **ready)
    capture = family.capture(network.source)
    fixed = text('"eth0 ==> eth1"', settings=f'upstream_version = "{family.older}";', protocol=protocol)
    reload(daemon, fixed)
    wait_until(lambda: family.forced_version(network.router) == family.older_version, what="the forced version")
    family.receiver(network.host).join(family.group)
    capture.wait_for(lambda m: m.kind == "report" and m.version == family.older_version and m.group == family.group,
                     "a report in the fixed version")
    reload(daemon, text('"eth0 ==> eth1"', protocol=protocol))
    wait_until(lambda: family.forced_version(network.router) == 0, what="the old value")
    family.receiver(network.host).join(family.other_group)
    capture.wait_for_record("TO_EX", family.other_group)


def test_global_keys(network):
    daemon = start(network, '"eth0 ==> eth1"')
    path = network.router.directory / "run" / "mcproxy" / "status"
    said = reload(daemon, text('"eth0 ==> eth1"', settings='ring_size = 64; status_file = "/run/mcproxy/status";'))
    assert "ring_size: holds for instances that begin from now on" in said
    daemon.signal(signal.SIGUSR1)
    wait_until(path.exists, what="the status file")


def test_limits_of_an_instance(network):
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    said = reload(daemon, text('{ upstream = "eth0"; downstream = "eth1"; routes_max = 1; }'))
    assert "eth0: changed: limits\n" in said
    Sender(network.source, "eth0", OTHER).start(pps=50)
    daemon.wait_for_output("dropped: routes_max")
    stream.assert_whole()


@pytest.mark.smoke
def test_reloads_under_load(network):
    """Many at once, of three configurations, with a stream that is in all of them."""
    daemon = start(network, '"eth0 ==> eth1"')
    stream = Stream(network.source, network.host)
    Receiver(network.host2, "eth0").join(GROUP)
    configurations = (text('"eth0 ==> eth1 eth2"'), text('"eth0 ==> eth1"', '"==> eth2 eth3"'),
                      text('"eth3 ==> eth2"', '"eth0 ==> eth1"', settings="robustness = 3;"))
    for round in range(60):
        reload(daemon, configurations[round % 3])
        daemon.signal(signal.SIGHUP)
        if round % 10 == 0:
            daemon.signal(signal.SIGUSR1)
            assert len(ask(daemon, "show", what="upstream")["memberships"]) >= 1
    stream.assert_whole()


def test_a_downstream_moves_to_another_instance(four):
    daemon = start(four, '"eth0 ==> eth1"', '"==> eth3"', links=("eth0", "eth1", "eth3"))
    stream = Stream(four.source, four.host)
    other = Receiver(four.host2, "eth0").join(GROUP)
    for _ in range(2):
        reload(daemon, text('"eth0 ==> eth1 eth3"'))
        other.wait_for(20)
        reload(daemon, text('"eth0 ==> eth1"', '"==> eth3"'))
        other.wait_for_silence()
    stream.assert_whole()


def test_an_instance_gets_another_table(four):
    """It ends and begins again; the other one is not touched, whatever its own table is."""
    first = '{ upstream = "eth0"; downstream = "eth1"; table = "own"; }'
    daemon = Daemon(four.router, text(first, '"eth2 ==> eth3"'), "-d", vifs=("eth2", "eth3"))
    stream, second = Stream(four.source, four.host), Stream(four.source2, four.host2, OTHER)
    rules = four.router.ip_json("mrule")
    said = reload(daemon, text(first, '{ upstream = "eth2"; downstream = "eth3"; table = 7; }'))
    assert "eth2: removed\n" in said and "eth2: added\n" in said
    second.receiver.wait_for(20)
    wait_until(lambda: len(four.router.ip_json("mrule")) == len(rules) + 4, what="the rules of the new table")
    reload(daemon, text(first, '"eth2 ==> eth3"'))
    second.receiver.wait_for(20)
    wait_until(lambda: four.router.ip_json("mrule") == rules, what="the rules to go")
    assert {vif.name for vif in tables.vifs(four.router)} == {"eth2", "eth3"}
    stream.assert_whole()
    reload(daemon, text('"eth2 ==> eth3"'))
    wait_until(lambda: len(four.router.ip_json("mrule")) == len(rules) - 4, what="the rules to go")


def test_what_is_shown_after_a_reload(four):
    """The control socket, and the status, where the first instance has ended and others have come."""
    daemon = start(four, '"eth0 ==> eth1"', '"eth2 ==> eth3"', links=("eth0", "eth1", "eth2", "eth3"))
    Receiver(four.host2, "eth0").join(OTHER)
    daemon.wait_for_output(f"eth3: {OTHER}: joined")
    reload(daemon, text('"eth2 ==> eth3"'))
    assert ask(daemon, "show", what="status")["instances"] == 1
    assert [row["instance"] for row in ask(daemon, "show", what="instances")["instances"]] == ["eth2"]
    assert [row["link"] for row in ask(daemon, "show", what="links")["links"]] == ["eth2", "eth3"]
    assert [row["group"] for row in ask(daemon, "show", what="groups")["groups"]] == [OTHER]
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_output("##-- instance upstream eth2 ")
    assert "##-- instance upstream eth0 " not in daemon.stdout
    path = Path(socket_path(daemon)).with_name("other.sock")
    reload(daemon, text('"eth2 ==> eth3"', '"eth0 ==> eth1"', settings='control_socket = "/run/mcproxy/other.sock";'))
    assert path.is_socket()
    reload(daemon, text('"eth2 ==> eth3"', '"eth0 ==> eth1"'))
    assert not path.exists()
    assert [row["instance"] for row in ask(daemon, "show", what="instances")["instances"]] == ["eth0", "eth2"]


def test_a_recording_over_reloads_replays(four):
    path = four.router.directory / "recording"
    daemon = Daemon(four.router, text('"eth0 ==> eth1"'), f"-d --record {path}", vifs=("eth0", "eth1"))
    stream = Stream(four.source, four.host)
    Receiver(four.host2, "eth0").join(OTHER)
    for _ in range(2):
        reload(daemon, text('"eth0 ==> eth1"', '"eth2 ==> eth3"'))
        daemon.wait_for_output(f"eth3: {OTHER}: joined")
        reload(daemon, text('{ upstream = "eth0"; downstream = "eth1"; protocol = "IGMPv2"; routes_max = 9; }'))
    stream.assert_whole()
    daemon.terminate()
    replay = subprocess.run([BUILD / "tests" / "sim" / "replay", path], capture_output=True, text=True, check=False)
    assert replay.returncode == 0 and ": the same: " in replay.stdout, replay.stdout


def test_mcproxyctl_reload(network):
    daemon = start(network, '"eth0 ==> eth1"')
    daemon.configuration_path.write_text(text('"eth0 ==> eth1 eth2"'))
    assert mcproxyctl(daemon, "reload") == f"{daemon.configuration_path} is in force\n"
    wait_until(lambda: {vif.name for vif in tables.vifs(network.router)} == {"eth0", "eth1", "eth2"}, what="the vif")
    daemon.configuration_path.write_text("eth0 => eth1\n")
    assert "mcproxy.conf:1: syntax error in `eth0 => eth1`" in mcproxyctl(daemon, "reload", status=1)
    # More instances than there is room for, those that end and those that begin together.
    daemon.configuration_path.write_text(text('"eth0 ==> eth1"', *(f'"==> one{n}"' for n in range(40))))
    assert "is in force" in mcproxyctl(daemon, "reload")
    daemon.configuration_path.write_text(text('"eth0 ==> eth1"', *(f'"==> two{n}"' for n in range(40))))
    assert "cannot be had; the log says why" in mcproxyctl(daemon, "reload", status=1)
    # The answer comes on the socket that goes with it.
    daemon.configuration_path.write_text(text('"eth0 ==> eth1"', settings='control_socket = "/run/mcproxy/other.sock";'))
    assert "is in force" in mcproxyctl(daemon, "reload")
    path = Path(socket_path(daemon)).with_name("other.sock")
    wait_until(path.is_socket, what="the other socket")
    assert "uptime" in mcproxyctl(daemon, "show", "status", path=path)


def named(name, downstream):
    return f'{{ name = "{name}"; upstream = "eth0"; downstream = "{downstream}"; }}'


def test_an_answer_under_way_ends_with_its_instance(network):
    daemon = start(network, named("one", "eth1"), named("two", "eth2"), links=("eth0", "eth1", "eth2"))
    IPV4.guest(network.host2, "10.0.2.77").report(*(Record("TO_EX", f"238.1.{n >> 7}.{n & 127}") for n in range(150)))
    wait_until(lambda: len(ask(daemon, "show", what="groups")["groups"]) == 150, what="the groups")
    client = Client(daemon)
    for _ in range(20):
        client.send('{"command":"show","what":"groups"}\n')  # more than the daemon makes before some is read
    wait_until(lambda: ask(daemon, "show", what="status"), what="a later answer")
    whole = client.line()["groups"]  # the first answer has left the daemon; the others wait for their reader
    reload(daemon, text(named("one", "eth1")))
    answers = [client.line()["groups"] for _ in range(19)]
    assert len(whole) == 150 and answers[-1] == []
    assert {row["instance"] for rows in (whole, *answers) for row in rows} == {"two"}


def test_instances_go_while_clients_ask_for_them(network):
    both = text(named("one", "eth1"), named("two", "eth2"))
    daemon = start(network, named("one", "eth1"), named("two", "eth2"), links=("eth0", "eth1", "eth2"))
    clients = [Client(daemon) for _ in range(4)]
    for number in range(20):
        for client, what in zip(clients, ("instances", "instances", "links", "groups"), strict=True):
            client.send(f'{{"command":"show","what":"{what}"}}\n' * 20)
        reload(daemon, both if number % 2 else text(named("one", "eth1")))
        for client in clients:
            for _ in range(20):
                assert "error" not in client.line()


def test_a_forced_version_goes_with_its_link(network):
    forced = "net/ipv4/conf/eth0/force_igmp_version"
    daemon = start(network, '{ upstream = "eth0"; downstream = "eth1"; upstream_version = "IGMPv2"; }')
    wait_until(lambda: network.router.sysctl(forced) == "2", what="the forced version")
    reload(daemon, text('{ upstream = "eth2"; downstream = "eth1"; }'))
    wait_until(lambda: network.router.sysctl(forced) == "0", what="that it is put back")
