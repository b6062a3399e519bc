# SPDX-License-Identifier: BSD-2-Clause
"""The ubus plugin of the OpenWrt package against a running daemon; node runs it in place of rpcd's ucode."""
import json
import os
import subprocess
from pathlib import Path

from ctl import socket_path
from netlab import Daemon

TOP = Path(__file__).resolve().parents[2]
SMALLEST = 'protocol = "IGMPv3"; instances = ("eth0 ==> eth1");'


def test_every_method_answers(router, tmp_path):
    daemon = Daemon(router.router, SMALLEST, vifs=("eth0", "eth1"))
    program = Path(os.environ["MCPROXY_BUILD"]) / "mcproxyctl"
    wrapper = tmp_path / "mcproxyctl"
    wrapper.write_text(f'#!/bin/sh\nexec {program} --socket {socket_path(daemon)} "$@"\n')
    wrapper.chmod(0o755)

    def call(method, **arguments):
        with daemon.namespace.entered():
            answer = subprocess.run(
                ["node", TOP / "tests/openwrt/plugin.js", TOP / "config/openwrt", method, json.dumps(arguments)],
                env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, check=True)
        return json.loads(answer.stdout)

    for what in ("status", "links", "groups", "routes", "upstream", "filters"):
        answer = call(what)
        assert answer["version"] == 1 and answer["command"] == "show" and answer["what"] == what, answer
    assert "version" in call("reload")
    assert "error" not in call("explain", group="239.1.1.1")
    assert "addresses" in call("explain", group="239.1.1.1; id")["error"]
    # A name reaches mcproxyctl as one word, whatever it contains.
    assert "'; id; '" in json.dumps(call("links", link="'; id; '"))
