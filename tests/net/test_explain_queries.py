# SPDX-License-Identifier: BSD-2-Clause
"""SSM joins that fail because a bridge or switch sends IGMPv2 or MLDv1 queries, as Linux bridges do by default."""

import time

import pytest
from ctl import ask
from diagnosis import Answer, examine, explain_until, run_command, wait_for_finding, wait_until_clean
from families import FAMILIES
from netlab import Sender, make_router, wait_until

# Hosts return to the new version 5 s after the last query of the older one.
QUICK = "query_interval = 2; query_response_interval = 1; robustness = 2;"
VERSION_OPTION = {4: "mcast_igmp_version 3", 6: "mcast_mld_version 2"}


def wait_for_queries(daemon, count):
    """The host has learned the short interval from the router's queries."""
    before = ask(daemon, "show", what="links")["links"]
    sent = {(link["link"], link["family"]): link["counters"]["queries_sent"] for link in before}
    wait_until(lambda: any(link["role"] == "downstream" and
                           link["counters"]["queries_sent"] >= sent[link["link"], link["family"]] + count
                           for link in ask(daemon, "show", what="links")["links"]), 15, "queries", interval=0.1)


def switched(lab):
    """source eth0 -- eth0 router eth1 -- switch -- eth0 host and eth0 other"""
    network = make_router(lab, downstreams=0)
    switch, host, other = lab.namespace("switch"), lab.namespace("host"), lab.namespace("other")
    lab.link(network.router, "eth1", switch, "port0", ("10.0.1.1/24", "fd00:1::1/64"))
    lab.link(switch, "port1", host, "eth0", (), ("10.0.1.10/24", "fd00:1::10/64"))
    lab.link(switch, "port2", other, "eth0")
    switch.bridge("br0", "port0", "port1", "port2", snooping=False)
    network.hosts[:] = [host, other]
    return network


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_older_querier_on_the_link(lab, family):
    network = switched(lab)
    daemon = family.daemon(network, QUICK)
    wait_for_queries(daemon, 1)
    querier = family.guest(network.host2, "10.0.1.99" if family.number == 4 else "fe80::ffff:ffff:ffff:ffff")
    receiver = family.receiver(network.host)
    Sender(network.source, "eth0", family.ssm_group).start(pps=50)

    def named():
        querier.query(family.older_version, max_response=1.0)
        found = examine(daemon).get("querier-downstream", ())
        return [f for f in found if f["what"].startswith(f"{querier.address} sends {family.older} queries; hosts return to "
                                                         f"{family.protocol} in ")]
    finding = wait_until(named, 10, "the finding", interval=0.1)[0]
    assert f"type bridge {VERSION_OPTION[family.number]}" in finding["remedy"]
    receiver.join_source(family.ssm_group, family.sources[0])

    def explained():
        querier.query(family.older_version, max_response=1.0)
        answer = Answer(daemon, family.ssm_group)
        return answer.failed == "member" and "cannot name sources" in answer.text and answer
    answer = wait_until(explained, 10, "the older version to be named", interval=0.1)
    assert answer.text == (f"no member of {family.ssm_group} on any downstream link: hosts there speak {family.older} and cannot "
                           f"name sources, because {querier.address} sends {family.older} queries; they return to "
                           f"{family.protocol} 5 s after the last one")
    assert answer.remedy.startswith(f"let it send {family.protocol} queries, or none")
    # It sends none any more.
    receiver.wait_for(5, timeout=20)
    explain_until(daemon, None, family.ssm_group, family.sources[0])
    wait_until(lambda: "querier-downstream" not in examine(daemon), 10, "no finding", interval=0.1)


def bridged(lab):
    """source eth0 -- eth0 router br0 (port eth1) -- eth0 host"""
    network = make_router(lab)
    network.router.ip("address flush dev eth1")
    network.router.bridge("br0", "eth1", addresses=("10.0.1.1/24", "fd00:1::1/64"))
    return network


