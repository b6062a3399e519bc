# SPDX-License-Identifier: BSD-2-Clause
"""Troubleshooting, played: explain and doctor say what docs/troubleshooting.md says, and the remedies help."""

import re

import pytest
import transcript
from test_guide import TOP, play

DOCUMENT = TOP / "docs" / "troubleshooting.md"
SECTIONS = transcript.read_sections(DOCUMENT)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda heading: re.sub(r"\W+", "-", heading))
def test_problem(section):
    result = play(DOCUMENT, section)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_problems_are_there():
    assert [int(heading.split()[0]) for heading in SECTIONS] == list(range(1, 13))
    text = DOCUMENT.read_text()
    for heading in SECTIONS:
        anchor = re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        assert f"](#{anchor})" in text, heading
