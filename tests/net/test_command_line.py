# SPDX-License-Identifier: BSD-2-Clause
"""The command line: instances without a file, words that are misspelt or left out, names that do not exist."""

import json
import signal
import subprocess

import pytest
from ctl import MCPROXYCTL, ask, mcproxyctl, socket_path
from families import FAMILIES
from mcproxy_daemon import PROGRAM
from netlab import CraftedHost, Daemon, Process, Receiver, Record, Sender, make_router, wait_until

NAMED = 'instances = ( { name = "tv"; upstream = "eth0"; downstream = "eth1"; } );'


class Unconfigured(Process):
    """mcproxy with instances on its command line."""

    def __init__(self, namespace, *arguments):
        super().__init__(namespace, PROGRAM, *arguments, private_run=True)


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=30)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_an_instance_without_a_file_carries_a_stream(lab, family):
    network = make_router(lab, downstreams=2)
    daemon = Unconfigured(network.router, "eth0 ==> eth1 eth2", "-d")
    for link in ("upstream eth0", "downstream eth1", "downstream eth2"):
        daemon.wait_for_output(f"instance eth0: {link}: in use")
    assert "started, configuration command line, 1 instance\n" in daemon.stderr
    receivers = [family.receiver(host).join(family.group) for host in (network.host, network.host2)]
    Sender(network.source, "eth0", family.group).start(pps=50)
    for receiver in receivers:
        receiver.wait_for(5)


def test_several_instances_and_a_reload_that_has_nothing_to_read(router_two_hosts):
    network = router_two_hosts
    daemon = Unconfigured(network.router, "-s", "eth0 ==> eth1", "-v", "eth0 ==> eth2")
    status = wait_until(lambda: daemon.stderr.count(": in use") >= 4 and ask(daemon, "show", what="status"), what="all links")
    assert status["configuration"] == "command line" and status["instances"] == 2
    assert "command line" in mcproxyctl(daemon, "show", "status")
    assert mcproxyctl(daemon, "doctor").splitlines()[-1].startswith("All is well (")
    daemon.signal(signal.SIGHUP)
    text = "the instances are on the command line, and there is no file to read again; restart mcproxy to change them"
    daemon.wait_for_output(f"reload: #1: {text}")
    assert mcproxyctl(daemon, "reload", status=1) == f"mcproxyctl: {text}\n"
    assert ask(daemon, "show", what="status")["instances"] == 2
    assert all(link["usable"] for link in ask(daemon, "show", what="links")["links"])
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_instances_are_checked_like_a_file(lab):
    result = run("-t", "lo ==> eth77")
    assert (result.returncode, result.stdout) == (0, (
        "command line: 1 instance, configuration is valid\nnote: eth77: there is no such interface now; mcproxy will wait for it\n"))
    for arguments, message in ((("eth0 ==> eth0",), "command line: eth0: both upstream and downstream"),
                               (("eth0 ==>",), "an instance needs a downstream link"),
                               (("eth0==>eth1",), "the two sides are written eth0 ==> eth1"),
                               (("a ==> b", "c ==> b"), "b: already a downstream link of instance a")):
        result = run("-t", *arguments)
        assert result.returncode == 78 and message in result.stderr, result
    assert "either a configuration file or instances" in run("-c", "x.conf", "eth0 ==> eth1").stderr
    # What a shell leaves of an arrow without quotes.
    result = run("eth0", "==")
    assert result.returncode == 2 and "one argument in quotes, such as 'eth0 ==> eth1'" in result.stderr


@pytest.mark.parametrize("word, meant", (("--chekc", "--check"), ("--reset-rp-filer", "--reset-rp-filter"), ("--confg=x", "--config")))
def test_misspelt_options_of_the_daemon(word, meant):
    result = run(word)
    assert result.returncode == 2
    assert result.stderr.startswith(f"mcproxy: {word.split('=')[0]}: no such option; did you mean {meant}?\n")


def control(*arguments):
    result = subprocess.run([MCPROXYCTL, "--socket", "/nowhere", *arguments], capture_output=True, text=True, check=False, timeout=30)
    assert result.returncode == 2
    return result.stderr


