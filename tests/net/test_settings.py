# SPDX-License-Identifier: BSD-2-Clause
"""Settings of the kernel that the daemon needs (-r, upstream_version): shared by daemons, and changed by others."""

import signal

import pytest
from ctl import ask
from families import FAMILIES, IPV4
from netlab import Daemon, Record, wait_until
from test_instances import Network
from test_upstream import own

ENDINGS = pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])


@pytest.fixture
def network(lab):
    return Network(lab)


def daemon_of(network, up, down, settings="", flags="-r"):
    """One of several daemons: it serves one family, in a table of its own."""
    return Daemon(network.router, f'protocol = "IGMPv3"; {settings} '
                  f'instances = ({{ upstream = "{up}"; downstream = "{down}"; table = "own"; }});', flags)


def rp_filter(network):
    return {name: int(network.router.sysctl(f"net/ipv4/conf/{name}/rp_filter"))
            for name in ("all", "eth0", "eth1", "eth2", "eth3")}


def end(daemon, ending):
    if ending == signal.SIGTERM:
        daemon.terminate()
    else:
        daemon.kill()


@pytest.mark.smoke
@ENDINGS
@pytest.mark.parametrize("goes", [0, 1], ids=["first", "second"])
def test_rp_filter_stays_as_long_as_a_daemon_needs_it(network, goes, ending):
    before = {"all": 1, "eth0": 2, "eth1": 1, "eth2": 1, "eth3": 2}
    for name, value in before.items():
        network.router.sysctl(f"net/ipv4/conf/{name}/rp_filter", value)

    def reset(*names):
        """All but these keep the filter that was in force, which is their own here."""
        return before | dict.fromkeys(("all", *names), 0)
    daemons = [daemon_of(network, "eth0", "eth1")]
    wait_until(lambda: rp_filter(network) == reset("eth0"), what="the first one's")
    daemons.append(daemon_of(network, "eth2", "eth3"))
    wait_until(lambda: rp_filter(network) == reset("eth0", "eth2"), what=lambda: rp_filter(network))
    end(daemons.pop(goes), ending)
    left = "eth0" if goes == 1 else "eth2"
    assert [rp_filter(network)[name] for name in ("all", left)] == [0, 0]
    if ending == signal.SIGTERM:
        assert rp_filter(network) == reset(left)
    daemons[0].terminate()
    assert rp_filter(network) == before
    assert "another program" not in daemons[0].stderr


@ENDINGS
@pytest.mark.parametrize("goes", [0, 1], ids=["first", "second"])
def test_a_forced_version_stays_as_long_as_a_daemon_needs_it(network, goes, ending):
    network.router.force_igmp_version("eth0", 3)
    daemons = []
    for down in ("eth1", "eth3"):
        daemons.append(daemon_of(network, "eth0", down, 'upstream_version = "IGMPv2";', ""))
        daemons[-1].wait_for_output(f"downstream {down}: in use")
        assert IPV4.forced_version(network.router) == 2
    end(daemons.pop(goes), ending)
    assert IPV4.forced_version(network.router) == 2
    daemons[0].terminate()
    assert IPV4.forced_version(network.router) == 3


@pytest.mark.smoke
def test_rp_filter_that_is_changed_is_set_again(network):
    """The change comes back at the exit: it is what the administrator wants without the daemon."""
    for name, value in (("all", 1), ("eth0", 1), ("eth1", 1), ("eth2", 0), ("eth3", 0)):
        network.router.sysctl(f"net/ipv4/conf/{name}/rp_filter", value)
    daemon = daemon_of(network, "eth0", "eth1")
    wait_until(lambda: rp_filter(network)["eth0"] == 0, what="rp_filter")
    # The links in use lose their filter again, and the others have what is in force without the daemon.
    for number, (name, value, becomes) in enumerate((("eth0", 2, 0), ("all", 2, 0), ("eth1", 1, 2), ("eth2", 0, 2)), 1):
        network.router.sysctl(f"net/ipv4/conf/{name}/rp_filter", value)
        wait_until(lambda name=name, becomes=becomes: rp_filter(network)[name] == becomes, 3, f"rp_filter of {name}")
        daemon.wait_for_output(f"{name}: another program has set rp_filter to {value}: set to {becomes} again")
        assert daemon.stderr.count("another program") == number
        if name == "all":
            wait_until(lambda: rp_filter(network)["eth1"] == rp_filter(network)["eth2"] == 2, what="what they hold")
    assert rp_filter(network) == {"all": 0, "eth0": 0, "eth1": 2, "eth2": 2, "eth3": 2}
    daemon.terminate()
    assert rp_filter(network) == {"all": 2, "eth0": 2, "eth1": 1, "eth2": 0, "eth3": 0}
    assert daemon.stderr.count("another program") == 4


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_configured_version_is_forced_again(router, family):
    network = router
    daemon = family.daemon(network, f'upstream_version = "{family.older}";')
    assert family.forced_version(network.router) == family.older_version
    family.force_version(network.router, 0)
    wait_until(lambda: family.forced_version(network.router) == family.older_version, 15, "the version again")
    daemon.wait_for_output(f"_version to 0: set to {family.older_version} again")
    daemon.terminate()
    assert family.forced_version(network.router) == 0


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_a_version_that_the_administrator_forces_is_followed(router, family):
    """Without upstream_version: what is sent has the version that the kernel speaks, without an event on the link."""
    network = router
    daemon = family.daemon(network, "unsolicited_report_interval = 0.3;")
    upstream = family.capture(network.source)
    guest = family.guest(network.host)

    def assert_version(version, group):
        guest.report(Record("TO_EX", group))
        wait_until(lambda: len(own(family, network, upstream, "report", group)), what="the report")
        reports = own(family, network, upstream, "report", group)
        assert {m.version for m in reports} == {version}, reports
    family.force_version(network.router, family.older_version)
    assert_version(family.older_version, family.group)
    daemon.wait_for_output(f"eth0: another program forces {family.older} in the kernel")
    family.force_version(network.router, 0)
    wait_until(lambda: ask(daemon, "show", what="uplinks")["upstream"][0]["version"] == family.protocol, what="the version")
    assert_version(family.version, family.other_group)
