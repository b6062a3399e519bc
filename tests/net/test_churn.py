# SPDX-License-Identifier: BSD-2-Clause
"""Everything at once, at random: reloads of any configuration, links that flap and change names, hosts that say anything,
clients of the control socket that come, ask and go. Meant for sanitizers; in the end the daemon must serve as ever."""

import contextlib
import os
import random
import threading
import time

import pytest
from ctl import Client
from families import FAMILIES
from netlab import Daemon, Receiver, Record, Sender, make_router, tables, wait_until

LONG = os.environ.get("MCPROXY_LONG") == "1"
SECONDS, SEEDS = (60, range(1, 4)) if LONG else (3, (1,))
DOWNSTREAM = ("eth1", "eth2", "eth3")
QUESTIONS = tuple(f'{{"command":"show","what":"{what}"}}' for what in (
    "instances", "links", "groups", "routes", "uplinks", "upstream", "status"))
COMMANDS = (*QUESTIONS, '{"command":"loglevel"}', '{"command":"monitor"}', "nonsense")
FINAL = """protocol = "IGMPv3"; query_interval = 3; query_response_interval = 0.5;
instances = ( { name = "last"; upstream = "eth0"; downstream = ( "eth1", "eth2" ); table = "own"; fast_leave = true; } );"""


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def instance(dice, number, links, table):
    return f"""{{
        name = "{dice.choice("abc")}{number}"; downstream = ( {quoted(links)} );
        {dice.choice(('upstream = "eth0";',) * 4 + ("",))}
        {table} fast_leave = {dice.choice(("true", "false"))}; leave_hold = {dice.choice((0, 0.3, 2))};
        upstream_membership = "{dice.choice(("auto", "kernel", "user"))}"; kernel_groups_max = {dice.choice((0, 5, 100))};
        query_interval = {dice.choice((2, 125))}; query_response_interval = 1; hosts_max = {dice.choice((1, 100))};
        routes_max = {dice.choice((5, 1000))}; groups_max = {dice.choice((3, 1000))};
        memory_max = {dice.choice((65536, 67108864))}; }}"""


def configuration(dice):
    """One to three instances, most of them with the same upstream link, and therefore in one table."""
    links, count = dice.sample(DOWNSTREAM, 3), dice.randint(1, 3)
    table = dice.choice(("", "table = 77;", 'table = "own";')[:2 if count > 1 else 3])
    instances = (instance(dice, number, links[number::count], table) for number in range(count))
    return f'protocol = [ "IGMPv3", "MLDv2" ];\ninstances = ( {", ".join(instances)} );\n'


class Busy(threading.Thread):
    """Calls act(dice) again and again."""

    def __init__(self, seed, act):
        super().__init__()
        self._dice, self._act, self.over = random.Random(seed), act, threading.Event()
        self.start()

    def run(self):
        while not self.over.is_set():
            with contextlib.suppress(OSError):  # a link that is down, a daemon that drops a client
                self._act(self._dice)


def ask(daemon):
    """A client that asks and asks, and may go before it has read the answers."""
    def act(dice):
        client = Client(daemon)
        client.socket.settimeout(0.5)  # a monitor may have nothing to tell
        with client.socket, client._lines:
            for _ in range(dice.randint(1, 30)):
                client.send(dice.choice(COMMANDS) + "\n")
            for _ in range(dice.choice((0, 1, 5))):
                client._lines.readline()
    return act


def report(family, namespace, subnet):
    """Hosts whose reports are any."""
    hosts = [family.guest(namespace, f"10.0.{subnet}.{50 + n}" if family.number == 4 else f"fe80::{50 + n}") for n in range(4)]
    groups = [f"239.2.0.{n}" if family.number == 4 else f"ff1e::{n}" for n in range(1, 60)]
    sources = [f"10.0.0.{n}" if family.number == 4 else f"fd00::{n}" for n in range(1, 8)]

    def act(dice):
        dice.choice(hosts).report(*(
            Record(dice.choice(("IS_IN", "IS_EX", "TO_IN", "TO_EX", "ALLOW", "BLOCK")), dice.choice(groups),
                   dice.sample(sources, dice.randint(0, 5))) for _ in range(dice.randint(1, 30))))
        time.sleep(0.005)
    return act


def flap(router, dice):
    link = dice.choice(("eth0", "eth1", "eth2"))
    other = dice.choice((link, "other"))
    router.ip(f"link set {link} down", f"link set {link} name {other}", f"link set {other} up")
    time.sleep(dice.random() / 10)
    router.ip(f"link set {other} down", f"link set {other} name {link}", f"link set {link} up")


def reload(daemon, text):
    before = len(daemon.stderr)
    daemon.reconfigure(text)
    wait_until(lambda: any(end in daemon.stderr[before:] for end in ("is in force\n", "stays as it was\n")), 20,
               "the end of a reload")
    return "is in force" in daemon.stderr[before:]


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_at_once(lab, seed):
    network, dice = make_router(lab, downstreams=3), random.Random(seed)
    daemon = Daemon(network.router, configuration(dice))
    daemon.wait_for_output(": in use")
    for number in range(1, 6):
        Sender(network.source, "eth0", f"239.2.0.{number}").start(pps=20)
    acts = [ask(daemon)] * 3 + [report(family, host, subnet) for family in FAMILIES
                                for subnet, host in ((1, network.host), (2, network.host2))]
    busy = [Busy(100 * seed + number, act) for number, act in enumerate(acts)]
    reloads, end = 0, time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            if dice.random() < 0.7:
                reloads += reload(daemon, configuration(dice))
            else:
                flap(network.router, dice)
    finally:
        for thread in busy:
            thread.over.set()
        for thread in busy:
            thread.join()
    assert reloads > 0
    assert reload(daemon, FINAL)
    receiver = Receiver(network.host2, "eth0").join("239.9.9.9")
    Sender(network.source, "eth0", "239.9.9.9").start(pps=100)
    receiver.wait_for(100)
    daemon.terminate()
    assert tables.vifs(network.router) == [] and "4605:" not in str(network.router.run("ip mrule"))
