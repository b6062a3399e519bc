# SPDX-License-Identifier: BSD-2-Clause
"""Two providers: by which of them a LAN gets a stream, with and without filters, and when one of them fails or returns.

See providers.py for the network."""

import time

import pytest
from families import FAMILIES
from netlab import Sender, assert_stays, wait_until
from providers import Providers

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)


@pytest.fixture
def network(lab):
    return Providers(lab)


def input_of(network, family, source, group):
    """The device by which the entry takes the stream; None: no entry."""
    route = family.routes(network.router).get((source, group))
    names = {vif.number: vif.name for vif in family.vifs(network.router)}
    return route and names.get(route.parent)


def inputs_of(network, family, group):
    """The devices by which entries of the group take its streams. While the kernel asks, an entry has none."""
    names = {vif.number: vif.name for vif in family.vifs(network.router)}
    return {names[route.parent] for (_, of), route in family.routes(network.router).items() if of == group and route.parent in names}


def put_back(network, family, link="eth0"):
    network.router.ip(f"link set {link} up")
    if family.number == 6:
        network.router.ip(f"address replace fd00::1/64 dev {link}")


@both_families
def test_an_upstream_link_for_each_lan(network, family):
    network.start(family, downstream='{ name = "eth1"; filter_out = [ "allow all in eth0", "deny all" ]; }, '
                                     '{ name = "eth2"; filter_out = [ "allow all in eth4", "deny all" ]; }, "eth3"')
    first, second = family.receiver(network.lans[0]), family.receiver(network.lans[1])
    first.join(family.group).join(family.other_group)
    wait_until(lambda: {family.group, family.other_group} <= set(family.joined(network, "eth0")), what="joins")
    assert family.group not in family.joined(network, "eth4")
    second.join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the second provider")
    assert family.other_group not in family.joined(network, "eth4")
    with network.stream(family.group), network.stream(family.other_group):
        first.wait_for(50, group=family.group)
        first.wait_for(50, group=family.other_group)
        second.wait_for(50, group=family.group)
    assert set(first.per_source()) == {network.address(family, 0)}
    assert set(second.per_source()) == {network.address(family, 4)}


def same_stream(network, family, pps=200):
    """(S,G) on both upstream links, as if both providers forwarded the same source."""
    address = "10.0.9.9" if family.number == 4 else "fd00:9::9"
    prefix = "32" if family.number == 4 else "128"
    for namespace in (network.first, network.second):
        namespace.ip(f"address add {address}/{prefix} dev lo" + (" nodad" if family.number == 6 else ""))
    senders = [Sender(namespace, "eth0", family.group, address=address) for namespace in (network.first, network.second)]
    return address, senders


@both_families
@pytest.mark.parametrize("choice", ("first", "all", "mutex"))
def test_one_stream_on_both_links(network, family, choice):
    network.start(family, instance=f'upstream_choice = "{choice}";')
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth0"), what="the join at the first provider")
    if choice != "first":
        wait_until(lambda: family.group in family.joined(network, "eth4"), what="the join at the second provider")
    else:
        assert family.group not in family.joined(network, "eth4")
    address, senders = same_stream(network, family)
    for sender in senders:
        sender.start(pps=200)
    receiver.wait_for(100)
    device = input_of(network, family, address, family.group)
    assert device == "eth0" or choice != "first"
    assert_stays(lambda: input_of(network, family, address, family.group) == device, 5, "the entry's input")
    for sender in senders:
        sender.stop()
    numbers = receiver.sequences()
    assert not [n for n, m in zip(numbers[8:], numbers[9:]) if m == n], "packets come twice"
    assert len(numbers) < senders[0].sequence * 1.05, "packets of both providers come through"


@both_families
@pytest.mark.parametrize("choice", ("all", "mutex"))
def test_a_denied_stream_does_not_occupy_its_group(network, family, choice):
    """The first provider's link carries the stream, too, but its filter keeps it out."""
    network.start(family, f'{{ name = "eth0"; filter_in = [ "deny {family.group}" ]; }}, "eth4"',
                  instance=f'upstream_choice = "{choice}";')
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the join at the second provider")
    address, (first, second) = same_stream(network, family)
    first.start(pps=200)
    wait_until(lambda: input_of(network, family, address, family.group) is not None, what="an entry of the denied stream")
    second.start(pps=200)
    receiver.wait_for(100)
    assert input_of(network, family, address, family.group) == "eth4"


@both_families
def test_mutex_keeps_a_stream_that_is_slower_than_its_hold(network, family):
    """mutex_hold may be shorter than the time between two readings of the kernel's counters."""
    network.start(family, instance='upstream_choice = "mutex"; mutex_hold = 1.0;')
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the join at the second provider")
    with network.stream(family.group, network.first, pps=100):
        receiver.wait_for(20, source=network.address(family, 0))
        with network.stream(family.group, network.second, pps=100):
            receiver.wait_for(1200, source=network.address(family, 0), timeout=25)
            assert receiver.count(source=network.address(family, 4)) == 0


