# SPDX-License-Identifier: BSD-2-Clause
"""The control socket (docs/control.md): requests, answers, limits, and who may do what."""

import contextlib
import json
import os
import select
import signal
import stat
import time
from pathlib import Path

import pytest
from ctl import NOBODY, Client, ask, mcproxyctl, socket_path, start_monitor
from namespaces import TIMEOUT_FACTOR
from netlab import CraftedHost, Daemon, Membership, Receiver, Record, Sender, tables, wait_until

GROUP = "239.1.2.3"
SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'


def groups(daemon, **filters):
    return {group["group"]: group for group in ask(daemon, "show", what="groups", **filters)["groups"]}


@pytest.mark.smoke
def test_show_tells_what_is_there(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    status = ask(daemon, "show", what="status")
    assert status["version"] == 1 and status["pid"] == daemon.pid and status["instances"] == 1
    (instance,) = ask(daemon, "show", what="instances")["instances"]
    assert instance["instance"] == "eth0" and instance["groups"] == 1 and instance["routes"] == 1
    upstream, downstream = ask(daemon, "show", what="links")["links"]
    assert (upstream["link"], upstream["role"], upstream["usable"]) == ("eth0", "upstream", True)
    assert (downstream["link"], downstream["role"], downstream["version"]) == ("eth1", "downstream", "IGMPv3")
    assert downstream["this_router_is_querier"] and downstream["querier"] == "10.0.1.1"
    assert downstream["counters"]["reports"] > 0 and downstream["timers"]["query_interval"] == 125
    assert groups(daemon)[GROUP]["mode"] == "EXCLUDE" and groups(daemon)[GROUP]["link"] == "eth1"
    (route,) = ask(daemon, "show", what="routes")["routes"]
    assert (route["group"], route["source"]) == (GROUP, network.source_address)
    assert (route["input"], route["outputs"]) == ("eth0", ["eth1"])
    upstream = ask(daemon, "show", what="upstream")
    assert upstream["memberships"] == [{"link": "eth0", "family": "IPv4", "group": GROUP, "mode": "EXCLUDE", "state": "joined",
                                        "kept_by": "kernel", "superset": False, "sources": []}]
    (uplink,) = upstream["upstream"]
    assert (uplink["link"], uplink["membership"], uplink["groups"]) == ("eth0", "auto", 1)


def keys(value):
    """Of all objects in an answer, but those that are names of causes."""
    if isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from () if key == "drops" else keys(member)
    elif isinstance(value, list):
        for member in value:
            yield from keys(member)


def test_every_member_is_described(router):
    network = router
    documented = (Path(__file__).resolve().parents[2] / "docs" / "control.md").read_text()
    manual = (Path(__file__).resolve().parents[2] / "docs" / "mcproxy.conf.5").read_text()
    daemon = Daemon(network.router, 'protocol = ["IGMPv3", "MLDv2"]; fast_leave = true; instances = ("eth0 ==> eth1 eth9");',
                    vifs=("eth0", "eth1"), vifs6=("eth0", "eth1"))
    monitor = Client(daemon)
    assert monitor.ask("monitor")["version"] == 1
    Membership(network.host, "eth0").join_source(GROUP, network.source_address)
    wait_until(lambda: GROUP in groups(daemon), what="the group")
    Sender(network.source, "eth0", GROUP).start(pps=50)
    wait_until(lambda: ask(daemon, "show", what="routes")["routes"], what="the stream")
    found = set()
    for what in ("status", "instances", "links", "groups", "routes", "uplinks", "upstream"):
        found |= set(keys(ask(daemon, "show", what=what, group=GROUP)))
    event = None
    while event is None or event["event"] != "route":
        event = monitor.line()
        found |= set(keys(event))
    missing = {key for key in found if f"`{key}`" not in documented and f".It Ic {key}" not in manual}
    assert missing <= {"group_membership_interval", "other_querier_present_interval"}


def test_sources_stand_within_their_group(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    host = Membership(network.host, "eth0")
    host.join_source("239.1.1.1", "10.0.0.1").join_source("239.1.1.1", "10.0.0.2")
    Membership(network.host, "eth0").join("239.1.1.2")
    wait_until(lambda: set(groups(daemon)) == {"239.1.1.1", "239.1.1.2"}, what="both groups")
    wait_until(lambda: len(groups(daemon)["239.1.1.1"]["sources"]) == 2, what="both sources")
    shown = groups(daemon)
    assert [source["source"] for source in shown["239.1.1.1"]["sources"]] == ["10.0.0.1", "10.0.0.2"]
    assert shown["239.1.1.1"]["mode"] == "INCLUDE" and shown["239.1.1.2"]["sources"] == []
    assert shown["239.1.1.1"]["members"] == [] and shown["239.1.1.1"]["hosts"] == 0


def test_members_are_listed_where_hosts_are_tracked(router):
    network = router
    daemon = Daemon(network.router, SMALLEST + "fast_leave = true;", vifs=("eth0", "eth1"))
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", GROUP), Record("ALLOW", "239.1.1.1", ["10.0.0.9"]))
    CraftedHost(network.host, "eth0", "10.0.1.78").report(Record("TO_EX", GROUP))
    wait_until(lambda: GROUP in groups(daemon) and groups(daemon)[GROUP]["hosts"] == 2, what="both hosts")
    shown = groups(daemon)
    assert [member["host"] for member in shown[GROUP]["members"]] == ["10.0.1.77", "10.0.1.78"]
    (member,) = shown["239.1.1.1"]["members"]
    assert (member["host"], member["mode"], member["sources"]) == ("10.0.1.77", "INCLUDE", 1)
    assert shown["239.1.1.1"]["sources"][0]["source"] == "10.0.0.9"
    assert "member 10.0.1.78, EXCLUDE" in mcproxyctl(daemon, "show", "groups", "--details")


def test_filters(router_two_hosts):
    network = router_two_hosts
    daemon = Daemon(network.router, 'protocol = "IGMPv3"; instances = ({name = "tv"; upstream = "eth0"; downstream = ("eth1", '
                    '"eth2", "eth9");});', vifs=("eth0", "eth1", "eth2"))
    Membership(network.host, "eth0").join("239.1.1.1")
    Membership(network.host2, "eth0").join("239.2.2.2")
    wait_until(lambda: set(groups(daemon)) == {"239.1.1.1", "239.2.2.2"}, what="both groups")
    assert set(groups(daemon, link="eth1")) == {"239.1.1.1"}
    assert set(groups(daemon, group="239.2.0.0/16")) == {"239.2.2.2"}
    assert set(groups(daemon, group="239.2.2.2")) == {"239.2.2.2"}
    assert set(groups(daemon, instance="tv")) == {"239.1.1.1", "239.2.2.2"}
    assert "the instances are: tv" in ask(daemon, "show", what="groups", instance="other")["error"]
    links = {link["link"]: link for link in ask(daemon, "show", what="links")["links"]}
    assert set(links) == {"eth0", "eth1", "eth2", "eth9"} and links["eth9"]["present"] is False
    assert [link["link"] for link in ask(daemon, "show", what="links", link="eth2")["links"]] == ["eth2"]


@pytest.mark.parametrize("line, error", [
    ("nonsense", "JSON"),
    ("{}", "a command is missing"),
    ('{"command":"dance"}', "dance: no such command"),
    ('{"command":"show","what":"weather"}', "expected"),
    ('{"command":"show","what":"groups","colour":"red"}', "colour"),
    ('{"command":"show","what":"groups","group":"239.0.0.0/33"}', "group"),
    ('{"command":"show"} {"command":"show"}', "JSON"),
    ('{"command":["show"]}', ""),
    ('{"command":"show"', "ends"),
])
def test_bad_requests_are_answered_with_an_error(router, line, error):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    client = Client(daemon)
    client.send(line + "\n")
    answer = client.line()
    assert answer["version"] == 1 and error in answer["error"]
    assert client.ask("show", what="status")["pid"] == daemon.pid  # the connection goes on


def test_several_requests_at_once_are_answered_in_order(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    client = Client(daemon)
    whats = ["status", "links", "groups", "routes", "instances", "upstream"] * 3
    client.send("".join(json.dumps({"command": "show", "what": what}) + "\n" for what in whats))
    assert [client.line()["what"] for _ in whats] == whats


def test_too_long_a_request_ends_the_connection(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    client = Client(daemon)
    client.send("x" * 5000)
    assert "longer than 4096 bytes" in client.line()["error"]
    assert client.line() is None


def test_the_client_that_is_idle_for_longest_loses_its_place(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    clients = [Client(daemon) for _ in range(32)]
    assert all(client.ask("show", what="status")["version"] == 1 for client in clients)
    assert clients[0].ask("show", what="status")["version"] == 1
    assert clients[1].ask("monitor")["command"] == "monitor"  # waits for events, and is as idle as the others
    for later in range(3):
        assert Client(daemon).ask("show", what="status")["version"] == 1
        assert "idle for longest" in clients[2 + later].line()["error"]
        assert clients[2 + later].line() is None
    assert all(client.ask("show", what="status")["version"] == 1 for client in (clients[0], *clients[5:]))


def fill(daemon, host, count=3000):
    """Groups, so that a list does not fit into the buffers of the socket."""
    wanted = [f"239.3.{number // 250}.{number % 250 + 1}" for number in range(count)]
    for first in range(0, count, 100):
        host.report(*(Record("TO_EX", group) for group in wanted[first:first + 100]))
    wait_until(lambda: len(groups(daemon)) == count, 20, "all groups")


def ask_for_lists(client, count):
    client.send('{"command":"show","what":"groups"}\n' * count)


def is_dropped(client):
    """Asks without reading."""
    poll = select.poll()
    poll.register(client.socket, 0)
    return bool(poll.poll(0))


def test_a_client_that_reads_its_answer_keeps_its_place(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    fill(daemon, CraftedHost(network.host, "eth0", "10.0.1.77"))
    reader = Client(daemon)
    ask_for_lists(reader, 3)
    others = [Client(daemon) for _ in range(31)]
    got = bytearray()
    for _ in range(60):
        Client(daemon).socket.close()  # needs a place, and gives it back
        assert Client(daemon).ask("show", what="status")["version"] == 1
        got += reader.socket.recv(20000)
        if got.count(b"\n") == 3:
            break
    while got.count(b"\n") < 3:
        got += reader.socket.recv(200000)
    assert [len(json.loads(line)["groups"]) for line in got.splitlines()] == [3000] * 3
    assert any(is_dropped(client) for client in others)


def test_a_client_that_does_not_read_its_answer_loses_its_place(router):
    """Of 32 clients that take nothing of a long list, each gives way after a second, not only after five."""
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    fill(daemon, CraftedHost(network.host, "eth0", "10.0.1.77"))
    for client in [Client(daemon) for _ in range(32)]:
        ask_for_lists(client, 8)

    def is_served():
        try:
            return "pid" in ask(daemon, "show", what="status")
        except OSError:
            return False  # refused
    wait_until(is_served, 4, "a place")


@pytest.mark.parametrize("requests", (1, 50), ids=("one", "many"))
@pytest.mark.parametrize("pause", (5.0, 0.1))
def test_a_client_that_reads_too_slowly_is_dropped(router, requests, pause):
    """It reads one byte at a time: of one answer, which is in its socket as a whole, or of one after the other."""
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    client = Client(daemon)
    got, asked = bytearray(), False
    client.socket.setblocking(False)
    end = time.monotonic() + 30 * TIMEOUT_FACTOR
    next_read = time.monotonic()
    while not is_dropped(client):
        assert time.monotonic() < end
        if requests > 1 or not asked:
            asked = True
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                client.socket.send(b'{"command":"show","what":"status"}\n' * requests)
        if time.monotonic() >= next_read:
            next_read += pause
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                got += client.socket.recv(1)
        time.sleep(0.02)
    assert daemon.stderr.count("a client that does not read is dropped") == 1
    if requests == 1:  # it can still read the answer
        got += client.socket.recv(100000)
        assert json.loads(got)["pid"] == daemon.pid
    assert ask(daemon, "show", what="status")["pid"] == daemon.pid


def test_a_client_that_reads_nothing_for_a_while_but_then_asks_again_stays(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    monitor, client = Client(daemon), Client(daemon)
    assert monitor.ask("monitor")["version"] == 1
    for _ in range(4):
        client.send('{"command":"show","what":"status"}\n')
        time.sleep(4)  # less than the time in which a client must read
        assert client.line()["pid"] == daemon.pid
    assert not is_dropped(client) and not is_dropped(monitor)


def test_a_client_that_reads_at_a_moderate_pace_is_served(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    fill(daemon, CraftedHost(network.host, "eth0", "10.0.1.77"))
    client = Client(daemon)
    ask_for_lists(client, 2)
    got = bytearray()
    while got.count(b"\n") < 2:
        got += client.socket.recv(65536)
        time.sleep(0.5)
    assert [len(json.loads(line)["groups"]) for line in got.splitlines()] == [3000] * 2


def test_a_request_that_does_not_end_ends_the_connection(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    slow, monitor, idle = Client(daemon), Client(daemon), Client(daemon)
    assert monitor.ask("monitor")["version"] == 1
    monitor.send("{")
    begin = time.monotonic()
    while not is_dropped(slow):
        assert time.monotonic() < begin + 10 * TIMEOUT_FACTOR
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            slow.send(" ")
        time.sleep(0.1)
    assert time.monotonic() >= begin + 4.5
    assert "not complete after 5 seconds" in slow.line()["error"] and slow.line() is None
    wait_until(lambda: is_dropped(monitor), what="the end of the monitor")
    assert idle.ask("show", what="status")["version"] == 1  # without a request, the time does not matter


def test_at_most_one_reload_a_second(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    clients = [Client(daemon) for _ in range(20)]
    begin = time.monotonic()
    answers = 0
    while time.monotonic() < begin + 3:
        for client in clients:
            client.send('{"command":"reload"}\n')
        daemon.signal(signal.SIGHUP)
        for client in clients:
            answers += client.line()["command"] == "reload"
    reloads = daemon.stderr.count("is in force")
    # Each request is answered by a reload that began after it.
    assert 3 <= reloads <= 1 + (time.monotonic() - begin) and answers >= 20 * (reloads - 1)
    for _ in range(2000):
        daemon.signal(signal.SIGHUP)
    wait_until(lambda: daemon.stderr.count("is in force") > reloads, what="the reload of the storm")
    assert ask(daemon, "show", what="status")["pid"] == daemon.pid


def test_the_socket_has_its_mode_and_goes_at_the_end(router):
    path = router.router.directory / "c.sock"
    os.chdir(path.parent)
    daemon = Daemon(router.router, SMALLEST + 'control_socket = "c.sock"; control_mode = "0604"; control_group = "daemon";',
                    vifs=("eth0", "eth1"))
    status = path.stat()
    assert stat.S_ISSOCK(status.st_mode) and status.st_mode & 0o777 == 0o604 and status.st_gid == 1
    daemon.terminate()
    assert not path.exists()


def test_a_socket_left_by_a_killed_run_is_replaced_and_a_live_one_is_not(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    daemon.kill()
    second = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    assert ask(second, "show", what="status")["pid"] == second.pid


def test_no_socket_when_turned_off(router):
    daemon = Daemon(router.router, SMALLEST + 'control_socket = "none";', vifs=("eth0", "eth1"))
    assert not os.path.exists(socket_path(daemon))
    assert "is mcproxy running" in mcproxyctl(daemon, "show", "status", status=1)


@pytest.fixture
def short_path():
    """Of a socket that anybody can reach."""
    return f"/tmp/mcproxy-test-{os.getpid()}.sock"


def test_without_rights_the_state_can_be_read_but_nothing_changed(router, short_path):
    daemon = Daemon(router.router, SMALLEST + f'control_socket = "{short_path}"; control_mode = "0666"; '
                    'control_group = "daemon";', vifs=("eth0", "eth1"))
    assert "uptime" in mcproxyctl(daemon, "show", "status", path=short_path, wrapper=NOBODY)
    for command in (("reload",), ("loglevel", "debug"), ("loglevel",)):
        assert "only for root" in mcproxyctl(daemon, *command, path=short_path, wrapper=NOBODY, status=1)
    member = ("setpriv", "--reuid", "65534", "--regid", "65534", "--groups", "1")
    assert "is in force" in mcproxyctl(daemon, "reload", path=short_path, wrapper=member)


def test_without_access_to_the_socket_the_remedy_is_named(router, short_path):
    daemon = Daemon(router.router, SMALLEST + f'control_socket = "{short_path}";', vifs=("eth0", "eth1"))
    assert "Permission denied: only root may connect; run this command as root" in mcproxyctl(
        daemon, "show", "status", path=short_path, wrapper=NOBODY, status=1)


def test_log_level_is_set_at_run_time(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    Membership(network.host, "eth0").join(GROUP)
    wait_until(lambda: GROUP in groups(daemon), what="the group")
    assert "joined" not in daemon.stderr
    assert mcproxyctl(daemon, "loglevel", "debug") == "debug\n"
    Membership(network.host, "eth0").join("239.4.4.4")
    wait_until(lambda: "239.4.4.4: joined" in daemon.stderr, what="the debug line")
    mcproxyctl(daemon, "loglevel", "info")
    Membership(network.host, "eth0").join("239.5.5.5")
    wait_until(lambda: "239.5.5.5" in groups(daemon), what="the last group")
    assert "239.5.5.5: joined" not in daemon.stderr
    assert mcproxyctl(daemon, "loglevel") == "info\n"
    assert "loud" in mcproxyctl(daemon, "loglevel", "loud", status=1)
    mcproxyctl(daemon, "loglevel", "eth1", "debug", status=2)


def test_reload_moves_the_socket_and_keeps_those_who_are_connected(router):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    short_path = f"/proc/{daemon.pid}/root/run/mcproxy/other.sock"
    client = Client(daemon)
    daemon.configuration_path.write_text(SMALLEST + 'control_socket = "/run/mcproxy/other.sock";')
    assert client.ask("reload")["command"] == "reload"
    assert not os.path.exists(socket_path(daemon))
    assert client.ask("show", what="status")["pid"] == daemon.pid
    assert str(daemon.pid) in mcproxyctl(daemon, "show", "status", path=short_path)
    daemon.configuration_path.write_text(SMALLEST + 'control_socket = "none";')
    assert client.ask("reload")["command"] == "reload"
    assert not os.path.exists(short_path)
    assert client.ask("show", what="status")["pid"] == daemon.pid


def test_mcproxyctl_monitors(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    text, lines = start_monitor(daemon), start_monitor(daemon, "--json", "--link", "eth1")
    receiver = Receiver(network.host, "eth0").join(GROUP)
    text.wait_for_output(f"eth0: eth1: {GROUP}: {network.host_address} joined (any source)")
    text.wait_for_output(f"eth0: {GROUP}: upstream: joined (any source)")
    receiver.leave(GROUP)
    text.wait_for_output(f"eth0: eth1: {GROUP}: {network.host_address} left, asking others")
    text.wait_for_output(f"eth0: eth1: {GROUP}: no members remain", 10)
    text.wait_for_output(f"eth0: {GROUP}: upstream: left")
    wait_until(lambda: '"leave"' in lines.stdout, what="the leave as JSON")
    assert {event.get("link", "eth1") for event in map(json.loads, lines.stdout.splitlines())} == {"eth1"}
    network.router.ip("link set eth1 down")
    text.wait_for_output("eth0: eth1: link not usable")
    daemon.terminate()
    assert text.wait() == 1 and "closed the connection" in text.stderr


def test_mcproxyctl_shows_within_80_columns(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    for what, word in (("status", "uptime"), ("instances", "eth0"), ("links", "querier"), ("groups", GROUP), ("routes", GROUP),
                       ("upstream", "auto")):
        text = mcproxyctl(daemon, "show", what)
        assert word in text and "\033" not in text
        assert max(len(line) for line in text.splitlines() if "configuration" not in line) <= 80, text
        assert json.loads(mcproxyctl(daemon, "--json", "show", what))["what"] == what
        assert json.loads(mcproxyctl(daemon, "show", what, "--json"))["what"] == what
    assert GROUP not in mcproxyctl(daemon, "show", "groups", "--group", "239.9.0.0/16")
    assert "no such command" in mcproxyctl(daemon, "dance", status=2)
    assert "usage" in mcproxyctl(daemon, "show", "weather", status=2)


def test_monitor_tells_events_as_they_happen(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    client = Client(daemon)
    assert client.ask("monitor", group=GROUP)["command"] == "monitor"
    receiver = Receiver(network.host, "eth0").join(GROUP)
    wait_until(lambda: GROUP in tables.igmp_groups(network.router, "eth0"), what="the join upstream")
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    events = []
    while "route" not in [event["event"] for event in events] or not events[-1].get("outputs"):
        events.append(client.line())
    assert [event["event"] for event in events] == ["join", "upstream", "source", "route"]
    assert events[0]["link"] == "eth1" and events[0]["group"] == GROUP and events[0]["time"] > 1e9
    assert events[-1]["outputs"] == ["eth1"]


def test_monitor_tells_limits_that_are_met_and_queriers(router):
    network = router
    daemon = Daemon(network.router, SMALLEST + "groups_max = 1;", vifs=("eth0", "eth1"))
    client = Client(daemon)
    assert client.ask("monitor", link="eth1")["command"] == "monitor"
    host = CraftedHost(network.host, "eth0", "10.0.1.77")
    host.report(Record("TO_EX", "239.1.1.1"), Record("TO_EX", "239.1.1.2"))
    event = client.line()
    while event["event"] != "drop":
        event = client.line()
    assert "groups_max" in event["cause"] and event["count"] == 1
    CraftedHost(network.host, "eth0", "10.0.1.0").query()
    while event["event"] != "querier":
        event = client.line()
    assert event["querier"] == "10.0.1.0" and event["this_router"] is False


def test_many_groups_come_over_many_pages(router):
    network = router
    daemon = Daemon(network.router, SMALLEST, vifs=("eth0", "eth1"))
    host = CraftedHost(network.host, "eth0", "10.0.1.77")
    wanted = {f"239.3.{number // 250}.{number % 250 + 1}" for number in range(1500)}
    for first in range(0, 1500, 100):
        host.report(*(Record("TO_EX", group) for group in sorted(wanted)[first:first + 100]))
    wait_until(lambda: set(groups(daemon)) == wanted, 10, "all groups")
    wait_until(lambda: {row["group"] for row in ask(daemon, "show", what="upstream")["memberships"]} == wanted, 10,
               "all of them upstream")
