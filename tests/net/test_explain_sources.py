# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl explain: sources that are on the wrong side, in the wrong range, or not the ones that hosts name."""

import pytest
from diagnosis import explain_until, run_command, wait_for_finding, wait_until_clean
from families import FAMILIES, IPV4
from netlab import Membership, Receiver, Sender, wait_until

LINK_LOCAL = {4: "169.254.7.7", 6: "fe80::77"}


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_link_local_sources_are_never_forwarded(router, family):
    source = LINK_LOCAL[family.number]
    router.source.add_addresses("eth0", source + ("/16" if family.number == 4 else "/64"))
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join(family.group)
    Sender(router.source, "eth0", family.group, address=source).start(pps=50)
    answer = explain_until(daemon, "source", family.group)
    assert answer.stream["source"] == source
    assert answer.text == f"{source} is a link-local address: no router forwards packets from it"
    receiver.assert_silent(0.2)
    # As the remedy says: an address of its network, of which a new stream comes.
    assert "an address of its network" in answer.remedy
    Sender(router.source, "eth0", family.group, address=family.sources[0]).start(pps=50)
    receiver.wait_for(5, source=family.sources[0])
    explain_until(daemon, None, family.group, family.sources[0])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_another_source_sends(router, family):
    asked, sends = family.sources[1], family.sources[0]
    daemon = family.daemon(router)
    receiver = family.receiver(router.host).join_source(family.group, asked)
    Sender(router.source, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "arrival", family.group, asked)
    assert answer.text == (f"the group is joined, but no packet of {family.group} from {asked} arrived on any link in 0.4 s: "
                           f"packets come from {sends} on eth0")
    assert f"hosts that name {asked} as their source get nothing" in answer.remedy
    assert answer.remedy.startswith(f"mcproxyctl explain {family.group} follows them")
    explain_until(daemon, "filter", family.group)  # the other source, which no host wants
    receiver.join_source(family.group, sends)  # correct the source in the player
    receiver.wait_for(5)
    explain_until(daemon, None, family.group, sends)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_source_downstream_of_receivers_upstream(router, family):
    """The stream goes upstream without a member, and all is well."""
    daemon = family.daemon(router)
    receiver = family.receiver(router.source).join(family.group)
    Sender(router.host, "eth0", family.group).start(pps=50)
    receiver.wait_for(5)
    for question in ((family.group,), (family.group, family.host)):
        answer = explain_until(daemon, None, *question)
        assert answer.stream["source"] == family.host
        assert "comes from eth1, a downstream link, and goes upstream" in answer.steps["member"]["text"]
        assert answer.steps["route"]["text"] == "the kernel's entry forwards them from eth1 to every link upstream"
        assert "packets have left by eth0" in answer.steps["forwarded"]["text"]
        assert "filter" not in answer.steps and "upstream" not in answer.steps


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_firewall_on_the_way_upstream(router, family):
    daemon = family.daemon(router)
    receiver = family.receiver(router.source).join(family.group)
    router.router.run("nft", 'table inet fw { chain forward { type filter hook forward priority 0; oifname "eth0" drop; }; }')
    Sender(router.host, "eth0", family.group).start(pps=50)
    answer = explain_until(daemon, "firewall", family.group)
    assert "on the way to eth0" in answer.text
    run_command(router.router, answer.remedy)
    receiver.wait_for(5)
    explain_until(daemon, None, family.group)


@pytest.mark.parametrize("asked", ("explain", "doctor"))
@pytest.mark.parametrize("filter_value", (1, 2))
def test_reverse_path_filter_on_a_downstream_link(router, filter_value, asked):
    """The filter drops what a host downstream sends, and the daemon never learns of it."""
    router.host.add_addresses("eth0", "10.9.9.9/24")
    if filter_value == 1:
        router.router.ip("route add default via 10.0.0.10")
    router.router.sysctl("net/ipv4/conf/eth1/rp_filter", filter_value)
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.source, "eth0").join(IPV4.group)
    Sender(router.host, "eth0", IPV4.group, address="10.9.9.9").start(pps=50)
    answer = explain_until(daemon, "rp_filter", IPV4.group, "10.9.9.9")
    assert answer.text.startswith(f"rp_filter ({filter_value}) drops them: " + (
        "they arrive on eth1, but the route back to 10.9.9.9 leaves by eth0" if filter_value == 1 else
        "there is no route back to 10.9.9.9"))
    if asked == "explain":
        run_command(router.router, answer.remedy)
    else:
        finding = wait_for_finding(daemon, "rp-filter", "eth1",
                                   f"rp_filter is {filter_value}, and the route back to 10.9.9.9 does not leave by eth1")
        assert "set reset_rp_filter = true in that link" in finding["remedy"]
        run_command(router.router, finding["remedy"])
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group, "10.9.9.9")
    wait_until_clean(daemon)


@pytest.mark.parametrize("filter_value", (1, 2))
def test_senders_downstream_that_the_filter_accepts(router, filter_value):
    router.router.sysctl("net/ipv4/conf/eth1/rp_filter", filter_value)
    daemon = IPV4.daemon(router)
    receiver = Receiver(router.source, "eth0").join(IPV4.group)
    Sender(router.host, "eth0", IPV4.group).start(pps=50)
    receiver.wait_for(5)
    explain_until(daemon, None, IPV4.group)
    wait_until_clean(daemon)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_upstream_version_that_is_in_use_already(router, family):
    """What is in force is not advised again."""
    daemon = family.daemon(router, f'upstream_version = "{family.older}"; query_interval = 1; query_response_interval = 0.5; '
                           "robustness = 1;")
    family.receiver(router.host).join(family.group)
    answer = explain_until(daemon, "arrival", family.group)
    assert "upstream_version" not in answer.remedy and "look beyond eth0" in answer.remedy
    finding = wait_for_finding(daemon, "querier-upstream", "eth0", "querier is present upstream")
    assert "upstream_version" not in finding["remedy"]


def test_members_on_both_sides(router_two_hosts):
    """A member on another downstream link is explained as usual."""
    network = router_two_hosts
    daemon = IPV4.daemon(network, links=("eth0", "eth1", "eth2"))
    Membership(network.host2, "eth0").join(IPV4.group)
    Sender(network.host, "eth0", IPV4.group).start(pps=50)

    def forwarded():
        """Before the join it only goes upstream."""
        answer = explain_until(daemon, None, IPV4.group)
        return answer.steps["member"]["text"].startswith("there is a member on eth2") and \
            "left by eth2" in answer.steps["forwarded"]["text"]
    wait_until(forwarded, 10, "the member on eth2", interval=0.1)
    explain_until(daemon, "member", IPV4.group, "--link", "eth1")
