# SPDX-License-Identifier: BSD-2-Clause
"""Troubleshooting, played: explain and doctor say what docs/troubleshooting.md says, and the remedies help."""

import re
from pathlib import Path

import pytest
import transcript
from test_guide import TOP, play

DOCUMENT = TOP / "docs" / "troubleshooting.md"
SETUP = Path(__file__).with_name("troubleshooting.md")
SECTIONS = transcript.read_sections(DOCUMENT)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda heading: re.sub(r"\W+", "-", heading))
def test_problem(section):
    result = play(DOCUMENT, section, SETUP)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_problems_are_there():
    assert [int(heading.split()[0]) for heading in SECTIONS] == list(range(1, 15))
    text = DOCUMENT.read_text()
    for heading in SECTIONS:
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        assert f"](#{anchor})" in text, heading


def test_each_set_up_has_its_section():
    titles = {heading.split(" ", 1)[1] for heading in SECTIONS}
    set_up = {re.sub(r", in a network of its own$|: after [a-z]+\.conf$", "", title) for title in transcript.read_sections(SETUP)}
    assert set_up - {"The network"} <= titles
