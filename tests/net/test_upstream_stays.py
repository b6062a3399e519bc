# SPDX-License-Identifier: BSD-2-Clause
"""While a stream arrives on its upstream link, packets with its source's address from a host downstream never take it over."""

import threading
import time

import pytest
from families import FAMILIES, IPV4
from netlab import make_router, wait_until
from test_copies import entry_input
from test_wrongvif import RovingSource

both_families = pytest.mark.parametrize("family", FAMILIES, ids=str)
LINKS = ("eth0", "eth1", "eth2", "eth3")
FOREIGN = 10**9  # the sequence numbers of a forger begin here


class Forger:
    """A host downstream that sends packets with the source's address; several threads, for high rates."""

    def __init__(self, family, address, namespace, pps):
        threads = max(1, pps // 250)
        self.streams = [RovingSource(family, address, (namespace, "eth0"), pps=pps / threads) for _ in range(threads)]
        for stream in self.streams:
            stream.sequence += FOREIGN

    @property
    def sent(self):
        return sum(stream.sequence - FOREIGN for stream in self.streams)


@pytest.fixture
def three_links(lab):
    return make_router(lab, downstreams=3)


def start(network, family):
    family.daemon(network, "", LINKS)
    receiver = family.receiver(network.host).join(family.group)
    wait_until(lambda: family.group in family.joined(network), what="the join upstream")
    return receiver


def real_packets(receiver):
    return [a for a in list(receiver.arrivals) if a.sequence < FOREIGN]


def foreign_between(receiver, begin, end):
    return [a for a in list(receiver.arrivals) if a.sequence >= FOREIGN and begin <= a.time <= end]


class PausingStream:
    """The stream: sends for some time, pauses, and goes on. `times` has when each part began and ended, `seen` what look()
    returned just before each end."""

    def __init__(self, family, address, place, parts, pause, look, seconds=1.5):
        self.source = RovingSource(family, address, place, pps=50)
        self.times = []
        self.seen = []
        self._look = look
        self._arguments = (parts, pause, seconds)
        self._done = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._address, self._family, self._place = address, family, place

    def _run(self):
        parts, pause, seconds = self._arguments
        for part in range(parts):
            begin = self.source.sequence
            self.times.append([time.time(), None, begin, None])
            time.sleep(seconds)
            self.seen.append(self._look())
            self.source.close()
            self.times[-1][1:] = time.time(), begin, self.source.sequence
            if part < parts - 1:
                time.sleep(pause)
                following = RovingSource(self._family, self._address, self._place, pps=50)
                following.sequence = self.source.sequence
                self.source = following
        self._done.set()

    def wait(self):
        assert self._done.wait(60)


@both_families
@pytest.mark.parametrize("pps", [1, 50, 1000])
@pytest.mark.parametrize("pause", [0.2, 1.0])
def test_a_forger_never_takes_an_upstream_stream(three_links, family, pps, pause):
    """A pause that is longer than the silence time may be filled by the forger; the stream returns with its second packet, or soon after on a busy machine."""
    network = three_links
    receiver = start(network, family)
    source = family.sources[0]
    first = RovingSource(family, source, (network.source, "eth0"), pps=50)
    receiver.wait_for(20)
    first.close()
    forger = Forger(family, source, network.hosts[1], pps)
    stream = PausingStream(family, source, (network.source, "eth0"), 4, pause,
                           lambda: entry_input(network, family, source))
    stream.wait()
    assert forger.sent >= min(3, pps)
    lost = 0
    for begin, end, first_sequence, end_sequence in stream.times:
        got = [a for a in real_packets(receiver) if begin <= a.time <= end + 0.2]
        lost += end_sequence - first_sequence - len(got)
        foreign = foreign_between(receiver, got[0].time, got[-1].time)
        assert not foreign, f"{len(foreign)} foreign packets, up to {foreign[-1].time - got[0].time:.3f} s after the first one"
    print(f"{lost} packets lost in 4 parts")
    assert lost <= 5 * len(stream.times)  # 0.1 s each; one or two on an idle machine
    assert stream.seen == ["eth0"] * 4


@pytest.mark.timing
@both_families
def test_a_stream_that_began_with_a_forger_is_taken_by_the_upstream_link(three_links, family):
    network = three_links
    receiver = start(network, family)
    source = family.sources[0]
    forger = Forger(family, source, network.hosts[1], 100)
    wait_until(lambda: entry_input(network, family, source) == "eth2" and forger.sent > 50, what="the forger's link as input")
    begin = time.time()
    stream = RovingSource(family, source, (network.source, "eth0"), pps=50)
    wait_until(lambda: len(real_packets(receiver)) >= 20, what="the stream")
    print(f"first packet after {real_packets(receiver)[0].time - begin:.3f} s")
    assert real_packets(receiver)[0].time - begin < 0.3
    wait_until(lambda: stream.sequence > 100, what="more of the stream")
    assert not foreign_between(receiver, begin + 0.3, time.time())


@pytest.mark.timing
@both_families
def test_two_forgers_on_two_links_do_not_hold_a_stream(three_links, family):
    """The kernel names only one link in 3 s, and that may be the other forger's."""
    network = three_links
    receiver = start(network, family)
    source = family.sources[0]
    first = RovingSource(family, source, (network.source, "eth0"), pps=50)
    receiver.wait_for(20)
    forgers = [Forger(family, source, network.hosts[number], 200) for number in (1, 2)]
    wait_until(lambda: all(forger.sent > 20 for forger in forgers), what="the forged packets")
    first.close()
    wait_until(lambda: entry_input(network, family, source) != "eth0", 10, "a forger's link as input")
    time.sleep(1)  # the kernel names the other one
    begin = time.time()
    stream = RovingSource(family, source, (network.source, "eth0"), pps=50)
    wait_until(lambda: entry_input(network, family, source) == "eth0", 3, "the upstream link as input")
    print(f"returns after {time.time() - begin:.3f} s")
    assert time.time() - begin < 0.5
    wait_until(lambda: stream.sequence > 100, what="more of the stream")
    assert not foreign_between(receiver, begin + 0.5, time.time())


@pytest.mark.parametrize("off_subnet", [False, True])
def test_lan_source_stays_while_its_copies_come_back(three_links, off_subnet):
    """Its own packets come back from upstream: they are no reason to leave the link where it lives."""
    network = three_links
    receiver = start(network, IPV4)
    source = "10.9.9.9" if off_subnet else "10.0.2.10"
    real = RovingSource(IPV4, source, (network.hosts[1], "eth0"), pps=50)
    receiver.wait_for(20)
    RovingSource(IPV4, source, (network.source, "eth0"), pps=50)
    begin = real.sequence
    wait_until(lambda: real.sequence > begin + 150, what="more of the stream")
    assert entry_input(network, IPV4, source) == "eth2"