@both_families
@pytest.mark.parametrize("present, next_one", [(0, 4), (4, 0)])
@pytest.mark.parametrize("same_source", [True, False], ids=["same source", "other source"])
def test_mutex_takes_over_after_its_hold(network, family, present, next_one, same_source):
    """The next provider's stream begins before the present one's ends, in the order of the file and against it."""
    network.start(family, instance='upstream_choice = "mutex"; mutex_hold = 1.0;')
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the join at the second provider")
    if same_source:
        _, streams = same_stream(network, family)
    else:
        streams = [Sender(provider, "eth0", family.group) for provider in (network.first, network.second)]
    senders = dict(zip((0, 4), streams))
    senders[present].start(pps=100)
    receiver.wait_for(50)
    senders[next_one].start(pps=100)
    assert_stays(lambda: inputs_of(network, family, family.group) == {f"eth{present}"}, 1.5, "the present provider's stream")
    senders[present].stop()
    stopped = time.time()
    count = receiver.count()
    receiver.wait_for(50)
    pause = receiver.arrivals[count + 10].time - stopped
    assert 0.9 < pause < 2.5, f"the next provider's stream after {pause:.2f} s"
    assert inputs_of(network, family, family.group) == {f"eth{next_one}"}
    # The first one comes too late now.
    senders[present].start(pps=100)
    assert_stays(lambda: inputs_of(network, family, family.group) == {f"eth{next_one}"}, 1.5, "the next provider's stream")


@both_families
def test_mutex_is_held_by_no_stream_that_has_ended(network, family):
    """Each stream of the group ends, and the next one comes by the other provider."""
    network.start(family, instance='upstream_choice = "mutex"; mutex_hold = 0.5;')
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the join at the second provider")
    for provider in (network.first, network.second, network.first, network.second):
        with network.stream(family.group, provider, pps=100):
            receiver.wait_for(50)


@both_families
def test_a_lost_link_returns_without_a_duplicate(network, family):
    """The same stream comes by both providers all the time."""
    network.start(family)
    receiver = family.receiver(network.lans[0]).join(family.group)
    wait_until(lambda: family.group in family.joined(network, "eth0"), what="the join at the first provider")
    address, senders = same_stream(network, family)
    for sender in senders:
        sender.start(pps=500)
    receiver.wait_for(200)
    for _ in range(2):
        network.router.ip("link set eth0 down")
        wait_until(lambda: input_of(network, family, address, family.group) == "eth4", what="the second provider")
        receiver.wait_for(200)
        put_back(network, family)
        wait_until(lambda: input_of(network, family, address, family.group) == "eth0", 10, "the first provider")
        wait_until(lambda: family.group not in family.joined(network, "eth4"), what="the leave at the second provider")
        receiver.wait_for(200)
    for sender in senders:
        sender.stop()
    sent = {0: senders[0].sequence, 4: senders[1].sequence}
    assert len(receiver.arrivals) <= max(sent.values()) * 1.02, (len(receiver.arrivals), sent)


@both_families
def test_groups_left_while_a_link_is_absent_stay_left(lab, family):
    """The interface itself goes, as ppp0 does, and comes back under its name."""
    network = Providers(lab)
    network.start(family)
    receiver = family.receiver(network.lans[0]).join(family.group).join(family.other_group)
    wait_until(lambda: {family.group, family.other_group} <= set(family.joined(network, "eth0")), what="the joins")
    network.router.ip("link set eth0 down", "link set eth0 name away0")
    wait_until(lambda: family.group in family.joined(network, "eth4"), what="the second provider to take over")
    receiver.leave(family.group)
    wait_until(lambda: family.group not in family.joined(network, "eth4"), 10, "the leave")
    network.router.ip("link set away0 name eth0", "link set eth0 up")
    if family.number == 6:
        network.router.ip("address replace fd00::1/64 dev eth0")
    wait_until(lambda: family.other_group in family.joined(network, "eth0"), 10, "the group that is still wanted")
    assert_stays(lambda: family.group not in family.joined(network, "eth0"), 1, "the group that was left")


@both_families
def test_hosts_are_asked_when_a_link_appears_that_a_rule_names(lab, family):
    """`in` names a link that is not there yet: the joins that it refused count as soon as it is."""
    network = Providers(lab)
    network.router.ip("link set eth4 down", "link set eth4 name away0")
    network.start(family, downstream='{ name = "eth1"; filter_out = [ "allow all in eth4", "deny all" ]; }, "eth2", "eth3"',
                  links=("eth0", "eth1", "eth2", "eth3"))
    family.receiver(network.lans[0]).join(family.group)
    assert_stays(lambda: family.group not in family.joined(network, "eth0"), 1, "no join")
    network.router.ip("link set away0 name eth4", "link set eth4 up")
    if family.number == 6:
        network.router.ip("address replace fd00:4::1/64 dev eth4")
    started = time.monotonic()
    wait_until(lambda: family.group in family.joined(network, "eth4"), 15, "the join at the second provider")
    assert time.monotonic() - started < 13  # the answer to one query, whose response interval is 10 s


@both_families
def test_static_groups_return_with_their_link(network, family):
    network.start(family, f'{{ name = "eth0"; static = [ "{family.group}" ]; }}, "eth4"')
    wait_until(lambda: family.group in family.joined(network, "eth0"), what="the static group")
    network.router.ip("link set eth0 down", "link set eth0 name away0")
    assert_stays(lambda: family.group not in family.joined(network, "eth0"), 0.5, "no join while the link is absent")
    network.router.ip("link set away0 name eth0", "link set eth0 up")
    if family.number == 6:
        network.router.ip("address replace fd00::1/64 dev eth0")
    wait_until(lambda: family.group in family.joined(network, "eth0"), 10, "the static group again")
