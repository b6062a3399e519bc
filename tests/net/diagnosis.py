# SPDX-License-Identifier: BSD-2-Clause
"""What mcproxyctl explain and doctor answer, and the commands that they advise."""

import json
import subprocess

from ctl import MCPROXYCTL, socket_path
from namespaces import wait_until

SECONDS = ("--seconds", "0.4")


class Answer:
    """The answer of explain about the streams of a group."""

    def __init__(self, daemon, *arguments, command=()):
        with daemon.namespace.entered():
            result = subprocess.run([*command, MCPROXYCTL, "--json", "--socket", socket_path(daemon), "explain", *arguments,
                                     *SECONDS], capture_output=True, text=True, check=False, timeout=60)
        assert result.returncode in (0, 1), (result.returncode, result.stderr)
        self.status = result.returncode
        self.streams = json.loads(result.stdout)["streams"]
        self.stream = self.streams[0]
        self.steps = {step["step"]: step for step in self.stream["steps"]}
        self.failed = self.stream["failed"]
        assert self.status == (1 if any(stream["failed"] for stream in self.streams) else 0)

    def __repr__(self):
        return json.dumps(self.streams, indent=1)

    @property
    def text(self):
        return self.steps[self.failed]["text"]

    @property
    def remedy(self):
        return self.steps[self.failed]["remedy"]


def explain_until(daemon, failed, *arguments):
    """Asks until the answer is this one: state may still be on its way."""
    last = []

    def asked():
        last[:] = [Answer(daemon, *arguments)]
        return last[0].failed == failed
    wait_until(asked, 10, lambda: f"{failed} to be named; last: {last}", interval=0.1)
    return last[0]


def doctor(namespace, path, program=(MCPROXYCTL,)):
    """The findings as {check: [finding, ...]}, and the whole answer."""
    with namespace.entered():
        result = subprocess.run([*program, "--json", "--socket", path, "doctor"], capture_output=True, text=True,
                                check=False, timeout=60)
    answer = json.loads(result.stdout)
    findings = {}
    for finding in answer["findings"]:
        assert finding["what"] and finding["why"] and finding["remedy"], finding
        findings.setdefault(finding["check"], []).append(finding)
    if "owner" not in findings:
        assert result.returncode == any(finding["severity"] != "note" for finding in answer["findings"]), result
    return findings, answer


def examine(daemon):
    return doctor(daemon.namespace, socket_path(daemon))[0]


def wait_for_finding(daemon, check, subject, what):
    """Waits until there is such a finding, and no other check finds anything; returns it."""
    last = []

    def found():
        last[:] = [examine(daemon)]
        return set(last[0]) == {check} and [f for f in last[0][check] if f["subject"] == subject and what in f["what"]]
    return wait_until(found, 15, lambda: f"{check}: {subject}: {what}; last: {json.dumps(last, indent=1)}", interval=0.1)[0]


def wait_until_clean(daemon):
    last = []

    def clean():
        last[:] = [examine(daemon)]
        return not last[0]
    wait_until(clean, 10, lambda: f"a clean bill; last: {json.dumps(last, indent=1)}", interval=0.1)


def run_command(namespace, remedy):
    """The command that a remedy begins with, as somebody pastes it into a shell."""
    namespace.run("sh", "-c", remedy.split(", or ")[0])
