# SPDX-License-Identifier: BSD-2-Clause
"""The easiest scenario of the startup guide, with real programs: iperf sends upstream, iperf receives downstream."""

import re

import pytest
from families import FAMILIES
from netlab import Capture, Daemon, Receiver, Sender, tables, wait_until

GROUP = "239.99.99.99"
GUIDE = {2: "protocol IGMPv2\neth0 ==> eth1\n", 3: "protocol IGMPv3\neth0 ==> eth1\n"}


def iperf_sender(network, group=GROUP):
    return network.source.start("iperf", "-c", group, "-u", "-b", "400K", "-l", "400", "-T", "8", "-t", "60")


def iperf_receiver(host, group=GROUP):
    return host.start("iperf", "-s", "-u", "-i", "1", "-B", f"{group}%eth0")


def arriving(host, seconds=0.3):
    """Packets that came in by the host's link during a short while."""
    import time
    before = host.packets_received("eth0")
    time.sleep(seconds)
    return host.packets_received("eth0") - before


@pytest.mark.smoke
@pytest.mark.parametrize("version", [2, 3])
def test_iperf_stream_comes_with_the_join_and_goes_with_the_leave(router, version):
    network = router
    network.host.force_igmp_version("eth0", version)
    daemon = Daemon(network.router, GUIDE[version], "-svv", vifs=("eth0", "eth1"))
    iperf_sender(network)
    wait_until(lambda: tables.routes(network.router), what="the negative entry of the unwanted stream")
    assert arriving(network.host) < 5

    receiver = iperf_receiver(network.host)
    wait_until(lambda: arriving(network.host) > 10, what="the stream at the host")

    # The kernel tables, as the guide describes them.
    assert [(vif.number, vif.name) for vif in tables.vifs(network.router)] == [(0, "eth0"), (1, "eth1")]
    assert GROUP in tables.igmp_groups(network.router, "eth0")
    assert tables.outgoing_devices(network.router, network.source_address, GROUP) == {"eth1"}

    # The status, as the guide shows it.
    daemon.wait_for_output("CACHED_SRC", timeout=10)
    expected = (
        "##-- instance upstream eth0 [vif=0] --##\n"
        "\tgroup addr\n"
        f"\t[0] {GROUP}\n"
        "\t\tsrc addr | robustness_counter | flag\n"
        f"\t\t[0] {network.source_address}\t2\tCACHED_SRC\n"
        "\n"
        "\t-- downstream eth1 [vif=1] --\n"
        "\t\tgroup addr | robustness_counter | flag\n"
        f"\t\t[0] {GROUP}\t2\tRUNNING\n")
    wait_until(lambda: expected in daemon.stdout, 10, lambda: f"the status of the guide in {daemon.stdout}")
    assert re.match(r"alive time: 1\n", daemon.stdout)

    receiver.close()
    wait_until(lambda: arriving(network.host) < 5, 10, "the end of the stream after the leave")
    wait_until(lambda: GROUP not in tables.igmp_groups(network.router, "eth0"), what="the leave upstream")
    daemon.terminate()
    assert tables.vifs(network.router) == []
    assert tables.routes(network.router) == {}


@pytest.mark.smoke
@pytest.mark.parametrize("family, version", [(family, version) for family in FAMILIES for version in family.versions], ids=str)
def test_late_joiner_gets_the_next_packet_of_a_running_stream(router_two_hosts, family, version):
    network = router_two_hosts
    protocol = family.protocol if version == family.version else family.older
    family.daemon(network, links=("eth0", "eth1", "eth2"), protocol=protocol)
    for host in network.hosts:
        family.force_version(host, version)
    first, late = family.receiver(network.host), family.receiver(network.host2)
    reports = family.capture(network.router, "eth2")
    missed = []
    for group in [f"{family.group}{number}" for number in range(5)]:
        first.join(group)
        Sender(network.source, "eth0", group).start(pps=100)
        first.wait_for(10, group=group)
        late.join(group)
        late.wait_for(5, group=group)
        # Some packets may pass while the router reads the report; then the next ones arrive without a gap.
        sequences = late.sequences(group=group)
        assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
        begun = reports.wait_for_report(group).time + 0.05
        missed.append([a for a in first.of(group=group) if begun < a.time < late.of(group=group)[0].time])
        assert not first.gaps(group=group)
        if not missed[-1]:
            break
    assert [] in missed  # other programs may have delayed the router in some rounds; a slow router is slow in all