@pytest.mark.parametrize("use_address", (0, 1), ids=("from nowhere", "from its address"))
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_routers_own_bridge(lab, family, use_address):
    if use_address and family.number == 6:
        pytest.skip("a bridge sends MLD queries from its own address always")
    network = bridged(lab)
    daemon = family.daemon(network, QUICK, links=("eth0", "br0"))
    wait_for_queries(daemon, 1)
    # The bridge takes over while the router pauses, again and again.
    network.router.ip(f"link set br0 type bridge mcast_querier_interval 100 mcast_query_interval 100 "
                      f"mcast_startup_query_interval 100 mcast_query_use_ifaddr {use_address}",
                      "link set br0 type bridge mcast_querier 1")
    finding = wait_until(lambda: [f for f in examine(daemon).get("querier-downstream", ())
                                  if f["what"].startswith(f"the bridge br0 itself sends {family.older} queries")], 20,
                         lambda: f"the finding; last: {examine(daemon)}", interval=0.1)[0]
    assert finding["remedy"] == f"ip link set dev br0 type bridge {VERSION_OPTION[family.number]}"
    receiver = family.receiver(network.host).join_source(family.ssm_group, family.sources[0])
    Sender(network.source, "eth0", family.ssm_group).start(pps=50)

    def named():
        answer = Answer(daemon, family.ssm_group)
        return answer.failed == "member" and "because the bridge br0 itself sends" in answer.text and answer
    answer = wait_until(named, 15, "the bridge to be named", interval=0.1)
    run_command(network.router, answer.remedy)
    receiver.wait_for(5, timeout=20)
    explain_until(daemon, None, family.ssm_group, family.sources[0])
    wait_until(lambda: "querier-downstream" not in examine(daemon), 10, "no finding", interval=0.1)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_bridge_of_the_same_version(lab, family):
    network = bridged(lab)
    daemon = family.daemon(network, QUICK, links=("eth0", "br0"))
    network.router.ip(f"link set br0 type bridge {VERSION_OPTION[family.number]} mcast_querier_interval 100 "
                      "mcast_query_interval 100 mcast_startup_query_interval 100", "link set br0 type bridge mcast_querier 1")
    receiver = family.receiver(network.host).join_source(family.ssm_group, family.sources[0])
    Sender(network.source, "eth0", family.ssm_group).start(pps=50)
    receiver.wait_for(5)
    time.sleep(3)  # queries of both
    assert "querier-downstream" not in examine(daemon)
    explain_until(daemon, None, family.ssm_group, family.sources[0])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_querier_that_doctor_advises(lab, family):
    """The remedy for a snooping bridge without a querier leaves SSM joins alone."""
    network = make_router(lab)
    neighbour = lab.namespace("neighbour")
    lab.link(network.router, "eth5", neighbour, "eth0")
    network.router.ip("address flush dev eth0")
    network.router.bridge("br0", "eth0", "eth5", addresses=("10.0.0.1/24", "fd00::1/64"))
    daemon = family.daemon(network, links=("br0", "eth1"))
    protocol = "IGMP" if family.number == 4 else "MLD"
    finding = wait_for_finding(daemon, "bridge", "br0", f"the bridge snoops, but no {protocol} querier is present on it")
    run_command(network.router, finding["remedy"])
    wait_until_clean(daemon)

    def uplink():
        return ask(daemon, "show", what="uplinks")["upstream"][0]
    wait_until(lambda: uplink()["queries_heard"] > 0, 15, "a query of the bridge", interval=0.1)
    assert uplink()["version"] == family.protocol
    receiver = family.receiver(network.host).join_source(family.ssm_group, family.sources[0])
    Sender(network.source, "eth0", family.ssm_group).start(pps=50)
    receiver.wait_for(5)
    assert uplink()["version"] == family.protocol


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_older_querier_upstream(router, family):
    """A source-specific join loses its source on the way to the provider."""
    daemon = family.daemon(router)
    family.receiver(router.host).join_source(family.ssm_group, family.sources[0])
    querier = family.querier(router)
    querier.query(family.older_version)

    def named():
        answer = Answer(daemon, family.ssm_group)
        return answer.failed == "arrival" and "cannot name sources" in answer.text and answer
    answer = wait_until(named, 10, "the querier to be named", interval=0.1)
    assert f": eth0 speaks {family.older} and cannot name sources, because {querier.address} sends {family.older} queries" in answer.text
    assert f"it returns to {family.protocol} in 2" in answer.text
    assert answer.remedy.endswith(f'or set upstream_version = "{family.protocol}"')
    # As the last remedy: the join names its source again, for which the source could now send.
    daemon.reconfigure(daemon.configuration_path.read_text() + f'upstream_version = "{family.protocol}";\n')
    wait_until(lambda: ask(daemon, "show", what="uplinks")["upstream"][0]["version"] == family.protocol, 10, "the new version")
    Sender(router.source, "eth0", family.ssm_group).start(pps=50)
    explain_until(daemon, None, family.ssm_group, family.sources[0])