def test_misspelt_words_of_mcproxyctl():
    for arguments, message in (
            (("shwo", "groups"), "shwo: no such command; did you mean show?"),
            (("explian", "239.1.1.1"), "explian: no such command; did you mean explain?"),
            (("gruops",), "gruops: no such command; did you mean groups?"),
            (("nonsense",), "nonsense: no such command; see mcproxyctl --help"),
            (("show", "lniks"), "lniks: no such thing to show; did you mean links?"),
            (("show", "weather"), "there is no such thing to show; the choices are"),
            (("--jsno", "show"), "--jsno: no such option; did you mean --json?"),
            (("show", "links", "--lnik", "eth0"), "--lnik: no such option; did you mean --link?"),
            (("show", "links", "--link"), "--link: its value is missing"),
            (("explain", "239.1.1.1", "--secnds", "1"), "--secnds: no such option; did you mean --seconds?"),
            (("doctor", "--confg", "x"), "--confg: no such option; did you mean --config?")):
        assert message in control(*arguments), arguments


def test_show_may_be_left_out(router):
    daemon = Daemon(router.router, NAMED, vifs=("eth0", "eth1"))
    for what in ("instances", "links", "groups", "routes", "upstream"):
        assert mcproxyctl(daemon, what) == mcproxyctl(daemon, "show", what)
    assert "uptime" in mcproxyctl(daemon, "status")
    assert json.loads(mcproxyctl(daemon, "--json", "links", "--link", "eth1"))["links"][0]["link"] == "eth1"
    assert "query_interval" in mcproxyctl(daemon, "links", "--details")


def test_names_that_do_not_exist_and_tables_that_are_empty(router):
    daemon = Daemon(router.router, NAMED.replace('"eth1"', '( "eth1", "tun*", "eth9" )'), vifs=("eth0", "eth1"))
    links = "mcproxyctl: link nosuch: no instance uses it; the links are: eth0, eth1, tun*, eth9\n"
    for command in (("show", "links"), ("show", "groups"), ("routes",), ("upstream",), ("monitor",)):
        assert mcproxyctl(daemon, *command, "--link", "nosuch", status=1) == links
    instances = "mcproxyctl: instance nosuch: no such instance; the instances are: tv\n"
    for command in (("show", "instances"), ("groups",), ("monitor",)):
        assert mcproxyctl(daemon, *command, "--instance", "nosuch", status=1) == instances
    assert ask(daemon, "show", what="groups", link="nosuch")["error"] in links
    # A link that is configured exists, whether it is there or not.
    assert "missing" in mcproxyctl(daemon, "links", "--link", "eth9")
    assert ask(daemon, "show", what="links", link="tun7")["links"] == []

    assert mcproxyctl(daemon, "groups") == "no groups: no host has joined one\n"
    assert mcproxyctl(daemon, "routes") == "no routes: no stream has arrived\n"
    assert mcproxyctl(daemon, "groups", "--group", "239.7.7.7") == "no groups match the filter\n"
    assert json.loads(mcproxyctl(daemon, "groups", "--json"))["groups"] == []
    Receiver(router.host, "eth0").join("239.1.1.1")
    wait_until(lambda: "239.1.1.1" in mcproxyctl(daemon, "groups"), what="the group")
    assert mcproxyctl(daemon, "groups", "--link", "eth9") == "no groups match the filter\n"


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_doctor_notes_discovery_groups_upstream(router, family):
    """As a note, which is no problem; a group of a stream is none. By default, a filter denies such groups upstream."""
    daemon = family.daemon(router, "filter_in = [ ];")
    discovery = "239.255.255.250" if family.number == 4 else "ff05::c"
    family.guest(router.host).report(Record("TO_EX", family.group))
    wait_until(lambda: family.group in family.joined(router), what="the join upstream")
    assert mcproxyctl(daemon, "doctor").splitlines()[-1].startswith("All is well (")
    family.guest(router.host).report(Record("TO_EX", discovery))
    wait_until(lambda: discovery in family.joined(router), what="the join upstream")
    text = mcproxyctl(daemon, "doctor")
    assert f"discovery: eth0: {discovery} is joined upstream: SSDP (UPnP) and WS-Discovery" in " ".join(text.split())
    assert text.endswith("All is well (14 checks, 1 note)\n")
    (finding,) = json.loads(mcproxyctl(daemon, "doctor", "--json"))["findings"]
    assert (finding["severity"], finding["check"]) == ("note", "discovery")
    assert discovery in mcproxyctl(daemon, "show", "groups", "--group", discovery, "--details")
