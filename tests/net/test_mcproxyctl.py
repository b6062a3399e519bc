# SPDX-License-Identifier: BSD-2-Clause
"""mcproxyctl's renderings: columns, the live screen."""

import json
import os
import socket
from pathlib import Path

import pytest
from ctl import MCPROXYCTL, ask, mcproxyctl, socket_path, start_mcproxyctl
from netlab import CraftedHost, Daemon, Membership, Receiver, Record, Sender, wait_until

GROUP = "239.1.2.3"
TV = 'protocol = "IGMPv3"; instances = ({name = "tv"; upstream = "eth0"; downstream = ("eth1", "eth9");});'


@pytest.fixture
def tv(router):
    """A daemon with a stream to one host, a group without a stream, and a link that is missing."""
    network = router
    network.daemon = Daemon(network.router, TV, vifs=("eth0", "eth1"))
    network.receiver = Receiver(network.host, "eth0").join(GROUP).join("239.1.2.4")
    network.sender = Sender(network.source, "eth0", GROUP).start(pps=50)
    network.receiver.wait_for(5)
    wait_until(lambda: len(ask(network.daemon, "show", what="groups")["groups"]) == 2, what="both groups")
    return network


def test_help_where_it_is_looked_for(router):
    daemon = Daemon(router.router, TV, vifs=("eth0", "eth1"))
    text = mcproxyctl(daemon, "--help")
    assert max(map(len, text.splitlines())) <= 80
    for arguments in (("help",), ("show", "--help"), ("explain", "-h")):
        assert mcproxyctl(daemon, *arguments) == text
    for arguments in (("show",), ("show", "weather"), ("show", "groups", GROUP)):
        assert "status, instances, links, groups, routes, upstream, uplinks, filters or sets" in mcproxyctl(daemon, *arguments, status=2)
    assert "the group is not a multicast address" in mcproxyctl(daemon, "explain", "10.0.0.1", status=2)


def test_an_empty_table_says_that_it_is_empty(router):
    daemon = Daemon(router.router, TV, vifs=("eth0", "eth1"))
    assert mcproxyctl(daemon, "show", "groups") == "no groups: no host has joined one\n"
    assert json.loads(mcproxyctl(daemon, "show", "groups", "--json"))["groups"] == []


def test_reports_of_link_scope_are_no_drops_to_look_into(tv):
    network = tv
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", "224.0.0.99"))
    wait_until(lambda: "group of link scope" in mcproxyctl(network.daemon, "show", "links", "--details"), what="the drop")
    eth1 = [line for line in mcproxyctl(network.daemon, "show", "links").splitlines() if line.startswith("eth1")]
    assert eth1[0].split() == ["eth1", "downstream", "2", "groups,", "IGMPv3,", "querier"]
    assert "ignored" not in mcproxyctl(network.daemon, "show", "links")


def test_show_columns_fit_ipv6_addresses_too(router):
    network = router
    daemon = Daemon(network.router, 'protocol = "MLDv2"; instances = ("eth0 ==> eth1");', vifs6=("eth0", "eth1"))
    group = "ff1e:1234:5678:9abc:def0:1234:5678:9abc"
    Membership(network.host, "eth0", socket.AF_INET6).join_source(group, "fd00:1234:5678:9abc:def0:1234:5678:9abc")
    wait_until(lambda: group in mcproxyctl(daemon, "show", "groups"), what="the group")
    wait_until(lambda: group in mcproxyctl(daemon, "show", "upstream"), what="the group upstream")
    for what in ("links", "groups", "routes", "upstream", "instances"):
        text = mcproxyctl(daemon, "show", what)
        assert max(map(len, text.splitlines()), default=0) <= 80, text


def test_the_bit_rate_of_a_stream_is_measured(tv):
    network = tv
    wait_until(lambda: 10_000 < ask(network.daemon, "show", what="routes")["routes"][0]["bit_rate"] < 80_000, 10,
               lambda: f"50 packets of some 92 bytes a second: {ask(network.daemon, 'show', what='routes')}")
    assert json.loads(mcproxyctl(network.daemon, "--json", "show", "routes"))["routes"][0]["packets"] > 50


