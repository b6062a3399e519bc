# SPDX-License-Identifier: BSD-2-Clause
"""mcproxy-web: the daemon's state for browsers (docs/mcproxy-web.8)."""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest
from ctl import mcproxyctl
from namespaces import TIMEOUT_FACTOR
from netlab import CraftedHost, Daemon, Membership, Receiver, Record, Sender, wait_until
from web import MCPROXY_WEB, PORT, Events, Web, basic

GROUP = "239.1.2.3"
TEXT = ('protocol = "IGMPv3"; last_member_query_interval = 0.2; instances = ( {{ name = "tv"; upstream = "eth0"; downstream = "eth1"; }} ); '
        'control_socket = "{}"; control_mode = "0666";')


@pytest.fixture
def network(router):
    router.control = f"/tmp/mcproxy-test-{os.getpid()}.sock"
    router.daemon = Daemon(router.router, TEXT.format(router.control), vifs=("eth0", "eth1"))
    return router


def ctl(network, *arguments):
    return json.loads(mcproxyctl(network.daemon, "--json", *arguments, path=network.control))


def settled(value):
    """Without what changes as time passes."""
    if isinstance(value, list):
        return [settled(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: settled(member) for name, member in value.items()
            if name not in ("uptime", "age", "left", "next_query_left", "bit_rate", "packets", "bytes", "query_age", "other_query_age")}


@pytest.mark.smoke
def test_answers_are_those_of_the_socket(network):
    web = Web(network.router, network.control)
    receiver = Receiver(network.host, "eth0").join(GROUP)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    for what in ("status", "instances", "links", "groups", "routes", "upstream", "filters"):
        assert settled(web.api(what)) == settled(ctl(network, "show", what)), what
    assert [route["group"] for route in web.api(f"routes?group={GROUP}")["routes"]] == [GROUP]
    assert web.api("groups?group=239.9.9.9&instance=tv&link=eth1")["groups"] == []
    status, _, body = web.get("/api/groups?group=here")
    assert status == 400 and "an address or a prefix" in json.loads(body)["error"]


def test_events_follow_joins_and_leaves(network):
    web = Web(network.router, network.control)
    events = Events(web)
    assert events.status == 200
    kind, data = events.read()
    assert kind == "snapshot", data
    assert set(data) == {"time", "status", "instances", "links", "groups", "routes", "upstream", "filters", "findings"}
    membership = Membership(network.host, "eth0")
    joins, leaves = [], []
    for _ in range(5):  # the machine may delay the test
        membership.join(GROUP)
        joins.append(events.wait(lambda events: GROUP in events.groups()))
        membership.leave(GROUP)
        leaves.append(events.wait(lambda events: GROUP not in events.groups()))
    assert min(joins) < 0.5 and min(leaves) < 0.9, (joins, leaves)  # a leave is believed after 0.4 s without an answer


def test_streams_and_findings_are_in_the_events(network):
    web = Web(network.router, network.control)
    events = Events(web)
    events.wait(lambda events: "routes" in events.state)
    Sender(network.source, "eth0", GROUP).start(pps=50)
    events.wait(lambda events: [route["outputs"] for route in events.state["routes"].values()] == [[]])
    Membership(network.host, "eth0").join(GROUP)
    events.wait(lambda events: [route["outputs"] for route in events.state["routes"].values()] == [["eth1"]])
    network.router.ip("link set eth0 down")
    events.wait(lambda events: any(link["link"] == "eth0" and not link["up"] for link in events.state["links"].values()))
    events.wait(lambda events: any(finding["subject"] == "eth0" for finding in events.state["findings"].values()))


def test_a_client_that_comes_back_gets_what_it_has_missed(network):
    web = Web(network.router, network.control)
    other, events = Events(web), Events(web)
    events.wait(lambda events: events.state)
    last = events.last
    events.close()
    Membership(network.host, "eth0").join(GROUP)
    other.wait(lambda events: GROUP in events.groups())
    again = Events(web, last=last)
    again.state = events.state
    again.wait(lambda events: GROUP in events.groups())
    assert "snapshot" not in again.counts
    epoch, number = last.split("-")
    for unknown in (f"{epoch}-{int(number) + 1000}", f"{int(epoch, 16) ^ 1:08x}-{number}", "x" * 5000, f"{epoch}-", "-1"):
        assert Events(web, last=unknown).read()[0] == "snapshot", unknown


def test_events_survive_a_restart_of_the_daemon(network):
    web = Web(network.router, network.control)
    membership = Membership(network.host, "eth0")
    membership.join(GROUP)
    events = Events(web)
    events.wait(lambda events: GROUP in events.groups())
    network.daemon.terminate()
    events.wait(lambda events: events.kind == "daemon")
    assert events.data["connected"] is False and "does not" in events.data["why"]
    late = Events(web)
    assert late.read()[0] == "daemon"
    status, _, body = web.get("/api/groups")
    assert status == 502 and "does not run" in json.loads(body)["error"]
    assert "mcproxy_up 0" in web.get("/metrics")[2]
    assert web.get(f"/api/explain?group={GROUP}")[0] == 502
    Daemon(network.router, TEXT.format(network.control), vifs=("eth0", "eth1"))
    for client in (events, late):
        client.wait(lambda events: events.kind == "snapshot")
        client.wait(lambda events: GROUP in events.groups())


def test_an_answer_may_arrive_in_pieces(router):
    """The last newline of an answer alone, too."""
    path = f"/tmp/{router.router.name}.sock"
    control = socket.socket(socket.AF_UNIX)
    control.bind(path)
    router.router.lab.defer(os.unlink, path)
    os.chmod(path, 0o666)
    control.listen()

    def serve(connection):
        with contextlib.suppress(OSError):
            for line in connection.makefile():
                what = json.loads(line).get("what")
                for piece in (f'{{"version":1,"{what}":', '[{"instance":"', f'{time.monotonic()}"}}]}}', "\n") if what else ():
                    connection.sendall(piece.encode())
                    time.sleep(0.02)

    def accept():
        while True:
            threading.Thread(target=serve, args=(control.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    events = Events(Web(router.router, path))
    events.wait(lambda events: events.counts.get("change", 0) == 3, 15)
    assert events.counts["snapshot"] == 1 and "daemon" not in events.counts


def test_a_daemon_that_stands_still_holds_up_nothing_else(network):
    web = Web(network.router, network.control)
    events = Events(web)
    events.wait(lambda events: events.state)
    network.daemon.signal(signal.SIGSTOP)
    try:
        listing = web.connect()
        listing.request("GET", "/api/groups")
        assert web.get("/page.js")[0] == 200
        events.wait(lambda events: events.kind == "daemon", 10)
        assert "does not answer" in events.data["why"]
        assert listing.getresponse().status == 502
    finally:
        network.daemon.signal(signal.SIGCONT)
    events.wait(lambda events: events.kind == "snapshot", 10)


def test_doctor_explain_and_metrics_are_those_of_mcproxyctl(network):
    web = Web(network.router, network.control)
    Membership(network.host, "eth0").join(GROUP)
    wait_until(lambda: web.api("groups")["groups"], what="the join")
    assert web.api("doctor")["command"] == "doctor"
    (stream,) = web.api(f"explain?group={GROUP}")["streams"]
    assert stream["group"] == GROUP and stream["failed"] == "arrival"
    status, _, body = web.get("/api/explain?group=10.0.0.1")
    assert status == 400 and "not a multicast address" in json.loads(body)["error"]
    assert web.get("/api/explain")[0] == 400
    status, headers, text = web.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    wanted = mcproxyctl(network.daemon, "metrics", path=network.control)
    assert [line.split()[0] for line in text.splitlines()] == [line.split()[0] for line in wanted.splitlines()]


def test_only_the_page_and_the_api_can_be_read(network):
    web = Web(network.router, network.control, "--host", "tv.example")
    for path, kind in (("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")):
        status, headers, body = web.get(path)
        assert status == 200 and headers["Content-Type"].startswith(kind) and body
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert web.get("/", "HEAD")[2] == "" and web.get("/events", "HEAD")[0] == 200
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        assert web.get("/api/status", method)[0] == 405, method
    for path in ("/api/", "/api/sets", "/api/reload", "/api/status/", "//api/status", "/page.js/..", "/../etc/passwd",
                 "/index.html", "/api/monitor", "/api/show", "http://localhost/", "/API/status"):
        assert web.get(path)[0] in (400, 404), path
    for path in ("/api/status?command=reload", "/api/groups?what=sets", "/?x", "/events?group=239.1.1.1", "/api/doctor?config=x"):
        assert web.get(path)[0] == 400, path
    for host, status in (("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:4605", 200), ("TV.example:80", 200), ("example", 403),
                         ("127.0.0.1.example", 403), ("localhost.", 403), ("[::1", 403), ("localhost:x", 403), ("", 403), ("a@localhost", 403)):
        assert web.get("/api/status", Host=host)[0] == status, host
    assert web.get("/api/status", Content_Length="0")[0] == 400
    for site, status in (("same-origin", 200), ("none", 200), ("cross-site", 403), ("same-site", 403)):
        assert web.get("/api/status", Sec_Fetch_Site=site)[0] == status, site
    assert web.get("/", Sec_Fetch_Site="cross-site")[0] == 200


def test_a_password_is_asked_for(network):
    accounts = network.router.directory / "passwords"
    accounts.write_text("# who may look\nanna:secret:word\n\nberta:x\n")
    accounts.chmod(0o600)
    web = Web(network.router, network.control, "--password-file", accounts)
    status, headers, _ = web.get("/")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic ")
    for account, status in (("anna:secret:word", 200), ("berta:x", 200), ("berta:secret:word", 401), ("anna:secret", 401), ("anna", 401),
                            ("", 401), ("anna:secret:word\0", 401), ("a" * 500, 401)):
        assert web.get("/api/status", Authorization=basic(account))[0] == status, account
    assert web.get("/api/status", Authorization="Bearer x")[0] == 401
    assert Events(web).status == 401
    assert Events(web, Authorization=basic("berta:x")).status == 200


def test_passwords_cannot_be_guessed_without_a_limit(network):
    accounts = network.router.directory / "passwords"
    accounts.write_text("anna:secret\n")
    accounts.chmod(0o600)
    web = Web(network.router, network.control, "--password-file", accounts)
    right = basic("anna:secret")

    def answer(account, source=None):
        return web.get("/api/status", Authorization=account, source=source)[0]

    assert {web.get("/")[0] for _ in range(20)} == {401}  # no password is no attempt
    assert answer(right) == 200
    assert [answer(basic(f"anna:{number}")) for number in range(12)] == [401] * 10 + [429] * 2
    assert answer(right) == 429  # else the answer would show that it is right
    status, headers, body = web.get("/")
    assert status == 429 and headers["Retry-After"] == "10" and "too many wrong passwords" in json.loads(body)["error"]
    assert Events(web, Authorization=right).status == 429
    assert answer(right, "127.0.0.2") == 200
    text = web.get("/metrics", Authorization=right, source="127.0.0.2")[2]
    assert "mcproxy_web_wrong_passwords_total 10\n" in text and "mcproxy_web_refused_requests_total 5\n" in text
    assert web.stderr.count("127.0.0.1: too many wrong passwords, so its requests are refused for a while: 10 wrong passwords") == 1
    wait_until(lambda: answer(right) == 200, 12, what="the next attempt")


def test_a_public_address_without_a_password_is_warned_of(network):
    web = Web(network.router, network.control, "--listen", "0.0.0.0:4605")
    wait_until(lambda: "other machines can read the state of mcproxy here without a password" in web.stderr)
    assert web.get("/api/status", Host="10.0.1.1")[0] == 403  # the client is connected to 127.0.0.1
    web.address = "10.0.1.1"
    assert web.get("/api/status", Host="10.0.1.1")[0] == 200
    assert web.get("/api/status", Host="10.0.1.1.example")[0] == 403


def test_an_address_cannot_take_the_places_of_others(network):
    web = Web(network.router, network.control, "--listen", "0.0.0.0:4605")
    clients = [Events(web, source="127.0.0.1") for _ in range(16)]
    assert {client.status for client in clients} == {200}
    assert Events(web, source="127.0.0.1").status == 503
    assert web.get("/api/status")[0] == 200
    others = [Events(web, source="127.0.0.2") for _ in range(8)]
    assert {client.status for client in others} == {200}
    assert Events(web, source="127.0.0.2").status == 503
    assert others[0].read()[0] == "snapshot" and clients[0].read()[0] == "snapshot"


def test_a_flood_of_connections_keeps_no_other_address_out(network):
    web = Web(network.router, network.control)
    connections = []
    with network.router.entered():
        for _ in range(1000):
            connection = socket.socket()
            connections.append(connection)
            connection.setblocking(False)
            connection.bind(("127.0.0.1", 0))
            connection.connect_ex(("127.0.0.1", PORT))
    times = []
    for _ in range(5):
        start = time.monotonic()
        assert web.get("/page.css", source="127.0.0.2")[0] == 200
        times.append(time.monotonic() - start)
    for connection in connections:
        connection.close()
    assert max(times) < 1.0 * TIMEOUT_FACTOR, times


def test_requests_in_progress_are_shared_among_addresses(network):
    web = Web(network.router, network.control)
    join_many(network, 3000)
    wait_until(lambda: len(web.api("groups")["groups"]) == 3000, 10, "the joins")
    slow = []
    for path, count in (("/api/groups", 8), (f"/api/explain?group={GROUP}", 4)):
        for _ in range(count):
            slow.append(web.connect(small=True))
            slow[-1].request("GET", path)
        wait_until(lambda: web.get(path)[0] == 503, what=f"all places of {path} are taken")
        assert web.get(path, source="127.0.0.2")[0] == 200
    for connection in slow:
        connection.close()


def test_large_files_of_names_delay_nobody(network):
    path = Path(f"/tmp/{network.router.name}.hosts")  # the user of mcproxy-web can read it
    network.router.lab.defer(path.unlink)
    path.write_text("10.0.1.10 tv\n" + "0.0.0.0 advertisements.example.com\n" * 500000)
    web = Web(network.router, network.control, "--names", path)
    assert web.api("names")["names"]["10.0.1.10"] == "tv"
    start = time.monotonic()
    for _ in range(100):
        web.get("/api/names")
    assert time.monotonic() - start < 4 * TIMEOUT_FACTOR


def test_a_client_that_has_vanished_gives_its_place_back(network):
    Web(network.router, network.control, "--listen", "0.0.0.0:4605")
    with network.host.entered():
        connection = socket.create_connection(("10.0.1.1", PORT), timeout=10)
    connection.sendall(b"GET /events HTTP/1.1\r\nHost: 10.0.1.1\r\n\r\n")
    assert b"200 OK" in connection.recv(1000)
    wait_until(lambda: connections(network), what="connections to the daemon")
    network.host.ip("link set eth0 down")
    wait_until(lambda: not connections(network), 60, "the end of the connections to the daemon")


def join_many(network, count):
    """So many groups, joined by one host."""
    host = CraftedHost(network.host, "eth0", "10.0.1.77")
    groups = [f"238.1.{number >> 8}.{number & 255}" for number in range(count)]
    for first in range(0, count, 150):
        host.report(*(Record("TO_EX", group) for group in groups[first:first + 150]))
    return set(groups)


def has_ended(connection):
    poll = select.poll()
    poll.register(connection.sock, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def test_a_client_that_does_not_read_is_dropped(network):
    web = Web(network.router, network.control)
    groups = join_many(network, 3000)
    silent = web.connect()
    slow, whole = web.connect(small=True), Events(web)
    slow.request("GET", "/events")
    listing = web.connect(small=True)
    listing.request("GET", "/api/groups")
    whole.wait(lambda events: groups <= events.groups(), 10)
    for connection in (slow, silent):
        wait_until(lambda: has_ended(connection), 20, "the connection ends")
    membership = Membership(network.host, "eth0")
    membership.join(GROUP)
    whole.wait(lambda events: GROUP in events.groups())


def test_many_joins_at_once_reach_every_client(network):
    web = Web(network.router, network.control)
    clients = [Events(web) for _ in range(4)]
    for client in clients:
        client.wait(lambda events: events.state)
    groups = join_many(network, 2000)
    for client in clients:
        client.wait(lambda events: groups <= events.groups())


def test_without_clients_the_daemon_is_left_alone(network):
    web = Web(network.router, network.control)
    web.get("/")
    events = Events(web)
    events.wait(lambda events: events.state)
    wait_until(lambda: len(connections(network)) == 2, what="two connections to the daemon")
    events.close()
    wait_until(lambda: not connections(network), 40, "the end of the connections to the daemon")


def test_clients_leave_nothing_behind(network):
    web = Web(network.router, network.control)

    def descriptors():
        return len(os.listdir(f"/proc/{web.pid}/fd"))

    web.get("/")  # it has all
    before = descriptors()
    for number in range(60):
        for path in ("/", "/api/groups", "/api/nothing", "/api/doctor"):
            assert web.get(path)[0] == (404 if path == "/api/nothing" else 200)
        events = Events(web)
        if number % 2:
            events.wait(lambda events: events.state)
        events.close()
        for request in (b"GET /api/routes HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /events HT", b"\0" * 100, b"GET /metrics HTTP/1.0\r\n\r\n"):
            connection = web.connect()
            connection.sock.sendall(request)
            connection.close()
    wait_until(lambda: descriptors() <= before, 40, lambda: f"{descriptors()} descriptors, {before} before")


def connections(network):
    """Of the daemon with clients of its control socket."""
    with network.router.entered():
        lines = Path("/proc/thread-self/net/unix").read_text().splitlines()
    return [line for line in lines if line.endswith(network.control) and line.split()[5] == "03"]


def test_options_of_mcproxy_web():
    for word, message in (("-l", "-l: no such option"), ("--listen", "--listen: its value is missing"), ("--hots=a", "did you mean --host?")):
        result = subprocess.run([MCPROXY_WEB, word], capture_output=True, text=True, check=False, timeout=30)
        assert result.returncode == 2 and message in result.stderr
    for word in ("-V", "--version"):
        assert subprocess.check_output([MCPROXY_WEB, word], text=True).startswith("mcproxy-web 0.")
