# SPDX-License-Identifier: BSD-2-Clause
"""Metrics: both formats by their own parsers, the file for a collector, and what the collector makes of it."""

import contextlib
import os
import re
import shutil
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import prometheus_client.openmetrics.parser
import prometheus_client.parser
import pytest
from ctl import NOBODY, ask, mcproxyctl, socket_path
from netlab import CraftedHost, Daemon, Receiver, Record, Sender, wait_until

TOP = Path(__file__).resolve().parents[2]
RULES = TOP / "config" / "prometheus" / "mcproxy.rules.yml"
GROUP = "239.1.2.3"
TV = 'protocol = "IGMPv3"; instances = ({name = "tv"; upstream = "eth0"; downstream = ("eth1", "eth9");});'
PARSERS = {"": prometheus_client.parser, "--openmetrics": prometheus_client.openmetrics.parser}
both_formats = pytest.mark.parametrize("option", PARSERS, ids=("prometheus", "openmetrics"))


@pytest.fixture
def tv(router):
    """A daemon with a stream to one host, a dropped report, and a link that is missing."""
    network = router
    network.daemon = Daemon(network.router, TV, vifs=("eth0", "eth1"))
    receiver = Receiver(network.host, "eth0").join(GROUP).join("239.1.2.4")
    Sender(network.source, "eth0", GROUP).start(pps=50)
    receiver.wait_for(5)
    CraftedHost(network.host, "eth0", "10.0.1.77").report(Record("TO_EX", "224.0.0.99"))
    wait_until(lambda: len(ask(network.daemon, "show", what="groups")["groups"]) == 2, what="both groups")
    wait_until(lambda: "link_drops_total" in mcproxyctl(network.daemon, "metrics"), what="the drop")
    return network


@pytest.fixture
def directory(tmp_path):
    """Where the collector looks."""
    path = tmp_path / "textfile"
    path.mkdir()
    return path


def parse(text, option=""):
    """By the format's own parser, which rejects what does not hold: {name: {labels: value}}, and {name: type}."""
    found, types = {}, {}
    for family in PARSERS[option].text_string_to_metric_families(text):
        assert family.name.startswith("mcproxy_") and family.documentation
        assert not family.unit or family.name.endswith("_" + family.unit)
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), sample
            found[sample.name][labels] = sample.value
            types[sample.name] = family.type
    return found, types


def value(found, name, **labels):
    return found["mcproxy_" + name][tuple(sorted(labels.items()))]


