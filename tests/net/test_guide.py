# SPDX-License-Identifier: BSD-2-Clause
"""The startup guide, played: every command does and prints what docs/guide.md says (transcript.py has the rules)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import transcript
from mcproxy_daemon import PROGRAM

TOP = Path(__file__).resolve().parents[2]
GUIDE = TOP / "docs" / "guide.md"
SECTIONS = transcript.read_sections(GUIDE)


def play(document, section, *setup):
    environment = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}
    return subprocess.run([sys.executable, transcript.__file__, str(document), section, *map(str, setup)], env=environment, check=False,
                          capture_output=True, text=True)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda heading: re.sub(r"\W+", "-", heading))
def test_section_of_the_guide(section):
    result = play(GUIDE, section)
    assert result.returncode == 0, result.stdout + result.stderr


def test_guide_has_the_three_configurations_of_the_old_one():
    files = {step.file: step.output for steps in SECTIONS.values() for step in steps if step.file}
    assert files["easiest.conf"] == ["protocol IGMPv2", "eth0 ==> eth1"]
    assert files["easiest6.conf"] == ["protocol MLDv1", "eth0 ==> eth1"]
    assert files["tunnel.conf"] == ["protocol IGMPv1", "eth0 ==> eth1 tun0", "eth2 ==> eth3"]


@pytest.mark.parametrize("text, complaint", [
    ("machine# echo one; echo two\none\ntwo\n", None),
    ("machine# echo one\n...\n", None),
    ("machine# echo one two  three\none ... three\n", None),
    ("machine# sh -c 'echo first; sleep 0.5; echo second; sleep 60'\nfirst\nmachine# ...\n...\nsecond\nmachine# ^C\n", None),
    ("machine# test -e there && cat there || { echo here >there; false; }\nhere\n", None),
    ("machine# echo one\ntwo\n", "should print"),
    ("machine# echo one; echo two\none\nthree\n", "should print"),
    ("machine# false\n", "exit status 1"),
    ("machine# sleep 60\n", "should print"),
    ("machine# sh -c 'echo first; sleep 60'\nfirst\nmachine# ^C\nlast\n", "should have printed"),
])
def test_player_tells_what_does_not_fit(tmp_path, monkeypatch, text, complaint):
    if complaint is not None:
        monkeypatch.setenv("MCPROXY_TIMEOUT_FACTOR", "0.1")
    document = tmp_path / "document.md"
    document.write_text(f"## Part\n\n```console\n{text}```\n")
    result = play(document, "Part")
    assert result.returncode == (0 if complaint is None else 1), result.stdout + result.stderr
    assert complaint is None or complaint in result.stdout
