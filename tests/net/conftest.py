# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: `lab` for networks of your own, `router` and `router_two_hosts` for the usual one."""

import os

import pytest

from namespaces import Lab, remove_leftovers
from topology import make_router


# Needs packages to install, which only one stage of scripts/test builds.
collect_ignore = [] if "MCPROXY_PACKAGES" in os.environ else ["test_package.py"]


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