@pytest.mark.smoke
def test_ssm_join_forwards_only_that_source(router):
    network = router
    network.source.add_addresses("eth0", "10.0.0.11/24")
    Daemon(network.router, GUIDE[3], vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    receiver = Receiver(network.host, "eth0").join_source("232.1.1.1", "10.0.0.10")
    upstream.wait_for_record("ALLOW", "232.1.1.1", "10.0.0.10")

    wanted = Sender(network.source, "eth0", "232.1.1.1", address="10.0.0.10").start(pps=100)
    Sender(network.source, "eth0", "232.1.1.1", address="10.0.0.11").start(pps=100)
    receiver.wait_for(20)
    wanted.stop()
    assert tables.outgoing_devices(network.router, "10.0.0.10", "232.1.1.1") == {"eth1"}
    assert tables.outgoing_devices(network.router, "10.0.0.11", "232.1.1.1") == set()
    assert tables.source_filters(network.router, "eth0")
    # Counted at the link: the unwanted source must not even cross it.
    wait_until(lambda: arriving(network.host) <= 1, what="nothing from the other source on the host's link")


def test_exclude_filter_blocks_only_that_source(router):
    network = router
    network.source.add_addresses("eth0", "10.0.0.11/24")
    Daemon(network.router, GUIDE[3], vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP)
    for address in ("10.0.0.10", "10.0.0.11"):
        Sender(network.source, "eth0", GROUP, address=address).start(pps=50)
    receiver.wait_for(5, source="10.0.0.10")
    receiver.wait_for(5, source="10.0.0.11")

    receiver.exclude(GROUP, ["10.0.0.11"])
    wait_until(lambda: tables.outgoing_devices(network.router, "10.0.0.11", GROUP) == set(), 10, "the blocked source's route")
    receiver.wait_for(5, source="10.0.0.10")
    assert tables.outgoing_devices(network.router, "10.0.0.10", GROUP) == {"eth1"}


@pytest.mark.smoke
def test_two_receivers_on_two_links_are_independent(router_two_hosts):
    network = router_two_hosts
    Daemon(network.router, "protocol = \"IGMPv3\"; last_member_query_interval = 0.3;"
           "instances = (\"eth0 ==> eth1 eth2\");", vifs=("eth0", "eth1", "eth2"))
    first = Receiver(network.host, "eth0").join(GROUP)
    second = Receiver(network.host2, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=100)
    first.wait_for(5)
    second.wait_for(5)
    assert tables.outgoing_devices(network.router, network.source_address, GROUP) == {"eth1", "eth2"}

    first.leave(GROUP)
    wait_until(lambda: tables.outgoing_devices(network.router, network.source_address, GROUP) == {"eth2"},
               what="the first link out of the route")
    second.wait_for(5)
    assert not second.gaps()
    assert GROUP in tables.igmp_groups(network.router, "eth0")


@pytest.mark.smoke
def test_source_on_a_downstream_link_reaches_upstream_and_other_members(router_two_hosts):
    network = router_two_hosts
    Daemon(network.router, "protocol IGMPv3\neth0 ==> eth1 eth2\n", vifs=("eth0", "eth1", "eth2"))
    above = Receiver(network.source, "eth0").join(GROUP)
    member = Receiver(network.host2, "eth0").join(GROUP)
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    sender = Sender(network.host, "eth0", GROUP).start(pps=100)
    above.wait_for(20)
    member.wait_for(20)
    sender.stop()
    # Each packet once, from the first on, and none comes back to where it came from.
    assert above.begins_with_the_first()
    assert len(set(member.sequences())) == member.count()
    assert tables.outgoing_devices(network.router, network.host_address, GROUP) == {"eth0", "eth2"}


def test_link_local_groups_are_never_proxied(router):
    network = router
    Daemon(network.router, GUIDE[3], vifs=("eth0", "eth1"))
    upstream = Capture(network.source, "eth0")
    receiver = Receiver(network.host, "eth0").join("224.0.0.251").join(GROUP)
    upstream.wait_for_record("TO_EX", GROUP)
    upstream.assert_none(lambda m: any(r.group == "224.0.0.251" for r in m.records), 0.3, "a report of a link-local group")
    Sender(network.source, "eth0", "224.0.0.251").send(5)
    receiver.assert_silent(0.3, group="224.0.0.251")


def test_smcroute_as_a_joining_client(router):
    network = router
    Daemon(network.router, GUIDE[3], vifs=("eth0", "eth1"))
    sender = Sender(network.source, "eth0", GROUP).start(pps=50)
    configuration = network.host.directory / "smcroute.conf"
    configuration.write_text(f"mgroup from eth0 group {GROUP}\n")
    network.host.start("smcrouted", "-n", "-f", configuration, "-P", network.host.directory / "smcroute.pid",
                       "-u", network.host.directory / "smcroute.sock")
    wait_until(lambda: arriving(network.host) > 5, 10, "the stream that smcroute joined")
    sender.stop()
