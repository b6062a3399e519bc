# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: `lab` for networks of your own, the others for the usual ones."""

import os
import zlib

import pytest

from namespaces import Lab, remove_leftovers
from topology import make_router


# Needs packages to install, which only one stage of scripts/test builds.
collect_ignore = [] if "MCPROXY_PACKAGES" in os.environ else ["test_package.py"]


def pytest_addoption(parser):
    parser.addoption("--one-form", action="store_true", help="run one form of each parametrized test; its name decides which")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if not config.getoption("--one-form"):
        return
    forms = {}
    for item in items:
        forms.setdefault((item.path, item.originalname), []).append(item)
    chosen = {id(form[zlib.crc32(name.encode()) % len(form)]) for (_, name), form in forms.items()}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
    items[:] = [item for item in items if id(item) in chosen]


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("the network tests make namespaces and need root", 1)
    if not hasattr(config, "workerinput"):
        remove_leftovers()


@pytest.fixture
def lab(tmp_path):
    with Lab(tmp_path) as instance:
        yield instance


@pytest.fixture
def router(lab):
    """A RouterTopology with one downstream link: source -- router -- host."""
    return make_router(lab)


@pytest.fixture
def router_two_hosts(lab):
    """A RouterTopology with two downstream links, to host and host2."""
    return make_router(lab, downstreams=2)


@pytest.fixture
def two_hosts(lab):
    """source eth0 -- eth0 router eth1 -- switch -- first and second; returns the network and the hosts."""
    network = make_router(lab, downstreams=0)
    switch, first, second = lab.namespace("switch"), lab.namespace("first"), lab.namespace("second")
    lab.link(network.router, "eth1", switch, "uplink", ("10.0.1.1/24", "fd00:1::1/64"))
    lab.link(switch, "port1", first, "eth0", (), ("10.0.1.10/24", "fd00:1::10/64"))
    lab.link(switch, "port2", second, "eth0", (), ("10.0.1.11/24", "fd00:1::11/64"))
    switch.bridge("br0", "uplink", "port1", "port2", snooping=False)
    for host in (first, second):
        host.ip("route add default via 10.0.1.1", "route add default via fd00:1::1")
    return network, first, second