class Screen:
    """A command on a terminal of its own."""

    def __init__(self, namespace, command, columns=100, rows=24):
        self._path = f"/tmp/mcproxy-test-tmux-{os.getpid()}-{id(self)}"
        self._namespace = namespace
        namespace.lab.defer(self._close)
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, f"{command}; echo status=$?; sleep 600")

    def _tmux(self, *arguments):
        return self._namespace.run("tmux", "-S", self._path, *map(str, arguments))

    def _close(self):
        self._namespace.run("tmux", "-S", self._path, "kill-server", check=False)
        Path(self._path).unlink(missing_ok=True)

    @property
    def text(self):
        return self._tmux("capture-pane", "-p")

    @property
    def coloured(self):
        return self._tmux("capture-pane", "-p", "-e")

    def type(self, *keys):
        self._tmux("send-keys", *keys)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", columns, "-y", rows)

    def wait_for(self, *words, timeout=10):
        wait_until(lambda: all(word in self.text for word in words), timeout, lambda: f"{words} on\n{self.text}", 0.05)


def test_top_shows_streams_and_links_live(tv):
    network = tv
    Receiver(network.host, "eth0").join("239.1.2.5")
    Sender(network.source, "eth0", "239.1.2.5", size=1000).start(pps=100)
    screen = Screen(network.router, f"{MCPROXYCTL} --socket {socket_path(network.daemon)} top 0.2")
    screen.wait_for("streams: 2", "eth9", "not usable", "kbit/s", "by bit rate")

    def streams():
        return [line.split()[0] for line in screen.text.splitlines() if line.startswith("239.")]
    wait_until(lambda: streams() == ["239.1.2.5", GROUP], 10, lambda: f"the largest first on\n{screen.text}")
    screen.type("g")
    screen.wait_for("by group")
    assert streams() == [GROUP, "239.1.2.5"]
    screen.type("Down")
    wait_until(lambda: streams() == ["239.1.2.5"], 10, lambda: f"one line further on\n{screen.text}")
    screen.type("Up")
    screen.resize(60, 12)
    wait_until(lambda: max(map(len, screen.text.splitlines())) <= 60 and len(streams()) == 2, 10,
               lambda: f"a smaller screen\n{screen.text}")
    screen.type("q")
    screen.wait_for("status=0")
    assert "239." not in screen.text  # the screen is as it was before


def test_every_command_speaks_json(tv):
    network = tv
    for command in ("show links", "metrics", "metrics --streams", "loglevel", "reload", ""):
        lines = mcproxyctl(network.daemon, "--json", *command.split()).splitlines()
        assert lines and all(json.loads(line)["version"] == 1 for line in lines), command
        assert len(lines) == 1 or "metrics" in command
    top = start_mcproxyctl(network.daemon, "top", "0.1", "--json")
    wait_until(lambda: len(top.stdout.splitlines()) > 3, what="lines of top")
    assert {json.loads(line)["what"] for line in top.stdout.splitlines()[:2]} == {"links", "routes"}


def test_colours_on_a_terminal_only(tv):
    network = tv
    show = f"{MCPROXYCTL} --socket {socket_path(network.daemon)} show links"
    screen = Screen(network.router, show)
    screen.wait_for("eth9", "missing", "status=0")
    assert "\033[31m" in screen.coloured and "\033[32m" in screen.coloured
    plain = Screen(network.router, f"NO_COLOR=1 {show}")
    plain.wait_for("eth9", "missing", "status=0")
    assert "\033[31m" not in plain.coloured
    assert "\033" not in mcproxyctl(network.daemon, "show", "links")


def test_top_ends_with_the_daemon(tv):
    network = tv
    screen = Screen(network.router, f"{MCPROXYCTL} --socket {socket_path(network.daemon)} top 0.2")
    screen.wait_for("streams: 1")
    network.daemon.terminate()
    screen.wait_for("the daemon no longer answers", "status=1")


def test_top_needs_a_terminal(tv):
    assert "a terminal is needed" in mcproxyctl(tv.daemon, "top", status=1)
    assert "0.1 to 3600" in mcproxyctl(tv.daemon, "top", "0", status=2)
