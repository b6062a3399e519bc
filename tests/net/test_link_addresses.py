# SPDX-License-Identifier: BSD-2-Clause
"""Links that the configuration names by their addresses or alternative names."""

import pytest
from families import FAMILIES
from netlab import Daemon, Sender, wait_until

QUICK = "query_interval = 5; query_response_interval = 0.2; last_member_query_interval = 0.2;"
PREFIXES = {4: ("10.0.0.0/24", "172.20.0.0/16", "172.20.7.1/24"), 6: ("fd00::/64", "fd20::/16", "fd20:7::1/64")}


def vif_names(family, router):
    return {vif.name for vif in family.vifs(router)}


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_link_follows_its_address(router_two_hosts, family):
    upstream, downstream, address = PREFIXES[family.number]
    daemon = Daemon(router_two_hosts.router, f'protocol = "{family.protocol}"; {QUICK} instances = ("@{upstream} ==> @{downstream}");', "-d",
                    **{"vifs" if family.number == 4 else "vifs6": ("eth0",)})
    daemon.wait_for_output(f"@{downstream}")
    receivers = {device: family.receiver(host, "eth0").join(family.group)
                 for device, host in (("eth1", router_two_hosts.host), ("eth2", router_two_hosts.host2))}
    Sender(router_two_hosts.source, "eth0", family.group).start(pps=200)

    for device, other in (("eth1", "eth2"), ("eth2", "eth1")):
        router_two_hosts.router.add_addresses(device, address)
        wait_until(lambda d=device: vif_names(family, router_two_hosts.router) == {"eth0", d}, what=f"{device} alone downstream")
        count = receivers[device].count()
        wait_until(lambda d=device, c=count: receivers[d].count() > c + 10, 8, what=f"the stream behind {device}")
        receivers[other].wait_for_silence(quiet=0.1)
        router_two_hosts.router.ip(f"address delete {address} dev {device}")
        wait_until(lambda: vif_names(family, router_two_hosts.router) == {"eth0"}, what="no link downstream")
        receivers[device].wait_for_silence(quiet=0.1)


def test_link_is_named_by_its_alternative_name(router):
    router.router.ip("link property add dev eth1 altname enx020000000001-lan")
    daemon = Daemon(router.router, f'protocol = "IGMPv3"; {QUICK} instances = ("eth0 ==> enx020000000001-lan");',
                    vifs=("eth0", "eth1"))
    daemon.terminate()


def test_rp_filter_follows_the_address(router_two_hosts):
    kept = "net/ipv4/conf/{}/rp_filter"
    for device in ("all", "eth1", "eth2"):
        router_two_hosts.router.sysctl(kept.format(device), 1)
    Daemon(router_two_hosts.router, 'reset_rp_filter = true; instances = ("@172.20.0.0/16 ==> eth0");', vifs=("eth0",))

    def values():
        return [router_two_hosts.router.sysctl(kept.format(device)) for device in ("eth1", "eth2")]
    assert values() == ["1", "1"]
    router_two_hosts.router.add_addresses("eth1", "172.20.0.1/24")
    wait_until(lambda: values() == ["0", "1"], what="rp_filter 0 on eth1")
    router_two_hosts.router.ip("address delete 172.20.0.1/24 dev eth1")
    wait_until(lambda: values() == ["1", "1"], what="rp_filter back on eth1")