def promtool(*arguments, text=None):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian package prometheus)")
    result = subprocess.run(["promtool", *map(str, arguments)], input=text, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@both_formats
def test_the_parsers_of_prometheus_accept_all(tv, option):
    network = tv
    arguments = ("metrics", "--streams", *option.split())
    text = mcproxyctl(network.daemon, *arguments)
    assert text.endswith("# EOF\n") == (option != "")
    found, types = parse(text, option)
    status = ask(network.daemon, "show", what="status")
    (version,) = found["mcproxy_build_info"]
    assert version == (("version", status["program_version"]),)
    assert {name: kind for name, kind in types.items() if kind == "counter"}.keys() == \
        {name for name in types if name.endswith("_total")}
    eth1 = {"mcproxy_instance": "tv", "link": "eth1", "family": "IPv4", "role": "downstream"}
    assert value(found, "up") == 1
    assert value(found, "instance_groups", mcproxy_instance="tv") == 2
    assert value(found, "instance_routes_limit", mcproxy_instance="tv") == 65536
    assert value(found, "link_usable", **eth1) == 1 and value(found, "link_querier", **eth1) == 1
    assert value(found, "link_usable", mcproxy_instance="tv", link="eth9", role="downstream") == 0
    assert value(found, "link_drops_total", cause="group of link scope", **eth1) == 1
    assert value(found, "upstream_groups", link="eth0", family="IPv4") == 2
    stream = {"mcproxy_instance": "tv", "group": GROUP, "source": network.source_address, "input": "eth0"}
    assert value(found, "stream_packets_total", **stream) >= 5
    assert value(found, "stream_bytes_total", **stream) > value(found, "stream_packets_total", **stream) * 20
    assert abs(time.time() - value(found, "uptime_seconds") - value(found, "start_time_seconds")) < 2
    assert value(found, "start_time_seconds") == status["started"]
    assert value(found, "config_last_reload_successful") == 1
    assert found["mcproxy_family_serving"] == {(("family", "IPv4"),): 1}
    assert "stream_packets" not in mcproxyctl(network.daemon, "metrics", *option.split())


def test_promtool_has_nothing_to_say(tv):
    promtool("check", "metrics", text=mcproxyctl(tv.daemon, "metrics", "--streams"))


def test_a_reload_that_fails_shows_until_one_succeeds(tv):
    daemon = tv.daemon

    def successful():
        return value(parse(mcproxyctl(daemon, "metrics"))[0], "config_last_reload_successful")
    good = daemon.configuration_path.read_text()
    daemon.configuration_path.write_text(good + "robustnes = 3;")
    mcproxyctl(daemon, "reload", status=1)
    assert successful() == 0
    assert "last reload    failed" in mcproxyctl(daemon, "show", "status")
    # Readable, but what it asks for cannot be had.
    daemon.configuration_path.write_text('protocol = "IGMPv3"; instances = ();')
    mcproxyctl(daemon, "reload", status=1)
    assert successful() == 0
    daemon.configuration_path.write_text(good)
    mcproxyctl(daemon, "reload")
    assert successful() == 1
    assert "last reload" not in mcproxyctl(daemon, "show", "status")


@both_formats
def test_a_file_for_a_collector(tv, directory, option):
    """It is there as a whole at every moment, and shows a daemon that is down."""
    daemon, path = tv.daemon, directory / "mcproxy.prom"
    order = ("metrics", *option.split(), "--output", path)
    before = os.umask(0o077)
    assert mcproxyctl(daemon, *order) == ""
    os.umask(before)
    assert path.stat().st_mode & 0o7777 == 0o644
    seen, done = set(), threading.Event()

    def collect():
        while not done.is_set():
            seen.add(value(parse(path.read_text(), option)[0], "up"))
    reader = threading.Thread(target=collect)
    reader.start()
    with contextlib.ExitStack() as stack:
        stack.callback(reader.join)
        stack.callback(done.set)
        for _ in range(20):
            mcproxyctl(daemon, *order)
        socket = socket_path(daemon)
        daemon.terminate()
        mcproxyctl(daemon, *order, path=socket)
        wait_until(lambda: 0 in seen, what="mcproxy_up 0")
    assert seen == {0, 1}
    assert parse(path.read_text(), option)[0] == {"mcproxy_up": {(): 0}}
    assert os.listdir(directory) == [path.name]


def test_a_daemon_that_is_down_on_a_terminal(tv):
    socket = socket_path(tv.daemon)
    tv.daemon.terminate()
    assert "is mcproxy running" in mcproxyctl(tv.daemon, "metrics", path=socket, status=1)


def test_what_cannot_be_asked_or_written_is_an_error(tv, directory):
    daemon, path = tv.daemon, directory / "mcproxy.prom"
    # Without the right to ask nothing is known, so the file stays.
    directory.chmod(0o777)
    path.write_text("before")
    mcproxyctl(daemon, "metrics", "--output", path, wrapper=NOBODY, status=1)
    assert path.read_text() == "before"
    fifo, link = directory / "fifo", directory / "link"
    os.mkfifo(fifo)
    link.symlink_to(path)
    for target, why in ((fifo, "a FIFO"), (link, "a symbolic link"), (directory, "directory"), (directory / "no" / "where", "No such")):
        assert why in mcproxyctl(daemon, "metrics", "--output", target, status=1)
    assert sorted(os.listdir(directory)) == ["fifo", "link", path.name] and path.read_text() == "before"
    for wrong in (("--output",), ("--outptu", path), ("--json", "--output", path), ("--json", "--openmetrics")):
        mcproxyctl(daemon, "metrics", *wrong, status=2)


def test_node_exporter_collects_the_file(tv, directory):
    network = tv
    if shutil.which("prometheus-node-exporter") is None:
        pytest.skip("prometheus-node-exporter is not installed")
    directory.chmod(0o755)
    mcproxyctl(network.daemon, "metrics", "--streams", "--output", directory / "mcproxy.prom")
    network.router.start("prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile",
                         f"--collector.textfile.directory={directory}", "--web.listen-address=127.0.0.1:9100")

    def collect():
        with network.router.entered(), contextlib.suppress(OSError), \
                urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=5) as answer:
            return answer.read().decode()
        return ""
    wait_until(lambda: "node_textfile_scrape_error" in collect(), 10, "an answer of the exporter")
    text = collect()
    assert "node_textfile_scrape_error 0\n" in text
    own, _ = parse(mcproxyctl(network.daemon, "metrics", "--streams"))
    lines = "".join(line + "\n" for line in text.splitlines() if re.match(r"(# (HELP|TYPE) )?mcproxy_", line))
    found, types = parse(lines)
    assert found.keys() == own.keys()
    assert types["mcproxy_link_drops_total"] == "counter" and types["mcproxy_link_usable"] == "gauge"


@pytest.mark.parametrize("path", [RULES, TOP / "docs" / "monitoring.md"], ids=lambda path: path.name)
def test_rules_and_document_name_metrics_that_exist(tv, path):
    names = set(re.findall(r"\bmcproxy_[a-z_]+\b", path.read_text())) - {"mcproxy_instance"}
    found, _ = parse(mcproxyctl(tv.daemon, "metrics", "--streams"))
    assert names and names <= found.keys()
