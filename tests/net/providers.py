# SPDX-License-Identifier: BSD-2-Clause
"""A router with two providers and three LANs.

provider1 eth0 -- eth0 router eth1 -- eth0 lan1; eth2 -- eth0 lan2; eth3 -- eth0 lan3; eth4 -- eth0 provider2."""

from contextlib import closing

from netlab import Daemon, Sender, make_router

LINKS = ("eth0", "eth1", "eth2", "eth3", "eth4")
PROVIDERS = ("eth0", "eth4")


class Providers:
    def __init__(self, lab):
        self.topology = make_router(lab, downstreams=4)
        self.router, self.source = self.topology.router, self.topology.source
        self.first, self.second = self.topology.source, self.topology.hosts[3]
        self.lans = self.topology.hosts[:3]

    @staticmethod
    def address(family, number):
        """Of the host at the other end of eth<number>."""
        if family.number == 4:
            return f"10.0.{number}.10"
        return f"fd00:{number}::10" if number else "fd00::10"

    def text(self, family, upstream='"eth0", "eth4"', downstream='"eth1", "eth2", "eth3"', top="", instance=""):
        return (f'protocol = "{family.protocol}"; {top}\n'
                f'instances = ( {{ name = "tv"; upstream = ( {upstream} ); downstream = ( {downstream} ); {instance} }} );\n')

    def start(self, family, *args, flags="-d", links=LINKS, **kwargs):
        return self.run(family, self.text(family, *args, **kwargs), flags, links)

    def run(self, family, text, flags="-d", links=LINKS):
        daemon = Daemon(self.router, text, flags, **({"vifs": links} if family.number == 4 else {"vifs6": links}))
        for link in links if "-d" in flags else ():
            daemon.wait_for_output(f"{'upstream' if link in PROVIDERS else 'downstream'} {link}: in use")
        return daemon

    def stream(self, group, *namespaces, pps=100):
        """A stream from each of these hosts' eth0, or from both providers."""
        return Streams(group, namespaces or (self.first, self.second), pps)


class Streams:
    def __init__(self, group, namespaces, pps):
        self._senders = [closing(Sender(namespace, "eth0", group)) for namespace in namespaces]
        self._pps = pps

    def __enter__(self):
        for sender in self._senders:
            sender.thing.start(pps=self._pps)
        return self

    def __exit__(self, *_):
        for sender in self._senders:
            sender.thing.close()
