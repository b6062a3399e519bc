# SPDX-License-Identifier: BSD-2-Clause
"""An instance without upstream link: it asks, keeps memberships, and forwards between its own links only."""

import signal

import pytest
from families import FAMILIES
from netlab import Daemon, Sender
from wire import Record

FORMS = {
    "short": "protocol {protocol}\n==> eth1 eth2\n",
    "string": 'protocol = "{protocol}"; instances = ("==> eth1 eth2");',
    "group": 'protocol = "{protocol}"; instances = ({{ downstream = ["eth1", "eth2"]; }});',
}


def start(network, family, text):
    links = ("eth1", "eth2")
    daemon = Daemon(network.router, text, "-d", **({"vifs": links} if family.number == 4 else {"vifs6": links}))
    for link in links:
        daemon.wait_for_output(f"downstream {link}: in use")
    return daemon


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_querier_without_upstream(router_two_hosts, family, form):
    network = router_two_hosts
    upstream = family.capture(network.source)
    queries = family.capture(network.host)
    before = family.joined(network)
    daemon = start(network, family, FORMS[form].format(protocol=family.protocol))
    daemon.wait_for_output("eth1: no upstream link: a querier only")
    queries.wait_for(lambda m: m.kind == "query", "a general query downstream")

    family.guest(network.host).report(Record("TO_EX", family.group))
    daemon.wait_for_output(f"eth1: {family.group}: joined")
    daemon.signal(signal.SIGUSR1)
    daemon.wait_for_output("##-- instance upstream none, querier only --##\n")
    assert f"[0] {family.group}\t2\tRUNNING" in daemon.stdout

    # From one of its links to a member on another; what comes in elsewhere is not its business.
    receiver = family.receiver(network.host).join(family.group)
    Sender(network.host2, "eth0", family.group).start(pps=50)
    receiver.wait_for(5, source=network.host2_address if family.number == 4 else network.host2_address6)
    Sender(network.source, "eth0", family.group).start(pps=50)
    receiver.wait_for(20)
    assert receiver.count(source=family.sources[0]) == 0
    assert family.joined(network) == before
    assert not upstream.select(group=family.group)
